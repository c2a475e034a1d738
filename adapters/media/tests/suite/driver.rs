//! Committed events move the sound, and silence becomes a committed event.
#![allow(clippy::unwrap_used)] // a helper that fails is a test that fails

use crate::{
    log::Log,
    support::{Packet, Phone, leg, options, until},
};
use commands::{
    envelope::Envelope,
    gateway::Gateway,
    ports::Position,
    system::{SystemClock, SystemEntropy},
    writer::Writer,
};
use domain::{
    any::{AnyCommand, AnyEvent},
    call::{
        AnswerMode, Command, Destination, Event, OverflowCause, Route, Voicemail, VoicemailOutcome,
    },
    cause::{EndReason, OfferOutcome, WireCause},
    id::{
        AgentId, CallId, CommandId, DEFAULT_TENANT, LegId, MailboxId, OfferId, QueueId, SessionId,
        SubjectId, VisitId, VoicemailId,
    },
    sealed::Sealed,
};
use ringledger_media::{Direction, FRAME_SAMPLES, Law, Options, PayloadTypes, Relay, driver};
use std::{sync::Arc, time::Duration};
use tokio::{runtime::Runtime, sync::oneshot};
use uuid::Uuid;

const CALL: CallId = CallId(Uuid::from_u128(1));
const QUEUE: QueueId = QueueId(Uuid::from_u128(2));
const VISIT: VisitId = VisitId(Uuid::from_u128(3));
const MESSAGE: VoicemailId = VoicemailId(Uuid::from_u128(21));
const PLAIN: PayloadTypes = PayloadTypes::pcmu(None);

/// A relay that is driven by the write side over a log in memory.
struct House {
    runtime: Runtime,
    means: driver::Means,
    _stop: oneshot::Sender<()>,
}

impl House {
    fn start(options: &Options) -> Self {
        let runtime = Runtime::new().unwrap();
        let entropy = Arc::new(SystemEntropy::default());
        let clock = Arc::new(SystemClock);
        let (relay, events) = Relay::start(options, entropy.clone()).unwrap();
        let log = Arc::new(Log::default());
        let (writer, feed) = runtime
            .block_on(Writer::start(log.clone(), clock.clone()))
            .unwrap();
        let gateway = {
            let _inside = runtime.enter();
            Gateway::new(log, writer, entropy.clone(), 1)
        };
        let means = driver::Means {
            relay,
            feed,
            gateway,
            clock,
            entropy,
            vault: Arc::new(store::memory::vault()),
            recordings: Arc::new(store::memory::MemoryRecordings::default()),
        };
        let (stop, stopped) = oneshot::channel();
        runtime.spawn(driver::run(means.clone(), events, Position(0), stopped));
        Self {
            runtime,
            means,
            _stop: stop,
        }
    }

    fn relay(&self) -> &Relay {
        &self.means.relay
    }

    fn command(&self, command: Command) {
        let at = self.means.clock.now();
        let id = self.means.entropy.uuid(at);
        let envelope = Envelope {
            command: AnyCommand::Call(CALL, command),
            command_id: CommandId(id),
            at,
            correlation_id: CALL.0,
            causation_id: id,
            actor: "test".into(),
            tenant: DEFAULT_TENANT,
        };
        let dispatched = self.means.gateway.dispatch(envelope);
        self.runtime.block_on(dispatched).unwrap();
    }

    fn receive(&self, leg: LegId) {
        self.command(Command::ReceiveCall {
            withheld: false,
            leg,
            from: Sealed::new(SubjectId(Uuid::from_u128(4)), "c2VhbGVk".into()),
            to: "support".into(),
            trunk: None,
            sip_call_id: "a84b4c76e66710".into(),
            user_agent: None,
            diversion: None,
            route: Route::Queue {
                queue: QUEUE,
                config_version: 1,
                answer_mode: AnswerMode::Immediate,
                visit: VISIT,
                exit_keys: vec![],
                music: None,
            },
        });
        self.command(Command::AnswerCall);
    }

    fn offer(&self, number: u128, leg: LegId) {
        self.command(Command::StartOffer {
            offer: OfferId(Uuid::from_u128(number)),
            visit: VISIT,
            session: SessionId {
                agent: AgentId(Uuid::from_u128(number)),
                number: 1,
            },
            leg,
            until: self.means.clock.now().plus_ms(20_000),
            beside: false,
        });
    }

    /// What came of the message, if that is known.
    fn message(&self) -> Option<(VoicemailOutcome, u64)> {
        let feed = &self.means.feed;
        let events = self.runtime.block_on(feed.read(Position(0), 100)).unwrap();
        events.iter().find_map(|entry| {
            if let AnyEvent::Call(
                _,
                Event::VoicemailEnded {
                    outcome, length_ms, ..
                },
            ) = &entry.fact.event
            {
                Some((*outcome, *length_ms))
            } else {
                None
            }
        })
    }

    fn to_mailbox(&self) {
        self.command(Command::OverflowCall {
            visit: VISIT,
            cause: OverflowCause::Full,
            to: Destination::Voicemail(Voicemail {
                mailbox: MailboxId(Uuid::from_u128(20)),
                message: MESSAGE,
                greeting: None,
                longest_ms: 60_000,
            }),
        });
    }

    /// The sound that was kept, as a file.
    fn kept(&self) -> Vec<u8> {
        let kept = self.means.recordings.get(MESSAGE);
        let kept = self.runtime.block_on(kept).unwrap().unwrap();
        let opened = self.means.vault.open_bytes(kept.subject, &kept.sealed);
        self.runtime.block_on(opened).unwrap().unwrap()
    }

    /// How the call ended, if it has.
    fn end(&self) -> Option<(EndReason, bool)> {
        let feed = &self.means.feed;
        let events = self.runtime.block_on(feed.read(Position(0), 100)).unwrap();
        events.iter().find_map(|entry| {
            let AnyEvent::Call(_, event) = &entry.fact.event else {
                return None;
            };
            let Event::Ended {
                cause, incomplete, ..
            } = event
            else {
                return None;
            };
            Some((cause.reason, *incomplete))
        })
    }
}

fn says(heard: Option<Packet>, words: &[u8]) -> bool {
    heard.is_some_and(|packet| packet.payload == words)
}

fn is_music(payload: &[u8]) -> bool {
    payload.len() == 160
}

#[test]
fn a_call_is_heard_from_its_music_to_its_end() {
    let house = House::start(&options(3));
    let mut caller = Phone::agreed(house.relay(), 1, PLAIN);
    house.receive(caller.leg);
    assert!(is_music(&caller.hear().payload));

    // The first agent does not answer; her ports are free again.
    let _first = Phone::agreed(house.relay(), 2, PLAIN);
    house.offer(10, leg(2));
    house.command(Command::RecordFailure {
        leg: leg(2),
        outcome: OfferOutcome::NoAnswer,
        wire: WireCause::default(),
    });
    until("the first agent's leg is closed", || {
        house.relay().open_legs() == [caller.leg]
    });

    // The second one answers before her leg has been opened here.
    house.offer(11, leg(3));
    house.command(Command::RecordAnswer {
        leg: leg(3),
        codec: None,
        device: None,
    });
    let mut agent = Phone::agreed(house.relay(), 3, PLAIN);
    until("the agent is heard", || {
        agent.say(0, b"hello");
        says(caller.hear_soon(), b"hello")
    });
    caller.say(0, b"hello to you");
    assert_eq!(agent.hear().payload, b"hello to you");

    // Hold plays music to the other side only.
    house.command(Command::RecordHold { leg: agent.leg });
    until("the caller hears music", || {
        is_music(&caller.hear().payload)
    });
    house.command(Command::RecordRetrieve { leg: agent.leg });
    until("the agent is heard again", || {
        agent.say(0, b"back");
        says(caller.hear_soon(), b"back")
    });

    house.command(Command::RecordBye {
        leg: caller.leg,
        wire: WireCause::default(),
    });
    until("every port is returned", || {
        house.relay().open_ports() == 0 && house.relay().open_legs().is_empty()
    });
    assert_eq!(house.end(), Some((EndReason::Hangup, false)));
}

/// Hears the tone, and then the silence in which to speak.
fn hears_the_tone(caller: &Phone) {
    let is_loud = |packet: &Packet| {
        let mut samples = packet.payload.iter().map(|byte| Law::Mu.decode(*byte));
        samples.any(|sample| sample.unsigned_abs() > 4_000)
    };
    until("the tone is heard", || is_loud(&caller.hear()));
    until("the tone is over", || !is_loud(&caller.hear()));
}

#[test]
fn what_a_caller_says_after_the_tone_is_kept_sealed_and_told() {
    let house = House::start(&options(3));
    let mut caller = Phone::agreed(house.relay(), 1, PLAIN);
    house.receive(caller.leg);
    house.to_mailbox();
    hears_the_tone(&caller);
    let word = [Law::Mu.encode(9_000); FRAME_SAMPLES];
    for _ in 0..60 {
        caller.say(0, &word);
        // The pace of speech.
        std::thread::sleep(Duration::from_millis(20));
    }
    house.command(Command::RecordBye {
        leg: caller.leg,
        wire: WireCause::default(),
    });
    until("the message is told", || house.message().is_some());
    let (outcome, length_ms) = house.message().unwrap();
    assert_eq!(outcome, VoicemailOutcome::Left);
    assert!((1_100..1_600).contains(&length_ms), "{length_ms}");
    let file = house.kept();
    let words = file.windows(word.len()).filter(|piece| **piece == word);
    assert!(words.count() > 8_000, "the word is in it");
    assert_eq!(file.len() as u64, 58 + length_ms * 8);
    until("its port is returned", || house.relay().open_ports() == 0);
}

#[test]
fn a_caller_who_says_nothing_leaves_no_message() {
    let house = House::start(&options(3));
    let caller = Phone::agreed(house.relay(), 1, PLAIN);
    house.receive(caller.leg);
    house.to_mailbox();
    hears_the_tone(&caller);
    house.command(Command::RecordBye {
        leg: caller.leg,
        wire: WireCause::default(),
    });
    until("it is told", || house.message().is_some());
    assert_eq!(house.message(), Some((VoicemailOutcome::TooShort, 0)));
    let kept = house.means.recordings.get(MESSAGE);
    assert_eq!(house.runtime.block_on(kept).unwrap(), None);
}

#[test]
fn a_leg_that_was_closed_before_the_tone_leaves_no_message() {
    let house = House::start(&options(3));
    let caller = Phone::agreed(house.relay(), 1, PLAIN);
    house.receive(caller.leg);
    house.relay().close(caller.leg);
    house.to_mailbox();
    until("it is told", || house.message().is_some());
    assert_eq!(house.message(), Some((VoicemailOutcome::TooShort, 0)));
}

#[test]
fn a_caller_who_vanishes_without_bye_ends_the_call() {
    let house = House::start(&Options {
        silence_timeout_ms: 150,
        ..options(2)
    });
    let caller = Phone::agreed(house.relay(), 1, PLAIN);
    house.receive(caller.leg);
    until("the call has ended", || house.end().is_some());
    assert_eq!(house.end(), Some((EndReason::MediaSilence, true)));
    until("its port is returned", || house.relay().open_ports() == 0);
}

#[test]
fn a_party_that_is_silent_on_hold_ends_the_call_only_when_taken_back() {
    let house = House::start(&Options {
        silence_timeout_ms: 200,
        ..options(2)
    });
    let mut caller = Phone::agreed(house.relay(), 1, PLAIN);
    let mut agent = Phone::agreed(house.relay(), 2, PLAIN);
    house.receive(caller.leg);
    house.offer(10, agent.leg);
    house.command(Command::RecordAnswer {
        leg: agent.leg,
        codec: None,
        device: None,
    });
    house.command(Command::RecordHold { leg: agent.leg });
    let mut held = agent.remote(PLAIN);
    held.direction = Direction::RecvOnly;
    house.relay().set_remote(agent.leg, held);
    caller.say(0, b"last words");
    // 20 frames of music are twice the patience with a silent party.
    for _ in 0..20 {
        caller.hear();
    }
    assert_eq!(house.end(), None, "it is probed by signalling instead");
    house.command(Command::RecordRetrieve { leg: agent.leg });
    house.relay().set_remote(agent.leg, agent.remote(PLAIN));
    until("the silent caller ends the call", || {
        agent.say(0, b"are you there");
        // The pace of speech.
        std::thread::sleep(Duration::from_millis(20));
        house.end().is_some()
    });
    assert_eq!(house.end(), Some((EndReason::MediaSilence, true)));
}
