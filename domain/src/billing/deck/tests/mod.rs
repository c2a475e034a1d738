//! A deck is checked as a whole, published once and never changed.

use super::*;
use crate::{
    billing::tariff::{Tariff, TariffFault},
    calendar::Zone,
    money::{Currency, Decimal, Rounding},
    testing::{Given, given, second},
    time::Timestamp,
};

fn header() -> Header {
    Header {
        name: "test".into(),
        currency: Currency::EUR,
        zone: Zone::UTC,
        rounding: Rounding::HalfEven,
        bands: vec![],
    }
}

fn row(prefix: &str) -> Row {
    Row {
        prefix: prefix.into(),
        description: String::new(),
        tariff: Tariff::flat(Decimal::whole(1)),
        effective_from: None,
        effective_to: None,
        band: None,
    }
}

fn range(from: Option<u64>, to: Option<u64>) -> Row {
    Row {
        effective_from: from.map(second),
        effective_to: to.map(second),
        ..row("49")
    }
}

fn open() -> Given<Deck> {
    given::<Deck>([Event::Opened { header: header() }])
}

fn add(first_row: u32, rows: Vec<Row>) -> Command {
    Command::AddRows { first_row, rows }
}

fn added(first_row: u32, rows: Vec<Row>) -> Event {
    Event::RowsAdded { first_row, rows }
}

fn published(state: &Deck) -> Event {
    let at = Timestamp::default();
    Deck::decide(state, at, Command::Publish).unwrap().remove(0)
}

#[test]
fn rows_come_in_order_and_once() {
    open()
        .when(add(1, vec![row("49"), row("4930")]))
        .then([added(1, vec![row("49"), row("4930")])])
        .when(add(1, vec![row("49"), row("4930")]))
        .nothing()
        .when(add(2, vec![row("4930")]))
        .nothing()
        .when(add(4, vec![row("1")]))
        .refused(Error::RowsMissing {
            have: 2,
            first_row: 4,
        })
        .when(add(3, vec![]))
        .refused(Error::TooManyRows);
}

#[test]
fn ranges_of_a_prefix_may_touch_and_not_overlap() {
    let deck = open()
        .when(add(1, vec![range(None, Some(5)), range(Some(5), None)]))
        .then([added(1, vec![range(None, Some(5)), range(Some(5), None)])]);
    let events = deck.when(Command::Publish).events();
    assert!(matches!(
        events[..],
        [Event::Published { rows_count: 2, .. }]
    ));
    // In two batches each is right by itself: publishing finds it.
    open()
        .when(add(1, vec![range(None, Some(6))]))
        .then([added(1, vec![range(None, Some(6))])])
        .when(add(2, vec![range(Some(5), None)]))
        .then([added(2, vec![range(Some(5), None)])])
        .when(Command::Publish)
        .refused(Error::InvalidRow(RowFault {
            line: 2,
            field: "effective_from",
            reason: FaultReason::Overlap(1),
        }));
}

#[test]
fn a_row_that_overlaps_several_is_told_for_each_of_them() {
    let rows = [
        range(Some(1), Some(10)),
        range(Some(2), Some(3)),
        range(Some(4), Some(5)),
        range(Some(10), None),
    ];
    let faults = check_rows(&[], (1..).zip(&rows));
    let told: Vec<_> = faults
        .iter()
        .map(|fault| (fault.line, fault.reason.clone()))
        .collect();
    let overlaps = FaultReason::Overlap(1);
    assert_eq!(told, [(2, overlaps.clone()), (3, overlaps)]);
}

#[test]
fn a_wrong_row_is_refused_with_its_place_and_field() {
    let mut wrong = row("49");
    wrong.tariff.rate = Decimal::whole(-1);
    open()
        .when(add(1, vec![row("1"), wrong]))
        .refused(Error::InvalidRow(RowFault {
            line: 2,
            field: "rate",
            reason: FaultReason::Tariff(TariffFault::Negative("rate")),
        }));
}

#[test]
fn a_published_deck_never_changes() {
    let deck = open()
        .when(add(1, vec![row("49")]))
        .then([added(1, vec![row("49")])]);
    let event = published(deck.state());
    deck.when(Command::Publish)
        .then([event])
        .when(Command::Publish)
        .nothing()
        .when(add(2, vec![row("1")]))
        .refused(Error::Immutable)
        .when(Command::Open { header: header() })
        .refused(Error::AlreadyExists)
        .when(Command::Retire)
        .then([Event::Retired {}])
        .when(Command::Retire)
        .nothing();
}

#[test]
fn the_hash_is_of_every_digit() {
    let hash = |rate| {
        let mut row = row("49");
        row.tariff.rate = rate;
        let deck = Deck {
            phase: Phase::Open,
            header: Some(header()),
            rows: vec![row],
        };
        published(&deck)
    };
    assert_ne!(
        hash(Decimal::of_units(1, 12)),
        hash(Decimal::of_units(2, 12))
    );
    assert_eq!(hash(Decimal::whole(1)), hash(Decimal::whole(1)));
}

#[test]
fn an_empty_deck_is_not_published() {
    open().when(Command::Publish).refused(Error::Empty);
    given::<Deck>([])
        .when(Command::Publish)
        .refused(Error::NotOpen)
        .when(Command::Retire)
        .refused(Error::NotPublished);
}

#[test]
fn bands_that_overlap_are_refused() {
    let band = |name: &str, from_minute, to_minute| Band {
        name: name.into(),
        weekdays: vec![0],
        from_minute,
        to_minute,
    };
    let open = |bands| {
        let header = Header { bands, ..header() };
        given::<Deck>([]).when(Command::Open { header })
    };
    open(vec![band("a", 0, 60), band("b", 59, 120)]).refused(Error::InvalidBand {
        band: "b".into(),
        reason: "overlaps with another band",
    });
    open(vec![band("a", 0, 60), band("b", 60, 120)]).events();
    open(vec![band("a", 60, 60)]).refused(Error::InvalidBand {
        band: "a".into(),
        reason: "has no days 0 to 6 or no minutes 0 to 1440",
    });
}
