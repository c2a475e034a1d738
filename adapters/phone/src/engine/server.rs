//! Server transactions: one response, repeated when the request is, and until an ACK comes (RFC 3261 section 17.2).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::timers::Timer;
use super::{ALLOW, CallKey, Engine};
use crate::address::{param, sent_by_of, tag_of};
use crate::error::Error;
use crate::message::{Message, Method, phrase_of};
use crate::progress::{CallEvent, EndedBy, Phase};

/// One server transaction.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) call: Option<CallKey>,
    /// The latest response, and its status.
    pub(super) response: Option<(u16, Vec<u8>)>,
    to: SocketAddr,
    invite: bool,
    /// Set while a final response to an INVITE waits for its ACK: the time to the next repetition.
    waiting: Option<Duration>,
}

impl Engine {
    pub(super) fn on_request(&mut self, now: Instant, from: SocketAddr, request: Message) {
        let Some(method) = request.method().cloned() else {
            return;
        };
        let Some(via) = request.header("Via") else {
            return;
        };
        let complete = ["From", "To", "Call-ID"]
            .iter()
            .all(|name| request.header(name).is_some());
        let Some((_, cseq_method)) = request.cseq() else {
            return;
        };
        if !complete || cseq_method != method {
            return;
        }
        let to = response_address(via, from);
        // The ACK of a refusal belongs to the INVITE's transaction (17.2.3).
        let key_method = if method == Method::Ack {
            Method::Invite
        } else {
            method.clone()
        };
        let key = server_key(&request, &key_method);
        if method == Method::Ack {
            return self.on_ack(now, &key, &request);
        }
        if let Some(server) = self.servers.get(&key) {
            let muted = server.call.is_some_and(|call| self.is_mute(call));
            if let (false, Some((_, bytes))) = (muted, &server.response) {
                let (to, bytes) = (server.to, bytes.clone());
                self.send(to, bytes);
            }
            return;
        }
        let call = self.call_of(&request);
        if call.is_some_and(|call| self.is_mute(call)) {
            return;
        }
        let invite = method == Method::Invite;
        self.servers.insert(
            key.clone(),
            Server {
                call,
                response: None,
                to,
                invite,
                waiting: None,
            },
        );
        match method {
            Method::Invite => match (tag_of(request.header("To").unwrap_or_default()), call) {
                (None, _) => self.on_invite(now, &key, request),
                (Some(_), Some(call)) => self.on_reinvite(now, &key, call, &request),
                (Some(_), None) => self.respond_plain(now, &key, &request, 481),
            },
            Method::Cancel => self.on_cancel(now, &key, &request),
            Method::Bye => self.on_bye(now, &key, call, &request),
            Method::Options => {
                let response = self
                    .reply_to(&request, 200)
                    .with("Allow", ALLOW)
                    .with("Accept", "application/sdp");
                self.respond(now, &key, response);
            }
            Method::Other(name) if name == "NOTIFY" => self.on_notify(now, &key, call, &request),
            Method::Ack | Method::Register | Method::Other(_) => {
                let response = self.reply_to(&request, 405).with("Allow", ALLOW);
                self.respond(now, &key, response);
            }
        }
    }

    /// What became of a REFER of ours (RFC 3515 2.4.5), or what the server wants of a phone that rings.
    fn on_notify(&mut self, now: Instant, key: &str, call: Option<CallKey>, request: &Message) {
        let header = |name| request.header(name).unwrap_or_default().to_owned();
        let told = CallEvent::Notified {
            event: header("Event"),
            state: header("Subscription-State"),
            body: String::from_utf8_lossy(&request.body).trim().to_owned(),
        };
        let says = self.options.notify_status;
        let known = call.and_then(|call| self.calls.get_mut(&call));
        let status = known.map_or(481, |call| {
            // What is asked for after it comes later (12.2.2).
            call.remote_cseq = call
                .remote_cseq
                .max(request.cseq().map(|(number, _)| number));
            call.link.event(told);
            says
        });
        self.respond_plain(now, key, request, status);
    }

    fn is_mute(&self, call: CallKey) -> bool {
        self.calls.get(&call).is_some_and(|call| call.manners.mute)
    }

    /// A response that needs nothing but its status.
    pub(super) fn respond_plain(
        &mut self,
        now: Instant,
        key: &str,
        request: &Message,
        status: u16,
    ) {
        let response = self.reply_to(request, status);
        self.respond(now, key, response);
    }

    /// A response outside any dialog of ours; its To gets a tag all the same (8.2.6.2).
    pub(super) fn reply_to(&mut self, request: &Message, status: u16) -> Message {
        let tag = self.names.name();
        response_to(request, status, Some(&tag))
    }

    /// Sends a response in its transaction and keeps it.
    pub(super) fn respond(&mut self, now: Instant, key: &str, response: Message) {
        let (t1, give_up, reliable) = (self.t1(), self.give_up_after(), self.reliable());
        let Some(server) = self.servers.get_mut(key) else {
            return;
        };
        let Some(status) = response.status() else {
            return;
        };
        let (to, bytes) = (server.to, response.to_bytes());
        server.response = Some((status, bytes.clone()));
        if status >= 200 {
            if server.invite {
                server.waiting = Some(t1);
                if !reliable || status < 300 {
                    self.timers
                        .set(now + t1, Timer::ServerRetransmit(key.to_owned()));
                }
                self.timers
                    .set(now + give_up, Timer::ServerTimeout(key.to_owned()));
            }
            // Longer than any repetition that may still be on its way.
            self.timers
                .set(now + give_up * 2, Timer::ServerForgotten(key.to_owned()));
        }
        self.send(to, bytes);
    }

    /// Timer G, and the repetition of a 2xx: T1, doubled up to T2.
    pub(super) fn server_retransmit(&mut self, now: Instant, key: &str) {
        let t2 = self.t2();
        let Some(server) = self.servers.get_mut(key) else {
            return;
        };
        let (Some(interval), Some((_, bytes))) = (server.waiting, &server.response) else {
            return;
        };
        let interval = (interval * 2).min(t2);
        let (to, bytes, call) = (server.to, bytes.clone(), server.call);
        server.waiting = Some(interval);
        if call.is_some_and(|call| self.is_mute(call)) {
            return;
        }
        self.timers
            .set(now + interval, Timer::ServerRetransmit(key.to_owned()));
        self.send(to, bytes);
    }

    /// Timer H, and the end of waiting for the ACK of a 2xx: that call is hung up (RFC 3261 13.3.1.4).
    pub(super) fn server_timeout(&mut self, now: Instant, key: &str) {
        let Some(server) = self.servers.get_mut(key) else {
            return;
        };
        if server.waiting.take().is_none() {
            return;
        }
        let answered = matches!(server.response, Some((200..300, _)));
        let Some(key) = server.call.filter(|_| answered) else {
            return;
        };
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        if call.manners.mute || call.phase() == Phase::Ended {
            return;
        }
        call.link.event(CallEvent::TimedOut);
        if let Some(waiter) = call.answer_waiter.take() {
            let _ = waiter.send(Err(Error::NotAcknowledged)); // nobody waits any more: nothing to tell
        }
        self.hang_up(now, key, None);
        self.end_call(now, key, EndedBy::Timeout);
    }

    fn on_ack(&mut self, now: Instant, key: &str, request: &Message) {
        let refused = self
            .servers
            .get_mut(key)
            .filter(|server| matches!(server.response, Some((300.., _))));
        if let Some(server) = refused {
            server.waiting = None;
            return;
        }
        // The ACK of a 2xx has a branch of its own and is found by its dialog (13.3.1.4).
        let Some(call) = self
            .call_of(request)
            .and_then(|key| self.calls.get_mut(&key))
        else {
            return;
        };
        if call.manners.mute {
            return;
        }
        if let Some(server) = self.servers.get_mut(&call.invite_key) {
            server.waiting = None;
        }
        call.link.note(|progress| {
            progress.steps.ack_at.get_or_insert(now);
        });
        if std::mem::take(&mut call.answer_expected) {
            call.session.accept(&request.body);
        }
        if let Some(waiter) = call.answer_waiter.take() {
            let _ = waiter.send(Ok(())); // nobody waits any more: nothing to tell
        }
    }
}

/// The key of a server transaction: branch, sent-by and method, or for old branches the identifiers (17.2.3).
pub(super) fn server_key(request: &Message, method: &Method) -> String {
    let via = request.header("Via").unwrap_or_default();
    let sent_by = sent_by_of(via)
        .map(|(host, port)| format!("{host}:{}", port.unwrap_or(0)))
        .unwrap_or_default();
    match param(via, "branch").filter(|branch| branch.starts_with("z9hG4bK")) {
        Some(branch) => format!("{branch} {sent_by} {method}"),
        None => {
            let number = request.cseq().map_or(0, |(number, _)| number);
            let from_tag = request.header("From").and_then(tag_of).unwrap_or_default();
            format!(
                "{} {from_tag} {number} {sent_by} {method}",
                request.header("Call-ID").unwrap_or_default()
            )
        }
    }
}

/// Where a response goes: back to the source, at the port it came from if rport asks for that (RFC 3581 4).
fn response_address(via: &str, from: SocketAddr) -> SocketAddr {
    if param(via, "rport").is_some() {
        return from;
    }
    let port = sent_by_of(via)
        .and_then(|(_, port)| port)
        .unwrap_or(crate::address::SIP_PORT);
    SocketAddr::new(from.ip(), port)
}

/// A response with what RFC 3261 8.2.6.2 copies from the request; `tag` is added to a To that has none.
pub(super) fn response_to(request: &Message, status: u16, tag: Option<&str>) -> Message {
    let mut response = Message::response(status, phrase_of(status));
    for name in ["Via", "Record-Route", "From", "To", "Call-ID", "CSeq"] {
        for value in request.headers_named(name) {
            match tag.filter(|_| name == "To" && tag_of(value).is_none()) {
                Some(tag) => response.push(name, format!("{value};tag={tag}")),
                None => response.push(name, value),
            }
        }
    }
    response
}
