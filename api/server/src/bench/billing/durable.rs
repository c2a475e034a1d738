//! Calls that are over, and the product that rates them: its process, its rater, the
//! deck and the store; each call has its price and its usage on the record.

use super::{
    Billing, Rated, deck_row, header,
    invoices::{Node, open, plan, profile, seller},
};
use anyhow::ensure;
use commands::{
    bookkeeping::Bookkeeping,
    envelope::Envelope,
    ports::{Clock as _, Entropy as _, Position},
    processes,
    rater::Rater,
    system::{SystemClock, SystemEntropy},
};
use domain::{
    any::{AnyCommand, AnyEvent},
    billing::{
        self, Command, DeckVersionId, UsageType, account,
        deck::{self, ROWS_MAX},
        plan as plans, seller as sellers, usage,
    },
    call::{self, AnswerMode, Route},
    cause::WireCause,
    id::{AccountId, CallId, CommandId, DEFAULT_TENANT, DeckId, LegId, PlanId, QueueId, VisitId},
    process::rating::RatingProcess,
    sealed::{Party, Sealed},
    time::Timestamp,
};
use std::time::{Duration, Instant};
use tokio::{sync::oneshot, task::JoinSet};
use uuid::Uuid;

/// Commands under way while the record is written.
const AT_ONCE: usize = 256;
/// Events looked at together.
const READ: usize = 1_000;
/// A call that is not rated by then never is.
const PATIENCE: Duration = Duration::from_secs(600);

/// Writes a deck, accounts and calls that are over; then has them rated.
pub(super) async fn rate(settings: &Billing) -> anyhow::Result<Rated> {
    let node = open(settings).await?;
    let books = Bookkeeping::kept(node.feed.clone(), node.stores.read.clone()).await?;
    let (log, vault) = (node.stores.log.clone(), node.stores.vault.clone());
    let rater = Rater::new(books, node.feed.clone(), log, vault);
    node.gateway.rate_with(rater);
    let mut orders = Orders::new(&node);
    orders.deck(settings.prefixes).await?;
    orders.accounts(settings.accounts).await?;
    let caller = Party {
        user: "+4930999".into(),
        host: None,
        display_name: None,
        contact: None,
        user_field: None,
    };
    let from = node.stores.vault.seal(&caller).await?;
    for number in 0..settings.rated {
        orders
            .call(number, number % settings.accounts, &from)
            .await?;
    }
    orders.done().await?;
    let written = node.feed.head();
    let means = processes::Means {
        gateway: node.gateway.clone(),
        feed: node.feed.clone(),
        store: node.stores.read.clone(),
        clock: node.clock.clone(),
    };
    let (stop, stopped) = oneshot::channel();
    let started = Instant::now();
    let process = processes::Runner::<RatingProcess>::load(means).await?;
    let process = tokio::spawn(process.run(stopped));
    tokio::time::timeout(PATIENCE, all_used(&node, written, settings.rated)).await??;
    let took = started.elapsed();
    // It only listens; a process that stopped is no figure.
    let _ = stop.send(());
    process.await??;
    Ok(Rated {
        calls: settings.rated,
        took_ms: u64::try_from(took.as_millis())?,
    })
}

/// Returns when so many calls have their usage on the record.
async fn all_used(node: &Node, after: Position, calls: u32) -> anyhow::Result<()> {
    let (mut seen, mut used) = (after, 0);
    while used < calls {
        node.feed.wait_beyond(seen).await;
        for entry in node.feed.read(seen, READ).await? {
            seen = entry.recorded.position;
            let AnyEvent::Billing(event) = &entry.fact.event else {
                continue;
            };
            if let billing::Event::Usage(_, usage::Event::Recorded { .. }) = event {
                used += 1;
            }
            if let billing::Event::Rating(call, event) = event {
                let is_rated = matches!(event, billing::rating::Event::Rated { .. });
                ensure!(is_rated, "call {call} has no price: {event:?}");
            }
        }
    }
    Ok(())
}

/// What is written before.
struct Orders<'a> {
    node: &'a Node,
    entropy: SystemEntropy,
    at: Timestamp,
    pending: JoinSet<anyhow::Result<()>>,
}

impl<'a> Orders<'a> {
    fn new(node: &'a Node) -> Self {
        Self {
            node,
            entropy: SystemEntropy::default(),
            at: SystemClock.now(),
            pending: JoinSet::new(),
        }
    }

    fn id(&self) -> Uuid {
        self.entropy.uuid(self.at)
    }

    async fn give(&mut self, at: Timestamp, command: AnyCommand) -> anyhow::Result<()> {
        let answer = self.node.gateway.submit(Envelope {
            command,
            command_id: CommandId(self.id()),
            at,
            correlation_id: Uuid::nil(),
            causation_id: Uuid::nil(),
            actor: "bench".into(),
            tenant: DEFAULT_TENANT,
        });
        self.pending
            .spawn(async move { answer.wait().await.map(|_| ()).map_err(Into::into) });
        while self.pending.len() > AT_ONCE {
            if let Some(written) = self.pending.join_next().await {
                written??;
            }
        }
        Ok(())
    }

    async fn order(&mut self, command: Command) -> anyhow::Result<()> {
        let command = AnyCommand::Billing(Box::new(command));
        self.give(self.at, command).await
    }

    async fn done(&mut self) -> anyhow::Result<()> {
        while let Some(written) = self.pending.join_next().await {
            written??;
        }
        Ok(())
    }

    /// A deck of so many prefixes, and the plan that prices by it.
    async fn deck(&mut self, prefixes: u32) -> anyhow::Result<()> {
        let deck = DeckId::named(DEFAULT_TENANT, "bench");
        let version = DeckVersionId { deck, version: 1 };
        let open = deck::Command::Open { header: header() };
        self.order(Command::Deck(version, open)).await?;
        let rows: Vec<deck::Row> = (0..prefixes).map(deck_row).collect();
        let mut first_row = 1;
        for rows in rows.chunks(ROWS_MAX) {
            let add = deck::Command::AddRows {
                first_row,
                rows: rows.to_vec(),
            };
            self.order(Command::Deck(version, add)).await?;
            first_row += u32::try_from(rows.len())?;
        }
        self.order(Command::Deck(version, deck::Command::Publish))
            .await?;
        let mut config = plan();
        if let Some(term) = config.terms.get_mut(&UsageType::InboundMinutes) {
            term.price = plans::Price::Deck(deck);
        }
        let plan = plans::Command::Configure {
            name: "bench".into(),
            config,
        };
        let id = PlanId::named(DEFAULT_TENANT, "bench");
        let seller = sellers::Command::Configure { config: seller() };
        self.order(Command::Plan(id, plan)).await?;
        self.order(Command::Seller(DEFAULT_TENANT, seller)).await?;
        self.done().await
    }

    /// So many accounts with a number each.
    async fn accounts(&mut self, accounts: u32) -> anyhow::Result<()> {
        for account in 0..accounts {
            let name = format!("bench-{account}");
            let id = AccountId::named(DEFAULT_TENANT, &name);
            let mut profile = profile();
            profile.owned.numbers.push(account::OwnedNumber {
                number: number(account),
                is_toll_free: false,
            });
            let open = account::Command::Open { name, profile };
            self.order(Command::Account(id, open)).await?;
            let subscribe = account::Command::Subscribe {
                plan: PlanId::named(DEFAULT_TENANT, "bench"),
                effective: "2026-01-01".parse()?,
            };
            self.order(Command::Account(id, subscribe)).await?;
        }
        self.done().await
    }

    /// A call to the account's number, from its INVITE to its BYE.
    async fn call(
        &mut self,
        number_of: u32,
        account: u32,
        from: &Sealed<Party>,
    ) -> anyhow::Result<()> {
        let (call, leg) = (CallId(self.id()), LegId(self.id()));
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
                queue: QueueId::named(DEFAULT_TENANT, "bench"),
                config_version: 1,
                answer_mode: AnswerMode::Immediate,
                visit: VisitId(self.id()),
                exit_keys: vec![],
                music: None,
            },
        };
        let bye = call::Command::RecordBye {
            leg,
            wire: WireCause::default(),
        };
        let ended = self.at.plus_ms(u64::from(number_of % 600 + 1) * 1_000);
        for (at, command) in [
            (self.at, receive),
            (self.at, call::Command::AnswerCall),
            (ended, bye),
        ] {
            self.give(at, AnyCommand::Call(call, command)).await?;
        }
        Ok(())
    }
}

fn number(account: u32) -> String {
    format!("+4930{account:06}")
}
