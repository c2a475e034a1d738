//! Accounts, plans, decks and what calls cost, as clients read them.

use crate::{
    error::Fault,
    query::{services, views},
    scalar::{Amount, Cursor, DateTime, count},
    types::words::{AccountStatus, PaymentMethod, PaymentMode, UsageKind},
};
use async_graphql::{Context, ID, Json, Object, Result, SimpleObject};
use domain::{billing::account::Status, money::Decimal};
use projections::billing::{accounts, decks, plans, usage};
use serde_json::Value;

/// A plain UUID, as it stands in events.
pub(crate) fn id(id: impl ToString) -> ID {
    ID(id.to_string())
}

/// A word or value of the record as JSON.
pub(super) fn json(value: &impl serde::Serialize) -> Json<Value> {
    Json(serde_json::to_value(value).unwrap_or(Value::Null))
}

/// Whom to write to about invoices.
#[derive(SimpleObject)]
pub(crate) struct BillingContact {
    /// Name.
    name: String,
    /// E-mail address.
    email: Option<String>,
    /// Postal address, line by line.
    address: Vec<String>,
}

/// An account.
pub(crate) struct Account(pub(crate) accounts::Row);

/// Who pays: what it owes, has and reserves.
#[Object(name = "Account")]
impl Account {
    /// UUID.
    async fn id(&self) -> ID {
        id(self.0.account)
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Name and address of who it belongs to, line by line; null once erased.
    async fn holder(&self) -> Option<Vec<&str>> {
        let party = self.0.holder.as_ref()?;
        let text = party.display_name.as_deref()?;
        Some(text.lines().collect())
    }

    /// Whom to write to about invoices; null once erased.
    async fn billing_contact(&self) -> Option<BillingContact> {
        let contact = self.0.holder.as_ref()?.contact.clone()?;
        Some(BillingContact {
            name: contact.name,
            email: contact.email,
            address: contact.address,
        })
    }

    /// Its currency.
    async fn currency(&self) -> Option<String> {
        let profile = self.0.state.profile.as_ref()?;
        Some(profile.currency.to_string())
    }

    /// Where its months begin.
    async fn time_zone(&self) -> Option<String> {
        let profile = self.0.state.profile.as_ref()?;
        Some(profile.zone.to_string())
    }

    /// ISO 3166 code.
    async fn country(&self) -> Option<&str> {
        let profile = self.0.state.profile.as_ref()?;
        Some(&profile.country)
    }

    /// Tax id.
    async fn tax_id(&self) -> Option<&str> {
        self.0.state.profile.as_ref()?.tax_id.as_deref()
    }

    /// When it pays.
    async fn payment_mode(&self) -> Option<PaymentMode> {
        let profile = self.0.state.profile.as_ref()?;
        Some(profile.payment_mode.into())
    }

    /// Counts the changes of its profile, from 1: for `expectedRevision`.
    async fn revision(&self) -> i32 {
        count(self.0.state.config_version)
    }

    /// It is paid by itself.
    async fn auto_pay(&self) -> bool {
        let profile = self.0.state.profile.as_ref();
        profile.is_some_and(|profile| profile.is_auto_pay)
    }

    /// Numbers, queues, agents and trunks whose calls it pays for.
    async fn owned(&self) -> Option<Json<Value>> {
        let profile = self.0.state.profile.as_ref()?;
        Some(json(&profile.owned))
    }

    /// Counts what people decided about its money and what was posted to it, not its calls:
    /// whoever orders something about money may say which one was seen.
    async fn ledger_revision(&self) -> i32 {
        count(u64::from(self.0.state.ledger_version))
    }

    /// Whether it may place calls.
    async fn status(&self) -> AccountStatus {
        match self.0.state.status {
            Status::Unborn | Status::Active => AccountStatus::Active,
            Status::Suspended(_) => AccountStatus::Suspended,
            Status::Closed => AccountStatus::Closed,
        }
    }

    /// How far it may go below nothing; null for no limit.
    async fn credit_limit(&self) -> Option<Amount> {
        self.0.state.limit().map(Amount)
    }

    /// What was paid and went to no invoice.
    async fn credit(&self) -> Amount {
        Amount(self.0.state.credit.max(Decimal::ZERO))
    }

    /// What is open of its invoices, and what it owes beside them.
    async fn owed(&self) -> Amount {
        Amount(self.0.state.owed())
    }

    /// What of that is overdue by now; more than zero: something is.
    async fn overdue(&self, ctx: &Context<'_>) -> Result<Amount> {
        let now = services(ctx)?.clock.now();
        Ok(Amount(self.0.state.overdue(now)))
    }

    /// What is kept for running calls.
    async fn reserved(&self) -> Amount {
        Amount(self.0.state.reserved_sum())
    }

    /// What calls cost that are on no invoice yet, without tax.
    async fn unbilled(&self, ctx: &Context<'_>) -> Result<Amount> {
        let state = &self.0.state;
        let unbilled = views(ctx)?.unbilled(self.0.account, &state.posted).await;
        Ok(Amount(unbilled.map_err(Fault::from)?))
    }

    /// Credit less what is owed and what is on no invoice yet: below zero is
    /// owed.
    async fn balance(&self, ctx: &Context<'_>) -> Result<Amount> {
        let state = &self.0.state;
        let unbilled = views(ctx)?.unbilled(self.0.account, &state.posted).await;
        let unbilled = unbilled.map_err(Fault::from)?;
        let credit = state.credit.max(Decimal::ZERO);
        Ok(Amount(credit - state.owed() - unbilled))
    }

    /// Its plans, each from a day on.
    async fn subscriptions(&self) -> Json<Value> {
        json(&self.0.state.subscriptions)
    }

    /// Everything that was owed and paid, the oldest first.
    async fn ledger(&self) -> Vec<LedgerEntry> {
        let entries = self.0.entries.iter();
        entries
            .map(|entry| LedgerEntry {
                at: DateTime(entry.at),
                kind: json(&entry.kind),
                reference: entry.reference.clone(),
                amount: Amount(entry.amount),
                balance: Amount(entry.balance),
            })
            .collect()
    }

    /// Its payments, the oldest first.
    async fn payments(&self) -> Vec<Payment> {
        self.0.payments.iter().cloned().map(Payment).collect()
    }

    /// The event that last changed it.
    async fn position(&self) -> Cursor {
        Cursor(self.0.position)
    }
}

/// A line of an account's ledger.
#[derive(SimpleObject)]
pub(crate) struct LedgerEntry {
    /// When.
    at: DateTime,
    /// What for: an invoice, a payment, a credit note, by id.
    kind: Json<Value>,
    /// Number of the document, or what the payer wrote.
    reference: String,
    /// Below zero is owed.
    amount: Amount,
    /// Sum of all entries up to this one.
    balance: Amount,
}

/// A payment.
pub(crate) struct Payment(accounts::Payment);

/// A payment that came in.
#[Object]
impl Payment {
    /// UUID.
    async fn id(&self) -> ID {
        id(self.0.payment)
    }

    /// When it was recorded.
    async fn at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    /// How much.
    async fn amount(&self) -> Amount {
        Amount(self.0.amount)
    }

    /// How it came.
    async fn method(&self) -> PaymentMethod {
        self.0.method.into()
    }

    /// What the payer or the bank wrote.
    async fn reference(&self) -> &str {
        &self.0.reference
    }

    /// What went to which invoice.
    async fn allocations(&self) -> Json<Value> {
        json(&self.0.allocations)
    }

    /// What became credit.
    async fn credit(&self) -> Amount {
        Amount(self.0.credit)
    }

    /// When it was taken back; null if it was not.
    async fn reversed_at(&self) -> Option<DateTime> {
        self.0.reversed.as_ref().map(|(at, _)| DateTime(*at))
    }
}

/// A plan.
pub(crate) struct Plan(pub(crate) plans::Row);

/// What things cost, and the fee for being able to use them.
#[Object(name = "RatePlan")]
impl Plan {
    /// UUID.
    async fn id(&self) -> ID {
        id(self.0.plan)
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Counts its changes, from 1.
    async fn revision(&self) -> i32 {
        count(self.0.config_version)
    }

    /// Everything that can change of it, as it stands in the record.
    async fn config(&self) -> Json<Value> {
        json(&self.0.config)
    }
}

/// A version of a deck.
pub(crate) struct Deck(pub(crate) decks::Row);

/// One version of a rate deck, which never changes once it is published.
#[Object(name = "Deck")]
impl Deck {
    /// UUID of the deck and number of the version.
    async fn id(&self) -> ID {
        id(self.0.deck)
    }

    /// UUID of the deck in all its versions.
    async fn deck_id(&self) -> ID {
        id(self.0.deck.deck)
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.header.name
    }

    /// Number of the version, from 1.
    async fn version(&self) -> i32 {
        count(self.0.deck.version)
    }

    /// Currency of its prices.
    async fn currency(&self) -> String {
        self.0.header.currency.to_string()
    }

    /// Rows that it has.
    async fn rows_count(&self) -> i32 {
        count(self.0.rows_count)
    }

    /// SHA-256 over all of it, once it is published.
    async fn hash(&self) -> Option<&str> {
        self.0.hash.as_deref()
    }

    /// When it was published.
    async fn published_at(&self) -> Option<DateTime> {
        self.0.published_at.map(DateTime)
    }
}

/// Usage of one kind in one month.
pub(crate) struct UsageRow(pub(crate) usage::Summary);

/// Usage of one kind in one month at the prices of the plan, with tax where those are, and
/// before what it includes. What a later rating takes back of a closed month counts below zero.
#[Object]
impl UsageRow {
    /// The month.
    async fn period(&self) -> String {
        self.0.period.to_string()
    }

    /// The kind.
    async fn usage_type(&self) -> UsageKind {
        self.0.usage_type.into()
    }

    /// Records; below 0 when more was taken back than recorded.
    async fn count(&self) -> i32 {
        count(self.0.count)
    }

    /// Counted units: seconds of calls, as billed.
    async fn quantity(&self) -> Amount {
        Amount(Decimal::whole(self.0.quantity))
    }

    /// What it costs.
    async fn amount(&self) -> Amount {
        Amount(self.0.amount)
    }
}
