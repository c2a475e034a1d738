//! A caller who waits presses a key.

use super::*;
use crate::{call::Key, testing::OTHER_QUEUE};

fn key(text: &str) -> Key {
    text.parse().expect("a key")
}

/// Waiting where 1 and the star lead out.
fn waiting_with_exits() -> Vec<Event> {
    let mut events = waiting();
    for event in &mut events {
        if let Event::Enqueued { exit_keys, .. } = event {
            *exit_keys = vec![key("1"), key("*")];
        }
    }
    events
}

fn press(leg: LegId, text: &str) -> Command {
    let key = key(text);
    Command::RecordKey { leg, key }
}

fn pressed(text: &str) -> Event {
    Event::ExitKeyPressed {
        visit: VISIT,
        queue: QUEUE,
        key: key(text),
    }
}

#[test]
fn a_key_that_leads_out_is_recorded_while_the_caller_waits_or_a_phone_rings() {
    story(waiting_with_exits())
        .when(press(CALLER_LEG, "*"))
        .then([pressed("*")]);
    let mut ringing = waiting_with_exits();
    ringing.push(offer_started());
    story(ringing.clone())
        .when(press(CALLER_LEG, "1"))
        .then([pressed("1")]);
    // The agent's phone has no say in it.
    story(ringing).when(press(AGENT_LEG, "1")).then([]);
}

#[test]
fn no_other_key_and_no_key_at_another_time_is_on_the_record() {
    story(waiting_with_exits())
        .when(press(CALLER_LEG, "2"))
        .then([]);
    story(waiting()).when(press(CALLER_LEG, "1")).then([]);
    let mut talking = waiting_with_exits();
    talking.extend([offer_started(), agent_connected()]);
    let mut gone = waiting_with_exits();
    gone.extend([overflowed(), forwarded(), leg_dialled(RING_UNTIL)]);
    for history in [talking, gone, vec![]] {
        story(history).when(press(CALLER_LEG, "1")).then([]);
    }
}

#[test]
fn the_keys_of_the_next_queue_are_its_own() {
    let mut events = waiting_with_exits();
    events.push(overflowed());
    events.push(Event::Enqueued {
        visit: OTHER_VISIT,
        queue: OTHER_QUEUE,
        config_version: 1,
        answer_mode: AnswerMode::OnAgent,
        exit_keys: vec![key("2")],
        music: None,
    });
    story(events.clone()).when(press(CALLER_LEG, "1")).then([]);
    story(events)
        .when(press(CALLER_LEG, "2"))
        .then([Event::ExitKeyPressed {
            visit: OTHER_VISIT,
            queue: OTHER_QUEUE,
            key: key("2"),
        }]);
}
