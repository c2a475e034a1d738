//! The text that somebody has written about a call, as far as it may still be known.

use crate::value::{Columns, Corrupt, number_or_null, text_or_null, word};
use commands::ports::Value;
use domain::{call, id::SubjectId, sealed::Party};
use serde::{Deserialize, Serialize};

/// What it was from that event on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Said {
    position: u64,
    text: Option<String>,
}

/// What was written about a call. The subject stays when the person's data is erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserField {
    /// Under whose key it is: the caller's; of a caller who shows no number, the call's own.
    pub subject: SubjectId,
    /// Position of the event by which it was written first.
    since: u64,
    /// What it was when the call ended, or is now, and each time since then. Nothing once
    /// the key was destroyed.
    said: Vec<Said>,
}

/// How many columns it has.
pub(crate) const COLUMNS_COUNT: usize = 3;

impl UserField {
    /// The text; none when it was cleared or erased.
    pub fn text(&self) -> Option<&str> {
        self.said.last()?.text.as_deref()
    }

    /// What was written was erased with the person.
    pub const fn is_erased(&self) -> bool {
        self.said.is_empty()
    }

    /// It becomes what an event says. What it was before stays only if somebody may ask
    /// for the record as it stood then.
    pub(crate) fn change(
        field: &mut Option<Self>,
        event: &call::UserField,
        opened: Option<&Party>,
        (position, keeps_earlier): (u64, bool),
    ) {
        let text = match event {
            call::UserField::Written { party } => {
                let field = field.get_or_insert_with(|| Self {
                    subject: party.subject,
                    since: position,
                    said: vec![],
                });
                let Some(text) = opened.and_then(|party| party.user_field.clone()) else {
                    // It was erased before it was read.
                    field.said.clear();
                    return;
                };
                Some(text)
            }
            call::UserField::Cleared => None,
        };
        // Where nothing was written there is nothing to clear.
        let Some(field) = field else { return };
        if !keeps_earlier {
            field.said.clear();
        }
        field.said.push(Said { position, text });
    }

    /// What is written now, which was not opened when it was folded.
    pub(crate) fn open(&mut self, text: Option<String>) {
        let position = self.since;
        let said = text.map(|text| Said {
            position,
            text: Some(text),
        });
        self.said = said.into_iter().collect();
    }

    /// Forgets what was written about that person; whether it was this one.
    pub(crate) fn forget(&mut self, subject: SubjectId) -> bool {
        if self.subject != subject {
            return false;
        }
        self.said.clear();
        true
    }

    /// What it was when the log had got as far as that; none before it was written.
    pub(crate) fn as_of(&self, position: u64) -> Option<Self> {
        if self.since > position {
            return None;
        }
        let said = self.said.iter();
        let said = said.filter(|said| said.position <= position);
        Some(Self {
            said: said.cloned().collect(),
            ..*self
        })
    }

    /// Columns `user_field_subject`, `user_field_position`, `user_field`.
    pub(crate) fn values(field: Option<&Self>) -> [Value; COLUMNS_COUNT] {
        let said = field.map(|field| &field.said);
        [
            text_or_null(field.map(|field| field.subject)),
            number_or_null(field.map(|field| field.since)),
            word(&said.filter(|said| !said.is_empty())),
        ]
    }

    pub(crate) fn read(columns: &mut Columns) -> Result<Option<Self>, Corrupt> {
        let subject = columns.id_or_null()?;
        let since = columns.number_or_null()?.unwrap_or(0);
        let said: Option<Vec<Said>> = columns.word_or_null()?;
        Ok(subject.map(|subject| Self {
            subject,
            since,
            said: said.unwrap_or_default(),
        }))
    }
}
