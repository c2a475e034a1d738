//! Some money for the day: an account with an invoice that is paid in part and credited in
//! part, and what was used since, as the processes of billing would ask for it.

use domain::{
    any::{AnyCommand, AnyEvent},
    billing::{
        Command, DocumentKind, Event, Line, LineKind, SeriesId, UsageId, UsageType,
        account::{self, Owned, PaymentMethod, PaymentMode, Profile},
        credit_note,
        invoice::{self, CustomerBlock, Head, SellerBlock, Source},
        series,
        tariff::Tariff,
        tax::TaxCategory,
        usage,
    },
    calendar::Zone,
    id::{AccountId, CreditNoteId, DEFAULT_TENANT, InvoiceId, LegId, PaymentId, PlanId},
    money::{Currency, Decimal, Money, Rounding},
};
use ringledger_tests::office::Office;
use uuid::Uuid;

const NUMBER: &str = "INV-00000001";

fn profile() -> Profile {
    Profile {
        currency: Currency::EUR,
        zone: Zone::UTC,
        country: "DE".into(),
        calling_code: "49".into(),
        tax_id: None,
        holder: None,
        payment_mode: PaymentMode::Postpaid,
        is_auto_pay: false,
        owned: Owned::default(),
    }
}

const fn series_of(document: DocumentKind) -> SeriesId {
    SeriesId {
        tenant: DEFAULT_TENANT,
        document,
        year: 0,
    }
}

fn head(usage: UsageId) -> Head {
    Head {
        account: usage.account,
        period: usage.period,
        currency: Currency::EUR,
        zone: Zone::UTC,
        is_tax_inclusive: false,
        rounding: Rounding::HalfEven,
        seller: SellerBlock {
            name: "Seller".into(),
            address: vec!["1 Road".into()],
            country: "DE".into(),
            tax_id: "DE999999999".into(),
            payment_lines: vec![],
        },
        customer: CustomerBlock {
            name: "muster".into(),
            holder: None,
            country: "DE".into(),
            tax_id: None,
        },
        texts: vec![],
        series: series_of(DocumentKind::Invoice),
        number_prefix: "INV-".into(),
        credit_note_series: series_of(DocumentKind::CreditNote),
        credit_note_prefix: "CN-".into(),
        due_days: 14,
        reminder_days: vec![7],
        suspend_days: None,
        fees: vec![],
        is_approved: true,
        is_prepaid: false,
    }
}

fn line() -> Line {
    Line {
        kind: LineKind::Adjustment,
        description: "A thing".into(),
        quantity: Decimal::whole(1),
        unit: String::new(),
        unit_price: None,
        tax_category: TaxCategory::Standard,
        tax_percent: Decimal::whole(19),
        exact: Decimal::whole(100),
        amount: Decimal::ZERO,
        is_tax_inclusive: None,
        net: Decimal::ZERO,
        tax: Decimal::ZERO,
    }
}

async fn tell(office: &Office, command: Command) {
    let command = AnyCommand::Billing(Box::new(command));
    office.dispatch(command).await.unwrap();
}

/// A use of that month that costs three euros.
fn use_of(usage: UsageId) -> Command {
    let ended_at = Zone::UTC.start_of(usage.period.start());
    let amount = Decimal::whole(3);
    let record = usage::Record {
        cdr: usage.counted("a"),
        revision: 1,
        leg: LegId(Uuid::nil()),
        usage_type: UsageType::Custom,
        answered_at: ended_at,
        ended_at,
        quantity: 1,
        tariff: Tariff::flat(amount),
        amount,
        currency: Currency::EUR,
        plan: PlanId(Uuid::nil()),
        plan_version: 1,
        matched: None,
        of_period: None,
        counted: None,
        rounding: None,
    };
    let count = usage::Command::Count {
        record: Box::new(record),
        is_charged: false,
    };
    Command::Usage(usage, count)
}

/// The account owes 119, pays 50, is credited 11.90, and uses something.
pub(crate) async fn some_money(office: &Office) {
    let account = AccountId::named(DEFAULT_TENANT, "muster");
    let month = |name: &str| UsageId {
        account,
        period: name.parse().unwrap(),
    };
    let billed = month("2026-10");
    let id = InvoiceId(office.id());
    let of_account = |command| Command::Account(account, command);
    let of_invoice = |command| Command::Invoice(id, command);
    let amount = Decimal::whole(50);
    let payment = PaymentId(office.id());
    let commands = [
        of_account(account::Command::Open {
            name: "muster".into(),
            profile: profile(),
        }),
        of_invoice(invoice::Command::Draft {
            head: Box::new(head(billed)),
            lines: vec![line()],
        }),
        Command::Series(
            series_of(DocumentKind::Invoice),
            series::Command::Issue {
                document: domain::billing::Document::Invoice(id),
                prefix: "INV-".into(),
            },
        ),
        of_invoice(invoice::Command::Issue {
            number: NUMBER.into(),
        }),
        of_account(account::Command::PostInvoice {
            invoice: id,
            number: NUMBER.into(),
            period: billed.period,
            amount: Decimal::whole(119),
            due_at: Zone::UTC.start_of(billed.period.end()),
            fees: vec![],
        }),
        of_account(account::Command::ApplyPayment {
            payment,
            amount: Money {
                amount,
                currency: Currency::EUR,
            },
            method: PaymentMethod::BankTransfer,
            reference: "at last".into(),
            invoice: None,
        }),
        of_invoice(invoice::Command::RecordPayment {
            source: Source::Payment(payment),
            amount,
        }),
    ];
    for command in commands {
        tell(office, command).await;
    }
    credited(office, account, id).await;
    tell(office, use_of(month("2026-11"))).await;
}

async fn credited(office: &Office, account: AccountId, id: InvoiceId) {
    let credit_note = CreditNoteId(office.id());
    let amount = Decimal::of_units(1190, 2);
    let credit = invoice::Command::Credit {
        credit_note,
        amount: Some(amount),
        reason: "too dear".into(),
    };
    tell(office, Command::Invoice(id, credit)).await;
    let history = office.history().await;
    let document = history.iter().find_map(|entry| {
        let AnyEvent::Billing(Event::Invoice(_, invoice::Event::Credited { document, .. })) =
            &entry.fact.event
        else {
            return None;
        };
        Some(document.clone())
    });
    let draft = credit_note::Command::Draft {
        document: document.unwrap(),
    };
    tell(office, Command::CreditNote(credit_note, draft)).await;
    let issue = credit_note::Command::Issue {
        number: "CN-00000001".into(),
    };
    tell(office, Command::CreditNote(credit_note, issue)).await;
    let post = account::Command::PostCreditNote {
        credit_note,
        invoice: id,
        amount,
    };
    tell(office, Command::Account(account, post)).await;
}
