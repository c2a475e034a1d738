//! Refused calls that have no record of their own.

use crate::{
    auth::Scope,
    error::Fault,
    paging::{self, Asked, ListCursor},
    query::{Needs, views, views_at},
    scalar::{Cursor, DateTime, count},
    types::RefusalSum,
};
use async_graphql::{Context, Object, Result, connection::Connection};
use projections::{changed::View, refusals::Filter};

#[derive(Default)]
pub(crate) struct RefusalQueries;

/// What is added up only when it is asked for.
pub(crate) struct RefusalTotals(Filter);

/// Added up only when it is asked for.
#[Object]
impl RefusalTotals {
    /// How many calls all sums are together, those on other pages too.
    async fn calls_count(&self, ctx: &Context<'_>) -> Result<i32> {
        let total = views(ctx)?.refused_calls_count(self.0).await;
        Ok(count(total.map_err(Fault::from)?))
    }
}

#[Object]
impl RefusalQueries {
    /// Calls that were refused and have no record of their own, summed up by reason about
    /// once a second, the latest first. Every other INVITE has a record in `cdrs`.
    #[graphql(guard = "Needs(Scope::CallRead)")]
    async fn refusal_sums(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Summed up at this instant or later.")] from: Option<DateTime>,
        #[graphql(desc = "Summed up before this instant.")] until: Option<DateTime>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Cursor>,
    ) -> Result<Connection<ListCursor, RefusalSum, RefusalTotals>> {
        let views = views_at(ctx, &[View::RefusalSums], min_position).await?;
        let filter = Filter {
            from: from.map(|instant| instant.0),
            until: until.map(|instant| instant.0),
        };
        let read = async |page| views.refusal_sums(filter, &page).await;
        let asked = Asked::first(first, after);
        paging::list_with(asked, read, RefusalSum, RefusalTotals(filter)).await
    }
}
