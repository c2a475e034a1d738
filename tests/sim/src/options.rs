//! What a world is like.

use crate::{chance::Chance, mutant::Mutant};

/// What is asked of a world; the rest follows from its seed.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// From which everything follows.
    pub seed: u64,
    /// Calls that are received, then the day is over.
    pub calls: u64,
    /// A planted bug.
    pub mutant: Option<Mutant>,
    /// Keep a line of text for every step.
    pub trace: bool,
    /// Keep the whole log and fold it again at the end.
    pub rebuild: bool,
    /// Nothing goes wrong with the machines, whatever the seed says, and nobody is rung
    /// back; people are as they are.
    pub calm: bool,
}

impl Options {
    /// A world of that seed with that many calls, and no more than that.
    pub const fn new(seed: u64, calls: u64) -> Self {
        Self {
            seed,
            calls,
            mutant: None,
            trace: false,
            rebuild: false,
            calm: false,
        }
    }
}

/// What the seed has made of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) calls: u64,
    pub(crate) agents: u64,
    pub(crate) queues: u64,
    /// Sets of processes over the one log: two nodes that both think that the
    /// queues are theirs.
    pub(crate) nodes: usize,
    pub(crate) faults: bool,
    /// Some ask to be rung back without having called.
    pub(crate) rings_back: bool,
    /// Means of exponential distributions.
    pub(crate) arrival_ms: u64,
    pub(crate) talk_ms: u64,
    pub(crate) patience_ms: u64,
    pub(crate) pick_up_ms: u64,
    /// When the world begins, in microseconds since 1970.
    pub(crate) start_micros: i64,
}

/// 2027-01-15, 08:00 UTC: a day like any other.
const START_MICROS: i64 = 1_800_000_000_000_000;
/// Twenty minutes before the clocks of Berlin are set: 2027-03-28 and 2027-10-31, 00:40 UTC.
const BEFORE_SUMMER_MICROS: i64 = 1_806_194_400_000_000;
const BEFORE_WINTER_MICROS: i64 = 1_824_943_200_000_000;

impl Terms {
    pub(crate) fn draw(options: &Options, chance: &mut Chance) -> Self {
        let agents = 1 + chance.below(12);
        let talk_ms = chance.between(5_000, 60_000);
        let pick_up_ms = chance.between(500, 6_000);
        // From half empty to half again too many callers.
        let load_percent = chance.between(50, 150);
        let starts = chance.split(0xda7e).below(6);
        let arrival_ms = (talk_ms + pick_up_ms + 5_000) * 100 / load_percent / agents;
        Self {
            calls: options.calls,
            agents,
            queues: 1 + chance.below(4),
            nodes: if chance.percent(25) && !options.calm {
                2
            } else {
                1
            },
            faults: chance.percent(85) && !options.calm,
            rings_back: !options.calm,
            arrival_ms,
            talk_ms,
            patience_ms: chance.between(5_000, 90_000),
            pick_up_ms,
            start_micros: match starts {
                0 if !options.calm => BEFORE_SUMMER_MICROS,
                1 if !options.calm => BEFORE_WINTER_MICROS,
                _ => START_MICROS,
            },
        }
    }
}
