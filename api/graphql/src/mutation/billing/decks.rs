//! Orders about decks.

use super::{BillingPayload, invalid, read};
use crate::{
    auth::Scope,
    error::{Code, Fault, fault_of},
    mutation::{Order, Outcome, UserError},
    query::Needs,
    types::words::RoundingKind,
};
use async_graphql::{Context, ID, InputObject, Object, Result};
use commands::{deck_import, envelope::Envelope, gateway::Gateway};
use domain::{
    any::AnyCommand,
    billing::{
        Command, DeckVersionId,
        deck::{self, Band, Header, Phase},
    },
};

#[derive(Default)]
pub(crate) struct DeckMutations;

/// A stretch of the week in which rows of its name apply.
#[derive(InputObject)]
pub(crate) struct BandInput {
    /// Its name, as rows say it.
    name: String,
    /// Days of the week; 0 is Monday.
    weekdays: Vec<u8>,
    /// First minute of the day.
    from_minute: u16,
    /// First minute that is not in it any more; 1440 is midnight.
    to_minute: u16,
}

/// A deck as CSV.
#[derive(InputObject)]
pub(crate) struct ImportDeckInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// 1 to 64 letters, digits, `.`, `-`, `_`.
    name: String,
    /// Of every price in it.
    currency: String,
    /// Where its bands and days are meant, by IANA name; UTC when not given.
    time_zone: Option<String>,
    /// How amounts are rounded; half to even when not given.
    rounding: Option<RoundingKind>,
    /// Stretches of the week that rows name.
    bands: Option<Vec<BandInput>>,
    /// With a header: `prefix` and `rate`, and any of `description`,
    /// `currency`, `first_increment_s`, `next_increment_s`, `connection_fee`,
    /// `minimum_charge`, `grace_s`, `effective_from`, `effective_to`, `band`.
    csv: String,
}

fn header(input: &ImportDeckInput) -> Result<Header, UserError> {
    let bands = input.bands.iter().flatten();
    Ok(Header {
        name: input.name.clone(),
        currency: read(&input.currency, "currency")?,
        zone: read(input.time_zone.as_deref().unwrap_or("UTC"), "timeZone")?,
        rounding: input.rounding.unwrap_or(RoundingKind::HalfEven).into(),
        bands: bands
            .map(|band| Band {
                name: band.name.clone(),
                weekdays: band.weekdays.clone(),
                from_minute: band.from_minute,
                to_minute: band.to_minute,
            })
            .collect(),
    })
}

/// One after the other; what is refused ends it. `None` if there is nothing to do.
async fn import(gateway: Gateway, steps: Vec<Envelope>) -> Result<Option<Outcome>, Fault> {
    let mut outcome = None;
    for step in steps {
        let told = Outcome::of(gateway.dispatch(step).await)?;
        let is_done = told.is_done();
        outcome = Some(told);
        if !is_done {
            break;
        }
    }
    Ok(outcome)
}

/// What this very order has published before, and the answer that it had then: prices that
/// came since stay the newest, however late it is repeated.
async fn made_before(
    order: &Order<'_>,
    same: &[DeckVersionId],
    steps_count: usize,
) -> Result<Option<(DeckVersionId, Outcome)>, Fault> {
    for deck in same {
        let publish = Command::Deck(*deck, deck::Command::Publish);
        let publish = AnyCommand::Billing(Box::new(publish));
        let last = order.step(publish, deck.deck.0, steps_count.saturating_sub(1));
        let first = order.services.gateway.first_answer(last.command_id).await;
        if let Some(first) = first.map_err(|error| fault_of(&error))? {
            return Ok(Some((*deck, Outcome::of(Ok(first))?)));
        }
    }
    Ok(None)
}

#[Object]
impl DeckMutations {
    /// Publishes the next version of a deck from CSV. All faults are told at
    /// once, each with its line and field; nothing is done when there is one.
    #[graphql(guard = "Needs(Scope::BillingManage)")]
    async fn import_deck(
        &self,
        ctx: &Context<'_>,
        input: ImportDeckInput,
    ) -> Result<BillingPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let header = match header(&input) {
            Ok(header) => header,
            Err(error) => return Ok(error.into()),
        };
        let rows = match deck::import::read(&header, &input.csv) {
            Ok(rows) => rows,
            Err(faults) => {
                let faults = faults.iter();
                let errors = faults.map(|fault| invalid("csv", &fault.to_string()));
                return Ok(BillingPayload::refused(errors.collect()));
            }
        };
        let log = order.services.invoicing.log.as_ref();
        let found = deck_import::version(log, order.identity.tenant, &header, &rows).await;
        let found = found.map_err(|error| fault_of(&error))?;
        let commands = deck::import::commands(header, &rows);
        if let Some((deck, first)) = made_before(&order, &found.same, commands.len()).await? {
            return Ok(BillingPayload::new(deck, first));
        }
        let (deck, there) = match found.next {
            Ok(found) => found,
            Err(error) => return Ok(invalid("currency", &error.to_string()).into()),
        };
        if there.phase == Phase::Published {
            // Nothing is to be done: who reads now sees it.
            let outcome = Outcome {
                position: Some(order.services.invoicing.feed.head().into()),
                user_errors: vec![],
            };
            return Ok(BillingPayload::new(deck, outcome));
        }
        let steps = commands.into_iter().enumerate().map(|(step, command)| {
            let command = AnyCommand::Billing(Box::new(Command::Deck(deck, command)));
            order.step(command, deck.deck.0, step)
        });
        // On a task of its own: who asked may go, it is published.
        let gateway = order.services.gateway.clone();
        let imported = tokio::spawn(import(gateway, steps.collect())).await;
        let imported =
            imported.map_err(|error| Fault::new(Code::Unavailable, error.to_string()))?;
        let outcome = imported?.ok_or_else(|| Fault::validation("nothing to do"))?;
        Ok(BillingPayload::new(deck, outcome))
    }
}
