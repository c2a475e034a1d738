//! Which legs of a call are charged, and as what.

use super::super::{Facts, Part, UnratedReason};
use crate::{
    billing::{
        UsageType,
        account::{Owned, PaymentMode, Profile},
    },
    calendar::Zone,
    call::{Event, Target},
    id::{CallbackId, LegId, SubjectId, TrunkId},
    money::Currency,
    sealed::Sealed,
    testing::{AGENT_LEG, OFFER, SESSION, VISIT, second},
};
use uuid::Uuid;

const CALLER: LegId = LegId(Uuid::from_u128(1));
const OUTSIDE: LegId = LegId(Uuid::from_u128(2));

fn sealed<T>() -> Sealed<T> {
    Sealed::new(SubjectId(Uuid::from_u128(3)), "c2VhbGVk".into())
}

fn profile() -> Profile {
    Profile {
        currency: Currency::EUR,
        zone: Zone::UTC,
        country: "DE".into(),
        calling_code: "49".into(),
        tax_id: None,
        holder: None,
        payment_mode: PaymentMode::Postpaid,
        is_auto_pay: false,
        owned: Owned::default(),
    }
}

/// A call that is answered at 0, goes out at 10 and ends at 60.
fn facts(target: Target, answered: bool) -> Facts {
    let events = [
        (
            second(0),
            Event::Received {
                withheld: false,
                leg: CALLER,
                from: sealed(),
                to: "+4930111".into(),
                trunk: None,
                sip_call_id: "call".into(),
                user_agent: None,
            },
        ),
        (second(0), Event::Answered {}),
        (
            second(10),
            Event::LegDialled {
                leg: OUTSIDE,
                target,
                until: second(90),
            },
        ),
        (
            second(10),
            Event::TrunkSelected {
                leg: OUTSIDE,
                trunk: TrunkId(Uuid::from_u128(4)),
                party: sealed(),
                after: None,
                after_at: None,
            },
        ),
    ];
    let answer = (
        second(15),
        Event::LegAnswered {
            leg: OUTSIDE,
            codec: None,
        },
    );
    let events: Vec<_> = events
        .into_iter()
        .chain(answered.then_some(answer))
        .collect();
    Facts::of(events.iter().map(|(at, event)| (*at, event)))
}

fn number(text: &str) -> Target {
    Target::Number(text.into())
}

fn kinds(parts: &[Part]) -> Vec<(UsageType, u64)> {
    let length = |part: &Part| part.ended_at.ms_since(part.answered_at) / 1_000;
    parts
        .iter()
        .map(|part| (part.usage_type, length(part)))
        .collect()
}

#[test]
fn a_leg_that_goes_out_is_charged_from_its_own_answer_by_where_it_leads() {
    for (to, kind) in [
        ("+491701234567", UsageType::OutboundMinutes),
        ("0049 170 1234567", UsageType::OutboundMinutes),
        ("+262692123456", UsageType::InternationalMinutes),
    ] {
        let facts = facts(number(to), true);
        let parts = facts.parts(&profile(), second(60)).unwrap();
        let expected = [(UsageType::InboundMinutes, 60), (kind, 45)];
        assert_eq!(kinds(&parts), expected, "{to}");
        assert_eq!(facts.outbound[0].trunk, Some(TrunkId(Uuid::from_u128(4))));
    }
}

#[test]
fn a_leg_that_nobody_answers_outside_is_not_charged() {
    let parts = facts(number("+491701234567"), false).parts(&profile(), second(60));
    assert_eq!(kinds(&parts.unwrap()), [(UsageType::InboundMinutes, 60)]);
}

#[test]
fn a_number_that_can_not_be_read_is_never_free() {
    let erased = facts(Target::Party(sealed()), true);
    let parts = erased.parts(&profile(), second(60));
    assert_eq!(parts, Err(UnratedReason::NoNumber));
}

/// A callback to 030 12345678 was charged as an international call.
#[test]
fn a_number_that_does_not_tell_its_country_waits_for_a_person() {
    for national in ["03012345678", "030 12345678", "+030 12345678"] {
        let parts = facts(number(national), true).parts(&profile(), second(60));
        assert_eq!(parts, Err(UnratedReason::NoNumber), "{national}");
    }
    // Nobody has answered: nothing is to be priced.
    let parts = facts(number("03012345678"), false).parts(&profile(), second(60));
    assert_eq!(kinds(&parts.unwrap()), [(UsageType::InboundMinutes, 60)]);
}

/// Whoever is rung back is charged from the own answer: that an agent comes later is no
/// other beginning.
#[test]
fn a_call_that_we_began_has_no_answer_but_that_of_its_leg() {
    let events = [
        (
            second(0),
            Event::Placed {
                leg: CALLER,
                party: sealed(),
                callback: CallbackId(Uuid::from_u128(5)),
                place: second(0),
                wanted: None,
            },
        ),
        (
            second(0),
            Event::LegDialled {
                leg: CALLER,
                target: number("+491701234567"),
                until: second(90),
            },
        ),
        (
            second(10),
            Event::LegAnswered {
                leg: CALLER,
                codec: None,
            },
        ),
        (
            second(30),
            Event::AgentConnected {
                codec: None,
                device: None,
                offer: OFFER,
                visit: VISIT,
                session: SESSION,
                leg: AGENT_LEG,
            },
        ),
    ];
    let facts = Facts::of(events.iter().map(|(at, event)| (*at, event)));
    assert_eq!(facts.answered_at, None);
    let parts = facts.parts(&profile(), second(60)).unwrap();
    assert_eq!(kinds(&parts), [(UsageType::OutboundMinutes, 50)]);
}
