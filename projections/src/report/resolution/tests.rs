use super::*;
use crate::{
    cdr::{self, Cdr, Direction},
    queue_stats::QueueStats,
    report::{
        Granularity, Span, Staffing,
        queue::{QueueReportRow, report},
        spans,
        tests::folded,
    },
    testing::{START, Side, World, actions, fold_all, has_a_stay_twice, play, queue},
    visits::{self, Visits},
};
use chrono_tz::Tz;
use commands::ports::Vault as _;
use domain::{any::AnyCommand, id::CallId, line::VisitResult, person, sealed::Party};
use proptest::prelude::*;
use std::collections::BTreeMap;

const DAY_MS: u64 = 86_400_000;

/// Rows of a queue over all of its time, as they are told at `now`.
async fn told(world: &World, number: u64, days: u32, now: Timestamp) -> Vec<QueueReportRow> {
    let read = folded(world).await;
    let size = Granularity::Day;
    let spans = spans(START, world.now.plus_ms(1), size, Tz::Europe__Berlin).unwrap();
    let asked = Asked {
        fcr_window_days: Some(days),
        ..Asked::of(&fold_all::<QueueStats>(world)[&queue(number)])
    };
    let staffing = Staffing::default();
    let rows = report(read.as_ref(), asked, (&spans, &staffing), now).await;
    rows.unwrap()
}

/// All contacts of the first queue: resolved, repeated, unknown, open.
async fn sum(world: &World, days: u32, now: Timestamp) -> (u64, u64, u64, u64) {
    let rows = told(world, 1, days, now).await;
    let nothing = Resolution::default();
    let all = rows
        .iter()
        .fold(nothing, |sum, row| sum.plus(row.resolution));
    (
        all.resolved_count,
        all.repeated_count,
        all.unknown_count,
        all.open_count,
    )
}

/// A call that the first agent takes and that ends after a minute. Odd numbers go to the
/// first queue; all of those are of one person.
fn talks(world: &mut World, number: u64) {
    world.arrives(number).settle();
    world.offers(number, 1).rings(number).answers(number);
    world.settle().pass(60_000).hangs_up(number, Side::Caller);
    world.settle().wrap_up_ends(1).pass(1_000);
}

#[tokio::test]
async fn a_contact_is_resolved_if_the_same_person_does_not_reach_the_same_queue_again_in_time() {
    let mut world = World::open().await;
    talks(&mut world, 1);
    world.pass(DAY_MS);
    talks(&mut world, 3);
    let later = world.now.plus_ms(40 * DAY_MS);
    // The second is a little more than a day after the first.
    assert_eq!(sum(&world, 1, later).await, (2, 0, 0, 0));
    assert_eq!(sum(&world, 2, later).await, (1, 1, 0, 0));
    // Somebody who leaves before an agent is there was no contact.
    world.arrives(5).settle().pass(1_000);
    world.hangs_up(5, Side::Caller).settle();
    assert_eq!(sum(&world, 2, later).await, (1, 1, 0, 0));
}

#[tokio::test]
async fn another_person_or_another_queue_is_no_other_contact() {
    let mut world = World::open().await;
    talks(&mut world, 1);
    world.callers.swap(0, 1);
    talks(&mut world, 3);
    // That is the first person, at the other queue.
    talks(&mut world, 4);
    let later = world.now.plus_ms(40 * DAY_MS);
    assert_eq!(sum(&world, 7, later).await, (2, 0, 0, 0));
}

#[tokio::test]
async fn a_window_that_is_not_over_is_open_and_a_call_that_goes_on_counts_as_another() {
    let mut world = World::open().await;
    talks(&mut world, 1);
    let ended = world.now;
    let within = ended.plus_ms(7 * DAY_MS - 2_000);
    assert_eq!(sum(&world, 7, within).await, (0, 0, 0, 1));
    assert_eq!(
        sum(&world, 7, ended.plus_ms(7 * DAY_MS)).await,
        (1, 0, 0, 0)
    );
    world.pass(DAY_MS).arrives(3).settle();
    world.offers(3, 1).rings(3);
    assert_eq!(
        sum(&world, 7, ended.plus_ms(7 * DAY_MS)).await,
        (1, 0, 0, 0)
    );
    world.answers(3).settle();
    // The second goes on: whether it was the last is not known yet.
    assert_eq!(
        sum(&world, 7, ended.plus_ms(7 * DAY_MS)).await,
        (0, 1, 0, 1)
    );
}

#[tokio::test]
async fn who_shows_no_number_is_left_out_and_counted() {
    let mut world = World::open().await;
    let hidden = ("4930999", Some("anonymous.invalid"));
    let callers = [
        ("anonymous", None),
        ("Anonymous", None),
        ("unavailable", None),
        hidden,
    ];
    for (number, (user, host)) in (1..).step_by(2).zip(callers) {
        let party = Party {
            user: user.into(),
            host: host.map(str::to_owned),
            ..Party::default()
        };
        world.callers[1] = world.vault.seal(&party).await.unwrap();
        talks(&mut world, number);
    }
    let later = world.now.plus_ms(40 * DAY_MS);
    assert_eq!(sum(&world, 7, later).await, (0, 0, 4, 0));
}

/// What is known of the past changes with it: nobody can say any more who that was.
#[tokio::test]
async fn who_is_forgotten_is_unknown_from_then_on_and_whoever_calls_anew_is_known() {
    let mut world = World::open().await;
    talks(&mut world, 1);
    talks(&mut world, 3);
    let later = world.now.plus_ms(40 * DAY_MS);
    assert_eq!(sum(&world, 7, later).await, (1, 1, 0, 0));
    let erase = person::Command::Erase {
        keys_through: 1,
        reason: person::Reason::ConsentWithdrawn,
    };
    world.tell(AnyCommand::Person(world.callers[1].subject, erase));
    assert_eq!(sum(&world, 7, later).await, (0, 0, 2, 0));
    let other = world.callers[0].clone();
    world.callers[1] = other;
    talks(&mut world, 5);
    assert_eq!(sum(&world, 7, later).await, (1, 0, 2, 0));
}

#[test]
fn without_a_contact_there_is_nothing_to_divide_by() {
    assert_eq!(Resolution::default().parts(), (0, 0));
    let some = Resolution {
        resolved_count: 3,
        repeated_count: 1,
        unknown_count: 5,
        open_count: 7,
    };
    assert_eq!((some.parts(), some.contacts_count()), ((3, 4), 4));
    assert_eq!(some.plus(some).parts(), (6, 8));
}

/// The same, contact by contact.
fn recounted(
    visits: &[visits::Row],
    records: &BTreeMap<CallId, cdr::Row>,
    (row, days, now): (&QueueReportRow, u32, Timestamp),
) -> Resolution {
    let mut sum = Resolution::default();
    let Span { start, end } = row.span;
    let contacts = visits.iter().filter(|visit| {
        let is_within = visit.closed_at.is_some_and(|at| start <= at && at < end);
        visit.queue == row.asked.queue && visit.result == Some(VisitResult::Answered) && is_within
    });
    for visit in contacts {
        let record = records.get(&visit.call);
        let Some((record, ended)) = record.and_then(|row| Some((row, row.ended_at()?))) else {
            sum.open_count += 1;
            continue;
        };
        let last = ended.plus_ms(u64::from(days) * DAY_MS);
        let is_known = record.caller.party.is_some();
        let mut others = records.values().filter(|other| {
            other.caller.subject == record.caller.subject
                && other.queue == Some(visit.queue)
                && other.agent_connected_at.is_some()
                && (ended < other.started_at && other.started_at <= last)
                && (other.direction == Direction::Inbound || other.answered_at.is_some())
        });
        let counter = match (is_known, last > now, others.next()) {
            (false, _, _) => &mut sum.unknown_count,
            (true, true, _) => &mut sum.open_count,
            (true, false, Some(_)) => &mut sum.repeated_count,
            (true, false, None) => &mut sum.resolved_count,
        };
        *counter += 1;
    }
    sum
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_contacts_are_those_that_are_counted_one_by_one(history in actions(), wait in 0..3u64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let world = runtime.block_on(play(&history));
        // Only this generator rings with a call that has been: its stay has one row.
        prop_assume!(!has_a_stay_twice(&world));
        let visits: Vec<_> = fold_all::<Visits>(&world).into_values().collect();
        let records = fold_all::<Cdr>(&world);
        let now = world.now.plus_ms(wait * DAY_MS);
        for number in [1, 2] {
            for row in runtime.block_on(told(&world, number, 1, now)) {
                let counted = recounted(&visits, &records, (&row, 1, now));
                prop_assert_eq!(row.resolution, counted);
                // Nobody is rung back in these histories: each answered stay is a contact.
                let Resolution { unknown_count, open_count, .. } = counted;
                let all = counted.contacts_count() + unknown_count + open_count;
                prop_assert_eq!(all, row.counters.answered_count);
            }
        }
    }
}
