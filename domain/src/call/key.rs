//! The keys of a phone.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, str::FromStr};

/// The keys in the order of their event codes (RFC 4733, section 3.2).
const KEYS: [char; 16] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D',
];

/// A key of a phone, written `7`, `*` or `#`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(char);

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a key: one of 0 to 9, *, #, A to D")]
pub struct InvalidKey;

impl Key {
    /// The key beside the 0 that ends what one has to say or dial.
    pub const HASH: Self = Self('#');

    /// The key of an event code; none for events that are no keys.
    pub fn of_event(code: u8) -> Option<Self> {
        KEYS.get(usize::from(code)).copied().map(Self)
    }
}

impl FromStr for Key {
    type Err = InvalidKey;
    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let mut keys = KEYS.into_iter();
        keys.find(|key| text.len() == 1 && text.starts_with(*key))
            .map(Self)
            .ok_or(InvalidKey)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_code_of_its_event_and_is_written_as_on_the_phone() {
        for (code, text) in [(0, "0"), (9, "9"), (10, "*"), (11, "#"), (15, "D")] {
            let key = Key::of_event(code).unwrap();
            assert_eq!(key.to_string(), text);
            assert_eq!(text.parse(), Ok(key));
            assert_eq!(serde_json::to_string(&key).unwrap(), format!("\"{text}\""));
        }
        // 16 is a flash of the hook.
        assert_eq!(Key::of_event(16), None);
        for text in ["", "10", "d", "x", "\u{664}"] {
            assert_eq!(text.parse::<Key>(), Err(InvalidKey), "{text}");
        }
    }
}
