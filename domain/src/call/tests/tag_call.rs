//! Somebody notes something about a call.

use super::*;
use crate::call::{Error, TAGGINGS_MAX, TAGS_MAX, Tagging, UserField};
use std::collections::BTreeSet;

fn words(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn tag(add: &[&str], remove: &[&str], user_field: Option<UserField>) -> Command {
    Command::TagCall(Tagging {
        add: words(add),
        remove: words(remove),
        user_field,
        by: "carla".into(),
    })
}

fn tagged(added: &[&str], removed: &[&str], user_field: Option<UserField>) -> Event {
    Event::Tagged {
        added: words(added),
        removed: words(removed),
        user_field,
        by: "carla".into(),
    }
}

#[test]
fn only_what_changes_is_told_and_nothing_when_nothing_does() {
    story(connected())
        .when(tag(&["vip", "complaint"], &["sales"], None))
        .then([tagged(&["complaint", "vip"], &[], None)])
        .when(tag(&["vip", "refund"], &["complaint", "sales"], None))
        .then([tagged(&["refund"], &["complaint"], None)])
        .when(tag(&["vip"], &["complaint"], None))
        .then([]);
}

#[test]
fn a_text_is_written_and_cleared_again() {
    let written = || Some(UserField::Written { party: caller() });
    story(waiting())
        .when(tag(&[], &[], written()))
        .then([tagged(&[], &[], written())])
        .when(tag(&[], &[], Some(UserField::Cleared)))
        .then([tagged(&[], &[], Some(UserField::Cleared))]);
}

#[test]
fn a_call_that_is_over_is_tagged_too() {
    let over = [
        connected(),
        vec![hung_up_by(By::Agent, second(50), WireCause::default())],
    ];
    story(over.concat())
        .when(tag(&["complaint"], &[], None))
        .then([tagged(&["complaint"], &[], None)]);
}

#[test]
fn a_call_that_never_came_is_not_tagged() {
    story([])
        .when(tag(&["vip"], &[], None))
        .refused(Error::Unknown);
}

#[test]
fn a_tag_is_a_word() {
    let long = "x".repeat(65);
    for wrong in ["", "two words", "=1+1", "caf\u{e9}", "a,b", long.as_str()] {
        story(waiting())
            .when(tag(&["vip", wrong], &[], None))
            .refused(Error::InvalidTag);
    }
}

#[test]
fn nobody_means_a_tag_to_be_there_and_not() {
    story(waiting())
        .when(tag(&["vip"], &["vip"], None))
        .refused(Error::ContraryTags);
}

#[test]
fn a_call_has_so_many_tags_and_no_more_unless_others_go() {
    let all: Vec<String> = (0..TAGS_MAX).map(|number| format!("t{number}")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    story([waiting(), vec![tagged(&all, &[], None)]].concat())
        .when(tag(&["more"], &[], None))
        .refused(Error::TooManyTags)
        .when(tag(&["more"], &["t3"], None))
        .then([tagged(&["more"], &["t3"], None)]);
}

#[test]
fn a_call_is_not_tagged_for_ever() {
    let cleared = tagged(&[], &[], Some(UserField::Cleared));
    let often = vec![cleared; TAGGINGS_MAX as usize];
    story([waiting(), often].concat())
        .when(tag(&["vip"], &[], None))
        .refused(Error::TaggedTooOften)
        // Nothing changes: nothing is told.
        .when(tag(&[], &["vip"], None))
        .then([]);
}
