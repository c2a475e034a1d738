//! Inside an answered call: BYE, hold and resume, in both directions (RFC 3261 sections 14 and 15).

use std::time::Instant;

use super::call::Reply;
use super::client::Purpose;
use super::server::response_to;
use super::{ALLOW, CallKey, Engine};
use crate::error::Error;
use crate::message::{Message, Method};
use crate::progress::{CallEvent, EndedBy, Phase};

impl Engine {
    pub(super) fn hang_up(&mut self, now: Instant, key: CallKey, reply: Option<Reply<u16>>) {
        let answered = self
            .calls
            .get(&key)
            .filter(|call| call.phase() == Phase::Answered);
        if answered.is_none_or(|call| call.link.look().steps.bye_sent_at.is_some()) {
            if let Some(reply) = reply {
                let _ = reply.send(Err(Error::WrongState)); // nobody waits any more: nothing to tell
            }
            return;
        }
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        let (bye, to) = (call.request(Method::Bye), call.next_hop());
        call.session.media.stop();
        call.link
            .note(|progress| progress.steps.bye_sent_at = Some(now));
        self.start_client(now, bye, to, Purpose::Bye { call: key, reply });
    }

    pub(super) fn on_bye_final(
        &mut self,
        now: Instant,
        key: CallKey,
        status: u16,
        reply: Option<Reply<u16>>,
    ) {
        if let Some(call) = self.calls.get(&key) {
            call.link
                .note(|progress| progress.steps.bye_answered_at = Some(now));
        }
        // 15.1.1: the dialog is over, whatever the answer says.
        self.end_call(now, key, EndedBy::Us);
        if let Some(reply) = reply {
            let _ = reply.send(Ok(status)); // nobody waits any more: nothing to tell
        }
    }

    pub(super) fn info(
        &mut self,
        now: Instant,
        key: CallKey,
        content_type: &str,
        body: String,
        reply: Reply<u16>,
    ) {
        let method = Method::Other("INFO".to_owned());
        self.say(now, key, method, reply, |request| {
            request.with_body(content_type, body)
        });
    }

    /// Asks for the other side to be sent there (RFC 3515): to one address, but in tests.
    pub(super) fn refer(
        &mut self,
        now: Instant,
        key: CallKey,
        targets: &[String],
        reply: Reply<u16>,
    ) {
        let contact = format!("<{}>", self.contact_uri());
        let method = Method::Other("REFER".to_owned());
        self.say(now, key, method, reply, |request| {
            let request = request.with("Contact", contact);
            targets.iter().fold(request, |request, target| {
                request.with("Refer-To", target.as_str())
            })
        });
    }

    /// A request in the dialog of a call that is up.
    fn say(
        &mut self,
        now: Instant,
        key: CallKey,
        method: Method,
        reply: Reply<u16>,
        complete: impl FnOnce(Message) -> Message,
    ) {
        let Some(call) = self
            .calls
            .get_mut(&key)
            .filter(|call| call.phase() == Phase::Answered)
        else {
            let _ = reply.send(Err(Error::WrongState)); // nobody waits any more: nothing to tell
            return;
        };
        let to = call.next_hop();
        let request = complete(call.request(method));
        self.start_client(now, request, to, Purpose::Info { call: key, reply });
    }

    /// Leaves without a word: nothing is sent or answered from now on.
    pub(super) fn vanish(&mut self, now: Instant, key: CallKey) {
        if let Some(call) = self.calls.get_mut(&key) {
            call.manners.mute = true;
            self.drop_clients_of(key);
            self.end_call(now, key, EndedBy::Vanished);
        }
    }

    pub(super) fn hold(&mut self, now: Instant, key: CallKey, hold: bool, reply: Reply<u16>) {
        let contact = format!("<{}>", self.contact_uri());
        let busy = self.reinvite_pending(key);
        let Some(call) = self
            .calls
            .get_mut(&key)
            .filter(|call| call.phase() == Phase::Answered && !busy)
        else {
            let _ = reply.send(Err(Error::WrongState)); // nobody waits any more: nothing to tell
            return;
        };
        let offer = match call.session.offer(hold) {
            Ok(offer) => offer,
            Err(error) => {
                let _ = reply.send(Err(error.into())); // nobody waits any more: nothing to tell
                return;
            }
        };
        let to = call.next_hop();
        let request = call
            .request(Method::Invite)
            .with("Contact", contact)
            .with("Allow", ALLOW);
        let request = request.with_body("application/sdp", offer);
        self.start_client(now, request, to, Purpose::Reinvite { call: key, reply });
    }

    /// A re-INVITE of ours has no final response yet.
    fn reinvite_pending(&self, key: CallKey) -> bool {
        self.clients
            .values()
            .any(|client| matches!(client.purpose, Purpose::Reinvite { call, .. } if call == key))
    }

    pub(super) fn on_reinvite_final(
        &mut self,
        now: Instant,
        key: CallKey,
        sent: &Message,
        status: u16,
        response: &Message,
        reply: Reply<u16>,
    ) {
        let result = if status < 300 {
            if let Some(call) = self.calls.get_mut(&key) {
                call.learn_target(response);
                call.session.accept(&response.body);
            }
            self.acknowledge_answer(now, key, sent, response);
            Ok(status)
        } else {
            if let Some(call) = self.calls.get_mut(&key) {
                call.session.withdraw_offer();
            }
            Err(Error::Rejected {
                status,
                reason: response.reason().to_owned(),
            })
        };
        let _ = reply.send(result); // nobody waits any more: nothing to tell
    }

    pub(super) fn on_bye(
        &mut self,
        now: Instant,
        server: &str,
        call: Option<CallKey>,
        request: &Message,
    ) {
        let Some(key) = call.filter(|key| self.calls.contains_key(key)) else {
            return self.respond_plain(now, server, request, 481);
        };
        let number = request.cseq().map(|(number, _)| number);
        let seen = self.calls.get(&key).and_then(|call| call.remote_cseq);
        if seen.is_some() && seen >= number {
            return self.respond_plain(now, server, request, 500); // 12.2.2: older than what was seen
        }
        self.respond_plain(now, server, request, 200);
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        let (phase, invite_key, invite) =
            (call.phase(), call.invite_key.clone(), call.invite.clone());
        let local_tag = call.local_tag.clone();
        call.link.note(|progress| {
            progress.steps.bye_received_at.get_or_insert(now);
        });
        if phase == Phase::Ended {
            return;
        }
        call.link.event(CallEvent::RemoteHangup {
            reason: request.header("Reason").map(str::to_owned),
        });
        if let Some(waiter) = call.answer_waiter.take() {
            let _ = waiter.send(Err(Error::NotAcknowledged)); // nobody waits any more: nothing to tell
        }
        if phase < Phase::Answered && self.servers.contains_key(&invite_key) {
            // 15.1.2: requests of the dialog that still wait are answered 487.
            self.respond(
                now,
                &invite_key,
                response_to(&invite, 487, Some(&local_tag)),
            );
        }
        self.end_call(now, key, EndedBy::Remote);
    }

    pub(super) fn on_reinvite(
        &mut self,
        now: Instant,
        server: &str,
        key: CallKey,
        request: &Message,
    ) {
        let ours_pending = self.reinvite_pending(key);
        let contact = format!("<{}>", self.contact_uri());
        let number = request.cseq().map(|(number, _)| number);
        let Some(call) = self
            .calls
            .get_mut(&key)
            .filter(|call| call.phase() == Phase::Answered)
        else {
            return self.respond_plain(now, server, request, 481);
        };
        if call.remote_cseq >= number {
            return self.respond_plain(now, server, request, 500); // 12.2.2: older than what was seen
        }
        call.remote_cseq = number;
        if ours_pending {
            return self.respond_plain(now, server, request, 491); // 14.2
        }
        let was_held = call.session.held_by_remote;
        let body = if request.body.is_empty() {
            call.answer_expected = true;
            call.session.offer(false).ok()
        } else {
            call.session.answer(&request.body).ok().flatten()
        };
        let Some(body) = body else {
            return self.respond_plain(now, server, request, 488);
        };
        call.learn_target(request);
        server.clone_into(&mut call.invite_key);
        let held = call.session.held_by_remote;
        call.link.note(|progress| progress.held_by_remote = held);
        match (was_held, held) {
            (false, true) => call.link.event(CallEvent::RemoteHold),
            (true, false) => call.link.event(CallEvent::RemoteResume),
            (true, true) | (false, false) => {}
        }
        let response = response_to(request, 200, None)
            .with("Contact", contact)
            .with("Allow", ALLOW);
        self.respond(now, server, response.with_body("application/sdp", body));
    }
}
