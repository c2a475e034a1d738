use super::{Board, EventFilter, Past, keeper::SPACING};
use crate::{
    agent_states,
    changed::View,
    live_calls,
    page::Page,
    queue_stats,
    runner::Runner,
    source::Source,
    testing::{Side, World, actions, agent, call, play},
    timeline,
    user_field::UserField,
    views::{ViewError, Views},
};
use commands::ports::{
    Erasure, EventLog, Position, ReadStore, Recorded, Statement, Value, Vault as _,
};
use domain::{call::Phase, cause::OfferOutcome, time::Timestamp};
use proptest::prelude::*;
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc, watch};

/// A record with everything in it that a board shows.
pub(super) async fn story() -> World {
    let mut world = World::open().await;
    world.pass(100).arrives(1).settle();
    world.pass(900).offers(1, 1).pass(500).rings(1);
    world.pass(3_000).fails(1, OfferOutcome::Rejected).settle();
    world.offers(1, 2).pass(700).rings(1);
    world.pass(2_300).answers(1).settle();
    world.arrives(2).settle();
    world.pass(500).holds(1, Side::Caller);
    world.pass(4_000).hangs_up(2, Side::Caller).settle();
    world.pass(1_000).hangs_up(1, Side::Agent).settle();
    world.pass(5_000).wrap_up_ends(2);
    world.arrives(3).settle();
    world
}

pub(super) struct Desk {
    read: Arc<dyn ReadStore>,
    pub(super) past: Past,
    views: Views,
    runner: Runner,
}

async fn desk(world: &World) -> Desk {
    desk_in(world, world.log().await).await
}

async fn desk_in(world: &World, log: Arc<dyn EventLog>) -> Desk {
    let read: Arc<dyn ReadStore> = Arc::new(store::memory::MemoryReadStore::open().unwrap());
    let past = Past::new(log.clone(), read.clone(), world.vault.clone());
    let (_, progress) = watch::channel(Arc::from([]));
    let (changes, _) = broadcast::channel(1);
    let views = Views::new(
        read.clone(),
        progress,
        changes,
        past.clone(),
        mpsc::channel(1).0,
    );
    let vault = world.vault.clone();
    let mut runner = Runner::load(Source::Log(log), read.clone(), vault, &View::ALL)
        .await
        .unwrap();
    runner.batch_max = 1;
    Desk {
        read,
        past,
        views,
        runner,
    }
}

const ALL: Page = Page::First(100, None);

/// The live tables and the board of the past show the same.
async fn check(desk: &Desk, position: u64, now: Timestamp) {
    let board = desk.past.board(Position(position)).await.unwrap();
    assert_eq!(board.position(), position);
    let anyone = agent_states::Filter::default();
    let any_call = live_calls::Filter::default();
    assert_eq!(
        desk.past.live_calls(&board, &any_call, &ALL).await.unwrap(),
        desk.views.live_calls(&any_call, &ALL).await.unwrap(),
    );
    assert_eq!(
        desk.past.agents(&board, &anyone, &ALL).await.unwrap(),
        desk.views.agents(&anyone, &ALL).await.unwrap(),
    );
    assert_eq!(
        board.queues(&ALL),
        desk.views.queues(&ALL, false).await.unwrap()
    );
    let then: Vec<queue_stats::Now> = board
        .queues(&ALL)
        .rows
        .iter()
        .filter_map(|(_, row)| board.queue_now(row.queue, now))
        .collect();
    assert_eq!(then, desk.views.queues_now(&[], now).await.unwrap());
}

#[tokio::test]
async fn the_board_after_each_event_is_what_the_live_rows_were() {
    let world = story().await;
    let mut desk = desk(&world).await;
    for fact in &world.facts {
        desk.runner.step(|| false).await.unwrap().unwrap();
        check(&desk, fact.position, fact.at).await;
    }
    // And so in any order, whatever is in memory.
    for fact in world.facts.iter().rev().step_by(3) {
        let board = desk.past.board(Position(fact.position)).await.unwrap();
        assert_eq!(board.position(), fact.position);
    }
}

#[tokio::test]
async fn pages_of_the_past_go_on_where_the_last_one_ended() {
    let world = story().await;
    let desk = desk(&world).await;
    let board = desk
        .past
        .board(desk.past.head().await.unwrap())
        .await
        .unwrap();
    let filter = agent_states::Filter::default();
    let all = desk.past.agents(&board, &filter, &ALL).await.unwrap().rows;
    assert_eq!(all.len(), 3);
    let page = Page::First(2, None);
    let first = desk.past.agents(&board, &filter, &page).await.unwrap();
    assert!(first.has_more && first.rows == all[..2]);
    let page = Page::First(2, Some(first.rows[1].0.clone()));
    let second = desk.past.agents(&board, &filter, &page).await.unwrap();
    assert!(!second.has_more && second.rows == all[2..]);
    let page = Page::Last(2, Some(all[2].0.clone()));
    let before = desk.past.agents(&board, &filter, &page).await.unwrap();
    assert!(!before.has_more && before.rows == all[..2]);
}

/// When the store took the event.
async fn recorded_at(desk: &Desk, position: u64) -> Option<Timestamp> {
    let event = desk.past.first_from(Position(position)).await.unwrap();
    event.map(|event| event.recorded_at)
}

#[tokio::test]
async fn an_instant_is_the_last_event_that_was_stored_by_then() {
    let world = story().await;
    let desk = desk(&world).await;
    let head = desk.past.head().await.unwrap();
    let mut last = Position(0);
    for position in 1..=head.0 {
        let at = recorded_at(&desk, position).await;
        let found = desk.past.position_at(at.unwrap()).await.unwrap();
        assert!(found.0 >= position && found >= last);
        last = found;
        let before = Timestamp::from_micros(at.unwrap().micros() - 1);
        assert!(desk.past.position_at(before).await.unwrap().0 < position);
    }
    let late = Timestamp::from_micros(i64::MAX);
    assert_eq!(desk.past.position_at(late).await.unwrap(), head);
    assert_eq!(recorded_at(&desk, head.0 + 1).await, None);
}

/// Keeps that text as the board at that position.
async fn keep(desk: &Desk, position: u64, rules: &str, board: String) {
    let statement = Statement {
        sql: "INSERT INTO board_snapshots (position, slot, rules, board) VALUES ($1, 1, $2, $3)",
        parameters: vec![
            Value::Int(position.try_into().unwrap()),
            Value::Text(rules.into()),
            Value::Text(board),
        ],
        must_touch: None,
    };
    desk.read.transact(vec![statement]).await.unwrap();
}

#[tokio::test]
async fn a_kept_board_is_where_the_folding_starts() {
    let world = story().await;
    let desk = desk(&world).await;
    let head = world.facts.len() as u64;
    let mut folded = Board::default();
    for fact in &world.facts[..20] {
        folded.apply(fact);
    }
    let kept = folded.write();
    let again = Board::read(20, &kept).unwrap();
    assert_eq!(format!("{again:?}"), format!("{folded:?}"));
    assert!(!kept.contains("+4930222"), "personal data stays sealed");
    // Marked, so that it is seen whether it was used.
    let marked = kept.replace("\"sales\"", "\"marked\"");
    keep(&desk, 20, &Board::rules(), marked).await;
    keep(&desk, 25, "of another program", "{}".into()).await;
    keep(&desk, 30, &Board::rules(), "damaged".into()).await;
    let names = async |position| {
        let board = desk.past.board(Position(position)).await.unwrap();
        let queues = board.queues(&ALL).rows;
        queues
            .into_iter()
            .map(|(_, row)| row.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(19).await, ["help", "sales"]);
    assert_eq!(names(28).await, ["help", "marked"]);
    // A damaged one is only a cache.
    assert_eq!(names(head).await, ["help", "marked"]);
    const { assert!(SPACING > 1_000) };
}

#[tokio::test]
async fn an_erased_caller_is_gone_from_the_past_too() {
    let mut world = World::open().await;
    world.pass(100).arrives(1).settle();
    world.is_tagged(1, (&["vip"], &[]), world.note(1));
    let position = Position(world.facts.last().unwrap().position);
    let mut desk = desk(&world).await;
    while desk.runner.step(|| false).await.unwrap().is_some() {}
    let board = desk.past.board(position).await.unwrap();
    let known = |row: live_calls::Row| {
        let tags = Vec::from_iter(row.tags);
        assert_eq!(tags, ["vip"]);
        let text = row.user_field.as_ref().and_then(UserField::text);
        let text = text.map(str::to_owned);
        (row.caller.party.map(|party| party.user), text)
    };
    let caller = async || {
        let row = desk.past.live_call(&board, call(1)).await.unwrap();
        known(row.unwrap())
    };
    let then = async || {
        let then = desk.past.call_at(&desk.views, call(1), position).await;
        match then.unwrap().unwrap().call {
            crate::calls::Call::Live(row) => known(*row),
            crate::calls::Call::Ended(_) => (None, None),
        }
    };
    let person = (
        Some("+4930222".to_owned()),
        Some("is +4930222 for sure".to_owned()),
    );
    assert_eq!(caller().await, person);
    assert_eq!(then().await, person);
    let erasure = Erasure {
        subject: world.callers[1].subject,
        keys_through: 1,
        position,
    };
    world.vault.shred(&erasure).await.unwrap();
    assert_eq!(caller().await, (None, None));
    assert_eq!(then().await, (None, None));
}

#[tokio::test]
async fn a_call_can_be_looked_at_after_each_of_its_events() {
    let world = story().await;
    let mut desk = desk(&world).await;
    let mut states = vec![];
    let mut last = None;
    for fact in &world.facts {
        desk.runner.step(|| false).await.unwrap().unwrap();
        let then = desk
            .past
            .call_at(&desk.views, call(1), Position(fact.position));
        let then = then.await.unwrap();
        let live = desk.views.call(call(1)).await.unwrap();
        assert_eq!(then.as_ref().map(|then| &then.call), live.as_ref());
        let Some(then) = then else { continue };
        assert!(then.position <= fact.position);
        let word = match &then.state.phase {
            Phase::Unborn => "unborn",
            Phase::Waiting => "waiting",
            Phase::Offering(_) => "offering",
            Phase::Connected(connection) if connection.holding.is_empty() => "connected",
            Phase::Connected(_) => "held",
            Phase::Forwarded(_) => "forwarded",
            Phase::Announcing => "announcing",
            Phase::InMailbox => "in a mailbox",
            Phase::Ended(_) => "ended",
        };
        if last != Some(word) {
            states.push(word);
            last = Some(word);
        }
    }
    assert_eq!(
        states,
        [
            "waiting",
            "offering",
            "waiting",
            "offering",
            "connected",
            "held",
            "ended"
        ]
    );
    // The same question later has the same answer.
    let arrived = desk.past.call_at(&desk.views, call(3), Position(20)).await;
    assert_eq!(arrived.unwrap(), None);
}

async fn found(desk: &Desk, filter: &EventFilter, limit: usize) -> Vec<u64> {
    let mut found = vec![];
    let mut after = 0;
    loop {
        let page = desk
            .past
            .events(&desk.views, filter, after, limit)
            .await
            .unwrap();
        assert!(page.events.len() <= limit);
        found.extend(page.events.iter().map(|event| event.position.0));
        if !page.has_more {
            return found;
        }
        assert!(page.scanned > after);
        after = page.scanned;
    }
}

/// A desk whose views know the whole record, and the record as it is stored.
async fn audited(world: &World) -> (Desk, Vec<Recorded>) {
    audited_in(world, world.log().await).await
}

pub(super) async fn audited_in(world: &World, log: Arc<dyn EventLog>) -> (Desk, Vec<Recorded>) {
    let mut desk = desk_in(world, log).await;
    while desk.runner.step(|| false).await.unwrap().is_some() {}
    let (_, progress) = watch::channel(desk.runner.progress());
    let (changes, _) = broadcast::channel(1);
    desk.views = Views::new(
        desk.read.clone(),
        progress,
        changes,
        desk.past.clone(),
        mpsc::channel(1).0,
    );
    let every = EventFilter::default();
    let stored = desk.past.events(&desk.views, &every, 0, 1_000).await;
    (desk, stored.unwrap().events)
}

/// Whatever the page size, the filter finds the events that were wanted.
pub(super) async fn finds(desk: &Desk, filter: &EventFilter, wanted: &[u64]) {
    for limit in [1, 3, 100] {
        assert_eq!(
            found(desk, filter, limit).await,
            wanted,
            "{filter:?} {limit}"
        );
    }
}

pub(super) fn positions(stored: &[Recorded], wanted: impl Fn(&Recorded) -> bool) -> Vec<u64> {
    let events = stored.iter().filter(|event| wanted(event));
    events.map(|event| event.position.0).collect()
}

#[tokio::test]
async fn the_record_is_read_by_stream_type_command_and_agent() {
    let world = story().await;
    let (desk, stored) = audited(&world).await;
    assert_eq!(stored.len(), world.facts.len());
    finds(
        &desk,
        &EventFilter::default(),
        &positions(&stored, |_| true),
    )
    .await;
    let filter = EventFilter {
        streams: [20, 3]
            .map(|at: usize| stored[at].stream.to_string())
            .into(),
        ..EventFilter::default()
    };
    let wanted = positions(&stored, |event| {
        filter.streams.iter().any(|of| of == event.stream.as_str())
    });
    assert!(wanted.len() > 3);
    finds(&desk, &filter, &wanted).await;
    let filter = EventFilter {
        types: vec!["offer_started".into(), "call_ended".into()],
        ..EventFilter::default()
    };
    let wanted = positions(&stored, |event| {
        filter.types.iter().any(|of| **of == *event.event_type)
    });
    assert!(wanted.len() > 3);
    finds(&desk, &filter, &wanted).await;
    let command = stored[12].command_id;
    let filter = EventFilter {
        command: Some(command),
        ..EventFilter::default()
    };
    let wanted = positions(&stored, |event| event.command_id == command);
    finds(&desk, &filter, &wanted).await;
    let filter = EventFilter {
        agent: Some(agent(2)),
        ..EventFilter::default()
    };
    let timeline = timeline::Filter {
        agent: Some(agent(2)),
        ..timeline::Filter::default()
    };
    let rows = desk.views.events(&timeline, 0, 1_000).await.unwrap();
    let wanted: Vec<_> = rows.iter().map(|row| row.position).collect();
    assert!(wanted.len() > 3);
    finds(&desk, &filter, &wanted).await;
}

#[tokio::test]
async fn the_record_is_read_by_actor_and_time() {
    let world = story().await;
    let (desk, stored) = audited(&world).await;
    for (actor, is_known) in [("test", true), ("nobody", false)] {
        let filter = EventFilter {
            actor: Some(actor.into()),
            ..EventFilter::default()
        };
        finds(&desk, &filter, &positions(&stored, |_| is_known)).await;
    }
    let (from, until) = (stored[9].recorded_at, stored[19].recorded_at);
    let filter = EventFilter {
        from: Some(from),
        until: Some(until),
        ..EventFilter::default()
    };
    let wanted = positions(&stored, |event| {
        event.recorded_at >= from && event.recorded_at < until
    });
    assert!(!wanted.is_empty());
    finds(&desk, &filter, &wanted).await;
}

#[tokio::test]
async fn a_board_beyond_what_can_be_read_is_an_error_and_never_a_guess() {
    let world = story().await;
    let desk = desk(&world).await;
    // There is nothing after the head: the board of the head is that of later.
    let later = desk.past.board(Position(1_000)).await.unwrap();
    let head = desk
        .past
        .board(desk.past.head().await.unwrap())
        .await
        .unwrap();
    assert_eq!(later.queues(&ALL), head.queues(&ALL));
    let unreadable = ViewError::from(commands::ports::ReadError::Corrupt {
        position: Position(7),
        reason: "torn".into(),
    });
    assert_eq!(unreadable.to_string(), "row at position 7 is corrupt: torn");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_board_folded_from_any_kept_one_is_the_same(actions in actions(), cut in 0usize..200) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
            let world = play(&actions).await;
            let cut = cut.min(world.facts.len());
            let mut whole = Board::default();
            let mut half = Board::default();
            for fact in &world.facts[..cut] {
                half.apply(fact);
            }
            let position = half.position();
            let mut half = Board::read(position, &half.write()).unwrap();
            for fact in &world.facts {
                whole.apply(fact);
                // What it knows already changes nothing.
                half.apply(fact);
            }
            assert_eq!(format!("{half:?}"), format!("{whole:?}"));
        });
    }
}
