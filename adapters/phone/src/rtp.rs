//! RTP packets and telephone events as bytes (RFC 3550 section 5.1, RFC 4733 section 2.3).

/// Milliseconds of audio in a packet.
pub const FRAME_MS: u64 = 20;
/// Samples in a packet at 8000 Hz.
pub const FRAME_SAMPLES: usize = 160;

/// One RTP packet, its payload borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Payload type, 0 to 127.
    pub payload_type: u8,
    /// First packet of a talkspurt or event.
    pub marker: bool,
    /// Sequence number.
    pub sequence: u16,
    /// Timestamp in samples.
    pub timestamp: u32,
    /// The source's id.
    pub ssrc: u32,
    /// The audio or event.
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads a packet; `None` if it is not RTP version 2 or cut short.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let fixed = bytes.get(..12)?;
        if fixed[0] >> 6 != 2 {
            return None;
        }
        let mut start = 12 + usize::from(fixed[0] & 0x0f) * 4;
        if fixed[0] & 0x10 != 0 {
            let extension = bytes.get(start..start + 4)?;
            start += 4 + usize::from(u16::from_be_bytes([extension[2], extension[3]])) * 4;
        }
        let mut end = bytes.len();
        if fixed[0] & 0x20 != 0 {
            end = end.checked_sub(usize::from(*bytes.last()?))?;
        }
        Some(Self {
            payload_type: fixed[1] & 0x7f,
            marker: fixed[1] & 0x80 != 0,
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
            payload: bytes.get(start..end)?,
        })
    }

    /// The packet's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(12 + self.payload.len());
        bytes.push(0x80);
        bytes.push(self.payload_type & 0x7f | if self.marker { 0x80 } else { 0 });
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(&self.timestamp.to_be_bytes());
        bytes.extend_from_slice(&self.ssrc.to_be_bytes());
        bytes.extend_from_slice(self.payload);
        bytes
    }
}

/// The event code of a key, if there is one (RFC 4733 3.2).
pub fn event_of_digit(digit: char) -> Option<u8> {
    "0123456789*#ABCD"
        .chars()
        .position(|key| key == digit.to_ascii_uppercase())
        .map(|at| at as u8)
}

/// The key of an event code, if it is one.
pub fn digit_of_event(event: u8) -> Option<char> {
    "0123456789*#ABCD".chars().nth(usize::from(event))
}

/// The payload of a telephone event; `duration` in samples since its start.
pub fn event_payload(event: u8, end: bool, duration: u16) -> [u8; 4] {
    // Volume -10 dBm0, as most phones send it.
    let flags = if end { 0x80 | 10 } else { 10 };
    let [high, low] = duration.to_be_bytes();
    [event, flags, high, low]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_reads_as_it_was_written() {
        let packet = Packet {
            payload_type: 8,
            marker: true,
            sequence: 65_535,
            timestamp: 7,
            ssrc: 9,
            payload: &[1, 2, 3],
        };
        assert_eq!(Packet::parse(&packet.to_bytes()), Some(packet));
    }

    #[test]
    fn contributing_sources_extension_and_padding_are_stepped_over() {
        let mut bytes = vec![
            0xb1, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9, 9, 9, 9, 0xbe, 0xde, 0, 1, 8, 8, 8, 8,
        ];
        bytes.extend([42, 43, 0, 2]);
        assert_eq!(Packet::parse(&bytes).unwrap().payload, &[42, 43]);
    }

    #[test]
    fn cut_or_foreign_bytes_are_no_packet() {
        let whole = [0xbf, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 255];
        for end in 0..=whole.len() {
            assert_eq!(Packet::parse(&whole[..end]), None);
        }
    }

    #[test]
    fn every_key_has_its_event() {
        assert_eq!(event_of_digit('0'), Some(0));
        assert_eq!(event_of_digit('#'), Some(11));
        assert_eq!(event_of_digit('d'), Some(15));
        assert_eq!(event_of_digit('x'), None);
        assert_eq!(digit_of_event(10), Some('*'));
        assert_eq!(digit_of_event(16), None);
    }
}
