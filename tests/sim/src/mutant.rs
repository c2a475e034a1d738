//! Planted bugs. A mutant changes what is asked of the real deciders, or what
//! they answer, as a missing check would; the checkers must find it.

use crate::{options::Options, streams::Everything, violation::Failure, world::World};
use domain::{
    agent,
    any::{AnyCommand, AnyEvent, Fact},
    call::{self, Phase},
    callback,
    id::{OfferId, SubjectId},
    line, queue, session,
    time::Timestamp,
};

/// Later than any instant of a world: what is subtracted from it is in the
/// opposite order.
const TURNED_MICROS: i64 = 9_000_000_000_000_000;

const CALLS_OF_A_WORLD: u64 = 40;

/// How a planted bug was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// In which world, and by which rule.
    pub failure: Failure,
    /// Calls that were received until then, in all worlds.
    pub calls_count: u64,
}

/// A planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// Nothing compares offer ids: whatever is said of an old offer is taken
    /// for the one that is live.
    NoOfferFence,
    /// No reservation falls by itself.
    NoReservationTimer,
    /// An agent's phone is rung without looking whether the caller is there.
    NoCallerGoneCheck,
    /// No wrap-up ends by itself.
    NoWrapUpTimer,
    /// An agent who is engaged can be reserved again.
    NoAgentLock,
    /// Routing takes who came last.
    NewestFirst,
    /// A caller who leaves stays in the line.
    NoAbandon,
    /// Nobody notices that the last agent has gone.
    NobodyLeaves,
    /// All callers are taken for one who calls again.
    AnybodysPlace,
    /// Nobody looks whether a promise to ring back is due.
    NoCallbackTimer,
    /// Whoever is rung back waits at the end of the line.
    PlaceForgotten,
    /// No attempt to ring back counts.
    AttemptsUncounted,
    /// Whoever is being tried and does not want it any more is rung all the same.
    NotWithdrawn,
    /// Somebody outside is waited for as long as it rings.
    NoDialTimer,
    /// Who goes into another queue stands at its end.
    PlaceLost,
    /// Nobody hears that a member is paused.
    PauseUnheard,
    /// Nobody hears in which tier an agent is, and who is to be spared.
    PlacesUnheard,
    /// Nobody counts how long an agent has talked.
    TalkUncounted,
    /// Nobody hears when a queue takes calls.
    HoursUnheard,
    /// What a queue asks of its agents is not told to them.
    TermsForgotten,
    /// Nobody looks how many calls an agent may have.
    CapacityIgnored,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::NoOfferFence,
        Self::NoReservationTimer,
        Self::NoCallerGoneCheck,
        Self::NoWrapUpTimer,
        Self::NoAgentLock,
        Self::NewestFirst,
        Self::NoAbandon,
        Self::NobodyLeaves,
        Self::AnybodysPlace,
        Self::NoCallbackTimer,
        Self::PlaceForgotten,
        Self::AttemptsUncounted,
        Self::NotWithdrawn,
        Self::NoDialTimer,
        Self::PlaceLost,
        Self::PauseUnheard,
        Self::PlacesUnheard,
        Self::TalkUncounted,
        Self::HoursUnheard,
        Self::TermsForgotten,
        Self::CapacityIgnored,
    ];

    /// Lives through worlds of 40 calls, from that seed on, until one breaks a rule.
    pub fn hunt(self, seed: u64, worlds_max: u64) -> Option<Found> {
        let mut calls_count = 0;
        (seed..seed + worlds_max).find_map(|seed| {
            let mut options = Options::new(seed, CALLS_OF_A_WORLD);
            options.mutant = Some(self);
            let failure = World::new(options).live().err();
            calls_count += match &failure {
                Some(failure) => failure.received_count,
                None => CALLS_OF_A_WORLD,
            };
            failure.map(|failure| Found {
                failure,
                calls_count,
            })
        })
    }

    /// Whether the process' timer is gone.
    pub(crate) fn stops_timer(self, process: &str) -> bool {
        match self {
            Self::NoReservationTimer => process == "offer",
            Self::NoWrapUpTimer => process == "wrap_up",
            Self::NoCallbackTimer => process == "callback",
            Self::NoDialTimer => process == "dial",
            Self::NoOfferFence
            | Self::NoCallerGoneCheck
            | Self::NoAgentLock
            | Self::NewestFirst
            | Self::NoAbandon
            | Self::NobodyLeaves
            | Self::AnybodysPlace
            | Self::PlaceForgotten
            | Self::AttemptsUncounted
            | Self::NotWithdrawn
            | Self::PlaceLost
            | Self::PauseUnheard
            | Self::PlacesUnheard
            | Self::TalkUncounted
            | Self::HoursUnheard
            | Self::TermsForgotten
            | Self::CapacityIgnored => false,
        }
    }

    /// The command as the broken product would understand it.
    pub(crate) fn twist(self, all: &Everything, command: AnyCommand) -> AnyCommand {
        match (self, command) {
            (Self::NoOfferFence, command) => without_fence(all, command),
            (
                Self::NoAbandon,
                AnyCommand::Line(
                    queue,
                    line::Command::CloseVisit {
                        visit,
                        result: line::VisitResult::Abandoned,
                        closed_at,
                    },
                ),
            ) => {
                // Another visit that is not there: the close changes nothing.
                let visit = domain::id::VisitId(uuid::Uuid::from_u128(!visit.0.as_u128()));
                let result = line::VisitResult::Abandoned;
                let close = line::Command::CloseVisit {
                    visit,
                    result,
                    closed_at,
                };
                AnyCommand::Line(queue, close)
            }
            (Self::PlaceLost, AnyCommand::Line(queue, open)) => {
                AnyCommand::Line(queue, at_the_end(open))
            }
            (
                Self::AttemptsUncounted,
                AnyCommand::Callback(
                    callback,
                    callback::Command::RecordOutcome {
                        attempt,
                        outcome: callback::Outcome::Missed { reason, .. },
                    },
                ),
            ) => {
                let outcome = callback::Outcome::Missed {
                    reason,
                    is_counted: false,
                };
                let record = callback::Command::RecordOutcome { attempt, outcome };
                AnyCommand::Callback(callback, record)
            }
            (
                Self::TermsForgotten,
                AnyCommand::Session(id, mut reserve @ session::Command::Reserve { .. }),
            ) => {
                if let session::Command::Reserve { terms, .. } = &mut reserve {
                    *terms = queue::Terms::STANDARD;
                }
                AnyCommand::Session(id, reserve)
            }
            (
                Self::CapacityIgnored,
                AnyCommand::Session(id, mut reserve @ session::Command::Reserve { .. }),
            ) => {
                if let session::Command::Reserve { capacity, .. } = &mut reserve {
                    *capacity = u8::MAX;
                }
                AnyCommand::Session(id, reserve)
            }
            (_, command) => command,
        }
    }

    /// The fact as the broken process would understand it.
    pub(crate) fn misread(self, process: &str, fact: &Fact) -> Option<Fact> {
        let mut misread = fact.clone();
        match (self, process, &mut misread.event) {
            (
                Self::NewestFirst,
                "routing",
                AnyEvent::Line(_, line::Event::Opened { enqueued_at, .. }),
            ) => *enqueued_at = Timestamp::from_micros(TURNED_MICROS - enqueued_at.micros()),
            (
                Self::NobodyLeaves,
                "enqueue",
                AnyEvent::Session(
                    _,
                    event @ (session::Event::LoggedOut { .. }
                    | session::Event::BecameNotReady { .. }),
                ),
            ) => *event = session::Event::BecameReady {},
            (
                Self::AnybodysPlace,
                "enqueue",
                AnyEvent::Call(_, call::Event::Received { from, .. }),
            ) => from.subject = SubjectId(uuid::Uuid::nil()),
            (
                Self::PlaceForgotten,
                "enqueue",
                AnyEvent::Call(_, call::Event::Placed { place, .. }),
            ) => *place = fact.at,
            (
                Self::NotWithdrawn,
                "callback",
                AnyEvent::Callback(_, event @ callback::Event::Cancelled { .. }),
            ) => {
                *event = callback::Event::Exhausted {};
            }
            (
                Self::PauseUnheard,
                "routing",
                AnyEvent::Queue(_, event @ queue::Event::MemberPaused { .. }),
            ) => {
                let (by, why) = (String::new(), String::new());
                *event = queue::Event::HoursFollowed { by, why };
            }
            (
                Self::PlacesUnheard,
                "routing",
                AnyEvent::Agent(_, agent::Event::Created { config, .. }),
            ) => config.places.clear(),
            (
                Self::CapacityIgnored,
                "routing",
                AnyEvent::Agent(_, agent::Event::Created { config, .. }),
            ) => config.capacity = agent::CAPACITY_MAX,
            (
                Self::HoursUnheard,
                "enqueue",
                AnyEvent::Queue(_, queue::Event::Created { config, .. }),
            ) => config.hours = None,
            (
                Self::TalkUncounted,
                "routing",
                AnyEvent::Session(_, event @ session::Event::ContactEnded { .. }),
            ) => {
                let next = session::NextState::Ready;
                *event = session::Event::NextStateRequested { next, code: None };
            }
            _ => return None,
        }
        Some(misread)
    }

    /// What the broken product writes where the real one refuses.
    pub(crate) fn forgive(self, command: &AnyCommand, code: &str) -> Option<AnyEvent> {
        match self {
            Self::NoCallerGoneCheck => rings_anyway(command, code),
            Self::NoAgentLock => reserves_anyway(command, code),
            Self::NoOfferFence
            | Self::NoReservationTimer
            | Self::NoWrapUpTimer
            | Self::NewestFirst
            | Self::NoAbandon
            | Self::NobodyLeaves
            | Self::AnybodysPlace
            | Self::NoCallbackTimer
            | Self::PlaceForgotten
            | Self::AttemptsUncounted
            | Self::NotWithdrawn
            | Self::NoDialTimer
            | Self::PlaceLost
            | Self::PauseUnheard
            | Self::PlacesUnheard
            | Self::TalkUncounted
            | Self::HoursUnheard
            | Self::TermsForgotten
            | Self::CapacityIgnored => None,
        }
    }
}

/// Whoever comes from another queue stands where a new caller would.
fn at_the_end(mut open: line::Command) -> line::Command {
    if let line::Command::OpenVisit {
        enqueued_at,
        joined_at,
        previous: Some(_),
        ..
    } = &mut open
        && let Some(joined_at) = joined_at.take()
    {
        *enqueued_at = joined_at;
    }
    open
}

fn rings_anyway(command: &AnyCommand, code: &str) -> Option<AnyEvent> {
    let AnyCommand::Call(
        call,
        call::Command::StartOffer {
            offer,
            visit,
            session,
            leg,
            until,
            ..
        },
    ) = command
    else {
        return None;
    };
    (code == "call.already_ended").then_some(AnyEvent::Call(
        *call,
        call::Event::OfferStarted {
            offer: *offer,
            visit: *visit,
            session: *session,
            leg: *leg,
            until: *until,
        },
    ))
}

fn reserves_anyway(command: &AnyCommand, code: &str) -> Option<AnyEvent> {
    let AnyCommand::Session(
        id,
        session::Command::Reserve {
            offer,
            call,
            visit,
            queue,
            until,
            wrap_up_ms,
            choice,
            terms,
            capacity,
            ..
        },
    ) = command
    else {
        return None;
    };
    (code == "agent.engaged").then_some(AnyEvent::Session(
        *id,
        session::Event::Reserved {
            offer: *offer,
            call: *call,
            visit: *visit,
            queue: *queue,
            until: *until,
            wrap_up_ms: *wrap_up_ms,
            choice: choice.clone(),
            terms: *terms,
            capacity: *capacity,
            still: None,
        },
    ))
}

fn without_fence(all: &Everything, command: AnyCommand) -> AnyCommand {
    match command {
        AnyCommand::Call(id, call::Command::RecordAnswer { leg, codec, device }) => {
            let leg = match all.calls.get(id).map(|call| &call.phase) {
                Some(Phase::Offering(live)) if Some(leg) != caller_leg(all, id) => {
                    live.first().map_or(leg, |live| live.leg)
                }
                _ => leg,
            };
            AnyCommand::Call(id, call::Command::RecordAnswer { leg, codec, device })
        }
        AnyCommand::Call(id, call::Command::EndOffer { offer, outcome }) => {
            let offer = live_offer_of_call(all, id).unwrap_or(offer);
            AnyCommand::Call(id, call::Command::EndOffer { offer, outcome })
        }
        AnyCommand::Session(id, session::Command::ReleaseReservation { offer, reason }) => {
            let offer = live_offer_of_session(all, id).unwrap_or(offer);
            let release = session::Command::ReleaseReservation { offer, reason };
            AnyCommand::Session(id, release)
        }
        command @ (AnyCommand::Call(..)
        | AnyCommand::Session(..)
        | AnyCommand::Line(..)
        | AnyCommand::Queue(..)
        | AnyCommand::Person(..)
        | AnyCommand::Refusals(..)
        | AnyCommand::Schedule(..)
        | AnyCommand::Agent(..)
        | AnyCommand::Device(..)
        | AnyCommand::Trunk(..)
        | AnyCommand::Callback(..)
        | AnyCommand::Mailbox(..)
        | AnyCommand::Billing(..)) => command,
    }
}

fn caller_leg(all: &Everything, id: domain::id::CallId) -> Option<domain::id::LegId> {
    all.calls.get(id).and_then(|call| call.caller_leg)
}

fn live_offer_of_call(all: &Everything, id: domain::id::CallId) -> Option<OfferId> {
    all.calls.get(id)?.offers().first().map(|live| live.offer)
}

fn live_offer_of_session(all: &Everything, id: domain::id::SessionId) -> Option<OfferId> {
    all.sessions.get(id)?.reservation()?.offer()
}
