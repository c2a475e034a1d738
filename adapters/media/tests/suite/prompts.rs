//! A caller who waits with music is told the place in between, and has music again after it.

use crate::support::{Phone, options, start, written};
use ringledger_media::{FRAME_SAMPLES, Law, Options, PayloadTypes, Track, missing_prompt};
use std::{collections::BTreeMap, fs, path::Path};

/// Half a second.
const LEAD_IN_FRAMES: usize = 25;

/// Prompts of the first two places, and of all behind them.
fn prompts(folder: &Path) -> hound::Result<Options> {
    for (name, level) in [("1", 4_000), ("2", 8_000), ("more", 12_000)] {
        written(&folder.join(format!("{name}.wav")), &[level; 2], 0)?;
    }
    Ok(with(folder))
}

fn with(folder: &Path) -> Options {
    Options {
        positions: BTreeMap::from([("english".into(), folder.to_owned())]),
        ..options(4)
    }
}

#[test]
fn a_prompt_is_heard_between_music() {
    let folder = tempfile::tempdir().unwrap();
    let (relay, _events) = start(&prompts(folder.path()).unwrap());
    let caller = Phone::agreed(&relay, 1, PayloadTypes::pcmu(None));
    let music = Track::synthesise();
    let law = Law::Mu;
    relay.play_music(caller.leg, None);
    for (place, level) in [
        ((2, false), 8_000),
        ((2, true), 12_000),
        ((9, false), 12_000),
    ] {
        assert_eq!(caller.hear().payload, music.frame(law, 0), "{place:?}");
        assert!(relay.tell_place(caller.leg, "english", place));
        let silence = law.encode(0);
        // Music that was on its way, and then the silence before the prompt.
        let mut silent = 0;
        let told = loop {
            let payload = caller.hear().payload;
            match payload == [silence; FRAME_SAMPLES] {
                true => silent += 1,
                false if silent > 0 => break payload,
                false => {}
            }
        };
        assert_eq!(silent, LEAD_IN_FRAMES);
        assert_eq!(told, [law.encode(level); FRAME_SAMPLES], "{place:?}");
        assert_eq!(caller.hear().payload, [law.encode(level); FRAME_SAMPLES]);
        // Music again, from its beginning: the next round looks.
    }
}

#[test]
fn who_hears_something_else_than_music_is_told_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (relay, _events) = start(&prompts(folder.path()).unwrap());
    let caller = Phone::agreed(&relay, 1, PayloadTypes::pcmu(None));
    relay.play_notice(caller.leg);
    let notice = Track::notice();
    assert_eq!(caller.hear().payload, notice.frame(Law::Mu, 0));
    assert!(relay.tell_place(caller.leg, "english", (1, false)));
    for frame in 1..40 {
        assert_eq!(
            caller.hear().payload,
            notice.frame(Law::Mu, frame),
            "{frame}"
        );
    }
    assert!(!relay.tell_place(caller.leg, "german", (1, false)));
}

#[test]
fn a_prompt_that_is_missing_or_no_recording_is_named_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let refused = || crate::support::refused(&with(path));
    let error = refused();
    assert!(error.starts_with("positions.english: "), "{error}");
    assert!(error.contains("1.wav"), "{error}");
    written(&path.join("1.wav"), &[1_000; 2], 0).unwrap();
    assert!(refused().contains("more.wav"));
    fs::write(path.join("more.wav"), b"no sound").unwrap();
    assert!(refused().contains("more.wav"));
    written(&path.join("more.wav"), &[1_000; 2], 0).unwrap();
    written(&path.join("3.wav"), &[1_000; 2], 0).unwrap();
    assert_eq!(missing_prompt(path, 1), None);
    assert_eq!(missing_prompt(path, 3), Some(path.join("2.wav")));
}
