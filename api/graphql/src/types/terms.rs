//! What a queue asks of its agents: as it is shown and as it is asked for.

use crate::scalar::{Duration, count};
use async_graphql::{InputObject, SimpleObject};
use domain::queue::{Pause, Terms};

/// What a queue asks of the agents who take its calls.
#[derive(SimpleObject)]
pub(crate) struct QueueTerms {
    /// When a phone rang too long.
    no_answer: OfferPause,
    /// When an agent declined.
    rejected: OfferPause,
    /// When a phone was busy.
    busy: OfferPause,
    /// When no phone responded.
    unreachable: OfferPause,
    /// A wrap-up ends only with a code that says what came of the call.
    wrap_up_code: bool,
}

/// What follows an offer that came to nothing for one cause.
#[derive(SimpleObject)]
pub(crate) struct OfferPause {
    /// The agent is left alone this long; 0 for not at all.
    delay_ms: Duration,
    /// After so many in a row the agent is not ready any more; 0 for never.
    in_a_row_max: i32,
}

impl From<Pause> for OfferPause {
    fn from(pause: Pause) -> Self {
        Self {
            delay_ms: Duration(pause.delay_ms),
            in_a_row_max: count(pause.in_a_row_max),
        }
    }
}

impl From<Terms> for QueueTerms {
    fn from(terms: Terms) -> Self {
        Self {
            no_answer: terms.no_answer.into(),
            rejected: terms.rejected.into(),
            busy: terms.busy.into(),
            unreachable: terms.unreachable.into(),
            wrap_up_code: terms.wrap_up_code,
        }
    }
}

/// What a queue is to ask of its agents. What is left out stays as it is unless
/// set: three calls in a row that nobody answers, 10 s after declining, a minute
/// after a phone that was busy or out of reach.
#[derive(InputObject, Default)]
pub(crate) struct QueueTermsInput {
    /// When a phone rang too long.
    no_answer: Option<OfferPauseInput>,
    /// When an agent declined.
    rejected: Option<OfferPauseInput>,
    /// When a phone was busy.
    busy: Option<OfferPauseInput>,
    /// When no phone responded.
    unreachable: Option<OfferPauseInput>,
    /// A wrap-up ends only with a code that says what came of the call.
    #[graphql(default = false)]
    wrap_up_code: bool,
}

/// What is to follow an offer that came to nothing for one cause.
#[derive(InputObject)]
pub(crate) struct OfferPauseInput {
    /// The agent is left alone this long; 0 for not at all.
    delay_ms: Duration,
    /// After so many in a row the agent is not ready any more; 0 for never.
    in_a_row_max: i32,
}

impl OfferPauseInput {
    fn pause(&self) -> Pause {
        Pause {
            delay_ms: self.delay_ms.0,
            // A negative one is refused by the rules.
            in_a_row_max: u32::try_from(self.in_a_row_max).unwrap_or(u32::MAX),
        }
    }
}

impl QueueTermsInput {
    /// The terms that are asked for.
    pub(crate) fn terms(&self) -> Terms {
        let or = |input: &Option<OfferPauseInput>, standard| {
            input.as_ref().map_or(standard, OfferPauseInput::pause)
        };
        let standard = Terms::STANDARD;
        Terms {
            no_answer: or(&self.no_answer, standard.no_answer),
            rejected: or(&self.rejected, standard.rejected),
            busy: or(&self.busy, standard.busy),
            unreachable: or(&self.unreachable, standard.unreachable),
            wrap_up_code: self.wrap_up_code,
        }
    }
}
