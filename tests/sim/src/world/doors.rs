//! Who gets into a queue and how people leave it: hours, exit keys, what is done
//! where nobody is there, who is rung back, and for how long a place is kept. Half of the queues
//! have some of it.

use crate::chance::Chance;
use domain::{
    calendar::Zone,
    call::{Key, OverflowCause},
    callback::Terms,
    id::{DEFAULT_TENANT, MailboxId, QueueId},
    queue::{
        Away, ClockTime, Config, Empty, Exit, Holiday, Hours, Overflow, OverflowTo, Span, WeekSpan,
        Weekday,
    },
    time::Timestamp,
};

const WEEK: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

const AWAY: [Away; 8] = [
    Away::NotReady,
    Away::Unreachable,
    Away::Ringing,
    Away::OnContact,
    Away::WrapUp,
    Away::LaterTier,
    Away::Penalty,
    Away::Paused,
];

/// A world is short: its queues open every quarter of an hour.
const QUARTERS: u16 = 96;

/// The queue with what is drawn for it; it leads to those behind it only, so that
/// no call comes back.
pub(super) fn with_doors(
    draw: &mut Chance,
    behind: &[QueueId],
    start: Timestamp,
    config: Config,
) -> Config {
    if draw.percent(50) {
        return config;
    }
    let hours = draw.percent(30).then(|| Box::new(hours(draw, start)));
    let mut exits = vec![];
    for (key, next) in ["1", "#"].into_iter().zip(behind) {
        if let (Ok(key), true) = (key.parse::<Key>(), draw.percent(60)) {
            let to = OverflowTo::Queue(*next);
            exits.push(Exit { key, to });
        }
    }
    let join = draw.percent(40).then(|| away(draw));
    let leave = draw.percent(50).then(|| away(draw));
    Config {
        hours,
        exits,
        empty: Empty { join, leave },
        resume_abandoned_ms: draw.below(2) * draw.between(10_000, 60_000),
        ..config
    }
}

/// The queue with its way of ringing back; two of three let callers ask for it, by a
/// key, or where it is full, closed or too slow.
pub(super) fn with_callbacks(draw: &mut Chance, mut config: Config) -> Config {
    config.callback = Terms {
        attempts_max: draw.between(1, 4) as u32,
        gap_ms: draw.between(1_000, 15_000),
        valid_ms: draw.between(60_000, 150_000),
    };
    if draw.percent(33) {
        return config;
    }
    if let Ok(key) = "*".parse::<Key>() {
        let to = OverflowTo::Callback;
        config.exits.push(Exit { key, to });
    }
    let cases = [
        OverflowCause::Full,
        OverflowCause::MaxWait,
        OverflowCause::Unstaffed,
        OverflowCause::Closed,
    ];
    for when in cases {
        let is_free = config.overflow.iter().all(|rule| rule.when != when);
        if is_free && draw.percent(25) {
            let to = OverflowTo::Callback;
            config.overflow.push(Overflow { when, to });
        }
    }
    config
}

/// The queue with its nets: some let nobody come who would wait for long, and some let no
/// stay become old, that of a caller nor that of somebody who is rung back.
pub(super) fn with_nets(draw: &mut Chance, behind: &[QueueId], mut config: Config) -> Config {
    if let (Some(next), true) = (behind.first(), draw.percent(40)) {
        config.expected_wait_max_ms = draw.between(5_000, 60_000);
        let (when, to) = (OverflowCause::ExpectedWait, OverflowTo::Queue(*next));
        config.overflow.push(Overflow { when, to });
    }
    if draw.percent(50) {
        let least = config.max_wait_ms.max(60_000);
        config.visit_ttl_ms = least + draw.between(0, 30_000);
    }
    config
}

/// The mailbox of the world.
pub(crate) fn mailbox() -> MailboxId {
    MailboxId::named(DEFAULT_TENANT, "mailbox")
}

/// The queue with a mailbox for those whom it does not serve, in some of the cases that
/// lead nowhere yet.
pub(super) fn with_mailbox(draw: &mut Chance, mut config: Config) -> Config {
    let cases = [
        OverflowCause::Full,
        OverflowCause::MaxWait,
        OverflowCause::Unstaffed,
        OverflowCause::Closed,
    ];
    for when in cases {
        let is_free = config.overflow.iter().all(|rule| rule.when != when);
        if is_free && draw.percent(30) {
            let to = OverflowTo::Mailbox(mailbox());
            config.overflow.push(Overflow { when, to });
        }
    }
    config
}

fn away(draw: &mut Chance) -> Vec<Away> {
    let mut away = AWAY.to_vec();
    away.retain(|_| draw.percent(25));
    away
}

/// Every quarter of an hour for some minutes, by the clocks of UTC or of Berlin; now and
/// then the day is a holiday, on which the queue opens at other minutes, or not at all.
fn hours(draw: &mut Chance, start: Timestamp) -> Hours {
    let open_min = draw.between(3, 13) as u16;
    let clock = |minutes: u16| -> Option<ClockTime> {
        let text = format!("{:02}:{:02}", minutes / 60, minutes % 60);
        text.parse().ok()
    };
    let spans = |first: u16, length: u16| {
        let quarters = (0..QUARTERS).map(move |quarter| quarter * 15 + first);
        quarters.filter_map(move |from| {
            let (from, to) = (clock(from)?, clock(from + length)?);
            Some(Span { from, to })
        })
    };
    let week = spans(0, open_min).map(|Span { from, to }| WeekSpan {
        days: WEEK.to_vec(),
        from,
        to,
    });
    let zone = match draw.percent(50) {
        true => "Europe/Berlin".parse().unwrap_or(Zone::UTC),
        false => Zone::UTC,
    };
    let holiday = draw.percent(30).then(|| Holiday {
        date: zone.date_of(start),
        open: match draw.percent(70) {
            true => spans(15 - open_min, open_min).collect(),
            false => vec![],
        },
    });
    Hours {
        zone,
        week: week.collect(),
        holidays: holiday.into_iter().collect(),
    }
}
