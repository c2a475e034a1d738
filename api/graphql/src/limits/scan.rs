//! The form of a document, before it is parsed: the parser recurses, and only
//! the nesting of brackets bounds how deep.

use crate::{error::Fault, options::Options};

/// Counts tokens and nesting; strings and comments hold no brackets.
pub(super) fn check(query: &str, options: &Options) -> Result<(), Fault> {
    let mut rest = query.as_bytes();
    let mut tokens_count = 0;
    let mut nesting: usize = 0;
    while let Some(first) = rest.first() {
        let length = match first {
            // Also the bytes of a byte order mark.
            b' ' | b'\t' | b'\n' | b'\r' | b',' | 0xEF | 0xBB | 0xBF => {
                rest = &rest[1..];
                continue;
            }
            b'#' => {
                let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
                rest = &rest[end.unwrap_or(rest.len())..];
                continue;
            }
            b'"' => string(rest).ok_or_else(|| Fault::validation("a string is not closed"))?,
            b'{' | b'[' | b'(' => {
                nesting += 1;
                1
            }
            b'}' | b']' | b')' => {
                nesting = nesting.saturating_sub(1);
                1
            }
            byte if is_word(*byte) => rest
                .iter()
                .position(|byte| !is_word(*byte))
                .unwrap_or(rest.len()),
            _ => 1,
        };
        rest = &rest[length..];
        tokens_count += 1;
        if tokens_count > options.tokens_max {
            return Err(over("tokens", options.tokens_max as u64));
        }
        if nesting > options.nesting_max {
            return Err(over("nested brackets", options.nesting_max as u64));
        }
    }
    Ok(())
}

pub(super) fn over(what: &str, limit: u64) -> Fault {
    Fault::validation(format!("document has more than {limit} {what}"))
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Length of the string that starts here, its quotes included; none for one that is
/// not closed, which the parser may read as something else.
fn string(bytes: &[u8]) -> Option<usize> {
    const BLOCK: &[u8] = b"\"\"\"";
    if bytes.starts_with(BLOCK) {
        let mut at = BLOCK.len();
        while at < bytes.len() {
            if bytes[at..].starts_with(b"\\\"\"\"") {
                at += 1 + BLOCK.len();
            } else if bytes[at..].starts_with(BLOCK) {
                return Some(at + BLOCK.len());
            } else {
                at += 1;
            }
        }
        return None;
    }
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            // Not allowed in a string.
            b'\n' | b'\r' => return None,
            _ => at += 1,
        }
    }
    None
}
