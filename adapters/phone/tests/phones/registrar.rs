//! A registrar that challenges, just big enough to be registered with. Checks credentials by its own arithmetic.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use md5::{Digest, Md5};
use ringledger_phone::digest::auth_params;
use ringledger_phone::{Message, Method};
use sha2::Sha256;
use tokio::net::UdpSocket;

/// What the registrar saw and how it behaves.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// The nonce it accepts.
    pub(crate) nonce: String,
    /// Nonces that were right once.
    pub(crate) old_nonces: Vec<String>,
    /// nc of every accepted request.
    pub(crate) counts: Vec<String>,
    /// Requests seen.
    pub(crate) requests: usize,
    /// The next response is not sent.
    pub(crate) lose_next_response: bool,
    /// Contact of the binding.
    pub(crate) contact: Option<String>,
}

pub(crate) struct Registrar {
    pub(crate) addr: SocketAddr,
    pub(crate) state: Arc<Mutex<State>>,
}

const USER: &str = "bob";
const PASSWORD: &str = "secret";
const REALM: &str = "test realm";

impl Registrar {
    pub(crate) async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let addr = socket.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State {
            nonce: "nonce-1".to_owned(),
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            let mut buffer = [0u8; 4096];
            let mut last: Option<(Vec<u8>, Vec<u8>)> = None;
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let bytes = buffer[..length].to_vec();
                let response = match &last {
                    Some((request, response)) if *request == bytes => response.clone(),
                    _ => answer(
                        &mut shared.lock().unwrap(),
                        &Message::parse(&bytes).unwrap(),
                    )
                    .to_bytes(),
                };
                last = Some((bytes, response.clone()));
                if std::mem::take(&mut shared.lock().unwrap().lose_next_response) {
                    continue;
                }
                socket.send_to(&response, from).await.unwrap();
            }
        });
        Self { addr, state }
    }

    /// The accepted nonce becomes an old one.
    pub(crate) fn expire_nonce(&self) {
        let mut state = self.state.lock().unwrap();
        let next = format!("{}+", state.nonce);
        let old = std::mem::replace(&mut state.nonce, next);
        state.old_nonces.push(old);
    }
}

fn answer(state: &mut State, request: &Message) -> Message {
    assert_eq!(request.method(), Some(&Method::Register));
    state.requests += 1;
    let reply = |status: u16, reason: &str| {
        let mut response = Message::response(status, reason);
        for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
            response.push(name, request.header(name).unwrap());
        }
        response
    };
    let credentials = request
        .header("Authorization")
        .map(auth_params_of)
        .unwrap_or_default();
    let field = |name: &str| {
        credentials
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    };
    let stale = state.old_nonces.contains(&field("nonce"));
    if field("nonce") != state.nonce {
        let challenge = |algorithm: &str| {
            let stale = if stale { ", stale=true" } else { "" };
            format!(
                "Digest realm=\"{REALM}\", nonce=\"{}\", algorithm={algorithm}, qop=\"auth\"{stale}",
                state.nonce
            )
        };
        return reply(401, "Unauthorized")
            .with("WWW-Authenticate", challenge("SHA-256"))
            .with("WWW-Authenticate", challenge("MD5"));
    }
    let hash = |text: String| match field("algorithm").as_str() {
        "SHA-256" => hex::encode(Sha256::digest(text)),
        "MD5" => hex::encode(Md5::digest(text)),
        other => panic!("{other}"),
    };
    let ha1 = hash(format!("{USER}:{REALM}:{PASSWORD}"));
    let ha2 = hash(format!("REGISTER:{}", field("uri")));
    let right = hash(format!(
        "{ha1}:{}:{}:{}:auth:{ha2}",
        field("nonce"),
        field("nc"),
        field("cnonce")
    ));
    if field("response") != right || field("username") != USER {
        return reply(403, "Forbidden");
    }
    state.counts.push(field("nc"));
    let contact = request.header("Contact").unwrap();
    if request.header("Expires") == Some("0") {
        state.contact = None;
        return reply(200, "OK");
    }
    state.contact = Some(contact.to_owned());
    reply(200, "OK").with("Contact", contact.replace("expires=3600", "expires=120"))
}

fn auth_params_of(value: &str) -> Vec<(String, String)> {
    auth_params(value.strip_prefix("Digest ").unwrap())
}
