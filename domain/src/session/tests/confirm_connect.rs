//! The offer was accepted: the reservation becomes a contact.

use super::*;
use crate::{session::Error, testing::OTHER_OFFER};

#[test]
fn a_reserved_agent_is_connected() {
    let session = story(reserved())
        .when(CONFIRM_CONNECT)
        .then([connected_event()]);
    assert_eq!(
        session.state().activity(),
        Activity::OnContact {
            queue: QUEUE,
            offer: OFFER,
            call: CALL,
            wrap_up_ms: WRAP_UP_MS,
            code_required: false,
        }
    );
}

#[test]
fn a_connection_confirmed_twice_is_one_contact() {
    story(on_contact()).when(CONFIRM_CONNECT).nothing();
}

#[test]
fn only_the_reserved_offer_becomes_a_contact() {
    for history in [reserved(), on_contact()] {
        story(history)
            .when(Command::ConfirmConnect { offer: OTHER_OFFER })
            .refused(Error::StaleOffer);
    }
}

#[test]
fn an_agent_who_is_not_reserved_gets_no_contact() {
    for history in [vec![], ready(), on_break(), wrapping_up(), gone()] {
        story(history)
            .when(CONFIRM_CONNECT)
            .refused(Error::StaleOffer);
    }
}
