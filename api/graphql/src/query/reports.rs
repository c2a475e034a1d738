//! Reports: what happened in each interval.

use crate::{
    auth::Scope,
    error::Fault,
    id::Named,
    paging::{self, Asked, List},
    query::{Needs, ids, services, views_at},
    scalar::{Cursor, DateTime, Duration},
    types::{
        AgentReportRow, QueueReportRow, StateInterval, TrunkReportRow, Visit, words::Granularity,
    },
};
use async_graphql::{Context, ID, InputObject, Object, Result};
use domain::id::{AgentId, QueueId, TrunkId};
use projections::{
    agent_log::intervals,
    changed::View,
    page::PAGE_MAX,
    report::{self, FCR_WINDOW_DAYS, FCR_WINDOW_DAYS_MAX, Span, spans},
    visits,
};

#[derive(Default)]
pub(crate) struct ReportQueries;

/// Rows of one report at most.
const ROWS_MAX: usize = 3_000;

/// A stretch of time; what is not whole quarters of an hour is moved outwards.
#[derive(InputObject)]
pub(crate) struct Range {
    /// Its first instant.
    from: DateTime,
    /// The first instant after it.
    until: DateTime,
}

/// The intervals, for so many queues or agents.
fn intervals_of(
    range: &Range,
    granularity: Granularity,
    zone: &str,
    subjects: usize,
) -> Result<Vec<Span>, Fault> {
    let zone = zone
        .parse()
        .map_err(|_| Fault::field("timeZone", &format!("{zone:?} is not a time zone")))?;
    let spans = spans(range.from.0, range.until.0, granularity.into(), zone)
        .map_err(|error| Fault::validation(error.to_string()))?;
    if spans.len() * subjects > ROWS_MAX {
        return Err(Fault::validation(format!(
            "report has more than {ROWS_MAX} rows"
        )));
    }
    Ok(spans)
}

fn some<T: Named>(name: &'static str, list: Option<Vec<ID>>) -> Result<Vec<T>, Fault> {
    let list = ids::<T>(list, name)?;
    if list.is_empty() || list.len() > PAGE_MAX {
        let message = format!("has not 1 to {PAGE_MAX} ids");
        return Err(Fault::field(name, &message));
    }
    Ok(list)
}

/// The window, if anybody asks for what is counted by it: that looks for each contact
/// whether another one followed.
fn fcr_window(ctx: &Context<'_>, days: Option<i32>) -> Result<Option<u32>, Fault> {
    let window = days.map_or(FCR_WINDOW_DAYS, |days| days.try_into().unwrap_or(0));
    if !(1..=FCR_WINDOW_DAYS_MAX).contains(&window) {
        let message = format!("fcrWindowDays is not between 1 and {FCR_WINDOW_DAYS_MAX}");
        return Err(Fault::validation(message).of("fcrWindowDays"));
    }
    let looked = ctx.look_ahead();
    let is_asked = COUNTED_BY_WINDOW
        .iter()
        .any(|name| looked.field(name).exists());
    Ok(is_asked.then_some(window))
}

/// Fields that are counted by the window.
const COUNTED_BY_WINDOW: [&str; 5] = [
    "fcrContactsCount",
    "fcrResolvedCount",
    "fcrPpm",
    "fcrUnknownCount",
    "fcrOpenCount",
];

#[Object]
impl ReportQueries {
    /// Queues by interval. A visit counts in the interval of its opening (O) and
    /// in that of its end (everything else).
    #[graphql(guard = "Needs(Scope::QueueRead)")]
    #[expect(clippy::too_many_arguments, reason = "each says what is counted")]
    async fn queue_report(
        &self,
        ctx: &Context<'_>,
        range: Range,
        queue_ids: Vec<ID>,
        granularity: Granularity,
        #[graphql(default = "UTC")] time_zone: String,
        #[graphql(desc = "T; without it what the queue said when each call came")]
        threshold_ms: Option<Duration>,
        #[graphql(desc = "S; without it what the queue said when each call came")] short_abandon_ms: Option<Duration>,
        #[graphql(
            desc = "Days after a contact in which another one counts, for first contact \
                          resolution: 1 to 31; 7 when not given"
        )]
        fcr_window_days: Option<i32>,
        min_position: Option<Cursor>,
    ) -> Result<Vec<QueueReportRow>> {
        let fcr_window_days = fcr_window(ctx, fcr_window_days)?;
        let views = views_at(
            ctx,
            &[
                View::Visits,
                View::QueueStats,
                View::QueueSlots,
                View::Cdr,
                View::LiveCalls,
                View::Staff,
            ],
            min_position,
        )
        .await?;
        let queues = some::<QueueId>("queueIds", Some(queue_ids))?;
        let spans = intervals_of(&range, granularity, &time_zone, queues.len())?;
        let known = views.queues_by_id(&queues).await.map_err(Fault::from)?;
        let now = services(ctx)?.clock.now();
        let staffing = views.staffing(&spans).await.map_err(Fault::from)?;
        let mut rows = vec![];
        for queue in known {
            let asked = report::Asked {
                threshold_ms: threshold_ms.map(|ms| ms.0),
                short_abandon_ms: short_abandon_ms.map(|ms| ms.0),
                fcr_window_days,
                ..report::Asked::of(&queue)
            };
            let found = views.queue_report(asked, (&spans, &staffing), now).await;
            let name = &queue.name;
            rows.extend(found.map_err(Fault::from)?.into_iter().map(|row| {
                let name = name.clone();
                QueueReportRow { name, row }
            }));
        }
        Ok(rows)
    }

    /// Agents by interval: intervals in which an agent was logged in or was to be there.
    #[graphql(guard = "Needs(Scope::AgentRead)")]
    async fn agent_report(
        &self,
        ctx: &Context<'_>,
        range: Range,
        agent_ids: Vec<ID>,
        granularity: Granularity,
        #[graphql(default = "UTC")] time_zone: String,
        min_position: Option<Cursor>,
    ) -> Result<Vec<AgentReportRow>> {
        let needed = [View::AgentLog, View::Cdr, View::Schedules];
        let views = views_at(ctx, &needed, min_position).await?;
        let agents = some::<AgentId>("agentIds", Some(agent_ids))?;
        let spans = intervals_of(&range, granularity, &time_zone, agents.len())?;
        let now = services(ctx)?.clock.now();
        let rows = views.agent_report(&agents, &spans, now).await;
        let rows = rows.map_err(Fault::from)?;
        Ok(rows.into_iter().map(AgentReportRow).collect())
    }

    /// Trunks by direction and interval: a seizure counts in the interval in which its INVITE
    /// came or went out, once its call is over.
    #[graphql(guard = "Needs(Scope::CallRead)")]
    async fn trunk_report(
        &self,
        ctx: &Context<'_>,
        range: Range,
        trunk_ids: Vec<ID>,
        granularity: Granularity,
        #[graphql(default = "UTC")] time_zone: String,
        min_position: Option<Cursor>,
    ) -> Result<Vec<TrunkReportRow>> {
        let views = views_at(ctx, &[View::Cdr, View::Trunks], min_position).await?;
        let trunks = some::<TrunkId>("trunkIds", Some(trunk_ids))?;
        // Each has a row for what came in, and one for what went out.
        let spans = intervals_of(&range, granularity, &time_zone, trunks.len() * 2)?;
        let known = views.trunks_by_id(&trunks).await.map_err(Fault::from)?;
        let ids: Vec<_> = known.iter().map(|trunk| trunk.trunk).collect();
        let rows = views.trunk_report(&ids, &spans).await;
        let name_of = |id: TrunkId| {
            let trunk = known.iter().find(|trunk| trunk.trunk == id);
            trunk.map(|trunk| trunk.name.clone()).unwrap_or_default()
        };
        let rows = rows.map_err(Fault::from)?.into_iter();
        let rows = rows.map(|row| TrunkReportRow {
            name: name_of(row.trunk),
            row,
        });
        Ok(rows.collect())
    }

    /// What an agent did, interval after interval. The first one may have begun
    /// before the range, the last one may last beyond it.
    #[graphql(guard = "Needs(Scope::AgentRead)")]
    async fn agent_state_log(
        &self,
        ctx: &Context<'_>,
        agent_id: ID,
        range: Range,
        min_position: Option<Cursor>,
    ) -> Result<Vec<StateInterval>> {
        let views = views_at(ctx, &[View::AgentLog], min_position).await?;
        let agent = AgentId::read(&agent_id, "agentId")?;
        // The same bounds as a report has.
        intervals_of(&range, Granularity::Day, "UTC", 1)?;
        let log = views
            .agent_log(&[agent], range.from.0, range.until.0)
            .await
            .map_err(Fault::from)?;
        let until = range.until.0;
        let all = intervals(&log).into_iter();
        // Of what comes after, it is known only that it does.
        let within = all.filter(|interval| interval.start < until);
        Ok(within.map(StateInterval).collect())
    }

    /// Stays whose caller left before an agent was there, the latest first.
    #[graphql(guard = "Needs(Scope::CallRead)")]
    #[expect(clippy::too_many_arguments, reason = "filter and page")]
    async fn abandoned_calls(
        &self,
        ctx: &Context<'_>,
        queue_ids: Option<Vec<ID>>,
        range: Option<Range>,
        #[graphql(desc = "Those under 5 s too", default = false)] include_short: bool,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Cursor>,
    ) -> Result<List<Visit>> {
        let views = views_at(ctx, &[View::Visits], min_position).await?;
        let filter = visits::Filter {
            queues: ids::<QueueId>(queue_ids, "queueIds")?,
            from: range.as_ref().map(|range| range.from.0),
            until: range.as_ref().map(|range| range.until.0),
            with_short: include_short,
        };
        let read = async |page| views.abandoned(&filter, &page).await;
        paging::list(Asked::first(first, after), read, Visit).await
    }
}
