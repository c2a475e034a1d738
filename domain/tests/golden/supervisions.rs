//! One example of every event of a supervision and of a transfer, with every optional field
//! there.

use super::examples::{OFFER, SESSION, UNTIL, uuid, wire};
use ringledger_domain::{
    call::{Event, SupervisionEnd, SupervisionMode},
    id::{AgentId, LegId, QueueId, VisitId},
};

const LEG: LegId = LegId(uuid(16));
const SUPERVISOR: AgentId = AgentId(uuid(17));

pub(crate) fn all() -> impl Iterator<Item = Event> {
    [
        Event::SupervisionRequested {
            leg: LEG,
            supervisor: SUPERVISOR,
            mode: SupervisionMode::Listen,
            until: UNTIL,
            by: "token:carla".into(),
        },
        Event::SupervisionStarted {
            leg: LEG,
            supervisor: SUPERVISOR,
            mode: SupervisionMode::Listen,
            codec: Some("PCMA".into()),
            device: Some("Deskphone/5.0".into()),
        },
        Event::SupervisionModeChanged {
            leg: LEG,
            supervisor: SUPERVISOR,
            mode: SupervisionMode::Whisper,
            by: "token:carla".into(),
        },
        Event::TakenOver {
            leg: LEG,
            supervisor: SUPERVISOR,
            from_leg: LegId(uuid(18)),
            session: SESSION,
            offer: OFFER,
        },
        Event::Transferred {
            leg: LEG,
            session: SESSION,
            offer: OFFER,
            visit: VisitId(uuid(19)),
            queue: QueueId(uuid(20)),
            to: QueueId(uuid(21)),
            by: "token:carla".into(),
        },
        Event::SupervisionEnded {
            leg: LEG,
            supervisor: SUPERVISOR,
            reason: SupervisionEnd::Stopped,
            by: Some("token:carla".into()),
            wire: wire(),
        },
    ]
    .into_iter()
}
