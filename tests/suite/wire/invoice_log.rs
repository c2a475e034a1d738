//! How long calls were, by SIPp's own log of messages, and what they cost by
//! integers alone: nothing of the product is asked.

use anyhow::{Context as _, ensure};
use std::collections::BTreeMap;

/// A dialog as SIPp saw it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    /// User part of the INVITE's Request-URI.
    pub(crate) number: String,
    /// Microseconds of the day, of the 200 to the INVITE and of the BYE.
    answered_us: Option<u64>,
    bye_us: Option<u64>,
}

impl Seen {
    /// Seconds that began between answer and BYE; none if nobody answered.
    pub(crate) fn seconds(&self) -> anyhow::Result<Option<u64>> {
        let Some(answered) = self.answered_us else {
            return Ok(None);
        };
        let bye = self.bye_us.context("a call has no BYE")?;
        // Midnight may be between them.
        let length_us = (bye + DAY_US - answered) % DAY_US;
        let edge_us = length_us % SECOND_US;
        ensure!(
            (EDGE_US..SECOND_US - EDGE_US).contains(&edge_us),
            "{length_us} us are too near to a whole second to be told by two watches"
        );
        Ok(Some(length_us.div_ceil(SECOND_US)))
    }
}

const SECOND_US: u64 = 1_000_000;
const DAY_US: u64 = 86_400 * SECOND_US;
/// The server and SIPp look at a message at most this long after each other.
const EDGE_US: u64 = 50_000;

/// The dialogs of a log, the first message of each kind counts.
pub(crate) fn dialogs(log: &str) -> anyhow::Result<Vec<Seen>> {
    let mut dialogs: BTreeMap<String, Seen> = BTreeMap::new();
    for entry in log
        .split("----------------------------------------------- ")
        .skip(1)
    {
        let (stamp, message) = entry.split_once('\n').context("a line of the time")?;
        let at = micros(stamp)?;
        let message = message.split_once("\n\n").context("a message")?.1;
        let first = message.lines().next().unwrap_or_default();
        let id = header(message, "Call-ID:").context("a message of a call")?;
        let invites = header(message, "CSeq:").is_some_and(|text| text.ends_with("INVITE"));
        let seen = dialogs.entry(id.into()).or_default();
        if let Some(rest) = first.strip_prefix("INVITE sip:") {
            seen.number = rest.split('@').next().unwrap_or_default().into();
        } else if first.starts_with("SIP/2.0 200") && invites {
            seen.answered_us.get_or_insert(at);
        } else if first.starts_with("BYE ") {
            seen.bye_us.get_or_insert(at);
        }
    }
    Ok(dialogs.into_values().collect())
}

fn header<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    let line = message.lines().find(|line| line.starts_with(name))?;
    Some(line[name.len()..].trim())
}

/// `2026-11-28 02:38:07.294827`: the microseconds of that day.
fn micros(stamp: &str) -> anyhow::Result<u64> {
    let time = stamp.trim().split_once(' ').context("a time")?.1;
    let (clock, fraction) = time.split_once('.').context("a fraction")?;
    let mut seconds = 0;
    for part in clock.split(':') {
        seconds = seconds * 60 + part.parse::<u64>()?;
    }
    Ok(seconds * SECOND_US + fraction.parse::<u64>()?)
}

/// A price in integers; money in millionths.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Price {
    pub(crate) rate: u64,
    pub(crate) first_s: u64,
    pub(crate) next_s: u64,
    pub(crate) fee: u64,
    pub(crate) minimum: u64,
    pub(crate) grace_s: u64,
}

impl Price {
    /// What so many seconds cost, in millionths, rounded once, half to even.
    pub(crate) fn of(&self, seconds: u64) -> u64 {
        if seconds < self.grace_s {
            return 0;
        }
        let more = seconds.saturating_sub(self.first_s);
        let billed = self.first_s + more.div_ceil(self.next_s) * self.next_s;
        (self.fee + half_even(self.rate * billed, 60)).max(self.minimum)
    }

    /// The row of a deck.
    pub(crate) fn row(&self, prefix: &str) -> String {
        let Self {
            first_s,
            next_s,
            grace_s,
            ..
        } = self;
        let (rate, fee, minimum) = (text(self.rate), text(self.fee), text(self.minimum));
        format!("{prefix},{rate},{first_s},{next_s},{fee},{minimum},{grace_s}\n")
    }
}

/// `a / b`, half to even.
pub(crate) const fn half_even(a: u64, b: u64) -> u64 {
    let (whole, rest) = (a / b, a % b);
    let is_up = rest * 2 > b || (rest * 2 == b && whole % 2 == 1);
    if is_up { whole + 1 } else { whole }
}

/// Millionths as decimal text.
pub(crate) fn text(millionths: u64) -> String {
    format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000)
}

/// Decimal text as cents; it must have no more digits.
pub(crate) fn cents(text: &str) -> anyhow::Result<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    ensure!(fraction.len() <= 2, "{text} is no amount of cents");
    Ok(whole.parse::<u64>()? * 100 + format!("{fraction:0<2}").parse::<u64>()?)
}
