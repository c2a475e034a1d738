//! What was measured of the sound of a call comes after its end.

use super::*;
use crate::call::LegMedia;

pub(super) fn measured(leg: LegId) -> LegMedia {
    LegMedia {
        leg,
        received_count: 100,
        lost_count: 1,
        sent_count: 99,
        jitter_us: 1_000,
        jitter_max_us: 2_000,
        rtt_us: None,
        far_lost_count: None,
        codec: None,
    }
}

fn media() -> Command {
    let legs = vec![measured(CALLER_LEG), measured(AGENT_LEG)];
    Command::RecordMedia { legs }
}

#[test]
fn it_is_kept_once_of_a_call_that_is_over() {
    let told = story(over()).when(media()).events();
    assert!(matches!(told.as_slice(), [Event::MediaMeasured { legs }] if legs.len() == 2));
    let mut before = over();
    before.extend(told);
    assert_eq!(story(before).when(media()).events(), []);
}

#[test]
fn it_is_not_kept_while_the_call_goes_on_or_where_there_is_none() {
    assert_eq!(story(connected()).when(media()).events(), []);
    assert_eq!(story([]).when(media()).events(), []);
    let nothing = Command::RecordMedia { legs: vec![] };
    assert_eq!(story(over()).when(nothing).events(), []);
}
