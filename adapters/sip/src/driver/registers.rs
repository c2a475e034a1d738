//! REGISTER: authenticated, applied, removals recorded, durable, additions
//! recorded, answered, in this order.

use super::{
    Driver,
    lanes::{Progress, Receipt},
};
use crate::{
    auth::{Authenticator, NonceKey},
    bindings::{RECONNECT_MS, Turn, command},
    inbound::register,
    message::Request,
    options::Options,
    registrar::{Change, Registered, Registration},
    stack::{Reply, ServerTransaction, TransactionUser as _},
    transport::Transport,
};
use commands::ports::{Entropy, StoreError};
use domain::{any::AnyCommand, id::AgentId};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// A verifier whose nonces die with this run.
pub(super) fn authenticator(options: &Options, entropy: &dyn Entropy) -> Authenticator {
    let mut key = [0; 32];
    for chunk in key.chunks_mut(8) {
        chunk.copy_from_slice(&entropy.number().to_be_bytes()[..chunk.len()]);
    }
    Authenticator::new(options.realm.clone(), NonceKey::new(key))
}

/// How long the adoption of phones waits to hear which nodes are there.
const LOOK_MAX: Duration = Duration::from_secs(2);

impl Driver {
    /// A phone says where it can be reached.
    pub(super) fn on_register(&self, transaction: ServerTransaction, request: Request) {
        let driver = self.clone();
        tokio::spawn(async move {
            let reply = driver.register(&transaction, &request).await;
            transaction.respond(reply.unwrap_or_else(|refusal| refusal));
        });
    }

    async fn register(
        &self,
        transaction: &ServerTransaction,
        request: &Request,
    ) -> Result<Reply, Reply> {
        let now_ms = self.parts.clock.now().millis_unsigned();
        let flow = transaction.flow();
        let user = self.authenticate(request, flow.peer.ip(), now_ms).await?;
        let read = register::translate(request, flow, now_ms)?;
        if !read.user.eq_ignore_ascii_case(&user) {
            return Err(Reply::new(403));
        }
        let agent = self
            .parts
            .directory
            .agent_named(&user)
            .ok_or_else(|| Reply::new(404))?
            .id;
        let before = self.phones.of(agent, now_ms);
        let done = self.bind(agent, &read.registration, flow.transport).await?;
        self.follow_registered(agent, &before);
        if !self.stack.is_open(flow) {
            // It was closed before there was a binding to let go of.
            self.connection_closed(flow);
        }
        let mut reply = Reply::new(200);
        for contact in done.contacts {
            reply = reply.with("Contact", contact);
        }
        Ok(reply)
    }

    /// Binds and unbinds. What a crash leaves in between is a row without an
    /// event, which the next start finds; never an event without a row, for
    /// which nobody would look.
    async fn bind(
        &self,
        agent: AgentId,
        registration: &Registration<'_>,
        transport: Transport,
    ) -> Result<Registered, Reply> {
        let _turn = self.phones.turn_of(agent).await;
        self.know_of(agent).await.map_err(|error| {
            tracing::warn!(%error, "bindings at other nodes can not be read");
            self.admission.refusal()
        })?;
        let applied = self.phones.register(agent, registration);
        let applied = applied.map_err(register::refused)?;
        let changes = &applied.done.changes;
        let gone = changes.iter().filter(|change| is_removal(change));
        let mut gone: Vec<Receipt> = gone
            .map(|change| self.record_device(agent, change, transport))
            .collect();
        if !are_settled(&mut gone).await {
            self.phones.restore(agent, &applied);
            let removed = changes.iter().filter(|change| is_removal(change));
            self.save_after(agent, gone, removed.cloned().collect());
            return Err(self.admission.refusal());
        }
        if let Err(error) = self.phones.save(agent, changes).await {
            tracing::warn!(%error, "bindings were not stored");
            self.phones.restore(agent, &applied);
            return Err(self.admission.refusal());
        }
        let is_bound = |change: &&Change| {
            !is_removal(change) && applied.done.bindings.contains_key(change.key())
        };
        let mut bound: Vec<Receipt> = changes
            .iter()
            .filter(is_bound)
            .map(|change| self.record_device(agent, change, transport))
            .collect();
        if !are_settled(&mut bound).await {
            return Err(self.admission.refusal());
        }
        Ok(applied.done)
    }

    fn record_device(&self, agent: AgentId, change: &Change, transport: Transport) -> Receipt {
        let command = command(agent, change, transport);
        self.insist(self.envelope(AnyCommand::Device(agent, command), agent.0))
    }

    /// Tells the record of every binding that was loaded: it knows them all,
    /// but those that were stored just before a crash.
    pub(super) async fn record_loaded(self) {
        for agent in self.phones.agents() {
            let receipts: Vec<Receipt> = {
                let _turn = self.phones.turn_of(agent).await;
                let now_ms = self.parts.clock.now().millis_unsigned();
                let bindings = self.phones.live(agent, now_ms);
                let told = bindings.into_iter().map(|(key, binding)| {
                    self.record_device(agent, &Change::Refreshed(key), binding.transport)
                });
                told.collect()
            };
            // One agent at a time: thousands of phones are no burst.
            for mut receipt in receipts {
                receipt.first().await;
            }
        }
    }

    /// Takes over into memory what other nodes have done to an agent's bindings.
    async fn know_of(&self, agent: AgentId) -> Result<(), StoreError> {
        match self.parts.roster.has_peers() {
            true => self.phones.refresh(agent).await,
            false => Ok(()),
        }
    }

    /// Lets go of what has expired and writes what could not be written. An
    /// agent whose phone registers at the moment has its turn next time.
    pub(super) fn tend_bindings(&self) {
        let now_ms = self.parts.clock.now().millis_unsigned();
        for agent in self.phones.expired(now_ms) {
            let Some(turn) = self.phones.try_turn_of(agent) else {
                continue;
            };
            if !self.parts.roster.has_peers() {
                self.expire(agent, now_ms, turn);
                continue;
            }
            let driver = self.clone();
            tokio::spawn(async move {
                // The phone may have come to another node in the meantime.
                match driver.know_of(agent).await {
                    Ok(()) => driver.expire(agent, now_ms, turn),
                    Err(error) => tracing::warn!(%error, "bindings are let go of later"),
                }
            });
        }
        for agent in self.phones.agents_unwritten() {
            let Some(turn) = self.phones.try_turn_of(agent) else {
                continue;
            };
            let driver = self.clone();
            tokio::spawn(async move {
                let _turn = turn;
                driver.save_late(agent, &[]).await;
            });
        }
    }

    fn expire(&self, agent: AgentId, now_ms: u64, turn: Turn) {
        let changes = self.phones.expire(agent, now_ms);
        // The transport is not told of what is gone.
        let receipts: Vec<Receipt> = changes
            .iter()
            .map(|change| self.record_device(agent, change, Transport::Udp))
            .collect();
        drop(turn);
        self.save_after(agent, receipts, changes);
    }

    /// The nodes that are there, and whether this one leads them.
    pub(super) fn nodes_there(&self) -> (BTreeSet<Arc<str>>, bool) {
        let seen = self.parts.roster.seen();
        let names = seen.members.iter().map(|member| member.name.clone());
        (names.collect(), seen.leading.is_some())
    }

    /// Looks after the phones that registered at nodes which are not there any
    /// more, if this is the node that leads. False when that must be tried
    /// again.
    pub(super) async fn adopt_phones(&self) -> bool {
        let roster = &self.parts.roster;
        if !roster.is_shared() || roster.leading().is_none() {
            return true;
        }
        let stored = match self.phones.everyones().await {
            Ok(stored) => stored,
            Err(error) => {
                tracing::warn!(%error, "phones of a lost node are not adopted yet");
                return false;
            }
        };
        // Looked up after the rows: a node joins before its first phone registers.
        let Some(seen) = roster.look(LOOK_MAX).await else {
            tracing::warn!("phones are not adopted yet: the nodes can not be looked up");
            return false;
        };
        if !roster.may_act() {
            return false;
        }
        let is_there = |name: &str| seen.members.iter().any(|member| &*member.name == name);
        let is_gone = |name: Option<&str>| name.is_some_and(|name| !is_there(name));
        let until_ms = self.parts.clock.now().millis_unsigned() + RECONNECT_MS;
        let agents = self.phones.adopt(stored, until_ms, is_gone);
        if !agents.is_empty() {
            tracing::info!(count = agents.len(), "phones of a lost node are adopted");
        }
        true
    }

    /// Deletes the rows of what is gone once the record knows of it.
    fn save_after(&self, agent: AgentId, receipts: Vec<Receipt>, changes: Vec<Change>) {
        let driver = self.clone();
        tokio::spawn(async move {
            for receipt in receipts {
                receipt.settled().await;
            }
            let _turn = driver.phones.turn_of(agent).await;
            driver.save_late(agent, &changes).await;
        });
    }

    async fn save_late(&self, agent: AgentId, changes: &[Change]) {
        if let Err(error) = self.phones.save(agent, changes).await {
            tracing::warn!(%error, "bindings were not stored");
        }
    }
}

/// Whether all are in the record by their first answers; those that are not
/// will be.
async fn are_settled(receipts: &mut [Receipt]) -> bool {
    let mut all = true;
    for receipt in receipts {
        all &= match receipt.first().await {
            Progress::Settled | Progress::Refused(_) => true,
            Progress::Waiting | Progress::Delayed | Progress::Lost => false,
        };
    }
    all
}

const fn is_removal(change: &Change) -> bool {
    match change {
        Change::Removed(..) => true,
        Change::Added(_) | Change::Refreshed(_) => false,
    }
}
