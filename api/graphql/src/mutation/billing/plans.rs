//! Orders about plans.

use super::{BillingPayload, read};
use crate::{
    auth::Scope,
    error::{Fault, fault_of},
    mutation::{Order, UserError},
    query::Needs,
    scalar::{Amount, Duration},
    types::words::{CycleKind, RoundingKind, TaxKind, UsageKind},
};
use async_graphql::{Context, ID, InputObject, Object, OneofObject, Result};
use commands::deck_import;
use domain::{
    any::AnyCommand,
    billing::{
        Command, UsageType,
        plan::{self, Config, Price, Term, Tier},
        tariff::Tariff,
    },
    id::{DeckId, PlanId, TenantId},
    money::Decimal,
};
use std::collections::BTreeMap;

#[derive(Default)]
pub(crate) struct PlanMutations;

/// One price for all.
#[derive(InputObject)]
pub(crate) struct TariffInput {
    /// Price of one unit: a minute, a message, a gigabyte.
    rate: Amount,
    /// Seconds that are charged at least.
    #[graphql(default = 1)]
    first_increment_s: u32,
    /// Seconds by which the charge grows after that.
    #[graphql(default = 1)]
    next_increment_s: u32,
    /// Once for each answered call.
    connection_fee: Option<Amount>,
    /// An answered call costs at least that.
    minimum_charge: Option<Amount>,
    /// A call shorter than this many seconds costs nothing.
    #[graphql(default)]
    grace_s: u32,
}

/// A step of a tiered price.
#[derive(InputObject)]
pub(crate) struct TierInput {
    /// Counted units up to which it applies; null for the last one.
    up_to: Option<Duration>,
    /// Price of one unit.
    rate: Amount,
}

/// Where a price comes from.
#[derive(OneofObject)]
pub(crate) enum PriceInput {
    /// The newest published version of the deck of that name.
    Deck(String),
    /// One price for all.
    Flat(TariffInput),
    /// The more is used, the next tier applies to what is beyond.
    Tiers(Vec<TierInput>),
    /// The tier that a month reaches applies to all that is charged in it.
    Volume(Vec<TierInput>),
}

/// What a plan says of one kind of usage.
#[derive(InputObject)]
pub(crate) struct TermInput {
    /// Of which kind.
    usage_type: UsageKind,
    /// What it costs.
    price: PriceInput,
    /// Counted units of a month that cost nothing: seconds, messages, megabytes.
    included: Option<Duration>,
    /// A month in which it is used costs at least that.
    minimum_charge: Option<Amount>,
    /// Which tax is on it; the plan's when not given.
    tax_category: Option<TaxKind>,
}

/// A plan to be made.
#[derive(InputObject)]
pub(crate) struct CreateRatePlanInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// 1 to 64 letters, digits, `.`, `-`, `_`.
    name: String,
    /// Only if the plan of that name is at this `revision` still, 0 where there is none:
    /// else the answer is `CONFLICT`, and nothing is done.
    expected_revision: Option<i32>,
    /// Of every price in it.
    currency: String,
    /// How often the fee falls due.
    cycle: CycleKind,
    /// The fee of one cycle, paid in advance.
    recurring_fee: Option<Amount>,
    /// Prices are with tax.
    #[graphql(default)]
    tax_inclusive: bool,
    /// Which tax is on the fee and on every use whose term names none; the standard
    /// rate when not given.
    tax_category: Option<TaxKind>,
    /// How amounts are rounded; half to even when not given.
    rounding: Option<RoundingKind>,
    /// What each kind of usage costs.
    terms: Vec<TermInput>,
}

fn amount(amount: Option<Amount>) -> Decimal {
    amount.map_or(Decimal::ZERO, |amount| amount.0)
}

fn price(tenant: TenantId, input: PriceInput) -> Price {
    match input {
        PriceInput::Deck(name) => Price::Deck(DeckId::named(tenant, &name)),
        PriceInput::Flat(tariff) => Price::Flat(Tariff {
            rate: tariff.rate.0,
            first_increment_s: tariff.first_increment_s,
            next_increment_s: tariff.next_increment_s,
            connection_fee: amount(tariff.connection_fee),
            minimum_charge: amount(tariff.minimum_charge),
            grace_s: tariff.grace_s,
        }),
        PriceInput::Tiers(input) => Price::Tiers(tiers(input)),
        PriceInput::Volume(input) => Price::Volume(tiers(input)),
    }
}

fn tiers(input: Vec<TierInput>) -> Vec<Tier> {
    let tiers = input.into_iter().map(|tier| Tier {
        up_to: tier.up_to.map(|units| units.0),
        rate: tier.rate.0,
    });
    tiers.collect()
}

fn config(tenant: TenantId, input: CreateRatePlanInput) -> Result<Config, UserError> {
    let mut terms = BTreeMap::new();
    for term in input.terms {
        let usage_type = UsageType::from(term.usage_type);
        let term = Term {
            price: price(tenant, term.price),
            included: term.included.map_or(0, |units| units.0),
            minimum_charge: amount(term.minimum_charge),
            tax_category: term.tax_category.map(Into::into),
        };
        if terms.insert(usage_type, term).is_some() {
            return Err(super::invalid("terms", "name a kind of usage twice"));
        }
    }
    Ok(Config {
        currency: read(&input.currency, "currency")?,
        cycle: input.cycle.into(),
        recurring_fee: amount(input.recurring_fee),
        is_tax_inclusive: input.tax_inclusive,
        tax_category: input.tax_category.unwrap_or(TaxKind::Standard).into(),
        rounding: input.rounding.unwrap_or(RoundingKind::HalfEven).into(),
        terms,
    })
}

/// A deck of the plan that is in another currency: it could never price anything. One that
/// is not there yet is imported later.
async fn unfit(order: &Order<'_>, config: &Config) -> Result<Option<UserError>, Fault> {
    let invoicing = &order.services.invoicing;
    invoicing.books.wait_for(invoicing.feed.head()).await;
    for (usage_type, term) in &config.terms {
        let Price::Deck(deck) = &term.price else {
            continue;
        };
        let newest = invoicing.books.read(|books| books.newest(*deck));
        let Some(newest) = newest else { continue };
        let currency = deck_import::currency(invoicing.log.as_ref(), newest).await;
        let currency = currency.map_err(|error| fault_of(&error))?;
        if let Some(currency) = currency.filter(|currency| *currency != config.currency) {
            let reason = format!(
                "the deck of {} is in {currency}, and the plan in {}",
                usage_type.title(),
                config.currency
            );
            return Ok(Some(super::invalid("terms", &reason)));
        }
    }
    Ok(None)
}

#[Object]
impl PlanMutations {
    /// Makes a plan, or gives the one of that name this configuration.
    #[graphql(guard = "Needs(Scope::BillingManage)")]
    async fn create_rate_plan(
        &self,
        ctx: &Context<'_>,
        input: CreateRatePlanInput,
    ) -> Result<BillingPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let tenant = order.identity.tenant;
        let (name, revision) = (input.name.clone(), input.expected_revision);
        let plan = PlanId::named(tenant, &name);
        let config = match config(tenant, input) {
            Ok(config) => config,
            Err(error) => return Ok(error.into()),
        };
        if let Some(error) = unfit(&order, &config).await? {
            return Ok(error.into());
        }
        let command = Command::Plan(plan, plan::Command::Configure { name, config });
        let command = AnyCommand::Billing(Box::new(command));
        let outcome = order.dispatch_expecting(command, plan.0, revision);
        Ok(BillingPayload::new(plan, outcome.await?))
    }
}
