//! Who sent a call on to us.

use crate::{
    caller::Caller,
    value::{Columns, Corrupt, word},
};
use commands::ports::Value;
use domain::call::DiversionReason;
use serde::{Deserialize, Serialize};

/// Who sent a call on to us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diverted {
    /// Who did, the last of several.
    pub by: Caller,
    /// Why.
    pub reason: DiversionReason,
}

impl Diverted {
    /// Its columns.
    pub(super) fn values(diverted: Option<&Self>) -> [Value; 5] {
        let [subject, user, host, name] = match diverted {
            Some(diverted) => diverted.by.values(),
            None => [const { Value::Null }; 4],
        };
        let reason = diverted.map(|diverted| diverted.reason);
        [subject, user, host, name, word(&reason)]
    }

    /// Reads its columns.
    pub(super) fn read(columns: &mut Columns) -> Result<Option<Self>, Corrupt> {
        let by = Caller::read_if_any(columns)?;
        let reason: Option<DiversionReason> = columns.word_or_null()?;
        Ok(by.zip(reason).map(|(by, reason)| Self { by, reason }))
    }
}
