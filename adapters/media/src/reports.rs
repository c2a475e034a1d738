//! What was measured of each call, gathered until all of its legs are closed. Pure.

use domain::{
    any::AnyEvent,
    call::{Event, LegMedia},
    id::{CallId, LegId},
};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// Legs that were closed before the feed told of their call: so many are kept, the
/// last. Those of calls that never came into the record stay until then.
const EARLY_MAX: usize = 65_536;

/// A call whose legs are not all measured.
#[derive(Debug, Default)]
struct Open {
    /// All of its legs; whoever is rung back has one that is dialled later.
    known: BTreeSet<LegId>,
    due: BTreeSet<LegId>,
    measured: BTreeMap<LegId, LegMedia>,
    is_over: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    calls: HashMap<CallId, Open>,
    legs: HashMap<LegId, CallId>,
    early: HashMap<LegId, LegMedia>,
    early_order: VecDeque<LegId>,
}

/// What was measured of a call that is over: something of each leg.
pub(crate) type Report = (CallId, Vec<LegMedia>);

/// What follows from an event.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Follows {
    /// The call is over: these legs of it are still to be measured, and to be closed.
    pub(crate) close: Vec<LegId>,
    /// The call is over, and all of its legs were measured before.
    pub(crate) report: Option<Report>,
}

impl Reports {
    /// Takes an event in.
    pub(crate) fn hear(&mut self, event: &AnyEvent) -> Follows {
        let AnyEvent::Call(call, event) = event else {
            return Follows::default();
        };
        if let Event::Received { leg, .. } | Event::Placed { leg, .. } = event {
            self.calls.insert(*call, Open::default());
            self.expect(*call, *leg);
        }
        if let Event::OfferStarted { leg, .. }
        | Event::LegDialled { leg, .. }
        | Event::SupervisionRequested { leg, .. } = event
        {
            self.expect(*call, *leg);
        }
        if let Event::Ended { .. } = event
            && let Some(open) = self.calls.get_mut(call)
        {
            open.is_over = true;
            return Follows {
                close: open.due.iter().copied().collect(),
                report: self.settle(*call),
            };
        }
        Follows::default()
    }

    fn expect(&mut self, call: CallId, leg: LegId) {
        let Some(open) = self.calls.get_mut(&call) else {
            return;
        };
        if !open.known.insert(leg) {
            return;
        }
        match self.early.remove(&leg) {
            Some(measured) => open.note(measured),
            None => {
                open.due.insert(leg);
                self.legs.insert(leg, call);
            }
        }
    }

    /// A leg is closed: this is what was measured, or it never was open. The report
    /// of its call, if it was the last.
    pub(crate) fn closed(&mut self, leg: LegId, measured: Option<LegMedia>) -> Option<Report> {
        let Some(call) = self.legs.remove(&leg) else {
            self.keep(measured?);
            return None;
        };
        let open = self.calls.get_mut(&call)?;
        open.due.remove(&leg);
        if let Some(measured) = measured {
            open.note(measured);
        }
        self.settle(call)
    }

    /// The report of a call that is over and wholly measured.
    fn settle(&mut self, call: CallId) -> Option<Report> {
        let is_due = |open: &Open| !open.is_over || !open.due.is_empty();
        if self.calls.get(&call).is_none_or(is_due) {
            return None;
        }
        let legs = self.calls.remove(&call)?.measured;
        let legs: Vec<_> = legs.into_values().collect();
        (!legs.is_empty()).then_some((call, legs))
    }

    fn keep(&mut self, measured: LegMedia) {
        self.early_order.push_back(measured.leg);
        self.early.insert(measured.leg, measured);
        if self.early_order.len() > EARLY_MAX
            && let Some(oldest) = self.early_order.pop_front()
        {
            self.early.remove(&oldest);
        }
    }
}

impl Open {
    /// A leg over which nothing went says nothing.
    fn note(&mut self, measured: LegMedia) {
        if measured.received_count + measured.sent_count > 0 {
            self.measured.insert(measured.leg, measured);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        call::Target,
        cause::{By, Disposition, EndCause, EndReason, EndResult},
        id::{CallbackId, SubjectId},
        sealed::Sealed,
        time::Timestamp,
    };
    use uuid::Uuid;

    const CALL: CallId = CallId(Uuid::from_u128(1));
    const CALLER: LegId = LegId(Uuid::from_u128(2));
    const OUTSIDE: LegId = LegId(Uuid::from_u128(3));

    fn began(reports: &mut Reports) {
        let received = Event::Received {
            leg: CALLER,
            from: Sealed::new(SubjectId(Uuid::from_u128(4)), "c2VhbGVk".into()),
            withheld: false,
            to: "support".into(),
            trunk: None,
            sip_call_id: "call".into(),
            user_agent: None,
        };
        let dialled = Event::LegDialled {
            leg: OUTSIDE,
            target: Target::Number("+4930".into()),
            until: Timestamp::default(),
        };
        for event in [received, dialled] {
            let follows = reports.hear(&AnyEvent::Call(CALL, event));
            assert_eq!(follows, Follows::default());
        }
    }

    fn ends(reports: &mut Reports) -> Follows {
        let ended = Event::Ended {
            cause: EndCause {
                result: EndResult::Success,
                reason: EndReason::Hangup,
                by: By::Caller,
                sip_status: None,
                q850: Some(16),
                reason_header: None,
            },
            disposition: Disposition::Answered,
            ended_at: Timestamp::default(),
            incomplete: false,
            session: None,
            offer: None,
            visit: None,
            queue: None,
        };
        reports.hear(&AnyEvent::Call(CALL, ended))
    }

    fn heard(leg: LegId, received_count: u64) -> LegMedia {
        LegMedia {
            leg,
            received_count,
            lost_count: 0,
            sent_count: 0,
            jitter_us: 0,
            jitter_max_us: 0,
            rtt_us: None,
            far_lost_count: None,
            codec: None,
        }
    }

    #[test]
    fn a_call_is_reported_once_when_it_is_over_and_its_last_leg_is_closed() {
        let mut reports = Reports::default();
        began(&mut reports);
        // Signalling closed this one before the end was on the record.
        assert_eq!(reports.closed(OUTSIDE, Some(heard(OUTSIDE, 5))), None);
        assert_eq!(ends(&mut reports).close, [CALLER]);
        let legs = vec![heard(CALLER, 7), heard(OUTSIDE, 5)];
        assert_eq!(
            reports.closed(CALLER, Some(heard(CALLER, 7))),
            Some((CALL, legs))
        );
        assert_eq!(reports.closed(CALLER, Some(heard(CALLER, 7))), None);
    }

    #[test]
    fn legs_that_are_closed_before_the_feed_tells_of_them_are_not_lost() {
        let mut reports = Reports::default();
        assert_eq!(reports.closed(CALLER, Some(heard(CALLER, 7))), None);
        assert_eq!(reports.closed(OUTSIDE, Some(heard(OUTSIDE, 5))), None);
        began(&mut reports);
        let legs = vec![heard(CALLER, 7), heard(OUTSIDE, 5)];
        assert_eq!(ends(&mut reports).report, Some((CALL, legs)));
        assert!(reports.calls.is_empty() && reports.early.is_empty());
    }

    #[test]
    fn a_leg_that_is_dialled_after_it_was_placed_is_measured_once() {
        let mut reports = Reports::default();
        let person = Sealed::new(SubjectId(Uuid::from_u128(4)), "c2VhbGVk".into());
        let placed = Event::Placed {
            leg: CALLER,
            party: person.clone(),
            callback: CallbackId(Uuid::from_u128(5)),
            place: Timestamp::default(),
            wanted: None,
        };
        let dialled = Event::LegDialled {
            leg: CALLER,
            target: Target::Party(person),
            until: Timestamp::default(),
        };
        reports.hear(&AnyEvent::Call(CALL, placed));
        // No trunk has room: it was opened and closed before anybody could be heard.
        assert_eq!(reports.closed(CALLER, Some(heard(CALLER, 0))), None);
        reports.hear(&AnyEvent::Call(CALL, dialled));
        assert_eq!(ends(&mut reports), Follows::default());
        assert!(reports.calls.is_empty() && reports.legs.is_empty());
    }

    #[test]
    fn legs_that_were_never_open_or_silent_both_ways_are_not_in_it() {
        let mut reports = Reports::default();
        began(&mut reports);
        assert_eq!(ends(&mut reports).close, [CALLER, OUTSIDE]);
        assert_eq!(reports.closed(CALLER, Some(heard(CALLER, 0))), None);
        assert_eq!(reports.closed(OUTSIDE, None), None);
        assert!(reports.calls.is_empty() && reports.legs.is_empty());
    }
}
