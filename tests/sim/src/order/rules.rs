//! The rules of queues as the checkers know them: from events, and told apart
//! from the product's own reading of them.

use domain::{
    agent,
    call::OverflowCause,
    id::QueueId,
    queue::{self, Away, Matching, OverflowTo, Strategy},
};
use std::collections::{BTreeMap, BTreeSet};

/// What each version of each queue says.
#[derive(Debug, Default, Clone)]
pub(crate) struct Rules {
    versions: BTreeMap<(QueueId, u32), Matching>,
    now: BTreeMap<QueueId, (u32, Strategy)>,
    /// How old a stay may become; 0 for any age.
    ttl_ms: BTreeMap<QueueId, u64>,
    /// Who counts as away for those who wait, where nobody waits for nobody.
    away: BTreeMap<QueueId, Vec<Away>>,
    /// Queues that ring back whoever finds nobody there, and send nobody away.
    ring_back: BTreeSet<QueueId>,
}

impl Rules {
    pub(crate) fn note(&mut self, id: QueueId, event: &queue::Event) {
        let (version, config) = match event {
            queue::Event::Created {
                config,
                config_version,
                ..
            } => (config_version.unwrap_or(1), config),
            queue::Event::Configured {
                config_version,
                config,
            } => (*config_version, config),
            // Whoever is let in is served as ever.
            queue::Event::Opened { .. }
            | queue::Event::Closed { .. }
            | queue::Event::HoursFollowed { .. }
            | queue::Event::MemberPaused { .. }
            | queue::Event::MemberUnpaused { .. }
            | queue::Event::Deleted { .. } => return,
        };
        self.versions.insert((id, version), config.matching.clone());
        self.now.insert(id, (version, config.strategy));
        self.ttl_ms.insert(id, config.visit_ttl_ms);
        let mut rules = config.overflow.iter();
        let rule = rules.find(|rule| rule.when == OverflowCause::Unstaffed);
        let to = rule.map(|rule| &rule.to);
        let rings_back = matches!(to, Some(OverflowTo::Callback)) && config.empty.leave.is_none();
        match rings_back {
            true => self.ring_back.insert(id),
            false => self.ring_back.remove(&id),
        };
        match (&config.empty.leave, to) {
            // Whoever finds the mailbox full waits on.
            (_, Some(OverflowTo::Mailbox(_))) | (None, None) => self.away.remove(&id),
            (Some(away), _) => self.away.insert(id, away.clone()),
            (None, Some(_)) => self.away.insert(id, vec![]),
        };
    }

    /// How old a stay may become; 0 for any age.
    pub(crate) fn visit_ttl_ms(&self, queue: QueueId) -> u64 {
        self.ttl_ms.get(&queue).copied().unwrap_or(0)
    }

    /// Whether it rings back whoever finds nobody there, and sends nobody away.
    pub(crate) fn rings_back(&self, queue: QueueId) -> bool {
        self.ring_back.contains(&queue)
    }

    /// Who counts as away for those who wait; none where they wait for nobody.
    pub(crate) fn counts_as_away(&self, queue: QueueId) -> Option<&[Away]> {
        self.away.get(&queue).map(Vec::as_slice)
    }

    /// What a visit of that version was opened under.
    pub(crate) fn of(&self, queue: QueueId, version: u32) -> Option<&Matching> {
        self.versions.get(&(queue, version))
    }

    pub(crate) fn now(&self, queue: QueueId) -> Option<&Matching> {
        let (version, _) = self.now.get(&queue)?;
        self.of(queue, *version)
    }

    /// What it goes by now.
    pub(crate) fn now_with_strategy(&self, queue: QueueId) -> Option<(&Matching, Strategy)> {
        let (_, strategy) = self.now.get(&queue)?;
        Some((self.now(queue)?, *strategy))
    }

    pub(crate) fn rings_beside(&self, queue: QueueId) -> bool {
        let strategy = self.now.get(&queue).map(|(_, strategy)| *strategy);
        matches!(
            strategy,
            Some(Strategy::RingAll | Strategy::RingProgressively)
        )
    }

    /// After how long the next phone joins in, where they do so.
    pub(crate) fn joins_after_ms(&self, queue: QueueId) -> Option<u64> {
        let (_, strategy) = self.now.get(&queue)?;
        let matching = self.now(queue)?;
        (*strategy == Strategy::RingProgressively).then(|| matching.ring_step_ms())
    }
}

/// Whether somebody may be asked.
pub(crate) trait Skilled {
    /// After so long a wait, under these rules.
    fn is_fit(&self, queue: QueueId, rules: &Matching, waited_ms: u64) -> bool;
}

impl Skilled for agent::Config {
    fn is_fit(&self, queue: QueueId, rules: &Matching, waited_ms: u64) -> bool {
        let tier = u64::from(self.place(queue).tier);
        let is_open = rules.tier_step_ms == 0 || (tier - 1) * rules.tier_step_ms <= waited_ms;
        let required = rules.skills.iter().filter(|wanted| !wanted.preferred);
        let has_all = required.into_iter().all(|wanted| {
            let mut enough = wanted.level;
            for step in &wanted.relax {
                if step.after_ms <= waited_ms {
                    enough = step.level;
                }
            }
            let has = self.skills.iter().find(|has| has.skill == wanted.skill);
            has.map_or(0, |has| has.level) >= enough
        });
        is_open && has_all
    }
}
