//! Writing offers and answers.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use super::{Codec, Direction, Format, MediaLine, Remote};

/// Payload type of telephone-event in our own offers.
const DTMF_PAYLOAD_TYPE: u8 = 101;

/// Milliseconds of audio a packet.
const PTIME_MS: u16 = 20;

/// The `o=` line of one of our sessions. Every description that differs from the
/// one before it raises the version by one (RFC 3264, 8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    session_id: u64,
    version: u64,
    /// What was written last, without its `o=` line.
    last: Option<String>,
}

impl Origin {
    /// A session with a random id. Kept to 62 bits: some phones read it signed.
    pub const fn new(entropy: u64) -> Self {
        let session_id = entropy >> 2;
        Self {
            session_id,
            version: session_id,
            last: None,
        }
    }
}

/// Our side of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Local {
    /// Where we receive RTP; RTCP is on the next port, or at `rtcp`.
    pub rtp: SocketAddr,
    /// Where we receive RTCP, if it is not the next port (RFC 3605).
    pub rtcp: Option<SocketAddr>,
    /// What we would like to do.
    pub direction: Direction,
}

impl Origin {
    /// Writes an offer of these codecs, ours numbered as usual. `shape` is what
    /// the other side described before in this session, if it did: its media
    /// lines and numbers stay (RFC 3264, 8).
    pub fn offer(&mut self, local: Local, codecs: &[Codec], shape: Option<&Remote>) -> String {
        let formats: Vec<Format> = codecs
            .iter()
            .map(|codec| {
                let known = shape.and_then(|remote| remote.audio.format(*codec));
                known.unwrap_or_else(|| Format {
                    codec: *codec,
                    payload_type: codec.static_payload_type(),
                })
            })
            .collect();
        let dtmf = match shape {
            Some(remote) => remote.audio.dtmf_payload_type,
            None => Some(DTMF_PAYLOAD_TYPE),
        };
        let protocol = shape.map_or("RTP/AVP", |remote| {
            remote.media[remote.audio.index].protocol.as_str()
        });
        let audio = audio_lines(local, local.direction, protocol, &formats, dtmf);
        let (media, index): (&[MediaLine], usize) =
            shape.map_or((&[], 0), |remote| (&remote.media, remote.audio.index));
        self.write(local, "0 0", media, index, &audio)
    }

    /// Writes the answer to an offer, with one codec of it. Every line of the
    /// offer is answered, those but the audio with port 0 (RFC 3264, 6).
    pub fn answer(&mut self, local: Local, offer: &Remote, format: Format) -> String {
        let direction = offer.audio.direction.answered_by(local.direction);
        let protocol = &offer.media[offer.audio.index].protocol;
        let dtmf = offer.audio.dtmf_payload_type;
        let audio = audio_lines(local, direction, protocol, &[format], dtmf);
        self.write(
            local,
            &offer.timing,
            &offer.media,
            offer.audio.index,
            &audio,
        )
    }

    fn write(
        &mut self,
        local: Local,
        timing: &str,
        media: &[MediaLine],
        index: usize,
        audio: &str,
    ) -> String {
        let address = address(local.rtp.ip());
        let mut rest = format!("s=-\r\nc={address}\r\nt={timing}\r\n");
        for line in media.iter().take(index) {
            refuse(line, &mut rest);
        }
        rest.push_str(audio);
        for line in media.iter().skip(index + 1) {
            refuse(line, &mut rest);
        }
        if self.last.as_ref().is_some_and(|last| *last != rest) {
            self.version = self.version.saturating_add(1);
        }
        let text = format!(
            "v=0\r\no=ringledger {} {} {address}\r\n{rest}",
            self.session_id, self.version
        );
        self.last = Some(rest);
        text
    }
}

fn refuse(line: &MediaLine, out: &mut String) {
    let _ = write!(
        out,
        "m={} 0 {} {}\r\n",
        line.kind, line.protocol, line.formats
    );
}

fn audio_lines(
    local: Local,
    direction: Direction,
    protocol: &str,
    formats: &[Format],
    dtmf: Option<u8>,
) -> String {
    let mut out = format!("m=audio {} {protocol}", local.rtp.port());
    for format in formats {
        let _ = write!(out, " {}", format.payload_type);
    }
    if let Some(dtmf) = dtmf {
        let _ = write!(out, " {dtmf}");
    }
    out.push_str("\r\n");
    for format in formats {
        let _ = write!(
            out,
            "a=rtpmap:{} {}/8000\r\n",
            format.payload_type,
            format.codec.name()
        );
    }
    if let Some(dtmf) = dtmf {
        let _ = write!(
            out,
            "a=rtpmap:{dtmf} telephone-event/8000\r\na=fmtp:{dtmf} 0-15\r\n"
        );
    }
    let _ = write!(out, "a=ptime:{PTIME_MS}\r\n");
    if let Some(rtcp) = local.rtcp {
        let _ = write!(out, "a=rtcp:{} {}\r\n", rtcp.port(), address(rtcp.ip()));
    }
    let _ = write!(out, "a={}\r\n", direction.as_str());
    out
}

fn address(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => format!("IN IP4 {ip}"),
        IpAddr::V6(ip) => format!("IN IP6 {ip}"),
    }
}
