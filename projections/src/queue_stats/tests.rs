use super::{Counters, QueueStats, ServiceLevel};
use crate::testing::{Side, World, call, fold_all, queue, show};
use domain::{
    any::AnyCommand,
    cause::{EndReason, OfferOutcome},
    queue::Command,
};

const COUNTS: &[&str] = &[
    "waiting_count",
    "matched_count",
    "offered_count",
    "answered_count",
    "answered_in_threshold_count",
    "abandoned_count",
    "short_abandoned_count",
    "flow_out_count",
    "rejected_count",
    "returned_count",
    "answered_wait_ms",
    "abandoned_wait_ms",
    "longest_wait_ms",
];

/// The counts of the first queue that are not 0.
fn counts(world: &World) -> String {
    let text = show::<QueueStats>(world, COUNTS);
    let row = text.lines().next().unwrap().strip_prefix("queue_stats: ");
    let words = row.unwrap().split(' ').filter(|word| !word.ends_with("=0"));
    words.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_visit_that_is_closed_while_an_agent_rings_is_no_more_with_an_agent() {
    let mut world = World::open().await;
    world.arrives(1).arrives(3).settle();
    world.pass(1_000).offers(1, 1);
    assert_eq!(
        counts(&world),
        "waiting_count=2 matched_count=1 offered_count=2"
    );
    // The one that waits leaves: the other still rings.
    world.pass(1_000).hangs_up(3, Side::Caller).settle();
    assert_eq!(
        counts(&world),
        "waiting_count=1 matched_count=1 offered_count=2 abandoned_count=1 \
         short_abandoned_count=1 abandoned_wait_ms=2000 longest_wait_ms=2000"
    );
    world.pass(4_000).hangs_up(1, Side::Caller).settle();
    assert_eq!(
        counts(&world),
        "offered_count=2 abandoned_count=2 short_abandoned_count=1 abandoned_wait_ms=8000 \
         longest_wait_ms=6000"
    );
}

#[tokio::test]
async fn the_threshold_is_inclusive_and_the_one_in_force_when_the_call_came() {
    let mut world = World::open().await;
    world.arrives(1).settle().offers(1, 1);
    let config = crate::testing::rules(19_999);
    let name = "sales".into();
    world.tell(AnyCommand::Queue(
        queue(1),
        Command::Configure { name, config },
    ));
    world.pass(20_000).answers(1).settle();
    assert_eq!(
        counts(&world),
        "offered_count=1 answered_count=1 answered_in_threshold_count=1 \
         answered_wait_ms=20000 longest_wait_ms=20000"
    );
    world.arrives(3).settle().offers(3, 2);
    world.pass(20_000).answers(3).settle();
    assert_eq!(
        counts(&world),
        "offered_count=2 answered_count=2 answered_in_threshold_count=1 \
         answered_wait_ms=40000 longest_wait_ms=20000"
    );
}

#[tokio::test]
async fn a_full_queue_rejects_and_a_long_wait_flows_out() {
    let mut world = World::open().await;
    for number in [1, 3, 5, 7] {
        world.arrives(number);
    }
    world.settle().ends(7, EndReason::QueueFull).settle();
    assert_eq!(
        counts(&world),
        "waiting_count=3 offered_count=3 rejected_count=1"
    );
    world.offers(1, 1).fails(1, OfferOutcome::Rejected).settle();
    world.pass(30_000).ends(1, EndReason::MaxWait).settle();
    assert_eq!(
        counts(&world),
        "waiting_count=2 offered_count=3 flow_out_count=1 rejected_count=1 returned_count=1 \
         longest_wait_ms=30000"
    );
}

#[tokio::test]
async fn a_visit_counts_in_the_day_of_its_opening_and_of_its_closing() {
    const TO_MIDNIGHT_MS: u64 = 16 * 3_600_000;
    let mut world = World::open().await;
    world
        .pass(TO_MIDNIGHT_MS - 1)
        .arrives(1)
        .settle()
        .offers(1, 1);
    let before = fold_all::<QueueStats>(&world).remove(&queue(1)).unwrap();
    assert_eq!(before.today(world.now).offered_count, 1);
    // Midnight, UTC: nothing has happened yet on the new day.
    world.pass(1);
    assert_eq!(before.today(world.now), Counters::default());
    world.answers(1).settle();
    let row = fold_all::<QueueStats>(&world).remove(&queue(1)).unwrap();
    let today = row.today(world.now);
    assert_eq!((today.offered_count, today.answered_count), (0, 1));
    assert_eq!((row.total.offered_count, row.total.answered_count), (1, 1));
}

/// On the 28th of March 2027 the clocks of Berlin go from two to three: that day has 23
/// hours, from 23:00 to 22:00 UTC.
#[tokio::test]
async fn today_is_the_day_of_the_queues_zone_also_when_the_clocks_change() {
    const TO_THE_DAY_MS: u64 = (71 * 24 + 15) * 3_600_000;
    const DAY_MS: u64 = 23 * 3_600_000;
    let mut world = World::open().await;
    let config = domain::queue::Config {
        time_zone: "Europe/Berlin".parse().ok(),
        ..crate::testing::rules(20_000)
    };
    let name = "sales".into();
    world.tell(AnyCommand::Queue(
        queue(1),
        Command::Configure { name, config },
    ));
    let now = |world: &World| {
        let row = fold_all::<QueueStats>(world).remove(&queue(1)).unwrap();
        let today = row.today(world.now);
        (today.offered_count, today.answered_count, row)
    };
    world
        .pass(TO_THE_DAY_MS - 1)
        .arrives(1)
        .settle()
        .offers(1, 1);
    let (offered, answered, _) = now(&world);
    assert_eq!((offered, answered), (1, 0), "the day before");
    world.pass(1).answers(1).settle();
    let (offered, answered, row) = now(&world);
    assert_eq!((offered, answered), (0, 1), "its first instant");
    assert_eq!(row.day_of(world.now), world.now);
    world.pass(DAY_MS - 1).arrives(3).settle();
    let (offered, answered, row) = now(&world);
    assert_eq!((offered, answered), (1, 1), "its last one");
    assert_eq!(row.day_of(world.now).plus_ms(DAY_MS - 1), world.now);
    let (offered, answered, _) = now(world.pass(1));
    assert_eq!((offered, answered), (0, 0), "the next one");
}

/// What was counted in a day of another zone is no part of it.
#[tokio::test]
async fn a_zone_that_is_changed_begins_the_day_anew() {
    let mut world = World::open().await;
    world.arrives(1).settle();
    let config = domain::queue::Config {
        time_zone: "Asia/Tokyo".parse().ok(),
        ..crate::testing::rules(20_000)
    };
    let name = "sales".into();
    world.tell(AnyCommand::Queue(
        queue(1),
        Command::Configure { name, config },
    ));
    world.pass(1_000).arrives(3).settle();
    let row = fold_all::<QueueStats>(&world).remove(&queue(1)).unwrap();
    assert_eq!(row.today(world.now).offered_count, 1);
    assert_eq!(row.total.offered_count, 2);
}

#[tokio::test]
async fn an_end_that_is_of_the_day_before_stays_out_of_todays_counters() {
    let mut world = World::open().await;
    world.arrives(1).arrives(3).settle();
    let last_seen = world.now.plus_ms(1_000);
    world
        .pass(24 * 3_600_000)
        .hangs_up(3, Side::Caller)
        .settle();
    let lost = domain::call::Command::EndCall {
        reason: EndReason::NodeLost,
        ended_at: Some(last_seen),
        visit: None,
    };
    world.on(1, lost).settle();
    assert!(!world.is_live(call(1)));
    let row = fold_all::<QueueStats>(&world).remove(&queue(1)).unwrap();
    assert_eq!(
        (row.total.flow_out_count, row.total.abandoned_count),
        (1, 1)
    );
    let today = row.today(world.now);
    assert_eq!((today.flow_out_count, today.abandoned_count), (0, 1));
}

#[test]
fn each_variant_of_the_service_level_has_its_own_denominator() {
    let counters = Counters {
        offered_count: 20,
        answered_count: 10,
        answered_in_threshold_count: 8,
        abandoned_count: 6,
        short_abandoned_count: 2,
        abandoned_in_threshold_count: 4,
        flow_out_count: 4,
        answered_wait_ms: 105,
        abandoned_wait_ms: 60,
        ..Counters::default()
    };
    for (variant, expected) in [
        (ServiceLevel::Answered, 8.0 / 10.0),
        (ServiceLevel::Offered, 8.0 / 20.0),
        (ServiceLevel::AbandonCounted, 8.0 / 16.0),
        (ServiceLevel::ShortExcluded, 8.0 / 14.0),
        (ServiceLevel::AbandonInThresholdExcluded, 8.0 / 12.0),
        (ServiceLevel::AbandonAsSuccess, 12.0 / 16.0),
    ] {
        assert_eq!(
            counters.service_level(variant),
            Some(expected),
            "{variant:?}"
        );
        // No data is neither 0 nor 100 %.
        assert_eq!(Counters::default().service_level(variant), None);
    }
    assert_eq!(counters.average_speed_of_answer_ms(), Some(10));
    assert_eq!(counters.average_abandon_ms(), Some(10));
    assert_eq!(counters.abandonment_rate(), Some(0.3));
    assert_eq!(counters.net_abandonment_rate(), Some(4.0 / 18.0));
    assert_eq!(Counters::default().net_abandonment_rate(), None);
    // After midnight callers leave who came before it.
    let night = Counters {
        offered_count: 1,
        answered_count: 1,
        abandoned_count: 3,
        short_abandoned_count: 1,
        ..Counters::default()
    };
    assert_eq!(night.abandonment_rate(), Some(0.75));
    assert_eq!(night.net_abandonment_rate(), Some(2.0 / 3.0));
    assert_eq!(Counters::default().average_speed_of_answer_ms(), None);
}
