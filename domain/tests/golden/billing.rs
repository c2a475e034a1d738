//! One example of every event of billing, with every optional field there.

use crate::examples::{AGENT, AGENT_LEG, AT, CALL, QUEUE, TRUNK, UNTIL, sealed, uuid};
use ringledger_domain::{
    billing::{
        DeckVersionId, Document, DocumentKind, Event, Line, LineKind, SeriesId, TaxLine, Totals,
        UsageId, UsageType, account, credit_note, deck, fees::Billed, invoice, plan, rating,
        seller, series, settle::Total, tariff::Tariff, tax::TaxCategory, tax::TaxRate, usage,
    },
    calendar::{Cycle, Date, Period, Zone},
    id::{AccountId, CreditNoteId, DEFAULT_TENANT, DeckId, InvoiceId, PaymentId, PlanId, RefundId},
    money::{Currency, Decimal, Money, Rounding},
};
use std::collections::BTreeMap;

mod invoices;
use invoices::{credit_notes, invoices, numbers};

const ACCOUNT: AccountId = AccountId(uuid(20));
const PLAN: PlanId = PlanId(uuid(21));
const INVOICE: InvoiceId = InvoiceId(uuid(22));
const CREDIT_NOTE: CreditNoteId = CreditNoteId(uuid(23));
const PAYMENT: PaymentId = PaymentId(uuid(24));
const REFUND: RefundId = RefundId(uuid(26));
const DECK: DeckVersionId = DeckVersionId {
    deck: DeckId(uuid(25)),
    version: 2,
};

/// Every event of every aggregate of billing.
pub(crate) fn all() -> Vec<Event> {
    let usage_id = UsageId {
        account: ACCOUNT,
        period: period(),
    };
    let mut all = vec![];
    all.extend(sellers().map(|event| Event::Seller(DEFAULT_TENANT, event)));
    all.extend(
        accounts()
            .into_iter()
            .map(|event| Event::Account(ACCOUNT, event)),
    );
    all.extend(
        ledgers()
            .into_iter()
            .map(|event| Event::Account(ACCOUNT, event)),
    );
    all.extend(plans().map(|event| Event::Plan(PLAN, event)));
    all.extend(decks().map(|event| Event::Deck(DECK, event)));
    all.extend(ratings().map(|event| Event::Rating(CALL, event)));
    all.extend(usages().map(|event| Event::Usage(usage_id, event)));
    all.extend(
        invoices()
            .into_iter()
            .map(|event| Event::Invoice(INVOICE, event)),
    );
    all.extend(credit_notes().map(|event| Event::CreditNote(CREDIT_NOTE, event)));
    all.extend(numbers().map(|event| Event::Series(series_of(DocumentKind::Invoice), event)));
    all
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn period() -> Period {
    "2026-10".parse().unwrap()
}

fn berlin() -> Zone {
    "Europe/Berlin".parse().unwrap()
}

fn series_of(document: DocumentKind) -> SeriesId {
    SeriesId {
        tenant: DEFAULT_TENANT,
        document,
        year: 0,
    }
}

fn fees() -> Vec<Billed> {
    vec![Billed {
        plan: PLAN,
        from: date("2026-11-01"),
        to: date("2026-12-01"),
        fee: None,
        taxed: None,
    }]
}

fn tariff() -> Tariff {
    Tariff {
        rate: decimal("0.006"),
        first_increment_s: 30,
        next_increment_s: 6,
        connection_fee: decimal("0.01"),
        minimum_charge: decimal("0.02"),
        grace_s: 2,
    }
}

fn sellers() -> impl Iterator<Item = seller::Event> {
    let rate = TaxRate {
        country: "DE".into(),
        category: TaxCategory::Standard,
        percent: decimal("19"),
        from: date("2021-01-01"),
        to: Some(date("2030-01-01")),
    };
    [seller::Event::Configured {
        config_version: 1,
        config: Box::new(seller::Config {
            name: "Example Telecom GmbH".into(),
            address: vec!["Example Street 1".into(), "10115 Berlin".into()],
            country: "DE".into(),
            tax_id: "DE123456789".into(),
            payment_lines: vec!["IBAN DE00 0000 0000 0000 0000 00".into()],
            tax_rates: vec![rate],
            invoice_prefix: "INV-".into(),
            credit_note_prefix: "CN-".into(),
            is_yearly_series: true,
            due_days: 14,
            dunning: seller::Dunning {
                reminder_days: vec![7, 14],
                suspend_days: Some(30),
            },
            slice_s: 60,
            emergency_numbers: vec!["112".into()],
            is_approval_required: false,
        }),
    }]
    .into_iter()
}

fn profile() -> account::Profile {
    account::Profile {
        currency: Currency::EUR,
        zone: berlin(),
        country: "DE".into(),
        calling_code: "49".into(),
        tax_id: Some("DE987654321".into()),
        holder: Some(sealed()),
        payment_mode: account::PaymentMode::Prepaid,
        is_auto_pay: true,
        owned: account::Owned {
            numbers: vec![account::OwnedNumber {
                number: "+4930123".into(),
                is_toll_free: true,
            }],
            queues: vec![QUEUE],
            agents: vec![AGENT],
            trunks: vec![TRUNK],
        },
    }
}

fn accounts() -> Vec<account::Event> {
    vec![
        account::Event::Opened {
            name: "acme".into(),
            profile: profile(),
        },
        account::Event::Configured {
            config_version: 2,
            profile: profile(),
        },
        account::Event::CreditLimitSet {
            limit: Some(decimal("100")),
        },
        account::Event::PlanSubscribed {
            plan: PLAN,
            effective: date("2026-10-01"),
        },
        account::Event::PlanChanged {
            plan: PLAN,
            effective: date("2026-11-15"),
        },
        account::Event::CreditReserved {
            call: CALL,
            amount: decimal("0.12"),
            until: Some(UNTIL),
        },
        account::Event::CreditReleased { call: CALL },
        account::Event::UsageCommitted {
            call: CALL,
            revision: 1,
            period: period(),
            amount: decimal("0.0238"),
            is_use: false,
            is_in_period: false,
            record: None,
        },
        account::Event::Suspended {
            reason: account::SuspendReason::OverLimit,
        },
        account::Event::Reactivated {},
        account::Event::Closed {},
    ]
}

fn ledgers() -> Vec<account::Event> {
    let allocation = || account::Allocation {
        invoice: INVOICE,
        amount: decimal("10"),
    };
    let amount = Money::new(decimal("12.5"), Currency::EUR);
    vec![
        account::Event::InvoiceBegun { period: period() },
        account::Event::InvoiceDropped { period: period() },
        account::Event::ChargePosted {
            invoice: INVOICE,
            number: "INV-00000001".into(),
            period: period(),
            amount: decimal("11.9"),
            due_at: UNTIL,
            fees: fees(),
        },
        account::Event::CreditApplied {
            allocation: allocation(),
        },
        account::Event::CreditTakenBack {
            allocation: allocation(),
        },
        account::Event::CreditNoteSettled {
            allocation: allocation(),
        },
        account::Event::CreditNotePosted {
            credit_note: CREDIT_NOTE,
            invoice: INVOICE,
            amount: decimal("11.9"),
            settled: decimal("1.9"),
            of_written_off: Decimal::ZERO,
        },
        account::Event::DebtWrittenOff {
            invoice: INVOICE,
            amount: decimal("1.9"),
            reason: None,
        },
        account::Event::DebitWrittenOff {
            amount: decimal("1.9"),
            reason: "insolvent".into(),
        },
        account::Event::PaymentApplied {
            payment: PAYMENT,
            amount,
            method: account::PaymentMethod::BankTransfer,
            reference: "INV-00000001".into(),
            allocations: vec![allocation()],
            credit: decimal("2.5"),
        },
        account::Event::PaymentReversed {
            payment: PAYMENT,
            amount,
            allocations: vec![allocation()],
            credit: decimal("2.5"),
            reason: "returned by the bank".into(),
        },
        account::Event::CreditRefunded {
            refund: REFUND,
            amount,
            method: account::PaymentMethod::BankTransfer,
            reference: "REF-1".into(),
        },
    ]
}

fn plans() -> impl Iterator<Item = plan::Event> {
    let term = |price| plan::Term {
        price,
        included: 6_000,
        minimum_charge: decimal("1"),
        tax_category: None,
    };
    let tiers = vec![
        plan::Tier {
            up_to: Some(60_000),
            rate: decimal("0.02"),
        },
        plan::Tier {
            up_to: None,
            rate: decimal("0.01"),
        },
    ];
    let config = plan::Config {
        currency: Currency::EUR,
        cycle: Cycle::Monthly,
        recurring_fee: decimal("9.99"),
        is_tax_inclusive: true,
        tax_category: TaxCategory::Standard,
        rounding: Rounding::HalfEven,
        terms: BTreeMap::from([
            (UsageType::InboundMinutes, term(plan::Price::Flat(tariff()))),
            (
                UsageType::OutboundMinutes,
                term(plan::Price::Deck(DECK.deck)),
            ),
            (UsageType::TollFreeMinutes, term(plan::Price::Tiers(tiers))),
        ]),
    };
    [
        plan::Event::Created {
            name: "basic".into(),
            config: config.clone(),
        },
        plan::Event::Configured {
            config_version: 2,
            config,
        },
    ]
    .into_iter()
}

fn decks() -> impl Iterator<Item = deck::Event> {
    [
        deck::Event::Opened {
            header: deck::Header {
                name: "europe".into(),
                currency: Currency::EUR,
                zone: berlin(),
                rounding: Rounding::HalfUp,
                bands: vec![deck::Band {
                    name: "night".into(),
                    weekdays: vec![5, 6],
                    from_minute: 0,
                    to_minute: 1_440,
                }],
            },
        },
        deck::Event::RowsAdded {
            first_row: 1,
            rows: vec![deck::Row {
                prefix: "262692".into(),
                description: "Réunion, mobile".into(),
                tariff: tariff(),
                effective_from: Some(AT),
                effective_to: Some(UNTIL),
                band: Some("night".into()),
            }],
        },
        deck::Event::Published {
            rows_count: 1,
            hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
        },
        deck::Event::Retired {},
    ]
    .into_iter()
}

fn record() -> usage::Record {
    usage::Record {
        cdr: CALL,
        revision: 1,
        leg: AGENT_LEG,
        usage_type: UsageType::OutboundMinutes,
        answered_at: AT,
        ended_at: UNTIL,
        quantity: 30,
        tariff: tariff(),
        amount: decimal("0.02"),
        currency: Currency::EUR,
        plan: PLAN,
        plan_version: 2,
        matched: Some(usage::MatchedRow {
            deck: DECK,
            row: 1,
            prefix: "262692".into(),
            description: "Réunion, mobile".into(),
        }),
        of_period: Some(period()),
        counted: None,
        rounding: None,
    }
}

fn bill() -> Box<rating::Bill> {
    Box::new(rating::Bill {
        account: ACCOUNT,
        period: period(),
        records: vec![record()],
        commits: Some(decimal("0.0238")),
        own: None,
    })
}

fn ratings() -> impl Iterator<Item = rating::Event> {
    [
        rating::Event::Started {
            account: ACCOUNT,
            amount: decimal("0.12"),
            seconds: 60,
        },
        rating::Event::Extended {
            account: ACCOUNT,
            amount: decimal("0.24"),
            seconds: 120,
        },
        rating::Event::Exhausted {
            account: ACCOUNT,
            until: UNTIL,
        },
        rating::Event::Rated {
            revision: 2,
            bill: bill(),
            replaces: Some(bill()),
            reason: Some("wrong deck".into()),
        },
        rating::Event::Restored {
            revision: 3,
            bill: bill(),
            withdrawn: bill(),
            between: None,
        },
        rating::Event::Dismissed {
            unrated: rating::UnratedReason::NoNumber,
            reason: "a test call".into(),
        },
        rating::Event::Unrated {
            account: Some(ACCOUNT),
            reason: rating::UnratedReason::NoMatch,
        },
    ]
    .into_iter()
}

fn usages() -> impl Iterator<Item = usage::Event> {
    [
        usage::Event::Recorded { record: record() },
        usage::Event::Reversed {
            record: record(),
            reason: "wrong deck".into(),
        },
        usage::Event::Adjusted {
            record: record(),
            reason: "wrong deck".into(),
        },
        usage::Event::Valued {
            cdr: CALL,
            revision: 2,
            amount: decimal("-0.0119"),
            sums: None,
        },
        usage::Event::PeriodClosed {
            totals: vec![Total {
                usage_type: UsageType::OutboundMinutes,
                count: 1,
                quantity: 30,
                included: 10,
                rated: decimal("0.02"),
                due: decimal("0.02"),
                volume_rate: None,
                made: None,
                of: None,
            }],
            records_count: 1,
            rated: decimal("0.02"),
        },
        usage::Event::Reopened {},
    ]
    .into_iter()
}
