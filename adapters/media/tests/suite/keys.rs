//! Keys are told while somebody waits, and passed on, untold, while two talk.

use crate::support::{Phone, event, options, start};
use ringledger_media::{MediaEvent, PayloadTypes};

const WITH_KEYS: PayloadTypes = PayloadTypes::pcmu(Some(101));

#[test]
fn a_key_is_told_while_its_leg_hears_music_and_not_in_a_conversation() {
    let (relay, mut events) = start(&options(3));
    let mut caller = Phone::agreed(&relay, 1, WITH_KEYS);
    let agent = Phone::agreed(&relay, 2, WITH_KEYS);
    let leg = caller.leg;
    relay.play_music(leg, None);
    caller.say(101, &[5, 10, 0, 160]);
    assert_eq!(event(&mut events), MediaEvent::Key { leg, code: 5 });
    relay.bridge(leg, agent.leg);
    caller.say(101, &[7, 10, 0, 160]);
    loop {
        // The first packets may be of the time before.
        let heard = agent.hear();
        if heard.payload_type == 101 {
            assert_eq!(heard.payload, [7, 10, 0, 160]);
            break;
        }
    }
    relay.play_music(leg, None);
    caller.say(101, &[11, 10, 0, 160]);
    // What was pressed in between would come first.
    assert_eq!(event(&mut events), MediaEvent::Key { leg, code: 11 });
}
