//! What a caller is told is heard once, from its start to its end, and then said to be over.

use crate::support::{Phone, event, options, start, written};
use ringledger_media::{FRAME_SAMPLES, Law, MediaEvent, Options, PayloadTypes};
use std::{collections::BTreeMap, path::Path};

/// Three frames of a loudness each.
const LEVELS: [i16; 3] = [4_000, 8_000, 12_000];
/// Half a second.
const LEAD_IN_FRAMES: usize = 25;

fn with(name: &str, file: &Path) -> Options {
    Options {
        announcements: BTreeMap::from([(name.into(), file.to_owned())]),
        ..options(4)
    }
}

#[test]
fn an_announcement_is_heard_once_and_then_silence() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("closed.wav");
    written(&file, &LEVELS, 0).unwrap();
    let (relay, mut events) = start(&with("closed", &file));
    for (number, law, types) in [
        (1, Law::Mu, PayloadTypes::pcmu(None)),
        (2, Law::A, PayloadTypes::pcma(None)),
    ] {
        let caller = Phone::agreed(&relay, number, types);
        assert!(relay.announce(caller.leg, "closed"));
        let silence = [0; 1].map(|sample| law.encode(sample))[0];
        for frame in 0..LEAD_IN_FRAMES {
            assert_eq!(caller.hear().payload, [silence; FRAME_SAMPLES], "{frame}");
        }
        for level in LEVELS {
            assert_eq!(caller.hear().payload, [law.encode(level); FRAME_SAMPLES]);
        }
        let leg = caller.leg;
        assert_eq!(event(&mut events), MediaEvent::Announced { leg });
        for _ in 0..5 {
            let heard = law.decode(caller.hear().payload[0]);
            assert!(heard.unsigned_abs() < 16, "silence follows: {heard}");
        }
        // It would come before: told once.
        relay.close(leg);
        assert!(matches!(event(&mut events), MediaEvent::Closed(_)));
    }
}

#[test]
fn a_name_that_there_is_not_is_told_at_once() {
    let (relay, _events) = start(&options(3));
    let caller = Phone::agreed(&relay, 1, PayloadTypes::pcmu(None));
    assert!(!relay.announce(caller.leg, "closed"));
}

#[test]
fn a_file_that_is_no_recording_is_named_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("closed.wav");
    std::fs::write(&file, b"no sound").unwrap();
    let gone = folder.path().join("gone.wav");
    for (file, reason) in [(file, "closed.wav"), (gone, "No such file")] {
        let options = with("closed", &file);
        let error = crate::support::refused(&options);
        assert!(error.starts_with("announcements.closed: "), "{error}");
        assert!(error.contains(reason), "{error}");
    }
}
