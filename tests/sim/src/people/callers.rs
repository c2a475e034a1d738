//! Callers: they dial, wait as long as they like, talk, hang up or vanish, and
//! some call again.

use super::{Caller, MS, People, Plans, caller_leg, numbered, talking_leg};
use crate::{
    action::{Action, Plan},
    streams::Everything,
};
use domain::{
    any::AnyCommand,
    call::{self, AnswerMode, Route},
    cause::{Disposition, EndReason, WireCause},
    id::{CallId, LegId, QueueId, SubjectId, VisitId},
    sealed::Sealed,
    time::Timestamp,
};

/// Of all who show no number.
const WITHHELD: SubjectId = SubjectId(numbered(8, 0));

impl People {
    pub(super) fn somebody_dials(&mut self, now: Timestamp, plans: &mut Plans) {
        if self.is_last_call() {
            return;
        }
        let next = self.arrivals.exponential(self.terms.arrival_ms) * MS;
        plans.push((next, Action::Person(Plan::Dial)));
        if let Some(queue) = self.arrivals.one_of(&self.queues).copied() {
            self.dial(queue, None, now, plans);
            if self.terms.rings_back && self.root.split(now.millis_unsigned()).percent(3) {
                self.somebody_asks_to_be_rung(queue, now, plans);
            }
        }
    }

    /// Somebody dials, or the same one again.
    pub(super) fn dial(
        &mut self,
        queue: QueueId,
        who: Option<SubjectId>,
        now: Timestamp,
        plans: &mut Plans,
    ) {
        self.calls_count += 1;
        let number = self.calls_count;
        let call = CallId(numbered(1, number));
        let mut chance = self.root.split(number);
        let route = if self.terms.faults && chance.percent(2) {
            Route::Refused(EndReason::UnknownAddress)
        } else {
            Route::Queue {
                queue,
                config_version: 1,
                answer_mode: if chance.percent(50) {
                    AnswerMode::Immediate
                } else {
                    AnswerMode::OnAgent
                },
                visit: VisitId(numbered(5, number)),
                exit_keys: self.exits.get(&queue).cloned().unwrap_or_default(),
                music: None,
            }
        };
        let who = who.unwrap_or_else(|| match chance.percent(10) {
            true => WITHHELD,
            false => SubjectId(numbered(8, number)),
        });
        let receive = call::Command::ReceiveCall {
            withheld: who == WITHHELD,
            leg: caller_leg(call),
            from: Sealed::new(who, String::new()),
            to: "sales".into(),
            trunk: None,
            sip_call_id: format!("{number}"),
            user_agent: None,
            diversion: None,
            route,
        };
        let patience = chance.exponential(self.terms.patience_ms).max(20) * MS;
        plans.push((patience, Action::Person(Plan::GiveUp(call))));
        if chance.percent(30) {
            let when = chance.exponential(self.terms.patience_ms / 3) * MS;
            plans.push((when, Action::Person(Plan::Press(call))));
        }
        let caller = Caller {
            chance,
            leg: caller_leg(call),
            queue: Some(queue),
            who,
            is_talking: false,
        };
        self.callers.insert(call, caller);
        self.say(now, AnyCommand::Call(call, receive), plans);
    }

    /// Patience is over. It is asked again later, should the hang-up be lost on
    /// the way: a caller who is gone sends nothing, and is found to be gone.
    pub(super) fn give_up(&mut self, call: CallId, now: Timestamp, plans: &mut Plans) {
        let Some(caller) = self.callers.get_mut(&call) else {
            return;
        };
        if caller.is_talking {
            return;
        }
        let leg = caller.leg;
        let command = match caller.chance.below(20) {
            0 => call::Command::RecordSignallingLost { leg },
            1 => call::Command::RecordMediaSilence { leg, since: now },
            2..11 => leave(leg, true),
            _ => leave(leg, false),
        };
        plans.push((40_000 * MS, Action::Person(Plan::GiveUp(call))));
        self.say(now, AnyCommand::Call(call, command), plans);
    }

    /// One of a few keys, of which some lead out of some queues; now and then another
    /// one follows at once.
    pub(super) fn press_an_exit(&mut self, call: CallId, now: Timestamp, plans: &mut Plans) {
        let Some(caller) = self.callers.get_mut(&call) else {
            return;
        };
        let leg = caller.leg;
        let key = caller.chance.one_of(&["1", "1", "*", "#", "7"]);
        let Some(Ok(key)) = key.map(|key| key.parse()) else {
            return;
        };
        if caller.chance.percent(40) {
            let when = caller.chance.below(400) * MS;
            plans.push((when, Action::Person(Plan::Press(call))));
        }
        let press = call::Command::RecordKey { leg, key };
        self.say(now, AnyCommand::Call(call, press), plans);
    }

    pub(super) fn they_talk(&mut self, call: CallId, plans: &mut Plans) {
        let Some(caller) = self.callers.get_mut(&call) else {
            return;
        };
        caller.is_talking = true;
        // Now and then one side hangs up in the same moment.
        let talk_ms = if caller.chance.percent(3) {
            0
        } else {
            caller.chance.exponential(self.terms.talk_ms)
        };
        plans.push((talk_ms * MS, Action::Person(Plan::HangUp(call))));
        if caller.chance.percent(20) {
            let when = caller.chance.below(talk_ms + 1) * MS;
            plans.push((when, Action::Person(Plan::Hold(call))));
        }
    }

    pub(super) fn hang_up(
        &mut self,
        call: CallId,
        now: Timestamp,
        all: &Everything,
        plans: &mut Plans,
    ) {
        let Some(caller) = self.callers.get_mut(&call) else {
            return;
        };
        let (mine, other) = (caller.leg, talking_leg(all, call));
        let mut says = vec![];
        match (caller.chance.below(20), other) {
            // Both at once.
            (0, Some(leg)) => {
                says.push(leave(mine, false));
                says.push(leave(leg, false));
            }
            (1, _) => says.push(call::Command::RecordMediaSilence {
                leg: mine,
                since: now,
            }),
            (2, Some(leg)) => says.push(call::Command::RecordSignallingLost { leg }),
            (3, _) => says.push(call::Command::EndCall {
                reason: EndReason::Operator,
                ended_at: None,
                visit: None,
            }),
            (4..12, Some(leg)) => says.push(leave(leg, false)),
            _ => says.push(leave(mine, false)),
        }
        plans.push((40_000 * MS, Action::Person(Plan::HangUp(call))));
        for command in says {
            self.say(now, AnyCommand::Call(call, command), plans);
        }
    }

    pub(super) fn press_a_key(
        &mut self,
        call: CallId,
        now: Timestamp,
        all: &Everything,
        plans: &mut Plans,
    ) {
        let Some(caller) = self.callers.get_mut(&call) else {
            return;
        };
        let Some(agent_leg) = talking_leg(all, call) else {
            return;
        };
        let leg = if caller.chance.percent(70) {
            agent_leg
        } else {
            caller.leg
        };
        let command = if caller.chance.percent(60) {
            call::Command::RecordHold { leg }
        } else {
            call::Command::RecordRetrieve { leg }
        };
        if caller.chance.percent(60) {
            let when = caller.chance.below(5_000) * MS;
            plans.push((when, Action::Person(Plan::Hold(call))));
        }
        self.say(now, AnyCommand::Call(call, command), plans);
    }

    pub(super) fn a_call_is_over(
        &mut self,
        call: CallId,
        at: Timestamp,
        disposition: Disposition,
        plans: &mut Plans,
    ) {
        plans.push((120_000 * MS, Action::Evict(call)));
        let Some(mut caller) = self.callers.remove(&call) else {
            return;
        };
        if self.terms.faults && caller.chance.percent(10) {
            self.say(at, AnyCommand::Call(call, leave(caller.leg, false)), plans);
        }
        let again_percent = match disposition {
            Disposition::Abandoned => 30,
            // Some do not wait to be rung.
            Disposition::CallbackRequested => 15,
            Disposition::Answered
            | Disposition::NoAnswer
            | Disposition::Busy
            | Disposition::Forwarded
            | Disposition::Blocked
            | Disposition::Failed
            | Disposition::Congestion
            | Disposition::Rejected
            | Disposition::Cancelled
            | Disposition::Voicemail
            | Disposition::SystemError => 0,
        };
        if let Some(queue) = caller.queue
            && caller.chance.percent(again_percent)
        {
            let when = caller.chance.between(1_000, 30_000) * MS;
            let again = Plan::DialAgain(queue, caller.who);
            plans.push((when, Action::Person(again)));
        }
    }
}

fn leave(leg: LegId, by_cancel: bool) -> call::Command {
    let wire = WireCause::default();
    if by_cancel {
        call::Command::RecordCancel { leg, wire }
    } else {
        call::Command::RecordBye { leg, wire }
    }
}
