//! `ringledger whatif`: the callers of the record once more, under another
//! staffing or strategy, beside what was.

use crate::{
    cli::Place,
    export::{Interval, instant},
    progress::Progress,
};
use anyhow::{Context as _, ensure};
use chrono_tz::Tz;
use commands::{
    feed::understand,
    ports::{EventLog, Position},
};
use domain::{id::QueueId, queue::Strategy, time::Timestamp};
use projections::{
    queue_stats::{Counters, ServiceLevel},
    report::{Span, spans},
};
use sim::whatif::{self, Change, Day, Recorder};
use std::process::ExitCode;

/// Events read at once.
const PAGE: usize = 5_000;
/// Agents more or less at most.
const AGENTS_MAX: i32 = 10_000;

/// What is asked.
#[derive(Debug, clap::Args)]
pub struct WhatIf {
    /// First instant of the stretch: RFC 3339, or a day.
    #[arg(long)]
    from: String,
    /// First instant after it: RFC 3339, or a day.
    #[arg(long)]
    to: String,
    /// So many agents more, who are there all the time; `-2` for two less.
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    agents: i32,
    /// The strategy of all queues, as in the configuration: `longest_idle`, ..
    #[arg(long, value_parser = strategy)]
    strategy: Option<Strategy>,
    /// Only the figures of this queue.
    #[arg(long)]
    queue: Option<String>,
    /// How long an interval is.
    #[arg(long, value_enum, default_value = "hour")]
    interval: Interval,
    /// Time zone of days and intervals, and of instants that are not in UTC.
    #[arg(long, default_value = "UTC")]
    zone: Tz,
    #[command(flatten)]
    place: Place,
}

fn strategy(text: &str) -> Result<Strategy, String> {
    serde_json::from_value(serde_json::Value::String(text.into()))
        .map_err(|error| error.to_string())
}

/// Reads the record, lives it again twice, and prints three reports side by side.
///
/// # Errors
/// Names what is wrong with the question or the record.
pub async fn run(asked: &WhatIf) -> anyhow::Result<ExitCode> {
    let (from, until) = (
        instant(&asked.from, asked.zone).context("--from")?,
        instant(&asked.to, asked.zone).context("--to")?,
    );
    ensure!(
        asked.agents.abs() <= AGENTS_MAX,
        "--agents is {}: at most {AGENTS_MAX} more or less",
        asked.agents
    );
    let spans = spans(from, until, asked.interval.into(), asked.zone)?;
    let look = store::look(&asked.place.store_url()?)
        .await
        .context("store can not be opened")?;
    let day = record(look.log.as_ref(), from, until).await?;
    ensure!(
        !day.callers.is_empty(),
        "nobody came to a queue between {from} and {until}"
    );
    let queue = match &asked.queue {
        Some(name) => Some(queue(&day, name)?),
        None => None,
    };
    let change = Change {
        agents: asked.agents,
        strategy: asked.strategy,
    };
    let unchanged = whatif::rerun(&day, Change::default())?;
    let changed = whatif::rerun(&day, change)?;
    let measure = |queue: QueueId| match day.queues.get(&queue) {
        Some((_, config)) => config.measure(),
        None => domain::queue::Config::default().measure(),
    };
    let figures = [&day.lived, &unchanged, &changed]
        .map(|lived| whatif::count(lived, queue, measure, &spans));
    tell(&heads());
    let mut sums = [Counters::default(); 3];
    for index in 0..=spans.len() {
        let of_interval = figures
            .each_ref()
            .map(|each| each.get(index).map(|one| one.counters).unwrap_or_default());
        for (sum, one) in sums.iter_mut().zip(&of_interval) {
            *sum = sum.plus(one);
        }
        let name = spans
            .get(index)
            .map_or_else(|| "later".into(), |span| shown(*span, asked.zone));
        tell(&line(&name, &of_interval));
    }
    tell(&line("together", &sums));
    tell(&error(&sums));
    Ok(ExitCode::SUCCESS)
}

async fn record(log: &dyn EventLog, from: Timestamp, until: Timestamp) -> anyhow::Result<Day> {
    let mut recorder = Recorder::new(from, until);
    let head = log.head().await?;
    let progress = Progress::of("events");
    let mut after = Position::default();
    loop {
        let page = log.read_all(after, PAGE).await?;
        if page.events.is_empty() {
            break;
        }
        after = page.next;
        for event in page.events {
            recorder.note(&understand(event)?.fact);
        }
        progress.at(after.0, head.0);
    }
    Ok(recorder.finish())
}

fn queue(day: &Day, name: &str) -> anyhow::Result<QueueId> {
    let known = day.queues.iter().find(|(_, (known, _))| known == name);
    let names = || {
        let names: Vec<_> = day.queues.values().map(|(name, _)| name.as_str()).collect();
        names.join(", ")
    };
    known
        .map(|(id, _)| *id)
        .with_context(|| format!("--queue {name:?} is none of {}", names()))
}

fn shown(span: Span, zone: Tz) -> String {
    let start = chrono::DateTime::from_timestamp_micros(span.start.micros()).unwrap_or_default();
    start.with_timezone(&zone).format("%F %H:%M").to_string()
}

fn heads() -> String {
    let one = format!(
        "{:>7}{:>7}{:>7}{:>6}{:>6}{:>7}{:>8}",
        "O", "A", "AB", "FO", "R", "SL %", "ASA s"
    );
    format!(
        "{:<17}  {:<48}  {:<48}  {:<48}\n{:<17}  {one}  {one}  {one}",
        "", "recorded", "lived again, unchanged", "lived again, changed", "from"
    )
}

fn line(name: &str, figures: &[Counters; 3]) -> String {
    let each = figures.each_ref().map(|one| {
        let (part, whole) = one.service_level_parts(ServiceLevel::AbandonCounted);
        let level = (part * 1_000).checked_div(whole);
        let level = level.map_or_else(|| "-".into(), tenths);
        let speed = one.average_speed_of_answer_ms();
        let speed = speed.map_or_else(|| "-".into(), |ms| tenths(ms / 100));
        format!(
            "{:>7}{:>7}{:>7}{:>6}{:>6}{level:>7}{speed:>8}",
            one.offered_count,
            one.answered_count,
            one.abandoned_count,
            one.flow_out_count,
            one.rejected_count
        )
    });
    format!("{name:<17}  {}", each.join("  "))
}

fn tenths(number: u64) -> String {
    format!("{}.{}", number / 10, number % 10)
}

/// How far an unchanged policy is from the record: what a changed one says is
/// no nearer.
fn error(sums: &[Counters; 3]) -> String {
    let [recorded, unchanged, _] = sums;
    let differs = recorded.answered_count.abs_diff(unchanged.answered_count)
        + recorded.abandoned_count.abs_diff(unchanged.abandoned_count);
    let permille = (differs * 1_000).checked_div(2 * recorded.offered_count);
    format!(
        "error    unchanged, {} % of the callers end in another way than on the record",
        tenths(permille.unwrap_or(0))
    )
}

#[allow(clippy::print_stdout, reason = "the command line speaks to a person")]
fn tell(line: &str) {
    println!("{line}");
}
