//! Identifiers. Each is a newtype over a UUID, so that an agent can never be
//! passed where a call is meant. New ones are minted at the edge (the
//! `Entropy` port); the core only takes them as input, or derives them from
//! other ids, which is pure.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }
    )+};
}

ids! {
    /// One customer contact, from the first INVITE to the last leg ended.
    /// Ours; never the SIP Call-ID.
    CallId,
    /// One endpoint's connection to a call: one dialog, one media session.
    LegId,
    /// A person or program that takes calls.
    AgentId,
    /// A waiting list with its policy.
    QueueId,
    /// One stay of one call in one queue.
    VisitId,
    /// One visit presented to one agent; the fence of everything that follows.
    OfferId,
    /// The way to and from a carrier or PBX.
    TrunkId,
    /// Refused calls that are summed up.
    RefusalsId,
    /// A customer of the installation; everything belongs to exactly one.
    TenantId,
    /// The idempotency key of a command: one id, one effect, one answer.
    CommandId,
    /// A stored event.
    EventId,
    /// Whose personal data a sealed value holds; the unit of erasure.
    SubjectId,
    /// Who pays.
    AccountId,
    /// A rate plan.
    PlanId,
    /// A rate deck, in all its versions.
    DeckId,
    /// An invoice.
    InvoiceId,
    /// A credit note.
    CreditNoteId,
    /// A promise to ring somebody back.
    CallbackId,
    /// A payment that came in.
    PaymentId,
    /// Credit that was paid out.
    RefundId,
    /// A place where callers leave messages.
    MailboxId,
    /// A message in a mailbox.
    VoicemailId,
}

/// One login of one agent. Numbers count from 1 and do not skip: login `n + 1`
/// starts only after `n` has ended, so that two nodes cannot open two sessions
/// for one agent (both would write the first event of the same stream).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionId {
    /// Who logged in.
    pub agent: AgentId,
    /// Which login of that agent, from 1.
    pub number: u32,
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.agent, self.number)
    }
}

/// The tenant of an installation that has only one.
pub const DEFAULT_TENANT: TenantId =
    TenantId(Uuid::from_u128(0x0000_0000_0000_8000_8000_0000_0000_0001));

/// Namespace of ids that are derived from names: a queue or agent that is
/// provisioned twice under one name is one aggregate, on every node.
const NAMES: Uuid = Uuid::from_u128(0x6b0f_30f1_3c7e_5d6a_9a55_7d0c_8e21_44d7);

fn named(tenant: TenantId, kind: &str, name: &str) -> Uuid {
    Uuid::new_v5(
        &NAMES,
        format!("{tenant}/{kind}/{}", name.to_lowercase()).as_bytes(),
    )
}

impl QueueId {
    /// The queue of that name in that tenant; names ignore case.
    pub fn named(tenant: TenantId, name: &str) -> Self {
        Self(named(tenant, "queue", name))
    }
}

impl AgentId {
    /// The agent of that name in that tenant; names ignore case.
    pub fn named(tenant: TenantId, name: &str) -> Self {
        Self(named(tenant, "agent", name))
    }
}

impl TrunkId {
    /// The trunk of that name in that tenant; names ignore case.
    pub fn named(tenant: TenantId, name: &str) -> Self {
        Self(named(tenant, "trunk", name))
    }
}

impl MailboxId {
    /// The mailbox of that name in that tenant; names ignore case.
    pub fn named(tenant: TenantId, name: &str) -> Self {
        Self(named(tenant, "mailbox", name))
    }
}

impl AccountId {
    /// The account of that name in that tenant; names ignore case.
    pub fn named(tenant: TenantId, name: &str) -> Self {
        Self(named(tenant, "account", name))
    }
}

impl PlanId {
    /// The plan of that name in that tenant; names ignore case.
    pub fn named(tenant: TenantId, name: &str) -> Self {
        Self(named(tenant, "plan", name))
    }
}

impl DeckId {
    /// The deck of that name in that tenant; names ignore case.
    pub fn named(tenant: TenantId, name: &str) -> Self {
        Self(named(tenant, "deck", name))
    }
}

/// Derives an id from a base id and a label, with the first 48 bits (the
/// milliseconds) taken from `millis`: derived ids stay time-ordered, because
/// random ones in a unique index make appends several times slower as the log
/// grows. Layout is UUIDv8 (RFC 9562, section 5.8).
pub fn derive(millis: u64, base: Uuid, label: &str) -> Uuid {
    let hash = Uuid::new_v5(&base, label.as_bytes()).into_bytes();
    let mut bytes = [0u8; 16];
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    bytes[6..].copy_from_slice(&hash[..10]);
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    Uuid::from_bytes(bytes)
}

/// Milliseconds in the first 48 bits of a time-ordered id (UUIDv7, our v8); none of another.
pub fn millis_of(id: Uuid) -> Option<u64> {
    let bytes = id.as_bytes();
    match id.get_version_num() {
        7 | 8 => {
            let mut millis = [0u8; 8];
            millis[2..].copy_from_slice(&bytes[..6]);
            Some(u64::from_be_bytes(millis))
        }
        _ => None,
    }
}
