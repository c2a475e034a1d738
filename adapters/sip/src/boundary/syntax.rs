//! Parameters, numbers and the other small values; what is wrong with one is part
//! of the reason phrase of a 400.

use super::wire::is_token;

/// What is wrong with a value; part of the reason phrase of a 400.
pub(super) type Fault = &'static str;

/// A header or URI parameter.
pub(super) type Param = (String, Option<String>);

/// Longest URI or parameter list, in bytes.
pub(super) const VALUE_BYTES_MAX: usize = 4096;

/// A number of decimal digits only; `None` also if it does not fit.
pub(super) fn number(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
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

pub(super) fn is_carried((name, value): &Param) -> bool {
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
