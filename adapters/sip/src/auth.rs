//! Digest authentication, server side (RFC 7616; RFC 8760 for SIP): MD5 and
//! SHA-256 with `qop=auth`, over the raw `Authorization` header.
//!
//! Nonces are our own: time and chance, signed, so that none is kept until a client has
//! used it, and signed again with the address that asked. Each use must raise `nc`, so
//! that a header seen on the wire opens nothing a second time; it may come from any
//! address, but nobody fails in the name of one that is not theirs. Time and chance are
//! inputs.

pub mod client;
mod header;
mod nonce;

use md5::Md5;
use sha2::{Digest as _, Sha256};
use std::net::IpAddr;

pub use nonce::{NONCE_LIFETIME_MS, NONCES_MAX, NonceKey};

use header::{Credentials, parse};
use nonce::{NonceState, Nonces};

/// The hash functions offered, the stronger first (RFC 8760, 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RFC 8760.
    Sha256,
    /// RFC 3261's only one; most phones still know no other.
    Md5,
}

impl Algorithm {
    /// The offered ones, in the order of the challenges.
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Md5];

    /// Name in the header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Md5 => "MD5",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(text))
    }

    fn hex_digest(self, text: &str) -> String {
        match self {
            Self::Sha256 => hex::encode(Sha256::digest(text)),
            Self::Md5 => hex::encode(Md5::digest(text)),
        }
    }
}

/// A password as it is kept: H(user:realm:password), once per algorithm
/// (RFC 7616, 3.4.2). Worth as much as the password in this realm: Debug hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Ha1 {
    /// Under MD5.
    pub md5: [u8; 16],
    /// Under SHA-256.
    pub sha256: [u8; 32],
}

impl std::fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ha1{redacted}")
    }
}

impl Ha1 {
    /// Hashes a password for a user in a realm.
    pub fn compute(user: &str, realm: &str, password: &str) -> Self {
        let text = format!("{user}:{realm}:{password}");
        Self {
            md5: Md5::digest(&text).into(),
            sha256: Sha256::digest(&text).into(),
        }
    }

    fn hex(&self, algorithm: Algorithm) -> String {
        match algorithm {
            Algorithm::Sha256 => hex::encode(self.sha256),
            Algorithm::Md5 => hex::encode(self.md5),
        }
    }
}

/// What a request's credentials are worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The user has the password, and this use of the nonce is its first.
    Granted {
        /// The user name, as in the header.
        user: String,
    },
    /// Ask again with these values of `WWW-Authenticate`, one header each.
    Challenge {
        /// In the order in which they must appear.
        challenges: Vec<String>,
        /// Whether only the nonce was not good any more: the phone retries by itself.
        stale: bool,
        /// Whether the password was wrong under a nonce that this address was given:
        /// a failed attempt of whoever is there. Anybody can send any other in the
        /// name of any address.
        is_guess: bool,
    },
    /// The header cannot be read: 400 (RFC 7616, 3.4).
    Malformed,
}

/// Whose nonce a request shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// None of ours.
    Nothing,
    /// One that another address was given.
    Elsewhere,
    /// One that its own address was given: whoever is there has heard us.
    Here,
}

/// What a request shows for itself.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The request's method.
    pub method: &'a str,
    /// Where the request came from.
    pub source: IpAddr,
    /// Every `Authorization` header, raw.
    pub headers: &'a [&'a str],
    /// Milliseconds since 1970.
    pub now_ms: u64,
    /// Chance for the nonce of a new challenge.
    pub entropy: u64,
}

/// The verifier of one realm.
#[derive(Debug)]
pub struct Authenticator {
    realm: String,
    nonces: Nonces,
}

impl Authenticator {
    /// A verifier for a realm. With the same key as before a restart, nonces
    /// stay good over it; which were used is forgotten with the process, so that
    /// a new key at each start is the safer choice.
    pub fn new(realm: impl Into<String>, key: NonceKey) -> Self {
        Self {
            realm: realm.into(),
            nonces: Nonces::new(key),
        }
    }

    /// The realm of the challenges.
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// Whose nonce a request from that address shows, however old.
    pub fn shown(&self, source: IpAddr, headers: &[&str]) -> Shown {
        match self.claimed(headers) {
            Some(claimed) if self.nonces.is_of(source, &claimed.nonce) => Shown::Here,
            Some(claimed) if self.nonces.is_ours(&claimed.nonce) => Shown::Elsewhere,
            Some(_) | None => Shown::Nothing,
        }
    }

    /// The user that an attempt claims to be, so that its HA1 can be fetched
    /// before [`Self::verify`].
    pub fn claimed_user(&self, headers: &[&str]) -> Option<String> {
        self.claimed(headers).map(|credentials| credentials.user)
    }

    fn claimed(&self, headers: &[&str]) -> Option<Credentials> {
        headers
            .iter()
            .filter_map(|header| parse(header).ok().flatten())
            .find(|credentials| credentials.realm == self.realm)
    }

    /// Judges an attempt. `find` gives the HA1 of a user name, if there is one;
    /// an unknown user costs the same time as a wrong password.
    pub fn verify(
        &mut self,
        attempt: Attempt<'_>,
        find: impl FnOnce(&str) -> Option<Ha1>,
    ) -> Outcome {
        self.nonces.keep_up(attempt.now_ms);
        let mut malformed = false;
        let mut ours = None;
        for header in attempt.headers {
            match parse(header) {
                Ok(Some(credentials)) if credentials.realm == self.realm => {
                    ours = ours.or(Some(credentials));
                }
                // Another scheme or realm is for somebody else (RFC 4475, 3.3.7).
                Ok(_) => {}
                Err(_) => malformed = true,
            }
        }
        match ours {
            Some(credentials) => self.judge(attempt, &credentials, find),
            None if malformed => Outcome::Malformed,
            None => self.challenge(attempt, false, false),
        }
    }

    fn judge(
        &mut self,
        attempt: Attempt<'_>,
        credentials: &Credentials,
        find: impl FnOnce(&str) -> Option<Ha1>,
    ) -> Outcome {
        // Such as one of before a restart. The password need not be looked at for that
        // (RFC 7616, 3.3): whoever made it up learns nothing.
        if !self.nonces.is_ours(&credentials.nonce) {
            return self.challenge(attempt, true, false);
        }
        let found = find(&credentials.user);
        let known = found.is_some();
        let ha1 = found.unwrap_or(Ha1 {
            md5: [0; 16],
            sha256: [0; 32],
        });
        let wanted = expected(credentials, attempt.method, &ha1);
        // The response is compared before the nonce is looked at: only the owner
        // of the password can use up a nonce's counts.
        if !(same(&wanted, &credentials.response) && known) {
            let is_guess = self.nonces.is_of(attempt.source, &credentials.nonce);
            return self.challenge(attempt, false, is_guess);
        }
        match self
            .nonces
            .accept(&credentials.nonce, credentials.count, attempt.now_ms)
        {
            NonceState::Fresh => Outcome::Granted {
                user: credentials.user.clone(),
            },
            // The password was right: the client is only told to use another
            // nonce (RFC 7616, 3.3).
            NonceState::Stale | NonceState::Replayed | NonceState::Foreign => {
                self.challenge(attempt, true, false)
            }
        }
    }

    fn challenge(&self, attempt: Attempt<'_>, stale: bool, is_guess: bool) -> Outcome {
        let nonce = self
            .nonces
            .issue(attempt.source, attempt.now_ms, attempt.entropy);
        let stale_param = if stale { ", stale=true" } else { "" };
        let challenges = Algorithm::ALL
            .into_iter()
            .map(|algorithm| {
                format!(
                    "Digest realm=\"{}\", nonce=\"{nonce}\", algorithm={}, qop=\"auth\"{stale_param}",
                    self.realm,
                    algorithm.as_str(),
                )
            })
            .collect();
        Outcome::Challenge {
            challenges,
            stale,
            is_guess,
        }
    }
}

/// The response that fits (RFC 7616, 3.4.1), in lower-case hex. The `uri` of the
/// header is hashed: proxies may have changed the request's own.
fn expected(credentials: &Credentials, method: &str, ha1: &Ha1) -> String {
    let algorithm = credentials.algorithm;
    let ha2 = algorithm.hex_digest(&format!("{method}:{}", credentials.uri));
    algorithm.hex_digest(&format!(
        "{}:{}:{}:{}:auth:{ha2}",
        ha1.hex(algorithm),
        credentials.nonce,
        credentials.count_text,
        credentials.cnonce,
    ))
}

/// Compares in a time that does not depend on where the first difference is.
fn same(wanted: &str, got: &str) -> bool {
    let differing = wanted
        .bytes()
        .zip(got.bytes())
        .fold(0, |sum, (a, b)| sum | (a ^ b.to_ascii_lowercase()));
    wanted.len() == got.len() && differing == 0
}

#[cfg(test)]
mod tests;
