//! The rules of a schedule.

use super::{
    command::Command,
    error::{Error, check_segments, check_span},
    event::Event,
    state::Schedule,
};
use crate::time::Timestamp;

type Decision = Result<Vec<Event>, Error>;

pub(super) fn decide(schedule: &Schedule, _at: Timestamp, command: Command) -> Decision {
    match command {
        Command::Set {
            from,
            to,
            mut segments,
        } => {
            check_span(from, to)?;
            segments.sort_unstable();
            check_segments((from, to), &segments)?;
            let is_planned = schedule.planned(from, to).as_ref() == Some(&segments);
            Ok(match is_planned {
                true => vec![],
                false => vec![Event::Set { from, to, segments }],
            })
        }
    }
}
