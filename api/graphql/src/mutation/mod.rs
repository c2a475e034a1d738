//! What can be ordered: one file per noun. Each builds one envelope and goes
//! through the gateway. A refusal by the rules is data (`userErrors`), a fault
//! is an error.

mod agents;
mod billing;
mod callbacks;
mod calls;
mod desk;
mod doors;
mod exports;
mod members;
mod offers;
mod pause;
mod projections;
mod queue_change;
mod queue_delete;
mod queue_parts;
mod queues;
mod refusal;
mod requeue;
mod schedules;
mod sessions;
mod settings;
mod subjects;
mod supervise;
mod tags;
mod transfer;
mod trunks;
mod voicemails;
mod webhooks;
mod withdraw;
mod wrap_up;
mod written;

use crate::{
    auth::Identity,
    error::{Code, Fault, fault_of},
    query::{identity, services},
    scalar::Cursor,
    services::Services,
};
use async_graphql::{Context, ID, MergedObject, Result, SimpleObject};
use commands::{
    envelope::{Committed, Envelope},
    error::{DispatchError, Refused},
};
use domain::{
    any::AnyCommand,
    decider::Decider,
    id::{CommandId, derive},
    time::Timestamp,
};
use std::time::Duration;
use uuid::Uuid;

/// All mutations.
// In groups: the compiler nests each member in the one before, and not deeper than so.
#[derive(MergedObject, Default)]
pub(crate) struct Mutation(
    QueueOrders,
    AgentOrders,
    CallOrders,
    trunks::TrunkMutations,
    exports::ExportMutations,
    BillingOrders,
    projections::ProjectionMutations,
    webhooks::WebhookMutations,
    settings::SettingsMutations,
);

/// Those about queues and who serves them.
#[derive(MergedObject, Default)]
pub(crate) struct QueueOrders(
    queues::QueueMutations,
    doors::DoorMutations,
    queue_change::QueueChangeMutations,
    queue_delete::QueueDeleteMutations,
    queue_parts::QueuePartMutations,
    members::MemberMutations,
    pause::PauseMutations,
);

/// Those about agents.
#[derive(MergedObject, Default)]
pub(crate) struct AgentOrders(
    agents::AgentMutations,
    desk::DeskMutations,
    offers::OfferMutations,
    schedules::ScheduleMutations,
);

/// Those about calls and who calls.
#[derive(MergedObject, Default)]
pub(crate) struct CallOrders(
    requeue::RequeueMutations,
    withdraw::WithdrawMutations,
    calls::CallMutations,
    callbacks::CallbackMutations,
    subjects::SubjectMutations,
    voicemails::VoicemailMutations,
    tags::TagMutations,
    supervise::SuperviseMutations,
    transfer::TransferMutations,
);

/// Those about money.
#[derive(MergedObject, Default)]
pub(crate) struct BillingOrders(
    billing::SellerMutations,
    billing::AccountMutations,
    billing::PaymentMutations,
    billing::PlanMutations,
    billing::DeckMutations,
    billing::InvoiceMutations,
    billing::RerateMutations,
    billing::RunMutations,
    billing::UsageMutations,
);

/// Why nothing was done.
#[derive(SimpleObject, Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserError {
    /// Stable code, for example `queue.already_exists`.
    code: String,
    /// What was wrong, in words.
    message: String,
    /// The field of the input that it is about, where there is one.
    field: Option<String>,
}

impl UserError {
    pub(crate) fn new(code: &str, message: &str, field: Option<&str>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            field: field.map(Into::into),
        }
    }

    /// The call knows of no such offer, or not yet.
    fn is_stale_offer(&self) -> bool {
        self.code == domain::decider::Refusal::code(&domain::call::Error::StaleOffer)
    }

    /// The same of one of the things that a field names.
    pub(crate) fn about(self, thing: impl std::fmt::Display, field: &str) -> Self {
        Self::new(
            &self.code,
            &format!("{thing}: {}", self.message),
            Some(field),
        )
    }
}

impl From<Refused> for UserError {
    fn from(refused: Refused) -> Self {
        let field = field_of(refused.code).map(str::to_owned);
        Self {
            field: field.or_else(|| field_in(&refused.message)),
            ..Self::new(refused.code, &refused.message, None)
        }
    }
}

/// The field that a message begins with: `tax_id: has no form ..`, as the API
/// calls it.
fn field_in(message: &str) -> Option<String> {
    let (field, _) = message.split_once(": ")?;
    let is_field = |sign: char| sign.is_ascii_lowercase() || sign == '_';
    if field.is_empty() || !field.chars().all(is_field) {
        return None;
    }
    let mut parts = field.split('_');
    let mut name = parts.next()?.to_owned();
    for part in parts {
        let (first, rest) = part.split_at_checked(1)?;
        name.push_str(&first.to_ascii_uppercase());
        name.push_str(rest);
    }
    Some(name)
}

/// The field of the input that a refusal is about.
fn field_of(code: &str) -> Option<&'static str> {
    match code {
        "queue.already_exists"
        | "queue.invalid_name"
        | "webhook.unknown"
        | "projection.unknown"
        | "agent.already_exists"
        | "agent.invalid_name"
        | "trunk.already_exists"
        | "trunk.invalid_name"
        | "mailbox.invalid_name" => Some("name"),
        "mailbox.invalid_greeting" => Some("greeting"),
        "mailbox.invalid_longest" => Some("longestMs"),
        "mailbox.invalid_messages_max" => Some("messagesMax"),
        "mailbox.unknown_message" | "mailbox.not_left" => Some("voicemailId"),
        "mailbox.unknown" => Some("mailboxId"),
        "queue.invalid_skill" | "agent.invalid_skill" => Some("skills"),
        "agent.invalid_place" => Some("places"),
        "queue.attempts_without_overflow" | "queue.overflow_twice" => Some("overflow"),
        "queue.invalid_resume_abandoned" => Some("resumeAbandonedMs"),
        "trunk.forward_twice" => Some("forwards"),
        "trunk.no_host" => Some("host"),
        "queue.unknown" | "call.overflow_loop" | "call.same_queue" | "call.answered_there" => {
            Some("queueId")
        }
        "agent.unknown" => Some("agentId"),
        "queue.invalid_ring_timeout" => Some("ringTimeoutMs"),
        "queue.invalid_capacity" => Some("capacity"),
        "queue.invalid_target" => Some("serviceLevelTargetPercent"),
        "queue.expected_wait_alone" => Some("expectedWaitMaxMs"),
        "queue.invalid_visit_ttl" => Some("visitTtlMs"),
        "agent.invalid_grace" => Some("registrationGraceMs"),
        "agent.invalid_capacity" => Some("capacity"),
        "queue.invalid_wrap_up" => Some("wrapUpMs"),
        "queue.invalid_number" => Some("numbers"),
        "trunk.nothing_allowed" => Some("allow"),
        "subject.unknown" | "subject.already_erased" => Some("number"),
        "callback.invalid_time" => Some("notBefore"),
        "callback.unknown" | "callback.over" | "callback.trying" => Some("callbackId"),
        "call.unknown"
        | "call.already_ended"
        | "call.placed"
        | "call.already_connected"
        | "call.no_caller"
        | "call.no_number"
        | "call.tagged_too_often"
        | "call.not_connected"
        | "call.already_supervised"
        | "call.not_supervised"
        | "call.taken_over"
        | "call.others_call"
        | "call.transferred_too_often"
        | "call.supervised_too_often" => Some("callId"),
        "call.stale_visit" => Some("visitId"),
        "call.own_call"
        | "agent.not_logged_in"
        | "agent.already_logged_in"
        | "agent.engaged"
        | "agent.no_wrap_up"
        | "agent.not_ready"
        | "agent.session_ended"
        | "queue.not_paused" => Some("agentId"),
        "agent.code_required" => Some("code"),
        "call.stale_offer"
        | "call.not_ringing"
        | "call.no_answer_by_order"
        | "agent.stale_offer" => Some("offerId"),
        _ => field_of_schedule(code).or_else(|| field_of_money(code)),
    }
}

/// The same of what agents are to do when.
fn field_of_schedule(code: &str) -> Option<&'static str> {
    match code {
        "schedule.invalid_time" => Some("from"),
        "schedule.invalid_span" | "schedule.span_too_long" => Some("to"),
        "schedule.too_many_segments"
        | "schedule.invalid_segment"
        | "schedule.segment_outside"
        | "schedule.overlap" => Some("segments"),
        _ => None,
    }
}

/// The same of what is billed.
fn field_of_money(code: &str) -> Option<&'static str> {
    match code {
        "account.already_exists"
        | "account.invalid_name"
        | "plan.already_exists"
        | "plan.invalid_name"
        | "deck.already_exists"
        | "deck.invalid_name" => Some("name"),
        "deck.empty" => Some("csv"),
        "account.unknown" | "account.closed" | "account.not_even" => Some("accountId"),
        "invoice.unknown"
        | "invoice.no_draft"
        | "invoice.not_issued"
        | "invoice.nothing_left"
        | "invoice.immutable" => Some("invoiceId"),
        "account.credit_exhausted" => Some("quantity"),
        _ => None,
    }
}

/// What a mutation came to.
pub(crate) struct Outcome {
    /// What a reader must have reached to see it; none when it was refused.
    pub(crate) position: Option<Cursor>,
    pub(crate) user_errors: Vec<UserError>,
}

impl Outcome {
    pub(crate) fn refused(error: UserError) -> Self {
        Self {
            position: None,
            user_errors: vec![error],
        }
    }

    /// Splits what the gateway answered into data and errors.
    pub(crate) fn of(answer: Result<Committed, DispatchError>) -> Result<Self, Fault> {
        match answer {
            Ok(committed) => Ok(Self {
                position: Some(committed.position.into()),
                user_errors: vec![],
            }),
            Err(DispatchError::Refused(refused)) if refused.is_stale() => {
                Err(Fault::new(Code::Conflict, refused.message))
            }
            Err(DispatchError::Refused(refused)) => Ok(Self::refused(refused.into())),
            Err(
                error @ (DispatchError::Conflict
                | DispatchError::Unavailable(_)
                | DispatchError::Corrupt(_)),
            ) => Err(fault_of(&error)),
        }
    }

    pub(crate) const fn is_done(&self) -> bool {
        self.position.is_some()
    }
}

/// One mutation under way.
pub(crate) struct Order<'a> {
    pub(crate) services: &'a Services,
    pub(crate) identity: &'a Identity,
    client: Uuid,
}

impl<'a> Order<'a> {
    pub(crate) fn new(ctx: &Context<'a>, command_id: &ID) -> Result<Self> {
        let client = Uuid::parse_str(command_id)
            .map_err(|_| Fault::validation("commandId is not a UUID").of("commandId"))?;
        Ok(Self {
            services: services(ctx)?,
            identity: identity(ctx)?,
            client,
        })
    }

    /// What orders the ids that are derived from the client's: its own time, where it
    /// has one (UUIDv7).
    fn millis(&self) -> u64 {
        u64::try_from(self.client.as_u128() >> 80).unwrap_or_default()
    }

    /// The envelope of a command. `correlation` is what belongs together.
    ///
    /// The command id is derived from the client's and from what is ordered:
    /// the same order again hears the first answer, and an id that is used
    /// again for something else, or by another tenant, is another command.
    pub(crate) fn envelope(&self, command: AnyCommand, correlation: Uuid) -> Envelope {
        let tenant = self.identity.tenant;
        Envelope {
            command_id: self.id_of(command.name(), &command.target()),
            command,
            at: self.services.clock.now(),
            correlation_id: correlation,
            causation_id: self.client,
            actor: self.identity.actor(),
            tenant,
        }
    }

    /// The id of the order's command of that name for that stream.
    fn id_of(&self, name: &str, (category, key): &(&str, String)) -> CommandId {
        let tenant = self.identity.tenant;
        let label = format!("{tenant}/{name}/{category}-{key}");
        CommandId(derive(self.millis(), self.client, &label))
    }

    /// Carries one of several commands of an order out. Those of one kind for
    /// one aggregate are told apart by their place.
    pub(crate) fn step(&self, command: AnyCommand, correlation: Uuid, step: usize) -> Envelope {
        let mut envelope = self.envelope(command, correlation);
        let label = format!("step {step}");
        envelope.command_id = CommandId(derive(self.millis(), envelope.command_id.0, &label));
        envelope
    }

    /// Carries out a command that is the same one whoever orders it: its id is
    /// derived from `said`, which was said of that instant, and not from the client's.
    pub(crate) async fn dispatch_once(
        &self,
        command: AnyCommand,
        correlation: Uuid,
        (of, said): (Timestamp, &str),
    ) -> Result<Outcome, Fault> {
        let mut envelope = self.envelope(command, correlation);
        let (category, key) = envelope.command.target();
        let (name, tenant) = (envelope.command.name(), envelope.tenant);
        let label = format!("{tenant}/{name}/{category}-{key}/{said}");
        let id = derive(of.millis_unsigned(), correlation, &label);
        envelope.command_id = CommandId(id);
        Outcome::of(self.services.gateway.dispatch(envelope).await)
    }

    /// Carries the command out.
    pub(crate) async fn dispatch(
        &self,
        command: AnyCommand,
        correlation: Uuid,
    ) -> Result<Outcome, Fault> {
        let envelope = self.envelope(command, correlation);
        Outcome::of(self.services.gateway.dispatch(envelope).await)
    }

    /// Carries the command out, if what it is about is at that revision still, where one
    /// is given.
    pub(crate) async fn dispatch_expecting(
        &self,
        command: AnyCommand,
        correlation: Uuid,
        revision: Option<i32>,
    ) -> Result<Outcome, Fault> {
        let envelope = self.envelope(command, correlation);
        let gateway = &self.services.gateway;
        // A negative one is no revision of anything.
        let revision = revision.map(|revision| u64::try_from(revision).unwrap_or(u64::MAX));
        Outcome::of(match revision {
            Some(revision) => gateway.dispatch_expecting(envelope, revision).await,
            None => gateway.dispatch(envelope).await,
        })
    }

    /// Carries out an order about a call or another thing, whatever stream it comes to: its
    /// id does not depend on that, so that a retry is one. Or there is no stream, and why.
    pub(crate) async fn dispatch_about(
        &self,
        thing: Uuid,
        name: &str,
        command: Result<AnyCommand, UserError>,
    ) -> Result<Outcome, Fault> {
        let label = format!("{}/{name}/{thing}", self.identity.tenant);
        let command_id = CommandId(derive(self.millis(), self.client, &label));
        match command {
            Ok(command) => {
                let mut envelope = self.envelope(command, thing);
                envelope.command_id = command_id;
                Outcome::of(self.services.gateway.dispatch(envelope).await)
            }
            Err(error) => self.first_answer_or(command_id, vec![error]).await,
        }
    }

    /// What only the API can see speaks against the command; but if it was carried out
    /// before, whoever asks again hears what came of it.
    pub(crate) async fn refuse(
        &self,
        command: AnyCommand,
        errors: Vec<UserError>,
    ) -> Result<Outcome, Fault> {
        // Whose it is in the log does not matter here.
        let envelope = self.envelope(command, self.client);
        self.first_answer_or(envelope.command_id, errors).await
    }

    /// The same of a command that can not even be made: of that name, for that stream.
    async fn refuse_named<A: Decider>(
        &self,
        name: &str,
        key: impl ToString,
        refusal: refusal::Refusal,
    ) -> Result<Outcome, Fault> {
        let id = self.id_of(name, &(A::CATEGORY, key.to_string()));
        self.first_answer_or(id, vec![refusal.into()]).await
    }

    async fn first_answer_or(
        &self,
        command_id: CommandId,
        errors: Vec<UserError>,
    ) -> Result<Outcome, Fault> {
        match self.services.gateway.first_answer(command_id).await {
            Ok(Some(first)) => Outcome::of(Ok(first)),
            Ok(None) => Ok(Outcome {
                position: None,
                user_errors: errors,
            }),
            Err(error) => Err(fault_of(&error)),
        }
    }

    /// Waits until names made by this command can be used by the next one. If
    /// that takes too long, the next one says what it does not know.
    pub(crate) async fn settle(&self, outcome: &Outcome) {
        let Some(position) = outcome.position else {
            return;
        };
        let timeout = Duration::from_millis(self.services.options.position_timeout_ms);
        let known = self.services.directory.wait_for(position.into());
        if tokio::time::timeout(timeout, known).await.is_err() {
            tracing::warn!(position = position.0, "the directory is behind");
        }
    }
}
