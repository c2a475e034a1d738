//! Orders about decks.

use super::{BillingPayload, invalid, read};
use crate::{
    auth::Scope,
    error::Fault,
    mutation::{Order, UserError},
    query::{Needs, views},
    types::words::RoundingKind,
};
use async_graphql::{Context, ID, InputObject, Object, Result};
use domain::{
    any::AnyCommand,
    billing::{
        Command, DeckVersionId,
        deck::{self, Band, Header},
    },
    id::DeckId,
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

/// The version that this order makes: what an earlier try of it has begun, or
/// the one after all that there are.
async fn version(ctx: &Context<'_>, header: &Header) -> Result<u32, Fault> {
    let views = views(ctx).map_err(|_| Fault::validation("no views"))?;
    let known = views.deck_versions(&header.name).await?;
    let newest = known.first();
    Ok(newest.map_or(1, |row| {
        if row.published_at.is_none() && row.header == *header {
            row.deck.version
        } else {
            row.deck.version + 1
        }
    }))
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
        let deck = DeckVersionId {
            deck: DeckId::named(order.identity.tenant, &header.name),
            version: version(ctx, &header).await?,
        };
        let correlation = deck.deck.0;
        let commands = deck::import::commands(header, &rows);
        let mut outcome = None;
        for (step, command) in commands.into_iter().enumerate() {
            let command = AnyCommand::Billing(Box::new(Command::Deck(deck, command)));
            let told = order.dispatch_step(command, correlation, step).await?;
            if !told.is_done() {
                return Ok(BillingPayload::new(deck, told));
            }
            outcome = Some(told);
        }
        let outcome = outcome.ok_or_else(|| Fault::validation("nothing to do"))?;
        Ok(BillingPayload::new(deck, outcome))
    }
}
