//! Money is exact, says its currency, and is rounded once.

use super::{Currency, Decimal, Money, Rounding, TwoCurrencies, largest_remainder};
use proptest::prelude::*;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn a_decimal_has_one_form() {
    for (text, form) in [
        ("0", "0"),
        ("-0.0", "0"),
        ("1.50", "1.5"),
        ("0.006", "0.006"),
        ("-12.000000000001", "-12.000000000001"),
        ("999999999999999", "999999999999999"),
    ] {
        assert_eq!(decimal(text).to_string(), form);
    }
}

#[test]
fn what_is_no_decimal_is_refused() {
    for text in [
        "",
        "-",
        ".5",
        "1.",
        "1,5",
        "1e3",
        " 1",
        "+1",
        "0.0000000000001",
        "1000000000000000",
        "NaN",
        "=1",
        "--1",
    ] {
        assert!(text.parse::<Decimal>().is_err(), "{text}");
    }
    assert!(serde_json::from_str::<Decimal>("1.5").is_err(), "a number");
    assert!(serde_json::from_str::<Decimal>("\"1.5\"").is_ok());
}

#[test]
fn a_half_goes_where_the_contract_says() {
    for (text, even, half_up, up) in [
        ("0.125", "0.12", "0.13", "0.13"),
        ("0.135", "0.14", "0.14", "0.14"),
        ("0.121", "0.12", "0.12", "0.13"),
        ("-0.125", "-0.12", "-0.13", "-0.13"),
        ("0.12", "0.12", "0.12", "0.12"),
    ] {
        let rounded = |rounding| decimal(text).round(2, rounding).to_string();
        assert_eq!(rounded(Rounding::HalfEven), even, "{text}");
        assert_eq!(rounded(Rounding::HalfUp), half_up, "{text}");
        assert_eq!(rounded(Rounding::Up), up, "{text}");
    }
}

#[test]
fn percent_is_exact_before_it_is_rounded() {
    let tax = decimal("100.05").percent(decimal("19"), 2, Rounding::HalfEven);
    assert_eq!(tax, decimal("19.01"));
    let tax = decimal("0.50").percent(decimal("7.7"), 12, Rounding::HalfEven);
    assert_eq!(tax, decimal("0.0385"));
}

#[test]
fn a_currency_knows_its_smallest_coin() {
    for (code, exponent) in [
        ("EUR", 2),
        ("USD", 2),
        ("GBP", 2),
        ("CNY", 2),
        ("JPY", 0),
        ("KWD", 3),
    ] {
        let currency: Currency = code.parse().unwrap();
        assert_eq!(currency.exponent(), exponent, "{code}");
        assert_eq!(currency.to_string(), code);
    }
    let own: Currency = "PTS/1".parse().unwrap();
    assert_eq!((own.exponent(), own.to_string()), (1, "PTS/1".into()));
    for text in [
        "",
        "EU",
        "eur",
        "EURO",
        "PTS",
        "EUR/3",
        "PTS/7",
        "PTS/x",
        "€€€",
    ] {
        assert!(text.parse::<Currency>().is_err(), "{text}");
    }
}

#[test]
fn two_currencies_are_never_added() {
    let euro = Money::new(decimal("1"), Currency::EUR);
    let yen = Money::new(decimal("1"), Currency::JPY);
    assert_eq!(euro.plus(euro), Ok(Money::new(decimal("2"), Currency::EUR)));
    let refusal = TwoCurrencies {
        left: Currency::EUR,
        right: Currency::JPY,
    };
    assert_eq!(euro.plus(yen), Err(refusal));
}

#[test]
fn money_is_written_with_the_digits_of_its_currency() {
    let written = |amount, currency| Money::new(decimal(amount), currency).to_string();
    assert_eq!(written("12.3", Currency::EUR), "12.30 EUR");
    assert_eq!(written("12", Currency::JPY), "12 JPY");
    assert_eq!(written("0.0036", Currency::EUR), "0.0036 EUR");
}

#[test]
fn what_rounding_left_over_goes_to_who_lost_most() {
    let third = Decimal::whole(10).share(1, 3, 12, Rounding::HalfEven);
    let parts = largest_remainder(decimal("10"), &[third, third, third], 2);
    assert_eq!(parts, [decimal("3.34"), decimal("3.33"), decimal("3.33")]);
    assert!(largest_remainder(decimal("1"), &[], 2).is_empty());
    // A total that is not theirs is shared out at once, however much is over.
    let parts = largest_remainder(decimal("1000000000001"), &[third, third], 2);
    let halves = [decimal("500000000000.50"), decimal("500000000000.50")];
    assert_eq!(parts, halves);
    let parts = largest_remainder(decimal("-0.03"), &[Decimal::ZERO, Decimal::ZERO], 2);
    assert_eq!(parts, [decimal("-0.02"), decimal("-0.01")]);
}

proptest! {
    #[test]
    fn a_decimal_survives_its_text(mantissa in -10_i64.pow(18)..10_i64.pow(18), digits in 0_u8..=12) {
        let number = Decimal::of_units(mantissa, digits);
        prop_assume!(number.abs() < Decimal::whole(1_000_000_000_000_000));
        prop_assert_eq!(decimal(&number.to_string()), number);
    }

    #[test]
    fn rounding_moves_by_less_than_a_unit(mantissa in any::<i64>(), digits in 0_u8..=6) {
        let number = Decimal::of_units(mantissa, 12);
        for rounding in [Rounding::HalfEven, Rounding::HalfUp, Rounding::Up] {
            let moved = number.round(digits, rounding) - number;
            prop_assert!(moved.abs() < Decimal::unit(digits));
        }
    }

    #[test]
    fn shares_add_up_to_the_total(units in prop::collection::vec(0_i64..10_i64.pow(12), 1..30)) {
        let exact: Vec<Decimal> = units.iter().map(|units| Decimal::of_units(*units, 8)).collect();
        let total = exact.iter().copied().sum::<Decimal>().round(2, Rounding::HalfEven);
        let parts = largest_remainder(total, &exact, 2);
        prop_assert_eq!(parts.iter().copied().sum::<Decimal>(), total);
        for (part, exact) in parts.iter().zip(&exact) {
            prop_assert!((*part - *exact).abs() <= Decimal::unit(2));
        }
    }
}
