//! Keys of streams that are more than one id.

use crate::{
    calendar::{Date, Period},
    id::{AccountId, CallId, CreditNoteId, DeckId, InvoiceId, TenantId},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// A key that is not one of that kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a key of that kind")]
pub struct InvalidKey;

/// Characters of a UUID as text.
const UUID_LENGTH: usize = 36;

/// The UUID in front and what comes after its dash.
fn split<T: From<Uuid>>(key: &str) -> Result<(T, &str), InvalidKey> {
    let (id, rest) = key.split_at_checked(UUID_LENGTH).ok_or(InvalidKey)?;
    let id = Uuid::parse_str(id).map_err(|_| InvalidKey)?;
    let rest = rest.strip_prefix('-').ok_or(InvalidKey)?;
    Ok((id.into(), rest))
}

/// The usage of one account in one month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UsageId {
    /// Who pays.
    pub account: AccountId,
    /// When.
    pub period: Period,
}

impl fmt::Display for UsageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.account, self.period)
    }
}

impl FromStr for UsageId {
    type Err = InvalidKey;
    fn from_str(key: &str) -> Result<Self, InvalidKey> {
        let (account, period) = split(key)?;
        let period = period.parse().map_err(|_| InvalidKey)?;
        Ok(Self { account, period })
    }
}

impl UsageId {
    /// The invoice of that month: one, whoever asks, however often.
    pub fn invoice(self) -> InvoiceId {
        let millis = crate::calendar::Zone::UTC
            .start_of(self.period.end())
            .millis_unsigned();
        let label = format!("invoice/{}", self.period);
        InvoiceId(crate::id::derive(millis, self.account.0, &label))
    }

    /// The same account a month later.
    #[must_use]
    pub fn next(self) -> Self {
        Self {
            period: self.period.next(),
            ..self
        }
    }

    /// What stands for a call in the record of a use that is none: one for each
    /// key of that month, whoever asks, however often.
    pub fn counted(self, key: &str) -> CallId {
        let millis = crate::calendar::Zone::UTC
            .start_of(self.period.start())
            .millis_unsigned();
        let label = format!("usage/{}/{key}", self.period);
        CallId(crate::id::derive(millis, self.account.0, &label))
    }
}

/// One version of a deck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeckVersionId {
    /// Which deck.
    pub deck: DeckId,
    /// Which version, from 1.
    pub version: u32,
}

impl fmt::Display for DeckVersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.deck, self.version)
    }
}

impl FromStr for DeckVersionId {
    type Err = InvalidKey;
    fn from_str(key: &str) -> Result<Self, InvalidKey> {
        let (deck, version) = split(key)?;
        let version = version.parse().map_err(|_| InvalidKey)?;
        Ok(Self { deck, version })
    }
}

/// A kind of numbered document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// An invoice.
    Invoice,
    /// A credit note.
    CreditNote,
}

impl DocumentKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::CreditNote => "credit_note",
        }
    }
}

/// A document that has a number of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Document {
    /// An invoice.
    Invoice(InvoiceId),
    /// A credit note.
    CreditNote(CreditNoteId),
}

impl Document {
    /// Its id, whatever it is.
    pub const fn id(self) -> Uuid {
        match self {
            Self::Invoice(id) => id.0,
            Self::CreditNote(id) => id.0,
        }
    }

    /// What it is.
    pub const fn kind(self) -> DocumentKind {
        match self {
            Self::Invoice(_) => DocumentKind::Invoice,
            Self::CreditNote(_) => DocumentKind::CreditNote,
        }
    }
}

/// The numbers of one kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SeriesId {
    /// Whose.
    pub tenant: TenantId,
    /// Of what.
    pub document: DocumentKind,
    /// Of which year; 0 for a series that never begins again.
    pub year: u16,
}

impl SeriesId {
    /// The series of that year, and what stands before the digits of its numbers; one that
    /// never begins again is of every year.
    #[must_use]
    pub fn in_year(self, prefix: &str, year: u16) -> (Self, String) {
        if self.year == 0 {
            return (self, prefix.to_owned());
        }
        let told = format!("{}-", self.year);
        let name = prefix.strip_suffix(&told).unwrap_or(prefix);
        (Self { year, ..self }, format!("{name}{year}-"))
    }

    /// The day of issue of a document that gets its number on that day: a number of a year
    /// is of a day of it, also where whoever wrote it was interrupted at the turn of the year.
    pub fn day_of_issue(self, day: Date) -> Date {
        let last = Date::from_ymd_opt(i32::from(self.year), 12, 31);
        match last.filter(|_| self.year != 0) {
            Some(last) => day.min(last),
            None => day,
        }
    }
}

impl fmt::Display for SeriesId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.tenant, self.document.name(), self.year)
    }
}

impl FromStr for SeriesId {
    type Err = InvalidKey;
    fn from_str(key: &str) -> Result<Self, InvalidKey> {
        let (tenant, rest) = split(key)?;
        let (document, year) = rest.rsplit_once('-').ok_or(InvalidKey)?;
        let document = [DocumentKind::Invoice, DocumentKind::CreditNote]
            .into_iter()
            .find(|kind| kind.name() == document)
            .ok_or(InvalidKey)?;
        let year = year.parse().map_err(|_| InvalidKey)?;
        Ok(Self {
            tenant,
            document,
            year,
        })
    }
}
