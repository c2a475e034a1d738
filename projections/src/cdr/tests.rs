use super::Cdr;
use super::{Role, SegmentKind};
use crate::{
    testing::{Side, World, call, fold_all, show},
    user_field::UserField,
};
use domain::{
    any::AnyEvent,
    call::{self as calls, Command, Route, Supervising, SupervisionEnd, SupervisionMode},
    cause::{EndReason, OfferOutcome},
    id::{AgentId, LegId},
};

const TIMES: &[&str] = &[
    "revision",
    "disposition",
    "hangup_by",
    "offers_count",
    "ring_ms",
    "hold_ms",
    "wrap_up_ms",
    "setup_ms",
    "duration_ms",
    "billable_ms",
    "wait_ms",
    "talk_ms",
];

#[track_caller]
fn check(world: &World, expected: &str) {
    assert_eq!(show::<Cdr>(world, TIMES), expected);
}

#[tokio::test]
async fn ring_times_of_all_offers_add_up_and_the_wait_includes_them() {
    let mut world = World::open().await;
    world.arrives(1).settle();
    world.pass(1_000).offers(1, 1).pass(500).rings(1);
    world.pass(3_000).fails(1, OfferOutcome::NoAnswer).settle();
    world.pass(200).offers(1, 2).pass(300).rings(1);
    world.pass(2_000).answers(1).settle();
    world.pass(60_000).hangs_up(1, Side::Agent);
    check(
        &world,
        "cdr: revision=1 disposition=ANSWERED hangup_by=agent offers_count=2 ring_ms=5000 \
         hold_ms=0 wrap_up_ms=0 setup_ms=7000 duration_ms=67000 billable_ms=60000 \
         wait_ms=7000 talk_ms=60000",
    );
}

#[tokio::test]
async fn overlapping_holds_count_once_and_are_not_talk() {
    let mut world = World::open().await;
    world
        .arrives(1)
        .settle()
        .offers(1, 1)
        .rings(1)
        .answers(1)
        .settle();
    world.pass(10_000).holds(1, Side::Caller);
    world.pass(2_000).holds(1, Side::Agent);
    world.pass(1_000).retrieves(1, Side::Caller);
    world.pass(4_000).retrieves(1, Side::Agent);
    world.pass(1_000).holds(1, Side::Agent);
    // Held to the end.
    world.pass(500).hangs_up(1, Side::Caller);
    check(
        &world,
        "cdr: revision=1 disposition=ANSWERED hangup_by=caller offers_count=1 ring_ms=0 \
         hold_ms=7500 wrap_up_ms=0 setup_ms=0 duration_ms=18500 billable_ms=18500 \
         wait_ms=0 talk_ms=11000",
    );
}

#[tokio::test]
async fn what_comes_after_the_end_gives_the_next_revision_and_keeps_the_last() {
    let mut world = World::open().await;
    world
        .arrives(1)
        .settle()
        .offers(1, 1)
        .rings(1)
        .answers(1)
        .settle();
    world.pass(1_000).hangs_up(1, Side::Caller).settle();
    // The other side hung up in the same moment.
    world.pass(20).hangs_up(1, Side::Caller);
    world.pass(2_480).wrap_up_ends(1);
    let columns = &[
        "revision",
        "wrap_up_ms",
        "late_facts_count",
        "duration_ms",
        "superseded",
    ];
    let events = world.facts.iter();
    let ended = events
        .filter(|fact| matches!(fact.event, AnyEvent::Call(_, calls::Event::Ended { .. })))
        .map(|fact| fact.position)
        .next()
        .unwrap();
    let late = ended + 3;
    assert_eq!(
        show::<Cdr>(&world, columns),
        format!(
            "cdr: revision=3 wrap_up_ms=2500 late_facts_count=1 duration_ms=1000 superseded=\
             [{{\"event_position_last\":{ended},\"late_facts_count\":0,\"revision\":1,\"wrap_up_ms\":0}},\
             {{\"event_position_last\":{late},\"late_facts_count\":1,\"revision\":2,\"wrap_up_ms\":0}}]"
        )
    );
}

#[tokio::test]
async fn what_is_noted_after_the_end_gives_the_next_revision_and_keeps_the_last() {
    let mut world = World::open().await;
    world.arrives(1).settle();
    world.is_tagged(1, (&["sales", "vip"], &[]), world.note(1));
    world.pass(1_000).hangs_up(1, Side::Caller).settle();
    let ended = fold_all::<Cdr>(&world)[&call(1)].clone();
    assert_eq!((ended.revision, ended.superseded.len()), (1, 0));
    let is_written = |row: &super::Row| {
        let text = row.user_field.as_ref().and_then(UserField::text);
        text == Some("is +4930222 for sure")
    };
    assert!(is_written(&ended));
    world.is_tagged(1, (&["complaint"], &["sales"]), None);
    world.is_tagged(1, (&[], &[]), Some(calls::UserField::Cleared));
    let last = fold_all::<Cdr>(&world)[&call(1)].clone();
    assert_eq!(Vec::from_iter(&last.tags), ["complaint", "vip"]);
    assert_eq!((last.revision, is_written(&last)), (3, false));
    // As it stood at each of its revisions, and not before the end.
    assert_eq!(last.as_of(ended.ended_position()), Some(ended.clone()));
    let second = last.as_of(last.superseded[1].event_position_last).unwrap();
    assert_eq!(Vec::from_iter(&second.tags), ["complaint", "vip"]);
    assert_eq!((second.revision, is_written(&second)), (2, true));
    assert_eq!(last.as_of(ended.ended_position() - 1), None);
}

#[tokio::test]
async fn a_caller_who_leaves_while_an_agent_rings_has_waited_and_rung_to_the_end() {
    let mut world = World::open().await;
    world.arrives(1).settle();
    world.pass(2_000).offers(1, 1).pass(500).rings(1);
    world.pass(1_500).hangs_up(1, Side::Caller).settle();
    check(
        &world,
        "cdr: revision=1 disposition=ABANDONED hangup_by=caller offers_count=1 ring_ms=1500 \
         hold_ms=0 wrap_up_ms=0 duration_ms=4000 billable_ms=0 wait_ms=4000 talk_ms=0",
    );
}

#[tokio::test]
async fn every_invite_has_a_record_those_that_were_refused_too() {
    let mut world = World::open().await;
    world.receive(9, Route::Refused(EndReason::UnknownAddress));
    assert_eq!(
        show::<Cdr>(
            &world,
            &[
                "call_id",
                "disposition",
                "reason",
                "sip_status",
                "q850_cause"
            ]
        ),
        "cdr: call_id=call9 disposition=FAILED reason=unknown_address sip_status=404 q850_cause=1"
    );
}

#[tokio::test]
async fn an_end_that_was_noticed_late_counts_at_its_own_time() {
    let mut world = World::open().await;
    world
        .arrives(1)
        .settle()
        .offers(1, 1)
        .rings(1)
        .answers(1)
        .settle();
    let last_seen = world.now.plus_ms(5_000);
    world.pass(90_000).on(
        1,
        domain::call::Command::EndCall {
            reason: EndReason::NodeLost,
            ended_at: Some(last_seen),
            visit: None,
        },
    );
    let record = fold_all::<Cdr>(&world).remove(&call(1)).unwrap();
    assert_eq!((record.duration_ms(), record.talk_ms()), (5_000, 5_000));
    assert!(record.end.unwrap().incomplete);
}

#[tokio::test]
async fn while_the_call_is_in_progress_its_record_is_not_among_the_ended() {
    let mut world = World::open().await;
    world.arrives(1).settle();
    assert_eq!(show::<Cdr>(&world, &["call_id"]), "cdr_open: call_id=call1");
}

/// One line a leg, one word a segment: `kind from-to` in milliseconds after
/// the call began.
pub(super) fn legs(world: &World) -> String {
    let record = fold_all::<Cdr>(world).remove(&call(1)).unwrap();
    let after = |at: domain::time::Timestamp| at.ms_since(record.started_at);
    let mut lines = vec![];
    for leg in &record.legs {
        let segments = leg.segments.iter().map(|segment| {
            let kind = match segment.kind {
                SegmentKind::Queue => "queue",
                SegmentKind::Alert => "alert",
                SegmentKind::Talk => "talk",
                SegmentKind::Hold => "hold",
                SegmentKind::WrapUp => "wrap-up",
                SegmentKind::Announcement => "announcement",
                SegmentKind::Voicemail => "voicemail",
                SegmentKind::Listen => "listen",
                SegmentKind::Whisper => "whisper",
                SegmentKind::Barge => "barge",
                SegmentKind::Takeover => "takeover",
            };
            let (from, to) = (after(segment.started_at), segment.ended_at.map(after));
            format!(
                "{kind} {from}-{}",
                to.map_or(String::new(), |to| to.to_string())
            )
        });
        let role = match leg.role {
            Role::Originator => "caller",
            Role::Agent => "agent",
            Role::Forwarded => "forwarded",
            Role::Supervisor => "supervisor",
        };
        let words: Vec<_> = segments.collect();
        let end = leg.ended_at.map(after).unwrap();
        lines.push(format!(
            "{role} {}-{end}: {}",
            after(leg.started_at),
            words.join(", ")
        ));
    }
    lines.join("\n")
}

#[tokio::test]
async fn every_leg_has_its_own_line_of_what_went_on() {
    let mut world = World::open().await;
    world.arrives(1).settle();
    world.pass(1_000).offers(1, 1).pass(500).rings(1);
    world.pass(3_000).fails(1, OfferOutcome::NoAnswer).settle();
    world.pass(500).offers(1, 2).pass(500).rings(1);
    world.pass(2_000).answers(1).settle();
    world.pass(10_000).holds(1, Side::Agent);
    world.pass(5_000).retrieves(1, Side::Agent);
    world.pass(1_500).hangs_up(1, Side::Caller).settle();
    world.pass(4_000).wrap_up_ends(2);
    assert_eq!(
        legs(&world),
        "caller 0-24000: queue 0-7500, talk 7500-17500, hold 17500-22500, talk 22500-24000\n\
         agent 1000-4500: alert 1500-4500\n\
         agent 5000-24000: alert 5500-7500, talk 7500-17500, hold 17500-22500, talk 22500-24000, \
         wrap-up 24000-28000"
    );
}

#[tokio::test]
async fn a_record_can_be_had_as_it_was_before_it_was_corrected() {
    let mut world = World::open().await;
    world
        .arrives(1)
        .settle()
        .offers(1, 1)
        .rings(1)
        .answers(1)
        .settle();
    world.pass(1_000).hangs_up(1, Side::Caller).settle();
    let ended = world.facts.len() as u64;
    world.pass(2_500).wrap_up_ends(1);
    let record = fold_all::<Cdr>(&world).remove(&call(1)).unwrap();
    let then = record.as_of(ended).unwrap();
    assert_eq!((then.revision, then.wrap_up_ms), (1, 0));
    let wrapped = |row: &super::Row| row.legs[1].spent_ms(SegmentKind::WrapUp);
    assert_eq!(wrapped(&then), 0);
    let now = record.as_of(world.facts.len() as u64).unwrap();
    assert_eq!(
        (now.revision, now.wrap_up_ms, wrapped(&now)),
        (2, 2_500, 2_500)
    );
    assert_eq!(record.as_of(record.ended_position() - 1), None);
}

#[tokio::test]
async fn sound_that_is_measured_after_the_end_is_a_correction_too() {
    let mut world = World::open().await;
    world.arrives(1).settle().offers(1, 1).rings(1).answers(1);
    world.pass(1_000).hangs_up(1, Side::Caller);
    let ended = world.facts.len() as u64;
    world.pass(10).is_measured(1, 10).is_measured(1, 50);
    let record = fold_all::<Cdr>(&world).remove(&call(1)).unwrap();
    assert_eq!(record.revision, 2, "it is measured once");
    let figures = |row: &super::Row| {
        let (mos, loss) = (row.mos_hundredths(), row.loss_ppm());
        (mos, loss, row.jitter_us(), row.rtt_us())
    };
    let measured = (Some(337), Some(100_000), Some(1_000), Some(30_000));
    assert_eq!(figures(&record), measured);
    let then = record.as_of(ended).unwrap();
    assert_eq!(figures(&then), (None, None, None, None));
}

#[tokio::test]
async fn a_record_names_who_sent_the_call_on() {
    let mut world = World::open().await;
    world.arrives(6).settle().hangs_up(6, Side::Caller);
    let columns = &["from_user", "diverted_user", "diverted_reason"];
    assert_eq!(
        show::<Cdr>(&world, columns),
        "cdr: from_user=+4930111 diverted_user=+4930222 diverted_reason=no_answer"
    );
}

#[tokio::test]
async fn somebody_outside_is_talked_to_from_the_answer_there_and_waited_for_by_nobody() {
    let mut world = World::open().await;
    let outside = domain::id::LegId(uuid::Uuid::from_u128(77));
    world.receive(
        1,
        Route::Forward {
            number: "+491701234567".into(),
            leg: outside,
        },
    );
    world.pass(3_000);
    world.on(
        1,
        calls::Command::RecordAnswer {
            leg: outside,
            codec: None,
            device: None,
        },
    );
    world.pass(60_000).hangs_up(1, Side::Caller);
    check(
        &world,
        "cdr: revision=1 disposition=FORWARDED hangup_by=caller offers_count=0 ring_ms=0 \
         hold_ms=0 wrap_up_ms=0 setup_ms=3000 duration_ms=63000 billable_ms=60000 \
         wait_ms=0 talk_ms=60000",
    );
}

#[tokio::test]
async fn whoever_hears_a_call_has_a_leg_with_a_segment_for_each_mode() {
    let mut world = World::open().await;
    world.arrives(1).settle();
    world.offers(1, 1).rings(1).answers(1).settle();
    let leg = LegId(uuid::Uuid::from_u128(77));
    let ask = |mode| {
        Command::SuperviseCall(Supervising {
            leg,
            supervisor: AgentId(uuid::Uuid::from_u128(78)),
            mode,
            by: "carla".into(),
        })
    };
    let answer = Command::RecordAnswer {
        leg,
        codec: Some("PCMA".into()),
        device: None,
    };
    world.pass(1_000).on(1, ask(SupervisionMode::Listen));
    world.pass(500).on(1, answer);
    world.pass(2_000).on(1, ask(SupervisionMode::Whisper));
    world.pass(1_000).on(1, ask(SupervisionMode::Barge));
    let last_seen = world.now.plus_ms(300);
    let lost = Command::EndCall {
        reason: EndReason::NodeLost,
        ended_at: Some(last_seen),
        visit: None,
    };
    world.pass(60_000).on(1, lost);
    assert_eq!(
        legs(&world),
        "caller 0-4800: queue 0-0, talk 0-4800\n\
         agent 0-4800: alert 0-0, talk 0-4800\n\
         supervisor 1000-4800: listen 1500-3500, whisper 3500-4500, barge 4500-4800"
    );
    let record = fold_all::<Cdr>(&world).remove(&call(1)).unwrap();
    let end = Some(SupervisionEnd::NodeLost);
    assert_eq!(record.legs[2].supervision_end, end);
    // The call's own codec is that of caller and agent.
    assert_eq!(record.codec(), None);
}
