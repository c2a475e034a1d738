//! INVITE (RFC 3261, 13.3): a call comes in, or a session inside a dialog
//! changes (14.2).

use super::{
    diversion::{self, Diverted},
    user_agent,
};
use crate::{
    address::{NameAddr, Uri, escape_user, quote},
    message::{Request, allow},
    sdp,
    stack::Reply,
};
use domain::{call::Command, cause::EndReason, id::LegId, sealed::Party};

/// Longest display name that is passed on, in characters.
const DISPLAY_NAME_MAX: usize = 80;

/// Longest user part that is passed on, in characters.
const USER_MAX: usize = 128;

/// A new call, as its INVITE describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCall {
    /// Who calls.
    pub from: Party,
    /// The same as a From value for the agent's phone, without a tag.
    pub shown_as: String,
    /// The caller shows no number.
    pub withheld: bool,
    /// User part of the Request-URI.
    pub to: String,
    /// Call-ID header.
    pub sip_call_id: String,
    /// Products of the User-Agent header: what the phone or the network says that
    /// it is.
    pub user_agent: Option<String>,
    /// Who sent it on to us.
    pub diverted: Option<Diverted>,
    /// The caller's description; `None` when it wants our offer.
    pub offer: Option<sdp::Remote>,
    /// How many further hops it may take (RFC 3261, 8.1.1.6).
    pub hops: u32,
    /// Why it can lead nowhere, whatever its address: known from the INVITE alone.
    pub refused: Option<EndReason>,
}

/// Reads an INVITE that starts a dialog. `our_host` stands in the From value of
/// what the agent sees when the caller's own is not usable.
///
/// # Errors
/// The response to an INVITE that is no call.
pub fn translate(request: &Request, our_host: &str) -> Result<NewCall, Reply> {
    let headers = &request.headers;
    let uri = Uri::parse(&request.uri).ok_or_else(|| Reply::new(416))?;
    if headers.get("Max-Forwards").map(str::trim) == Some("0") {
        return Err(Reply::new(483));
    }
    if headers.list("Contact").is_empty() {
        return Err(Reply::new(400).with("Warning", "399 ringledger \"missing Contact\""));
    }
    let sip_call_id = headers.get("Call-ID").unwrap_or_default().to_owned();
    let from = headers
        .get("From")
        .and_then(NameAddr::parse)
        .ok_or_else(|| Reply::new(400))?;
    let (from, shown_as) = caller(&from, our_host);
    let (offer, refused) = match offered(request)? {
        None => (None, None),
        Some(Ok(remote)) => (Some(remote), None),
        Some(Err(_)) => (None, Some(EndReason::NoCommonCodec)),
    };
    Ok(NewCall {
        withheld: from.is_withheld(),
        from,
        shown_as,
        to: short(&uri.user.unwrap_or_default()),
        sip_call_id,
        user_agent: headers.get("User-Agent").and_then(user_agent::products),
        diverted: diversion::read(headers),
        offer,
        hops: hops(headers.get("Max-Forwards")),
        refused,
    })
}

/// What is left of Max-Forwards after us. A sender that writes none, or a number
/// that no path is long enough for, gets the usual one.
fn hops(max_forwards: Option<&str>) -> u32 {
    let written = max_forwards.and_then(|value| value.trim().parse::<u32>().ok());
    written.map_or(MAX_FORWARDS, |hops| hops.min(MAX_FORWARDS)) - 1
}

/// Hops a request may take (RFC 3261, 8.1.1.6).
pub(crate) const MAX_FORWARDS: u32 = 70;

type Offered = Option<Result<sdp::Remote, sdp::Error>>;

/// The session description of a request, if it has one.
fn offered(request: &Request) -> Result<Offered, Reply> {
    if request.body.is_empty() {
        return Ok(None);
    }
    match request.sdp() {
        Some(body) => Ok(Some(sdp::parse(body))),
        // RFC 3261, 8.2.3: the body is of a kind that we do not read.
        None if optional_body(request) => Ok(None),
        None => Err(Reply::new(415)
            .with("Accept", "application/sdp")
            .with("Accept-Encoding", "identity")),
    }
}

/// Whether the sender does not mind that its body is not read (20.11).
fn optional_body(request: &Request) -> bool {
    request
        .headers
        .get("Content-Disposition")
        .is_some_and(|value| value.to_ascii_lowercase().contains("handling=optional"))
}

fn caller(from: &NameAddr, our_host: &str) -> (Party, String) {
    let party = party_of(from);
    let user = &party.user;
    let shown = if user.is_empty() { "anonymous" } else { user };
    let address = format!("<sip:{}@{our_host}>", escape_user(shown));
    let shown_as = match &party.display_name {
        Some(name) => format!("{} {address}", quote(name)),
        None => address,
    };
    (party, shown_as)
}

/// A user part, no longer than we pass on and without what an escape can hide in it:
/// no number and no name has a control character.
fn short(user: &str) -> String {
    let letters = user.chars().filter(|letter| !letter.is_control());
    letters.take(USER_MAX).collect()
}

/// Whom an address means, no longer than we pass on.
pub(super) fn party_of(address: &NameAddr) -> Party {
    let uri = Uri::parse(&address.uri).unwrap_or_default();
    let user = uri.user.unwrap_or_default();
    let name = address.display_name.as_ref();
    Party {
        user: short(&user),
        host: (!uri.host.is_empty()).then_some(uri.host),
        display_name: name.map(|name| name.chars().take(DISPLAY_NAME_MAX).collect()),
        contact: None,
        user_field: None,
    }
}

/// What a re-INVITE asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The new description; `None` when it wants our offer.
    pub offer: Option<sdp::Remote>,
}

/// Reads an INVITE inside a dialog.
///
/// # Errors
/// The response to one that cannot be: the session stays as it is (14.2).
pub fn translate_change(request: &Request) -> Result<Change, Reply> {
    match offered(request)? {
        None => Ok(Change { offer: None }),
        Some(Ok(remote)) => Ok(Change {
            offer: Some(remote),
        }),
        Some(Err(error)) => Err(not_acceptable(error)),
    }
}

/// The command that a new direction of the other side's media is, if it is one.
pub fn hold_command(leg: LegId, held_before: bool, holds_now: bool) -> Option<Command> {
    match (held_before, holds_now) {
        (false, true) => Some(Command::RecordHold { leg }),
        (true, false) => Some(Command::RecordRetrieve { leg }),
        (false, false) | (true, true) => None,
    }
}

/// 488 with the warning that says why (RFC 3261, 20.43).
pub fn not_acceptable(error: sdp::Error) -> Reply {
    Reply::new(488)
        .with(
            "Warning",
            format!("{} ringledger \"{error}\"", error.warning()),
        )
        .with("Allow", allow())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Headers, Method};

    fn invite(lines: &[(&str, &str)], body: &str) -> Request {
        let mut headers = Headers::default();
        let usual = [
            (
                "From",
                "\"Ann \\\"A\\\"\" <sip:+49%20123@pbx.example>;tag=1",
            ),
            ("Contact", "<sip:a@192.0.2.1>"),
            ("Call-ID", "c1"),
        ];
        for (name, value) in usual {
            if !lines.iter().any(|(have, _)| *have == name) {
                headers.push(name, value);
            }
        }
        for (name, value) in lines {
            headers.push(name, *value);
        }
        Request {
            method: Method::Invite,
            uri: "sip:support@us.example".into(),
            headers,
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn the_caller_is_read_and_shown_under_our_own_host() {
        let call = translate(&invite(&[], ""), "us.example").unwrap();
        assert_eq!(call.from.user, "+49 123");
        assert_eq!(call.from.host.as_deref(), Some("pbx.example"));
        assert_eq!(call.from.display_name.as_deref(), Some("Ann \"A\""));
        assert_eq!(
            call.shown_as,
            "\"Ann \\\"A\\\"\" <sip:+49%20123@us.example>"
        );
        assert_eq!((call.to.as_str(), call.refused), ("support", None));
    }

    #[test]
    fn a_caller_who_shows_no_number_is_nobody_in_particular() {
        for (from, withheld) in [
            ("<sip:anonymous@anonymous.invalid>;tag=1", true),
            ("<sip:4711@anonymous.invalid>;tag=1", true),
            ("\"Anonymous\" <sip:Anonymous@carrier.example>;tag=1", true),
            ("<sip:carrier.example>;tag=1", true),
            ("<sip:+49123@carrier.example>;tag=1", false),
        ] {
            let call = translate(&invite(&[("From", from)], ""), "us.example").unwrap();
            assert_eq!(call.withheld, withheld, "{from}");
        }
    }

    #[test]
    fn an_invite_that_is_no_call_gets_the_response_of_its_fault() {
        for (name, value, body, status) in [
            ("Max-Forwards", "0", "", 483),
            ("Contact", "", "", 400),
            ("Content-Type", "text/plain", "hello", 415),
            ("From", "", "", 400),
        ] {
            let refused = translate(&invite(&[(name, value)], body), "us").unwrap_err();
            assert_eq!(refused.status, status, "{name}");
        }
    }

    #[test]
    fn a_description_without_our_codecs_is_a_call_that_is_refused() {
        let sdp = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
            m=audio 4000 RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\n";
        let call = translate(&invite(&[("Content-Type", "application/sdp")], sdp), "us").unwrap();
        assert_eq!(call.refused, Some(EndReason::NoCommonCodec));
        let change = invite(&[("Content-Type", "application/sdp")], sdp);
        assert_eq!(translate_change(&change).unwrap_err().status, 488);
    }

    #[test]
    fn only_a_change_of_the_holding_side_is_a_fact() {
        let leg = LegId(uuid::Uuid::nil());
        assert!(matches!(
            hold_command(leg, false, true),
            Some(Command::RecordHold { .. })
        ));
        assert!(matches!(
            hold_command(leg, true, false),
            Some(Command::RecordRetrieve { .. })
        ));
        assert_eq!(hold_command(leg, true, true), None);
    }
}
