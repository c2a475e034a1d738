//! The price of a call: each used leg by the plan of its payer. Pure: whoever
//! asks brings the plan and the tables.

use super::event::{Bill, UnratedReason};
use crate::{
    billing::{
        UsageType,
        account::Profile,
        plan::{Config, Price},
        tariff::{RATED_DIGITS, Tariff},
        tax::TaxCategory,
        usage::{MatchedRow, Record},
    },
    calendar::Period,
    id::{AccountId, CallId, DeckId, LegId, PlanId},
    money::{Decimal, Rounding},
    rating::Table,
    time::Timestamp,
};
use std::{collections::BTreeMap, sync::Arc};

/// A leg that was used, or was to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Which.
    pub leg: LegId,
    /// Of which kind.
    pub usage_type: UsageType,
    /// The number that decides on its price, in digits of E.164; none where
    /// it can not be read.
    pub digits: Option<String>,
    /// When it was answered.
    pub answered_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
}

/// Who pays, and by what.
#[derive(Debug, Clone)]
pub struct Payer<'a> {
    /// Who.
    pub account: AccountId,
    /// Its profile.
    pub profile: &'a Profile,
    /// It has a limit: what it uses counts against it at once.
    pub is_limited: bool,
    /// Its plan of the day.
    pub plan: PlanId,
    /// In which version.
    pub plan_version: u32,
    /// What the plan says.
    pub config: &'a Config,
    /// Tax on what it uses in percent, as far as that is known.
    pub taxes: &'a BTreeMap<TaxCategory, Decimal>,
}

impl Payer<'_> {
    /// What counts against the credit: with the tax that the invoice will add,
    /// rounded away from nothing, so that it is never too little.
    ///
    /// # Errors
    /// When the tax is not known.
    pub fn with_tax(
        &self,
        used: impl IntoIterator<Item = (UsageType, Decimal)>,
    ) -> Result<Decimal, UnratedReason> {
        let mut sums: BTreeMap<TaxCategory, Decimal> = BTreeMap::new();
        for (usage_type, amount) in used {
            let sum = sums.entry(self.config.tax_category_of(usage_type));
            let sum = sum.or_default();
            *sum = *sum + amount;
        }
        let gross = |(category, sum): (&TaxCategory, &Decimal)| {
            if self.config.is_tax_inclusive {
                return Ok(*sum);
            }
            let percent = self.taxes.get(category).ok_or(UnratedReason::NoTaxRate)?;
            Ok(*sum + sum.percent(*percent, RATED_DIGITS, Rounding::Up))
        };
        sums.iter().map(gross).sum()
    }
}

/// Published decks by id.
pub type Tables = BTreeMap<DeckId, Arc<Table>>;

/// The price of the parts; `ended_at` says on which month's invoice it is.
///
/// # Errors
/// Why it can not be priced: never nothing instead of something.
pub fn price(
    call: CallId,
    payer: &Payer<'_>,
    tables: &Tables,
    parts: &[Part],
    ended_at: Timestamp,
) -> Result<Bill, UnratedReason> {
    if payer.config.currency != payer.profile.currency {
        return Err(UnratedReason::WrongCurrency);
    }
    let priced = parts
        .iter()
        .map(|part| record(call, payer, tables, part))
        .collect::<Result<Vec<_>, _>>()?;
    let most = priced
        .iter()
        .map(|(record, most)| (record.usage_type, *most));
    let own = priced
        .iter()
        .map(|(record, _)| (record.usage_type, record.amount));
    let (commits, own) = match payer.is_limited {
        true => (Some(payer.with_tax(most)?), Some(payer.with_tax(own)?)),
        false => (None, None),
    };
    let records = priced.into_iter().map(|(record, _)| record).collect();
    Ok(Bill {
        account: payer.account,
        period: Period::of(payer.profile.zone.date_of(ended_at)),
        records,
        commits,
        own: own.filter(|_| own != commits),
    })
}

/// What a plan says of a unit of usage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The tariff.
    pub tariff: Tariff,
    /// How its charge is rounded.
    pub rounding: Rounding,
    /// The row of a deck that it is from.
    pub matched: Option<MatchedRow>,
    /// The time band of that row; none where it applies at any time.
    pub band: Option<String>,
    /// The highest rate that the month may come to for it.
    pub rate_max: Decimal,
}

impl Found {
    /// What counts against a credit: which tier a use will be in is known at the end of
    /// the month, and no later one may then bring the balance under zero.
    pub fn dearest(&self) -> Tariff {
        Tariff {
            rate: self.rate_max,
            ..self.tariff.clone()
        }
    }

    /// How its price is rounded, where that is not as the plan says.
    pub(super) fn rounding_beside(&self, config: &Config) -> Option<Rounding> {
        (self.rounding != config.rounding).then_some(self.rounding)
    }
}

/// Looks up the tariff of a kind of usage, for the number at an instant.
///
/// # Errors
/// Why there is none: never nothing instead of something.
pub fn find(
    config: &Config,
    tables: &Tables,
    usage_type: UsageType,
    digits: Option<&str>,
    at: Timestamp,
) -> Result<Found, UnratedReason> {
    let term = config.terms.get(&usage_type).ok_or(UnratedReason::NoTerm)?;
    let of_plan = |tariff: Tariff, rate_max| Found {
        tariff,
        rounding: config.rounding,
        matched: None,
        band: None,
        rate_max,
    };
    match &term.price {
        Price::Flat(tariff) => Ok(of_plan(tariff.clone(), tariff.rate)),
        // Priced by the first tier; the month as a whole settles the rest.
        Price::Tiers(tiers) | Price::Volume(tiers) => {
            let first = tiers.first().ok_or(UnratedReason::NoTerm)?.rate;
            let rates = tiers.iter().map(|tier| tier.rate);
            Ok(of_plan(Tariff::flat(first), rates.fold(first, Ord::max)))
        }
        Price::Deck(deck) => {
            let table = tables.get(deck).ok_or(UnratedReason::NoDeck)?;
            if table.header.currency != config.currency {
                return Err(UnratedReason::WrongCurrency);
            }
            let digits = digits.ok_or(UnratedReason::NoNumber)?;
            let found = table.find(digits, at).ok_or(UnratedReason::NoMatch)?;
            Ok(Found {
                tariff: found.row.tariff.clone(),
                rate_max: found.row.tariff.rate,
                rounding: table.header.rounding,
                band: found.row.band.clone(),
                matched: Some(MatchedRow {
                    deck: table.id,
                    row: found.number,
                    prefix: found.row.prefix.clone(),
                    description: found.row.description.clone(),
                }),
            })
        }
    }
}

/// What was used, and what it may come to at most.
fn record(
    call: CallId,
    payer: &Payer<'_>,
    tables: &Tables,
    part: &Part,
) -> Result<(Record, Decimal), UnratedReason> {
    let found = find(
        payer.config,
        tables,
        part.usage_type,
        part.digits.as_deref(),
        part.answered_at,
    )?;
    let billable_ms = part.ended_at.ms_since(part.answered_at);
    let charge = found.tariff.charge(Some(billable_ms), found.rounding);
    let most = found.dearest().charge(Some(billable_ms), found.rounding);
    let rounding = found.rounding_beside(payer.config);
    let record = Record {
        cdr: call,
        revision: 1,
        leg: part.leg,
        usage_type: part.usage_type,
        answered_at: part.answered_at,
        ended_at: part.ended_at,
        quantity: charge.billed_s,
        tariff: found.tariff,
        amount: charge.amount,
        currency: payer.profile.currency,
        plan: payer.plan,
        plan_version: payer.plan_version,
        matched: found.matched,
        of_period: None,
        counted: None,
        rounding,
    };
    Ok((record, most.amount))
}
