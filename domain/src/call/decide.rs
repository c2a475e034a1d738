//! The rules of a call: one function per command, each matching every phase.

use super::{
    announcement, answer_order,
    command::{Command, Placing, Route},
    diversion::Diversion,
    end::{end, ended},
    error::Error,
    event::Event,
    key::Key,
    media::LegMedia,
    outside, place, requeue,
    state::{Call, Offer, Phase},
    supervision, tag, transfer, voicemail,
    way::{AnswerMode, Target},
    withdraw,
};
use crate::{
    cause::{By, EndReason, OfferOutcome, WireCause},
    id::{LegId, OfferId},
    time::Timestamp,
};

/// Phones that ring side by side for one call at most: each is an INVITE and a
/// pair of ports.
pub const OFFERS_MAX: usize = 50;

pub(super) type Decision = Result<Vec<Event>, Error>;

#[allow(
    clippy::too_many_lines,
    reason = "an arm for each command, and nothing else"
)]
pub(super) fn decide(call: &Call, at: Timestamp, command: Command) -> Decision {
    if let Some(decision) = supervision::of_supervisor(call, &command) {
        return decision;
    }
    match command {
        Command::ReceiveCall {
            leg,
            from,
            withheld,
            to,
            trunk,
            sip_call_id,
            user_agent,
            diversion,
            route,
        } => {
            let received = Event::Received {
                leg,
                from,
                withheld,
                to,
                trunk,
                sip_call_id,
                user_agent,
            };
            begin(call, at, received, diversion, route)
        }
        Command::PlaceCall(placing) => placed(call, at, placing),
        Command::AnswerCall => answer(call),
        Command::StartOffer {
            offer,
            visit,
            session,
            leg,
            until,
            beside,
        } => start_offer(call, Offer::new(offer, visit, session, leg), until, beside),
        Command::EndOffer { offer, outcome } => end_offer(call, offer, outcome),
        Command::OrderAnswer { offer, by } => answer_order::give(call, offer, by),
        Command::OverflowCall { visit, cause, to } => outside::overflow(call, at, visit, cause, to),
        Command::TellPlace(told) => place::tell(call, at, told),
        Command::RequeueCall(requeue) => requeue::requeue(call, requeue),
        Command::WithdrawCall(withdraw) => withdraw::withdraw(call, at, withdraw),
        Command::TransferCall(asked) => transfer::transfer(call, asked),
        Command::TagCall(tagging) => tag::tag(call, tagging),
        Command::SuperviseCall(asked) => supervision::supervise(call, at, asked),
        Command::StopSupervising { by } => supervision::stop(call, by),
        Command::TimeOutLeg { leg } => outside::time_out(call, at, leg),
        Command::EndCall {
            reason,
            ended_at,
            visit,
        } => end(call, at, reason, ended_at, visit),
        Command::RecordAlerting { leg } => Ok(alerting(call, leg)),
        Command::RecordAnswerOrderRefused { leg, wire } => {
            Ok(answer_order::refused(call, leg, wire))
        }
        Command::RecordTrunk {
            leg,
            trunk,
            party,
            after,
            after_at,
        } => Ok(outside::trunk_selected(
            call,
            leg,
            (trunk, party),
            (after, after_at),
        )),
        Command::RecordProgress { leg, early_media } => {
            Ok(outside::progressed(call, leg, early_media))
        }
        Command::RecordAnswer { leg, codec, device } => {
            Ok(answered(call, at, leg, (codec, device)))
        }
        Command::RecordFailure { leg, outcome, wire } => Ok(failed(call, at, leg, outcome, wire)),
        Command::RecordBye { leg, wire } => {
            let reason = EndReason::Hangup;
            Ok(leg_gone(call, at, leg, reason, wire, "record_bye"))
        }
        Command::RecordCancel { leg, wire } => {
            let reason = EndReason::Cancelled;
            Ok(leg_gone(call, at, leg, reason, wire, "record_cancel"))
        }
        Command::RecordKey { leg, key } => Ok(key_pressed(call, at, leg, key)),
        Command::RecordAnnounced { leg } => Ok(announcement::over(call, at, leg)),
        Command::RecordVoicemail {
            message,
            length_ms,
            audio,
            is_gone,
        } => {
            let mut events = voicemail::recorded(call, message, length_ms, audio);
            if !is_gone && !events.is_empty() {
                events.extend(voicemail::over(call, at));
            }
            Ok(events)
        }
        Command::RecordHold { leg } => Ok(hold(call, leg)),
        Command::RecordRetrieve { leg } => Ok(retrieve(call, leg)),
        Command::RecordMediaSilence { leg, since } => Ok(media_silence(call, at, leg, since)),
        Command::RecordMedia { legs } => Ok(media_measured(call, legs)),
        Command::RecordSignallingLost { leg } => Ok(signalling_lost(call, at, leg)),
    }
}

/// Whoever is rung back is answered by nobody before the agent.
fn placed(call: &Call, at: Timestamp, placing: Placing) -> Decision {
    let Placing {
        leg,
        party,
        callback,
        place,
        queue,
        config_version,
        visit,
        wanted,
        music,
    } = placing;
    let placed = Event::Placed {
        leg,
        party,
        callback,
        place,
        wanted,
    };
    let route = Route::Queue {
        queue,
        config_version,
        answer_mode: AnswerMode::OnAgent,
        visit,
        exit_keys: vec![],
        music,
    };
    begin(call, at, placed, None, route)
}

fn begin(
    call: &Call,
    at: Timestamp,
    begun: Event,
    diversion: Option<Diversion>,
    route: Route,
) -> Decision {
    match &call.phase {
        Phase::Unborn => {}
        Phase::Waiting
        | Phase::Offering(_)
        | Phase::Connected(_)
        | Phase::Forwarded(_)
        | Phase::Announcing
        | Phase::InMailbox
        | Phase::Ended(_) => return Err(Error::AlreadyReceived),
    }
    let diverted = diversion.map(|Diversion { by, reason }| Event::Diverted {
        diverter: by,
        reason,
    });
    let mut events: Vec<Event> = [begun].into_iter().chain(diverted).collect();
    match route {
        Route::Queue {
            queue,
            config_version,
            answer_mode,
            visit,
            exit_keys,
            music,
        } => events.extend([
            Event::Routed {
                queue,
                config_version,
            },
            Event::Enqueued {
                visit,
                queue,
                config_version,
                answer_mode,
                exit_keys,
                music,
            },
        ]),
        Route::Forward { number, leg } => events.extend(outside::forward(at, number, leg)),
        Route::Refused(reason) => {
            // The caller may have left before it could be recorded.
            let has_left = reason == EndReason::Cancelled;
            let by = if has_left { By::Caller } else { By::System };
            events.extend(ended(call, at, by, reason, WireCause::default()));
        }
    }
    Ok(events)
}

fn signalling_lost(call: &Call, at: Timestamp, leg: LegId) -> Vec<Event> {
    let (reason, wire) = (EndReason::SignallingLost, WireCause::default());
    leg_gone(call, at, leg, reason, wire, "record_signalling_lost")
}

/// Of a call that is over, once: what comes again is the same.
fn media_measured(call: &Call, legs: Vec<LegMedia>) -> Vec<Event> {
    match &call.phase {
        Phase::Ended(_) if !call.is_measured && !legs.is_empty() => {
            vec![Event::MediaMeasured { legs }]
        }
        Phase::Unborn
        | Phase::Waiting
        | Phase::Offering(_)
        | Phase::Connected(_)
        | Phase::Forwarded(_)
        | Phase::Announcing
        | Phase::InMailbox
        | Phase::Ended(_) => vec![],
    }
}

fn answer(call: &Call) -> Decision {
    match &call.phase {
        Phase::Unborn => Err(Error::Unknown),
        Phase::Ended(_) => Err(Error::AlreadyEnded),
        Phase::Waiting
        | Phase::Offering(_)
        | Phase::Connected(_)
        | Phase::Forwarded(_)
        | Phase::Announcing
        | Phase::InMailbox => match call.answered_at {
            None => Ok(vec![Event::Answered {}]),
            Some(_) => Err(Error::AlreadyAnswered),
        },
    }
}

fn start_offer(call: &Call, offer: Offer, until: Timestamp, beside: bool) -> Decision {
    match &call.phase {
        Phase::Unborn => Err(Error::Unknown),
        Phase::Ended(_) => Err(Error::AlreadyEnded),
        Phase::Connected(_) | Phase::Forwarded(_) | Phase::Announcing | Phase::InMailbox => {
            Err(Error::AlreadyConnected)
        }
        Phase::Offering(_) if !beside => Err(Error::AlreadyOffered),
        Phase::Offering(offers) if offers.len() >= OFFERS_MAX => Err(Error::AlreadyOffered),
        Phase::Waiting | Phase::Offering(_) => match call.visit {
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
        Phase::Offering(offers) => match offers.iter().find(|live| live.offer == offer) {
            Some(live) => Ok(vec![offer_ended(live, outcome, WireCause::default())]),
            None => Err(Error::StaleOffer),
        },
        Phase::Unborn => Err(Error::Unknown),
        Phase::Waiting
        | Phase::Connected(_)
        | Phase::Forwarded(_)
        | Phase::Announcing
        | Phase::InMailbox => Err(Error::StaleOffer),
        Phase::Ended(_) => Err(Error::AlreadyEnded),
    }
}

fn alerting(call: &Call, leg: LegId) -> Vec<Event> {
    match call.offer_of(leg) {
        Some(offer) if !offer.alerting => vec![Event::LegAlerting {
            leg,
            offer: offer.offer,
            session: offer.session,
        }],
        // Phones repeat 180; a late one of a withdrawn offer means nothing.
        Some(_) | None => vec![],
    }
}

/// What was agreed on with a phone that answers, and what it says that it is.
type Said = (Option<String>, Option<String>);

fn answered(call: &Call, at: Timestamp, leg: LegId, said: Said) -> Vec<Event> {
    match &call.phase {
        Phase::Offering(offers) => offers
            .iter()
            .find(|offer| offer.leg == leg)
            .map(|winner| won(call, at, winner, offers, said))
            .unwrap_or_default(),
        Phase::Ended(_) => vec![Event::LateFact {
            leg,
            fact: "record_answer".into(),
        }],
        // A late 200 of a withdrawn offer: the adapter sends ACK and BYE.
        Phase::Unborn
        | Phase::Waiting
        | Phase::Connected(_)
        | Phase::Forwarded(_)
        | Phase::Announcing
        | Phase::InMailbox => outside::answered(call, leg, said.0),
    }
}

/// The first answer wins: whose phones rang beside it are let go.
/// In a call that we placed, the person is dialled now.
fn won(
    call: &Call,
    at: Timestamp,
    winner: &Offer,
    offers: &[Offer],
    (codec, device): Said,
) -> Vec<Event> {
    let mut events = vec![Event::AgentConnected {
        offer: winner.offer,
        visit: winner.visit,
        session: winner.session,
        leg: winner.leg,
        codec,
        device,
    }];
    match (&call.party, call.caller_leg) {
        (Some(to), Some(leg)) if call.is_placed => {
            let until = at.plus_ms(outside::RING_OUTSIDE_MS);
            let target = Target::Party(to.clone());
            events.push(Event::LegDialled { leg, target, until });
        }
        _ if call.answered_at.is_none() => events.push(Event::Answered {}),
        _ => {}
    }
    let slower = offers.iter().filter(|offer| offer.offer != winner.offer);
    events.extend(slower.map(|offer| {
        let outcome = OfferOutcome::AnsweredElsewhere;
        offer_ended(offer, outcome, WireCause::default())
    }));
    events
}

fn failed(
    call: &Call,
    at: Timestamp,
    leg: LegId,
    outcome: OfferOutcome,
    wire: WireCause,
) -> Vec<Event> {
    match &call.phase {
        Phase::Offering(_) => call
            .offer_of(leg)
            .map(|offer| vec![offer_ended(offer, outcome, wire)])
            .unwrap_or_default(),
        Phase::Connected(_) | Phase::Forwarded(_) => outside::failed(call, at, leg, outcome, wire),
        Phase::Unborn | Phase::Waiting | Phase::Announcing | Phase::InMailbox | Phase::Ended(_) => {
            vec![]
        }
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
            | EndReason::Overload
            | EndReason::QueueFull
            | EndReason::QueueClosed
            | EndReason::NobodyThere
            | EndReason::MaxWait
            | EndReason::VisitExpired
            | EndReason::NoTrunk
            | EndReason::OutsideBusy
            | EndReason::OutsideNoAnswer
            | EndReason::OutsideRejected
            | EndReason::OutsideUnreachable
            | EndReason::MediaSilence
            | EndReason::SignallingLost
            | EndReason::NodeLost
            | EndReason::CallbackRequested
            | EndReason::CallbackWithdrawn
            | EndReason::Announced
            | EndReason::VoicemailTaken
            | EndReason::NoCredit
            | EndReason::NoPrice
            | EndReason::AccountSuspended
            | EndReason::Operator
            | EndReason::Shutdown => vec![],
        },
        Phase::Waiting
        | Phase::Offering(_)
        | Phase::Connected(_)
        | Phase::Forwarded(_)
        | Phase::Announcing
        | Phase::InMailbox
            if is_caller =>
        {
            ended(call, at, By::Caller, reason, wire)
        }
        Phase::Forwarded(outside) if outside.leg == leg => {
            ended(call, at, By::Outside, reason, wire)
        }
        Phase::Connected(connection) if connection.leg == leg => {
            ended(call, at, connection.side(), reason, wire)
        }
        Phase::Offering(_) => call
            .offer_of(leg)
            .map(|offer| vec![offer_ended(offer, OfferOutcome::Unreachable, wire)])
            .unwrap_or_default(),
        Phase::Waiting
        | Phase::Connected(_)
        | Phase::Forwarded(_)
        | Phase::Announcing
        | Phase::InMailbox => vec![],
    }
}

/// Only of a caller who waits or leaves a message, and only a key that means something
/// there: what else is pressed may be a secret.
fn key_pressed(call: &Call, at: Timestamp, leg: LegId, key: Key) -> Vec<Event> {
    match call.exit_of(leg, key) {
        Some((visit, queue)) => vec![Event::ExitKeyPressed { visit, queue, key }],
        None => voicemail::ended_by_key(call, at, leg, key),
    }
}

fn hold(call: &Call, leg: LegId) -> Vec<Event> {
    match call.talking() {
        Some((caller, other, holding))
            if (leg == caller || leg == other) && !holding.contains(&leg) =>
        {
            vec![Event::Held { leg }]
        }
        Some(_) | None => vec![],
    }
}

fn retrieve(call: &Call, leg: LegId) -> Vec<Event> {
    match call.talking() {
        Some((_, _, holding)) if holding.contains(&leg) => vec![Event::Retrieved { leg }],
        Some(_) | None => vec![],
    }
}

/// A side that sends no RTP has vanished without BYE. A phone that holds may
/// fall silent; it is probed by signalling instead.
fn media_silence(call: &Call, at: Timestamp, leg: LegId, since: Timestamp) -> Vec<Event> {
    let by = match call.talking() {
        Some((_, _, holding)) if !holding.is_empty() => return vec![],
        Some((caller, _, _)) if caller == leg => By::Caller,
        Some((_, other, _)) if other == leg => match &call.phase {
            Phase::Forwarded(_) => By::Outside,
            Phase::Connected(connection) => connection.side(),
            Phase::Unborn
            | Phase::Waiting
            | Phase::Offering(_)
            | Phase::Announcing
            | Phase::InMailbox
            | Phase::Ended(_) => By::Agent,
        },
        Some(_) => return vec![],
        None if !is_waited_on(call) || call.caller_leg != Some(leg) => return vec![],
        None => By::Caller,
    };
    let ended_at = since.clamp(call.last_at, at.max(call.last_at));
    let wire = WireCause::default();
    ended(call, ended_at, by, EndReason::MediaSilence, wire)
}

/// Whether the caller is answered and waits: it hears music, so it should send.
const fn is_waited_on(call: &Call) -> bool {
    match &call.phase {
        Phase::Waiting
        | Phase::Offering(_)
        | Phase::Forwarded(_)
        | Phase::Announcing
        | Phase::InMailbox => call.answered_at.is_some(),
        Phase::Unborn | Phase::Connected(_) | Phase::Ended(_) => false,
    }
}

pub(super) fn offer_ended(offer: &Offer, outcome: OfferOutcome, wire: WireCause) -> Event {
    Event::OfferEnded {
        offer: offer.offer,
        visit: offer.visit,
        session: offer.session,
        leg: offer.leg,
        outcome,
        wire,
    }
}
