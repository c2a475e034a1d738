//! What people note about a call: tags, words by which it is found again, and a text of
//! their own. While it goes on, and also after its end: what is noted then is a late fact.

use super::{
    decide::Decision,
    error::Error,
    event::Event,
    state::{Call, Phase},
};
use crate::{
    name,
    sealed::{Party, Sealed},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Tags of one call at most.
pub const TAGS_MAX: usize = 16;
/// Times that one call may be tagged: each is an event, and of an ended call a revision
/// of its record.
pub const TAGGINGS_MAX: u32 = 100;

/// What becomes of the text that goes with a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserField {
    /// It is written, or written anew.
    Written {
        /// The text, which may tell of the person: sealed as the person's number is.
        party: Sealed<Party>,
    },
    /// There is none any more.
    Cleared,
}

/// What is to be noted about a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tagging {
    /// Tags that it is to have.
    pub add: BTreeSet<String>,
    /// Tags that it is not to have; those that it has not are none of it anyway.
    pub remove: BTreeSet<String>,
    /// What becomes of its text; none to leave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_field: Option<UserField>,
    /// Who says so.
    pub by: String,
}

/// Only what changes is told; when nothing does, nothing is.
pub(super) fn tag(call: &Call, tagging: Tagging) -> Decision {
    match &call.phase {
        Phase::Unborn => return Err(Error::Unknown),
        Phase::Waiting
        | Phase::Offering(_)
        | Phase::Connected(_)
        | Phase::Forwarded(_)
        | Phase::Announcing
        | Phase::InMailbox
        | Phase::Ended(_) => {}
    }
    let Tagging {
        add,
        remove,
        user_field,
        by,
    } = tagging;
    if !add.iter().all(|tag| name::is_valid(tag)) {
        return Err(Error::InvalidTag);
    }
    if !add.is_disjoint(&remove) {
        return Err(Error::ContraryTags);
    }
    let added: BTreeSet<String> = add.difference(&call.tags).cloned().collect();
    let removed: BTreeSet<String> = remove.intersection(&call.tags).cloned().collect();
    if call.tags.len() + added.len() > TAGS_MAX + removed.len() {
        return Err(Error::TooManyTags);
    }
    if added.is_empty() && removed.is_empty() && user_field.is_none() {
        return Ok(vec![]);
    }
    if call.taggings_count >= TAGGINGS_MAX {
        return Err(Error::TaggedTooOften);
    }
    Ok(vec![Event::Tagged {
        added,
        removed,
        user_field,
        by,
    }])
}

pub(super) fn tagged(call: &mut Call, added: &BTreeSet<String>, removed: &BTreeSet<String>) {
    call.tags.retain(|tag| !removed.contains(tag));
    call.tags.extend(added.iter().cloned());
    call.taggings_count = call.taggings_count.saturating_add(1);
}
