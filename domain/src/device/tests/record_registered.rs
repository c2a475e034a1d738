//! A contact was added.

use super::*;

#[test]
fn a_phone_registers() {
    let device = story([]).when(register(PHONE)).then([registered(PHONE)]);
    assert_eq!(device.state().bindings, [PHONE].into());
}

#[test]
fn a_second_phone_registers_beside_the_first() {
    story([registered(PHONE)])
        .when(register(OTHER_PHONE))
        .then([registered(OTHER_PHONE)]);
}

#[test]
fn a_refresh_leaves_no_trace() {
    story([registered(PHONE)]).when(register(PHONE)).nothing();
}
