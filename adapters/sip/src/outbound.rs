//! From a committed event to what the network must hear of it. Pure; the
//! driver carries the orders out.

use crate::{legs::Release, status};
use domain::{
    any::AnyEvent,
    call,
    call::{AnswerMode, SupervisionEnd, Target},
    cause::{EndCause, EndReason, OfferOutcome},
    id::{AgentId, CallId, LegId},
    line,
    sealed::{Party, Sealed},
};

/// What is to be done on the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// A call of ours begins: it has a place for the person who is rung back.
    Place {
        /// Which call.
        call: CallId,
        /// The leg to the person.
        leg: LegId,
        /// Whom.
        party: Sealed<Party>,
    },
    /// The caller hears ringing: 180.
    Ring {
        /// Whose caller.
        call: CallId,
    },
    /// The caller is answered: 200.
    Answer {
        /// Whose caller.
        call: CallId,
    },
    /// The phones of an agent ring, or of a supervisor.
    Dial {
        /// For which call.
        call: CallId,
        /// The leg to them.
        leg: LegId,
        /// Whose phones.
        agent: AgentId,
        /// They are to hear the call, which goes on without them.
        is_supervisor: bool,
    },
    /// A leg goes out through a trunk.
    DialOut {
        /// For which call.
        call: CallId,
        /// Which leg.
        leg: LegId,
        /// Whom it is to reach.
        target: Target,
    },
    /// The other side of such a leg rings, or is heard: so for the caller.
    Progress {
        /// Which call.
        call: CallId,
        /// Which leg.
        leg: LegId,
        /// It is heard: 183 with a description.
        early_media: bool,
    },
    /// The agent has the call: the caller gets the agent's codec.
    Connect {
        /// Which call.
        call: CallId,
        /// The agent's leg.
        leg: LegId,
    },
    /// A supervisor has the call, and the agent's leg is let go.
    TakeOver {
        /// Which call.
        call: CallId,
        /// The supervisor's leg.
        leg: LegId,
        /// The agent's leg.
        from_leg: LegId,
        /// How it is let go.
        release: Release,
    },
    /// The caller is elsewhere, and the agent's leg is let go.
    Transfer {
        /// The agent's leg.
        leg: LegId,
        /// How it is let go.
        release: Release,
    },
    /// The phones of an agent that ring are told to answer.
    AskToAnswer {
        /// For which call.
        call: CallId,
        /// The agent's leg.
        leg: LegId,
    },
    /// One leg is let go.
    Release {
        /// Which.
        leg: LegId,
        /// How.
        release: Release,
    },
    /// Every leg of the call is let go.
    End {
        /// Which call.
        call: CallId,
        /// How.
        release: Release,
    },
}

/// What follows on the network from an event.
pub fn orders(event: &AnyEvent) -> Option<Order> {
    match event {
        AnyEvent::Call(call, event) => of_call(*call, event),
        AnyEvent::Line(_, line::Event::Opened { call, policy, .. }) => match policy.answer_mode {
            AnswerMode::OnAgent => Some(Order::Ring { call: *call }),
            AnswerMode::Immediate => None,
        },
        AnyEvent::Line(..)
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
        | AnyEvent::Billing(..) => None,
    }
}

#[allow(
    clippy::too_many_lines,
    reason = "an arm for each event, and nothing else"
)]
fn of_call(call: CallId, event: &call::Event) -> Option<Order> {
    match event {
        call::Event::Answered {} => Some(Order::Answer { call }),
        call::Event::Placed { leg, party, .. } => Some(Order::Place {
            call,
            leg: *leg,
            party: party.clone(),
        }),
        call::Event::OfferStarted { session, leg, .. } => Some(Order::Dial {
            call,
            leg: *leg,
            agent: session.agent,
            is_supervisor: false,
        }),
        call::Event::OfferEnded { leg, outcome, .. } => Some(Order::Release {
            leg: *leg,
            release: of_offer(*outcome),
        }),
        call::Event::AnswerOrdered { leg, .. } => Some(Order::AskToAnswer { call, leg: *leg }),
        call::Event::SupervisionRequested {
            leg, supervisor, ..
        } => Some(Order::Dial {
            call,
            leg: *leg,
            agent: *supervisor,
            is_supervisor: true,
        }),
        call::Event::TakenOver { leg, from_leg, .. } => Some(Order::TakeOver {
            call,
            leg: *leg,
            from_leg: *from_leg,
            release: of_supervision(SupervisionEnd::TakenOver),
        }),
        call::Event::Transferred { leg, .. } => Some(Order::Transfer {
            leg: *leg,
            release: of_supervision(SupervisionEnd::Transferred),
        }),
        call::Event::SupervisionEnded { leg, reason, .. } => Some(Order::Release {
            leg: *leg,
            release: of_supervision(*reason),
        }),
        call::Event::LegDialled { leg, target, .. } => Some(Order::DialOut {
            call,
            leg: *leg,
            target: target.clone(),
        }),
        call::Event::LegProgressed { leg, early_media } => Some(Order::Progress {
            call,
            leg: *leg,
            early_media: *early_media,
        }),
        call::Event::AgentConnected { leg, .. } | call::Event::LegAnswered { leg, .. } => {
            Some(Order::Connect { call, leg: *leg })
        }
        call::Event::Ended { cause, .. } => Some(Order::End {
            call,
            release: of_end(cause),
        }),
        call::Event::Received { .. }
        | call::Event::Routed { .. }
        | call::Event::Enqueued { .. } | call::Event::ExitKeyPressed { .. } | call::Event::PlaceTold { .. }
        | call::Event::Overflowed { .. }
        | call::Event::AnnouncementStarted { .. } | call::Event::VoicemailStarted { .. } | call::Event::VoicemailEnded { .. }
        | call::Event::Forwarded { .. }
        | call::Event::TrunkSelected { .. }
        | call::Event::LegAlerting { .. }
        // Hold music is the media adapter's; the re-INVITE is answered already.
        | call::Event::Held { .. }
        | call::Event::Retrieved { .. }
        | call::Event::Withdrawn { .. }
        | call::Event::AnswerOrderRefused { .. }
        | call::Event::CallbackRequested { .. }
        | call::Event::Diverted { .. }
        | call::Event::MediaMeasured { .. }
        // Who hears whom is the media adapter's.
        | call::Event::SupervisionStarted { .. }
        | call::Event::SupervisionModeChanged { .. }
        | call::Event::Tagged { .. }
        | call::Event::LateFact { .. } => None,
    }
}

/// Seconds after which a caller may try again whom we had no room for.
const RETRY_AFTER_S: u32 = 5;

/// How a call's legs are let go: the status for a caller who was not answered,
/// the Q.850 cause for everybody (RFC 3326).
fn of_end(cause: &EndCause) -> Release {
    let said = status::of_reason(cause.reason);
    let retry_after_s = match cause.reason {
        EndReason::NoMediaPort
        | EndReason::Overload
        | EndReason::NoTrunk
        | EndReason::Shutdown
        | EndReason::NodeLost => Some(RETRY_AFTER_S),
        EndReason::Hangup
        | EndReason::Cancelled
        | EndReason::UnknownAddress
        | EndReason::NotAllowed
        | EndReason::NoCommonCodec
        | EndReason::QueueFull
        | EndReason::QueueClosed
        | EndReason::NobodyThere
        | EndReason::MaxWait
        | EndReason::VisitExpired
        | EndReason::CallbackRequested
        | EndReason::CallbackWithdrawn
        | EndReason::Announced
        | EndReason::VoicemailTaken
        | EndReason::OutsideBusy
        | EndReason::OutsideNoAnswer
        | EndReason::OutsideRejected
        | EndReason::OutsideUnreachable
        | EndReason::MediaSilence
        | EndReason::SignallingLost
        | EndReason::NoCredit
        | EndReason::NoPrice
        | EndReason::AccountSuspended
        | EndReason::Operator => None,
    };
    let is_outside = cause.reason.outside().is_some();
    // What a network outside said is for the caller's network to hear.
    let heard = cause.sip_status.filter(|_| is_outside);
    let verbatim = cause.reason_header.clone().filter(|_| is_outside);
    Release {
        status: heard.and_then(status::passed_on).unwrap_or(said.status),
        reason: verbatim.or_else(|| Some(status::reason_header(cause.q850.unwrap_or(said.q850)))),
        retry_after_s,
    }
}

/// Why an agent's phone stops ringing, or is hung up when it answered late.
fn of_offer(outcome: OfferOutcome) -> Release {
    let reason = match outcome {
        OfferOutcome::NoAnswer => status::reason_header(19),
        OfferOutcome::Rejected => status::reason_header(21),
        OfferOutcome::Busy => status::reason_header(17),
        OfferOutcome::Unreachable => status::reason_header(18),
        OfferOutcome::Withdrawn | OfferOutcome::CallerGone => status::reason_header(16),
        // A phone that knows this does not list the call as missed.
        OfferOutcome::AnsweredElsewhere => status::ELSEWHERE.to_owned(),
    };
    Release {
        status: 487,
        reason: Some(reason),
        retry_after_s: None,
    }
}

/// Why a supervisor's phone stops ringing, or is hung up; or the agent's, whose call the
/// supervisor has.
fn of_supervision(end: SupervisionEnd) -> Release {
    let q850 = match end {
        SupervisionEnd::Stopped
        | SupervisionEnd::HungUp
        | SupervisionEnd::CallEnded
        | SupervisionEnd::Transferred
        | SupervisionEnd::TakenOver => 16,
        SupervisionEnd::Busy => 17,
        SupervisionEnd::Unreachable => 18,
        SupervisionEnd::NoAnswer => 19,
        SupervisionEnd::Rejected => 21,
        SupervisionEnd::NodeLost => 41,
        SupervisionEnd::MediaSilence | SupervisionEnd::SignallingLost => 102,
    };
    Release {
        status: 487,
        reason: Some(status::reason_header(q850)),
        retry_after_s: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        cause::{By, Disposition, EndResult},
        id::{OfferId, QueueId, SessionId, VisitId},
        line::VisitPolicy,
        time::Timestamp,
    };
    use uuid::Uuid;

    const CALL: CallId = CallId(Uuid::from_u128(1));
    const LEG: LegId = LegId(Uuid::from_u128(2));

    fn ended(reason: EndReason) -> AnyEvent {
        AnyEvent::Call(
            CALL,
            call::Event::Ended {
                cause: EndCause {
                    result: EndResult::Ours,
                    reason,
                    by: By::System,
                    sip_status: None,
                    q850: None,
                    reason_header: None,
                },
                disposition: Disposition::Failed,
                ended_at: Timestamp::from_micros(0),
                incomplete: false,
                session: None,
                offer: None,
                visit: None,
                queue: None,
            },
        )
    }

    fn opened(answer_mode: AnswerMode) -> AnyEvent {
        AnyEvent::Line(
            QueueId(Uuid::nil()),
            line::Event::Opened {
                visit: VisitId(Uuid::nil()),
                call: CALL,
                enqueued_at: Timestamp::from_micros(0),
                joined_at: None,
                priority: None,
                previous: None,
                position: 1,
                policy: VisitPolicy {
                    config_version: 1,
                    answer_mode,
                    ring_timeout_ms: 1,
                    wrap_up_ms: 0,
                    max_wait_ms: 0,
                    measure: None,
                },
            },
        )
    }

    #[test]
    fn a_caller_rings_in_the_queue_only_where_the_agent_answers() {
        assert_eq!(
            orders(&opened(AnswerMode::OnAgent)),
            Some(Order::Ring { call: CALL })
        );
        assert_eq!(orders(&opened(AnswerMode::Immediate)), None);
    }

    #[test]
    fn an_offer_rings_the_phones_of_its_agent_and_its_end_lets_them_go() {
        let agent = AgentId(Uuid::from_u128(3));
        let session = SessionId { agent, number: 1 };
        let (offer, visit) = (OfferId(Uuid::nil()), VisitId(Uuid::nil()));
        let started = call::Event::OfferStarted {
            offer,
            visit,
            session,
            leg: LEG,
            until: Timestamp::from_micros(0),
        };
        assert_eq!(
            orders(&AnyEvent::Call(CALL, started)),
            Some(Order::Dial {
                call: CALL,
                leg: LEG,
                agent,
                is_supervisor: false,
            })
        );
        let over = call::Event::OfferEnded {
            offer,
            visit,
            session,
            leg: LEG,
            outcome: OfferOutcome::NoAnswer,
            wire: domain::cause::WireCause::default(),
        };
        let Some(Order::Release { leg, release }) = orders(&AnyEvent::Call(CALL, over)) else {
            panic!("a release was expected");
        };
        assert_eq!(leg, LEG);
        assert!(release.reason.unwrap().starts_with("Q.850;cause=19;"));
    }

    #[test]
    fn whoever_takes_a_call_is_its_other_side_and_the_agents_leg_is_let_go() {
        let from_leg = LegId(Uuid::from_u128(4));
        let agent = AgentId(Uuid::from_u128(3));
        let taken = call::Event::TakenOver {
            leg: LEG,
            supervisor: AgentId(Uuid::from_u128(5)),
            from_leg,
            session: SessionId { agent, number: 1 },
            offer: OfferId(Uuid::nil()),
        };
        let Some(Order::TakeOver {
            leg,
            from_leg: released,
            release,
            ..
        }) = orders(&AnyEvent::Call(CALL, taken))
        else {
            panic!("a takeover was expected");
        };
        assert_eq!((leg, released), (LEG, from_leg));
        assert!(release.reason.unwrap().starts_with("Q.850;cause=16;"));
    }

    #[test]
    fn what_a_carrier_said_is_passed_on_as_it_was() {
        let mut event = ended(EndReason::OutsideRejected);
        let AnyEvent::Call(_, call::Event::Ended { cause, .. }) = &mut event else {
            panic!("it is an end");
        };
        cause.sip_status = Some(604);
        cause.reason_header = Some("Q.850;cause=1;text=\"gone\"".into());
        let Some(Order::End { release, .. }) = orders(&event) else {
            panic!("an end was expected");
        };
        assert_eq!(release.status, 604);
        assert_eq!(
            release.reason.as_deref(),
            Some("Q.850;cause=1;text=\"gone\"")
        );
    }

    #[test]
    fn the_status_of_an_unanswered_caller_follows_from_the_reason() {
        for (reason, status, retry) in [
            (EndReason::UnknownAddress, 404, None),
            (EndReason::QueueFull, 486, None),
            (EndReason::QueueClosed, 480, None),
            (EndReason::Cancelled, 487, None),
            (EndReason::NoMediaPort, 503, Some(RETRY_AFTER_S)),
        ] {
            let Some(Order::End { release, .. }) = orders(&ended(reason)) else {
                panic!("an end was expected");
            };
            assert_eq!((release.status, release.retry_after_s), (status, retry));
            assert!(release.reason.is_some());
        }
    }
}
