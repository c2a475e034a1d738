//! `ringledger bench billing`: calls rated a second on one core, and an invoice
//! run over usage records on a store that syncs every commit.

use super::figures::Table as Figures;
use anyhow::Context as _;
use commands::{
    bookkeeping::Bookkeeping,
    envelope::Envelope,
    gateway::Gateway,
    invoice_run,
    ports::{Clock, Entropy},
    processes,
    rater::Rater,
    system::{SystemClock, SystemEntropy},
    writer::Writer,
};
use domain::{
    any::AnyCommand,
    billing::{
        Command, DeckVersionId, UsageId, UsageType, account, deck, plan, seller,
        tariff::Tariff,
        tax::{TaxCategory, TaxRate},
        usage,
    },
    calendar::{Cycle, Period, Zone},
    id::{AccountId, CallId, CommandId, DEFAULT_TENANT, DeckId, LegId, PlanId},
    money::{Currency, Decimal, Rounding},
    process::invoicing::Invoicing,
    rating::Table,
    time::Timestamp,
};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::oneshot, task::JoinSet};
use uuid::Uuid;

/// Commands under way while usage is written.
const AT_ONCE: usize = 256;
/// The month that is invoiced.
const PERIOD: &str = "2026-10";

/// Rating and invoicing.
#[derive(Debug, Clone, clap::Args)]
pub struct Billing {
    /// Rows of the deck.
    #[arg(long, default_value_t = 100_000)]
    prefixes: u32,
    /// Calls that are rated.
    #[arg(long, default_value_t = 1_000_000)]
    calls: u32,
    /// Accounts that are invoiced; each has a hundred usage records.
    #[arg(long, default_value_t = 10_000)]
    accounts: u32,
    /// `sqlite` for the embedded store, or the `postgres://` url of an empty database.
    #[arg(long, default_value = "sqlite")]
    store: String,
    /// Folder on the disk that is to be measured; a temporary folder is made in it.
    #[arg(long)]
    folder: Option<PathBuf>,
}

const RECORDS_EACH: u32 = 100;

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
    let mut sizes = vec![settings.accounts];
    while sizes.len() < 3 && sizes.last().is_some_and(|size| *size >= 1_000) {
        sizes.extend(sizes.last().map(|size| size / 10));
    }
    sizes.reverse();
    for accounts in sizes {
        let run = invoice(settings, accounts).await?;
        let records = accounts * RECORDS_EACH;
        figures.row(
            &format!("invoice run, {accounts} accounts, {records} usage records"),
            format!(
                "{:.1} s, {:.0} invoices/s, {} MB resident at most",
                run.took.as_secs_f64(),
                f64::from(accounts) / run.took.as_secs_f64(),
                run.resident_mb
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

fn rate_calls(prefixes: u32, calls: u32) -> anyhow::Result<f64> {
    let mut luck = Luck(0x5eed);
    let rows = (0..prefixes)
        .map(|number| deck::Row {
            // Different by construction: 1 to 6 digits, and longer ones.
            prefix: format!("{}", 10 + u64::from(number) * 7),
            description: String::new(),
            tariff: tariff(),
            effective_from: None,
            effective_to: None,
            band: None,
        })
        .collect();
    let header = deck::Header {
        name: "bench".into(),
        currency: Currency::EUR,
        zone: Zone::UTC,
        rounding: Rounding::HalfEven,
        bands: vec![],
    };
    let published = deck::Deck {
        phase: deck::Phase::Published,
        header: Some(header),
        rows,
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
    anyhow::ensure!(matched > 0 && sum > Decimal::ZERO, "calls were rated");
    Ok(f64::from(calls) / took)
}

struct Took {
    took: Duration,
    resident_mb: u64,
}

async fn invoice(settings: &Billing, accounts: u32) -> anyhow::Result<Took> {
    let folder = settings.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::tempdir_in(folder)?;
    let url = if settings.store.contains("://") {
        settings.store.clone()
    } else {
        format!("sqlite:{}", folder.path().display())
    };
    let stores = store::open(&url).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::default());
    let (writer, feed) = Writer::start(stores.log.clone(), clock.clone()).await?;
    let books = Bookkeeping::kept(feed.clone(), stores.read.clone()).await?;
    let rater = Rater::new(
        books.clone(),
        feed.clone(),
        stores.log.clone(),
        stores.vault.clone(),
    );
    let gateway = Gateway::new(stores.log.clone(), writer, entropy.clone(), 1);
    gateway.rate_with(rater);
    // Accounts of a run before on the same database are not counted again.
    let run = entropy.number();
    seed(&gateway, clock.as_ref(), entropy.as_ref(), run, accounts).await?;
    let means = processes::Means {
        gateway: gateway.clone(),
        feed: feed.clone(),
        store: stores.read.clone(),
        clock: clock.clone(),
    };
    let mut process = processes::Runner::<Invoicing>::load(means).await?;
    process.fold_silently(None).await?;
    let (stop, stopped) = oneshot::channel();
    let process = tokio::spawn(process.run(stopped));
    let means = invoice_run::Means {
        gateway,
        books,
        feed,
        log: stores.log.clone(),
        clock,
        actor: "bench".into(),
    };
    let period: Period = PERIOD.parse()?;
    let ids = (0..accounts)
        .map(|number| account_of(run, number))
        .collect();
    let started = Instant::now();
    let report = invoice_run::run(&means, period, Some(ids), |_, _| {}).await?;
    anyhow::ensure!(report.failed.is_empty(), "{:?}", report.failed.first());
    let is_settled = invoice_run::settled(&means, period, Duration::from_secs(600)).await;
    anyhow::ensure!(is_settled, "every invoice is issued and posted");
    let took = started.elapsed();
    // It only listens; a process that stopped is no figure.
    let _ = stop.send(());
    process.await??;
    Ok(Took {
        took,
        resident_mb: super::process::status_number(std::process::id(), "VmHWM")? / 1_024,
    })
}

fn account_of(run: u64, number: u32) -> AccountId {
    AccountId::named(DEFAULT_TENANT, &format!("bench-{run}-{number}"))
}

async fn seed(
    gateway: &Gateway,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    run: u64,
    accounts: u32,
) -> anyhow::Result<()> {
    let envelope = |command: Command| Envelope {
        command: AnyCommand::Billing(Box::new(command)),
        command_id: CommandId(entropy.uuid(clock.now())),
        at: clock.now(),
        correlation_id: Uuid::nil(),
        causation_id: Uuid::nil(),
        actor: "bench".into(),
        tenant: DEFAULT_TENANT,
    };
    let plan_id = PlanId::named(DEFAULT_TENANT, "bench");
    let seller = seller::Command::Configure { config: seller() };
    gateway
        .dispatch(envelope(Command::Seller(DEFAULT_TENANT, seller)))
        .await?;
    let plan = plan::Command::Configure {
        name: "bench".into(),
        config: plan(),
    };
    gateway
        .dispatch(envelope(Command::Plan(plan_id, plan)))
        .await?;
    let mut writing = JoinSet::new();
    for number in 0..accounts {
        let id = account_of(run, number);
        let usage_id = UsageId {
            account: id,
            period: PERIOD.parse()?,
        };
        let cdr = CallId(entropy.uuid(clock.now()));
        let open = account::Command::Open {
            name: format!("bench-{run}-{number}"),
            profile: profile(),
        };
        let subscribe = account::Command::Subscribe {
            plan: plan_id,
            effective: usage_id.period.start(),
        };
        let record = usage::Command::Record {
            cdr,
            records: (0..RECORDS_EACH)
                .map(|leg| record(cdr, plan_id, usage_id.period, leg))
                .collect(),
            reversed: vec![],
            reason: None,
        };
        for command in [
            Command::Account(id, open),
            Command::Account(id, subscribe),
            Command::Usage(usage_id, record),
        ] {
            let pending = gateway.submit(envelope(command));
            writing.spawn(async move { pending.wait().await });
        }
        while writing.len() > AT_ONCE {
            if let Some(written) = writing.join_next().await {
                written??;
            }
        }
    }
    while let Some(written) = writing.join_next().await {
        written??;
    }
    Ok(())
}

fn record(cdr: CallId, plan: PlanId, period: Period, leg: u32) -> usage::Record {
    let start = Zone::UTC.start_of(period.start());
    let seconds = u64::from(leg % 50) * 7 + 1;
    let charge = tariff().charge(Some(seconds * 1_000), Rounding::HalfEven);
    let answered_at: Timestamp = start.plus_ms(u64::from(leg) * 1_000_000);
    usage::Record {
        cdr,
        revision: 1,
        leg: LegId(Uuid::from_u128(u128::from(leg))),
        usage_type: UsageType::InboundMinutes,
        answered_at,
        ended_at: answered_at.plus_ms(seconds * 1_000),
        quantity: charge.billed_s,
        tariff: tariff(),
        amount: charge.amount,
        currency: Currency::EUR,
        plan,
        plan_version: 1,
        matched: None,
        of_period: None,
    }
}

fn profile() -> account::Profile {
    account::Profile {
        currency: Currency::EUR,
        zone: Zone::UTC,
        country: "DE".into(),
        calling_code: "49".into(),
        tax_id: None,
        holder: None,
        payment_mode: account::PaymentMode::Postpaid,
        is_auto_pay: false,
        owned: account::Owned::default(),
    }
}

fn plan() -> plan::Config {
    let term = plan::Term {
        price: plan::Price::Flat(tariff()),
        included: 600,
        minimum_charge: Decimal::ZERO,
    };
    plan::Config {
        currency: Currency::EUR,
        cycle: Cycle::Monthly,
        recurring_fee: Decimal::whole(10),
        is_tax_inclusive: false,
        tax_category: TaxCategory::Standard,
        rounding: Rounding::HalfEven,
        terms: BTreeMap::from([(UsageType::InboundMinutes, term)]),
    }
}

fn seller() -> seller::Config {
    seller::Config {
        name: "Bench".into(),
        address: vec![],
        country: "DE".into(),
        tax_id: "DE123456789".into(),
        payment_lines: vec![],
        tax_rates: vec![TaxRate {
            country: "DE".into(),
            category: TaxCategory::Standard,
            percent: Decimal::whole(19),
            from: "2021-01-01".parse().unwrap_or_default(),
            to: None,
        }],
        invoice_prefix: "INV-".into(),
        credit_note_prefix: "CN-".into(),
        is_yearly_series: false,
        due_days: 14,
        dunning: seller::Dunning::default(),
        slice_s: 60,
        emergency_numbers: vec![],
    }
}
