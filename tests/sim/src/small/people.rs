//! The two callers and the two agents: what they usually do, and what they may do
//! instead.

use domain::{
    any::{AnyCommand, AnyEvent, Fact},
    call::{self, AnswerMode, Key, Route},
    cause::{OfferOutcome, WireCause},
    id::{AgentId, CallId, DEFAULT_TENANT, LegId, QueueId, SessionId, SubjectId, VisitId},
    queue,
    sealed::Sealed,
    session::{self, LogoutReason, NotReadyReason},
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

pub(super) const QUEUE: &str = "support";
pub(super) const AGENTS: [&str; 2] = ["ann", "ben"];

/// What somebody does when there is nothing left to wait for, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Act {
    LogIn(AgentId),
    Dial(u8),
    /// Even when the phone was told to stop meanwhile.
    PickUp(CallId, LegId),
    /// The person who is rung back answers.
    Answer(CallId, LegId),
    HangUp(CallId, LegId),
}

/// What somebody may do at any time, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Whim {
    GiveUp(CallId, LegId),
    PressTheKey(CallId, LegId),
    Pause(SessionId),
    LogOut(SessionId),
}

#[derive(Debug, Clone, Default)]
pub(super) struct People {
    pub(super) acts: BTreeSet<Act>,
    pub(super) whims: BTreeSet<Whim>,
    /// The leg of the caller, or of whoever is rung back, and whether we placed it.
    legs: BTreeMap<CallId, (LegId, bool)>,
}

pub(super) fn queue() -> QueueId {
    QueueId::named(DEFAULT_TENANT, QUEUE)
}

const fn numbered(kind: u128, number: u8) -> Uuid {
    Uuid::from_u128((kind << 64) | number as u128)
}

fn key() -> Option<Key> {
    "*".parse().ok()
}

/// The one queue: with a wrap-up, an end of waiting, and a key to be rung back once.
pub(super) fn config() -> queue::Config {
    let to = queue::OverflowTo::Callback;
    let exits = key().into_iter().map(|key| queue::Exit {
        key,
        to: to.clone(),
    });
    queue::Config {
        ring_timeout_ms: 15_000,
        wrap_up_ms: 10_000,
        max_wait_ms: 60_000,
        exits: exits.collect(),
        callback: domain::callback::Terms {
            attempts_max: 1,
            gap_ms: 1_000,
            valid_ms: 60_000,
        },
        ..queue::Config::default()
    }
}

impl People {
    /// The morning.
    pub(super) fn start() -> Self {
        let agents = AGENTS.map(|name| Act::LogIn(AgentId::named(DEFAULT_TENANT, name)));
        let mut acts = BTreeSet::from(agents);
        acts.extend([Act::Dial(1), Act::Dial(2)]);
        Self {
            acts,
            ..Self::default()
        }
    }

    /// What that comes to, on the wire.
    pub(super) fn does(&mut self, act: Act) -> AnyCommand {
        self.acts.remove(&act);
        match act {
            Act::LogIn(agent) => {
                let session = SessionId { agent, number: 1 };
                let command = session::Command::LogIn {
                    session,
                    ready: true,
                };
                AnyCommand::Session(session, command)
            }
            Act::Dial(number) => dial(number),
            Act::PickUp(call, leg) | Act::Answer(call, leg) => {
                let answer = call::Command::RecordAnswer {
                    leg,
                    codec: None,
                    device: None,
                };
                AnyCommand::Call(call, answer)
            }
            Act::HangUp(call, leg) => AnyCommand::Call(call, bye(leg)),
        }
    }

    /// The same phone does not want the call.
    pub(super) fn refuses(&mut self, act: Act) -> Option<AnyCommand> {
        let (call, leg, outcome) = match act {
            Act::PickUp(call, leg) => (call, leg, OfferOutcome::Rejected),
            Act::Answer(call, leg) => (call, leg, OfferOutcome::Busy),
            Act::LogIn(_) | Act::Dial(_) | Act::HangUp(..) => return None,
        };
        self.acts.remove(&act);
        let wire = WireCause::default();
        let fails = call::Command::RecordFailure { leg, outcome, wire };
        Some(AnyCommand::Call(call, fails))
    }

    pub(super) fn follows(&mut self, whim: Whim) -> Option<AnyCommand> {
        self.whims.remove(&whim);
        Some(match whim {
            Whim::GiveUp(call, leg) => AnyCommand::Call(call, bye(leg)),
            Whim::PressTheKey(call, leg) => {
                AnyCommand::Call(call, call::Command::RecordKey { leg, key: key()? })
            }
            Whim::Pause(session) => {
                let reason = NotReadyReason::Break;
                AnyCommand::Session(session, session::Command::GoNotReady { reason, code: None })
            }
            Whim::LogOut(session) => {
                let reason = LogoutReason::Agent;
                AnyCommand::Session(session, session::Command::LogOut { reason })
            }
        })
    }

    /// People hear what was committed at once.
    pub(super) fn hear(&mut self, fact: &Fact) {
        match &fact.event {
            AnyEvent::Call(call, event) => self.hear_call(*call, event),
            AnyEvent::Session(id, session::Event::LoggedIn { .. }) => {
                self.whims.insert(Whim::Pause(*id));
                self.whims.insert(Whim::LogOut(*id));
            }
            AnyEvent::Session(..)
            | AnyEvent::Line(..)
            | AnyEvent::Queue(..)
            | AnyEvent::Agent(..)
            | AnyEvent::Person(..)
            | AnyEvent::Refusals(..)
            | AnyEvent::Schedule(..)
            | AnyEvent::Device(..)
            | AnyEvent::Trunk(..)
            | AnyEvent::Callback(..)
            | AnyEvent::Mailbox(..)
            | AnyEvent::Billing(..) => {}
        }
    }

    fn hear_call(&mut self, call: CallId, event: &call::Event) {
        match event {
            call::Event::Received { leg, .. } => {
                self.legs.insert(call, (*leg, false));
                self.whims.insert(Whim::GiveUp(call, *leg));
                self.whims.insert(Whim::PressTheKey(call, *leg));
            }
            call::Event::Placed { leg, .. } => {
                self.legs.insert(call, (*leg, true));
            }
            call::Event::OfferStarted { leg, .. } => {
                self.acts.insert(Act::PickUp(call, *leg));
            }
            call::Event::LegDialled { leg, .. } => {
                self.acts.insert(Act::Answer(call, *leg));
            }
            call::Event::AgentConnected { .. } => {
                if let Some((leg, false)) = self.legs.get(&call) {
                    self.acts.insert(Act::HangUp(call, *leg));
                }
                self.waits_no_more(call);
            }
            call::Event::LegAnswered { leg, .. } => {
                self.acts.insert(Act::HangUp(call, *leg));
            }
            call::Event::Ended { .. } => {
                self.waits_no_more(call);
                if let Some((leg, _)) = self.legs.remove(&call) {
                    self.acts.remove(&Act::HangUp(call, leg));
                    self.acts.remove(&Act::Answer(call, leg));
                    self.whims.remove(&Whim::GiveUp(call, leg));
                }
            }
            call::Event::Routed { .. }
            | call::Event::Enqueued { .. }
            | call::Event::ExitKeyPressed { .. }
            | call::Event::PlaceTold { .. }
            | call::Event::AnswerOrdered { .. }
            | call::Event::AnswerOrderRefused { .. }
            | call::Event::Withdrawn { .. }
            | call::Event::CallbackRequested { .. }
            | call::Event::Overflowed { .. }
            | call::Event::AnnouncementStarted { .. }
            | call::Event::VoicemailStarted { .. }
            | call::Event::VoicemailEnded { .. }
            | call::Event::Forwarded { .. }
            | call::Event::TrunkSelected { .. }
            | call::Event::LegProgressed { .. }
            | call::Event::Answered {}
            | call::Event::LegAlerting { .. }
            | call::Event::OfferEnded { .. }
            | call::Event::Held { .. }
            | call::Event::Retrieved { .. }
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

    fn waits_no_more(&mut self, call: CallId) {
        if let Some((leg, _)) = self.legs.get(&call) {
            self.whims.remove(&Whim::PressTheKey(call, *leg));
        }
    }
}

fn bye(leg: LegId) -> call::Command {
    let wire = WireCause::default();
    call::Command::RecordBye { leg, wire }
}

fn dial(number: u8) -> AnyCommand {
    let receive = call::Command::ReceiveCall {
        withheld: false,
        leg: LegId(numbered(2, number)),
        from: Sealed::new(SubjectId(numbered(8, number)), String::new()),
        to: QUEUE.into(),
        trunk: None,
        sip_call_id: number.to_string(),
        user_agent: None,
        diversion: None,
        route: Route::Queue {
            queue: queue(),
            config_version: 1,
            answer_mode: AnswerMode::OnAgent,
            visit: VisitId(numbered(5, number)),
            exit_keys: key().into_iter().collect(),
            music: None,
        },
    };
    AnyCommand::Call(CallId(numbered(1, number)), receive)
}
