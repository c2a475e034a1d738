//! Those who are rung back, and the networks between: busy, late, twice, never; and
//! agents who do not like to listen to it ringing.

use super::{Caller, MS, People, Plans, numbered, talking_leg};
use crate::{
    action::{Action, Plan},
    streams::Everything,
};
use domain::{
    any::AnyCommand,
    call, callback,
    cause::{EndReason, OfferOutcome, WireCause},
    id::{AgentId, CallId, CallbackId, LegId, QueueId, SubjectId, TrunkId},
    person,
    sealed::{Party, Sealed},
    time::Timestamp,
};

/// Their luck is counted from here: nobody calls so often.
const LUCK: u64 = 1 << 40;

const TRUNKS: [TrunkId; 2] = [TrunkId(numbered(9, 1)), TrunkId(numbered(9, 2))];

fn fact(call: CallId, command: call::Command) -> Plan {
    Plan::Phone(Box::new(AnyCommand::Call(call, command)))
}

impl People {
    /// Somebody asks in another way than by a call.
    pub(super) fn somebody_asks_to_be_rung(
        &mut self,
        queue: QueueId,
        now: Timestamp,
        plans: &mut Plans,
    ) {
        let Some(terms) = self.terms_of.get(&queue).copied() else {
            return;
        };
        self.asked_count += 1;
        let number = LUCK + self.asked_count;
        let mut chance = self.root.split(number);
        let not_before = chance.percent(50).then(|| {
            let later_ms = chance.between(4_000, 40_000);
            now.plus_ms(later_ms)
        });
        let agents: Vec<AgentId> = self.agents.keys().copied().collect();
        let agent = chance.one_of(&agents).copied();
        let wanted = agent
            .filter(|_| chance.percent(30))
            .map(|agent| callback::Wanted {
                agent,
                for_ms: chance.between(1_000, 20_000),
            });
        let request = callback::Request {
            queue,
            party: Sealed::new(SubjectId(numbered(8, number)), String::new()),
            place: now,
            call: None,
            terms,
            not_before,
            wanted,
        };
        let callback = CallbackId(numbered(10, number));
        let request = callback::Command::Request(request);
        self.say(now, AnyCommand::Callback(callback, request), plans);
    }

    /// Some do not want it any more, some want it later, one or the other is forgotten.
    pub(super) fn somebody_is_promised(
        &mut self,
        callback: CallbackId,
        request: &callback::Request,
        at: Timestamp,
        plans: &mut Plans,
    ) {
        self.promised_count += 1;
        let mut chance = self.root.split(2 * LUCK + self.promised_count);
        let when_ms = chance.exponential(30_000);
        let by = || "somebody".to_owned();
        let command = match chance.below(30) {
            0..3 => AnyCommand::Callback(callback, callback::Command::Cancel { by: by() }),
            3..6 => {
                let not_before = at.plus_ms(when_ms).plus_ms(chance.between(8_000, 60_000));
                let later = callback::Command::Reschedule {
                    not_before,
                    by: by(),
                };
                AnyCommand::Callback(callback, later)
            }
            6 => {
                let erase = person::Command::Erase {
                    keys_through: 0,
                    reason: person::Reason::ConsentWithdrawn,
                };
                AnyCommand::Person(request.party.subject, erase)
            }
            _ => return,
        };
        let plan = Plan::Phone(Box::new(command));
        plans.push((when_ms * MS, Action::Person(plan)));
    }

    /// A call of ours begins: whoever it is for has luck of his own.
    pub(super) fn somebody_is_to_be_rung(
        &mut self,
        call: CallId,
        leg: LegId,
        to: &Sealed<Party>,
        plans: &mut Plans,
    ) {
        self.placed_count += 1;
        let mut chance = self.root.split(3 * LUCK + self.placed_count);
        if chance.percent(3) {
            let end = call::Command::EndCall {
                reason: EndReason::Operator,
                ended_at: None,
                visit: None,
            };
            let when = chance.exponential(20_000) * MS;
            plans.push((when, Action::Person(fact(call, end))));
        }
        let person = Caller {
            chance,
            leg,
            queue: None,
            who: to.subject,
            is_talking: false,
        };
        self.callers.insert(call, person);
    }

    /// The networks are asked for the person.
    pub(super) fn somebody_is_dialled(&mut self, call: CallId, leg: LegId, plans: &mut Plans) {
        let Some(person) = self.callers.get_mut(&call) else {
            return;
        };
        let to = Sealed::new(person.who, String::new());
        let chance = &mut person.chance;
        let sets_up_ms = chance.between(30, 900);
        let picks_up_ms = sets_up_ms + chance.exponential(self.terms.pick_up_ms);
        let mut plan = |ms: u64, plan| plans.push((ms * MS, Action::Person(plan)));
        let trunk = |number: usize, after| {
            let command = call::Command::RecordTrunk {
                leg,
                trunk: TRUNKS[number],
                party: to.clone(),
                after,
                after_at: None,
            };
            fact(call, command)
        };
        let rings = |early_media| fact(call, call::Command::RecordProgress { leg, early_media });
        let fails = |outcome| {
            let wire = WireCause::default();
            fact(call, call::Command::RecordFailure { leg, outcome, wire })
        };
        let outcome = match self.terms.faults {
            true => chance.below(100),
            false => chance.below(70),
        };
        if !(70..75).contains(&outcome) {
            plan(1, trunk(0, None));
        }
        match outcome {
            0..45 => {
                plan(sets_up_ms, rings(false));
                plan(picks_up_ms, Plan::PickUp(call, leg, 1));
            }
            45..52 => plan(sets_up_ms, fails(OfferOutcome::Busy)),
            52..58 => {
                plan(sets_up_ms, rings(true));
                plan(picks_up_ms, fails(OfferOutcome::Rejected));
            }
            58..62 => plan(sets_up_ms, fails(OfferOutcome::NoAnswer)),
            // The agent has heard enough of it.
            62..70 => {
                plan(sets_up_ms, rings(false));
                plan(chance.between(500, 20_000), Plan::Desert(call));
            }
            // No trunk serves the number.
            70..75 => plan(1, fails(OfferOutcome::Unreachable)),
            75..80 => plan(sets_up_ms, fails(OfferOutcome::Unreachable)),
            // The next trunk, which rings twice and answers twice.
            80..86 => {
                plan(sets_up_ms, trunk(1, Some(WireCause::default())));
                plan(sets_up_ms + 10, rings(false));
                plan(sets_up_ms + 20, rings(true));
                plan(picks_up_ms + 20, Plan::PickUp(call, leg, 2));
            }
            // Just when nobody waits for it any more.
            86..90 => {
                plan(sets_up_ms, rings(false));
                plan(chance.between(80_000, 100_000), Plan::PickUp(call, leg, 1));
            }
            90..93 => {
                plan(picks_up_ms, Plan::PickUp(call, leg, 1));
                let lost = call::Command::RecordSignallingLost { leg };
                plan(picks_up_ms, fact(call, lost));
            }
            // Rings for ever.
            93..97 => plan(sets_up_ms, rings(false)),
            // Nothing at all.
            _ => {}
        }
    }

    pub(super) fn is_rung_back(&self, call: CallId) -> bool {
        let person = self.callers.get(&call);
        person.is_some_and(|person| person.queue.is_none())
    }

    /// The agent hangs up while it rings outside.
    pub(super) fn an_agent_hangs_up(
        &mut self,
        call: CallId,
        now: Timestamp,
        all: &Everything,
        plans: &mut Plans,
    ) {
        if let Some(leg) = talking_leg(all, call) {
            let wire = WireCause::default();
            let bye = call::Command::RecordBye { leg, wire };
            self.say(now, AnyCommand::Call(call, bye), plans);
        }
    }
}
