//! Addresses in SIP headers: `"Name" <sip:user@host:port;params>;params`.
//! Parsed leniently at the edge; trusted inside.

use std::net::{IpAddr, SocketAddr};

/// The port of sip over UDP and TCP (RFC 3261, 19.1.2).
pub const DEFAULT_PORT: u16 = 5060;

/// A SIP, SIPS or tel URI, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Uri {
    /// `sip`, `sips` or `tel`, in lower case.
    pub scheme: String,
    /// User part with escapes resolved; the number of a tel URI.
    pub user: Option<String>,
    /// Host without brackets; empty in a tel URI.
    pub host: String,
    /// Port, if written.
    pub port: Option<u16>,
    /// Parameters in order, names in lower case.
    pub parameters: Vec<(String, Option<String>)>,
}

impl Uri {
    /// Takes a URI apart. `None` if it has no scheme that is served or no host.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once(':')?;
        let scheme = scheme.trim().to_ascii_lowercase();
        if scheme == "tel" {
            let (number, parameters) = cut(rest, ';');
            return Some(Self {
                scheme,
                user: Some(number.to_owned()),
                parameters: parse_parameters(parameters),
                ..Self::default()
            });
        }
        if scheme != "sip" && scheme != "sips" {
            return None;
        }
        // An unescaped `?` starts URI headers, which are not used here; a user
        // part may hold `;` and `?`, so it is cut off first.
        let (user, host) = match rest.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, rest),
        };
        let (host, _headers) = cut(host, '?');
        let (host, parameters) = cut(host, ';');
        let (host, port) = split_host_port(host.trim())?;
        let user = user.map(|user| unescape(cut(user, ':').0));
        Some(Self {
            scheme,
            user,
            host,
            port,
            parameters: parse_parameters(parameters),
        })
    }

    /// A parameter's value; `Some("")` for one without a value.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(have, _)| have == name)
            .map(|(_, value)| value.as_deref().unwrap_or(""))
    }

    /// Where it points, if its host is an IP address: names are never looked up.
    pub fn socket(&self) -> Option<SocketAddr> {
        let ip: IpAddr = self.host.parse().ok()?;
        Some(SocketAddr::new(ip, self.port.unwrap_or(DEFAULT_PORT)))
    }
}

/// A From, To or Contact value, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NameAddr {
    /// Display name without quotes.
    pub display_name: Option<String>,
    /// The URI as written.
    pub uri: String,
    /// Parameters of the header, not of the URI.
    pub parameters: Vec<(String, Option<String>)>,
}

impl NameAddr {
    /// Takes one value apart. `None` if it has no URI.
    pub fn parse(value: &str) -> Option<Self> {
        let value = value.trim();
        let Some(open) = find_unquoted(value, '<') else {
            // Without `<>`, parameters belong to the header (RFC 3261, 20).
            let (uri, parameters) = cut(value, ';');
            return (!uri.is_empty()).then(|| Self {
                display_name: None,
                uri: uri.trim().to_owned(),
                parameters: parse_parameters(parameters),
            });
        };
        let close = value[open..].find('>')? + open;
        let name = unquote(value[..open].trim());
        let after = value[close + 1..].trim_start();
        Some(Self {
            display_name: (!name.is_empty()).then_some(name),
            uri: value[open + 1..close].trim().to_owned(),
            parameters: parse_parameters(after.strip_prefix(';').unwrap_or_default()),
        })
    }

    /// A header parameter's value; `Some("")` for one without a value.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(have, _)| have == name)
            .map(|(_, value)| value.as_deref().unwrap_or(""))
    }
}

/// Writes a display name in quotes, escaped (RFC 3261, 25.1).
pub fn quote(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    out.push('"');
    for c in name.chars().filter(|c| !c.is_control()) {
        if c == '"' || c == '\\' {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// Writes a user part with everything escaped that a URI does not allow there.
pub fn escape_user(user: &str) -> String {
    let mut out = String::with_capacity(user.len());
    for byte in user.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte);
        if plain {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A host for a URI: an IPv6 address in brackets.
pub fn host_of(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

fn cut(text: &str, at: char) -> (&str, &str) {
    text.split_once(at).unwrap_or((text, ""))
}

fn split_host_port(text: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            (host, after.strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = match port.map(str::trim) {
        Some(port) => Some(port.parse().ok()?),
        None => None,
    };
    let host = host.trim();
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

fn parse_parameters(text: &str) -> Vec<(String, Option<String>)> {
    split_unquoted(text)
        .into_iter()
        .map(str::trim)
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| match parameter.split_once('=') {
            Some((name, value)) => (
                name.trim().to_ascii_lowercase(),
                Some(unquote(value.trim())),
            ),
            None => (parameter.to_ascii_lowercase(), None),
        })
        .collect()
}

fn split_unquoted(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b';' if !quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn find_unquoted(text: &str, wanted: char) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            c if c == wanted && !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

fn unquote(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) else {
        return text.to_owned();
    };
    let mut out = String::with_capacity(inner.len());
    let mut escaped = false;
    for c in inner.chars() {
        if escaped || c != '\\' {
            out.push(c);
            escaped = false;
        } else {
            escaped = true;
        }
    }
    out
}

/// Resolves `%hh`; what is not UTF-8 afterwards is replaced, never refused.
fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match hex {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_with_everything_is_taken_apart() {
        let uri = Uri::parse("sip:sales%40eu;x=1@[2001:db8::1]:5070;transport=TCP;lr?h=v").unwrap();
        assert_eq!(uri.user.as_deref(), Some("sales@eu;x=1"));
        assert_eq!(uri.host, "2001:db8::1");
        assert_eq!(uri.port, Some(5070));
        assert_eq!(uri.parameter("transport"), Some("TCP"));
        assert_eq!(uri.parameter("lr"), Some(""));
    }

    #[test]
    fn a_quoted_name_keeps_its_brackets_and_quotes() {
        let value = NameAddr::parse(r#""A <\"B\">" <sip:a@h>;tag=9;q"#).unwrap();
        assert_eq!(value.display_name.as_deref(), Some(r#"A <"B">"#));
        assert_eq!(value.uri, "sip:a@h");
        assert_eq!(value.parameter("tag"), Some("9"));
        assert_eq!(quote(r#"A <"B">"#), r#""A <\"B\">""#);
    }

    #[test]
    fn what_has_no_host_or_a_bad_port_is_no_uri() {
        for bad in [
            "sip:",
            "sip:@",
            "sip:a@h:99999",
            "http://h",
            "nonsense",
            "sip:[::1",
        ] {
            assert_eq!(Uri::parse(bad), None, "{bad}");
        }
    }
}
