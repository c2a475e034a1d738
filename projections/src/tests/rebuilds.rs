//! Rows that are built anew beside the live ones, views that are parked, and
//! nodes that lead and stand by.

use super::live::{Office, PATIENCE, world_of};
use crate::{
    changed::{Change, View},
    orders::Refused,
    start_on,
    testing::{World, call, dump},
    views::{Status, Views},
};
use commands::{
    ports::{ReadStore, Statement, Value},
    roster::{Lease, Roster, Seen},
};
use std::{sync::Arc, time::Duration};

async fn sql(read: &dyn ReadStore, sql: &'static str, parameters: Vec<Value>) {
    let statement = Statement {
        sql,
        parameters,
        must_touch: Some(1),
    };
    read.transact(vec![statement]).await.unwrap();
}

async fn set_version(read: &dyn ReadStore, view: View, version: i64) {
    let parameters = vec![Value::Int(version), Value::Text(view.name().into())];
    let text = "UPDATE es_projections SET version = $1 WHERE name = $2";
    sql(read, text, parameters).await;
}

/// Marks the row of the first call, so that it is seen which rows are shown.
async fn mark(read: &dyn ReadStore) {
    let text = "UPDATE live_calls SET to_user = 'marked' WHERE call_id = $1";
    sql(read, text, vec![Value::Text(call(1).to_string())]).await;
}

async fn shown(views: &Views) -> String {
    views.live_call(call(1)).await.unwrap().unwrap().to
}

/// The row that was marked is not shown any more.
async fn until_switched(views: &Views) {
    let mut looks = 0;
    while shown(views).await == "marked" {
        looks += 1;
        assert!(looks < 5_000, "it is never switched");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(shown(views).await, "nobody");
}

async fn until(views: &Views, view: View, wanted: impl Fn(&Status) -> bool) -> Status {
    let mut progress = views.watch();
    let of = |progress: &crate::views::Progress| progress[view.index()].clone();
    let reached = progress.wait_for(|progress| wanted(&of(progress)));
    let reached = tokio::time::timeout(PATIENCE, reached).await;
    of(&reached.expect("in time").unwrap())
}

async fn will_switch(read: &dyn ReadStore) -> bool {
    let standings = crate::standing::standings(read).await.unwrap();
    let next = standings.get("live_calls@next");
    next.is_some_and(|next| next.then_switch)
}

async fn tables(read: &dyn ReadStore) -> usize {
    let text = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%__next'";
    read.query(text, vec![]).await.unwrap().len()
}

/// An office in which a call was received, once every view knows it.
async fn with_a_call() -> (Office, World) {
    let mut office = Office::open().await;
    let world = world_of(&office).await;
    let position = office.receive(&world, 1).await;
    let views = office.running.views();
    views
        .wait_for(&View::ALL, position, PATIENCE)
        .await
        .unwrap();
    (office, world)
}

#[tokio::test]
async fn rows_are_built_beside_the_live_ones_until_the_switch() {
    let (mut office, world) = with_a_call().await;
    let views = office.running.views();
    let read = office.stores.read.clone();
    mark(read.as_ref()).await;
    let view = View::LiveCalls;
    assert_eq!(views.switch(view).await.unwrap(), Err(Refused::NotBuilt));
    views.rebuild(view, false).await.unwrap().unwrap();
    until(&views, view, |status| {
        status.next.as_ref().is_some_and(|next| next.is_ready)
    })
    .await;
    assert_eq!(shown(&views).await, "marked", "readers see the live rows");
    // Both follow.
    let position = office.receive(&world, 2).await;
    views.wait_for(&[view], position, PATIENCE).await.unwrap();
    assert!(views.live_call(call(2)).await.unwrap().is_some());
    let mut changes = views.subscribe();
    views.switch(view).await.unwrap().unwrap();
    assert_eq!(shown(&views).await, "nobody");
    // Whoever follows a board is told to read it again.
    let heard = changes.recv().await.unwrap();
    assert!(heard.rows.is_empty() && heard.position >= position);
    let status = until(&views, view, |status| status.next.is_none()).await;
    assert_eq!(status.position, position);
    assert_eq!(tables(read.as_ref()).await, 0);
    // And so again: what was built is live, and what is live is built from.
    mark(read.as_ref()).await;
    views.rebuild(view, true).await.unwrap().unwrap();
    let position = office.hang_up(2).await;
    views
        .wait_for(&View::ALL, position, PATIENCE)
        .await
        .unwrap();
    until_switched(&views).await;
    assert!(views.live_call(call(2)).await.unwrap().is_none());
    office.running.stop().await;
}

#[tokio::test]
async fn every_view_can_be_built_anew_and_is_the_same() {
    let mut office = Office::open().await;
    let world = world_of(&office).await;
    let views = office.running.views();
    office.receive(&world, 1).await;
    office.receive(&world, 2).await;
    let position = office.hang_up(1).await;
    views
        .wait_for(&View::ALL, position, PATIENCE)
        .await
        .unwrap();
    for view in View::ALL {
        let before = dump(office.stores.read.as_ref(), view).await;
        views.rebuild(view, false).await.unwrap().unwrap();
        until(&views, view, |status| {
            status.next.as_ref().is_some_and(|next| next.is_ready)
        })
        .await;
        views.switch(view).await.unwrap().unwrap();
        let after = dump(office.stores.read.as_ref(), view).await;
        assert_eq!(after, before, "{view:?}");
    }
    office.running.stop().await;
}

#[tokio::test]
async fn rows_of_another_version_are_shown_until_the_new_ones_are_built() {
    let (mut office, _) = with_a_call().await;
    let position = office.stores.log.head().await.unwrap();
    let read = office.stores.read.clone();
    let means = office.means();
    office.running.stop().await;
    mark(read.as_ref()).await;
    set_version(read.as_ref(), View::LiveCalls, 0).await;
    office.running = crate::start(means).await.unwrap();
    let views = office.running.views();
    // At once and without a gap, whatever is built meanwhile.
    assert!(views.wait_for(&View::ALL, position, PATIENCE).await.is_ok());
    let to = shown(&views).await;
    assert!(to == "marked" || to == "nobody", "{to}");
    until(&views, View::LiveCalls, |status| status.version > 0).await;
    assert_eq!(shown(&views).await, "nobody");
    office.running.stop().await;
}

#[tokio::test]
async fn a_build_that_was_cut_off_goes_on_where_it_was() {
    let (mut office, _) = with_a_call().await;
    let views = office.running.views();
    views
        .rebuild(View::LiveCalls, false)
        .await
        .unwrap()
        .unwrap();
    until(&views, View::LiveCalls, |status| status.next.is_some()).await;
    let means = office.means();
    office.running.stop().await;
    office.running = crate::start(means).await.unwrap();
    let views = office.running.views();
    until(&views, View::LiveCalls, |status| {
        status.next.as_ref().is_some_and(|next| next.is_ready)
    })
    .await;
    views.switch(View::LiveCalls).await.unwrap().unwrap();
    assert_eq!(shown(&views).await, "nobody");
    office.running.stop().await;
}

#[tokio::test]
async fn what_was_ordered_to_switch_does_so_after_a_restart() {
    let (mut office, _) = with_a_call().await;
    let views = office.running.views();
    let view = View::LiveCalls;
    let means = office.means();
    mark(means.read.as_ref()).await;
    // Built, and stopped before anybody has ordered the switch: as if it had been
    // stopped between the last event that was folded and the switch.
    views.rebuild(view, false).await.unwrap().unwrap();
    until(&views, view, |status| {
        status.next.as_ref().is_some_and(|next| next.is_ready)
    })
    .await;
    office.running.stop().await;
    let will = crate::standing::will_switch("live_calls@next");
    means.read.transact(vec![will]).await.unwrap();
    office.running = crate::start(means.clone()).await.unwrap();
    let views = office.running.views();
    until_switched(&views).await;
    // And stopped while it is built.
    mark(means.read.as_ref()).await;
    views.rebuild(view, true).await.unwrap().unwrap();
    let mut looks = 0;
    // Noted with the rows that are built; or it is over already.
    while !will_switch(means.read.as_ref()).await && shown(&views).await == "marked" {
        looks += 1;
        assert!(looks < 5_000, "it is never noted");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    office.running.stop().await;
    office.running = crate::start(means).await.unwrap();
    let views = office.running.views();
    until_switched(&views).await;
    office.running.stop().await;
}

#[tokio::test]
async fn a_view_that_can_not_apply_an_event_is_parked_and_the_others_go_on() {
    let (mut office, world) = with_a_call().await;
    let read = office.stores.read.clone();
    // Read again from the tables, where a row is damaged.
    let means = office.means();
    office.running.stop().await;
    let row = vec![Value::Text(call(1).to_string())];
    let damage = "UPDATE live_calls SET state = 'nonsense' WHERE call_id = $1";
    sql(read.as_ref(), damage, row.clone()).await;
    office.running = crate::start(means).await.unwrap();
    let views = office.running.views();
    assert_eq!(
        views.retry(View::LiveCalls).await.unwrap(),
        Err(Refused::NotParked)
    );
    let before = office.receive(&world, 2).await;
    let after = office.hang_up(1).await;
    let others = [
        View::Timeline,
        View::Cdr,
        View::QueueStats,
        View::AgentStates,
    ];
    views.wait_for(&others, after, PATIENCE).await.unwrap();
    let status = until(&views, View::LiveCalls, |status| status.parked.is_some()).await;
    let parked = status.parked.unwrap();
    assert_eq!((status.position, parked.position), (before, before.0 + 1));
    assert!(parked.reason.contains("stored row"), "{}", parked.reason);
    // A node that does not lead says so too, and so does whoever only reads.
    let roster = Roster::new("second", 2, seen(None));
    let second = start_on(office.means(), roster).await.unwrap();
    let seconds = second.views();
    let told = until(&seconds, View::LiveCalls, |status| status.parked.is_some()).await;
    assert_eq!(told.parked.as_ref(), Some(&parked));
    let log = office.stores.log.clone();
    let stored = crate::offline::open(log, read.clone()).await.unwrap();
    let stored = stored.watch().borrow()[View::LiveCalls.index()].clone();
    assert_eq!(stored.parked.as_ref(), Some(&parked));
    assert!(views.live_call(call(2)).await.unwrap().is_some());
    assert!(views.cdr(call(1)).await.unwrap().is_some());
    // The cause is gone.
    let repair = "UPDATE live_calls SET state = 'received' WHERE call_id = $1";
    sql(read.as_ref(), repair, row).await;
    views.retry(View::LiveCalls).await.unwrap().unwrap();
    views.wait_for(&View::ALL, after, PATIENCE).await.unwrap();
    assert!(views.live_call(call(1)).await.unwrap().is_none());
    until(&seconds, View::LiveCalls, |status| status.parked.is_none()).await;
    second.stop().await;
    office.running.stop().await;
}

/// A roster that says who leads.
/// An erasure takes rows away that are parked beside the live ones: they will not come to it.
#[tokio::test]
async fn rows_that_an_erasure_took_away_while_they_were_parked_hold_nobody_up_when_tried_again() {
    let (mut office, world) = with_a_call().await;
    let read = office.stores.read.clone();
    let view = View::LiveCalls;
    let is_ready = |status: &Status| status.next.as_ref().is_some_and(|next| next.is_ready);
    let views = office.running.views();
    views.rebuild(view, false).await.unwrap().unwrap();
    until(&views, view, is_ready).await;
    let means = office.means();
    office.running.stop().await;
    let row = vec![Value::Text(call(1).to_string())];
    let damage = "UPDATE live_calls__next SET state = 'nonsense' WHERE call_id = $1";
    sql(read.as_ref(), damage, row).await;
    office.running = crate::start(means).await.unwrap();
    let views = office.running.views();
    until(&views, view, is_ready).await;
    office.hang_up(1).await;
    let is_parked = |status: &Status| {
        let next = status.next.as_ref();
        next.is_some_and(|next| next.parked.is_some())
    };
    until(&views, view, is_parked).await;
    crate::build::abandon(read.as_ref(), view).await.unwrap();
    assert_eq!(views.retry(view).await.unwrap(), Err(Refused::NotParked));
    until(&views, view, |status| status.next.is_none()).await;
    let position = office.receive(&world, 2).await;
    views
        .wait_for(&View::ALL, position, PATIENCE)
        .await
        .unwrap();
    views.rebuild(view, false).await.unwrap().unwrap();
    until(&views, view, is_ready).await;
    office.running.stop().await;
}

fn seen(leading: Option<u64>) -> Seen {
    Seen {
        members: Arc::new([]),
        lease: Lease::Forever,
        leading,
    }
}

/// The node's subscriber hears of the call, and its views know it.
async fn hears(views: &Views, office: &mut Office, world: &World, number: u64) {
    let mut changes = views.subscribe();
    let position = office.receive(world, number).await;
    views
        .wait_for(&View::ALL, position, PATIENCE)
        .await
        .unwrap();
    let is_it =
        |change: &Change| matches!(change, Change::LiveCall(id, Some(_)) if *id == call(number));
    loop {
        let heard = tokio::time::timeout(PATIENCE, changes.recv()).await;
        let heard = heard.expect("in time").unwrap();
        // Without rows it is told to read the tables.
        if heard.position >= position && (heard.rows.is_empty() || heard.rows.iter().any(is_it)) {
            return;
        }
    }
}

#[tokio::test]
async fn a_node_that_stands_by_tells_its_subscribers_and_takes_over() {
    let mut office = Office::open().await;
    let world = world_of(&office).await;
    let roster = Roster::new("second", 2, seen(None));
    let second = start_on(office.means(), roster.clone()).await.unwrap();
    let views = second.views();
    hears(&views, &mut office, &world, 1).await;
    hears(&views, &mut office, &world, 2).await;
    assert_eq!(
        views.rebuild(View::Cdr, false).await.unwrap(),
        Err(Refused::Standby)
    );
    // It is told to lead while the other still does: whoever moves a checkpoint
    // first goes on, and the other stands by.
    let first = office.running.views();
    roster.publish(seen(Some(7)));
    hears(&views, &mut office, &world, 3).await;
    hears(&first, &mut office, &world, 4).await;
    std::mem::replace(&mut office.running, second).stop().await;
    hears(&views, &mut office, &world, 5).await;
    let mut looks = 0;
    while views.rebuild(View::Cdr, true).await.unwrap() == Err(Refused::Standby) {
        looks += 1;
        assert!(looks < 1_000, "nobody leads");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    office.running.stop().await;
}
