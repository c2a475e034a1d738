//! An invoice adds up, is issued once and never changes.

mod days;

use super::*;
use crate::{
    billing::{Line, LineKind, Totals, tax::TaxCategory},
    id::{AccountId, CreditNoteId, PaymentId},
    money::{Decimal, Rounding},
    testing::{Given, given, invoice_head, second},
    time::Timestamp,
};
use proptest::prelude::*;
use uuid::Uuid;

const CREDIT_NOTE: CreditNoteId = CreditNoteId(Uuid::from_u128(5));
const SOURCE: Source = Source::Payment(PaymentId(Uuid::from_u128(6)));

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn head(is_tax_inclusive: bool) -> Box<Head> {
    let period = "2026-10".parse().unwrap();
    Box::new(Head {
        is_tax_inclusive,
        suspend_days: Some(30),
        ..invoice_head(AccountId(Uuid::from_u128(1)), period)
    })
}

fn line(exact: &str, percent: &str) -> Line {
    Line {
        kind: LineKind::Adjustment,
        description: "something".into(),
        quantity: Decimal::whole(1),
        unit: String::new(),
        unit_price: None,
        tax_category: TaxCategory::Standard,
        tax_percent: decimal(percent),
        exact: decimal(exact),
        amount: Decimal::ZERO,
        is_tax_inclusive: None,
        net: Decimal::ZERO,
        tax: Decimal::ZERO,
    }
}

fn draft(lines: Vec<Line>) -> Command {
    Command::Draft {
        head: head(false),
        lines,
    }
}

fn play(commands: impl IntoIterator<Item = (u64, Command)>) -> Invoice {
    let mut invoice = Invoice::default();
    for (seconds, command) in commands {
        let at = second(seconds);
        for event in Invoice::decide(&invoice, at, command).unwrap() {
            invoice = Invoice::evolve(invoice, at, &event);
        }
    }
    invoice
}

fn issue() -> Command {
    Command::Issue {
        number: "INV-00000001".into(),
    }
}

/// Net 100 and 19 tax, issued at second 1.
fn issued() -> Given<Invoice> {
    let mut events = vec![];
    let mut invoice = Invoice::default();
    for command in [draft(vec![line("100", "19")]), issue()] {
        for event in Invoice::decide(&invoice, second(1), command).unwrap() {
            invoice = Invoice::evolve(invoice, second(1), &event);
            events.push(event);
        }
    }
    given::<Invoice>(events)
}

fn pay(amount: &str) -> Command {
    Command::RecordPayment {
        source: SOURCE,
        amount: decimal(amount),
    }
}

#[test]
fn tax_is_on_the_sum_of_a_rate_and_the_lines_add_up_to_it() {
    // 3 x 0.33 at 19 %: 0.0627 each; on the sum 0.1881, that is 0.19.
    let lines = vec![
        line("0.33", "19"),
        line("0.33", "19"),
        line("0.33", "19"),
        line("1", "7"),
    ];
    let invoice = play([(0, draft(lines))]);
    let taxes: Vec<Decimal> = invoice.lines.iter().map(|line| line.tax).collect();
    assert_eq!(
        taxes,
        [
            decimal("0.07"),
            decimal("0.06"),
            decimal("0.06"),
            decimal("0.07")
        ]
    );
    let totals = Totals {
        net: decimal("1.99"),
        tax: decimal("0.26"),
        total: decimal("2.25"),
    };
    assert_eq!(invoice.totals, totals);
}

#[test]
fn tax_is_taken_out_of_prices_that_include_it() {
    let command = Command::Draft {
        head: head(true),
        lines: vec![line("119", "19"), line("0", "19")],
    };
    let totals = Totals {
        net: decimal("100"),
        tax: decimal("19"),
        total: decimal("119"),
    };
    assert_eq!(play([(0, command)]).totals, totals);
}

#[test]
fn a_line_is_rounded_once_and_keeps_what_it_was() {
    let invoice = play([(0, draft(vec![line("0.125", "0"), line("0.135", "0")]))]);
    let amounts: Vec<Decimal> = invoice.lines.iter().map(|line| line.amount).collect();
    assert_eq!(amounts, [decimal("0.12"), decimal("0.14")]);
    assert_eq!(invoice.lines[0].exact, decimal("0.125"));
}

#[test]
fn an_invoice_is_due_at_the_end_of_its_last_day_there() {
    let invoice = play([(0, draft(vec![line("1", "19")])), (1, issue())]);
    // Issued on 2027-01-15 in Berlin; due on the 29th, which ends at 23:00 UTC.
    let due: Timestamp = serde_json::from_str("\"2027-01-29T23:00:00Z\"").unwrap();
    assert_eq!(invoice.due_at, Some(due));
    assert_eq!(invoice.number.as_deref(), Some("INV-00000001"));
}

#[test]
fn an_issued_invoice_never_changes() {
    issued()
        .when(draft(vec![line("1", "0")]))
        .nothing()
        .when(Command::AddAdjustment {
            line: line("1", "0"),
            text: None,
        })
        .refused(Error::Immutable)
        .when(issue())
        .nothing()
        .when(Command::Issue {
            number: "INV-00000002".into(),
        })
        .refused(Error::Immutable)
        .when(Command::Approve)
        .nothing();
}

#[test]
fn a_draft_takes_a_line_and_is_issued_only_when_it_is_approved() {
    let unapproved = Command::Draft {
        head: Box::new(Head {
            is_approved: false,
            ..*head(false)
        }),
        lines: vec![line("1", "19")],
    };
    let draft = play([(0, unapproved)]);
    assert_eq!(
        Invoice::decide(&draft, second(1), issue()),
        Err(Error::NotApproved)
    );
    let added = Command::AddAdjustment {
        line: line("-0.5", "19"),
        text: None,
    };
    let events = Invoice::decide(&draft, second(1), added).unwrap();
    let draft = Invoice::evolve(draft, second(1), &events[0]);
    assert_eq!(draft.totals.total, decimal("0.6"));
    // What its tax demands to be written is on the document, once.
    let mut draft = draft;
    for _ in 0..2 {
        let free = Command::AddAdjustment {
            line: line("1", "0"),
            text: Some("Zero rate".into()),
        };
        for event in Invoice::decide(&draft, second(1), free).unwrap() {
            draft = Invoice::evolve(draft, second(1), &event);
        }
    }
    let texts = draft.head.as_ref().map(|head| head.texts.clone());
    assert_eq!(texts, Some(vec!["Zero rate".to_owned()]));
    let nameless = Command::AddAdjustment {
        line: Line {
            description: " ".into(),
            ..line("1", "0")
        },
        text: None,
    };
    assert_eq!(
        Invoice::decide(&draft, second(1), nameless),
        Err(Error::NoDescription)
    );
}

#[test]
fn a_draft_that_is_discarded_is_followed_by_another_one_and_an_issued_invoice_never_is() {
    let unapproved = |net: &str| Command::Draft {
        head: Box::new(Head {
            is_approved: false,
            ..*head(false)
        }),
        lines: vec![line(net, "19")],
    };
    let discard = |reason: &str| Command::Discard {
        reason: reason.into(),
    };
    let drafted = given::<Invoice>([]).when(unapproved("1")).events();
    let discarded = given::<Invoice>(drafted)
        .when(discard(" "))
        .refused(Error::NoReason)
        .when(discard("wrong price"))
        .then([Event::Discarded {
            account: head(false).account,
            period: head(false).period,
            reason: "wrong price".into(),
        }])
        .when(discard("once more"))
        .nothing()
        .when(Command::Approve)
        .refused(Error::Unknown)
        .when(issue())
        .refused(Error::NotApproved);
    let next = discarded.when(unapproved("2")).events();
    let next = next.iter().fold(Invoice::default(), |state, event| {
        Invoice::evolve(state, second(1), event)
    });
    assert_eq!(next.phase, Phase::Draft);
    assert_eq!(next.totals.net, decimal("2"));
    issued().when(discard("late")).refused(Error::NoDraft);
    given::<Invoice>([])
        .when(discard("none"))
        .refused(Error::Unknown);
}

#[test]
fn an_invoice_without_lines_is_none() {
    given::<Invoice>([])
        .when(draft(vec![]))
        .refused(Error::Empty);
}

#[test]
fn it_is_paid_when_nothing_is_left() {
    issued()
        .when(pay("100"))
        .then([Event::PaymentRecorded {
            source: SOURCE,
            amount: decimal("100"),
            left: decimal("19"),
        }])
        .when(pay("100"))
        .nothing()
        .when(Command::RecordPayment {
            source: Source::Credit,
            amount: decimal("19"),
        })
        .then([
            Event::PaymentRecorded {
                source: Source::Credit,
                amount: decimal("19"),
                left: Decimal::ZERO,
            },
            Event::Paid {},
        ]);
}

#[test]
fn what_costs_nothing_is_paid_when_it_is_issued() {
    let invoice = play([(0, draft(vec![line("0", "19")]))]);
    let events = Invoice::decide(&invoice, second(1), issue()).unwrap();
    assert_eq!(events.last(), Some(&Event::Paid {}));
}

#[test]
fn each_step_of_dunning_is_taken_once_and_in_time() {
    let invoice = play([(0, draft(vec![line("1", "19")])), (1, issue())]);
    let due = invoice.due_at.unwrap();
    let days = |days: u64| due.plus_ms(days * 86_400_000);
    let mark = |at, level, invoice: &Invoice| {
        let mark = Command::MarkOverdue { level };
        Invoice::decide(invoice, at, mark).unwrap()
    };
    let early = Timestamp::from_micros(due.micros() - 1);
    assert_eq!(mark(early, 1, &invoice), []);
    assert_eq!(mark(due, 2, &invoice), []);
    let step = |level, next_at, suspends| Event::Overdue {
        account: AccountId(Uuid::from_u128(1)),
        level,
        next_at,
        suspends,
    };
    let mut invoice = invoice;
    for (at, level, next_at, suspends) in [
        (due, 1, Some(days(7)), false),
        (days(7), 2, Some(days(30)), false),
        (days(30), 3, None, true),
    ] {
        let events = mark(at, level, &invoice);
        assert_eq!(events, [step(level, next_at, suspends)]);
        invoice = Invoice::evolve(invoice, at, &events[0]);
        assert_eq!(mark(at, level, &invoice), []);
    }
    assert_eq!(mark(days(99), 4, &invoice), []);

    // It is paid, and the bank takes that back: the last step is taken again.
    for event in Invoice::decide(&invoice, days(99), pay("1.19")).unwrap() {
        invoice = Invoice::evolve(invoice, days(99), &event);
    }
    let back = Command::ReversePayment {
        source: SOURCE,
        amount: decimal("1.19"),
    };
    let reversed = Invoice::decide(&invoice, days(100), back).unwrap();
    assert!(
        matches!(
            &reversed[..],
            [Event::PaymentReversed { next_at, next_level: 3, .. }] if *next_at == Some(days(30))
        ),
        "{reversed:?}"
    );
    invoice = Invoice::evolve(invoice, days(100), &reversed[0]);
    assert_eq!(mark(days(100), 3, &invoice), [step(3, None, true)]);
}

#[test]
fn a_paid_invoice_is_never_overdue() {
    let invoice = play([
        (0, draft(vec![line("1", "0")])),
        (1, issue()),
        (2, pay("1")),
    ]);
    let at = invoice.due_at.unwrap();
    let mark = Command::MarkOverdue { level: 1 };
    assert_eq!(Invoice::decide(&invoice, at, mark), Ok(vec![]));
}

fn credit(amount: Option<&str>) -> Command {
    Command::Credit {
        credit_note: CREDIT_NOTE,
        amount: amount.map(decimal),
        reason: "wrong".into(),
    }
}

#[test]
fn a_credit_note_takes_back_all_or_a_part_and_never_more() {
    let whole = issued().when(credit(None)).events();
    let [Event::Credited { document, left, .. }] = &whole[..] else {
        unreachable!("{whole:?}")
    };
    assert_eq!(
        (document.totals.total, *left),
        (decimal("119"), Decimal::ZERO)
    );
    let part = issued().when(credit(Some("11.90"))).events();
    let [Event::Credited { document, left, .. }] = &part[..] else {
        unreachable!("{part:?}")
    };
    assert_eq!(document.totals.net, decimal("10"));
    assert_eq!(document.totals.tax, decimal("1.9"));
    assert_eq!(*left, decimal("107.1"));
    for amount in ["0", "-1", "119.01", "1.001"] {
        let most = decimal("119");
        issued()
            .when(credit(Some(amount)))
            .refused(Error::InvalidCredit { most });
    }
    issued()
        .when(Command::Credit {
            credit_note: CREDIT_NOTE,
            amount: None,
            reason: String::new(),
        })
        .refused(Error::NoReason);
}

#[test]
fn a_credit_note_counts_once() {
    let mut story = issued().when(credit(Some("19"))).events();
    let mut events = vec![];
    let mut invoice = issued().state().clone();
    events.append(&mut story);
    for event in &events {
        invoice = Invoice::evolve(invoice, second(2), event);
    }
    assert_eq!(
        Invoice::decide(&invoice, second(3), credit(Some("19"))),
        Ok(vec![])
    );
    assert_eq!(invoice.credited, decimal("19"));
}

proptest! {
    /// Whatever the lines, rates and rounding: lines and taxes add up to the
    /// totals, and every partial credit note does too.
    #[test]
    fn documents_add_up(
        lines in prop::collection::vec((-1_000_000_i64..100_000_000, 0_usize..3, any::<Option<bool>>()), 1..40),
        is_inclusive: bool, share in 1_i64..100,
    ) {
        let lines: Vec<Line> = lines
            .iter()
            .map(|(exact, rate, is_tax_inclusive)| Line {
                exact: Decimal::of_units(*exact, 6),
                is_tax_inclusive: *is_tax_inclusive,
                ..line("0", ["0", "7", "19.5"][*rate])
            })
            .collect();
        let command = Command::Draft { head: head(is_inclusive), lines };
        let invoice = play([(0, command), (1, issue())]);
        for line in &invoice.lines {
            // A price with tax is what is paid, one without is what the tax is on.
            let is_with = line.is_tax_inclusive.unwrap_or(is_inclusive);
            prop_assert_eq!(line.amount, if is_with { line.net + line.tax } else { line.net });
            prop_assert_eq!(line.shown(is_inclusive), if is_inclusive { line.net + line.tax } else { line.net });
        }
        let sum = |of: fn(&Line) -> Decimal| invoice.lines.iter().map(of).sum::<Decimal>();
        prop_assert_eq!(sum(|line| line.net), invoice.totals.net);
        prop_assert_eq!(sum(|line| line.tax), invoice.totals.tax);
        prop_assert_eq!(invoice.totals.net + invoice.totals.tax, invoice.totals.total);
        let part = invoice.totals.total.share(i128::from(share), 100, 2, Rounding::HalfEven);
        if part > Decimal::ZERO {
            let command = Command::Credit { credit_note: CREDIT_NOTE, amount: Some(part), reason: "wrong".into() };
            let events = Invoice::decide(&invoice, second(2), command).unwrap();
            let [Event::Credited { document, .. }] = &events[..] else { unreachable!("one event") };
            prop_assert_eq!(document.totals.total, part);
            prop_assert_eq!(document.lines.iter().map(|line| line.net + line.tax).sum::<Decimal>(), part);
        }
    }

    /// In however many parts an invoice is taken back: of each tax rate, its credit
    /// notes have what it had.
    #[test]
    fn parts_of_an_invoice_that_are_taken_back_are_all_of_it(
        amounts in prop::collection::vec((0_i64..10_000, 0_usize..3), 1..8),
        is_inclusive: bool, parts in prop::collection::vec(1_i64..100, 0..8),
    ) {
        let lines: Vec<Line> = amounts
            .iter()
            .map(|(cents, rate)| Line { exact: Decimal::of_units(*cents, 2), ..line("0", ["0", "7", "19.5"][*rate]) })
            .collect();
        let command = Command::Draft { head: head(is_inclusive), lines };
        let mut invoice = play([(0, command), (1, issue())]);
        let rest = parts.iter().map(|share| Some(*share)).chain([None]);
        for (number, share) in (1..).zip(rest) {
            let left = invoice.totals.total - invoice.credited;
            let amount = share.map(|share| left.share(i128::from(share), 100, 2, Rounding::HalfEven));
            if left.is_zero() || amount.is_some_and(Decimal::is_zero) {
                continue;
            }
            let credit_note = CreditNoteId(Uuid::from_u128(number));
            let command = Command::Credit { credit_note, amount, reason: "wrong".into() };
            for event in Invoice::decide(&invoice, second(2), command).unwrap() {
                if let Event::Credited { document, .. } = &event {
                    prop_assert_eq!(document.totals.total, amount.unwrap_or(left));
                    prop_assert!(document.taxes.iter().all(|tax| !tax.net.is_negative() && !tax.tax.is_negative()));
                }
                invoice = Invoice::evolve(invoice, second(2), &event);
            }
        }
        prop_assert_eq!(invoice.credited, invoice.totals.total);
        prop_assert!(invoice.uncredited().iter().all(|tax| tax.net.is_zero() && tax.tax.is_zero()));
    }
}
