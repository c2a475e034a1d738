//! Somebody is to be forgotten.

use super::*;

#[test]
fn a_person_is_forgotten_with_every_key_so_far() {
    let person = story([]).when(erase(1)).then([erased(1)]);
    assert_eq!(person.state().erased_through, 1);
}

#[test]
fn who_calls_again_after_it_can_be_forgotten_again() {
    story([erased(1)]).when(erase(2)).then([erased(2)]);
}

#[test]
fn who_was_never_there_can_not_be_forgotten() {
    story([]).when(erase(0)).refused(Error::Unknown);
    story([erased(2)]).when(erase(0)).refused(Error::Unknown);
}

#[test]
fn nobody_is_forgotten_twice() {
    story([erased(2)])
        .when(erase(2))
        .refused(Error::AlreadyErased)
        .when(erase(1))
        .refused(Error::AlreadyErased);
}
