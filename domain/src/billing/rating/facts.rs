//! What of a call's own record matters for its price.

use super::{event::UnratedReason, price::Part};
use crate::{
    billing::{UsageType, account::Profile},
    call::{self, Target},
    cause::EndReason,
    id::{AgentId, LegId, QueueId, TrunkId},
    rating::digits,
    sealed::{Party, Sealed},
    time::Timestamp,
};

/// A leg that goes out through a trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbound {
    /// Which.
    pub leg: LegId,
    /// The number that it is to reach; none while it is sealed, or for ever when
    /// its subject was erased.
    pub number: Option<String>,
    /// The number, where only the vault can read it.
    pub sealed: Option<Sealed<Party>>,
    /// The last trunk that it was tried on.
    pub trunk: Option<TrunkId>,
    /// When the other side answered.
    pub answered_at: Option<Timestamp>,
}

impl Outbound {
    /// A leg that is to go out to a number.
    pub fn to(leg: LegId, number: &str) -> Self {
        Self::new(leg, &Target::Number(number.to_owned()))
    }

    fn new(leg: LegId, target: &Target) -> Self {
        let (number, sealed) = match target {
            Target::Number(number) => (Some(number.clone()), None),
            Target::Party(sealed) => (None, Some(sealed.clone())),
        };
        Self {
            leg,
            number,
            sealed,
            trunk: None,
            answered_at: None,
        }
    }
}

/// What a call says that is to be priced.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// What was dialled to come in; none for a call that we began.
    pub dialled: Option<String>,
    /// The caller's leg.
    pub caller_leg: Option<LegId>,
    /// The trunk that let it in.
    pub trunk: Option<TrunkId>,
    /// The queue that it was routed to.
    pub queue: Option<QueueId>,
    /// The agent that it was connected to first: whoever it was transferred to changes
    /// nothing about who pays.
    pub agent: Option<AgentId>,
    /// When the caller was answered; never of a call that we began.
    pub answered_at: Option<Timestamp>,
    /// The legs that went out, in the order in which they were dialled.
    pub outbound: Vec<Outbound>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// What ended it.
    pub end: Option<EndReason>,
}

impl Facts {
    /// Folds a call's events.
    pub fn of<'a>(events: impl IntoIterator<Item = (Timestamp, &'a call::Event)>) -> Self {
        let mut facts = Self::default();
        for (at, event) in events {
            facts.apply(at, event);
        }
        facts
    }

    fn apply(&mut self, at: Timestamp, event: &call::Event) {
        match event {
            call::Event::Received { leg, to, trunk, .. } => {
                self.dialled = Some(to.clone());
                self.caller_leg = Some(*leg);
                self.trunk = *trunk;
            }
            // Nothing was dialled to come in.
            call::Event::Placed { leg, .. } => self.caller_leg = Some(*leg),
            call::Event::Routed { queue, .. } => self.queue = Some(*queue),
            call::Event::LegDialled { leg, target, .. } => {
                self.outbound.push(Outbound::new(*leg, target));
            }
            call::Event::TrunkSelected { leg, trunk, .. } => {
                if let Some(outbound) = self.outbound(*leg) {
                    outbound.trunk = Some(*trunk);
                }
            }
            call::Event::LegAnswered { leg, .. } => {
                if let Some(outbound) = self.outbound(*leg) {
                    outbound.answered_at.get_or_insert(at);
                }
            }
            call::Event::Answered {} => {
                self.answered_at.get_or_insert(at);
            }
            call::Event::AgentConnected { session, .. } => {
                // Whoever was rung back was answered with the leg that went out.
                if self.dialled.is_some() {
                    self.answered_at.get_or_insert(at);
                }
                self.agent.get_or_insert(session.agent);
            }
            call::Event::Ended {
                ended_at, cause, ..
            } => {
                self.ended_at = Some(*ended_at);
                self.end = Some(cause.reason);
            }
            call::Event::Enqueued { .. }
            | call::Event::ExitKeyPressed { .. }
            | call::Event::PlaceTold { .. }
            | call::Event::Overflowed { .. }
            | call::Event::AnnouncementStarted { .. }
            | call::Event::VoicemailStarted { .. }
            | call::Event::VoicemailEnded { .. }
            | call::Event::Forwarded { .. }
            | call::Event::LegProgressed { .. }
            | call::Event::OfferStarted { .. }
            | call::Event::LegAlerting { .. }
            | call::Event::OfferEnded { .. }
            | call::Event::Held { .. }
            | call::Event::Retrieved { .. }
            | call::Event::AnswerOrdered { .. }
            | call::Event::AnswerOrderRefused { .. }
            | call::Event::Withdrawn { .. }
            | call::Event::CallbackRequested { .. }
            | call::Event::Diverted { .. }
            | call::Event::MediaMeasured { .. }
            | call::Event::SupervisionRequested { .. }
            | call::Event::SupervisionStarted { .. }
            | call::Event::SupervisionModeChanged { .. }
            | call::Event::TakenOver { .. }
            | call::Event::Transferred { .. }
            | call::Event::SupervisionEnded { .. }
            | call::Event::Tagged { .. }
            | call::Event::LateFact { .. } => {}
        }
    }

    fn outbound(&mut self, leg: LegId) -> Option<&mut Outbound> {
        self.outbound.iter_mut().find(|known| known.leg == leg)
    }

    /// All numbers that the call led to: the one that was dialled here, and those
    /// of the legs that went out.
    pub fn numbers(&self) -> impl Iterator<Item = &str> {
        let outside = self.outbound.iter().map(|outbound| &outbound.number);
        [&self.dialled]
            .into_iter()
            .chain(outside)
            .flatten()
            .map(String::as_str)
    }

    /// The legs that were used until then; one that nobody answered is none. The
    /// caller's is priced by the number that was dialled, and each one that went
    /// out by the number that it reached.
    ///
    /// # Errors
    /// When the number of a leg that went out can not be read, or does not tell its
    /// country: which kind of usage it is can not be told.
    pub fn parts(
        &self,
        profile: &Profile,
        ended_at: Timestamp,
    ) -> Result<Vec<Part>, UnratedReason> {
        let inbound = self.inbound(profile, ended_at);
        let outbound = self.outbound.iter().filter_map(|outbound| {
            let answered_at = outbound.answered_at?;
            Some(outbound_part(outbound, profile, answered_at, ended_at))
        });
        inbound.map(Ok).into_iter().chain(outbound).collect()
    }

    fn inbound(&self, profile: &Profile, ended_at: Timestamp) -> Option<Part> {
        let dialled = self.dialled.as_ref()?;
        let number = digits(dialled);
        let is_toll_free = profile.owned.numbers.iter().any(|owned| {
            owned.is_toll_free
                && (owned.number == *dialled
                    || (number.is_some() && digits(&owned.number) == number))
        });
        Some(Part {
            leg: self.caller_leg?,
            usage_type: if is_toll_free {
                UsageType::TollFreeMinutes
            } else {
                UsageType::InboundMinutes
            },
            digits: number,
            answered_at: self.answered_at?,
            ended_at,
        })
    }
}

fn outbound_part(
    outbound: &Outbound,
    profile: &Profile,
    answered_at: Timestamp,
    ended_at: Timestamp,
) -> Result<Part, UnratedReason> {
    let number = outbound.number.as_deref().and_then(digits);
    // No country's code begins with 0: it is written as only its own country knows it.
    let number = number.filter(|number| !number.starts_with('0'));
    let number = number.ok_or(UnratedReason::NoNumber)?;
    Ok(Part {
        leg: outbound.leg,
        usage_type: if number.starts_with(&profile.calling_code) {
            UsageType::OutboundMinutes
        } else {
            UsageType::InternationalMinutes
        },
        digits: Some(number),
        answered_at,
        ended_at,
    })
}
