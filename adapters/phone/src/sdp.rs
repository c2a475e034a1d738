//! Offer and answer of one audio stream: PCMU, PCMA and telephone-event (RFC 8866, RFC 3264, RFC 4733).

use std::net::{IpAddr, SocketAddr};

/// An audio codec of this phone; both run at 8000 Hz.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// G.711 mu-law, payload type 0.
    Pcmu,
    /// G.711 A-law, payload type 8.
    Pcma,
}

impl Codec {
    /// The static RTP payload type (RFC 3551 table 4).
    pub fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
        }
    }

    /// The codec of a static payload type.
    pub fn from_payload_type(payload_type: u8) -> Option<Self> {
        [Self::Pcmu, Self::Pcma]
            .into_iter()
            .find(|codec| codec.payload_type() == payload_type)
    }

    fn encoding(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        }
    }
}

/// Who sends audio, seen from the one who wrote the description (RFC 3264 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Both.
    #[default]
    SendRecv,
    /// Only the writer: the other side is on hold.
    SendOnly,
    /// Only the other side.
    RecvOnly,
    /// Nobody.
    Inactive,
}

impl Direction {
    /// The attribute's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// What the other side answers to this offer if it wants all it can have (RFC 3264 6.1).
    pub fn answered(self) -> Self {
        match self {
            Self::SendRecv => Self::SendRecv,
            Self::SendOnly => Self::RecvOnly,
            Self::RecvOnly => Self::SendOnly,
            Self::Inactive => Self::Inactive,
        }
    }

    /// The writer sends.
    pub fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// The writer wants to receive; if not, its peer is on hold.
    pub fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    fn from_name(name: &str) -> Option<Self> {
        [
            Self::SendRecv,
            Self::SendOnly,
            Self::RecvOnly,
            Self::Inactive,
        ]
        .into_iter()
        .find(|d| d.name() == name)
    }
}

/// The audio stream as one side describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Where this side wants its RTP.
    pub rtp: SocketAddr,
    /// Codecs of ours in the writer's order; others are left out.
    pub codecs: Vec<Codec>,
    /// Payload type of telephone-event/8000, if named.
    pub telephone_event: Option<u8>,
    /// Who sends.
    pub direction: Direction,
}

impl Description {
    /// Reads the first audio stream. `None` if there is none, it is switched off (port 0), or has no IP address.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(body);
        let (mut session_ip, mut stream_ip) = (None, None);
        let (mut port, mut payload_types) = (None, Vec::new());
        let (mut maps, mut direction) = (Vec::new(), Direction::default());
        let mut in_audio = false;
        for line in text.lines() {
            let Some((kind, value)) = line.trim_end().split_once('=') else {
                continue;
            };
            match kind {
                "m" if in_audio => break,
                "m" => {
                    let mut parts = value.split_ascii_whitespace();
                    in_audio = parts.next() == Some("audio");
                    if in_audio {
                        port = parts
                            .next()
                            .and_then(|text| text.split('/').next()?.parse::<u16>().ok());
                        payload_types = parts
                            .skip(1)
                            .filter_map(|text| text.parse::<u8>().ok())
                            .collect();
                    }
                }
                "c" if in_audio => stream_ip = connection_ip(value),
                "c" if port.is_none() => session_ip = connection_ip(value),
                "a" if in_audio || port.is_none() => match value.strip_prefix("rtpmap:") {
                    Some(map) => maps.extend(rtpmap(map)),
                    None => direction = Direction::from_name(value).unwrap_or(direction),
                },
                _ => {}
            }
        }
        let ip: IpAddr = stream_ip.or(session_ip)?;
        let port = port.filter(|port| *port != 0)?;
        // An address of zeros is the hold of RFC 2543.
        let direction = if ip.is_unspecified() {
            Direction::SendOnly
        } else {
            direction
        };
        let named = |pt: u8| {
            maps.iter()
                .find(|(mapped, _)| *mapped == pt)
                .map(|(_, name)| name.as_str())
        };
        let codec = |pt: &u8| match named(*pt) {
            Some("PCMU/8000") => Some(Codec::Pcmu),
            Some("PCMA/8000") => Some(Codec::Pcma),
            Some(_) => None,
            None => Codec::from_payload_type(*pt),
        };
        let telephone_event = payload_types
            .iter()
            .copied()
            .find(|pt| named(*pt) == Some("TELEPHONE-EVENT/8000"));
        let codecs = payload_types.iter().filter_map(codec).collect();
        Some(Self {
            rtp: SocketAddr::new(ip, port),
            codecs,
            telephone_event,
            direction,
        })
    }

    /// Writes the description; `version` grows with every change (RFC 3264 8).
    pub fn render(&self, session_id: u64, version: u64) -> String {
        let ip = self.rtp.ip();
        let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
        let mut types = self
            .codecs
            .iter()
            .map(|codec| codec.payload_type())
            .collect::<Vec<_>>();
        types.extend(self.telephone_event);
        let types = types
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" ");
        let mut text = format!(
            "v=0\r\no=- {session_id} {version} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\nm=audio {} RTP/AVP {types}\r\n",
            self.rtp.port()
        );
        for codec in &self.codecs {
            text.push_str(&format!(
                "a=rtpmap:{} {}/8000\r\n",
                codec.payload_type(),
                codec.encoding()
            ));
        }
        if let Some(event) = self.telephone_event {
            text.push_str(&format!(
                "a=rtpmap:{event} telephone-event/8000\r\na=fmtp:{event} 0-16\r\n"
            ));
        }
        text.push_str(&format!("a=ptime:20\r\na={}\r\n", self.direction.name()));
        text
    }
}

fn connection_ip(value: &str) -> Option<IpAddr> {
    let address = value.split_ascii_whitespace().nth(2)?;
    address.split('/').next()?.parse().ok()
}

/// Payload type and upper-case `NAME/rate` of an rtpmap.
fn rtpmap(value: &str) -> Option<(u8, String)> {
    let (payload_type, encoding) = value.split_once(' ')?;
    let mut parts = encoding.trim().split('/');
    let name = format!("{}/{}", parts.next()?, parts.next()?);
    Some((payload_type.parse().ok()?, name.to_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_phone_offers_the_other_reads() {
        let offer = Description {
            rtp: "127.0.0.1:4000".parse().unwrap(),
            codecs: vec![Codec::Pcma, Codec::Pcmu],
            telephone_event: Some(101),
            direction: Direction::SendOnly,
        };
        assert_eq!(
            Description::parse(offer.render(1, 2).as_bytes()),
            Some(offer)
        );
    }

    #[test]
    fn foreign_codecs_wrong_rates_and_other_streams_are_left_out() {
        let body = "v=0\r\nc=IN IP4 192.0.2.1\r\na=sendonly\r\nm=video 9 RTP/AVP 31\r\nm=audio 5000 RTP/AVP 111 96 8 97\r\n\
                    a=rtpmap:111 opus/48000/2\r\na=rtpmap:96 telephone-event/48000\r\na=rtpmap:97 telephone-event/8000\r\n\
                    a=sendrecv\r\nm=audio 6000 RTP/AVP 0\r\n";
        let read = Description::parse(body.as_bytes()).unwrap();
        assert_eq!(read.codecs, vec![Codec::Pcma]);
        assert_eq!(read.telephone_event, Some(97));
        assert_eq!(read.rtp.to_string(), "192.0.2.1:5000");
        assert_eq!(read.direction, Direction::SendRecv);
    }

    #[test]
    fn a_stream_without_port_or_address_is_no_stream() {
        for body in [
            "",
            "m=audio",
            "m=audio x y z",
            "c=IN IP4 1.2.3.4\r\nm=audio 0 RTP/AVP 0",
            "m=audio 4 RTP/AVP 0",
        ] {
            assert_eq!(Description::parse(body.as_bytes()), None, "{body}");
        }
    }
}
