//! Examples of what is planned for an agent.

use super::examples::AT;
use ringledger_domain::schedule;

pub(crate) fn planned() -> schedule::Event {
    let segment = |from_ms, to_ms, activity| schedule::Segment {
        from: AT.plus_ms(from_ms),
        to: AT.plus_ms(to_ms),
        activity,
    };
    schedule::Event::Set {
        from: AT,
        to: AT.plus_ms(86_400_000),
        segments: vec![
            segment(0, 14_400_000, schedule::Activity::Work),
            segment(14_400_000, 16_200_000, schedule::Activity::Meal),
            segment(16_200_000, 28_800_000, schedule::Activity::Work),
        ],
    }
}
