//! From "this caller is to leave a message" to the message in its mailbox: once the
//! mailbox has kept room for it the call is sent there, and what came of it is told
//! to the mailbox. Room for which no message comes is given back.

use super::{
    Input, Intent, Process,
    deadlines::{Deadlines, Take},
};
use crate::{
    any::{AnyCommand, AnyEvent, Fact},
    call::{self, ANNOUNCEMENT_MS_MAX, Destination, Voicemail, VoicemailOutcome},
    cause::EndReason,
    id::{CallId, MailboxId, VoicemailId},
    mailbox::{self, Command, Event, Left, LostReason},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Brings callers to mailboxes, and messages into them.
#[derive(Debug)]
pub struct VoicemailProcess;

/// So long after the longest message nobody tells any more what came of it. Before
/// that a store that is away may come back, and what was said is kept.
const GIVE_UP_MS: u64 = 600_000;
/// And so long after the call: writing is tried for seconds, telling for five minutes.
const TELL_MS: u64 = 360_000;

/// Room that is kept, and for which nothing has come yet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Open {
    mailbox: MailboxId,
    call: CallId,
}

/// What it remembers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    open: BTreeMap<VoicemailId, Open>,
    /// When nobody tells any more what came of each.
    due: Deadlines<VoicemailId>,
}

impl State {
    /// What the call is to leave, or leaves. A key and the longest wait may have found it
    /// room in two mailboxes at once: it goes to one of them.
    fn of_call(&self, call: CallId) -> Vec<VoicemailId> {
        let open = self.open.iter().filter(|(_, open)| open.call == call);
        open.map(|(message, _)| *message).collect()
    }
}

impl Process for VoicemailProcess {
    const NAME: &'static str = "voicemail";
    const VERSION: u32 = 2;
    type State = State;

    fn step(state: &mut State, input: &Input<'_>) -> Vec<Intent> {
        match input {
            Input::Event(fact) => match &fact.event {
                AnyEvent::Mailbox(mailbox, event) => on_mailbox(state, fact, *mailbox, event),
                AnyEvent::Call(call, event) => on_call(state, fact, *call, event),
                AnyEvent::Session(..)
                | AnyEvent::Line(..)
                | AnyEvent::Queue(..)
                | AnyEvent::Person(..)
                | AnyEvent::Refusals(..)
                | AnyEvent::Schedule(..)
                | AnyEvent::Agent(..)
                | AnyEvent::Device(..)
                | AnyEvent::Trunk(..)
                | AnyEvent::Callback(..)
                | AnyEvent::Billing(..) => vec![],
            },
            Input::Refused {
                command_id,
                command,
                ..
            } => refused(command_id.0, command),
            Input::Deadline(now) => due(state, *now, Deadlines::take),
            Input::Sweep(now) => due(state, *now, Deadlines::take_ahead),
        }
    }

    fn next_deadline(state: &State) -> Option<Timestamp> {
        state.due.next()
    }
}

fn on_mailbox(state: &mut State, fact: &Fact, mailbox: MailboxId, event: &Event) -> Vec<Intent> {
    match event {
        Event::Expected {
            message,
            call,
            visit,
            cause,
            greeting,
            longest_ms,
        } => {
            let due = fact
                .at
                .plus_ms(ANNOUNCEMENT_MS_MAX + longest_ms + GIVE_UP_MS);
            let open = Open {
                mailbox,
                call: *call,
            };
            state.open.insert(*message, open);
            state.due.plan(*message, fact.at, due);
            let to = Destination::Voicemail(Voicemail {
                mailbox,
                message: *message,
                greeting: greeting.clone(),
                longest_ms: *longest_ms,
            });
            let command = call::Command::OverflowCall {
                visit: *visit,
                cause: *cause,
                to,
            };
            let command = AnyCommand::Call(*call, command);
            vec![Intent::new(fact.event_id.0, command)]
        }
        Event::Left { message, .. } | Event::Released { message, .. } => {
            forget(state, *message);
            vec![]
        }
        Event::Created { .. }
        | Event::Configured { .. }
        | Event::Marked { .. }
        | Event::Deleted { .. } => vec![],
    }
}

#[allow(
    clippy::too_many_lines,
    reason = "an arm for each event, and nothing else"
)]
fn on_call(state: &mut State, fact: &Fact, call: CallId, event: &call::Event) -> Vec<Intent> {
    match event {
        call::Event::VoicemailEnded {
            mailbox,
            message,
            outcome,
            length_ms,
            audio,
            party,
        } => {
            let release = |reason| Command::ReleaseRoom {
                message: *message,
                reason,
            };
            let command = match (outcome, audio) {
                (VoicemailOutcome::Left, Some(audio)) => Command::LeaveMessage {
                    message: *message,
                    left: Left {
                        call,
                        party: party.clone(),
                        length_ms: *length_ms,
                        audio: audio.clone(),
                    },
                },
                (VoicemailOutcome::TooShort, _) => release(LostReason::TooShort),
                (VoicemailOutcome::Lost | VoicemailOutcome::Left, _) => release(LostReason::Lost),
            };
            let command = AnyCommand::Mailbox(*mailbox, command);
            vec![Intent::new(fact.event_id.0, command)]
        }
        // What was said was in the memory of a node that is gone.
        call::Event::Ended { cause, .. } if cause.reason == EndReason::NodeLost => {
            let messages = state.of_call(call).into_iter();
            messages
                .filter_map(|message| give_up(state, fact.event_id.0, message))
                .collect()
        }
        // What was said is written now, and told of; or nobody does any more.
        call::Event::Ended { .. } => {
            for message in state.of_call(call) {
                state.due.hurry(message, fact.at, fact.at.plus_ms(TELL_MS));
            }
            vec![]
        }
        call::Event::Received { .. }
        | call::Event::Routed { .. }
        | call::Event::Enqueued { .. }
        | call::Event::ExitKeyPressed { .. }
        | call::Event::PlaceTold { .. }
        | call::Event::Overflowed { .. }
        | call::Event::AnnouncementStarted { .. }
        | call::Event::VoicemailStarted { .. }
        | call::Event::Forwarded { .. }
        | call::Event::LegDialled { .. }
        | call::Event::TrunkSelected { .. }
        | call::Event::LegProgressed { .. }
        | call::Event::LegAnswered { .. }
        | call::Event::Answered {}
        | call::Event::OfferStarted { .. }
        | call::Event::LegAlerting { .. }
        | call::Event::OfferEnded { .. }
        | call::Event::AgentConnected { .. }
        | call::Event::Held { .. }
        | call::Event::Retrieved { .. }
        | call::Event::Placed { .. }
        | call::Event::AnswerOrdered { .. }
        | call::Event::AnswerOrderRefused { .. }
        | call::Event::Withdrawn { .. }
        | call::Event::CallbackRequested { .. }
        | call::Event::Diverted { .. }
        | call::Event::MediaMeasured { .. }
        | call::Event::SupervisionRequested { .. }
        | call::Event::SupervisionStarted { .. }
        | call::Event::SupervisionModeChanged { .. }
        | call::Event::TakenOver { .. }
        | call::Event::Transferred { .. }
        | call::Event::SupervisionEnded { .. }
        | call::Event::Tagged { .. }
        | call::Event::LateFact { .. } => vec![],
    }
}

/// The call has gone elsewhere or ended meanwhile.
fn refused(cause: Uuid, command: &AnyCommand) -> Vec<Intent> {
    let AnyCommand::Call(
        _,
        call::Command::OverflowCall {
            to: Destination::Voicemail(voicemail),
            ..
        },
    ) = command
    else {
        return vec![];
    };
    vec![release(
        cause,
        voicemail.mailbox,
        voicemail.message,
        LostReason::NotTaken,
    )]
}

fn due(state: &mut State, now: Timestamp, take: Take<VoicemailId>) -> Vec<Intent> {
    let mut intents = vec![];
    while let Some((_, message)) = take(&mut state.due, now) {
        intents.extend(give_up(state, message.0, message));
        forget(state, message);
    }
    intents
}

fn give_up(state: &State, cause: Uuid, message: VoicemailId) -> Option<Intent> {
    let open = state.open.get(&message)?;
    Some(release(cause, open.mailbox, message, LostReason::Lost))
}

const fn release(
    cause: Uuid,
    mailbox: MailboxId,
    message: VoicemailId,
    reason: LostReason,
) -> Intent {
    let command = mailbox::Command::ReleaseRoom { message, reason };
    Intent::new(cause, AnyCommand::Mailbox(mailbox, command))
}

fn forget(state: &mut State, message: VoicemailId) {
    state.open.remove(&message);
    state.due.forget(message);
}
