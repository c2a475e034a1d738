//! What a call costs, as clients read it.

use crate::{
    error::Fault,
    id::Named,
    loader::{ChargeOf, Loaded},
    scalar::{Amount, Cursor, DateTime, Duration, count},
    types::{
        Moment,
        billing::{id, json},
        words::{ChargeState, UsageKind},
    },
};
use async_graphql::{Context, ID, Json, Object, Result, SimpleObject};
use domain::{
    billing::{rating::Bill, usage::Record},
    id::CallId,
};
use projections::billing::charges::{self, Superseded};
use serde_json::Value;

/// An amount of a currency.
#[derive(SimpleObject)]
pub(crate) struct Money {
    /// How much.
    amount: Amount,
    /// ISO 4217 code, or one's own; null of a call that costs nothing because nothing of
    /// it was used.
    currency: Option<String>,
}

/// The price of a call.
pub(crate) struct Charge(pub(crate) charges::Row);

impl Charge {
    /// What is known of the price of a call; none when it was never rated.
    pub(crate) async fn of(ctx: &Context<'_>, call: CallId) -> Result<Option<Self>> {
        let row = ctx.data::<Loaded>()?.load_one(ChargeOf(call)).await;
        Ok(row.map_err(Fault::from)?.map(Self))
    }

    /// What was known then.
    pub(crate) fn as_of(&self, moment: Moment) -> Option<Self> {
        self.0.as_of(moment.position).map(Self)
    }

    /// What it comes to, if it has a price.
    pub(crate) fn cost(&self) -> Option<Money> {
        Some(Money {
            amount: Amount(self.0.amount()?),
            currency: currency(self.0.bill.as_ref()),
        })
    }
}

fn currency(bill: Option<&Bill>) -> Option<String> {
    let record = bill?.records.first()?;
    Some(record.currency.to_string())
}

fn amount(bill: &Bill) -> Amount {
    Amount(bill.records.iter().map(|record| record.amount).sum())
}

/// What a call costs, or why it has no price: what its own records come to, without tax
/// and before what the month includes.
#[Object(name = "CallCharge")]
impl Charge {
    /// The call.
    async fn call_id(&self) -> ID {
        self.0.call.opaque()
    }

    /// Whether it has a price, and costs anything.
    async fn state(&self) -> ChargeState {
        self.0.standing().into()
    }

    /// Who pays, or would.
    async fn account_id(&self) -> Option<ID> {
        self.0.account().map(id)
    }

    /// How often it was rated; 0 if never.
    async fn revision(&self) -> i32 {
        count(self.0.revision)
    }

    /// On the invoice of which month.
    async fn period(&self) -> Option<String> {
        Some(self.0.bill.as_ref()?.period.to_string())
    }

    /// What was used, each leg by itself; nothing when nobody answered.
    async fn lines(&self) -> Vec<ChargeLine> {
        let bill = self.0.bill.iter();
        let records = bill.flat_map(|bill| bill.records.iter().cloned());
        records.map(ChargeLine).collect()
    }

    /// What was used, as it stands in the record.
    async fn records(&self) -> Option<Json<Value>> {
        Some(json(&self.0.bill.as_ref()?.records))
    }

    /// What all of it costs, without tax.
    async fn amount(&self) -> Option<Amount> {
        self.0.amount().map(Amount)
    }

    /// Currency of the amount; null where nothing was used.
    async fn currency(&self) -> Option<String> {
        currency(self.0.bill.as_ref())
    }

    /// Why it is to have no price; null where nobody has said so.
    async fn dismissed_reason(&self) -> Option<&str> {
        self.0.dismissed.as_deref()
    }

    /// Why it has no price; null when it has one.
    async fn unrated_reason(&self) -> Option<Json<Value>> {
        self.0.unrated.as_ref().map(|(_, reason)| json(reason))
    }

    /// When it was rated last.
    async fn at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    /// Why it was rated again; null where it was not.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// What was said before it was rated again, the oldest first.
    async fn superseded(&self) -> Vec<SupersededCharge> {
        let superseded = self.0.superseded.iter();
        superseded.map(SupersededCharge::from).collect()
    }

    /// The event that last changed it.
    async fn position(&self) -> Cursor {
        Cursor(self.0.position)
    }
}

/// What was said of a call's price before.
#[derive(SimpleObject)]
pub(crate) struct SupersededCharge {
    /// How often it was rated by then.
    revision: i32,
    /// Who paid, or would have.
    account_id: Option<ID>,
    /// What it cost, without tax; null when it had no price.
    amount: Option<Amount>,
    /// Why it had none.
    unrated_reason: Option<Json<Value>>,
    /// Why it was to have none; null where nobody had said so.
    dismissed_reason: Option<String>,
    /// When it was said.
    at: DateTime,
    /// The event that said so.
    position: Cursor,
}

impl From<&Superseded> for SupersededCharge {
    fn from(before: &Superseded) -> Self {
        let bill = before.bill.as_ref();
        let unrated = before.unrated.as_ref();
        let account = bill.map(|bill| bill.account);
        let account = account.or_else(|| unrated.and_then(|(account, _)| *account));
        Self {
            revision: count(before.revision),
            account_id: account.map(id),
            amount: bill.map(amount),
            unrated_reason: unrated.map(|(_, reason)| json(reason)),
            dismissed_reason: before.dismissed.clone(),
            at: DateTime(before.at),
            position: Cursor(before.position),
        }
    }
}

/// A leg of a call that is charged.
pub(crate) struct ChargeLine(Record);

/// One leg's use of a call: by which tariff of which plan and deck, and what it costs.
#[Object]
impl ChargeLine {
    /// Id of the leg, as it stands in events.
    async fn leg_id(&self) -> ID {
        ID(self.0.leg.to_string())
    }

    /// Of which kind.
    async fn usage_type(&self) -> UsageKind {
        self.0.usage_type.into()
    }

    /// When the leg was answered.
    async fn answered_at(&self) -> DateTime {
        DateTime(self.0.answered_at)
    }

    /// When it was over.
    async fn ended_at(&self) -> DateTime {
        DateTime(self.0.ended_at)
    }

    /// Seconds that are charged, by the increments of the tariff.
    async fn billed_s(&self) -> Duration {
        Duration(self.0.quantity)
    }

    /// Price of a minute.
    async fn rate(&self) -> Amount {
        Amount(self.0.tariff.rate)
    }

    /// Once for the answer.
    async fn connection_fee(&self) -> Amount {
        Amount(self.0.tariff.connection_fee)
    }

    /// What it costs at least.
    async fn minimum_charge(&self) -> Amount {
        Amount(self.0.tariff.minimum_charge)
    }

    /// What it costs, without tax: six digits.
    async fn amount(&self) -> Amount {
        Amount(self.0.amount)
    }

    /// Currency of all of that.
    async fn currency(&self) -> String {
        self.0.currency.to_string()
    }

    /// By which plan.
    async fn plan_id(&self) -> ID {
        id(self.0.plan)
    }

    /// In which version.
    async fn plan_revision(&self) -> i32 {
        count(self.0.plan_version)
    }

    /// Deck and its version; null where the plan has no deck for that.
    async fn deck_id(&self) -> Option<ID> {
        self.0.matched.as_ref().map(|row| id(row.deck))
    }

    /// Number of the row of the deck, from 1.
    async fn deck_row(&self) -> Option<i32> {
        self.0.matched.as_ref().map(|row| count(row.row))
    }

    /// The prefix that matched.
    async fn prefix(&self) -> Option<&str> {
        let matched = self.0.matched.as_ref();
        matched.map(|row| row.prefix.as_str())
    }

    /// Where that leads, as the deck says.
    async fn destination(&self) -> Option<&str> {
        let matched = self.0.matched.as_ref();
        let described = matched.map(|row| row.description.as_str());
        described.filter(|text| !text.is_empty())
    }
}
