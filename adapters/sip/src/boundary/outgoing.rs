//! The way out: undoes what the boundary or the stack did to text that the other
//! side must see as it wrote it.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

/// Begins the tags that stand in for the missing From tags of RFC 2543.
const STAND_IN: &str = ";tag=rl2543-";

/// Hex digits after [`STAND_IN`].
const STAND_IN_DIGITS: usize = 16;

/// The stand-in tag of a call, the same in each of its requests.
pub(super) fn tag_for(call_id: &str) -> String {
    let digest = Sha256::digest(call_id);
    format!("{STAND_IN}{}", hex::encode(&digest[..STAND_IN_DIGITS / 2]))
}

/// Makes a message that the stack printed fit to be sent: stand-in tags leave it,
/// and a Request-URI whose escapes the stack escaped again gets them back.
pub fn outgoing(message: &[u8]) -> Cow<'_, [u8]> {
    let line_end = message
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(message.len());
    let (start, rest) = message.split_at(line_end);
    let doubled = find(start, b"%25").is_some();
    let tagged = find(rest, STAND_IN.as_bytes()).is_some();
    if !doubled && !tagged {
        return Cow::Borrowed(message);
    }
    let mut out = Vec::with_capacity(message.len());
    let mut left = start;
    while let Some(at) = find(left, b"%25") {
        out.extend_from_slice(&left[..=at]);
        left = &left[at + 3..];
    }
    out.extend_from_slice(left);
    left = rest;
    while let Some(at) = find(left, STAND_IN.as_bytes()) {
        out.extend_from_slice(&left[..at]);
        let end = at + STAND_IN.len() + STAND_IN_DIGITS;
        left = left.get(end..).unwrap_or_default();
    }
    out.extend_from_slice(left);
    Cow::Owned(out)
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_tag_never_leaves_the_server() {
        let message = format!(
            "SIP/2.0 200 OK\r\nFrom: <sip:a@h>{}\r\nTo: <sip:b@h>;tag=1\r\n\r\n",
            tag_for("c")
        );
        assert_eq!(
            outgoing(message.as_bytes()).as_ref(),
            b"SIP/2.0 200 OK\r\nFrom: <sip:a@h>\r\nTo: <sip:b@h>;tag=1\r\n\r\n"
        );
    }

    #[test]
    fn the_request_uri_leaves_as_the_contact_was_written() {
        let message = b"BYE sip:a%253Bb%2525@h SIP/2.0\r\nSubject: 100%25\r\n\r\n";
        assert_eq!(
            outgoing(message).as_ref(),
            b"BYE sip:a%3Bb%25@h SIP/2.0\r\nSubject: 100%25\r\n\r\n"
        );
    }
}
