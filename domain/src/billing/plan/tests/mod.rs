//! A plan says a price for each kind of usage, and keeps its currency.

use super::*;
use crate::{
    billing::{
        UsageType,
        tariff::{Tariff, TariffFault},
        tax::TaxCategory,
    },
    calendar::Cycle,
    money::{Currency, Decimal, Rounding},
    testing::{given, second},
};
use std::collections::BTreeMap;

fn config(price: Price) -> Config {
    let term = Term {
        price,
        included: 0,
        minimum_charge: Decimal::ZERO,
        tax_category: None,
    };
    Config {
        currency: Currency::EUR,
        cycle: Cycle::Monthly,
        recurring_fee: Decimal::whole(10),
        is_tax_inclusive: false,
        tax_category: TaxCategory::Standard,
        rounding: Rounding::HalfEven,
        terms: BTreeMap::from([(UsageType::InboundMinutes, term)]),
    }
}

fn flat() -> Config {
    config(Price::Flat(Tariff::flat(Decimal::whole(1))))
}

fn configure(config: Config) -> Command {
    Command::Configure {
        name: "basic".into(),
        config,
    }
}

#[test]
fn a_plan_is_made_once_and_each_change_has_the_next_version() {
    let dearer = Config {
        recurring_fee: Decimal::whole(11),
        ..flat()
    };
    given::<Plan>([])
        .when(configure(flat()))
        .then([Event::Created {
            name: "basic".into(),
            config: flat(),
        }])
        .when(configure(flat()))
        .nothing()
        .when(Command::Create {
            name: "basic".into(),
            config: flat(),
        })
        .refused(Error::AlreadyExists)
        .when(configure(dearer.clone()))
        .then([Event::Configured {
            config_version: 2,
            config: dearer,
        }])
        .when(configure(Config {
            currency: Currency::USD,
            ..flat()
        }))
        .refused(Error::OtherCurrency);
}

/// 119 with tax are 100 without: amounts that were rated, and fees that were billed, by a
/// version with tax are settled, taxed and given back by a later one.
#[test]
fn a_plan_keeps_its_prices_with_tax_or_without() {
    let with_tax = Config {
        is_tax_inclusive: true,
        ..flat()
    };
    for (first, other) in [(flat(), with_tax.clone()), (with_tax, flat())] {
        given::<Plan>([Event::Created {
            name: "basic".into(),
            config: first,
        }])
        .when(configure(other))
        .refused(Error::OtherTaxInclusion);
    }
}

#[test]
fn prices_and_tiers_are_checked() {
    let tier = |up_to, rate| Tier {
        up_to,
        rate: Decimal::whole(rate),
    };
    let usage_type = UsageType::InboundMinutes;
    let negative = Error::InvalidPrice {
        usage_type,
        field: "rate",
        fault: TariffFault::Negative("rate"),
    };
    let refused = |price, error| {
        given::<Plan>([])
            .when(configure(config(price)))
            .refused(error);
    };
    refused(Price::Flat(Tariff::flat(Decimal::whole(-1))), negative);
    let invalid = Error::InvalidTiers { usage_type };
    refused(Price::Tiers(vec![]), invalid);
    refused(Price::Volume(vec![tier(Some(5), 1)]), invalid);
    refused(Price::Tiers(vec![tier(Some(5), 1)]), invalid);
    refused(Price::Tiers(vec![tier(None, 1), tier(None, 1)]), invalid);
    let falling = vec![tier(Some(5), 1), tier(Some(5), 1), tier(None, 1)];
    refused(Price::Tiers(falling), invalid);
    refused(Price::Tiers(vec![tier(None, -1)]), negative);
}

#[test]
fn a_version_counts_from_its_publication_and_the_first_one_always() {
    let versions = [
        (1, second(10)),
        (2, second(20)),
        (3, second(20)),
        (4, second(30)),
    ];
    let at = |seconds| {
        in_force(versions.iter(), |(_, at)| *at, second(seconds)).map(|(number, _)| *number)
    };
    for (seconds, version) in [(0, 1), (10, 1), (19, 1), (20, 3), (29, 3), (30, 4), (99, 4)] {
        assert_eq!(at(seconds), Some(version), "after {seconds} s");
    }
    assert_eq!(in_force(std::iter::empty(), |at| *at, second(0)), None);
}
