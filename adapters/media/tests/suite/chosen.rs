//! Music of the settings: heard by its name, again and again, and between prompts too.

use crate::support::{Phone, options, refused, start, written};
use ringledger_media::{FRAME_SAMPLES, Law, Options, PayloadTypes, Track};
use std::{collections::BTreeMap, fs, path::Path};

const LAW: Law = Law::Mu;

fn with(folder: &Path) -> Options {
    let file = |name: &str| (name.to_owned(), folder.join(format!("{name}.wav")));
    Options {
        music: BTreeMap::from([file("jazz"), file("rock")]),
        positions: BTreeMap::from([("english".into(), folder.to_owned())]),
        ..options(4)
    }
}

fn recorded(folder: &Path) -> hound::Result<Options> {
    // What is left over after the last whole frame is not heard.
    written(&folder.join("jazz.wav"), &[1_000, 2_000, 3_000], 80)?;
    written(&folder.join("rock.wav"), &[9_000], 0)?;
    written(&folder.join("1.wav"), &[20_000], 0)?;
    written(&folder.join("more.wav"), &[20_000], 0)?;
    Ok(with(folder))
}

fn frame(level: i16) -> [u8; FRAME_SAMPLES] {
    [LAW.encode(level); FRAME_SAMPLES]
}

#[test]
fn music_of_the_settings_is_heard_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let (relay, _events) = start(&recorded(folder.path()).unwrap());
    let caller = Phone::agreed(&relay, 1, PayloadTypes::pcmu(None));
    relay.play_music(caller.leg, Some("jazz"));
    relay.play_music(caller.leg, Some("jazz"));
    for level in [1_000, 2_000, 3_000, 1_000, 2_000, 3_000, 1_000] {
        assert_eq!(caller.hear().payload, frame(level));
    }
    // Other music begins where it begins; a name that there is not is heard as our own.
    let hears = |wanted: &[u8]| while caller.hear().payload != wanted {};
    relay.play_music(caller.leg, Some("rock"));
    hears(&frame(9_000));
    relay.play_music(caller.leg, Some("polka"));
    hears(Track::synthesise().frame(LAW, 0));
}

#[test]
fn after_a_prompt_the_same_music_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (relay, _events) = start(&recorded(folder.path()).unwrap());
    let caller = Phone::agreed(&relay, 1, PayloadTypes::pcmu(None));
    relay.play_music(caller.leg, Some("jazz"));
    assert_eq!(caller.hear().payload, frame(1_000));
    assert!(relay.tell_place(caller.leg, "english", (1, false)));
    while caller.hear().payload != frame(20_000) {}
    for level in [1_000, 2_000, 3_000] {
        assert_eq!(caller.hear().payload, frame(level));
    }
}

#[test]
fn music_that_can_not_be_played_is_named_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let options = recorded(folder.path()).unwrap();
    let rock = folder.path().join("rock.wav");
    written(&rock, &[], 80).unwrap();
    let error = refused(&options);
    assert!(error.contains("music.rock"), "{error}");
    assert!(error.contains("less than 20 ms"), "{error}");
    fs::remove_file(&rock).unwrap();
    let error = refused(&options);
    assert!(error.contains("music.rock"), "{error}");
    assert!(error.contains("rock.wav"), "{error}");
}
