//! The stored form of every event, frozen: `domain/golden/<event_type>.v<N>.json`
//! holds one example each. What is stored must be readable for ever, so an
//! existing file is never rewritten; `UPDATE_GOLDEN=1` only adds missing ones.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "the examples are files, a variable asks for new ones, and a test may fail"
)]

mod billing;
mod capacity;
mod examples;
mod mailboxes;
mod orders;
mod schedules;
mod supervisions;
mod trunks;

use examples::AT;
use ringledger_domain::{
    agent::Agent,
    any::{AnyEvent, Stamped, decode},
    billing::{
        Event as Billing, account::Account, credit_note::CreditNote, deck::Deck, invoice::Invoice,
        plan::Plan, rating::Rating, seller::Seller, series::Series, usage::Usage,
    },
    call::Call,
    callback::Callback,
    decider::{Decider, Event},
    device::Device,
    event_types,
    line::Line,
    mailbox::Mailbox,
    person::Person,
    queue::Queue,
    refusals::Refusals,
    schedule::Schedule,
    session::Session,
    trunk::Trunk,
};
use std::{collections::BTreeSet, fs, path::PathBuf};

/// One stored event.
struct Stored {
    category: &'static str,
    key: String,
    event_type: &'static str,
    version: u32,
    payload: String,
    event: AnyEvent,
}

fn stored<D: Decider>(key: String, event: D::Event, any: AnyEvent) -> Stored {
    let (event_type, version) = (event.event_type(), event.event_version());
    let stamped = Stamped { at: AT, event };
    Stored {
        category: D::CATEGORY,
        key,
        event_type,
        version,
        payload: format!("{}\n", serde_json::to_string_pretty(&stamped).unwrap()),
        event: any,
    }
}

/// Every example, as it is stored.
fn all() -> Vec<Stored> {
    examples::all()
        .into_iter()
        .chain(billing::all().into_iter().map(AnyEvent::Billing))
        .map(|any| match any.clone() {
            AnyEvent::Call(id, event) => stored::<Call>(id.to_string(), event, any),
            AnyEvent::Session(id, event) => stored::<Session>(id.to_string(), event, any),
            AnyEvent::Line(id, event) => stored::<Line>(id.to_string(), event, any),
            AnyEvent::Queue(id, event) => stored::<Queue>(id.to_string(), event, any),
            AnyEvent::Person(id, event) => stored::<Person>(id.to_string(), event, any),
            AnyEvent::Refusals(id, event) => stored::<Refusals>(id.to_string(), event, any),
            AnyEvent::Schedule(id, event) => stored::<Schedule>(id.to_string(), event, any),
            AnyEvent::Agent(id, event) => stored::<Agent>(id.to_string(), event, any),
            AnyEvent::Device(id, event) => stored::<Device>(id.to_string(), event, any),
            AnyEvent::Trunk(id, event) => stored::<Trunk>(id.to_string(), event, any),
            AnyEvent::Callback(id, event) => stored::<Callback>(id.to_string(), event, any),
            AnyEvent::Mailbox(id, event) => stored::<Mailbox>(id.to_string(), event, any),
            AnyEvent::Billing(event) => stored_billing(event, any),
        })
        .collect()
}

fn stored_billing(event: Billing, any: AnyEvent) -> Stored {
    match event {
        Billing::Seller(id, event) => stored::<Seller>(id.to_string(), event, any),
        Billing::Account(id, event) => stored::<Account>(id.to_string(), event, any),
        Billing::Plan(id, event) => stored::<Plan>(id.to_string(), event, any),
        Billing::Deck(id, event) => stored::<Deck>(id.to_string(), event, any),
        Billing::Rating(id, event) => stored::<Rating>(id.to_string(), event, any),
        Billing::Usage(id, event) => stored::<Usage>(id.to_string(), event, any),
        Billing::Invoice(id, event) => stored::<Invoice>(id.to_string(), event, any),
        Billing::CreditNote(id, event) => stored::<CreditNote>(id.to_string(), event, any),
        Billing::Series(id, event) => stored::<Series>(id.to_string(), event, any),
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// The wire names that the aggregate reads.
fn wire_names<D: Decider>() -> BTreeSet<String> {
    let names = event_types::of::<D>();
    assert!(!names.is_empty(), "{} reads nothing", D::CATEGORY);
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn wire_names_by_category() -> Vec<(&'static str, BTreeSet<String>)> {
    vec![
        (Call::CATEGORY, wire_names::<Call>()),
        (Session::CATEGORY, wire_names::<Session>()),
        (Line::CATEGORY, wire_names::<Line>()),
        (Queue::CATEGORY, wire_names::<Queue>()),
        (Person::CATEGORY, wire_names::<Person>()),
        (Refusals::CATEGORY, wire_names::<Refusals>()),
        (Mailbox::CATEGORY, wire_names::<Mailbox>()),
        (Schedule::CATEGORY, wire_names::<Schedule>()),
        (Agent::CATEGORY, wire_names::<Agent>()),
        (Device::CATEGORY, wire_names::<Device>()),
        (Trunk::CATEGORY, wire_names::<Trunk>()),
        (Callback::CATEGORY, wire_names::<Callback>()),
        (Seller::CATEGORY, wire_names::<Seller>()),
        (Account::CATEGORY, wire_names::<Account>()),
        (Plan::CATEGORY, wire_names::<Plan>()),
        (Deck::CATEGORY, wire_names::<Deck>()),
        (Rating::CATEGORY, wire_names::<Rating>()),
        (Usage::CATEGORY, wire_names::<Usage>()),
        (Invoice::CATEGORY, wire_names::<Invoice>()),
        (CreditNote::CATEGORY, wire_names::<CreditNote>()),
        (Series::CATEGORY, wire_names::<Series>()),
    ]
}

#[test]
fn every_event_that_can_be_written_has_an_example() {
    for (category, names) in wire_names_by_category() {
        let examples: BTreeSet<String> = all()
            .into_iter()
            .filter(|stored| stored.category == category)
            .map(|stored| stored.event_type.to_owned())
            .collect();
        assert_eq!(examples, names, "{category}");
    }
}

#[test]
fn no_two_aggregates_share_a_wire_name() {
    let mut seen = BTreeSet::new();
    for (category, names) in wire_names_by_category() {
        for name in names {
            assert!(seen.insert(name.clone()), "{name} of {category} is taken");
        }
    }
}

#[test]
fn every_event_is_stored_as_its_golden_file_says() {
    let may_add = std::env::var_os("UPDATE_GOLDEN").is_some();
    for stored in all() {
        let path = folder().join(format!("{}.v{}.json", stored.event_type, stored.version));
        if may_add && !path.exists() {
            fs::write(&path, &stored.payload).unwrap();
        }
        let golden = fs::read_to_string(&path)
            .unwrap_or_else(|_| panic!("{} is missing: UPDATE_GOLDEN=1", path.display()));
        assert_eq!(
            stored.payload, golden,
            "the stored form has changed: give it a new version and keep reading the old one"
        );
    }
}

#[test]
fn every_golden_file_is_read_back_as_the_event_it_was() {
    for stored in all() {
        let path = folder().join(format!("{}.v{}.json", stored.event_type, stored.version));
        let golden = fs::read_to_string(&path).unwrap();
        let read = decode(
            stored.category,
            &stored.key,
            stored.event_type,
            stored.version,
            &golden,
        );
        assert_eq!(read, Ok((AT, stored.event)));
    }
}

#[test]
fn every_version_that_was_ever_stored_is_still_readable() {
    let known = all();
    for file in fs::read_dir(folder()).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let (event_type, version) = name
            .strip_suffix(".json")
            .and_then(|stem| stem.rsplit_once(".v"))
            .unwrap_or_else(|| panic!("{name} is not <event_type>.v<N>.json"));
        let stored = known
            .iter()
            .find(|stored| stored.event_type == event_type)
            .unwrap_or_else(|| panic!("{name} is of no event that we know"));
        let payload = fs::read_to_string(&path).unwrap();
        let read = decode(
            stored.category,
            &stored.key,
            event_type,
            version.parse().unwrap(),
            &payload,
        );
        assert!(read.is_ok(), "{name}: {read:?}");
    }
}

/// The corpus of old versions: each says what the current one says of the same
/// fact, and one that lacks a part is refused, not guessed at.
#[test]
fn an_old_version_is_read_as_the_current_event() {
    let known = all();
    let mut seen = 0;
    for stored in &known {
        for version in 1..stored.version {
            let path = folder().join(format!("{}.v{version}.json", stored.event_type));
            let golden = fs::read_to_string(&path)
                .unwrap_or_else(|_| panic!("{} is the corpus: it must stay", path.display()));
            let read = |payload: &str| {
                decode(
                    stored.category,
                    &stored.key,
                    stored.event_type,
                    version,
                    payload,
                )
            };
            assert_eq!(
                read(&golden),
                Ok((AT, stored.event.clone())),
                "{}",
                path.display()
            );
            let fields: Vec<&str> = golden.split('"').skip(1).step_by(2).collect();
            let last = fields.last().unwrap();
            let without = golden.replace(&format!("\"{last}\""), "\"other\"");
            assert!(read(&without).is_err(), "{without}");
            seen += 1;
        }
    }
    assert!(seen >= 2, "there is a corpus");
}

#[test]
fn an_event_of_a_newer_version_is_not_guessed_at() {
    for stored in all() {
        let read = decode(
            stored.category,
            &stored.key,
            stored.event_type,
            stored.version + 1,
            &stored.payload,
        );
        assert!(read.is_err(), "{}", stored.event_type);
    }
}

#[test]
fn what_is_not_an_event_of_ours_is_refused_and_not_skipped() {
    let call = all()
        .into_iter()
        .find(|stored| stored.event_type == "call_received")
        .unwrap();
    let read = |category: &str, key: &str, event_type: &str, payload: &str| {
        decode(category, key, event_type, 1, payload)
    };
    let payload = call.payload.as_str();
    assert!(read("ship", &call.key, "call_received", payload).is_err());
    assert!(read("call", "not an id", "call_received", payload).is_err());
    assert!(read("agentsession", &call.key, "agent_logged_in", payload).is_err());
    assert!(read("line", &call.key, "call_received", payload).is_err());
    assert!(read("call", &call.key, "call_ended", payload).is_err());
    assert!(read("call", &call.key, "call_received", "{}").is_err());
    assert!(read("call", &call.key, "call_received", "").is_err());
}
