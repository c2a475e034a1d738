//! What the API is built on, given by the composition root.

use crate::options::Options;
use commands::{
    directory::Directory,
    gateway::Gateway,
    invoice_run,
    outbox::Outbox,
    ports::{Clock, Entropy, Secrets, Vault},
    rater::Rater,
    roster::Roster,
};
use domain::id::TenantId;
use futures_util::future::BoxFuture;
use projections::views::Views;
use std::{fmt, sync::Arc};

/// Everything that a request may reach; cheap to clone.
#[derive(Clone)]
pub struct Services {
    /// The one door for commands.
    pub gateway: Gateway,
    /// Who is who now.
    pub directory: Directory,
    /// The servers that share the record.
    pub roster: Roster,
    /// The read models.
    pub views: Views,
    /// What calls cost.
    pub rater: Rater,
    /// Invoices months; whoever asks for it is put in as its actor.
    pub invoicing: invoice_run::Means,
    /// Tokens and passwords.
    pub secrets: Arc<dyn Secrets>,
    /// Seals personal data on its way into a command.
    pub vault: Arc<dyn Vault>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub entropy: Arc<dyn Entropy>,
    /// Realm of the SIP passwords, as the registrar challenges with it.
    pub realm: String,
    /// Whose installation this is: tokens of another tenant open nothing.
    pub tenant: TenantId,
    /// Letters to systems outside.
    pub outbox: Outbox,
    /// To which ones.
    pub webhooks: Arc<[Webhook]>,
    /// The skills that there are.
    pub skills: Arc<[String]>,
    /// The words that say what came of a call.
    pub wrap_up_codes: Arc<[String]>,
    /// Limits.
    pub options: Options,
}

/// A webhook, as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its name.
    pub name: String,
    /// Where letters go.
    pub url: String,
    /// About what; empty for everything.
    pub events: Vec<String>,
}

impl Services {
    /// Whether each of these skills is one that there is.
    pub(crate) fn knows<'a>(&self, mut skills: impl Iterator<Item = &'a str>) -> bool {
        skills.all(|skill| self.skills.iter().any(|known| known == skill))
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services").finish_non_exhaustive()
    }
}

/// One condition of being ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What: `store`, `projections`, `sip`.
    pub name: &'static str,
    /// Whether it holds.
    pub passed: bool,
}

/// What the server says of itself; made by the composition root.
#[derive(Clone)]
pub struct Probes {
    /// Whether calls can be taken now.
    pub ready: Arc<dyn Fn() -> BoxFuture<'static, Vec<Check>> + Send + Sync>,
    /// The metrics, in the text format of Prometheus.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

impl fmt::Debug for Probes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probes").finish_non_exhaustive()
    }
}
