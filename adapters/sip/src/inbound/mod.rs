//! From a SIP request to what it means: pure, one file per method. Each returns
//! the facts, or the response that refuses the request.

pub mod bye;
pub mod cancel;
pub mod diversion;
pub mod info;
pub mod invite;
pub mod options;
pub mod register;
mod user_agent;

use crate::message::{Request, Response};
use domain::cause::WireCause;

/// What a request says about the end it brings.
pub fn wire_cause(request: &Request) -> WireCause {
    WireCause {
        sip_status: None,
        reason_header: request.headers.get("Reason").map(bounded),
        warning: None,
    }
}

/// What a final response says about the failure it brings.
pub fn wire_cause_of_response(response: &Response) -> WireCause {
    WireCause {
        sip_status: Some(response.status),
        reason_header: response.headers.get("Reason").map(bounded),
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

fn bounded(value: &str) -> String {
    value.chars().take(REASON_MAX).collect()
}
