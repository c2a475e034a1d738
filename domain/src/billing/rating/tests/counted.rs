//! What is counted elsewhere has a price by the plan, or is refused.

use super::super::{Payer, Tables, UnratedReason, Use};
use crate::{
    billing::{
        UsageId, UsageType,
        account::{Owned, PaymentMode, Profile},
        plan::{Config, Price, Term, Tier},
        tariff::Tariff,
        tax::TaxCategory,
        usage::{self, Error, Usage},
    },
    calendar::Cycle,
    decider::Decider,
    id::{AccountId, PlanId},
    money::{Currency, Decimal, Rounding},
    testing::month_of,
    time::Timestamp,
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use uuid::Uuid;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    serde_json::from_str(&format!("\"{text}\"")).unwrap()
}

fn profile() -> Profile {
    Profile {
        currency: Currency::EUR,
        zone: "Europe/Berlin".parse().unwrap(),
        country: "DE".into(),
        calling_code: "49".into(),
        tax_id: None,
        holder: None,
        payment_mode: PaymentMode::Prepaid,
        is_auto_pay: false,
        owned: Owned::default(),
    }
}

fn config() -> Config {
    let term = |rate, first_increment_s, connection_fee| Term {
        price: Price::Flat(Tariff {
            first_increment_s,
            connection_fee: decimal(connection_fee),
            ..Tariff::flat(decimal(rate))
        }),
        included: 0,
        minimum_charge: Decimal::ZERO,
        tax_category: None,
    };
    Config {
        currency: Currency::EUR,
        cycle: Cycle::Monthly,
        recurring_fee: Decimal::ZERO,
        is_tax_inclusive: false,
        tax_category: TaxCategory::Standard,
        rounding: Rounding::HalfEven,
        terms: BTreeMap::from([
            (UsageType::Conference, term("0.10", 60, "0")),
            (UsageType::StorageGb, term("0.40", 1, "0.01")),
        ]),
    }
}

fn used(usage_type: UsageType, quantity: u64) -> Use {
    Use {
        key: "a".into(),
        usage_type,
        quantity,
        at: at("2026-10-31T23:30:00Z"),
        digits: None,
        description: String::new(),
    }
}

fn taxes() -> BTreeMap<TaxCategory, Decimal> {
    let whole = |category, percent| (category, Decimal::whole(percent));
    BTreeMap::from([
        whole(TaxCategory::Standard, 19),
        whole(TaxCategory::Reduced, 7),
    ])
}

/// Who pays before, with tax of 19 and 7 %.
fn payer<'a>(
    profile: &'a Profile,
    config: &'a Config,
    taxes: &'a BTreeMap<TaxCategory, Decimal>,
) -> Payer<'a> {
    Payer {
        account: AccountId(Uuid::from_u128(1)),
        profile,
        is_limited: true,
        plan: PlanId(Uuid::from_u128(2)),
        plan_version: 1,
        config,
        taxes,
    }
}

/// Quantity, amount and what counts against the credit, by 19 % of tax.
fn priced(usage_type: UsageType, quantity: u64) -> Result<(u64, String, String), UnratedReason> {
    let (profile, config) = (profile(), config());
    let taxes = taxes();
    let payer = payer(&profile, &config, &taxes);
    let record = used(usage_type, quantity).rate(&payer, &Tables::new())?;
    // Half past midnight in Berlin is the next month.
    let usage = UsageId {
        account: payer.account,
        period: "2026-11".parse().unwrap(),
    };
    assert_eq!(record.cdr, usage.counted("a"));
    let commits = record.counted.unwrap().commits.unwrap();
    Ok((
        record.quantity,
        record.amount.to_string(),
        commits.to_string(),
    ))
}

#[test]
fn time_is_charged_by_the_increments_and_anything_else_as_counted() {
    // 61 s are 61 by 60/1; 2.5 GB at 0.40 and the fee.
    let told =
        |quantity, amount: &str, commits: &str| Ok((quantity, amount.into(), commits.into()));
    assert_eq!(
        priced(UsageType::Conference, 61),
        told(61, "0.101667", "0.120984")
    );
    assert_eq!(priced(UsageType::Conference, 5), told(60, "0.1", "0.119"));
    assert_eq!(
        priced(UsageType::StorageGb, 2_500),
        told(2_500, "1.01", "1.2019")
    );
    assert_eq!(priced(UsageType::Custom, 1), Err(UnratedReason::NoTerm));
}

#[test]
fn credit_is_taken_with_the_tax_of_each_kind_of_usage() {
    let (profile, mut config, taxes) = (profile(), config(), taxes());
    let storage = config.terms.get_mut(&UsageType::StorageGb).unwrap();
    storage.tax_category = Some(TaxCategory::Reduced);
    let payer = payer(&profile, &config, &taxes);
    let of = |kind| (kind, Decimal::whole(100));
    let with_tax = |kinds: &[UsageType]| payer.with_tax(kinds.iter().copied().map(of));
    assert_eq!(with_tax(&[UsageType::StorageGb]), Ok(Decimal::whole(107)));
    assert_eq!(with_tax(&[UsageType::Conference]), Ok(Decimal::whole(119)));
    let both = with_tax(&[UsageType::StorageGb, UsageType::Conference]);
    assert_eq!(both, Ok(Decimal::whole(226)));
    config.tax_category = TaxCategory::Zero;
    let payer = super::counted::payer(&profile, &config, &taxes);
    let unknown = payer.with_tax([of(UsageType::Conference)]);
    assert_eq!(unknown, Err(UnratedReason::NoTaxRate));
}

/// A tier for each rate, so many units wide, and the last without an end.
fn tiers(rates: &[i64], width: u64) -> Vec<Tier> {
    let tiers = (1_u64..).zip(rates).map(|(number, rate)| Tier {
        up_to: Some(number * width),
        rate: Decimal::of_units(*rate, 2),
    });
    let mut tiers: Vec<Tier> = tiers.collect();
    tiers.last_mut().unwrap().up_to = None;
    tiers
}

proptest! {
    /// Whatever tier the month reaches, rising or falling: what counted against the
    /// credit of each use covers what is owed of all of them.
    #[test]
    fn credit_that_was_taken_covers_the_month(
        rates in prop::collection::vec(0_i64..500, 1..4),
        width in 1_u64..20,
        quantities in prop::collection::vec(1_u64..20, 1..8),
        by_volume in any::<bool>(),
    ) {
        let price = if by_volume { Price::Volume } else { Price::Tiers };
        let term = Term {
            price: price(tiers(&rates, width)),
            included: 0,
            minimum_charge: Decimal::ZERO,
            tax_category: None,
        };
        let terms = BTreeMap::from([(UsageType::Custom, term)]);
        let (profile, config) = (profile(), Config { terms: terms.clone(), ..config() });
        let taxes = taxes();
        let payer = payer(&profile, &config, &taxes);
        let mut month = Usage::default();
        let mut covered = Decimal::ZERO;
        for (key, quantity) in quantities.iter().enumerate() {
            let used = Use { key: key.to_string(), ..used(UsageType::Custom, *quantity) };
            let record = used.rate(&payer, &Tables::new()).unwrap();
            covered = covered + record.counted.as_ref().unwrap().commits.unwrap();
            month = Usage::evolve(month, used.at, &usage::Event::Recorded { record });
        }
        let close = usage::Command::Close { rules: month_of(payer.plan, "2026-11", terms) };
        let closed = Usage::decide(&month, at("2026-12-01T00:00:00Z"), close).unwrap();
        let [usage::Event::PeriodClosed { totals, .. }] = &closed[..] else {
            unreachable!("{closed:?}")
        };
        let due = payer.with_tax([(UsageType::Custom, totals[0].due)]).unwrap();
        prop_assert!(covered >= due, "{covered} does not cover {due}");
    }
}

#[test]
fn what_can_not_be_is_refused_with_its_field() {
    let now = at("2026-11-01T00:00:00Z");
    let good = used(UsageType::Conference, 1);
    assert_eq!(good.check(now), Ok(()));
    let wrong = [
        (
            used(UsageType::InboundMinutes, 1),
            Error::OfCalls(UsageType::InboundMinutes),
        ),
        (used(UsageType::Custom, 0), Error::InvalidQuantity),
        (used(UsageType::Custom, u64::MAX), Error::InvalidQuantity),
        (
            Use {
                key: String::new(),
                ..good.clone()
            },
            Error::InvalidKey,
        ),
        (
            Use {
                key: "two words".into(),
                ..good.clone()
            },
            Error::InvalidKey,
        ),
        (
            Use {
                at: at("2026-11-01T00:00:00.000001Z"),
                ..good.clone()
            },
            Error::InFuture,
        ),
        (
            Use {
                at: at("1970-01-01T00:00:00Z"),
                ..good.clone()
            },
            Error::TooEarly,
        ),
        (
            Use {
                description: "a\nb".into(),
                ..good
            },
            Error::InvalidDescription,
        ),
    ];
    for (used, error) in wrong {
        assert_eq!(used.check(now), Err(error), "{used:?}");
    }
}
