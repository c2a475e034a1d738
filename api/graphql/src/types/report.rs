//! Rows of reports.

use crate::{
    error::Fault,
    id::Named,
    query::views,
    scalar::{DateTime, Duration, count},
    types::{
        Call, NotReadyWord, QueueCounters,
        words::{NotReadyReason, RejectReason, ReleaseReason, ServiceLevel, VisitResult},
    },
};
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use domain::line;
use projections::{queue_stats, report, visits};

/// One queue in one interval.
pub(crate) struct QueueReportRow {
    pub(crate) name: String,
    pub(crate) row: report::QueueReportRow,
}

/// A queue in an interval: `waitingBefore + O = A + AB + FO + CB + waitingAfter`.
#[Object]
impl QueueReportRow {
    /// Which queue.
    async fn queue_id(&self) -> ID {
        self.row.asked.queue.opaque()
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.name
    }

    /// First instant of the interval.
    async fn start(&self) -> DateTime {
        DateTime(self.row.span.start)
    }

    /// First instant after it.
    async fn end(&self) -> DateTime {
        DateTime(self.row.span.end)
    }

    /// T: answered up to this time counts as in time. That of most of the visits that ended
    /// in it: `measures` tells all.
    async fn threshold_ms(&self) -> Duration {
        Duration(self.row.measure().threshold_ms)
    }

    /// S: abandoned under this time is short. That of most of the visits that ended in it.
    async fn short_abandon_ms(&self) -> Duration {
        Duration(self.row.measure().short_abandon_ms)
    }

    /// How many of a hundred calls were to be answered within T: as most of the visits that
    /// ended in it have it.
    async fn target_percent(&self) -> i32 {
        count(self.row.measure().target_percent)
    }

    /// By what the visits that ended in it are measured: what was asked, or else what the
    /// queue said when each call came.
    async fn measures(&self) -> Vec<Measure> {
        let measures = self.row.measures.iter();
        measures
            .map(|(measure, visits)| Measure {
                threshold_ms: Duration(measure.threshold_ms),
                short_abandon_ms: Duration(measure.short_abandon_ms),
                target_percent: count(measure.target_percent),
                visits_count: count(*visits),
            })
            .collect()
    }

    /// Callers in the queue when it began.
    async fn waiting_before_count(&self) -> i32 {
        count(self.row.waiting_before_count)
    }

    /// What was counted in it.
    async fn counters(&self) -> QueueCounters {
        QueueCounters(self.row.counters)
    }

    /// CB: visits closed by a request to be called back.
    async fn callback_count(&self) -> i32 {
        count(self.row.counters.callback_count)
    }

    /// FO by how the visits ended.
    async fn flow_out(&self) -> Vec<FlowOut> {
        let parts = self.row.flow_out.iter();
        parts
            .map(|(result, visits)| FlowOut {
                result: (*result).into(),
                count: count(*visits),
            })
            .collect()
    }

    /// Calls that were not let in, by why.
    async fn rejected(&self) -> Vec<Rejected> {
        let parts = self.row.rejected.iter();
        parts
            .map(|(reason, calls)| Rejected {
                reason: (*reason).into(),
                count: count(*calls),
            })
            .collect()
    }

    /// The service level in one variant or, without it, in all of them, each with what it
    /// was made of.
    async fn service_levels(&self, variant: Option<ServiceLevel>) -> Vec<ServiceLevelShare> {
        let all = queue_stats::ServiceLevel::ALL.into_iter().map(Into::into);
        let variants = variant.map_or_else(|| all.collect(), |variant| vec![variant]);
        let measure = self.row.only_measure();
        let target = self.row.only_target();
        let share = |variant: ServiceLevel| {
            let counters = &self.row.counters;
            let (part, whole) = counters.service_level_parts(variant.into());
            ServiceLevelShare {
                variant,
                share: counters.service_level(variant.into()),
                in_time_count: count(part),
                of_count: count(whole),
                threshold_ms: measure.map(|measure| Duration(measure.threshold_ms)),
                short_abandon_ms: measure.map(|measure| Duration(measure.short_abandon_ms)),
                target_percent: target.map(|measure| count(measure.target_percent)),
                is_target_met: target.and_then(|measure| measure.is_met(part, whole)),
            }
        };
        variants.into_iter().map(share).collect()
    }

    /// Most callers in the queue at once.
    async fn waiting_max_count(&self) -> i32 {
        count(self.row.waiting_max_count)
    }

    /// Contacts whose call ended in it.
    async fn handled_count(&self) -> i32 {
        count(self.row.handled.contacts_count)
    }

    /// Of those, how many ended as the agent sent the caller into another queue.
    async fn transferred_count(&self) -> i32 {
        count(self.row.handled.transferred_count)
    }

    /// Transfer rate in parts per million: those of all that were handled; null without a
    /// contact.
    async fn transfer_rate_ppm(&self) -> Option<i32> {
        ppm(self.row.handled.transferred())
    }

    /// Of those, time in conversation, hold excluded.
    async fn talk_ms(&self) -> Duration {
        Duration(self.row.handled.talk_ms)
    }

    /// Of those, time on hold.
    async fn hold_ms(&self) -> Duration {
        Duration(self.row.handled.hold_ms)
    }

    /// Of those, wrap-up as far as it has ended.
    async fn wrap_up_ms(&self) -> Duration {
        Duration(self.row.handled.wrap_up_ms)
    }

    /// AHT: the mean of talk, hold and wrap-up; null without a contact.
    async fn average_handling_ms(&self) -> Option<Duration> {
        self.row.handled.average_handling_ms().map(Duration)
    }

    /// First contact resolution (FCR): contacts that began in it and were not followed by
    /// another one of the same person with this queue within `fcrWindowDays` after their
    /// end. Those of whom it is known.
    async fn fcr_contacts_count(&self) -> i32 {
        count(self.row.resolution.contacts_count())
    }

    /// Of those, contacts that no other one followed.
    async fn fcr_resolved_count(&self) -> i32 {
        count(self.row.resolution.resolved_count)
    }

    /// FCR in parts per million: those of these; null without a contact.
    async fn fcr_ppm(&self) -> Option<i32> {
        ppm(self.row.resolution.parts())
    }

    /// Contacts that are left out, as no number was shown or the person is forgotten.
    async fn fcr_unknown_count(&self) -> i32 {
        count(self.row.resolution.unknown_count)
    }

    /// Contacts that are left out, as they go on or their window is not over.
    async fn fcr_open_count(&self) -> i32 {
        count(self.row.resolution.open_count)
    }

    /// Time that agents who served the queue were logged in, together; breaks are in it.
    async fn staffed_ms(&self) -> Duration {
        Duration(self.row.staffed_ms)
    }

    /// Agents staffed: that time by the length of the interval, in thousandths of an agent.
    async fn agents_staffed_milli(&self) -> Option<i32> {
        self.row.agents_staffed_milli().map(count)
    }

    /// Occupancy of those agents in parts per million: contact, wrap-up and ringing, for
    /// this queue or for others, of those and the ready time; null without any.
    async fn occupancy_ppm(&self) -> Option<i32> {
        ppm(self.row.occupied.parts())
    }

    /// Callers in the queue when it ended.
    async fn waiting_after_count(&self) -> i32 {
        count(self.row.waiting_after_count)
    }
}

/// By what visits of a queue are measured.
#[derive(SimpleObject)]
pub(crate) struct Measure {
    /// T: answered up to this time counts as in time.
    threshold_ms: Duration,
    /// S: abandoned under this time is short.
    short_abandon_ms: Duration,
    /// How many of a hundred were to be answered within T.
    target_percent: i32,
    /// How many visits.
    visits_count: i32,
}

/// A service level, and what it was made of.
#[derive(SimpleObject)]
pub(crate) struct ServiceLevelShare {
    /// How it is counted.
    variant: ServiceLevel,
    /// The share of 1; null without anything to divide by.
    share: Option<f64>,
    /// What counts as served in time.
    in_time_count: i32,
    /// Of how many.
    of_count: i32,
    /// T by which all of them are measured; null where the queue's was changed meanwhile:
    /// then `measures` tells them.
    threshold_ms: Option<Duration>,
    /// S by which all of them are measured; null as T is.
    short_abandon_ms: Option<Duration>,
    /// How many of a hundred were to be answered within T; null where that, too, was
    /// changed meanwhile.
    target_percent: Option<i32>,
    /// Whether so many were, or more; null without anything to divide by, and as the target
    /// is.
    is_target_met: Option<bool>,
}

/// Calls that a queue has not let in for one reason.
#[derive(SimpleObject)]
pub(crate) struct Rejected {
    /// Why.
    reason: RejectReason,
    /// How many.
    count: i32,
}

/// Visits that left a queue in one way.
#[derive(SimpleObject)]
pub(crate) struct FlowOut {
    /// How.
    result: VisitResult,
    /// How many.
    count: i32,
}

/// Time not ready for one reason.
#[derive(SimpleObject)]
pub(crate) struct NotReadyTime {
    /// Why.
    reason: NotReadyReason,
    /// How long.
    duration_ms: Duration,
    /// The part of it for which a word of the settings was said, by word.
    codes: Vec<NotReadyCodeTime>,
}

/// A time for which an agent said a word of the settings.
#[derive(SimpleObject)]
pub(crate) struct NotReadyCodeTime {
    /// The word.
    word: NotReadyWord,
    /// How long.
    duration_ms: Duration,
}

/// Offers that came to nothing for one reason.
#[derive(SimpleObject)]
pub(crate) struct ReleaseCount {
    /// Why.
    reason: ReleaseReason,
    /// How many.
    count: i32,
}

/// One agent in one interval.
pub(crate) struct AgentReportRow(pub(crate) report::AgentReportRow);

/// An agent in an interval. The times in states add up to the time logged in.
#[Object]
impl AgentReportRow {
    /// Who.
    async fn agent_id(&self) -> ID {
        self.0.agent.opaque()
    }

    /// First instant of the interval.
    async fn start(&self) -> DateTime {
        DateTime(self.0.span.start)
    }

    /// First instant after it.
    async fn end(&self) -> DateTime {
        DateTime(self.0.span.end)
    }

    /// Time logged in.
    async fn logged_in_ms(&self) -> Duration {
        Duration(self.0.logged_in_ms)
    }

    /// Took calls and had none.
    async fn ready_ms(&self) -> Duration {
        Duration(self.0.ready_ms)
    }

    /// Took no calls, by reason.
    async fn not_ready(&self) -> Vec<NotReadyTime> {
        let codes_of = |wanted| {
            let words = self.0.not_ready_code_ms.iter();
            let words = words.filter(move |((reason, _), _)| *reason == wanted);
            words.map(|((_, said), ms)| NotReadyCodeTime {
                word: said.into(),
                duration_ms: Duration(*ms),
            })
        };
        let times = self.0.not_ready_ms.iter();
        times
            .map(|(reason, ms)| NotReadyTime {
                reason: (*reason).into(),
                duration_ms: Duration(*ms),
                codes: codes_of(*reason).collect(),
            })
            .collect()
    }

    /// Taken for an offer, until the phone rang.
    async fn reserved_ms(&self) -> Duration {
        Duration(self.0.reserved_ms)
    }

    /// The phone rang.
    async fn ring_ms(&self) -> Duration {
        Duration(self.0.ring_ms)
    }

    /// With callers, on hold or not.
    async fn contact_ms(&self) -> Duration {
        Duration(self.0.contact_ms)
    }

    /// Work after calls.
    async fn wrap_up_ms(&self) -> Duration {
        Duration(self.0.wrap_up_ms)
    }

    /// Offers made in it.
    async fn offers_count(&self) -> i32 {
        count(self.0.offers_count)
    }

    /// Calls answered in it.
    async fn answered_count(&self) -> i32 {
        count(self.0.answered_count)
    }

    /// Contacts whose call ended in it; those who were rung back are not among them.
    async fn handled_count(&self) -> i32 {
        count(self.0.handled.contacts_count)
    }

    /// Of those, how many ended as the agent sent the caller into another queue.
    async fn transferred_count(&self) -> i32 {
        count(self.0.handled.transferred_count)
    }

    /// Transfer rate in parts per million: those of all that were handled; null without a
    /// contact.
    async fn transfer_rate_ppm(&self) -> Option<i32> {
        ppm(self.0.handled.transferred())
    }

    /// Of those, time in conversation, hold excluded.
    async fn talk_ms(&self) -> Duration {
        Duration(self.0.handled.talk_ms)
    }

    /// Of those, time on hold.
    async fn hold_ms(&self) -> Duration {
        Duration(self.0.handled.hold_ms)
    }

    /// Of those, wrap-up as far as it has ended.
    async fn handled_wrap_up_ms(&self) -> Duration {
        Duration(self.0.handled.wrap_up_ms)
    }

    /// AHT: the mean of talk, hold and wrap-up of those; null without a contact.
    async fn average_handling_ms(&self) -> Option<Duration> {
        self.0.handled.average_handling_ms().map(Duration)
    }

    /// Offers that came to nothing in it, by why.
    async fn released(&self) -> Vec<ReleaseCount> {
        let counts = self.0.released_count.iter();
        counts
            .map(|(reason, times)| ReleaseCount {
                reason: (*reason).into(),
                count: count(*times),
            })
            .collect()
    }

    /// Occupancy in parts per million: contact, wrap-up and ringing of those and
    /// the ready time; null without any. Breaks are in neither.
    async fn occupancy_ppm(&self) -> Option<i32> {
        ppm(self.0.occupied_ms())
    }

    /// Utilisation in parts per million: contact and wrap-up of the time logged in; null
    /// without any.
    async fn utilisation_ppm(&self) -> Option<i32> {
        ppm(self.0.utilised_ms())
    }

    /// RONA rate in parts per million: offers that rang until they were taken back, of
    /// those that ended in it; null without any. A caller who left meanwhile is no such offer.
    async fn rona_ppm(&self) -> Option<i32> {
        ppm(self.0.let_ring())
    }

    /// Time for which something was planned, as far as it has passed.
    async fn scheduled_ms(&self) -> Duration {
        Duration(self.0.adherence.scheduled_ms)
    }

    /// Of that, the time that the agent spent as it was planned.
    async fn in_schedule_ms(&self) -> Duration {
        Duration(self.0.adherence.in_schedule_ms)
    }

    /// Adherence in parts per million: time in the scheduled state by the time that was
    /// scheduled; null where nothing was.
    async fn adherence_ppm(&self) -> Option<i32> {
        ppm(self.0.adherence.parts())
    }
}

/// A share in parts per million.
pub(super) fn ppm((part, whole): (u64, u64)) -> Option<i32> {
    part.saturating_mul(1_000_000).checked_div(whole).map(count)
}

/// A stay in a queue.
pub(crate) struct Visit(pub(crate) visits::Row);

/// A stay in a queue.
#[Object]
impl Visit {
    /// Its id.
    async fn id(&self) -> ID {
        ID(self.0.visit.to_string())
    }

    /// The stay in another queue that the call came from; null of the first one.
    async fn previous_visit_id(&self) -> Option<ID> {
        self.0.previous.map(|visit| ID(visit.to_string()))
    }

    /// When the call was enqueued first, in whatever queue: it stands in the line by this.
    async fn enqueued_at(&self) -> DateTime {
        DateTime(self.0.enqueued_at)
    }

    /// The call's own priority; null where its queue's counts.
    async fn priority(&self) -> Option<i32> {
        self.0.priority
    }

    /// How it ended; null while it lasts.
    async fn result(&self) -> Option<VisitResult> {
        self.0.result.map(Into::into)
    }

    /// Which queue.
    async fn queue_id(&self) -> ID {
        self.0.queue.opaque()
    }

    /// Which call; null when nothing is kept of it any more.
    async fn call(&self, ctx: &Context<'_>) -> Result<Option<Call>> {
        let call = views(ctx)?.call(self.0.call).await.map_err(Fault::from)?;
        Ok(call.map(Into::into))
    }

    /// Of a caller who left: the first call of the same number after it in which an agent
    /// was reached, whoever called whom; null without any, of a caller who showed no
    /// number, and of a person who was forgotten.
    async fn answered_later(&self, ctx: &Context<'_>) -> Result<Option<Call>> {
        if self.0.result != Some(line::VisitResult::Abandoned) {
            return Ok(None);
        }
        let row = views(ctx)?.answered_later(self.0.call).await;
        Ok(row.map_err(Fault::from)?.map(Into::into))
    }

    /// When the call came into the queue.
    async fn opened_at(&self) -> DateTime {
        DateTime(self.0.opened_at)
    }

    /// When the stay ended; null while it lasts.
    async fn closed_at(&self) -> Option<DateTime> {
        self.0.closed_at.map(DateTime)
    }

    /// How long the caller waited.
    async fn wait_ms(&self) -> Option<Duration> {
        self.0.wait_ms.map(Duration)
    }

    /// Place in the line at the beginning, from 1.
    async fn place(&self) -> i32 {
        count(self.0.place)
    }

    /// Offers to agents.
    async fn offers_count(&self) -> i32 {
        count(self.0.offers_count)
    }
}
