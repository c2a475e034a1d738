//! Random histories: anything may be asked at any time, and processes may do
//! what they owe late and in any order.

use super::{
    story::Side,
    world::{World, agent, call, queue},
};
use domain::{
    agent as agents,
    any::{AnyCommand, AnyEvent},
    call::{Command as Call, Route, SupervisionMode, UserField},
    cause::{EndReason, OfferOutcome},
    device, line, queue as queues,
    session::{self, LogoutReason, NotReadyCode, NotReadyReason},
};
use proptest::prelude::*;
use std::collections::BTreeSet;
use uuid::Uuid;

/// What, who, and how long after the one before.
pub(crate) type Action = (u8, u8, u32);

pub(crate) fn actions() -> impl Strategy<Value = Vec<Action>> {
    prop::collection::vec((0..32u8, any::<u8>(), 0..9_000u32), 0..160)
}

const OUTCOMES: [OfferOutcome; 5] = [
    OfferOutcome::NoAnswer,
    OfferOutcome::Rejected,
    OfferOutcome::Busy,
    OfferOutcome::Unreachable,
    OfferOutcome::Withdrawn,
];

/// Plays a history to its end, in an open world.
pub(crate) async fn play(actions: &[Action]) -> World {
    let mut world = World::open().await;
    // In every second history agents may have several calls at once, not all as many.
    if actions.len() % 2 == 1 {
        world.capacity = 3;
        for (number, capacity) in [(1, 3), (2, 2)] {
            let set = agents::Command::SetCapacity { capacity };
            world.tell(AnyCommand::Agent(agent(number), set));
        }
    }
    for action in actions {
        act(&mut world, *action);
    }
    world
}

fn act(world: &mut World, (what, who, ms): Action) {
    // Now and then a day ends between two actions.
    let pause_ms = if ms < 20 { 40_000_000 } else { u64::from(ms) };
    world.pass(pause_ms);
    let (number, taken) = (u64::from(who) % 7 + 1, u64::from(who) / 7 % 3 + 1);
    let side = if who & 64 == 0 {
        Side::Caller
    } else {
        Side::Agent
    };
    let outcome = OUTCOMES[usize::from(who) % OUTCOMES.len()];
    match what {
        0..=3 => drop(world.arrives(number)),
        4..=7 => drop(world.matches(number, taken)),
        8 | 9 => drop(world.rings(number)),
        10 | 11 => drop(world.answers(number)),
        12 => drop(world.fails(number, outcome)),
        13 => drop(world.holds(number, side)),
        14 => drop(world.retrieves(number, side)),
        15 => drop(world.hangs_up(number, side)),
        16 => drop(world.ends(number, reason(who))),
        17 => drop(world.wrap_up_ends(taken)),
        18 => drop(world.ask_session(taken, of_session(who))),
        19 => others(world, who),
        // Processes: most often what comes next, sometimes what came last.
        20..=23 if !world.owed.is_empty() => owed(world, 0),
        24 if !world.owed.is_empty() => {
            let last = world.owed.len() - 1;
            owed(world, last);
        }
        29 => supervises(world, who),
        31 if who.is_multiple_of(2) => transfers(world, who),
        30 if who & 192 == 0 => drop(world.supervisor_hangs_up(number)),
        30 => drop(world.supervisor_answers(number)),
        27 => drop(world.goes_to_mailbox(number)),
        28 => drop(world.has_spoken(number, u64::from(who) * 100)),
        26 if who.is_multiple_of(2) => tags(world, number, who / 2),
        26 => drop(world.is_measured(number, u64::from(who) % 100)),
        _ => drop(world.settle()),
    }
}

/// Whoever talks is heard, or is to be: few do.
fn supervises(world: &mut World, who: u8) {
    let talking: Vec<u64> = (1..8).filter(|number| world.talks(*number)).collect();
    let Some(number) = talking.get(usize::from(who) % talking.len().max(1)) else {
        return;
    };
    world.is_supervised(*number, mode(who / 7));
    if who.is_multiple_of(2) {
        world.supervisor_answers(*number);
    }
}

/// Whoever talks may be sent into the other queue.
fn transfers(world: &mut World, who: u8) {
    let talking: Vec<u64> = (1..8).filter(|number| world.talks(*number)).collect();
    if let Some(number) = talking.get(usize::from(who) % talking.len().max(1)) {
        world.is_transferred(*number);
    }
}

const fn mode(who: u8) -> SupervisionMode {
    match who % 4 {
        0 => SupervisionMode::Listen,
        1 => SupervisionMode::Barge,
        _ => SupervisionMode::Takeover,
    }
}

fn tags(world: &mut World, number: u64, who: u8) {
    let tags: [&[&str]; 3] = [&["vip"], &["complaint", "vip"], &[]];
    let (add, remove) = (tags[usize::from(who) % 3], tags[usize::from(who) / 3 % 3]);
    let user_field = match who % 4 {
        0 => Some(UserField::Cleared),
        1 => None,
        _ => world.note(number),
    };
    world.is_tagged(number, (add, remove), user_field);
}

fn owed(world: &mut World, index: usize) {
    let command = world.owed.remove(index);
    world.tell(command);
}

const fn reason(who: u8) -> EndReason {
    match who % 4 {
        0 => EndReason::MaxWait,
        1 => EndReason::QueueFull,
        2 => EndReason::NodeLost,
        _ => EndReason::Operator,
    }
}

fn of_session(who: u8) -> session::Command {
    match who % 3 {
        0 => session::Command::GoReady,
        1 => session::Command::GoNotReady {
            reason: NotReadyReason::Break,
            code: who.is_multiple_of(2).then(|| NotReadyCode {
                code: "coffee".into(),
                is_paid: true,
                is_productive: false,
            }),
        },
        _ => session::Command::LogOut {
            reason: LogoutReason::Agent,
        },
    }
}

fn others(world: &mut World, who: u8) {
    let taken = u64::from(who) / 7 % 3 + 1;
    let binding = Uuid::from_u128(u128::from(who % 2));
    match who % 5 {
        0 | 1 => {
            let registered = device::Command::RecordRegistered {
                agent: agent(taken),
                binding,
                transport: "udp".into(),
            };
            world.tell(AnyCommand::Device(agent(taken), registered));
        }
        2 => {
            let gone = device::Command::ExpireBinding { binding };
            world.tell(AnyCommand::Device(agent(taken), gone));
        }
        3 => {
            let config = queues::Config {
                short_abandon_ms: u64::from(who) * 50,
                service_level_target_percent: 60 + who % 40,
                ..super::story::rules(u64::from(who) * 100)
            };
            let configure = queues::Command::Configure {
                name: "sales".into(),
                config,
            };
            world.tell(AnyCommand::Queue(queue(1), configure));
        }
        _ => {
            let number = u64::from(who) + 100;
            world.receive(number, Route::Refused(EndReason::UnknownAddress));
            // A report that comes too late.
            let leg = domain::id::LegId(Uuid::from_u128(9));
            let wire = domain::cause::WireCause::default();
            world.on(number, Call::RecordBye { leg, wire });
            assert!(!world.is_live(call(number)));
        }
    }
}

/// Whether somebody rings with a call that has been or that its line did not take, as only
/// this generator does: its stay has one row, and happened twice.
pub(crate) fn has_a_stay_twice(world: &World) -> bool {
    let mut opened = BTreeSet::new();
    world.facts.iter().any(|fact| match &fact.event {
        AnyEvent::Line(_, line::Event::Opened { visit, .. }) => !opened.insert(*visit),
        AnyEvent::Line(_, line::Event::Rejected { visit, .. }) => {
            opened.insert(*visit);
            false
        }
        AnyEvent::Line(..)
        | AnyEvent::Call(..)
        | AnyEvent::Session(..)
        | AnyEvent::Queue(..)
        | AnyEvent::Person(..)
        | AnyEvent::Refusals(..)
        | AnyEvent::Schedule(..)
        | AnyEvent::Agent(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..)
        | AnyEvent::Callback(..)
        | AnyEvent::Mailbox(..)
        | AnyEvent::Billing(..) => false,
    })
}
