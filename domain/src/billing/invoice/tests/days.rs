//! Days and years are those of the calendar where the invoice is.

use super::*;
use crate::{
    billing::{DocumentKind, SeriesId},
    id::DEFAULT_TENANT,
};

fn at(text: &str) -> Timestamp {
    serde_json::from_str(&format!("\"{text}\"")).unwrap()
}

fn after(invoice: &Invoice, at: Timestamp, command: Command) -> (Invoice, Vec<Event>) {
    let events = Invoice::decide(invoice, at, command).unwrap();
    let start = invoice.clone();
    let invoice = events
        .iter()
        .fold(start, |invoice, event| Invoice::evolve(invoice, at, event));
    (invoice, events)
}

/// Numbers begin again with each year; it is drafted for January 2027.
fn yearly(is_approved: bool) -> Command {
    let series = |document| SeriesId {
        tenant: DEFAULT_TENANT,
        document,
        year: 2027,
    };
    let head = Head {
        series: series(DocumentKind::Invoice),
        number_prefix: "INV-2027-".into(),
        credit_note_series: series(DocumentKind::CreditNote),
        credit_note_prefix: "CN-2027-".into(),
        is_approved,
        ..*head(false)
    };
    Command::Draft {
        head: Box::new(head),
        lines: vec![line("100", "19")],
    }
}

#[test]
fn a_document_has_a_number_of_the_year_of_its_issue() {
    let (_, drafted) = after(
        &Invoice::default(),
        at("2028-01-02T12:00:00Z"),
        yearly(true),
    );
    let [Event::Drafted { head, .. }] = &drafted[..] else {
        unreachable!("{drafted:?}")
    };
    assert_eq!(
        (head.series.year, head.number_prefix.as_str()),
        (2028, "INV-2028-")
    );

    let start = Invoice::default();
    let (waiting, _) = after(&start, at("2027-12-20T12:00:00Z"), yearly(false));
    // Half past eleven in London is the new year in Berlin.
    let night = at("2027-12-31T23:30:00Z");
    let (approved, events) = after(&waiting, night, Command::Approve);
    let [
        Event::Approved {
            series,
            number_prefix,
        },
    ] = &events[..]
    else {
        unreachable!("{events:?}")
    };
    assert_eq!((series.year, number_prefix.as_str()), (2028, "INV-2028-"));
    let (issued, _) = after(&approved, night, issue());
    let (_, events) = after(&issued, at("2029-06-01T12:00:00Z"), credit(None));
    let [Event::Credited { document, .. }] = &events[..] else {
        unreachable!("{events:?}")
    };
    let told = (document.series.year, document.number_prefix.as_str());
    assert_eq!(told, (2029, "CN-2029-"));
    assert_eq!(document.series.document, DocumentKind::CreditNote);
}

#[test]
fn a_document_that_was_interrupted_at_the_turn_of_the_year_is_of_the_year_of_its_number() {
    let (waiting, _) = after(
        &Invoice::default(),
        at("2027-12-20T12:00:00Z"),
        yearly(false),
    );
    let (approved, _) = after(&waiting, at("2027-12-31T20:00:00Z"), Command::Approve);
    // The server was away while the year changed.
    let (_, events) = after(&approved, at("2028-01-02T08:00:00Z"), issue());
    let Some(Event::Issued {
        issued_on, due_on, ..
    }) = events.first()
    else {
        unreachable!("{events:?}")
    };
    assert_eq!(issued_on.to_string(), "2027-12-31");
    assert_eq!(
        *due_on,
        crate::calendar::plus_days(*issued_on, head(false).due_days)
    );
    // Where numbers go on for ever, it is the day of the number.
    let forever = SeriesId {
        tenant: DEFAULT_TENANT,
        document: DocumentKind::CreditNote,
        year: 0,
    };
    assert_eq!(forever.day_of_issue(*issued_on), *issued_on);
    let in_2028 = SeriesId {
        year: 2028,
        ..forever
    };
    assert_eq!(in_2028.day_of_issue(*issued_on), *issued_on);
}

#[test]
fn reminders_are_at_the_start_of_a_day_also_after_the_clocks_change() {
    let now = at("2027-03-10T12:00:00Z");
    let (invoice, _) = after(&Invoice::default(), now, draft(vec![line("1", "19")]));
    let (mut invoice, _) = after(&invoice, now, issue());
    // Due on the 24th. On the 28th the clocks of Berlin are put forward.
    for (due, level, next) in [
        ("2027-03-24T23:00:00Z", 1, Some("2027-03-31T22:00:00Z")),
        ("2027-03-31T22:00:00Z", 2, Some("2027-04-23T22:00:00Z")),
        ("2027-04-23T22:00:00Z", 3, None),
    ] {
        let mark = Command::MarkOverdue { level };
        let (marked, events) = after(&invoice, at(due), mark);
        let [Event::Overdue { next_at, .. }] = &events[..] else {
            unreachable!("{due}: {events:?}")
        };
        assert_eq!(*next_at, next.map(at));
        invoice = marked;
    }
}

/// An earlier program said the 31st at 23 hours: that step is not lost, and not early.
#[test]
fn a_step_is_due_when_it_was_said_to_be() {
    let now = at("2027-03-10T12:00:00Z");
    let (invoice, _) = after(&Invoice::default(), now, draft(vec![line("1", "19")]));
    let (invoice, _) = after(&invoice, now, issue());
    let said = Event::Overdue {
        account: AccountId(Uuid::from_u128(1)),
        level: 1,
        next_at: Some(at("2027-03-31T21:00:00Z")),
        suspends: false,
    };
    let invoice = Invoice::evolve(invoice, now, &said);
    let mark = || Command::MarkOverdue { level: 2 };
    assert_eq!(after(&invoice, at("2027-03-31T20:59:59Z"), mark()).1, []);
    assert_eq!(
        after(&invoice, at("2027-03-31T21:00:00Z"), mark()).1.len(),
        1
    );
}
