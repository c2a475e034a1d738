//! The Contact headers of a REGISTER.

use std::net::{IpAddr, SocketAddr};

use super::Error;
use crate::address::{NameAddr, Uri};
use crate::message::split_commas;

/// What a REGISTER asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contacts {
    /// No Contact: only lists the bindings.
    Query,
    /// `Contact: *`.
    All,
    /// These bindings.
    List(Vec<Contact>),
}

/// One contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// What makes it the same binding as another.
    pub key: String,
    /// The URI as written.
    pub uri: String,
    /// Its own expiry, before the Expires header's.
    pub expires_s: Option<u32>,
    /// Its preference in thousandths.
    pub q_milli: u16,
    /// Its address and port, if it names both as numbers.
    pub socket: Option<SocketAddr>,
}

/// Reads every Contact header of a REGISTER.
pub fn parse_contacts<'a>(headers: impl Iterator<Item = &'a str>) -> Result<Contacts, Error> {
    let values: Vec<&str> = headers
        .flat_map(split_commas)
        .map(str::trim)
        .filter(|value| !value.is_empty())
        .collect();
    if values.is_empty() {
        return Ok(Contacts::Query);
    }
    if values.contains(&"*") {
        return if values.len() == 1 {
            Ok(Contacts::All)
        } else {
            Err(Error::BadContact)
        };
    }
    let contacts: Result<Vec<Contact>, Error> = values.into_iter().map(parse).collect();
    contacts.map(Contacts::List)
}

fn parse(value: &str) -> Result<Contact, Error> {
    let address = NameAddr::parse(value).ok_or(Error::BadContact)?;
    let uri = Uri::parse(&address.uri)
        .filter(|uri| uri.scheme == "sip" || uri.scheme == "sips")
        .ok_or(Error::BadContact)?;
    let ip: Option<IpAddr> = uri.host.parse().ok();
    Ok(Contact {
        key: key(&uri),
        // A malformed expiry counts as the default (RFC 3261, 10.2.1.1 by 20.19).
        expires_s: address.parameter("expires").map(expires),
        q_milli: address.parameter("q").map_or(1000, q_milli),
        socket: ip
            .map(|ip| ip.to_canonical())
            .zip(uri.port)
            .map(|(ip, port)| SocketAddr::new(ip, port)),
        uri: address.uri,
    })
}

/// Reads an expiry; one too large for its field is as long as can be.
pub(super) fn expires(text: &str) -> u32 {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits {
        text.parse().unwrap_or(u32::MAX)
    } else {
        super::EXPIRES_DEFAULT_S
    }
}

/// `0.5` is 500 thousandths; what is no number from 0 to 1 counts as 1.
fn q_milli(text: &str) -> u16 {
    let parsed: Option<f32> = text.parse().ok();
    match parsed {
        Some(q) if (0.0..=1.0).contains(&q) => (q * 1000.0) as u16,
        Some(_) | None => 1000,
    }
}

/// Two contacts are one binding if these are equal: scheme, user, host without
/// case, port, and the parameters that always count (RFC 3261, 19.1.4).
fn key(uri: &Uri) -> String {
    let mut key = format!(
        "{}:{}@{}",
        uri.scheme,
        uri.user.as_deref().unwrap_or(""),
        uri.host.to_ascii_lowercase()
    );
    if let Some(port) = uri.port {
        key.push_str(&format!(":{port}"));
    }
    for name in ["transport", "user", "ttl", "method", "maddr"] {
        if let Some(value) = uri.parameter(name) {
            key.push_str(&format!(";{name}={}", value.to_ascii_lowercase()));
        }
    }
    key
}
