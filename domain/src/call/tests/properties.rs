//! What holds for every call, whatever comes in whatever order.

use super::*;
use crate::{
    call::{Phase, Supervising, SupervisionMode, Tagging, Transfer, UserField, Withdraw},
    decider::Decider,
    id::{AgentId, VisitId},
    testing::{OTHER_QUEUE, OTHER_VISIT, SUPERVISOR_LEG},
};
use proptest::{
    collection::vec, prelude::*, prop_assert, prop_assert_eq, prop_oneof, sample::select,
};

fn leg() -> impl Strategy<Value = LegId> {
    select(vec![
        CALLER_LEG,
        AGENT_LEG,
        OTHER_LEG,
        OUTSIDE_LEG,
        SUPERVISOR_LEG,
    ])
}

/// Agents' legs more often than not: else few offers are ever accepted.
fn agent_leg() -> impl Strategy<Value = LegId> {
    select(vec![
        AGENT_LEG,
        OTHER_LEG,
        AGENT_LEG,
        CALLER_LEG,
        OUTSIDE_LEG,
        SUPERVISOR_LEG,
    ])
}

fn offer() -> impl Strategy<Value = OfferId> {
    select(vec![OFFER, OTHER_OFFER])
}

fn visit() -> impl Strategy<Value = VisitId> {
    select(vec![VISIT, VISIT, VISIT, OTHER_VISIT])
}

fn instant() -> impl Strategy<Value = Timestamp> {
    (0u64..400).prop_map(second)
}

fn outcome() -> impl Strategy<Value = OfferOutcome> {
    select(vec![
        OfferOutcome::NoAnswer,
        OfferOutcome::Rejected,
        OfferOutcome::Busy,
        OfferOutcome::Unreachable,
        OfferOutcome::Withdrawn,
    ])
}

fn answer_mode() -> impl Strategy<Value = AnswerMode> {
    select(vec![AnswerMode::Immediate, AnswerMode::OnAgent])
}

fn end_reason() -> impl Strategy<Value = EndReason> {
    select(vec![
        EndReason::MaxWait,
        EndReason::MaxWait,
        EndReason::QueueFull,
        EndReason::NodeLost,
        EndReason::Operator,
        EndReason::Shutdown,
    ])
}

fn start_offer() -> impl Strategy<Value = Command> {
    (offer(), visit(), instant()).prop_map(|(offer, visit, until)| {
        let (session, leg) = if offer == OFFER {
            (SESSION, AGENT_LEG)
        } else {
            (OTHER_SESSION, OTHER_LEG)
        };
        Command::StartOffer {
            offer,
            visit,
            session,
            leg,
            until,
            beside: false,
        }
    })
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        4 => answer_mode().prop_map(|mode| receive(into_queue(mode))),
        1 => Just(receive(into_forward())),
        1 => visit().prop_map(|visit| overflow(visit, to_forward())),
        1 => visit().prop_map(|visit| overflow(visit, to_queue(OTHER_QUEUE))),
        1 => leg().prop_map(|leg| Command::TimeOutLeg { leg }),
        1 => Just(receive(Route::Refused(EndReason::UnknownAddress))),
        2 => Just(Command::AnswerCall),
        8 => start_offer(),
        2 => (offer(), outcome())
            .prop_map(|(offer, outcome)| Command::EndOffer { offer, outcome }),
        1 => (end_reason(), prop::option::of(instant()))
            .prop_map(|(reason, ended_at)| Command::EndCall { reason, ended_at, visit: None }),
        2 => tagging().prop_map(Command::TagCall),
        4 => supervising().prop_map(Command::SuperviseCall),
        1 => Just(Command::StopSupervising { by: "carla".into() }),
        2 => transferring().prop_map(Command::TransferCall),
        2 => offer().prop_map(|offer| Command::OrderAnswer { offer, by: "anna".into() }),
        1 => leg().prop_map(|leg| Command::RecordAnswerOrderRefused {
            leg,
            wire: WireCause::default(),
        }),
        1 => visit().prop_map(|visit| Command::WithdrawCall(Withdraw {
            visit,
            by: "carla".into(),
            why: "abuse".into(),
        })),
        16 => fact(),
    ]
}

fn tagging() -> impl Strategy<Value = Tagging> {
    let words = || prop::collection::btree_set("[a-z]{1,2}", 0..12);
    (words(), words(), any::<bool>()).prop_map(|(add, remove, is_cleared)| Tagging {
        remove: remove.difference(&add).cloned().collect(),
        add,
        user_field: is_cleared.then_some(UserField::Cleared),
        by: "carla".into(),
    })
}

/// The phone of the first of two supervisors has the leg that is in no call yet.
fn supervising() -> impl Strategy<Value = Supervising> {
    let modes = vec![
        SupervisionMode::Listen,
        SupervisionMode::Whisper,
        SupervisionMode::Barge,
        SupervisionMode::Takeover,
        SupervisionMode::Takeover,
    ];
    (1u128..3, select(modes)).prop_map(|(supervisor, mode)| Supervising {
        leg: SUPERVISOR_LEG,
        supervisor: AgentId(uuid::Uuid::from_u128(supervisor)),
        mode,
        by: "carla".into(),
    })
}

/// Into the same queue, into another, by whoever has the call or by somebody else.
fn transferring() -> impl Strategy<Value = Transfer> {
    let by_whom = || prop::option::of(select(vec![SESSION.agent, OTHER_SESSION.agent]));
    let by_phone = prop::option::of(agent_leg());
    (any::<bool>(), visit(), by_whom(), by_phone).prop_map(|(is_other, visit, agent, leg)| {
        Transfer {
            queue: if is_other { OTHER_QUEUE } else { QUEUE },
            config_version: 1,
            answer_mode: AnswerMode::Immediate,
            visit,
            exit_keys: vec![],
            music: None,
            agent,
            leg,
            by: "carla".into(),
        }
    })
}

fn fact() -> impl Strategy<Value = Command> {
    prop_oneof![
        3 => agent_leg().prop_map(|leg| Command::RecordAlerting { leg }),
        1 => leg().prop_map(trunk_selected_for),
        2 => (leg(), any::<bool>()).prop_map(|(leg, early)| progress(leg, early)),
        5 => agent_leg().prop_map(answer),
        3 => (agent_leg(), outcome()).prop_map(|(leg, outcome)| failure(leg, outcome)),
        1 => leg().prop_map(bye),
        1 => Just(cancel()),
        3 => leg().prop_map(|leg| Command::RecordHold { leg }),
        3 => leg().prop_map(|leg| Command::RecordRetrieve { leg }),
        2 => (leg(), instant())
            .prop_map(|(leg, since)| Command::RecordMediaSilence { leg, since }),
        1 => leg().prop_map(|leg| Command::RecordSignallingLost { leg }),
        1 => leg().prop_map(|leg| Command::RecordMedia { legs: vec![super::record_media::measured(leg)] }),
    ]
}

/// A command, and how many seconds after the one before it comes.
fn history() -> impl Strategy<Value = Vec<(u64, Command)>> {
    vec((0u64..10, command()), 0..40)
}

/// Any event, whether it could follow or not.
fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(received()),
        Just(routed()),
        answer_mode().prop_map(enqueued),
        Just(Event::Answered {}),
        Just(offer_started()),
        Just(second_offer_started()),
        Just(alerting()),
        outcome().prop_map(|outcome| offer_ended(outcome, WireCause::default())),
        Just(agent_connected()),
        Just(overflowed()),
        Just(leg_dialled(second(90))),
        leg().prop_map(|leg| Event::LegAnswered { leg, codec: None }),
        leg().prop_map(|leg| Event::Held { leg }),
        leg().prop_map(|leg| Event::Retrieved { leg }),
        Just(super::transfer_call::transferred()),
        Just(Event::TakenOver {
            leg: SUPERVISOR_LEG,
            supervisor: AgentId(uuid::Uuid::nil()),
            from_leg: AGENT_LEG,
            session: SESSION,
            offer: OFFER,
        }),
        instant().prop_map(|at| hung_up_by(By::Agent, at, WireCause::default())),
        leg().prop_map(|leg| Event::LateFact {
            leg,
            fact: "record_bye".into(),
        }),
    ]
}

/// Plays the commands, a refused one changing nothing, and returns what
/// happened when.
fn play(commands: Vec<(u64, Command)>) -> (Call, Vec<(Timestamp, Event)>) {
    let mut call = Call::default();
    let mut log = vec![];
    let mut now = 0;
    for (pause, command) in commands {
        now += pause;
        let at = second(now);
        for event in Call::decide(&call, at, command).unwrap_or_default() {
            call = Call::evolve(call, at, &event);
            log.push((at, event));
        }
    }
    (call, log)
}

proptest! {
    #[test]
    fn a_call_ends_at_most_once_and_only_late_facts_follow(commands in history()) {
        let (call, log) = play(commands);
        let ends = log.iter().filter(|(_, event)| matches!(event, Event::Ended { .. }));
        prop_assert_eq!(ends.count(), usize::from(call.is_ended()));
        let after_end = log
            .iter()
            .skip_while(|(_, event)| !matches!(event, Event::Ended { .. }))
            .skip(1);
        let mut measured = 0;
        for (_, event) in after_end {
            let is_measured = matches!(event, Event::MediaMeasured { .. });
            measured += usize::from(is_measured);
            let is_late = matches!(event, Event::LateFact { .. } | Event::Tagged { .. });
            prop_assert!(is_measured || is_late, "{:?}", event);
        }
        prop_assert!(measured <= 1);
    }

    #[test]
    fn a_received_call_can_always_be_ended_exactly_once(commands in history()) {
        let (call, _) = play(commands);
        let end = Command::EndCall { reason: EndReason::Operator, ended_at: None, visit: None };
        let outcome = Call::decide(&call, second(1_000), end);
        let may_end = !matches!(call.phase, Phase::Unborn | Phase::Ended(_));
        prop_assert_eq!(outcome.is_ok(), may_end);
    }

    #[test]
    fn one_offer_is_live_at_most_and_only_a_live_one_ends_or_is_accepted(commands in history()) {
        let mut live = None;
        for (_, event) in play(commands).1 {
            match event {
                Event::OfferStarted { offer, .. } => {
                    prop_assert_eq!(live, None);
                    live = Some(offer);
                }
                Event::OfferEnded { offer, .. } => {
                    prop_assert_eq!(live, Some(offer));
                    live = None;
                }
                Event::LegAlerting { offer, .. } | Event::AgentConnected { offer, .. } => {
                    prop_assert_eq!(live, Some(offer));
                }
                // The one that must be freed is named.
                Event::Ended { offer, .. } => prop_assert_eq!(live, offer),
                // Freed now, and not by the end again.
                Event::TakenOver { offer, .. } | Event::Transferred { offer, .. } => {
                    prop_assert_eq!(live, Some(offer));
                    live = None;
                }
                Event::Received { .. }
                | Event::Routed { .. }
                | Event::Enqueued { .. } | Event::ExitKeyPressed { .. }
 | Event::PlaceTold { .. }
                | Event::Overflowed { .. }
                | Event::AnnouncementStarted { .. } | Event::VoicemailStarted { .. } | Event::VoicemailEnded { .. }
        | Event::Forwarded { .. }
                | Event::LegDialled { .. }
                | Event::TrunkSelected { .. }
                | Event::LegProgressed { .. }
                | Event::LegAnswered { .. }
                | Event::Answered {}
                | Event::Held { .. }
                | Event::Retrieved { .. }
                | Event::Placed { .. } | Event::Withdrawn { .. } | Event::AnswerOrdered { .. } | Event::AnswerOrderRefused { .. } | Event::CallbackRequested { .. }
                | Event::Diverted { .. } | Event::MediaMeasured { .. } | Event::Tagged { .. }
                | Event::SupervisionRequested { .. } | Event::SupervisionStarted { .. }
                | Event::SupervisionModeChanged { .. } | Event::SupervisionEnded { .. }
                | Event::LateFact { .. } => {}
            }
        }
    }

    #[test]
    fn one_agent_or_one_party_outside_is_connected_at_most(commands in history()) {
        let (_, log) = play(commands);
        let mut is_connected = false;
        for (_, event) in log {
            if matches!(event, Event::AgentConnected { .. } | Event::LegAnswered { .. }) {
                prop_assert!(!is_connected);
                is_connected = true;
            } else if let Event::Transferred { .. } = event {
                is_connected = false;
            }
        }
    }

    #[test]
    fn the_caller_is_answered_once_and_before_or_with_the_agent(commands in history()) {
        let (call, log) = play(commands);
        let answers = log.iter().filter(|(_, event)| matches!(event, Event::Answered {}));
        prop_assert_eq!(answers.count(), usize::from(call.answered_at.is_some()));
        if log.iter().any(|(_, event)| {
            matches!(event, Event::AgentConnected { .. } | Event::LegAnswered { .. })
        }) {
            prop_assert!(call.answered_at.is_some());
        }
    }

    #[test]
    fn received_answered_and_ended_are_in_that_order_of_time(commands in history()) {
        let (call, log) = play(commands);
        // What ends together with the call is told at the same instant as its end,
        // which may have been earlier: known is what was told before that instant.
        let instants: Vec<Timestamp> = log.iter().map(|(at, _)| *at).collect();
        for (at, event) in log {
            if let Event::Ended { ended_at, .. } = event {
                let known = instants.iter().rev().find(|told| **told < at);
                prop_assert!(known.is_none_or(|told| *told <= ended_at) && ended_at <= at);
                prop_assert!(call.received_at <= ended_at);
                prop_assert!(call.answered_at.is_none_or(|answered| answered <= ended_at));
            }
        }
        prop_assert!(call.answered_at.is_none_or(|answered| call.received_at <= answered));
    }

    #[test]
    fn holds_and_retrieves_of_a_leg_alternate(commands in history()) {
        let mut holding = std::collections::BTreeSet::new();
        for (_, event) in play(commands).1 {
            if let Event::Transferred { .. } = event {
                // Nobody is held by anybody.
                holding.clear();
            }
            if let Event::Held { leg } = event {
                prop_assert!(holding.insert(leg));
            } else if let Event::Retrieved { leg } = event {
                prop_assert!(holding.remove(&leg));
            }
        }
    }

    #[test]
    fn a_fact_told_twice_changes_nothing_the_second_time(commands in history(), fact in fact()) {
        let (call, log) = play(commands);
        let at = log.last().map_or(second(0), |(at, _)| *at);
        let first = Call::decide(&call, at, fact.clone()).expect("facts are never refused");
        let after = first.iter().fold(call, |call, event| Call::evolve(call, at, event));
        let again = Call::decide(&after, at, fact).expect("facts are never refused");
        // After the end even a repetition is worth keeping; it has no effect.
        for event in &again {
            prop_assert!(matches!(event, Event::LateFact { .. }), "{:?}", event);
        }
        let later = again.iter().fold(after.clone(), |call, event| Call::evolve(call, at, event));
        prop_assert_eq!(later, after);
    }

    #[test]
    fn what_is_told_of_tags_is_what_changes_and_no_more(commands in history()) {
        let (call, log) = play(commands);
        let mut tags = std::collections::BTreeSet::new();
        for (_, event) in log {
            if let Event::Tagged { added, removed, .. } = event {
                for tag in removed {
                    prop_assert!(tags.remove(&tag));
                }
                for tag in added {
                    prop_assert!(tags.insert(tag));
                }
                prop_assert!(tags.len() <= crate::call::TAGS_MAX);
            }
        }
        prop_assert_eq!(call.tags, tags);
    }

    #[test]
    fn one_supervision_at_a_time_and_each_ends_once_before_or_with_the_call(
        commands in history(),
    ) {
        let (call, log) = play(commands);
        let mut going = None;
        let mut talks = false;
        for (_, event) in log {
            talks |= matches!(event, Event::AgentConnected { .. });
            if let Event::Transferred { .. } = event {
                prop_assert_eq!(going, None);
                talks = false;
            } else if let Event::Ended { .. } = event {
                prop_assert_eq!(going, None);
            } else if let Event::SupervisionRequested { supervisor, .. } = event {
                prop_assert!(talks && going.is_none());
                going = Some((supervisor, false));
            } else if let Event::SupervisionStarted { supervisor, .. } = event {
                prop_assert_eq!(going, Some((supervisor, false)));
                going = Some((supervisor, true));
            } else if let Event::SupervisionModeChanged { supervisor, .. } = event {
                prop_assert_eq!(going.map(|(who, _)| who), Some(supervisor));
            } else if let Event::SupervisionEnded { supervisor, .. } = event {
                prop_assert_eq!(going.map(|(who, _)| who), Some(supervisor));
                going = None;
            } else if let Event::TakenOver { supervisor, .. } = event {
                prop_assert_eq!(going, Some((supervisor, true)));
                going = None;
            }
        }
        let current = call.supervision;
        prop_assert_eq!(current.map(|it| (it.supervisor, it.is_started)), going);
    }

    #[test]
    fn a_call_changes_hands_once_at_most_and_its_agent_has_no_part_in_it_any_more(
        commands in history(),
    ) {
        let (call, log) = play(commands);
        let mut taken = None;
        for (_, event) in log {
            if let Event::TakenOver { leg, from_leg, .. } = event {
                prop_assert_eq!(taken.replace((leg, from_leg)), None);
                continue;
            }
            let Some((_, from_leg)) = taken else { continue };
            if let Event::Held { leg } | Event::Retrieved { leg } = event {
                prop_assert_ne!(leg, from_leg);
            } else if let Event::Ended { session, offer, cause, .. } = event {
                prop_assert_eq!((session, offer), (None, None));
                prop_assert_ne!(cause.by, By::Agent);
            } else if let Event::SupervisionRequested { .. } = event {
                prop_assert!(false, "supervised once it was taken over");
            }
        }
        if let (Some((leg, _)), Some((_, other, _))) = (taken, call.talking()) {
            prop_assert_eq!(other, leg);
        }
    }

    #[test]
    fn a_transfer_ends_the_contact_of_who_talks_and_opens_one_stay_elsewhere(
        commands in history(),
    ) {
        let (call, log) = play(commands);
        let mut contact = None;
        let mut stay = None;
        let mut transfers_count = 0;
        let mut follows = None;
        for (_, event) in log {
            if let Some(to) = follows.take() {
                // In the same breath, and nothing in between.
                prop_assert!(
                    matches!(&event, Event::Enqueued { queue, .. } if *queue == to),
                    "{:?}", event
                );
            }
            if let Event::Enqueued { visit, queue, .. } = event {
                stay = Some((visit, queue));
            } else if let Event::AgentConnected { session, offer, leg, .. } = event {
                contact = Some((session, offer, leg));
            } else if let Event::TakenOver { .. } = event {
                contact = None;
            } else if let Event::Transferred { session, offer, leg, visit, queue, to, .. } = event {
                prop_assert_eq!(contact.take(), Some((session, offer, leg)));
                prop_assert_eq!(stay, Some((visit, queue)));
                prop_assert_ne!(queue, to);
                transfers_count += 1;
                follows = Some(to);
            } else if let Event::Ended { disposition, session, .. } = event {
                // Whoever was sent on and reached nobody has left another queue.
                let talked = contact.is_some() && session.is_some();
                prop_assert!(!talked || disposition == Disposition::Answered);
            }
        }
        prop_assert_eq!(follows, None);
        prop_assert_eq!(call.transfers_count, transfers_count);
    }

    #[test]
    fn any_order_of_events_can_be_folded(events in vec((instant(), event()), 0..40)) {
        events
            .iter()
            .fold(Call::default(), |call, (at, event)| Call::evolve(call, *at, event));
    }
}
