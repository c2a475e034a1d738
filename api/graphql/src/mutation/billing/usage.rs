//! Orders about usage that is no call.

use super::{BillingPayload, invalid};
use crate::{
    auth::Scope,
    error::{Code, Fault},
    mutation::{Order, Outcome},
    query::{Needs, uuid, views_now},
    scalar::{self, Cursor, DateTime},
    types::words::UsageKind,
};
use async_graphql::{Context, ID, InputObject, Object, Result};
use commands::{
    error::{DispatchError, Refused},
    rater::{Place, Rated},
};
use domain::{
    any::AnyCommand,
    billing::{
        Command, account,
        rating::Use,
        usage::{self, Record},
    },
    decider::Refusal as _,
    id::AccountId,
    rating::digits,
};
use projections::{billing::usage::Row, changed::View};
use std::time::Duration;

#[derive(Default)]
pub(crate) struct UsageMutations;

/// A use that is no call.
#[derive(InputObject)]
pub(crate) struct RecordUsageInput {
    /// UUID, kept as the cause. What makes it one use is its key: the same one again
    /// has one effect, whatever this is.
    command_id: ID,
    /// Who pays.
    account_id: ID,
    /// Under which you know it: the same key in the same month is the same use,
    /// recorded once, whatever the command. No personal data: it is kept for ever.
    key: String,
    /// Of which kind. What calls use is recorded by the calls themselves.
    usage_type: UsageKind,
    /// Counted units: seconds, messages, megabytes.
    quantity: scalar::Duration,
    /// When it was over: it belongs to that month in the account's time zone.
    at: DateTime,
    /// The number in E.164 that decides on its price, where the plan has a deck for
    /// it. It is not kept.
    number: Option<String>,
    /// What it was, as the annex of the invoice says it. No personal data.
    #[graphql(default)]
    description: String,
}

#[Object]
impl UsageMutations {
    /// Records a use that is no call, with its price by the account's plan. It is
    /// on the invoice of its month, or of the next one if that is closed. An account
    /// that pays before must have the credit for it.
    #[graphql(guard = "Needs(Scope::BillingManage)")]
    async fn record_usage(
        &self,
        ctx: &Context<'_>,
        input: RecordUsageInput,
    ) -> Result<BillingPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let account = AccountId(uuid(&input.account_id, "an account", "accountId")?);
        let called = match input.number.as_deref().map(digits) {
            Some(None) => return Ok(invalid("number", "number is not a number").into()),
            Some(Some(called)) => Some(called),
            None => None,
        };
        let used = Use {
            key: input.key,
            usage_type: input.usage_type.into(),
            quantity: input.quantity.0,
            at: input.at.0,
            digits: called,
            description: input.description,
        };
        let services = order.services;
        let now = services.clock.now();
        let place = match services.rater.place_use(account, &used, now).await {
            Ok(place) => place,
            Err(error) => return refused(error),
        };
        let asked = Asked { order, used, place };
        // What is recorded is not priced again: prices may be others by now.
        let outcome = match asked.known().await? {
            Some(row) => asked.outcome(&row),
            None => {
                let rated = services.rater.rate_use(account, &asked.used, now).await;
                match rated {
                    Ok(rated) => asked.record(rated).await?,
                    Err(error) => return refused(error),
                }
            }
        };
        Ok(BillingPayload::new(place.id, outcome).of_account(account))
    }
}

fn refused(error: DispatchError) -> Result<BillingPayload> {
    let outcome = Outcome::of(Err(error))?;
    Ok(BillingPayload::refused(outcome.user_errors))
}

/// A use that is to be recorded.
struct Asked<'a> {
    order: Order<'a>,
    used: Use,
    place: Place,
}

impl Asked<'_> {
    /// What is recorded under its key, as far as that is known: what is not is found
    /// by the rules.
    async fn known(&self) -> Result<Option<Row>, Fault> {
        let services = self.order.services;
        if services.rater.is_uncounted(&self.place).await {
            return self.counted().await.map(Some);
        }
        self.look().await
    }

    async fn look(&self) -> Result<Option<Row>, Fault> {
        let Place { usage, id, current } = self.place;
        let services = self.order.services;
        let views = match usage.period == current {
            true => &services.views,
            // It may be in a later month than its own, whose rules do not know of it.
            false => views_now(services, &[View::Usage]).await?.0,
        };
        Ok(views.counted_use(usage, id, current).await?)
    }

    /// What was charged is counted by a process, in the month that is open then:
    /// waits until the books say that it is.
    async fn counted(&self) -> Result<Row, Fault> {
        let services = self.order.services;
        let timeout = Duration::from_millis(services.options.position_timeout_ms);
        let feed = &services.invoicing.feed;
        let late = || Fault::new(Code::Unavailable, "the use is charged and not counted yet");
        let counted = async {
            let mut head = feed.head();
            while services.rater.is_uncounted(&self.place).await {
                feed.wait_beyond(head).await;
                head = feed.head();
            }
        };
        let counted = tokio::time::timeout(timeout, counted).await;
        counted.map_err(|_| late())?;
        let views = &services.views;
        views.wait_for(&[View::Usage], feed.head(), timeout).await?;
        self.look().await?.ok_or_else(late)
    }

    /// It is there; or something else is, under its key.
    fn outcome(&self, row: &Row) -> Outcome {
        if self.used.is_recorded_as(&row.record) {
            return Outcome {
                position: Some(Cursor(row.position)),
                user_errors: vec![],
            };
        }
        let error = usage::Error::OtherUse;
        Outcome::refused(Refused::by(&error, self.order.services.clock.now()).into())
    }

    async fn record(&self, rated: Rated) -> Result<Outcome, Fault> {
        if rated.is_prepaid {
            self.charge(rated.record).await
        } else {
            self.count(rated.record).await
        }
    }

    /// Credit first, so that none who pays before is ever under zero. Its record is
    /// in the same event, from which it is counted whoever is killed in between.
    async fn charge(&self, record: Record) -> Result<Outcome, Fault> {
        let usage = self.place.usage;
        let charge = account::Command::ChargeUsage {
            period: usage.period,
            record: Box::new(record),
        };
        let charged = self.tell(Command::Account(usage.account, charge)).await?;
        if !charged.is_done() {
            return Ok(charged);
        }
        Ok(self.outcome(&self.counted().await?))
    }

    /// In its month, or the first later one that is open.
    async fn count(&self, mut record: Record) -> Result<Outcome, Fault> {
        let mut usage = self.place.usage;
        loop {
            let count = usage::Command::Count {
                record: Box::new(record.clone()),
                is_charged: false,
            };
            let outcome = self.tell(Command::Usage(usage, count)).await?;
            let is_late = outcome
                .user_errors
                .first()
                .is_some_and(|error| error.code == usage::Error::PeriodClosed.code());
            if !is_late || usage.period >= self.place.current {
                return Ok(outcome);
            }
            record = record.late(usage.period);
            usage = usage.next();
        }
    }

    /// Under an id of the use, not of the client's: whoever sends it again sends
    /// the same command, which has one effect and is heard again.
    async fn tell(&self, command: Command) -> Result<Outcome, Fault> {
        let Use { quantity, at, .. } = self.used;
        let kind = self.used.usage_type.title();
        let said = format!("{}/{kind}/{quantity}/{}", self.place.id, at.micros());
        let command = AnyCommand::Billing(Box::new(command));
        let account = self.place.usage.account.0;
        self.order
            .dispatch_once(command, account, (at, &said))
            .await
    }
}
