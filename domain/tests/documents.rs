//! The documents say what the code does: every event and every value of one is
//! in `docs/events.md`, every refusal has its page, and no page is left over.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test reads files and may fail"
)]

use ringledger_domain::{
    billing::{self, account},
    calendar::Cycle,
    call, cause, line, mailbox,
    money::Rounding,
    person, queue, schedule, session, trunk,
};
use serde::de::DeserializeOwned;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What stands between backticks.
fn quoted(text: &str) -> BTreeSet<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// The rows of the table whose header starts with these words, cell by cell.
fn table(document: &str, header: &str) -> Vec<Vec<String>> {
    document
        .lines()
        .skip_while(|line| !line.starts_with(header))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            line.trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().to_owned())
                .collect()
        })
        .collect()
}

/// Event type and version to the fields of its golden example.
fn goldens() -> BTreeMap<(String, String), BTreeSet<String>> {
    let folder = repository().join("domain/golden");
    let mut goldens = BTreeMap::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let (event_type, version) = name.rsplit_once(".v").unwrap();
        let stored: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let fields = stored["event"][event_type]
            .as_object()
            .unwrap_or_else(|| panic!("{name} holds no {event_type}"))
            .keys()
            .cloned()
            .collect();
        goldens.insert((event_type.to_owned(), version.to_owned()), fields);
    }
    goldens
}

#[test]
fn the_table_of_events_names_every_event_with_its_fields_and_no_other() {
    let mut listed = BTreeMap::new();
    for row in table(&read("docs/events.md"), "| event |") {
        let [event, stream, fields, version, meaning] = row.as_slice() else {
            panic!("not five cells: {row:?}");
        };
        let event = event.trim_matches('`').to_owned();
        assert!(stream.starts_with('`'), "{event} names its stream");
        assert!(meaning.ends_with('.'), "{event} says what it means");
        let twice = listed.insert((event.clone(), version.clone()), quoted(fields));
        assert_eq!(twice, None, "{event} is listed twice");
    }
    assert_eq!(listed, goldens());
}

/// The values of an enum, in its reader's own words: the refusal of a value
/// that is none of them lists them all.
fn values<T: DeserializeOwned + std::fmt::Debug>() -> BTreeSet<String> {
    let refusal = serde_json::from_str::<T>("\"no such value\"")
        .unwrap_err()
        .to_string();
    refusal
        .split('`')
        .skip(3)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_table_of_values_names_every_value_and_no_other() {
    let listed: BTreeMap<String, BTreeSet<String>> = table(&read("docs/events.md"), "| kind |")
        .into_iter()
        .map(|row| (row[0].clone(), quoted(&row[1])))
        .collect();
    let expected: BTreeMap<String, BTreeSet<String>> = [
        ("end `result`", values::<cause::EndResult>()),
        ("end `reason`", values::<cause::EndReason>()),
        ("end `by`", values::<cause::By>()),
        ("`disposition`", values::<cause::Disposition>()),
        ("offer `outcome`", values::<cause::OfferOutcome>()),
        ("`answer_mode`", values::<call::AnswerMode>()),
        ("voicemail `outcome`", values::<call::VoicemailOutcome>()),
        ("supervision `mode`", values::<call::SupervisionMode>()),
        ("supervision `reason`", values::<call::SupervisionEnd>()),
        ("message room `reason`", values::<mailbox::LostReason>()),
        ("message `from`, `to`", values::<mailbox::Status>()),
        ("not ready `reason`", values::<session::NotReadyReason>()),
        ("scheduled `activity`", values::<schedule::Activity>()),
        ("logout `reason`", values::<session::LogoutReason>()),
        ("release `reason`", values::<session::ReleaseReason>()),
        ("`next`", values::<session::NextState>()),
        ("wrap-up ended `by`", values::<session::WrapUpEndedBy>()),
        ("reject `reason`", values::<line::RejectReason>()),
        ("return `cause`", values::<line::ReturnCause>()),
        ("visit `result`", values::<line::VisitResult>()),
        ("erasure `reason`", values::<person::Reason>()),
        ("`strategy`", values::<queue::Strategy>()),
        ("`usage_type`", values::<billing::UsageType>()),
        ("tax `category`", values::<billing::tax::TaxCategory>()),
        ("`rounding`", values::<Rounding>()),
        ("`cycle`", values::<Cycle>()),
        ("`payment_mode`", values::<account::PaymentMode>()),
        ("payment `method`", values::<account::PaymentMethod>()),
        ("suspend `reason`", values::<account::SuspendReason>()),
        (
            "unrated `reason`",
            values::<billing::rating::UnratedReason>(),
        ),
        ("`document` of a series", values::<billing::DocumentKind>()),
        ("overflow `cause`", values::<call::OverflowCause>()),
        ("`join`, `leave` of `empty`", values::<queue::Away>()),
        ("trunk `identity`", values::<trunk::Identity>()),
        ("diversion `reason`", values::<call::DiversionReason>()),
    ]
    .into_iter()
    .map(|(kind, values)| (kind.to_owned(), values))
    .collect();
    assert_eq!(listed, expected);
}

/// The codes of the domain's refusals, with the words of each: read from where
/// they are defined, since `code()` must name every one of them to compile.
fn refusals() -> BTreeMap<String, String> {
    let mut refusals = BTreeMap::new();
    for aggregate in [
        "agent",
        "call",
        "callback",
        "device",
        "line",
        "mailbox",
        "person",
        "queue",
        "refusals",
        "schedule",
        "session",
        "trunk",
        "billing/seller",
        "billing/account",
        "billing/plan",
        "billing/deck",
        "billing/rating",
        "billing/usage",
        "billing/invoice",
        "billing/credit_note",
        "billing/series",
    ] {
        let source = read(&format!("domain/src/{aggregate}/error.rs"));
        let between = |line: &str, start: &str, end: &str| {
            line.split_once(start)
                .and_then(|(_, rest)| rest.rsplit_once(end))
                .map(|(text, _)| text.to_owned())
        };
        let messages: Vec<String> = source
            .lines()
            .filter_map(|line| between(line, "#[error(\"", "\")]"))
            .collect();
        let codes: Vec<String> = source
            .lines()
            .filter_map(|line| between(line, " => \"", "\""))
            .collect();
        assert_eq!(codes.len(), messages.len(), "{aggregate}");
        for (code, message) in codes.into_iter().zip(messages) {
            let twice = refusals.insert(code.clone(), message);
            assert_eq!(twice, None, "{code} is used twice");
        }
    }
    refusals
}

/// Pages by code. Codes of other crates have no noun of ours before the dot.
fn pages() -> BTreeMap<String, String> {
    let nouns = [
        "agent.",
        "call.",
        "callback.",
        "mailbox.",
        "queue.",
        "refusals.",
        "schedule.",
        "subject.",
        "trunk.",
        "visit.",
        "seller.",
        "account.",
        "plan.",
        "deck.",
        "rating.",
        "usage.",
        "invoice.",
        "credit_note.",
        "series.",
    ];
    fs::read_dir(repository().join("docs/errors"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter_map(|path| {
            let code = path.file_name()?.to_str()?.strip_suffix(".md")?.to_owned();
            let is_ours = nouns.iter().any(|noun| code.starts_with(noun));
            is_ours.then(|| (code, fs::read_to_string(&path).unwrap()))
        })
        .collect()
}

#[test]
fn every_refusal_has_a_page_and_every_page_a_refusal() {
    let codes: BTreeSet<String> = refusals().into_keys().collect();
    let pages: BTreeSet<String> = pages().into_keys().collect();
    assert_eq!(codes, pages);
}

#[test]
fn a_page_says_the_message_what_it_means_and_what_to_do() {
    let pages = pages();
    for (code, message) in refusals() {
        let page = &pages[&code];
        assert!(page.starts_with(&format!("# {code}\n")), "{code}: title");
        assert!(page.contains(&format!("> {message}\n")), "{code}: message");
        assert!(page.contains("**What it means.** "), "{code}: meaning");
        assert!(page.contains("**What to do.** "), "{code}: advice");
    }
}
