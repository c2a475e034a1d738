//! The call is over for the agent.

use super::*;
use crate::testing::{OTHER_CALL, OTHER_OFFER};

#[test]
fn a_contact_is_followed_by_wrap_up() {
    let session = story(on_contact()).when(END_CONTACT).then([
        Event::ContactEnded {
            call: CALL,
            still: None,
        },
        Event::WrapUpStarted {
            call: CALL,
            until: second(80),
            code_required: false,
            still: None,
        },
    ]);
    assert_eq!(
        session.state().activity(),
        Activity::WrapUp {
            call: CALL,
            until: second(80),
            code_required: false,
        }
    );
}

#[test]
fn without_wrap_up_the_agent_is_ready_again_at_once() {
    let session = story(on_contact_without_wrap_up()).when(END_CONTACT).then([
        Event::ContactEnded {
            call: CALL,
            still: None,
        },
        Event::BecameReady {},
    ]);
    assert_eq!(session.state().activity(), Activity::Idle);
}

#[test]
fn an_end_that_overtakes_the_confirmation_still_tells_of_the_contact() {
    story(reserved())
        .when(END_CONTACT)
        .then([
            connected_event(),
            Event::ContactEnded {
                call: CALL,
                still: None,
            },
            Event::WrapUpStarted {
                call: CALL,
                until: second(80),
                code_required: false,
                still: None,
            },
        ])
        .when(CONFIRM_CONNECT)
        .refused(crate::session::Error::StaleOffer);
}

#[test]
fn a_contact_ends_once() {
    for history in [wrapping_up(), ready(), on_break(), gone(), vec![]] {
        story(history).when(END_CONTACT).nothing();
    }
}

#[test]
fn the_end_of_another_call_does_not_touch_this_one() {
    for history in [on_contact(), reserved()] {
        story(history)
            .when(Command::EndContact {
                call: OTHER_CALL,
                offer: OTHER_OFFER,
            })
            .nothing();
    }
}
