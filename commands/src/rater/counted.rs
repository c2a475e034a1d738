//! What a use costs that is no call.

use super::{Decks, Found, Rater};
use crate::error::{DispatchError, Refused};
use domain::{
    billing::{
        UsageId,
        account::{self, Status},
        rating::{UnratedReason, Use},
        usage::{self, Record},
    },
    calendar::Period,
    decider::Refusal,
    id::{AccountId, CallId},
    time::Timestamp,
};

/// Where a use is recorded, if it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The month that it belongs to.
    pub usage: UsageId,
    /// What stands for a call in its record.
    pub id: CallId,
    /// The month of now in the account's zone: no later one is closed.
    pub current: Period,
}

/// A use with its price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rated {
    /// What is to be recorded.
    pub record: Record,
    /// Who uses it pays before: it must be covered by credit.
    pub is_prepaid: bool,
}

impl Rater {
    /// Where a use belongs, whatever it costs.
    ///
    /// # Errors
    /// Why it can not be recorded.
    pub async fn place_use(
        &self,
        account: AccountId,
        used: &Use,
        now: Timestamp,
    ) -> Result<Place, DispatchError> {
        self.books.wait_for(self.feed.head()).await;
        let known = self.books.read(|books| {
            let account = books.account(account)?;
            let zone = account.profile.as_ref()?.zone;
            let day = zone.date_of(used.at);
            Some((zone, day, account.plan_on(day).is_some()))
        });
        let (zone, day, has_plan) = known.ok_or_else(|| refused(&account::Error::Unknown, now))?;
        used.check(now).map_err(|error| refused(&error, now))?;
        // A day that has a plan never loses it: nothing was recorded there either.
        if !has_plan {
            let error = usage::Error::NoPrice(UnratedReason::NoPlan);
            return Err(refused(&error, now));
        }
        let usage = UsageId {
            account,
            period: Period::of(day),
        };
        Ok(Place {
            usage,
            id: usage.counted(&used.key),
            current: Period::of(zone.date_of(now)),
        })
    }

    /// It was charged, and is not known to be counted yet.
    pub async fn is_uncounted(&self, place: &Place) -> bool {
        self.books.wait_for(self.feed.head()).await;
        self.books.read(|books| {
            let account = books.account(place.usage.account);
            account.is_some_and(|account| account.uncounted.contains(&place.id))
        })
    }

    /// The price of a use, by the account's plan of its day.
    ///
    /// # Errors
    /// Why it can not be recorded, or a fault of the store.
    pub async fn rate_use(
        &self,
        id: AccountId,
        used: &Use,
        now: Timestamp,
    ) -> Result<Rated, DispatchError> {
        self.books.wait_for(self.feed.head()).await;
        let refuse = |refusal| Err(refused(&refusal, now));
        let (found, status) = self.books.read(|books| {
            let status = books.account(id).map(|account| account.status);
            (Found::of(books, id, used.at, used.at), status)
        });
        let found = match (found, status) {
            (Some(_), Some(Status::Closed)) => {
                return Err(refused(&account::Error::Closed, now));
            }
            (Some(found), Some(Status::Active | Status::Suspended(_) | Status::Unborn)) => found,
            (None, _) | (_, None) => return Err(refused(&account::Error::Unknown, now)),
        };
        let Some(plan) = &found.plan else {
            return refuse(usage::Error::NoPrice(UnratedReason::NoPlan));
        };
        let kinds = [used.usage_type];
        let plan = self.naming(plan, &kinds);
        let tables = self.tables_of(&plan.config, kinds.into_iter(), Decks::Newest);
        let tables = tables.await?;
        match used.rate(&found.payer(&plan), &tables) {
            Ok(record) => Ok(Rated {
                record,
                is_prepaid: found.is_prepaid,
            }),
            Err(reason) => refuse(usage::Error::NoPrice(reason)),
        }
    }
}

fn refused(refusal: &impl Refusal, at: Timestamp) -> DispatchError {
    DispatchError::Refused(Refused::by(refusal, at))
}
