//! What is wrong with a message although it can be used: a test peer notices what a forgiving phone would overlook.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::address::{param, tag_of, uri_of};
use crate::message::{Message, Method, StartLine};

/// Complaints kept by a phone; a server that does everything wrong is known well enough by then.
pub const COMPLAINTS_MAX: usize = 1000;

/// One rule that a received message breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// When the message came.
    pub at: Instant,
    /// The rule, with its section.
    pub rule: &'static str,
    /// The message's first line and CSeq.
    pub message: String,
}

/// The complaints of one phone, shared between its task and its handle.
#[derive(Debug, Clone, Default)]
pub(crate) struct Complaints {
    list: Arc<Mutex<Vec<Complaint>>>,
}

impl Complaints {
    /// Looks at a received message and keeps what is wrong with it.
    pub(crate) fn check(&self, at: Instant, message: &Message) {
        let broken = broken_rules(message);
        if broken.is_empty() {
            return;
        }
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        for rule in broken {
            if list.len() < COMPLAINTS_MAX {
                list.push(Complaint {
                    at,
                    rule,
                    message: describe(message),
                });
            }
        }
    }

    pub(crate) fn all(&self) -> Vec<Complaint> {
        self.list
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn describe(message: &Message) -> String {
    let cseq = message.header("CSeq").unwrap_or("no CSeq");
    match &message.start {
        StartLine::Request { method, uri } => format!("{method} {uri} ({cseq})"),
        StartLine::Response { status, reason } => format!("{status} {reason} ({cseq})"),
    }
}

/// Every rule of RFC 3261 that this message breaks, as far as one message alone can tell.
pub fn broken_rules(message: &Message) -> Vec<&'static str> {
    let mut broken = Vec::new();
    let mut require = |held: bool, rule: &'static str| {
        if !held {
            broken.push(rule);
        }
    };
    for (name, rule) in [
        ("Via", "8.1.1: Via is mandatory"),
        ("From", "8.1.1: From is mandatory"),
        ("To", "8.1.1: To is mandatory"),
        ("Call-ID", "8.1.1: Call-ID is mandatory"),
        ("CSeq", "8.1.1: CSeq is mandatory"),
    ] {
        require(message.header(name).is_some(), rule);
    }
    for (name, rule) in [
        ("From", "7.3.1: From is single"),
        ("To", "7.3.1: To is single"),
        ("Call-ID", "7.3.1: Call-ID is single"),
        ("CSeq", "7.3.1: CSeq is single"),
        ("Content-Type", "7.3.1: Content-Type is single"),
    ] {
        require(message.headers_named(name).count() <= 1, rule);
    }
    let from_tag = message.header("From").and_then(tag_of);
    require(from_tag.is_some(), "8.1.1.3: From has a tag");
    let branch = message
        .header("Via")
        .and_then(|via| param(via, "branch"))
        .unwrap_or_default();
    require(
        branch.len() > 7 && branch.starts_with("z9hG4bK"),
        "8.1.1.7: the branch starts with z9hG4bK",
    );
    let typed = message.body.is_empty() || message.header("Content-Type").is_some();
    require(typed, "7.4.1: a body has a Content-Type");
    broken.extend(match &message.start {
        StartLine::Request { method, .. } => broken_by_request(message, method),
        StartLine::Response { status, .. } => broken_by_response(message, *status),
    });
    broken
}

fn broken_by_request(request: &Message, method: &Method) -> Vec<&'static str> {
    let mut broken = Vec::new();
    let hops = request
        .header("Max-Forwards")
        .and_then(|text| text.parse::<u8>().ok());
    if hops.is_none() {
        broken.push("8.1.1.6: a request has Max-Forwards, 0 to 255");
    }
    if request.cseq().is_some_and(|(_, cseq)| cseq != *method) {
        broken.push("8.1.1.5: the method of CSeq is that of the request");
    }
    let contacts = request.headers_named("Contact").count();
    if *method == Method::Invite && (contacts != 1 || !contact_is_sip(request)) {
        broken.push("8.1.1.8: an INVITE has one Contact with a SIP URI");
    }
    let tagged = request.header("To").and_then(tag_of).is_some();
    if matches!(method, Method::Bye) && !tagged {
        broken.push("12.2.1.1: a request inside a dialog has the To tag");
    }
    broken
}

fn broken_by_response(response: &Message, status: u16) -> Vec<&'static str> {
    let mut broken = Vec::new();
    let has = |name: &str| response.header(name).is_some();
    let invite = response
        .cseq()
        .is_some_and(|(_, method)| method == Method::Invite);
    if status > 100 && response.header("To").and_then(tag_of).is_none() {
        broken.push("8.2.6.2: a response above 100 has a To tag");
    }
    if invite && (200..300).contains(&status) && !contact_is_sip(response) {
        broken.push("12.1.1: a 2xx to INVITE has a Contact with a SIP URI");
    }
    match status {
        401 if !has("WWW-Authenticate") => broken.push("22.1: 401 has a challenge"),
        405 if !has("Allow") => broken.push("8.2.1: 405 has Allow"),
        407 if !has("Proxy-Authenticate") => broken.push("22.3: 407 has a challenge"),
        415 if !has("Accept") && !has("Accept-Encoding") && !has("Accept-Language") => {
            broken.push("8.2.3: 415 says what is accepted");
        }
        420 if !has("Unsupported") => broken.push("8.2.2.3: 420 names the extension"),
        423 if !has("Min-Expires") => broken.push("10.3: 423 has Min-Expires"),
        _ => {}
    }
    broken
}

fn contact_is_sip(message: &Message) -> bool {
    let uri = message.header("Contact").map(uri_of).unwrap_or_default();
    uri.starts_with("sip:") || uri.starts_with("sips:")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(message: Message) -> Message {
        message
            .with("Via", "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1")
            .with("From", "<sip:a@b>;tag=1")
            .with("To", "<sip:c@b>;tag=2")
            .with("Call-ID", "x")
            .with("CSeq", "1 INVITE")
            .with("Contact", "<sip:c@127.0.0.1>")
            .with("Max-Forwards", "70")
    }

    fn check(message: &Message, expected: &[&str]) {
        let sections = broken_rules(message)
            .iter()
            .map(|rule| rule.split(':').next().unwrap())
            .collect::<Vec<_>>();
        assert_eq!(sections, expected, "{message:?}");
    }

    #[test]
    fn a_good_message_breaks_nothing_and_each_fault_is_named_by_its_section() {
        let invite = good(Message::request(Method::Invite, "sip:c@b"));
        check(&invite, &[]);
        check(&good(Message::response(200, "OK")), &[]);
        let without = |message: &Message, name: &str| {
            let mut message = message.clone();
            message.remove(name);
            message
        };
        check(&without(&invite, "Max-Forwards"), &["8.1.1.6"]);
        check(&without(&invite, "Contact"), &["8.1.1.8"]);
        check(&without(&invite, "Call-ID"), &["8.1.1"]);
        check(
            &without(&good(Message::response(200, "OK")), "Contact"),
            &["12.1.1"],
        );
        check(&good(Message::response(405, "No")), &["8.2.1"]);
        check(&good(Message::response(401, "No")), &["22.1"]);
        let mut untagged = good(Message::response(180, "Ringing"));
        untagged.set("To", "<sip:c@b>");
        check(&untagged, &["8.2.6.2"]);
    }
}
