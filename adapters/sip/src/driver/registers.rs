//! REGISTER: authenticated, applied, durable, recorded, answered, in this order.

use super::Driver;
use crate::{
    auth::{Attempt, Authenticator, Ha1, NonceKey, Outcome},
    bindings::binding_id,
    inbound::register,
    message::Request,
    options::Options,
    registrar::{Change, Registered, Removal},
    stack::{Reply, ServerTransaction},
    transport::Transport,
};
use commands::{credentials, error::DispatchError, ports::Entropy};
use domain::{any::AnyCommand, device::Command, id::AgentId};
use std::sync::{MutexGuard, PoisonError};

/// A verifier whose nonces die with this run.
pub(super) fn authenticator(options: &Options, entropy: &dyn Entropy) -> Authenticator {
    let mut key = [0; 32];
    for chunk in key.chunks_mut(8) {
        chunk.copy_from_slice(&entropy.number().to_be_bytes()[..chunk.len()]);
    }
    Authenticator::new(options.realm.clone(), NonceKey::new(key))
}

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
        let user = self.authenticate(request, now_ms).await?;
        let flow = transaction.flow();
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
        let done = self
            .phones
            .register(agent, &read.registration)
            .map_err(register::refused)?;
        if let Err(error) = self.phones.save(agent, &done.changes).await {
            tracing::warn!(%error, "bindings were not stored");
            return Err(self.admission.refusal());
        }
        self.record_changes(agent, &done, flow.transport).await?;
        let mut reply = Reply::new(200);
        for contact in done.contacts {
            reply = reply.with("Contact", contact);
        }
        Ok(reply)
    }

    async fn authenticate(&self, request: &Request, now_ms: u64) -> Result<String, Reply> {
        let headers: Vec<&str> = request.headers.all("Authorization").collect();
        let claimed = self.verifier().claimed_user(&headers);
        let ha1 = match &claimed {
            Some(user) => self.look_up(user).await?,
            None => None,
        };
        let attempt = Attempt {
            method: request.method.as_str(),
            headers: &headers,
            now_ms,
            entropy: self.parts.entropy.number(),
        };
        let outcome = self.verifier().verify(attempt, |user| {
            ha1.filter(|_| claimed.as_deref() == Some(user))
        });
        match outcome {
            Outcome::Granted { user } => Ok(user),
            Outcome::Malformed => Err(Reply::new(400)),
            Outcome::Challenge { challenges, stale } => {
                if !stale && !headers.is_empty() {
                    metrics::counter!("ringledger_sip_auth_failures_total").increment(1);
                }
                let mut reply = Reply::new(401);
                for challenge in challenges {
                    reply = reply.with("WWW-Authenticate", challenge);
                }
                Err(reply)
            }
        }
    }

    fn verifier(&self) -> MutexGuard<'_, Authenticator> {
        self.authenticator
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn look_up(&self, user: &str) -> Result<Option<Ha1>, Reply> {
        match credentials::look_up(&*self.parts.secrets, user).await {
            Ok(found) => Ok(found.map(|found| Ha1 {
                md5: found.md5,
                sha256: found.sha256,
            })),
            Err(error) => {
                tracing::warn!(%error, "credentials can not be read");
                Err(self.admission.refusal())
            }
        }
    }

    /// Records what changed; a refresh is no change.
    async fn record_changes(
        &self,
        agent: AgentId,
        done: &Registered,
        transport: Transport,
    ) -> Result<(), Reply> {
        let mut waiting = Vec::new();
        for change in &done.changes {
            let Some(command) = command(agent, change, transport) else {
                continue;
            };
            let envelope = self.envelope(AnyCommand::Device(agent, command), agent.0);
            waiting.push((self.parts.gateway.submit(envelope.clone()), envelope));
        }
        let mut failed = false;
        for (pending, envelope) in waiting {
            match pending.wait().await {
                Ok(_) | Err(DispatchError::Refused(_)) => {}
                // The binding is stored: its event must follow.
                Err(DispatchError::Conflict | DispatchError::Unavailable(_)) => {
                    failed = true;
                    self.insist(envelope);
                }
                Err(DispatchError::Corrupt(error)) => {
                    tracing::error!(%error, "registration was not recorded");
                    failed = true;
                }
            }
        }
        if failed {
            return Err(self.admission.refusal());
        }
        Ok(())
    }
}

fn command(agent: AgentId, change: &Change, transport: Transport) -> Option<Command> {
    Some(match change {
        Change::Refreshed(_) => return None,
        Change::Added(key) => Command::RecordRegistered {
            agent,
            binding: binding_id(agent, key),
            transport: transport.to_string().to_lowercase(),
        },
        Change::Removed(key, removal) => {
            let binding = binding_id(agent, key);
            match removal {
                Removal::Deregistered | Removal::Displaced => {
                    Command::RecordDeregistered { binding }
                }
                Removal::Expired => Command::ExpireBinding { binding },
            }
        }
    })
}
