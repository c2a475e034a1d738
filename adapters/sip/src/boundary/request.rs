//! Requests: the checks of RFC 3261, 8.2 and 16.3 that need no state, and the
//! printing of what passed.

use super::answer::{self, Refusal};
use super::name_addr::NameAddr;
use super::syntax::{Fault, cseq, number};
use super::uri::Uri;
use super::via::Via;
use super::wire::{Wire, is_token};
use super::{
    BODY_BYTES_MAX, CALL_ID_BYTES_MAX, DropReason, HEAD_BYTES_MAX, Origin, SUPPORTED_OPTIONS,
    Verdict, body, print,
};
use crate::message::{Headers, Method, SERVED, allow, split_commas};

/// Headers that may be there once only.
const SINGLE: [&str; 10] = [
    "Call-ID",
    "CSeq",
    "From",
    "To",
    "Max-Forwards",
    "Content-Length",
    "Content-Type",
    "Expires",
    "Replaces",
    "Refer-To",
];

/// The largest Max-Forwards (RFC 3261, 20.22).
const MAX_FORWARDS_MAX: u64 = 255;

/// The request line, taken apart but not judged.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    method: &'a str,
    uri: &'a str,
    version: &'a str,
    /// Whether there is exactly one space between the three.
    exact: bool,
}

impl<'a> Line<'a> {
    /// `None` if it is no SIP request line at all.
    fn parse(start: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(start).ok()?;
        let mut tokens = text.split_ascii_whitespace();
        let method = tokens.next()?;
        let version = tokens.next_back().filter(|token| {
            token
                .get(..4)
                .is_some_and(|start| start.eq_ignore_ascii_case("SIP/"))
        })?;
        let trimmed = text.trim_ascii();
        let uri = trimmed
            .get(method.len()..trimmed.len().checked_sub(version.len())?)?
            .trim_ascii();
        let exact = text.len() == method.len() + uri.len() + version.len() + 2
            && !uri.is_empty()
            && !uri.contains(char::is_whitespace);
        Some(Self {
            method,
            uri,
            version,
            exact,
        })
    }
}

/// A request that passed, in parts that print right.
struct Checked<'a> {
    line: Line<'a>,
    uri: Uri,
    via: Via,
    from: NameAddr,
    to: NameAddr,
    seq: u32,
    contacts: Option<String>,
    body: &'a [u8],
}

/// Judges a request.
pub(super) fn inspect(wire: &Wire<'_>, origin: Origin) -> Verdict {
    let Some(line) = Line::parse(wire.start) else {
        return Verdict::Drop(DropReason::NotSip);
    };
    match check(wire, line, origin) {
        Ok(mut checked) => {
            checked.via.stamp(origin.source);
            Verdict::Pass(reprint(wire, &checked))
        }
        Err(_) if line.method == "ACK" => Verdict::Drop(DropReason::BadAck),
        Err(refusal) => answer::build(wire, origin, &refusal),
    }
}

fn check<'a>(wire: &Wire<'a>, line: Line<'a>, origin: Origin) -> Result<Checked<'a>, Refusal> {
    version(line)?;
    limits(wire)?;
    if let Some(fault) = wire.fault {
        return Err(fault.into());
    }
    let via = present_once(wire)?;
    let (seq, method) = cseq(wire.get("CSeq").unwrap_or_default())?;
    if method != line.method {
        return Err("CSeq method does not match the request".into());
    }
    let from = NameAddr::parse(wire.get("From").unwrap_or_default())?;
    let to = NameAddr::parse(wire.get("To").unwrap_or_default())?;
    from.tag()?;
    let in_dialog = to.tag()?.is_some();
    call_id(wire.get("Call-ID").unwrap_or_default())?;
    let hops = max_forwards(wire)?;
    let body = body(wire, origin.transport)?;
    let method = served(line.method)?;
    let uri = request_uri(line.uri)?;
    if method == Method::Register && !to.uri.is_sip() {
        return Err("To is no SIP URI".into());
    }
    let contacts = contacts(wire, method, &via, &from)?;
    routes(wire)?;
    if hops == Some(0) && counts_hops(method) && !in_dialog {
        return Err(Refusal::new(483));
    }
    if !matches!(method, Method::Ack | Method::Cancel) {
        required_options(wire)?;
    }
    if method == Method::Invite {
        content(wire, body)?;
    }
    Ok(Checked {
        line,
        uri,
        via,
        from,
        to,
        seq,
        contacts,
        body,
    })
}

fn version(line: Line<'_>) -> Result<(), Refusal> {
    if !line.version.eq_ignore_ascii_case("SIP/2.0") {
        let numbers = line.version.get(4..).and_then(|text| text.split_once('.'));
        return match numbers {
            Some((major, minor)) if number(major).is_some() && number(minor).is_some() => {
                Err(Refusal::new(505))
            }
            Some(_) | None => Err("malformed version".into()),
        };
    }
    if !line.exact {
        return Err("malformed request line".into());
    }
    Ok(())
}

fn limits(wire: &Wire<'_>) -> Result<(), Refusal> {
    let head: usize = wire.fields.iter().map(|field| field.value.len() + 4).sum();
    if head + wire.start.len() > HEAD_BYTES_MAX {
        return Err(Refusal::new(513));
    }
    if wire.body.len() > BODY_BYTES_MAX {
        return Err(Refusal::new(413));
    }
    Ok(())
}

fn present_once(wire: &Wire<'_>) -> Result<Via, Refusal> {
    if SINGLE.iter().any(|name| wire.count(name) > 1) {
        return Err("repeated header".into());
    }
    for (name, fault) in [
        ("Via", "missing Via"),
        ("From", "missing From"),
        ("To", "missing To"),
        ("Call-ID", "missing Call-ID"),
        ("CSeq", "missing CSeq"),
    ] {
        let Some(field) = wire.fields.iter().find(|field| field.is(name)) else {
            return Err(fault.into());
        };
        // A Via is echoed and matched byte for byte, the others name the dialog.
        if !field.utf8 {
            return Err("header is not UTF-8".into());
        }
    }
    Ok(Via::parse(wire.get("Via").unwrap_or_default())?)
}

fn call_id(value: &str) -> Result<(), Fault> {
    if value.is_empty() || value.contains(char::is_whitespace) {
        return Err("malformed Call-ID");
    }
    if value.len() > CALL_ID_BYTES_MAX {
        return Err("Call-ID too long");
    }
    Ok(())
}

/// `None` if it is missing, as RFC 2543 allows.
fn max_forwards(wire: &Wire<'_>) -> Result<Option<u64>, Fault> {
    wire.get("Max-Forwards")
        .map(|value| {
            number(value)
                .filter(|hops| *hops <= MAX_FORWARDS_MAX)
                .ok_or("malformed Max-Forwards")
        })
        .transpose()
}

/// Whether the request would make a request of ours: this server relays calls,
/// so that a loop through it must end (RFC 3261, 16.3).
const fn counts_hops(method: Method) -> bool {
    !matches!(method, Method::Ack | Method::Cancel | Method::Options)
}

fn served(token: &str) -> Result<Method, Refusal> {
    if !is_token(token) {
        return Err("malformed method".into());
    }
    match Method::parse(token) {
        Some(method) if SERVED.contains(&method) => Ok(method),
        Some(_) => Err(Refusal::new(405).with("Allow", allow())),
        None => Err(Refusal::new(501).with("Allow", allow())),
    }
}

fn request_uri(text: &str) -> Result<Uri, Refusal> {
    let uri = Uri::parse(text)?;
    if !uri.is_sip() {
        return Err(Refusal::new(416));
    }
    // Headers are not allowed in a Request-URI (RFC 3261, 19.1.1).
    if uri.headers.is_some() {
        return Err("headers in the Request-URI".into());
    }
    Ok(uri)
}

/// The Contact header to pass on; `None` leaves it out.
fn contacts(
    wire: &Wire<'_>,
    method: Method,
    via: &Via,
    from: &NameAddr,
) -> Result<Option<String>, Fault> {
    if method == Method::Register {
        return register_contacts(wire);
    }
    let mut list = wire.all("Contact").flat_map(split_commas);
    let first = list.next();
    let more = list.next().is_some();
    if method != Method::Invite {
        // Elsewhere it names nothing we need: a bad one is left out.
        let contact = first
            .filter(|_| !more)
            .and_then(|value| NameAddr::parse(value).ok());
        return Ok(contact.map(|contact| contact.print(&contact.uri.for_routing())));
    }
    match first {
        Some(_) if more => Err("more than one Contact"),
        Some(value) => {
            let contact = NameAddr::parse(value)?;
            if !contact.uri.is_sip() {
                return Err("Contact is no SIP URI");
            }
            Ok(Some(contact.print(&contact.uri.for_routing())))
        }
        None if via.has_magic_cookie() => Err("missing Contact"),
        // RFC 2543 did not ask for one: its From is where it is.
        None => Ok(from
            .uri
            .is_sip()
            .then(|| format!("<{}>", from.uri.for_routing()))),
    }
}

fn register_contacts(wire: &Wire<'_>) -> Result<Option<String>, Fault> {
    let mut printed = Vec::new();
    for value in wire.all("Contact").flat_map(split_commas) {
        if value.trim() == "*" {
            printed.push("*".to_owned());
            continue;
        }
        let contact = NameAddr::parse(value)?;
        printed.push(contact.print(&contact.uri.for_routing()));
    }
    Ok((!printed.is_empty()).then(|| printed.join(", ")))
}

fn routes(wire: &Wire<'_>) -> Result<(), Fault> {
    for value in wire.all("Record-Route").chain(wire.all("Route")) {
        for route in split_commas(value) {
            NameAddr::parse(route).map_err(|_| "malformed route")?;
        }
    }
    Ok(())
}

fn required_options(wire: &Wire<'_>) -> Result<(), Refusal> {
    let unsupported: Vec<&str> = wire
        .all("Require")
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|option| !option.is_empty() && !SUPPORTED_OPTIONS.contains(option))
        .collect();
    if unsupported.is_empty() {
        return Ok(());
    }
    Err(Refusal::new(420).with("Unsupported", unsupported.join(", ")))
}

/// What the body of an INVITE may be (RFC 3261, 8.2.3), and what its sender
/// must be able to read back (20.1).
fn content(wire: &Wire<'_>, body: &[u8]) -> Result<(), Refusal> {
    let sdp = "application/sdp";
    if !body.is_empty() && !is_optional(wire) {
        let kind = wire.get("Content-Type").ok_or("missing Content-Type")?;
        if !media_type(kind).eq_ignore_ascii_case(sdp) {
            return Err(Refusal::new(415).with("Accept", sdp.to_owned()));
        }
        let encoded = wire
            .all("Content-Encoding")
            .any(|coding| !coding.eq_ignore_ascii_case("identity"));
        if encoded {
            return Err(Refusal::new(415).with("Accept-Encoding", "identity".to_owned()));
        }
    }
    let accepts = wire
        .all("Accept")
        .flat_map(|value| value.split(','))
        .any(|range| {
            ["application/sdp", "application/*", "*/*"]
                .iter()
                .any(|ours| media_type(range).eq_ignore_ascii_case(ours))
        });
    if wire.count("Accept") > 0 && !accepts {
        return Err(Refusal::new(406));
    }
    Ok(())
}

fn is_optional(wire: &Wire<'_>) -> bool {
    wire.get("Content-Disposition").is_some_and(|value| {
        let value: String = value.split_ascii_whitespace().collect();
        value.to_ascii_lowercase().contains("handling=optional")
    })
}

fn media_type(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

fn reprint(wire: &Wire<'_>, checked: &Checked<'_>) -> Vec<u8> {
    let start = format!(
        "{} {} SIP/2.0",
        checked.line.method,
        checked.uri.for_routing()
    );
    let mut fields = Vec::with_capacity(wire.fields.len() + 1);
    let mut seen = Headers::default();
    for field in &wire.fields {
        let first = seen.get(&field.name).is_none();
        seen.push(&field.name, "");
        let value = match field.name.as_ref() {
            "Content-Length" | "Contact" => continue,
            "Via" if first => checked.via.print(),
            "From" => from(wire, &checked.from),
            "To" => checked.to.print(&checked.to.uri.for_echo()),
            "CSeq" => format!("{} {}", checked.seq, checked.line.method),
            "Max-Forwards" => field.value.trim_start_matches('0').to_owned(),
            "Route" | "Record-Route" => reprint_routes(&field.value),
            _ => field.value.clone(),
        };
        let value = if value.is_empty() && field.is("Max-Forwards") {
            "0".to_owned()
        } else {
            value
        };
        fields.push((field.name.as_ref(), value));
    }
    if let Some(contacts) = &checked.contacts {
        fields.push(("Contact", contacts.clone()));
    }
    print(&start, &fields, checked.body)
}

/// A From without a tag is RFC 2543's: the stack needs one, [`super::outgoing`]
/// takes it out again.
fn from(wire: &Wire<'_>, from: &NameAddr) -> String {
    let mut out = from.print(&from.uri.for_echo());
    if from.param("tag").is_none() {
        out.push_str(&super::outgoing::tag_for(
            wire.get("Call-ID").unwrap_or_default(),
        ));
    }
    out
}

fn reprint_routes(value: &str) -> String {
    split_commas(value)
        .into_iter()
        .filter_map(|route| NameAddr::parse(route).ok())
        .map(|route| route.print(&route.uri.for_routing()))
        .collect::<Vec<_>>()
        .join(", ")
}
