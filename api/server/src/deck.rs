//! `ringledger deck import`: publishes the next version of a deck from a file
//! of any size, on the store of a server that does not run, or beside others on
//! a shared one.

use crate::{back_office::BackOffice, cli::Place, demo::say, progress::Progress, telemetry};
use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand};
use commands::{
    envelope::Envelope,
    ports::{Entropy as _, EventLog, StreamId},
    system::SystemEntropy,
};
use domain::{
    any::{AnyCommand, read_event},
    billing::{
        Command, DeckVersionId,
        deck::{self, Band, Deck, Header, Phase, Row},
    },
    calendar::Zone,
    decider::Decider as _,
    id::{CommandId, DEFAULT_TENANT, DeckId},
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

/// The version that an import makes, and how it stands.
async fn version(
    log: &dyn EventLog,
    header: &Header,
    rows: &[Row],
) -> anyhow::Result<(DeckVersionId, Deck)> {
    let mut id = DeckVersionId {
        deck: DeckId::named(DEFAULT_TENANT, &header.name),
        version: 1,
    };
    loop {
        let there = folded(log, id).await?;
        let is_this = there.header.as_ref() == Some(header);
        let is_last = folded(log, next(id)).await?.phase == Phase::Unborn;
        match there.phase {
            Phase::Unborn => return Ok((id, there)),
            // The same again: it was cut off, or it is there already.
            Phase::Open if is_this && rows.starts_with(&there.rows) => return Ok((id, there)),
            Phase::Published if is_this && is_last && rows == there.rows => {
                return Ok((id, there));
            }
            Phase::Open | Phase::Published | Phase::Retired => id = next(id),
        }
    }
}

const fn next(id: DeckVersionId) -> DeckVersionId {
    DeckVersionId {
        deck: id.deck,
        version: id.version + 1,
    }
}

async fn folded(log: &dyn EventLog, id: DeckVersionId) -> anyhow::Result<Deck> {
    let mut deck = Deck::default();
    for recorded in log
        .read_stream(&StreamId::new(Deck::CATEGORY, id), 0)
        .await?
    {
        let (at, event) = read_event(
            &recorded.event_type,
            recorded.event_version,
            &recorded.payload,
        )?;
        deck = Deck::evolve(deck, at, &event);
    }
    Ok(deck)
}

async fn publish(office: &BackOffice, header: Header, rows: &[Row]) -> anyhow::Result<String> {
    let name = header.name.clone();
    let (id, there) = version(office.log().as_ref(), &header, rows).await?;
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
