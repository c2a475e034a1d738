//! What a log knows of a command: that it had an effect, or why it was refused.

use commands::ports::{AppendError, Refusal, StreamId, Written};
use domain::{id::CommandId, time::Timestamp};
use serde_json::{Value, json};

/// The answer that a command has had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It had an effect.
    Written(StreamId, Written),
    /// It had none.
    Refused(Refusal),
}

impl Answer {
    /// From the columns of `es_commands`; the error says what is strange.
    pub(crate) fn read(
        stream: &str,
        written: Written,
        refusal: Option<&str>,
    ) -> Result<Self, String> {
        let stream = StreamId::from_stored(stream);
        let Some(text) = refusal else {
            return Ok(Self::Written(stream, written));
        };
        let parts: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let word = |name: &str| parts[name].as_str().map(str::to_owned);
        let whole = word("code").zip(word("message")).zip(parts["at"].as_i64());
        let ((code, message), at) = whole.ok_or("a refusal lacks a part")?;
        Ok(Self::Refused(Refusal {
            stream,
            version: written.version,
            at: Timestamp::from_micros(at),
            code,
            message,
        }))
    }

    /// How an append of the same command is told of it.
    pub(crate) fn error(self, command_id: CommandId) -> AppendError {
        match self {
            Self::Written(stream, written) => AppendError::Duplicate {
                command_id,
                stream,
                written,
            },
            Self::Refused(refusal) => AppendError::Refused {
                command_id,
                refusal,
            },
        }
    }

    /// The effect, if it had one.
    pub(crate) fn written(self) -> Option<(StreamId, Written)> {
        match self {
            Self::Written(stream, written) => Some((stream, written)),
            Self::Refused(_) => None,
        }
    }

    /// The refusal, if it was one.
    pub(crate) fn refusal(self) -> Option<Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Written(..) => None,
        }
    }
}

/// The column `refusal`.
pub(crate) fn text(refusal: &Refusal) -> String {
    json!({
        "code": refusal.code,
        "message": refusal.message,
        "at": refusal.at.micros(),
    })
    .to_string()
}
