//! Digest authentication, client side: the answer to a carrier's challenge
//! (RFC 7616; RFC 8760 for SIP). Chance is an input.

use super::{Algorithm, header::params};

/// As whom a trunk's calls go out.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

/// A log line must not show a password.
impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("{redacted}")
    }
}

/// What is to be authenticated.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The request's method.
    pub method: &'a str,
    /// The Request-URI.
    pub uri: &'a str,
    /// Chance for the client's own nonce.
    pub entropy: u64,
}

/// The answer to a challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Value of the `Authorization` or `Proxy-Authorization` header.
    pub header: String,
    /// The nonce before was only too old: the password may be right.
    pub stale: bool,
}

/// Answers the strongest of these challenges that we understand (RFC 8760,
/// 2.4); `None` if there is none.
pub fn answer<'a>(
    challenges: impl Iterator<Item = &'a str>,
    account: &Account,
    asked: Asked<'_>,
) -> Option<Answer> {
    let understood: Vec<Challenge> = challenges.filter_map(Challenge::parse).collect();
    let best = Algorithm::ALL
        .into_iter()
        .find_map(|algorithm| understood.iter().find(|c| c.algorithm == algorithm))?;
    Some(Answer {
        header: best.answered_by(account, asked),
        stale: best.stale,
    })
}

struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    /// The header said which; without one nothing is echoed (RFC 2617 peers).
    says_algorithm: bool,
    /// `qop=auth` is offered; without it the old form of RFC 2069 is meant.
    qop: bool,
    stale: bool,
}

impl Challenge {
    fn parse(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once([' ', '\t'])?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let params = params(rest).ok()?;
        let get = |name: &str| {
            let mut found = params
                .iter()
                .filter(|(have, _)| have.eq_ignore_ascii_case(name));
            found.next().map(|(_, value)| value.as_str())
        };
        let qops = get("qop").map(|qops| qops.split(',').map(str::trim));
        let qop = match qops {
            None => false,
            Some(mut qops) => qops
                .any(|qop| qop.eq_ignore_ascii_case("auth"))
                .then_some(true)?,
        };
        Some(Self {
            realm: get("realm")?.to_owned(),
            nonce: get("nonce")?.to_owned(),
            opaque: get("opaque").map(str::to_owned),
            algorithm: get("algorithm").map_or(Some(Algorithm::Md5), Algorithm::parse)?,
            says_algorithm: get("algorithm").is_some(),
            qop,
            stale: get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }

    fn answered_by(&self, account: &Account, asked: Asked<'_>) -> String {
        let algorithm = self.algorithm;
        let (user, realm, nonce) = (&account.user, &self.realm, &self.nonce);
        let ha1 = algorithm.hex_digest(&format!("{user}:{realm}:{}", account.password));
        let ha2 = algorithm.hex_digest(&format!("{}:{}", asked.method, asked.uri));
        let cnonce = format!("{:016x}", asked.entropy);
        // Each answer is to a nonce of its own, so its count is always the first.
        let response = match self.qop {
            true => algorithm.hex_digest(&format!("{ha1}:{nonce}:00000001:{cnonce}:auth:{ha2}")),
            false => algorithm.hex_digest(&format!("{ha1}:{nonce}:{ha2}")),
        };
        let mut header = format!(
            "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{}\", response=\"{response}\"",
            escape(user),
            escape(realm),
            escape(nonce),
            escape(asked.uri),
        );
        if self.says_algorithm {
            header.push_str(&format!(", algorithm={}", algorithm.as_str()));
        }
        if self.qop {
            header.push_str(&format!(", qop=auth, nc=00000001, cnonce=\"{cnonce}\""));
        }
        if let Some(opaque) = &self.opaque {
            header.push_str(&format!(", opaque=\"{}\"", escape(opaque)));
        }
        header
    }
}

/// Quotes and backslashes in a quoted string (RFC 3261, 25.1).
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Attempt, Authenticator, Ha1, Outcome};
    use std::net::Ipv4Addr;

    const ASKED: Asked<'static> = Asked {
        method: "INVITE",
        uri: "sip:+4930@carrier.example",
        entropy: 0x1234_5678_9abc_def0,
    };

    fn account() -> Account {
        Account {
            user: "ringledger".into(),
            password: "our \"secret\"".into(),
        }
    }

    fn answered(challenges: &[&str]) -> Option<Answer> {
        answer(challenges.iter().copied(), &account(), ASKED)
    }

    #[test]
    fn the_example_of_rfc_2617_has_its_response() {
        let mufasa = Account {
            user: "Mufasa".into(),
            password: "Circle Of Life".into(),
        };
        let asked = Asked {
            method: "GET",
            uri: "/dir/index.html",
            entropy: 0,
        };
        let challenge = "Digest realm=\"testrealm@host.com\", \
            nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        let answer = answer([challenge].into_iter(), &mufasa, asked).unwrap();
        // Without qop, as RFC 2069 computes it.
        assert!(
            answer
                .header
                .contains("response=\"670fd8c2df070c60b045671b8b24ff02\""),
            "{}",
            answer.header
        );
        assert!(
            answer
                .header
                .contains("opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"")
        );
        assert!(!answer.header.contains("cnonce"));
    }

    #[test]
    fn what_we_answer_is_what_we_would_grant_under_either_algorithm() {
        let mut server = Authenticator::new("a realm", crate::auth::NonceKey::new([7; 32]));
        fn attempt<'a>(headers: &'a [&'a str]) -> Attempt<'a> {
            Attempt {
                method: "INVITE",
                source: Ipv4Addr::LOCALHOST.into(),
                headers,
                now_ms: 1_000,
                entropy: 9,
            }
        }
        for algorithm in ["SHA-256", "MD5"] {
            let Outcome::Challenge { challenges, .. } = server.verify(attempt(&[]), |_| None)
            else {
                panic!("a challenge was expected");
            };
            let offered = challenges.iter().find(|c| c.contains(algorithm)).unwrap();
            let answer = answered(&[offered]).unwrap();
            assert!(answer.header.contains(&format!("algorithm={algorithm}")));
            let account = account();
            let ha1 = Ha1::compute(&account.user, "a realm", &account.password);
            let granted = server.verify(attempt(&[&answer.header]), |_| Some(ha1));
            assert_eq!(granted, Outcome::Granted { user: account.user });
            server = Authenticator::new("a realm", crate::auth::NonceKey::new([8; 32]));
        }
    }

    #[test]
    fn the_stronger_of_two_is_answered_and_what_is_not_understood_is_left() {
        let md5 = "Digest realm=\"r\", nonce=\"n\", algorithm=MD5, qop=\"auth\"";
        let sha = "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth-int,auth\"";
        let answer = answered(&[md5, sha]).unwrap();
        assert!(answer.header.contains("algorithm=SHA-256"));
        for other in [
            "Basic realm=\"r\"",
            "Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"",
            "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256",
            "Digest nonce=\"n\"",
            "Digest",
        ] {
            assert_eq!(answered(&[other]), None, "{other}");
        }
    }

    #[test]
    fn a_stale_nonce_is_told_apart_from_a_wrong_password() {
        let stale = "Digest realm=\"r\", nonce=\"n\", stale=TRUE";
        assert!(answered(&[stale]).unwrap().stale);
        assert!(
            !answered(&["Digest realm=\"r\", nonce=\"n\""])
                .unwrap()
                .stale
        );
    }
}
