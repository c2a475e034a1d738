//! Header values with addresses and parameters: name-addr, Via, URI (RFC 3261 sections 20 and 25).
//!
//! All functions borrow from the value and answer `None` for what is not there: nothing here can fail loudly.

use std::net::{IpAddr, SocketAddr};

/// The port of SIP over UDP and TCP when a URI names none.
pub const SIP_PORT: u16 = 5060;

/// Splits a header value at the commas that are outside quotes and angle brackets.
pub fn split_list(value: &str) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut quoted, mut escaped, mut angle) = (false, false, false);
    for (at, byte) in value.bytes().enumerate() {
        if escaped {
            escaped = false;
            continue;
        }
        match byte {
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'<' if !quoted => angle = true,
            b'>' if !quoted => angle = false,
            b',' if !quoted && !angle => {
                parts.push(value[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(value[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// The first place of `wanted` that is outside quotes.
fn find_unquoted(value: &str, wanted: u8) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in value.bytes().enumerate() {
        if escaped {
            escaped = false;
        } else if quoted && byte == b'\\' {
            escaped = true;
        } else if byte == b'"' {
            quoted = !quoted;
        } else if byte == wanted && !quoted {
            return Some(at);
        }
    }
    None
}

/// The URI of a name-addr or addr-spec; header parameters are not part of it.
pub fn uri_of(value: &str) -> &str {
    if let Some(open) = find_unquoted(value, b'<') {
        let inner = &value[open + 1..];
        return inner.split('>').next().unwrap_or(inner).trim();
    }
    value.split(';').next().unwrap_or(value).trim()
}

/// A parameter of the header (not of the URI); `Some("")` for one without a value.
pub fn param<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = match find_unquoted(value, b'<') {
        Some(open) => value[open..]
            .find('>')
            .map_or("", |close| &value[open + close + 1..]),
        None => value,
    };
    while let Some(at) = find_unquoted(rest, b';') {
        rest = &rest[at + 1..];
        let end = find_unquoted(rest, b';').unwrap_or(rest.len());
        let (key, text) = rest[..end].split_once('=').unwrap_or((&rest[..end], ""));
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(text.trim().trim_matches('"'));
        }
    }
    None
}

/// The tag of a From or To value.
pub fn tag_of(value: &str) -> Option<&str> {
    param(value, "tag").filter(|tag| !tag.is_empty())
}

/// The user part of a `sip:`, `sips:` or `tel:` URI.
pub fn user_of(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once(':')?;
    if scheme.eq_ignore_ascii_case("tel") {
        return rest.split(';').next();
    }
    let (user, _) = rest.split_once('@')?;
    user.split([':', ';']).next()
}

/// Host (without brackets) and port of a SIP URI.
pub fn host_port_of(uri: &str) -> Option<(&str, Option<u16>)> {
    let (_, rest) = uri.split_once(':')?;
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let end = rest.find([';', '?']).unwrap_or(rest.len());
    split_host_port(&rest[..end])
}

/// Splits `host`, `host:port`, `[v6]` or `[v6]:port`.
pub fn split_host_port(text: &str) -> Option<(&str, Option<u16>)> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        let port = match after.strip_prefix(':') {
            Some(port) => Some(port.parse().ok()?),
            None => None,
        };
        return Some((host, port));
    }
    match text.split_once(':') {
        Some((host, port)) => Some((host, Some(port.trim().parse().ok()?))),
        None if text.is_empty() => None,
        None => Some((text, None)),
    }
}

/// The socket address of a URI whose host is an IP address. A phone of tests asks no DNS.
pub fn socket_addr_of(uri: &str) -> Option<SocketAddr> {
    let (host, port) = host_port_of(uri)?;
    let ip: IpAddr = host.parse().ok()?;
    Some(SocketAddr::new(ip, port.unwrap_or(SIP_PORT)))
}

/// The sent-by (host, port) of a Via value.
pub fn sent_by_of(via: &str) -> Option<(&str, Option<u16>)> {
    let head = via.split(';').next()?.trim();
    let (_, sent_by) = head.split_once(char::is_whitespace)?;
    split_host_port(sent_by)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_display_name_may_hold_every_separator() {
        let value = r#""a <b>, \"c\";tag=no" <sip:u:p@h:99;x=1?y=2>;tag=yes;q=0.5"#;
        assert_eq!(uri_of(value), "sip:u:p@h:99;x=1?y=2");
        assert_eq!(tag_of(value), Some("yes"));
        assert_eq!(split_list(value).len(), 1);
        assert_eq!(user_of(uri_of(value)), Some("u"));
        assert_eq!(host_port_of(uri_of(value)), Some(("h", Some(99))));
    }

    #[test]
    fn ipv6_hosts_keep_their_colons() {
        let addr = socket_addr_of("sip:u@[2001:db8::1]:5070;transport=udp").unwrap();
        assert_eq!(addr.to_string(), "[2001:db8::1]:5070");
        assert_eq!(
            sent_by_of("SIP/2.0/UDP [::1]:5060;branch=z"),
            Some(("::1", Some(5060)))
        );
    }

    #[test]
    fn broken_values_answer_none_or_a_piece_of_themselves() {
        for value in [
            "", "<", ">", "\"", "\"\\", "<sip:", "a@", "sip:", "[::", "sip:@:x", ";;;=;", ",,,",
        ] {
            let _ = (
                uri_of(value),
                param(value, "tag"),
                user_of(value),
                host_port_of(value),
                sent_by_of(value),
            );
            let _ = (split_list(value), socket_addr_of(value));
        }
    }
}
