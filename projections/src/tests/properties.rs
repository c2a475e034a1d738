//! What holds for every history that the deciders allow.

use super::{block_on, empty, run_to_end, runner};
use crate::{
    agent_log::AgentLog,
    agent_states::{Activity, AgentStates, Routability},
    cdr::{Cdr, Role, SegmentKind},
    live_calls::LiveCalls,
    mailboxes::Mailboxes,
    projection::{Input, Projection, fold},
    queue_stats::{Counters, QueueStats},
    staff::Staff,
    testing::{Action, Fault, Faulty, World, actions, dump_all, fold_all, play},
    timeline::Timeline,
    trunks::Trunks,
    visits::Visits,
    voicemails::{Status, Voicemails},
};
use domain::{
    any::{AnyEvent, Fact},
    call::SupervisionEnd,
    decider::Decider,
    device::Device,
    session,
};
use proptest::{prelude::*, strategy::ValueTree as _};
use std::{collections::BTreeMap, sync::Arc};

fn conserved(counters: &Counters, waiting: u64) -> bool {
    counters.offered_count
        == counters.answered_count
            + counters.abandoned_count
            + counters.flow_out_count
            + counters.callback_count
            + waiting
}

/// Folds the facts from that place on once more into the rows.
fn again<P: Projection>(world: &World, from: usize) -> BTreeMap<P::Key, P::Row> {
    let mut rows = fold_all::<P>(world);
    for fact in &world.facts[from..] {
        let Some(key) = P::key(fact) else { continue };
        let mut row = rows.remove(&key);
        let party = world.party(fact);
        fold::<P>(&mut row, &Input { fact, party });
        rows.extend(row.map(|row| (key, row)));
    }
    rows
}

fn folds_twice_like_once<P: Projection>(world: &World, from: usize) {
    assert_eq!(again::<P>(world, from), fold_all::<P>(world), "{}", P::NAME);
}

/// Folds with the checkpoint's transactions cut at random places, the process
/// ended between some of them, and the store failing in both ways.
async fn in_pieces(world: &World, cuts: &[(u8, u8)]) -> String {
    let faulty = Arc::new(Faulty::new(empty()));
    let read: Arc<dyn commands::ports::ReadStore> = faulty.clone();
    let mut following = runner(world, &read).await;
    for (size, event) in cuts {
        following.batch_max = usize::from(*size) % 37 + 1;
        match event % 8 {
            0 => {
                let size = following.batch_max;
                following = runner(world, &read).await;
                following.batch_max = size;
            }
            1 => faulty.plan([Fault::Lost]),
            2 => faulty.plan([Fault::AnswerLost]),
            _ => {}
        }
        let before = following.position();
        // When the store was away, the next step goes on.
        if let Ok(Some(changes)) = following.step(|| true).await {
            assert!(changes.position > before);
        }
    }
    faulty.plan([]);
    while !matches!(following.step(|| true).await, Ok(None)) {}
    dump_all(read.as_ref()).await
}

async fn in_one_pass(world: &World) -> String {
    let read = empty();
    let mut following = runner(world, &read).await;
    run_to_end(&mut following).await;
    dump_all(read.as_ref()).await
}

fn activity(activity: session::Activity) -> Activity {
    match activity {
        session::Activity::Idle => Activity::Idle,
        session::Activity::Reserved { .. } => Activity::Reserved,
        session::Activity::OnContact { .. } => Activity::OnContact,
        session::Activity::WrapUp { .. } => Activity::WrapUp,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_visit_is_counted_once_at_every_instant(history in actions()) {
        let world = block_on(play(&history));
        let mut rows = BTreeMap::new();
        let mut lines = BTreeMap::<_, domain::line::Line>::new();
        for fact in &world.facts {
            let Some(key) = QueueStats::key(fact) else { continue };
            let mut row = rows.remove(&key);
            fold::<QueueStats>(&mut row, &Input { fact, party: None });
            let row = row.unwrap();
            if let AnyEvent::Line(queue, event) = &fact.event {
                let line = lines.remove(queue).unwrap_or_default();
                lines.insert(*queue, domain::line::Line::evolve(line, fact.at, event));
            }
            prop_assert!(conserved(&row.total, row.waiting_count), "{row:?}");
            if let Some(line) = lines.get(&key) {
                let matched = line.visits.values().filter(|visit| !visit.matched.is_empty());
                prop_assert_eq!(row.matched_count, matched.count() as u64);
                prop_assert_eq!(row.waiting_count, line.visits.len() as u64);
            }
            rows.insert(key, row);
        }
    }

    #[test]
    fn folding_twice_is_folding_once(history in actions(), from in any::<prop::sample::Index>()) {
        let world = block_on(play(&history));
        let from = from.index(world.facts.len());
        folds_twice_like_once::<Timeline>(&world, from);
        folds_twice_like_once::<LiveCalls>(&world, from);
        folds_twice_like_once::<AgentStates>(&world, from);
        folds_twice_like_once::<QueueStats>(&world, from);
        folds_twice_like_once::<Cdr>(&world, from);
        folds_twice_like_once::<Trunks>(&world, from);
        folds_twice_like_once::<Visits>(&world, from);
        folds_twice_like_once::<AgentLog>(&world, from);
        folds_twice_like_once::<Staff>(&world, from);
        folds_twice_like_once::<Mailboxes>(&world, from);
        folds_twice_like_once::<Voicemails>(&world, from);
    }

    #[test]
    fn agents_stand_in_their_rows_as_in_their_sessions(history in actions()) {
        let world = block_on(play(&history));
        for (agent, row) in fold_all::<AgentStates>(&world) {
            let session = &world.sessions[&row.session().unwrap()].0;
            let shown = match row.activity {
                Activity::Ringing => Activity::Reserved,
                shown @ (Activity::Idle
                | Activity::Reserved
                | Activity::OnContact
                | Activity::WrapUp) => shown,
            };
            prop_assert_eq!(shown, activity(session.activity()), "{}", agent);
            prop_assert_eq!(row.call, session.activity().call());
            prop_assert_eq!(row.calls_count(), session.calls_count());
            prop_assert_eq!(row.engagements.len(), session.engagements.len());
            let routability = match session.routability {
                session::Routability::LoggedOut => (Routability::LoggedOut, None),
                session::Routability::Ready => (Routability::Ready, None),
                session::Routability::NotReady(reason) => (Routability::NotReady, Some(reason)),
            };
            prop_assert_eq!((row.routability, row.reason), routability);
            prop_assert_eq!(&row.code, &session.code);
            prop_assert_eq!(&row.next_code, &session.next_code);
            prop_assert_eq!(row.next, session.next);
            if row.routability != Routability::LoggedOut {
                prop_assert_eq!(row.missed_count, session.missed_count);
            }
            prop_assert_eq!(row.devices_count as usize, devices(&world.facts, agent));
        }
    }

    #[test]
    fn a_record_as_of_a_position_is_what_was_known_there(history in actions(), cut in any::<prop::sample::Index>()) {
        let mut world = block_on(play(&history));
        if world.facts.is_empty() {
            return Ok(());
        }
        let position = cut.index(world.facts.len()) as u64 + 1;
        let now = fold_all::<Cdr>(&world);
        world.facts.truncate(position as usize);
        let then = fold_all::<Cdr>(&world);
        for (call, record) in now {
            let known = then.get(&call).and_then(|row| row.as_of(position));
            prop_assert_eq!(record.as_of(position), known);
        }
    }

    #[test]
    fn segments_of_a_leg_follow_each_other_within_its_life(history in actions()) {
        let world = block_on(play(&history));
        for record in fold_all::<Cdr>(&world).values() {
            let end = Some(SupervisionEnd::TakenOver);
            let taken = record.legs.iter().any(|leg| leg.supervision_end == end);
            for leg in &record.legs {
                let is_over = record.end.is_some() || leg.outcome.is_some();
                // Those of supervisors end as they do; and the agent's when one takes the call.
                let is_let_go = leg.role == Role::Agent && taken && leg.answered_at.is_some();
                let is_own = leg.role != Role::Supervisor || leg.supervision_end.is_none();
                prop_assert!(!is_own || leg.ended_at.is_some() == (is_over || is_let_go), "{leg:?}");
                let mut free = leg.started_at;
                for segment in &leg.segments {
                    prop_assert!(segment.started_at >= free, "{leg:?}");
                    free = segment.ended_at.unwrap_or(segment.started_at);
                    prop_assert!(free >= segment.started_at);
                    let is_after = segment.kind == SegmentKind::WrapUp;
                    prop_assert!(is_after || leg.ended_at.is_none_or(|end| free <= end), "{leg:?}");
                }
            }
            let Some(first) = record.legs.first().filter(|_| record.end.is_some()) else { continue };
            // Each instant is cut to a millisecond once: a hold is several.
            let parts = first.segments.len() as u64;
            prop_assert!(first.spent_ms(SegmentKind::Talk).abs_diff(record.talk_ms()) <= parts);
            let held_ms = first.spent_ms(SegmentKind::Hold);
            prop_assert!(held_ms + parts >= record.hold_ms);
            // Those of whoever took the call over are not the agent's.
            prop_assert!(taken || held_ms <= record.hold_ms + parts);
            prop_assert_eq!(first.spent_ms(SegmentKind::Queue), record.wait_ms());
            prop_assert_eq!(first.billable_ms(), record.billable_ms());
            let rung: u64 = record.legs.iter().map(|leg| leg.spent_ms(SegmentKind::Alert)).sum();
            prop_assert_eq!(rung, record.ring_ms);
        }
    }

    #[test]
    fn a_mailbox_counts_the_messages_that_are_in_it(history in actions()) {
        let world = block_on(play(&history));
        let messages = fold_all::<Voicemails>(&world);
        let records = fold_all::<Cdr>(&world);
        for (mailbox, row) in fold_all::<Mailboxes>(&world) {
            let count = |status| {
                let messages = messages.values();
                let those = messages.filter(|it| it.mailbox == mailbox && it.status == status);
                those.count() as u64
            };
            prop_assert_eq!(row.new_count, count(Status::New));
            prop_assert_eq!(row.read_count, count(Status::Read));
            prop_assert_eq!(row.saved_count, count(Status::Saved));
        }
        for message in messages.values() {
            let said = records.get(&message.call).and_then(|record| record.voicemail);
            prop_assert_eq!(said.and_then(|said| said.message), Some(message.message));
        }
    }

    #[test]
    fn every_call_is_in_progress_or_has_one_record(history in actions()) {
        let world = block_on(play(&history));
        let live = fold_all::<LiveCalls>(&world);
        let records = fold_all::<Cdr>(&world);
        prop_assert_eq!(records.len(), world.calls.values().filter(|(_, version)| *version > 0).count());
        for (call, record) in records {
            prop_assert_eq!(record.end.is_none(), world.is_live(call));
            prop_assert_eq!(record.end.is_none(), live.contains_key(&call));
            prop_assert_eq!(record.superseded.len() as u32, record.revision.saturating_sub(1));
            if record.end.is_some() {
                // Parts of a call are never longer than the call.
                prop_assert!(record.talk_ms() + record.hold_ms + record.wait_ms() <= record.duration_ms() + 2);
                prop_assert!(record.ring_ms <= record.wait_ms() + u64::from(record.offers_count));
                prop_assert!(record.billable_ms() <= record.duration_ms());
            }
        }
    }
}

fn devices(facts: &[Fact], agent: domain::id::AgentId) -> usize {
    let state = facts
        .iter()
        .fold(Device::default(), |state, fact| match &fact.event {
            AnyEvent::Device(of, event) if *of == agent => Device::evolve(state, fact.at, event),
            AnyEvent::Device(..)
            | AnyEvent::Call(..)
            | AnyEvent::Session(..)
            | AnyEvent::Line(..)
            | AnyEvent::Queue(..)
            | AnyEvent::Person(..)
            | AnyEvent::Refusals(..)
            | AnyEvent::Schedule(..)
            | AnyEvent::Agent(..)
            | AnyEvent::Trunk(..)
            | AnyEvent::Callback(..)
            | AnyEvent::Mailbox(..)
            | AnyEvent::Billing(..) => state,
        });
    state.bindings.len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn batches_restarts_and_failing_stores_do_not_change_a_row(
        history in actions(),
        cuts in prop::collection::vec((any::<u8>(), any::<u8>()), 0..40),
    ) {
        block_on(async {
            let world = play(&history).await;
            assert_eq!(in_pieces(&world, &cuts).await, in_one_pass(&world).await);
        });
    }
}

#[test]
fn random_histories_reach_every_kind_of_end() {
    // A generator that refuses itself would prove nothing.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut dispositions = std::collections::BTreeSet::new();
    let mut held = 0;
    let mut taken = 0;
    let mut transferred = 0;
    for _ in 0..2_000 {
        let history: Vec<Action> = actions().new_tree(&mut runner).unwrap().current();
        let world = block_on(play(&history));
        for record in fold_all::<Cdr>(&world).into_values() {
            let end = Some(SupervisionEnd::TakenOver);
            let is_taken = record.legs.iter().any(|leg| leg.supervision_end == end);
            taken += u32::from(is_taken && record.end.is_some());
            transferred += record.end.is_some() as u32 * record.transfers_count();
            held += u32::from(record.hold_ms > 0 && record.wrap_up_ms > 0);
            dispositions.extend(record.end.map(|end| end.disposition));
        }
    }
    use domain::cause::Disposition as D;
    for disposition in [
        D::Answered,
        D::Abandoned,
        D::NoAnswer,
        D::Busy,
        D::Failed,
        D::SystemError,
        D::Voicemail,
    ] {
        assert!(dispositions.contains(&disposition), "{disposition:?}");
    }
    assert!(
        held > 0 && taken > 3 && transferred > 3,
        "{held} held, {taken} taken over, {transferred} transferred"
    );
}
