//! What each side hears while the other holds it, sample by sample.

use crate::{
    ends::{connect, hangup, hung_up, no_complaints},
    world::{PATIENCE, open, rules},
};
use commands::{ports::Clock as _, system::SystemClock};
use domain::{
    call,
    cause::By,
    id::{CallId, CallbackId, LegId, VisitId},
    sealed::Party,
    trunk,
};
use media::{FRAME_SAMPLES, Law, Track};
use phone::{CallOptions, Codec, Media, Offer, g711, tone};
use std::collections::HashSet;
use tokio::time::timeout;

const CALLER_HZ: f64 = 440.0;
const AGENT_HZ: f64 = 880.0;

/// Our track of music, to be recognised by its frames.
struct Music(HashSet<Vec<i16>>);

impl Music {
    fn new() -> Self {
        let track = Track::synthesise();
        let frames = (0..track.frames())
            .map(|frame| g711::decode(Codec::Pcmu, track.frame(Law::Mu, frame)))
            .collect();
        Self(frames)
    }

    /// Share of the frames that are music.
    fn share(&self, heard: &[i16]) -> f64 {
        let frames = heard.chunks_exact(FRAME_SAMPLES);
        let count = frames.len().max(1) as f64;
        frames.filter(|frame| self.0.contains(*frame)).count() as f64 / count
    }

    /// From now on the far end hears music, and nothing but music.
    async fn comes(&self, media: &Media) {
        let begins =
            async { while self.share(&media.record(FRAME_SAMPLES, PATIENCE).await) < 1.0 {} };
        timeout(PATIENCE, begins).await.unwrap();
        let heard = media.record(50 * FRAME_SAMPLES, PATIENCE).await;
        assert!(
            self.share(&heard) > 0.9,
            "music share {}",
            self.share(&heard)
        );
        assert!(tone::power(&heard) > 1e-4, "not silence");
    }
}

/// From now on that tone is heard, and nothing else.
async fn tone_comes(media: &Media, hz: f64) {
    let begins = async {
        while tone::tone_share(&media.record(5 * FRAME_SAMPLES, PATIENCE).await, hz) < 0.9 {}
    };
    timeout(PATIENCE, begins).await.unwrap();
    let heard = media.record(25 * FRAME_SAMPLES, PATIENCE).await;
    let share = tone::tone_share(&heard, hz);
    assert!(share > 0.9, "{share} of it is {hz} Hz");
}

/// Nothing is sent to a phone that wants to send only.
async fn nothing_comes(media: &Media) {
    let quiet = async {
        while media
            .wait_packets(1, std::time::Duration::from_millis(200))
            .await
        {}
    };
    timeout(PATIENCE, quiet).await.unwrap();
}

#[tokio::test]
async fn whoever_is_held_hears_music_and_then_the_voice_again() {
    let world = open().await;
    let music = Music::new();
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let (out, incoming) = connect(&caller, &agent).await;
    out.media().play_tone(CALLER_HZ, 0.3);
    incoming.media().play_tone(AGENT_HZ, 0.3);
    tone_comes(out.media(), AGENT_HZ).await;
    tone_comes(incoming.media(), CALLER_HZ).await;

    assert_eq!(incoming.hold().await.unwrap(), 200);
    music.comes(out.media()).await;
    nothing_comes(incoming.media()).await;
    assert_eq!(incoming.resume().await.unwrap(), 200);
    tone_comes(out.media(), AGENT_HZ).await;
    tone_comes(incoming.media(), CALLER_HZ).await;

    assert_eq!(out.hold().await.unwrap(), 200);
    music.comes(incoming.media()).await;
    nothing_comes(out.media()).await;
    assert_eq!(out.resume().await.unwrap(), 200);
    tone_comes(incoming.media(), CALLER_HZ).await;
    tone_comes(out.media(), AGENT_HZ).await;

    assert_eq!(out.hang_up().await.unwrap(), 200);
    hung_up(&incoming).await;
    assert_eq!(world.the_end(before).await, hangup(By::Caller));
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn the_first_of_two_who_hold_to_come_back_waits_with_music_for_the_other() {
    let world = open().await;
    let music = Music::new();
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let (out, incoming) = connect(&caller, &agent).await;
    out.media().play_tone(CALLER_HZ, 0.3);
    incoming.media().play_tone(AGENT_HZ, 0.3);
    assert_eq!(incoming.hold().await.unwrap(), 200);
    let (held, _) = world.see(before, "call_held").await;
    assert_eq!(out.hold().await.unwrap(), 200);
    world.see(held, "call_held").await;
    assert_eq!(incoming.resume().await.unwrap(), 200);
    music.comes(incoming.media()).await;
    nothing_comes(out.media()).await;
    assert_eq!(out.resume().await.unwrap(), 200);
    tone_comes(incoming.media(), CALLER_HZ).await;
    tone_comes(out.media(), AGENT_HZ).await;
    assert_eq!(incoming.hang_up().await.unwrap(), 200);
    hung_up(&out).await;
    assert_eq!(world.the_end(before).await, hangup(By::Agent));
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn a_caller_who_holds_while_waiting_is_on_hold_for_the_agent_who_comes() {
    let world = open().await;
    let music = Music::new();
    let config = domain::queue::Config {
        answer_mode: domain::call::AnswerMode::Immediate,
        ..rules()
    };
    let queue = world.support(config).await;
    world.agent("anna", queue).await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let out = crate::world::dial(&caller, "support").await;
    out.media().play_tone(CALLER_HZ, 0.3);
    out.wait_answered(PATIENCE).await.unwrap();
    assert_eq!(out.hold().await.unwrap(), 200);
    let agent = world.agent_phone("anna").await;
    let incoming = agent.next_incoming().await.unwrap();
    incoming.answer().await.unwrap();
    incoming.media().play_tone(AGENT_HZ, 0.3);
    let (held, _) = world.see(before, "call_held").await;
    music.comes(incoming.media()).await;
    assert_eq!(out.resume().await.unwrap(), 200);
    world.see(held, "call_retrieved").await;
    tone_comes(incoming.media(), CALLER_HZ).await;
    assert_eq!(incoming.hang_up().await.unwrap(), 200);
    hung_up(&out).await;
    assert_eq!(world.the_end(before).await, hangup(By::Agent));
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn a_caller_whose_invite_holds_is_on_hold_for_the_agent_who_answers() {
    let world = open().await;
    let music = Music::new();
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let options = CallOptions {
        offer: Offer::Body(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
            m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendonly\r\n"
                .into(),
        ),
        ..CallOptions::default()
    };
    let out = caller.call("support", options).await.unwrap();
    let incoming = agent.next_incoming().await.unwrap();
    incoming.answer().await.unwrap();
    incoming.media().play_tone(AGENT_HZ, 0.3);
    world.see(before, "call_held").await;
    music.comes(incoming.media()).await;
    assert_eq!(incoming.hang_up().await.unwrap(), 200);
    hung_up(&out).await;
    assert_eq!(world.the_end(before).await, hangup(By::Agent));
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn an_agent_who_holds_while_a_person_is_rung_back_holds_whoever_answers() {
    let world = open().await;
    let music = Music::new();
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    let carrier = world.phone("carrier").await;
    let config = trunk::Config {
        allow: vec!["127.0.0.0/8".into()],
        host: Some(carrier.local_addr().to_string()),
        user: None,
        outbound: trunk::Outbound::default(),
        forwards: vec![],
    };
    world.trunk_with("carrier", config).await;
    let before = world.feed().head();
    let person = Party {
        user: "+491701234567".into(),
        host: None,
        display_name: None,
        contact: None,
        user_field: None,
    };
    let office = &world.office;
    let placing = call::Placing {
        leg: LegId(office.id()),
        party: office.stores.vault.seal(&person).await.unwrap(),
        callback: CallbackId(office.id()),
        place: SystemClock.now(),
        queue,
        config_version: 1,
        visit: VisitId(office.id()),
        wanted: None,
        music: None,
    };
    let call = CallId(office.id());
    office.tell(call, call::Command::PlaceCall(placing)).await;
    let incoming = agent.next_incoming().await.unwrap();
    incoming.answer().await.unwrap();
    let rung = carrier.next_incoming().await.unwrap();
    rung.ring().await.unwrap();
    assert_eq!(incoming.hold().await.unwrap(), 200);
    rung.answer().await.unwrap();
    rung.media().play_silence();
    let (held, _) = world.see(before, "call_held").await;
    music.comes(rung.media()).await;
    assert_eq!(incoming.resume().await.unwrap(), 200);
    world.see(held, "call_retrieved").await;
    incoming.media().play_tone(AGENT_HZ, 0.3);
    tone_comes(rung.media(), AGENT_HZ).await;
    assert_eq!(incoming.hang_up().await.unwrap(), 200);
    hung_up(&rung).await;
    assert_eq!(world.the_end(before).await.by, By::Agent);
    no_complaints(&[&agent, &carrier]);
}

#[tokio::test]
async fn a_caller_of_an_immediate_queue_hears_music_until_the_agent_speaks() {
    let world = open().await;
    let music = Music::new();
    let config = domain::queue::Config {
        answer_mode: domain::call::AnswerMode::Immediate,
        ..rules()
    };
    let queue = world.support(config).await;
    world.agent("anna", queue).await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let out = crate::world::dial(&caller, "support").await;
    out.media().play_tone(CALLER_HZ, 0.3);
    out.wait_answered(PATIENCE).await.unwrap();
    music.comes(out.media()).await;
    let agent = world.agent_phone("anna").await;
    let incoming = agent.next_incoming().await.unwrap();
    incoming.ring().await.unwrap();
    world.see(before, "leg_alerting").await;
    music.comes(out.media()).await;
    incoming.answer().await.unwrap();
    incoming.media().play_tone(AGENT_HZ, 0.3);
    tone_comes(out.media(), AGENT_HZ).await;
    tone_comes(incoming.media(), CALLER_HZ).await;
    assert_eq!(incoming.hang_up().await.unwrap(), 200);
    hung_up(&out).await;
    assert_eq!(world.the_end(before).await, hangup(By::Agent));
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}
