//! The fixed header of RTP (RFC 3550 section 5.1), read and written in place.

/// Bytes of the fixed header.
pub(crate) const HEADER_BYTES: usize = 12;

/// What the relay looks at in a packet. The rest passes through untouched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) marker: bool,
    pub(crate) payload_type: u8,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
}

impl Header {
    /// The header of a datagram, if it is RTP version 2 and long enough.
    pub(crate) fn parse(packet: &[u8]) -> Option<Self> {
        let header: &[u8; HEADER_BYTES] = packet.first_chunk()?;
        if header[0] >> 6 != 2 {
            return None;
        }
        Some(Self {
            marker: header[1] & 0x80 != 0,
            payload_type: header[1] & 0x7f,
            sequence: u16::from_be_bytes([header[2], header[3]]),
            timestamp: u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
            ssrc: u32::from_be_bytes([header[8], header[9], header[10], header[11]]),
        })
    }

    /// Overwrites everything but the first byte (version, padding, extension
    /// and CSRC count describe bytes that stay as they are).
    pub(crate) fn write(&self, packet: &mut [u8; HEADER_BYTES]) {
        packet[1] = (u8::from(self.marker) << 7) | (self.payload_type & 0x7f);
        packet[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        packet[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        packet[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
    }
}

/// Where the payload lies: after CSRCs and header extension, before padding.
/// None when these lie about their length.
pub(crate) fn payload_range(packet: &[u8]) -> Option<std::ops::Range<usize>> {
    let first = *packet.first()?;
    let mut start = HEADER_BYTES + 4 * usize::from(first & 0x0f);
    if first & 0x10 != 0 {
        let extension = packet.get(start..start + 4)?;
        start += 4 + 4 * usize::from(u16::from_be_bytes([extension[2], extension[3]]));
    }
    let padding = if first & 0x20 != 0 {
        usize::from(*packet.last()?)
    } else {
        0
    };
    let end = packet.len().checked_sub(padding)?;
    (start <= end).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written() {
        let header = Header {
            marker: true,
            payload_type: 101,
            sequence: 65_535,
            timestamp: 0xdead_beef,
            ssrc: 0x0102_0304,
        };
        let mut bytes = [0x80; HEADER_BYTES];
        header.write(&mut bytes);
        assert_eq!(Header::parse(&bytes), Some(header));
        assert_eq!(Header::parse(&bytes[..11]), None, "too short");
        bytes[0] = 0x40;
        assert_eq!(Header::parse(&bytes), None, "version 1");
    }

    #[test]
    fn the_payload_lies_between_extension_and_padding() {
        let check = |packet: &[u8], expected| assert_eq!(payload_range(packet), expected);
        let mut plain = vec![0u8; 20];
        plain[0] = 0x80;
        check(&plain, Some(12..20));
        plain[0] = 0x81;
        check(&plain, Some(16..20));
        plain[0] = 0xa0;
        plain[19] = 3;
        check(&plain, Some(12..17));
        plain[19] = 200;
        check(&plain, None);
        let mut extended = vec![0u8; 24];
        extended[0] = 0x90;
        extended[15] = 1;
        check(&extended, Some(20..24));
        extended[14] = 0xff;
        check(&extended, None);
        check(&[], None);
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_from_the_wire_is_survived(mut bytes: Vec<u8>) {
            Header::parse(&bytes);
            if let Some(range) = payload_range(&bytes) {
                assert!(bytes.get_mut(range).is_some());
            }
        }
    }
}
