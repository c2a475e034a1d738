//! A line says how its amount comes about: price times quantity is the amount, or it
//! names what else is in it.

use super::*;
use crate::{
    billing::{
        plan::{Price, Term, Tier},
        settle::settle,
        tax::TaxCategory,
        usage::{Record, RecordKey, Usage},
    },
    id::{CallId, LegId},
    testing::{month_of, second},
};
use proptest::prelude::*;
use uuid::Uuid;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// A call of so many seconds by a tariff.
fn call(number: u32, seconds: u64, tariff: &Tariff) -> Record {
    let charge = tariff.charge(Some(seconds * 1_000), Rounding::HalfEven);
    Record {
        cdr: CallId(Uuid::from_u128(number.into())),
        revision: 1,
        leg: LegId(Uuid::nil()),
        usage_type: UsageType::InboundMinutes,
        answered_at: second(0),
        ended_at: second(number.into()),
        quantity: charge.billed_s,
        tariff: tariff.clone(),
        amount: charge.amount,
        currency: Currency::EUR,
        plan: PlanId(Uuid::nil()),
        plan_version: 1,
        matched: None,
        of_period: None,
        counted: None,
        rounding: None,
    }
}

fn term(price: Price, included: u64, minimum_charge: &str) -> Term {
    Term {
        price,
        included,
        minimum_charge: decimal(minimum_charge),
        tax_category: None,
    }
}

/// The first line of these calls, in place of those of closed months.
fn line(calls: &[Record], instead_of: &[Record], term: &Term) -> Line {
    let kept = |records: &[Record]| -> BTreeMap<RecordKey, _> {
        let records = records.iter();
        records
            .map(|record| (record.key(), Usage::kept(record)))
            .collect()
    };
    let terms = BTreeMap::from([(UsageType::InboundMinutes, term.clone())]);
    let rules = month_of(PlanId(Uuid::nil()), "2027-01", terms);
    let totals = settle(&kept(calls), &kept(instead_of), &rules);
    let tax = Applied {
        category: TaxCategory::Standard,
        percent: Decimal::whole(19),
        text: None,
    };
    let told = Told {
        total: &totals[0],
        of_plan: "",
        share: None,
        tax: &tax,
        currency: Currency::EUR,
        rounding: Rounding::HalfEven,
    };
    told.lines().remove(0)
}

fn flat(rate: &str) -> Tariff {
    Tariff::flat(decimal(rate))
}

fn by(tariff: &Tariff) -> Price {
    Price::Flat(tariff.clone())
}

/// Calls of so many seconds each.
fn of(seconds: &[u64], tariff: &Tariff) -> Vec<Record> {
    let calls = (1..).zip(seconds);
    calls
        .map(|(number, seconds)| call(number, *seconds, tariff))
        .collect()
}

/// Description, quantity, unit price and amount of their line.
fn told(calls: &[Record], term: &Term) -> String {
    let line = line(calls, &[], term);
    let price = line
        .unit_price
        .map_or_else(|| "-".into(), |price| price.to_string());
    let (description, quantity, amount) = (&line.description, line.quantity, line.exact);
    format!("{description}: {quantity} x {price} = {amount}")
}

/// 0.05 once for each call.
fn fees() -> Tariff {
    Tariff {
        connection_fee: decimal("0.05"),
        ..flat("0.10")
    }
}

#[test]
fn a_line_says_how_its_amount_comes_about() {
    let fees = fees();
    let least = Tariff {
        minimum_charge: decimal("0.30"),
        ..flat("0.10")
    };
    let tiers = vec![Tier {
        up_to: None,
        rate: decimal("0.10"),
    }];
    let free = term(by(&flat("0.10")), 0, "0");
    assert_eq!(
        told(&of(&[60, 120], &flat("0.10")), &free),
        "Inbound calls: 3 x 0.1 = 0.3"
    );
    assert_eq!(
        told(&of(&[60, 120], &fees), &free),
        "Inbound calls, at 0.10 each min, with connection fees of 0.10: 3 x - = 0.4"
    );
    assert_eq!(
        told(&of(&[60, 600], &least), &free),
        "Inbound calls, at 0.10 each min, 1 at the minimum charge: 11 x - = 1.3"
    );
    let two_prices = [call(1, 60, &flat("0.10")), call(2, 60, &flat("0.20"))];
    assert_eq!(
        told(&two_prices, &free),
        "Inbound calls, each at its own price: 2 x - = 0.3"
    );
    assert_eq!(
        told(&of(&[60], &flat("0.10")), &term(by(&flat("0.10")), 0, "5")),
        "Inbound calls, minimum charge of the month: 1 x - = 5"
    );
    assert_eq!(
        told(
            &of(&[60], &flat("0.10")),
            &term(Price::Tiers(tiers.clone()), 0, "0")
        ),
        "Inbound calls, by tiers: 1 x - = 0.1"
    );
    assert_eq!(
        told(
            &of(&[60], &flat("0.10")),
            &term(Price::Volume(tiers), 0, "0")
        ),
        "Inbound calls, at the price of the volume: 1 x 0.1 = 0.1"
    );
}

#[test]
fn what_is_included_or_rounded_is_said() {
    let (fees, free) = (fees(), term(by(&flat("0.10")), 0, "0"));
    // Of two calls with a fee the first is included.
    assert_eq!(
        told(&of(&[60, 60], &fees), &term(by(&fees), 90, "0")),
        "Inbound calls, at 0.10 each min, with connection fees of 0.05: 0.5 x - = 0.1"
    );
    assert_eq!(
        told(&of(&[60], &fees), &term(by(&fees), 90, "0")),
        "Inbound calls: 0 x - = 0"
    );
    // Each of these is 0.005 by itself, rounded to 0.004998 or 0.005002 before.
    assert_eq!(
        told(&of(&vec![1; 3_000], &flat("0.0001")), &free),
        "Inbound calls, at 0.0001 each min, rounded one by one: 50 x - = 0.006"
    );
}

#[test]
fn a_correction_has_no_price_and_is_named() {
    let old = call(1, 60, &flat("0.10"));
    let new = Record {
        revision: 2,
        ..call(1, 60, &flat("0.40"))
    };
    let term = term(Price::Flat(flat("0.10")), 0, "0");
    let line = line(&[new, call(2, 60, &flat("0.10"))], &[old], &term);
    assert_eq!(
        line.description,
        "Inbound calls, at 0.10 each min, with corrections of earlier months"
    );
    assert_eq!((line.unit_price, line.exact), (None, decimal("0.4")));
}

proptest! {
    /// Whatever calls, fees, tiers and included units there are: where a price stands
    /// on a line, the quantity at that price is the amount, to the coin.
    #[test]
    fn a_price_stands_only_beside_an_amount_that_it_makes(
        calls in prop::collection::vec((0_u64..400, 1_i64..4, 0_i64..3, 0_i64..3), 1..20),
        included in 0_u64..500,
        minimum in 0_i64..200,
        kind in 0_u8..3,
    ) {
        let records: Vec<Record> = (1..).zip(&calls).map(|(number, (seconds, rate, fee, least))| {
            let tariff = Tariff {
                connection_fee: Decimal::of_units(*fee / 2, 1),
                minimum_charge: Decimal::of_units(*least / 2, 1),
                ..Tariff::flat(Decimal::of_units(*rate * 7, 3))
            };
            call(number, *seconds, &tariff)
        }).collect();
        let tiers = vec![
            Tier { up_to: Some(600), rate: decimal("0.07") },
            Tier { up_to: None, rate: decimal("0.05") },
        ];
        let price = match kind {
            0 => Price::Flat(flat("0.007")),
            1 => Price::Tiers(tiers),
            _ => Price::Volume(tiers),
        };
        let minimum = Decimal::of_units(minimum, 2).to_string();
        let line = line(&records, &[], &term(price, included, &minimum));
        if let Some(price) = line.unit_price {
            // As a payer would: minutes may have been rounded for the eye.
            let seconds = line.quantity.share(60, 1, 0, Rounding::HalfEven);
            let seconds = seconds.in_units_of(Decimal::whole(1));
            let amount = price.share(seconds, 60, 6, Rounding::HalfEven);
            let coins = |amount: Decimal| amount.round(2, Rounding::HalfEven);
            prop_assert_eq!(coins(amount), coins(line.exact));
        } else {
            let is_free = line.exact.is_zero() && line.quantity.is_zero();
            prop_assert!(is_free || line.description.contains(", "), "{}", line.description);
        }
    }
}
