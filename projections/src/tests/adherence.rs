//! How much of what was planned is kept, by the record and by the report.

use super::{block_on, estimates::views};
use crate::{
    report::{Adherence, Granularity, Span, spans},
    testing::{START, World, actions, agent, login, play},
    views::Views,
};
use chrono_tz::Tz;
use domain::{
    any::{AnyCommand, AnyEvent},
    decider::Decider as _,
    id::{AgentId, SessionId},
    schedule::{Activity, Command, Segment, within},
    session::{self, LogoutReason, NotReadyCode, NotReadyReason, Routability, Session},
    time::Timestamp,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// So many microseconds after the start.
fn micro(micros: i64) -> Timestamp {
    Timestamp::from_micros(START.micros() + micros)
}

fn segment(from_s: i64, to_s: i64, activity: Activity) -> Segment {
    Segment {
        from: micro(from_s * 1_000_000),
        to: micro(to_s * 1_000_000),
        activity,
    }
}

fn plan(world: &mut World, number: u64, span_s: (i64, i64), segments: Vec<Segment>) {
    let (from, to) = (micro(span_s.0 * 1_000_000), micro(span_s.1 * 1_000_000));
    let set = Command::Set { from, to, segments };
    world.tell(AnyCommand::Schedule(agent(number), set));
}

fn rests(world: &mut World, number: u64, reason: NotReadyReason, is_productive: Option<bool>) {
    let code = is_productive.map(|is_productive| NotReadyCode {
        code: "word".into(),
        is_paid: false,
        is_productive,
    });
    let command = session::Command::GoNotReady { reason, code };
    world.tell(AnyCommand::Session(login(number), command));
}

fn comes_back(world: &mut World, number: u64) {
    world.tell(AnyCommand::Session(
        login(number),
        session::Command::GoReady,
    ));
}

fn goes_home(world: &mut World, number: u64) {
    let reason = LogoutReason::Agent;
    let command = session::Command::LogOut { reason };
    world.tell(AnyCommand::Session(login(number), command));
}

/// What each of these agents kept, in each interval in which there is something to tell.
async fn told(
    views: &Views,
    agents: &[AgentId],
    spans: &[Span],
    now: Timestamp,
) -> Vec<(AgentId, Span, Adherence)> {
    let rows = views.agent_report(agents, spans, now).await.unwrap();
    rows.iter()
        .map(|row| (row.agent, row.span, row.adherence))
        .collect()
}

/// In seconds: what was kept, and what was planned, of one agent until now.
async fn kept_s(world: &World, number: u64) -> (u64, u64) {
    let end = START.plus_ms(900_000);
    let spans = spans(START, end, Granularity::QuarterHour, Tz::UTC).unwrap();
    let told = told(&views(world).await, &[agent(number)], &spans, world.now).await;
    let parts = told
        .first()
        .map(|(_, _, it)| it.parts())
        .unwrap_or_default();
    (parts.0 / 1_000, parts.1 / 1_000)
}

#[tokio::test]
async fn a_plan_is_kept_by_who_works_rests_or_is_away_as_it_says() {
    let mut world = World::open().await;
    let planned = vec![
        segment(0, 60, Activity::Work),
        segment(60, 120, Activity::Break),
        segment(120, 180, Activity::Meeting),
        segment(180, 240, Activity::Meal),
        segment(240, 300, Activity::Work),
        segment(300, 360, Activity::Training),
    ];
    plan(&mut world, 1, (0, 360), planned);
    world.pass(50_000);
    rests(&mut world, 1, NotReadyReason::Break, None);
    world.pass(60_000);
    comes_back(&mut world, 1);
    world.pass(20_000);
    rests(&mut world, 1, NotReadyReason::Meeting, None);
    world.pass(60_000);
    goes_home(&mut world, 1);
    world.pass(60_000);
    let session = SessionId {
        agent: agent(1),
        number: 2,
    };
    let ready = true;
    let back = session::Command::LogIn { session, ready };
    world.tell(AnyCommand::Session(session, back));
    world.pass(80_000);
    // 50 of work, 50 of the break, 50 of the meeting, 50 of the meal away, and 50 of work
    // again; of the training 30 s have passed, in which calls were taken instead.
    assert_eq!(kept_s(&world, 1).await, (250, 330));
    assert_eq!(kept_s(&world, 2).await, (0, 0), "nothing is planned");
}

#[tokio::test]
async fn a_word_for_work_is_work_and_whoever_never_comes_keeps_a_meal_alone() {
    let mut world = World::open().await;
    for number in [1, 2, 3] {
        let planned = vec![
            segment(0, 60, Activity::Work),
            segment(60, 90, Activity::Meal),
            segment(90, 100, Activity::AdminWork),
        ];
        plan(&mut world, number, (0, 100), planned);
    }
    rests(&mut world, 1, NotReadyReason::AdminWork, Some(true));
    rests(&mut world, 2, NotReadyReason::AdminWork, Some(false));
    goes_home(&mut world, 3);
    world.pass(200_000);
    assert_eq!(kept_s(&world, 1).await, (70, 100));
    assert_eq!(kept_s(&world, 2).await, (10, 100));
    // In the report although the agent was not there.
    assert_eq!(kept_s(&world, 3).await, (30, 100));
}

#[tokio::test]
async fn a_plan_that_is_changed_afterwards_changes_the_report() {
    let mut world = World::open().await;
    plan(
        &mut world,
        1,
        (0, 100),
        vec![segment(0, 100, Activity::Work)],
    );
    rests(&mut world, 1, NotReadyReason::Training, None);
    world.pass(100_000);
    assert_eq!(kept_s(&world, 1).await, (0, 100));
    let training = segment(20, 60, Activity::Training);
    plan(&mut world, 1, (20, 60), vec![training]);
    assert_eq!(kept_s(&world, 1).await, (40, 100));
    plan(&mut world, 1, (0, 20), vec![]);
    assert_eq!(kept_s(&world, 1).await, (40, 80));
    plan(&mut world, 1, (0, 900), vec![]);
    assert_eq!(kept_s(&world, 1).await, (0, 0));
}

#[tokio::test]
async fn a_plan_is_read_as_it_was_set_last_and_cut_off_where_the_question_ends() {
    let mut world = World::open().await;
    plan(
        &mut world,
        1,
        (0, 100),
        vec![segment(0, 100, Activity::Work)],
    );
    plan(
        &mut world,
        1,
        (50, 150),
        vec![segment(90, 150, Activity::Meal)],
    );
    plan(
        &mut world,
        2,
        (0, 10),
        vec![segment(0, 10, Activity::Other)],
    );
    let views = views(&world).await;
    let agents = [agent(1), agent(2), agent(3)];
    let (from, to) = (micro(40_000_000), micro(120_000_000));
    let planned = views.schedule(&agents, from, to).await.unwrap();
    let expected = [
        segment(40, 50, Activity::Work),
        segment(90, 120, Activity::Meal),
    ];
    assert_eq!(planned, BTreeMap::from([(agent(1), expected.to_vec())]));
}

/// A span, and what is planned in it, in microseconds after the start.
type Planned = (u64, i64, i64, Vec<Segment>);

fn plans() -> impl Strategy<Value = Vec<Planned>> {
    let activity = prop_oneof![
        3 => Just(Activity::Work),
        2 => Just(Activity::Break),
        1 => Just(Activity::Other)
    ];
    let part = (0..90_000_000_i64, 1..200_000_000_i64, activity);
    let parts = prop::collection::vec(part, 0..6);
    let one = (1..4_u64, 0..600_000_000_i64, 1..60_000_000_i64, parts);
    let one = one.prop_map(|(number, from, rest, parts)| {
        let (mut at, mut segments) = (from, vec![]);
        for (free, length, activity) in parts {
            let (from, to) = (micro(at + free), micro(at + free + length));
            segments.push(Segment { from, to, activity });
            at += free + length;
        }
        (number, from, at + rest, segments)
    });
    prop::collection::vec(one, 0..8)
}

/// What of the plan was kept from `from` on and before `until`, instant by instant between
/// all at which anything changed: by what the sessions themselves say of their agents.
fn kept(
    world: &World,
    who: AgentId,
    plans: &[Planned],
    (from, until): (Timestamp, Timestamp),
) -> Adherence {
    let plans: Vec<_> = plans.iter().filter(|plan| agent(plan.0) == who).collect();
    let mut instants: Vec<Timestamp> = world.facts.iter().map(|fact| fact.at).collect();
    for (_, start, end, segments) in &plans {
        instants.extend([micro(*start), micro(*end)]);
        instants.extend(segments.iter().flat_map(|it| [it.from, it.to]));
    }
    instants.extend([from, until]);
    instants.retain(|at| (from..=until).contains(at));
    instants.sort_unstable();
    let ms = |at: Timestamp| u64::try_from(at.micros().div_euclid(1_000)).unwrap();
    let mut sum = Adherence::NONE;
    for two in instants.windows(2) {
        let covers = |(_, from, to, _): &&&Planned| micro(*from) <= two[0] && two[0] < micro(*to);
        let last = plans.iter().rfind(covers);
        let planned = last.and_then(|(_, _, _, segments)| {
            let mut segments = segments.iter();
            segments.find(|it| it.from <= two[0] && two[0] < it.to)
        });
        let Some(planned) = planned else { continue };
        sum.scheduled_ms += ms(two[1]) - ms(two[0]);
        if does(world, who, two[0], planned.activity) {
            sum.in_schedule_ms += ms(two[1]) - ms(two[0]);
        }
    }
    sum
}

/// Whether the agent did that then.
fn does(world: &World, who: AgentId, at: Timestamp, planned: Activity) -> bool {
    let mut sessions: BTreeMap<SessionId, Session> = BTreeMap::new();
    for fact in world.facts.iter().filter(|fact| fact.at <= at) {
        if let AnyEvent::Session(id, event) = &fact.event
            && id.agent == who
        {
            let before = sessions.remove(id).unwrap_or_default();
            sessions.insert(*id, Session::evolve(before, fact.at, event));
        }
    }
    let mut sessions = sessions.values();
    let Some(there) = sessions.find(|it| it.routability != Routability::LoggedOut) else {
        return matches!(planned, Activity::Break | Activity::Meal);
    };
    let not_ready = match there.routability {
        Routability::NotReady(reason) if there.is_idle() => Some(reason),
        Routability::NotReady(_) | Routability::Ready | Routability::LoggedOut => None,
    };
    match (planned.reason(), not_ready) {
        (None, Some(_)) => there.code.as_ref().is_some_and(|it| it.is_productive),
        (wanted, reason) => wanted == reason,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn adherence_is_what_the_sessions_say_and_adds_up_however_it_is_split(
        history in actions(),
        plans in plans(),
    ) {
        let mut world = block_on(play(&history));
        for (number, from, to, segments) in &plans {
            let set = Command::Set {
                from: micro(*from),
                to: micro(*to),
                segments: segments.clone(),
            };
            world.tell(AnyCommand::Schedule(agent(*number), set));
        }
        let views = block_on(views(&world));
        let agents = [1, 2, 3].map(agent);
        let until = micro(3_600_000_000);
        let quarters = spans(START, until, Granularity::QuarterHour, Tz::UTC).unwrap();
        let hour = spans(START, until, Granularity::Hour, Tz::UTC).unwrap();
        let whole = block_on(told(&views, &agents, &hour, world.now));
        let parts = block_on(told(&views, &agents, &quarters, world.now));
        for who in agents {
            let of = |rows: &[(AgentId, Span, Adherence)]| {
                let rows = rows.iter().filter(|(agent, _, _)| *agent == who);
                rows.fold((0, 0), |sum, (_, _, it)| {
                    (sum.0 + it.in_schedule_ms, sum.1 + it.scheduled_ms)
                })
            };
            prop_assert_eq!(of(&whole), of(&parts));
            let ends = until.min(world.now);
            let expected = kept(&world, who, &plans, (START, ends));
            prop_assert_eq!(of(&whole), expected.parts());
        }
        for (_, span, it) in whole.iter().chain(&parts) {
            prop_assert!(it.in_schedule_ms <= it.scheduled_ms);
            prop_assert!(it.scheduled_ms <= span.end.ms_since(span.start));
        }
        // What is shown is what the schedule itself has.
        let shown = block_on(views.schedule(&agents, START, until)).unwrap();
        for who in agents {
            let planned = world.planned(who);
            let planned = within(&planned, START, until);
            prop_assert_eq!(shown.get(&who).cloned().unwrap_or_default(), planned);
        }
    }
}
