//! Responses: only what cannot hurt the stack gets through; the rest is dropped,
//! for a response is never answered.

use super::name_addr::NameAddr;
use super::syntax::cseq;
use super::via::Via;
use super::wire::Wire;
use super::{BODY_BYTES_MAX, DropReason, Transport, Verdict, body, print};
use crate::message::{Method, split_commas};

/// Judges a response.
pub(super) fn inspect(wire: &Wire<'_>, transport: Transport) -> Verdict {
    reprint(wire, transport).map_or(Verdict::Drop(DropReason::BadResponse), Verdict::Pass)
}

fn reprint(wire: &Wire<'_>, transport: Transport) -> Option<Vec<u8>> {
    let start = status_line(wire.start)?;
    let single = ["Call-ID", "CSeq", "From", "To", "Content-Length"];
    if wire.fault.is_some()
        || wire.body.len() > BODY_BYTES_MAX
        || single.iter().any(|name| wire.count(name) > 1)
    {
        return None;
    }
    // More than one Via: meant for a proxy (RFC 3261, 8.1.3.3).
    if wire.all("Via").flat_map(split_commas).count() != 1 {
        return None;
    }
    let via = Via::parse(wire.get("Via")?).ok()?;
    let (seq, method) = cseq(wire.get("CSeq")?).ok()?;
    Method::parse(method)?;
    let from = NameAddr::parse(wire.get("From")?).ok()?;
    from.tag().ok()??;
    let to = NameAddr::parse(wire.get("To")?).ok()?;
    to.tag().ok()?;
    let call_id = wire.get("Call-ID")?;
    if call_id.is_empty() || call_id.contains(char::is_whitespace) {
        return None;
    }
    let body = body(wire, transport).ok()?;
    let mut fields = Vec::with_capacity(wire.fields.len());
    for field in &wire.fields {
        let value = match field.name.as_ref() {
            "Content-Length" => continue,
            "Via" => via.print(),
            "CSeq" => format!("{seq} {method}"),
            "From" => from.print(&from.uri.for_echo()),
            "To" => to.print(&to.uri.for_echo()),
            // One that cannot be read is left out: it must not cost the answer.
            "Contact" | "Record-Route" => match addresses(&field.value) {
                Some(value) => value,
                None => continue,
            },
            _ => field.value.clone(),
        };
        fields.push((field.name.as_ref(), value));
    }
    Some(print(&start, &fields, body))
}

/// `SIP/2.0 200 OK` with a code from 100 to 699; the phrase may be empty or in
/// any language (RFC 4475, 3.1.1.12 and 13).
fn status_line(start: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(start);
    let rest = text.strip_prefix("SIP/2.0 ")?;
    let (code, phrase) = rest.split_once(' ').unwrap_or((rest, ""));
    let valid = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit());
    let code: u16 = code.parse().ok().filter(|_| valid)?;
    let phrase: String = phrase.chars().filter(|c| !c.is_control()).collect();
    (100..700)
        .contains(&code)
        .then(|| format!("SIP/2.0 {code} {phrase}"))
}

fn addresses(value: &str) -> Option<String> {
    let printed: Result<Vec<String>, _> = split_commas(value)
        .into_iter()
        .map(|item| NameAddr::parse(item).map(|address| address.print(&address.uri.for_routing())))
        .collect();
    printed.ok().map(|list| list.join(", "))
}
