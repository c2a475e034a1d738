//! Keys of a far end: each is a run of packets that say the same (RFC 4733,
//! section 2.5.1). Pure.

use crate::rtp::{Header, payload_range};

/// Which key was told last on a leg.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    told: Option<(u32, u32)>,
}

impl Keys {
    /// The event code of a packet of telephone-event, if it was not told yet. All
    /// packets of a key have the timestamp of its beginning.
    pub(crate) fn pressed(&self, header: &Header, packet: &[u8]) -> Option<u8> {
        let code = packet.get(payload_range(packet)?)?.first().copied();
        code.filter(|_| self.told != Some((header.ssrc, header.timestamp)))
    }

    /// It was told.
    pub(crate) fn told(&mut self, header: &Header) {
        self.told = Some((header.ssrc, header.timestamp));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_once_however_many_packets_say_it() {
        let header = |timestamp| Header {
            marker: false,
            payload_type: 101,
            sequence: 1,
            timestamp,
            ssrc: 7,
        };
        let packet = |code: u8| {
            let mut packet = vec![0u8; 16];
            packet[0] = 0x80;
            packet[12] = code;
            packet
        };
        let mut keys = Keys::default();
        assert_eq!(keys.pressed(&header(160), &packet(5)), Some(5));
        // Nobody had room for it: the next packet tells it again.
        assert_eq!(keys.pressed(&header(160), &packet(5)), Some(5));
        keys.told(&header(160));
        assert_eq!(keys.pressed(&header(160), &packet(5)), None);
        assert_eq!(keys.pressed(&header(1_760), &packet(5)), Some(5), "again");
        assert_eq!(keys.pressed(&header(3_360), &packet(5)[..12]), None);
    }
}
