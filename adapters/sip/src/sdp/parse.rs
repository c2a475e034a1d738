//! Reading a description: line by line, unknown lines skipped.

use std::net::{IpAddr, SocketAddr};

use super::{Audio, Codec, Direction, Error, Format, MEDIA_MAX, MediaLine, Remote};

/// Longest description, in bytes.
const BYTES_MAX: usize = 32 * 1024;

/// Most formats read of one media line.
const FORMATS_MAX: usize = 64;

/// What may stand at session and at media level.
#[derive(Debug, Clone, Copy, Default)]
struct Level {
    connection: Option<Connection>,
    direction: Option<Direction>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Connection {
    Address(IpAddr),
    /// A name, or an address nothing can be sent to.
    Unusable,
}

/// A media section while it is read.
#[derive(Debug)]
struct Section<'a> {
    line: MediaLine,
    port: u16,
    payload_types: Vec<u8>,
    level: Level,
    rtpmaps: Vec<(u8, &'a str)>,
    rtcp: Option<&'a str>,
    ptime_ms: Option<u16>,
}

/// Reads an offer or an answer.
pub fn parse(body: &[u8]) -> Result<Remote, Error> {
    if body.len() > BYTES_MAX {
        return Err(Error::Malformed);
    }
    let text = String::from_utf8_lossy(body);
    let mut session = Level::default();
    let mut timing = None;
    let mut sections: Vec<Section<'_>> = Vec::new();
    let mut lines = text.split(['\n', '\r']).filter(|line| !line.is_empty());
    if lines.next().map(str::trim_end) != Some("v=0") {
        return Err(Error::Malformed);
    }
    for line in lines {
        let Some((kind, value)) = line.split_once('=') else {
            continue;
        };
        let value = value.trim_end();
        if kind == "m" {
            if sections.len() == MEDIA_MAX {
                return Err(Error::Malformed);
            }
            sections.push(media(value)?);
            continue;
        }
        let level = sections
            .last_mut()
            .map_or(&mut session, |section| &mut section.level);
        match kind {
            "c" => level.connection = level.connection.or_else(|| Some(connection(value))),
            "a" => match direction(value) {
                Some(direction) => level.direction = Some(direction),
                None => {
                    if let Some(section) = sections.last_mut() {
                        attribute(section, value);
                    }
                }
            },
            "t" if sections.is_empty() => timing = timing.or_else(|| self::timing(value)),
            _ => {}
        }
    }
    let audio = choose(&sections, session)?;
    Ok(Remote {
        audio,
        media: sections.into_iter().map(|section| section.line).collect(),
        timing: timing.unwrap_or_else(|| "0 0".to_owned()),
    })
}

fn timing(value: &str) -> Option<String> {
    let mut parts = value.split_ascii_whitespace();
    let (start, stop) = (parts.next()?, parts.next()?);
    let digits = |text: &str| text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(start) && digits(stop)).then(|| format!("{start} {stop}"))
}

fn media<'a>(value: &str) -> Result<Section<'a>, Error> {
    let mut parts = value.split_ascii_whitespace();
    let mut next = || parts.next().ok_or(Error::Malformed);
    let (kind, port, protocol) = (next()?, next()?, next()?);
    // "port/count": layered streams, of which the first is enough.
    let port = port.split('/').next().unwrap_or_default();
    let formats: Vec<&str> = parts.take(FORMATS_MAX).collect();
    let printable = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    if formats.is_empty() || ![kind, protocol, formats[0]].into_iter().all(printable) {
        return Err(Error::Malformed);
    }
    Ok(Section {
        line: MediaLine {
            kind: kind.to_owned(),
            protocol: protocol.to_owned(),
            formats: formats[0].to_owned(),
        },
        port: port.parse().map_err(|_| Error::Malformed)?,
        payload_types: formats
            .iter()
            .filter_map(|format| format.parse().ok())
            .filter(|payload_type| *payload_type < 128)
            .collect(),
        level: Level::default(),
        rtpmaps: Vec::new(),
        rtcp: None,
        ptime_ms: None,
    })
}

/// `IN IP4 192.0.2.1/127`: a name is not looked up, a multicast group is nobody
/// to talk to.
fn connection(value: &str) -> Connection {
    let address = value
        .split_ascii_whitespace()
        .nth(2)
        .and_then(|text| text.split('/').next())
        .and_then(|text| text.parse::<IpAddr>().ok())
        .map(|address| address.to_canonical());
    match address {
        Some(address) if !is_group(address) => Connection::Address(address),
        Some(_) | None => Connection::Unusable,
    }
}

fn is_group(address: IpAddr) -> bool {
    address.is_multicast() || matches!(address, IpAddr::V4(v4) if v4.is_broadcast())
}

fn direction(value: &str) -> Option<Direction> {
    [
        Direction::SendRecv,
        Direction::SendOnly,
        Direction::RecvOnly,
        Direction::Inactive,
    ]
    .into_iter()
    .find(|direction| direction.as_str() == value)
}

fn attribute<'a>(section: &mut Section<'a>, value: &'a str) {
    let Some((name, value)) = value.split_once(':') else {
        return;
    };
    match name {
        "rtpmap" if section.rtpmaps.len() < FORMATS_MAX => {
            let Some((number, encoding)) = value.trim().split_once([' ', '\t']) else {
                return;
            };
            if let Ok(number) = number.parse() {
                section.rtpmaps.push((number, encoding.trim()));
            }
        }
        "rtcp" => section.rtcp = Some(value),
        "ptime" => {
            section.ptime_ms = value
                .trim()
                .parse()
                .ok()
                .filter(|ms| (5..=200).contains(ms))
        }
        _ => {}
    }
}

/// Takes the first audio line that can be used; if none can, says why the first
/// one cannot.
fn choose(sections: &[Section<'_>], session: Level) -> Result<Audio, Error> {
    let mut why = Error::NoAudio;
    for (index, section) in sections.iter().enumerate() {
        let rtp = ["RTP/AVP", "RTP/AVPF"].contains(&section.line.protocol.as_str());
        if section.line.kind != "audio" || section.port == 0 || !rtp {
            continue;
        }
        match audio(index, section, session) {
            Ok(audio) => return Ok(audio),
            Err(error) if why == Error::NoAudio => why = error,
            Err(_) => {}
        }
    }
    Err(why)
}

fn audio(index: usize, section: &Section<'_>, session: Level) -> Result<Audio, Error> {
    let mut formats: Vec<Format> = Vec::new();
    let mut dtmf_payload_type = None;
    for payload_type in &section.payload_types {
        match encoding(section, *payload_type) {
            // The first number of a codec is the one it is called by.
            Some(Encoding::Codec(codec)) if formats.iter().any(|known| known.codec == codec) => {}
            Some(Encoding::Codec(codec)) => formats.push(Format {
                codec,
                payload_type: *payload_type,
            }),
            Some(Encoding::Dtmf) => {
                dtmf_payload_type = dtmf_payload_type.or(Some(*payload_type));
            }
            None => {}
        }
    }
    if formats.is_empty() {
        return Err(Error::NoCommonCodec);
    }
    let address = match section.level.connection.or(session.connection) {
        Some(Connection::Address(address)) => address,
        Some(Connection::Unusable) | None => return Err(Error::BadAddress),
    };
    let direction = section
        .level
        .direction
        .or(session.direction)
        .unwrap_or_default();
    let held = address.is_unspecified();
    let rtp = (!held).then(|| SocketAddr::new(address, section.port));
    Ok(Audio {
        formats,
        dtmf_payload_type,
        rtp,
        rtcp: rtp.and_then(|rtp| rtcp(section.rtcp, rtp)),
        direction: if held {
            Direction::of(direction.sends(), false)
        } else {
            direction
        },
        ptime_ms: section.ptime_ms,
        index,
    })
}

enum Encoding {
    Codec(Codec),
    Dtmf,
}

/// What a payload type stands for: its rtpmap, or its static meaning.
fn encoding(section: &Section<'_>, payload_type: u8) -> Option<Encoding> {
    let map = section
        .rtpmaps
        .iter()
        .find(|(number, _)| *number == payload_type);
    let Some((_, map)) = map else {
        return Codec::ALL
            .into_iter()
            .find(|codec| codec.static_payload_type() == payload_type)
            .map(Encoding::Codec);
    };
    let mut parts = map.split('/');
    let name = parts.next().unwrap_or_default();
    let rate = parts.next().unwrap_or_default();
    let channels = parts.next().unwrap_or("1");
    if rate != "8000" || channels != "1" {
        return None;
    }
    if name.eq_ignore_ascii_case("telephone-event") {
        return Some(Encoding::Dtmf);
    }
    Codec::ALL
        .into_iter()
        .find(|codec| codec.name().eq_ignore_ascii_case(name))
        .map(Encoding::Codec)
}

/// `a=rtcp:53020 IN IP6 2001:db8::1`, the address being optional; otherwise the
/// port after RTP's.
fn rtcp(attribute: Option<&str>, rtp: SocketAddr) -> Option<SocketAddr> {
    let Some(attribute) = attribute else {
        return Some(SocketAddr::new(rtp.ip(), rtp.port().checked_add(1)?));
    };
    let attribute = attribute.trim();
    let (port, address) = attribute.split_once(' ').unwrap_or((attribute, ""));
    let port: u16 = port.parse().ok().filter(|port| *port != 0)?;
    let ip = match connection(address) {
        Connection::Address(ip) if !ip.is_unspecified() => ip,
        Connection::Address(_) | Connection::Unusable => rtp.ip(),
    };
    Some(SocketAddr::new(ip, port))
}
