//! The client's side of digest authentication (RFC 7616, RFC 8760): MD5 and SHA-256, `qop=auth` or none.

use md5::{Digest, Md5};
use sha2::Sha256;

use crate::message::Message;

/// A digest algorithm this phone can answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RFC 7616 `MD5`, also meant when a challenge names none.
    Md5,
    /// RFC 7616 `SHA-256`.
    Sha256,
}

impl Algorithm {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Md5, Self::Sha256]
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    fn hash(self, text: &str) -> String {
        match self {
            Self::Md5 => hex::encode(Md5::digest(text)),
            Self::Sha256 => hex::encode(Sha256::digest(text)),
        }
    }
}

/// Which of a server's challenges a phone answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DigestPreference {
    /// SHA-256 if it is offered, else MD5.
    #[default]
    StrongestFirst,
    /// The first challenge it understands, in the server's order (RFC 8760 2.4).
    ServerOrder,
    /// MD5 only, like an old desk phone.
    Md5Only,
    /// SHA-256 only.
    Sha256Only,
}

/// One parsed challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The protection realm.
    pub realm: String,
    /// The server's nonce.
    pub nonce: String,
    /// Returned unchanged if the server sent it.
    pub opaque: Option<String>,
    /// The algorithm asked for.
    pub algorithm: Algorithm,
    /// The server offers `qop=auth`.
    pub qop_auth: bool,
    /// The credentials were right, only the nonce was too old.
    pub stale: bool,
    /// From a 407: the answer goes into Proxy-Authorization.
    pub proxy: bool,
}

impl Challenge {
    /// Reads one WWW-Authenticate or Proxy-Authenticate value; `None` for a scheme, algorithm or qop that is not ours.
    pub fn parse(value: &str, proxy: bool) -> Option<Self> {
        let (scheme, rest) = value.trim().split_once(char::is_whitespace)?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let (mut realm, mut nonce, mut opaque) = (None, None, None);
        let (mut algorithm, mut qop, mut stale) = (Some(Algorithm::Md5), None, false);
        for (name, text) in auth_params(rest) {
            match name.as_str() {
                "realm" => realm = Some(text),
                "nonce" => nonce = Some(text),
                "opaque" => opaque = Some(text),
                "algorithm" => algorithm = Algorithm::from_name(&text),
                "qop" => qop = Some(text),
                "stale" => stale = text.eq_ignore_ascii_case("true"),
                _ => {} // RFC 7616 3.3: unknown parameters are ignored
            }
        }
        let qop_auth = match qop {
            Some(list)
                if list
                    .split(',')
                    .any(|q| q.trim().eq_ignore_ascii_case("auth")) =>
            {
                true
            }
            Some(_) => return None,
            None => false,
        };
        Some(Self {
            realm: realm?,
            nonce: nonce?,
            opaque,
            algorithm: algorithm?,
            qop_auth,
            stale,
            proxy,
        })
    }

    /// The challenge of a 401 or 407 that this preference chooses.
    pub fn choose(response: &Message, preference: DigestPreference) -> Option<Self> {
        let proxy = response.status() == Some(407);
        let name = if proxy {
            "Proxy-Authenticate"
        } else {
            "WWW-Authenticate"
        };
        let mut all = response
            .headers_named(name)
            .filter_map(|value| Self::parse(value, proxy))
            .collect::<Vec<_>>();
        let first = |wanted: Algorithm| {
            all.iter()
                .position(|challenge| challenge.algorithm == wanted)
        };
        let at = match preference {
            DigestPreference::StrongestFirst => {
                first(Algorithm::Sha256).or_else(|| first(Algorithm::Md5))
            }
            DigestPreference::ServerOrder => (!all.is_empty()).then_some(0),
            DigestPreference::Md5Only => first(Algorithm::Md5),
            DigestPreference::Sha256Only => first(Algorithm::Sha256),
        }?;
        Some(all.swap_remove(at))
    }
}

/// A challenge that is being answered: counts its uses (nc, RFC 7616 3.4).
#[derive(Debug, Clone)]
pub struct DigestSession {
    challenge: Challenge,
    uses: u32,
}

impl DigestSession {
    /// A session whose nonce was never used.
    pub fn new(challenge: Challenge) -> Self {
        Self { challenge, uses: 0 }
    }

    /// The algorithm in use.
    pub fn algorithm(&self) -> Algorithm {
        self.challenge.algorithm
    }

    /// The header that carries the credentials.
    pub fn header_name(&self) -> &'static str {
        if self.challenge.proxy {
            "Proxy-Authorization"
        } else {
            "Authorization"
        }
    }

    /// The credentials for the next request under this nonce.
    pub fn authorize(
        &mut self,
        user: &str,
        password: &str,
        method: &str,
        uri: &str,
        cnonce: &str,
    ) -> String {
        self.uses += 1;
        let Challenge {
            realm,
            nonce,
            opaque,
            algorithm,
            qop_auth,
            ..
        } = &self.challenge;
        let nc = format!("{:08x}", self.uses);
        let ha1 = algorithm.hash(&format!("{user}:{realm}:{password}"));
        let ha2 = algorithm.hash(&format!("{method}:{uri}"));
        let response = if *qop_auth {
            algorithm.hash(&format!("{ha1}:{nonce}:{nc}:{cnonce}:auth:{ha2}"))
        } else {
            algorithm.hash(&format!("{ha1}:{nonce}:{ha2}"))
        };
        let mut text = format!(
            "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\", algorithm={}",
            algorithm.name()
        );
        if *qop_auth {
            text.push_str(&format!(", cnonce=\"{cnonce}\", qop=auth, nc={nc}"));
        }
        if let Some(opaque) = opaque {
            text.push_str(&format!(", opaque=\"{opaque}\""));
        }
        text
    }
}

/// `name=value` and `name="value"` pairs separated by commas; names in lower case, quotes and escapes removed.
pub fn auth_params(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut chars = text.chars().peekable();
    while chars.peek().is_some() {
        let mut name = String::new();
        while let Some(c) = chars.next_if(|c| *c != '=' && *c != ',') {
            name.push(c);
        }
        let mut value = String::new();
        if chars.next_if_eq(&'=').is_some() {
            let quoted = {
                while chars.next_if(|c| c.is_whitespace()).is_some() {}
                chars.next_if_eq(&'"').is_some()
            };
            while let Some(c) = chars.next_if(|c| if quoted { *c != '"' } else { *c != ',' }) {
                let c = if quoted && c == '\\' {
                    chars.next().unwrap_or(c)
                } else {
                    c
                };
                value.push(c);
            }
            if quoted {
                chars.next_if_eq(&'"');
            } else {
                value.truncate(value.trim_end().len());
            }
        }
        while chars.next_if(|c| *c == ',' || c.is_whitespace()).is_some() {}
        let name = name.trim().to_ascii_lowercase();
        if !name.is_empty() {
            pairs.push((name, value));
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7616 3.9.1: one request, both algorithms.
    fn check_rfc_7616(algorithm: &str, expected: &str) {
        let value = format!(
            "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
             nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
        );
        let mut session = DigestSession::new(Challenge::parse(&value, false).unwrap());
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let header =
            session.authorize("Mufasa", "Circle of Life", "GET", "/dir/index.html", cnonce);
        assert!(
            header.contains(&format!("response=\"{expected}\"")),
            "{header}"
        );
        assert!(header.contains("nc=00000001"));
    }

    #[test]
    fn the_examples_of_rfc_7616_come_out() {
        check_rfc_7616("MD5", "8ca523f5e9506fed4657c9700eebdbec");
        check_rfc_7616(
            "SHA-256",
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        );
    }

    #[test]
    fn the_count_of_a_nonce_is_hexadecimal() {
        let mut session = DigestSession::new(
            Challenge::parse("Digest realm=r, nonce=n, qop=auth", false).unwrap(),
        );
        let last = (0..10)
            .map(|_| session.authorize("u", "p", "REGISTER", "sip:h", "c"))
            .last()
            .unwrap();
        assert!(last.contains("nc=0000000a"), "{last}");
    }

    #[test]
    fn the_preference_chooses_among_several_challenges() {
        let response = Message::response(401, "Unauthorized")
            .with(
                "WWW-Authenticate",
                "Digest realm=\"r\", nonce=\"1\", algorithm=SHA-512-256, qop=\"auth\"",
            )
            .with(
                "WWW-Authenticate",
                "Digest realm=\"r\", nonce=\"2\", algorithm=MD5, qop=\"auth\"",
            )
            .with(
                "WWW-Authenticate",
                "Digest realm=\"r\", nonce=\"3\", algorithm=SHA-256, qop=\"auth\"",
            );
        let chosen = |preference| Challenge::choose(&response, preference).unwrap().nonce;
        assert_eq!(chosen(DigestPreference::StrongestFirst), "3");
        assert_eq!(chosen(DigestPreference::ServerOrder), "2");
        assert_eq!(chosen(DigestPreference::Md5Only), "2");
        assert_eq!(chosen(DigestPreference::Sha256Only), "3");
    }

    #[test]
    fn quotes_commas_and_escapes_in_values_survive() {
        let pairs = auth_params(r#"realm="a, \"b\"" , nonce = "x=" ,stale=TRUE, broken="#);
        assert_eq!(pairs[0], ("realm".to_owned(), "a, \"b\"".to_owned()));
        assert_eq!(pairs[1], ("nonce".to_owned(), "x=".to_owned()));
        assert_eq!(pairs[2], ("stale".to_owned(), "TRUE".to_owned()));
        assert_eq!(pairs.len(), 4);
    }
}
