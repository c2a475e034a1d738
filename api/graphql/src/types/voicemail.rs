//! Mailboxes and the messages in them.

use crate::{
    auth::Scope,
    error::Fault,
    id::Named as _,
    query::{Needs, views},
    scalar::{Cursor, DateTime, Duration, count},
    types::{Call, Caller, words::VoicemailStatus},
    voicemails,
};
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use domain::call::VoicemailOutcome;
use projections::{mailboxes, voicemails as messages};

/// A mailbox.
pub(crate) struct Mailbox(pub(crate) mailboxes::Row);

/// How many messages are in a mailbox.
#[derive(SimpleObject, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct VoicemailCounts {
    /// Messages that nobody has heard.
    pub(crate) new: i32,
    /// Messages that were heard.
    pub(crate) read: i32,
    /// Messages that were heard and are to be kept.
    pub(crate) saved: i32,
}

impl VoicemailCounts {
    pub(crate) fn of(row: &mailboxes::Row) -> Self {
        Self {
            new: count(row.new_count),
            read: count(row.read_count),
            saved: count(row.saved_count),
        }
    }
}

/// Where callers whom nobody serves leave messages.
#[Object]
impl Mailbox {
    /// Opaque.
    pub(crate) async fn id(&self) -> ID {
        self.0.mailbox.opaque()
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What callers hear before the tone: a name of the settings; null for the tone alone.
    async fn greeting(&self) -> Option<&str> {
        self.0.config.greeting.as_deref()
    }

    /// How long a message may be.
    async fn longest_ms(&self) -> Duration {
        Duration(self.0.config.longest_ms)
    }

    /// Messages at most; then it is full.
    async fn messages_max(&self) -> i32 {
        count(self.0.config.messages_max)
    }

    /// The messages in it.
    async fn counts(&self) -> VoicemailCounts {
        VoicemailCounts::of(&self.0)
    }

    /// Messages that are being left at this moment.
    async fn expected_count(&self) -> i32 {
        count(self.0.expected_count)
    }

    /// The event that last changed it.
    async fn position(&self) -> Cursor {
        Cursor(self.0.position)
    }
}

/// A message.
pub(crate) struct Voicemail(pub(crate) messages::Row);

/// What a caller has said in a mailbox.
#[Object]
impl Voicemail {
    /// Opaque.
    pub(crate) async fn id(&self) -> ID {
        self.0.message.opaque()
    }

    /// The mailbox in which it is.
    async fn mailbox_id(&self) -> ID {
        self.0.mailbox.opaque()
    }

    /// What has become of it.
    async fn status(&self) -> VoicemailStatus {
        self.0.status.into()
    }

    /// Who left it; null when no number was shown.
    #[graphql(name = "from")]
    async fn caller(&self) -> Option<Caller> {
        self.0.person.as_ref().map(Into::into)
    }

    /// Id of the call in which it was left.
    async fn call_id(&self) -> ID {
        self.0.call.opaque()
    }

    /// That call.
    #[graphql(guard = "Needs(Scope::CallRead)")]
    async fn call(&self, ctx: &Context<'_>) -> Result<Option<Call>> {
        let call = views(ctx)?.call(self.0.call).await;
        Ok(call.map_err(Fault::from)?.map(Into::into))
    }

    /// How long it is.
    async fn length_ms(&self) -> Duration {
        Duration(self.0.length_ms)
    }

    /// When it was there.
    async fn left_at(&self) -> DateTime {
        DateTime(self.0.left_at)
    }

    /// When something else became of it last.
    async fn marked_at(&self) -> Option<DateTime> {
        self.0.marked_at.map(DateTime)
    }

    /// Who said so.
    async fn marked_by(&self) -> Option<&str> {
        self.0.marked_by.as_deref()
    }

    /// Path of its sound, as a WAV file; null of one that was taken away. What a person
    /// has said who was forgotten since is not there any more.
    async fn audio_path(&self) -> Option<String> {
        match self.0.status {
            messages::Status::Deleted => None,
            messages::Status::New | messages::Status::Read | messages::Status::Saved => {
                Some(voicemails::path(self.0.message))
            }
        }
    }

    /// Bytes of that file.
    async fn audio_bytes(&self) -> i32 {
        count(self.0.size_bytes)
    }

    /// SHA-256 of that file, in hexadecimal.
    async fn audio_sha256(&self) -> &str {
        &self.0.sha256
    }

    /// The event that last changed it.
    async fn position(&self) -> Cursor {
        Cursor(self.0.position)
    }
}

/// The time of a call in a mailbox.
#[derive(SimpleObject)]
pub(crate) struct CdrVoicemail {
    /// Which mailbox.
    mailbox_id: ID,
    /// What came of it; null while that is not known, and for ever after a crash.
    outcome: Option<crate::types::words::VoicemailOutcome>,
    /// The message, if one was left.
    voicemail_id: Option<ID>,
    /// How long what was said is.
    length_ms: Duration,
}

impl From<&projections::cdr::Voicemail> for CdrVoicemail {
    fn from(voicemail: &projections::cdr::Voicemail) -> Self {
        let outcome: Option<VoicemailOutcome> = voicemail.outcome;
        Self {
            mailbox_id: voicemail.mailbox.opaque(),
            outcome: outcome.map(Into::into),
            voicemail_id: voicemail.message.map(|message| message.opaque()),
            length_ms: Duration(voicemail.length_ms),
        }
    }
}
