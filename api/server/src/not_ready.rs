//! The words of the settings that agents can say when they take no calls.

use domain::session::{NotReadyCode, NotReadyReason};
use graphql::PauseWord;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Words at most: an agent picks one from a list.
const WORDS_MAX: usize = 100;
/// Characters of a label at most: it stands on a button.
const LABEL_CHARS_MAX: usize = 64;

/// A word in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotReadyEntry {
    /// The word, for ever.
    pub code: String,
    /// For people; without one, the word.
    pub label: Option<String>,
    /// The reason that it stands for.
    pub category: NotReadyReason,
    /// The time is paid.
    #[serde(default)]
    pub paid: bool,
    /// The time is work.
    #[serde(default)]
    pub productive: bool,
}

impl NotReadyEntry {
    /// The word as the API knows it.
    pub(crate) fn word(&self) -> PauseWord {
        let label = self.label.clone();
        PauseWord {
            said: NotReadyCode {
                code: self.code.clone(),
                is_paid: self.paid,
                is_productive: self.productive,
            },
            label: label.unwrap_or_else(|| self.code.clone()),
            category: self.category,
        }
    }
}

/// Why these can not be the words: the key and what is wrong.
pub(crate) fn fault(entries: &[NotReadyEntry]) -> Option<String> {
    if entries.len() > WORDS_MAX {
        return Some(format!("not_ready: there are more than {WORDS_MAX}"));
    }
    let mut codes = BTreeSet::new();
    for (index, entry) in entries.iter().enumerate() {
        let code = &entry.code;
        if !domain::name::is_valid(code) {
            return Some(format!(
                "not_ready[{index}].code: {code:?} is not 1 to 64 letters, digits, dots, dashes or underscores"
            ));
        }
        if !codes.insert(code) {
            return Some(format!("not_ready[{index}].code: there are two {code:?}"));
        }
        let length = entry
            .label
            .as_ref()
            .map_or(1, |label| label.chars().count());
        if !(1..=LABEL_CHARS_MAX).contains(&length) {
            return Some(format!(
                "not_ready[{index}].label: is not 1 to {LABEL_CHARS_MAX} characters"
            ));
        }
        if !can_be_said(entry.category) {
            return Some(format!(
                "not_ready[{index}].category: {:?} is given by the system and not said",
                entry.category
            ));
        }
    }
    None
}

/// Whether somebody can give that reason: the others follow from what happened.
const fn can_be_said(reason: NotReadyReason) -> bool {
    match reason {
        NotReadyReason::Break
        | NotReadyReason::Meal
        | NotReadyReason::Training
        | NotReadyReason::Meeting
        | NotReadyReason::AdminWork
        | NotReadyReason::SystemError
        | NotReadyReason::Supervisor
        | NotReadyReason::Other => true,
        NotReadyReason::Login
        | NotReadyReason::Rona
        | NotReadyReason::Rejected
        | NotReadyReason::Busy
        | NotReadyReason::Unreachable => false,
    }
}
