//! A queue has music of its own.

use super::*;
use crate::queue::{Change, SetMusic};

fn with(music: &str) -> Config {
    Config {
        music: Some(music.into()),
        ..config()
    }
}

#[test]
fn music_is_chosen_by_a_name() {
    let create = |music: &str| Command::Create {
        name: "sales".into(),
        config: with(music),
    };
    story([]).when(create("jazz")).events();
    for wrong in ["", "a name", "a\nb"] {
        story([]).when(create(wrong)).refused(Error::InvalidMusic);
    }
}

#[test]
fn it_is_kept_chosen_and_given_up() {
    let set = |music| {
        Command::Change(Box::new(Change {
            music,
            ..Change::default()
        }))
    };
    let configured = |config_version, config| Event::Configured {
        config_version,
        config,
    };
    story([created()])
        .when(set(SetMusic::To("jazz".into())))
        .then([configured(2, with("jazz"))])
        .when(set(SetMusic::Keep))
        .nothing()
        .when(set(SetMusic::BuiltIn))
        .then([configured(3, config())]);
}
