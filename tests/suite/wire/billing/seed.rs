//! The store before: accounts with a number each, and calls to them that are over
//! and not rated.

use super::{CALLS_EACH, LOOK, PATIENCE, PLAN};
use commands::{
    envelope::{Committed, Envelope},
    error::DispatchError,
    gateway::Gateway,
    ports::{Clock as _, Entropy as _, EventLog},
    system::{SystemClock, SystemEntropy},
    writer::Writer,
};
use domain::{
    any::AnyCommand,
    billing::{
        Command, UsageType, account, plan, seller, tariff::Tariff, tax::TaxCategory, tax::TaxRate,
    },
    calendar::{Cycle, Zone},
    call::{self, AnswerMode, Route},
    cause::WireCause,
    id::{AccountId, CallId, CommandId, DEFAULT_TENANT, LegId, PlanId, QueueId, VisitId},
    money::{Currency, Decimal, Rounding},
    sealed::{Party, Sealed},
    time::Timestamp,
};
use ringledger_tests::server::Setup;
use std::{collections::BTreeMap, sync::Arc};
use tokio::task::JoinSet;

pub(super) struct Books {
    epoch: u64,
    gateway: Gateway,
    pub(super) log: Arc<dyn EventLog>,
    stores: store::Stores,
}

pub(super) async fn open(setup: &Setup) -> anyhow::Result<Books> {
    let stores = store::open(&super::url(setup)).await?;
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
    pub(super) async fn close(self) -> anyhow::Result<()> {
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
            music: None,
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
pub(super) async fn seed(setup: &Setup, accounts: u32) -> anyhow::Result<()> {
    let books = open(setup).await?;
    let entropy = SystemEntropy::default();
    let caller = Party {
        user: "+4930999".into(),
        host: None,
        display_name: None,
        contact: None,
        user_field: None,
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
        is_approval_required: false,
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
