//! Invoices are owed, payments settle them, and nothing is counted twice.

use super::*;

fn two_invoices() -> Given<Account> {
    story([
        opened(PaymentMode::Postpaid),
        owed(INVOICE, "10", 200),
        owed(OTHER_INVOICE, "5", 100),
    ])
}

#[test]
fn an_invoice_is_owed_once() {
    story([opened(PaymentMode::Postpaid)])
        .when(post(INVOICE, "10", 200))
        .then([owed(INVOICE, "10", 200)])
        .when(post(INVOICE, "10", 200))
        .nothing();
}

fn credit_note(number: u128) -> crate::id::CreditNoteId {
    crate::id::CreditNoteId(Uuid::from_u128(number))
}

fn post_credit_note(number: u128, amount: &str) -> Command {
    Command::PostCreditNote {
        credit_note: credit_note(number),
        invoice: INVOICE,
        amount: decimal(amount),
    }
}

fn credit_note_posted(number: u128, amount: &str, settled: &str) -> Event {
    Event::CreditNotePosted {
        credit_note: credit_note(number),
        invoice: INVOICE,
        amount: decimal(amount),
        settled: decimal(settled),
        of_written_off: decimal(settled),
    }
}

/// Of 10, 4 were paid and 6 are given up.
fn given_up() -> [Event; 4] {
    [
        opened(PaymentMode::Postpaid),
        owed(INVOICE, "10", 200),
        paid("4", &[(INVOICE, "4")], "0"),
        Event::DebtWrittenOff {
            invoice: INVOICE,
            amount: decimal("6"),
            reason: None,
        },
    ]
}

/// A credit note over an invoice that was given up gives nothing back: it was not paid.
#[test]
fn what_was_written_off_is_not_given_back() {
    let after = story(given_up())
        .when(post_credit_note(98, "5"))
        .then([credit_note_posted(98, "5", "5")])
        .when(post_credit_note(99, "5"))
        .then([credit_note_posted(99, "5", "1")]);
    assert_eq!(
        after.state().credit,
        decimal("4"),
        "what was paid, and no more"
    );
}

/// What is owed again comes before what was given up.
#[test]
fn a_credit_note_takes_what_a_bank_took_back_before_what_was_written_off() {
    let after = story(given_up())
        .when(Command::ReversePayment {
            payment: PAYMENT,
            reason: "bounced".into(),
        })
        .then([Event::PaymentReversed {
            payment: PAYMENT,
            amount: Money::new(decimal("4"), Currency::EUR),
            allocations: vec![Allocation {
                invoice: INVOICE,
                amount: decimal("4"),
            }],
            credit: Decimal::ZERO,
            reason: "bounced".into(),
        }])
        .when(post_credit_note(98, "7"))
        .then([Event::CreditNotePosted {
            credit_note: credit_note(98),
            invoice: INVOICE,
            amount: decimal("7"),
            settled: decimal("7"),
            of_written_off: decimal("3"),
        }]);
    let state = after.state();
    assert!(state.open.is_empty(), "{:?}", state.open);
    assert_eq!(state.written_off[&INVOICE], decimal("3"));
    assert_eq!(state.credit, Decimal::ZERO);
}

#[test]
fn a_payment_goes_to_the_oldest_due_first() {
    two_invoices().when(pay("7", None)).then([paid(
        "7",
        &[(OTHER_INVOICE, "5"), (INVOICE, "2")],
        "0",
    )]);
}

#[test]
fn a_payment_goes_to_the_invoice_that_it_names_first() {
    two_invoices().when(pay("12", Some(INVOICE))).then([paid(
        "12",
        &[(INVOICE, "10"), (OTHER_INVOICE, "2")],
        "0",
    )]);
}

#[test]
fn what_is_paid_too_much_is_credit_and_pays_the_next_invoice() {
    story([opened(PaymentMode::Postpaid), owed(INVOICE, "10", 200)])
        .when(pay("12.5", Some(INVOICE)))
        .then([paid("12.5", &[(INVOICE, "10")], "2.5")])
        .when(post(OTHER_INVOICE, "4", 300))
        .then([
            owed(OTHER_INVOICE, "4", 300),
            Event::CreditApplied {
                allocation: Allocation {
                    invoice: OTHER_INVOICE,
                    amount: decimal("2.5"),
                },
            },
        ]);
}

/// What was paid ahead went to an invoice; then the bank takes it back.
#[test]
fn credit_that_was_not_there_after_all_is_owed_again() {
    let from_credit = |amount: &str| Allocation {
        invoice: OTHER_INVOICE,
        amount: decimal(amount),
    };
    let paid_ahead = || {
        story([
            opened(PaymentMode::Postpaid),
            owed(INVOICE, "10", 200),
            paid("12.5", &[(INVOICE, "10")], "2.5"),
            owed(OTHER_INVOICE, "2", 300),
            Event::CreditApplied {
                allocation: from_credit("2"),
            },
        ])
    };
    assert!(paid_ahead().state().open.is_empty());
    let reverse = || Command::ReversePayment {
        payment: PAYMENT,
        reason: "bounced".into(),
    };
    let events = paid_ahead().when(reverse()).events();
    let [reversed, taken_back] = &events[..] else {
        unreachable!("{events:?}")
    };
    assert!(matches!(reversed, Event::PaymentReversed { .. }));
    let allocation = from_credit("2");
    assert_eq!(*taken_back, Event::CreditTakenBack { allocation });
    let account = paid_ahead().when(reverse()).then(events);
    let account = account.when(reverse()).nothing();
    let state = account.state();
    assert_eq!((state.credit, state.owed()), (Decimal::ZERO, decimal("12")));
    assert_eq!(state.balance(), decimal("-12"));
}

/// Of three invoices that were paid ahead, the second was given back as credit and has
/// paid the third; then the bank takes the money back.
#[test]
fn what_a_credit_note_has_given_back_is_not_owed_again() {
    const THIRD: InvoiceId = InvoiceId(Uuid::from_u128(99));
    let pays = |invoice| Event::CreditApplied {
        allocation: Allocation {
            invoice,
            amount: decimal("10"),
        },
    };
    let events = story([
        opened(PaymentMode::Postpaid),
        paid("20", &[], "20"),
        owed(INVOICE, "10", 200),
        pays(INVOICE),
        owed(OTHER_INVOICE, "10", 300),
        pays(OTHER_INVOICE),
        Event::CreditNotePosted {
            credit_note: crate::id::CreditNoteId(Uuid::from_u128(98)),
            invoice: OTHER_INVOICE,
            amount: decimal("10"),
            settled: Decimal::ZERO,
            of_written_off: Decimal::ZERO,
        },
        owed(THIRD, "10", 400),
        pays(THIRD),
    ])
    .when(Command::ReversePayment {
        payment: PAYMENT,
        reason: "bounced".into(),
    })
    .events();
    let taken_back = |invoice| Event::CreditTakenBack {
        allocation: Allocation {
            invoice,
            amount: decimal("10"),
        },
    };
    assert_eq!(events.len(), 3, "{events:?}");
    for invoice in [INVOICE, THIRD] {
        assert!(events.contains(&taken_back(invoice)), "{events:?}");
    }
}

#[test]
fn a_payment_counts_once() {
    two_invoices()
        .when(pay("7", None))
        .then([paid("7", &[(OTHER_INVOICE, "5"), (INVOICE, "2")], "0")])
        .when(pay("7", None))
        .nothing();
}

#[test]
fn a_payment_that_can_not_be_is_refused_with_its_field() {
    let settled = || {
        story([
            opened(PaymentMode::Postpaid),
            owed(INVOICE, "10", 200),
            paid("10", &[(INVOICE, "10")], "0"),
        ])
    };
    let other_payment = |invoice| Command::ApplyPayment {
        payment: PaymentId(Uuid::from_u128(77)),
        amount: Money::new(decimal("1"), Currency::EUR),
        method: PaymentMethod::Other,
        reference: String::new(),
        invoice,
    };
    settled()
        .when(other_payment(Some(INVOICE)))
        .refused(Error::AlreadyPaid);
    settled()
        .when(other_payment(Some(OTHER_INVOICE)))
        .refused(Error::UnknownInvoice);
    for amount in ["0", "-1", "1.001"] {
        two_invoices()
            .when(pay(amount, None))
            .refused(Error::InvalidAmount);
    }
    let Command::ApplyPayment {
        payment,
        method,
        reference,
        invoice,
        ..
    } = pay("1", None)
    else {
        unreachable!("pay makes a payment")
    };
    two_invoices()
        .when(Command::ApplyPayment {
            payment,
            amount: Money::new(decimal("1"), Currency::USD),
            method,
            reference,
            invoice,
        })
        .refused(Error::OtherCurrency {
            expected: Currency::EUR,
        });
}

#[test]
fn a_payment_that_is_taken_back_is_owed_again_once() {
    let reverse = || Command::ReversePayment {
        payment: PAYMENT,
        reason: "returned".into(),
    };
    let account = story([opened(PaymentMode::Postpaid), owed(INVOICE, "10", 200)])
        .when(pay("12", None))
        .then([paid("12", &[(INVOICE, "10")], "2")])
        .when(reverse())
        .then([Event::PaymentReversed {
            payment: PAYMENT,
            amount: Money::new(decimal("12"), Currency::EUR),
            allocations: vec![Allocation {
                invoice: INVOICE,
                amount: decimal("10"),
            }],
            credit: decimal("2"),
            reason: "returned".into(),
        }])
        .when(reverse())
        .nothing();
    assert_eq!(account.state().owed(), decimal("10"));
    assert_eq!(account.state().credit, Decimal::ZERO);
    // As before, it is due on its day and not on that of the bank.
    assert_eq!(account.state().open[&INVOICE].due_at, second(200));
    two_invoices()
        .when(reverse())
        .refused(Error::UnknownPayment);
}

#[test]
fn who_was_suspended_for_an_overdue_invoice_comes_back_by_paying_it() {
    story([
        opened(PaymentMode::Postpaid),
        owed(INVOICE, "10", 10),
        Event::Suspended {
            reason: SuspendReason::Overdue,
        },
    ])
    .when(pay("9", None))
    .then([paid("9", &[(INVOICE, "9")], "0")])
    .when(Command::ApplyPayment {
        payment: PaymentId(Uuid::from_u128(77)),
        amount: Money::new(decimal("1"), Currency::EUR),
        method: PaymentMethod::Other,
        reference: String::new(),
        invoice: None,
    })
    .then([
        Event::PaymentApplied {
            payment: PaymentId(Uuid::from_u128(77)),
            amount: Money::new(decimal("1"), Currency::EUR),
            method: PaymentMethod::Other,
            reference: String::new(),
            allocations: vec![Allocation {
                invoice: INVOICE,
                amount: decimal("1"),
            }],
            credit: Decimal::ZERO,
        },
        Event::Reactivated {},
    ]);
}

#[test]
fn a_credit_note_settles_its_invoice_and_the_rest_is_credit() {
    let credit_note = crate::id::CreditNoteId(Uuid::from_u128(8));
    let account = story([
        opened(PaymentMode::Postpaid),
        owed(INVOICE, "10", 200),
        paid("8", &[(INVOICE, "8")], "0"),
    ])
    .when(Command::PostCreditNote {
        credit_note,
        invoice: INVOICE,
        amount: decimal("5"),
    })
    .then([Event::CreditNotePosted {
        credit_note,
        invoice: INVOICE,
        amount: decimal("5"),
        settled: decimal("2"),
        of_written_off: Decimal::ZERO,
    }])
    .when(Command::PostCreditNote {
        credit_note,
        invoice: INVOICE,
        amount: decimal("5"),
    })
    .nothing();
    assert_eq!(account.state().balance(), decimal("3"));
}
