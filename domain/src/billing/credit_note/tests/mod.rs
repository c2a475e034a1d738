//! A credit note is drafted once, numbered once and never changed.

use super::*;
use crate::testing::given;

#[test]
fn there_is_nothing_to_issue_without_a_draft() {
    given::<CreditNote>([])
        .when(Command::Issue {
            number: "CN-00000001".into(),
        })
        .refused(Error::Unknown);
}
