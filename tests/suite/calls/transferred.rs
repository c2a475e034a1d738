//! An agent's phone sends the caller into another queue by REFER (RFC 3515): what that phone is
//! told, whom the caller hears then, what is on record, and what is refused.

use crate::{
    ends::{connect, hangup, hung_up, no_complaints},
    supervised::{AGENT_HZ, CALLER_HZ, SUPERVISOR_HZ as NEXT_HZ, got_bye, heard},
    world::{PATIENCE, World, open},
};
use commands::{ports::Position, tail::Entry};
use domain::{
    any::{AnyCommand, AnyEvent},
    call::{AnswerMode, Command, Event, Transfer},
    cause::By,
    id::{AgentId, CallId, DEFAULT_TENANT, QueueId, VisitId},
    line, queue, session,
};
use phone::{CallEvent, IncomingCall, OutgoingCall, Phone};
use projections::{
    cdr::{LegOutcome, SegmentEnd},
    changed::View,
};
use ringledger_tests::office::rules;
use tokio::time::timeout;

/// A caller and Anna of support, who talk, and Bert, who serves sales.
struct Scene {
    world: World,
    support: QueueId,
    sales: QueueId,
    anna: Phone,
    bert: Phone,
    caller: Phone,
    call: CallId,
    before: Position,
    out: OutgoingCall,
    incoming: IncomingCall,
}

impl Scene {
    async fn open() -> Self {
        Self::open_with(rules(), rules()).await
    }

    async fn open_with(support: queue::Config, sales: queue::Config) -> Self {
        let world = open().await;
        let support = world.support(support).await;
        let sales = world.office.queue("sales", sales).await;
        world.agent("anna", support).await;
        world.agent("bert", sales).await;
        let anna = world.agent_phone("anna").await;
        let bert = world.agent_phone("bert").await;
        let caller = world.phone("4930111").await;
        let before = world.feed().head();
        let (out, incoming) = connect(&caller, &anna).await;
        let (_, call) = world.see(before, "agent_connected").await;
        out.media().play_tone(CALLER_HZ, 0.2);
        incoming.media().play_tone(AGENT_HZ, 0.2);
        Self {
            world,
            support,
            sales,
            anna,
            bert,
            caller,
            call,
            before,
            out,
            incoming,
        }
    }

    /// Bert's phone rings for the caller, and is answered.
    async fn bert_answers(&self) -> IncomingCall {
        let ringing = timeout(PATIENCE, self.bert.next_incoming()).await;
        let call = ringing.unwrap().unwrap();
        assert_eq!(call.from_user(), Some("4930111"));
        call.media().play_tone(NEXT_HZ, 0.2);
        call.ring().await.unwrap();
        call.answer().await.unwrap();
        let bert = AgentId::named(DEFAULT_TENANT, "bert");
        let connected = |entry: &Entry| match &entry.fact.event {
            AnyEvent::Call(call, Event::AgentConnected { session, .. })
                if session.agent == bert =>
            {
                Some(*call)
            }
            _ => None,
        };
        let (_, whose) = self.world.office.see(self.before, connected).await;
        assert_eq!(whose, self.call);
        call
    }

    /// The two talk as before, and nothing of a transfer is on record.
    async fn talks_on(&self) {
        heard(self.out.media(), &[AGENT_HZ]).await;
        heard(self.incoming.media(), &[CALLER_HZ]).await;
        let story = self.world.story(self.call).await;
        assert!(!story.iter().any(|event| event == "call_transferred"));
    }

    /// What the session of whoever has the call says next.
    async fn session_says(&self, what: &str) {
        let says = |entry: &Entry| match &entry.fact.event {
            AnyEvent::Session(_, session::Event::ContactEnded { call, .. })
                if what == "ended" && *call == self.call =>
            {
                Some(())
            }
            AnyEvent::Session(_, session::Event::WrapUpStarted { call, .. })
                if what == "works" && *call == self.call =>
            {
                Some(())
            }
            _ => None,
        };
        self.world.office.see(self.before, says).await;
    }
}

/// What a phone is told of its REFER, until the BYE; with the Reason of that.
async fn told(call: &mut IncomingCall) -> (Vec<(String, String)>, Option<String>) {
    let mut lines = vec![];
    loop {
        let event = timeout(PATIENCE, call.next_event()).await.unwrap();
        match event {
            Some(CallEvent::Notified { event, state, body }) => {
                assert!(event.starts_with("refer;id="), "{event}");
                lines.push((body, state));
            }
            Some(CallEvent::RemoteHangup { reason }) => return (lines, reason),
            Some(_) => {}
            None => return (lines, None),
        }
    }
}

fn line_of((line, state): &(String, String)) -> (&str, &str) {
    (line.as_str(), state.split(';').next().unwrap())
}

#[tokio::test]
async fn the_caller_ends_up_with_the_other_queues_agent_and_the_first_goes_to_work() {
    let mut wraps_up = rules();
    wraps_up.wrap_up_ms = 60_000;
    let mut scene = Scene::open_with(wraps_up, rules()).await;
    heard(scene.out.media(), &[AGENT_HZ]).await;
    let status = scene.incoming.refer(&["<sip:sales@127.0.0.1>"]).await;
    assert_eq!(status.unwrap(), 202);
    let (lines, reason) = told(&mut scene.incoming).await;
    let lines: Vec<_> = lines.iter().map(line_of).collect();
    let expected = [
        ("SIP/2.0 100 Trying", "active"),
        ("SIP/2.0 200 OK", "terminated"),
    ];
    assert_eq!(lines, expected);
    assert!(reason.unwrap().starts_with("Q.850;cause=16"));
    scene.session_says("ended").await;
    scene.session_says("works").await;
    let with_bert = scene.bert_answers().await;
    heard(scene.out.media(), &[NEXT_HZ]).await;
    heard(with_bert.media(), &[CALLER_HZ]).await;
    // The caller's phone was told nothing: one answer, and packets of one stream.
    assert_eq!(scene.out.media().stats().source_changes, 0);
    assert_eq!(with_bert.hang_up().await.unwrap(), 200);
    hung_up(&scene.out).await;
    let end = scene.world.the_end(scene.before).await;
    assert_eq!(end, hangup(By::Agent));
    record_says_so(&scene).await;
    no_complaints(&[&scene.caller, &scene.anna, &scene.bert]);
}

/// One record, with a leg and a stay for each of the two.
async fn record_says_so(scene: &Scene) {
    let views = scene.world.office.views();
    let record = views.cdr(scene.call).await.unwrap().unwrap();
    assert_eq!(
        (record.transfers_count(), record.queue),
        (1, Some(scene.sales))
    );
    let mut agents = record.legs.iter().filter(|leg| leg.agent.is_some());
    let (first, second) = (agents.next().unwrap(), agents.next().unwrap());
    assert_eq!(first.outcome, Some(LegOutcome::Transferred));
    assert_eq!(first.transferred_to, Some(scene.sales));
    assert!(
        first
            .segments
            .iter()
            .any(|it| it.end == Some(SegmentEnd::Transferred))
    );
    assert_eq!((second.outcome, record.agent), (None, second.agent));
    let head = scene.world.feed().head();
    views
        .wait_for(&[View::Visits], head, PATIENCE)
        .await
        .unwrap();
    let mut visits = views.visits_of(scene.call).await.unwrap();
    visits.sort_by_key(|visit| visit.opened_at);
    let [came, went] = visits.as_slice() else {
        panic!("two stays: {visits:?}");
    };
    assert_eq!((came.queue, went.queue), (scene.support, scene.sales));
    let answered = Some(line::VisitResult::Answered);
    assert_eq!((came.result, went.result), (answered, answered));
    assert_eq!(went.previous, Some(came.visit));
    assert_eq!(went.enqueued_at, came.enqueued_at, "it keeps its place");
}

#[tokio::test]
async fn a_caller_who_is_held_hears_music_and_then_the_next_agent() {
    let scene = Scene::open().await;
    assert_eq!(scene.incoming.hold().await.unwrap(), 200);
    heard(scene.out.media(), &[]).await;
    // By its number or its name, as a caller dials it; case does not matter.
    let status = scene.incoming.refer(&["sip:SALES@127.0.0.1"]).await;
    assert_eq!(status.unwrap(), 202);
    got_bye(&scene.incoming).await;
    heard(scene.out.media(), &[]).await;
    let with_bert = scene.bert_answers().await;
    heard(scene.out.media(), &[NEXT_HZ]).await;
    heard(with_bert.media(), &[CALLER_HZ]).await;
    assert_eq!(scene.out.hang_up().await.unwrap(), 200);
    hung_up(&with_bert).await;
    assert_eq!(scene.world.the_end(scene.before).await, hangup(By::Caller));
    scene.world.see_free(&scene.anna).await;
    no_complaints(&[&scene.caller, &scene.anna, &scene.bert]);
}

#[tokio::test]
async fn what_leads_nowhere_or_is_not_for_that_phone_is_refused_and_the_two_talk_on() {
    let scene = Scene::open().await;
    let close = queue::Command::Close {
        by: "carla".into(),
        why: "party".into(),
    };
    let closed = scene.world.office.queue("closed", rules()).await;
    let told = scene
        .world
        .office
        .dispatch(AnyCommand::Queue(closed, close))
        .await
        .unwrap();
    scene.world.office.directory.wait_for(told.position).await;
    for (targets, status) in [
        (&["<sip:nobody@127.0.0.1>"][..], 404),
        (&["<sip:closed@127.0.0.1>"], 480),
        (&[], 400),
        (&["<sip:sales@127.0.0.1>", "<sip:support@127.0.0.1>"], 400),
        (&["<sip:sales@127.0.0.1?Replaces=a%3Bto-tag%3Db>"], 501),
        (&["<http://sales>"], 416),
    ] {
        let answer = scene.incoming.refer(targets).await.unwrap();
        assert_eq!(answer, status, "{targets:?}");
    }
    let by_caller = scene.out.refer(&["<sip:sales@127.0.0.1>"]).await;
    assert_eq!(by_caller.unwrap(), 403);
    scene.talks_on().await;
    assert_eq!(scene.out.hang_up().await.unwrap(), 200);
    hung_up(&scene.incoming).await;
    scene.world.the_end(scene.before).await;
}

#[tokio::test]
async fn what_the_calls_rules_refuse_is_told_by_notify_and_may_be_asked_again() {
    let mut scene = Scene::open().await;
    let back = scene.incoming.refer(&["<sip:support@127.0.0.1>"]).await;
    assert_eq!(back.unwrap(), 202);
    let mut lines = vec![];
    while lines.len() < 2 {
        let event = timeout(PATIENCE, scene.incoming.next_event()).await;
        if let Some(CallEvent::Notified { state, body, .. }) = event.unwrap() {
            lines.push((body, state));
        }
    }
    let said: Vec<_> = lines.iter().map(line_of).collect();
    let expected = [
        ("SIP/2.0 100 Trying", "active"),
        ("SIP/2.0 403 Forbidden", "terminated"),
    ];
    assert_eq!(said, expected);
    scene.talks_on().await;
    let status = scene.incoming.refer(&["<sip:sales@127.0.0.1>"]).await;
    assert_eq!(status.unwrap(), 202);
    let with_bert = scene.bert_answers().await;
    assert_eq!(with_bert.hang_up().await.unwrap(), 200);
    hung_up(&scene.out).await;
    assert_eq!(scene.world.the_end(scene.before).await, hangup(By::Agent));
}

#[tokio::test]
async fn a_phone_that_hangs_up_as_soon_as_its_refer_is_taken_does_not_end_the_call() {
    for round in 0..4 {
        let scene = Scene::open().await;
        let status = scene.incoming.refer(&["<sip:sales@127.0.0.1>"]).await;
        assert_eq!(status.unwrap(), 202, "round {round}");
        // Its BYE and ours may cross.
        let _ = scene.incoming.hang_up().await;
        scene.incoming.wait_ended(PATIENCE).await.unwrap();
        let with_bert = scene.bert_answers().await;
        heard(scene.out.media(), &[NEXT_HZ]).await;
        assert_eq!(scene.out.hang_up().await.unwrap(), 200);
        hung_up(&with_bert).await;
        assert_eq!(scene.world.the_end(scene.before).await, hangup(By::Caller));
    }
}

#[tokio::test]
async fn a_caller_who_hangs_up_while_nobody_is_there_yet_has_left_the_other_queue() {
    let scene = Scene::open().await;
    scene.bert.unregister().await.unwrap();
    let order = Transfer {
        queue: scene.sales,
        config_version: 1,
        answer_mode: AnswerMode::Immediate,
        visit: VisitId(uuid::Uuid::from_u128(77)),
        exit_keys: vec![],
        music: None,
        agent: None,
        leg: None,
        by: "token:carla".into(),
    };
    // By an order of the API the agent's phone is let go as well.
    scene
        .world
        .office
        .tell(scene.call, Command::TransferCall(order))
        .await;
    got_bye(&scene.incoming).await;
    heard(scene.out.media(), &[]).await;
    assert_eq!(scene.out.hang_up().await.unwrap(), 200);
    let end = scene.world.the_end(scene.before).await;
    assert_eq!(end.by, By::Caller);
    assert_eq!(end.disposition, domain::cause::Disposition::Abandoned);
    scene.world.see_free(&scene.anna).await;
    no_complaints(&[&scene.caller, &scene.anna]);
}
