//! Who sent a call on to us: `Diversion` (RFC 5806), which most trunks write, or
//! `History-Info` (RFC 7044) with the causes of RFC 4458.

use super::invite::party_of;
use crate::{
    address::{NameAddr, Uri},
    message::Headers,
};
use domain::{call::DiversionReason, sealed::Party};

/// A call that was meant for somebody else.
#[derive(Debug, Clone, PartialEq)]
pub struct Diverted {
    /// Who sent it on, the last of several.
    pub by: Party,
    /// Why.
    pub reason: DiversionReason,
}

/// Reads who sent the call on. One who shows no number is nobody, and a value that
/// can not be read is passed over: a call is never refused for it.
pub(super) fn read(headers: &Headers) -> Option<Diverted> {
    // The last to divert stands first (RFC 5806, section 5).
    let mut values = headers.list("Diversion").into_iter();
    let diverted = match values.next() {
        Some(first) => diversion(&first),
        None => history(&headers.list("History-Info")),
    };
    diverted.filter(|diverted| !diverted.by.is_withheld())
}

fn diversion(value: &str) -> Option<Diverted> {
    let address = NameAddr::parse(value)?;
    let reason = address.parameter("reason").unwrap_or_default();
    let reason = match reason.trim_matches('"').to_ascii_lowercase().as_str() {
        "user-busy" => DiversionReason::UserBusy,
        "no-answer" => DiversionReason::NoAnswer,
        "unavailable" => DiversionReason::Unavailable,
        "unconditional" => DiversionReason::Unconditional,
        "time-of-day" => DiversionReason::TimeOfDay,
        "do-not-disturb" => DiversionReason::DoNotDisturb,
        "deflection" => DiversionReason::Deflection,
        "follow-me" => DiversionReason::FollowMe,
        "out-of-service" => DiversionReason::OutOfService,
        "away" => DiversionReason::Away,
        _ => DiversionReason::Unknown,
    };
    let mut by = party_of(&address);
    // Who asks for it is not to be known (RFC 5806, section 4).
    match address
        .parameter("privacy")
        .unwrap_or_default()
        .to_ascii_lowercase()
        .as_str()
    {
        "full" | "uri" => return None,
        "name" => by.display_name = None,
        _ => {}
    }
    Some(Diverted { by, reason })
}

/// The last entry that says why it was sent to, and the one before it (RFC 7044,
/// section 5; RFC 4458, section 2).
fn history(entries: &[String]) -> Option<Diverted> {
    let entries: Vec<_> = entries.iter().map(|entry| NameAddr::parse(entry)).collect();
    let steps = entries.windows(2).rev();
    steps.into_iter().find_map(|step| {
        let [Some(from), Some(to)] = step else {
            return None;
        };
        let cause = Uri::parse(&to.uri)?.parameter("cause")?.parse().ok()?;
        let reason = match cause {
            302_u16 => DiversionReason::Unconditional,
            404 => DiversionReason::Unknown,
            408 => DiversionReason::NoAnswer,
            480 | 487 => DiversionReason::Deflection,
            486 => DiversionReason::UserBusy,
            503 => DiversionReason::Unavailable,
            _ => DiversionReason::Unknown,
        };
        // Who asks for it is not to be known (RFC 7044, section 10.1.2).
        let is_private = from.uri.to_ascii_lowercase().contains("privacy=history");
        let by = party_of(from);
        (!is_private).then_some(Diverted { by, reason })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[(&str, &str)], expected: Option<(&str, DiversionReason)>) {
        let mut headers = Headers::default();
        for (name, value) in lines {
            headers.push(name, *value);
        }
        let read = read(&headers);
        let read = read.as_ref().map(|read| (&*read.by.user, read.reason));
        assert_eq!(read, expected, "{lines:?}");
    }

    #[test]
    fn the_last_who_sent_it_on_is_the_one() {
        let busy = "\"Front desk\" <sip:+4930555@pbx.example>;reason=user-busy;counter=1";
        let first = "<sip:+4930444@pbx.example>;reason=unconditional";
        check(
            &[("Diversion", busy), ("Diversion", first)],
            Some(("+4930555", DiversionReason::UserBusy)),
        );
        check(
            &[(
                "Diversion",
                "<sip:+49444@a>;reason=\"time-of-day\", <sip:1@a>",
            )],
            Some(("+49444", DiversionReason::TimeOfDay)),
        );
        check(
            &[("Diversion", "<sip:+49444@a>;reason=moon-phase")],
            Some(("+49444", DiversionReason::Unknown)),
        );
    }

    #[test]
    fn a_history_tells_it_too() {
        let entries = "<sip:+4930444@a>;index=1, <sip:+4930555@a;cause=408>;index=1.1";
        check(
            &[("History-Info", entries)],
            Some(("+4930444", DiversionReason::NoAnswer)),
        );
        let further = format!("{entries}, <sip:us@b;cause=486>;index=1.1.1");
        check(
            &[("History-Info", &further)],
            Some(("+4930555", DiversionReason::UserBusy)),
        );
        check(&[("History-Info", "<sip:us@b>;index=1")], None);
    }

    #[test]
    fn what_can_not_be_read_or_shows_nobody_is_passed_over() {
        check(&[("Diversion", "")], None);
        check(&[("Diversion", "nonsense")], None);
        let nobody = "<sip:anonymous@anonymous.invalid>;reason=no-answer";
        check(&[("Diversion", nobody)], None);
        let private = "<sip:+4930555@pbx.example>;reason=no-answer;privacy=full";
        check(&[("Diversion", private)], None);
        let private = "<sip:+4930444@a?Privacy=history>;index=1, <sip:us@b;cause=408>;index=1.1";
        check(&[("History-Info", private)], None);
        check(&[], None);
    }
}
