//! Numbers have no gap and no double.

use super::*;
use crate::{
    billing::Document,
    id::{CreditNoteId, InvoiceId},
    testing::given,
};
use proptest::prelude::*;
use uuid::Uuid;

fn invoice(number: u128) -> Document {
    Document::Invoice(InvoiceId(Uuid::from_u128(number)))
}

fn issue(document: Document) -> Command {
    Command::Issue {
        document,
        prefix: "INV-".into(),
    }
}

fn issued(document: Document, number: u64, text: &str) -> Event {
    Event::NumberIssued {
        document,
        number,
        text: text.into(),
    }
}

#[test]
fn a_document_has_one_number_however_often_it_asks() {
    given::<Series>([])
        .when(issue(invoice(7)))
        .then([issued(invoice(7), 1, "INV-00000001")])
        .when(issue(invoice(9)))
        .then([issued(invoice(9), 2, "INV-00000002")])
        .when(issue(invoice(7)))
        .nothing();
}

#[test]
fn a_series_is_of_one_kind() {
    given::<Series>([issued(invoice(7), 1, "INV-00000001")])
        .when(issue(Document::CreditNote(CreditNoteId(Uuid::nil()))))
        .refused(Error::OtherKind);
}

proptest! {
    #[test]
    fn the_number_is_the_version_of_the_stream(asked in prop::collection::vec(0_u128..20, 0..100)) {
        let mut series = Series::default();
        let mut version = 0;
        let at = crate::testing::NOW;
        for number in asked {
            for event in Series::decide(&series, at, issue(invoice(number))).unwrap() {
                version += 1;
                let Event::NumberIssued { number, .. } = &event;
                prop_assert_eq!(*number, version);
                series = Series::evolve(series, at, &event);
            }
        }
    }
}
