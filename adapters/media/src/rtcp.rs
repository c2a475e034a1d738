//! RTCP from one leg made fit for the other (RFC 3550 section 6): SSRCs,
//! timestamps and sequence numbers follow the rewritten RTP. Pure.

use crate::outgoing::Shift;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
/// APP, transport and payload feedback, extended reports: the sender's SSRC is
/// their second word.
const OTHERS: std::ops::RangeInclusive<u8> = 204..=207;

/// Bytes of one report block.
const BLOCK_BYTES: usize = 24;
/// Common header, sender's SSRC and the sender info.
const SENDER_REPORT_BYTES: usize = 28;
/// Common header and sender's SSRC.
const RECEIVER_REPORT_BYTES: usize = 8;

/// The two streams between a pair of legs, as far as they flow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Streams {
    /// From the sender of the RTCP packet to its receiver.
    pub(crate) forward: Shift,
    /// The other way: what the report blocks speak about.
    pub(crate) backward: Option<Shift>,
}

/// What a far end tells of the stream that it receives (RFC 3550, 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReportBlock {
    /// Packets that it has lost in all; 0 where some came twice.
    pub(crate) lost: u32,
    /// Middle of the timestamp of the last sender report that it got.
    pub(crate) last: u32,
    /// How long ago that was, in 1/65536 s.
    pub(crate) delay: u32,
}

/// The packets of a compound, up to the first that is not whole.
fn packets(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (packet, after) = rest.split_at_checked(packet_bytes(rest)?)?;
        rest = after;
        Some(packet)
    })
}

/// What a compound tells of the stream with that SSRC.
pub(crate) fn report_on(compound: &[u8], ssrc: u32) -> Option<ReportBlock> {
    let blocks = packets(compound).flat_map(|packet| {
        let from = match packet[1] {
            SENDER_REPORT => SENDER_REPORT_BYTES,
            RECEIVER_REPORT => RECEIVER_REPORT_BYTES,
            _ => packet.len(),
        };
        let count = usize::from(packet[0] & 0x1f);
        let blocks = packet.get(from..).unwrap_or_default();
        blocks.chunks_exact(BLOCK_BYTES).take(count)
    });
    let block = blocks.into_iter().find(|block| get(block, 0) == ssrc)?;
    // 24 bits with a sign: duplicates make it negative.
    let lost = (get(block, 4) << 8) as i32 >> 8;
    Some(ReportBlock {
        lost: u32::try_from(lost).unwrap_or(0),
        last: get(block, 16),
        delay: get(block, 20),
    })
}

/// Middle of the timestamp of the sender report in a compound, by which whoever
/// gets it names it.
pub(crate) fn sender_stamp(compound: &[u8]) -> Option<u32> {
    let is_report =
        |packet: &&[u8]| packet[1] == SENDER_REPORT && packet.len() >= SENDER_REPORT_BYTES;
    packets(compound)
        .find(is_report)
        .map(|packet| get(packet, 10))
}

/// Rewrites a compound packet into `out`; false if nothing worth sending is
/// left or it is malformed. BYE is left out: the receiver's stream goes on,
/// with music or another leg.
pub(crate) fn rewrite(compound: &[u8], streams: &Streams, out: &mut Vec<u8>) -> bool {
    out.clear();
    let mut rest = compound;
    while !rest.is_empty() {
        let Some(length) = packet_bytes(rest) else {
            return false;
        };
        let (packet, after) = rest.split_at(length);
        rest = after;
        let start = out.len();
        out.extend_from_slice(packet);
        if !rewrite_one(&mut out[start..], streams) {
            out.truncate(start);
        }
    }
    !out.is_empty()
}

/// Length of the first packet of a compound, if it is whole.
fn packet_bytes(rest: &[u8]) -> Option<usize> {
    let header: &[u8; 4] = rest.first_chunk()?;
    let words = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let length = 4 * (words + 1);
    (header[0] >> 6 == 2 && length <= rest.len()).then_some(length)
}

/// Rewrites one packet in place; false if it must not be passed on.
fn rewrite_one(packet: &mut [u8], streams: &Streams) -> bool {
    let count = usize::from(packet[0] & 0x1f);
    match packet[1] {
        SENDER_REPORT => {
            let whole = packet.len() >= SENDER_REPORT_BYTES + count * BLOCK_BYTES;
            if whole {
                set(packet, 4, streams.forward.ssrc);
                let timestamp = get(packet, 16).wrapping_add(streams.forward.timestamp_offset);
                set(packet, 16, timestamp);
                rewrite_blocks(&mut packet[SENDER_REPORT_BYTES..], count, streams);
            }
            whole
        }
        RECEIVER_REPORT => {
            let whole = packet.len() >= RECEIVER_REPORT_BYTES + count * BLOCK_BYTES;
            if whole {
                set(packet, 4, streams.forward.ssrc);
                rewrite_blocks(&mut packet[RECEIVER_REPORT_BYTES..], count, streams);
            }
            whole
        }
        // With more than one chunk it comes from a mixer, which we do not face.
        SOURCE_DESCRIPTION => {
            let single = count == 1 && packet.len() >= 8;
            if single {
                set(packet, 4, streams.forward.ssrc);
            }
            single
        }
        GOODBYE => false,
        other => {
            let known = OTHERS.contains(&other) && packet.len() >= 8;
            if known {
                set(packet, 4, streams.forward.ssrc);
            }
            known
        }
    }
}

/// Reports on our stream become reports on the stream of the other far end.
fn rewrite_blocks(blocks: &mut [u8], count: usize, streams: &Streams) {
    let Some(backward) = streams.backward else {
        return;
    };
    for block in blocks.chunks_exact_mut(BLOCK_BYTES).take(count) {
        if get(block, 0) == backward.ssrc {
            set(block, 0, backward.source_ssrc);
            let highest = get(block, 8).wrapping_sub(backward.sequence_offset);
            // Nothing of that far end has come there yet: a number before its first.
            let is_earlier = (highest as i32) < 0;
            set(
                block,
                8,
                if is_earlier {
                    highest & 0xffff
                } else {
                    highest
                },
            );
        }
    }
}

/// The caller has checked that four bytes are there.
fn get(packet: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([packet[at], packet[at + 1], packet[at + 2], packet[at + 3]])
}

fn set(packet: &mut [u8], at: usize, value: u32) {
    packet[at..at + 4].copy_from_slice(&value.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAMS: Streams = Streams {
        forward: Shift {
            source_ssrc: 0xaaaa,
            ssrc: 0xbbbb,
            sequence_offset: 10,
            timestamp_offset: 1_000,
        },
        backward: Some(Shift {
            source_ssrc: 0xcccc,
            ssrc: 0xdddd,
            sequence_offset: 7,
            timestamp_offset: 2_000,
        }),
    };

    fn words(first: [u8; 4], rest: &[u32]) -> Vec<u8> {
        let mut packet = first.to_vec();
        for word in rest {
            packet.extend_from_slice(&word.to_be_bytes());
        }
        packet
    }

    #[test]
    fn a_sender_report_speaks_the_numbers_of_the_other_leg() {
        let report = words(
            [0x81, SENDER_REPORT, 0, 12],
            &[0xaaaa, 1, 2, 5_000, 3, 4, 0xdddd, 0, 107, 0, 0, 0],
        );
        let bye = words([0x81, GOODBYE, 0, 1], &[0xaaaa]);
        let mut out = Vec::new();
        assert!(rewrite(&[report, bye].concat(), &STREAMS, &mut out));
        let expected = words(
            [0x81, SENDER_REPORT, 0, 12],
            &[0xbbbb, 1, 2, 6_000, 3, 4, 0xcccc, 0, 100, 0, 0, 0],
        );
        assert_eq!(out, expected, "and the BYE is gone");
    }

    #[test]
    fn what_has_come_is_told_with_the_wraps_of_the_stream_that_it_is_of() {
        let highest = |ours: u32, theirs: u32, told: u32| {
            let mut streams = STREAMS;
            streams.backward.as_mut().unwrap().sequence_offset = ours.wrapping_sub(theirs);
            let report = words(
                [0x81, RECEIVER_REPORT, 0, 7],
                &[0xaaaa, 0xdddd, 0, told, 0, 0, 0],
            );
            let mut out = Vec::new();
            assert!(rewrite(&report, &streams, &mut out));
            get(&out, 16)
        };
        assert_eq!(highest(500, 1_000, 600), 1_100, "theirs begins after ours");
        assert_eq!(highest(1_000, 500, 1_100), 600, "theirs begins before ours");
        assert_eq!(
            highest(500, 65_000, 1_500),
            0x1_0000 + 464,
            "theirs has wrapped"
        );
        assert_eq!(
            highest(0x1_0000 + 5, 7, 0x1_0000 + 8),
            10,
            "ours had wrapped"
        );
        assert_eq!(highest(500, 3, 499), 2, "nothing of theirs yet");
        assert_eq!(highest(500, 3, 490), 65_529, "music before it");
    }

    #[test]
    fn malformed_compounds_are_not_passed_on() {
        let mut out = Vec::new();
        for bad in [
            &[][..],
            &[0x80, RECEIVER_REPORT, 0, 9, 0, 0, 0, 0],
            &[0x9f, RECEIVER_REPORT, 0, 1, 0, 0, 0, 0],
            &[0x00, RECEIVER_REPORT, 0, 1, 0, 0, 0, 0],
            &[0x81, SENDER_REPORT, 0, 0],
            &[0x80],
        ] {
            assert!(!rewrite(bad, &STREAMS, &mut out), "{bad:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_from_the_wire_is_survived(bytes: Vec<u8>, kind in 199u8..=208, words in 0u8..8) {
            let mut out = Vec::new();
            rewrite(&bytes, &STREAMS, &mut out);
            // The same with a head that leads into every kind of packet.
            let mut framed = vec![0x80 | (bytes.len() as u8 & 0x1f), kind, 0, words];
            framed.extend(&bytes);
            rewrite(&framed, &STREAMS, &mut out);
            assert!(out.len() <= framed.len());
        }
    }
}
