//! The steps of the invoice run's bench: accounts with usage are written, then
//! their month is invoiced.

use super::{Billing, Took, tariff};
use crate::bench::process::status_number;
use anyhow::ensure;
use commands::{
    bookkeeping::Bookkeeping,
    envelope::Envelope,
    feed::Feed,
    gateway::Gateway,
    invoice_run,
    ports::{Clock, Entropy},
    processes,
    system::{SystemClock, SystemEntropy},
    writer::Writer,
};
use domain::{
    any::AnyCommand,
    billing::{
        Command, UsageId, UsageType, account, plan, seller,
        tax::{TaxCategory, TaxRate},
        usage,
    },
    calendar::{Cycle, Period, Zone},
    id::{AccountId, CallId, CommandId, DEFAULT_TENANT, LegId, PlanId},
    money::{Currency, Decimal, Rounding},
    process::{Process, invoicing::Invoicing, rating::RatingProcess},
    time::Timestamp,
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::oneshot, task::JoinSet};
use uuid::Uuid;

/// Commands under way while usage is written.
const AT_ONCE: usize = 256;
/// Usage records of one command at most.
const RECORDS_AT_ONCE: u32 = 100;
/// How often memory is looked at.
const WATCH_EVERY: Duration = Duration::from_millis(10);
/// The month that is invoiced.
const PERIOD: &str = "2026-10";

/// The write side of a step.
pub(super) struct Node {
    pub(super) stores: store::Stores,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) feed: Feed,
    pub(super) gateway: Gateway,
}

pub(super) async fn open(settings: &Billing) -> anyhow::Result<Node> {
    let folder = settings.folder.clone().unwrap_or_else(std::env::temp_dir);
    let url = if settings.store.contains("://") {
        settings.store.clone()
    } else {
        format!("sqlite:{}", folder.display())
    };
    let stores = store::open(&url).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::default());
    let (writer, feed) = Writer::start(stores.log.clone(), clock.clone()).await?;
    let gateway = Gateway::new(stores.log.clone(), writer, entropy.clone(), 1);
    Ok(Node {
        stores,
        clock,
        entropy,
        feed,
        gateway,
    })
}

/// Memory of this process that is its own, in KiB: without the pages of the store
/// that are mapped, which the system takes back when it needs them.
fn own_kib() -> anyhow::Result<u64> {
    status_number(std::process::id(), "RssAnon")
}

/// The most that [`watch`] has seen.
static PEAK_KIB: AtomicU64 = AtomicU64::new(0);

/// Looks at the memory until it is stopped: the system keeps the most of all pages
/// only, the mapped ones with them.
async fn watch(mut peak_kib: u64) {
    loop {
        peak_kib = own_kib().unwrap_or_default().max(peak_kib);
        PEAK_KIB.store(peak_kib, Ordering::Relaxed);
        tokio::time::sleep(WATCH_EVERY).await;
    }
}

pub(super) async fn invoice(settings: &Billing) -> anyhow::Result<Took> {
    let node = open(settings).await?;
    let books = Bookkeeping::kept(node.feed.clone(), node.stores.read.clone()).await?;
    let means = processes::Means {
        gateway: node.gateway.clone(),
        feed: node.feed.clone(),
        store: node.stores.read.clone(),
        clock: node.clock.clone(),
    };
    let (stop_rating, stopped) = oneshot::channel();
    let rating = tokio::spawn(folded::<RatingProcess>(&means).await?.run(stopped));
    let (stop, stopped) = oneshot::channel();
    let process = tokio::spawn(folded::<Invoicing>(&means).await?.run(stopped));
    let means = invoice_run::Means {
        gateway: node.gateway,
        books,
        feed: node.feed,
        log: node.stores.log.clone(),
        store: node.stores.read.clone(),
        clock: node.clock,
        actor: "bench".into(),
    };
    let period: Period = PERIOD.parse()?;
    let ids = (0..settings.accounts)
        .map(|number| account_of(settings.number, number))
        .collect();
    let before_kib = own_kib()?;
    let watched = tokio::spawn(watch(before_kib));
    let started = Instant::now();
    let report = invoice_run::run(&means, period, Some(ids), |_, _| {}).await?;
    ensure!(report.failed.is_empty(), "{:?}", report.failed.first());
    let is_settled = invoice_run::settled(&means, period, Duration::from_secs(600)).await;
    ensure!(is_settled, "every invoice is issued and posted");
    let took = started.elapsed();
    watched.abort();
    // It only listens; a process that stopped is no figure.
    let _ = stop.send(());
    let _ = stop_rating.send(());
    process.await??;
    rating.await??;
    Ok(Took {
        took_ms: u64::try_from(took.as_millis())?,
        before_kib,
        peak_kib: PEAK_KIB.load(Ordering::Relaxed),
    })
}

/// The process as it is after all that is on the record.
async fn folded<P: Process>(means: &processes::Means) -> anyhow::Result<processes::Runner<P>> {
    let mut process = processes::Runner::<P>::load(means.clone()).await?;
    process.fold_silently(None).await?;
    Ok(process)
}

fn account_of(run: u64, number: u32) -> AccountId {
    AccountId::named(DEFAULT_TENANT, &format!("bench-{run}-{number}"))
}

pub(super) async fn seed(settings: &Billing) -> anyhow::Result<()> {
    let Node {
        clock,
        entropy,
        gateway,
        stores: _stores,
        ..
    } = open(settings).await?;
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
    for number in 0..settings.accounts {
        let id = account_of(settings.number, number);
        let mut commands = opening(settings, number, plan_id, PERIOD.parse()?);
        commands.extend(usage_of(settings, id, plan_id, PERIOD.parse()?, || {
            CallId(entropy.uuid(clock.now()))
        }));
        for command in commands {
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

/// An account with its plan.
fn opening(settings: &Billing, number: u32, plan: PlanId, period: Period) -> Vec<Command> {
    let id = account_of(settings.number, number);
    let open = account::Command::Open {
        name: format!("bench-{}-{number}", settings.number),
        profile: profile(),
    };
    let subscribe = account::Command::Subscribe {
        plan,
        effective: period.start(),
    };
    vec![Command::Account(id, open), Command::Account(id, subscribe)]
}

/// What an account used, in commands of a bounded size.
fn usage_of(
    settings: &Billing,
    account: AccountId,
    plan: PlanId,
    period: Period,
    new_call: impl Fn() -> CallId,
) -> Vec<Command> {
    let all = settings.records;
    let firsts = (0..all).step_by(RECORDS_AT_ONCE as usize);
    let command = |first: u32| {
        let cdr = new_call();
        let legs = first..all.min(first + RECORDS_AT_ONCE);
        let record = usage::Command::Record {
            cdr,
            records: legs.map(|leg| record(cdr, plan, period, leg)).collect(),
            reversed: vec![],
            reason: None,
            commits: None,
        };
        Command::Usage(UsageId { account, period }, record)
    };
    firsts.map(command).collect()
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
        counted: None,
        rounding: None,
    }
}

pub(super) fn profile() -> account::Profile {
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

pub(super) fn plan() -> plan::Config {
    let term = plan::Term {
        price: plan::Price::Flat(tariff()),
        included: 600,
        minimum_charge: Decimal::ZERO,
        tax_category: None,
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

pub(super) fn seller() -> seller::Config {
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
        is_approval_required: false,
    }
}
