//! Outgoing calls up to their answer: INVITE, CANCEL, and the final response (RFC 3261 sections 13.2 and 9.1).

use std::time::Instant;

use super::call::{Call, Link, Manners, record_routes};
use super::client::{Purpose, client_key, on_same_branch};
use super::session::Session;
use super::timers::Timer;
use super::{ALLOW, CallKey, DialedParts, Engine};
use crate::address::param;
use crate::error::Result;
use crate::message::{Message, Method};
use crate::options::{CallOptions, Offer};
use crate::progress::{CallEvent, EndedBy, Phase, Rejection};

impl Engine {
    pub(super) fn dial(
        &mut self,
        now: Instant,
        target: &str,
        options: CallOptions,
    ) -> Result<DialedParts> {
        let (key, call_id, local_tag) = (self.names.next(), self.names.name(), self.names.name());
        let mut session = Session::new(&self.options, self.local.ip(), self.names.next());
        let uri = self.target_uri(target);
        let caller = options.caller.as_deref().unwrap_or(&self.options.user);
        let local = format!("{};tag={local_tag}", self.own_address(caller));
        let remote = format!("<{uri}>");
        let mut invite = Message::request(Method::Invite, uri.clone())
            .with("Max-Forwards", "70")
            .with("From", local.clone())
            .with("To", remote.clone())
            .with("Call-ID", call_id.clone())
            .with("CSeq", "1 INVITE")
            .with("Contact", format!("<{}>", self.contact_uri()))
            .with("Allow", ALLOW);
        for (name, value) in options.headers {
            invite.push(&name, value);
        }
        let body = match options.offer {
            Offer::Audio => Some(session.offer(false)?),
            Offer::Nothing => None,
            Offer::Body(body) => Some(body),
        };
        if let Some(body) = body {
            invite = invite.with_body("application/sdp", body);
        }
        let (link, ends) = Link::new();
        link.note(|progress| progress.steps.invite_sent_at = Some(now));
        let media = session.media.clone();
        let invite_key = self.start_client(
            now,
            invite,
            self.options.server,
            Purpose::Invite { call: key },
        );
        let invite = self
            .clients
            .get(&invite_key)
            .map(|client| client.request.clone());
        let call = Call {
            key,
            call_id: call_id.clone(),
            local,
            local_tag: local_tag.clone(),
            remote,
            local_cseq: 1,
            remote_cseq: None,
            target: uri,
            routes: Vec::new(),
            server: self.options.server,
            invite: invite.unwrap_or_else(|| Message::request(Method::Invite, "")),
            invite_key,
            session,
            link,
            manners: Manners {
                withhold_ack: options.withhold_ack,
                ..Manners::default()
            },
            cancel_wanted: false,
            cancel_sent: false,
            answer_expected: false,
            answer_waiter: None,
        };
        self.calls.insert(key, call);
        self.dialogs.insert((call_id.clone(), local_tag), key);
        Ok(DialedParts {
            key,
            call_id,
            media,
            ends,
        })
    }

    pub(super) fn on_provisional(
        &mut self,
        now: Instant,
        key: CallKey,
        status: u16,
        response: &Message,
    ) {
        let Some(call) = self.calls.get_mut(&key).filter(|call| !call.manners.mute) else {
            return;
        };
        if status == 100 {
            call.link.note(|progress| {
                progress.steps.trying_at.get_or_insert(now);
            });
            call.link.event(CallEvent::Trying);
        } else {
            call.link.note(|progress| {
                progress.steps.ringing_at.get_or_insert(now);
                progress.phase = progress.phase.max(Phase::Ringing);
            });
            call.link.event(CallEvent::Ringing { status });
            if !response.body.is_empty() {
                call.session.accept(&response.body); // early media; a body that is no audio changes nothing
            }
        }
        if call.cancel_wanted && !call.cancel_sent {
            self.send_cancel(now, key);
        }
    }

    /// Takes the call back. Waits for a provisional response if there was none (9.1). With `even_if_answered` CANCEL is
    /// sent on an answered call, as if it had crossed the 200.
    pub(super) fn cancel(&mut self, now: Instant, key: CallKey, even_if_answered: bool) {
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        match call.phase() {
            Phase::Ended => return,
            Phase::Answered if !even_if_answered => return,
            Phase::Dialling | Phase::Ringing | Phase::Answered => {}
        }
        call.cancel_wanted = true;
        let progress = call.link.look();
        let heard = progress.steps.trying_at.is_some() || progress.phase > Phase::Dialling;
        if heard && !call.cancel_sent {
            self.send_cancel(now, key);
        }
    }

    fn send_cancel(&mut self, now: Instant, key: CallKey) {
        let server = self.options.server;
        let give_up = self.give_up_after();
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        call.cancel_sent = true;
        call.link
            .note(|progress| progress.steps.cancel_at = Some(now));
        let cancel = on_same_branch(&call.invite, Method::Cancel, None);
        let via = call.invite.header("Via").unwrap_or_default();
        let branch = param(via, "branch").unwrap_or_default().to_owned();
        self.timers.set(now + give_up, Timer::CancelTimeout(key));
        self.start_on_branch(
            now,
            &branch,
            Method::Cancel,
            cancel,
            server,
            Purpose::Cancel,
            0,
        );
    }

    /// The other side never ended the INVITE: it counts as cancelled (9.1).
    pub(super) fn cancel_timeout(&mut self, now: Instant, key: CallKey) {
        let answered = self
            .calls
            .get(&key)
            .is_none_or(|call| call.phase() >= Phase::Answered);
        if !answered {
            self.drop_clients_of(key);
            self.end_call(now, key, EndedBy::Cancelled);
        }
    }

    pub(super) fn on_invite_final(
        &mut self,
        now: Instant,
        key: CallKey,
        sent: &Message,
        status: u16,
        response: &Message,
    ) {
        let Some(call) = self.calls.get_mut(&key).filter(|call| !call.manners.mute) else {
            return;
        };
        if status >= 300 {
            call.link.note(|progress| {
                progress.status = Some(status);
                progress.steps.rejected_at = Some(now);
            });
            call.link.event(CallEvent::Rejected(Rejection {
                status,
                phrase: response.reason().to_owned(),
                reason: response.header("Reason").map(str::to_owned),
                headers: response.headers().to_vec(),
            }));
            let by = if call.cancel_sent {
                EndedBy::Cancelled
            } else {
                EndedBy::Rejected
            };
            return self.end_call(now, key, by);
        }
        if let Some(to) = response.header("To") {
            to.clone_into(&mut call.remote);
        }
        call.learn_target(response);
        call.routes = record_routes(response);
        call.routes.reverse(); // 12.1.2: the caller walks the recorded route backwards
        call.session.accept(&response.body);
        call.link.note(|progress| {
            progress.status = Some(status);
            progress.phase = Phase::Answered;
            progress.steps.answered_at = Some(now);
        });
        let (cancelled, withhold) = (call.cancel_wanted, call.manners.withhold_ack);
        if !withhold {
            self.acknowledge_answer(now, key, sent, response);
        }
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        if cancelled {
            // The 200 and our CANCEL crossed: the call is up, and nobody wants it.
            call.link.event(CallEvent::AnsweredAfterCancel);
            self.hang_up(now, key, None);
        } else {
            call.link.event(CallEvent::Answered);
        }
    }

    /// The ACK of a 2xx: a request of the dialog with the INVITE's number (13.2.2.4). Answers a late offer.
    pub(super) fn acknowledge_answer(
        &mut self,
        now: Instant,
        key: CallKey,
        invite: &Message,
        response: &Message,
    ) {
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        let mut ack = call.request(Method::Ack);
        let number = invite.cseq().map_or(0, |(number, _)| number);
        ack.set("CSeq", format!("{number} ACK"));
        if invite.body.is_empty()
            && let Ok(Some(answer)) = call.session.answer(&response.body)
        {
            ack = ack.with_body("application/sdp", answer);
        }
        call.link.note(|progress| {
            progress.steps.ack_at.get_or_insert(now);
        });
        let to = call.next_hop();
        let invite_branch = invite
            .header("Via")
            .and_then(|via| param(via, "branch"))
            .unwrap_or_default();
        let kept = client_key(invite_branch, &Method::Invite);
        self.add_via(&mut ack);
        self.send_ack(now, kept, to, ack.to_bytes());
    }

    /// A transaction got no final response.
    pub(super) fn client_failed(&mut self, now: Instant, purpose: Purpose) {
        use crate::error::Error::Timeout;
        // A reply nobody waits for is no loss.
        match purpose {
            Purpose::Register { reply } => drop(reply.send(Err(Timeout))),
            Purpose::Options { reply } => drop(reply.send(Err(Timeout))),
            Purpose::Reinvite { call, reply } => {
                if let Some(call) = self.calls.get_mut(&call) {
                    call.session.withdraw_offer();
                }
                drop(reply.send(Err(Timeout)));
            }
            Purpose::Info { reply, .. } => drop(reply.send(Err(Timeout))),
            Purpose::Bye { call, reply } => {
                self.end_call(now, call, EndedBy::Us);
                if let Some(reply) = reply {
                    drop(reply.send(Err(Timeout)));
                }
            }
            Purpose::Cancel => {}
            Purpose::Invite { call } => {
                if let Some(call) = self.calls.get(&call) {
                    call.link.event(CallEvent::TimedOut);
                }
                self.end_call(now, call, EndedBy::Timeout);
            }
        }
    }
}
