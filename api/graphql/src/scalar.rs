//! Scalars: instants, durations, and places in the one order of all events.

use async_graphql::{
    InputValueError, InputValueResult, Scalar, ScalarType, Value, connection::CursorType,
};
use commands::ports::Position;
use domain::time::Timestamp;

/// An instant in UTC, RFC 3339 with microseconds. An offset is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DateTime(pub(crate) Timestamp);

#[Scalar(specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = value else {
            return Err(InputValueError::expected_type(value));
        };
        let text = serde_json::Value::String(text);
        Ok(Self(serde_json::from_value(text)?))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A duration in whole milliseconds: a 64-bit number, so written as a string.
/// A number is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Duration(pub(crate) u64);

#[Scalar]
impl ScalarType for Duration {
    fn parse(value: Value) -> InputValueResult<Self> {
        match whole(&value) {
            Some(number) => Ok(Self(number)),
            None => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A place in the one order of all events. Opaque; what a mutation answers is
/// what a read takes as `minPosition` and an event subscription as `after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cursor(pub(crate) u64);

#[Scalar]
impl ScalarType for Cursor {
    fn parse(value: Value) -> InputValueResult<Self> {
        match whole(&value) {
            Some(number) => Ok(Self(number)),
            None => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl From<Position> for Cursor {
    fn from(position: Position) -> Self {
        Self(position.0)
    }
}

impl From<Cursor> for Position {
    fn from(cursor: Cursor) -> Self {
        Self(cursor.0)
    }
}

impl CursorType for Cursor {
    type Error = std::num::ParseIntError;

    fn decode_cursor(text: &str) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }

    fn encode_cursor(&self) -> String {
        self.0.to_string()
    }
}

/// An exact decimal number, as a string: `"0.0096"`. Never a float.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Amount(pub(crate) domain::money::Decimal);

#[Scalar(name = "Decimal")]
impl ScalarType for Amount {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = value else {
            return Err(InputValueError::expected_type(value));
        };
        Ok(Self(text.parse()?))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A whole number up to the greatest that every store can keep.
fn whole(value: &Value) -> Option<u64> {
    let number = match value {
        Value::String(text) => text.parse::<u64>().ok(),
        Value::Number(number) => number.as_u64(),
        Value::Null
        | Value::Boolean(_)
        | Value::Enum(_)
        | Value::Binary(_)
        | Value::List(_)
        | Value::Object(_) => None,
    };
    number.filter(|number| i64::try_from(*number).is_ok())
}

/// A count as GraphQL's `Int`, which has 32 bits.
pub(crate) fn count(number: impl TryInto<i32>) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_read_and_written_as_rfc_3339() {
        let instant = DateTime(Timestamp::from_micros(1_800_000_000_000_007));
        let text = Value::String("2027-01-15T08:00:00.000007Z".into());
        assert_eq!(instant.to_value(), text);
        assert_eq!(DateTime::parse(text).unwrap(), instant);
        assert!(DateTime::parse(Value::String("tomorrow".into())).is_err());
        assert!(DateTime::parse(Value::Null).is_err());
    }

    #[test]
    fn a_duration_is_a_string_and_a_number_is_understood() {
        assert_eq!(Duration(5).to_value(), Value::String("5".into()));
        assert_eq!(Duration::parse(Value::from(5)).unwrap(), Duration(5));
        let text = |text: &str| Duration::parse(Value::String(text.into()));
        assert_eq!(text("5").unwrap(), Duration(5));
        for wrong in ["-1", "1.5", "", "18446744073709551615"] {
            assert!(text(wrong).is_err(), "{wrong}");
        }
    }
}
