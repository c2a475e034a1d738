//! What queues ask of the agents who take their calls: half of them something of their
//! own, some of them a word for what came of each call.

use crate::chance::Chance;
use domain::queue::{Config, Pause, Terms};

/// The queue with what is drawn for it.
pub(super) fn with_terms(draw: &mut Chance, config: Config) -> Config {
    if draw.percent(50) {
        return config;
    }
    let mut pause = || Pause {
        delay_ms: draw.below(2) * draw.between(1_000, 20_000),
        in_a_row_max: draw.below(4) as u32,
    };
    let terms = Terms {
        no_answer: pause(),
        rejected: pause(),
        busy: pause(),
        unreachable: pause(),
        wrap_up_code: config.wrap_up_ms > 0 && draw.percent(50),
    };
    Config { terms, ..config }
}
