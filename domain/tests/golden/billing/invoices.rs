//! Examples of what is about invoices and their numbers.

use super::*;

fn lines() -> Vec<Line> {
    let line = |kind, unit: &str| Line {
        kind,
        description: "Outbound calls".into(),
        quantity: decimal("0.5"),
        unit: unit.into(),
        unit_price: Some(decimal("0.04")),
        tax_category: TaxCategory::Standard,
        tax_percent: decimal("19"),
        exact: decimal("0.02"),
        amount: decimal("0.02"),
        is_tax_inclusive: None,
        net: decimal("0.02"),
        tax: Decimal::ZERO,
    };
    vec![
        line(
            LineKind::Usage {
                usage_type: UsageType::OutboundMinutes,
                included: 10,
                rated: decimal("0.02"),
            },
            "min",
        ),
        line(
            LineKind::Fee {
                from: date("2026-11-01"),
                to: date("2026-12-01"),
            },
            "day",
        ),
        line(LineKind::Adjustment, "piece"),
    ]
}

fn taxes() -> Vec<TaxLine> {
    vec![TaxLine {
        category: TaxCategory::Standard,
        percent: decimal("19"),
        net: decimal("0.06"),
        tax: decimal("0.01"),
    }]
}

fn totals() -> Totals {
    Totals {
        net: decimal("0.06"),
        tax: decimal("0.01"),
        total: decimal("0.07"),
    }
}

fn seller_block() -> invoice::SellerBlock {
    invoice::SellerBlock {
        name: "Example Telecom GmbH".into(),
        address: vec!["Example Street 1".into()],
        country: "DE".into(),
        tax_id: "DE123456789".into(),
        payment_lines: vec!["IBAN DE00 0000 0000 0000 0000 00".into()],
    }
}

fn customer_block() -> invoice::CustomerBlock {
    invoice::CustomerBlock {
        name: "acme".into(),
        holder: Some(sealed()),
        country: "DE".into(),
        tax_id: Some("DE987654321".into()),
    }
}

fn head() -> Box<invoice::Head> {
    Box::new(invoice::Head {
        account: ACCOUNT,
        period: period(),
        currency: Currency::EUR,
        zone: berlin(),
        is_tax_inclusive: false,
        rounding: Rounding::HalfEven,
        seller: seller_block(),
        customer: customer_block(),
        texts: vec!["Reverse charge".into()],
        series: series_of(DocumentKind::Invoice),
        number_prefix: "INV-".into(),
        credit_note_series: series_of(DocumentKind::CreditNote),
        credit_note_prefix: "CN-".into(),
        due_days: 14,
        reminder_days: vec![7, 14],
        suspend_days: Some(30),
        fees: fees(),
        is_approved: true,
        is_prepaid: false,
    })
}

fn credit_document() -> Box<invoice::CreditDocument> {
    Box::new(invoice::CreditDocument {
        invoice: INVOICE,
        invoice_number: "INV-00000001".into(),
        account: ACCOUNT,
        currency: Currency::EUR,
        zone: berlin(),
        seller: seller_block(),
        customer: customer_block(),
        texts: vec!["Reverse charge".into()],
        lines: lines(),
        taxes: taxes(),
        totals: totals(),
        reason: "wrong deck".into(),
        series: series_of(DocumentKind::CreditNote),
        number_prefix: "CN-".into(),
    })
}

fn discarded() -> invoice::Event {
    invoice::Event::Discarded {
        account: ACCOUNT,
        period: period(),
        reason: "wrong price".into(),
    }
}

pub(super) fn invoices() -> Vec<invoice::Event> {
    let source = invoice::Source::Payment(PAYMENT);
    vec![
        invoice::Event::Drafted {
            head: head(),
            lines: lines(),
            taxes: taxes(),
            totals: totals(),
        },
        invoice::Event::LineAdded {
            lines: lines(),
            taxes: taxes(),
            totals: totals(),
            text: None,
        },
        discarded(),
        invoice::Event::Approved {
            series: series_of(DocumentKind::Invoice),
            number_prefix: "INV-".into(),
        },
        invoice::Event::Issued {
            number: "INV-00000001".into(),
            account: ACCOUNT,
            period: period(),
            issued_on: date("2026-11-01"),
            due_on: date("2026-11-15"),
            due_at: UNTIL,
            total: decimal("0.07"),
            currency: Currency::EUR,
            fees: fees(),
            shows_account: false,
        },
        invoice::Event::PaymentRecorded {
            source,
            amount: decimal("0.05"),
            left: decimal("0.02"),
        },
        invoice::Event::PaymentReversed {
            source,
            amount: decimal("0.05"),
            left: decimal("0.07"),
            next_at: Some(UNTIL),
            next_level: 1,
        },
        invoice::Event::Paid {},
        invoice::Event::Overdue {
            account: ACCOUNT,
            level: 1,
            next_at: Some(UNTIL),
            suspends: false,
        },
        invoice::Event::Credited {
            credit_note: CREDIT_NOTE,
            document: credit_document(),
            left: Decimal::ZERO,
        },
        invoice::Event::WriteOffAsked {
            account: ACCOUNT,
            reason: "insolvent".into(),
        },
        invoice::Event::WrittenOff {
            account: ACCOUNT,
            amount: decimal("0.02"),
            reason: "insolvent".into(),
            is_by_account: false,
        },
        invoice::Event::WriteOffLowered {
            amount: decimal("0.01"),
        },
    ]
}

pub(super) fn credit_notes() -> impl Iterator<Item = credit_note::Event> {
    [
        credit_note::Event::Drafted {
            document: credit_document(),
        },
        credit_note::Event::Issued {
            number: "CN-00000001".into(),
            issued_on: date("2026-11-02"),
            account: ACCOUNT,
            invoice: INVOICE,
            total: decimal("0.07"),
        },
    ]
    .into_iter()
}

pub(super) fn numbers() -> impl Iterator<Item = series::Event> {
    [series::Event::NumberIssued {
        document: Document::Invoice(INVOICE),
        number: 1,
        text: "INV-00000001".into(),
    }]
    .into_iter()
}
