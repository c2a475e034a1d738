//! A caller of a story whom the agent sends into the other queue.

use super::{World, call, queue, story::WRAP_UP_MS, story::queue_of, visit};
use domain::{
    any::AnyCommand,
    call::{AnswerMode, Command, Transfer},
    id::{CallId, QueueId, VisitId},
    line::{self, VisitPolicy},
};

/// Stays of those who come have smaller numbers.
const STAYS: u64 = 1 << 40;

impl World {
    /// Where the call waits or was answered.
    pub(crate) fn stay(&self, number: u64) -> (VisitId, QueueId) {
        let known = self.calls.get(&call(number));
        let stay = known.and_then(|(call, _)| call.visit);
        stay.unwrap_or_else(|| (visit(number), queue_of(number)))
    }

    /// Its agent sends the caller into the other queue, whose line is asked by and by; the
    /// line of the stay that was answered has heard of that.
    pub(crate) fn is_transferred(&mut self, number: u64) -> &mut Self {
        self.settle();
        let (previous, from) = self.stay(number);
        let [first, second] = [queue(1), queue(2)];
        let to = if from == first { second } else { first };
        let sent = visit(STAYS + self.facts.len() as u64);
        let asked = Transfer {
            queue: to,
            config_version: 1,
            answer_mode: AnswerMode::Immediate,
            visit: sent,
            exit_keys: vec![],
            music: None,
            agent: None,
            leg: None,
            by: "anna".into(),
        };
        self.on(number, Command::TransferCall(asked));
        if self.stay(number) == (sent, to) {
            self.asks_the_line(call(number), (sent, to), previous);
        }
        self
    }

    fn asks_the_line(&mut self, call: CallId, (visit, queue): (VisitId, QueueId), from: VisitId) {
        let open = line::Command::OpenVisit {
            visit,
            call,
            enqueued_at: self.now,
            joined_at: None,
            priority: None,
            previous: Some(from),
            capacity: 3,
            policy: VisitPolicy {
                config_version: 1,
                answer_mode: AnswerMode::Immediate,
                ring_timeout_ms: 15_000,
                wrap_up_ms: WRAP_UP_MS,
                max_wait_ms: 0,
                measure: self.measure(queue),
            },
            barred: None,
        };
        self.owed.push(AnyCommand::Line(queue, open));
    }
}
