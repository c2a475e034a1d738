//! The row that prices a call is the one that a person would find.

use super::{Step, Table, digits, quote};
use crate::{
    billing::{
        DeckVersionId,
        deck::{Band, Deck, Header, Phase, Row, import},
        tariff::Tariff,
    },
    calendar::Zone,
    id::DeckId,
    money::{Currency, Decimal, Rounding},
    time::Timestamp,
};
use proptest::prelude::*;
use uuid::Uuid;

const ID: DeckVersionId = DeckVersionId {
    deck: DeckId(Uuid::from_u128(1)),
    version: 1,
};

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    serde_json::from_str(&format!("\"{text}\"")).unwrap()
}

fn header() -> Header {
    Header {
        name: "test".into(),
        currency: Currency::EUR,
        zone: "Europe/Berlin".parse::<Zone>().unwrap(),
        rounding: Rounding::HalfEven,
        bands: vec![Band {
            name: "night".into(),
            weekdays: (0..7).collect(),
            from_minute: 0,
            to_minute: 480,
        }],
    }
}

fn table(rows: Vec<Row>) -> Table {
    let deck = Deck {
        phase: Phase::Published,
        header: Some(header()),
        rows,
    };
    Table::new(ID, deck).unwrap()
}

fn from_csv(text: &str) -> Table {
    table(import::read(&header(), text).unwrap())
}

/// The matched prefix.
fn prefix(table: &Table, number: &str, instant: &str) -> Option<String> {
    let found = table.find(number, at(instant))?;
    Some(found.row.prefix.clone())
}

const NOON: &str = "2026-10-01T12:00:00Z";

#[test]
fn the_longest_prefix_wins() {
    let table = from_csv("prefix,rate\n262,0.10\n262692,0.30\n2,0.50\n");
    assert_eq!(prefix(&table, "262692000000", NOON), Some("262692".into()));
    assert_eq!(prefix(&table, "262693000000", NOON), Some("262".into()));
    assert_eq!(prefix(&table, "270", NOON), Some("2".into()));
    assert_eq!(prefix(&table, "49301234", NOON), None);
    assert_eq!(prefix(&table, "", NOON), None);
    assert_eq!(prefix(&table, "262x", NOON), None);
}

#[test]
fn the_row_of_the_day_applies_from_its_midnight_on() {
    let table = from_csv(
        "prefix,rate,effective_from,effective_to\n\
         49,0.01,,2026-10-01\n\
         49,0.02,2026-10-01,\n",
    );
    let rate = |instant| table.find("4930", at(instant)).unwrap().row.tariff.rate;
    assert_eq!(rate("2026-09-30T21:59:59.999999Z"), decimal("0.01"));
    assert_eq!(rate("2026-09-30T22:00:00Z"), decimal("0.02"));
}

#[test]
fn a_longer_prefix_that_does_not_apply_yet_leaves_the_shorter_one() {
    let table = from_csv("prefix,rate,effective_from\n49,0.01,\n4930,0.02,2027-01-01\n");
    assert_eq!(prefix(&table, "49301", NOON), Some("49".into()));
}

#[test]
fn the_band_of_the_hour_goes_before_the_row_for_all_hours() {
    let table = from_csv("prefix,rate,band\n49,0.02,\n49,0.01,night\n");
    let rate = |instant| table.find("4930", at(instant)).unwrap().row.tariff.rate;
    // 08:00 in Berlin is 06:00 UTC in summer and 07:00 in winter.
    assert_eq!(rate("2026-07-01T05:59:59Z"), decimal("0.01"));
    assert_eq!(rate("2026-07-01T06:00:00Z"), decimal("0.02"));
    assert_eq!(rate("2026-12-01T06:59:59Z"), decimal("0.01"));
    assert_eq!(rate("2026-12-01T07:00:00Z"), decimal("0.02"));
}

#[test]
fn a_number_is_read_as_people_write_it() {
    for text in ["+49 30 / 123-45", "0049 (30) 12345", "493012345"] {
        assert_eq!(digits(text).as_deref(), Some("493012345"), "{text}");
    }
    for text in ["", "+", "sales", "49+30", "12a"] {
        assert_eq!(digits(text), None, "{text}");
    }
}

#[test]
fn a_quote_explains_each_step() {
    let table = from_csv(
        "prefix,rate,first_increment_s,next_increment_s,connection_fee,minimum_charge,grace_s\n\
         49,0.006,30,6,0.001,0.01,3\n",
    );
    let quote = |ms| quote(&table, "4930", at(NOON), ms).unwrap();
    assert_eq!(
        quote(Some(31_001)).steps,
        [
            Step::Matched { row: 1 },
            Step::Increments {
                started_s: 32,
                billed_s: 36
            },
            Step::Time {
                fee: decimal("0.001"),
                amount: decimal("0.0046")
            },
            Step::Minimum {
                amount: decimal("0.01")
            },
        ]
    );
    let short = quote(Some(2_000));
    assert_eq!(short.charge.amount, Decimal::ZERO);
    assert_eq!(
        short.steps,
        [Step::Matched { row: 1 }, Step::WithinGrace { grace_s: 3 }]
    );
}

#[test]
fn a_file_is_refused_with_every_fault_by_line() {
    let faults = import::read(
        &header(),
        "prefix,rate,currency,first_increment_s,effective_from,effective_to,band\n\
         49,-0.01,EUR,,,,\n\
         49,0.01,USD,,,,\n\
         49,0.01,EUR,0,,,\n\
         49,0.01,EUR,,,,noon\n\
         4x,0.01,EUR,,,,\n\
         49,=1+1,EUR,,,,\n\
         49,,EUR,,,,\n\
         49,0.01,EUR,,2026-01-01,2026-01-01,\n\
         49,0.01,EUR,,2026-01-01,2026-03-01,\n\
         49,0.01,EUR,,2026-02-01,,\n\
         49,0.01,EUR,,whenever,,\n\
         49,0.01\n",
    )
    .unwrap_err();
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        told[..told.len() - 1],
        [
            "line 2: rate: is negative",
            "line 3: currency: is not the deck's currency",
            "line 4: first_increment_s: is 0",
            "line 5: band: names no band of the deck",
            "line 6: prefix: is not 1 to 15 digits of E.164",
            "line 7: rate: begins like a formula of a spreadsheet",
            "line 8: rate: is empty",
            "line 9: effective_to: is not after effective_from",
            "line 11: effective_from: overlaps with line 10 of the same prefix",
            "line 12: effective_from: is no day and no RFC 3339 instant",
        ]
    );
    assert!(
        told[told.len() - 1].starts_with("line 13: row: "),
        "{told:?}"
    );
}

#[test]
fn words_that_a_spreadsheet_would_work_out_are_refused() {
    for words in ["=HYPERLINK(1)", "+1", "-1", "@x"] {
        let text = format!("prefix,rate,description\n+49,0.01,{words}\n");
        let faults = import::read(&header(), &text).unwrap_err();
        assert_eq!(
            faults[0].to_string(),
            "line 2: description: begins like a formula of a spreadsheet"
        );
    }
}

#[test]
fn a_header_that_is_wrong_is_told_first() {
    let fault = |text| import::read(&header(), text).unwrap_err()[0].to_string();
    assert_eq!(fault("prefix\n49\n"), "line 1: rate: the column is missing");
    assert_eq!(
        fault("prefix,rate,colour\n"),
        "line 1: header: \"colour\" is no column of a deck"
    );
    assert_eq!(
        fault("prefix,rate,rate\n"),
        "line 1: rate: the column is there twice"
    );
}

#[test]
fn quotes_line_ends_and_a_byte_order_mark_are_read() {
    let text = "\u{feff}description,prefix,rate\r\n\"Germany, \"\"fixed\"\"\",+49,0.01\r\n";
    let rows = import::read(&header(), text).unwrap();
    assert_eq!(rows[0].description, "Germany, \"fixed\"");
    assert_eq!(rows[0].prefix, "49");
}

fn row(prefix: String, rate: i64) -> Row {
    Row {
        prefix,
        description: String::new(),
        tariff: Tariff::flat(Decimal::of_units(rate, 4)),
        effective_from: None,
        effective_to: None,
        band: None,
    }
}

proptest! {
    #[test]
    fn the_table_finds_what_a_scan_finds(
        prefixes in prop::collection::btree_set("[1-4]{1,6}", 1..60),
        number in "[1-4]{1,12}",
    ) {
        let rows: Vec<Row> = prefixes.iter().zip(0..).map(|(prefix, rate)| row(prefix.clone(), rate)).collect();
        let scanned = rows.iter().filter(|row| number.starts_with(&row.prefix)).max_by_key(|row| row.prefix.len()).cloned();
        let table = table(rows);
        let found = table.find(&number, at(NOON)).map(|found| found.row.clone());
        prop_assert_eq!(found, scanned);
    }
}
