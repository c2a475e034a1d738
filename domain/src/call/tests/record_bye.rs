//! One side hangs up.

use super::*;
use crate::testing::NOW;

#[test]
fn a_caller_who_hangs_up_ends_the_conversation() {
    for history in [connected(), held()] {
        story(history).when(bye(CALLER_LEG)).then([hung_up_by(
            By::Caller,
            NOW,
            WireCause::default(),
        )]);
    }
}

#[test]
fn an_agent_who_hangs_up_ends_the_conversation() {
    for history in [connected(), held()] {
        story(history).when(bye(AGENT_LEG)).then([hung_up_by(
            By::Agent,
            NOW,
            WireCause::default(),
        )]);
    }
}

#[test]
fn what_the_wire_said_is_kept_verbatim() {
    let wire = WireCause {
        sip_status: Some(200),
        reason_header: Some("Q.850;cause=16;text=\"Normal\"".into()),
        warning: None,
    };
    story(connected())
        .when(Command::RecordBye {
            leg: AGENT_LEG,
            wire: wire.clone(),
        })
        .then([hung_up_by(By::Agent, NOW, wire)]);
}

/// The Q.850 cause of the end that follows.
fn cause_of(history: Vec<Event>, command: Command) -> Option<u8> {
    let events = story(history).when(command).events();
    match events.last() {
        Some(Event::Ended { cause, .. }) => cause.q850,
        other => panic!("an end was expected, not {other:?}"),
    }
}

#[test]
fn a_bye_or_cancel_that_says_why_is_believed_and_one_that_does_not_is_normal() {
    for (said, cause) in [
        (Some("Q.850;cause=38;text=\"Network out of order\""), 38),
        (Some("SIP;cause=600"), 16),
        (None, 16),
    ] {
        let wire = WireCause {
            // Of a BYE no status means anything.
            sip_status: Some(503),
            reason_header: said.map(str::to_owned),
            warning: None,
        };
        let leg = CALLER_LEG;
        let bye = Command::RecordBye {
            leg,
            wire: wire.clone(),
        };
        assert_eq!(cause_of(connected(), bye.clone()), Some(cause), "{said:?}");
        assert_eq!(cause_of(waiting(), bye), Some(cause), "{said:?}");
        let cancel = Command::RecordCancel { leg, wire };
        assert_eq!(cause_of(waiting(), cancel), Some(cause), "{said:?}");
    }
}

#[test]
fn an_answered_caller_who_hangs_up_in_the_queue_has_abandoned() {
    story(waiting_with_music())
        .when(bye(CALLER_LEG))
        .then([left_by_caller(EndReason::Hangup, None, NOW)]);
}

#[test]
fn an_unanswered_caller_who_hangs_up_has_abandoned_and_gets_487() {
    story(waiting()).when(bye(CALLER_LEG)).then([left_by_caller(
        EndReason::Hangup,
        Some(487),
        NOW,
    )]);
}

#[test]
fn a_ringing_phone_that_hangs_up_only_ends_its_offer() {
    for history in [offering(), ringing()] {
        story(history)
            .when(bye(AGENT_LEG))
            .then([offer_ended(OfferOutcome::Unreachable, WireCause::default())]);
    }
}

#[test]
fn a_phone_of_an_older_offer_that_hangs_up_ends_nothing() {
    changes_nothing_but_in(&bye(OTHER_LEG), &["over"]);
}

#[test]
fn a_second_hang_up_is_kept_as_a_late_fact() {
    story(over()).when(bye(AGENT_LEG)).then([Event::LateFact {
        leg: AGENT_LEG,
        fact: "record_bye".into(),
    }]);
}

#[test]
fn nobody_hangs_up_a_call_that_never_came() {
    story([]).when(bye(CALLER_LEG)).nothing();
}
