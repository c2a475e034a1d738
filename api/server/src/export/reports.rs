//! Reports as CSV files.

use super::{instant, views};
use crate::{cli::Place, demo::say, whole_file::WholeFile};
use anyhow::{Context as _, ensure};
use chrono_tz::Tz;
use clap::{Args, ValueEnum};
use commands::{ports::Clock as _, system::SystemClock};
use documents::{field::Record, report_export as report};
use domain::{
    id::{AgentId, QueueId, TrunkId},
    time::Timestamp,
};
use projections::{
    agent_states,
    calls::Call,
    cdr::Direction,
    page::{Cursor, PAGE_MAX, Page, Slice},
    queue_stats,
    report::{
        AgentReportRow, Asked, FCR_WINDOW_DAYS, FCR_WINDOW_DAYS_MAX, Granularity, Span,
        TrunkReportRow, spans,
    },
    views::{ViewError, Views},
    visits,
};
use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

/// Which stretch of time, and where to.
#[derive(Debug, Args)]
pub(super) struct Stretch {
    /// Its first instant: RFC 3339, or a day.
    #[arg(long)]
    from: String,
    /// The first instant after it: RFC 3339, or a day.
    #[arg(long)]
    to: String,
    /// Time zone of days and intervals, and of instants that are not in UTC.
    #[arg(long, default_value = "UTC")]
    zone: Tz,
    /// The file.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// How long an interval is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Interval {
    /// 15 minutes.
    QuarterHour,
    /// 30 minutes.
    HalfHour,
    /// 60 minutes.
    Hour,
    /// A day of the zone.
    Day,
}

impl From<Interval> for Granularity {
    fn from(interval: Interval) -> Self {
        match interval {
            Interval::QuarterHour => Self::QuarterHour,
            Interval::HalfHour => Self::HalfHour,
            Interval::Hour => Self::Hour,
            Interval::Day => Self::Day,
        }
    }
}

/// Which queues.
#[derive(Debug, Args)]
pub struct Queues {
    #[command(flatten)]
    stretch: Stretch,
    /// How long an interval is.
    #[arg(long, value_enum, default_value = "day")]
    interval: Interval,
    /// Name of a queue; may be given more than once; all of them without.
    #[arg(long)]
    queue: Vec<String>,
    /// T: answered up to this time is in time; without it what the queue said when each
    /// call came.
    #[arg(long)]
    threshold_ms: Option<u64>,
    /// Days after a contact in which another one counts, for first contact resolution.
    #[arg(long, default_value_t = FCR_WINDOW_DAYS,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(FCR_WINDOW_DAYS_MAX)))]
    fcr_window_days: u32,
}

/// Which agents.
#[derive(Debug, Args)]
pub struct Agents {
    #[command(flatten)]
    stretch: Stretch,
    /// How long an interval is.
    #[arg(long, value_enum, default_value = "day")]
    interval: Interval,
    /// Name of an agent; may be given more than once; all of them without.
    #[arg(long)]
    agent: Vec<String>,
}

/// Which trunks.
#[derive(Debug, Args)]
pub struct Trunks {
    #[command(flatten)]
    stretch: Stretch,
    /// How long an interval is.
    #[arg(long, value_enum, default_value = "day")]
    interval: Interval,
    /// Name of a trunk; may be given more than once; all of them without.
    #[arg(long)]
    trunk: Vec<String>,
}

/// Which callers.
#[derive(Debug, Args)]
pub struct Abandoned {
    #[command(flatten)]
    stretch: Stretch,
    /// Name of a queue; may be given more than once; all of them without.
    #[arg(long)]
    queue: Vec<String>,
    /// Short abandons too.
    #[arg(long)]
    include_short: bool,
}

impl Stretch {
    fn range(&self) -> anyhow::Result<(Timestamp, Timestamp)> {
        let from = instant(&self.from, self.zone).context("--from")?;
        let to = instant(&self.to, self.zone).context("--to")?;
        Ok((from, to))
    }

    fn spans(&self, interval: Interval) -> anyhow::Result<Vec<Span>> {
        let (from, to) = self.range()?;
        Ok(spans(from, to, interval.into(), self.zone)?)
    }

    fn write(&self, columns: &[&str], records: &[Record]) -> anyhow::Result<()> {
        write(&self.out, &report::csv(columns, records, self.zone))?;
        say(&format!("{} rows", records.len()));
        Ok(())
    }
}

/// There whole or not at all.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut file = WholeFile::create(path)?;
    file.write_all(text.as_bytes())?;
    file.finish()
}

/// Every row of a list, page after page.
async fn all<T>(
    read: impl AsyncFn(Page) -> Result<Slice<T>, ViewError>,
) -> Result<Vec<T>, ViewError> {
    let (mut rows, mut after): (Vec<T>, Option<Cursor>) = (vec![], None);
    loop {
        let slice = read(Page::First(PAGE_MAX, after.take())).await?;
        let more = slice.has_more;
        for (cursor, row) in slice.rows {
            after = Some(cursor);
            rows.push(row);
        }
        if !more {
            return Ok(rows);
        }
    }
}

/// Those of that name, or all.
fn named<T>(rows: Vec<T>, names: &[String], name: fn(&T) -> &str) -> anyhow::Result<Vec<T>> {
    for wanted in names {
        ensure!(
            rows.iter().any(|row| name(row) == wanted),
            "there is no {wanted:?}"
        );
    }
    let is_wanted = |row: &T| names.is_empty() || names.iter().any(|wanted| wanted == name(row));
    Ok(rows.into_iter().filter(is_wanted).collect())
}

async fn queues_of(views: &Views, names: &[String]) -> anyhow::Result<Vec<queue_stats::Row>> {
    let rows = all(async |page| views.queues(&page, true).await).await?;
    named(rows, names, |row| &row.name)
}

/// Writes what happened in queues.
pub(super) async fn queues(asked: Queues) -> anyhow::Result<()> {
    let views = views(&asked.stretch.place).await?;
    let spans = asked.stretch.spans(asked.interval)?;
    let queues = queues_of(&views, &asked.queue).await?;
    ensure!(!queues.is_empty(), "there is no queue");
    let now = SystemClock.now();
    let staffing = views.staffing(&spans).await?;
    let mut records = vec![];
    for queue in queues {
        let asked = Asked {
            threshold_ms: asked.threshold_ms,
            fcr_window_days: Some(asked.fcr_window_days),
            ..Asked::of(&queue)
        };
        let rows = views.queue_report(asked, (&spans, &staffing), now).await?;
        records.extend(rows.iter().map(|row| report::queue(&queue.name, row)));
    }
    let columns = records.first().map(report::columns).unwrap_or_default();
    asked.stretch.write(&columns, &records)
}

/// Writes where the time of agents went.
pub(super) async fn agents(asked: Agents) -> anyhow::Result<()> {
    let views = views(&asked.stretch.place).await?;
    let spans = asked.stretch.spans(asked.interval)?;
    let filter = agent_states::Filter::default();
    let rows = all(async |page| views.agents(&filter, &page).await).await?;
    let agents = named(rows, &asked.agent, |row| &row.name)?;
    let now = SystemClock.now();
    let mut records = vec![];
    for agent in &agents {
        let rows = views.agent_report(&[agent.agent], &spans, now).await?;
        records.extend(rows.iter().map(|row| report::agent(&agent.name, row)));
    }
    let span = spans.first().copied().context("there is no interval")?;
    let nobody = AgentReportRow::empty(AgentId(uuid::Uuid::nil()), span);
    let columns = report::columns(&report::agent("", &nobody));
    asked.stretch.write(&columns, &records)
}

/// Writes what became of the seizures of trunks.
pub(super) async fn trunks(asked: Trunks) -> anyhow::Result<()> {
    let views = views(&asked.stretch.place).await?;
    let spans = asked.stretch.spans(asked.interval)?;
    let rows = all(async |page| views.trunks(&page).await).await?;
    let trunks = named(rows, &asked.trunk, |row| &row.name)?;
    // All at once: of each record it is looked at which trunks it went out by.
    let ids: Vec<_> = trunks.iter().map(|trunk| trunk.trunk).collect();
    let rows = views.trunk_report(&ids, &spans).await?;
    let name_of = |id: TrunkId| {
        let trunk = trunks.iter().find(|trunk| trunk.trunk == id);
        trunk.map_or("", |trunk| trunk.name.as_str())
    };
    let records: Vec<_> = rows
        .iter()
        .map(|row| report::trunk(name_of(row.trunk), row))
        .collect();
    let span = spans.first().copied().context("there is no interval")?;
    let nothing = TrunkReportRow::empty(TrunkId(uuid::Uuid::nil()), Direction::Inbound, span);
    let columns = report::columns(&report::trunk("", &nothing));
    asked.stretch.write(&columns, &records)
}

/// Writes who left.
pub(super) async fn abandoned(asked: Abandoned) -> anyhow::Result<()> {
    let views = views(&asked.stretch.place).await?;
    let (from, until) = asked.stretch.range()?;
    let queues = queues_of(&views, &asked.queue).await?;
    let name_of = |id: QueueId| queues.iter().find(|queue| queue.queue == id);
    let filter = visits::Filter {
        queues: queues.iter().map(|queue| queue.queue).collect(),
        from: Some(from),
        until: Some(until),
        with_short: asked.include_short,
    };
    let mut records = vec![];
    for visit in all(async |page| views.abandoned(&filter, &page).await).await? {
        let call = views.call(visit.call).await?;
        let party = call.as_ref().and_then(|call| match call {
            Call::Live(call) => call.caller.party.as_ref(),
            Call::Ended(call) => call.caller.party.as_ref(),
        });
        let queue = name_of(visit.queue).map_or("", |queue| queue.name.as_str());
        let caller = party.map(|party| party.user.as_str());
        let later = views.answered_later(visit.call).await?;
        records.push(report::abandoned(queue, &visit, caller, later.as_ref()));
    }
    asked.stretch.write(&report::ABANDONED, &records)
}
