//! Credit is paid out, once, and never more than is free of it.

use super::*;
use crate::id::RefundId;

const REFUND: RefundId = RefundId(Uuid::from_u128(80));

fn refund(amount: &str) -> Command {
    Command::RefundCredit {
        refund: REFUND,
        amount: Money::new(decimal(amount), Currency::EUR),
        method: PaymentMethod::BankTransfer,
        reference: "out".into(),
    }
}

fn refunded(amount: &str) -> Event {
    Event::CreditRefunded {
        refund: REFUND,
        amount: Money::new(decimal(amount), Currency::EUR),
        method: PaymentMethod::BankTransfer,
        reference: "out".into(),
    }
}

fn too_large(most: &str) -> Error {
    Error::RefundTooLarge {
        most: decimal(most),
    }
}

#[test]
fn credit_is_paid_out_once() {
    let after = story([opened(PaymentMode::Postpaid), paid("5", &[], "5")])
        .when(refund("5.01"))
        .refused(too_large("5"))
        .when(refund("4"))
        .then([refunded("4")])
        .when(refund("4"))
        .then([]);
    assert_eq!(after.state().credit, decimal("1"));
}

#[test]
fn what_something_has_a_claim_on_is_not_paid_out() {
    let reserve = Command::ReserveCredit {
        call: OTHER_CALL,
        amount: decimal("2"),
        until: None,
    };
    let reserved = Event::CreditReserved {
        call: OTHER_CALL,
        amount: decimal("2"),
        until: None,
    };
    story([
        opened(PaymentMode::Prepaid),
        paid("10", &[], "10"),
        committed(CALL, 1, "3"),
    ])
    .when(reserve)
    .then([reserved])
    .when(refund("5.01"))
    .refused(too_large("5"))
    .when(refund("5"))
    .then([refunded("5")]);
}

#[test]
fn a_payment_that_bounces_after_it_was_paid_out_is_owed() {
    let reverse = Command::ReversePayment {
        payment: PAYMENT,
        reason: "bounced".into(),
    };
    let reversed = Event::PaymentReversed {
        payment: PAYMENT,
        amount: Money::new(decimal("5"), Currency::EUR),
        allocations: vec![],
        credit: decimal("5"),
        reason: "bounced".into(),
    };
    let after = story([opened(PaymentMode::Postpaid), paid("5", &[], "5")])
        .when(refund("5"))
        .then([refunded("5")])
        .when(reverse)
        .then([reversed]);
    assert_eq!(after.state().balance(), decimal("-5"));
    assert_eq!(after.state().refundable(), Decimal::ZERO);
}

#[test]
fn what_is_no_refund_is_named() {
    let with = |amount: &str, currency, reference: &str| Command::RefundCredit {
        refund: REFUND,
        amount: Money::new(decimal(amount), currency),
        method: PaymentMethod::Other,
        reference: reference.into(),
    };
    let expected = Currency::EUR;
    story([opened(PaymentMode::Postpaid), paid("5", &[], "5")])
        .when(with("0", Currency::EUR, "out"))
        .refused(Error::InvalidAmount)
        .when(with("0.001", Currency::EUR, "out"))
        .refused(Error::InvalidAmount)
        .when(with("1", Currency::USD, "out"))
        .refused(Error::OtherCurrency { expected })
        .when(with("1", Currency::EUR, " "))
        .refused(Error::NoReference);
}
