//! Between the columns of a row and the words of the domain.

use commands::ports::Value;
use domain::time::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt::Display, str::FromStr};

/// A stored row does not have the shape that this program writes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {reason}")]
pub struct Corrupt {
    /// Its place in the row, from 1.
    pub column: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// An id or anything else that is kept as its text.
pub(crate) fn text(value: impl Display) -> Value {
    Value::Text(value.to_string())
}

/// Text that may be missing.
pub(crate) fn text_or_null(value: Option<impl Display>) -> Value {
    value.map_or(Value::Null, text)
}

/// A number; one beyond 63 bits is kept as the greatest that fits.
pub(crate) fn number(value: impl TryInto<i64>) -> Value {
    Value::Int(value.try_into().unwrap_or(i64::MAX))
}

/// A number that may be missing.
pub(crate) fn number_or_null(value: Option<impl TryInto<i64>>) -> Value {
    value.map_or(Value::Null, number)
}

/// An instant, in microseconds.
pub(crate) const fn time(value: Timestamp) -> Value {
    Value::Int(value.micros())
}

/// An instant that may be missing.
pub(crate) fn time_or_null(value: Option<Timestamp>) -> Value {
    value.map_or(Value::Null, time)
}

/// Yes or no, as 1 or 0.
pub(crate) const fn flag(value: bool) -> Value {
    Value::Int(value as i64)
}

/// A word of the domain, by its wire name; anything with parts as JSON.
pub(crate) fn word(value: &impl Serialize) -> Value {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => Value::Text(name),
        Ok(serde_json::Value::Null) | Err(_) => Value::Null,
        Ok(
            parts @ (serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::Array(_)
            | serde_json::Value::Object(_)),
        ) => Value::Text(parts.to_string()),
    }
}

/// A row's columns, taken one after the other.
#[derive(Debug)]
pub struct Columns {
    values: std::vec::IntoIter<Value>,
    taken: usize,
}

impl Columns {
    /// The columns of this row.
    pub(crate) fn new(row: Vec<Value>) -> Self {
        Self {
            values: row.into_iter(),
            taken: 0,
        }
    }

    fn corrupt(&self, reason: impl Into<String>) -> Corrupt {
        Corrupt {
            column: self.taken,
            reason: reason.into(),
        }
    }

    fn next(&mut self) -> Result<Value, Corrupt> {
        self.taken += 1;
        self.values
            .next()
            .ok_or_else(|| self.corrupt("row is too short"))
    }

    /// Leaves columns out.
    pub(crate) fn skip(&mut self, count: usize) -> Result<(), Corrupt> {
        (0..count).try_for_each(|_| self.next().map(|_| ()))
    }

    fn present<T>(&self, value: Option<T>) -> Result<T, Corrupt> {
        value.ok_or_else(|| self.corrupt("is missing"))
    }

    /// Text that may be missing.
    pub(crate) fn text_or_null(&mut self) -> Result<Option<String>, Corrupt> {
        match self.next()? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            Value::Int(_) | Value::Bytes(_) => Err(self.corrupt("is not text")),
        }
    }

    /// Text.
    pub(crate) fn text(&mut self) -> Result<String, Corrupt> {
        let value = self.text_or_null()?;
        self.present(value)
    }

    /// An id that may be missing.
    pub(crate) fn id_or_null<T: FromStr>(&mut self) -> Result<Option<T>, Corrupt> {
        self.text_or_null()?
            .map(|text| {
                text.parse()
                    .map_err(|_| self.corrupt(format!("{text:?} is not an id")))
            })
            .transpose()
    }

    /// An id.
    pub(crate) fn id<T: FromStr>(&mut self) -> Result<T, Corrupt> {
        let value = self.id_or_null()?;
        self.present(value)
    }

    /// A number that may be missing.
    pub(crate) fn number_or_null<T: TryFrom<i64>>(&mut self) -> Result<Option<T>, Corrupt> {
        match self.next()? {
            Value::Null => Ok(None),
            Value::Int(number) => T::try_from(number)
                .map(Some)
                .map_err(|_| self.corrupt(format!("{number} is out of range"))),
            Value::Text(_) | Value::Bytes(_) => Err(self.corrupt("is not a number")),
        }
    }

    /// A number.
    pub(crate) fn number<T: TryFrom<i64>>(&mut self) -> Result<T, Corrupt> {
        let value = self.number_or_null()?;
        self.present(value)
    }

    /// An instant that may be missing.
    pub(crate) fn time_or_null(&mut self) -> Result<Option<Timestamp>, Corrupt> {
        Ok(self.number_or_null()?.map(Timestamp::from_micros))
    }

    /// An instant.
    pub(crate) fn time(&mut self) -> Result<Timestamp, Corrupt> {
        Ok(Timestamp::from_micros(self.number()?))
    }

    /// Yes or no.
    pub(crate) fn flag(&mut self) -> Result<bool, Corrupt> {
        Ok(self.number::<i64>()? != 0)
    }

    /// A word of the domain that may be missing; see [`word`].
    pub(crate) fn word_or_null<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Corrupt> {
        self.text_or_null()?.map(|text| self.read(text)).transpose()
    }

    /// A word of the domain.
    pub(crate) fn word<T: DeserializeOwned>(&mut self) -> Result<T, Corrupt> {
        let text = self.text()?;
        self.read(text)
    }

    fn read<T: DeserializeOwned>(&self, text: String) -> Result<T, Corrupt> {
        let parsed = if text.starts_with(['{', '[']) {
            serde_json::from_str(&text)
        } else {
            serde_json::from_value(serde_json::Value::String(text))
        };
        parsed.map_err(|error| self.corrupt(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        cause::{Disposition, EndReason},
        id::CallId,
        session::{NextState, NotReadyReason},
    };
    use uuid::Uuid;

    #[test]
    fn every_kind_of_column_comes_back_as_it_went() {
        let call = CallId(Uuid::from_u128(7));
        let next = NextState::NotReady(NotReadyReason::Meal);
        let row = vec![
            text(call),
            text_or_null(None::<CallId>),
            number(5u64),
            time(Timestamp::from_micros(-3)),
            flag(true),
            word(&Disposition::NoAnswer),
            word(&EndReason::MaxWait),
            word(&next),
            word(&NextState::Ready),
        ];
        assert_eq!(row[5], Value::Text("NO_ANSWER".into()));
        let mut row = Columns::new(row);
        assert_eq!(row.id::<CallId>().unwrap(), call);
        assert_eq!(row.id_or_null::<CallId>().unwrap(), None);
        assert_eq!(row.number::<u32>().unwrap(), 5);
        assert_eq!(row.time().unwrap(), Timestamp::from_micros(-3));
        assert!(row.flag().unwrap());
        assert_eq!(row.word::<Disposition>().unwrap(), Disposition::NoAnswer);
        assert_eq!(row.word::<EndReason>().unwrap(), EndReason::MaxWait);
        assert_eq!(row.word::<NextState>().unwrap(), next);
        assert_eq!(row.word::<NextState>().unwrap(), NextState::Ready);
        let error = row.text().unwrap_err();
        assert_eq!(error.to_string(), "column 10: row is too short");
    }

    #[test]
    fn a_column_of_another_kind_is_corrupt_and_named_by_its_place() {
        let mut row = Columns::new(vec![number(1), text("x"), number(-1)]);
        assert_eq!(row.text().unwrap_err().column, 1);
        assert_eq!(row.id::<CallId>().unwrap_err().column, 2);
        assert_eq!(row.number::<u32>().unwrap_err().column, 3);
    }
}
