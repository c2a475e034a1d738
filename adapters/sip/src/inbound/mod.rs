//! From a SIP request to what it means: pure, one file per method. Each returns
//! the facts, or the response that refuses the request.

pub mod bye;
pub mod cancel;
pub mod diversion;
pub mod info;
pub mod invite;
pub mod options;
pub mod refer;
pub mod register;
mod user_agent;

use crate::message::{Headers, Request, Response};
use domain::cause::WireCause;

/// What a request says about the end it brings.
pub fn wire_cause(request: &Request) -> WireCause {
    WireCause {
        sip_status: None,
        reason_header: reasons(&request.headers),
        warning: None,
    }
}

/// What a final response says about the failure it brings.
pub fn wire_cause_of_response(response: &Response) -> WireCause {
    WireCause {
        sip_status: Some(response.status),
        reason_header: reasons(&response.headers),
        warning: response.headers.get("Warning").and_then(warn_code),
    }
}

/// What a phone that answers says that it is: a phone has User-Agent, what calls itself a
/// server has Server (RFC 3261, 20.35 and 20.41).
pub fn device_of(response: &Response) -> Option<String> {
    let said = response.headers.get("User-Agent");
    let said = said.or_else(|| response.headers.get("Server"));
    said.and_then(user_agent::products)
}

/// The warn-code of the first warning (RFC 3261, 20.43).
fn warn_code(value: &str) -> Option<u16> {
    let code = value.split_whitespace().next()?;
    code.parse().ok().filter(|code| (300..400).contains(code))
}

/// Longest Reason header that goes into the record, in characters.
const REASON_MAX: usize = 200;

/// All reasons in one line: lines and commas mean the same (RFC 3261, 7.3.1), and each
/// protocol has its own (RFC 3326). Where they are too long, the line with the cause by
/// Q.850, which decides what became of the call, is first.
fn reasons(headers: &Headers) -> Option<String> {
    let mut lines: Vec<&str> = headers.all("Reason").collect();
    let joined = lines.join(", ");
    if joined.chars().count() > REASON_MAX {
        let has_cause = |line: &&str| {
            let wire = WireCause {
                reason_header: Some((*line).to_owned()),
                ..WireCause::default()
            };
            wire.q850().is_some()
        };
        lines.sort_by_key(|line| !has_cause(line));
    }
    let joined = lines.join(", ");
    (!lines.is_empty()).then(|| joined.chars().take(REASON_MAX).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::cause::OfferOutcome;

    #[test]
    fn reasons_of_several_lines_are_kept_in_one() {
        let line = |value: &str| ("Reason".to_owned(), value.to_owned());
        let said = |lines: &[&str]| {
            let headers = Headers(lines.iter().map(|value| line(value)).collect());
            reasons(&headers)
        };
        assert_eq!(said(&[]), None);
        let both = "SIP;cause=503;text=\"a, b\", Q.850;cause=17";
        let lines = ["SIP;cause=503;text=\"a, b\"", "Q.850;cause=17"];
        assert_eq!(said(&lines).as_deref(), Some(both));
        let wire = WireCause {
            sip_status: Some(503),
            reason_header: said(&lines),
            warning: None,
        };
        assert_eq!(wire.q850(), Some(17));
        assert_eq!(OfferOutcome::of_outside(&wire), OfferOutcome::Busy);
        let long = said(&["x".repeat(150).as_str(), "y".repeat(150).as_str()]);
        assert_eq!(long.unwrap().chars().count(), REASON_MAX);
        let text = format!("SIP;cause=503;text=\"{}\"", "x".repeat(200));
        let cut = WireCause {
            reason_header: said(&[&text, "Q.850;cause=17"]),
            ..WireCause::default()
        };
        assert_eq!(cut.q850(), Some(17));
    }
}
