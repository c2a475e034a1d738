//! `ringledger export`: records as files, beside a server that runs or after
//! it has stopped.

mod reports;

pub(crate) use reports::Interval;

use crate::{
    cli::Place,
    demo::say,
    progress::Progress,
    whole_file::{WholeFile, with_ending},
};
use anyhow::{Context as _, ensure};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone as _};
use chrono_tz::Tz;
use clap::{Args, Subcommand, ValueEnum};
use documents::cdr_export::{Export, Format, Order};
use domain::time::Timestamp;
use projections::{cdr::Filter, changed::View, views::Views};
use std::{io::Write as _, path::PathBuf, process::ExitCode};

/// What to write.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Records of ended calls, with a manifest beside the file.
    Cdrs(Box<Cdrs>),
    /// What happened in queues, by interval.
    QueueReport(reports::Queues),
    /// Where the time of agents went, by interval.
    AgentReport(reports::Agents),
    /// What became of the seizures of trunks, by interval.
    TrunkReport(reports::Trunks),
    /// Callers who left before an agent was there.
    AbandonedCalls(reports::Abandoned),
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Written {
    /// RFC 4180 in UTF-8, with a header.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

/// Which records, how, and where to.
#[derive(Debug, Args)]
pub struct Cdrs {
    /// Calls that started at this instant or later: RFC 3339, or a day.
    #[arg(long)]
    from: Option<String>,
    /// Calls that started before this instant: RFC 3339, or a day.
    #[arg(long)]
    to: Option<String>,
    /// Calls with this tag.
    #[arg(long)]
    tag: Option<String>,
    /// How rows are written.
    #[arg(long, value_enum, default_value = "csv")]
    format: Written,
    /// A row for each leg, not for each call.
    #[arg(long)]
    legs: bool,
    /// Without what calls cost.
    #[arg(long)]
    without_prices: bool,
    /// Time zone of days, and of the instants that are not in UTC.
    #[arg(long, default_value = "UTC")]
    zone: Tz,
    /// As the records stood when the log had got so far; as they stand without.
    #[arg(long)]
    position: Option<u64>,
    /// The file; `FILE.manifest.json` is written beside it.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// Writes what was asked for.
///
/// # Errors
/// When the store can not be read, or the file not written. A file of that
/// name is there only when it is whole.
pub async fn run(what: What) -> anyhow::Result<ExitCode> {
    match what {
        What::Cdrs(cdrs) => {
            let views = views(&cdrs.place).await?;
            write(views, *cdrs).await?;
        }
        What::QueueReport(asked) => reports::queues(asked).await?,
        What::AgentReport(asked) => reports::agents(asked).await?,
        What::TrunkReport(asked) => reports::trunks(asked).await?,
        What::AbandonedCalls(asked) => reports::abandoned(asked).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The read models of a store, beside whoever writes them.
pub(crate) async fn views(place: &Place) -> anyhow::Result<Views> {
    let look = store::look(&place.store_url()?)
        .await
        .context("store can not be read")?;
    let read = look
        .read
        .context("there are no read models: a server that starts makes them")?;
    Ok(projections::offline::open(look.log, read).await?)
}

/// How far the records and prices are that will be read.
fn known(views: &Views) -> anyhow::Result<u64> {
    let progress = views.progress();
    let reached = [View::Cdr, View::Charges].map(|view| {
        let status = progress.iter().find(|status| status.view == view);
        let status = status.context("there are no records of calls")?;
        match &status.parked {
            None => Ok(status.position.0),
            Some(parked) => anyhow::bail!(
                "the records of calls can not be read: {}; a server that starts makes them anew",
                parked.reason
            ),
        }
    });
    let [records, prices] = reached;
    Ok(records?.min(prices?))
}

async fn write(views: Views, cdrs: Cdrs) -> anyhow::Result<()> {
    let known = known(&views)?;
    let position = cdrs.position.unwrap_or(known);
    ensure!(
        position <= known,
        "the records have got as far as position {known}, not {position}"
    );
    let instant = |text: &Option<String>, name: &str| {
        let text = text.as_deref();
        text.map(|text| instant(text, cdrs.zone).with_context(|| format!("--{name}")))
            .transpose()
    };
    let order = Order {
        filter: Filter {
            from: instant(&cdrs.from, "from")?,
            until: instant(&cdrs.to, "to")?,
            tag: cdrs.tag,
            ..Filter::default()
        },
        format: match cdrs.format {
            Written::Csv => Format::Csv,
            Written::Jsonl => Format::Jsonl,
        },
        legs: cdrs.legs,
        zone: cdrs.zone,
        position,
        without_prices: cdrs.without_prices,
    };
    let total = views.cdrs_as_of_count(&order.filter, position).await?;
    let progress = Progress::of("calls");
    let mut export = Export::new(views, order);
    let mut file = WholeFile::create(&cdrs.out)?;
    while let Some(piece) = export.next().await? {
        file.write_all(&piece)?;
        progress.at(export.calls_count(), total);
    }
    drop(progress);
    let manifest = export.manifest();
    let text = format!("{}\n", serde_json::to_string_pretty(&manifest)?);
    file.finish_with(&with_ending(&cdrs.out, ".manifest.json"), &text)?;
    say(&format!(
        "{} rows, {} bytes, as of position {}\nsha256 {}",
        manifest.rows, manifest.bytes, manifest.order.position, manifest.sha256
    ));
    Ok(())
}

/// An instant, or the start of a day in that zone.
pub(crate) fn instant(text: &str, zone: Tz) -> anyhow::Result<Timestamp> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        // Where clocks are set at midnight, a day begins at its first instant.
        let start = day.and_time(NaiveTime::MIN);
        let hours = (0..24).filter_map(|hour| {
            let local = start + chrono::TimeDelta::hours(hour);
            zone.from_local_datetime(&local).earliest()
        });
        let first = hours.min().context("that day does not exist there")?;
        return Ok(Timestamp::from_micros(first.timestamp_micros()));
    }
    let instant = DateTime::parse_from_rfc3339(text)
        .with_context(|| format!("{text:?} is neither a day nor an instant of RFC 3339"))?;
    Ok(Timestamp::from_micros(instant.timestamp_micros()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, zone: Tz, expected: &str) {
        assert_eq!(instant(text, zone).unwrap().to_string(), expected);
    }

    #[test]
    fn a_day_begins_in_its_zone_and_an_instant_is_one_everywhere() {
        let berlin = chrono_tz::Europe::Berlin;
        check("2026-10-01", Tz::UTC, "2026-10-01T00:00:00.000000Z");
        check("2026-10-01", berlin, "2026-09-30T22:00:00.000000Z");
        check("2026-12-01", berlin, "2026-11-30T23:00:00.000000Z");
        check(
            "2026-10-01T02:00:00+02:00",
            berlin,
            "2026-10-01T00:00:00.000000Z",
        );
        // Midnight was left out there that day.
        check(
            "2018-11-04",
            chrono_tz::America::Sao_Paulo,
            "2018-11-04T03:00:00.000000Z",
        );
        assert!(instant("tomorrow", berlin).is_err());
        assert!(instant("2026-13-01", berlin).is_err());
    }
}
