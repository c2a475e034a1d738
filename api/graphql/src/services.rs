//! What the API is built on, given by the composition root.

use crate::options::Options;
use commands::{
    directory::Directory,
    gateway::Gateway,
    invoice_run,
    outbox::Outbox,
    ports::{Clock, Entropy, Recordings, Secrets, Vault},
    rater::Rater,
    roster::Roster,
};
use domain::{
    id::TenantId,
    queue::AnnouncePosition,
    session::{NotReadyCode, NotReadyReason},
};
use futures_util::future::BoxFuture;
use projections::views::Views;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};
use tokio::sync::Mutex;

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
    /// What callers have said in mailboxes.
    pub recordings: Arc<dyn Recordings>,
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
    /// What the settings say, and how they are read anew.
    pub settings: Settings,
    /// Limits.
    pub options: Options,
    /// Held by whoever gives an account something that only one can have.
    pub owning: Arc<Mutex<()>>,
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

/// The words that the settings allow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    /// The skills that there are.
    pub skills: Vec<String>,
    /// What agents can say of a call in their wrap-up.
    pub wrap_up_codes: Vec<String>,
    /// What callers can be told.
    pub announcements: Vec<String>,
    /// What callers can hear while they wait.
    pub music: Vec<String>,
    /// By what callers can be told their place in a line, and how many places that has a
    /// prompt of.
    pub positions: BTreeMap<String, u32>,
    /// What agents can say when they take no calls.
    pub pauses: Vec<PauseWord>,
    /// The queues that the settings define, by name.
    pub queues: Vec<String>,
}

/// A word for taking no calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PauseWord {
    /// The word, and what is kept with it.
    pub said: NotReadyCode,
    /// For people.
    pub label: String,
    /// The reason that it stands for.
    pub category: NotReadyReason,
}

/// What became of settings that were read anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reloaded {
    /// The words that count from now on.
    pub words: Words,
    /// Something else has changed that counts only after a restart.
    pub needs_restart: bool,
}

/// Reads the settings anew and applies them, or says why not.
pub type Reload = dyn Fn() -> BoxFuture<'static, Result<Reloaded, String>> + Send + Sync;

/// The settings that can change while the server runs; cheap to clone.
#[derive(Clone)]
pub struct Settings {
    words: Arc<RwLock<Words>>,
    reload: Arc<Reload>,
    /// One after the other: the words are those of the last file that was read.
    turn: Arc<Mutex<()>>,
}

impl Settings {
    /// The words of the start, and how they are read anew.
    pub fn new(words: Words, reload: Arc<Reload>) -> Self {
        Self {
            words: Arc::new(RwLock::new(words)),
            reload,
            turn: Arc::default(),
        }
    }

    /// Reads the settings anew: all of them count, or none.
    ///
    /// # Errors
    /// Names the key and the reason; what counted before goes on to count.
    pub async fn reload(&self) -> Result<Reloaded, String> {
        let _turn = self.turn.lock().await;
        let reloaded = (self.reload)().await?;
        let mut words = self.words.write().unwrap_or_else(PoisonError::into_inner);
        *words = reloaded.words.clone();
        Ok(reloaded)
    }

    fn read<T>(&self, look: impl FnOnce(&Words) -> T) -> T {
        look(&self.words.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether each of these skills is one that there is.
    pub(crate) fn knows<'a>(&self, mut skills: impl Iterator<Item = &'a str>) -> bool {
        self.read(|words| skills.all(|skill| words.skills.iter().any(|known| known == skill)))
    }

    /// Whether the settings define a queue of that name.
    pub(crate) fn defines(&self, queue: &str) -> bool {
        self.read(|words| {
            words
                .queues
                .iter()
                .any(|name| name.eq_ignore_ascii_case(queue))
        })
    }

    /// Whether callers can be told each of these.
    pub(crate) fn can_say<'a>(&self, mut names: impl Iterator<Item = &'a str>) -> bool {
        self.read(|words| names.all(|name| words.announcements.iter().any(|known| known == name)))
    }

    /// Whether callers can hear that while they wait.
    pub(crate) fn can_play(&self, music: Option<&str>) -> bool {
        self.read(|words| music.is_none_or(|name| words.music.iter().any(|known| known == name)))
    }

    /// Whether callers can be told their place so.
    pub(crate) fn can_tell(&self, told: &AnnouncePosition) -> bool {
        self.read(|words| {
            let prompts_count = words.positions.get(&told.sounds);
            prompts_count.is_some_and(|count| *count >= told.up_to)
        })
    }

    /// Whether agents can say this of a call.
    pub(crate) fn knows_code(&self, code: &str) -> bool {
        self.read(|words| words.wrap_up_codes.iter().any(|known| known == code))
    }

    /// The words for taking no calls.
    pub(crate) fn pauses(&self) -> Vec<PauseWord> {
        self.read(|words| words.pauses.clone())
    }

    /// That word for taking no calls.
    pub(crate) fn pause(&self, code: &str) -> Option<PauseWord> {
        self.read(|words| {
            let mut pauses = words.pauses.iter();
            pauses.find(|word| word.said.code == code).cloned()
        })
    }

    /// Whether there is anything that agents can say of a call.
    pub(crate) fn has_codes(&self) -> bool {
        self.read(|words| !words.wrap_up_codes.is_empty())
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
