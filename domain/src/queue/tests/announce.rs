//! That callers are told their place is checked before it counts.

use super::*;
use crate::{
    call::AnswerMode,
    queue::{AnnouncePosition, Change, SetAnnouncePosition},
};

fn told() -> AnnouncePosition {
    AnnouncePosition {
        sounds: "english".into(),
        every_ms: 10_000,
        first_ms: 1_000,
        up_to: 99,
    }
}

fn rules(announced: AnnouncePosition) -> Config {
    Config {
        answer_mode: AnswerMode::Immediate,
        announce_position: Some(Box::new(announced)),
        ..config()
    }
}

fn create(config: Config) -> Command {
    let name = "sales".into();
    Command::Create { name, config }
}

#[test]
fn what_is_out_of_bounds_is_refused() {
    story([]).when(create(rules(told()))).events();
    let wrong: [fn(&mut AnnouncePosition); 7] = [
        |it| it.sounds = "a name".into(),
        |it| it.every_ms = 9_999,
        |it| it.every_ms = 600_001,
        |it| it.first_ms = 999,
        |it| it.first_ms = 600_001,
        |it| it.up_to = 0,
        |it| it.up_to = 100,
    ];
    for spoil in wrong {
        let mut announced = told();
        spoil(&mut announced);
        story([])
            .when(create(rules(announced)))
            .refused(Error::InvalidAnnouncePosition);
    }
}

#[test]
fn callers_are_told_only_where_they_are_answered_at_once() {
    let unanswered = Config {
        answer_mode: AnswerMode::OnAgent,
        ..rules(told())
    };
    story([])
        .when(create(unanswered))
        .refused(Error::PositionUnheard);
}

#[test]
fn it_is_kept_set_and_taken_away() {
    let change = |announce_position| Change {
        announce_position,
        ..Change::default()
    };
    let before = rules(told());
    let often = Box::new(AnnouncePosition {
        every_ms: 20_000,
        ..told()
    });
    let kept = change(SetAnnouncePosition::Keep).of(&before);
    assert_eq!(kept, before);
    let set = change(SetAnnouncePosition::To(often.clone())).of(&before);
    assert_eq!(set.announce_position, Some(often));
    let gone = change(SetAnnouncePosition::Never).of(&before);
    assert_eq!(gone.announce_position, None);
}

#[test]
fn what_is_not_said_has_its_default_and_a_queue_without_it_has_no_bytes_of_it() {
    let read: AnnouncePosition = serde_json::from_str(r#"{"sounds":"english"}"#).expect("so");
    assert_eq!(
        (read.every_ms, read.first_ms, read.up_to),
        (30_000, 5_000, 10)
    );
    let all = r#"{"sounds":"english","every_ms":30000,"first_ms":5000,"up_to":10}"#;
    let stored = serde_json::to_string(&read).expect("it can be written");
    assert_eq!(stored, all);
    let stored = serde_json::to_string(&config()).expect("it can be written");
    assert!(!stored.contains("announce"), "{stored}");
}
