//! `kill -9` in a loop while calls are rated and while a month is invoiced.
//! Each call is rated once, numbers have no gap and no double, and the sum of
//! the lines is the sum of the rated calls, to the last digit.
//!
//! `RINGLEDGER_BILLING_ACCOUNTS` sets the number of accounts (10000 is the full
//! size); without it there are as many as fit into a test. `RINGLEDGER_BINARY`
//! names a release build, which the full size needs.

use anyhow::{Context as _, ensure};
use commands::{
    envelope::{Committed, Envelope},
    error::DispatchError,
    feed::understand,
    gateway::Gateway,
    ports::{Clock as _, Entropy as _, EventLog, Position},
    system::{SystemClock, SystemEntropy},
    writer::Writer,
};
use domain::{
    any::{AnyCommand, AnyEvent},
    billing::{
        Command, Document, Event, LineKind, UsageType, account, invoice, plan, rating, seller,
        series, tariff::Tariff, tax::TaxCategory, tax::TaxRate, usage,
    },
    calendar::{Cycle, Zone},
    call::{self, AnswerMode, Route},
    cause::WireCause,
    id::{
        AccountId, CallId, CommandId, DEFAULT_TENANT, InvoiceId, LegId, PlanId, QueueId, VisitId,
    },
    money::{Currency, Decimal, Rounding},
    sealed::{Party, Sealed},
    time::Timestamp,
};
use ringledger_tests::server::{Server, Setup, binary};
use std::{
    collections::{BTreeMap, BTreeSet},
    process::Stdio,
    sync::Arc,
    time::Duration,
};
use tokio::{process, task::JoinSet};

/// Accounts in a test of every day.
const ACCOUNTS: u32 = 60;
const CALLS_EACH: u32 = 3;
const PERIOD: &str = "2026-10";
/// Rounds of killing at most: a run that takes longer than its rounds ends by
/// being left alone.
const ROUNDS: u64 = 12;
const PLAN: &str = "basic";
/// A backlog is worked off within this, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(300);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(50);

fn accounts() -> u32 {
    std::env::var("RINGLEDGER_BILLING_ACCOUNTS")
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(ACCOUNTS)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_survives_kill_9_on_sqlite() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    survive(Setup::new(folder.path(), "")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_survives_kill_9_on_postgresql() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let database = store::testing::database().await;
    let mut setup = Setup::new(folder.path(), "");
    setup.store_url = Some(database.url().into());
    // What a killed node leads is free after its lease: the shortest there is.
    setup.settings = "[node]\nlease_ms = 1000\n".into();
    survive(setup).await
}

/// Waits until the node leads and its processes have begun: a process that has
/// never begun takes what was before for history. A store of one node leads
/// from the start.
async fn begun(setup: &Setup) -> anyhow::Result<()> {
    let Some(url) = &setup.store_url else {
        return Ok(());
    };
    let stores = store::join(url, "onlooker").await?;
    let sql = "SELECT name FROM es_processes WHERE name = 'rating'";
    let begun = async {
        while stores.read.query(sql, vec![]).await?.is_empty() {
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    };
    tokio::time::timeout(PATIENCE, begun).await?
}

fn url(setup: &Setup) -> String {
    setup
        .store_url
        .clone()
        .unwrap_or_else(|| format!("sqlite:{}", setup.data().display()))
}

async fn survive(setup: Setup) -> anyhow::Result<()> {
    // The processes begin with an empty record; what is seeded is news to them.
    let server = Server::start(&setup).await?;
    begun(&setup).await?;
    server.stop().await?;
    seed(&setup, accounts()).await?;
    start_when_free(&setup).await?.kill().await?;
    for round in 1..=ROUNDS {
        let server = Server::start(&setup).await?;
        tokio::time::sleep(Duration::from_millis(40 * round)).await;
        server.kill().await?;
    }
    let calls = usize::try_from(accounts() * CALLS_EACH)?;
    rate_the_rest(&setup, calls).await?;
    let mut kills = 0;
    for round in 1..=ROUNDS {
        let mut run = invoice_run(&setup)?;
        let wait = tokio::time::timeout(Duration::from_millis(60 * round), run.wait());
        if let Ok(status) = wait.await {
            ensure!(status?.success(), "the invoice run failed");
        } else {
            run.kill().await?;
            kills += 1;
        }
    }
    ensure!(kills > 0, "no run was killed: nothing was shown");
    ensure!(invoice_run(&setup)?.wait().await?.success(), "the last run");
    ensure!(invoice_run(&setup)?.wait().await?.success(), "once more");
    check(&setup, calls).await
}

fn invoice_run(setup: &Setup) -> anyhow::Result<process::Child> {
    process::Command::new(binary())
        .args(["invoice", "run", "--period", PERIOD, "--config"])
        .arg(setup.write()?)
        .arg("--data")
        .arg(setup.data())
        .env("RINGLEDGER__LOG__FILTER", "warn")
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("the binary can not be started")
}

/// Lets a server run until every call's usage is on the record.
async fn rate_the_rest(setup: &Setup, calls: usize) -> anyhow::Result<()> {
    for _ in 0..ROUNDS {
        let server = Server::start(setup).await?;
        let done = ["lag_events", "outstanding_count"]
            .map(|name| format!("ringledger_process_{name}{{process=\"rating\"}} 0\n"));
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let metrics = server.get("/metrics").await?.1;
            if done.iter().all(|line| metrics.contains(line)) {
                break;
            }
            ensure!(tokio::time::Instant::now() < deadline, "rating hangs");
            tokio::time::sleep(LOOK).await;
        }
        server.stop().await?;
        if read(setup).await?.recorded.len() >= calls {
            return Ok(());
        }
    }
    anyhow::bail!("not every call is rated")
}

struct Books {
    epoch: u64,
    gateway: Gateway,
    log: Arc<dyn EventLog>,
    stores: store::Stores,
}

async fn open(setup: &Setup) -> anyhow::Result<Books> {
    let stores = store::open(&url(setup)).await?;
    let clock = Arc::new(SystemClock);
    let epoch = stores.nodes.next_epoch("seed").await?;
    let lease_ms = 600_000;
    stores
        .nodes
        .join(epoch, "seed", clock.now(), lease_ms)
        .await?;
    let (writer, _feed) = Writer::start(stores.log.clone(), clock).await?;
    let entropy = Arc::new(SystemEntropy::default());
    Ok(Books {
        epoch,
        gateway: Gateway::new(stores.log.clone(), writer, entropy, epoch),
        log: stores.log.clone(),
        stores,
    })
}

/// Orders on their way.
type Pending = JoinSet<Result<Committed, DispatchError>>;

impl Books {
    fn submit(&self, pending: &mut Pending, envelope: Envelope) {
        let answer = self.gateway.submit(envelope);
        pending.spawn(async move { answer.wait().await });
    }

    /// Makes room for the server: the store is free once every aggregate in memory
    /// has let go of it, which takes a while where they are many.
    async fn close(self) -> anyhow::Result<()> {
        let now = SystemClock.now();
        self.stores.nodes.leave(self.epoch, now).await?;
        let log = Arc::downgrade(&self.log);
        drop(self);
        let free = async {
            while log.strong_count() > 0 {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(PATIENCE, free).await?;
        Ok(())
    }
}

/// The server, once its store is free: the last of whoever filled it lets go a
/// moment after the log itself is closed.
async fn start_when_free(setup: &Setup) -> anyhow::Result<Server> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        match Server::start(setup).await {
            Ok(server) => return Ok(server),
            Err(error) if tokio::time::Instant::now() > deadline => return Err(error),
            Err(_) => tokio::time::sleep(LOOK).await,
        }
    }
}

fn at(seconds: u64) -> Timestamp {
    let start = Zone::UTC.start_of("2026-10-05".parse().expect("a day"));
    start.plus_ms(seconds * 1_000)
}

fn envelope(entropy: &SystemEntropy, at: Timestamp, command: AnyCommand) -> Envelope {
    Envelope {
        command,
        command_id: CommandId(entropy.uuid(SystemClock.now())),
        at,
        correlation_id: uuid::Uuid::nil(),
        causation_id: uuid::Uuid::nil(),
        actor: "test".into(),
        tenant: DEFAULT_TENANT,
    }
}

fn number(account: u32) -> String {
    format!("+4930{account:06}")
}

/// A call to the account's number, from its INVITE to its BYE.
fn call_to(
    account: u32,
    number_of_call: u32,
    from: &Sealed<Party>,
    entropy: &SystemEntropy,
) -> [(u64, call::Command); 3] {
    let leg = LegId(entropy.uuid(SystemClock.now()));
    let seconds = u64::from(account % 37) * 11 + u64::from(number_of_call) * 61 + 1;
    let begin = u64::from(account * CALLS_EACH + number_of_call);
    let receive = call::Command::ReceiveCall {
        withheld: false,
        leg,
        from: from.clone(),
        to: number(account),
        trunk: None,
        sip_call_id: leg.to_string(),
        user_agent: None,
        diversion: None,
        route: Route::Queue {
            queue: QueueId::named(DEFAULT_TENANT, "support"),
            config_version: 1,
            answer_mode: AnswerMode::Immediate,
            visit: VisitId(entropy.uuid(SystemClock.now())),
            exit_keys: vec![],
        },
    };
    let bye = call::Command::RecordBye {
        leg,
        wire: WireCause::default(),
    };
    [
        (begin, receive),
        (begin, call::Command::AnswerCall),
        (begin + seconds, bye),
    ]
}

/// Accounts with a number each, and calls to them that are over and not rated.
async fn seed(setup: &Setup, accounts: u32) -> anyhow::Result<()> {
    let books = open(setup).await?;
    let entropy = SystemEntropy::default();
    let caller = Party {
        user: "+4930999".into(),
        host: None,
        display_name: None,
    };
    let from = books.stores.vault.seal(&caller).await?;
    let ask = |command| envelope(&entropy, at(0), AnyCommand::Billing(Box::new(command)));
    let seller = seller::Command::Configure { config: seller() };
    books
        .gateway
        .dispatch(ask(Command::Seller(DEFAULT_TENANT, seller)))
        .await?;
    let plan = plan::Command::Configure {
        name: PLAN.into(),
        config: plan(),
    };
    let plan_id = PlanId::named(DEFAULT_TENANT, PLAN);
    books
        .gateway
        .dispatch(ask(Command::Plan(plan_id, plan)))
        .await?;
    let mut pending = Pending::new();
    for account in 0..accounts {
        let id = AccountId::named(DEFAULT_TENANT, &format!("account-{account}"));
        let open = account::Command::Open {
            name: format!("account-{account}"),
            profile: profile(account),
        };
        let subscribe = account::Command::Subscribe {
            plan: plan_id,
            effective: "2026-10-01".parse()?,
        };
        for command in [open, subscribe] {
            books.submit(&mut pending, ask(Command::Account(id, command)));
        }
        settle(&mut pending, account).await?;
    }
    // A call that is over before there is any account is nobody's.
    done(&mut pending).await?;
    for account in 0..accounts {
        for number_of_call in 0..CALLS_EACH {
            let id = CallId(entropy.uuid(SystemClock.now()));
            for (second, command) in call_to(account, number_of_call, &from, &entropy) {
                let command = AnyCommand::Call(id, command);
                books.submit(&mut pending, envelope(&entropy, at(second), command));
            }
        }
        settle(&mut pending, account).await?;
    }
    done(&mut pending).await?;
    books.close().await
}

/// Not more at once than a store has connections for.
async fn settle(pending: &mut Pending, account: u32) -> anyhow::Result<()> {
    match account % 250 {
        249 => done(pending).await,
        _ => Ok(()),
    }
}

/// All have had their effect.
async fn done(pending: &mut Pending) -> anyhow::Result<()> {
    while let Some(answer) = pending.join_next().await {
        answer??;
    }
    Ok(())
}

fn seller() -> seller::Config {
    seller::Config {
        name: "Example Telecom".into(),
        address: vec!["Example Street 1".into()],
        country: "DE".into(),
        tax_id: "DE123456789".into(),
        payment_lines: vec![],
        tax_rates: vec![TaxRate {
            country: "DE".into(),
            category: TaxCategory::Standard,
            percent: Decimal::whole(19),
            from: "2021-01-01".parse().expect("a day"),
            to: None,
        }],
        invoice_prefix: "INV-".into(),
        credit_note_prefix: "CN-".into(),
        is_yearly_series: false,
        due_days: 14,
        dunning: seller::Dunning::default(),
        slice_s: 60,
        emergency_numbers: vec!["112".into()],
    }
}

fn plan() -> plan::Config {
    let tariff = Tariff {
        first_increment_s: 30,
        next_increment_s: 6,
        ..Tariff::flat("0.006".parse().expect("a decimal"))
    };
    let term = plan::Term {
        price: plan::Price::Flat(tariff),
        included: 0,
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

fn profile(number_of: u32) -> account::Profile {
    account::Profile {
        currency: Currency::EUR,
        zone: Zone::UTC,
        country: "DE".into(),
        calling_code: "49".into(),
        tax_id: None,
        holder: None,
        payment_mode: account::PaymentMode::Postpaid,
        is_auto_pay: false,
        owned: account::Owned {
            numbers: vec![account::OwnedNumber {
                number: number(number_of),
                is_toll_free: false,
            }],
            ..account::Owned::default()
        },
    }
}

/// What the record says of the money.
#[derive(Default)]
struct Told {
    rated: BTreeMap<CallId, u32>,
    recorded: BTreeSet<usage::RecordKey>,
    rated_sum: Decimal,
    recorded_sum: Decimal,
    lines_rated: Decimal,
    lines_due: Decimal,
    numbers: Vec<(u64, InvoiceId)>,
    issued: BTreeMap<InvoiceId, String>,
    posted: BTreeMap<InvoiceId, u32>,
    unrated: u32,
    doubled: u32,
}

impl Told {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::Rating(call, rating::Event::Rated { bill, .. }) => {
                *self.rated.entry(*call).or_default() += 1;
                let sum: Decimal = bill.records.iter().map(|record| record.amount).sum();
                self.rated_sum = self.rated_sum + sum;
            }
            Event::Rating(_, rating::Event::Unrated { .. }) => self.unrated += 1,
            Event::Usage(_, usage::Event::Recorded { record }) => {
                self.doubled += u32::from(!self.recorded.insert(record.key()));
                self.recorded_sum = self.recorded_sum + record.amount;
            }
            Event::Invoice(id, invoice::Event::Issued { number, .. }) => {
                let before = self.issued.insert(*id, number.clone());
                self.doubled += u32::from(before.is_some());
            }
            Event::Invoice(_, invoice::Event::Drafted { lines, .. }) => {
                for line in lines {
                    if let LineKind::Usage { rated, .. } = &line.kind {
                        self.lines_rated = self.lines_rated + *rated;
                        self.lines_due = self.lines_due + line.exact;
                    }
                }
            }
            Event::Series(
                _,
                series::Event::NumberIssued {
                    document: Document::Invoice(id),
                    number,
                    ..
                },
            ) => self.numbers.push((*number, *id)),
            Event::Account(_, account::Event::ChargePosted { invoice, .. }) => {
                *self.posted.entry(*invoice).or_default() += 1;
            }
            _ => {}
        }
    }
}

async fn read(setup: &Setup) -> anyhow::Result<Told> {
    let books = open(setup).await?;
    let mut told = Told::default();
    let mut position = Position::default();
    loop {
        let page = books.log.read_all(position, 1_000).await?;
        if page.events.is_empty() {
            break;
        }
        position = page.next;
        for recorded in page.events {
            if let AnyEvent::Billing(event) = &understand(recorded)?.fact.event {
                told.hear(event);
            }
        }
    }
    books.close().await?;
    Ok(told)
}

async fn check(setup: &Setup, calls: usize) -> anyhow::Result<()> {
    let told = read(setup).await?;
    let invoices = usize::try_from(accounts())?;
    ensure!(told.unrated == 0, "{} calls have no price", told.unrated);
    ensure!(told.doubled == 0, "{} facts are there twice", told.doubled);
    ensure!(
        told.rated.len() == calls,
        "{} of {calls} rated",
        told.rated.len()
    );
    ensure!(told.rated.values().all(|times| *times == 1), "rated twice");
    ensure!(
        told.recorded.len() == calls,
        "{} recorded",
        told.recorded.len()
    );
    ensure!(told.rated_sum > Decimal::ZERO, "nothing costs anything");
    ensure!(
        told.rated_sum == told.recorded_sum,
        "usage is not what was rated"
    );
    ensure!(
        told.lines_rated == told.rated_sum,
        "lines are not what was rated"
    );
    ensure!(
        told.lines_due == told.rated_sum,
        "lines are not what is due"
    );
    ensure!(
        told.issued.len() == invoices,
        "{} issued",
        told.issued.len()
    );
    ensure!(
        told.posted.len() == invoices,
        "{} posted",
        told.posted.len()
    );
    ensure!(
        told.posted.values().all(|times| *times == 1),
        "posted twice"
    );
    let numbers: Vec<u64> = told.numbers.iter().map(|(number, _)| *number).collect();
    let expected: Vec<u64> = (1..=u64::try_from(invoices)?).collect();
    ensure!(
        numbers == expected,
        "numbers have a gap or a double: {numbers:?}"
    );
    for (number, invoice) in &told.numbers {
        let written = told.issued.get(invoice);
        ensure!(
            written == Some(&format!("INV-{number:08}")),
            "{number} is lost"
        );
    }
    Ok(())
}
