//! The record of an ended call.

use crate::{
    auth::Scope,
    error::Fault,
    id::Named,
    query::Needs,
    scalar::{Cursor, DateTime, Duration, count},
    types::{
        Call, Caller, CdrVoicemail, Charge, Leg,
        media::{rate, score},
        words::{Direction, Disposition, DiversionReason, EndReason, EndResult, HangupBy},
    },
};
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use projections::cdr;

/// What a record said before it was corrected.
#[derive(SimpleObject)]
pub(crate) struct CdrRevision {
    /// Its number, from 1.
    revision: i32,
    /// The event that made it.
    event_position_last: Cursor,
    /// The agent's work after the call, as it was known then.
    wrap_up_ms: Duration,
    /// Facts that had come after the end.
    late_facts_count: i32,
    /// The tags, as they were then.
    tags: Vec<String>,
}

/// A record.
pub(crate) struct Cdr(pub(crate) cdr::Row);

impl Cdr {
    fn end(&self) -> Result<&cdr::End> {
        let end = self.0.end.as_ref();
        Ok(end.ok_or_else(|| Fault::not_found("call has not ended"))?)
    }
}

/// The record of one ended call: who, when, how long, how it ended. Facts that
/// come after the end make a new revision; the earlier ones stay.
#[Object]
impl Cdr {
    /// Id of the call.
    async fn call_id(&self) -> ID {
        self.0.call.opaque()
    }

    /// The call.
    async fn call(&self) -> Call {
        self.0.clone().into()
    }

    /// Counts the corrections, from 1.
    async fn revision(&self) -> i32 {
        count(self.0.revision)
    }

    /// What the earlier revisions said.
    async fn superseded(&self) -> Vec<CdrRevision> {
        let revisions = self.0.superseded.iter();
        revisions
            .map(|earlier| CdrRevision {
                revision: count(earlier.revision),
                event_position_last: Cursor(earlier.event_position_last),
                wrap_up_ms: Duration(earlier.wrap_up_ms),
                late_facts_count: count(earlier.late_facts_count),
                tags: earlier.tags.iter().cloned().collect(),
            })
            .collect()
    }

    /// The call's first event.
    async fn event_position_first(&self) -> Cursor {
        Cursor(self.0.event_position_first)
    }

    /// The event that made this revision.
    async fn event_position_last(&self) -> Cursor {
        Cursor(self.0.revised_position)
    }

    /// Which way the call went.
    async fn direction(&self) -> Direction {
        self.0.direction.into()
    }

    /// Who called.
    #[graphql(name = "from")]
    async fn caller(&self) -> Caller {
        (&self.0.caller).into()
    }

    /// As dialled.
    async fn to(&self) -> &str {
        &self.0.to
    }

    /// What was dialled, in E.164, where it is written so that its country is told.
    async fn to_e164(&self) -> Option<String> {
        domain::e164::of(&self.0.to)
    }

    /// Who sent the call on to us, where it was meant for somebody else: the last of
    /// several.
    async fn diverted_by(&self) -> Option<Caller> {
        let diverted = self.0.diverted.as_ref();
        diverted.map(|diverted| (&diverted.by).into())
    }

    /// Why the call was sent on to us.
    async fn diversion_reason(&self) -> Option<DiversionReason> {
        let diverted = self.0.diverted.as_ref();
        diverted.map(|diverted| diverted.reason.into())
    }

    /// The trunk that let it in; of a call that we placed, the last by which it was tried.
    async fn trunk_id(&self) -> Option<ID> {
        self.0.trunk.map(Named::opaque)
    }

    /// The queue that it was routed to.
    async fn queue_id(&self) -> Option<ID> {
        self.0.queue.map(Named::opaque)
    }

    /// The agent who was connected.
    async fn agent_id(&self) -> Option<ID> {
        self.0.agent.map(Named::opaque)
    }

    /// The legs, in the order in which they began.
    async fn legs(&self) -> Vec<Leg> {
        let legs = self.0.legs.iter();
        legs.map(|leg| Leg::of(&self.0, leg)).collect()
    }

    /// Call-ID header.
    async fn sip_call_id(&self) -> &str {
        &self.0.sip_call_id
    }

    /// What the caller's phone or network says that it is.
    async fn user_agent(&self) -> Option<&str> {
        self.0.user_agent.as_deref()
    }

    /// The run of the node that received the call.
    async fn node_epoch(&self) -> String {
        self.0.node_epoch.to_string()
    }

    /// The codec, by its name in SDP; null when nobody answered who is heard.
    async fn codec(&self) -> Option<&str> {
        self.0.codec()
    }

    /// The codec of the caller's side, or of whoever is rung back; null until the sound of
    /// a caller is measured, shortly after the end.
    async fn codec_in(&self) -> Option<&str> {
        self.0.codec_in()
    }

    /// The codec of the other side: the agent's, or that of somebody outside.
    async fn codec_out(&self) -> Option<&str> {
        self.0.codec_out()
    }

    /// What the phone of the agent who was connected says that it is.
    async fn device(&self) -> Option<&str> {
        self.0.device()
    }

    /// The tenant that it belongs to.
    async fn tenant_id(&self) -> ID {
        ID(self.0.tenant.to_string())
    }

    /// The lowest predicted opinion score of its legs, from 1 to 4.4 (ITU-T G.107);
    /// null until the sound is measured, shortly after the end, and where nobody was
    /// heard.
    async fn mos(&self) -> Option<f64> {
        self.0.mos_hundredths().map(score)
    }

    /// The greatest share of lost packets of its legs that were heard, of 1.
    async fn loss_rate(&self) -> Option<f64> {
        self.0.loss_ppm().map(rate)
    }

    /// The greatest mean jitter of its legs that were heard, in microseconds.
    async fn jitter_us(&self) -> Option<i32> {
        self.0.jitter_us().map(count)
    }

    /// The longest mean time to a phone of it and back, in microseconds.
    async fn rtt_us(&self) -> Option<i32> {
        self.0.rtt_us().map(count)
    }

    /// What became of the call.
    async fn disposition(&self) -> Result<Disposition> {
        Ok(self.end()?.disposition.into())
    }

    /// The time in a mailbox, of a call that went to one.
    async fn voicemail(&self) -> Option<CdrVoicemail> {
        self.0.voicemail.as_ref().map(Into::into)
    }

    /// Whose doing the end was.
    async fn end_result(&self) -> Result<EndResult> {
        Ok(self.end()?.result.into())
    }

    /// What ended it.
    async fn end_reason(&self) -> Result<EndReason> {
        Ok(self.end()?.reason.into())
    }

    /// Which side ended it.
    async fn hangup_by(&self) -> Result<HangupBy> {
        Ok(self.end()?.by.into())
    }

    /// SIP status that the caller got, or that the wire gave.
    async fn sip_status(&self) -> Result<Option<i32>> {
        Ok(self.end()?.sip_status.map(i32::from))
    }

    /// Q.850 cause value.
    async fn q850(&self) -> Result<Option<i32>> {
        Ok(self.end()?.q850_cause.map(i32::from))
    }

    /// The received Reason header, verbatim.
    async fn reason_header(&self) -> Result<Option<&str>> {
        Ok(self.end()?.reason_header.as_deref())
    }

    /// The end was inferred: durations are a lower bound.
    async fn incomplete(&self) -> Result<bool> {
        Ok(self.end()?.incomplete)
    }

    /// When the INVITE came.
    async fn started_at(&self) -> DateTime {
        DateTime(self.0.started_at)
    }

    /// When it was enqueued.
    async fn enqueued_at(&self) -> Option<DateTime> {
        self.0.enqueued_at.map(DateTime)
    }

    /// When an agent's phone began to ring first.
    async fn alerting_at(&self) -> Option<DateTime> {
        self.0.alerting_at.map(DateTime)
    }

    /// When the caller was answered.
    async fn answered_at(&self) -> Option<DateTime> {
        self.0.answered_at.map(DateTime)
    }

    /// When caller and agent were connected.
    async fn agent_connected_at(&self) -> Option<DateTime> {
        self.0.agent_connected_at.map(DateTime)
    }

    /// When it ended.
    async fn ended_at(&self) -> Result<DateTime> {
        Ok(DateTime(self.end()?.at))
    }

    /// From the INVITE to the caller's answer; null if unanswered.
    async fn setup_ms(&self) -> Option<Duration> {
        self.0.setup_ms().map(Duration)
    }

    /// From the INVITE to the end.
    async fn duration_ms(&self) -> Duration {
        Duration(self.0.duration_ms())
    }

    /// From the caller's answer to the end; 0 if unanswered.
    async fn billable_ms(&self) -> Duration {
        Duration(self.0.billable_ms())
    }

    /// From being enqueued until an agent was connected, or the end.
    async fn wait_ms(&self) -> Duration {
        Duration(self.0.wait_ms())
    }

    /// How long agents' phones rang, all offers together.
    async fn ring_ms(&self) -> Duration {
        Duration(self.0.ring_ms)
    }

    /// How long caller and agent were connected, without holds.
    async fn talk_ms(&self) -> Duration {
        Duration(self.0.talk_ms())
    }

    /// How long one side held the other.
    async fn hold_ms(&self) -> Duration {
        Duration(self.0.hold_ms)
    }

    /// The agent's work after the call.
    async fn wrap_up_ms(&self) -> Duration {
        Duration(self.0.wrap_up_ms)
    }

    /// How often an agent has sent it into another queue.
    async fn transfers_count(&self) -> i32 {
        count(self.0.transfers_count())
    }

    /// Offers made to agents.
    async fn offers_count(&self) -> i32 {
        count(self.0.offers_count)
    }

    /// Facts that were reported after the end.
    async fn late_facts_count(&self) -> i32 {
        count(self.0.late_facts_count)
    }

    /// What people have noted of the call to find it again, in order of the alphabet.
    async fn tags(&self) -> Vec<&str> {
        self.0.tags.iter().map(String::as_str).collect()
    }

    /// What somebody has written about the call; null once the person is forgotten under
    /// whose key it is.
    async fn user_field(&self) -> Option<&str> {
        self.0.user_field.as_ref()?.text()
    }

    /// What it costs whom, as it was rated last; null until it is rated, and while there
    /// are no accounts.
    #[graphql(guard = "Needs(Scope::BillingRead)")]
    async fn charge(&self, ctx: &Context<'_>) -> Result<Option<Charge>> {
        Charge::of(ctx, self.0.call).await
    }
}
