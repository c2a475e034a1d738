//! A trunk in an interval.

use super::report::ppm;
use crate::{
    id::Named,
    scalar::{DateTime, Duration, count},
    types::words::Direction,
};
use async_graphql::{ID, Object};
use projections::report;

/// One trunk in one direction in one interval.
pub(crate) struct TrunkReportRow {
    pub(crate) name: String,
    pub(crate) row: report::TrunkReportRow,
}

/// What became of the seizures of a trunk in one direction in an interval (ITU-T E.425):
/// each is counted once, in the interval in which its INVITE came or went out.
#[Object]
impl TrunkReportRow {
    /// Which trunk.
    async fn trunk_id(&self) -> ID {
        self.row.trunk.opaque()
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.name
    }

    /// Calls that came from it, or INVITEs that went out by it.
    async fn direction(&self) -> Direction {
        self.row.direction.into()
    }

    /// First instant of the interval.
    async fn start(&self) -> DateTime {
        DateTime(self.row.span.start)
    }

    /// First instant after it.
    async fn end(&self) -> DateTime {
        DateTime(self.row.span.end)
    }

    /// All: answered, busy, no answer, rejected, cancelled, failed and congestion together.
    async fn seizures_count(&self) -> i32 {
        count(self.row.figures.seizures_count())
    }

    /// Answered.
    async fn answered_count(&self) -> i32 {
        count(self.row.figures.answered_count)
    }

    /// The number was busy, or the queue was full.
    async fn busy_count(&self) -> i32 {
        count(self.row.figures.busy_count)
    }

    /// It rang and nobody answered, also where the caller hung up meanwhile.
    async fn no_answer_count(&self) -> i32 {
        count(self.row.figures.no_answer_count)
    }

    /// Whoever was called did not want the call.
    async fn rejected_count(&self) -> i32 {
        count(self.row.figures.rejected_count)
    }

    /// Given up before it rang, by the caller or by us.
    async fn cancelled_count(&self) -> i32 {
        count(self.row.figures.cancelled_count)
    }

    /// Not brought to the number, or not let in.
    async fn failed_count(&self) -> i32 {
        count(self.row.figures.failed_count)
    }

    /// No room on the way or with us, or no response at all.
    async fn congestion_count(&self) -> i32 {
        count(self.row.figures.congestion_count)
    }

    /// ASR in parts per million: answered of the seizures; null without any.
    async fn asr_ppm(&self) -> Option<i32> {
        ppm(self.row.figures.answer_seizure_parts())
    }

    /// NER in parts per million: answered, busy, no answer and rejected of the seizures;
    /// null without any.
    async fn ner_ppm(&self) -> Option<i32> {
        ppm(self.row.figures.network_effectiveness_parts())
    }

    /// From the answer to the end, of all that were answered.
    async fn talk_ms(&self) -> Duration {
        Duration(self.row.figures.talk_ms)
    }

    /// ALOC: the mean of those; null without an answer.
    async fn aloc_ms(&self) -> Option<Duration> {
        let mean = self.row.figures.average_conversation_ms();
        mean.map(Duration)
    }

    /// Seizures whose post-dial delay is known: from the INVITE that went out to the first
    /// 18x or, without one, to the final response.
    async fn pdd_known_count(&self) -> i32 {
        count(self.row.figures.delays_count)
    }

    /// PDD: the mean of those delays; null where none is known, as of all that came in.
    async fn average_pdd_ms(&self) -> Option<Duration> {
        let mean = self.row.figures.average_delay_ms();
        mean.map(Duration)
    }

    /// The longest of them; null where none is known.
    async fn longest_pdd_ms(&self) -> Option<Duration> {
        let longest = self.row.figures.longest_delay_ms();
        longest.map(Duration)
    }
}
