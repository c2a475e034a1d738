//! `ringledger deck import`: publishes the next version of a deck from a file
//! of any size, on the store of a server that does not run, or beside others on
//! a shared one.

use crate::{back_office::BackOffice, cli::Place, demo::say, progress::Progress, telemetry};
use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand};
use commands::{deck_import, envelope::Envelope, ports::Entropy as _, system::SystemEntropy};
use domain::{
    any::AnyCommand,
    billing::{
        Command,
        deck::{self, Band, Header, Phase, Row},
    },
    calendar::Zone,
    id::{CommandId, DEFAULT_TENANT},
    money::{Currency, Rounding},
};
use std::{path::PathBuf, process::ExitCode};

/// The name of an import among the nodes.
const NAME: &str = "deck-import";

/// What is done about decks.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Publish the next version of a deck from CSV; all faults are told by line,
    /// and nothing is done when there is one.
    Import(Import),
}

/// What is imported, and as what.
#[derive(Debug, Args)]
pub struct Import {
    /// CSV with a header: prefix and rate, and more columns.
    file: PathBuf,
    /// Name of the deck.
    #[arg(long)]
    name: String,
    /// Of every price, for example EUR.
    #[arg(long)]
    currency: Currency,
    /// Where its bands and days are meant.
    #[arg(long, default_value = "UTC")]
    zone: Zone,
    /// How amounts are rounded: half-even, half-up or up.
    #[arg(long, default_value = "half-even", value_parser = rounding)]
    rounding: Rounding,
    /// A stretch of the week that rows name, as NAME:DAYS:FROM-TO with days 0
    /// (Monday) to 6 and minutes of the day, for example night:0123456:0-480.
    #[arg(long = "band", value_parser = band)]
    bands: Vec<Band>,
    #[command(flatten)]
    place: Place,
}

fn rounding(text: &str) -> Result<Rounding, String> {
    match text {
        "half-even" => Ok(Rounding::HalfEven),
        "half-up" => Ok(Rounding::HalfUp),
        "up" => Ok(Rounding::Up),
        _ => Err("is not half-even, half-up or up".into()),
    }
}

fn band(text: &str) -> Result<Band, String> {
    let fields: Vec<&str> = text.split(':').collect();
    let form = || "has not the form NAME:DAYS:FROM-TO".to_owned();
    let [name, days, minutes] = fields[..] else {
        return Err(form());
    };
    let (from, to) = minutes.split_once('-').ok_or_else(form)?;
    let minute = |text: &str| text.parse::<u16>().map_err(|_| form());
    let day = |letter: char| letter.to_digit(10).and_then(|day| u8::try_from(day).ok());
    Ok(Band {
        name: name.to_owned(),
        weekdays: days
            .chars()
            .map(day)
            .collect::<Option<_>>()
            .ok_or_else(form)?,
        from_minute: minute(from)?,
        to_minute: minute(to)?,
    })
}

/// Does what was asked for.
///
/// # Errors
/// When the file can not be read, a row or the header is wrong, or the store can
/// not be used.
pub async fn run(what: What) -> anyhow::Result<ExitCode> {
    let What::Import(import) = what;
    let header = Header {
        name: import.name,
        currency: import.currency,
        zone: import.zone,
        rounding: import.rounding,
        bands: import.bands,
    };
    let file = import.file.display();
    let text = std::fs::read_to_string(&import.file).with_context(|| file.to_string())?;
    let rows = match deck::import::read(&header, &text) {
        Ok(rows) => rows,
        Err(faults) => {
            faults
                .iter()
                .for_each(|fault| say(&format!("{file}: {fault}")));
            bail!("{} rows are wrong: nothing was done", faults.len());
        }
    };
    ensure!(!rows.is_empty(), "{file} has no rows: nothing was done");
    let config = import.place.load()?;
    telemetry::start_logs(&config.log)?;
    let office = BackOffice::open(NAME, &config, &import.place.data).await?;
    let published = publish(&office, header, &rows).await;
    office.close().await;
    say(&published?);
    Ok(ExitCode::SUCCESS)
}

async fn publish(office: &BackOffice, header: Header, rows: &[Row]) -> anyhow::Result<String> {
    let name = header.name.clone();
    let log = office.log();
    let found = deck_import::version(log.as_ref(), DEFAULT_TENANT, &header, rows).await?;
    let (id, there) = found.next.context("currency")?;
    let (version, count) = (id.version, rows.len());
    if there.phase == Phase::Published {
        return Ok(format!(
            "{name}: version {version} has these {count} rows already"
        ));
    }
    let entropy = SystemEntropy::default();
    let commands = deck::import::commands(header, rows);
    let all = commands.len() as u64;
    let progress = Progress::of("steps");
    for (done, command) in (1..).zip(commands) {
        let at = office.means.clock.now();
        let envelope = Envelope {
            command: AnyCommand::Billing(Box::new(Command::Deck(id, command))),
            command_id: CommandId(entropy.uuid(at)),
            at,
            correlation_id: id.deck.0,
            causation_id: id.deck.0,
            actor: "cli".into(),
            tenant: DEFAULT_TENANT,
        };
        office.means.gateway.dispatch(envelope).await?;
        progress.at(done, all);
    }
    drop(progress);
    Ok(format!(
        "{name}: version {version} with {count} rows is published"
    ))
}
