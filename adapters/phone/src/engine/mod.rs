//! The phone itself, without sockets: datagrams, orders and time go in, datagrams come out.
//!
//! `client` and `server` are the transactions, `dial` and `ring` the two kinds of calls, `dialog` what happens inside
//! one, `account` REGISTER and OPTIONS outside calls; `run` is the task that owns the socket.

mod account;
mod call;
mod client;
mod dial;
mod dialog;
mod order;
mod ring;
pub(crate) mod run;
mod server;
mod session;
mod timers;
pub(crate) mod websocket;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tracing::{debug, trace};

use crate::conformance::Complaints;
use crate::digest::DigestSession;
use crate::message::{Message, StartLine};
use crate::options::{PhoneOptions, Transport};
use crate::progress::EndedBy;
use call::Call;
pub(crate) use call::LinkEnds;
use client::Client;
pub(crate) use order::{CallOrder, DialedParts, IncomingParts, Order};
use server::Server;
use timers::{Timer, Timers};

/// A call's number inside its phone.
pub(crate) type CallKey = u64;

/// The methods this phone serves, for Allow.
const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS";
/// RFC 3261 17.1.2.2: T2, the longest interval between repetitions, in milliseconds.
const T2_MS: u64 = 4000;
/// Transactions give up after this many T1.
const GIVE_UP_T1: u32 = 64;
/// A call that vanished answers nothing for this many seconds; longer than any server keeps it.
const VANISHED_LINGER_S: u64 = 3600;

/// Numbers that nobody else uses: tags, branches, Call-IDs.
#[derive(Debug)]
struct Names {
    state: u64,
}

impl Names {
    fn next(&mut self) -> u64 {
        // splitmix64: unique within a phone, and seeded by the operating system.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn name(&mut self) -> String {
        format!("{:016x}", self.next())
    }
}

/// Bytes to be sent.
#[derive(Debug)]
struct Outgoing {
    to: SocketAddr,
    bytes: Vec<u8>,
}

/// One phone.
#[derive(Debug)]
pub(crate) struct Engine {
    options: Arc<PhoneOptions>,
    local: SocketAddr,
    /// What it calls itself in Via and Contact.
    host: String,
    names: Names,
    timers: Timers,
    clients: HashMap<String, Client>,
    /// ACKs that are sent again when a final response is repeated.
    acks: HashMap<String, Outgoing>,
    servers: HashMap<String, Server>,
    calls: HashMap<CallKey, Call>,
    /// (Call-ID, our tag) to call.
    dialogs: HashMap<(String, String), CallKey>,
    incoming: mpsc::Sender<IncomingParts>,
    complaints: Complaints,
    register_call_id: String,
    cseq: u32,
    register_digest: Option<DigestSession>,
    silent: bool,
    out: Vec<Outgoing>,
}

impl Engine {
    pub(crate) fn new(
        options: Arc<PhoneOptions>,
        local: SocketAddr,
        seed: u64,
        incoming: mpsc::Sender<IncomingParts>,
        complaints: Complaints,
    ) -> Self {
        let mut names = Names { state: seed };
        let register_call_id = names.name();
        let host = match options.transport {
            Transport::Udp | Transport::Tcp => local.to_string(),
            // RFC 7118 5: a script has no way to learn the address of its browser.
            Transport::Ws => format!("{}.invalid", names.name()),
        };
        Self {
            options,
            local,
            host,
            names,
            timers: Timers::default(),
            clients: HashMap::new(),
            acks: HashMap::new(),
            servers: HashMap::new(),
            calls: HashMap::new(),
            dialogs: HashMap::new(),
            incoming,
            complaints,
            register_call_id,
            cseq: 0,
            register_digest: None,
            silent: false,
            out: Vec::new(),
        }
    }

    fn t1(&self) -> Duration {
        Duration::from_millis(self.options.t1_ms)
    }

    fn t2(&self) -> Duration {
        Duration::from_millis(T2_MS.max(self.options.t1_ms))
    }

    fn give_up_after(&self) -> Duration {
        self.t1() * GIVE_UP_T1
    }

    /// Over TCP nothing is repeated, except the 2xx (RFC 3261 13.3.1.4).
    fn reliable(&self) -> bool {
        match self.options.transport {
            Transport::Udp => false,
            Transport::Tcp | Transport::Ws => true,
        }
    }

    /// One datagram, or one message of a connection.
    pub(crate) fn on_bytes(&mut self, now: Instant, from: SocketAddr, bytes: &[u8]) {
        if self.silent || bytes.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let message = match Message::parse(bytes) {
            Ok(message) => message,
            Err(error) => {
                debug!(%error, %from, "message was dropped");
                return;
            }
        };
        trace!(%from, start = ?message.start, "message received");
        self.complaints.check(now, &message);
        match message.start {
            StartLine::Request { .. } => self.on_request(now, from, message),
            StartLine::Response { .. } => self.on_response(now, message),
        }
    }

    /// The earliest deadline.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Everything that is due by now.
    pub(crate) fn on_time(&mut self, now: Instant) {
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                Timer::ClientRetransmit(key) => self.client_retransmit(now, &key),
                Timer::ClientTimeout(key) => self.client_timeout(now, &key),
                Timer::AckForgotten(key) => drop(self.acks.remove(&key)),
                Timer::ServerRetransmit(key) => self.server_retransmit(now, &key),
                Timer::ServerTimeout(key) => self.server_timeout(now, &key),
                Timer::ServerForgotten(key) => drop(self.servers.remove(&key)),
                Timer::CancelTimeout(key) => self.cancel_timeout(now, key),
                Timer::CallForgotten(key) => self.forget_call(now, key),
            }
        }
    }

    fn send(&mut self, to: SocketAddr, bytes: Vec<u8>) {
        if !self.silent {
            self.out.push(Outgoing { to, bytes });
        }
    }

    /// The call of a request inside a dialog: our tag is in To.
    fn call_of(&self, request: &Message) -> Option<CallKey> {
        let tag = crate::address::tag_of(request.header("To")?)?;
        let call_id = request.header("Call-ID")?;
        let dialog = (call_id.to_owned(), tag.to_owned());
        let key = self.dialogs.get(&dialog).copied()?;
        // Both tags and the Call-ID make the dialog (RFC 3261 12.2.2); an early one has no other tag yet.
        let theirs = request.header("From").and_then(crate::address::tag_of);
        let known = self.calls.get(&key)?.remote_tag();
        (known.is_none() || known == theirs).then_some(key)
    }

    /// Ends a call; it stays known for a while, for what the other side repeats.
    fn end_call(&mut self, now: Instant, key: CallKey, by: EndedBy) {
        let linger = self.give_up_after();
        if let Some(call) = self.calls.get_mut(&key) {
            call.end(now, by);
            self.timers.set(now + linger, Timer::CallForgotten(key));
        }
    }

    /// An ended call is forgotten, and with it an INVITE that was never answered. One that vanished goes on being
    /// ignored: its BYE may come long after.
    fn forget_call(&mut self, now: Instant, key: CallKey) {
        let Some(call) = self.calls.get(&key) else {
            return;
        };
        let ended_at = call.link.look().steps.ended_at.unwrap_or(now);
        let until = ended_at + Duration::from_secs(VANISHED_LINGER_S);
        if call.manners.mute && now < until {
            return self.timers.set(until, Timer::CallForgotten(key));
        }
        if let Some(call) = self.calls.remove(&key) {
            let unanswered = |server: &Server| {
                server
                    .response
                    .as_ref()
                    .is_none_or(|(status, _)| *status < 200)
            };
            if self.servers.get(&call.invite_key).is_some_and(unanswered) {
                self.servers.remove(&call.invite_key);
            }
            self.dialogs.remove(&(call.call_id, call.local_tag));
        }
    }

    /// The phone is put away: audio stops, nothing is said.
    pub(crate) fn close(&mut self, now: Instant) {
        for call in self.calls.values_mut() {
            call.end(now, EndedBy::Vanished);
        }
    }

    /// Our Contact URI.
    fn contact_uri(&self) -> String {
        let transport = match self.options.transport {
            Transport::Udp => "",
            Transport::Tcp => ";transport=tcp",
            Transport::Ws => ";transport=ws",
        };
        let own = || format!("sip:{}@{}{transport}", self.options.user, self.host);
        self.options.contact.clone().unwrap_or_else(own)
    }

    /// Our name-addr without tag, with this user.
    fn own_address(&self, user: &str) -> String {
        let uri = format!("<sip:{user}@{}>", self.options.domain);
        match &self.options.display_name {
            Some(name) => format!("\"{}\" {uri}", name.replace(['"', '\\'], "")),
            None => uri,
        }
    }

    /// The URI of a user, or the URI itself if it is one.
    fn target_uri(&self, target: &str) -> String {
        if target.contains(':') {
            target.to_owned()
        } else {
            format!("sip:{target}@{}", self.options.domain)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::CallOptions;

    fn engine(user: &str) -> (Engine, mpsc::Receiver<IncomingParts>) {
        let server = "127.0.0.1:5060".parse().unwrap();
        let (incoming_in, incoming) = mpsc::channel(8);
        let options = Arc::new(PhoneOptions::new(server, user));
        (
            Engine::new(
                options,
                "127.0.0.1:5070".parse().unwrap(),
                7,
                incoming_in,
                Complaints::default(),
            ),
            incoming,
        )
    }

    /// Any change of a few bytes of any message of a call, in any state, is taken without a panic.
    #[tokio::test]
    async fn a_damaged_message_never_stops_the_phone() {
        let from = "127.0.0.1:5060".parse().unwrap();
        let (mut alice, _incoming_a) = engine("alice");
        let (mut bob, mut incoming) = engine("bob");
        let mut names = Names { state: 1 };
        for round in 0..300 {
            let now = Instant::now();
            let dialed = alice.dial(now, "bob", CallOptions::default()).unwrap();
            let mut flow = alice.out.drain(..).map(|o| o.bytes).collect::<Vec<_>>();
            bob.on_bytes(now, from, &flow[0]);
            if let Ok(parts) = incoming.try_recv() {
                bob.provisional(now, parts.key, 180);
                let (reply, _answer) = tokio::sync::oneshot::channel();
                bob.answer(now, parts.key, reply);
            }
            flow.extend(bob.out.drain(..).map(|o| o.bytes));
            for bytes in flow {
                for _ in 0..20 {
                    let mut damaged = bytes.clone();
                    for _ in 0..=names.next() % 3 {
                        let at = names.next() as usize % damaged.len();
                        damaged[at] = b"\0\r\n:;<>\"@=, 9\xff"[names.next() as usize % 14];
                    }
                    damaged.truncate(damaged.len() - (names.next() as usize % 4) / 3);
                    alice.on_bytes(now, from, &damaged);
                    bob.on_bytes(now, from, &damaged);
                }
                alice.on_bytes(now, from, &bytes);
            }
            while incoming.try_recv().is_ok() {}
            alice.on_time(now + Duration::from_secs(round));
            alice.forget_call(now, dialed.key);
            alice.close(now);
            bob.close(now);
            alice.out.clear();
            bob.out.clear();
        }
    }
}
