//! Incoming calls up to their answer: ringing, 200, refusal, CANCEL (RFC 3261 sections 13.3 and 9.2).

use std::time::Instant;

use super::call::{Call, Link, Manners, Reply, record_routes};
use super::server::{response_to, server_key};
use super::session::Session;
use super::{ALLOW, CallKey, Engine, IncomingParts};
use crate::error::Error;
use crate::message::{Message, Method};
use crate::progress::{CallEvent, EndedBy, Phase};

impl Engine {
    /// A new call. Nothing is answered yet: whether this phone rings is up to its owner.
    pub(super) fn on_invite(&mut self, now: Instant, server: &str, request: Message) {
        if let Some(extensions) = request.header("Require") {
            // 8.2.2.3: this phone supports no extension.
            let response = self.reply_to(&request, 420).with("Unsupported", extensions);
            return self.respond(now, server, response);
        }
        let (key, local_tag) = (self.names.next(), self.names.name());
        let header = |name: &str| request.header(name).unwrap_or_default().to_owned();
        let (call_id, remote, to) = (header("Call-ID"), header("From"), header("To"));
        let session = Session::new(&self.options, self.local.ip(), self.names.next());
        let (link, ends) = Link::new();
        link.note(|progress| progress.steps.invite_received_at = Some(now));
        let parts = IncomingParts {
            key,
            invite: request.clone(),
            media: session.media.clone(),
            ends,
        };
        if self.incoming.try_send(parts).is_err() {
            return self.respond_plain(now, server, &request, 486);
        }
        let mut call = Call {
            key,
            call_id: call_id.clone(),
            local: format!("{to};tag={local_tag}"),
            local_tag: local_tag.clone(),
            remote,
            local_cseq: 0,
            remote_cseq: request.cseq().map(|(number, _)| number),
            target: String::new(),
            routes: record_routes(&request),
            server: self.options.server,
            invite: request.clone(),
            invite_key: server.to_owned(),
            session,
            link,
            manners: Manners::default(),
            cancel_wanted: false,
            cancel_sent: false,
            answer_expected: false,
            answer_waiter: None,
        };
        call.learn_target(&request);
        self.calls.insert(key, call);
        self.dialogs.insert((call_id, local_tag), key);
        if let Some(server) = self.servers.get_mut(server) {
            server.call = Some(key);
        }
    }

    /// A response to the INVITE of this call, if it has no final one yet.
    fn respond_to_invite(&mut self, now: Instant, key: CallKey, status: u16, body: Option<String>) {
        let contact = format!("<{}>", self.contact_uri());
        let Some(call) = self.calls.get(&key) else {
            return;
        };
        let tag = (status > 100).then_some(call.local_tag.as_str());
        let mut response = response_to(&call.invite, status, tag);
        if (101..300).contains(&status) {
            response = response.with("Contact", contact).with("Allow", ALLOW);
        }
        if let (101..200, Some(events)) = (status, &self.options.allow_events) {
            response = response.with("Allow-Events", events.clone());
        }
        if let Some(user_agent) = &self.options.user_agent {
            response = response.with("User-Agent", user_agent.clone());
        }
        if let Some(body) = body {
            response = response.with_body("application/sdp", body);
        }
        let server = call.invite_key.clone();
        self.respond(now, &server, response);
    }

    pub(super) fn provisional(&mut self, now: Instant, key: CallKey, status: u16) {
        let Some(call) = self
            .calls
            .get(&key)
            .filter(|call| call.phase() < Phase::Answered)
        else {
            return;
        };
        if status > 100 {
            call.link.note(|progress| {
                progress.steps.ringing_at.get_or_insert(now);
                progress.phase = Phase::Ringing;
            });
        }
        self.respond_to_invite(now, key, status, None);
    }

    pub(super) fn answer(&mut self, now: Instant, key: CallKey, reply: Reply<()>) {
        let body = match self.answer_body(key) {
            Ok(body) => body,
            Err(error) => {
                if matches!(error, Error::NoCommonCodec) {
                    self.reject(now, key, 488, Vec::new());
                }
                let _ = reply.send(Err(error)); // nobody waits any more: nothing to tell
                return;
            }
        };
        if let Some(call) = self.calls.get_mut(&key) {
            call.answer_waiter = Some(reply);
            call.link.note(|progress| {
                progress.phase = Phase::Answered;
                progress.status = Some(200);
                progress.steps.answered_at = Some(now);
            });
        }
        self.respond_to_invite(now, key, 200, Some(body));
    }

    fn answer_body(&mut self, key: CallKey) -> Result<String, Error> {
        let call = self.calls.get_mut(&key).ok_or(Error::WrongState)?;
        match (call.phase(), call.link.look().ended_by) {
            (Phase::Dialling | Phase::Ringing, _) => {}
            (Phase::Ended, Some(EndedBy::Cancelled)) => return Err(Error::Cancelled),
            (Phase::Answered | Phase::Ended, _) => return Err(Error::WrongState),
        }
        if call.invite.body.is_empty() {
            call.answer_expected = true;
            return Ok(call.session.offer(false)?);
        }
        let offer = call.invite.body.clone();
        call.session.answer(&offer)?.ok_or(Error::NoCommonCodec)
    }

    pub(super) fn reject(
        &mut self,
        now: Instant,
        key: CallKey,
        status: u16,
        headers: Vec<(String, String)>,
    ) {
        let Some(call) = self
            .calls
            .get(&key)
            .filter(|call| call.phase() < Phase::Answered)
        else {
            return;
        };
        let mut response = response_to(&call.invite, status, Some(&call.local_tag));
        for (name, value) in headers {
            response.push(&name, value);
        }
        let server = call.invite_key.clone();
        call.link.note(|progress| {
            progress.status = Some(status);
            progress.steps.rejected_at = Some(now);
        });
        self.respond(now, &server, response);
        self.end_call(now, key, EndedBy::Rejected);
    }

    /// CANCEL: 200 for itself, 487 for the INVITE unless that has its answer (9.2).
    pub(super) fn on_cancel(&mut self, now: Instant, server: &str, request: &Message) {
        let invite = server_key(request, &Method::Invite);
        let call = self.servers.get(&invite).and_then(|server| server.call);
        let Some(call) = call.and_then(|key| self.calls.get_mut(&key)) else {
            return self.respond_plain(now, server, request, 481);
        };
        if call.manners.mute {
            return;
        }
        let (key, tag, phase) = (call.key, call.local_tag.clone(), call.phase());
        let keep = call.manners.keep_on_cancel;
        call.link.note(|progress| {
            progress.steps.cancel_at.get_or_insert(now);
        });
        if phase < Phase::Answered {
            call.link.event(CallEvent::Cancelled);
        }
        self.respond(now, server, response_to(request, 200, Some(&tag)));
        if phase < Phase::Answered && !keep {
            self.respond_to_invite(now, key, 487, None);
            if let Some(call) = self.calls.get(&key) {
                call.link.note(|progress| progress.status = Some(487));
            }
            self.end_call(now, key, EndedBy::Cancelled);
        }
    }
}
