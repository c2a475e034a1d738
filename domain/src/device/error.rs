//! Why a report may be refused: it is not; reports are facts.

use crate::decider::Refusal;

/// A refusal. There is none: a fact changes something or it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match *self {}
    }
}
