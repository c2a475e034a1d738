//! The words in which the stories of calls are told.

use super::world::{self, START, World, agent, call, leg, message, offer, queue, visit};
use commands::ports::Vault as _;
use domain::{
    agent as agents,
    any::{AnyCommand, AnyEvent},
    call::{
        self as calls, AnswerMode, Command as Call, Destination, OverflowCause, Phase, Route,
        Tagging, UserField,
    },
    cause::{Disposition, EndReason, OfferOutcome, WireCause},
    id::{CallId, LegId, QueueId, SessionId, TrunkId, VisitId},
    line::{self, ReturnCause, VisitPolicy, VisitResult},
    mailbox, queue as queues,
    sealed::Party,
    session::{self, ReleaseReason},
};

/// Who does something in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Caller,
    Agent,
}

pub(crate) const WRAP_UP_MS: u64 = 5_000;

pub(crate) fn rules(threshold_ms: u64) -> queues::Config {
    queues::Config {
        ring_timeout_ms: 15_000,
        wrap_up_ms: WRAP_UP_MS,
        answer_mode: AnswerMode::Immediate,
        max_wait_ms: 0,
        capacity: 3,
        service_level_threshold_ms: threshold_ms,
        ..queues::Config::default()
    }
}

pub(crate) const fn login(number: u64) -> SessionId {
    SessionId {
        agent: agent(number),
        number: 1,
    }
}

/// Calls with even numbers go to the second queue.
pub(crate) const fn queue_of(number: u64) -> QueueId {
    queue(2 - number % 2)
}

impl World {
    /// Two queues, three agents who are ready, one of them with a name.
    pub(crate) async fn open() -> Self {
        let mut world = Self::new().await;
        let party = Party {
            user: "anna".into(),
            host: None,
            display_name: Some("Anna Berg".into()),
            contact: None,
            user_field: None,
        };
        let display_name = world.vault.seal(&party).await.unwrap();
        world.knows(&display_name, party);
        for (number, name) in [(1, "sales"), (2, "help")] {
            let create = queues::Command::Create {
                name: name.into(),
                config: rules(20_000),
            };
            world.tell(AnyCommand::Queue(queue(number), create));
        }
        for (number, name) in [(1, "anna"), (2, "bert"), (3, "cleo")] {
            let create = agents::Command::Create {
                name: name.into(),
                config: agents::Config {
                    display_name: (number == 1).then(|| display_name.clone()),
                    queues: vec![queue(1), queue(2)],
                    ready_on_register: true,
                    registration_grace_ms: agents::REGISTRATION_GRACE_MS,
                    capacity: 1,
                    skills: vec![],
                    places: vec![],
                },
            };
            world.tell(AnyCommand::Agent(agent(number), create));
            let session = login(number);
            let log_in = session::Command::LogIn {
                session,
                ready: true,
            };
            world.tell(AnyCommand::Session(session, log_in));
        }
        assert_eq!(world.now, START);
        world
    }

    pub(crate) fn arrives(&mut self, number: u64) -> &mut Self {
        let route = Route::Queue {
            queue: queue_of(number),
            config_version: 1,
            answer_mode: AnswerMode::Immediate,
            visit: visit(number),
            exit_keys: vec![],
            music: None,
        };
        self.receive(number, route);
        let open = line::Command::OpenVisit {
            visit: visit(number),
            call: call(number),
            enqueued_at: self.now,
            joined_at: None,
            priority: None,
            previous: None,
            capacity: 3,
            policy: VisitPolicy {
                config_version: 1,
                answer_mode: AnswerMode::Immediate,
                ring_timeout_ms: 15_000,
                wrap_up_ms: WRAP_UP_MS,
                max_wait_ms: 0,
                measure: self.measure(queue_of(number)),
            },
            barred: None,
        };
        self.owed.push(AnyCommand::Line(queue_of(number), open));
        self
    }

    pub(crate) fn receive(&mut self, number: u64, route: Route) -> &mut Self {
        self.comes_by(number, None, route)
    }

    /// The call comes in by that trunk.
    pub(crate) fn comes_by(
        &mut self,
        number: u64,
        trunk: Option<TrunkId>,
        route: Route,
    ) -> &mut Self {
        let received = Call::ReceiveCall {
            withheld: false,
            leg: leg(number * 100),
            from: self.callers[number as usize % 2].clone(),
            to: "sales".into(),
            trunk,
            sip_call_id: format!("sip-{number}"),
            user_agent: None,
            // Every sixth was meant for the other person.
            diversion: number.is_multiple_of(6).then(|| calls::Diversion {
                by: self.callers[1].clone(),
                reason: calls::DiversionReason::NoAnswer,
            }),
            route,
        };
        self.on(number, received)
    }

    /// A command for the call, with what processes owe for its events.
    pub(crate) fn on(&mut self, number: u64, command: Call) -> &mut Self {
        for event in self.tell(AnyCommand::Call(call(number), command)) {
            self.owe(number, &event);
        }
        self
    }

    #[allow(
        clippy::too_many_lines,
        reason = "an arm for each event that makes something due, and nothing else"
    )]
    fn owe(&mut self, number: u64, event: &AnyEvent) {
        let AnyEvent::Call(call, event) = event else {
            return;
        };
        match event {
            calls::Event::AgentConnected { offer, session, .. } => {
                let confirm = session::Command::ConfirmConnect { offer: *offer };
                self.owed.push(AnyCommand::Session(*session, confirm));
                self.close(number, VisitResult::Answered, self.now);
            }
            calls::Event::OfferEnded {
                offer,
                visit,
                session,
                outcome,
                ..
            } => {
                let (release, cause) = released(*outcome);
                let (_, queue) = self.stay(number);
                self.owed.push(AnyCommand::Line(
                    queue,
                    line::Command::ReturnVisit {
                        visit: *visit,
                        offer: *offer,
                        cause,
                    },
                ));
                self.release(*session, *offer, release);
            }
            calls::Event::TakenOver { session, offer, .. }
            | calls::Event::Transferred { session, offer, .. } => {
                let (call, offer) = (*call, *offer);
                let command = session::Command::EndContact { call, offer };
                self.owed.push(AnyCommand::Session(*session, command));
            }
            calls::Event::Ended { .. } => self.owe_end(number, *call, event),
            calls::Event::Overflowed {
                mailbox: Some(_),
                visit,
                queue,
                ..
            } => self.close_stay((*visit, *queue), VisitResult::Voicemail, self.now),
            calls::Event::VoicemailEnded {
                mailbox,
                message,
                length_ms,
                audio,
                party,
                ..
            } => {
                let message = *message;
                let command = match audio {
                    Some(audio) => mailbox::Command::LeaveMessage {
                        message,
                        left: mailbox::Left {
                            call: *call,
                            party: party.clone(),
                            length_ms: *length_ms,
                            audio: audio.clone(),
                        },
                    },
                    None => mailbox::Command::ReleaseRoom {
                        message,
                        reason: mailbox::LostReason::TooShort,
                    },
                };
                self.owed.push(AnyCommand::Mailbox(*mailbox, command));
            }
            calls::Event::Received { .. }
            | calls::Event::Placed { .. }
            | calls::Event::AnswerOrdered { .. }
            | calls::Event::AnswerOrderRefused { .. }
            | calls::Event::Withdrawn { .. }
            | calls::Event::CallbackRequested { .. }
            | calls::Event::Routed { .. }
            | calls::Event::Enqueued { .. }
            | calls::Event::ExitKeyPressed { .. }
            | calls::Event::PlaceTold { .. }
            | calls::Event::Overflowed { .. }
            | calls::Event::AnnouncementStarted { .. }
            | calls::Event::VoicemailStarted { .. }
            | calls::Event::Forwarded { .. }
            | calls::Event::LegDialled { .. }
            | calls::Event::TrunkSelected { .. }
            | calls::Event::LegProgressed { .. }
            | calls::Event::LegAnswered { .. }
            | calls::Event::Answered {}
            | calls::Event::OfferStarted { .. }
            | calls::Event::LegAlerting { .. }
            | calls::Event::Held { .. }
            | calls::Event::Retrieved { .. }
            | calls::Event::Diverted { .. }
            | calls::Event::MediaMeasured { .. }
            | calls::Event::SupervisionRequested { .. }
            | calls::Event::SupervisionStarted { .. }
            | calls::Event::SupervisionModeChanged { .. }
            | calls::Event::SupervisionEnded { .. }
            | calls::Event::Tagged { .. }
            | calls::Event::LateFact { .. } => {}
        }
    }

    fn owe_end(&mut self, number: u64, call: CallId, event: &calls::Event) {
        let calls::Event::Ended {
            disposition,
            ended_at,
            session,
            offer,
            ..
        } = event
        else {
            return;
        };
        self.close(number, closed(*disposition), *ended_at);
        let (Some(session), Some(offer)) = (*session, *offer) else {
            return;
        };
        let command = if event.ends_contact() {
            session::Command::EndContact { call, offer }
        } else {
            session::Command::ReleaseReservation {
                offer,
                reason: ReleaseReason::CallerGone,
            }
        };
        self.owed.push(AnyCommand::Session(session, command));
    }

    fn release(&mut self, session: SessionId, offer: domain::id::OfferId, reason: ReleaseReason) {
        let release = session::Command::ReleaseReservation { offer, reason };
        self.owed.push(AnyCommand::Session(session, release));
    }

    fn close(&mut self, number: u64, result: VisitResult, at: domain::time::Timestamp) {
        self.close_stay(self.stay(number), result, at);
    }

    fn close_stay(
        &mut self,
        (visit, queue): (VisitId, QueueId),
        result: VisitResult,
        closed_at: domain::time::Timestamp,
    ) {
        let close = line::Command::CloseVisit {
            visit,
            result,
            closed_at,
        };
        self.owed.push(AnyCommand::Line(queue, close));
    }

    /// Processes do what they owe, in order.
    pub(crate) fn settle(&mut self) -> &mut Self {
        for command in std::mem::take(&mut self.owed) {
            self.tell(command);
        }
        self
    }

    /// The agent is taken and the visit matched; the phone is to ring next.
    pub(crate) fn matches(&mut self, number: u64, taken: u64) -> &mut Self {
        let offer = self.next_offer(number);
        let (visit, queue) = self.stay(number);
        let capacity = self.capacity;
        let reserved = self.tell(AnyCommand::Session(
            login(taken),
            session::Command::Reserve {
                offer,
                call: call(number),
                visit,
                queue,
                until: self.now.plus_ms(20_000),
                wrap_up_ms: WRAP_UP_MS,
                choice: None,
                terms: domain::queue::Terms::STANDARD,
                capacity,
            },
        ));
        if reserved.is_empty() {
            return self;
        }
        let matched = self.tell(AnyCommand::Line(
            queue,
            line::Command::MatchVisit {
                visit,
                offer,
                session: login(taken),
                beside: false,
            },
        ));
        if matched.is_empty() {
            self.release(login(taken), offer, ReleaseReason::Superseded);
            return self;
        }
        let start = Call::StartOffer {
            offer,
            visit,
            session: login(taken),
            leg: self.agent_leg(number, offer),
            until: self.now.plus_ms(15_000),
            beside: false,
        };
        self.owed.push(AnyCommand::Call(call(number), start));
        self
    }

    /// Offers are numbered by the events so far: each is another one.
    fn next_offer(&self, number: u64) -> domain::id::OfferId {
        offer(number * 10_000 + self.facts.len() as u64)
    }

    fn agent_leg(&self, number: u64, offer: domain::id::OfferId) -> LegId {
        leg(number * 100 + 1 + offer.0.as_u128() as u64 % 99)
    }

    /// The agent's phone is called.
    pub(crate) fn offers(&mut self, number: u64, taken: u64) -> &mut Self {
        self.matches(number, taken).settle()
    }

    fn live_leg(&self, number: u64) -> Option<LegId> {
        self.calls
            .get(&call(number))
            .and_then(|(call, _)| call.agent_leg())
    }

    fn leg_of(&self, number: u64, side: Side) -> LegId {
        match side {
            Side::Caller => leg(number * 100),
            Side::Agent => self.live_leg(number).unwrap_or(leg(0)),
        }
    }

    pub(crate) fn rings(&mut self, number: u64) -> &mut Self {
        let leg = self.leg_of(number, Side::Agent);
        self.on(number, Call::RecordAlerting { leg })
    }

    pub(crate) fn answers(&mut self, number: u64) -> &mut Self {
        let leg = self.leg_of(number, Side::Agent);
        self.on(
            number,
            Call::RecordAnswer {
                leg,
                codec: None,
                device: None,
            },
        )
    }

    pub(crate) fn fails(&mut self, number: u64, outcome: OfferOutcome) -> &mut Self {
        let leg = self.leg_of(number, Side::Agent);
        let wire = WireCause::default();
        self.on(number, Call::RecordFailure { leg, outcome, wire })
    }

    pub(crate) fn hangs_up(&mut self, number: u64, side: Side) -> &mut Self {
        let leg = self.leg_of(number, side);
        let wire = WireCause::default();
        self.on(number, Call::RecordBye { leg, wire })
    }

    /// The sound of the call is over: so many packets of the caller's were lost, of a
    /// hundred.
    pub(crate) fn is_measured(&mut self, number: u64, lost_count: u64) -> &mut Self {
        let heard = |leg, lost_count| calls::LegMedia {
            leg,
            received_count: 100 - lost_count,
            lost_count,
            sent_count: 100,
            jitter_us: 1_000,
            jitter_max_us: 4_000,
            rtt_us: Some(30_000),
            far_lost_count: None,
            codec: Some(calls::Codec::Pcmu),
        };
        let legs = vec![heard(leg(number * 100), lost_count)];
        self.on(number, Call::RecordMedia { legs })
    }

    /// Somebody notes something about the call.
    pub(crate) fn is_tagged(
        &mut self,
        number: u64,
        (add, remove): (&[&str], &[&str]),
        user_field: Option<UserField>,
    ) -> &mut Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let tagging = Tagging {
            add: words(add),
            remove: words(remove),
            user_field,
            by: "carla".into(),
        };
        self.on(number, Call::TagCall(tagging))
    }

    /// What somebody writes about the call, sealed as its caller is.
    pub(crate) fn note(&self, number: u64) -> Option<UserField> {
        let (state, _) = self.calls.get(&call(number))?;
        let subject = state.party.as_ref()?.subject;
        let mut notes = self.notes.iter();
        let party = notes.find(|note| note.subject == subject)?.clone();
        Some(UserField::Written { party })
    }

    /// The queue does not serve the call, which is to leave a message.
    pub(crate) fn goes_to_mailbox(&mut self, number: u64) -> &mut Self {
        let ((visit, _), cause) = (self.stay(number), OverflowCause::Closed);
        let (name, config) = ("support".into(), mailbox::Config::default());
        for command in [
            mailbox::Command::Configure { name, config },
            mailbox::Command::ExpectMessage {
                message: message(number),
                call: call(number),
                visit,
                cause,
            },
        ] {
            self.tell(AnyCommand::Mailbox(world::mailbox(), command));
        }
        let to = Destination::Voicemail(calls::Voicemail {
            mailbox: world::mailbox(),
            message: message(number),
            greeting: None,
            longest_ms: 60_000,
        });
        self.on(number, Call::OverflowCall { visit, cause, to })
    }

    /// What the caller had to say is over.
    pub(crate) fn has_spoken(&mut self, number: u64, length_ms: u64) -> &mut Self {
        let audio = calls::Audio {
            size_bytes: length_ms * 8,
            sha256: "00".repeat(32),
        };
        let recorded = Call::RecordVoicemail {
            message: message(number),
            length_ms,
            audio: Some(audio),
            is_gone: false,
        };
        self.on(number, recorded)
    }

    pub(crate) fn holds(&mut self, number: u64, side: Side) -> &mut Self {
        let leg = self.leg_of(number, side);
        self.on(number, Call::RecordHold { leg })
    }

    pub(crate) fn retrieves(&mut self, number: u64, side: Side) -> &mut Self {
        let leg = self.leg_of(number, side);
        self.on(number, Call::RecordRetrieve { leg })
    }

    pub(crate) fn ends(&mut self, number: u64, reason: EndReason) -> &mut Self {
        let ended_at = None;
        self.on(
            number,
            Call::EndCall {
                reason,
                ended_at,
                visit: None,
            },
        )
    }

    pub(crate) fn wrap_up_ends(&mut self, taken: u64) -> &mut Self {
        let end = session::Command::CompleteWrapUp {
            code: None,
            note: None,
            call: None,
        };
        self.tell(AnyCommand::Session(login(taken), end));
        self
    }

    pub(crate) fn ask_session(&mut self, number: u64, command: session::Command) -> &mut Self {
        self.tell(AnyCommand::Session(login(number), command));
        self
    }

    /// Whether the call was received and is not over.
    pub(crate) fn is_live(&self, id: CallId) -> bool {
        self.calls
            .get(&id)
            .is_some_and(|(call, _)| !call.is_ended() && call.phase != Phase::Unborn)
    }
}

/// What an offer that came to nothing means to the agent and to the line.
const fn released(outcome: OfferOutcome) -> (ReleaseReason, ReturnCause) {
    match outcome {
        OfferOutcome::NoAnswer => (ReleaseReason::NoAnswer, ReturnCause::NoAnswer),
        OfferOutcome::Rejected => (ReleaseReason::Rejected, ReturnCause::Rejected),
        OfferOutcome::Busy => (ReleaseReason::Busy, ReturnCause::Busy),
        OfferOutcome::Unreachable => (ReleaseReason::Unreachable, ReturnCause::Unreachable),
        OfferOutcome::Withdrawn | OfferOutcome::CallerGone => {
            (ReleaseReason::Superseded, ReturnCause::Withdrawn)
        }
        OfferOutcome::AnsweredElsewhere => {
            (ReleaseReason::AnsweredElsewhere, ReturnCause::Withdrawn)
        }
    }
}

/// What the end of a call means to the line.
const fn closed(disposition: Disposition) -> VisitResult {
    match disposition {
        Disposition::Answered => VisitResult::Answered,
        Disposition::Abandoned => VisitResult::Abandoned,
        Disposition::NoAnswer => VisitResult::Timeout,
        Disposition::CallbackRequested => VisitResult::Callback,
        Disposition::Voicemail => VisitResult::Voicemail,
        Disposition::Busy
        | Disposition::Rejected
        | Disposition::Cancelled
        | Disposition::Forwarded
        | Disposition::Blocked
        | Disposition::Failed
        | Disposition::Congestion
        | Disposition::SystemError => VisitResult::System,
    }
}
