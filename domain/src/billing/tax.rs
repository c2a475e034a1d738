//! Which tax applies: by the countries of seller and buyer, the buyer's tax id
//! and the day.

use crate::{calendar::Date, money::Decimal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A kind of tax treatment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxCategory {
    /// The standard rate of the country.
    Standard,
    /// A reduced rate.
    Reduced,
    /// The zero rate.
    Zero,
    /// The buyer owes the tax.
    ReverseCharge,
    /// Not within the scope of the seller's tax.
    OutOfScope,
}

impl TaxCategory {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Standard,
        Self::Reduced,
        Self::Zero,
        Self::ReverseCharge,
        Self::OutOfScope,
    ];
}

/// A rate of a country, from one day to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxRate {
    /// ISO 3166 code.
    pub country: String,
    /// Standard or reduced.
    pub category: TaxCategory,
    /// In percent, with at most four digits after the point.
    pub percent: Decimal,
    /// First day.
    pub from: Date,
    /// First day on which it does not apply any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
}

/// The tax that applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Treatment.
    pub category: TaxCategory,
    /// In percent.
    pub percent: Decimal,
    /// What must be written on the document, where something must.
    pub text: Option<&'static str>,
}

impl Applied {
    /// The same tax once more, on what the plan has under `wanted`.
    pub fn again(wanted: TaxCategory, category: TaxCategory, percent: Decimal) -> Self {
        Self {
            category,
            percent,
            text: text_of(wanted, category),
        }
    }
}

/// What must be written on the document where what is `wanted` is treated so.
fn text_of(wanted: TaxCategory, category: TaxCategory) -> Option<&'static str> {
    let is_wanted = wanted == category;
    match category {
        TaxCategory::Standard | TaxCategory::Reduced => None,
        TaxCategory::Zero => Some("Zero rate"),
        TaxCategory::OutOfScope if is_wanted => Some("Not subject to tax"),
        TaxCategory::OutOfScope => Some("Not subject to tax in the seller's country"),
        TaxCategory::ReverseCharge if is_wanted => Some("Reverse charge"),
        TaxCategory::ReverseCharge => {
            Some("Reverse charge: the recipient owes the tax (Article 196, Directive 2006/112/EC)")
        }
    }
}

/// No rate is known for that country, category and day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no {category:?} tax rate of {country} on {date}")]
pub struct NoRate {
    /// Whose.
    pub country: String,
    /// Which.
    pub category: TaxCategory,
    /// When.
    pub date: Date,
}

/// Member states of the European Union.
const UNION: &str =
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK";

fn in_union(country: &str) -> bool {
    UNION
        .split_ascii_whitespace()
        .any(|member| member == country)
}

/// The tax on a supply of that category from one country to another.
///
/// # Errors
/// When the table has no rate for it: nothing is ever taxed with a guess.
pub fn apply(
    rates: &[TaxRate],
    seller: &str,
    buyer: &str,
    has_tax_id: bool,
    wanted: TaxCategory,
    date: Date,
) -> Result<Applied, NoRate> {
    let free = |category| Applied::again(wanted, category, Decimal::ZERO);
    match wanted {
        TaxCategory::Zero | TaxCategory::OutOfScope | TaxCategory::ReverseCharge => {
            return Ok(free(wanted));
        }
        TaxCategory::Standard | TaxCategory::Reduced => {}
    }
    let country = if seller == buyer {
        seller
    } else if in_union(seller) && in_union(buyer) {
        if has_tax_id {
            return Ok(free(TaxCategory::ReverseCharge));
        }
        buyer
    } else {
        return Ok(free(TaxCategory::OutOfScope));
    };
    rates
        .iter()
        .find(|rate| {
            rate.country == country
                && rate.category == wanted
                && rate.from <= date
                && rate.to.is_none_or(|to| date < to)
        })
        .map(|rate| Applied::again(wanted, wanted, rate.percent))
        .ok_or_else(|| NoRate {
            country: country.into(),
            category: wanted,
            date,
        })
}

/// The first days on which another tax applies to such a supply than on the day before,
/// rising.
pub fn turns(
    rates: &[TaxRate],
    seller: &str,
    buyer: &str,
    has_tax_id: bool,
    wanted: TaxCategory,
) -> Vec<Date> {
    let applied = |day| apply(rates, seller, buyer, has_tax_id, wanted, day).ok();
    let days = rates.iter().flat_map(|rate| [Some(rate.from), rate.to]);
    let days: BTreeSet<Date> = days.flatten().collect();
    days.into_iter()
        .filter(|day| {
            day.pred_opt()
                .is_some_and(|before| applied(before) != applied(*day))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Applied, NoRate, TaxCategory, TaxRate, apply, turns};
    use crate::{calendar::Date, money::Decimal};

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn rates() -> Vec<TaxRate> {
        let rate = |country: &str, percent, from, to: Option<&str>| TaxRate {
            country: country.into(),
            category: TaxCategory::Standard,
            percent: Decimal::whole(percent),
            from: date(from),
            to: to.map(date),
        };
        vec![
            rate("DE", 19, "2007-01-01", Some("2020-07-01")),
            rate("DE", 16, "2020-07-01", Some("2021-01-01")),
            rate("DE", 19, "2021-01-01", None),
            rate("FR", 20, "2014-01-01", None),
        ]
    }

    fn tax(buyer: &str, has_tax_id: bool, day: &str) -> Result<Applied, NoRate> {
        let wanted = TaxCategory::Standard;
        apply(&rates(), "DE", buyer, has_tax_id, wanted, date(day))
    }

    #[test]
    fn at_home_the_rate_of_the_day_applies() {
        let percent = |day| tax("DE", true, day).unwrap().percent;
        assert_eq!(percent("2020-06-30"), Decimal::whole(19));
        assert_eq!(percent("2020-07-01"), Decimal::whole(16));
        assert_eq!(percent("2020-12-31"), Decimal::whole(16));
        assert_eq!(percent("2021-01-01"), Decimal::whole(19));
    }

    #[test]
    fn a_rate_turns_only_where_another_one_applies() {
        let turns = |buyer, has_tax_id, wanted| turns(&rates(), "DE", buyer, has_tax_id, wanted);
        let of_germany = ["2007-01-01", "2020-07-01", "2021-01-01"].map(date);
        assert_eq!(turns("DE", true, TaxCategory::Standard), of_germany);
        assert_eq!(
            turns("FR", false, TaxCategory::Standard),
            [date("2014-01-01")]
        );
        assert_eq!(turns("FR", true, TaxCategory::Standard), []);
        assert_eq!(turns("DE", true, TaxCategory::Zero), []);
    }

    #[test]
    fn a_business_in_the_union_owes_the_tax_itself() {
        let applied = tax("FR", true, "2026-10-01").unwrap();
        assert_eq!(applied.category, TaxCategory::ReverseCharge);
        assert_eq!(applied.percent, Decimal::ZERO);
        assert!(applied.text.unwrap().starts_with("Reverse charge"));
    }

    #[test]
    fn a_consumer_in_the_union_pays_the_rate_at_home() {
        assert_eq!(
            tax("FR", false, "2026-10-01").unwrap().percent,
            Decimal::whole(20)
        );
    }

    #[test]
    fn outside_there_is_no_tax_of_ours() {
        for has_tax_id in [true, false] {
            let applied = tax("US", has_tax_id, "2026-10-01").unwrap();
            assert_eq!(applied.category, TaxCategory::OutOfScope);
        }
    }

    #[test]
    fn a_rate_that_is_not_known_is_never_guessed() {
        assert!(tax("AT", false, "2026-10-01").is_err());
        assert!(tax("DE", false, "2006-12-31").is_err());
    }
}
