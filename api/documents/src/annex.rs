//! Every record of an invoice's month as CSV: from each, its line can be
//! worked out again.

use crate::{
    csv::{self, Cell},
    field::local,
    mask::masked,
};
use domain::{billing::UsageId, id::LegId};
use projections::{
    billing::{invoices, usage},
    cdr,
    page::{Cursor, PAGE_MAX, Page},
    views::{ViewError, Views},
};

const COLUMNS: [&str; 22] = [
    "invoice",
    "kind",
    "call_id",
    "leg_id",
    "usage_type",
    "answered_at",
    "answered_at_utc",
    "ended_at_utc",
    "number",
    "destination",
    "prefix",
    "seconds",
    "billed",
    "rate",
    "connection_fee",
    "minimum_charge",
    "amount",
    "currency",
    "deck_version",
    "deck_row",
    "of_period",
    "reference",
];

/// The file, written page by page: a month may have a million records.
pub struct Annex {
    views: Views,
    invoice: invoices::Row,
    /// The last record of the page before; none at the end of the file.
    next: Option<Option<Cursor>>,
    has_header: bool,
    /// A page that is read and was not asked for.
    first: Option<Vec<u8>>,
}

impl std::fmt::Debug for Annex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Annex")
    }
}

impl Annex {
    /// The annex of that invoice.
    pub const fn new(views: Views, invoice: invoices::Row) -> Self {
        Self {
            views,
            invoice,
            next: Some(None),
            has_header: false,
            first: None,
        }
    }

    /// The same, with its first page read: what can not be read at all is said before
    /// anything is sent.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn begun(views: Views, invoice: invoices::Row) -> Result<Self, ViewError> {
        let mut annex = Self::new(views, invoice);
        annex.first = annex.next().await?;
        Ok(annex)
    }

    /// The next piece of the file; none at its end.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, ViewError> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        let Some(after) = self.next.take() else {
            return Ok(None);
        };
        let of = UsageId {
            account: self.invoice.account,
            period: self.invoice.period,
        };
        let page = Page::First(PAGE_MAX, after);
        let slice = self.views.usage_records(of, &page).await?;
        let calls: Vec<_> = slice.rows.iter().map(|(_, row)| row.record.cdr).collect();
        let records = self.views.cdrs_of(&calls).await?;
        let mut piece = String::new();
        if !self.has_header {
            csv::line(COLUMNS.iter().map(|name| Cell::Plain(name)), &mut piece);
            self.has_header = true;
        }
        for (_, row) in &slice.rows {
            let call = records.iter().find(|record| record.call == row.record.cdr);
            let number = call.and_then(|call| number(call, row.record.leg));
            line(&self.invoice, row, &number.unwrap_or_default(), &mut piece);
        }
        if slice.has_more {
            self.next = Some(slice.rows.last().map(|(cursor, _)| cursor.clone()));
        }
        Ok(Some(piece.into_bytes()))
    }
}

/// The number at the other end of a leg: of who called, or that was dialled. The last
/// digits of a person's number are hidden; a number that the account's calls are sent on
/// to is its own word. None of who was forgotten.
fn number(call: &cdr::Row, leg: LegId) -> Option<String> {
    let sent_on = call.legs.iter().find(|known| known.leg == leg);
    if let Some(number) = sent_on.and_then(|leg| leg.dialled.clone()) {
        return Some(number);
    }
    // Who calls is at the other end of the caller's leg, and so is who is rung back.
    let is_callers = leg == call.caller_leg;
    let party = call.caller.party.as_ref().filter(|_| is_callers)?;
    Some(masked(&party.user))
}

fn line(invoice: &invoices::Row, row: &usage::Row, number: &str, file: &mut String) {
    let record = &row.record;
    let zone = invoice
        .state
        .head
        .as_ref()
        .map(|head| head.zone.to_string());
    let zone = zone
        .and_then(|zone| zone.parse().ok())
        .unwrap_or(chrono_tz::Tz::UTC);
    let kind = if row.is_adjustment {
        "taken_back"
    } else {
        "used"
    };
    let issued = invoice.issue.as_ref().map(|issue| issue.number.as_str());
    let seconds = record.ended_at.ms_since(record.answered_at).div_ceil(1_000);
    let matched = record.matched.as_ref();
    let usage_type = crate::field::name(record.usage_type).unwrap_or_default();
    // A use that is no call has a key in place of call and leg.
    let counted = record.counted.as_ref();
    let of_call = |id: String| counted.map_or(id, |_| String::new());
    let plain = [
        of_call(record.cdr.to_string()),
        of_call(record.leg.to_string()),
        usage_type,
        local(record.answered_at, zone),
        record.answered_at.to_string(),
        record.ended_at.to_string(),
    ];
    let rest = [
        matched.map_or_else(String::new, |row| row.prefix.clone()),
        seconds.to_string(),
        record.quantity.to_string(),
        record.tariff.rate.to_string(),
        record.tariff.connection_fee.to_string(),
        record.tariff.minimum_charge.to_string(),
        row.amount().to_string(),
        record.currency.to_string(),
        matched.map_or_else(String::new, |row| row.deck.to_string()),
        matched.map_or_else(String::new, |row| row.row.to_string()),
        record
            .of_period
            .map_or_else(String::new, |period| period.to_string()),
    ];
    let described = counted.map(|counted| counted.description.as_str());
    let destination = described.filter(|text| !text.is_empty());
    let destination =
        destination.unwrap_or_else(|| matched.map_or("", |row| row.description.as_str()));
    let reference = counted.map_or("", |counted| counted.key.as_str());
    let mut cells = vec![Cell::Text(issued.unwrap_or_default()), Cell::Plain(kind)];
    cells.extend(plain.iter().map(|cell| Cell::Plain(cell)));
    cells.extend([Cell::Text(number), Cell::Text(destination)]);
    cells.extend(rest.iter().map(|cell| Cell::Plain(cell)));
    cells.push(Cell::Text(reference));
    csv::line(cells, file);
}
