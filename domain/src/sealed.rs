//! Personal data in an append-only log: only ever as ciphertext under a key
//! that belongs to one data subject and can be destroyed.

use crate::id::SubjectId;
use serde::{Deserialize, Serialize};
use std::{fmt, marker::PhantomData};

/// Which kind of personal data a sealed value holds; fixes its plain type.
pub trait Personal {
    /// The plain value.
    type Plain: Serialize + serde::de::DeserializeOwned;
}

/// A personal value, encrypted under the key of its data subject. The domain
/// carries it and never opens it; read models open it through the vault, and
/// get nothing once the subject's key is destroyed.
#[derive(Serialize, Deserialize)]
#[serde(bound = "", deny_unknown_fields)]
pub struct Sealed<T> {
    /// Whose data it is. Derived by a keyed hash, so that one caller's calls
    /// are found together by whoever holds the hash key, and by nobody else.
    pub subject: SubjectId,
    /// Nonce and ciphertext, base64.
    pub data: String,
    #[serde(skip)]
    kind: PhantomData<fn() -> T>,
}

impl<T> Sealed<T> {
    /// Wraps what the vault has encrypted.
    pub const fn new(subject: SubjectId, data: String) -> Self {
        Self {
            subject,
            data,
            kind: PhantomData,
        }
    }
}

impl<T> Clone for Sealed<T> {
    fn clone(&self) -> Self {
        Self::new(self.subject, self.data.clone())
    }
}

impl<T> PartialEq for Sealed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.subject == other.subject && self.data == other.data
    }
}

impl<T> Eq for Sealed<T> {}

/// A log line must not show even the ciphertext: it could be matched later.
impl<T> fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{redacted}")
    }
}

/// Where a call comes from or goes to, as a person would recognise it.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Party {
    /// User part of the SIP URI: a number or a name.
    pub user: String,
    /// Host part of the SIP URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Display name, as received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Of who pays, the person who is written to about invoices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// Nothing of the above, but what somebody has written about a call with the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_field: Option<String>,
}

/// Whom to write to.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Contact {
    /// Name.
    pub name: String,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Postal address, line by line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub address: Vec<String>,
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{redacted}")
    }
}

impl fmt::Debug for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{redacted}")
    }
}

/// What stands for nobody in particular, in any case of letters.
pub const WITHHELD_USERS: [&str; 6] = [
    "",
    "anonymous",
    "restricted",
    "unavailable",
    "unknown",
    "private",
];
/// The host of nobody in particular (RFC 3323, section 4.1.1.3).
pub const WITHHELD_HOST: &str = "anonymous.invalid";

impl Party {
    /// Whether it stands for nobody in particular (RFC 3323, section 4.1.1.3; the words
    /// are those of networks).
    pub fn is_withheld(&self) -> bool {
        let host = self.host.as_deref().unwrap_or_default();
        let is_word = WITHHELD_USERS
            .iter()
            .any(|word| self.user.eq_ignore_ascii_case(word));
        is_word || host.eq_ignore_ascii_case(WITHHELD_HOST)
    }
}

impl Personal for Party {
    type Plain = Self;
}

/// What somebody has written about a person, in free words.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Note(pub String);

impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{redacted}")
    }
}

impl Personal for Note {
    type Plain = Self;
}
