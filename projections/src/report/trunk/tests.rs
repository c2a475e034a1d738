use super::*;
use crate::{
    cdr::{Cdr, Dimension, Filter, Grouping},
    offline,
    report::{Granularity, spans, tests::folded},
    testing::{START, Side, World, call, fold_all},
};
use chrono_tz::Tz;
use domain::{
    any::AnyEvent,
    call::{self as calls, Command, Route},
    cause::{EndReason, OfferOutcome, WireCause},
    id::{CallbackId, LegId, OfferId},
};
use proptest::prelude::*;
use std::collections::BTreeMap;

const CARRIERS: [TrunkId; 3] = [trunk(1), trunk(2), trunk(3)];

const fn trunk(number: u128) -> TrunkId {
    TrunkId(uuid::Uuid::from_u128(900 + number))
}

fn outside(number: u64) -> LegId {
    LegId(uuid::Uuid::from_u128(70_000 + u128::from(number)))
}

fn said(status: u16, cause: Option<u8>) -> WireCause {
    WireCause {
        sip_status: (status > 0).then_some(status),
        reason_header: cause.map(|cause| format!("Q.850;cause={cause}")),
        warning: None,
    }
}

/// A call from the third trunk that goes out again.
fn comes(world: &mut World, number: u64) {
    let leg = outside(number);
    let route = Route::Forward {
        number: "+491701234567".into(),
        leg,
    };
    world.comes_by(number, Some(CARRIERS[2]), route);
}

fn tries(world: &mut World, number: u64, trunk: TrunkId, after: Option<WireCause>) {
    let selected = Command::RecordTrunk {
        leg: outside(number),
        trunk,
        party: world.callers[0].clone(),
        after_at: after.as_ref().map(|_| world.now),
        after,
    };
    world.on(number, selected);
}

fn rings(world: &mut World, number: u64) {
    let leg = outside(number);
    let early_media = false;
    world.on(number, Command::RecordProgress { leg, early_media });
}

fn answers(world: &mut World, number: u64) {
    let answer = Command::RecordAnswer {
        leg: outside(number),
        codec: None,
        device: None,
    };
    world.on(number, answer);
}

/// The last trunk refuses: it means what the adapter would say.
fn refuses(world: &mut World, number: u64, wire: WireCause) {
    let failure = Command::RecordFailure {
        leg: outside(number),
        outcome: OfferOutcome::of_outside(&wire),
        wire,
    };
    world.on(number, failure);
}

fn seizures(world: &World) -> Vec<Seizure> {
    fold_all::<Cdr>(world)[&call(1)].seizures()
}

/// What becomes of a seizure that ends in this way, and its delay.
async fn check(
    end: impl FnOnce(&mut World),
    outcome: SeizureOutcome,
    delay_ms: impl Into<Option<u64>>,
) {
    let mut world = World::open().await;
    comes(&mut world, 1);
    tries(&mut world, 1, CARRIERS[0], None);
    world.pass(700);
    end(&mut world);
    let found = seizures(&world);
    let [came_in, went_out] = found.as_slice() else {
        panic!("{found:#?}");
    };
    assert_eq!(came_in.trunk, CARRIERS[2]);
    let told = (went_out.outcome, went_out.post_dial_delay_ms);
    assert_eq!(told, (outcome, delay_ms.into()));
}

#[tokio::test]
async fn a_refusal_counts_by_its_cause_or_else_by_its_status() {
    for (status, cause, outcome) in [
        (486, None, SeizureOutcome::Busy),
        (600, None, SeizureOutcome::Busy),
        (500, Some(17), SeizureOutcome::Busy),
        (480, None, SeizureOutcome::NoAnswer),
        (480, Some(19), SeizureOutcome::NoAnswer),
        (603, None, SeizureOutcome::Rejected),
        (403, Some(21), SeizureOutcome::Rejected),
        // The carrier does not take us: nobody was asked.
        (403, None, SeizureOutcome::Failed),
        (407, None, SeizureOutcome::Failed),
        (404, None, SeizureOutcome::Failed),
        (480, Some(1), SeizureOutcome::Failed),
        (503, None, SeizureOutcome::Congestion),
        (480, Some(34), SeizureOutcome::Congestion),
    ] {
        let wire = said(status, cause);
        check(|world| refuses(world, 1, wire.clone()), outcome, 700).await;
        // The same, and the next trunk takes the call.
        let mut world = World::open().await;
        comes(&mut world, 1);
        tries(&mut world, 1, CARRIERS[0], None);
        world.pass(700);
        tries(&mut world, 1, CARRIERS[1], Some(wire));
        answers(&mut world, 1);
        world.pass(60_000).hangs_up(1, Side::Caller);
        let found = seizures(&world);
        let told: Vec<_> = found.iter().map(|seizure| seizure.outcome).collect();
        let answered = SeizureOutcome::Answered;
        assert_eq!(told, [answered, outcome, answered], "{status} {cause:?}");
        assert_eq!(found[1].post_dial_delay_ms, Some(700));
    }
}

#[tokio::test]
async fn a_trunk_that_says_nothing_is_congested_and_has_no_delay() {
    let silence = said(0, None);
    let congestion = SeizureOutcome::Congestion;
    check(|world| refuses(world, 1, silence), congestion, None).await;
    let mut world = World::open().await;
    comes(&mut world, 1);
    tries(&mut world, 1, CARRIERS[0], None);
    world.pass(32_000);
    tries(&mut world, 1, CARRIERS[1], Some(said(0, None)));
    answers(&mut world, 1);
    world.hangs_up(1, Side::Caller);
    let silent = seizures(&world)[1];
    assert_eq!(
        (silent.outcome, silent.post_dial_delay_ms),
        (congestion, None)
    );
}

#[tokio::test]
async fn who_hangs_up_while_it_rings_was_not_answered_and_before_that_nothing_is_known() {
    let gone = |world: &mut World| {
        world.pass(5_000).hangs_up(1, Side::Caller);
    };
    check(gone, SeizureOutcome::Cancelled, None).await;
    let rang = |world: &mut World| {
        rings(world, 1);
        gone(world);
    };
    check(rang, SeizureOutcome::NoAnswer, 700).await;
    let leg = outside(1);
    let waited = |world: &mut World| {
        world.on(1, Command::TimeOutLeg { leg });
    };
    check(waited, SeizureOutcome::Failed, None).await;
    let rang = |world: &mut World| {
        rings(world, 1);
        waited(world.pass(90_000));
    };
    check(rang, SeizureOutcome::NoAnswer, 700).await;
    let lost = |world: &mut World| {
        world.ends(1, EndReason::NodeLost);
    };
    check(lost, SeizureOutcome::Cancelled, None).await;
}

#[tokio::test]
async fn the_delay_is_to_the_first_ringing_of_each_trunk() {
    let mut world = World::open().await;
    comes(&mut world, 1);
    tries(&mut world, 1, CARRIERS[0], None);
    world.pass(400);
    rings(&mut world, 1);
    world.pass(1_000);
    tries(&mut world, 1, CARRIERS[1], Some(said(503, None)));
    world.pass(900);
    rings(&mut world, 1);
    world.pass(4_000);
    answers(&mut world, 1);
    world.pass(30_000).hangs_up(1, Side::Caller);
    let found = seizures(&world);
    let told = found
        .iter()
        .map(|seizure| (seizure.post_dial_delay_ms, seizure.talk_ms));
    let expected = [(None, 30_000), (Some(400), 0), (Some(900), 30_000)];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

/// The agent has the call first, and the person is dialled then.
#[tokio::test]
async fn a_call_of_ours_is_a_seizure_out_from_when_the_person_is_dialled() {
    let mut world = World::open().await;
    let (visit, leg) = (crate::testing::visit(1), outside(1));
    let placing = calls::Placing {
        leg,
        party: world.callers[0].clone(),
        callback: CallbackId(uuid::Uuid::from_u128(71)),
        place: world.now,
        queue: crate::testing::queue(1),
        config_version: 1,
        visit,
        wanted: None,
        music: None,
    };
    world.on(1, Command::PlaceCall(placing));
    let of_agent = LegId(uuid::Uuid::from_u128(72));
    let offer = Command::StartOffer {
        offer: OfferId(uuid::Uuid::from_u128(73)),
        visit,
        session: crate::testing::login(1),
        leg: of_agent,
        until: world.now.plus_ms(15_000),
        beside: false,
    };
    let taken = Command::RecordAnswer {
        leg: of_agent,
        codec: None,
        device: None,
    };
    world.pass(60_000).on(1, offer).on(1, taken);
    let dialled_at = world.now;
    tries(&mut world, 1, CARRIERS[0], None);
    world.pass(800);
    rings(&mut world, 1);
    world.pass(3_000);
    answers(&mut world, 1);
    world.pass(20_000).hangs_up(1, Side::Agent);
    let expected = Seizure {
        trunk: CARRIERS[0],
        direction: Direction::Outbound,
        at: dialled_at,
        outcome: SeizureOutcome::Answered,
        talk_ms: 20_000,
        post_dial_delay_ms: Some(800),
    };
    assert_eq!(seizures(&world), [expected]);
}

#[tokio::test]
async fn what_came_in_counts_by_what_the_trunk_heard() {
    let queue = crate::testing::queue(1);
    let waits = Route::Queue {
        queue,
        config_version: 1,
        answer_mode: calls::AnswerMode::OnAgent,
        visit: crate::testing::visit(1),
        exit_keys: vec![],
        music: None,
    };
    type End = fn(&mut World);
    let gone: End = |world| {
        world.pass(1_000).hangs_up(1, Side::Caller);
    };
    let full: End = |world| {
        world.ends(1, EndReason::QueueFull);
    };
    let waited: End = |world| {
        world.ends(1, EndReason::MaxWait);
    };
    let crashed: End = |world| {
        world.ends(1, EndReason::NodeLost);
    };
    let nothing: End = |_| {};
    let refused = Route::Refused(EndReason::UnknownAddress);
    let overloaded = Route::Refused(EndReason::Overload);
    for (route, end, outcome) in [
        (waits.clone(), gone, SeizureOutcome::NoAnswer),
        (waits.clone(), full, SeizureOutcome::Busy),
        (waits.clone(), waited, SeizureOutcome::NoAnswer),
        (waits, crashed, SeizureOutcome::Failed),
        (refused, nothing, SeizureOutcome::Failed),
        (overloaded, nothing, SeizureOutcome::Congestion),
    ] {
        let mut world = World::open().await;
        world.comes_by(1, Some(CARRIERS[2]), route);
        end(&mut world);
        let found = seizures(&world);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].outcome, found[0].talk_ms), (outcome, 0));
    }
}

#[test]
fn each_ratio_has_its_own_numerator_and_none_without_a_seizure() {
    let nothing = TrunkFigures::default();
    assert_eq!(nothing.answer_seizure_parts(), (0, 0));
    assert_eq!(nothing.network_effectiveness_parts(), (0, 0));
    assert_eq!(nothing.average_conversation_ms(), None);
    let delays = (nothing.average_delay_ms(), nothing.longest_delay_ms());
    assert_eq!(delays, (None, None));
    let figures = TrunkFigures {
        answered_count: 4,
        busy_count: 3,
        no_answer_count: 2,
        rejected_count: 1,
        cancelled_count: 5,
        failed_count: 6,
        congestion_count: 7,
        talk_ms: 90_000,
        delays_count: 2,
        delay_ms: 5_001,
        longest_delay_ms: 4_000,
    };
    assert_eq!(figures.answer_seizure_parts(), (4, 28));
    assert_eq!(figures.network_effectiveness_parts(), (10, 28));
    assert_eq!(figures.average_conversation_ms(), Some(22_500));
    assert_eq!(figures.average_delay_ms(), Some(2_500));
    assert_eq!(figures.longest_delay_ms(), Some(4_000));
}

/// What happens next to a call, and how long after what was before it.
type Step = (u8, u8, u32);

fn histories() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let step = (0..12u8, any::<u8>(), 0..400_000u32);
    prop::collection::vec(prop::collection::vec(step, 0..10), 0..16)
}

const STATUSES: [u16; 9] = [0, 403, 404, 408, 480, 486, 488, 503, 603];

/// Calls one after another; what can not happen does not.
async fn played(histories: &[Vec<Step>]) -> World {
    let mut world = World::open().await;
    for (number, steps) in (1..).zip(histories) {
        match number % 4 {
            0 => {
                let refused = Route::Refused(EndReason::Overload);
                world.comes_by(number, Some(CARRIERS[2]), refused);
            }
            _ => comes(&mut world, number),
        }
        let mut after = None;
        for (what, who, ms) in steps {
            world.pass(u64::from(*ms) / if *who < 200 { 20 } else { 1 });
            let wire = said(
                STATUSES[usize::from(*who) % STATUSES.len()],
                who.is_multiple_of(7).then_some(who % 50),
            );
            match what {
                0..=3 => {
                    let next = CARRIERS[usize::from(*what) % CARRIERS.len()];
                    tries(&mut world, number, next, after.replace(wire));
                }
                4 | 5 => rings(&mut world, number),
                6 => answers(&mut world, number),
                7 => refuses(&mut world, number, wire),
                8 => {
                    world.hangs_up(number, Side::Caller);
                }
                9 => {
                    world.ends(number, EndReason::Operator);
                }
                10 => {
                    let leg = outside(number);
                    world.on(number, Command::TimeOutLeg { leg });
                }
                _ => {
                    world.ends(number, EndReason::NodeLost);
                }
            }
        }
    }
    world
}

/// Seizures, answers, talk and the delays to ringing and answer of one trunk out, event by
/// event; of calls that are over.
#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
struct Counted {
    seizures: u64,
    answered: u64,
    talk_ms: u64,
}

fn counted(world: &World) -> BTreeMap<TrunkId, Counted> {
    let mut sums = BTreeMap::<_, Counted>::new();
    let mut tried = BTreeMap::<_, Vec<TrunkId>>::new();
    let mut answered = BTreeMap::new();
    for fact in &world.facts {
        let AnyEvent::Call(call, event) = &fact.event else {
            continue;
        };
        if let calls::Event::TrunkSelected { trunk, .. } = event {
            tried.entry(*call).or_default().push(*trunk);
        }
        if let calls::Event::LegAnswered { .. } = event {
            answered.insert(*call, fact.at);
        }
        if let calls::Event::Ended { ended_at, .. } = event {
            let tried = tried.remove(call).unwrap_or_default();
            for trunk in &tried {
                sums.entry(*trunk).or_default().seizures += 1;
            }
            if let (Some(at), Some(last)) = (answered.get(call), tried.last()) {
                let sum = sums.entry(*last).or_default();
                sum.answered += 1;
                sum.talk_ms += ended_at.ms_since(*at);
            }
        }
    }
    sums
}

/// Views over these rows, for what is asked of records.
async fn of_records(views: &Views, trunk: TrunkId) -> (u64, u64, u64) {
    let filter = Filter {
        trunks: vec![trunk],
        directions: vec![Direction::Inbound],
        ..Filter::default()
    };
    let grouping = Grouping {
        dimensions: vec![Dimension::Trunk],
        zone: Tz::UTC,
        prefix_digits: 1,
    };
    let stats = views.cdr_stats(&filter, &grouping).await.unwrap();
    let figures = stats.first().map(|row| row.figures).unwrap_or_default();
    let (calls, answered) = (figures.calls_count, figures.answered_count);
    (calls, answered, figures.billable_ms)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_trunks_figures_are_those_of_the_events_and_of_the_records(history in histories()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let world = runtime.block_on(played(&history));
        let read = runtime.block_on(folded(&world));
        let until = world.now.plus_ms(1);
        let spans = spans(START, until, Granularity::QuarterHour, Tz::Asia__Kathmandu).unwrap();
        let rows = runtime.block_on(report(read.as_ref(), &CARRIERS, &spans)).unwrap();
        prop_assert_eq!(rows.len(), CARRIERS.len() * 2 * spans.len());
        let views = runtime.block_on(async { offline::open(world.log().await, read.clone()).await });
        let views = views.unwrap();
        let by_event = counted(&world);
        // Interval by interval each record is where it belongs.
        let mut recounted = Report::empty(&CARRIERS, &spans);
        for row in fold_all::<Cdr>(&world).into_values() {
            for seizure in row.seizures() {
                recounted.of(seizure.trunk, seizure.direction, seizure.at).unwrap().count(&seizure);
            }
        }
        prop_assert_eq!(&rows, &recounted.rows);
        for trunk in CARRIERS {
            let sum = |direction| {
                let rows = rows.iter().filter(|row| (row.trunk, row.direction) == (trunk, direction));
                rows.fold((0, 0, 0), |(all, answered, talk_ms), row| {
                    let (part, whole) = row.figures.answer_seizure_parts();
                    (all + whole, answered + part, talk_ms + row.figures.talk_ms)
                })
            };
            let Counted { seizures, answered, talk_ms } = by_event.get(&trunk).copied().unwrap_or_default();
            prop_assert_eq!(sum(Direction::Outbound), (seizures, answered, talk_ms));
            let on_record = runtime.block_on(of_records(&views, trunk));
            prop_assert_eq!(sum(Direction::Inbound), on_record);
        }
        for row in &rows {
            let (part, whole) = row.figures.network_effectiveness_parts();
            prop_assert!(row.figures.answered_count <= part && part <= whole);
            prop_assert!(row.figures.delays_count <= whole);
        }
    }
}
