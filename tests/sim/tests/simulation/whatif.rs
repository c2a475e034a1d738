//! A day that was recorded, lived again.

use domain::{
    any::{AnyEvent, Fact},
    call::{self, AnswerMode},
    id::{CallId, DEFAULT_TENANT, EventId, QueueId, VisitId},
    line,
    queue::{self, Strategy},
    time::Timestamp,
};
use projections::queue_stats::Counters;
use ringledger_sim::{
    Options, World,
    whatif::{Change, Day, Lived, Recorder, count, rerun},
};
use uuid::Uuid;

const CALLS: u64 = 300;
const SEEDS: std::ops::Range<u64> = 0..8;

fn day(seed: u64) -> Day {
    let mut options = Options::new(seed, CALLS);
    options.rebuild = true;
    options.calm = true;
    let facts = World::new(options)
        .live_and_tell()
        .expect("the day has no fault");
    let at = |fact: Option<&Fact>| fact.expect("something happened").at;
    let (first, last) = (at(facts.first()), at(facts.last()));
    let mut recorder = Recorder::new(first, last.plus_ms(1));
    for fact in &facts {
        recorder.note(fact);
    }
    recorder.finish()
}

fn sum(day: &Day, lived: &Lived) -> Counters {
    let threshold = |queue: QueueId| day.queues[&queue].1.measure();
    let intervals = count(lived, None, threshold, &[]);
    let rows = &lived.visits;
    let counters = intervals[0].counters;
    let closed = counters.closed_count();
    let open = rows.iter().filter(|row| row.closed_at.is_none()).count() as u64;
    assert_eq!(counters.offered_count, closed + open, "nobody is lost");
    counters
}

fn again(day: &Day, change: Change) -> Counters {
    sum(day, &rerun(day, change).expect("it comes to rest"))
}

/// What it does not know of agents is that they let phones ring or were busy:
/// every fifth offer of these worlds comes to nothing.
#[test]
fn an_unchanged_day_comes_out_as_it_was_recorded_within_a_twelfth() {
    let (mut recorded, mut unchanged) = (Counters::default(), Counters::default());
    for seed in SEEDS {
        let day = day(seed);
        assert_eq!(
            day.callers.len() as u64,
            CALLS.min(day.callers.len() as u64)
        );
        recorded = recorded.plus(&sum(&day, &day.lived));
        unchanged = unchanged.plus(&again(&day, Change::default()));
    }
    eprintln!("recorded  {recorded:?}\nunchanged {unchanged:?}");
    assert!(
        recorded.answered_count > 500 && recorded.abandoned_count > 200,
        "{recorded:?}"
    );
    let near = |a: u64, b: u64| a.abs_diff(b) * 12 <= recorded.offered_count;
    assert!(near(recorded.answered_count, unchanged.answered_count));
    assert!(near(recorded.abandoned_count, unchanged.abandoned_count));
    assert!(near(
        recorded.answered_in_threshold_count,
        unchanged.answered_in_threshold_count
    ));
}

#[test]
fn the_same_question_has_the_same_answer() {
    let (one, other) = (day(3), day(3));
    let change = Change {
        agents: 1,
        strategy: Some(Strategy::FewestCalls),
    };
    let lived = rerun(&one, change).expect("it comes to rest");
    assert_eq!(rerun(&other, change), Ok(lived));
}

#[test]
fn more_agents_answer_more_and_fewer_answer_less() {
    let (mut fewer, mut same, mut more) = (0, 0, 0);
    for seed in SEEDS {
        let day = day(seed);
        let answered = |agents| {
            again(
                &day,
                Change {
                    agents,
                    strategy: None,
                },
            )
            .answered_count
        };
        fewer += answered(-2);
        same += answered(0);
        more += answered(3);
    }
    assert!(fewer < same && same < more, "{fewer} {same} {more}");
}

/// A queue with room for one, for which nobody is there: three call, and two find no room.
#[test]
fn who_was_turned_away_is_a_caller_of_the_day() {
    let queue = QueueId(Uuid::from_u128(1));
    let config = queue::Config {
        capacity: 1,
        answer_mode: AnswerMode::OnAgent,
        ..queue::Config::default()
    };
    let created = queue::Event::Created {
        name: "support".into(),
        config: config.clone(),
        config_version: None,
    };
    let mut events = vec![(0, AnyEvent::Queue(queue, created))];
    for number in 1..=3 {
        let call = CallId(Uuid::from_u64_pair(2, number));
        let visit = VisitId(Uuid::from_u64_pair(3, number));
        let enqueued_at = Timestamp::from_micros(number as i64 * 1_000_000);
        let enqueued = call::Event::Enqueued {
            visit,
            queue,
            config_version: 1,
            answer_mode: AnswerMode::OnAgent,
            exit_keys: vec![],
            music: None,
        };
        let says = match number {
            1 => line::Event::Opened {
                visit,
                call,
                enqueued_at,
                joined_at: None,
                priority: None,
                previous: None,
                position: 1,
                policy: line::VisitPolicy {
                    config_version: 1,
                    answer_mode: AnswerMode::OnAgent,
                    ring_timeout_ms: config.ring_timeout_ms,
                    wrap_up_ms: config.wrap_up_ms,
                    max_wait_ms: config.max_wait_ms,
                    measure: Some(config.measure()),
                },
            },
            _ => line::Event::Rejected {
                visit,
                call,
                reason: line::RejectReason::Full,
            },
        };
        events.push((number as i64, AnyEvent::Call(call, enqueued)));
        events.push((number as i64, AnyEvent::Line(queue, says)));
    }
    let until = Timestamp::from_micros(60_000_000);
    let mut recorder = Recorder::new(Timestamp::from_micros(0), until);
    for (position, (second, event)) in (1..).zip(events) {
        recorder.note(&Fact {
            position,
            version: position,
            event_id: EventId(Uuid::from_u128(position.into())),
            at: Timestamp::from_micros(second * 1_000_000),
            node_epoch: 1,
            tenant: DEFAULT_TENANT,
            event,
        });
    }
    let day = recorder.finish();
    assert_eq!(day.callers.len(), 3);
    let figures = |counters: Counters| (counters.offered_count, counters.rejected_count);
    assert_eq!(figures(sum(&day, &day.lived)), (1, 2));
    // Nor is there room for them when the day is lived again.
    assert_eq!(figures(again(&day, Change::default())), (1, 2));
}
