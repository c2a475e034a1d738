//! A contact was removed by the phone.

use super::*;

const GONE: Command = Command::RecordDeregistered { binding: PHONE };

#[test]
fn the_last_phone_is_gone() {
    let device = story([registered(PHONE)])
        .when(GONE)
        .then([Event::Deregistered {
            binding: PHONE,
            left_count: 0,
        }]);
    assert!(device.state().bindings.is_empty());
}

#[test]
fn one_phone_of_two_is_gone() {
    story([registered(PHONE), registered(OTHER_PHONE)])
        .when(GONE)
        .then([Event::Deregistered {
            binding: PHONE,
            left_count: 1,
        }]);
}

#[test]
fn a_phone_is_gone_once() {
    story([registered(PHONE)])
        .when(GONE)
        .then([Event::Deregistered {
            binding: PHONE,
            left_count: 0,
        }])
        .when(GONE)
        .nothing();
    story([]).when(GONE).nothing();
}
