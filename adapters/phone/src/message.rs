//! SIP messages as text: a small parser that never panics and a builder (RFC 3261 section 7).
//!
//! It is deliberately plain: headers stay strings in their order, so a test can look at exactly what came over the wire.

use std::fmt;

/// The most header lines a message may have; a flood of headers is refused before it costs memory.
pub const HEADERS_MAX: usize = 256;

/// A SIP method. Methods are case-sensitive (RFC 3261 7.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Method {
    /// Starts or changes a session.
    Invite,
    /// Confirms the final response to an INVITE.
    Ack,
    /// Ends a session.
    Bye,
    /// Takes an unanswered INVITE back.
    Cancel,
    /// Asks what the peer can do.
    Options,
    /// Binds an address of record to a contact.
    Register,
    /// Any other method, by its name.
    Other(String),
}

impl Method {
    /// The method with this exact name.
    pub fn from_name(name: &str) -> Self {
        match name {
            "INVITE" => Self::Invite,
            "ACK" => Self::Ack,
            "BYE" => Self::Bye,
            "CANCEL" => Self::Cancel,
            "OPTIONS" => Self::Options,
            "REGISTER" => Self::Register,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The name on the wire.
    pub fn name(&self) -> &str {
        match self {
            Self::Invite => "INVITE",
            Self::Ack => "ACK",
            Self::Bye => "BYE",
            Self::Cancel => "CANCEL",
            Self::Options => "OPTIONS",
            Self::Register => "REGISTER",
            Self::Other(name) => name,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The first line of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartLine {
    /// `METHOD uri SIP/2.0`.
    Request {
        /// The method.
        method: Method,
        /// The Request-URI as written.
        uri: String,
    },
    /// `SIP/2.0 status reason`.
    Response {
        /// The status, 100 to 699.
        status: u16,
        /// The reason phrase, possibly empty.
        reason: String,
    },
}

/// Why bytes are not a SIP message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// There is no empty line after the headers.
    #[error("message has no end of headers")]
    Incomplete,
    /// The first line is neither a request line nor a status line.
    #[error("start line is malformed")]
    StartLine,
    /// A header line has no colon or no name.
    #[error("header line is malformed")]
    HeaderLine,
    /// More than [`HEADERS_MAX`] header lines.
    #[error("message has too many headers")]
    TooManyHeaders,
    /// Content-Length is no number, or larger than the body that came.
    #[error("content length does not fit the body")]
    ContentLength,
}

/// A request or a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The first line.
    pub start: StartLine,
    headers: Vec<(String, String)>,
    /// The body; Content-Length is written from its length.
    pub body: Vec<u8>,
}

impl Message {
    /// An empty request.
    pub fn request(method: Method, uri: impl Into<String>) -> Self {
        let uri = uri.into();
        Self {
            start: StartLine::Request { method, uri },
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// An empty response.
    pub fn response(status: u16, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self {
            start: StartLine::Response { status, reason },
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Reads one message. Bytes behind Content-Length are dropped (RFC 3261 18.3).
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let skipped = bytes
            .iter()
            .take_while(|b| matches!(b, b'\r' | b'\n'))
            .count();
        let bytes = &bytes[skipped..];
        let (head_end, body_start) = end_of_headers(bytes).ok_or(ParseError::Incomplete)?;
        let head = String::from_utf8_lossy(&bytes[..head_end]);
        let mut lines = head
            .split('\n')
            .map(|line| line.strip_suffix('\r').unwrap_or(line));
        let start = parse_start(lines.next().unwrap_or_default())?;
        let headers = parse_headers(lines)?;
        let mut message = Self {
            start,
            headers,
            body: Vec::new(),
        };
        let available = &bytes[body_start..];
        let length = match message.header("Content-Length") {
            Some(text) => text
                .parse::<usize>()
                .map_err(|_| ParseError::ContentLength)?,
            None => available.len(),
        };
        message.body = available
            .get(..length)
            .ok_or(ParseError::ContentLength)?
            .to_vec();
        message.remove("Content-Length");
        Ok(message)
    }

    /// The message as it goes over the wire, with its Content-Length.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = match &self.start {
            StartLine::Request { method, uri } => format!("{method} {uri} SIP/2.0\r\n"),
            StartLine::Response { status, reason } => format!("SIP/2.0 {status} {reason}\r\n"),
        };
        for (name, value) in &self.headers {
            text.push_str(name);
            text.push_str(": ");
            text.push_str(value);
            text.push_str("\r\n");
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n", self.body.len()));
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Appends a header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.push(name, value);
        self
    }

    /// Sets the body and its Content-Type.
    #[must_use]
    pub fn with_body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.push("Content-Type", content_type);
        self.body = body.into();
        self
    }

    /// Appends a header in place.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        self.headers.push((name.to_owned(), value.into()));
    }

    /// Puts a header before all others, where the topmost Via belongs.
    pub fn push_front(&mut self, name: &str, value: impl Into<String>) {
        self.headers.insert(0, (name.to_owned(), value.into()));
    }

    /// Replaces every header of this name by one value; appends it if there was none.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let at = self
            .headers
            .iter()
            .position(|(n, _)| n.eq_ignore_ascii_case(name));
        self.remove(name);
        let at = at.unwrap_or(self.headers.len()).min(self.headers.len());
        self.headers.insert(at, (name.to_owned(), value.into()));
    }

    /// Removes every header of this name.
    pub fn remove(&mut self, name: &str) {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    /// The first header of this name (long form, any case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Every header line of this name, in order.
    pub fn headers_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }

    /// All headers in order, names in their long form.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The method of a request.
    pub fn method(&self) -> Option<&Method> {
        match &self.start {
            StartLine::Request { method, .. } => Some(method),
            StartLine::Response { .. } => None,
        }
    }

    /// The Request-URI of a request.
    pub fn uri(&self) -> Option<&str> {
        match &self.start {
            StartLine::Request { uri, .. } => Some(uri),
            StartLine::Response { .. } => None,
        }
    }

    /// The status of a response.
    pub fn status(&self) -> Option<u16> {
        match &self.start {
            StartLine::Request { .. } => None,
            StartLine::Response { status, .. } => Some(*status),
        }
    }

    /// The reason phrase of a response; empty for a request.
    pub fn reason(&self) -> &str {
        match &self.start {
            StartLine::Request { .. } => "",
            StartLine::Response { reason, .. } => reason,
        }
    }

    /// Number and method of the CSeq header.
    pub fn cseq(&self) -> Option<(u32, Method)> {
        let mut parts = self.header("CSeq")?.split_ascii_whitespace();
        let number = parts.next()?.parse().ok()?;
        let method = Method::from_name(parts.next()?);
        Some((number, method))
    }
}

/// Where the headers end and the body begins.
fn end_of_headers(bytes: &[u8]) -> Option<(usize, usize)> {
    let crlf = bytes
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .map(|at| (at, at + 4));
    let lf = bytes
        .windows(2)
        .position(|w| w == b"\n\n")
        .map(|at| (at, at + 2));
    match (crlf, lf) {
        (Some(a), Some(b)) => Some(if a.0 < b.0 { a } else { b }),
        (a, b) => a.or(b),
    }
}

fn parse_start(line: &str) -> Result<StartLine, ParseError> {
    if let Some(rest) = line.strip_prefix("SIP/2.0 ") {
        let (status, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        let status = status.parse::<u16>().map_err(|_| ParseError::StartLine)?;
        if !(100..700).contains(&status) {
            return Err(ParseError::StartLine);
        }
        return Ok(StartLine::Response {
            status,
            reason: reason.to_owned(),
        });
    }
    let mut parts = line.split(' ');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(method), Some(uri), Some("SIP/2.0"), None)
            if !method.is_empty() && !uri.is_empty() =>
        {
            Ok(StartLine::Request {
                method: Method::from_name(method),
                uri: uri.to_owned(),
            })
        }
        _ => Err(ParseError::StartLine),
    }
}

fn parse_headers<'a>(
    lines: impl Iterator<Item = &'a str>,
) -> Result<Vec<(String, String)>, ParseError> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in lines {
        // A line that starts with white space continues the one before (RFC 3261 7.3.1).
        if line.starts_with([' ', '\t']) {
            let (_, value) = headers.last_mut().ok_or(ParseError::HeaderLine)?;
            value.push(' ');
            value.push_str(line.trim());
            continue;
        }
        let (name, value) = line.split_once(':').ok_or(ParseError::HeaderLine)?;
        let name = name.trim_end();
        if name.is_empty() {
            return Err(ParseError::HeaderLine);
        }
        if headers.len() >= HEADERS_MAX {
            return Err(ParseError::TooManyHeaders);
        }
        headers.push((long_name(name).to_owned(), value.trim().to_owned()));
    }
    Ok(headers)
}

/// The long form of a compact header name (RFC 3261 7.3.3 and its extensions).
fn long_name(name: &str) -> &str {
    match name.to_ascii_lowercase().as_str() {
        "i" => "Call-ID",
        "m" => "Contact",
        "e" => "Content-Encoding",
        "l" => "Content-Length",
        "c" => "Content-Type",
        "f" => "From",
        "s" => "Subject",
        "k" => "Supported",
        "t" => "To",
        "v" => "Via",
        _ => name,
    }
}

/// The usual reason phrase of a status.
pub(crate) fn phrase_of(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        183 => "Session Progress",
        200..300 => "OK",
        404 => "Not Found",
        405 => "Method Not Allowed",
        420 => "Bad Extension",
        408 => "Request Timeout",
        415 => "Unsupported Media Type",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        491 => "Request Pending",
        500 => "Server Internal Error",
        503 => "Service Unavailable",
        600 => "Busy Everywhere",
        603 => "Decline",
        101..180 | 181..183 | 184..200 => "Progress",
        300..400 => "Redirection",
        _ => "Refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &[u8] = b"INVITE sip:q@h SIP/2.0\r\nv: SIP/2.0/UDP a;branch=z9hG4bK1\r\nSubject: one\r\n two\r\nCSeq: 7 INVITE\r\nl: 4\r\n\r\nbodyjunk";

    #[test]
    fn compact_and_folded_headers_read_like_long_ones() {
        let message = Message::parse(INVITE).unwrap();
        assert_eq!(message.method(), Some(&Method::Invite));
        assert_eq!(message.header("via"), Some("SIP/2.0/UDP a;branch=z9hG4bK1"));
        assert_eq!(message.header("Subject"), Some("one two"));
        assert_eq!(message.cseq(), Some((7, Method::Invite)));
        assert_eq!(message.body, b"body");
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let sent = Message::response(180, "Ringing")
            .with("To", "<sip:a@b>;tag=1")
            .with_body("text/plain", "hi");
        assert_eq!(Message::parse(&sent.to_bytes()).unwrap(), sent);
    }

    #[test]
    fn every_cut_and_every_flipped_byte_is_an_error_or_a_message_and_never_a_panic() {
        for end in 0..INVITE.len() {
            let _ = Message::parse(&INVITE[..end]);
            for value in [0u8, b'\r', b'\n', b':', b'<', b'"', 0xff] {
                let mut bytes = INVITE.to_vec();
                bytes[end] = value;
                let _ = Message::parse(&bytes);
            }
        }
    }

    #[test]
    fn a_body_shorter_than_its_length_is_refused() {
        let bytes = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 9\r\n\r\nshort";
        assert_eq!(Message::parse(bytes), Err(ParseError::ContentLength));
    }
}
