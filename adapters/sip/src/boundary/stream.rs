//! Cuts a TCP byte stream into messages by Content-Length (RFC 3261, 18.3), with
//! the double-CRLF ping of RFC 5626, 3.5.1.

use bytes::{Buf, Bytes, BytesMut};

use super::syntax::number;
use super::wire::{self, head_len};
use super::{BODY_BYTES_MAX, HEAD_BYTES_MAX};

/// What the bytes so far hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// One whole message, for [`super::inspect`].
    Message(Bytes),
    /// A message after which the stream cannot be cut any more (no, several, or
    /// a malformed Content-Length, or one over the limit): inspect and answer it,
    /// then close.
    Last(Bytes),
    /// A keepalive ping: answer with one CRLF.
    Ping,
    /// No end of headers within [`HEAD_BYTES_MAX`]: close.
    Overflow,
}

/// The state of one connection: what has not been cut yet.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: BytesMut,
    /// How far the headers have been searched for their end.
    searched: usize,
    closed: bool,
}

impl Framer {
    /// A framer at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes received bytes in. Call [`Self::next_frame`] until it is `None`
    /// before the next call: that bounds the buffer.
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.closed {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Bytes received and not cut yet.
    pub fn buffered_bytes(&self) -> usize {
        self.buffer.len()
    }

    /// The next frame; `None` until more bytes come. After `Last` and
    /// `Overflow` there is nothing more.
    pub fn next_frame(&mut self) -> Option<Frame> {
        if self.closed {
            return None;
        }
        if self.buffer.starts_with(b"\r\n\r\n") {
            self.buffer.advance(4);
            self.searched = 0;
            return Some(Frame::Ping);
        }
        // A lone CRLF is a pong, or padding before a message; but it may also be
        // the first half of a ping, so that it waits for what follows it.
        if self.buffer.starts_with(b"\r\n") {
            match self.buffer.get(2..4) {
                Some(_) => self.buffer.advance(2),
                None if self.buffer.len() == 3 && self.buffer[2] != b'\r' => self.buffer.advance(2),
                None => return None,
            }
            self.searched = 0;
        }
        self.cut()
    }

    fn cut(&mut self) -> Option<Frame> {
        // The end of the head can begin at most three bytes before what is new.
        let from = self.searched.saturating_sub(3);
        let from = self.buffer[..from]
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let Some(head) = head_len(&self.buffer[from..]).map(|len| from + len) else {
            self.searched = self.buffer.len();
            if self.buffer.len() > HEAD_BYTES_MAX {
                return self.close(Frame::Overflow);
            }
            return None;
        };
        if head > HEAD_BYTES_MAX {
            return self.close(Frame::Overflow);
        }
        let Some(length) = content_length(&self.buffer[..head]) else {
            let message = self.buffer.split_to(head).freeze();
            return self.close(Frame::Last(message));
        };
        if self.buffer.len() < head + length {
            return None;
        }
        self.searched = 0;
        Some(Frame::Message(self.buffer.split_to(head + length).freeze()))
    }

    fn close(&mut self, frame: Frame) -> Option<Frame> {
        self.closed = true;
        self.buffer = BytesMut::new();
        Some(frame)
    }
}

/// The one Content-Length of a head, within the limit.
fn content_length(head: &[u8]) -> Option<usize> {
    let wire = wire::split(head)?;
    if wire.count("Content-Length") != 1 {
        return None;
    }
    let length = usize::try_from(number(wire.get("Content-Length")?)?).ok()?;
    (length <= BODY_BYTES_MAX).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYE: &[u8] = b"BYE sip:a@b SIP/2.0\r\nl: 4\r\n\r\nbody";

    fn frames(framer: &mut Framer) -> Vec<Frame> {
        std::iter::from_fn(|| framer.next_frame()).collect()
    }

    #[test]
    fn messages_come_out_whole_however_the_stream_is_cut() {
        let stream = [b"\r\n\r\n", BYE, b"\r\n", BYE, BYE].concat();
        for size in 1..stream.len() {
            let mut framer = Framer::new();
            let mut got = Vec::new();
            for chunk in stream.chunks(size) {
                framer.push(chunk);
                got.extend(frames(&mut framer));
            }
            let message = Frame::Message(Bytes::from_static(BYE));
            assert_eq!(
                got,
                [Frame::Ping, message.clone(), message.clone(), message],
                "{size}"
            );
            assert_eq!(framer.buffered_bytes(), 0);
        }
    }

    #[test]
    fn a_length_that_cannot_be_trusted_ends_the_stream() {
        for line in [
            "l: 99999999999999999999",
            "l: -1",
            "l: 70000",
            "l: 1\r\nl: 2",
            "x: y",
        ] {
            let mut framer = Framer::new();
            framer.push(format!("BYE sip:a@b SIP/2.0\r\n{line}\r\n\r\nrest").as_bytes());
            assert!(
                matches!(framer.next_frame(), Some(Frame::Last(_))),
                "{line}"
            );
            framer.push(BYE);
            assert_eq!(framer.next_frame(), None);
            assert_eq!(framer.buffered_bytes(), 0);
        }
    }

    #[test]
    fn headers_without_an_end_are_cut_off_at_the_limit() {
        let mut framer = Framer::new();
        let mut last = None;
        for _ in 0..HEAD_BYTES_MAX {
            framer.push(b"abc\r\n");
            last = framer.next_frame();
            if last.is_some() {
                break;
            }
        }
        assert_eq!(last, Some(Frame::Overflow));
    }
}
