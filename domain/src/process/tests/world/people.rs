//! Callers, agents and their phones: what they do by themselves, and how the
//! phones answer what is committed. Phones answer late, never, or in vain.

use super::World;
use crate::{
    any::{AnyCommand, AnyEvent},
    call::{self, AnswerMode, Phase, Route},
    cause::{EndReason, OfferOutcome, WireCause},
    device,
    id::{AgentId, CallId, LegId, SessionId, SubjectId, TrunkId, VisitId, VoicemailId},
    sealed::Sealed,
    session::{self, LogoutReason, NotReadyReason, Routability},
};
use uuid::Uuid;

const CALLS_MAX: u64 = 30;

const fn numbered(kind: u128, number: u64) -> Uuid {
    Uuid::from_u128((kind << 64) | number as u128)
}

/// The caller's leg has the call's number.
const fn caller_leg(call: CallId) -> LegId {
    LegId(numbered(2, call.0.as_u128() as u64))
}

impl World {
    /// Somebody does something.
    pub(super) fn somebody_acts(&mut self) {
        match self.chance.below(100) {
            0..22 => self.somebody_calls(),
            22..42 => self.a_caller_acts(),
            42..58 => self.a_talking_agent_acts(),
            58..80 => self.an_agent_chooses(),
            80..92 => self.a_phone_comes_or_goes(),
            92..94 => self.an_operator_ends_a_call(),
            _ => self.time_passes(),
        }
    }

    fn somebody_calls(&mut self) {
        if self.calls_count >= CALLS_MAX {
            return;
        }
        self.calls_count += 1;
        let call = CallId(numbered(1, self.calls_count));
        let route = if self.chance.percent(5) {
            Route::Refused(EndReason::UnknownAddress)
        } else {
            let queue = *self.chance.one_of(&self.queues).expect("there are queues");
            Route::Queue {
                queue,
                config_version: 1,
                answer_mode: if self.chance.percent(50) {
                    AnswerMode::Immediate
                } else {
                    AnswerMode::OnAgent
                },
                visit: VisitId(numbered(5, self.calls_count)),
                exit_keys: vec![],
                music: None,
            }
        };
        let receive = call::Command::ReceiveCall {
            withheld: false,
            leg: caller_leg(call),
            from: Sealed::new(SubjectId(numbered(8, 1)), String::new()),
            to: "sales".into(),
            trunk: None,
            sip_call_id: format!("{call}"),
            user_agent: None,
            diversion: None,
            route,
        };
        self.wire.push(AnyCommand::Call(call, receive));
    }

    fn calls_that(&self, wanted: impl Fn(&Phase) -> bool) -> Vec<CallId> {
        self.all
            .calls
            .states()
            .filter(|(_, call)| wanted(&call.phase))
            .map(|(id, _)| id)
            .collect()
    }

    fn a_caller_acts(&mut self) {
        let live = self.calls_that(|phase| !matches!(phase, Phase::Ended(_) | Phase::Unborn));
        let Some(call) = self.chance.one_of(&live).copied() else {
            return;
        };
        let leg = caller_leg(call);
        let command = match self.chance.below(8) {
            0 => call::Command::RecordHold { leg },
            1 => call::Command::RecordRetrieve { leg },
            2 => call::Command::RecordMediaSilence {
                leg,
                since: self.now,
            },
            3 => call::Command::RecordSignallingLost { leg },
            _ => leave(leg, self.chance.percent(50)),
        };
        self.wire.push(AnyCommand::Call(call, command));
    }

    fn a_talking_agent_acts(&mut self) {
        let talking = self.calls_that(|phase| matches!(phase, Phase::Connected(_)));
        let Some(call) = self.chance.one_of(&talking).copied() else {
            return;
        };
        let Some(leg) = self.all.calls.0[&call].0.agent_leg() else {
            return;
        };
        let command = match self.chance.below(6) {
            5 => self.somebody_takes_it(),
            0 => call::Command::RecordHold { leg },
            1 => call::Command::RecordRetrieve { leg },
            _ => leave(leg, false),
        };
        self.wire.push(AnyCommand::Call(call, command));
    }

    /// Whoever it is, also the agent of the call; in one mode or the other.
    fn somebody_takes_it(&mut self) -> call::Command {
        let agents = self.agents.clone();
        let supervisor = *self.chance.one_of(&agents).expect("there are agents");
        let mode = match self.chance.percent(70) {
            true => call::SupervisionMode::Takeover,
            false => call::SupervisionMode::Listen,
        };
        call::Command::SuperviseCall(call::Supervising {
            leg: LegId(numbered(10, self.chance.below(1 << 40))),
            supervisor,
            mode,
            by: "supervisor".into(),
        })
    }

    fn an_agent_chooses(&mut self) {
        let agents = self.agents.clone();
        let Some(agent) = self.chance.one_of(&agents).copied() else {
            return;
        };
        let last = self.last_session(agent);
        let Some((session, routability)) = last else {
            self.log_in(SessionId { agent, number: 1 });
            return;
        };
        let command = match (routability, self.chance.below(10)) {
            (Routability::LoggedOut, _) => {
                let number = session.number + 1;
                self.log_in(SessionId { agent, number });
                return;
            }
            (_, 0) => session::Command::LogOut {
                reason: LogoutReason::Agent,
            },
            (_, 1..3) => session::Command::GoNotReady {
                reason: NotReadyReason::Break,
                code: None,
            },
            _ => session::Command::GoReady,
        };
        self.wire.push(AnyCommand::Session(session, command));
    }

    fn log_in(&mut self, session: SessionId) {
        let ready = self.chance.percent(70);
        let command = session::Command::LogIn { session, ready };
        self.wire.push(AnyCommand::Session(session, command));
    }

    fn last_session(&self, agent: AgentId) -> Option<(SessionId, Routability)> {
        self.all
            .sessions
            .states()
            .filter(|(id, session)| id.agent == agent && session.id.is_some())
            .map(|(id, session)| (id, session.routability))
            .last()
    }

    fn a_phone_comes_or_goes(&mut self) {
        let agents = self.agents.clone();
        let Some(agent) = self.chance.one_of(&agents).copied() else {
            return;
        };
        let binding = numbered(9, self.chance.below(2));
        let command = match self.chance.below(6) {
            0 => device::Command::ExpireBinding { binding },
            1 => device::Command::RecordDeregistered { binding },
            _ => device::Command::RecordRegistered {
                agent,
                binding,
                transport: "udp".into(),
            },
        };
        self.wire.push(AnyCommand::Device(agent, command));
    }

    fn an_operator_ends_a_call(&mut self) {
        let live = self.calls_that(|phase| !matches!(phase, Phase::Ended(_) | Phase::Unborn));
        if let Some(call) = self.chance.one_of(&live).copied() {
            let command = call::Command::EndCall {
                reason: EndReason::Operator,
                ended_at: None,
                visit: None,
            };
            self.wire.push(AnyCommand::Call(call, command));
        }
    }

    /// Everybody hangs up.
    pub(super) fn everybody_hangs_up(&mut self) {
        for call in self.calls_that(|phase| !matches!(phase, Phase::Ended(_) | Phase::Unborn)) {
            let command = leave(caller_leg(call), true);
            self.wire.push(AnyCommand::Call(call, command));
        }
    }

    /// The adapters see what was committed, and the phones answer.
    pub(super) fn phones_react(&mut self, event: &AnyEvent) {
        match event {
            AnyEvent::Call(
                call,
                call::Event::OfferStarted { leg, .. }
                | call::Event::SupervisionRequested { leg, .. },
            ) => {
                self.a_phone_is_called(*call, *leg);
            }
            AnyEvent::Call(call, call::Event::LegDialled { leg, .. }) => {
                self.a_number_outside_is_called(*call, *leg);
            }
            AnyEvent::Call(call, call::Event::VoicemailStarted { message, .. }) => {
                self.somebody_speaks(*call, *message);
            }
            AnyEvent::Call(call, call::Event::OfferEnded { leg, .. }) => {
                self.a_cancel_crosses(*call, *leg);
            }
            // The agent hangs up in the same moment.
            AnyEvent::Call(call, call::Event::TakenOver { from_leg, .. }) => {
                if self.chance.percent(30) {
                    let bye = leave(*from_leg, false);
                    self.wire.push(AnyCommand::Call(*call, bye));
                }
            }
            AnyEvent::Call(call, call::Event::Ended { .. }) => {
                if self.chance.percent(20) {
                    let bye = leave(caller_leg(*call), false);
                    self.wire.push(AnyCommand::Call(*call, bye));
                }
            }
            AnyEvent::Session(session, session::Event::ReservationReleased { not_before, .. }) => {
                if let Some(until) = not_before {
                    self.paused.insert(*session, *until);
                } else {
                    self.paused.remove(session);
                }
            }
            AnyEvent::Call(..)
            | AnyEvent::Session(..)
            | AnyEvent::Line(..)
            | AnyEvent::Queue(..)
            | AnyEvent::Person(..)
            | AnyEvent::Refusals(..)
            | AnyEvent::Schedule(..)
            | AnyEvent::Agent(..)
            | AnyEvent::Device(..)
            | AnyEvent::Trunk(..)
            | AnyEvent::Callback(..)
            | AnyEvent::Mailbox(..)
            | AnyEvent::Billing(..) => {}
        }
    }

    /// What is said comes to its end, soon, late, or unheard of.
    fn somebody_speaks(&mut self, call: CallId, message: VoicemailId) {
        let length_ms = self.chance.below(4) * 900;
        let audio = (!self.chance.percent(10)).then(|| call::Audio {
            size_bytes: length_ms * 8,
            sha256: "00".repeat(32),
        });
        let command = call::Command::RecordVoicemail {
            message,
            length_ms,
            audio,
            is_gone: self.chance.percent(50),
        };
        match self.chance.below(10) {
            0 => {}
            1..6 => self.wire.push(AnyCommand::Call(call, command)),
            _ => self.later.push(AnyCommand::Call(call, command)),
        }
    }

    fn a_phone_is_called(&mut self, call: CallId, leg: LegId) {
        let mut say = |command| self.wire.push(AnyCommand::Call(call, command));
        match self.chance.below(10) {
            0..3 => {
                say(call::Command::RecordAlerting { leg });
                say(call::Command::RecordAnswer {
                    leg,
                    codec: None,
                    device: None,
                });
            }
            3..5 => {
                say(call::Command::RecordAlerting { leg });
                let answer = call::Command::RecordAnswer {
                    leg,
                    codec: None,
                    device: None,
                };
                self.later.push(AnyCommand::Call(call, answer));
            }
            5 => say(call::Command::RecordFailure {
                leg,
                outcome: OfferOutcome::Busy,
                wire: WireCause::default(),
            }),
            6 => say(call::Command::RecordFailure {
                leg,
                outcome: OfferOutcome::Rejected,
                wire: WireCause::default(),
            }),
            7 => say(call::Command::RecordFailure {
                leg,
                outcome: OfferOutcome::Unreachable,
                wire: WireCause::default(),
            }),
            // Rings for ever, or is silent.
            8 => say(call::Command::RecordAlerting { leg }),
            _ => {}
        }
    }

    /// The network outside takes a call, and answers, fails or says nothing.
    fn a_number_outside_is_called(&mut self, call: CallId, leg: LegId) {
        let mut say = |command| self.wire.push(AnyCommand::Call(call, command));
        let chance = self.chance.below(10);
        if chance > 0 {
            say(call::Command::RecordTrunk {
                leg,
                trunk: TrunkId(numbered(7, chance)),
                party: Sealed::new(SubjectId(numbered(8, 2)), String::new()),
                after: None,
                after_at: None,
            });
        }
        let early_media = chance.is_multiple_of(2);
        match chance {
            0..3 => say(call::Command::RecordFailure {
                leg,
                outcome: OfferOutcome::Unreachable,
                wire: WireCause::default(),
            }),
            3..6 => {
                say(call::Command::RecordProgress { leg, early_media });
                say(call::Command::RecordAnswer {
                    leg,
                    codec: None,
                    device: None,
                });
            }
            6..8 => {
                say(call::Command::RecordAnswer {
                    leg,
                    codec: None,
                    device: None,
                });
                self.later.push(AnyCommand::Call(call, leave(leg, false)));
            }
            // Rings for ever: the timer of the leg gives it up.
            _ => say(call::Command::RecordProgress { leg, early_media }),
        }
    }

    /// The phone was told to stop: it says 487, or had just picked up.
    fn a_cancel_crosses(&mut self, call: CallId, leg: LegId) {
        let command = if self.chance.percent(30) {
            call::Command::RecordAnswer {
                leg,
                codec: None,
                device: None,
            }
        } else {
            call::Command::RecordFailure {
                leg,
                outcome: OfferOutcome::Withdrawn,
                wire: WireCause::default(),
            }
        };
        self.wire.push(AnyCommand::Call(call, command));
    }
}

fn leave(leg: LegId, by_cancel: bool) -> call::Command {
    let wire = WireCause::default();
    if by_cancel {
        call::Command::RecordCancel { leg, wire }
    } else {
        call::Command::RecordBye { leg, wire }
    }
}
