//! Invoices and credit notes as documents. Only what was true when they were
//! issued stands on them, so that they are the same for ever; what was paid
//! since is in the statement of the account.

use crate::{
    account_at::AccountAt,
    paper::{Note, Paper, Row, RowKind, Table, figures, words},
};
use domain::{
    billing::{
        Line, LineKind, TaxLine, Totals, UsageType,
        invoice::{CustomerBlock, Head, SellerBlock},
        tax::TaxCategory,
    },
    calendar::Date,
    money::{Currency, Decimal, Rounding},
    sealed::Party,
};
use projections::billing::invoices::{self, CreditNote, Issue, Standing};
use serde_json::{Value, json};

/// Language of our documents.
pub(crate) const LANGUAGE: &str = "en";
/// Version of the machine-readable form.
const SCHEMA: &str = "ringledger-invoice/3";
/// That of invoices that do not show what the account owed before.
const SCHEMA_WITHOUT_ACCOUNT: &str = "ringledger-invoice/2";
/// That of invoices without a line of what is included: what they were issued as.
const SCHEMA_WITHOUT_INCLUDED: &str = "ringledger-invoice/1";

/// What an invoice and a credit note have in common.
struct Body<'a> {
    currency: Currency,
    is_tax_inclusive: bool,
    lines: &'a [Line],
    taxes: &'a [TaxLine],
    totals: Totals,
    total_name: &'a str,
}

/// Title of what has no number, and the note on it.
const fn unissued(is_discarded: bool) -> (&'static str, &'static str, &'static str) {
    if is_discarded {
        (
            "Discarded draft of an invoice",
            "Discarded",
            "This draft was discarded: nothing is to be paid for it.",
        )
    } else {
        (
            "Draft of an invoice",
            "Draft",
            "This is a draft without a number: nothing is to be paid for it.",
        )
    }
}

/// What is to be paid and how, or that it is credit. `left` is what credit of the account
/// has not paid already, where the invoice shows it.
fn what_to_pay(head: &Head, issue: &Issue, total: Decimal, left: Option<Decimal>) -> Option<Note> {
    let (currency, due, number) = (head.currency, issue.due_on, &issue.number);
    let said = |amount: Decimal| format!("{} {currency}", amount.with_digits(currency.exponent()));
    if total.is_zero() {
        return None;
    }
    if total.is_negative() {
        let amount = said(total.abs());
        let says = format!("Nothing is to be paid: {amount} is credit of your account.");
        return Some(note("What becomes of it", vec![says]));
    }
    let left = left.unwrap_or(total);
    let (amount, paid) = (said(total), said(total - left));
    let says = if head.is_prepaid {
        format!(
            "{amount} is taken from your credit. Please pay only what that does not cover, by \
             {due}, and name {number}."
        )
    } else if left.is_zero() {
        let says = format!("Nothing is to be paid: credit of your account has paid {amount}.");
        return Some(note("What becomes of it", vec![says]));
    } else if left < total {
        let left = said(left);
        format!(
            "Please pay {left} by {due} and name {number}. Credit of your account has paid {paid}."
        )
    } else {
        format!("Please pay {amount} by {due} and name {number}.")
    };
    let lines = [says].into_iter().chain(head.seller.payment_lines.clone());
    Some(note("How to pay", lines.collect()))
}

/// The invoice as a document; a draft says that it is none yet. `account` is what the
/// account owed then: of invoices that do not show it, none.
pub fn invoice(row: &invoices::Row, account: Option<&AccountAt>) -> Option<Paper> {
    let head = row.state.head.as_ref()?;
    let (currency, total) = (head.currency, row.state.totals.total);
    let left = account.map(|account| account.left_of(total));
    let mut facts = vec![];
    let mut closing = texts(&head.texts);
    let (title, made_at) = match &row.issue {
        Some(issue) => {
            facts.push(fact("Invoice number", &issue.number));
            facts.push(fact("Issued on", issue.issued_on));
            facts.push(fact("Due on", issue.due_on));
            closing.extend(what_to_pay(head, issue, total, left));
            (format!("Invoice {}", issue.number), issue.at)
        }
        None => {
            let is_discarded = row.standing() == Standing::Discarded;
            let (title, name, says) = unissued(is_discarded);
            closing.push(note(name, vec![says.into()]));
            (title.into(), row.drafted_at)
        }
    };
    facts.push(fact(
        "Supplied",
        days(head.period.start(), head.period.end()),
    ));
    facts.push(fact("Customer", &head.customer.name));
    if let Some(tax_id) = &head.customer.tax_id {
        facts.push(fact("Your tax ID", tax_id));
    }
    facts.push(fact("Currency", currency));
    closing.extend(written_to(row.customer.as_ref()));
    let body = Body {
        currency,
        is_tax_inclusive: head.is_tax_inclusive,
        lines: &row.state.lines,
        taxes: &row.state.taxes,
        totals: row.state.totals,
        total_name: match left {
            Some(left) if left < total && !head.is_prepaid => "Total",
            Some(_) | None => "To be paid",
        },
    };
    Some(Paper {
        language: LANGUAGE,
        kind: "Invoice".into(),
        title,
        made_at,
        sender: sender(&head.seller),
        recipient: recipient(&head.customer, row.customer.as_ref()),
        facts,
        opening: vec![],
        tables: vec![lines(&body), taxes(&body)],
        closing,
        beside: account.map(AccountAt::table),
        footer: footer(&head.seller),
    })
}

/// A credit note as a document; none before it has its number.
pub fn credit_note(row: &invoices::Row, note_row: &CreditNote) -> Option<Paper> {
    let (number, issued_on, at) = note_row.issued.as_ref()?;
    let document = &note_row.document;
    let currency = document.currency;
    let invoiced_on = row.issue.as_ref().map(|issue| issue.issued_on);
    let of = invoiced_on.map_or_else(String::new, |day| format!(" of {day}"));
    let mut facts = vec![
        fact("Credit note number", number),
        fact("Issued on", issued_on),
        fact("For invoice", format!("{}{of}", document.invoice_number)),
        fact("Customer", &document.customer.name),
        fact("Currency", currency),
    ];
    if let Some(tax_id) = &document.customer.tax_id {
        facts.push(fact("Your tax ID", tax_id));
    }
    let is_tax_inclusive = row
        .state
        .head
        .as_ref()
        .is_some_and(|head| head.is_tax_inclusive);
    let body = Body {
        currency,
        is_tax_inclusive,
        lines: &document.lines,
        taxes: &document.taxes,
        totals: document.totals,
        total_name: "Credited to you",
    };
    let mut closing = texts(&document.texts);
    closing.extend(written_to(row.customer.as_ref()));
    closing.push(note(
        "What becomes of it",
        vec![
            "The amount counts first against what is open of the invoice; the rest is credit of \
             your account."
                .into(),
        ],
    ));
    Some(Paper {
        language: LANGUAGE,
        kind: "Credit note".into(),
        title: format!("Credit note {number}"),
        made_at: *at,
        sender: sender(&document.seller),
        recipient: recipient(&document.customer, row.customer.as_ref()),
        facts,
        opening: vec![format!("Reason: {}", document.reason)],
        tables: vec![lines(&body), taxes(&body)],
        closing,
        beside: None,
        footer: footer(&document.seller),
    })
}

/// A reader of the first form knows no lines of what is included, one of the second no
/// account.
fn schema(lines: &[Line], account: Option<&AccountAt>) -> &'static str {
    if account.is_some() {
        return SCHEMA;
    }
    let is_included = |line: &Line| matches!(line.kind, LineKind::Included { .. });
    if lines.iter().any(is_included) {
        SCHEMA_WITHOUT_ACCOUNT
    } else {
        SCHEMA_WITHOUT_INCLUDED
    }
}

/// The same data for a machine. Amounts are decimal text.
pub fn json(row: &invoices::Row, account: Option<&AccountAt>) -> Option<Value> {
    let head = row.state.head.as_ref()?;
    let issue = row.issue.as_ref();
    let customer: Vec<String> = recipient(&head.customer, row.customer.as_ref());
    let mut told = json!({
        "name": head.customer.name,
        "lines": customer,
        "country": head.customer.country,
        "tax_id": head.customer.tax_id,
    });
    // Documents of accounts that have none are as they were.
    if let Some(contact) = row
        .customer
        .as_ref()
        .and_then(|party| party.contact.as_ref())
    {
        told["contact"] = json!(contact);
    }
    let mut document = json!({
        "schema": schema(&row.state.lines, account),
        "invoice_id": row.invoice.to_string(),
        "number": issue.map(|issue| &issue.number),
        "issued_on": issue.map(|issue| issue.issued_on),
        "due_on": issue.map(|issue| issue.due_on),
        "account_id": row.account.to_string(),
        "period": head.period,
        "supplied_from": head.period.start(),
        "supplied_to": plus_back(head.period.end()),
        "currency": head.currency.to_string(),
        "is_tax_inclusive": head.is_tax_inclusive,
        "seller": head.seller,
        "customer": told,
        "lines": row.state.lines,
        "taxes": row.state.taxes,
        "totals": row.state.totals,
        "texts": head.texts,
    });
    if let Some(account) = account {
        document["account"] = account.json(row.state.totals.total);
    }
    Some(document)
}

pub(crate) fn fact(what: &str, value: impl ToString) -> (String, String) {
    (what.to_owned(), value.to_string())
}

pub(crate) fn note(heading: &str, lines: Vec<String>) -> Note {
    Note {
        heading: heading.to_owned(),
        lines,
    }
}

/// Who is written to about it.
fn written_to(customer: Option<&Party>) -> Option<Note> {
    let contact = customer?.contact.as_ref()?;
    let lines = std::iter::once(&contact.name)
        .chain(&contact.email)
        .chain(&contact.address);
    Some(note("Billing contact", lines.cloned().collect()))
}

fn texts(texts: &[String]) -> Vec<Note> {
    if texts.is_empty() {
        return vec![];
    }
    vec![note("About the tax", texts.to_vec())]
}

/// The day before: periods end with the first day that is not in them.
fn plus_back(day: Date) -> Date {
    day.pred_opt().unwrap_or(day)
}

/// The days of a half-open range, as people say it.
pub(crate) fn days(from: Date, to: Date) -> String {
    // A range without a day ends where it begins.
    let last = if to > from { plus_back(to) } else { from };
    format!("{from} to {last}")
}

pub(crate) fn sender(seller: &SellerBlock) -> Vec<String> {
    let mut lines = vec![seller.name.clone()];
    lines.extend(seller.address.iter().cloned());
    lines.push(seller.country.clone());
    lines.push(format!("Tax ID {}", seller.tax_id));
    lines
}

fn recipient(customer: &CustomerBlock, holder: Option<&Party>) -> Vec<String> {
    let told = holder.and_then(|party| party.display_name.as_deref());
    let mut lines: Vec<String> = told.map_or_else(
        || vec![customer.name.clone()],
        |text| text.lines().map(str::to_owned).collect(),
    );
    lines.push(customer.country.clone());
    lines
}

pub(crate) fn footer(seller: &SellerBlock) -> String {
    format!("{} · Tax ID {}", seller.name, seller.tax_id)
}

/// A heading, and whether a line stands under it.
type Group = (&'static str, fn(&LineKind) -> bool);

/// The groups of lines, in the order of a document.
const GROUPS: [Group; 3] = [
    ("Recurring fees", |kind| {
        matches!(kind, LineKind::Fee { .. })
    }),
    ("Usage", |kind| {
        matches!(kind, LineKind::Usage { .. } | LineKind::Included { .. })
    }),
    ("Adjustments", |kind| matches!(kind, LineKind::Adjustment)),
];

fn lines(body: &Body<'_>) -> Table {
    let digits = body.currency.exponent();
    let mut rows = vec![];
    let mut running = Decimal::ZERO;
    for (name, is_of) in GROUPS {
        let of: Vec<&Line> = body.lines.iter().filter(|line| is_of(&line.kind)).collect();
        if of.is_empty() {
            continue;
        }
        rows.push(Row::new(RowKind::Group, vec![name.into()]));
        for line in of {
            let amount = line.shown(body.is_tax_inclusive);
            running = running + amount;
            let mut row = Row::item(vec![
                line.description.clone(),
                line.quantity.to_string(),
                line.unit.clone(),
                line.unit_price
                    .map_or_else(String::new, |price| price.with_digits(digits)),
                tax_name(line.tax_category, line.tax_percent),
                amount.with_digits(digits),
            ]);
            row.detail = detail(line, body.lines, digits);
            row.running = Some(running.with_digits(digits));
            rows.push(row);
        }
    }
    let sum = |name: String, amount: Decimal| {
        let mut cells = vec![name];
        cells.extend(std::iter::repeat_n(String::new(), 4));
        cells.push(amount.with_digits(digits));
        cells
    };
    rows.push(Row::new(RowKind::Sum, sum("Net".into(), body.totals.net)));
    for tax in body.taxes {
        let name = tax_name(tax.category, tax.percent);
        let name = format!("Tax {name} on {}", tax.net.with_digits(digits));
        rows.push(Row::new(RowKind::Sum, sum(name, tax.tax)));
    }
    let name = format!("{}, {}", body.total_name, body.currency);
    rows.push(Row::new(RowKind::Total, sum(name, body.totals.total)));
    let with = if body.is_tax_inclusive {
        " with tax"
    } else {
        ""
    };
    Table {
        caption: "What it is for".into(),
        columns: vec![
            words("Description", 42),
            figures("Quantity", 13),
            words("Unit", 11),
            figures("Unit price", 14),
            figures("Tax", 14),
            figures(&format!("Amount{with}, {}", body.currency), 16),
        ],
        rows,
    }
}

fn detail(line: &Line, all: &[Line], digits: u8) -> String {
    match &line.kind {
        LineKind::Usage {
            usage_type,
            included,
            rated,
        } => {
            let what = match usage_type.is_of_calls() {
                true => "Rated calls",
                false => "Rated records",
            };
            let rated = rated.with_digits(digits);
            let mut text = format!("{what} add up to {rated}");
            // Older documents have no lines of it.
            let apart = LineKind::Included {
                usage_type: *usage_type,
            };
            let is_apart = all.iter().any(|line| line.kind == apart);
            if *included > 0 && !is_apart {
                let (number, unit) = units(*usage_type, *included);
                text.push_str(&format!("; included in the plan: {number} {unit}"));
            }
            text
        }
        LineKind::Fee { from, to } => days(*from, *to),
        LineKind::Included { .. } | LineKind::Adjustment => String::new(),
    }
}

/// Counted units as people say them: seconds as minutes.
pub(crate) fn units(usage_type: UsageType, counted: u64) -> (Decimal, &'static str) {
    let counted = Decimal::whole(i64::try_from(counted).unwrap_or(i64::MAX));
    let per_unit = i128::from(usage_type.per_unit());
    let number = counted.share(1, per_unit, 2, Rounding::HalfEven);
    (number, usage_type.unit_name())
}

fn tax_name(category: TaxCategory, percent: Decimal) -> String {
    match category {
        TaxCategory::Standard | TaxCategory::Reduced => format!("{percent} %"),
        TaxCategory::Zero => "0 %".into(),
        TaxCategory::ReverseCharge => "reverse charge".into(),
        TaxCategory::OutOfScope => "none".into(),
    }
}

fn taxes(body: &Body<'_>) -> Table {
    let digits = body.currency.exponent();
    let cells = |name: String, net: Decimal, tax: Decimal| {
        vec![
            name,
            net.with_digits(digits),
            tax.with_digits(digits),
            (net + tax).with_digits(digits),
        ]
    };
    let mut rows: Vec<Row> = body
        .taxes
        .iter()
        .map(|tax| {
            let name = tax_name(tax.category, tax.percent);
            Row::item(cells(name, tax.net, tax.tax))
        })
        .collect();
    let Totals { net, tax, .. } = body.totals;
    rows.push(Row::new(RowKind::Sum, cells("Sum".into(), net, tax)));
    Table {
        caption: "Taxes".into(),
        columns: vec![
            words("Rate", 40),
            figures("Net", 20),
            figures("Tax", 20),
            figures("Gross", 20),
        ],
        rows,
    }
}
