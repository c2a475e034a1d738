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
                code: "usage.period_closed",
                ..
            } => later(command_id.0, command),
            // Whatever else is refused was not to be: an account that is closed
            // commits nothing.
            Input::Refused { .. } | Input::Deadline(_) | Input::Sweep(_) => vec![],
        }
    }

    fn next_deadline(_state: &State) -> Option<Timestamp> {
        None
    }
}

fn on_event(state: &mut State, fact: &Fact) -> Vec<Intent> {
    match &fact.event {
        AnyEvent::Call(call, call::Event::Ended { .. }) if state.has_accounts => {
            let rate = rating::Command::Rate { outcome: None };
            vec![ask(fact.event_id.0, billing::Command::Rating(*call, rate))]
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
                cause: fact.event_id.0,
                call: *call,
                revision: *revision,
                reason: reason.as_deref(),
            };
            rated.intents(bill, replaces.as_deref())
        }
        // A call's own price says what it commits; what was counted elsewhere does
        // in its record.
        AnyEvent::Billing(billing::Event::Usage(
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
        )) => {
            let commit = account::Command::CommitUsage {
                call: *cdr,
                revision: *revision,
                period: usage.period,
                amount: *amount,
            };
            let command = billing::Command::Account(usage.account, commit);
            vec![ask(fact.event_id.0, command)]
        }
        AnyEvent::Call(..)
        | AnyEvent::Billing(..)
        | AnyEvent::Line(..)
        | AnyEvent::Session(..)
        | AnyEvent::Queue(..)
        | AnyEvent::Person(..)
        | AnyEvent::Agent(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..) => vec![],
    }
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
        let mut intents = vec![];
        let old = replaces.map_or(&[][..], |bill| &bill.records);
        match replaces {
            Some(before) if usage_of(before) != usage_of(bill) => {
                intents.extend(self.record(usage_of(before), &[], old));
                intents.extend(self.record(usage_of(bill), &bill.records, &[]));
            }
            Some(_) | None => intents.extend(self.record(usage_of(bill), &bill.records, old)),
        }
        if let Some(before) = replaces
            && before.account != bill.account
            && before.commits.is_some()
        {
            intents.push(self.commit(before, Decimal::ZERO));
        }
        intents.extend(bill.commits.map(|amount| self.commit(bill, amount)));
        intents
    }

    fn record(
        &self,
        usage: UsageId,
        records: &[usage::Record],
        reversed: &[usage::Record],
    ) -> Option<Intent> {
        if records.is_empty() && reversed.is_empty() {
            return None;
        }
        let command = usage::Command::Record {
            cdr: self.call,
            records: records.to_vec(),
            reversed: reversed.to_vec(),
            reason: self.reason.map(str::to_owned),
        };
        Some(ask(self.cause, billing::Command::Usage(usage, command)))
    }

    fn commit(&self, bill: &Bill, amount: Decimal) -> Intent {
        let command = account::Command::CommitUsage {
            call: self.call,
            revision: self.revision,
            period: bill.period,
            amount,
        };
        ask(self.cause, billing::Command::Account(bill.account, command))
    }
}

const fn usage_of(bill: &Bill) -> UsageId {
    UsageId {
        account: bill.account,
        period: bill.period,
    }
}

/// The month is closed: what came late goes to the next one, and says of which
/// month it is.
fn later(cause: Uuid, command: &billing::Command) -> Vec<Intent> {
    let billing::Command::Usage(
        usage,
        usage::Command::Record {
            cdr,
            records,
            reversed,
            reason,
        },
    ) = command
    else {
        return vec![];
    };
    let late = |records: &[usage::Record]| {
        records
            .iter()
            .cloned()
            .map(|mut record| {
                record.of_period.get_or_insert(usage.period);
                record
            })
            .collect()
    };
    let command = usage::Command::Record {
        cdr: *cdr,
        records: late(records),
        reversed: late(reversed),
        reason: reason.clone(),
    };
    let next = UsageId {
        account: usage.account,
        period: usage.period.next(),
    };
    vec![ask(cause, billing::Command::Usage(next, command))]
}
