//! A queue that is taken away.

use super::*;
use crate::testing::SESSION;

fn delete(why: &str) -> Command {
    Command::Delete {
        by: "carla".into(),
        why: why.into(),
    }
}

fn deleted() -> Event {
    Event::Deleted {
        by: "carla".into(),
        why: "merged".into(),
    }
}

#[test]
fn a_queue_is_taken_away_once_and_can_be_made_again() {
    story([created()])
        .when(delete("merged"))
        .then([deleted()])
        .when(delete("merged"))
        .refused(Error::Unknown)
        .when(create("sales"))
        .then([Event::Created {
            name: "sales".into(),
            config: config(),
            config_version: Some(2),
        }])
        .when(configure(other_config()))
        .then([Event::Configured {
            config_version: 3,
            config: other_config(),
        }]);
}

#[test]
fn what_people_have_said_of_it_goes_with_it() {
    let agent = SESSION.agent;
    let (by, why) = (|| "carla".to_owned(), || "merged".to_owned());
    let closed = Event::Closed {
        by: by(),
        why: "storm".into(),
    };
    let paused = Event::MemberPaused {
        agent,
        by: by(),
        why: "training".into(),
    };
    let queue = story([created(), closed, paused])
        .when(delete("merged"))
        .then([
            Event::HoursFollowed {
                by: by(),
                why: why(),
            },
            Event::MemberUnpaused {
                agent,
                by: by(),
                why: why(),
            },
            deleted(),
        ]);
    let counted = Queue {
        config_version: 1,
        ..Queue::default()
    };
    assert_eq!(*queue.state(), counted);
}

#[test]
fn what_is_not_there_or_not_well_said_is_refused() {
    story([]).when(delete("merged")).refused(Error::Unknown);
    story([created()])
        .when(delete("Mr Smith"))
        .refused(Error::InvalidReason);
    story([created(), deleted()])
        .when(configure(other_config()))
        .then([Event::Created {
            name: "sales".into(),
            config: other_config(),
            config_version: Some(2),
        }]);
}
