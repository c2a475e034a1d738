//! A received message split into start line, headers and body, without judging
//! it yet: a malformed line is kept as a fault, so that the request can still be
//! answered from the headers that are whole.

use std::borrow::Cow;

/// Most header lines in one message. RFC 4475's longest has 46.
const FIELDS_MAX: usize = 256;

/// One header: the name in its long form, the value unfolded (RFC 3261, 7.3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// Long form as usually written (`Via`), or as received if it is not known.
    pub(super) name: Cow<'static, str>,
    /// Unfolded and trimmed. Bytes that are not UTF-8 are replaced.
    pub(super) value: String,
    /// Whether the value was UTF-8 on the wire.
    pub(super) utf8: bool,
}

impl Field {
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// A message split at its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wire<'a> {
    /// The first line without its line end.
    pub(super) start: &'a [u8],
    /// All headers in order.
    pub(super) fields: Vec<Field>,
    /// Everything after the empty line.
    pub(super) body: &'a [u8],
    /// The first thing that is wrong with the header lines themselves.
    pub(super) fault: Option<&'static str>,
}

impl Wire<'_> {
    /// The first value of a header.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|field| field.is(name))
            .map(|field| field.value.as_str())
    }

    /// Every value of a header, one a line.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields
            .iter()
            .filter(move |field| field.is(name))
            .map(|field| field.value.as_str())
    }

    /// How often a header is there.
    pub(super) fn count(&self, name: &str) -> usize {
        self.fields.iter().filter(|field| field.is(name)).count()
    }
}

/// Where the empty line after the headers ends: the length of the head. Line
/// ends may be CRLF or a bare LF. `None` while there is no empty line.
pub(super) fn head_len(bytes: &[u8]) -> Option<usize> {
    let mut start = 0;
    while let Some(offset) = bytes[start..].iter().position(|byte| *byte == b'\n') {
        let line = &bytes[start..start + offset];
        start += offset + 1;
        if line.is_empty() || line == b"\r" {
            return Some(start);
        }
    }
    None
}

/// Splits a message. Line ends before the start line are skipped (RFC 3261,
/// 7.5); a datagram may end without the empty line.
pub(super) fn split(bytes: &[u8]) -> Option<Wire<'_>> {
    let skipped = bytes
        .iter()
        .position(|byte| !matches!(byte, b'\r' | b'\n'))?;
    let bytes = &bytes[skipped..];
    let (head, body) = bytes.split_at(head_len(bytes).unwrap_or(bytes.len()));
    let mut lines = head
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let start = lines.next()?;
    let mut raw: Vec<(&[u8], Vec<u8>)> = Vec::new();
    let mut fault = None;
    for line in lines.take_while(|line| !line.is_empty()) {
        if raw.len() == FIELDS_MAX {
            fault = fault.or(Some("too many header lines"));
            break;
        }
        match read_line(line, &mut raw) {
            Ok(()) => {}
            Err(why) => fault = fault.or(Some(why)),
        }
    }
    let fields: Vec<Field> = raw
        .into_iter()
        .map(|(name, value)| field(name, &value, &mut fault))
        .collect();
    Some(Wire {
        start,
        fields,
        body,
        fault,
    })
}

fn read_line<'a>(line: &'a [u8], raw: &mut Vec<(&'a [u8], Vec<u8>)>) -> Result<(), &'static str> {
    if matches!(line[0], b' ' | b'\t') {
        let Some((_, value)) = raw.last_mut() else {
            return Err("continuation line without a header");
        };
        value.push(b' ');
        value.extend_from_slice(line.trim_ascii());
        return Ok(());
    }
    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
        return Err("header line without a colon");
    };
    let name = line[..colon].trim_ascii_end();
    if name.is_empty() || !name.iter().all(|byte| is_token_byte(*byte)) {
        return Err("header name is not a token");
    }
    raw.push((name, line[colon + 1..].trim_ascii().to_vec()));
    Ok(())
}

fn field(name: &[u8], value: &[u8], fault: &mut Option<&'static str>) -> Field {
    let utf8 = std::str::from_utf8(value).is_ok();
    let name = long_name(&String::from_utf8_lossy(name));
    let value = String::from_utf8_lossy(value).trim().to_owned();
    if has_stray_control(&value) {
        *fault = fault.or(Some("control character in a header"));
    }
    Field { name, value, utf8 }
}

/// A control character other than tab and outside a quoted pair: RFC 3261 allows
/// it nowhere, and the stack would split or lose lines at it.
fn has_stray_control(value: &str) -> bool {
    let mut escaped = false;
    for byte in value.bytes() {
        if byte.is_ascii_control() && byte != b'\t' && !(escaped && byte != b'\r') {
            return true;
        }
        escaped = byte == b'\\' && !escaped;
    }
    false
}

/// Whether a byte may be in a token (RFC 3261, 25.1).
pub(super) const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~'
        )
}

/// Whether a text is a token.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// The headers this boundary looks at, and the compact forms (RFC 3261, 7.3.3;
/// 3515, 3892, 4028, 3841, 6665).
const NAMES: [(&str, &str); 37] = [
    ("i", "Call-ID"),
    ("m", "Contact"),
    ("e", "Content-Encoding"),
    ("l", "Content-Length"),
    ("c", "Content-Type"),
    ("f", "From"),
    ("s", "Subject"),
    ("k", "Supported"),
    ("t", "To"),
    ("v", "Via"),
    ("o", "Event"),
    ("u", "Allow-Events"),
    ("r", "Refer-To"),
    ("b", "Referred-By"),
    ("x", "Session-Expires"),
    ("a", "Accept-Contact"),
    ("j", "Reject-Contact"),
    ("d", "Request-Disposition"),
    ("y", "Identity"),
    ("", "Accept"),
    ("", "Accept-Encoding"),
    ("", "Allow"),
    ("", "Authorization"),
    ("", "Content-Disposition"),
    ("", "CSeq"),
    ("", "Date"),
    ("", "Expires"),
    ("", "Max-Forwards"),
    ("", "Min-Expires"),
    ("", "Proxy-Authorization"),
    ("", "Reason"),
    ("", "Record-Route"),
    ("", "Replaces"),
    ("", "Require"),
    ("", "Retry-After"),
    ("", "Route"),
    ("", "User-Agent"),
];

fn long_name(name: &str) -> Cow<'static, str> {
    NAMES
        .iter()
        .find(|(short, long)| {
            long.eq_ignore_ascii_case(name)
                || (!short.is_empty() && short.eq_ignore_ascii_case(name))
        })
        .map_or_else(
            || Cow::Owned(name.to_owned()),
            |(_, long)| Cow::Borrowed(*long),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_compact_and_spaced_headers_get_their_long_form() {
        let wire =
            split(b"\r\nOPTIONS sip:a@b SIP/2.0\r\nI : x\r\nTO :\n sip:a@b\n\t;tag=1\r\n\r\nbody")
                .unwrap();
        assert_eq!(wire.start, b"OPTIONS sip:a@b SIP/2.0");
        assert_eq!(wire.get("Call-ID"), Some("x"));
        assert_eq!(wire.get("to"), Some("sip:a@b ;tag=1"));
        assert_eq!(wire.body, b"body");
        assert_eq!(wire.fault, None);
    }

    #[test]
    fn a_line_that_is_not_utf8_loses_no_later_header() {
        let wire =
            split(b"OPTIONS sip:a@b SIP/2.0\r\nSubject: \xff\xfe\r\nCall-ID: x\r\n\r\n").unwrap();
        assert_eq!(wire.get("Call-ID"), Some("x"));
        assert!(!wire.fields[0].utf8);
    }

    #[test]
    fn a_line_without_a_colon_and_a_stray_control_are_faults() {
        for bad in [
            &b"OPTIONS sip:a@b SIP/2.0\r\nFoobar roobar\r\n\r\n"[..],
            b"OPTIONS sip:a@b SIP/2.0\r\nSubject: a\0b\r\n\r\n",
            b"OPTIONS sip:a@b SIP/2.0\r\nSubject: a\rb\r\n\r\n",
            b"OPTIONS sip:a@b SIP/2.0\r\n folded: first\r\n\r\n",
            b"OPTIONS sip:a@b SIP/2.0\r\nb@d: x\r\n\r\n",
        ] {
            assert!(split(bad).unwrap().fault.is_some(), "{bad:?}");
        }
    }
}
