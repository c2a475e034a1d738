//! Messages out of a byte stream (RFC 3261 section 18.3): headers end at an empty line, Content-Length says the rest.

/// The largest message taken from a stream, in bytes.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// The stream cannot be followed any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stream holds no message within its limits")]
pub(crate) struct Unframed;

/// Bytes of a stream that are not yet a whole message.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    buffer: Vec<u8>,
}

impl Frames {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, if it is there. Empty lines between messages are keep-alives (RFC 5626 3.5.1).
    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>, Unframed> {
        let empty = self
            .buffer
            .iter()
            .take_while(|b| matches!(b, b'\r' | b'\n'))
            .count();
        self.buffer.drain(..empty);
        let Some(head) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n") else {
            return if self.buffer.len() > MESSAGE_BYTES_MAX {
                Err(Unframed)
            } else {
                Ok(None)
            };
        };
        let length = content_length(&self.buffer[..head]).ok_or(Unframed)?;
        let end = (head + 4)
            .checked_add(length)
            .filter(|end| *end <= MESSAGE_BYTES_MAX)
            .ok_or(Unframed)?;
        if self.buffer.len() < end {
            return Ok(None);
        }
        Ok(Some(self.buffer.drain(..end).collect()))
    }
}

/// Content-Length of these headers; 0 if they have none, `None` if it is no number.
fn content_length(head: &[u8]) -> Option<usize> {
    let head = String::from_utf8_lossy(head);
    for line in head.lines() {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let name = name.trim();
        if name.eq_ignore_ascii_case("content-length") || name.eq_ignore_ascii_case("l") {
            return value.trim().parse().ok();
        }
    }
    Some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &[u8] = b"\r\n\r\nA x SIP/2.0\r\nl: 3\r\n\r\nabcB y SIP/2.0\r\n\r\n";

    #[test]
    fn messages_come_whole_however_the_stream_is_cut() {
        for size in 1..TWO.len() {
            let (mut frames, mut whole) = (Frames::default(), Vec::new());
            for piece in TWO.chunks(size) {
                frames.push(piece);
                while let Some(message) = frames.next().unwrap() {
                    whole.push(message);
                }
            }
            assert_eq!(whole, [&TWO[4..28], &TWO[28..]], "in pieces of {size}");
        }
    }

    #[test]
    fn a_length_that_is_none_or_too_much_ends_the_stream() {
        for head in [
            "A\r\nContent-Length: x\r\n\r\n",
            "A\r\nl: 99999999999999999999\r\n\r\n",
            "A\r\nl: 70000\r\n\r\n",
        ] {
            let mut frames = Frames::default();
            frames.push(head.as_bytes());
            assert_eq!(frames.next(), Err(Unframed), "{head}");
        }
        let mut frames = Frames::default();
        frames.push(&[b'a'; MESSAGE_BYTES_MAX + 1]);
        assert_eq!(frames.next(), Err(Unframed));
    }
}
