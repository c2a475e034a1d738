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

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tracing::{debug, trace};

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
    ) -> Self {
        let mut names = Names { state: seed };
        let register_call_id = names.name();
        Self {
            options,
            local,
            names,
            timers: Timers::default(),
            clients: HashMap::new(),
            acks: HashMap::new(),
            servers: HashMap::new(),
            calls: HashMap::new(),
            dialogs: HashMap::new(),
            incoming,
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
            Transport::Tcp => true,
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
                Timer::CallForgotten(key) => self.forget_call(key),
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

    fn forget_call(&mut self, key: CallKey) {
        if let Some(call) = self.calls.remove(&key) {
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
        };
        let own = || format!("sip:{}@{}{transport}", self.options.user, self.local);
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
