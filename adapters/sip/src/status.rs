//! SIP status and Q.850 cause, both ways, and what our own end reasons and
//! refusals look like on the wire (RFC 3398, 3326; the record keeps what was
//! received verbatim, this table only translates).

use domain::cause::EndReason;

/// Why a phone stops ringing when another has answered (RFC 3326).
pub const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

/// How an end of ours is said to the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// Final status to an INVITE that was not answered yet.
    pub status: u16,
    /// Cause in the `Reason` header, of that response or of the BYE.
    pub q850: u8,
}

/// What an end reason looks like on the wire.
pub const fn of_reason(reason: EndReason) -> Said {
    let (status, q850) = match reason {
        EndReason::Hangup => (480, 16),
        EndReason::Cancelled => (487, 16),
        EndReason::UnknownAddress => (404, 1),
        EndReason::NotAllowed => (403, 21),
        EndReason::NoCommonCodec => (488, 65),
        EndReason::NoMediaPort => (503, 47),
        EndReason::Overload => (503, 42),
        EndReason::QueueFull => (486, 17),
        EndReason::QueueClosed | EndReason::NobodyThere => (480, 20),
        EndReason::MaxWait => (480, 19),
        EndReason::VisitExpired => (480, 102),
        EndReason::CallbackRequested => (480, 16),
        EndReason::CallbackWithdrawn => (480, 31),
        EndReason::Announced | EndReason::VoicemailTaken => (480, 16),
        EndReason::NoTrunk => (503, 34),
        EndReason::OutsideBusy => (486, 17),
        EndReason::OutsideNoAnswer => (480, 19),
        EndReason::OutsideRejected => (403, 21),
        EndReason::OutsideUnreachable => (503, 38),
        EndReason::MediaSilence => (504, 102),
        EndReason::SignallingLost => (504, 102),
        EndReason::NodeLost => (503, 41),
        EndReason::NoCredit => (402, 21),
        EndReason::NoPrice => (403, 21),
        EndReason::AccountSuspended => (403, 21),
        EndReason::Operator => (480, 31),
        EndReason::Shutdown => (503, 41),
    };
    Said { status, q850 }
}

/// What a phone hears that has asked for a transfer which the call's rules refuse.
pub fn of_refused_transfer(code: &str) -> u16 {
    match code {
        // The call is over, or nobody talks in it any more.
        "call.already_ended" | "call.unknown" | "call.not_connected" => 481,
        _ => 403,
    }
}

/// Whether another trunk may do better: this one is broken, full, silent or does
/// not take us.
pub const fn is_worth_another_trunk(status: Option<u16>) -> bool {
    matches!(status, None | Some(401 | 407 | 408 | 500..=599))
}

/// The status that a caller hears when a carrier has refused the call: its own,
/// but those that speak to us and not to the caller.
pub const fn passed_on(status: u16) -> Option<u16> {
    match status {
        401 | 407 | 487 => None,
        400..=699 => Some(status),
        _ => None,
    }
}

/// The status for a refusal code of the core, by its meaning. `None` for codes
/// that no SIP request can cause.
pub fn of_refusal(code: &str) -> Option<u16> {
    REFUSALS
        .iter()
        .find(|(have, _)| *have == code)
        .map(|(_, status)| *status)
}

/// Refusals that answer a request.
const REFUSALS: [(&str, u16); 6] = [
    // A retransmission that came after its transaction: merged (RFC 3261, 8.2.2.2).
    ("call.already_received", 482),
    ("call.unknown", 481),
    ("call.already_ended", 481),
    ("call.already_connected", 491),
    ("call.already_answered", 491),
    ("call.stale_offer", 487),
];

/// Q.850 causes that SIP knows: cause, status (RFC 3398, 8.2.6.1), text of the
/// `Reason` header.
const CAUSES: [(u8, u16, &str); 35] = [
    (1, 404, "Unallocated number"),
    (2, 404, "No route to transit network"),
    (3, 404, "No route to destination"),
    (16, 480, "Normal call clearing"),
    (17, 486, "User busy"),
    (18, 408, "No user responding"),
    (19, 480, "No answer from user"),
    (20, 480, "Subscriber absent"),
    (21, 403, "Call rejected"),
    (22, 410, "Number changed"),
    (23, 410, "Redirection to new destination"),
    (25, 483, "Exchange routing error"),
    (26, 404, "Non-selected user clearing"),
    (27, 502, "Destination out of order"),
    (28, 484, "Address incomplete"),
    (29, 501, "Facility rejected"),
    (31, 480, "Normal, unspecified"),
    (34, 503, "No circuit available"),
    (38, 503, "Network out of order"),
    (41, 503, "Temporary failure"),
    (42, 503, "Switching equipment congestion"),
    (47, 503, "Resource unavailable"),
    (55, 403, "Incoming calls barred within CUG"),
    (57, 403, "Bearer capability not authorized"),
    (58, 503, "Bearer capability not available"),
    (63, 405, "Service or option not available"),
    (65, 488, "Bearer capability not implemented"),
    (70, 488, "Only restricted digital available"),
    (79, 501, "Service or option not implemented"),
    (87, 403, "User not member of CUG"),
    (88, 503, "Incompatible destination"),
    (102, 504, "Recovery on timer expiry"),
    (111, 500, "Protocol error"),
    (127, 500, "Interworking, unspecified"),
    (8, 480, "Preemption"),
];

/// The SIP status of a Q.850 cause; 480 for one SIP has no word for, 500 in the
/// protocol error class (RFC 3398, 8.2.6.1).
pub fn of_q850(cause: u8) -> u16 {
    match CAUSES.iter().find(|(have, _, _)| *have == cause) {
        Some((_, status, _)) => *status,
        None if cause >= 95 => 500,
        None => 480,
    }
}

/// A `Reason` header for a Q.850 cause (RFC 3326).
pub fn reason_header(cause: u8) -> String {
    let text = CAUSES
        .iter()
        .find(|(have, _, _)| *have == cause)
        .map_or("Unspecified", |(_, _, text)| *text);
    format!("Q.850;cause={cause};text=\"{text}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::cause::{OfferOutcome, WireCause};

    const REASONS: [EndReason; 23] = [
        EndReason::Hangup,
        EndReason::Cancelled,
        EndReason::UnknownAddress,
        EndReason::NotAllowed,
        EndReason::NoCommonCodec,
        EndReason::NoMediaPort,
        EndReason::QueueFull,
        EndReason::QueueClosed,
        EndReason::NobodyThere,
        EndReason::MaxWait,
        EndReason::NoTrunk,
        EndReason::OutsideBusy,
        EndReason::OutsideNoAnswer,
        EndReason::OutsideRejected,
        EndReason::OutsideUnreachable,
        EndReason::MediaSilence,
        EndReason::SignallingLost,
        EndReason::NodeLost,
        EndReason::NoCredit,
        EndReason::NoPrice,
        EndReason::AccountSuspended,
        EndReason::Operator,
        EndReason::Shutdown,
    ];

    #[test]
    fn every_end_is_said_with_a_final_failure_and_a_cause_that_means_the_same() {
        for reason in REASONS {
            let said = of_reason(reason);
            assert!((400..700).contains(&said.status), "{reason:?}");
            // A CANCEL is answered by 487 whatever the cause is, and no cause
            // says that money is missing.
            if !matches!(reason, EndReason::Cancelled | EndReason::NoCredit) {
                assert_eq!(of_q850(said.q850), said.status, "{reason:?}");
            }
            assert_ne!(crate::message::phrase(said.status), "Status", "{reason:?}");
            assert!(
                !reason_header(said.q850).contains("Unspecified"),
                "{reason:?}"
            );
        }
    }

    #[test]
    fn causes_become_the_statuses_of_rfc_3398() {
        for (cause, status) in [
            (1, 404),
            (2, 404),
            (3, 404),
            (16, 480),
            (17, 486),
            (18, 408),
            (19, 480),
            (20, 480),
            (21, 403),
            (22, 410),
            (26, 404),
            (27, 502),
            (28, 484),
            (31, 480),
            (34, 503),
            (38, 503),
            (41, 503),
            (42, 503),
            (47, 503),
            (57, 403),
            (58, 503),
            (65, 488),
            (79, 501),
            (88, 503),
            (102, 504),
            (111, 500),
            (127, 500),
            (5, 480),
            (99, 500),
        ] {
            assert_eq!(of_q850(cause), status, "{cause}");
        }
    }

    #[test]
    fn a_reason_header_is_read_back() {
        assert_eq!(reason_header(17), "Q.850;cause=17;text=\"User busy\"");
        let wire = WireCause {
            reason_header: Some(reason_header(102)),
            ..WireCause::default()
        };
        assert_eq!(wire.q850(), Some(102));
    }

    #[test]
    fn refusals_that_a_request_can_meet_have_a_status() {
        use domain::call::Error;
        use domain::decider::Refusal as _;
        assert_eq!(of_refusal(Error::AlreadyEnded.code()), Some(481));
        assert_eq!(of_refusal(Error::AlreadyReceived.code()), Some(482));
        assert_eq!(of_refusal("agent.engaged"), None);
    }

    #[test]
    fn a_carriers_failure_means_what_its_cause_says_or_else_its_status() {
        for (status, cause, outcome) in [
            (486, None, OfferOutcome::Busy),
            (600, None, OfferOutcome::Busy),
            (408, None, OfferOutcome::NoAnswer),
            (480, None, OfferOutcome::NoAnswer),
            (603, None, OfferOutcome::Rejected),
            (404, None, OfferOutcome::Unreachable),
            (484, None, OfferOutcome::Unreachable),
            (503, None, OfferOutcome::Unreachable),
            (503, Some(17), OfferOutcome::Busy),
            (500, Some(19), OfferOutcome::NoAnswer),
            (480, Some(21), OfferOutcome::Rejected),
            (480, Some(1), OfferOutcome::Unreachable),
            (480, Some(31), OfferOutcome::Unreachable),
            (480, Some(34), OfferOutcome::Unreachable),
            (486, Some(16), OfferOutcome::Busy),
        ] {
            let wire = WireCause {
                sip_status: Some(status),
                reason_header: cause.map(reason_header),
                ..WireCause::default()
            };
            assert_eq!(
                OfferOutcome::of_outside(&wire),
                outcome,
                "{status} {cause:?}"
            );
        }
        let silence = OfferOutcome::of_outside(&WireCause::default());
        assert_eq!(silence, OfferOutcome::Unreachable);
    }

    #[test]
    fn another_trunk_is_tried_where_it_may_do_better() {
        for status in [None, Some(407), Some(408), Some(500), Some(503)] {
            assert!(is_worth_another_trunk(status), "{status:?}");
        }
        for status in [404, 480, 486, 403, 603] {
            assert!(!is_worth_another_trunk(Some(status)), "{status}");
        }
        assert_eq!(passed_on(407), None);
        assert_eq!(passed_on(404), Some(404));
        assert_eq!(passed_on(302), None);
    }
}
