//! The rules of a call: one function per command, each matching every phase.

use super::{
    command::{Command, Route},
    error::Error,
    event::Event,
    state::{Call, Offer, Phase},
};
use crate::{
    cause::{By, Disposition, EndCause, EndReason, EndResult, OfferOutcome, WireCause},
    id::{LegId, OfferId},
    time::Timestamp,
};

type Decision = Result<Vec<Event>, Error>;

pub(super) fn decide(call: &Call, at: Timestamp, command: Command) -> Decision {
    match command {
        Command::ReceiveCall {
            leg,
            from,
            to,
            trunk,
            sip_call_id,
            route,
        } => {
            let received = Event::Received {
                leg,
                from,
                to,
                trunk,
                sip_call_id,
            };
            receive(call, at, received, route)
        }
        Command::AnswerCall => answer(call),
        Command::StartOffer {
            offer,
            visit,
            session,
            leg,
            until,
        } => {
            let alerting = false;
            start_offer(
                call,
                Offer {
                    offer,
                    visit,
                    session,
                    leg,
                    alerting,
                },
                until,
            )
        }
        Command::EndOffer { offer, outcome } => end_offer(call, offer, outcome),
        Command::EndCall { reason, ended_at } => end(call, at, reason, ended_at),
        Command::RecordAlerting { leg } => Ok(alerting(call, leg)),
        Command::RecordAnswer { leg } => Ok(agent_answered(call, leg)),
        Command::RecordFailure { leg, outcome, wire } => Ok(agent_failed(call, leg, outcome, wire)),
        Command::RecordBye { leg, wire } => {
            let reason = EndReason::Hangup;
            Ok(leg_gone(call, at, leg, reason, wire, "record_bye"))
        }
        Command::RecordCancel { leg, wire } => {
            let reason = EndReason::Cancelled;
            Ok(leg_gone(call, at, leg, reason, wire, "record_cancel"))
        }
        Command::RecordHold { leg } => Ok(hold(call, leg)),
        Command::RecordRetrieve { leg } => Ok(retrieve(call, leg)),
        Command::RecordMediaSilence { leg, since } => Ok(media_silence(call, at, leg, since)),
        Command::RecordSignallingLost { leg } => Ok(leg_gone(
            call,
            at,
            leg,
            EndReason::SignallingLost,
            WireCause::default(),
            "record_signalling_lost",
        )),
    }
}

fn receive(call: &Call, at: Timestamp, received: Event, route: Route) -> Decision {
    match &call.phase {
        Phase::Unborn => {}
        Phase::Waiting | Phase::Offering(_) | Phase::Connected(_) | Phase::Ended(_) => {
            return Err(Error::AlreadyReceived);
        }
    }
    Ok(match route {
        Route::Queue {
            queue,
            config_version,
            answer_mode,
            visit,
        } => vec![
            received,
            Event::Routed {
                queue,
                config_version,
            },
            Event::Enqueued {
                visit,
                queue,
                config_version,
                answer_mode,
            },
        ],
        Route::Refused(reason) => {
            let ended = ended(call, at, By::System, reason, WireCause::default());
            vec![received, ended]
        }
    })
}

fn answer(call: &Call) -> Decision {
    match &call.phase {
        Phase::Unborn => Err(Error::Unknown),
        Phase::Ended(_) => Err(Error::AlreadyEnded),
        Phase::Waiting | Phase::Offering(_) | Phase::Connected(_) => match call.answered_at {
            None => Ok(vec![Event::Answered {}]),
            Some(_) => Err(Error::AlreadyAnswered),
        },
    }
}

fn start_offer(call: &Call, offer: Offer, until: Timestamp) -> Decision {
    match &call.phase {
        Phase::Unborn => Err(Error::Unknown),
        Phase::Ended(_) => Err(Error::AlreadyEnded),
        Phase::Connected(_) => Err(Error::AlreadyConnected),
        Phase::Offering(_) => Err(Error::AlreadyOffered),
        Phase::Waiting => match call.visit {
            Some((visit, _)) if visit == offer.visit => Ok(vec![Event::OfferStarted {
                offer: offer.offer,
                visit,
                session: offer.session,
                leg: offer.leg,
                until,
            }]),
            Some(_) | None => Err(Error::StaleVisit),
        },
    }
}

fn end_offer(call: &Call, offer: OfferId, outcome: OfferOutcome) -> Decision {
    match &call.phase {
        Phase::Offering(live) if live.offer == offer => {
            Ok(vec![offer_ended(live, outcome, WireCause::default())])
        }
        Phase::Unborn => Err(Error::Unknown),
        Phase::Waiting | Phase::Offering(_) | Phase::Connected(_) => Err(Error::StaleOffer),
        Phase::Ended(_) => Err(Error::AlreadyEnded),
    }
}

fn end(call: &Call, at: Timestamp, reason: EndReason, ended_at: Option<Timestamp>) -> Decision {
    let by = match reason {
        EndReason::Operator => By::Supervisor,
        EndReason::Hangup
        | EndReason::Cancelled
        | EndReason::UnknownAddress
        | EndReason::NotAllowed
        | EndReason::NoCommonCodec
        | EndReason::NoMediaPort
        | EndReason::QueueFull
        | EndReason::MaxWait
        | EndReason::MediaSilence
        | EndReason::SignallingLost
        | EndReason::NodeLost
        | EndReason::NoCredit
        | EndReason::AccountSuspended
        | EndReason::Shutdown => By::System,
    };
    match &call.phase {
        Phase::Unborn => Err(Error::Unknown),
        Phase::Ended(_) => Err(Error::AlreadyEnded),
        // An accepted call has left the queue: the limit of waiting is over.
        Phase::Connected(_) if reason == EndReason::MaxWait => Err(Error::AlreadyConnected),
        Phase::Waiting | Phase::Offering(_) | Phase::Connected(_) => {
            let at = ended_at.map_or(at, |earlier| {
                earlier.clamp(call.last_at, at.max(call.last_at))
            });
            Ok(vec![ended(call, at, by, reason, WireCause::default())])
        }
    }
}

fn alerting(call: &Call, leg: LegId) -> Vec<Event> {
    match &call.phase {
        Phase::Offering(offer) if offer.leg == leg && !offer.alerting => vec![Event::LegAlerting {
            leg,
            offer: offer.offer,
            session: offer.session,
        }],
        // Phones repeat 180; a late one of a withdrawn offer means nothing.
        Phase::Unborn
        | Phase::Waiting
        | Phase::Offering(_)
        | Phase::Connected(_)
        | Phase::Ended(_) => vec![],
    }
}

fn agent_answered(call: &Call, leg: LegId) -> Vec<Event> {
    match &call.phase {
        Phase::Offering(offer) if offer.leg == leg => {
            let connected = Event::AgentConnected {
                offer: offer.offer,
                visit: offer.visit,
                session: offer.session,
                leg,
            };
            match call.answered_at {
                Some(_) => vec![connected],
                None => vec![connected, Event::Answered {}],
            }
        }
        Phase::Ended(_) => vec![Event::LateFact {
            leg,
            fact: "record_answer".into(),
        }],
        // A late 200 of a withdrawn offer: the adapter sends ACK and BYE.
        Phase::Unborn | Phase::Waiting | Phase::Offering(_) | Phase::Connected(_) => vec![],
    }
}

fn agent_failed(call: &Call, leg: LegId, outcome: OfferOutcome, wire: WireCause) -> Vec<Event> {
    match &call.phase {
        Phase::Offering(offer) if offer.leg == leg => vec![offer_ended(offer, outcome, wire)],
        Phase::Unborn
        | Phase::Waiting
        | Phase::Offering(_)
        | Phase::Connected(_)
        | Phase::Ended(_) => vec![],
    }
}

fn leg_gone(
    call: &Call,
    at: Timestamp,
    leg: LegId,
    reason: EndReason,
    wire: WireCause,
    fact: &str,
) -> Vec<Event> {
    let is_caller = call.caller_leg == Some(leg);
    match &call.phase {
        Phase::Unborn => vec![],
        Phase::Ended(_) => match reason {
            // Both sides hung up at once: worth keeping, with no effect.
            EndReason::Hangup => vec![Event::LateFact {
                leg,
                fact: fact.into(),
            }],
            EndReason::Cancelled
            | EndReason::UnknownAddress
            | EndReason::NotAllowed
            | EndReason::NoCommonCodec
            | EndReason::NoMediaPort
            | EndReason::QueueFull
            | EndReason::MaxWait
            | EndReason::MediaSilence
            | EndReason::SignallingLost
            | EndReason::NodeLost
            | EndReason::NoCredit
            | EndReason::AccountSuspended
            | EndReason::Operator
            | EndReason::Shutdown => vec![],
        },
        Phase::Waiting | Phase::Offering(_) | Phase::Connected(_) if is_caller => {
            vec![ended(call, at, By::Caller, reason, wire)]
        }
        Phase::Connected(connection) if connection.leg == leg => {
            vec![ended(call, at, By::Agent, reason, wire)]
        }
        Phase::Offering(offer) if offer.leg == leg => {
            vec![offer_ended(offer, OfferOutcome::Unreachable, wire)]
        }
        Phase::Waiting | Phase::Offering(_) | Phase::Connected(_) => vec![],
    }
}

fn hold(call: &Call, leg: LegId) -> Vec<Event> {
    match &call.phase {
        Phase::Connected(connection)
            if (connection.leg == leg || call.caller_leg == Some(leg))
                && !connection.holding.contains(&leg) =>
        {
            vec![Event::Held { leg }]
        }
        Phase::Unborn
        | Phase::Waiting
        | Phase::Offering(_)
        | Phase::Connected(_)
        | Phase::Ended(_) => vec![],
    }
}

fn retrieve(call: &Call, leg: LegId) -> Vec<Event> {
    match &call.phase {
        Phase::Connected(connection) if connection.holding.contains(&leg) => {
            vec![Event::Retrieved { leg }]
        }
        Phase::Unborn
        | Phase::Waiting
        | Phase::Offering(_)
        | Phase::Connected(_)
        | Phase::Ended(_) => vec![],
    }
}

/// A side that sends no RTP has vanished without BYE. A phone that holds may
/// fall silent; it is probed by signalling instead.
fn media_silence(call: &Call, at: Timestamp, leg: LegId, since: Timestamp) -> Vec<Event> {
    match &call.phase {
        Phase::Connected(connection) if connection.holding.is_empty() => {
            let by = if call.caller_leg == Some(leg) {
                By::Caller
            } else if connection.leg == leg {
                By::Agent
            } else {
                return vec![];
            };
            let ended_at = since.clamp(call.last_at, at.max(call.last_at));
            vec![ended(
                call,
                ended_at,
                by,
                EndReason::MediaSilence,
                WireCause::default(),
            )]
        }
        Phase::Waiting | Phase::Offering(_)
            if call.caller_leg == Some(leg) && call.answered_at.is_some() =>
        {
            let ended_at = since.clamp(call.last_at, at.max(call.last_at));
            vec![ended(
                call,
                ended_at,
                By::Caller,
                EndReason::MediaSilence,
                WireCause::default(),
            )]
        }
        Phase::Unborn
        | Phase::Waiting
        | Phase::Offering(_)
        | Phase::Connected(_)
        | Phase::Ended(_) => vec![],
    }
}

fn offer_ended(offer: &Offer, outcome: OfferOutcome, wire: WireCause) -> Event {
    Event::OfferEnded {
        offer: offer.offer,
        visit: offer.visit,
        session: offer.session,
        leg: offer.leg,
        outcome,
        wire,
    }
}

fn ended(call: &Call, at: Timestamp, by: By, reason: EndReason, wire: WireCause) -> Event {
    let connected = matches!(call.phase, Phase::Connected(_));
    let (result, refusal_status, q850, disposition) = verdict(reason, connected);
    // A caller who got 200 OK gets a BYE, which has no status.
    let refusal_status = match call.answered_at {
        None => refusal_status,
        Some(_) => None,
    };
    let (session, offer) = call.engaged().unzip();
    let (visit, queue) = call.visit.unzip();
    Event::Ended {
        cause: EndCause {
            result,
            reason,
            by,
            sip_status: wire.sip_status.or(refusal_status),
            q850,
            reason_header: wire.reason_header,
        },
        disposition,
        ended_at: at,
        incomplete: matches!(
            reason,
            EndReason::NodeLost | EndReason::MediaSilence | EndReason::SignallingLost
        ),
        session,
        offer,
        visit,
        queue,
    }
}

/// What each reason means: result, SIP status that an unanswered caller gets,
/// Q.850 cause, disposition. A call that reached an agent stays ANSWERED,
/// whatever ended it.
const fn verdict(
    reason: EndReason,
    connected: bool,
) -> (EndResult, Option<u16>, Option<u8>, Disposition) {
    use Disposition as D;
    use EndResult as R;
    let (result, status, q850, disposition) = match reason {
        EndReason::Hangup | EndReason::Operator if connected => {
            (R::Success, None, Some(16), D::Answered)
        }
        EndReason::Hangup | EndReason::Cancelled => (R::Caller, Some(487), Some(16), D::Abandoned),
        EndReason::UnknownAddress => (R::Caller, Some(404), Some(1), D::Failed),
        EndReason::NotAllowed => (R::Caller, Some(403), Some(21), D::Blocked),
        EndReason::NoCredit => (R::Caller, Some(402), Some(21), D::Blocked),
        EndReason::AccountSuspended => (R::Caller, Some(403), Some(21), D::Blocked),
        EndReason::NoCommonCodec => (R::Caller, Some(488), Some(65), D::Failed),
        EndReason::NoMediaPort => (R::Ours, Some(503), Some(34), D::Congestion),
        EndReason::QueueFull => (R::Ours, Some(486), Some(17), D::Busy),
        EndReason::MaxWait => (R::Ours, Some(480), Some(19), D::NoAnswer),
        // A caller who vanished while waiting has left the queue.
        EndReason::MediaSilence | EndReason::SignallingLost => {
            (R::Indeterminate, Some(480), Some(102), D::Abandoned)
        }
        EndReason::NodeLost => (R::Ours, Some(503), Some(41), D::SystemError),
        EndReason::Operator => (R::Ours, Some(480), Some(31), D::Failed),
        EndReason::Shutdown => (R::Ours, Some(503), Some(38), D::SystemError),
    };
    if connected {
        (result, status, q850, D::Answered)
    } else {
        (result, status, q850, disposition)
    }
}
