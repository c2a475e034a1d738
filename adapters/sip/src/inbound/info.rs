//! INFO (RFC 6086) as phones use it that send no telephone-events: a key. The two
//! bodies for it are nobody's standard; they are read as such phones write them.

use crate::{message::Request, stack::Reply};
use domain::{
    call::{Command, Key},
    id::LegId,
};

/// The bodies that are read, as `Accept` names them.
pub const BODIES: &str = "application/dtmf-relay, application/dtmf";

/// The command that an INFO on that leg is; none for what is no key.
///
/// # Errors
/// The response that refuses it: 415 to another body, 400 to one that can not be
/// read, 469 to a package, as none was offered (RFC 6086, 4.2.2).
pub fn translate(request: &Request, leg: LegId) -> Result<Option<Command>, Reply> {
    if request.headers.get("Info-Package").is_some() {
        return Err(Reply::new(469).with("Recv-Info", ""));
    }
    if request.body.is_empty() {
        return Ok(None);
    }
    let kind = request.headers.get("Content-Type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let body = std::str::from_utf8(&request.body).map_err(|_| malformed())?;
    let signal = if kind.eq_ignore_ascii_case("application/dtmf-relay") {
        signal_of(body).ok_or_else(malformed)?
    } else if kind.eq_ignore_ascii_case("application/dtmf") {
        body.trim()
    } else {
        return Err(Reply::new(415).with("Accept", BODIES));
    };
    let key = key(signal)?;
    Ok(key.map(|key| Command::RecordKey { leg, key }))
}

/// `Signal=5`, among lines such as `Duration=160`.
fn signal_of(body: &str) -> Option<&str> {
    body.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("Signal")
            .then(|| value.trim())
    })
}

/// A key by its sign, or from 10 on by the code of its event (RFC 4733, 3.2). A flash
/// of the hook is no key.
fn key(signal: &str) -> Result<Option<Key>, Reply> {
    if let Ok(key) = signal.to_ascii_uppercase().parse() {
        return Ok(Some(key));
    }
    match (signal, signal.parse()) {
        ("!", _) | (_, Ok(16)) => Ok(None),
        (_, Ok(code)) => match Key::of_event(code) {
            Some(key) => Ok(Some(key)),
            None => Err(malformed()),
        },
        (_, Err(_)) => Err(malformed()),
    }
}

fn malformed() -> Reply {
    Reply::new(400).with("Warning", "399 ringledger \"the body is no key\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Headers, Method};

    fn info(kind: &str, body: &str) -> Request {
        let mut headers = Headers::default();
        headers.push("Content-Type", kind);
        Request {
            method: Method::Info,
            uri: "sip:us@127.0.0.1".into(),
            headers,
            body: body.into(),
        }
    }

    fn pressed(kind: &str, body: &str) -> Result<Option<String>, u16> {
        match translate(&info(kind, body), LegId(uuid::Uuid::from_u128(1))) {
            Ok(Some(Command::RecordKey { key, .. })) => Ok(Some(key.to_string())),
            Ok(_) => Ok(None),
            Err(reply) => Err(reply.status),
        }
    }

    #[test]
    fn a_key_is_read_from_either_body() {
        let relay = "application/dtmf-relay";
        for (kind, body, key) in [
            (relay, "Signal=5\r\nDuration=160\r\n", "5"),
            (relay, "Duration = 160\r\nsignal = *\r\n", "*"),
            (relay, "Signal=11\n", "#"),
            (relay, "Signal=d", "D"),
            ("Application/DTMF ; charset=x", "0\r\n", "0"),
        ] {
            assert_eq!(pressed(kind, body), Ok(Some(key.into())), "{body:?}");
        }
    }

    #[test]
    fn what_is_no_key_is_let_pass_and_what_can_not_be_read_is_refused() {
        let relay = "application/dtmf-relay";
        assert_eq!(pressed(relay, "Signal=!"), Ok(None), "a flash");
        assert_eq!(pressed(relay, "Signal=16"), Ok(None), "a flash");
        assert_eq!(pressed("text/plain", ""), Ok(None), "are you there");
        for (kind, body, status) in [
            (relay, "Duration=160", 400),
            (relay, "Signal=", 400),
            (relay, "Signal=17", 400),
            (relay, "Signal=\u{664}", 400),
            ("application/dtmf", "55", 400),
            ("application/sdp", "v=0", 415),
            ("", "5", 415),
        ] {
            assert_eq!(pressed(kind, body), Err(status), "{kind} {body:?}");
        }
        let mut package = info(relay, "Signal=5");
        package.headers.push("Info-Package", "dtmf");
        assert_eq!(
            translate(&package, LegId(uuid::Uuid::from_u128(1)))
                .unwrap_err()
                .status,
            469
        );
    }
}
