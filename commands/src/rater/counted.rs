//! What a use costs that is no call.

use super::{Found, Rater};
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
    id::AccountId,
    time::Timestamp,
};

/// A use with its price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rated {
    /// The month that it belongs to.
    pub usage: UsageId,
    /// What is to be recorded.
    pub record: Record,
    /// Who uses it pays before: it must be covered by credit.
    pub is_prepaid: bool,
    /// The month of now in the account's zone: no later one is closed.
    pub current: Period,
}

impl Rater {
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
            (Found::of(books, id, used.at), status)
        });
        let found = match (found, status) {
            (Some(_), Some(Status::Closed)) => {
                return Err(refused(&account::Error::Closed, now));
            }
            (Some(found), Some(Status::Active | Status::Suspended(_) | Status::Unborn)) => found,
            (None, _) | (_, None) => return Err(refused(&account::Error::Unknown, now)),
        };
        if let Err(error) = used.check(now) {
            return refuse(error);
        }
        let Some(plan) = &found.plan else {
            return refuse(usage::Error::NoPrice(UnratedReason::NoPlan));
        };
        let kinds = [used.usage_type].into_iter();
        let tables = self.tables_of(&plan.config, kinds).await?;
        match used.rate(&found.payer(plan), &tables) {
            Ok((usage, record)) => Ok(Rated {
                usage,
                record,
                is_prepaid: found.is_prepaid,
                current: Period::of(found.profile.zone.date_of(now)),
            }),
            Err(reason) => refuse(usage::Error::NoPrice(reason)),
        }
    }
}

/// A refusal before any stream was asked.
fn refused(refusal: &impl Refusal, at: Timestamp) -> DispatchError {
    DispatchError::Refused(Refused {
        code: refusal.code(),
        message: refusal.to_string(),
        version: 0,
        at,
    })
}
