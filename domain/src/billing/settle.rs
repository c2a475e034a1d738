//! What a month of usage comes to: included units are used up in the order in
//! which calls ended, tiers and minima apply to the days of a plan as a whole. What was
//! used before another tax rate stands apart from what was used since. The order in
//! which records came changes nothing.

use super::{
    UsageType,
    plan::{Price, Term, Tier},
    stretch::{Rules, Stretch},
    tariff::{RATED_DIGITS, Tariff},
    tax::TaxCategory,
    usage::RecordKey,
};
use crate::{
    calendar::Date,
    id::{CallId, PlanId},
    money::{Decimal, Rounding},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What is kept of a record until the month is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// Of which kind.
    pub usage_type: UsageType,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Counted units that are charged.
    pub quantity: u64,
    /// Of a use that is no call, the units that were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<u64>,
    /// What it was rated at.
    pub amount: Decimal,
    /// With what.
    pub tariff: Tariff,
    /// By which plan.
    pub plan: PlanId,
    /// How its price is rounded, where its deck has another way than the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounding: Option<Rounding>,
}

impl Used {
    /// Whether it is that use which is no call, of so many counted units, whatever
    /// it cost.
    pub fn is_use(&self, usage_type: UsageType, ended_at: Timestamp, counted: u64) -> bool {
        let is_as_much = match self.counted {
            Some(there) => there == counted,
            // What was charged for it is all that is known of an old one.
            None => usage_type.units(counted, &self.tariff) == self.quantity,
        };
        is_as_much && self.usage_type == usage_type && self.ended_at == ended_at
    }
}

/// By which terms a total was settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Of {
    /// The plan by which its uses were rated.
    pub plan: PlanId,
    /// In the version that settled them.
    pub plan_version: u32,
    /// First day of the plan in the month.
    pub from: Date,
    /// First day that is not of it any more; `from` where there is none.
    pub to: Date,
    /// Which tax is on it.
    pub tax_category: TaxCategory,
    /// The tax is in it.
    pub is_tax_inclusive: bool,
    /// A day that has its rate: all of it was used while that was in force.
    pub taxed_on: Date,
}

/// What one kind of usage comes to, by one plan and at one tax rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// Which.
    pub usage_type: UsageType,
    /// How often.
    pub count: u32,
    /// Counted units.
    pub quantity: u64,
    /// Of those, included in the plan.
    pub included: u64,
    /// Sum of the rated records, less the adjustments.
    pub rated: Decimal,
    /// What is to be paid, with six digits.
    pub due: Decimal,
    /// Price of each unit that is charged, where the volume of the month decides
    /// on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_rate: Option<Decimal>,
    /// How what is to be paid came about. None of months that were closed before this
    /// was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<Made>,
    /// By which terms. None of months that were closed before this was kept: the plan and
    /// the tax rate of their last day were those of all; and none where the plan is not
    /// known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Of>,
}

/// How an amount came about: what the line of an invoice says beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// By which rule.
    pub by: By,
    /// Connection fees in it.
    pub fees: Decimal,
    /// Uses that cost the minimum of their tariff.
    pub at_minimum: u32,
    /// What closed months had is corrected in it.
    pub is_corrected: bool,
}

/// The rule that makes an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Each use by its own price, all at this rate.
    Rate(Decimal),
    /// Each use by its own price.
    Record,
    /// The tier that is reached, for all of it.
    Volume,
    /// Each tier for what is between its bounds.
    Tiers,
    /// The minimum of the month.
    Minimum,
}

impl Total {
    /// It is what its records come to: nothing but their own prices made it. What the plan
    /// included is no matter of their prices, also where those were nothing.
    pub fn is_by_record(&self) -> bool {
        self.due == self.rated && self.included == 0
    }
}

/// What was used of one kind by one plan at one tax rate, and what is taken back.
#[derive(Default)]
struct Group<'a> {
    used: Vec<(RecordKey, &'a Used)>,
    /// In place of what a closed month had: by their own price, so that nothing but
    /// the difference is owed, whatever this month includes or has reached.
    corrected: Vec<&'a Used>,
    adjusted: Vec<&'a Used>,
    /// The first of its days.
    day: Option<Date>,
}

/// A kind of usage and the index of its stretch.
type Kind = (UsageType, Option<usize>);

/// Everything by kind, stretch and tax rate.
struct Groups<'a> {
    rules: &'a Rules,
    kinds: BTreeMap<Kind, BTreeMap<usize, Group<'a>>>,
}

impl<'a> Groups<'a> {
    fn of(&mut self, used: &Used) -> &mut Group<'a> {
        let place = self.rules.place(used);
        let kind = self.kinds.entry((used.usage_type, place.stretch));
        let group = kind.or_default().entry(place.turn).or_default();
        group.day = Some(group.day.map_or(place.day, |day| day.min(place.day)));
        group
    }
}

/// The totals in the order of an invoice.
pub(crate) fn settle(
    used: &BTreeMap<RecordKey, Used>,
    adjusted: &BTreeMap<RecordKey, Used>,
    rules: &Rules,
) -> Vec<Total> {
    // What was taken back here before it came is here no more, and was nowhere else.
    let is_elsewhere = |key: &RecordKey| !used.contains_key(key);
    let elsewhere = adjusted.iter().filter(|(key, _)| is_elsewhere(key));
    let corrected: BTreeSet<CallId> = elsewhere.clone().map(|(key, _)| key.cdr).collect();
    let kinds = BTreeMap::new();
    let mut groups = Groups { rules, kinds };
    for (key, used) in used.iter().filter(|(key, _)| !adjusted.contains_key(key)) {
        let group = groups.of(used);
        if corrected.contains(&key.cdr) || rules.taken_back.contains(key) {
            group.corrected.push(used);
        } else {
            group.used.push((*key, used));
        }
    }
    for (_, used) in elsewhere {
        groups.of(used).adjusted.push(used);
    }
    let kinds = groups.kinds.into_iter();
    kinds
        .flat_map(|((usage_type, stretch), groups)| {
            let stretch = stretch.and_then(|index| rules.stretches.get(index));
            let term = stretch.and_then(|stretch| stretch.term(usage_type, rules.period));
            let groups = groups.into_values().collect();
            totals(usage_type, groups, term.as_ref(), stretch)
        })
        .collect()
}

/// One for each tax rate, in the order in which they were in force.
fn totals(
    usage_type: UsageType,
    mut groups: Vec<Group<'_>>,
    term: Option<&Term>,
    stretch: Option<&Stretch>,
) -> Vec<Total> {
    for group in &mut groups {
        group.used.sort_by_key(|(key, used)| (used.ended_at, *key));
    }
    let rounding = stretch.map_or(Rounding::HalfEven, |stretch| stretch.config.rounding);
    let mut pool = Pool::of(usage_type, &groups, term, rounding);
    let of = |day: Option<Date>| {
        let stretch = stretch?;
        Some(Of {
            plan: stretch.plan,
            plan_version: stretch.plan_version,
            from: stretch.from,
            to: stretch.to,
            tax_category: stretch.config.tax_category_of(usage_type),
            is_tax_inclusive: stretch.config.is_tax_inclusive,
            taxed_on: day?,
        })
    };
    let total = |group: &Group<'_>| Total {
        of: of(group.day),
        ..pool.total(group)
    };
    groups.iter().map(total).collect()
}

/// How what is charged of a kind comes to what is due.
enum Rule<'a> {
    /// Each use by its own price.
    Each,
    /// Each tier for what is between its bounds.
    Tiers(&'a [Tier]),
    /// One rate for all.
    Volume(Decimal),
    /// So much for all.
    Minimum(Decimal),
}

/// What was used of one kind by one plan. Its groups are charged in their order: what is
/// included, and the tiers, are used up by the earlier ones first.
struct Pool<'a> {
    usage_type: UsageType,
    rounding: Rounding,
    rule: Rule<'a>,
    /// Units that are charged in all.
    charged: u64,
    /// Units that are still included.
    left: u64,
    /// Units that the groups before are charged for.
    before: u64,
    /// What those owe.
    due: Decimal,
}

impl<'a> Pool<'a> {
    fn of(
        usage_type: UsageType,
        groups: &[Group<'_>],
        term: Option<&'a Term>,
        rounding: Rounding,
    ) -> Self {
        let used: Vec<&Used> = groups
            .iter()
            .flat_map(|group| group.used.iter().map(|(_, used)| *used))
            .collect();
        let quantity: u64 = used.iter().map(|used| used.quantity).sum();
        let included = term.map_or(0, |term| term.included.min(quantity));
        let mut pool = Self {
            usage_type,
            rounding,
            rule: Rule::Each,
            charged: quantity - included,
            left: included,
            before: 0,
            due: Decimal::ZERO,
        };
        let Some(term) = term else { return pool };
        pool.rule = match &term.price {
            Price::Tiers(tiers) => Rule::Tiers(tiers),
            Price::Volume(tiers) => Rule::Volume(reached(tiers, pool.charged).unwrap_or_default()),
            Price::Deck(_) | Price::Flat(_) => Rule::Each,
        };
        let mut left = included;
        let due = pool.due_of(&charged(&used, &mut left), pool.charged);
        let least = term.minimum_charge.round(RATED_DIGITS, rounding);
        // A call within the grace time is free, and is no use of the plan.
        if quantity > 0 && due < least {
            pool.rule = Rule::Minimum(least);
        }
        pool
    }

    /// What these uses come to, which with those before are so many units that are charged.
    fn due_of(&self, uses: &[Charged<'_>], units: u64) -> Decimal {
        let (per_unit, rounding) = (self.usage_type.per_unit(), self.rounding);
        let until = match &self.rule {
            Rule::Each => {
                let due = |(used, rest): &Charged<'_>| match used.quantity - rest {
                    0 => used.amount,
                    free => {
                        let rounding = used.rounding.unwrap_or(rounding);
                        used.tariff.rest(used.quantity, free, per_unit, rounding)
                    }
                };
                return uses.iter().map(due).sum();
            }
            Rule::Tiers(tiers) => by_tiers(tiers, units, per_unit, rounding),
            Rule::Volume(rate) => Tariff::flat(*rate).price(units, per_unit, rounding),
            Rule::Minimum(least) if units == self.charged => *least,
            Rule::Minimum(least) => {
                let (units, all) = (i128::from(units), i128::from(self.charged));
                least.share(units, all, RATED_DIGITS, rounding)
            }
        };
        until - self.due
    }

    fn total(&mut self, group: &Group<'_>) -> Total {
        let used: Vec<&Used> = group.used.iter().map(|(_, used)| *used).collect();
        let sum = |used: &[&Used]| used.iter().map(|used| used.amount).sum::<Decimal>();
        let units = |used: &[&Used]| used.iter().map(|used| used.quantity).sum::<u64>();
        let (rated, quantity) = (sum(&used), units(&used));
        let uses = charged(&used, &mut self.left);
        let of_group: u64 = uses.iter().map(|(_, rest)| *rest).sum();
        let due = match used.is_empty() {
            true => Decimal::ZERO,
            false => self.due_of(&uses, self.before + of_group),
        };
        self.before += of_group;
        self.due = self.due + due;
        let made = self.made(group, &uses);
        // A price stands only beside an amount that it makes.
        let volume_rate = match self.rule {
            Rule::Volume(rate) if !made.is_corrected => Some(rate),
            Rule::Volume(_) | Rule::Each | Rule::Tiers(_) | Rule::Minimum(_) => None,
        };
        let correction = sum(&group.corrected) - sum(&group.adjusted);
        // What a closed month had is on its invoice: here is what is more than that.
        let (corrected, adjusted) = (&group.corrected, &group.adjusted);
        let count = (used.len() + corrected.len()).saturating_sub(adjusted.len());
        let more = (quantity + units(corrected)).saturating_sub(units(adjusted));
        let included = quantity - of_group;
        Total {
            usage_type: self.usage_type,
            count: u32::try_from(count).unwrap_or(u32::MAX),
            quantity: more.max(included),
            included,
            rated: rated + correction,
            due: due + correction,
            volume_rate,
            made: Some(made),
            of: None,
        }
    }

    /// How it comes about.
    fn made(&self, group: &Group<'_>, uses: &[Charged<'_>]) -> Made {
        let by = match &self.rule {
            Rule::Tiers(_) => By::Tiers,
            Rule::Volume(_) => By::Volume,
            Rule::Minimum(_) => By::Minimum,
            Rule::Each => By::Record,
        };
        // Where all is charged for as a whole, there is no fee and no price of one.
        let is_whole = by != By::Record;
        let apart: Vec<Charged<'_>> = match is_whole {
            true => vec![],
            false => uses.iter().filter(|(_, rest)| *rest > 0).copied().collect(),
        };
        Made {
            by: match is_whole && !group.used.is_empty() {
                true => by,
                false => one_rate(&apart),
            },
            fees: apart
                .iter()
                .map(|(used, _)| used.tariff.connection_fee)
                .sum(),
            at_minimum: at_minimum(&apart, self.usage_type.per_unit(), self.rounding),
            is_corrected: !group.adjusted.is_empty() || !group.corrected.is_empty(),
        }
    }
}

/// A use, and the units of it that are charged.
type Charged<'a> = (&'a Used, u64);

/// Calls use what is included in their order; the one at the boundary is split.
fn charged<'a>(used: &[&'a Used], left: &mut u64) -> Vec<Charged<'a>> {
    let rest = |used: &&'a Used| {
        let free = used.quantity.min(*left);
        *left -= free;
        (*used, used.quantity - free)
    };
    used.iter().map(rest).collect()
}

/// The rate, where all have the same.
fn one_rate(charged: &[Charged<'_>]) -> By {
    let mut rates = charged.iter().map(|(used, _)| used.tariff.rate);
    match rates.next() {
        Some(rate) if rates.all(|other| other == rate) => By::Rate(rate),
        Some(_) | None => By::Record,
    }
}

/// How many cost the minimum of their tariff, because fee and time come to less.
fn at_minimum(charged: &[Charged<'_>], per_unit: u32, rounding: Rounding) -> u32 {
    let is_at_minimum = |(used, rest): &&Charged<'_>| {
        let rounding = used.rounding.unwrap_or(rounding);
        let by_time = used.tariff.price(*rest, per_unit, rounding);
        by_time < used.tariff.minimum_charge.round(RATED_DIGITS, rounding)
    };
    let count = charged.iter().filter(is_at_minimum).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The rate of the tier that the quantity reaches: the first that does not end before
/// it.
fn reached(tiers: &[Tier], quantity: u64) -> Option<Decimal> {
    let holds = |tier: &&Tier| tier.up_to.is_none_or(|up_to| quantity <= up_to);
    tiers.iter().find(holds).map(|tier| tier.rate)
}

/// Each tier's rate applies to the units between its bounds. Rounded once.
fn by_tiers(tiers: &[Tier], quantity: u64, per_unit: u32, rounding: Rounding) -> Decimal {
    let mut reached = 0;
    let mut sum = Decimal::ZERO;
    for tier in tiers {
        let up_to = tier.up_to.unwrap_or(u64::MAX).min(quantity);
        let units = up_to.saturating_sub(reached);
        reached = reached.max(up_to);
        sum = sum + tier.rate.share(i128::from(units), 1, 12, rounding);
    }
    sum.share(1, i128::from(per_unit.max(1)), RATED_DIGITS, rounding)
}
