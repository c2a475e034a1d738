//! The draft of an account's invoice for a month: its usage, its fees, its
//! taxes and whose document it is. Pure.

use super::{
    DocumentKind, Line, LineKind, SeriesId, UsageType,
    account::{Account, PaymentMode, Profile},
    fees::{self, Fee, FeeLine},
    invoice::{Command, CustomerBlock, Head, SellerBlock},
    plan, seller,
    settle::{By, Of, Total},
    tariff::Tariff,
    tax::{self, Applied, NoRate, TaxCategory, TaxRate},
};
use crate::{
    calendar::{Date, Period, days_between},
    id::{AccountId, PlanId, TenantId},
    money::{Currency, Decimal, Rounding},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// A plan with the name that a line says, where there are some.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it says.
    pub config: &'a plan::Config,
}

/// What a draft is made of.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    /// Who pays.
    pub account: AccountId,
    /// Its name.
    pub name: &'a str,
    /// Its profile.
    pub profile: &'a Profile,
    /// What it was billed before.
    pub ledger: &'a Account,
    /// For which month.
    pub period: Period,
    /// The plan of the month's last day.
    pub plan: PlanId,
    /// All plans that it ever had, in the version that was in force at the month's end.
    pub plans: &'a BTreeMap<PlanId, Named<'a>>,
    /// Who bills.
    pub seller: &'a seller::Config,
    /// Whose installation.
    pub tenant: TenantId,
    /// What was used.
    pub totals: &'a [Total],
}

/// Why there can be no draft.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// The taxes are not known.
    #[error(transparent)]
    NoTaxRate(#[from] NoRate),
    /// The plan of the month is not known.
    #[error("the account's plan is not known")]
    NoPlan,
    /// A plan in another currency can not be billed in the account's.
    #[error("the plan {0} is in another currency than the account")]
    OtherCurrency(String),
}

/// The command that drafts the invoice; none when there is nothing to bill.
///
/// # Errors
/// When the tax or the plan is not known: nothing is billed with a guess.
pub fn draft(of: &Draft<'_>) -> Result<Option<Command>, DraftError> {
    let plan = of.plans.get(&of.plan).ok_or(DraftError::NoPlan)?.config;
    let (fee_lines, mut billed) = fees_of(of, plan.rounding);
    let mut billing = fee_lines.iter().filter_map(|line| of.plans.get(&line.plan));
    if let Some(other) = billing.find(|plan| plan.config.currency != of.profile.currency) {
        return Err(DraftError::OtherCurrency(other.name.to_owned()));
    }
    if of.totals.is_empty() && fee_lines.is_empty() {
        return Ok(None);
    }
    let mut taxes = vec![];
    // What is by another plan may be with tax where the document is without.
    let differs = |is_with: bool| (is_with != plan.is_tax_inclusive).then_some(is_with);
    let mut lines = vec![];
    for total in of.totals {
        let tax = of.tax_on(total, plan)?;
        let is_with = total.of.and_then(|of| differs(of.is_tax_inclusive));
        let of_plan = of.of_plan(total);
        let told = Told {
            total,
            of_plan: &of_plan,
            share: total.of.and_then(|of_days| of.share(&of_days)),
            tax: &tax,
            currency: of.profile.currency,
            rounding: plan.rounding,
        };
        let with = |line| said(line, is_with);
        lines.extend(told.lines().into_iter().map(with));
        taxes.push(tax);
    }
    // Which plan a fee is of matters where there are some.
    let plans: BTreeSet<PlanId> = fee_lines.iter().map(|line| line.plan).collect();
    for line in &fee_lines {
        let own = of.plans.get(&line.plan);
        let config = own.map_or(plan, |own| own.config);
        let tax = of.tax_on_fee(line, config)?;
        remember(&mut billed, line, &tax);
        let own = own.filter(|_| plans.len() > 1);
        let line = fee_line(line, own.map(|plan| plan.name), &tax);
        lines.push(said(line, differs(config.is_tax_inclusive)));
        taxes.push(tax);
    }
    let head = head(of, plan, &taxes, billed);
    Ok(Some(Command::Draft {
        head: Box::new(head),
        lines,
    }))
}

/// With which tax it will be given back.
fn remember(billed: &mut [fees::Billed], line: &FeeLine, tax: &Applied) {
    let is_it = |fee: &&mut fees::Billed| fee.plan == line.plan && fee.from == line.from;
    if !line.amount.is_negative()
        && let Some(fee) = billed.iter_mut().find(is_it)
    {
        fee.taxed = Some(fees::Taxed {
            category: tax.category,
            percent: tax.percent,
        });
    }
}

impl Draft<'_> {
    fn tax(&self, category: TaxCategory, day: Date) -> Result<Applied, NoRate> {
        tax::apply(
            &self.seller.tax_rates,
            &self.seller.country,
            &self.profile.country,
            self.profile.tax_id.is_some(),
            category,
            day,
        )
    }

    /// Of a month that was closed before that was kept, as it was then: by the plan of its
    /// last day.
    fn tax_on(&self, total: &Total, plan: &plan::Config) -> Result<Applied, NoRate> {
        match &total.of {
            Some(of) => self.tax(of.tax_category, of.taxed_on),
            None => self.tax(
                plan.tax_category_of(total.usage_type),
                last_day(self.period),
            ),
        }
    }

    /// What was billed is given back as it was billed, whatever the account is by now.
    fn tax_on_fee(&self, line: &FeeLine, plan: &plan::Config) -> Result<Applied, NoRate> {
        let wanted = plan.tax_category;
        match line.taxed {
            Some(before) => Ok(Applied::again(wanted, before.category, before.percent)),
            None => self.tax(wanted, line.taxed_on),
        }
    }

    /// By which plan it was used, and on which of its days, where the invoice has usage by
    /// more than one.
    fn of_plan(&self, total: &Total) -> String {
        let stretch = |total: &Total| total.of.map(|of| (of.plan, of.from, of.to));
        let all: BTreeSet<_> = self.totals.iter().map(stretch).collect();
        let Some((of, name)) = total.of.and_then(|of| {
            let plan = self.plans.get(&of.plan).filter(|_| all.len() > 1)?;
            Some((of, plan.name))
        }) else {
            return String::new();
        };
        match of.to.pred_opt().filter(|_| of.from < of.to) {
            Some(last) => format!(" of {name}, {} to {last}", of.from),
            None => format!(" of {name}"),
        }
    }

    /// The days of a plan that had only a part of the month, and those of the month.
    fn share(&self, of: &Of) -> Option<(u32, u32)> {
        let days = days_between(of.from, of.to);
        let all = days_between(self.period.start(), self.period.end());
        (days < all).then_some((days, all))
    }
}

/// The line, where its prices are not as those of the document with what they are with.
fn said(line: Line, is_tax_inclusive: Option<bool>) -> Line {
    let Some(is_with) = is_tax_inclusive else {
        return line;
    };
    let with = if is_with { "with" } else { "without" };
    let price = line.unit_price.map_or_else(String::new, |price| {
        format!(", at {price} each {}", line.unit)
    });
    Line {
        description: format!("{}{price}, priced {with} tax", line.description),
        // Beside an amount that is said the other way it would make none.
        unit_price: None,
        is_tax_inclusive,
        ..line
    }
}

/// The first days of other tax rates on what the account buys, by category.
pub fn turns(seller: &seller::Config, profile: &Profile) -> BTreeMap<TaxCategory, Vec<Date>> {
    let has_tax_id = profile.tax_id.is_some();
    let (rates, seller) = (&seller.tax_rates, &seller.country);
    let of = |category| {
        let turns = tax::turns(rates, seller, &profile.country, has_tax_id, category);
        (category, turns)
    };
    let all = TaxCategory::ALL.into_iter().map(of);
    all.filter(|(_, turns)| !turns.is_empty()).collect()
}

/// Whether there is a rate for everything that is on the draft. A month is closed by the
/// rates that are known, for good: before that they are to be known.
///
/// # Errors
/// The first that has none.
pub fn taxable(of: &Draft<'_>) -> Result<(), DraftError> {
    let plan = of.plans.get(&of.plan).ok_or(DraftError::NoPlan)?.config;
    for total in of.totals {
        of.tax_on(total, plan)?;
    }
    let (fees, _) = fees_of(of, plan.rounding);
    for line in &fees {
        let own = of.plans.get(&line.plan);
        of.tax_on_fee(line, own.map_or(plan, |own| own.config))?;
    }
    Ok(())
}

/// Whether each of these has a rate on all of those days.
pub fn has_rates(
    seller: &seller::Config,
    profile: &Profile,
    categories: BTreeSet<TaxCategory>,
    days: Range<Date>,
) -> bool {
    let has_tax_id = profile.tax_id.is_some();
    let (rates, from, to) = (&seller.tax_rates, &seller.country, &profile.country);
    // From one of these to the next nothing changes.
    let bounds = rates.iter().flat_map(|rate| [Some(rate.from), rate.to]);
    let bounds = bounds.flatten().filter(|day| days.contains(day));
    let mut bounds = bounds.chain([days.start]);
    bounds.all(|day| {
        let mut categories = categories.iter();
        categories.all(|it| tax::apply(rates, from, to, has_tax_id, *it, day).is_ok())
    })
}

/// A line that a person adds to a draft, taxed by the rates of
/// the last day of its month; and what must be written on the document because of its tax.
///
/// # Errors
/// When there is no rate for it.
pub fn adjustment(
    head: &Head,
    rates: &[TaxRate],
    description: String,
    amount: Decimal,
    category: TaxCategory,
) -> Result<(Line, Option<&'static str>), NoRate> {
    let (seller, buyer) = (&head.seller.country, &head.customer.country);
    let has_tax_id = head.customer.tax_id.is_some();
    let last_day = last_day(head.period);
    let tax = tax::apply(rates, seller, buyer, has_tax_id, category, last_day)?;
    let line = Line {
        kind: LineKind::Adjustment,
        description,
        quantity: Decimal::whole(1),
        unit: String::new(),
        unit_price: None,
        tax_category: tax.category,
        tax_percent: tax.percent,
        exact: amount,
        amount: Decimal::ZERO,
        is_tax_inclusive: None,
        net: Decimal::ZERO,
        tax: Decimal::ZERO,
    };
    Ok((line, tax.text))
}

fn last_day(period: Period) -> Date {
    period.end().pred_opt().unwrap_or_else(|| period.start())
}

/// Fees that fall due with this month's end. A month that is invoiced after a
/// later one has only its usage. An account that was closed pays up to that day, and gets
/// back what it has paid in advance for those after it.
fn fees_of(of: &Draft<'_>, rounding: Rounding) -> (Vec<FeeLine>, Vec<fees::Billed>) {
    let billed = &of.ledger.fees_billed;
    if of.ledger.invoiced.is_some_and(|last| last >= of.period) {
        return (vec![], billed.clone());
    }
    let through = of.period.end();
    let subscriptions: Vec<_> = of
        .ledger
        .subscriptions
        .iter()
        .filter(|subscription| subscription.effective <= through)
        .copied()
        .collect();
    let fees = of
        .plans
        .iter()
        .map(|(id, plan)| {
            let fee = Fee {
                cycle: plan.config.cycle,
                amount: plan.config.recurring_fee,
            };
            (*id, fee)
        })
        .collect();
    let since = of.ledger.invoiced.map(Period::end);
    let ends = of.ledger.ends(of.profile.zone);
    let digits = of.profile.currency.exponent();
    let (lines, wanted) = fees::due(
        (&subscriptions, ends),
        &fees,
        billed,
        since,
        through,
        digits,
        rounding,
    );
    (lines, fees::still_open(&wanted, through))
}

/// A total and what its lines say beside it.
struct Told<'a> {
    total: &'a Total,
    of_plan: &'a str,
    /// Days of the plan, and those of the month, where those are more.
    share: Option<(u32, u32)>,
    tax: &'a Applied,
    currency: Currency,
    rounding: Rounding,
}

impl Told<'_> {
    /// What is charged of a kind of usage, and what the plan includes of it.
    fn lines(&self) -> Vec<Line> {
        let total = self.total;
        let usage_type = total.usage_type;
        let title = format!("{}{}", usage_type.title(), self.of_plan);
        let line = |kind, description, units: u64| Line {
            kind,
            description,
            quantity: priced_units(usage_type, units),
            unit: usage_type.unit_name().to_owned(),
            unit_price: None,
            tax_category: self.tax.category,
            tax_percent: self.tax.percent,
            exact: Decimal::ZERO,
            amount: Decimal::ZERO,
            is_tax_inclusive: None,
            net: Decimal::ZERO,
            tax: Decimal::ZERO,
        };
        let unit_price = self.unit_price();
        let description = format!("{title}{}", self.made_of(unit_price.is_some()));
        let kind = LineKind::Usage {
            usage_type,
            included: total.included,
            rated: total.rated,
        };
        let charged = Line {
            unit_price,
            exact: total.due,
            ..line(kind, description, total.quantity - total.included)
        };
        let included = (total.included > 0).then(|| {
            let share = self.share.map_or_else(String::new, |(days, all)| {
                format!(" for {days} of {all} days")
            });
            let description = format!("{title}, included in the plan{share}");
            let kind = LineKind::Included { usage_type };
            line(kind, description, total.included)
        });
        [charged].into_iter().chain(included).collect()
    }

    /// The price of each unit, where the amount of the line is that for its quantity.
    fn unit_price(&self) -> Option<Decimal> {
        let total = self.total;
        let rate = match total.made.map(|made| made.by) {
            Some(By::Rate(rate)) => rate,
            // Of what was closed before that was kept, only the volume's price is known.
            Some(By::Volume) | None => total.volume_rate?,
            Some(By::Record | By::Tiers | By::Minimum) => return None,
        };
        let charged = total.quantity - total.included;
        let per_unit = total.usage_type.per_unit();
        let amount = Tariff::flat(rate).price(charged, per_unit, self.rounding);
        // What is rounded use by use may come to another coin.
        let digits = self.currency.exponent();
        let in_coins = |amount: Decimal| amount.round(digits, self.rounding);
        (in_coins(amount) == in_coins(total.due)).then_some(rate)
    }

    /// How the amount of a line came about, in words; nothing where quantity and price say
    /// it.
    fn made_of(&self, has_price: bool) -> String {
        let (total, digits) = (self.total, self.currency.exponent());
        let Some(made) = total.made else {
            let by_volume = total.volume_rate.map(|_| ", at the price of the volume");
            return by_volume.unwrap_or_default().to_owned();
        };
        let mut parts = vec![];
        match made.by {
            By::Rate(_) | By::Record if has_price || total.due.is_zero() => {}
            By::Rate(rate) => {
                let rate = rate.with_digits(digits);
                let unit = total.usage_type.unit_name();
                parts.push(format!("at {rate} each {unit}"));
                if made.fees.is_zero() && made.at_minimum == 0 && !made.is_corrected {
                    parts.push("rounded one by one".to_owned());
                }
            }
            By::Record => parts.push("each at its own price".to_owned()),
            By::Volume => parts.push("at the price of the volume".to_owned()),
            By::Tiers => parts.push("by tiers".to_owned()),
            By::Minimum => parts.push(match self.share {
                None => "minimum charge of the month".to_owned(),
                Some((days, all)) => format!("minimum charge of {days} of {all} days"),
            }),
        }
        if !made.fees.is_zero() {
            let fees = made.fees.with_digits(digits);
            parts.push(format!("with connection fees of {fees}"));
        }
        if made.at_minimum > 0 {
            parts.push(format!("{} at the minimum charge", made.at_minimum));
        }
        if made.is_corrected {
            parts.push("with corrections of earlier months".to_owned());
        }
        let parts = parts.iter().map(|part| format!(", {part}"));
        parts.collect()
    }
}

/// Counted units in those of the price: seconds as minutes.
fn priced_units(usage_type: UsageType, counted: u64) -> Decimal {
    let counted = Decimal::whole(i64::try_from(counted).unwrap_or(i64::MAX));
    let per_unit = i128::from(usage_type.per_unit());
    counted.share(1, per_unit, 6, Rounding::HalfEven)
}

fn fee_line(line: &FeeLine, plan: Option<&str>, tax: &Applied) -> Line {
    let of = plan.map_or_else(String::new, |name| format!(" of {name}"));
    let unused = if line.amount.is_negative() {
        ", days not used"
    } else {
        ""
    };
    // A part of it can be checked only beside the whole.
    let whole = match line.days == line.of_days {
        true => String::new(),
        false => format!(", {} for {}", line.fee.abs(), line.of_days),
    };
    Line {
        kind: LineKind::Fee {
            from: line.from,
            to: line.to,
        },
        description: format!(
            "Recurring fee{of}{unused} ({} of {} days{whole})",
            line.days, line.of_days
        ),
        quantity: Decimal::whole(i64::from(line.days)),
        unit: "day".to_owned(),
        unit_price: None,
        tax_category: tax.category,
        tax_percent: tax.percent,
        exact: line.amount,
        amount: Decimal::ZERO,
        is_tax_inclusive: None,
        net: Decimal::ZERO,
        tax: Decimal::ZERO,
    }
}

fn head(of: &Draft<'_>, plan: &plan::Config, taxes: &[Applied], fees: Vec<fees::Billed>) -> Head {
    let seller = of.seller;
    let texts: BTreeSet<&str> = taxes.iter().filter_map(|tax| tax.text).collect();
    // Of one that is issued later it is that year: the invoice decides when it is.
    let year = if seller.is_yearly_series {
        Period::of(of.period.end()).year()
    } else {
        0
    };
    let series = |document| SeriesId {
        tenant: of.tenant,
        document,
        year,
    };
    let prefix = |prefix: &str| {
        if seller.is_yearly_series {
            format!("{prefix}{year}-")
        } else {
            prefix.to_owned()
        }
    };
    Head {
        account: of.account,
        period: of.period,
        currency: of.profile.currency,
        zone: of.profile.zone,
        is_tax_inclusive: plan.is_tax_inclusive,
        rounding: plan.rounding,
        seller: SellerBlock {
            name: seller.name.clone(),
            address: seller.address.clone(),
            country: seller.country.clone(),
            tax_id: seller.tax_id.clone(),
            payment_lines: seller.payment_lines.clone(),
        },
        customer: CustomerBlock {
            name: of.name.to_owned(),
            holder: of.profile.holder.clone(),
            country: of.profile.country.clone(),
            tax_id: of.profile.tax_id.clone(),
        },
        texts: texts.into_iter().map(str::to_owned).collect(),
        series: series(DocumentKind::Invoice),
        number_prefix: prefix(&seller.invoice_prefix),
        credit_note_series: series(DocumentKind::CreditNote),
        credit_note_prefix: prefix(&seller.credit_note_prefix),
        due_days: seller.due_days,
        reminder_days: seller.dunning.reminder_days.clone(),
        suspend_days: seller.dunning.suspend_days,
        fees,
        is_approved: !seller.is_approval_required,
        is_prepaid: of.profile.payment_mode == PaymentMode::Prepaid,
    }
}

#[cfg(test)]
mod drafts;
#[cfg(test)]
mod tests;
