//! SIP messages as this crate reads and writes them: a start line, headers in
//! order, a body. Names no stack, so that translation stays pure.

use std::fmt;

/// The request methods this server knows. What it serves is [`SERVED`]; the
/// boundary answers 405 to the others and 501 to unknown ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// RFC 3261, section 13.
    Invite,
    /// RFC 3261, section 13.2.2.4.
    Ack,
    /// RFC 3261, section 15.
    Bye,
    /// RFC 3261, section 9.
    Cancel,
    /// RFC 3261, section 11.
    Options,
    /// RFC 3261, section 10.
    Register,
    /// RFC 6086.
    Info,
    /// RFC 3311.
    Update,
    /// RFC 3515.
    Refer,
    /// RFC 3428.
    Message,
    /// RFC 6665.
    Notify,
    /// RFC 6665.
    Subscribe,
    /// RFC 3262.
    Prack,
    /// RFC 3903.
    Publish,
}

/// The methods that have a file under `inbound`, in the order of `Allow`.
pub const SERVED: [Method; 8] = [
    Method::Invite,
    Method::Ack,
    Method::Cancel,
    Method::Bye,
    Method::Options,
    Method::Register,
    Method::Info,
    Method::Refer,
];

/// Value of the `Allow` header: exactly what is served (RFC 3261, 20.5).
pub fn allow() -> String {
    SERVED
        .iter()
        .map(|method| method.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

impl Method {
    /// The method's token.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invite => "INVITE",
            Self::Ack => "ACK",
            Self::Bye => "BYE",
            Self::Cancel => "CANCEL",
            Self::Options => "OPTIONS",
            Self::Register => "REGISTER",
            Self::Info => "INFO",
            Self::Update => "UPDATE",
            Self::Refer => "REFER",
            Self::Message => "MESSAGE",
            Self::Notify => "NOTIFY",
            Self::Subscribe => "SUBSCRIBE",
            Self::Prack => "PRACK",
            Self::Publish => "PUBLISH",
        }
    }

    /// The method of a token; tokens are case-sensitive (RFC 3261, 7.1).
    pub fn parse(token: &str) -> Option<Self> {
        Some(match token {
            "INVITE" => Self::Invite,
            "ACK" => Self::Ack,
            "BYE" => Self::Bye,
            "CANCEL" => Self::Cancel,
            "OPTIONS" => Self::Options,
            "REGISTER" => Self::Register,
            "INFO" => Self::Info,
            "UPDATE" => Self::Update,
            "REFER" => Self::Refer,
            "MESSAGE" => Self::Message,
            "NOTIFY" => Self::Notify,
            "SUBSCRIBE" => Self::Subscribe,
            "PRACK" => Self::Prack,
            "PUBLISH" => Self::Publish,
            _ => return None,
        })
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Headers in the order of the message, names in their long form.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Headers(pub Vec<(String, String)>);

/// Names only: values carry numbers, names and credentials.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Headers {
    /// The first value of a header.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// All values of a header, one per line of the message.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// All values of a list header: lines and commas mean the same
    /// (RFC 3261, 7.3.1).
    pub fn list(&self, name: &str) -> Vec<String> {
        self.all(name)
            .flat_map(split_commas)
            .map(|item| item.trim().to_owned())
            .filter(|item| !item.is_empty())
            .collect()
    }

    /// Appends a header line.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_owned(), value.into()));
    }
}

/// Splits a header value at its commas, but not inside quotes or `<>`.
pub fn split_commas(value: &str) -> Vec<&str> {
    let mut items = Vec::new();
    let (mut start, mut quoted, mut angle, mut escaped) = (0, false, false, false);
    for (at, byte) in value.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'<' if !quoted => angle = true,
            b'>' if !quoted => angle = false,
            b',' if !quoted && !angle => {
                items.push(&value[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(&value[start..]);
    items
}

/// A request, received or to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What it asks.
    pub method: Method,
    /// The Request-URI as written.
    pub uri: String,
    /// All headers but Content-Length, which follows from the body.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

/// A response, received or to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code, 100 to 699.
    pub status: u16,
    /// All headers but Content-Length, which follows from the body.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

/// Which dialog a message belongs to, seen from here.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DialogId {
    /// The Call-ID.
    pub call_id: String,
    /// Our tag.
    pub local_tag: String,
    /// The other side's tag; empty before it has one.
    pub remote_tag: String,
}

impl Request {
    /// The number in CSeq.
    pub fn cseq(&self) -> Option<u32> {
        cseq(&self.headers).map(|(number, _)| number)
    }

    /// The dialog that a received request belongs to; `None` outside one.
    pub fn dialog(&self) -> Option<DialogId> {
        Some(DialogId {
            call_id: self.headers.get("Call-ID")?.to_owned(),
            local_tag: tag(self.headers.get("To")?)?.to_owned(),
            remote_tag: tag(self.headers.get("From")?).unwrap_or("").to_owned(),
        })
    }

    /// The dialog that a request of ours begins or belongs to.
    pub fn own_dialog(&self) -> Option<DialogId> {
        Some(DialogId {
            call_id: self.headers.get("Call-ID")?.to_owned(),
            local_tag: tag(self.headers.get("From")?)?.to_owned(),
            remote_tag: tag(self.headers.get("To")?).unwrap_or("").to_owned(),
        })
    }

    /// The body if it is a session description.
    pub fn sdp(&self) -> Option<&[u8]> {
        sdp(&self.headers, &self.body)
    }

    /// The option tags in `Require`.
    pub fn requires(&self) -> Vec<String> {
        self.headers.list("Require")
    }
}

impl Response {
    /// The method in CSeq.
    pub fn method(&self) -> Option<Method> {
        cseq(&self.headers).and_then(|(_, method)| Method::parse(method))
    }

    /// The number in CSeq.
    pub fn cseq(&self) -> Option<u32> {
        cseq(&self.headers).map(|(number, _)| number)
    }

    /// The dialog that a received response belongs to.
    pub fn dialog(&self) -> Option<DialogId> {
        Some(DialogId {
            call_id: self.headers.get("Call-ID")?.to_owned(),
            local_tag: tag(self.headers.get("From")?)?.to_owned(),
            remote_tag: tag(self.headers.get("To")?).unwrap_or("").to_owned(),
        })
    }

    /// The body if it is a session description.
    pub fn sdp(&self) -> Option<&[u8]> {
        sdp(&self.headers, &self.body)
    }

    /// Whether it ends the transaction with success.
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// Whether it ends the transaction.
    pub const fn is_final(&self) -> bool {
        self.status >= 200
    }
}

fn cseq(headers: &Headers) -> Option<(u32, &str)> {
    let (number, method) = headers.get("CSeq")?.trim().split_once([' ', '\t'])?;
    Some((number.parse().ok()?, method.trim()))
}

fn sdp<'a>(headers: &Headers, body: &'a [u8]) -> Option<&'a [u8]> {
    let kind = headers.get("Content-Type")?;
    let kind = kind.split(';').next().unwrap_or_default().trim();
    (kind.eq_ignore_ascii_case("application/sdp") && !body.is_empty()).then_some(body)
}

/// The tag of a From or To value; parameters inside `<>` belong to the URI.
pub fn tag(value: &str) -> Option<&str> {
    let parameters = match value.rfind('>') {
        Some(at) => &value[at + 1..],
        None => value.split_once(';').map_or("", |(_, rest)| rest),
    };
    parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("tag")
            .then(|| value.trim())
    })
}

/// The phrase that goes with a status code (RFC 3261, section 21).
pub const fn phrase(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        182 => "Queued",
        183 => "Session Progress",
        200 => "OK",
        202 => "Accepted",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        413 => "Request Entity Too Large",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        423 => "Interval Too Brief",
        430 => "Flow Failed",
        480 => "Temporarily Unavailable",
        469 => "Bad Info Package",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        484 => "Address Incomplete",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        491 => "Request Pending",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        606 => "Not Acceptable",
        _ => "Status",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_in_a_quoted_name_or_uri_does_not_split_a_header() {
        let value = r#""Bond, \"J,\"" <sip:a,b@h>;x=1, <sip:c@h>"#;
        assert_eq!(
            split_commas(value),
            [r#""Bond, \"J,\"" <sip:a,b@h>;x=1"#, " <sip:c@h>"]
        );
    }

    #[test]
    fn the_tag_is_found_outside_the_uri_only() {
        assert_eq!(tag("<sip:a@h;tag=no>;tag=yes"), Some("yes"));
        assert_eq!(tag("sip:a@h;tag=bare"), Some("bare"));
        assert_eq!(tag("\"x\" <sip:a@h;tag=no>"), None);
    }

    #[test]
    fn allow_lists_what_is_served() {
        assert_eq!(
            allow(),
            "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, INFO, REFER"
        );
    }
}
