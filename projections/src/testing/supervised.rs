//! Whoever supervises a call of a story.

use super::{World, call};
use domain::{
    call::{Command, Supervising, SupervisionMode},
    cause::WireCause,
    id::{AgentId, LegId},
};
use uuid::Uuid;

/// Legs of the calls themselves have smaller numbers.
const LEGS: u128 = 1 << 40;

impl World {
    /// Somebody is to hear the call in that mode; whoever does already, in another one.
    pub(crate) fn is_supervised(&mut self, number: u64, mode: SupervisionMode) -> &mut Self {
        let asked = Supervising {
            leg: LegId(Uuid::from_u128(LEGS + self.facts.len() as u128)),
            supervisor: AgentId(Uuid::from_u128(78)),
            mode,
            by: "carla".into(),
        };
        self.on(number, Command::SuperviseCall(asked))
    }

    /// Whether two talk in it.
    pub(crate) fn talks(&self, number: u64) -> bool {
        let known = self.calls.get(&call(number));
        known.is_some_and(|(call, _)| call.talking().is_some())
    }

    fn supervisors_leg(&self, number: u64) -> LegId {
        let current = self.calls.get(&call(number));
        let current = current.and_then(|(call, _)| call.supervision);
        current.map_or(LegId(Uuid::nil()), |current| current.leg)
    }

    /// The phone is answered.
    pub(crate) fn supervisor_answers(&mut self, number: u64) -> &mut Self {
        let answer = Command::RecordAnswer {
            leg: self.supervisors_leg(number),
            codec: None,
            device: None,
        };
        self.on(number, answer)
    }

    /// The phone is hung up, or gives no answer.
    pub(crate) fn supervisor_hangs_up(&mut self, number: u64) -> &mut Self {
        let (leg, wire) = (self.supervisors_leg(number), WireCause::default());
        self.on(number, Command::RecordBye { leg, wire })
    }
}
