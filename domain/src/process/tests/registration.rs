//! Phones and logins.

use super::*;
use crate::{
    agent, device,
    id::SessionId,
    process::registration::Registration,
    session::{self, LogoutReason, NotReadyReason},
    testing::{AGENT, OTHER_PHONE, PHONE},
};

const fn login(number: u32) -> SessionId {
    SessionId {
        agent: AGENT,
        number,
    }
}

fn configured(ready_on_register: bool) -> AnyEvent {
    let config = agent::Config {
        display_name: None,
        queues: vec![],
        ready_on_register,
        registration_grace_ms: 10_000,
        capacity: 1,
        skills: vec![],
        places: vec![],
    };
    let name = "alice".into();
    AnyEvent::Agent(AGENT, agent::Event::Created { name, config })
}

fn registered(binding: Uuid) -> AnyEvent {
    AnyEvent::Device(
        AGENT,
        device::Event::Registered {
            agent: AGENT,
            binding,
            transport: "udp".into(),
        },
    )
}

fn expired(binding: Uuid, left: u32) -> AnyEvent {
    AnyEvent::Device(
        AGENT,
        device::Event::Expired {
            binding,
            left_count: left,
        },
    )
}

fn logged_in(number: u32) -> AnyEvent {
    let session = login(number);
    AnyEvent::Session(session, session::Event::LoggedIn { session })
}

fn logged_out(number: u32, reason: LogoutReason) -> AnyEvent {
    AnyEvent::Session(login(number), session::Event::LoggedOut { reason })
}

fn log_in(number: u32) -> AnyCommand {
    let session = login(number);
    let ready = true;
    AnyCommand::Session(session, session::Command::LogIn { session, ready })
}

fn log_out(number: u32) -> AnyCommand {
    let reason = LogoutReason::DeviceLost;
    AnyCommand::Session(login(number), session::Command::LogOut { reason })
}

#[test]
fn the_first_phone_logs_the_agent_in_ready() {
    process::<Registration>()
        .hears([configured(true), registered(PHONE)])
        .asks([log_in(1)]);
}

#[test]
fn an_agent_who_logs_in_by_hand_is_left_alone() {
    process::<Registration>()
        .hears([configured(false), registered(PHONE)])
        .asks_nothing();
}

#[test]
fn a_second_phone_changes_nothing() {
    process::<Registration>()
        .hears([
            configured(true),
            registered(PHONE),
            logged_in(1),
            registered(OTHER_PHONE),
        ])
        .asks_nothing()
        .hears([expired(OTHER_PHONE, 1)])
        .asks_nothing();
}

fn became(event: session::Event) -> AnyEvent {
    AnyEvent::Session(login(1), event)
}

fn not_ready(reason: NotReadyReason) -> AnyEvent {
    became(session::Event::BecameNotReady { reason, code: None })
}

#[test]
fn the_last_phone_that_says_that_it_goes_logs_the_agent_out() {
    let gone = device::Event::Deregistered {
        binding: PHONE,
        left_count: 0,
    };
    process::<Registration>()
        .hears([configured(true), registered(PHONE), logged_in(1)])
        .hears([AnyEvent::Device(AGENT, gone)])
        .asks([log_out(1)])
        .sleeps_until(None);
}

/// The agent is ready, and the phone is gone at 9 s.
fn lost() -> Heard<Registration> {
    process::<Registration>().hears([
        configured(true),
        registered(PHONE),
        logged_in(1),
        became(session::Event::BecameReady {}),
        expired(PHONE, 0),
    ])
}

fn pause() -> AnyCommand {
    AnyCommand::Session(login(1), session::Command::RecordPhoneLost)
}

fn go_ready() -> AnyCommand {
    AnyCommand::Session(login(1), session::Command::RecordPhoneBack)
}

#[test]
fn a_phone_that_comes_back_in_time_was_never_gone() {
    lost()
        .asks_nothing()
        .sleeps_until(Some(second(19)))
        .hears([registered(OTHER_PHONE)])
        .asks_nothing()
        .sleeps_until(None);
}

#[test]
fn whoever_has_lost_the_last_phone_is_not_ready_in_a_while_and_gone_much_later() {
    lost()
        .wakes(second(19))
        .asks([pause()])
        .hears([not_ready(NotReadyReason::Unreachable)])
        .sleeps_until(Some(second(19 + 900)))
        .wakes(second(19 + 900))
        .asks([log_out(1)])
        .sleeps_until(None);
}

#[test]
fn a_phone_that_comes_back_late_makes_the_agent_ready_again() {
    lost()
        .wakes(second(19))
        .hears([not_ready(NotReadyReason::Unreachable), registered(PHONE)])
        .asks([go_ready()])
        .sleeps_until(None);
}

#[test]
fn whoever_is_on_a_break_stays_on_it_whatever_the_phone_does() {
    lost()
        .hears([not_ready(NotReadyReason::Break)])
        .wakes(second(19))
        .asks_nothing()
        .hears([registered(PHONE)])
        .asks_nothing();
}

#[test]
fn what_the_agent_chose_meanwhile_is_not_undone_by_the_phone() {
    lost()
        .wakes(second(19))
        .hears([
            not_ready(NotReadyReason::Unreachable),
            not_ready(NotReadyReason::Meal),
            registered(PHONE),
        ])
        .asks_nothing();
}

#[test]
fn a_phone_that_comes_back_starts_the_next_login() {
    process::<Registration>()
        .hears([
            configured(true),
            registered(PHONE),
            logged_in(1),
            expired(PHONE, 0),
            logged_out(1, LogoutReason::DeviceLost),
            registered(PHONE),
        ])
        .asks([log_in(2)]);
}

#[test]
fn a_phone_that_comes_back_before_the_logout_logs_in_after_it() {
    process::<Registration>()
        .hears([
            configured(true),
            registered(PHONE),
            logged_in(1),
            expired(PHONE, 0),
            registered(PHONE),
        ])
        .asks_nothing()
        .hears([logged_out(1, LogoutReason::DeviceLost)])
        .asks([log_in(2)]);
}

#[test]
fn an_agent_who_logs_out_by_hand_stays_out() {
    process::<Registration>()
        .hears([
            configured(true),
            registered(PHONE),
            logged_in(1),
            logged_out(1, LogoutReason::Agent),
        ])
        .asks_nothing();
}

#[test]
fn a_login_number_that_is_used_up_is_followed_by_the_next() {
    process::<Registration>()
        .hears([configured(true), registered(PHONE)])
        .gets_refused(&log_in(1), "agent.session_ended", 5)
        .asks([log_in(2)])
        .gets_refused(&log_in(2), "agent.already_logged_in", 5)
        .asks_nothing();
}

#[test]
fn a_phone_that_is_gone_before_its_login_is_heard_of_has_a_while_to_come_back() {
    process::<Registration>()
        .hears([configured(true), registered(PHONE)])
        .asks([log_in(1)])
        .hears([expired(PHONE, 0)])
        .asks_nothing()
        .hears([logged_in(1), became(session::Event::BecameReady {})])
        .sleeps_until(Some(second(17)))
        .wakes(second(17))
        .asks([pause()]);
}

#[test]
fn a_phone_that_says_that_it_goes_before_its_login_is_heard_of_logs_out_after_it() {
    let gone = device::Event::Deregistered {
        binding: PHONE,
        left_count: 0,
    };
    process::<Registration>()
        .hears([configured(true), registered(PHONE)])
        .hears([AnyEvent::Device(AGENT, gone)])
        .asks_nothing()
        .hears([logged_in(1)])
        .asks([log_out(1)])
        .sleeps_until(None);
}

#[test]
fn a_login_by_hand_without_a_phone_stays() {
    process::<Registration>()
        .hears([configured(true), logged_in(1)])
        .asks_nothing();
}

#[test]
fn a_phone_lost_by_a_clock_years_ahead_counts_from_when_the_clock_is_set_right() {
    process::<Registration>()
        .hears([
            configured(true),
            registered(PHONE),
            logged_in(1),
            became(session::Event::BecameReady {}),
        ])
        .hears_at(second(315_360_000), expired(PHONE, 0))
        .sweeps(second(300))
        .asks([pause()])
        .sweeps(second(301))
        .asks_nothing()
        .sleeps_until(Some(second(300 + 900)));
}
