//! Client transactions: repetition, timeouts, challenges, and the ACK of an INVITE (RFC 3261 section 17.1).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::call::Reply;
use super::timers::Timer;
use super::{CallKey, Engine, Outgoing};
use crate::address::param;
use crate::digest::{Challenge, DigestSession};
use crate::message::{Message, Method};
use crate::options::Transport;
use crate::phone::{OptionsOutcome, RegisterOutcome};

/// A challenge to one request is answered this often: once, and again for a stale nonce or two.
const CHALLENGES_MAX: u32 = 3;

/// What a request was sent for.
#[derive(Debug)]
pub(super) enum Purpose {
    Register {
        reply: Reply<RegisterOutcome>,
    },
    Options {
        reply: Reply<OptionsOutcome>,
    },
    Invite {
        call: CallKey,
    },
    Reinvite {
        call: CallKey,
        reply: Reply<u16>,
    },
    Info {
        call: CallKey,
        reply: Reply<u16>,
    },
    Bye {
        call: CallKey,
        reply: Option<Reply<u16>>,
    },
    Cancel,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClientState {
    /// Nothing came: Calling, or Trying for a non-INVITE.
    Calling,
    /// A provisional response came.
    Proceeding,
}

/// One client transaction that has no final response yet.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) request: Message,
    pub(super) purpose: Purpose,
    /// Challenges answered so far.
    pub(super) challenges: u32,
    wire: Vec<u8>,
    to: SocketAddr,
    method: Method,
    state: ClientState,
    interval: Duration,
}

impl Engine {
    /// Sends a request that has no Via yet, and returns the key of its transaction.
    pub(super) fn start_client(
        &mut self,
        now: Instant,
        request: Message,
        to: SocketAddr,
        purpose: Purpose,
    ) -> String {
        self.start_challenged(now, request, to, purpose, 0)
    }

    fn start_challenged(
        &mut self,
        now: Instant,
        mut request: Message,
        to: SocketAddr,
        purpose: Purpose,
        challenges: u32,
    ) -> String {
        let branch = self.add_via(&mut request);
        let method = request.method().cloned().unwrap_or(Method::Options);
        self.start_on_branch(now, &branch, method, request, to, purpose, challenges)
    }

    /// Sends a request that has its Via already: CANCEL shares the branch of its INVITE (RFC 3261 9.1).
    #[allow(clippy::too_many_arguments)] // each is one field of the transaction
    pub(super) fn start_on_branch(
        &mut self,
        now: Instant,
        branch: &str,
        method: Method,
        request: Message,
        to: SocketAddr,
        purpose: Purpose,
        challenges: u32,
    ) -> String {
        let key = client_key(branch, &method);
        let wire = request.to_bytes();
        self.send(to, wire.clone());
        let interval = self.t1();
        if !self.reliable() {
            self.timers
                .set(now + interval, Timer::ClientRetransmit(key.clone()));
        }
        self.timers.set(
            now + self.give_up_after(),
            Timer::ClientTimeout(key.clone()),
        );
        let state = ClientState::Calling;
        self.clients.insert(
            key.clone(),
            Client {
                request,
                purpose,
                challenges,
                wire,
                to,
                method,
                state,
                interval,
            },
        );
        key
    }

    /// Puts a Via with a new branch on top and returns the branch.
    pub(super) fn add_via(&mut self, request: &mut Message) -> String {
        let branch = format!("z9hG4bK{}", self.names.name());
        let transport = match self.options.transport {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Ws => "WS",
        };
        request.push_front(
            "Via",
            format!("SIP/2.0/{transport} {};rport;branch={branch}", self.host),
        );
        branch
    }

    /// Timers A and E. An INVITE is not repeated once something came (17.1.1.2), others are, at T2 (17.1.2.2).
    pub(super) fn client_retransmit(&mut self, now: Instant, key: &str) {
        let t2 = self.t2();
        let Some(client) = self.clients.get_mut(key) else {
            return;
        };
        let invite = client.method == Method::Invite;
        client.interval = match (invite, client.state) {
            (true, ClientState::Calling) => client.interval * 2,
            (true, ClientState::Proceeding) => return,
            (false, ClientState::Calling) => (client.interval * 2).min(t2),
            (false, ClientState::Proceeding) => t2,
        };
        let (again, to, wire) = (now + client.interval, client.to, client.wire.clone());
        self.timers
            .set(again, Timer::ClientRetransmit(key.to_owned()));
        self.send(to, wire);
    }

    /// Timers B and F. An INVITE that was provisionally answered may ring for ever (17.1.1.2).
    pub(super) fn client_timeout(&mut self, now: Instant, key: &str) {
        let ringing = self.clients.get(key).is_some_and(|client| {
            client.method == Method::Invite && client.state == ClientState::Proceeding
        });
        if !ringing && let Some(client) = self.clients.remove(key) {
            self.client_failed(now, client.purpose);
        }
    }

    pub(super) fn on_response(&mut self, now: Instant, response: Message) {
        let (Some(status), Some((_, method))) = (response.status(), response.cseq()) else {
            return;
        };
        let branch = response
            .headers_named("Via")
            .next()
            .and_then(|via| param(via, "branch"));
        let Some(key) = branch.map(|branch| client_key(branch, &method)) else {
            return;
        };
        if status < 200 {
            let Some(client) = self.clients.get_mut(&key) else {
                return;
            };
            client.state = ClientState::Proceeding;
            if let Purpose::Invite { call } = client.purpose {
                self.on_provisional(now, call, status, &response);
            }
            return;
        }
        let Some(client) = self.clients.remove(&key) else {
            // A repeated final response: its ACK was lost (17.1.1.2, 13.2.2.4).
            if let Some(Outgoing { to, bytes }) = self.acks.get(&key) {
                let (to, bytes) = (*to, bytes.clone());
                self.send(to, bytes);
            }
            return;
        };
        if method == Method::Invite && status >= 300 {
            self.acknowledge_refusal(now, key, &client, &response);
        }
        if matches!(status, 401 | 407) {
            match self.answer_challenge(now, client, &response) {
                None => return,
                Some(client) => return self.on_final(now, client, status, response),
            }
        }
        self.on_final(now, client, status, response);
    }

    fn on_final(&mut self, now: Instant, client: Client, status: u16, response: Message) {
        match client.purpose {
            Purpose::Register { reply } => {
                self.registered(client.challenges, status, &response, reply)
            }
            Purpose::Options { reply } => self.options_answered(status, response, reply),
            Purpose::Invite { call } => {
                self.on_invite_final(now, call, &client.request, status, &response)
            }
            Purpose::Reinvite { call, reply } => {
                self.on_reinvite_final(now, call, &client.request, status, &response, reply)
            }
            // Nobody waits any more: nothing to tell.
            Purpose::Info { reply, .. } => drop(reply.send(Ok(status))),
            Purpose::Bye { call, reply } => self.on_bye_final(now, call, status, reply),
            Purpose::Cancel => {}
        }
    }

    /// The ACK of a refusal has the INVITE's own Via and is part of its transaction (17.1.1.3).
    fn acknowledge_refusal(
        &mut self,
        now: Instant,
        key: String,
        client: &Client,
        response: &Message,
    ) {
        let muted = client
            .purpose
            .call()
            .and_then(|key| self.calls.get(&key))
            .is_some_and(|call| call.manners.mute);
        if muted {
            return;
        }
        let ack = on_same_branch(&client.request, Method::Ack, response.header("To"));
        self.send_ack(now, key, client.to, ack.to_bytes());
    }

    /// Sends an ACK and keeps it for repeated final responses.
    pub(super) fn send_ack(&mut self, now: Instant, key: String, to: SocketAddr, bytes: Vec<u8>) {
        self.send(to, bytes.clone());
        self.timers
            .set(now + self.give_up_after(), Timer::AckForgotten(key.clone()));
        self.acks.insert(key, Outgoing { to, bytes });
    }

    /// Sends the request again with credentials; gives the transaction back if there is no answer to the challenge.
    fn answer_challenge(
        &mut self,
        now: Instant,
        client: Client,
        response: &Message,
    ) -> Option<Client> {
        let Some(password) = self.options.password.clone() else {
            return Some(client);
        };
        let Some(challenge) = Challenge::choose(response, self.options.digest) else {
            return Some(client);
        };
        if client.challenges >= CHALLENGES_MAX || (client.challenges > 0 && !challenge.stale) {
            return Some(client);
        }
        let Client {
            mut request,
            purpose,
            challenges,
            to,
            method,
            ..
        } = client;
        let mut session = DigestSession::new(challenge);
        let cseq = self.next_cseq(&purpose);
        request.remove("Via");
        request.set("CSeq", format!("{cseq} {method}"));
        let credentials = self.credentials(&mut session, &password, &request);
        request.set(session.header_name(), credentials);
        let register = matches!(purpose, Purpose::Register { .. });
        if register {
            self.register_digest = Some(session);
        }
        let invited = purpose.invited_call();
        let key = self.start_challenged(now, request, to, purpose, challenges + 1);
        if let Some(call) = invited.and_then(|key| self.calls.get_mut(&key)) {
            call.invite_key.clone_from(&key);
            if let Some(client) = self.clients.get(&key) {
                call.invite = client.request.clone();
            }
        }
        None
    }

    /// Credentials for this request under a challenge.
    pub(super) fn credentials(
        &mut self,
        session: &mut DigestSession,
        password: &str,
        request: &Message,
    ) -> String {
        let cnonce = self.names.name();
        let method = request.method().map_or("", Method::name).to_owned();
        session.authorize(
            &self.options.user,
            password,
            &method,
            request.uri().unwrap_or_default(),
            &cnonce,
        )
    }

    fn next_cseq(&mut self, purpose: &Purpose) -> u32 {
        match purpose.call().and_then(|key| self.calls.get_mut(&key)) {
            Some(call) => {
                call.local_cseq += 1;
                call.local_cseq
            }
            None => {
                self.cseq += 1;
                self.cseq
            }
        }
    }

    /// Drops every transaction of a call: nothing of it is repeated or reported.
    pub(super) fn drop_clients_of(&mut self, call: CallKey) {
        self.clients
            .retain(|_, client| client.purpose.call() != Some(call));
    }
}

impl Purpose {
    fn call(&self) -> Option<CallKey> {
        match self {
            Self::Register { .. } | Self::Options { .. } | Self::Cancel => None,
            Self::Invite { call }
            | Self::Reinvite { call, .. }
            | Self::Info { call, .. }
            | Self::Bye { call, .. } => Some(*call),
        }
    }

    fn invited_call(&self) -> Option<CallKey> {
        match self {
            Self::Invite { call } => Some(*call),
            Self::Register { .. }
            | Self::Options { .. }
            | Self::Reinvite { .. }
            | Self::Info { .. }
            | Self::Bye { .. }
            | Self::Cancel => None,
        }
    }
}

pub(super) fn client_key(branch: &str, method: &Method) -> String {
    format!("{branch} {method}")
}

/// CANCEL or ACK on the branch of an INVITE: the same Request-URI, Via, identifiers and route (9.1, 17.1.1.3).
pub(super) fn on_same_branch(invite: &Message, method: Method, to: Option<&str>) -> Message {
    let number = invite.cseq().map_or(0, |(number, _)| number);
    let mut request = Message::request(method.clone(), invite.uri().unwrap_or_default());
    for name in ["Via", "Route", "From", "To", "Call-ID"] {
        match (name, to) {
            ("To", Some(to)) => request.push(name, to),
            (_, _) => invite
                .headers_named(name)
                .for_each(|value| request.push(name, value)),
        }
    }
    request
        .with("Max-Forwards", "70")
        .with("CSeq", format!("{number} {method}"))
}
