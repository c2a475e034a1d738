//! Who may do what: bearer tokens with a tenant and scopes. A token is kept
//! only as its SHA-256, so that the credential store gives none away.

use commands::ports::{Entropy, Secrets, StoreError};
use domain::id::{AgentId, TenantId};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{fmt, str::FromStr};

/// Kind of the entries in the credential store; the key is the token's
/// SHA-256 in hexadecimal.
pub const KIND: &str = "token";

/// Start of every token, so that a scanner finds one that has leaked.
const PREFIX: &str = "rl_";

/// What a token may be good for: `resource:action`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// See calls, their events and their records.
    #[serde(rename = "call:read")]
    CallRead,
    /// Take records of calls away as files.
    #[serde(rename = "cdr:export")]
    CdrExport,
    /// End calls.
    #[serde(rename = "call:terminate")]
    CallTerminate,
    /// Send callers, who talk with an agent, into another queue.
    #[serde(rename = "call:transfer")]
    CallTransfer,
    /// Say where calls wait, and how soon they are served.
    #[serde(rename = "call:supervise")]
    CallSupervise,
    /// See agents.
    #[serde(rename = "agent:read")]
    AgentRead,
    /// Change the state of the token's own agent.
    #[serde(rename = "agent:self")]
    AgentSelf,
    /// Make agents, change the state of any, what they are good at and what they are to do
    /// when, and mean waiting calls for one.
    #[serde(rename = "agent:manage")]
    AgentManage,
    /// See queues and their statistics.
    #[serde(rename = "queue:read")]
    QueueRead,
    /// Make, change, open and close queues, and say who serves them.
    #[serde(rename = "queue:manage")]
    QueueManage,
    /// Read the record itself: every event, with who caused it.
    #[serde(rename = "audit:read")]
    AuditRead,
    /// See and make trunks.
    #[serde(rename = "system:config")]
    SystemConfig,
    /// Have a person forgotten, and see who was.
    #[serde(rename = "audit:manage")]
    AuditManage,
    /// Ask for the schema (introspection).
    #[serde(rename = "schema:read")]
    SchemaRead,
    /// Read `/metrics`.
    #[serde(rename = "metrics:read")]
    MetricsRead,
    /// See accounts, prices, usage and invoices.
    #[serde(rename = "billing:read")]
    BillingRead,
    /// Make accounts and plans, take payments, issue documents.
    #[serde(rename = "billing:manage")]
    BillingManage,
    /// Hear messages, and say what has become of them.
    #[serde(rename = "voicemail:access")]
    VoicemailAccess,
    /// Make and change mailboxes.
    #[serde(rename = "voicemail:manage")]
    VoicemailManage,
    /// All of them, those of later versions too.
    #[serde(rename = "*")]
    All,
}

impl Scope {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CallRead => "call:read",
            Self::CdrExport => "cdr:export",
            Self::CallTerminate => "call:terminate",
            Self::CallTransfer => "call:transfer",
            Self::CallSupervise => "call:supervise",
            Self::AgentRead => "agent:read",
            Self::AgentSelf => "agent:self",
            Self::AgentManage => "agent:manage",
            Self::QueueRead => "queue:read",
            Self::QueueManage => "queue:manage",
            Self::AuditRead => "audit:read",
            Self::SystemConfig => "system:config",
            Self::AuditManage => "audit:manage",
            Self::SchemaRead => "schema:read",
            Self::MetricsRead => "metrics:read",
            Self::BillingRead => "billing:read",
            Self::BillingManage => "billing:manage",
            Self::VoicemailAccess => "voicemail:access",
            Self::VoicemailManage => "voicemail:manage",
            Self::All => "*",
        }
    }

    /// Every scope there is.
    pub const EACH: [Self; 20] = [
        Self::CallRead,
        Self::CdrExport,
        Self::CallTerminate,
        Self::CallTransfer,
        Self::CallSupervise,
        Self::AgentRead,
        Self::AgentSelf,
        Self::AgentManage,
        Self::QueueRead,
        Self::QueueManage,
        Self::AuditRead,
        Self::SystemConfig,
        Self::AuditManage,
        Self::SchemaRead,
        Self::MetricsRead,
        Self::BillingRead,
        Self::BillingManage,
        Self::VoicemailAccess,
        Self::VoicemailManage,
        Self::All,
    ];
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(name: &str) -> Result<Self, UnknownScope> {
        Self::EACH
            .into_iter()
            .find(|scope| scope.name() == name)
            .ok_or_else(|| UnknownScope(name.into()))
    }
}

/// That is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("scope {0:?} is not known")]
pub struct UnknownScope(pub String);

/// Whoever holds a token. Kept as the value of its entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The tenant that it acts for.
    pub tenant: TenantId,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// What it is called; written beside each event as `token:{name}`.
    pub name: String,
    /// The agent whose desktop holds it, for `agent:self`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentId>,
}

impl Identity {
    /// Whether it may.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes
            .iter()
            .any(|held| *held == scope || *held == Scope::All)
    }

    /// How the record names it.
    pub fn actor(&self) -> String {
        format!("token:{}", self.name)
    }
}

/// What is kept of a token.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The SHA-256 of a token.
    pub fn of(token: &str) -> Self {
        Self(hex::encode(Sha256::digest(token.as_bytes())))
    }
}

/// Why somebody was not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// No `Bearer` token was sent.
    #[error("a bearer token is required")]
    Missing,
    /// It is not one of ours, or was revoked.
    #[error("token is not valid")]
    Invalid,
    /// The credential store can not be asked.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

/// Makes a token, keeps its fingerprint, and returns it: the only time that it
/// can be read.
///
/// # Errors
/// When the credential store can not be reached.
pub async fn issue_token(
    secrets: &dyn Secrets,
    entropy: &dyn Entropy,
    name: &str,
    tenant: TenantId,
    scopes: &[Scope],
) -> Result<String, StoreError> {
    let random: Vec<u8> = (0..4)
        .flat_map(|_| entropy.number().to_be_bytes())
        .collect();
    let token = format!("{PREFIX}{}", hex::encode(random));
    let identity = Identity {
        tenant,
        scopes: scopes.to_vec(),
        name: name.into(),
        agent: None,
    };
    keep_token(secrets, &token, &identity).await?;
    Ok(token)
}

/// Lets a token in that was made elsewhere, for example one in the
/// configuration; replaces what was kept of it.
///
/// # Errors
/// When the credential store can not be reached.
pub async fn keep_token(
    secrets: &dyn Secrets,
    token: &str,
    identity: &Identity,
) -> Result<(), StoreError> {
    let value = serde_json::to_string(identity)
        .expect("an identity is plain data: maps with string keys and no custom failure");
    secrets.put(KIND, &Fingerprint::of(token).0, &value).await
}

/// The same, and revokes every other token of that name.
///
/// # Errors
/// When the credential store can not be reached.
pub async fn keep_only_token(
    secrets: &dyn Secrets,
    token: &str,
    identity: &Identity,
) -> Result<(), StoreError> {
    keep_token(secrets, token, identity).await?;
    let fingerprint = Fingerprint::of(token).0;
    for (other, value) in secrets.list(KIND).await? {
        let is_of_that_name = serde_json::from_str::<Identity>(&value).is_ok_and(|known| {
            let one = |it: &Identity| (it.tenant, it.name.clone(), it.agent);
            one(&known) == one(identity)
        });
        if other != fingerprint && is_of_that_name {
            secrets.remove(KIND, &other).await?;
        }
    }
    Ok(())
}

/// Revokes a token; open WebSockets that hold it are closed at their next check.
///
/// # Errors
/// When the credential store can not be reached.
pub async fn revoke_token(secrets: &dyn Secrets, token: &str) -> Result<(), StoreError> {
    secrets.remove(KIND, &Fingerprint::of(token).0).await
}

/// The token in a value of `Authorization`; the scheme's case does not matter.
pub(crate) fn bearer(header: &str) -> Result<&str, AuthError> {
    match header.trim().split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        Some(_) | None => Err(AuthError::Missing),
    }
}

/// Who holds the token.
pub(crate) async fn identify(
    secrets: &dyn Secrets,
    fingerprint: &Fingerprint,
) -> Result<Identity, AuthError> {
    // Looked up by a hash: how long that takes tells nothing of a token.
    let kept = secrets.get(KIND, &fingerprint.0).await?;
    let kept = kept.ok_or(AuthError::Invalid)?;
    serde_json::from_str(&kept).map_err(|error| {
        tracing::error!(%error, "a kept token is not readable");
        AuthError::Invalid
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_is_written_as_it_is_read() {
        for scope in Scope::EACH {
            assert_eq!(scope.name().parse::<Scope>().unwrap(), scope);
            let json = serde_json::to_string(&scope).unwrap();
            assert_eq!(json, format!("\"{scope}\""));
        }
        assert!("call:everything".parse::<Scope>().is_err());
    }

    #[test]
    fn only_a_bearer_token_is_taken() {
        assert_eq!(bearer("Bearer rl_1").unwrap(), "rl_1");
        assert_eq!(bearer("bearer  rl_1 ").unwrap(), "rl_1");
        for header in ["", "rl_1", "Basic rl_1", "Bearer"] {
            assert_eq!(bearer(header), Err(AuthError::Missing), "{header}");
        }
    }
}
