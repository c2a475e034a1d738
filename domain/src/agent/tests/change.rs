//! One thing of an agent is changed, and the rest stays.

use super::*;
use crate::{
    agent::{Place, Skill},
    id::QueueId,
};
use uuid::Uuid;

const OTHER: QueueId = QueueId(Uuid::from_u128(77));

fn configured(config_version: u32, config: Config) -> Event {
    Event::Configured {
        config_version,
        config,
    }
}

fn german(level: u8) -> Skill {
    Skill {
        skill: "german".into(),
        level,
    }
}

#[test]
fn an_agent_serves_one_more_queue_at_another_place_and_no_longer() {
    let both = Config {
        queues: vec![QUEUE, OTHER],
        ..config()
    };
    let second = Place {
        tier: 2,
        ..Place::first(OTHER)
    };
    let placed = Config {
        places: vec![second],
        ..both.clone()
    };
    let place = Place::first(OTHER);
    story([created()])
        .when(Command::ServeQueue { place })
        .then([configured(2, both.clone())])
        .when(Command::ServeQueue { place })
        .nothing()
        .when(Command::ServeQueue { place: second })
        .then([configured(3, placed)])
        .when(Command::ServeQueue { place })
        .then([configured(4, both)])
        .when(Command::LeaveQueue { queue: OTHER })
        .then([configured(5, config())])
        .when(Command::LeaveQueue { queue: OTHER })
        .nothing();
}

#[test]
fn a_skill_is_learnt_improved_and_lost() {
    let with = |level| Config {
        skills: vec![german(level)],
        ..config()
    };
    let lose = || Command::RemoveSkill {
        skill: "german".into(),
    };
    story([created()])
        .when(Command::AssignSkill { skill: german(2) })
        .then([configured(2, with(2))])
        .when(Command::AssignSkill { skill: german(4) })
        .then([configured(3, with(4))])
        .when(Command::AssignSkill { skill: german(4) })
        .nothing()
        .when(lose())
        .then([configured(4, config())])
        .when(lose())
        .nothing();
}

#[test]
fn an_agent_may_have_more_calls_at_once_or_fewer() {
    let with = |capacity| Config {
        capacity,
        ..config()
    };
    let set = |capacity| Command::SetCapacity { capacity };
    story([created()])
        .when(set(3))
        .then([configured(2, with(3))])
        .when(set(3))
        .nothing()
        .when(set(1))
        .then([configured(3, config())]);
    for capacity in [0, 6, u8::MAX] {
        story([created()])
            .when(set(capacity))
            .refused(Error::InvalidCapacity);
    }
    story([]).when(set(2)).refused(Error::Unknown);
}

#[test]
fn what_is_out_of_bounds_and_who_is_not_there_are_refused() {
    let place = Place {
        tier: 0,
        ..Place::first(OTHER)
    };
    story([created()])
        .when(Command::ServeQueue { place })
        .refused(Error::InvalidPlace)
        .when(Command::AssignSkill { skill: german(6) })
        .refused(Error::InvalidSkill);
    story([])
        .when(Command::AssignSkill { skill: german(1) })
        .refused(Error::Unknown);
}
