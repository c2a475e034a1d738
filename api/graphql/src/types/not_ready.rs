//! Words for taking no calls.

use crate::{services::PauseWord, types::words::NotReadyReason};
use async_graphql::SimpleObject;
use domain::session::NotReadyCode as Said;

/// A word of the settings that agents can say when they take no calls.
#[derive(SimpleObject)]
pub(crate) struct NotReadyCode {
    /// The word.
    code: String,
    /// For people.
    label: String,
    /// The reason that it stands for.
    category: NotReadyReason,
    /// The time is paid.
    is_paid: bool,
    /// The time is work.
    is_productive: bool,
}

impl From<PauseWord> for NotReadyCode {
    fn from(word: PauseWord) -> Self {
        Self {
            code: word.said.code,
            label: word.label,
            category: word.category.into(),
            is_paid: word.said.is_paid,
            is_productive: word.said.is_productive,
        }
    }
}

/// The word that was said when an agent took no calls, with what the settings said of it
/// then.
#[derive(SimpleObject)]
pub(crate) struct NotReadyWord {
    /// The word.
    code: String,
    /// The time is paid.
    is_paid: bool,
    /// The time is work.
    is_productive: bool,
}

impl From<&Said> for NotReadyWord {
    fn from(said: &Said) -> Self {
        Self {
            code: said.code.clone(),
            is_paid: said.is_paid,
            is_productive: said.is_productive,
        }
    }
}
