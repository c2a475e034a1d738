//! A person is forgotten: while calls are in progress, over a crash, in a replay.

use super::{
    block_on, empty,
    live::{Office, PATIENCE, world_of},
    run_to_end, runner,
};
use crate::{
    caller::Caller,
    changed::{Change, View},
    checkpoint,
    eraser::{self, Eraser, NotYet, Tools},
    followed::Followed,
    rebuild, registry,
    runner::Runner,
    slot::Generation,
    source::Source,
    testing::{Side, World, call, dump, dump_all},
};
use commands::ports::{Position, ReadStore, Value, Vault as _};
use domain::{
    any::AnyCommand,
    id::SubjectId,
    person::{Command, Reason},
    sealed::{Party, Sealed},
};
use std::sync::Arc;
use tokio::sync::oneshot;

const NUMBER: &str = "+4930222";

const fn erase(subject: SubjectId, keys_through: u32) -> AnyCommand {
    AnyCommand::Person(
        subject,
        Command::Erase {
            keys_through,
            reason: Reason::ConsentWithdrawn,
        },
    )
}

/// Two calls of one caller, one of them still in progress, and two of another.
async fn story() -> World {
    let mut world = World::open().await;
    world.pass(100).arrives(1).settle();
    world.pass(900).offers(1, 1).pass(500).rings(1);
    world.pass(2_000).answers(1).settle();
    world.pass(7_000).hangs_up(1, Side::Agent).settle();
    world.pass(5_000).wrap_up_ends(1);
    world.arrives(2).settle();
    world.pass(4_000).hangs_up(2, Side::Caller).settle();
    world.arrives(3).settle();
    world
}

/// What must stay: counts and durations of every record.
async fn figures(read: &dyn ReadStore) -> Vec<Vec<Value>> {
    let sql = "SELECT call_id, started_at, duration_ms, billable_ms, wait_ms, talk_ms, ring_ms, \
               offers_count, disposition, subject FROM cdr ORDER BY call_id";
    read.query(sql, vec![]).await.unwrap()
}

async fn rebuilds_equal(world: &World, read: &Arc<dyn ReadStore>) {
    for view in View::ALL {
        let followed = dump(read.as_ref(), view).await;
        let vault = world.vault.clone();
        rebuild(world.log().await, read.clone(), vault, view)
            .await
            .unwrap();
        assert_eq!(dump(read.as_ref(), view).await, followed, "{view:?}");
    }
}

#[test]
fn a_caller_is_forgotten_and_the_figures_stay() {
    block_on(async {
        let mut world = story().await;
        let read = empty();
        run_to_end(&mut runner(&world, &read).await).await;
        let before = figures(read.as_ref()).await;
        assert!(dump_all(read.as_ref()).await.contains(NUMBER));
        // Calls 1 and 3, of which the second is in progress.
        world.tell(erase(world.callers[1].subject, 1));
        world.pass(1_000).hangs_up(3, Side::Caller).settle();
        let mut after = runner(&world, &read).await;
        run_to_end(&mut after).await;
        let text = dump_all(read.as_ref()).await;
        assert!(!text.contains(NUMBER), "{text}");
        assert!(text.contains("+4930111"), "others stay: {text}");
        let figures = figures(read.as_ref()).await;
        assert_eq!(figures[..2], before[..]);
        assert_eq!(figures.len(), 3, "the call in progress has its record");
        rebuilds_equal(&world, &read).await;
    });
}

#[test]
fn whoever_sent_a_call_on_is_forgotten_and_the_caller_is_not() {
    block_on(async {
        let mut world = World::open().await;
        world.arrives(6).settle();
        world.pass(1_000).hangs_up(6, Side::Caller).settle();
        world.arrives(12).settle();
        let read = empty();
        run_to_end(&mut runner(&world, &read).await).await;
        assert!(dump_all(read.as_ref()).await.contains(NUMBER));
        // Call 12 is in progress.
        world.tell(erase(world.callers[1].subject, 1));
        world.pass(1_000).hangs_up(12, Side::Caller).settle();
        run_to_end(&mut runner(&world, &read).await).await;
        let text = dump_all(read.as_ref()).await;
        assert!(!text.contains(NUMBER), "{text}");
        assert!(text.contains("+4930111"), "the caller stays: {text}");
        rebuilds_equal(&world, &read).await;
    });
}

#[test]
fn what_is_written_about_calls_is_forgotten_and_their_tags_are_not() {
    block_on(async {
        let mut world = story().await;
        // Call 1 is over, call 3 in progress; call 2 is of somebody else.
        for number in [1, 2, 3] {
            let note = world.note(number);
            world.is_tagged(number, (&["complaint"], &[]), note);
        }
        world.is_tagged(1, (&["vip"], &[]), world.note(1));
        let read = empty();
        run_to_end(&mut runner(&world, &read).await).await;
        let text = dump_all(read.as_ref()).await;
        assert_eq!(text.matches("is +4930222 for sure").count(), 4, "{text}");
        world.tell(erase(world.callers[1].subject, 1));
        world.pass(1_000).hangs_up(3, Side::Caller).settle();
        run_to_end(&mut runner(&world, &read).await).await;
        let text = dump_all(read.as_ref()).await;
        assert!(!text.contains(NUMBER), "{text}");
        assert!(text.contains("is +4930111 for sure"), "others stay: {text}");
        assert!(text.contains(",complaint,vip,"), "{text}");
        rebuilds_equal(&world, &read).await;
    });
}

#[test]
fn an_agents_name_is_forgotten_and_the_agent_stays() {
    block_on(async {
        let mut world = story().await;
        let read = empty();
        run_to_end(&mut runner(&world, &read).await).await;
        assert!(dump_all(read.as_ref()).await.contains("Anna Berg"));
        let subject = world.vault.subject_of("anna");
        world.tell(erase(subject, 1));
        run_to_end(&mut runner(&world, &read).await).await;
        let text = dump(read.as_ref(), View::AgentStates).await;
        assert!(
            !text.contains("Anna Berg") && text.contains("anna"),
            "{text}"
        );
        rebuilds_equal(&world, &read).await;
    });
}

#[test]
fn who_calls_again_after_being_forgotten_is_known_by_that_call_only() {
    block_on(async {
        let mut world = story().await;
        let read = empty();
        let mut following = runner(&world, &read).await;
        run_to_end(&mut following).await;
        let subject = world.callers[1].subject;
        world.tell(erase(subject, 1));
        run_to_end(&mut runner(&world, &read).await).await;
        let party = Party {
            user: NUMBER.into(),
            host: None,
            display_name: None,
            contact: None,
            user_field: None,
        };
        let again: Sealed<Party> = world.vault.seal(&party).await.unwrap();
        assert_eq!(again.subject, subject);
        world.knows(&again, party);
        world.callers[1] = again;
        world.arrives(5).settle();
        let mut after = runner(&world, &read).await;
        run_to_end(&mut after).await;
        let live = dump(read.as_ref(), View::LiveCalls).await;
        assert_eq!(live.matches(NUMBER).count(), 1, "{live}");
        // Everything in one batch, as a new node would read it.
        rebuilds_equal(&world, &read).await;
        world.tell(erase(subject, 2));
        run_to_end(&mut runner(&world, &read).await).await;
        assert!(!dump_all(read.as_ref()).await.contains(NUMBER));
        rebuilds_equal(&world, &read).await;
    });
}

fn tools(office: &Office) -> Tools {
    Tools {
        feed: office.feed.clone(),
        vault: office.stores.vault.clone(),
        read: office.stores.read.clone(),
        views: office.running.views(),
    }
}

async fn until_clean(office: &Office, position: Position) {
    let views = office.running.views();
    tokio::time::timeout(PATIENCE, async {
        while views.clean_through().await.unwrap() < position {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn an_erasure_is_complete_when_keys_rows_and_files_are_clean() {
    let mut office = Office::open().await;
    let world = world_of(&office).await;
    let views = office.running.views();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(eraser::run(tools(&office), async {
        let _ = stopped.await;
    }));
    let position = office.receive(&world, 1).await;
    views
        .wait_for(&View::ALL, position, PATIENCE)
        .await
        .unwrap();
    let mut changes = views.subscribe();
    let sealed = world.callers[0].clone();
    let position = office.order(erase(sealed.subject, 1)).await;
    until_clean(&office, position).await;
    assert_eq!(office.stores.vault.open(&sealed).await.unwrap(), None);
    // A board that follows hears it too.
    let live = views.live_call(call(1)).await.unwrap().unwrap();
    let forgotten = Caller {
        subject: sealed.subject,
        party: None,
    };
    assert_eq!(live.caller, forgotten);
    let heard = changes.recv().await.unwrap();
    assert_eq!(heard.position, position);
    let change = Change::LiveCall(call(1), Some(Arc::new(live)));
    assert!(heard.rows.contains(&change), "{heard:?}");
    office.hang_up(1).await;
    drop(stop);
    running.await.unwrap();
    office.running.stop().await;
}

#[test]
fn rows_that_are_built_when_a_person_is_forgotten_let_go_too() {
    block_on(async {
        let mut world = story().await;
        let read = empty();
        let part = registry::slot(View::Cdr, Generation::Next);
        for (table, twin) in part.twins() {
            read.twin(table, twin).await.unwrap();
        }
        let (name, version) = (part.checkpoint(), part.version());
        let start = checkpoint::set(name, version, Position::default());
        read.transact(vec![start]).await.unwrap();
        let slots = vec![Followed::new(View::Cdr, part, Position::default(), version)];
        let source = Source::Log(world.log().await);
        let mut build = Runner::over(source, read.clone(), world.vault.clone(), slots);
        while build.step(|| false).await.unwrap().is_some() {}
        let built = "SELECT from_user FROM cdr__next ORDER BY call_id";
        let number = vec![Value::Text(NUMBER.into())];
        assert!(read.query(built, vec![]).await.unwrap().contains(&number));
        // The build goes on when the person has been forgotten meanwhile.
        world.tell(erase(world.callers[1].subject, 1));
        build.source = Source::Log(world.log().await);
        while build.step(|| false).await.unwrap().is_some() {}
        let after = read.query(built, vec![]).await.unwrap();
        assert!(after.len() > 1 && !after.contains(&number), "{after:?}");
    });
}

#[tokio::test]
async fn an_erasure_is_not_complete_while_rows_that_are_built_have_not_come_to_it() {
    let mut office = Office::open().await;
    let world = world_of(&office).await;
    let views = office.running.views();
    let sealed = world.callers[0].clone();
    office.receive(&world, 1).await;
    let position = office.order(erase(sealed.subject, 1)).await;
    views
        .wait_for(&View::ALL, position, PATIENCE)
        .await
        .unwrap();
    // On whatever node: rows are built that have not come so far.
    let read = office.stores.read.clone();
    let build = registry::slot(View::Cdr, Generation::Next).checkpoint();
    let (behind, level) = (Position(position.0 - 1), position);
    read.transact(vec![checkpoint::set(build, 1, behind)])
        .await
        .unwrap();
    let mut eraser = Eraser::resume(tools(&office)).await.unwrap();
    let not_yet = eraser.step().await;
    assert!(matches!(not_yet, Err(NotYet::Behind)), "{not_yet:?}");
    assert_eq!(views.clean_through().await.unwrap(), Position(0));
    // The keys have not waited for that.
    let vault = &office.stores.vault;
    assert_eq!(vault.open(&sealed).await.unwrap(), None);
    let reached = checkpoint::advance(&[build], behind, level);
    read.transact(vec![reached]).await.unwrap();
    eraser.step().await.unwrap();
    assert_eq!(views.clean_through().await.unwrap(), position);
    office.running.stop().await;
}

#[tokio::test]
async fn an_erasure_that_a_crash_cut_short_is_carried_out_at_the_next_start() {
    let mut office = Office::open().await;
    let world = world_of(&office).await;
    let views = office.running.views();
    let sealed = world.callers[0].clone();
    office.receive(&world, 1).await;
    // No eraser runs: the node died right after the commit.
    let position = office.order(erase(sealed.subject, 1)).await;
    views
        .wait_for(&View::ALL, position, PATIENCE)
        .await
        .unwrap();
    assert_eq!(views.clean_through().await.unwrap(), Position(0));
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(eraser::run(tools(&office), async {
        let _ = stopped.await;
    }));
    until_clean(&office, position).await;
    drop(stop);
    running.await.unwrap();
    office.running.stop().await;
}
