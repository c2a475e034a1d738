//! The wire names of all events, asked of the types themselves: a list by hand
//! would forget the next one.

use crate::{
    agent, billing, call, callback, decider::Decider, device, line, mailbox, person, queue,
    refusals, schedule, session, trunk,
};
use serde::{
    de::{Deserialize as _, Deserializer, Error as _, Visitor, value::Error},
    forward_to_deserialize_any,
};
use std::collections::BTreeSet;

/// Every name that [`crate::any::AnyEvent::event_type`] can have.
pub fn event_types() -> BTreeSet<&'static str> {
    [
        of::<call::Call>(),
        of::<session::Session>(),
        of::<line::Line>(),
        of::<queue::Queue>(),
        of::<person::Person>(),
        of::<refusals::Refusals>(),
        of::<schedule::Schedule>(),
        of::<agent::Agent>(),
        of::<device::Device>(),
        of::<trunk::Trunk>(),
        of::<callback::Callback>(),
        of::<mailbox::Mailbox>(),
        of::<billing::seller::Seller>(),
        of::<billing::account::Account>(),
        of::<billing::plan::Plan>(),
        of::<billing::deck::Deck>(),
        of::<billing::rating::Rating>(),
        of::<billing::usage::Usage>(),
        of::<billing::invoice::Invoice>(),
        of::<billing::credit_note::CreditNote>(),
        of::<billing::series::Series>(),
    ]
    .into_iter()
    .flatten()
    .copied()
    .collect()
}

/// What can happen to one aggregate.
pub fn of<A: Decider>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // Reading an event from nothing fails, after it has said what it could be.
    drop(A::Event::deserialize(Listener(&mut names)));
    names
}

/// Hears which variants an enum has.
struct Listener<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Listener<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(Error::custom("there is nothing to read"))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        *self.0 = variants;
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::event_types;

    #[test]
    fn every_aggregate_says_what_can_happen_to_it() {
        let names = event_types();
        for name in ["call_received", "call_ended", "trunk_created"] {
            assert!(names.contains(name), "{name}: {names:?}");
        }
        assert!(names.len() > 60, "{names:?}");
        assert!(!names.contains("call_never_happened"));
    }
}
