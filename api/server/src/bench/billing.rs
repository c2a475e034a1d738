//! `ringledger bench billing`: calls rated a second, the arithmetic on one core and the
//! whole of it, from a call that is over to its usage on the record; and an invoice run
//! over usage records on a store that syncs every commit.

mod durable;
mod invoices;

use super::{figures::Table as Figures, process};
use anyhow::{Context as _, ensure};
use commands::{
    ports::{Clock as _, Entropy as _},
    system::{SystemClock, SystemEntropy},
};
use domain::{
    billing::{DeckVersionId, deck, tariff::Tariff},
    calendar::Zone,
    id::DeckId,
    money::{Currency, Decimal, Rounding},
    rating::Table,
};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Instant,
};
use tokio::process::Command;
use uuid::Uuid;

/// Rating and invoicing.
#[derive(Debug, Clone, clap::Args)]
pub struct Billing {
    /// Rows of the deck.
    #[arg(long, default_value_t = 100_000)]
    prefixes: u32,
    /// Calls that are rated.
    #[arg(long, default_value_t = 1_000_000)]
    calls: u32,
    /// Calls that the product rates, each durable.
    #[arg(long, default_value_t = 30_000)]
    rated: u32,
    /// Accounts that are invoiced.
    #[arg(long, default_value_t = 10_000)]
    accounts: u32,
    /// Usage records of each account.
    #[arg(long, default_value_t = 100)]
    records: u32,
    /// `sqlite` for the embedded store, or the `postgres://` url of an empty database.
    #[arg(long, default_value = "sqlite")]
    store: String,
    /// Folder on the disk that is to be measured; a temporary folder is made in it.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Does one step of another bench, in a process of its own.
    #[arg(long, hide = true)]
    step: Option<Step>,
    /// Number of the bench that the step belongs to.
    #[arg(long, hide = true, default_value_t = 0)]
    number: u64,
}

/// A step of the bench whose memory is measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Step {
    /// Writes accounts and usage.
    Seed,
    /// Invoices the month, and prints what that took.
    Invoice,
    /// Writes calls that are over, and prints what rating them took.
    Rate,
}

impl Billing {
    pub(super) fn shown(&self) -> String {
        if self.store.contains("://") {
            "PostgreSQL, every commit durable".into()
        } else {
            "embedded SQLite, fsync on".into()
        }
    }
}

/// Measures and prints.
///
/// # Errors
/// When the store can not be used.
pub(super) async fn run(settings: &Billing) -> anyhow::Result<()> {
    match settings.step {
        Some(Step::Seed) => return invoices::seed(settings).await,
        Some(Step::Invoice) => return invoices::invoice(settings).await?.tell(),
        Some(Step::Rate) => return durable::rate(settings).await?.tell(),
        None => {}
    }
    let mut figures = Figures::default();
    let mut sizes = vec![settings.prefixes];
    while sizes.len() < 3 && sizes.last().is_some_and(|size| *size >= 1_000) {
        sizes.extend(sizes.last().map(|size| size / 10));
    }
    sizes.reverse();
    for size in sizes {
        let rate = rate_calls(size, settings.calls)?;
        figures.row(
            &format!("calls rated a second, one core, deck of {size} prefixes"),
            format!("{rate:.0}"),
            "50000",
        );
    }
    let rated = measure_rating(settings).await?;
    figures.row(
        &format!(
            "calls rated a second by the product, durable, deck of {} prefixes",
            settings.prefixes
        ),
        format!(
            "{:.0} ({} calls in {:.1} s)",
            f64::from(rated.calls) * 1_000.0 / rated.took_ms.max(1) as f64,
            rated.calls,
            rated.took_ms as f64 / 1_000.0
        ),
        "",
    );
    let mut sizes = vec![settings.accounts];
    while sizes.len() < 3 && sizes.last().is_some_and(|size| *size >= 1_000) {
        sizes.extend(sizes.last().map(|size| size / 10));
    }
    sizes.reverse();
    for accounts in sizes {
        let run = measure(settings, accounts).await?;
        let records = accounts * settings.records;
        figures.row(
            &format!("invoice run, {accounts} accounts, {records} usage records"),
            format!(
                "{:.1} s, {:.0} invoices/s, {} MB at most, {} before it began",
                run.took_ms as f64 / 1_000.0,
                f64::from(accounts) * 1_000.0 / run.took_ms as f64,
                run.peak_kib / 1_024,
                run.before_kib / 1_024
            ),
            if records >= 1_000_000 { "60 s" } else { "" },
        );
    }
    figures.print("billing");
    Ok(())
}

/// A small generator of our own: the same deck and numbers on every machine.
struct Luck(u64);

impl Luck {
    const fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn tariff() -> Tariff {
    Tariff {
        first_increment_s: 30,
        next_increment_s: 6,
        ..Tariff::flat(Decimal::of_units(6, 3))
    }
}

fn header() -> deck::Header {
    deck::Header {
        name: "bench".into(),
        currency: Currency::EUR,
        zone: Zone::UTC,
        rounding: Rounding::HalfEven,
        bands: vec![],
    }
}

/// A row of the deck by its number, from 0.
fn deck_row(number: u32) -> deck::Row {
    deck::Row {
        // Different by construction: 1 to 6 digits, and longer ones.
        prefix: format!("{}", 10 + u64::from(number) * 7),
        description: String::new(),
        tariff: tariff(),
        effective_from: None,
        effective_to: None,
        band: None,
    }
}

fn rate_calls(prefixes: u32, calls: u32) -> anyhow::Result<f64> {
    let mut luck = Luck(0x5eed);
    let published = deck::Deck {
        phase: deck::Phase::Published,
        header: Some(header()),
        rows: (0..prefixes).map(deck_row).collect(),
    };
    let id = DeckVersionId {
        deck: DeckId(Uuid::nil()),
        version: 1,
    };
    let table = Table::new(id, published).context("the deck is published")?;
    let numbers: Vec<String> = (0..65_536)
        .map(|_| format!("{}", 10_000_000_000 + luck.next() % 80_000_000_000))
        .collect();
    let at = SystemClock.now();
    let started = Instant::now();
    let (mut sum, mut matched) = (Decimal::ZERO, 0_u32);
    for call in 0..calls {
        let number = &numbers[call as usize % numbers.len()];
        let billable_ms = u64::from(call % 600) * 1_000;
        if let Some(quote) = domain::rating::quote(&table, number, at, Some(billable_ms)) {
            sum = sum + quote.charge.amount;
            matched += 1;
        }
    }
    let took = started.elapsed().as_secs_f64();
    ensure!(matched > 0 && sum > Decimal::ZERO, "calls were rated");
    Ok(f64::from(calls) / took)
}

/// What an invoice run took.
struct Took {
    took_ms: u64,
    /// Memory that was its process' own when it began, and the most while it ran:
    /// without the mapped pages of the store.
    before_kib: u64,
    peak_kib: u64,
}

/// Begins the line that a step tells its figures in.
const TOLD: &str = "invoice run took:";

impl Took {
    fn tell(&self) -> anyhow::Result<()> {
        use std::io::Write as _;
        let Self {
            took_ms,
            before_kib,
            peak_kib,
        } = self;
        writeln!(
            std::io::stdout(),
            "{TOLD} {took_ms} {before_kib} {peak_kib}"
        )?;
        Ok(())
    }

    fn read(text: &str) -> Option<Self> {
        let line = text.lines().find_map(|line| line.strip_prefix(TOLD))?;
        let mut numbers = line.split_whitespace().map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(Self {
            took_ms: next()?,
            before_kib: next()?,
            peak_kib: next()?,
        })
    }
}

/// What rating took, each call durable.
struct Rated {
    calls: u32,
    took_ms: u64,
}

/// Begins the line that the step tells its figures in.
const TOLD_RATED: &str = "rating took:";

impl Rated {
    fn tell(&self) -> anyhow::Result<()> {
        use std::io::Write as _;
        let Self { calls, took_ms } = self;
        writeln!(std::io::stdout(), "{TOLD_RATED} {calls} {took_ms}")?;
        Ok(())
    }

    fn read(text: &str) -> Option<Self> {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(TOLD_RATED))?;
        let (calls, took_ms) = line.trim().split_once(' ')?;
        Some(Self {
            calls: calls.parse().ok()?,
            took_ms: took_ms.parse().ok()?,
        })
    }
}

/// Has the product rate calls, in a process of its own.
async fn measure_rating(settings: &Billing) -> anyhow::Result<Rated> {
    let folder = settings.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::tempdir_in(folder)?;
    let accounts = settings.accounts.min(1_000);
    let told = step(settings, "rate", folder.path(), accounts, 0).await?;
    Rated::read(&told).with_context(|| format!("the rating told nothing: {told}"))
}

/// Seeds and invoices, each in a process of its own, so that the memory of the one
/// is not taken for the other's.
async fn measure(settings: &Billing, accounts: u32) -> anyhow::Result<Took> {
    let folder = settings.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::tempdir_in(folder)?;
    // Accounts of a run before on the same database are not counted again.
    let number = SystemEntropy::default().number();
    step(settings, "seed", folder.path(), accounts, number).await?;
    let told = step(settings, "invoice", folder.path(), accounts, number).await?;
    Took::read(&told).with_context(|| format!("the run told nothing: {told}"))
}

/// One step in a process of its own, and what it told.
async fn step(
    settings: &Billing,
    name: &str,
    folder: &Path,
    accounts: u32,
    number: u64,
) -> anyhow::Result<String> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bench", "billing", "--step", name]);
    command.args(["--store", &settings.store, "--folder"]);
    command.arg(folder);
    for (name, value) in [
        ("--prefixes", settings.prefixes.to_string()),
        ("--rated", settings.rated.to_string()),
        ("--accounts", accounts.to_string()),
        ("--records", settings.records.to_string()),
        ("--number", number.to_string()),
    ] {
        command.args([name, &value]);
    }
    let child = process::spawn(command.stdout(Stdio::piped()))?;
    let output = child.wait_with_output().await?;
    ensure!(
        output.status.success(),
        "the step {name}: {}",
        output.status
    );
    Ok(String::from_utf8(output.stdout)?)
}
