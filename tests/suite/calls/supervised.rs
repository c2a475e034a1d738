//! Who hears whom in a call that somebody supervises, measured in what each phone hears,
//! and what ends the supervision.

use crate::{
    ends::{connect, hangup, hung_up, no_complaints},
    world::{PATIENCE, World, open, open_relay, options, relay_options, rules},
};
use commands::ports::Position;
use domain::{
    any::{AnyCommand, AnyEvent},
    call::{Command, Event, Supervising, SupervisionEnd, SupervisionMode},
    cause::{By, WireCause},
    id::{AgentId, CallId, LegId},
    queue,
};
use media::FRAME_SAMPLES;
use phone::{
    Call, Codec, EndedBy, IncomingCall, Media, MediaStats, OutgoingCall, Phone, PhoneOptions, tone,
};
use std::cell::Cell;
use tokio::time::timeout;

pub const CALLER_HZ: f64 = 440.0;
pub const AGENT_HZ: f64 = 700.0;
pub const SUPERVISOR_HZ: f64 = 1_300.0;
/// In samples.
const HALF_SECOND: usize = 25 * FRAME_SAMPLES;
const ALL_HZ: [f64; 3] = [CALLER_HZ, AGENT_HZ, SUPERVISOR_HZ];

/// A caller and an agent who talk, and a supervisor's phone.
pub struct Scene {
    pub world: World,
    supervisor: AgentId,
    pub sam: Phone,
    pub anna: Phone,
    pub caller: Phone,
    pub call: CallId,
    pub before: Position,
    pub out: OutgoingCall,
    pub incoming: IncomingCall,
    /// How often a supervision was asked for: each has a leg of its own.
    asked: Cell<u128>,
}

impl Scene {
    pub async fn open() -> Self {
        Self::open_in(open().await, |options| options).await
    }

    /// The supervisor's phone is another than most.
    pub async fn open_in(world: World, other: impl Fn(PhoneOptions) -> PhoneOptions) -> Self {
        Self::open_with(world, rules(), other).await
    }

    /// The queue has other rules than most, too.
    pub async fn open_with(
        world: World,
        support: queue::Config,
        other: impl Fn(PhoneOptions) -> PhoneOptions,
    ) -> Self {
        let queue = world.support(support).await;
        let office = world.office.queue("office", rules()).await;
        world.agent("anna", queue).await;
        let supervisor = world.agent("sam", office).await;
        let anna = world.agent_phone("anna").await;
        let sam = world
            .agent_phone_with(other(world.phone_options("sam")))
            .await;
        let caller = world.phone("4930111").await;
        let before = world.feed().head();
        let (out, incoming) = connect(&caller, &anna).await;
        let (_, call) = world.see(before, "agent_connected").await;
        out.media().play_tone(CALLER_HZ, 0.2);
        incoming.media().play_tone(AGENT_HZ, 0.2);
        Self {
            world,
            supervisor,
            sam,
            anna,
            caller,
            call,
            before,
            out,
            incoming,
            asked: Cell::new(0),
        }
    }

    async fn order(&self, command: Command) -> Position {
        let command = AnyCommand::Call(self.call, command);
        self.world.office.dispatch(command).await.unwrap().position
    }

    pub async fn ask(&self, mode: SupervisionMode) -> Position {
        self.asked.set(self.asked.get() + 1);
        let asked = Supervising {
            leg: LegId(uuid::Uuid::from_u128(self.asked.get())),
            supervisor: self.supervisor,
            mode,
            by: "carla".into(),
        };
        self.order(Command::SuperviseCall(asked)).await
    }

    /// The supervisor's phone rings, is answered, and plays a tone.
    pub async fn supervise(&self, mode: SupervisionMode) -> IncomingCall {
        let before = self.world.feed().head();
        self.ask(mode).await;
        let ringing = timeout(PATIENCE, self.sam.next_incoming()).await;
        let call = ringing.unwrap().unwrap();
        assert_eq!(call.from_user(), Some("4930111"));
        call.media().play_tone(SUPERVISOR_HZ, 0.2);
        call.ring().await.unwrap();
        call.answer().await.unwrap();
        self.world.see(before, "supervision_started").await;
        call
    }

    /// How the supervision ends, after that position, and what the wire said.
    pub async fn ends(&self, after: Position) -> (SupervisionEnd, WireCause) {
        let office = &self.world.office;
        let ended = office.see(after, |entry| match &entry.fact.event {
            AnyEvent::Call(_, Event::SupervisionEnded { reason, wire, .. }) => {
                Some((*reason, wire.clone()))
            }
            _ => None,
        });
        ended.await.1
    }

    /// Caller and agent hear each other and nobody else, and hang up; nothing is left.
    pub async fn talks_on(self) {
        heard(self.out.media(), &[AGENT_HZ]).await;
        heard(self.incoming.media(), &[CALLER_HZ]).await;
        assert_eq!(self.out.hang_up().await.unwrap(), 200);
        hung_up(&self.incoming).await;
        assert_eq!(self.world.the_end(self.before).await, hangup(By::Caller));
        self.world.see_free(&self.anna).await;
        no_complaints(&[&self.caller, &self.anna, &self.sam]);
    }
}

/// A phone hears each of these tones as loud as the others, and none of the rest: soon, and
/// where nothing is added up, all the time from then on.
pub async fn heard(media: &Media, tones: &[f64]) {
    let is_mixed = tones.len() > 1;
    let shares = |samples: &[i16]| ALL_HZ.map(|hz| tone::tone_share(samples, hz));
    let is_so = |samples: &[i16]| {
        ALL_HZ.iter().zip(shares(samples)).all(|(hz, share)| {
            let expected = 1.0 / tones.len() as f64;
            match tones.contains(hz) {
                true => (share - expected).abs() < 0.15,
                // A packet that came too late to be added up is a click.
                false if is_mixed => share < 2e-2,
                false => share < 1e-3,
            }
        })
    };
    let begins = async { while !is_so(&media.record(HALF_SECOND, PATIENCE).await) {} };
    let begun = timeout(PATIENCE, begins).await;
    let now = media.record(HALF_SECOND, PATIENCE).await;
    assert!(begun.is_ok(), "{tones:?} do not come: {:?}", shares(&now));
    assert!(
        is_mixed || is_so(&now),
        "{tones:?} do not stay: {:?}",
        shares(&now)
    );
}

pub async fn got_bye(call: &Call) {
    let ended = call.wait_ended(PATIENCE).await.unwrap();
    assert_eq!(ended.ended_by, Some(EndedBy::Remote));
}

#[tokio::test]
async fn whoever_listens_hears_both_and_neither_hears_that() {
    let scene = Scene::open().await;
    heard(scene.out.media(), &[AGENT_HZ]).await;
    let before = scene.out.media().stats();
    let supervising = scene.supervise(SupervisionMode::Listen).await;
    heard(supervising.media(), &[CALLER_HZ, AGENT_HZ]).await;
    heard(scene.out.media(), &[AGENT_HZ]).await;
    heard(scene.incoming.media(), &[CALLER_HZ]).await;
    // Nor is anything of it in the packets that the caller gets.
    let after = scene.out.media().stats();
    let seen = |stats: MediaStats| (stats.source_changes, stats.lost_packets, stats.late_packets);
    assert_eq!(seen(after), seen(before));
    let position = scene.world.feed().head();
    assert_eq!(supervising.hang_up().await.unwrap(), 200);
    assert_eq!(scene.ends(position).await.0, SupervisionEnd::HungUp);
    scene.talks_on().await;
}

#[tokio::test]
async fn the_mode_says_who_hears_the_supervisor_and_is_changed_while_it_goes_on() {
    let scene = Scene::open().await;
    let supervising = scene.supervise(SupervisionMode::Whisper).await;
    let both = [CALLER_HZ, AGENT_HZ];
    heard(scene.incoming.media(), &[CALLER_HZ, SUPERVISOR_HZ]).await;
    heard(scene.out.media(), &[AGENT_HZ]).await;
    heard(supervising.media(), &both).await;

    scene.ask(SupervisionMode::Barge).await;
    heard(scene.out.media(), &[AGENT_HZ, SUPERVISOR_HZ]).await;
    heard(scene.incoming.media(), &[CALLER_HZ, SUPERVISOR_HZ]).await;
    heard(supervising.media(), &both).await;

    // Keys go between caller and agent as ever; those of the supervisor are nobody's.
    for (phone, digit) in [
        (scene.out.media(), '1'),
        (scene.incoming.media(), '2'),
        (supervising.media(), '3'),
    ] {
        assert!(phone.send_digit(digit, 60));
    }
    for (phone, digit) in [(scene.out.media(), "2"), (scene.incoming.media(), "1")] {
        let some = |media: &Media| !media.received_digits().is_empty();
        assert!(phone.wait_until(PATIENCE, some).await);
        assert_eq!(phone.received_digits(), digit);
    }
    // Each came once, when the last packet of it is through, too.
    heard(scene.out.media(), &[AGENT_HZ, SUPERVISOR_HZ]).await;
    heard(scene.incoming.media(), &[CALLER_HZ, SUPERVISOR_HZ]).await;
    let phones = [scene.out.media(), scene.incoming.media()];
    assert_eq!(phones.map(Media::received_digits), ["2", "1"]);
    assert_eq!(supervising.media().received_digits(), "");

    scene.ask(SupervisionMode::Listen).await;
    heard(scene.out.media(), &[AGENT_HZ]).await;
    heard(scene.incoming.media(), &[CALLER_HZ]).await;
    heard(supervising.media(), &both).await;

    scene.ask(SupervisionMode::Barge).await;
    heard(scene.out.media(), &[AGENT_HZ, SUPERVISOR_HZ]).await;
    let position = scene.world.feed().head();
    let by = "carla".to_owned();
    scene.order(Command::StopSupervising { by }).await;
    got_bye(&supervising).await;
    assert_eq!(scene.ends(position).await.0, SupervisionEnd::Stopped);
    scene.talks_on().await;
}

#[tokio::test]
async fn a_phone_with_another_law_hears_and_is_heard_too() {
    let a_law = |mut options: PhoneOptions| {
        options.codecs = vec![Codec::Pcma];
        options
    };
    let scene = Scene::open_in(open().await, a_law).await;
    let supervising = scene.supervise(SupervisionMode::Barge).await;
    heard(supervising.media(), &[CALLER_HZ, AGENT_HZ]).await;
    heard(scene.out.media(), &[AGENT_HZ, SUPERVISOR_HZ]).await;
    heard(scene.incoming.media(), &[CALLER_HZ, SUPERVISOR_HZ]).await;
    assert_eq!(supervising.hang_up().await.unwrap(), 200);
    scene.talks_on().await;
}

#[tokio::test]
async fn while_the_call_is_held_the_supervisor_hears_music_and_nobody_the_supervisor() {
    let scene = Scene::open().await;
    let supervising = scene.supervise(SupervisionMode::Barge).await;
    heard(supervising.media(), &[CALLER_HZ, AGENT_HZ]).await;
    assert_eq!(scene.incoming.hold().await.unwrap(), 200);
    for held in [scene.out.media(), supervising.media()] {
        let is_music = |heard: &[i16]| {
            let voices = [AGENT_HZ, SUPERVISOR_HZ].map(|hz| tone::tone_share(heard, hz));
            tone::power(heard) > 1e-4 && voices.iter().all(|share| *share < 0.2)
        };
        let begins = async { while !is_music(&held.record(50 * FRAME_SAMPLES, PATIENCE).await) {} };
        timeout(PATIENCE, begins).await.unwrap();
    }
    // In another mode afterwards, as was said meanwhile.
    scene.ask(SupervisionMode::Whisper).await;
    assert_eq!(scene.incoming.resume().await.unwrap(), 200);
    heard(supervising.media(), &[CALLER_HZ, AGENT_HZ]).await;
    heard(scene.incoming.media(), &[CALLER_HZ, SUPERVISOR_HZ]).await;
    heard(scene.out.media(), &[AGENT_HZ]).await;
    assert_eq!(supervising.hang_up().await.unwrap(), 200);
    scene.talks_on().await;
}

#[tokio::test]
async fn what_the_supervisors_phone_plays_while_it_holds_is_heard_by_nobody() {
    let scene = Scene::open().await;
    let supervising = scene.supervise(SupervisionMode::Barge).await;
    heard(scene.out.media(), &[AGENT_HZ, SUPERVISOR_HZ]).await;
    assert_eq!(supervising.hold().await.unwrap(), 200);
    heard(scene.out.media(), &[AGENT_HZ]).await;
    heard(scene.incoming.media(), &[CALLER_HZ]).await;
    assert_eq!(supervising.resume().await.unwrap(), 200);
    heard(scene.out.media(), &[AGENT_HZ, SUPERVISOR_HZ]).await;
    heard(scene.incoming.media(), &[CALLER_HZ, SUPERVISOR_HZ]).await;
    assert_eq!(supervising.hang_up().await.unwrap(), 200);
    scene.talks_on().await;
}

#[tokio::test]
async fn the_end_of_the_call_hangs_up_the_supervisors_phone() {
    let scene = Scene::open().await;
    let supervising = scene.supervise(SupervisionMode::Listen).await;
    let position = scene.world.feed().head();
    assert_eq!(scene.incoming.hang_up().await.unwrap(), 200);
    got_bye(&supervising).await;
    got_bye(&scene.out).await;
    assert_eq!(scene.ends(position).await.0, SupervisionEnd::CallEnded);
    assert_eq!(scene.world.the_end(scene.before).await, hangup(By::Agent));
    let story = scene.world.story(scene.call).await;
    let supervised = story
        .iter()
        .filter(|event| event.starts_with("supervision"));
    assert_eq!(
        supervised.collect::<Vec<_>>(),
        [
            "supervision_requested",
            "supervision_started",
            "supervision_ended"
        ]
    );
    no_complaints(&[&scene.caller, &scene.anna, &scene.sam]);
}

#[tokio::test]
async fn a_phone_that_says_no_ends_the_supervision_alone_and_another_one_may_follow() {
    let scene = Scene::open().await;
    for (status, reason) in [(486, SupervisionEnd::Busy), (603, SupervisionEnd::Rejected)] {
        let position = scene.world.feed().head();
        scene.ask(SupervisionMode::Listen).await;
        let ringing = scene.sam.next_incoming().await.unwrap();
        ringing.reject(status).await.unwrap();
        let (end, wire) = scene.ends(position).await;
        assert_eq!((end, wire.sip_status), (reason, Some(status)));
    }
    scene.talks_on().await;
}

#[tokio::test]
async fn a_supervision_that_is_stopped_while_the_phone_rings_stops_the_ringing() {
    let scene = Scene::open().await;
    let position = scene.ask(SupervisionMode::Listen).await;
    let ringing = scene.sam.next_incoming().await.unwrap();
    ringing.ring().await.unwrap();
    let by = "carla".to_owned();
    scene.order(Command::StopSupervising { by }).await;
    timeout(PATIENCE, ringing.cancelled()).await.unwrap();
    assert_eq!(scene.ends(position).await.0, SupervisionEnd::Stopped);
    scene.talks_on().await;
}

#[tokio::test]
async fn an_agent_without_a_phone_supervises_nothing() {
    let scene = Scene::open().await;
    scene.sam.unregister().await.unwrap();
    let position = scene.ask(SupervisionMode::Listen).await;
    assert_eq!(scene.ends(position).await.0, SupervisionEnd::Unreachable);
    scene.talks_on().await;
}

#[tokio::test]
async fn a_supervisor_who_vanishes_is_missed_and_the_call_goes_on() {
    let relay = media::Options {
        silence_timeout_ms: 600,
        ..relay_options()
    };
    let world = open_relay(options(), relay).await;
    let scene = Scene::open_in(world, |options| options).await;
    let supervising = scene.supervise(SupervisionMode::Barge).await;
    heard(scene.out.media(), &[AGENT_HZ, SUPERVISOR_HZ]).await;
    let position = scene.world.feed().head();
    supervising.vanish().await.unwrap();
    assert_eq!(scene.ends(position).await.0, SupervisionEnd::MediaSilence);
    scene.talks_on().await;
}
