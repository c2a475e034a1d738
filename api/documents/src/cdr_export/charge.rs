//! What a call costs, as columns: of the call as a whole, and of each of its legs.

use crate::field::{Field, id, number, text, word};
use domain::billing::usage::Record;
use projections::billing::charges::Row;
use serde_json::{Value, json};

/// A column: its name, and its value of what is known of the price.
type ChargeColumn = (&'static str, fn(&Row) -> Field);
/// A column: its name, and its value of the use of one leg.
type RecordColumn = (&'static str, fn(&Record) -> Field);

/// How the price stands, and who pays: of a call and of each of its legs.
pub(super) const STANDING: &[ChargeColumn] = &[
    ("rating", |row| word(row.standing())),
    ("unrated_reason", |row| {
        word(row.unrated.map(|(_, reason)| reason))
    }),
    ("account_id", |row| id(row.account())),
    ("rating_revision", |row| number(Some(row.revision))),
    ("invoice_period", |row| {
        id(row.bill.as_ref().map(|bill| bill.period))
    }),
];

/// What the whole call costs.
pub(super) const CALL: &[ChargeColumn] = &[
    ("billed_s", |row| {
        let bill = row.bill.as_ref();
        number(bill.map(|bill| {
            bill.records
                .iter()
                .map(|record| record.quantity)
                .sum::<u64>()
        }))
    }),
    ("amount", |row| id(row.amount())),
    ("currency", |row| {
        let bill = row.bill.as_ref();
        let record = bill.and_then(|bill| bill.records.first());
        id(record.map(|record| record.currency))
    }),
    ("charges", |row| {
        let records = row.bill.iter().flat_map(|bill| &bill.records);
        Field::Json(Value::Array(records.map(charge).collect()))
    }),
];

/// What one leg costs.
pub(super) const LEG: &[RecordColumn] = &[
    ("usage_type", |record| word(record.usage_type)),
    ("billed_s", |record| number(Some(record.quantity))),
    ("rate", |record| id(Some(record.tariff.rate))),
    ("connection_fee", |record| {
        id(Some(record.tariff.connection_fee))
    }),
    ("minimum_charge", |record| {
        id(Some(record.tariff.minimum_charge))
    }),
    ("amount", |record| id(Some(record.amount))),
    ("currency", |record| id(Some(record.currency))),
    ("plan_id", |record| id(Some(record.plan))),
    ("plan_version", |record| number(Some(record.plan_version))),
    ("deck_version", |record| {
        id(record.matched.as_ref().map(|row| row.deck))
    }),
    ("deck_row", |record| {
        number(record.matched.as_ref().map(|row| row.row))
    }),
    ("prefix", |record| {
        id(record.matched.as_ref().map(|row| &row.prefix))
    }),
    ("destination", |record| {
        text(record.matched.as_ref().map(|row| &row.description))
    }),
];

/// A leg's use as an object, by the same names.
fn charge(record: &Record) -> Value {
    let mut object = json!({ "leg_id": record.leg.to_string() });
    for (name, of) in LEG {
        object[*name] = of(record).value();
    }
    object
}
