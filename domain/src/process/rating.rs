//! From "the call is over" to its usage on the account's month, and to what
//! counts against its credit. What a call costs is not known here: the rater
//! fills it into the command, and it comes back in the event.

use super::{Input, Intent, Process};
use crate::{
    any::{AnyCommand, AnyEvent, Fact},
    billing::{
        self, UsageId, account,
        rating::{self, Bill},
        usage,
    },
    call,
    decider::Refusal as _,
    id::CallId,
    money::Decimal,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Rates calls.
#[derive(Debug)]
pub struct RatingProcess;

/// What it remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// There is somebody to pay: without an account no call is rated.
    has_accounts: bool,
}

impl Process for RatingProcess {
    const NAME: &'static str = "rating";
    const VERSION: u32 = 1;
    type State = State;

    fn step(state: &mut State, input: &Input<'_>) -> Vec<Intent> {
        match input {
            Input::Event(fact) => on_event(state, fact),
            Input::Refused {
                command_id,
                command: AnyCommand::Billing(command),
                code,
                ..
            } => on_refused(command_id.0, command, code),
            Input::Refused { .. } | Input::Deadline(_) | Input::Sweep(_) => vec![],
        }
    }

    fn next_deadline(_state: &State) -> Option<Timestamp> {
        None
    }
}

fn on_event(state: &mut State, fact: &Fact) -> Vec<Intent> {
    let cause = fact.event_id.0;
    match &fact.event {
        AnyEvent::Call(call, call::Event::Ended { .. }) if state.has_accounts => {
            let rate = rating::Command::Rate { outcome: None };
            vec![ask(cause, billing::Command::Rating(*call, rate))]
        }
        AnyEvent::Billing(billing::Event::Account(_, account::Event::Opened { .. })) => {
            state.has_accounts = true;
            vec![]
        }
        AnyEvent::Billing(billing::Event::Rating(
            call,
            rating::Event::Rated {
                revision,
                bill,
                replaces,
                reason,
            },
        )) => {
            let rated = Rated {
                cause,
                call: *call,
                revision: *revision,
                reason: reason.as_deref(),
            };
            rated.intents(bill, replaces.as_deref())
        }
        AnyEvent::Billing(billing::Event::Rating(
            call,
            rating::Event::Restored {
                revision,
                bill,
                withdrawn,
                between,
            },
        )) => {
            let restored = Rated {
                cause,
                call: *call,
                revision: *revision,
                reason: None,
            };
            restored.undone(bill, withdrawn, between.as_deref())
        }
        AnyEvent::Billing(event) => on_use(cause, event).into_iter().collect(),
        AnyEvent::Call(..)
        | AnyEvent::Line(..)
        | AnyEvent::Session(..)
        | AnyEvent::Queue(..)
        | AnyEvent::Person(..)
        | AnyEvent::Refusals(..)
        | AnyEvent::Schedule(..)
        | AnyEvent::Agent(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..)
        | AnyEvent::Callback(..)
        | AnyEvent::Mailbox(..) => vec![],
    }
}

/// What follows of what is used.
fn on_use(cause: Uuid, event: &billing::Event) -> Option<Intent> {
    let command = match event {
        // What was charged before is counted, whoever is killed in between: from
        // its own month on, in which it may be already.
        billing::Event::Account(
            account,
            account::Event::UsageCommitted {
                period,
                record: Some(record),
                ..
            },
        ) => {
            let usage = UsageId {
                account: *account,
                period: record.of_period.unwrap_or(*period),
            };
            let count = usage::Command::Count {
                record: record.clone(),
                is_charged: true,
            };
            billing::Command::Usage(usage, count)
        }
        // What a month has is what counts, whichever month that is.
        billing::Event::Usage(
            usage,
            usage::Event::Valued {
                cdr,
                revision,
                amount,
                sums: _,
            },
        ) => commit(*usage, (*cdr, *revision), *amount, false),
        billing::Event::Usage(
            usage,
            usage::Event::Recorded {
                record:
                    usage::Record {
                        cdr,
                        revision,
                        counted:
                            Some(usage::Counted {
                                commits: Some(amount),
                                ..
                            }),
                        ..
                    },
            },
        ) => commit(*usage, (*cdr, *revision), *amount, true),
        billing::Event::Account(..)
        | billing::Event::Usage(..)
        | billing::Event::Rating(..)
        | billing::Event::Seller(..)
        | billing::Event::Plan(..)
        | billing::Event::Deck(..)
        | billing::Event::Invoice(..)
        | billing::Event::CreditNote(..)
        | billing::Event::Series(..) => return None,
    };
    Some(ask(cause, command))
}

fn ask(cause: Uuid, command: billing::Command) -> Intent {
    Intent::new(cause, AnyCommand::Billing(Box::new(command)))
}

struct Rated<'a> {
    cause: Uuid,
    call: CallId,
    revision: u32,
    reason: Option<&'a str>,
}

impl Rated<'_> {
    fn intents(&self, bill: &Bill, replaces: Option<&Bill>) -> Vec<Intent> {
        let old = replaces.map_or(&[][..], |bill| &bill.records);
        let intents = match replaces {
            Some(before) if usage_of(before) != usage_of(bill) => {
                let taken_back = self.commits(None, Some(before));
                let due = self.commits(Some(bill), None);
                vec![
                    self.record(usage_of(before), &[], old, taken_back),
                    self.record(usage_of(bill), &bill.records, &[], due),
                ]
            }
            Some(_) | None => {
                let due = self.commits(Some(bill), replaces);
                vec![self.record(usage_of(bill), &bill.records, old, due)]
            }
        };
        intents.into_iter().flatten().collect()
    }

    /// What the price that does not count has left in other months is undone.
    fn undone(&self, bill: &Bill, withdrawn: &Bill, between: Option<&Bill>) -> Vec<Intent> {
        let taken_back = || {
            let taken_back = self.commits(None, Some(withdrawn));
            self.record(usage_of(withdrawn), &[], &withdrawn.records, taken_back)
        };
        match between {
            // It was to be recorded where the price stays, and was refused there; but it
            // was taken back, in a later month. So it comes there, for nothing in all.
            Some(first) if usage_of(first) == usage_of(bill) => {
                self.intents(first, Some(withdrawn))
            }
            // In another month it was recorded and taken back.
            Some(_) => taken_back().into_iter().collect(),
            None if usage_of(withdrawn) != usage_of(bill) => taken_back().into_iter().collect(),
            None => vec![],
        }
    }

    /// What counts against the credit from now on, and what counted before; none of
    /// an account that has and had no limit.
    fn commits(&self, new: Option<&Bill>, old: Option<&Bill>) -> Option<usage::Commits> {
        let mut bills = [new, old].into_iter().flatten();
        if !bills.any(|bill| bill.commits.is_some()) {
            return None;
        }
        // Without a limit its tax was not worked out.
        let amount = |bill: &Bill| {
            let rated = bill.records.iter().map(|record| record.amount);
            bill.commits.unwrap_or_else(|| rated.sum())
        };
        let by_record = |bill: &Bill| bill.own.unwrap_or_else(|| amount(bill));
        let commits = usage::Commits {
            revision: self.revision,
            amount: new.map_or(Decimal::ZERO, amount),
            replaced: old.map_or(Decimal::ZERO, amount),
            own: None,
        };
        let own = usage::Own {
            amount: new.map_or(Decimal::ZERO, by_record),
            replaced: old.map_or(Decimal::ZERO, by_record),
        };
        Some(usage::Commits {
            own: (own != commits.by_record()).then_some(own),
            ..commits
        })
    }

    fn record(
        &self,
        usage: UsageId,
        records: &[usage::Record],
        reversed: &[usage::Record],
        commits: Option<usage::Commits>,
    ) -> Option<Intent> {
        if records.is_empty() && reversed.is_empty() {
            return None;
        }
        let command = usage::Command::Record {
            cdr: self.call,
            records: records.to_vec(),
            reversed: reversed.to_vec(),
            reason: self.reason.map(str::to_owned),
            commits,
        };
        Some(ask(self.cause, billing::Command::Usage(usage, command)))
    }
}

/// What is recorded in a month counts against the credit there.
const fn commit(
    usage: UsageId,
    (call, revision): (CallId, u32),
    amount: Decimal,
    is_use: bool,
) -> billing::Command {
    let command = account::Command::CommitUsage {
        call,
        revision,
        period: usage.period,
        amount,
        is_use,
    };
    billing::Command::Account(usage.account, command)
}

const fn usage_of(bill: &Bill) -> UsageId {
    UsageId {
        account: bill.account,
        period: bill.period,
    }
}

/// The month is closed: what came late goes to the next one, and says of which
/// month it is. A use whose key is of another one is not counted, and what was
/// charged for it is given back. Whatever else is refused was not to be: an
/// account that is closed commits nothing.
fn on_refused(cause: Uuid, command: &billing::Command, code: &str) -> Vec<Intent> {
    let billing::Command::Usage(usage, command) = command else {
        return vec![];
    };
    let is_closed = code == usage::Error::PeriodClosed.code();
    let is_settled = code == usage::Error::Settled.code();
    match command {
        usage::Command::Record { cdr, reversed, .. } if is_settled => {
            let revision = reversed.first().map(|record| record.revision);
            let restore = revision.map(|revision| rating::Command::Restore { revision });
            let restore = restore.map(|restore| billing::Command::Rating(*cdr, restore));
            restore
                .map(|restore| ask(cause, restore))
                .into_iter()
                .collect()
        }
        usage::Command::Record {
            cdr,
            records,
            reversed,
            reason,
            commits,
        } if is_closed => {
            let late = |records: &[usage::Record]| {
                let records = records.iter().cloned();
                records.map(|record| record.late(usage.period)).collect()
            };
            let record = usage::Command::Record {
                cdr: *cdr,
                records: late(records),
                reversed: late(reversed),
                reason: reason.clone(),
                commits: *commits,
            };
            vec![ask(cause, billing::Command::Usage(usage.next(), record))]
        }
        usage::Command::Count { record, is_charged } if is_closed => {
            let record = Box::new((**record).clone().late(usage.period));
            let count = usage::Command::Count {
                record,
                is_charged: *is_charged,
            };
            vec![ask(cause, billing::Command::Usage(usage.next(), count))]
        }
        usage::Command::Count { record, .. } => {
            let call = record.cdr;
            let withdraw = account::Command::WithdrawUsage { call };
            vec![ask(
                cause,
                billing::Command::Account(usage.account, withdraw),
            )]
        }
        // It is recorded nowhere: nothing stays reserved for it.
        usage::Command::Record { cdr, .. } => {
            let release = account::Command::ReleaseCredit { call: *cdr };
            vec![ask(
                cause,
                billing::Command::Account(usage.account, release),
            )]
        }
        usage::Command::Close { .. } | usage::Command::Reopen => vec![],
    }
}
