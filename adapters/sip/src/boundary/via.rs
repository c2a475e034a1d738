//! The top Via: where a response goes, and the `received` and `rport` that a
//! server adds (RFC 3261, 18.2.1; RFC 3581).

use std::net::{IpAddr, SocketAddr};

use super::syntax::{Fault, Param, is_known_transport, param, print_params, split_params};
use super::uri::{host_port, literal};
use super::{Origin, Transport};

/// Longest branch, in bytes: it becomes part of the key of a transaction.
const BRANCH_BYTES_MAX: usize = 512;

/// What every branch of RFC 3261 begins with (8.1.1.7).
const MAGIC_COOKIE: &str = "z9hG4bK";

/// The first value of the first Via header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Via {
    transport: String,
    host: String,
    port: Option<u16>,
    params: Vec<Param>,
    /// The other values of the same header line, with their leading comma.
    rest: String,
}

impl Via {
    /// Takes the first Via header apart.
    pub(super) fn parse(value: &str) -> Result<Self, Fault> {
        let items = crate::message::split_commas(value);
        if items.iter().any(|item| item.trim().is_empty()) {
            return Err("malformed Via");
        }
        let first = items.first().map_or("", |item| item.trim());
        let rest = value
            .trim_start()
            .get(items[0].trim_start().len()..)
            .unwrap_or("")
            .trim();
        let mut parts = first.splitn(3, '/');
        let name = parts.next().unwrap_or("").trim();
        let version = parts.next().unwrap_or("").trim();
        let tail = parts.next().ok_or("malformed Via")?.trim();
        if !name.eq_ignore_ascii_case("SIP") || version != "2.0" {
            return Err("unknown protocol in Via");
        }
        let (transport, tail) = tail.split_once([' ', '\t']).ok_or("malformed Via")?;
        if !is_known_transport(transport) {
            return Err("unknown transport in Via");
        }
        let (sent_by, params) = match tail.split_once(';') {
            Some((sent_by, params)) => (sent_by, split_params(params)?),
            None => (tail, Vec::new()),
        };
        let (host, port) = host_port(sent_by)?;
        let via = Self {
            transport: transport.to_ascii_uppercase(),
            host,
            port,
            params,
            rest: rest.to_owned(),
        };
        via.branch_is_usable()?;
        Ok(via)
    }

    /// A magic cookie with nothing after it identifies no transaction (RFC 4475,
    /// 3.2.1): refused statelessly.
    fn branch_is_usable(&self) -> Result<(), Fault> {
        match param(&self.params, "branch") {
            Some(branch) if branch.len() > BRANCH_BYTES_MAX => Err("branch too long"),
            Some(branch) if branch.eq_ignore_ascii_case(MAGIC_COOKIE) => Err("empty branch"),
            Some("") => Err("empty branch"),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether it comes from an RFC 3261 element, not an RFC 2543 one.
    pub(super) fn has_magic_cookie(&self) -> bool {
        param(&self.params, "branch").is_some_and(|branch| {
            branch
                .get(..MAGIC_COOKIE.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(MAGIC_COOKIE))
        })
    }

    /// Sets `received` to the source, and `rport` if the client asked for it.
    pub(super) fn stamp(&mut self, source: SocketAddr) {
        self.params
            .retain(|(name, _)| !name.eq_ignore_ascii_case("received"));
        let wants_rport = param(&self.params, "rport").is_some();
        self.params
            .retain(|(name, _)| !name.eq_ignore_ascii_case("rport"));
        let source_ip = source.ip().to_canonical();
        if wants_rport || literal(&self.host) != Some(source_ip) {
            self.params
                .push(("received".to_owned(), Some(source_ip.to_string())));
        }
        if wants_rport {
            self.params
                .push(("rport".to_owned(), Some(source.port().to_string())));
        }
    }

    /// Where a response goes: back on a connection; over UDP to the source
    /// address, and to its port if the client asked (RFC 3581, 4), else to the
    /// port in the Via. `maddr` is not followed: it would aim us at others.
    pub(super) fn reply_to(&self, origin: Origin) -> SocketAddr {
        let wants_rport = param(&self.params, "rport").is_some();
        match origin.transport {
            Transport::Tcp | Transport::Ws => origin.source,
            Transport::Udp if wants_rport => origin.source,
            Transport::Udp => SocketAddr::new(
                origin.source.ip(),
                self.port.unwrap_or(crate::address::DEFAULT_PORT),
            ),
        }
    }

    /// The value in the form that the stack reads.
    pub(super) fn print(&self) -> String {
        let mut out = format!("SIP/2.0/{} {}", self.transport, self.host);
        if let Some(port) = self.port {
            out.push_str(&format!(":{port}"));
        }
        print_params(&self.params, &mut out);
        out.push_str(&self.rest);
        out
    }
}

/// Whether an address can be answered: not unspecified, multicast or broadcast.
pub(super) fn is_unicast(ip: IpAddr) -> bool {
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    !(ip.is_unspecified() || ip.is_multicast() || broadcast)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamped(value: &str) -> (String, SocketAddr) {
        let source: SocketAddr = "192.0.2.9:40000".parse().unwrap();
        let origin = Origin {
            source,
            transport: Transport::Udp,
        };
        let mut via = Via::parse(value).unwrap();
        via.stamp(source);
        (via.print(), via.reply_to(origin))
    }

    #[test]
    fn a_client_that_asks_for_rport_is_answered_where_it_sent_from() {
        let (via, to) = stamped("SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z9hG4bKx");
        assert_eq!(
            via,
            "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKx;received=192.0.2.9;rport=40000"
        );
        assert_eq!(to.to_string(), "192.0.2.9:40000");
    }

    #[test]
    fn a_client_that_does_not_is_answered_at_its_own_port() {
        let (via, to) = stamped(
            "SIP / 2.0 /UDP  [2001:db8::1] ; branch = z9hG4bKx;received=[::2],SIP/2.0/TCP b",
        );
        assert_eq!(
            via,
            "SIP/2.0/UDP [2001:db8::1];branch=z9hG4bKx;received=192.0.2.9,SIP/2.0/TCP b"
        );
        assert_eq!(to.to_string(), "192.0.2.9:5060");
    }

    #[test]
    fn a_browser_that_does_not_know_its_address_is_answered_on_its_connection() {
        // RFC 7118, 5: sent-by is a random name that nobody can look up.
        let source: SocketAddr = "192.0.2.9:40000".parse().unwrap();
        for transport in ["WS", "wss"] {
            let text = format!("SIP/2.0/{transport} df7jal23ls0d.invalid;branch=z9hG4bKx;rport");
            let mut via = Via::parse(&text).unwrap();
            let origin = Origin {
                source,
                transport: Transport::Ws,
            };
            assert_eq!(via.reply_to(origin), source);
            via.stamp(source);
            let transport = transport.to_ascii_uppercase();
            assert_eq!(
                via.print(),
                format!(
                    "SIP/2.0/{transport} df7jal23ls0d.invalid;branch=z9hG4bKx\
                     ;received=192.0.2.9;rport=40000"
                )
            );
        }
    }

    #[test]
    fn malformed_vias_are_refused() {
        for bad in [
            "SIP/2.0/UDP 192.0.2.15;;,;,,",
            "SIP/7.0/UDP c;branch=z9hG4bKx",
            "SIP/2.0/UDP",
            "SIP/2.0/UNKNOWN h;branch=z9hG4bKx",
            "SIP/2.0/UDP h;branch=z9hG4bK",
            "",
            "x",
        ] {
            assert!(Via::parse(bad).is_err(), "{bad}");
        }
    }
}
