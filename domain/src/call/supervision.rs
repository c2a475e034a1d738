//! Somebody else hears a call, and may talk in it: at a phone of theirs, which rings for
//! it. One at a time, and only while an agent and a caller talk. Whatever becomes of the
//! supervision, the call goes on; with the end of the call it ends too.

use super::{
    command::Command,
    decide::Decision,
    error::Error,
    event::Event,
    state::{Call, Phase},
    takeover,
};
use crate::{
    cause::{EndReason, OfferOutcome, WireCause},
    id::{AgentId, LegId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// How long the phone of a supervisor rings.
pub const RING_SUPERVISOR_MS: u64 = 30_000;
/// Times that one call may be supervised or the mode of it changed: each is an event.
pub const SUPERVISINGS_MAX: u32 = 100;

/// Who hears whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SupervisionMode {
    /// The supervisor hears both sides, and nobody hears the supervisor.
    Listen,
    /// The agent hears the supervisor too; the caller does not.
    Whisper,
    /// All three hear each other.
    Barge,
    /// The supervisor has the call instead of the agent, once the phone has answered.
    Takeover,
}

/// Why a supervision is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SupervisionEnd {
    /// Somebody has stopped it.
    Stopped,
    /// The supervisor has hung up.
    HungUp,
    /// The supervisor's phone was not answered in time.
    NoAnswer,
    /// The supervisor's phone is busy.
    Busy,
    /// The supervisor's phone has declined.
    Rejected,
    /// No phone of the supervisor can be reached.
    Unreachable,
    /// No RTP came from the supervisor's phone for too long.
    MediaSilence,
    /// The supervisor's phone does not answer requests any more.
    SignallingLost,
    /// The call is over.
    CallEnded,
    /// The agent has sent the caller into another queue: nobody talks.
    Transferred,
    /// The node of the call was lost, and the call with it.
    NodeLost,
    /// The supervisor has the call. Told by the event of that, not by the end of a
    /// supervision: the leg is not released.
    TakenOver,
}

impl SupervisionEnd {
    /// As it stands in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::HungUp => "hung_up",
            Self::NoAnswer => "no_answer",
            Self::Busy => "busy",
            Self::Rejected => "rejected",
            Self::Unreachable => "unreachable",
            Self::MediaSilence => "media_silence",
            Self::SignallingLost => "signalling_lost",
            Self::CallEnded => "call_ended",
            Self::Transferred => "transferred",
            Self::NodeLost => "node_lost",
            Self::TakenOver => "taken_over",
        }
    }

    const fn of_phone(outcome: OfferOutcome) -> Self {
        match outcome {
            OfferOutcome::Busy => Self::Busy,
            OfferOutcome::Rejected => Self::Rejected,
            OfferOutcome::NoAnswer => Self::NoAnswer,
            OfferOutcome::Unreachable
            | OfferOutcome::Withdrawn
            | OfferOutcome::AnsweredElsewhere
            | OfferOutcome::CallerGone => Self::Unreachable,
        }
    }
}

/// A supervision that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supervising {
    /// The leg to the supervisor's phone, if it is a new one.
    pub leg: LegId,
    /// Whose phone.
    pub supervisor: AgentId,
    /// Who is to hear whom.
    pub mode: SupervisionMode,
    /// Who says so.
    pub by: String,
}

/// A supervision that is to begin or goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supervision {
    /// The leg to the supervisor's phone.
    pub leg: LegId,
    /// Whose phone.
    pub supervisor: AgentId,
    /// Who hears whom.
    pub mode: SupervisionMode,
    /// The phone has answered.
    pub is_started: bool,
}

/// A call that is supervised by the same one already is so in another mode from now on.
pub(super) fn supervise(call: &Call, at: Timestamp, asked: Supervising) -> Decision {
    let Supervising {
        leg,
        supervisor,
        mode,
        by,
    } = asked;
    let connection = match &call.phase {
        Phase::Unborn => return Err(Error::Unknown),
        Phase::Ended(_) => return Err(Error::AlreadyEnded),
        Phase::Connected(connection) if connection.is_talking() => connection,
        Phase::Waiting
        | Phase::Offering(_)
        | Phase::Connected(_)
        | Phase::Forwarded(_)
        | Phase::Announcing
        | Phase::InMailbox => return Err(Error::NotConnected),
    };
    if let Some(has_it) = connection.supervisor {
        return takeover::again(has_it, supervisor, mode);
    }
    if supervisor == connection.session.agent {
        return Err(Error::OwnCall);
    }
    let event = match &call.supervision {
        Some(current) if current.supervisor != supervisor => {
            return Err(Error::AlreadySupervised);
        }
        Some(current) if current.mode == mode => return Ok(vec![]),
        Some(current) => Event::SupervisionModeChanged {
            leg: current.leg,
            supervisor,
            mode,
            by,
        },
        None => Event::SupervisionRequested {
            leg,
            supervisor,
            mode,
            until: at.plus_ms(RING_SUPERVISOR_MS),
            by,
        },
    };
    if call.supervisings_count >= SUPERVISINGS_MAX {
        return Err(Error::SupervisedTooOften);
    }
    let follows = takeover::at_once(call, mode);
    Ok([event].into_iter().chain(follows).collect())
}

pub(super) fn stop(call: &Call, by: String) -> Decision {
    match (&call.phase, &call.supervision) {
        (_, Some(current)) => Ok(vec![ended(
            current,
            SupervisionEnd::Stopped,
            Some(by),
            WireCause::default(),
        )]),
        (Phase::Unborn, None) => Err(Error::Unknown),
        (Phase::Ended(_), None) => Err(Error::AlreadyEnded),
        (Phase::Connected(connection), None) if connection.supervisor.is_some() => {
            Err(Error::TakenOver)
        }
        (
            Phase::Waiting
            | Phase::Offering(_)
            | Phase::Connected(_)
            | Phase::Forwarded(_)
            | Phase::Announcing
            | Phase::InMailbox,
            None,
        ) => Err(Error::NotSupervised),
    }
}

/// What a command means that tells of the supervisor's phone; none for any other, which
/// the call itself decides.
pub(super) fn of_supervisor(call: &Call, command: &Command) -> Option<Decision> {
    let current = call.supervision.as_ref()?;
    let is_over = |reason, wire: &WireCause| {
        let event = ended(current, reason, None, wire.clone());
        Some(Ok(vec![event]))
    };
    let unsaid = WireCause::default();
    if let Command::RecordAnswer { leg, codec, device } = command
        && *leg == current.leg
    {
        return Some(Ok(started(call, current, codec.clone(), device.clone())));
    }
    if let Command::RecordFailure { leg, outcome, wire } = command
        && *leg == current.leg
    {
        return is_over(SupervisionEnd::of_phone(*outcome), wire);
    }
    if let Command::RecordBye { leg, wire } = command
        && *leg == current.leg
    {
        return is_over(SupervisionEnd::HungUp, wire);
    }
    if let Command::RecordMediaSilence { leg, .. } = command
        && *leg == current.leg
    {
        return is_over(SupervisionEnd::MediaSilence, &unsaid);
    }
    if let Command::RecordSignallingLost { leg } = command
        && *leg == current.leg
    {
        return is_over(SupervisionEnd::SignallingLost, &unsaid);
    }
    if let Command::TimeOutLeg { leg } = command
        && *leg == current.leg
    {
        return match current.is_started {
            false => is_over(SupervisionEnd::NoAnswer, &unsaid),
            true => Some(Err(Error::StaleLeg)),
        };
    }
    None
}

fn started(
    call: &Call,
    current: &Supervision,
    codec: Option<String>,
    device: Option<String>,
) -> Vec<Event> {
    if current.is_started {
        return vec![];
    }
    let started = Event::SupervisionStarted {
        leg: current.leg,
        supervisor: current.supervisor,
        mode: current.mode,
        codec,
        device,
    };
    let follows = takeover::of_answer(call, current);
    [started].into_iter().chain(follows).collect()
}

/// The end of the call ends it.
pub(super) fn ended_with(call: &Call, reason: EndReason) -> Option<Event> {
    let current = call.supervision.as_ref()?;
    let is_lost = matches!(reason, EndReason::NodeLost);
    let reason = match is_lost {
        true => SupervisionEnd::NodeLost,
        false => SupervisionEnd::CallEnded,
    };
    Some(ended(current, reason, None, WireCause::default()))
}

/// So does the end of the conversation.
pub(super) fn ended_by_transfer(call: &Call) -> Option<Event> {
    let current = call.supervision.as_ref()?;
    let reason = SupervisionEnd::Transferred;
    Some(ended(current, reason, None, WireCause::default()))
}

fn ended(
    current: &Supervision,
    reason: SupervisionEnd,
    by: Option<String>,
    wire: WireCause,
) -> Event {
    Event::SupervisionEnded {
        leg: current.leg,
        supervisor: current.supervisor,
        reason,
        by,
        wire,
    }
}

/// What is known of it after an event of it.
pub(super) fn evolve(call: &mut Call, event: &Event) {
    if let Event::SupervisionRequested {
        leg,
        supervisor,
        mode,
        ..
    } = event
    {
        call.supervisings_count = call.supervisings_count.saturating_add(1);
        call.supervision = Some(Supervision {
            leg: *leg,
            supervisor: *supervisor,
            mode: *mode,
            is_started: false,
        });
    }
    if let Event::SupervisionEnded { .. } = event {
        call.supervision = None;
    }
    if let Event::TakenOver {
        leg,
        supervisor,
        from_leg,
        ..
    } = event
    {
        call.supervision = None;
        takeover::evolve(call, *leg, *supervisor, *from_leg);
    }
    let Some(current) = &mut call.supervision else {
        return;
    };
    if let Event::SupervisionStarted { .. } = event {
        current.is_started = true;
    }
    if let Event::SupervisionModeChanged { mode, .. } = event {
        current.mode = *mode;
        call.supervisings_count = call.supervisings_count.saturating_add(1);
    }
}
