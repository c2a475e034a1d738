//! Whoever supervises the queues: means a waiting call for one agent now and then, gives
//! one a priority of its own, sends it into another queue or home, opens and closes queues by hand,
//! pauses members of them, and forces what an agent is.

use super::{People, Plans, numbered};
use domain::{
    any::AnyCommand,
    call::{self, AnswerMode},
    id::{AgentId, CallId, QueueId, SessionId, VisitId},
    line::{self, RejectReason},
    queue,
    session::{self, LogoutReason, NextState, NotReadyReason},
    time::Timestamp,
};

impl People {
    pub(super) fn supervise(
        &mut self,
        queue: QueueId,
        now: Timestamp,
        event: &line::Event,
        plans: &mut Plans,
    ) {
        if !self.terms.faults {
            return;
        }
        match event {
            line::Event::Opened { visit, call, .. } => {
                if self.supervisor.percent(3) {
                    self.mean_for_one(queue, *visit, now, plans);
                }
                if self.supervisor.percent(2) {
                    let priority = i32::try_from(self.supervisor.below(5)).unwrap_or(0);
                    let visit = *visit;
                    let command = line::Command::ChangePriority { visit, priority };
                    self.say(now, AnyCommand::Line(queue, command), plans);
                }
                if self.supervisor.percent(4) {
                    self.send_elsewhere(*call, now, plans);
                }
                self.send_home(*call, *visit, now, plans);
                if self.supervisor.percent(2) {
                    self.pause_one(queue, now, plans);
                }
                if self.supervisor.percent(6) {
                    self.unpause_one(now, plans);
                }
                if self.supervisor.percent(1) {
                    self.turn_the_sign(queue, now, plans);
                }
            }
            // Also while a phone is to ring for it.
            line::Event::Matched { call, visit, .. } => {
                if self.supervisor.percent(1) {
                    self.send_elsewhere(*call, now, plans);
                }
                self.send_home(*call, *visit, now, plans);
            }
            // A door that is shut is looked at more often.
            line::Event::Rejected {
                reason: RejectReason::Closed,
                ..
            } => {
                if self.supervisor.percent(20) {
                    self.turn_the_sign(queue, now, plans);
                }
            }
            line::Event::Rejected {
                reason: RejectReason::Full | RejectReason::Empty,
                ..
            }
            | line::Event::Returned { .. }
            | line::Event::PriorityChanged { .. }
            | line::Event::Assigned { .. }
            | line::Event::Closed { .. } => {}
        }
    }

    /// Whoever it is: also one who is not there, or does not serve the queue.
    fn mean_for_one(&mut self, queue: QueueId, visit: VisitId, now: Timestamp, plans: &mut Plans) {
        let agents: Vec<AgentId> = self.agents.keys().copied().collect();
        let Some(agent) = self.supervisor.one_of(&agents).copied() else {
            return;
        };
        let command = line::Command::AssignVisit {
            visit,
            agent,
            for_ms: self.supervisor.between(1_000, 30_000),
            by: "supervisor".into(),
        };
        self.say(now, AnyCommand::Line(queue, command), plans);
    }

    /// Wherever it is: also where it waits already, or when it is over by then.
    fn send_elsewhere(&mut self, call: CallId, now: Timestamp, plans: &mut Plans) {
        let Some(queue) = self.supervisor.one_of(&self.queues).copied() else {
            return;
        };
        self.sent_count += 1;
        let requeue = call::Requeue {
            expected: None,
            queue,
            config_version: 1,
            answer_mode: AnswerMode::OnAgent,
            visit: VisitId(numbered(11, self.sent_count)),
            exit_keys: self.exits.get(&queue).cloned().unwrap_or_default(),
            music: None,
            by: "supervisor".into(),
            why: "wrong_queue".into(),
        };
        let command = call::Command::RequeueCall(requeue);
        self.order(now, AnyCommand::Call(call, command), plans);
    }

    /// Now and then, and also one who was answered, left or was sent elsewhere meanwhile.
    fn send_home(&mut self, call: CallId, visit: VisitId, now: Timestamp, plans: &mut Plans) {
        if !self.withdrawing.percent(1) {
            return;
        }
        let (by, why) = ("supervisor".to_owned(), "abuse".to_owned());
        let withdraw = call::Command::WithdrawCall(call::Withdraw { visit, by, why });
        self.order(now, AnyCommand::Call(call, withdraw), plans);
    }

    /// Whoever it is: also one who talks, or does not serve the queue.
    fn pause_one(&mut self, queue: QueueId, now: Timestamp, plans: &mut Plans) {
        let agents: Vec<AgentId> = self.agents.keys().copied().collect();
        let Some(agent) = self.supervisor.one_of(&agents).copied() else {
            return;
        };
        let (by, why) = ("supervisor".to_owned(), "training".to_owned());
        let command = queue::Command::PauseMember { agent, by, why };
        self.say(now, AnyCommand::Queue(queue, command), plans);
    }

    /// Now and then an agent is made to be something, whatever it does: never is a call
    /// cut by that.
    pub(super) fn force_one(
        &mut self,
        session: SessionId,
        now: Timestamp,
        event: &session::Event,
        plans: &mut Plans,
    ) {
        let is_looked_at = matches!(
            event,
            session::Event::BecameNotReady { .. }
                | session::Event::Reserved { .. }
                | session::Event::ConnectedToContact { .. }
                | session::Event::WrapUpStarted { .. }
        );
        if !is_looked_at || !self.terms.faults || !self.forcing.percent(1) {
            return;
        }
        let next = match self.forcing.below(4) {
            0 => NextState::Ready,
            1 => NextState::LoggedOut(LogoutReason::Supervisor),
            _ => NextState::NotReady(NotReadyReason::Supervisor),
        };
        let (by, why) = ("supervisor".to_owned(), "drill".to_owned());
        let force = session::Command::Force { next, by, why };
        self.order(now, AnyCommand::Session(session, force), plans);
    }

    fn unpause_one(&mut self, now: Timestamp, plans: &mut Plans) {
        let paused: Vec<_> = self.paused.iter().copied().collect();
        let Some((queue, agent)) = self.supervisor.one_of(&paused).copied() else {
            return;
        };
        let (by, why) = ("supervisor".to_owned(), "over".to_owned());
        let command = queue::Command::UnpauseMember { agent, by, why };
        self.say(now, AnyCommand::Queue(queue, command), plans);
    }

    fn turn_the_sign(&mut self, queue: QueueId, now: Timestamp, plans: &mut Plans) {
        let (by, why) = ("supervisor".to_owned(), "drill".to_owned());
        let command = match self.supervisor.below(4) {
            0 => queue::Command::Open { by, why },
            1 => queue::Command::Close { by, why },
            _ => queue::Command::FollowHours { by, why },
        };
        self.say(now, AnyCommand::Queue(queue, command), plans);
    }
}
