//! One example of every event, with every optional field there.

use super::{mailboxes, orders, schedules, supervisions, trunks};
use ringledger_domain::{
    agent,
    any::AnyEvent,
    call::{self, AnswerMode, OverflowCause, Target},
    callback,
    cause::{By, Disposition, EndCause, EndReason, EndResult, OfferOutcome, WireCause},
    device,
    id::{
        AgentId, CallId, CallbackId, LegId, MailboxId, OfferId, QueueId, RefusalsId, SessionId,
        SubjectId, TrunkId, VisitId, VoicemailId,
    },
    line::{self, RejectReason, ReturnCause, VisitPolicy, VisitResult},
    person, queue, refusals,
    sealed::{Party, Sealed},
    session::{self, LogoutReason, NextState, NotReadyReason, ReleaseReason, WrapUpEndedBy},
    time::Timestamp,
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// When every example happened.
pub(crate) const AT: Timestamp = Timestamp::from_micros(1_800_000_000_123_456);

pub(crate) const fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0000 + number)
}

pub(crate) const CALL: CallId = CallId(uuid(1));
const CALLER_LEG: LegId = LegId(uuid(2));
pub(crate) const AGENT_LEG: LegId = LegId(uuid(3));
pub(crate) const AGENT: AgentId = AgentId(uuid(4));
pub(crate) const QUEUE: QueueId = QueueId(uuid(5));
pub(crate) const VISIT: VisitId = VisitId(uuid(6));
pub(crate) const OFFER: OfferId = OfferId(uuid(7));
pub(crate) const TRUNK: TrunkId = TrunkId(uuid(8));
const CALLBACK: CallbackId = CallbackId(uuid(13));
const SUBJECT: SubjectId = SubjectId(uuid(9));
const MAILBOX: MailboxId = MailboxId(uuid(14));
pub(crate) const MESSAGE: VoicemailId = VoicemailId(uuid(15));
const REFUSALS: RefusalsId = RefusalsId(uuid(16));
const BINDING: Uuid = uuid(10);
const OUTSIDE_LEG: LegId = LegId(uuid(12));
pub(crate) const SESSION: SessionId = SessionId {
    agent: AGENT,
    number: 2,
};
pub(crate) const UNTIL: Timestamp = AT.plus_ms(20_000);

/// Every event of every aggregate.
pub(crate) fn all() -> Vec<AnyEvent> {
    let mut all = vec![];
    all.extend(calls().map(|event| AnyEvent::Call(CALL, event)));
    all.extend(supervisions::all().map(|event| AnyEvent::Call(CALL, event)));
    all.extend(orders::all().map(|event| AnyEvent::Call(CALL, event)));
    all.extend(sessions().map(|event| AnyEvent::Session(SESSION, event)));
    all.extend(lines().map(|event| AnyEvent::Line(QUEUE, event)));
    all.extend(queues().map(|event| AnyEvent::Queue(QUEUE, event)));
    all.extend(persons().map(|event| AnyEvent::Person(SUBJECT, event)));
    all.push(AnyEvent::Refusals(REFUSALS, refused()));
    all.push(AnyEvent::Schedule(AGENT, schedules::planned()));
    all.extend(agents().map(|event| AnyEvent::Agent(AGENT, event)));
    all.extend(devices().map(|event| AnyEvent::Device(AGENT, event)));
    all.extend(trunks::all().map(|event| AnyEvent::Trunk(TRUNK, event)));
    all.extend(callbacks().map(|event| AnyEvent::Callback(CALLBACK, event)));
    all.extend(mailboxes::all().map(|event| AnyEvent::Mailbox(MAILBOX, event)));
    all
}

pub(crate) fn sealed() -> Sealed<Party> {
    Sealed::new(SUBJECT, "bm9uY2UgYW5kIGNpcGhlcnRleHQ=".into())
}

pub(crate) fn wire() -> WireCause {
    WireCause {
        sip_status: Some(486),
        reason_header: Some("Q.850;cause=17;text=\"busy\"".into()),
        warning: None,
    }
}

fn calls() -> impl Iterator<Item = call::Event> {
    calls_in_queue()
        .into_iter()
        .chain(calls_going_out())
        .chain(calls_with_agent())
}

fn calls_in_queue() -> Vec<call::Event> {
    vec![
        call::Event::Received {
            withheld: false,
            leg: CALLER_LEG,
            from: sealed(),
            to: "sales".into(),
            trunk: Some(TRUNK),
            sip_call_id: "a84b4c76e66710@192.0.2.1".into(),
            user_agent: None,
        },
        call::Event::Diverted {
            diverter: sealed(),
            reason: call::DiversionReason::NoAnswer,
        },
        call::Event::Routed {
            queue: QUEUE,
            config_version: 3,
        },
        call::Event::Enqueued {
            visit: VISIT,
            queue: QUEUE,
            config_version: 3,
            answer_mode: AnswerMode::OnAgent,
            exit_keys: vec![],
            music: None,
        },
        call::Event::Answered {},
        call::Event::OfferStarted {
            offer: OFFER,
            visit: VISIT,
            session: SESSION,
            leg: AGENT_LEG,
            until: UNTIL,
        },
        call::Event::LegAlerting {
            leg: AGENT_LEG,
            offer: OFFER,
            session: SESSION,
        },
        call::Event::OfferEnded {
            offer: OFFER,
            visit: VISIT,
            session: SESSION,
            leg: AGENT_LEG,
            outcome: OfferOutcome::Busy,
            wire: wire(),
        },
    ]
}

fn calls_going_out() -> Vec<call::Event> {
    vec![
        call::Event::ExitKeyPressed {
            visit: VISIT,
            queue: QUEUE,
            key: call::Key::of_event(10).expect("the star"),
        },
        call::Event::Overflowed {
            mailbox: None,
            visit: VISIT,
            queue: QUEUE,
            cause: OverflowCause::MaxWait,
            by: None,
            why: None,
        },
        call::Event::Forwarded {
            number: "+4930999".into(),
        },
        call::Event::AnnouncementStarted {
            leg: CALLER_LEG,
            announcement: "closed".into(),
            until: UNTIL,
        },
        call::Event::PlaceTold {
            leg: CALLER_LEG,
            visit: VISIT,
            queue: QUEUE,
            sounds: "english".into(),
            place: 3,
            is_behind: false,
        },
        call::Event::VoicemailStarted {
            leg: CALLER_LEG,
            mailbox: MAILBOX,
            message: MESSAGE,
            subject: SUBJECT,
            greeting: Some("nobody-there".into()),
            longest_ms: 180_000,
            until: UNTIL,
        },
        call::Event::VoicemailEnded {
            mailbox: MAILBOX,
            message: MESSAGE,
            outcome: call::VoicemailOutcome::Left,
            length_ms: 12_340,
            audio: Some(mailboxes::audio()),
            party: Some(sealed()),
        },
        call::Event::LegDialled {
            leg: OUTSIDE_LEG,
            target: Target::Number("+4930999".into()),
            until: UNTIL,
        },
        call::Event::TrunkSelected {
            leg: OUTSIDE_LEG,
            trunk: TRUNK,
            party: sealed(),
            after: Some(wire()),
            after_at: None,
        },
        call::Event::LegProgressed {
            leg: OUTSIDE_LEG,
            early_media: true,
        },
        call::Event::LegAnswered {
            leg: OUTSIDE_LEG,
            codec: None,
        },
    ]
}

fn calls_with_agent() -> Vec<call::Event> {
    vec![
        call::Event::AgentConnected {
            codec: None,
            device: None,
            offer: OFFER,
            visit: VISIT,
            session: SESSION,
            leg: AGENT_LEG,
        },
        call::Event::Held { leg: AGENT_LEG },
        call::Event::Retrieved { leg: AGENT_LEG },
        call::Event::Ended {
            cause: EndCause {
                result: EndResult::Indeterminate,
                reason: EndReason::SignallingLost,
                by: By::Caller,
                sip_status: Some(480),
                q850: Some(102),
                reason_header: Some("SIP;cause=408".into()),
            },
            disposition: Disposition::Abandoned,
            ended_at: AT,
            incomplete: true,
            session: Some(SESSION),
            offer: Some(OFFER),
            visit: Some(VISIT),
            queue: Some(QUEUE),
        },
        call::Event::Placed {
            leg: CALLER_LEG,
            party: sealed(),
            callback: CALLBACK,
            place: AT,
            wanted: None,
        },
        call::Event::CallbackRequested {
            callback: CALLBACK,
            visit: VISIT,
            queue: QUEUE,
            cause: OverflowCause::ExitKey,
            party: sealed(),
        },
        call::Event::MediaMeasured {
            legs: vec![call::LegMedia {
                leg: CALLER_LEG,
                received_count: 1_500,
                lost_count: 3,
                sent_count: 1_498,
                jitter_us: 2_125,
                jitter_max_us: 9_750,
                rtt_us: Some(41_000),
                far_lost_count: Some(1),
                codec: None,
            }],
        },
        call::Event::Tagged {
            added: BTreeSet::from(["complaint".into(), "vip".into()]),
            removed: BTreeSet::from(["sales".into()]),
            user_field: Some(call::UserField::Written { party: sealed() }),
            by: "token:carla".into(),
        },
        call::Event::LateFact {
            leg: AGENT_LEG,
            fact: "record_bye".into(),
        },
    ]
}

fn sessions() -> impl Iterator<Item = session::Event> {
    [
        session::Event::LoggedIn { session: SESSION },
        session::Event::LoggedOut {
            reason: LogoutReason::DeviceLost,
        },
        session::Event::BecameReady {},
        session::Event::BecameNotReady {
            reason: NotReadyReason::AdminWork,
            code: None,
        },
        session::Event::NextStateRequested {
            next: NextState::NotReady(NotReadyReason::Break),
            code: None,
        },
        session::Event::Reserved {
            offer: OFFER,
            call: CALL,
            visit: VISIT,
            queue: QUEUE,
            until: UNTIL,
            wrap_up_ms: 30_000,
            choice: None,
            terms: queue::Terms::STANDARD,
            capacity: 1,
            still: None,
        },
        session::Event::ReservationReleased {
            offer: OFFER,
            reason: ReleaseReason::Busy,
            not_before: Some(UNTIL),
            still: None,
        },
        session::Event::ConnectedToContact {
            offer: OFFER,
            call: CALL,
            queue: QUEUE,
        },
        session::Event::ContactEnded {
            call: CALL,
            still: None,
        },
        session::Event::WrapUpStarted {
            call: CALL,
            until: UNTIL,
            code_required: false,
            still: None,
        },
        session::Event::WrapUpEnded {
            call: CALL,
            by: WrapUpEndedBy::Timer,
            code: None,
            note: None,
            still: None,
        },
        session::Event::WrapUpExtended {
            call: CALL,
            until: UNTIL,
        },
        session::Event::Forced {
            next: NextState::NotReady(NotReadyReason::Supervisor),
            by: "carla".into(),
            why: "rush".into(),
        },
    ]
    .into_iter()
}

fn lines() -> impl Iterator<Item = line::Event> {
    [
        line::Event::Opened {
            visit: VISIT,
            call: CALL,
            enqueued_at: AT,
            joined_at: None,
            priority: None,
            previous: None,
            position: 4,
            policy: VisitPolicy {
                config_version: 3,
                answer_mode: AnswerMode::Immediate,
                ring_timeout_ms: 20_000,
                wrap_up_ms: 30_000,
                max_wait_ms: 600_000,
                measure: None,
            },
        },
        line::Event::Rejected {
            visit: VISIT,
            call: CALL,
            reason: RejectReason::Full,
        },
        line::Event::Matched {
            visit: VISIT,
            call: CALL,
            offer: OFFER,
            session: SESSION,
        },
        line::Event::Returned {
            visit: VISIT,
            call: CALL,
            offer: OFFER,
            session: SESSION,
            cause: ReturnCause::NoAnswer,
            attempt: 2,
            still_ringing: false,
        },
        line::Event::PriorityChanged {
            visit: VISIT,
            call: CALL,
            priority: 10,
        },
        line::Event::Assigned {
            visit: VISIT,
            call: CALL,
            agent: AGENT,
            until: AT,
            by: "token:wallboard".into(),
        },
        line::Event::Closed {
            visit: VISIT,
            call: CALL,
            result: VisitResult::Answered,
            closed_at: AT,
            wait_ms: 17_250,
            measure: None,
        },
    ]
    .into_iter()
}

fn queues() -> impl Iterator<Item = queue::Event> {
    let config = queue::Config {
        strategy: queue::Strategy::LongestIdle,
        ring_timeout_ms: 20_000,
        wrap_up_ms: 30_000,
        answer_mode: AnswerMode::Immediate,
        max_wait_ms: 600_000,
        capacity: 100,
        service_level_threshold_ms: 20_000,
        service_level_target_percent: 80,
        short_abandon_ms: 5_000,
        expected_wait_max_ms: 0,
        visit_ttl_ms: queue::VISIT_TTL_MS,
        time_zone: None,
        numbers: vec!["+4930123".into(), "100".into()],
        overflow: vec![],
        matching: queue::Matching::default(),
        terms: queue::Terms::STANDARD,
        hours: None,
        exits: vec![],
        empty: queue::Empty::default(),
        resume_abandoned_ms: 0,
        callback: callback::Terms::STANDARD,
        announce_position: None,
        music: None,
    };
    [
        queue::Event::Created {
            name: "sales".into(),
            config: config.clone(),
            config_version: None,
        },
        queue::Event::Configured {
            config_version: 2,
            config,
        },
        queue::Event::Opened {
            by: "token:administrator".into(),
            why: "storm".into(),
        },
        queue::Event::Closed {
            by: "token:administrator".into(),
            why: "fire_drill".into(),
        },
        queue::Event::HoursFollowed {
            by: "token:administrator".into(),
            why: "drill_over".into(),
        },
        queue::Event::MemberPaused {
            agent: AGENT,
            by: "carla".into(),
            why: "training".into(),
        },
        queue::Event::MemberUnpaused {
            agent: AGENT,
            by: "carla".into(),
            why: "over".into(),
        },
        queue::Event::Deleted {
            by: "carla".into(),
            why: "merged".into(),
        },
    ]
    .into_iter()
}

fn persons() -> impl Iterator<Item = person::Event> {
    [person::Event::Erased {
        keys_through: 2,
        reason: person::Reason::ConsentWithdrawn,
    }]
    .into_iter()
}

fn agents() -> impl Iterator<Item = agent::Event> {
    let config = agent::Config {
        display_name: Some(sealed()),
        queues: vec![QUEUE],
        ready_on_register: true,
        registration_grace_ms: agent::REGISTRATION_GRACE_MS,
        capacity: 1,
        skills: vec![],
        places: vec![],
    };
    [
        agent::Event::Created {
            name: "alice".into(),
            config: config.clone(),
        },
        agent::Event::Configured {
            config_version: 2,
            config,
        },
    ]
    .into_iter()
}

fn devices() -> impl Iterator<Item = device::Event> {
    [
        device::Event::Registered {
            agent: AGENT,
            binding: BINDING,
            transport: "tls".into(),
        },
        device::Event::Deregistered {
            binding: BINDING,
            left_count: 1,
        },
        device::Event::Expired {
            binding: BINDING,
            left_count: 0,
        },
    ]
    .into_iter()
}

fn refused() -> refusals::Event {
    refusals::Event::Summed {
        reason: EndReason::Overload,
        calls_count: 12_345,
        since: AT,
    }
}

fn callbacks() -> impl Iterator<Item = callback::Event> {
    let request = callback::Request {
        queue: QUEUE,
        party: sealed(),
        place: AT,
        call: Some(CALL),
        terms: callback::Terms::STANDARD,
        not_before: Some(UNTIL),
        wanted: None,
    };
    [
        callback::Event::Requested {
            request,
            expires_at: UNTIL,
        },
        callback::Event::Rescheduled {
            not_before: UNTIL,
            expires_at: UNTIL,
            by: "token:desk".into(),
        },
        callback::Event::AttemptStarted {
            attempt: 1,
            call: CALL,
            visit: VISIT,
            leg: OUTSIDE_LEG,
        },
        callback::Event::AttemptFailed {
            attempt: 1,
            call: CALL,
            reason: EndReason::OutsideBusy,
            is_counted: true,
            not_before: UNTIL,
        },
        callback::Event::Connected {
            attempt: 2,
            call: CALL,
        },
        callback::Event::Exhausted {},
        callback::Event::GivenUp {
            reason: EndReason::NoPrice,
        },
        callback::Event::Expired {},
        callback::Event::Cancelled {
            by: "token:desk".into(),
        },
    ]
    .into_iter()
}
