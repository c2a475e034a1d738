//! Queues by interval: the base quantities, each visit counted in the interval
//! of its opening and of its closing.

use super::{
    handling::{self, Handled},
    resolution::{self, FCR_WINDOW_DAYS, Resolution},
    spans::{SLOT_MICROS, Span},
    staffed::{Occupied, Staffing},
};
use crate::{
    queue_slots,
    queue_stats::{self, Counters},
    value::{Columns, Corrupt, number, text, time},
    views::{ViewError, Views, read_all},
};
use commands::ports::{ReadStore, Value};
use domain::{
    id::QueueId,
    line::{Measure, RejectReason, VisitResult},
    time::Timestamp,
};
use std::collections::BTreeMap;

/// What is asked of one queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Which queue.
    pub queue: QueueId,
    /// T for all visits; without it what counted when each call came.
    pub threshold_ms: Option<u64>,
    /// S for all visits; without it what counted when each call came.
    pub short_abandon_ms: Option<u64>,
    /// What visits are measured by that are from before that was kept.
    pub otherwise: Measure,
    /// Days in which another contact shows that the one before was not the last; none where
    /// nobody asks for first contact resolution.
    pub fcr_window_days: Option<u32>,
}

impl Asked {
    /// By the definitions of the queue.
    pub fn of(queue: &queue_stats::Row) -> Self {
        Self {
            queue: queue.queue,
            threshold_ms: None,
            short_abandon_ms: None,
            otherwise: queue.measure(),
            fcr_window_days: Some(FCR_WINDOW_DAYS),
        }
    }

    /// In place of what is not stored, in SQL.
    fn parameters(&self) -> [Value; 2] {
        let Measure {
            threshold_ms,
            short_abandon_ms,
            target_percent: _,
        } = self.measure();
        [number(threshold_ms), number(short_abandon_ms)]
    }

    /// What is asked, or else what the queue says now.
    fn measure(&self) -> Measure {
        let otherwise = self.otherwise;
        Measure {
            threshold_ms: self.threshold_ms.unwrap_or(otherwise.threshold_ms),
            short_abandon_ms: self.short_abandon_ms.unwrap_or(otherwise.short_abandon_ms),
            target_percent: otherwise.target_percent,
        }
    }

    /// The two definitions of a visit, in SQL; `first` is the number of the first parameter.
    fn columns(&self, first: usize) -> (String, String) {
        let of = |given: Option<u64>, column: &str, number: usize| match given {
            Some(_) => format!("${number}"),
            None => format!("COALESCE({column}, ${number})"),
        };
        (
            of(self.threshold_ms, "threshold_ms", first),
            of(self.short_abandon_ms, "short_abandon_ms", first + 1),
        )
    }
}

/// One queue in one interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueReportRow {
    /// Which queue, and the definitions used.
    pub asked: Asked,
    /// Which interval.
    pub span: Span,
    /// By what the visits that were closed in it are measured, and how many by each.
    pub measures: BTreeMap<Measure, u64>,
    /// Visits that were open when it began.
    pub waiting_before_count: u64,
    /// What was opened and closed in it.
    pub counters: Counters,
    /// FO by how the visits ended.
    pub flow_out: BTreeMap<VisitResult, u64>,
    /// Calls that were not let in, by why.
    pub rejected: BTreeMap<RejectReason, u64>,
    /// Most visits that were open at once in it.
    pub waiting_max_count: u64,
    /// Contacts whose call ended in it.
    pub handled: Handled,
    /// Contacts that began in it, by whether another one followed.
    pub resolution: Resolution,
    /// Time that agents who served the queue were logged in, together.
    pub staffed_ms: u64,
    /// What they did in it, for this queue or for others.
    pub occupied: Occupied,
    /// Visits that were open when it ended: `before + O = A + AB + FO + CB + after`.
    pub waiting_after_count: u64,
}

impl QueueReportRow {
    /// Agents staffed, in thousandths of one: the time that they were there by the length
    /// of the interval.
    pub fn agents_staffed_milli(&self) -> Option<u64> {
        let length_ms = self.span.end.ms_since(self.span.start);
        self.staffed_ms.saturating_mul(1_000).checked_div(length_ms)
    }

    fn turned_away(&mut self, (rejected, returned): TurnedAway) {
        self.counters.returned_count += returned;
        for (reason, calls) in rejected.into_iter().filter(|(_, calls)| *calls > 0) {
            self.counters.rejected_count += calls;
            *self.rejected.entry(reason).or_default() += calls;
        }
    }

    /// T and S of all visits that were closed in it, whatever their target was; none where
    /// they differ, as the queue was changed meanwhile.
    pub fn only_measure(&self) -> Option<Measure> {
        self.shared(|measure| (measure.threshold_ms, measure.short_abandon_ms))
    }

    /// By what all of those are measured, their target too; none where that differs.
    pub fn only_target(&self) -> Option<Measure> {
        self.shared(|measure| *measure)
    }

    fn shared<K: PartialEq>(&self, key: impl Fn(&Measure) -> K) -> Option<Measure> {
        let measure = self.measure();
        let mut all = self.measures.keys();
        all.all(|other| key(other) == key(&measure))
            .then_some(measure)
    }

    /// By what most of its visits are measured; without any, by what is asked, or else what
    /// the queue says now.
    pub fn measure(&self) -> Measure {
        let most = self.measures.iter().max_by_key(|(_, visits)| **visits);
        most.map_or_else(|| self.asked.measure(), |(measure, _)| *measure)
    }
}

/// What ended, by quarter of an hour and by what it is measured.
fn closed_sql(asked: &Asked) -> String {
    let (threshold, short) = asked.columns(4);
    format!(
        "SELECT slot, threshold, short, target, COUNT(*), {CLOSED} FROM ( \
        SELECT closed_at / 900000000 AS slot, result, wait_ms, \
        CAST({threshold} AS BIGINT) AS threshold, CAST({short} AS BIGINT) AS short, \
        target_percent AS target \
        FROM visits WHERE queue_id = $1 AND closed_at >= $2 AND closed_at < $3 \
        ) AS ended GROUP BY 1, 2, 3, 4"
    )
}

const CLOSED: &str = "\
    CAST(SUM(CASE WHEN result = 'answered' THEN 1 ELSE 0 END) AS BIGINT), \
    CAST(SUM(CASE WHEN result = 'answered' AND wait_ms <= threshold THEN 1 ELSE 0 END) AS BIGINT), \
    CAST(SUM(CASE WHEN result = 'abandoned' THEN 1 ELSE 0 END) AS BIGINT), \
    CAST(SUM(CASE WHEN result = 'abandoned' AND wait_ms < short THEN 1 ELSE 0 END) AS BIGINT), \
    CAST(SUM(CASE WHEN result = 'abandoned' AND wait_ms <= threshold THEN 1 ELSE 0 END) AS BIGINT), \
    CAST(SUM(CASE WHEN result = 'callback' THEN 1 ELSE 0 END) AS BIGINT), \
    CAST(SUM(CASE WHEN result NOT IN ('answered', 'abandoned', 'callback') THEN 1 ELSE 0 END) AS BIGINT), \
    CAST(SUM(CASE WHEN result = 'answered' THEN wait_ms ELSE 0 END) AS BIGINT), \
    CAST(SUM(CASE WHEN result = 'abandoned' THEN wait_ms ELSE 0 END) AS BIGINT), \
    CAST(SUM(CASE WHEN result = 'abandoned' AND wait_ms < short THEN wait_ms ELSE 0 END) AS BIGINT), \
    MAX(wait_ms)";

const OPENED: &str = "SELECT opened_at / 900000000, COUNT(*) FROM visits \
    WHERE queue_id = $1 AND opened_at >= $2 AND opened_at < $3 GROUP BY 1";

const OPEN_BEFORE: &str = "SELECT COUNT(*) FROM visits \
    WHERE queue_id = $1 AND opened_at < $2 AND (closed_at IS NULL OR closed_at >= $3)";

const FLOW_OUT: &str = "SELECT closed_at / 900000000, result, COUNT(*) FROM visits \
    WHERE queue_id = $1 AND closed_at >= $2 AND closed_at < $3 \
    AND result NOT IN ('answered', 'abandoned', 'callback') GROUP BY 1, 2";

/// How far the number of open visits rose above that at the beginning: at one
/// instant who comes counts before who goes. Who was sent on at once has not been there.
const PEAK: &str = "SELECT slot, MAX(CAST(open AS BIGINT)) FROM ( \
    SELECT at / 900000000 AS slot, SUM(change) OVER ( \
        ORDER BY at, change DESC ROWS UNBOUNDED PRECEDING) AS open FROM ( \
        SELECT opened_at AS at, 1 AS change FROM visits \
            WHERE queue_id = $1 AND opened_at >= $2 AND opened_at < $3 \
            AND (closed_at IS NULL OR closed_at > opened_at) \
        UNION ALL SELECT closed_at AS at, -1 AS change FROM visits \
            WHERE queue_id = $4 AND closed_at >= $5 AND closed_at < $6 \
            AND closed_at > opened_at \
    ) AS changes) AS sums GROUP BY slot";

fn flow_out(columns: &mut Columns) -> Result<(i64, (VisitResult, u64)), Corrupt> {
    Ok((columns.number()?, (columns.word()?, columns.number()?)))
}

fn peak(columns: &mut Columns) -> Result<(i64, i64), Corrupt> {
    Ok((columns.number()?, columns.number()?))
}

fn closed(columns: &mut Columns) -> Result<(i64, (Measure, u64), Counters), Corrupt> {
    let slot = columns.number()?;
    let measure = Measure {
        threshold_ms: columns.number()?,
        short_abandon_ms: columns.number()?,
        target_percent: columns.number()?,
    };
    Ok((
        slot,
        (measure, columns.number()?),
        Counters {
            answered_count: columns.number()?,
            answered_in_threshold_count: columns.number()?,
            abandoned_count: columns.number()?,
            short_abandoned_count: columns.number()?,
            abandoned_in_threshold_count: columns.number()?,
            callback_count: columns.number()?,
            flow_out_count: columns.number()?,
            answered_wait_ms: columns.number()?,
            abandoned_wait_ms: columns.number()?,
            short_abandoned_wait_ms: columns.number()?,
            longest_wait_ms: columns.number()?,
            ..Counters::default()
        },
    ))
}

/// Who was not let in, by why, and offers that came to nothing.
type TurnedAway = ([(RejectReason, u64); 3], u64);

fn turned_away(columns: &mut Columns) -> Result<(i64, TurnedAway), Corrupt> {
    let slot = columns.number()?;
    let rejected = [
        (RejectReason::Full, columns.number()?),
        (RejectReason::Closed, columns.number()?),
        (RejectReason::Empty, columns.number()?),
    ];
    Ok((slot, (rejected, columns.number()?)))
}

fn opened(columns: &mut Columns) -> Result<(i64, Counters), Corrupt> {
    Ok((
        columns.number()?,
        Counters {
            offered_count: columns.number()?,
            ..Counters::default()
        },
    ))
}

/// The interval that the quarter of an hour is in.
pub(super) fn span_of(spans: &[Span], slot: i64) -> Option<usize> {
    let start = Timestamp::from_micros(slot * SLOT_MICROS);
    let after = spans.partition_point(|span| span.start <= start);
    after
        .checked_sub(1)
        .filter(|index| spans.get(*index).is_some_and(|span| start < span.end))
}

impl Views {
    /// Who was there in these intervals, and what they did: read once for the reports of all queues.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn staffing(&self, spans: &[Span]) -> Result<Staffing, ViewError> {
        let staffing = Staffing::read(self.store(), spans).await?;
        let (Some(first), Some(last)) = (spans.first(), spans.last()) else {
            return Ok(staffing);
        };
        let agents = staffing.agents();
        let log = self.agent_log(&agents, first.start, last.end).await?;
        Ok(staffing.with_log(&log))
    }

    /// What happened to one queue in each of these intervals, which follow each
    /// other without a gap; of who is there, nothing is known after `now`.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn queue_report(
        &self,
        asked: Asked,
        over: (&[Span], &Staffing),
        now: Timestamp,
    ) -> Result<Vec<QueueReportRow>, ViewError> {
        report(self.store(), asked, over, now).await
    }
}

pub(super) async fn report(
    read: &dyn ReadStore,
    asked: Asked,
    (spans, staffing): (&[Span], &Staffing),
    now: Timestamp,
) -> Result<Vec<QueueReportRow>, ViewError> {
    let (Some(first), Some(last)) = (spans.first(), spans.last()) else {
        return Ok(vec![]);
    };
    let (from, until) = (time(first.start), time(last.end));
    let range = [text(asked.queue), from.clone(), until];
    let parameters = vec![text(asked.queue), from.clone(), from];
    let before = read_all(read, OPEN_BEFORE, parameters, |columns| {
        columns.number::<u64>()
    });
    let waiting = before.await?.first().copied().unwrap_or(0);
    let mut slots = read_all(read, OPENED, range.to_vec(), opened).await?;
    let parameters = [range.to_vec(), asked.parameters().to_vec()].concat();
    let ended = read_all(read, &closed_sql(&asked), parameters, closed).await?;
    slots.extend(ended.iter().map(|(slot, _, counters)| (*slot, *counters)));
    let peaks = read_all(read, PEAK, [range.clone(), range.clone()].concat(), peak).await?;
    let mut rows = rows(asked, spans, waiting, &slots, &peaks);
    for (slot, (measure, visits), _) in ended {
        if let Some(row) = span_of(spans, slot).and_then(|index| rows.get_mut(index)) {
            *row.measures.entry(measure).or_default() += visits;
        }
    }
    for (slot, (result, visits)) in read_all(read, FLOW_OUT, range.to_vec(), flow_out).await? {
        if let Some(row) = span_of(spans, slot).and_then(|index| rows.get_mut(index)) {
            *row.flow_out.entry(result).or_default() += visits;
        }
    }
    let turned = read_all(read, queue_slots::COUNTS, range.to_vec(), turned_away);
    for (slot, turned_away) in turned.await? {
        if let Some(row) = span_of(spans, slot).and_then(|index| rows.get_mut(index)) {
            row.turned_away(turned_away);
        }
    }
    let handled = handling::of_queue(read, asked.queue, (first.start, last.end));
    for (slot, handled) in handled.await? {
        if let Some(row) = span_of(spans, slot).and_then(|index| rows.get_mut(index)) {
            row.handled = row.handled.plus(handled);
        }
    }
    let contacts = resolution::by_slot(read, asked, (first.start, last.end), now);
    for (slot, resolution) in contacts.await? {
        if let Some(row) = span_of(spans, slot).and_then(|index| rows.get_mut(index)) {
            row.resolution = row.resolution.plus(resolution);
        }
    }
    let times = staffing.staffed(asked.queue, spans, now);
    for (row, staffed_ms) in rows.iter_mut().zip(times) {
        row.staffed_ms = staffed_ms;
    }
    let spent = staffing.occupied(asked.queue, spans, now);
    for (row, occupied) in rows.iter_mut().zip(spent) {
        row.occupied = occupied;
    }
    Ok(rows)
}

fn rows(
    asked: Asked,
    spans: &[Span],
    waiting: u64,
    slots: &[(i64, Counters)],
    peaks: &[(i64, i64)],
) -> Vec<QueueReportRow> {
    let at_first = waiting;
    let mut most: Vec<u64> = vec![0; spans.len()];
    for (slot, rise) in peaks {
        if let Some(peak) = span_of(spans, *slot).and_then(|index| most.get_mut(index)) {
            *peak = (*peak).max(at_first.saturating_add_signed(*rise));
        }
    }
    let mut sums = vec![Counters::default(); spans.len()];
    for (slot, counted) in slots {
        if let Some(sum) = span_of(spans, *slot).and_then(|index| sums.get_mut(index)) {
            *sum = sum.plus(counted);
        }
    }
    let mut waiting = waiting;
    spans
        .iter()
        .zip(sums)
        .zip(most)
        .map(|((span, counters), most)| {
            let before = waiting;
            waiting = (waiting + counters.offered_count).saturating_sub(counters.closed_count());
            QueueReportRow {
                asked,
                span: *span,
                measures: BTreeMap::new(),
                waiting_before_count: before,
                counters,
                flow_out: BTreeMap::new(),
                rejected: BTreeMap::new(),
                waiting_max_count: most.max(before),
                handled: Handled::default(),
                resolution: Resolution::default(),
                staffed_ms: 0,
                occupied: Occupied::default(),
                waiting_after_count: waiting,
            }
        })
        .collect()
}
