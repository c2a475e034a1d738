//! Accounts, plans, decks, usage and invoices.

use crate::{
    auth::Scope,
    error::{Code, Fault, fault_of},
    id::Named,
    paging::{self, Asked, List},
    query::{Needs, services, views_at},
    scalar::{Cursor, DateTime},
    types::{
        Account, Charge, Deck, Invoice, Plan, RateQuote, Seller, UsageRow,
        words::{InvoiceStanding, UsageKind},
    },
};
use async_graphql::{Context, ID, InputObject, Object, Result};
use commands::rater;
use domain::{
    billing::UsageType,
    calendar::Period,
    id::{AccountId, CallId, InvoiceId, PlanId},
};
use projections::{
    billing::{accounts, charges, invoices},
    changed::View,
};
use std::time::Duration;
use uuid::Uuid;

#[derive(Default)]
pub(crate) struct BillingQueries;

/// A UUID that a client sent.
pub(crate) fn uuid(id: &ID, what: &str, field: &'static str) -> Result<Uuid, Fault> {
    let invalid = |_| Fault::field(field, &format!("{:?} is no id of {what}", id.as_str()));
    Uuid::parse_str(id).map_err(invalid)
}

/// A month that a client sent.
pub(crate) fn period(text: &str, field: &'static str) -> Result<Period, Fault> {
    let invalid = |_| Fault::field(field, &format!("{text:?} is no month: it is YYYY-MM"));
    text.parse().map_err(invalid)
}

/// A stretch from the first to the last, both in it.
pub(crate) fn in_order<T: PartialOrd>(from: T, to: T) -> Result<(T, T), Fault> {
    match from > to {
        true => Err(Fault::field("from", "is after to")),
        false => Ok((from, to)),
    }
}

/// Which invoices; what is not given lets every one through.
#[derive(InputObject, Default)]
pub(crate) struct InvoiceFilter {
    /// That this account pays.
    account_id: Option<ID>,
    /// For this month.
    period: Option<String>,
    /// That stand in one of these ways.
    status: Option<Vec<InvoiceStanding>>,
}

#[Object]
impl BillingQueries {
    /// An account by id.
    #[graphql(guard = "Needs(Scope::BillingRead)")]
    async fn account(
        &self,
        ctx: &Context<'_>,
        id: ID,
        min_position: Option<Cursor>,
    ) -> Result<Option<Account>> {
        let needed = [View::Accounts, View::Usage];
        let views = views_at(ctx, &needed, min_position).await?;
        let account = AccountId(uuid(&id, "an account", "id")?);
        let row = views.account(account).await.map_err(Fault::from)?;
        Ok(row.map(Account))
    }

    /// Accounts by name.
    #[graphql(guard = "Needs(Scope::BillingRead)")]
    async fn accounts(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Cursor>,
    ) -> Result<List<Account>> {
        let needed = [View::Accounts, View::Usage];
        let views = views_at(ctx, &needed, min_position).await?;
        let filter = accounts::Filter::default();
        let read = async |page| views.accounts(&filter, &page).await;
        paging::list(Asked::first(first, after), read, Account).await
    }

    /// Who bills, and by which rules; null before that was said.
    #[graphql(guard = "Needs(Scope::BillingRead)")]
    async fn seller(
        &self,
        ctx: &Context<'_>,
        min_position: Option<Cursor>,
    ) -> Result<Option<Seller>> {
        let services = services(ctx)?;
        let (feed, books) = (&services.invoicing.feed, &services.invoicing.books);
        let asked = min_position.map_or_else(|| feed.head(), Into::into);
        let patience = Duration::from_millis(services.options.position_timeout_ms);
        let seen = tokio::time::timeout(patience, books.wait_for(asked.max(feed.head())));
        seen.await.map_err(|_elapsed| {
            Fault::new(
                Code::Stale,
                "the books have not got as far as that position",
            )
        })?;
        Ok(books.read(|books| {
            let revision = books.seller_version();
            books.seller().map(|config| Seller { config, revision })
        }))
    }

    /// Plans by name.
    #[graphql(guard = "Needs(Scope::BillingRead)")]
    async fn rate_plans(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Cursor>,
    ) -> Result<List<Plan>> {
        let views = views_at(ctx, &[View::Plans], min_position).await?;
        let read = async |page| views.plans(&page).await;
        paging::list(Asked::first(first, after), read, Plan).await
    }

    /// A plan by id.
    #[graphql(guard = "Needs(Scope::BillingRead)")]
    async fn rate_plan(
        &self,
        ctx: &Context<'_>,
        id: ID,
        min_position: Option<Cursor>,
    ) -> Result<Option<Plan>> {
        let views = views_at(ctx, &[View::Plans], min_position).await?;
        let row = views.plan(PlanId(uuid(&id, "a plan", "id")?)).await;
        Ok(row.map_err(Fault::from)?.map(Plan))
    }

    /// Versions of decks by name.
    #[graphql(guard = "Needs(Scope::BillingRead)")]
    async fn decks(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Cursor>,
    ) -> Result<List<Deck>> {
        let views = views_at(ctx, &[View::Decks], min_position).await?;
        let read = async |page| views.decks(&page).await;
        paging::list(Asked::first(first, after), read, Deck).await
    }

    /// What an account used from one month to another, both counted, by kind.
    #[graphql(guard = "Needs(Scope::BillingRead)")]
    async fn usage_summary(
        &self,
        ctx: &Context<'_>,
        account_id: ID,
        #[graphql(desc = "`YYYY-MM`.")] from: String,
        #[graphql(desc = "`YYYY-MM`.")] to: String,
        min_position: Option<Cursor>,
    ) -> Result<Vec<UsageRow>> {
        let views = views_at(ctx, &[View::Usage], min_position).await?;
        let account = AccountId(uuid(&account_id, "an account", "accountId")?);
        let (from, to) = in_order(period(&from, "from")?, period(&to, "to")?)?;
        let rows = views
            .usage_summary(account, from, to)
            .await
            .map_err(Fault::from)?;
        Ok(rows.into_iter().map(UsageRow).collect())
    }

    /// What a call costs.
    #[graphql(guard = "Needs(Scope::BillingRead)")]
    async fn call_charge(
        &self,
        ctx: &Context<'_>,
        call_id: ID,
        min_position: Option<Cursor>,
    ) -> Result<Option<Charge>> {
        let views = views_at(ctx, &[View::Charges], min_position).await?;
        let row = views.charge(CallId::read(&call_id, "callId")?).await;
        Ok(row.map_err(Fault::from)?.map(Charge))
    }

    /// What a call would cost by a plan, and why; null where there is no such plan.
    /// The longest prefix that fits the number counts, of the deck as it is published then.
    #[graphql(guard = "Needs(Scope::BillingRead)")]
    async fn rate_quote(
        &self,
        ctx: &Context<'_>,
        plan_id: ID,
        #[graphql(desc = "A number in E.164.")] to: String,
        seconds: i32,
        #[graphql(desc = "When it is answered; now when not given.")] at: Option<DateTime>,
        #[graphql(desc = "A call out within the country when not given.")] usage_type: Option<
            UsageKind,
        >,
    ) -> Result<Option<RateQuote>> {
        let services = services(ctx)?;
        let seconds = u32::try_from(seconds);
        if !to.is_empty() && domain::rating::digits(&to).is_none() {
            return Err(Fault::field("to", "is not a number").into());
        }
        let usage_type = usage_type.map_or(UsageType::OutboundMinutes, Into::into);
        let asked = rater::Asked {
            plan: PlanId(uuid(&plan_id, "a plan", "planId")?),
            usage_type,
            number: to,
            at: at.map_or_else(|| services.clock.now(), |at| at.0),
            seconds: seconds.map_err(|_| Fault::field("seconds", "are below 0"))?,
        };
        let explained = services.rater.explain(&asked).await;
        let explained = explained.map_err(|error| fault_of(&error))?;
        Ok(explained.map(|explained| RateQuote {
            usage_type,
            explained,
        }))
    }

    /// Calls that have no price: each waits for a person.
    #[graphql(guard = "Needs(Scope::BillingRead)")]
    async fn unrated_calls(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Cursor>,
    ) -> Result<List<Charge>> {
        let views = views_at(ctx, &[View::Charges], min_position).await?;
        let filter = charges::Filter {
            unrated: Some(true),
            ..charges::Filter::default()
        };
        let read = async |page| views.charges(&filter, &page).await;
        paging::list(Asked::first(first, after), read, Charge).await
    }

    /// An invoice by id or by number.
    #[graphql(guard = "Needs(Scope::BillingRead)")]
    async fn invoice(
        &self,
        ctx: &Context<'_>,
        id: Option<ID>,
        number: Option<String>,
        min_position: Option<Cursor>,
    ) -> Result<Option<Invoice>> {
        let row = invoice_of(ctx, "id", (id, number), min_position).await?;
        Ok(row.map(Invoice))
    }

    /// Invoices, the one drafted last first.
    #[graphql(guard = "Needs(Scope::BillingRead)")]
    async fn invoices(
        &self,
        ctx: &Context<'_>,
        filter: Option<InvoiceFilter>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Cursor>,
    ) -> Result<List<Invoice>> {
        let views = views_at(ctx, &[View::Invoices], min_position).await?;
        let filter = filter.unwrap_or_default();
        let account = filter
            .account_id
            .map(|id| uuid(&id, "an account", "accountId"))
            .transpose()?;
        let standings = filter.status.unwrap_or_default().into_iter();
        let filter = invoices::Filter {
            account: account.map(AccountId),
            period: filter
                .period
                .map(|text| period(&text, "period"))
                .transpose()?,
            standings: standings.map(Into::into).collect(),
        };
        let read = async |page| views.invoices(&filter, &page).await;
        paging::list(Asked::first(first, after), read, Invoice).await
    }
}

/// The invoice of that id, which came in that field, or of that number.
pub(crate) async fn invoice_of(
    ctx: &Context<'_>,
    field: &'static str,
    named: (Option<ID>, Option<String>),
    min_position: Option<Cursor>,
) -> Result<Option<invoices::Row>> {
    let views = views_at(ctx, &[View::Invoices], min_position).await?;
    let row = match named {
        (Some(id), None) => {
            views
                .invoice(InvoiceId(uuid(&id, "an invoice", field)?))
                .await
        }
        (None, Some(number)) => views.invoice_numbered(&number).await,
        (Some(_), Some(_)) | (None, None) => {
            let message = "an invoice has an id or a number: give one of them";
            return Err(Fault::validation(message).into());
        }
    };
    Ok(row.map_err(Fault::from)?)
}
