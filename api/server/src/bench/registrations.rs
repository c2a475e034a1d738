//! Phones that register: one socket, one after the other at a rate, none
//! waiting for another. SIPp knows no SHA-256 challenge, which a server offers
//! first (RFC 8760), so this is our own; its digest is that of our phones.

use super::{
    figures::elapsed_us,
    sipp::{agent_name, agent_password},
};
use anyhow::Context as _;
use phone::{
    digest::{Challenge, DigestPreference, DigestSession},
    message::{Message, Method},
};
use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};
use tokio::net::UdpSocket;

/// How long a registration lasts: longer than any bench.
const EXPIRES_S: u32 = 3_600;
/// Requests that are due are sent this often.
const TICK: Duration = Duration::from_millis(1);
/// A request that is not answered is sent again after this (RFC 3261, T1).
const RETRY: Duration = Duration::from_millis(500);
/// After this it has failed; both of its requests are in it.
const GIVE_UP: Duration = Duration::from_secs(8);
const DATAGRAM_BYTES_MAX: usize = 65_535;

/// How they register.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wave {
    /// Different phones; they take turns.
    pub agents: usize,
    /// Registrations in all.
    pub times: usize,
    /// New ones a second.
    pub per_s: usize,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Registered {
    /// From the first request to 200, in microseconds.
    pub whole_us: Vec<u64>,
    /// From the request with credentials to 200, in microseconds.
    pub second_us: Vec<u64>,
    /// Not answered, or refused.
    pub failed: usize,
    /// The first refusal: its status.
    pub refused_with: Option<u16>,
    /// Requests that were sent again.
    pub retransmissions: usize,
    /// From the first request to the last answer.
    pub took: Duration,
}

/// Registers from a port of loopback, which is free again afterwards.
///
/// # Errors
/// When the socket can not be used.
pub(super) async fn register(
    server: SocketAddr,
    port: u16,
    wave: Wave,
) -> anyhow::Result<Registered> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .with_context(|| format!("the phones can not use port {port}"))?;
    socket.connect(server).await?;
    let mut load = Load {
        contact: socket.local_addr()?,
        server,
        wave,
        pending: HashMap::new(),
        outcome: Registered::default(),
    };
    let began = Instant::now();
    let mut last_retry = began;
    let mut tick = tokio::time::interval(TICK);
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    let mut started = 0;
    while started < wave.times || !load.pending.is_empty() {
        tokio::select! {
            received = socket.recv(&mut buffer) => {
                // Refused by the system: nobody listens now; the retry finds out.
                if let Ok(length) = received
                    && let Some(answer) = buffer.get(..length).and_then(|bytes| load.hear(bytes))
                {
                    socket.send(&answer).await?;
                }
            }
            _ = tick.tick() => {
                let due = (began.elapsed().as_secs_f64() * wave.per_s as f64) as usize + 1;
                while started < due.min(wave.times) {
                    let request = load.begin(started);
                    socket.send(&request).await?;
                    started += 1;
                }
                if last_retry.elapsed() >= RETRY {
                    last_retry = Instant::now();
                    for request in load.overdue() {
                        socket.send(&request).await?;
                    }
                }
            }
        }
    }
    load.outcome.took = began.elapsed();
    Ok(load.outcome)
}

/// One registration under way.
struct Pending {
    agent: usize,
    began: Instant,
    with_credentials: Option<Instant>,
    sent_at: Instant,
    request: Vec<u8>,
}

struct Load {
    contact: SocketAddr,
    server: SocketAddr,
    wave: Wave,
    pending: HashMap<usize, Pending>,
    outcome: Registered,
}

impl Load {
    fn begin(&mut self, number: usize) -> Vec<u8> {
        let agent = number % self.wave.agents.max(1);
        let request = self.request(number, agent, None);
        let now = Instant::now();
        self.pending.insert(
            number,
            Pending {
                agent,
                began: now,
                with_credentials: None,
                sent_at: now,
                request: request.clone(),
            },
        );
        request
    }

    /// Takes an answer; what is to be sent now comes back.
    fn hear(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let answer = Message::parse(bytes).ok()?;
        let number: usize = answer.header("Call-ID")?.split('-').nth(1)?.parse().ok()?;
        let status = answer.status()?;
        let pending = self.pending.get(&number)?;
        let (cseq, _) = answer.cseq()?;
        match (status, pending.with_credentials) {
            (100..=199, _) => None,
            (200..=299, Some(since)) => {
                self.outcome.whole_us.push(elapsed_us(pending.began));
                self.outcome.second_us.push(elapsed_us(since));
                self.pending.remove(&number);
                None
            }
            (401, None) => {
                let agent = pending.agent;
                let challenge = Challenge::choose(&answer, DigestPreference::StrongestFirst)?;
                let request = self.request(number, agent, Some(DigestSession::new(challenge)));
                let now = Instant::now();
                let pending = self.pending.get_mut(&number)?;
                pending.with_credentials = Some(now);
                pending.sent_at = now;
                pending.request.clone_from(&request);
                Some(request)
            }
            // The challenge again: our first request was sent twice.
            (401, Some(_)) if cseq == 1 => None,
            _ => {
                self.outcome.failed += 1;
                self.outcome.refused_with.get_or_insert(status);
                self.pending.remove(&number);
                None
            }
        }
    }

    /// What is to be sent again; what has waited too long has failed.
    fn overdue(&mut self) -> Vec<Vec<u8>> {
        let before = self.pending.len();
        self.pending
            .retain(|_, pending| pending.began.elapsed() < GIVE_UP);
        self.outcome.failed += before - self.pending.len();
        let mut again = Vec::new();
        for pending in self.pending.values_mut() {
            if pending.sent_at.elapsed() >= RETRY {
                pending.sent_at = Instant::now();
                again.push(pending.request.clone());
            }
        }
        self.outcome.retransmissions += again.len();
        again
    }

    fn request(&self, number: usize, agent: usize, session: Option<DigestSession>) -> Vec<u8> {
        let (name, host) = (agent_name(agent), self.server);
        let cseq = 1 + usize::from(session.is_some());
        let uri = format!("sip:{host}");
        let mut request = Message::request(Method::Register, uri.as_str())
            .with(
                "Via",
                format!(
                    "SIP/2.0/UDP {};branch=z9hG4bKr{number}x{cseq};rport",
                    self.contact
                ),
            )
            .with("Max-Forwards", "70")
            .with("From", format!("<sip:{name}@{host}>;tag=r{number}"))
            .with("To", format!("<sip:{name}@{host}>"))
            // One phone keeps its Call-ID over its registrations in spirit; a
            // new one each time lets every answer find its request.
            .with("Call-ID", format!("r-{number}-{}@bench", self.wave.times))
            .with("CSeq", format!("{cseq} REGISTER"))
            .with("Contact", format!("<sip:{name}@{}>", self.contact))
            .with("Expires", EXPIRES_S.to_string());
        if let Some(mut session) = session {
            let password = agent_password(agent);
            let cnonce = format!("{number:016x}");
            let credentials = session.authorize(&name, &password, "REGISTER", &uri, &cnonce);
            request.push("Authorization", credentials);
        }
        request.to_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_phone_that_is_challenged_answers_and_is_counted_once() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        let answers = tokio::spawn(async move {
            let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
            for _ in 0..6 {
                let (length, from) = server.recv_from(&mut buffer).await.unwrap();
                let request = Message::parse(&buffer[..length]).unwrap();
                let status = match request.header("Authorization") {
                    Some(_) => 200,
                    None => 401,
                };
                let mut answer = Message::response(status, "x");
                for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
                    answer.push(name, request.header(name).unwrap());
                }
                if status == 401 {
                    answer.push(
                        "WWW-Authenticate",
                        "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"",
                    );
                }
                server.send_to(&answer.to_bytes(), from).await.unwrap();
            }
        });
        let wave = Wave {
            agents: 2,
            times: 3,
            per_s: 1_000,
        };
        let done = register(address, 0, wave).await.unwrap();
        answers.await.unwrap();
        assert_eq!((done.whole_us.len(), done.failed), (3, 0));
        assert_eq!((done.second_us.len(), done.retransmissions), (3, 0));
    }
}
