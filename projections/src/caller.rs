//! Who calls, as far as it may still be known.

use crate::value::{Columns, Corrupt, text, text_or_null};
use commands::ports::Value;
use domain::{
    id::SubjectId,
    sealed::{Party, Sealed},
};
use serde::{Deserialize, Serialize};

/// Who calls. The subject stays when the person's data is erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// Keyed hash of the number or address: calls of one caller share it.
    pub subject: SubjectId,
    /// Number, host and name; none once the subject's key was destroyed.
    pub party: Option<Party>,
}

impl Caller {
    /// From the sealed value of an event and what the vault made of it.
    pub(crate) fn new(sealed: &Sealed<Party>, opened: Option<&Party>) -> Self {
        Self {
            subject: sealed.subject,
            party: opened.cloned(),
        }
    }

    /// Forgets the person, if it is this one; whether it is.
    pub(crate) fn forget(&mut self, subject: SubjectId) -> bool {
        if self.subject != subject {
            return false;
        }
        self.party = None;
        true
    }

    /// Columns `subject`, `from_user`, `from_host`, `from_name`.
    pub(crate) fn values(&self) -> [Value; 4] {
        let party = self.party.as_ref();
        [
            text(self.subject),
            text_or_null(party.map(|party| &party.user)),
            text_or_null(party.and_then(|party| party.host.as_ref())),
            text_or_null(party.and_then(|party| party.display_name.as_ref())),
        ]
    }

    pub(crate) fn read(columns: &mut Columns) -> Result<Self, Corrupt> {
        let subject = columns.id()?;
        let party = Self::read_party(columns)?;
        Ok(Self { subject, party })
    }

    /// The same four columns where there may be nobody.
    pub(crate) fn read_if_any(columns: &mut Columns) -> Result<Option<Self>, Corrupt> {
        let subject = columns.id_or_null()?;
        let party = Self::read_party(columns)?;
        Ok(subject.map(|subject| Self { subject, party }))
    }

    fn read_party(columns: &mut Columns) -> Result<Option<Party>, Corrupt> {
        let (user, host, display_name) = (
            columns.text_or_null()?,
            columns.text_or_null()?,
            columns.text_or_null()?,
        );
        Ok(user.map(|user| Party {
            user,
            host,
            display_name,
            contact: None,
            user_field: None,
        }))
    }
}
