//! Sums over records, by what they have in common.

use super::{row::Direction, store::Filter};
use crate::{
    page::Query,
    value::{Columns, Corrupt},
    views::{ViewError, Views},
};
use chrono::{DateTime, NaiveDate, Timelike as _};
use chrono_tz::Tz;
use domain::{
    cause::Disposition,
    id::{AgentId, QueueId, TrunkId},
    time::Timestamp,
};
use std::collections::BTreeMap;

/// Groups that the database may answer with at most: what is over that is
/// refused, not cut.
pub const GROUPS_MAX: usize = 50_000;
/// Digits of a prefix at most.
pub const PREFIX_DIGITS_MAX: u32 = 15;
/// The database counts by this many microseconds: the offset of every time
/// zone is a multiple of it.
const BUCKET_MICROS: i64 = 15 * 60 * 1_000_000;

/// What records may have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// The day on which the call started, in the zone asked for.
    Day,
    /// The hour in which the call started, in the zone asked for.
    Hour,
    /// The queue that it was routed to.
    Queue,
    /// The agent who was connected.
    Agent,
    /// The trunk that let it in, or through which it was placed.
    Trunk,
    /// Which way it went.
    Direction,
    /// What became of it.
    Disposition,
    /// The first digits of what was dialled.
    Prefix,
}

/// What to sum by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    /// Which; in any order, none for one sum over everything.
    pub dimensions: Vec<Dimension>,
    /// Whose days and hours.
    pub zone: Tz,
    /// Digits of a prefix.
    pub prefix_digits: u32,
}

/// What the records of a row have in common; empty in a dimension that was not
/// asked for, and where records have nothing in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Common {
    /// The day.
    pub day: Option<NaiveDate>,
    /// Start of the hour.
    pub hour: Option<Timestamp>,
    /// The queue.
    pub queue: Option<QueueId>,
    /// The agent.
    pub agent: Option<AgentId>,
    /// The trunk.
    pub trunk: Option<TrunkId>,
    /// The direction.
    pub direction: Option<Direction>,
    /// The disposition.
    pub disposition: Option<Disposition>,
    /// The first digits.
    pub prefix: Option<String>,
}

/// Sums over records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Calls.
    pub calls_count: u64,
    /// Those whose caller got 200 OK.
    pub answered_count: u64,
    /// Those that an agent was connected to.
    pub connected_count: u64,
    /// Those whose end was inferred.
    pub incomplete_count: u64,
    /// From the INVITE to the end.
    pub duration_ms: u64,
    /// From the answer to the end.
    pub billable_ms: u64,
    /// With an agent, or with somebody outside, without holds.
    pub talk_ms: u64,
    /// That of the calls that had an agent.
    pub agent_talk_ms: u64,
    /// Calls in which an agent had a caller: not those whose person did not answer when
    /// rung back.
    pub talked_count: u64,
    /// Held.
    pub hold_ms: u64,
    /// In the queue.
    pub wait_ms: u64,
    /// Phones ringing: of agents, and outside.
    pub ring_ms: u64,
    /// After the call.
    pub wrap_up_ms: u64,
}

impl Figures {
    fn add(&mut self, other: &Self) {
        self.calls_count += other.calls_count;
        self.answered_count += other.answered_count;
        self.connected_count += other.connected_count;
        self.incomplete_count += other.incomplete_count;
        self.duration_ms += other.duration_ms;
        self.billable_ms += other.billable_ms;
        self.talk_ms += other.talk_ms;
        self.agent_talk_ms += other.agent_talk_ms;
        self.talked_count += other.talked_count;
        self.hold_ms += other.hold_ms;
        self.wait_ms += other.wait_ms;
        self.ring_ms += other.ring_ms;
        self.wrap_up_ms += other.wrap_up_ms;
    }

    fn read(columns: &mut Columns) -> Result<Self, Corrupt> {
        Ok(Self {
            calls_count: columns.number()?,
            answered_count: columns.number()?,
            connected_count: columns.number()?,
            incomplete_count: columns.number()?,
            duration_ms: columns.number()?,
            billable_ms: columns.number()?,
            talk_ms: columns.number()?,
            agent_talk_ms: columns.number()?,
            talked_count: columns.number()?,
            hold_ms: columns.number()?,
            wait_ms: columns.number()?,
            ring_ms: columns.number()?,
            wrap_up_ms: columns.number()?,
        })
    }
}

const FIGURES: [&str; 13] = [
    "COUNT(*)",
    "COUNT(answered_at)",
    "COUNT(agent_connected_at)",
    "SUM(incomplete)",
    "SUM(duration_ms)",
    "SUM(billable_ms)",
    "SUM(talk_ms)",
    "SUM(CASE WHEN agent_connected_at IS NOT NULL THEN talk_ms ELSE 0 END)",
    "COUNT(CASE WHEN agent_connected_at IS NOT NULL THEN answered_at END)",
    "SUM(hold_ms)",
    "SUM(wait_ms)",
    "SUM(ring_ms)",
    "SUM(wrap_up_ms)",
];

/// One row of statistics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatRow {
    /// What its records have in common.
    pub common: Common,
    /// Their sums.
    pub figures: Figures,
}

/// Why there are no statistics.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatError {
    /// The view does not answer.
    #[error(transparent)]
    View(#[from] ViewError),
    /// More rows than can be given.
    #[error("more than {GROUPS_MAX} groups: ask for less time or fewer dimensions")]
    TooMany,
}

/// The columns that the database groups by. Days and hours are counted by
/// quarters of an hour and put together here: the database knows no zones.
fn columns(grouping: &Grouping) -> Vec<String> {
    let has = |dimension| grouping.dimensions.contains(&dimension);
    let mut columns = vec![];
    if has(Dimension::Day) || has(Dimension::Hour) {
        columns.push(format!("started_at / {BUCKET_MICROS}"));
    }
    let plain = [
        (Dimension::Queue, "queue_id"),
        (Dimension::Agent, "agent_id"),
        (Dimension::Trunk, "trunk_id"),
        (Dimension::Direction, "direction"),
        (Dimension::Disposition, "disposition"),
    ];
    let asked = plain.iter().filter(|(dimension, _)| has(*dimension));
    columns.extend(asked.map(|(_, column)| (*column).to_owned()));
    if has(Dimension::Prefix) {
        let digits = grouping.prefix_digits.clamp(1, PREFIX_DIGITS_MAX);
        columns.push(format!("SUBSTR(to_user, 1, {digits})"));
    }
    columns
}

fn common(grouping: &Grouping, columns: &mut Columns) -> Result<Common, Corrupt> {
    let has = |dimension| grouping.dimensions.contains(&dimension);
    let mut common = Common::default();
    if has(Dimension::Day) || has(Dimension::Hour) {
        let bucket: i64 = columns.number()?;
        let start = Timestamp::from_micros(bucket.saturating_mul(BUCKET_MICROS));
        let local = DateTime::from_timestamp_micros(start.micros())
            .map(|instant| instant.with_timezone(&grouping.zone));
        if let Some(local) = local.filter(|_| has(Dimension::Day)) {
            common.day = Some(local.date_naive());
        }
        if let Some(local) = local.filter(|_| has(Dimension::Hour)) {
            let past = i64::from(local.minute()) * 60 + i64::from(local.second());
            common.hour = Some(Timestamp::from_micros(start.micros() - past * 1_000_000));
        }
    }
    if has(Dimension::Queue) {
        common.queue = columns.id_or_null()?;
    }
    if has(Dimension::Agent) {
        common.agent = columns.id_or_null()?;
    }
    if has(Dimension::Trunk) {
        common.trunk = columns.id_or_null()?;
    }
    if has(Dimension::Direction) {
        common.direction = Some(columns.word()?);
    }
    if has(Dimension::Disposition) {
        common.disposition = Some(columns.word()?);
    }
    if has(Dimension::Prefix) {
        common.prefix = columns.text_or_null()?;
    }
    Ok(common)
}

impl Views {
    /// Sums over the records that the filter lets through, in order of what
    /// they have in common.
    ///
    /// # Errors
    /// See [`StatError`].
    pub async fn cdr_stats(
        &self,
        filter: &Filter,
        grouping: &Grouping,
    ) -> Result<Vec<StatRow>, StatError> {
        let groups = columns(grouping);
        let selected: Vec<&str> = groups.iter().map(String::as_str).chain(FIGURES).collect();
        let mut query = Query::select(&selected, "cdr");
        filter.restrict(&mut query);
        let places: Vec<_> = (1..=groups.len()).map(|place| place.to_string()).collect();
        let tail = if places.is_empty() {
            // A sum over nothing is no row, whatever the database thinks.
            " HAVING COUNT(*) > 0".to_owned()
        } else {
            format!(" GROUP BY {} LIMIT {}", places.join(", "), GROUPS_MAX + 1)
        };
        let (sql, parameters) = query.all(&tail);
        let read =
            |columns: &mut Columns| Ok((common(grouping, columns)?, Figures::read(columns)?));
        let rows = self.rows(&sql, parameters, read).await?;
        if rows.len() > GROUPS_MAX {
            return Err(StatError::TooMany);
        }
        let mut sums = BTreeMap::<Common, Figures>::new();
        for (common, figures) in rows {
            sums.entry(common).or_default().add(&figures);
        }
        let rows = sums.into_iter();
        Ok(rows
            .map(|(common, figures)| StatRow { common, figures })
            .collect())
    }
}
