//! Where the clock of the store was set back: in between, the times at which events were
//! taken only grow, and are found by halving.

use commands::ports::{Position, ReadError, Stretch};
use domain::time::Timestamp;

/// A clock that is corrected by less was not behind for a while.
const NOTABLE_MICROS: i64 = 1_000_000;

/// An event that was taken at an earlier time than the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    /// Where it is.
    pub(crate) position: Position,
    /// When the event before it was taken.
    pub(crate) before: Timestamp,
    /// When it was taken itself.
    pub(crate) after: Timestamp,
}

/// The steps of a log whose events were taken at these times, one after the other.
pub(crate) fn steps(times: impl Iterator<Item = (Position, Timestamp)>) -> Vec<Step> {
    let mut steps = vec![];
    let mut last = None;
    for (position, after) in times {
        if let Some(before) = last.filter(|before| *before > after) {
            steps.push(Step {
                position,
                before,
                after,
            });
        }
        last = Some(after);
    }
    steps
}

/// A part of the log in which times only grow.
struct Run {
    first: Position,
    last: Position,
    earliest: Timestamp,
    latest: Timestamp,
}

/// The stretches of events that were taken from one instant on and before another.
/// `steps` are all up to `head`, in order; `at` tells of the first event at a position or
/// after it where it is and when it was taken.
///
/// # Errors
/// Those of `at`.
pub(crate) async fn stretches<F>(
    steps: &[Step],
    head: Position,
    (from, before): (Option<Timestamp>, Option<Timestamp>),
    at: impl Fn(Position) -> F,
) -> Result<Vec<Stretch>, ReadError>
where
    F: Future<Output = Result<Option<(Position, Timestamp)>, ReadError>>,
{
    let mut found = vec![];
    let (Some(first), Some(last)) = (at(Position(1)).await?, at(head).await?) else {
        return Ok(found);
    };
    let runs = runs(steps, first, last);
    let mut whiles: Vec<While> = vec![];
    for (index, run) in runs.iter().enumerate() {
        whiles.extend(behind(&runs, index, &at).await?);
        let is_out = from.is_some_and(|from| run.latest < from)
            || before.is_some_and(|before| run.earliest >= before);
        if is_out {
            continue;
        }
        let (mut first, mut last) = (run.first, run.last);
        if let Some(from) = from
            && run.earliest < from
        {
            first = first_from(from, first, last, &at).await?;
        }
        if let Some(before) = before
            && run.latest >= before
        {
            last = Position(first_from(before, first, last, &at).await?.0 - 1);
        }
        if first > last {
            continue;
        }
        let around = whiles
            .iter()
            .filter(|one| one.first <= first && last < one.until);
        let behind = around.map(|one| one.again).max();
        found.push(Stretch {
            first,
            last,
            behind,
        });
    }
    Ok(found)
}

/// A while in which the clock was behind.
struct While {
    first: Position,
    /// The first event after it.
    until: Position,
    /// When that was taken.
    again: Timestamp,
}

/// Whether the clock was behind when that run began. One that was set back stays there,
/// and passes that time again when it has come; one that was behind is set to it: the way
/// back is longer than what it went by itself. One that had been ahead came there the same
/// way, right before.
async fn behind<F>(
    runs: &[Run],
    index: usize,
    at: &impl Fn(Position) -> F,
) -> Result<Option<While>, ReadError>
where
    F: Future<Output = Result<Option<(Position, Timestamp)>, ReadError>>,
{
    let (past, coming) = runs.split_at(index);
    let (Some(ahead), Some(run)) = (past.last(), coming.first()) else {
        return Ok(None);
    };
    let before = ahead.latest;
    let width = before.micros().saturating_sub(run.earliest.micros());
    let back = coming.iter().find(|run| run.latest >= before);
    let Some(back) = back.filter(|_| width >= NOTABLE_MICROS) else {
        return Ok(None);
    };
    if was_ahead(ahead, run.earliest, at).await? {
        return Ok(None);
    }
    let until = first_from(before, back.first, back.last, at).await?;
    let (again, last) = (at(until).await?, at(Position(until.0 - 1)).await?);
    let (Some((_, again)), Some((_, last))) = (again, last) else {
        return Ok(None);
    };
    let gone = last.micros().saturating_sub(run.earliest.micros());
    let way_back = again.micros().saturating_sub(last.micros());
    Ok((way_back > gone).then_some(While {
        first: run.first,
        until,
        again,
    }))
}

/// Whether the clock was set ahead in that run, over the instant that came next.
async fn was_ahead<F>(
    run: &Run,
    next: Timestamp,
    at: &impl Fn(Position) -> F,
) -> Result<bool, ReadError>
where
    F: Future<Output = Result<Option<(Position, Timestamp)>, ReadError>>,
{
    let beyond = first_from(next, run.first, run.last, at).await?;
    if beyond == run.first {
        return Ok(false);
    }
    let (last, first) = (at(Position(beyond.0 - 1)).await?, at(beyond).await?);
    let (Some((_, last)), Some((_, first))) = (last, first) else {
        return Ok(false);
    };
    let way_up = first.micros().saturating_sub(last.micros());
    let gone = run.latest.micros().saturating_sub(first.micros());
    Ok(way_up > gone)
}

fn runs(steps: &[Step], first: (Position, Timestamp), last: (Position, Timestamp)) -> Vec<Run> {
    let mut runs = Vec::with_capacity(steps.len() + 1);
    let (mut start, mut earliest) = first;
    // What was written since the head was read is left out.
    for step in steps.iter().take_while(|step| step.position <= last.0) {
        runs.push(Run {
            first: start,
            last: Position(step.position.0 - 1),
            earliest,
            latest: step.before,
        });
        (start, earliest) = (step.position, step.after);
    }
    runs.push(Run {
        first: start,
        last: last.0,
        earliest,
        latest: last.1,
    });
    runs
}

/// The first event of a run that was taken at that instant or later; the last one was.
async fn first_from<F>(
    instant: Timestamp,
    first: Position,
    last: Position,
    at: &impl Fn(Position) -> F,
) -> Result<Position, ReadError>
where
    F: Future<Output = Result<Option<(Position, Timestamp)>, ReadError>>,
{
    let (mut low, mut high) = (first.0, last.0);
    while low < high {
        let middle = low + (high - low) / 2;
        match at(Position(middle)).await? {
            Some((position, taken)) if position <= last && taken < instant => low = position.0 + 1,
            Some(_) | None => high = middle,
        }
    }
    Ok(Position(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stretches of a log whose events were taken at these times, one after the other.
    async fn of(times: &[i64], from: Option<i64>, before: Option<i64>) -> Vec<Stretch> {
        let instant = |second: i64| Timestamp::from_micros(second * 1_000_000);
        let numbered = (1..).map(Position).zip(times.iter().copied().map(instant));
        let steps = steps(numbered);
        let at = |position: Position| {
            let index = position.0.max(1) as usize - 1;
            let found = times.get(index).map(|time| (position, instant(*time)));
            async move { Ok(found) }
        };
        let span = (from.map(instant), before.map(instant));
        let head = Position(times.len() as u64);
        stretches(&steps, head, span, at).await.unwrap()
    }

    /// The same, by looking at every event.
    fn looked_up(times: &[i64], from: Option<i64>, before: Option<i64>) -> Vec<u64> {
        let is_in = |time: i64| {
            from.is_none_or(|from| time >= from) && before.is_none_or(|before| time < before)
        };
        let positions = (1..).zip(times).filter(|(_, time)| is_in(**time));
        positions.map(|(position, _)| position).collect()
    }

    #[tokio::test]
    async fn every_event_of_a_time_is_found_wherever_the_clock_was_set() {
        let logs: [&[i64]; 7] = [
            &[],
            &[5],
            &[1, 1, 2, 2, 2, 5, 9],
            // Ahead and back; back and ahead; back for good, twice.
            &[1, 2, 3, 101, 102, 4, 5, 6],
            &[101, 102, 103, 1, 2, 104, 105],
            &[9, 8, 7, 8, 9, 1],
            &[5, 4, 3, 2, 1],
        ];
        let instants: Vec<_> = [None].into_iter().chain((0..110).map(Some)).collect();
        for log in logs {
            for from in &instants {
                for before in &instants {
                    let found = of(log, *from, *before).await;
                    let expanded: Vec<_> = found
                        .iter()
                        .flat_map(|one| one.first.0..=one.last.0)
                        .collect();
                    let expected = looked_up(log, *from, *before);
                    assert_eq!(expanded, expected, "{log:?} {from:?} {before:?}");
                }
            }
        }
    }
    #[tokio::test]
    async fn a_clock_that_was_behind_is_told_from_one_that_was_ahead() {
        let behind = async |times: &[i64], before: i64| {
            let found = of(times, None, Some(before)).await;
            let last = found.last().unwrap();
            (last.last.0, last.behind.map(|at| at.micros() / 1_000_000))
        };
        // Behind for two events: what they are asked for was before them.
        let log = [1_000, 1_001, 5, 6, 1_002, 1_003];
        assert_eq!(behind(&log, 1_001).await, (4, Some(1_002)));
        assert_eq!(behind(&log, 1_003).await, (5, None));
        // Still behind: nobody knows yet.
        assert_eq!(behind(&log[..4], 1_001).await, (4, None));
        // Ahead for two events, and in the right time until that comes, and after it.
        let log = [1, 2, 1_000, 1_001, 3, 4, 5];
        assert_eq!(behind(&log, 100).await, (7, None));
        let later = [1, 2, 1_000, 1_001, 3, 300, 600, 900, 1_100, 1_200];
        assert_eq!(behind(&later, 700).await, (7, None));
        assert_eq!(behind(&later, 1_150).await, (9, None));
        // Ahead twice, and right in between.
        let log = [1, 2, 1_000, 1_001, 3, 4, 1_005, 5, 6];
        assert_eq!(behind(&log, 5).await, (6, None));
        assert_eq!(behind(&log, 100).await, (9, None));
        // Behind twice, the second time further.
        let log = [1_000, 50, 51, 7, 8, 1_001];
        assert_eq!(behind(&log, 900).await, (5, Some(1_001)));
        assert_eq!(behind(&log, 52).await, (5, Some(1_001)));
    }
}
