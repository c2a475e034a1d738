//! What of a call is charged.

use domain::{
    billing::rating::{Bill, Part, Rating, UnratedReason},
    id::{AccountId, LegId},
    money::Decimal,
    time::Timestamp,
};

/// See the module.
#[derive(Debug)]
pub(super) enum Cover {
    /// All of it.
    All,
    /// What was reserved, at most.
    Credit {
        /// How much.
        most: Decimal,
        /// The call was ended because no more could be reserved: for its last leg first.
        is_refused: bool,
    },
    /// Those legs that were charged before, each until then.
    Charged(Vec<(LegId, Timestamp)>),
}

/// The account that pays for a call, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct By {
    pub(super) account: AccountId,
    /// Before, not by invoice.
    pub(super) is_prepaid: bool,
    /// Since when.
    pub(super) mode_since: Timestamp,
}

/// How a call ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending {
    /// The first answer; none if there was none.
    pub(super) answered_at: Option<Timestamp>,
    /// For how long it was talked since then.
    pub(super) talked_ms: u64,
    /// It was ended because no more could be reserved.
    pub(super) is_refused: bool,
}

/// What the account of a call has for it when it is over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Means {
    /// What is reserved for it; none where nothing is.
    pub(super) reserved: Option<Decimal>,
    /// What is free beside that; none where there is no limit.
    pub(super) available: Option<Decimal>,
}

impl Cover {
    /// What is charged of a call that has no price yet. Of one that its payer pays before:
    /// what was reserved, and what else is free where it was no longer than it was let talk,
    /// since credit is asked for before the answer, whose instant decides about the price.
    /// A call that ended before anything was reserved has what is free.
    pub(super) fn first(state: &Rating, by: By, ending: Ending, means: Means) -> Self {
        let granted = state.charging.filter(|(payer, ..)| *payer == by.account);
        let granted_ms = granted.map(|(.., seconds)| u64::from(seconds) * 1_000);
        if by.has_no_claim_on(ending, granted_ms.filter(|_| means.reserved.is_some())) {
            return Self::All;
        }
        let is_refused = ending.is_refused;
        let is_within = granted_ms.is_some_and(|granted| ending.talked_ms <= granted);
        let free = means.available.map(|free| free.max(Decimal::ZERO));
        let most = match (means.reserved, free) {
            (reserved, _) if is_refused => reserved.unwrap_or_default(),
            (Some(reserved), _) if !is_within => reserved,
            (Some(_) | None, None) => return Self::All,
            (reserved, Some(free)) => reserved.unwrap_or_default() + free,
        };
        Self::Credit { most, is_refused }
    }

    /// What is charged of a call that has a price and was paid before: what was charged,
    /// whatever credit there is by now. What no credit covered is not charged either where
    /// its account pays by invoice by now.
    pub(super) fn again(state: &Rating, by: By, is_refused: bool) -> Option<Self> {
        let bill = state.bill.as_ref()?;
        let had_reserved = state
            .charging
            .is_some_and(|(payer, ..)| payer == by.account);
        let is_paid_before = state.charging.is_some() || is_refused || bill.account == by.account;
        let charged = bill.records.iter();
        (had_reserved || by.is_prepaid && is_paid_before).then(|| {
            let legs = charged.map(|record| (record.leg, record.ended_at));
            Self::Charged(legs.collect())
        })
    }

    /// The bill of so much of the parts.
    pub(super) fn charge(
        &self,
        mut parts: Vec<Part>,
        price: impl Fn(&[Part]) -> Result<Bill, UnratedReason>,
    ) -> Result<Bill, UnratedReason> {
        match self {
            Self::All => price(&parts),
            Self::Charged(legs) => {
                parts.retain_mut(|part| {
                    let until = legs.iter().find(|(leg, _)| *leg == part.leg);
                    if let Some((_, until)) = until {
                        part.ended_at = part.ended_at.min(*until);
                    }
                    until.is_some()
                });
                price(&parts)
            }
            Self::Credit { most, is_refused } => {
                let is_too_much = |bill: &Bill| bill.commits.is_some_and(|amount| amount > *most);
                let mut bill = price(&parts)?;
                while *is_refused && parts.len() > 1 && is_too_much(&bill) {
                    parts.pop();
                    bill = price(&parts)?;
                }
                if is_too_much(&bill) {
                    within(&parts, &price, is_too_much)
                } else {
                    Ok(bill)
                }
            }
        }
    }
}

impl By {
    /// Whether credit has nothing to do with what is charged of a call for which so much
    /// talk was paid: it is paid by invoice, or was let go on so.
    fn has_no_claim_on(self, ending: Ending, granted_ms: Option<u64>) -> bool {
        let Some(answered_at) = ending.answered_at else {
            return !self.is_prepaid && granted_ms.is_none();
        };
        match (self.is_prepaid, granted_ms) {
            // It was set to pay before while they talked, and nobody watched the credit.
            (true, None) => self.mode_since > answered_at && !ending.is_refused,
            (true, Some(_)) => false,
            (false, None) => true,
            // It was set to pay by invoice while what was paid was not used up.
            (false, Some(granted)) => {
                self.mode_since <= answered_at.plus_ms(granted) && !ending.is_refused
            }
        }
    }
}

/// The longest talk that is not too much, in whole seconds since the first answer.
fn within(
    parts: &[Part],
    price: impl Fn(&[Part]) -> Result<Bill, UnratedReason>,
    is_too_much: impl Fn(&Bill) -> bool,
) -> Result<Bill, UnratedReason> {
    let mut best = price(&[])?;
    let answered_at = parts.iter().map(|part| part.answered_at).min();
    let ended_at = parts.iter().map(|part| part.ended_at).max();
    let (Some(answered_at), Some(ended_at)) = (answered_at, ended_at) else {
        return Ok(best);
    };
    let (mut enough, mut too_long) = (0, ended_at.ms_since(answered_at).div_ceil(1_000));
    while too_long.saturating_sub(enough) > 1 {
        let seconds = u64::midpoint(enough, too_long);
        let bill = price(&until(parts, answered_at.plus_ms(seconds * 1_000)))?;
        if is_too_much(&bill) {
            too_long = seconds;
        } else {
            enough = seconds;
            best = bill;
        }
    }
    Ok(best)
}

/// The parts as far as they were before an instant.
fn until(parts: &[Part], end: Timestamp) -> Vec<Part> {
    let parts = parts.iter().filter(|part| part.answered_at < end);
    parts
        .cloned()
        .map(|mut part| {
            part.ended_at = part.ended_at.min(end);
            part
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{billing::UsageType, calendar::Zone};
    use uuid::Uuid;

    const fn by(account: AccountId, is_prepaid: bool, since: i64) -> By {
        By {
            account,
            is_prepaid,
            mode_since: at(since),
        }
    }

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn leg(number: u128) -> LegId {
        LegId(Uuid::from_u128(number))
    }

    fn part(number: u128, answered_at: i64, ended_at: i64) -> Part {
        Part {
            leg: leg(number),
            usage_type: UsageType::InboundMinutes,
            digits: None,
            answered_at: at(answered_at),
            ended_at: at(ended_at),
        }
    }

    /// A fee of 2 for each leg, and 1 for each second.
    fn price(parts: &[Part]) -> Result<Bill, UnratedReason> {
        let cost = |part: &Part| {
            let seconds = part.ended_at.ms_since(part.answered_at).div_ceil(1_000);
            Decimal::whole(2) + Decimal::whole(i64::try_from(seconds).unwrap_or_default())
        };
        Ok(Bill {
            account: AccountId(Uuid::nil()),
            period: domain::calendar::Period::of(Zone::UTC.date_of(at(0))),
            records: vec![],
            commits: Some(parts.iter().map(cost).sum()),
            own: None,
        })
    }

    fn charged(cover: &Cover, parts: &[Part]) -> Decimal {
        let bill = cover.charge(parts.to_vec(), price).expect("a price");
        bill.commits.expect("an amount")
    }

    #[test]
    fn no_more_is_charged_than_was_reserved_and_as_much_of_it_as_was_talked() {
        let parts = [part(1, 0, 13), part(2, 5, 13)];
        assert_eq!(charged(&Cover::All, &parts), Decimal::whole(25));
        let reserved = |most: i64| Cover::Credit {
            most: Decimal::whole(most),
            is_refused: false,
        };
        // The second leg began at five seconds: 2 + 5 without it, 2 + 2 more with it.
        for (most, charges) in [
            (0, 0),
            (1, 0),
            (2, 0),
            (3, 3),
            (7, 7),
            (9, 7),
            (11, 11),
            (24, 23),
        ] {
            assert_eq!(
                charged(&reserved(most), &parts),
                Decimal::whole(charges),
                "{most}"
            );
        }
        assert_eq!(charged(&reserved(25), &parts), Decimal::whole(25));
        assert_eq!(charged(&reserved(99), &parts), Decimal::whole(25));
    }

    /// Credit was asked for while it rang at night, and it was answered by day.
    #[test]
    fn a_call_that_was_let_talk_is_charged_in_full_while_there_is_credit() {
        let (own, other) = (AccountId(Uuid::nil()), AccountId(Uuid::from_u128(7)));
        let state = |charging: Option<AccountId>| Rating {
            charging: charging.map(|account| (account, Decimal::whole(6), 60)),
            ..Rating::default()
        };
        let means = |reserved: Option<i64>, available| Means {
            reserved: reserved.map(Decimal::whole),
            available: Some(Decimal::whole(available)),
        };
        // 52: a fee of 2 and fifty seconds.
        let parts = [part(1, 0, 50)];
        let first = |charging, is_prepaid, (is_refused, talked_ms), means| {
            let ending = Ending {
                answered_at: Some(at(1_000)),
                talked_ms,
                is_refused,
            };
            // What pays by invoice does so since the call.
            let since = if is_prepaid { 0 } else { 2_000 };
            let cover = Cover::first(&state(charging), by(own, is_prepaid, since), ending, means);
            charged(&cover, &parts)
        };
        let ended = (false, 50_000);
        assert_eq!(
            first(Some(own), true, ended, means(Some(6), 100)),
            Decimal::whole(52)
        );
        assert_eq!(
            first(Some(own), true, ended, means(Some(6), 10)),
            Decimal::whole(16)
        );
        // The node was lost, and it went on for longer than it was let.
        let lost = (false, 60_001);
        assert_eq!(
            first(Some(own), true, lost, means(Some(6), 100)),
            Decimal::whole(6)
        );
        // The same of one whose account pays by invoice by now.
        assert_eq!(
            first(Some(own), false, lost, means(Some(6), 100)),
            Decimal::whole(6)
        );
        assert_eq!(
            first(Some(other), false, lost, means(None, 100)),
            Decimal::whole(52)
        );
        // It was over before anything was reserved: no account goes below zero by it.
        assert_eq!(
            first(None, true, ended, means(None, 20)),
            Decimal::whole(20)
        );
        assert_eq!(first(None, true, ended, means(None, -5)), Decimal::ZERO);
        let refused = (true, 50_000);
        assert_eq!(
            first(Some(own), true, refused, means(Some(6), 100)),
            Decimal::whole(6)
        );
        assert_eq!(first(None, true, refused, means(None, 100)), Decimal::ZERO);
    }

    /// Nobody watches the credit of whoever pays by invoice.
    #[test]
    fn a_call_in_which_the_account_was_set_to_pay_otherwise_is_charged_in_full() {
        let own = AccountId(Uuid::nil());
        let parts = [part(1, 0, 50)];
        let first = |granted_s: Option<u32>, (is_prepaid, since), is_refused| {
            let state = Rating {
                charging: granted_s.map(|seconds| (own, Decimal::whole(6), seconds)),
                ..Rating::default()
            };
            let ending = Ending {
                answered_at: Some(at(100)),
                talked_ms: 50_000,
                is_refused,
            };
            let means = Means {
                reserved: granted_s.map(|_| Decimal::whole(6)),
                available: Some(Decimal::ZERO),
            };
            let cover = Cover::first(&state, by(own, is_prepaid, since), ending, means);
            charged(&cover, &parts)
        };
        let all = Decimal::whole(52);
        // Before it began, and while they talked.
        assert_eq!(first(None, (true, 99), false), Decimal::ZERO);
        assert_eq!(first(None, (true, 101), false), all);
        assert_eq!(first(None, (true, 101), true), Decimal::ZERO);
        // While ten seconds were paid, and after that.
        assert_eq!(first(Some(10), (false, 110), false), all);
        assert_eq!(first(Some(10), (false, 111), false), Decimal::whole(6));
        assert_eq!(first(Some(10), (false, 110), true), Decimal::whole(6));
    }

    #[test]
    fn of_a_call_that_was_refused_more_the_last_leg_goes_first() {
        let parts = [part(1, 0, 13), part(2, 5, 13)];
        let cover = Cover::Credit {
            most: Decimal::whole(15),
            is_refused: true,
        };
        assert_eq!(charged(&cover, &parts), Decimal::whole(15));
    }

    #[test]
    fn what_was_charged_for_a_time_is_charged_for_that_time_again() {
        let parts = [part(1, 0, 13), part(2, 5, 13)];
        let cover = Cover::Charged(vec![(leg(1), at(9))]);
        assert_eq!(charged(&cover, &parts), Decimal::whole(11));
    }

    /// An account that has paid before pays by invoice by now: it was charged for the part
    /// that no credit had covered when its call was rated again.
    #[test]
    fn whoever_has_paid_before_pays_no_more_of_a_call_by_paying_later() {
        let (own, other) = (AccountId(Uuid::nil()), AccountId(Uuid::from_u128(7)));
        let again = |charging: Option<AccountId>, (payer, is_prepaid), is_refused| {
            let state = Rating {
                bill: price(&[]).ok().map(Box::new),
                charging: charging.map(|account| (account, Decimal::whole(1), 60)),
                ..Rating::default()
            };
            Cover::again(&state, by(payer, is_prepaid, 0), is_refused).is_some()
        };
        assert!(again(Some(own), (own, true), false));
        assert!(again(Some(own), (own, false), false));
        // Whoever pays in its place and by invoice pays all of it.
        assert!(!again(Some(own), (other, false), false));
        assert!(again(Some(own), (other, true), false));
        assert!(!again(None, (own, false), true));
        assert!(again(None, (own, true), true));
        // It was charged in full, and what credit there is now has nothing to do with it.
        assert!(again(None, (own, true), false));
        assert!(!again(None, (other, true), false));
        let rated_first = Rating {
            charging: Some((own, Decimal::whole(1), 60)),
            ..Rating::default()
        };
        assert!(Cover::again(&rated_first, by(own, true, 0), false).is_none());
    }
}
