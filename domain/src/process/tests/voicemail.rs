//! Callers whom nobody serves leave a message, in a mailbox that has room for it.

use super::{
    enqueue::{created_with, end_call, enqueued, opened, overflows, rejected},
    *,
};
use crate::{
    call::{self, AnswerMode, Audio, Destination, OverflowCause, Voicemail, VoicemailOutcome},
    cause::{By, Disposition, EndCause, EndReason, EndResult},
    id::{MailboxId, VoicemailId},
    line::VisitResult,
    mailbox::{self, Command, Event, Left, LostReason},
    process::{enqueue::Enqueue, voicemail::VoicemailProcess},
    queue,
    testing::{CALL, CALLER_LEG, OTHER_CALL, QUEUE, SUBJECT, VISIT, caller},
};

const BOX: MailboxId = MailboxId(Uuid::from_u128(71));
const MESSAGE: VoicemailId = VoicemailId(Uuid::from_u128(72));
const LONGEST_MS: u64 = 60_000;

fn to_box(command: Command) -> AnyCommand {
    AnyCommand::Mailbox(BOX, command)
}

fn expected() -> AnyEvent {
    let event = Event::Expected {
        message: MESSAGE,
        call: CALL,
        visit: VISIT,
        cause: OverflowCause::Full,
        greeting: Some("nobody-there".into()),
        longest_ms: LONGEST_MS,
    };
    AnyEvent::Mailbox(BOX, event)
}

fn sent_there() -> AnyCommand {
    let command = call::Command::OverflowCall {
        visit: VISIT,
        cause: OverflowCause::Full,
        to: Destination::Voicemail(Voicemail {
            mailbox: BOX,
            message: MESSAGE,
            greeting: Some("nobody-there".into()),
            longest_ms: LONGEST_MS,
        }),
    };
    AnyCommand::Call(CALL, command)
}

fn began() -> AnyEvent {
    let event = call::Event::VoicemailStarted {
        leg: CALLER_LEG,
        mailbox: BOX,
        message: MESSAGE,
        subject: SUBJECT,
        greeting: None,
        longest_ms: LONGEST_MS,
        until: second(900),
    };
    AnyEvent::Call(CALL, event)
}

fn audio() -> Audio {
    Audio {
        size_bytes: 16_058,
        sha256: "cd".repeat(32),
    }
}

fn came_of_it(outcome: VoicemailOutcome) -> AnyEvent {
    let is_left = outcome == VoicemailOutcome::Left;
    let event = call::Event::VoicemailEnded {
        mailbox: BOX,
        message: MESSAGE,
        outcome,
        length_ms: 2_000,
        audio: is_left.then(audio),
        party: is_left.then(caller),
    };
    AnyEvent::Call(CALL, event)
}

fn ended(call: crate::id::CallId, reason: EndReason) -> AnyEvent {
    let event = call::Event::Ended {
        cause: EndCause {
            result: EndResult::Ours,
            reason,
            by: By::System,
            sip_status: None,
            q850: None,
            reason_header: None,
        },
        disposition: Disposition::SystemError,
        ended_at: second(50),
        incomplete: true,
        session: None,
        offer: None,
        visit: None,
        queue: None,
    };
    AnyEvent::Call(call, event)
}

fn release(reason: LostReason) -> AnyCommand {
    to_box(Command::ReleaseRoom {
        message: MESSAGE,
        reason,
    })
}

fn open() -> Heard<VoicemailProcess> {
    process::<VoicemailProcess>().hears([expected(), began()])
}

#[test]
fn a_call_is_sent_to_the_mailbox_that_has_kept_room() {
    let process = process::<VoicemailProcess>().hears([expected()]);
    assert_eq!(process.asked, [sent_there()]);
}

#[test]
fn what_was_said_goes_into_the_mailbox() {
    let left = Left {
        call: CALL,
        party: Some(caller()),
        length_ms: 2_000,
        audio: audio(),
    };
    let process = open().hears([came_of_it(VoicemailOutcome::Left)]);
    let leave = Command::LeaveMessage {
        message: MESSAGE,
        left,
    };
    assert_eq!(process.asked, [to_box(leave)]);
    let process = open().hears([came_of_it(VoicemailOutcome::TooShort)]);
    assert_eq!(process.asked, [release(LostReason::TooShort)]);
    let process = open().hears([came_of_it(VoicemailOutcome::Lost)]);
    assert_eq!(process.asked, [release(LostReason::Lost)]);
}

#[test]
fn a_call_that_went_elsewhere_gives_its_room_back() {
    let code = "call.already_connected";
    let process = process::<VoicemailProcess>()
        .hears([expected()])
        .gets_refused(&sent_there(), code, 1);
    assert_eq!(process.asked, [release(LostReason::NotTaken)]);
}

#[test]
fn a_node_that_is_lost_has_lost_what_was_said() {
    let process = open().hears([ended(CALL, EndReason::NodeLost)]);
    assert_eq!(process.asked, [release(LostReason::Lost)]);
    // What a caller said who hung up is still to come.
    let process = open().hears([ended(CALL, EndReason::Hangup)]);
    assert_eq!(process.asked, []);
    let process = open().hears([ended(OTHER_CALL, EndReason::NodeLost)]);
    assert_eq!(process.asked, []);
}

#[test]
fn room_of_which_nobody_tells_is_given_back_in_the_end() {
    let process = open();
    let due = VoicemailProcess::next_deadline(&process.state).expect("something is due");
    assert_eq!(due, second(1).plus_ms(120_000 + LONGEST_MS + 600_000));
    let process = process.wakes(due);
    assert_eq!(process.asked, [release(LostReason::Lost)]);
    assert_eq!(VoicemailProcess::next_deadline(&process.state), None);
}

/// A key leads to one mailbox, and the longest wait to another, at the same time.
#[test]
fn of_two_mailboxes_that_have_room_the_call_goes_to_one_and_the_other_gives_it_back() {
    const OTHER_BOX: MailboxId = MailboxId(Uuid::from_u128(81));
    const OTHER_MESSAGE: VoicemailId = VoicemailId(Uuid::from_u128(82));
    let other = Event::Expected {
        message: OTHER_MESSAGE,
        call: CALL,
        visit: VISIT,
        cause: OverflowCause::MaxWait,
        greeting: None,
        longest_ms: LONGEST_MS,
    };
    let give_back = |reason| {
        let message = OTHER_MESSAGE;
        AnyCommand::Mailbox(OTHER_BOX, Command::ReleaseRoom { message, reason })
    };
    let both = || {
        let expected = [expected(), AnyEvent::Mailbox(OTHER_BOX, other.clone())];
        process::<VoicemailProcess>().hears(expected)
    };
    let sent = both().asked[0].clone();
    let process = both().gets_refused(&sent, "call.stale_visit", 1);
    assert_eq!(process.asked, [give_back(LostReason::NotTaken)]);
    // A node that is lost has lost both; and what nobody tells of is over once.
    let process = both().hears([ended(CALL, EndReason::NodeLost)]);
    let all = [release(LostReason::Lost), give_back(LostReason::Lost)];
    assert_eq!(process.asked, all);
    let process = both().wakes(second(10_000));
    assert_eq!(process.asked, all);
    assert_eq!(VoicemailProcess::next_deadline(&process.state), None);
}

/// It is asked for by a key, and again when the longest wait is over.
#[test]
fn a_stay_keeps_one_place_in_a_mailbox() {
    let rules = overflows(OverflowCause::Full, queue::OverflowTo::Mailbox(BOX));
    let message = |at| {
        let rules = created_with(AnswerMode::OnAgent, 0, rules.clone());
        let process = process::<Enqueue>().hears([rules, enqueued()]);
        let asked = process.hears_at(at, rejected()).asked;
        let mut messages = asked.iter().filter_map(|asked| {
            if let AnyCommand::Mailbox(BOX, Command::ExpectMessage { message, .. }) = asked {
                Some(*message)
            } else {
                None
            }
        });
        messages.next().expect("it asks for room")
    };
    assert_eq!(message(second(20)), message(second(40)));
}

#[test]
fn a_message_that_is_there_is_waited_for_no_more() {
    let left = AnyEvent::Mailbox(
        BOX,
        mailbox::Event::Left {
            message: MESSAGE,
            call: CALL,
            party: None,
            length_ms: 2_000,
            audio: audio(),
        },
    );
    let process = open().hears([left]);
    assert_eq!(VoicemailProcess::next_deadline(&process.state), None);
}

#[test]
fn a_mailbox_is_asked_for_room_and_a_full_one_is_as_none() {
    let mailbox = BOX;
    let rules = overflows(OverflowCause::Full, queue::OverflowTo::Mailbox(mailbox));
    let asks = || {
        process::<Enqueue>().hears([
            created_with(AnswerMode::OnAgent, 0, rules.clone()),
            enqueued(),
            rejected(),
        ])
    };
    let asked = asks().asked[0].clone();
    assert!(
        matches!(
            &asked,
            AnyCommand::Mailbox(to, Command::ExpectMessage { call, visit, cause, .. })
                if (*to, *call, *visit, *cause) == (mailbox, CALL, VISIT, OverflowCause::Full)
        ),
        "{asked:?}"
    );
    for code in ["mailbox.full", "mailbox.unknown"] {
        let process = asks().gets_refused(&asked, code, 4);
        assert_eq!(process.asked, [end_call(EndReason::QueueFull)], "{code}");
    }
    let left = call::Event::Overflowed {
        mailbox: Some(mailbox),
        visit: VISIT,
        queue: QUEUE,
        cause: OverflowCause::MaxWait,
        by: None,
        why: None,
    };
    let waiting = [enqueued(), opened(AnswerMode::OnAgent, 0)];
    let process = process::<Enqueue>().hears(waiting);
    let process = process.hears_at(second(40), AnyEvent::Call(CALL, left));
    let result = VisitResult::Voicemail;
    let closed_at = second(40);
    let visit = VISIT;
    let close = line::Command::CloseVisit {
        visit,
        result,
        closed_at,
    };
    assert_eq!(process.asked, [AnyCommand::Line(QUEUE, close)]);
}

#[test]
fn room_that_a_clock_years_ahead_kept_is_given_back_when_the_clock_is_set_right() {
    let lost = Command::ReleaseRoom {
        message: MESSAGE,
        reason: LostReason::Lost,
    };
    process::<VoicemailProcess>()
        .hears_at(second(315_360_000), expected())
        .sweeps(second(315_360_001))
        .asks_nothing()
        .sweeps(second(300))
        .asks([to_box(lost)])
        .sleeps_until(None);
}
