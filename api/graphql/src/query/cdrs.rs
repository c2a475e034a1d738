//! Records of ended calls, and sums over them.

use super::calls::{ids, words};
use crate::{
    auth::Scope,
    error::Fault,
    paging::{self, Asked, ListCursor},
    query::{Needs, services, views, views_at},
    scalar::{Cursor, DateTime, Duration, count},
    types::{
        Cdr, CdrStatRow,
        words::{CdrDimension, Direction, Disposition},
    },
};
use async_graphql::{Context, ID, InputObject, Object, Result, connection::Connection};
use chrono_tz::Tz;
use commands::ports::Vault;
use domain::id::{AgentId, QueueId, TrunkId};
use projections::{
    cdr::{self, Grouping, PREFIX_DIGITS_MAX, StatError},
    changed::View,
};

/// Digits of a prefix when nobody says.
const PREFIX_DIGITS: i32 = 4;

#[derive(Default)]
pub(crate) struct CdrQueries;

/// Which records; what is not given lets every record through.
#[derive(InputObject, Default)]
pub(crate) struct CdrFilter {
    /// Routed to one of these queues.
    queue_ids: Option<Vec<ID>>,
    /// Connected to one of these agents.
    agent_ids: Option<Vec<ID>>,
    /// Let in by one of these trunks, or placed through one.
    trunk_ids: Option<Vec<ID>>,
    /// With one of these outcomes.
    dispositions: Option<Vec<Disposition>>,
    /// That went one of these ways.
    directions: Option<Vec<Direction>>,
    /// From this number or address, exactly.
    from: Option<String>,
    /// Dialled exactly so.
    to: Option<String>,
    /// Dialled with these digits first.
    to_prefix: Option<String>,
    /// That lasted at least so long, from the INVITE to the end.
    duration_ms_min: Option<Duration>,
    /// Whose end was inferred, or was not.
    incomplete: Option<bool>,
    /// That have this tag, written exactly so.
    tag: Option<String>,
    /// Started at this instant or later.
    started_from: Option<DateTime>,
    /// Started before this instant.
    started_before: Option<DateTime>,
}

impl CdrFilter {
    pub(crate) fn read(self, vault: &dyn Vault) -> Result<cdr::Filter, Fault> {
        Ok(cdr::Filter {
            queues: ids::<QueueId>(self.queue_ids, "queueIds")?,
            agents: ids::<AgentId>(self.agent_ids, "agentIds")?,
            trunks: ids::<TrunkId>(self.trunk_ids, "trunkIds")?,
            dispositions: words(self.dispositions),
            directions: words(self.directions),
            to: self.to,
            to_prefix: self.to_prefix,
            duration_ms_min: self.duration_ms_min.map(|duration| duration.0),
            incomplete: self.incomplete,
            subject: self.from.map(|user| vault.subject_of(&user)),
            tag: self.tag,
            from: self.started_from.map(|instant| instant.0),
            until: self.started_before.map(|instant| instant.0),
        })
    }
}

/// What is counted only when it is asked for.
pub(crate) struct CdrTotals(cdr::Filter);

/// Counted only when it is asked for.
#[Object]
impl CdrTotals {
    /// How many records the filter lets through.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i32> {
        let total = views(ctx)?.cdrs_count(&self.0).await;
        Ok(count(total.map_err(Fault::from)?))
    }
}

/// A zone by its IANA name.
pub(crate) fn zone(name: Option<&str>) -> Result<Tz, Fault> {
    let Some(name) = name else { return Ok(Tz::UTC) };
    name.parse().map_err(|_| {
        Fault::field(
            "timeZone",
            &format!("{name:?} is no time zone that IANA knows"),
        )
    })
}

fn fault_of(error: StatError) -> Fault {
    match error {
        StatError::View(error) => error.into(),
        too_many @ StatError::TooMany => Fault::validation(too_many.to_string()),
    }
}

#[Object]
impl CdrQueries {
    /// Records of ended calls, the latest start first.
    #[graphql(guard = "Needs(Scope::CallRead)")]
    #[expect(clippy::too_many_arguments, reason = "Relay's page has four")]
    async fn cdrs(
        &self,
        ctx: &Context<'_>,
        filter: Option<CdrFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        min_position: Option<Cursor>,
    ) -> Result<Connection<ListCursor, Cdr, CdrTotals>> {
        let views = views_at(ctx, &[View::Cdr, View::Charges], min_position).await?;
        let vault = services(ctx)?.vault.as_ref();
        let filter = filter.unwrap_or_default().read(vault)?;
        let asked = Asked {
            first,
            after,
            last,
            before,
        };
        let read = async |page| views.cdrs(&filter, &page).await;
        let totals = CdrTotals(filter.clone());
        paging::list_with(asked, read, Cdr, totals).await
    }

    /// Sums over records of ended calls, by what they have in common. Days and
    /// hours are those of `timeZone` (UTC when not given), and a call counts
    /// where it started.
    #[graphql(guard = "Needs(Scope::CallRead)")]
    async fn cdr_stats(
        &self,
        ctx: &Context<'_>,
        filter: Option<CdrFilter>,
        group_by: Vec<CdrDimension>,
        time_zone: Option<String>,
        #[graphql(desc = "Digits of a prefix, 1 to 15; 4 when not given.")] prefix_digits: Option<
            i32,
        >,
        min_position: Option<Cursor>,
    ) -> Result<Vec<CdrStatRow>> {
        let views = views_at(ctx, &[View::Cdr], min_position).await?;
        let vault = services(ctx)?.vault.as_ref();
        let filter = filter.unwrap_or_default().read(vault)?;
        let digits = u32::try_from(prefix_digits.unwrap_or(PREFIX_DIGITS)).unwrap_or(0);
        if !(1..=PREFIX_DIGITS_MAX).contains(&digits) {
            let message = format!("is not between 1 and {PREFIX_DIGITS_MAX}");
            return Err(Fault::field("prefixDigits", &message).into());
        }
        let grouping = Grouping {
            dimensions: words(Some(group_by)),
            zone: zone(time_zone.as_deref())?,
            prefix_digits: digits,
        };
        let rows = views.cdr_stats(&filter, &grouping).await;
        let rows = rows.map_err(fault_of)?;
        Ok(rows.into_iter().map(CdrStatRow).collect())
    }
}
