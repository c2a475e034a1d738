//! URIs, judged strictly, and printed in the one form that the stack reads right.

use std::net::{IpAddr, Ipv6Addr};

use super::syntax::{
    Fault, Param, VALUE_BYTES_MAX, is_carried, number, print_params, split_params,
};

/// A `sip:` or `sips:` URI (RFC 3261, 19.1), or another one kept as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Uri {
    pub(super) scheme: String,
    /// Everything after the colon, for schemes other than sip and sips.
    opaque: Option<String>,
    userinfo: Option<String>,
    pub(super) host: String,
    pub(super) port: Option<u16>,
    params: Vec<Param>,
    pub(super) headers: Option<String>,
}

impl Uri {
    /// Takes a URI apart, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        if text.len() > VALUE_BYTES_MAX {
            return Err("URI too long");
        }
        if text.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"".contains(c)) {
            return Err("illegal character in a URI");
        }
        let (scheme, rest) = text.split_once(':').ok_or("URI without a scheme")?;
        let valid = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        if !valid {
            return Err("malformed URI scheme");
        }
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "sip" && scheme != "sips" {
            let letters = scheme.bytes().all(|byte| byte.is_ascii_alphabetic());
            if !stack_reads(if letters { rest } else { text }) {
                return Err("URI of another scheme");
            }
            return Ok(Self::opaque(scheme, rest));
        }
        escapes_are_whole(rest)?;
        let (userinfo, rest) = match rest.split_once('@') {
            Some((userinfo, rest)) => (Some(userinfo.to_owned()), rest),
            None => (None, rest),
        };
        if userinfo
            .as_deref()
            .is_some_and(|user| user.is_empty() || user.starts_with(':'))
        {
            return Err("empty user in a URI");
        }
        let (rest, headers) = match rest.split_once('?') {
            Some((rest, headers)) => (rest, Some(headers.to_owned())),
            None => (rest, None),
        };
        let (host, params) = match rest.split_once(';') {
            Some((host, params)) => (host, split_params(params)?),
            None => (rest, Vec::new()),
        };
        let (host, port) = host_port(host)?;
        Ok(Self {
            scheme,
            opaque: None,
            userinfo,
            host,
            port,
            params,
            headers,
        })
    }

    fn opaque(scheme: String, rest: &str) -> Self {
        Self {
            scheme,
            opaque: Some(rest.to_owned()),
            userinfo: None,
            host: String::new(),
            port: None,
            params: Vec::new(),
            headers: None,
        }
    }

    /// Whether it is a `sip:` or `sips:` URI.
    pub(super) fn is_sip(&self) -> bool {
        self.opaque.is_none()
    }

    /// The form for a place where the stack routes by the URI: its user part
    /// must not hold `;` or `?`, at which the stack cuts.
    pub(super) fn for_routing(&self) -> String {
        self.print(print_userinfo)
    }

    /// The form for From and To, which are echoed: as it was written, unless the
    /// stack could not read that.
    pub(super) fn for_echo(&self) -> String {
        self.print(|userinfo, out| {
            let readable = match userinfo.split_once(';') {
                _ if userinfo.starts_with(';') || userinfo.contains([':', '?']) => false,
                Some((_, params)) => {
                    split_params(params).is_ok_and(|params| params.iter().all(is_carried))
                }
                None => true,
            };
            if readable {
                out.push_str(userinfo);
            } else {
                print_userinfo(userinfo, out);
            }
        })
    }

    fn print(&self, print_userinfo: impl FnOnce(&str, &mut String)) -> String {
        let mut out = format!("{}:", self.scheme);
        if let Some(opaque) = &self.opaque {
            out.push_str(opaque);
            return out;
        }
        if let Some(userinfo) = &self.userinfo {
            print_userinfo(userinfo, &mut out);
            out.push('@');
        }
        out.push_str(&self.host);
        if let Some(port) = self.port {
            out.push_str(&format!(":{port}"));
        }
        print_params(&self.params, &mut out);
        if let Some(headers) = &self.headers {
            out.push('?');
            out.push_str(headers);
        }
        out
    }
}

/// Decodes the escapes of characters that need none (they mean the same,
/// RFC 3261, 19.1.4), and escapes what needs one.
fn print_userinfo(userinfo: &str, out: &mut String) {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$/:#[]^`{|}".contains(&byte);
    let bytes = userinfo.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%')
            .then(|| userinfo.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match hex {
            // An escaped colon is no separator, and must not become one.
            Some(byte) if plain(byte) && byte != b':' => {
                out.push(char::from(byte));
                at += 3;
            }
            Some(_) => {
                out.push_str(&userinfo[at..at + 3]);
                at += 3;
            }
            None if plain(bytes[at]) => {
                out.push(char::from(bytes[at]));
                at += 1;
            }
            None => {
                out.push_str(&format!("%{:02X}", bytes[at]));
                at += 1;
            }
        }
    }
}

/// Whether the stack, which reads every URI as a SIP one, can read this one.
fn stack_reads(text: &str) -> bool {
    let main = text.split('?').next().unwrap_or_default();
    let (host, params) = main.split_once(';').unwrap_or((main, ""));
    let host = host.rsplit('@').next().unwrap_or_default();
    let params_are_carried =
        params.is_empty() || split_params(params).is_ok_and(|params| params.iter().all(is_carried));
    let host_is_readable = match host.rsplit_once(':') {
        _ if host.starts_with('[') => host_port(host).is_ok(),
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            !host.is_empty() && parse_port(port).is_ok()
        }
        Some(_) | None => !host.is_empty(),
    };
    params_are_carried && host_is_readable
}

fn escapes_are_whole(text: &str) -> Result<(), Fault> {
    let bytes = text.as_bytes();
    for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%') {
        let whole = bytes
            .get(at + 1..at + 3)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        if !whole {
            return Err("bad escape in a URI");
        }
    }
    Ok(())
}

/// A host with an optional port. Spaces around the colon are allowed where they
/// are in a Via (RFC 3261, 20.42).
pub(super) fn host_port(text: &str) -> Result<(String, Option<u16>), Fault> {
    let text = text.trim();
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (inner, after) = rest.split_once(']').ok_or("unclosed IPv6 literal")?;
            let address: Ipv6Addr = inner.parse().map_err(|_| "malformed IPv6 address")?;
            let after = after.trim();
            let port = match after.strip_prefix(':') {
                Some(port) => Some(port),
                None if after.is_empty() => None,
                None => return Err("malformed port"),
            };
            (format!("[{address}]"), port)
        }
        None => {
            let (host, port) = match text.split_once(':') {
                Some((host, port)) => (host.trim(), Some(port)),
                None => (text, None),
            };
            let valid = !host.is_empty()
                && host
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
            if !valid {
                return Err("malformed host");
            }
            (host.to_owned(), port)
        }
    };
    let port = port.map(|port| parse_port(port.trim())).transpose()?;
    Ok((host, port))
}

fn parse_port(text: &str) -> Result<u16, Fault> {
    match number(text) {
        Some(port) if port <= u64::from(u16::MAX) => Ok(port as u16),
        Some(_) | None => Err("malformed port"),
    }
}

/// The IP address of a host, if it is a literal.
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_part_is_printed_so_that_the_stack_does_not_cut_it() {
        let uri = Uri::parse("sip:user;par=u%40example.net@example.com").unwrap();
        assert_eq!(
            uri.for_routing(),
            "sip:user%3Bpar=u%40example.net@example.com"
        );
        assert_eq!(
            Uri::parse("sip:%75se%72@h").unwrap().for_routing(),
            "sip:user@h"
        );
        for as_written in ["sip:n-%00@h", "sip:%75ser@h", "sip:+1;phone-context=+2@h"] {
            assert_eq!(Uri::parse(as_written).unwrap().for_echo(), as_written);
        }
    }

    #[test]
    fn malformed_uris_are_refused() {
        for bad in [
            "sip:",
            "sip:@h",
            "sip:a@",
            "sip:a@h:",
            "sip:a@h:99999",
            "sip:a b@h",
            "a@h",
            "sip:2001:db8::10",
            "sip:u@[2001:db8:::192.0.2.1]",
            "sip:a%4@h",
            "sip:a@b@c",
            "sip:a@h;;lr",
            "<sip:a@h>",
            "sip:a@h!",
        ] {
            assert!(Uri::parse(bad).is_err(), "{bad}");
        }
    }
}
