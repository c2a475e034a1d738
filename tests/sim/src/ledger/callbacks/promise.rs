//! A promise to ring somebody back that is not over.

use crate::violation::{Violation, must};
use domain::{
    callback::Request,
    cause::EndReason,
    id::{CallId, CallbackId},
    time::Timestamp,
};

/// So many attempts may be made for each that may count.
const UNCOUNTED_TIMES: u32 = 10;

/// A promise that is not over.
#[derive(Debug, Clone)]
pub(super) struct Promise {
    pub(super) request: Request,
    pub(super) not_before: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) attempts: u32,
    /// Attempts that could not be made, for what is no doing of the person.
    pub(super) idle: u32,
    pub(super) counted: u32,
    pub(super) live: Option<(u32, CallId)>,
}

impl Promise {
    /// One attempt at a time.
    pub(super) fn rests(&self, id: CallbackId) -> Result<(), Violation> {
        must(self.live.is_none(), || {
            format!("{id} is being tried: {self:?}")
        })
    }

    pub(super) fn has_tried(
        &self,
        id: CallbackId,
        attempt: (u32, CallId),
    ) -> Result<(), Violation> {
        must(self.live == Some(attempt), || {
            format!("{id} hears of {attempt:?}, which is not under way: {self:?}")
        })
    }

    /// The next attempt comes after the gap.
    pub(super) fn has_missed(
        &mut self,
        id: CallbackId,
        at: Timestamp,
        attempt: (u32, CallId),
        not_before: Timestamp,
    ) -> Result<(), Violation> {
        self.has_tried(id, attempt)?;
        self.live = None;
        self.not_before = not_before;
        let due = at.plus_ms(self.request.terms.gap_ms);
        must(not_before == due, || {
            format!("{id} is tried again at {not_before}, not at {due}")
        })
    }

    pub(super) fn waits_for_a_price(
        &self,
        id: CallbackId,
        reason: EndReason,
    ) -> Result<(), Violation> {
        self.rests(id)?;
        must(reason == EndReason::NoPrice, || {
            format!("{id} is given up for {reason:?}")
        })
    }

    pub(super) fn is_used_up(&self, id: CallbackId) -> Result<(), Violation> {
        let most = self.request.terms.attempts_max;
        let tried = self.attempts - self.idle;
        let is_used_up = self.counted >= most || tried >= most * UNCOUNTED_TIMES;
        must(is_used_up, || {
            format!("{id} is given up too early: {self:?}")
        })
    }
}

/// No way out, no node or nobody who pays: nobody was bothered with the attempt.
pub(super) const fn could_not_be_made(reason: EndReason) -> bool {
    matches!(
        reason,
        EndReason::NoTrunk
            | EndReason::Shutdown
            | EndReason::NodeLost
            | EndReason::NoCredit
            | EndReason::NoPrice
            | EndReason::AccountSuspended
    )
}
