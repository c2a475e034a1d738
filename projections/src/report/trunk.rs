//! Trunks by interval: their seizures, from the records of calls that are over.

use super::{
    queue::span_of,
    spans::{SLOT_MICROS, Span},
};
use crate::{
    cdr::{self, Direction, Seizure, SeizureOutcome},
    page::Query,
    table::marks,
    value::{Columns, Corrupt, text, time},
    views::{ViewError, Views, read_all},
};
use commands::ports::ReadStore;
use domain::{cause::Disposition, id::TrunkId, time::Timestamp};

#[cfg(test)]
mod tests;

/// Records that are read at once.
const ROWS_AT_ONCE: usize = 1_000;

/// A call goes on to another trunk within this time, which is far more than somebody
/// outside is waited for (`domain::call::RING_OUTSIDE_MS`).
const GOES_ON_MICROS: i64 = 4 * SLOT_MICROS;

/// What became of the seizures of a trunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrunkFigures {
    /// Answered.
    pub answered_count: u64,
    /// The number was busy.
    pub busy_count: u64,
    /// It rang, and nobody answered.
    pub no_answer_count: u64,
    /// Whoever was called did not want the call.
    pub rejected_count: u64,
    /// Given up on our side before it rang.
    pub cancelled_count: u64,
    /// Not brought to the number.
    pub failed_count: u64,
    /// No room on the way, or silence.
    pub congestion_count: u64,
    /// From the answer to the end, of all that were answered.
    pub talk_ms: u64,
    /// Post-dial delays that are known.
    pub delays_count: u64,
    /// Those delays together.
    pub delay_ms: u64,
    /// The longest of them.
    pub longest_delay_ms: u64,
}

impl TrunkFigures {
    /// All: each is counted in one of the outcomes.
    pub const fn seizures_count(&self) -> u64 {
        self.effective_count() + self.cancelled_count + self.failed_count + self.congestion_count
    }

    /// Those that the network brought to the number, whatever became of them there.
    const fn effective_count(&self) -> u64 {
        self.answered_count + self.busy_count + self.no_answer_count + self.rejected_count
    }

    /// The two parts of the answer-seizure ratio (ASR).
    pub const fn answer_seizure_parts(&self) -> (u64, u64) {
        (self.answered_count, self.seizures_count())
    }

    /// The two parts of the network effectiveness ratio (NER).
    pub const fn network_effectiveness_parts(&self) -> (u64, u64) {
        (self.effective_count(), self.seizures_count())
    }

    /// The average length of conversation (ALOC); none where nothing was answered.
    pub const fn average_conversation_ms(&self) -> Option<u64> {
        self.talk_ms.checked_div(self.answered_count)
    }

    /// The mean post-dial delay (PDD); none where none is known.
    pub const fn average_delay_ms(&self) -> Option<u64> {
        self.delay_ms.checked_div(self.delays_count)
    }

    /// The longest post-dial delay; none where none is known.
    pub fn longest_delay_ms(&self) -> Option<u64> {
        (self.delays_count > 0).then_some(self.longest_delay_ms)
    }

    /// With so many of one outcome more, which talked so long together.
    const fn add(&mut self, outcome: SeizureOutcome, count: u64, talk_ms: u64) {
        let counter = match outcome {
            SeizureOutcome::Answered => &mut self.answered_count,
            SeizureOutcome::Busy => &mut self.busy_count,
            SeizureOutcome::NoAnswer => &mut self.no_answer_count,
            SeizureOutcome::Rejected => &mut self.rejected_count,
            SeizureOutcome::Cancelled => &mut self.cancelled_count,
            SeizureOutcome::Failed => &mut self.failed_count,
            SeizureOutcome::Congestion => &mut self.congestion_count,
        };
        *counter += count;
        self.talk_ms += talk_ms;
    }

    /// With that one more.
    pub(super) fn count(&mut self, seizure: &Seizure) {
        self.add(seizure.outcome, 1, seizure.talk_ms);
        if let Some(delay_ms) = seizure.post_dial_delay_ms {
            self.delays_count += 1;
            self.delay_ms += delay_ms;
            self.longest_delay_ms = self.longest_delay_ms.max(delay_ms);
        }
    }
}

/// One trunk in one direction in one interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrunkReportRow {
    /// Which trunk.
    pub trunk: TrunkId,
    /// From it, or out by it.
    pub direction: Direction,
    /// Which interval.
    pub span: Span,
    /// What was counted in it.
    pub figures: TrunkFigures,
}

impl TrunkReportRow {
    /// Nothing was counted.
    pub fn empty(trunk: TrunkId, direction: Direction, span: Span) -> Self {
        Self {
            trunk,
            direction,
            span,
            figures: TrunkFigures::default(),
        }
    }
}

/// What came in by these trunks and is over, by quarter of an hour and by what an outcome
/// follows from; the ids come behind it.
const CAME_IN: &str = "SELECT trunk_id, started_at / 900000000, disposition, \
    CASE WHEN answered_at IS NULL THEN 0 ELSE 1 END, \
    CASE WHEN enqueued_at IS NULL AND alerting_at IS NULL THEN 0 ELSE 1 END, \
    COUNT(*), CAST(SUM(billable_ms) AS BIGINT) \
    FROM cdr WHERE direction = 'inbound' AND started_at >= $1 AND started_at < $2 \
    AND trunk_id IN ";

struct CameIn {
    trunk: TrunkId,
    slot: i64,
    outcome: SeizureOutcome,
    count: u64,
    talk_ms: u64,
}

fn came_in(columns: &mut Columns) -> Result<CameIn, Corrupt> {
    let (trunk, slot) = (columns.id()?, columns.number()?);
    let disposition: Disposition = columns.word()?;
    let (is_answered, has_rung) = (columns.flag()?, columns.flag()?);
    Ok(CameIn {
        trunk,
        slot,
        outcome: SeizureOutcome::of_inbound(disposition, is_answered, has_rung),
        count: columns.number()?,
        talk_ms: columns.number()?,
    })
}

impl Views {
    /// What became of the seizures of these trunks in each of these intervals, by trunk, then
    /// by direction, then by interval. Of a call that goes on nothing is counted yet.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn trunk_report(
        &self,
        trunks: &[TrunkId],
        spans: &[Span],
    ) -> Result<Vec<TrunkReportRow>, ViewError> {
        report(self.store(), trunks, spans).await
    }
}

pub(super) async fn report(
    read: &dyn ReadStore,
    trunks: &[TrunkId],
    spans: &[Span],
) -> Result<Vec<TrunkReportRow>, ViewError> {
    let (Some(first), Some(last)) = (spans.first(), spans.last()) else {
        return Ok(vec![]);
    };
    let (from, until) = (first.start, last.end);
    let mut report = Report::empty(trunks, spans);
    if trunks.is_empty() {
        return Ok(report.rows);
    }
    let sql = format!(
        "{CAME_IN}({}) GROUP BY 1, 2, 3, 4, 5",
        marks(3, trunks.len())
    );
    let range = [time(from), time(until)].into_iter();
    let parameters = range.chain(trunks.iter().map(text)).collect();
    for counted in read_all(read, &sql, parameters, came_in).await? {
        let start = Timestamp::from_micros(counted.slot * SLOT_MICROS);
        if let Some(figures) = report.of(counted.trunk, Direction::Inbound, start) {
            figures.add(counted.outcome, counted.count, counted.talk_ms);
        }
    }
    let mut after = None;
    loop {
        let rows = went_out(read, (from, until), after.as_ref()).await?;
        for seizure in rows.iter().flat_map(cdr::Row::seizures) {
            if seizure.direction == Direction::Outbound
                && let Some(figures) = report.of(seizure.trunk, Direction::Outbound, seizure.at)
            {
                figures.count(&seizure);
            }
        }
        if rows.len() < ROWS_AT_ONCE {
            return Ok(report.rows);
        }
        after = rows.into_iter().next_back();
    }
}

/// Records of calls that went out in that time or shortly before, those that follow a record.
async fn went_out(
    read: &dyn ReadStore,
    (from, until): (Timestamp, Timestamp),
    after: Option<&cdr::Row>,
) -> Result<Vec<cdr::Row>, ViewError> {
    let mut query = Query::select(cdr::COLUMNS, "cdr");
    let from = Timestamp::from_micros(from.micros() - GOES_ON_MICROS);
    query.and("went_out_at >= ?", [time(from)]);
    query.and("went_out_at < ?", [time(until)]);
    if let Some((row, at)) = after.and_then(|row| Some((row, row.went_out_at()?))) {
        let place = [time(at), text(row.call)];
        query.and("(went_out_at, call_id) > (?, ?)", place);
    }
    let tail = format!(" ORDER BY went_out_at, call_id LIMIT {ROWS_AT_ONCE}");
    let (sql, parameters) = query.all(&tail);
    read_all(read, &sql, parameters, cdr::Row::read).await
}

/// The rows, each at its place.
struct Report<'a> {
    trunks: &'a [TrunkId],
    spans: &'a [Span],
    rows: Vec<TrunkReportRow>,
}

const DIRECTIONS: [Direction; 2] = [Direction::Inbound, Direction::Outbound];

impl<'a> Report<'a> {
    fn empty(trunks: &'a [TrunkId], spans: &'a [Span]) -> Self {
        let lines = trunks
            .iter()
            .flat_map(|trunk| DIRECTIONS.map(|direction| (*trunk, direction)));
        let rows = lines.flat_map(|(trunk, direction)| {
            let spans = spans.iter();
            spans.map(move |span| TrunkReportRow::empty(trunk, direction, *span))
        });
        Self {
            trunks,
            spans,
            rows: rows.collect(),
        }
    }

    fn of(
        &mut self,
        trunk: TrunkId,
        direction: Direction,
        at: Timestamp,
    ) -> Option<&mut TrunkFigures> {
        let trunk = self.trunks.iter().position(|known| *known == trunk)?;
        let direction = DIRECTIONS.iter().position(|known| *known == direction)?;
        let span = span_of(self.spans, at.micros().div_euclid(SLOT_MICROS))?;
        let line = trunk * DIRECTIONS.len() + direction;
        let row = self.rows.get_mut(line * self.spans.len() + span)?;
        Some(&mut row.figures)
    }
}
