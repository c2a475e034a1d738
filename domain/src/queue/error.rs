//! Why a configuration may be refused.

use super::event::{Config, OverflowTo, VISIT_TTL_MS};
use crate::{call::OverflowCause, decider::Refusal};
use std::collections::BTreeSet;

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is one of that name.
    #[error("queue of that name already exists")]
    AlreadyExists,
    /// There is none.
    #[error("queue does not exist")]
    Unknown,
    /// Why it is opened or closed, or a member paused, stays on the record for ever: it is
    /// a word.
    #[error("reason: is not 1 to 64 letters, digits, dots, dashes or underscores")]
    InvalidReason,
    /// Nothing was said that could be taken back.
    #[error("agent is not paused in the queue")]
    NotPaused,
    /// A name is 1 to 64 letters, digits, dots, dashes and underscores.
    #[error("name is not 1 to 64 letters, digits, dots, dashes or underscores")]
    InvalidName,
    /// A phone needs at least a second to ring.
    #[error("ring_timeout_ms is not between 1000 and 600000")]
    InvalidRingTimeout,
    /// No room for anybody.
    #[error("capacity is not between 1 and 100000")]
    InvalidCapacity,
    /// None of a hundred is no target, and there are no more than all.
    #[error("service_level_target_percent is not between 1 and 100")]
    InvalidTarget,
    /// A wrap-up of more than a day is a mistake.
    #[error("wrap_up_ms is over 86400000")]
    InvalidWrapUp,
    /// A number has no characters that a Request-URI can not hold.
    #[error("a number is not 1 to 64 digits, letters or one of + * # . - _")]
    InvalidNumber,
    /// An announcement is named as in the configuration.
    #[error("announcement is not 1 to 64 letters, digits, dots, dashes or underscores")]
    InvalidAnnouncement,
    /// A skill has a name and a level of 1 to 5, and asks for less with time.
    #[error("a skill has no valid name or level, is named twice, or a step does not relax it")]
    InvalidSkill,
    /// Calls that nobody takes must have somewhere to go.
    #[error("attempts_max is set and no overflow for attempts")]
    AttemptsWithoutOverflow,
    /// A pause of more than a day, or after more than a thousand, is a mistake.
    #[error("terms: a pause is over 86400000 ms or after over 1000 offers in a row")]
    InvalidPause,
    /// There is no wrap-up that a code could end.
    #[error("terms: wrap_up_code is set and wrap_up_ms is 0")]
    CodeWithoutWrapUp,
    /// One case has one destination.
    #[error("a case of overflow has two destinations")]
    OverflowTwice,
    /// A time of the day ends after it begins, and there are not too many.
    #[error("hours: a time ends before it begins, has no day, or there are too many")]
    InvalidHours,
    /// Which of them counts would be a guess.
    #[error("hours: two times of one day overlap")]
    OverlappingHours,
    /// One day is different in one way.
    #[error("hours: a holiday is named twice")]
    HolidayTwice,
    /// One key leads to one place.
    #[error("exits: a key is named twice")]
    ExitTwice,
    /// Where a key leads is said beside the key.
    #[error("overflow: exit_key is no case, as exits say where keys lead")]
    ExitKeyOverflow,
    /// Where a person sends a call is said with the order.
    #[error("overflow: supervisor is no case, as a person says where a call goes")]
    SupervisorOverflow,
    /// Where a call goes that would wait too long, and how long that is, are said together.
    #[error("expected_wait_max_ms and an overflow for expected_wait belong together")]
    ExpectedWaitAlone,
    /// A net that catches those who wait as long as they may is none.
    #[error("visit_ttl_ms is under max_wait_ms or 60000, or over 2592000000")]
    InvalidVisitTtl,
    /// A place that is kept for more than a day is a mistake.
    #[error("resume_abandoned_ms is over 86400000")]
    InvalidResumeAbandoned,
    /// Nobody is to be rung for ever, or never.
    #[error("callback: attempts_max, gap_ms or valid_ms is out of bounds")]
    InvalidCallback,
    /// A prompt is over before the next, and there is one for each place.
    #[error("announce_position: sounds, every_ms, first_ms or up_to is out of bounds")]
    InvalidAnnouncePosition,
    /// Nobody hears anything before the answer.
    #[error("announce_position is set and answer_mode is not immediate")]
    PositionUnheard,
    /// Music is chosen by its name in the settings.
    #[error("music: the name is empty, too long, or has characters that no name has")]
    InvalidMusic,
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyExists => "queue.already_exists",
            Self::Unknown => "queue.unknown",
            Self::InvalidReason => "queue.invalid_reason",
            Self::NotPaused => "queue.not_paused",
            Self::InvalidName => "queue.invalid_name",
            Self::InvalidRingTimeout => "queue.invalid_ring_timeout",
            Self::InvalidCapacity => "queue.invalid_capacity",
            Self::InvalidTarget => "queue.invalid_target",
            Self::InvalidWrapUp => "queue.invalid_wrap_up",
            Self::InvalidNumber => "queue.invalid_number",
            Self::InvalidAnnouncement => "queue.invalid_announcement",
            Self::InvalidSkill => "queue.invalid_skill",
            Self::AttemptsWithoutOverflow => "queue.attempts_without_overflow",
            Self::InvalidPause => "queue.invalid_pause",
            Self::CodeWithoutWrapUp => "queue.code_without_wrap_up",
            Self::OverflowTwice => "queue.overflow_twice",
            Self::InvalidHours => "queue.invalid_hours",
            Self::OverlappingHours => "queue.overlapping_hours",
            Self::HolidayTwice => "queue.holiday_twice",
            Self::ExitTwice => "queue.exit_twice",
            Self::ExitKeyOverflow => "queue.exit_key_overflow",
            Self::SupervisorOverflow => "queue.supervisor_overflow",
            Self::ExpectedWaitAlone => "queue.expected_wait_alone",
            Self::InvalidVisitTtl => "queue.invalid_visit_ttl",
            Self::InvalidResumeAbandoned => "queue.invalid_resume_abandoned",
            Self::InvalidCallback => "queue.invalid_callback",
            Self::InvalidAnnouncePosition => "queue.invalid_announce_position",
            Self::PositionUnheard => "queue.position_unheard",
            Self::InvalidMusic => "queue.invalid_music",
        }
    }
}

/// Longest ring there is.
const RING_TIMEOUT_MS_MAX: u64 = 600_000;
/// Largest line there is: it is kept in memory.
const CAPACITY_MAX: u32 = 100_000;
/// One day.
const WRAP_UP_MS_MAX: u64 = 86_400_000;
/// A minute, and 30 days.
const VISIT_TTL_MS_MIN: u64 = 60_000;
const VISIT_TTL_MS_MAX: u64 = 2_592_000_000;
/// One day.
const RESUME_MS_MAX: u64 = 86_400_000;

pub(super) fn check(name: &str, config: &Config) -> Result<(), Error> {
    if !crate::name::is_valid(name) {
        return Err(Error::InvalidName);
    }
    if !(1_000..=RING_TIMEOUT_MS_MAX).contains(&config.ring_timeout_ms) {
        return Err(Error::InvalidRingTimeout);
    }
    if !(1..=CAPACITY_MAX).contains(&config.capacity) {
        return Err(Error::InvalidCapacity);
    }
    if !(1..=100).contains(&config.service_level_target_percent) {
        return Err(Error::InvalidTarget);
    }
    if config.wrap_up_ms > WRAP_UP_MS_MAX {
        return Err(Error::InvalidWrapUp);
    }
    if !numbers(config).all(|number| crate::name::is_number(number)) {
        return Err(Error::InvalidNumber);
    }
    if !config.announcements().all(crate::name::is_valid) {
        return Err(Error::InvalidAnnouncement);
    }
    let cases: BTreeSet<OverflowCause> = config.overflow.iter().map(|rule| rule.when).collect();
    if cases.len() != config.overflow.len() {
        return Err(Error::OverflowTwice);
    }
    if cases.contains(&OverflowCause::ExitKey) {
        return Err(Error::ExitKeyOverflow);
    }
    if cases.contains(&OverflowCause::Supervisor) {
        return Err(Error::SupervisorOverflow);
    }
    super::matching::check(&config.matching)?;
    super::terms::check(&config.terms, config.wrap_up_ms)?;
    super::exit::check(&config.exits)?;
    super::announce::check(config)?;
    super::music::check(config)?;
    if config.resume_abandoned_ms > RESUME_MS_MAX {
        return Err(Error::InvalidResumeAbandoned);
    }
    let callback = &config.callback;
    if !(1..=100).contains(&callback.attempts_max)
        || !(1_000..=86_400_000).contains(&callback.gap_ms)
        || !(60_000..=2_592_000_000).contains(&callback.valid_ms)
    {
        return Err(Error::InvalidCallback);
    }
    if let Some(hours) = &config.hours {
        super::hours::check(hours)?;
    }
    if (config.expected_wait_max_ms > 0) != cases.contains(&OverflowCause::ExpectedWait) {
        return Err(Error::ExpectedWaitAlone);
    }
    // What nobody chose gives way to the longest wait, see `Config::ttl_ms`.
    let is_chosen = config.visit_ttl_ms > 0 && config.visit_ttl_ms != VISIT_TTL_MS;
    let least = config.max_wait_ms.max(VISIT_TTL_MS_MIN);
    if is_chosen && !(least..=VISIT_TTL_MS_MAX).contains(&config.visit_ttl_ms) {
        return Err(Error::InvalidVisitTtl);
    }
    if config.matching.attempts_max > 0 && !cases.contains(&OverflowCause::Attempts) {
        return Err(Error::AttemptsWithoutOverflow);
    }
    Ok(())
}

/// All numbers that lead to the queue, or to which it leads.
fn numbers(config: &Config) -> impl Iterator<Item = &String> {
    let forwards = config.ways_out().filter_map(|to| match to {
        OverflowTo::Number(number) => Some(number),
        OverflowTo::Queue(_)
        | OverflowTo::Callback
        | OverflowTo::Announcement(_)
        | OverflowTo::Mailbox(_) => None,
    });
    config.numbers.iter().chain(forwards)
}
