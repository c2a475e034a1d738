//! A day that was recorded, lived again.

use domain::{any::Fact, id::QueueId, queue::Strategy};
use projections::{queue_stats::Counters, visits::Row};
use ringledger_sim::{
    Options, World,
    whatif::{Change, Day, Recorder, count, rerun},
};

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

fn sum(day: &Day, rows: &[Row]) -> Counters {
    let threshold = |queue: QueueId| day.queues[&queue].1.measure();
    let intervals = count(rows.iter(), None, threshold, &[]);
    let counters = intervals[0].counters;
    let closed = counters.answered_count + counters.abandoned_count + counters.flow_out_count;
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
        recorded = recorded.plus(&sum(&day, &day.visits));
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
    let rows = rerun(&one, change).expect("it comes to rest");
    assert_eq!(rerun(&other, change), Ok(rows));
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
