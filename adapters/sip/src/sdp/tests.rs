use super::*;

fn local(direction: Direction) -> Local {
    Local {
        rtp: "127.0.0.1:4000".parse().unwrap(),
        rtcp: None,
        direction,
    }
}

fn description(media: &str) -> String {
    format!("v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{media}")
}

fn audio(media: &str) -> Audio {
    parse(description(media).as_bytes()).unwrap().audio
}

fn refused(media: &str) -> Error {
    parse(description(media).as_bytes()).unwrap_err()
}

#[test]
fn the_first_common_codec_is_the_callers_favourite() {
    let audio = audio("m=audio 5000 RTP/AVP 18 8 0 101\na=rtpmap:101 telephone-event/8000\n");
    assert_eq!(
        audio.formats[0],
        Format {
            codec: Codec::Pcma,
            payload_type: 8
        }
    );
    assert_eq!(audio.formats.len(), 2);
    assert_eq!(audio.dtmf_payload_type, Some(101));
    assert_eq!(audio.rtp.unwrap().to_string(), "192.0.2.1:5000");
    assert_eq!(audio.rtcp.unwrap().port(), 5001);
}

#[test]
fn codecs_are_known_by_their_map_and_their_clock_rate() {
    let audio = audio(
        "m=audio 5000 RTP/AVP 97 101 102\na=rtpmap:97 pcmu/8000/1\na=rtpmap:101 telephone-event/48000\na=rtpmap:102 telephone-event/8000\n",
    );
    assert_eq!(
        audio.formats,
        [Format {
            codec: Codec::Pcmu,
            payload_type: 97
        }]
    );
    assert_eq!(audio.dtmf_payload_type, Some(102));
    assert_eq!(
        refused("m=audio 5000 RTP/AVP 0\na=rtpmap:0 PCMU/16000\n"),
        Error::NoCommonCodec
    );
}

#[test]
fn media_level_lines_win_over_session_level_lines() {
    let audio = audio(
        "a=inactive\nm=audio 5000 RTP/AVP 0\nc=IN IP6 2001:db8::7\na=sendonly\na=rtcp:6001 IN IP4 192.0.2.9\na=rtcp-mux\n",
    );
    assert_eq!(audio.rtp.unwrap().to_string(), "[2001:db8::7]:5000");
    assert_eq!(audio.rtcp.unwrap().to_string(), "192.0.2.9:6001");
    assert_eq!(audio.direction, Direction::SendOnly);
}

#[test]
fn an_address_of_zeros_is_a_hold_in_the_old_way() {
    let text =
        description("m=audio 5000 RTP/AVP 0\n").replace("c=IN IP4 192.0.2.1", "c=IN IP4 0.0.0.0");
    let remote = parse(text.as_bytes()).unwrap();
    assert!(remote.audio.holds());
    assert_eq!((remote.audio.rtp, remote.audio.rtcp), (None, None));
    let answer =
        Origin::new(4).answer(local(Direction::SendRecv), &remote, remote.audio.formats[0]);
    assert!(answer.contains("a=recvonly\r\n"));
}

#[test]
fn an_answer_has_every_line_of_the_offer_in_its_order() {
    let offer = parse(description("m=video 6000 RTP/AVP 31 32\nm=audio 5000 RTP/AVP 0 101\na=rtpmap:101 telephone-event/8000\nm=audio 7000 RTP/AVP 0\n").replace("t=0 0", "t=5 9").as_bytes()).unwrap();
    let answer = Origin::new(40).answer(local(Direction::SendRecv), &offer, offer.audio.formats[0]);
    assert_eq!(
        answer,
        "v=0\r\no=ringledger 10 10 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=5 9\r\n\
        m=video 0 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
        a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\nm=audio 0 RTP/AVP 0\r\n"
    );
}

#[test]
fn an_answer_never_does_what_the_offer_does_not_take() {
    use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
    for (offered, wanted, answered) in [
        (SendRecv, SendRecv, SendRecv),
        (SendOnly, SendRecv, RecvOnly),
        (RecvOnly, SendRecv, SendOnly),
        (Inactive, SendRecv, Inactive),
        (SendRecv, SendOnly, SendOnly),
        (SendOnly, SendOnly, Inactive),
    ] {
        assert_eq!(
            offered.answered_by(wanted),
            answered,
            "{offered:?} {wanted:?}"
        );
    }
}

#[test]
fn the_version_rises_by_one_when_the_description_changes_and_only_then() {
    let mut origin = Origin::new(400);
    let version = |text: &str| {
        text.lines()
            .nth(1)
            .unwrap()
            .split(' ')
            .nth(2)
            .unwrap()
            .to_owned()
    };
    let first = origin.offer(local(Direction::SendRecv), &Codec::ALL, None);
    assert_eq!(version(&first), "100");
    assert_eq!(
        origin.offer(local(Direction::SendRecv), &Codec::ALL, None),
        first
    );
    assert_eq!(
        version(&origin.offer(local(Direction::SendOnly), &Codec::ALL, None)),
        "101"
    );
}

#[test]
fn our_offer_can_be_read_by_ourselves() {
    let text = Origin::new(1).offer(local(Direction::SendRecv), &Codec::ALL, None);
    let audio = parse(text.as_bytes()).unwrap().audio;
    assert_eq!(audio.formats.len(), 2);
    assert_eq!(audio.dtmf_payload_type, Some(101));
    assert_eq!(audio.rtp.unwrap().to_string(), "127.0.0.1:4000");
}

#[test]
fn a_later_offer_keeps_the_lines_and_numbers_of_the_session() {
    let remote = parse(
        description("m=video 6000 RTP/AVP 31\nm=audio 5000 RTP/AVP 97\na=rtpmap:97 PCMA/8000\n")
            .as_bytes(),
    )
    .unwrap();
    let offer = Origin::new(1).offer(local(Direction::SendOnly), &[Codec::Pcma], Some(&remote));
    assert!(
        offer.contains(
            "m=video 0 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 97\r\na=rtpmap:97 PCMA/8000\r\n"
        )
    );
    assert!(!offer.contains("telephone-event"));
}

#[test]
fn what_cannot_be_talked_to_is_refused_with_its_reason() {
    assert_eq!(refused(""), Error::NoAudio);
    assert_eq!(refused("m=audio 0 RTP/AVP 0\n"), Error::NoAudio);
    assert_eq!(refused("m=audio 5000 RTP/SAVP 0\n"), Error::NoAudio);
    assert_eq!(refused("m=audio 5000 RTP/AVP 2\n"), Error::NoCommonCodec);
    assert_eq!(
        refused("m=audio 5000 RTP/AVP 0\nc=IN IP4 host.example.com\n"),
        Error::BadAddress
    );
    assert_eq!(
        refused("m=audio 5000 RTP/AVP 0\nc=IN IP4 224.2.1.1/127\n"),
        Error::BadAddress
    );
    assert_eq!(refused("m=audio 70000 RTP/AVP 0\n"), Error::Malformed);
    assert_eq!(refused("m=audio\n"), Error::Malformed);
    assert_eq!(
        refused(&"m=video 1 RTP/AVP 1\n".repeat(MEDIA_MAX + 1)),
        Error::Malformed
    );
    assert_eq!(parse(b"\xff\xfe").unwrap_err(), Error::Malformed);
}
