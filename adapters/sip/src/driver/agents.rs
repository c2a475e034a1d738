//! The agent's side of a call: one INVITE to each of the agent's phones.

use super::{Driver, edges::Way};
use crate::{
    bindings::Phone,
    dialog::{Dialog, NewInvite},
    inbound::{device_of, wire_cause_of_response},
    legs::{
        Agent, Carrier, Fork, Leg, Legs, Release, Session, Side,
        fork::{Action, Input, State, step},
    },
    message::Response,
    sdp::{self, Codec},
    stack::Outcome,
    status,
    transport::Flow,
};
use domain::{
    call::Command,
    cause::{OfferOutcome, WireCause},
    id::{AgentId, CallId, LegId},
};
use std::{net::SocketAddr, time::Instant};

/// Why the other phones stop ringing when one has answered (RFC 3326).
const ELSEWHERE: &str = status::ELSEWHERE;

impl Driver {
    /// Rings an agent's phones, also those that registered at other nodes.
    pub(super) async fn dial(&self, call: CallId, id: LegId, (agent, side): (AgentId, Agent)) {
        let now_ms = self.parts.clock.now().millis_unsigned();
        let here = self.phones.of(agent, now_ms);
        let roster = &self.parts.roster;
        // A node that has just joined may not have been seen yet.
        let is_elsewhere = roster.has_peers() || (roster.is_shared() && here.is_empty());
        let phones = match is_elsewhere {
            false => here,
            true => match self.phones.everywhere(agent, now_ms).await {
                Ok(phones) => phones,
                Err(error) => {
                    tracing::warn!(%error, "only the phones at this node are to ring");
                    here
                }
            },
        };
        self.find_ways_to(&phones).await;
        if self.legs().call(call).is_none() {
            // Long over here; the record must not wait for its phone.
            tracing::warn!(%call, leg = %id, "call is not here any more");
            return self.unreachable(call, id);
        }
        tracing::info!(%call, leg = %id, phones = phones.len(), "agent's phones are to ring");
        let opened = match phones.is_empty() {
            true => None,
            false => self.parts.media.open(id).ok(),
        };
        match opened {
            Some(local) => self.invite(call, id, side, &phones, local),
            None => self.unreachable(call, id),
        }
    }

    pub(super) fn unreachable(&self, call: CallId, leg: LegId) {
        self.record(
            call,
            Command::RecordFailure {
                leg,
                outcome: OfferOutcome::Unreachable,
                wire: WireCause::default(),
            },
        );
    }

    fn invite(&self, call: CallId, id: LegId, side: Agent, phones: &[Phone], local: SocketAddr) {
        let mut legs = self.legs();
        let Some((shown_as, codecs)) = caller_of(&legs, call) else {
            drop(legs);
            self.parts.media.close(id);
            // The caller has left; the agent must not be kept for it.
            return self.unreachable(call, id);
        };
        let mut session = Session::new(self.parts.entropy.number());
        session.local = Some(local);
        let offer = session.offer_of(&codecs).unwrap_or_default();
        legs.insert_leg(Leg {
            id,
            call,
            side: Side::Agent(side),
            session,
            ended_at: None,
            probed_at: None,
            away_since: None,
        });
        for (index, phone) in phones.iter().enumerate() {
            let fork = self.invite_phone(&mut legs, id, index, phone, &shown_as, &offer);
            if let Some(Leg {
                side: Side::Agent(agent),
                ..
            }) = legs.get_mut(id)
            {
                agent.forks.push(fork);
            }
        }
        let report = self.conclude(&mut legs, id);
        drop(legs);
        if let Some(command) = report {
            self.record(call, command);
        }
    }

    fn invite_phone(
        &self,
        legs: &mut Legs,
        id: LegId,
        index: usize,
        phone: &Phone,
        shown_as: &str,
        offer: &str,
    ) -> Fork {
        let Way {
            flow,
            route,
            contact,
            is_open,
        } = self.way_to(phone);
        let new = NewInvite {
            target: phone.uri.clone(),
            from: shown_as.to_owned(),
            to: format!("<{}>", phone.uri),
            call_id: self.stack.new_call_id(),
            local_tag: self.stack.new_tag(),
            contact: contact.clone(),
            route,
            sdp: offer.as_bytes().to_vec(),
        };
        let request = new.build();
        if let Some(dialog) = request.own_dialog() {
            legs.name(&dialog, id);
        }
        let driver = self.clone();
        let sent = is_open.then(|| {
            self.stack.request(request, flow, move |outcome| {
                driver.on_outcome(id, index, &outcome);
            })
        });
        let invite = sent.flatten();
        Fork {
            // A URI that can not even be written fails like a silent phone, and so does
            // a phone whose node is gone.
            state: match &invite {
                Some(_) => State::Calling,
                None => State::Ended,
            },
            invite,
            flow,
            phone: phone.flow.peer.ip(),
            contact,
            account: None,
            early: vec![],
            dialog: None,
        }
    }

    pub(super) fn on_outcome(&self, id: LegId, index: usize, outcome: &Outcome) {
        let (input, response) = match outcome {
            Outcome::NoResponse => (Input::Silence, None),
            Outcome::Response(response) => match response.status {
                0..=100 => (Input::Trying, Some(response)),
                101..=199 => (Input::Progress, Some(response)),
                200..=299 => (Input::Success, Some(response)),
                300.. => (Input::Failure, Some(response)),
            },
        };
        let mut legs = self.legs();
        let reports = self.fork(&mut legs, id, index, input, response);
        let call = legs.get(id).map(|leg| leg.call);
        drop(legs);
        if let Some(call) = call {
            for command in reports {
                self.record(call, command);
            }
        }
    }

    /// One step of one phone; what is to be recorded comes back.
    pub(super) fn fork(
        &self,
        legs: &mut Legs,
        id: LegId,
        index: usize,
        input: Input,
        response: Option<&Response>,
    ) -> Vec<Command> {
        let mut reports = Vec::new();
        let Some(leg) = legs.get_mut(id) else {
            return reports;
        };
        let Side::Agent(agent) = &mut leg.side else {
            return reports;
        };
        if let (Input::Failure, Some(response)) = (input, response)
            && self.answers_challenge(agent, id, index, response)
        {
            return reports;
        }
        let Some(fork) = agent.forks.get_mut(index) else {
            return reports;
        };
        let (next, actions) = step(fork.state, input);
        fork.state = next;
        match (input, response) {
            (Input::Progress, Some(response)) => fork.rings(response),
            (Input::Success, Some(response)) => fork.answers(response),
            (
                Input::Trying
                | Input::Progress
                | Input::Success
                | Input::Failure
                | Input::Silence
                | Input::Release
                | Input::Bye,
                _,
            ) => {}
        }
        for action in actions {
            match action {
                Action::SendAck => self.send_ack(leg, index),
                Action::SendCancel => self.send_cancel(leg, index),
                Action::SendBye => self.bye_fork(leg, index),
                Action::Alerting => reports.extend(self.alerting(leg, index, response)),
                Action::Answered => reports.extend(self.answered(leg, index, response)),
                Action::Failed => self.failed(leg, index, response),
                Action::ReportBye => {}
            }
        }
        let is_preparing = |carrier: &mut Carrier| carrier.is_preparing;
        // What a trunk that was given up says late ends nothing.
        if !legs.carrier_mut(id).is_some_and(is_preparing) {
            reports.extend(self.conclude(legs, id));
        }
        reports
    }

    /// A phone rings; told once.
    fn alerting(
        &self,
        leg: &mut Leg,
        index: usize,
        response: Option<&Response>,
    ) -> Option<Command> {
        let id = leg.id;
        let Side::Agent(agent) = &mut leg.side else {
            return None;
        };
        if agent.carrier.is_some() {
            return self.rings_outside(leg, index, response);
        }
        let told = std::mem::replace(&mut agent.alerted, true);
        (!told).then_some(Command::RecordAlerting { leg: id })
    }

    /// A phone has answered first: the others stop ringing.
    fn answered(
        &self,
        leg: &mut Leg,
        index: usize,
        response: Option<&Response>,
    ) -> Option<Command> {
        let Side::Agent(agent) = &mut leg.side else {
            return None;
        };
        if agent.winner.is_some() {
            // The second of two answers at once.
            self.release_fork(leg, index);
            return None;
        }
        agent.winner = Some(index);
        let source = agent.forks[index].phone;
        for other in (0..agent.forks.len()).filter(|other| *other != index) {
            self.release_fork(leg, other);
        }
        let parsed = response
            .and_then(Response::sdp)
            .ok_or(sdp::Error::NoAudio)
            .and_then(sdp::parse);
        match parsed {
            Ok(remote) => {
                // On record as soon as there is somebody to be held.
                leg.session.holding = remote.audio.holds();
                leg.session.agree(remote);
                self.tell_media(leg, source);
                Some(Command::RecordAnswer {
                    leg: leg.id,
                    codec: leg.session.codec.map(|codec| codec.name().to_owned()),
                    device: response.and_then(device_of),
                })
            }
            // An answer that can not be used: the call goes to another agent.
            Err(_) => {
                self.release_fork(leg, index);
                Some(Command::RecordFailure {
                    leg: leg.id,
                    outcome: OfferOutcome::Rejected,
                    wire: WireCause {
                        sip_status: Some(488),
                        ..WireCause::default()
                    },
                })
            }
        }
    }

    fn failed(&self, leg: &mut Leg, index: usize, response: Option<&Response>) {
        let Side::Agent(agent) = &mut leg.side else {
            return;
        };
        let (outcome, wire) = match response {
            Some(response) => (
                OfferOutcome::from_status(response.status),
                wire_cause_of_response(response),
            ),
            None => (OfferOutcome::Unreachable, WireCause::default()),
        };
        if agent.carrier.is_some() {
            let outcome = response.map_or(outcome, |_| OfferOutcome::of_outside(&wire));
            // The trunk that was tried last speaks for the number.
            agent.failure = Some((outcome, wire));
            return;
        }
        let better = agent
            .failure
            .as_ref()
            .is_none_or(|(known, _)| rank(outcome) > rank(*known));
        if better {
            agent.failure = Some((outcome, wire));
        }
        // A 6xx speaks for all phones of the agent (RFC 3261, 16.7, step 5).
        if response.is_some_and(|response| response.status >= 600) {
            for other in (0..agent.forks.len()).filter(|other| *other != index) {
                self.release_fork(leg, other);
            }
        }
    }

    /// Notes the end of a leg when its last phone is through, and says what is
    /// to be recorded: nothing when the leg was let go or had its answer.
    pub(super) fn conclude(&self, legs: &mut Legs, id: LegId) -> Option<Command> {
        let leg = legs.get_mut(id)?;
        let call = leg.call;
        let Side::Agent(agent) = &mut leg.side else {
            return None;
        };
        if leg.ended_at.is_some() || !agent.is_over() {
            return None;
        }
        if self.tries_another_trunk(leg.call, id, agent) {
            return None;
        }
        leg.ended_at = Some(Instant::now());
        self.parts.media.close(id);
        let (winner, release) = (agent.winner, agent.release.is_some());
        let failure = agent.failure.take();
        self.count_placed_out(legs, call, id);
        if winner.is_some() || release {
            return None;
        }
        let (outcome, wire) =
            failure.unwrap_or_else(|| (OfferOutcome::Unreachable, WireCause::default()));
        Some(Command::RecordFailure {
            leg: id,
            outcome,
            wire,
        })
    }

    /// Lets an agent's leg go: CANCEL or BYE, by what each phone has said.
    pub(super) fn release_agent(&self, legs: &mut Legs, id: LegId, release: &Release) {
        let Some(leg) = legs.get_mut(id) else { return };
        let Side::Agent(agent) = &mut leg.side else {
            return;
        };
        agent.release.get_or_insert_with(|| release.clone());
        agent.released_at.get_or_insert_with(Instant::now);
        for index in 0..agent.forks.len() {
            self.release_fork(leg, index);
        }
        self.conclude(legs, id);
    }

    fn release_fork(&self, leg: &mut Leg, index: usize) {
        let Side::Agent(agent) = &mut leg.side else {
            return;
        };
        let Some(fork) = agent.forks.get_mut(index) else {
            return;
        };
        let (next, actions) = step(fork.state, Input::Release);
        fork.state = next;
        for action in actions {
            match action {
                Action::SendCancel => self.send_cancel(leg, index),
                Action::SendBye => self.bye_fork(leg, index),
                Action::SendAck
                | Action::Alerting
                | Action::Answered
                | Action::Failed
                | Action::ReportBye => {}
            }
        }
    }

    fn send_ack(&self, leg: &Leg, index: usize) {
        let Side::Agent(agent) = &leg.side else {
            return;
        };
        let Some(fork) = agent.forks.get(index) else {
            return;
        };
        if let (Some(dialog), Some(invite)) = (&fork.dialog, &fork.invite) {
            let number = invite.request().cseq().unwrap_or(1);
            let mut ack = dialog.ack(number);
            // With the same credentials (RFC 3261, 13.2.2.4).
            for name in ["Authorization", "Proxy-Authorization"] {
                for value in invite.request().headers.all(name) {
                    ack.headers.push(name, value);
                }
            }
            self.stack.acknowledge(ack, dialog.next_hop());
        }
    }

    fn send_cancel(&self, leg: &Leg, index: usize) {
        let Side::Agent(agent) = &leg.side else {
            return;
        };
        let reason = match &agent.release {
            Some(release) => release.reason.clone(),
            None => Some(ELSEWHERE.to_owned()),
        };
        if let Some(Fork {
            invite: Some(invite),
            flow,
            ..
        }) = agent.forks.get(index)
        {
            self.stack.cancel(invite, *flow, reason);
        }
    }

    fn bye_fork(&self, leg: &mut Leg, index: usize) {
        let Side::Agent(agent) = &mut leg.side else {
            return;
        };
        let reason = match &agent.release {
            Some(release) => release.reason.clone(),
            // Unless it is one that nobody waited for any more.
            None => agent.winner.map(|_| ELSEWHERE.to_owned()),
        };
        let Some(fork) = agent.forks.get_mut(index) else {
            return;
        };
        let hop = fork.dialog.as_ref().map(Dialog::next_hop);
        if let (Some(who), Some(hop)) = (agent.who, hop)
            && !self.stack.is_open(hop)
        {
            self.follow_phone(who, fork, hop);
        }
        let account = fork.account.clone();
        if let Some(dialog) = &mut fork.dialog {
            self.send_bye(dialog, reason, account);
        }
    }

    /// A 2xx to an INVITE whose transaction is over: our ACK was lost, a phone answers
    /// that was given up, or a proxy behind its address has forked (RFC 3261, 13.2.2.4).
    pub(super) fn on_late_success(&self, response: &Response, flow: Flow) {
        let Some(theirs) = response.dialog() else {
            return;
        };
        let mut legs = self.legs();
        let Some(id) = legs.of_dialog(&theirs) else {
            return;
        };
        let Some(Leg {
            side: Side::Agent(agent),
            call,
            ..
        }) = legs.get_mut(id)
        else {
            return;
        };
        let call = *call;
        let Some(index) = agent.forks.iter().position(|fork| {
            let invite = fork.invite.as_ref().and_then(|i| i.request().own_dialog());
            invite.is_some_and(|own| own.local_tag == theirs.local_tag)
        }) else {
            return;
        };
        let fork = &agent.forks[index];
        let same = fork
            .dialog
            .as_ref()
            .is_none_or(|dialog| dialog.id.remote_tag == theirs.remote_tag);
        if same {
            let reports = self.fork(&mut legs, id, index, Input::Success, Some(response));
            drop(legs);
            for command in reports {
                self.record(call, command);
            }
        } else if let Some(invite) = &fork.invite {
            let invite = invite.request();
            let contact = fork.contact.clone();
            if let Some(mut other) = Dialog::established(invite, response, flow, contact) {
                let number = invite.cseq().unwrap_or(1);
                self.stack.acknowledge(other.ack(number), other.next_hop());
                let account = fork.account.clone();
                self.send_bye(&mut other, Some(ELSEWHERE.to_owned()), account);
            }
        }
    }
}

/// How the agent's phone is to show the caller, and the codecs to offer it:
/// those of the caller's side first, so that the relay rarely has to convert,
/// then the others, which it can.
pub(super) fn caller_of(legs: &Legs, call: CallId) -> Option<(String, Vec<Codec>)> {
    let leg = legs.get(legs.call(call)?.caller)?;
    if leg.ended_at.is_some() {
        return None;
    }
    let shown_as = match &leg.side {
        Side::Caller(caller) => caller.shown_as.clone(),
        Side::Agent(agent) => agent.carrier.as_ref()?.shown_as.clone()?,
    };
    let codecs: Vec<Codec> = match (leg.session.codec, &leg.session.remote) {
        (Some(codec), _) => vec![codec],
        (None, Some(remote)) => remote.audio.formats.iter().map(|f| f.codec).collect(),
        (None, None) => vec![],
    };
    Some((shown_as, with_all(codecs)))
}

/// These codecs first, then all others that the relay can convert.
pub(super) fn with_all(mut codecs: Vec<Codec>) -> Vec<Codec> {
    for codec in Codec::ALL {
        if !codecs.contains(&codec) {
            codecs.push(codec);
        }
    }
    codecs
}

/// Which of several phones' answers speaks for the agent: a person's refusal
/// before a busy line, and that before silence.
const fn rank(outcome: OfferOutcome) -> u8 {
    match outcome {
        OfferOutcome::Rejected => 4,
        OfferOutcome::Busy => 3,
        OfferOutcome::NoAnswer => 2,
        OfferOutcome::Withdrawn | OfferOutcome::AnsweredElsewhere | OfferOutcome::CallerGone => 1,
        OfferOutcome::Unreachable => 0,
    }
}
