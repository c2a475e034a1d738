//! The queues and agents of a world.

use super::World;
use crate::{
    action::Posted,
    options::Terms,
    violation::{Violation, must},
};
use domain::{
    agent,
    any::AnyCommand,
    call::AnswerMode,
    id::{AgentId, DEFAULT_TENANT, QueueId},
    queue,
};

fn queue_name(number: u64) -> String {
    format!("queue{number}")
}

fn agent_name(number: u64) -> String {
    format!("agent{number}")
}

pub(super) fn names(terms: &Terms) -> (Vec<QueueId>, Vec<AgentId>) {
    let queues = (0..terms.queues)
        .map(|number| QueueId::named(DEFAULT_TENANT, &queue_name(number)))
        .collect();
    let agents = (0..terms.agents)
        .map(|number| AgentId::named(DEFAULT_TENANT, &agent_name(number)))
        .collect();
    (queues, agents)
}

impl World {
    /// Configures everything before the first call.
    pub(super) fn provision(&mut self) -> Result<(), Violation> {
        let (queues, _) = names(&self.terms);
        for number in 0..self.terms.queues {
            let config = queue::Config {
                strategy: queue::Strategy::LongestIdle,
                ring_timeout_ms: self.chance.between(5_000, 25_000),
                wrap_up_ms: self.chance.below(2) * 10_000,
                answer_mode: if self.chance.percent(50) {
                    AnswerMode::Immediate
                } else {
                    AnswerMode::OnAgent
                },
                max_wait_ms: self.chance.below(2) * 120_000,
                capacity: self.chance.between(2, 40) as u32,
                service_level_threshold_ms: 20_000,
                numbers: vec![],
                overflow: vec![],
            };
            let name = queue_name(number);
            let id = QueueId::named(DEFAULT_TENANT, &name);
            self.configure(AnyCommand::Queue(
                id,
                queue::Command::Create { name, config },
            ))?;
        }
        for number in 0..self.terms.agents {
            let mut serves = queues.clone();
            serves.retain(|_| self.chance.percent(70));
            let config = agent::Config {
                display_name: None,
                queues: serves,
                ready_on_register: self.chance.percent(50),
            };
            let name = agent_name(number);
            let id = AgentId::named(DEFAULT_TENANT, &name);
            self.configure(AnyCommand::Agent(
                id,
                agent::Command::Create { name, config },
            ))?;
        }
        Ok(())
    }

    fn configure(&mut self, command: AnyCommand) -> Result<(), Violation> {
        let posted = Posted {
            command,
            at: self.wall(0),
            asked_by: None,
        };
        let outcome = self.all.handle(posted.at, posted.command, None);
        must(outcome.is_ok(), || format!("provisioning: {outcome:?}"))?;
        self.hear_news()
    }
}
