//! Strict parsing of the values the stack must be able to trust: URIs, name-addr,
//! and parameters. Each prints itself in the one form that the stack reads right.

use std::net::{IpAddr, Ipv6Addr};

use super::wire::is_token;

/// What is wrong with a value; part of the reason phrase of a 400.
pub(super) type Fault = &'static str;

/// A header or URI parameter.
pub(super) type Param = (String, Option<String>);

/// Longest URI or parameter list, in bytes.
const VALUE_BYTES_MAX: usize = 4096;

/// Longest tag, in bytes: it is part of the key of a transaction and a dialog.
const TAG_BYTES_MAX: usize = 512;

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

/// A number of decimal digits only; `None` also if it does not fit.
pub(super) fn number(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// A From, To, Contact, Route or Record-Route value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NameAddr {
    display: Option<String>,
    pub(super) uri: Uri,
    pub(super) params: Vec<Param>,
}

impl NameAddr {
    /// Takes one value apart, or says what is wrong with it.
    pub(super) fn parse(value: &str) -> Result<Self, Fault> {
        let (display, rest) = split_display(value.trim())?;
        let Some(rest) = rest.strip_prefix('<') else {
            // addr-spec: parameters belong to the header, and a URI that holds
            // a comma, a question mark or a semicolon must be in <> (20.10).
            let (uri, params) = rest.split_once(';').unwrap_or((rest, ""));
            let uri = uri.trim();
            if uri.contains(['?', ',']) {
                return Err("URI must be enclosed in <>");
            }
            let params = if rest.contains(';') {
                split_params(params)?
            } else {
                Vec::new()
            };
            return Ok(Self {
                display,
                uri: Uri::parse(uri)?,
                params,
            });
        };
        let (uri, after) = rest.split_once('>').ok_or("unclosed < in an address")?;
        let after = after.trim();
        let params = match after.strip_prefix(';') {
            Some(params) => split_params(params)?,
            None if after.is_empty() => Vec::new(),
            None => return Err("unexpected text after an address"),
        };
        Ok(Self {
            display,
            uri: Uri::parse(uri)?,
            params,
        })
    }

    /// The value of a parameter; `Some("")` if it has none.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        param(&self.params, name)
    }

    /// The tag of a From or To, which must be a token if it is there.
    pub(super) fn tag(&self) -> Result<Option<&str>, Fault> {
        match self.param("tag") {
            Some(tag) if !is_token(tag) || tag.len() > TAG_BYTES_MAX => Err("malformed tag"),
            tag => Ok(tag),
        }
    }

    /// The value with a given form of its URI.
    pub(super) fn print(&self, uri: &str) -> String {
        let mut out = String::new();
        if let Some(display) = &self.display {
            out.push_str(&format!("\"{display}\" "));
        }
        out.push_str(&format!("<{uri}>"));
        print_params(&self.params, &mut out);
        out
    }
}

/// The display name, in characters that the stack carries inside quotes, and the
/// rest of the value from its `<` or its URI on.
fn split_display(value: &str) -> Result<(Option<String>, &str), Fault> {
    if let Some(quoted) = value.strip_prefix('"') {
        let end = closing_quote(quoted).ok_or("unbalanced quotes")?;
        let rest = quoted[end + 1..].trim_start();
        if !rest.starts_with('<') {
            return Err("display name without <>");
        }
        return Ok((safe_display(&quoted[..end]), rest));
    }
    match value.find('<') {
        // Unquoted names may hold what is no token (a comma, say): the quotes
        // are inferred (RFC 4475, 3.1.2.15), but they must not be half there.
        Some(at) if value[..at].contains('"') => Err("unbalanced quotes"),
        Some(at) => Ok((safe_display(value[..at].trim()), &value[at..])),
        None if value.contains('"') && !value.contains(';') => Err("unbalanced quotes"),
        None => Ok((None, value)),
    }
}

/// Replaces what the stack cannot carry inside quotes.
fn safe_display(quoted: &str) -> Option<String> {
    let mut out = String::with_capacity(quoted.len());
    let mut escaped = false;
    for c in quoted.chars() {
        if c == '\\' && !escaped {
            escaped = true;
            continue;
        }
        escaped = false;
        out.push(match c {
            '<' => '(',
            '>' => ')',
            '"' => '\'',
            '\\' => '/',
            c if c.is_control() => ' ',
            c => c,
        });
    }
    let out = out.trim().to_owned();
    (!out.is_empty()).then_some(out)
}

/// Where a quoted string ends; the text begins after its opening quote.
pub(super) fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at),
            _ => {}
        }
    }
    None
}

/// The value of a parameter in a list; `Some("")` if it has none.
pub(super) fn param<'a>(params: &'a [Param], name: &str) -> Option<&'a str> {
    params
        .iter()
        .find(|(have, _)| have.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_deref().unwrap_or(""))
}

/// Splits `a;b=c;d="x;y"`. An empty parameter is an error (RFC 4475, 3.1.2.1).
pub(super) fn split_params(text: &str) -> Result<Vec<Param>, Fault> {
    if text.len() > VALUE_BYTES_MAX {
        return Err("parameters too long");
    }
    let mut params = Vec::new();
    let mut rest = text;
    loop {
        let end = param_end(rest)?;
        let item = rest[..end].trim();
        let (name, value) = match item.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (item, None),
        };
        if name.is_empty() {
            return Err("empty parameter");
        }
        if name.contains(|c: char| c.is_whitespace() || "<>\",".contains(c)) {
            return Err("malformed parameter");
        }
        if value.is_some_and(malformed_value) {
            return Err("malformed parameter value");
        }
        params.push((name.to_owned(), value.map(str::to_owned)));
        match rest.get(end + 1..) {
            Some(more) if end < rest.len() => rest = more,
            Some(_) | None => return Ok(params),
        }
    }
}

/// A value is a quoted string, or text without spaces, quotes and commas.
fn malformed_value(value: &str) -> bool {
    match value.strip_prefix('"') {
        Some(quoted) => closing_quote(quoted) != Some(quoted.len().wrapping_sub(1)),
        None => value.contains(|c: char| c.is_whitespace() || "<>\",".contains(c)),
    }
}

fn param_end(text: &str) -> Result<usize, Fault> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => return Ok(at),
            _ => {}
        }
    }
    if quoted {
        Err("unbalanced quotes")
    } else {
        Ok(text.len())
    }
}

/// Prints parameters, but for those that would make the stack refuse or cut the
/// whole header: typed ones with a value it does not know, and quoted semicolons.
pub(super) fn print_params(params: &[Param], out: &mut String) {
    for (name, value) in params.iter().filter(|param| is_carried(param)) {
        out.push(';');
        out.push_str(name);
        if let Some(value) = value {
            out.push('=');
            out.push_str(value);
        }
    }
}

fn is_carried((name, value): &Param) -> bool {
    let Some(value) = value else { return true };
    if value.contains(';') || value.chars().any(char::is_control) {
        return false;
    }
    match name.to_ascii_lowercase().as_str() {
        "transport" => is_known_transport(value),
        "method" => crate::message::Method::parse(value).is_some(),
        "rport" => value.parse::<u16>().is_ok(),
        _ => true,
    }
}

/// The transports that the stack can read in a Via or URI.
pub(super) fn is_known_transport(text: &str) -> bool {
    ["udp", "tcp", "tls", "sctp", "tls-sctp", "ws", "wss"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(text))
}

/// `CSeq: number method` (RFC 3261, 20.16): the number is below 2^31.
pub(super) fn cseq(value: &str) -> Result<(u32, &str), Fault> {
    let (digits, method) = value
        .trim()
        .split_once([' ', '\t'])
        .ok_or("malformed CSeq")?;
    let seq = number(digits)
        .filter(|seq| *seq < 1 << 31)
        .ok_or("CSeq number out of range")?;
    let method = method.trim();
    if !is_token(method) {
        return Err("malformed CSeq");
    }
    Ok((seq as u32, method))
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

    #[test]
    fn a_quoted_name_survives_in_characters_the_stack_carries() {
        let value = NameAddr::parse(r#""J <R> \\\""   <sip:j@h> ; tag = 9"#).unwrap();
        assert_eq!(
            value.print(&value.uri.for_echo()),
            r#""J (R) /'" <sip:j@h>;tag=9"#
        );
        assert_eq!(value.param("TAG"), Some("9"));
    }

    #[test]
    fn malformed_addresses_are_refused() {
        for bad in [
            r#""Mr. J. User <sip:j@h>"#,
            "< sip:a@h >",
            "<sip:a@h",
            "sip:a@h?Route=x",
            "<sip:a@h>;;;;",
            "<sip:a@h> x",
            "",
        ] {
            assert!(NameAddr::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn parameters_that_the_stack_chokes_on_are_left_out() {
        let value =
            NameAddr::parse(r#"<sip:a@h;transport=carrier-pigeon;x=1>;q=0.1;i="a;b""#).unwrap();
        assert_eq!(value.print(&value.uri.for_routing()), "<sip:a@h;x=1>;q=0.1");
    }
}
