//! A message that is only passed on: its head as lines that can be changed, the
//! rest as it came. What a proxy needs, and no more.

use super::{Transport, body, print, wire};
use crate::message::{split_commas, tag};

/// A message on its way to somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passing {
    start: String,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Passing {
    /// Reads one; `None` when its lines or its length are not whole.
    pub fn read(bytes: &[u8], transport: Transport) -> Option<Self> {
        let wire = wire::split(bytes)?;
        if wire.fault.is_some() || wire.fields.iter().any(|field| !field.utf8) {
            return None;
        }
        let body = body(&wire, transport).ok()?.to_vec();
        let fields = wire
            .fields
            .into_iter()
            .filter(|field| !field.is("Content-Length"))
            .map(|field| (field.name.into_owned(), field.value))
            .collect();
        Some(Self {
            start: String::from_utf8(wire.start.to_vec()).ok()?,
            fields,
            body,
        })
    }

    /// Whether it is a response.
    pub fn is_response(&self) -> bool {
        self.start.starts_with("SIP/")
    }

    /// The method of a request.
    pub fn method(&self) -> &str {
        self.start.split(' ').next().unwrap_or_default()
    }

    /// The Request-URI of a request.
    pub fn uri(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or_default()
    }

    /// The first item of a list header.
    pub fn top(&self, name: &str) -> Option<&str> {
        let (_, value) = self.fields.iter().find(|(have, _)| is(have, name))?;
        split_commas(value).first().map(|item| item.trim())
    }

    /// Takes the first item of a list header off.
    pub fn pop(&mut self, name: &str) {
        let Some(at) = self.fields.iter().position(|(have, _)| is(have, name)) else {
            return;
        };
        let rest = split_commas(&self.fields[at].1)[1..].join(",");
        match rest.trim() {
            "" => {
                self.fields.remove(at);
            }
            rest => self.fields[at].1 = rest.to_owned(),
        }
    }

    /// Puts a header line before all others.
    pub fn push_top(&mut self, name: &str, value: String) {
        self.fields.insert(0, (name.to_owned(), value));
    }

    /// Takes a hop off Max-Forwards (RFC 3261, 16.6, step 3); false when there
    /// is none left.
    pub fn take_hop(&mut self) -> bool {
        let found = self
            .fields
            .iter_mut()
            .find(|(have, _)| is(have, "Max-Forwards"));
        let Some((_, value)) = found else {
            self.push_top("Max-Forwards", "70".to_owned());
            return true;
        };
        let left: Option<u32> = value.trim().parse().ok();
        match left.and_then(|left| left.checked_sub(1)) {
            Some(left) => {
                *value = left.to_string();
                true
            }
            None => false,
        }
    }

    /// The bytes to be sent.
    pub fn write(&self) -> Vec<u8> {
        let fields = self.fields.iter();
        let fields: Vec<(&str, String)> = fields
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        print(&self.start, &fields, &self.body)
    }

    /// A final response of our own to it, the same for every copy.
    pub fn answer(&self, status: u16, to_tag: &str) -> Vec<u8> {
        let start = format!("SIP/2.0 {status} {}", crate::message::phrase(status));
        let echoed = ["Via", "From", "To", "Call-ID", "CSeq"];
        let fields = self.fields.iter();
        let fields: Vec<(&str, String)> = fields
            .filter(|(name, _)| echoed.iter().any(|echoed| is(name, echoed)))
            .map(
                |(name, value)| match is(name, "To") && tag(value).is_none() {
                    true => (name.as_str(), format!("{value};tag={to_tag}")),
                    false => (name.as_str(), value.clone()),
                },
            )
            .collect();
        print(&start, &fields, b"")
    }
}

fn is(have: &str, name: &str) -> bool {
    have.eq_ignore_ascii_case(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &str = "INVITE sip:a@h SIP/2.0\r\nv: SIP/2.0/UDP one,SIP/2.0/UDP two\r\n\
        Route: <sip:us;lr>\r\nRoute: <sip:next;lr>\r\nMax-Forwards: 2\r\nTo: <sip:a@h>\r\n\
        Content-Length: 2\r\n\r\nhi";

    fn read(text: &str) -> Passing {
        Passing::read(text.as_bytes(), Transport::Tcp).unwrap()
    }

    #[test]
    fn what_is_not_touched_stays_and_lists_are_taken_from_the_top() {
        let mut message = read(INVITE);
        assert_eq!((message.method(), message.uri()), ("INVITE", "sip:a@h"));
        assert_eq!(message.top("Via"), Some("SIP/2.0/UDP one"));
        message.pop("Route");
        assert_eq!(message.top("Route"), Some("<sip:next;lr>"));
        message.pop("Via");
        message.push_top("Via", "SIP/2.0/TCP us".into());
        assert_eq!(
            String::from_utf8(message.write()).unwrap(),
            "INVITE sip:a@h SIP/2.0\r\nVia: SIP/2.0/TCP us\r\nVia: SIP/2.0/UDP two\r\n\
             Route: <sip:next;lr>\r\nMax-Forwards: 2\r\nTo: <sip:a@h>\r\n\
             Content-Length: 2\r\n\r\nhi"
        );
    }

    #[test]
    fn hops_end() {
        let mut message = read(INVITE);
        assert!(message.take_hop() && message.take_hop());
        assert_eq!(message.top("Max-Forwards"), Some("0"));
        assert!(!message.take_hop());
    }

    #[test]
    fn an_answer_goes_back_along_the_vias() {
        let answer = String::from_utf8(read(INVITE).answer(430, "t")).unwrap();
        assert!(answer.starts_with("SIP/2.0 430 "), "{answer}");
        assert!(
            answer.contains("Via: SIP/2.0/UDP one,SIP/2.0/UDP two\r\n"),
            "{answer}"
        );
        assert!(answer.contains("To: <sip:a@h>;tag=t\r\n"), "{answer}");
        assert!(answer.ends_with("Content-Length: 0\r\n\r\n"), "{answer}");
    }

    #[test]
    fn half_a_message_is_none() {
        let half = INVITE.len() / 2;
        let read = Passing::read(&INVITE.as_bytes()[..half], Transport::Tcp);
        assert_eq!(read, None);
    }
}
