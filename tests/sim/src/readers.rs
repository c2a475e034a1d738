//! The real read models, folded in memory fact by fact. Each fact is folded
//! twice: the second time it must change nothing.

use crate::{
    ledger::Ledger,
    violation::{Violation, must},
};
use domain::{
    any::{AnyEvent, Fact},
    id::{CallId, MailboxId, QueueId},
};
use projections::{
    agent_states::AgentStates,
    callbacks::Callbacks,
    cdr::Cdr,
    live_calls::LiveCalls,
    mailboxes::Mailboxes,
    projection::{Effect, Input, Projection, fold},
    queue_stats::QueueStats,
    voicemails::Voicemails,
};
use std::collections::BTreeMap;

/// One read model.
struct Reader<P: Projection> {
    rows: BTreeMap<P::Key, P::Row>,
}

impl<P: Projection> Default for Reader<P> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
        }
    }
}

impl<P: Projection> Reader<P> {
    fn note(&mut self, fact: &Fact) -> Result<(), Violation> {
        let Some(key) = P::key(fact) else {
            return Ok(());
        };
        let mut row = self.rows.remove(&key);
        must(row.is_none() || !P::creates(fact), || {
            format!("{} has a row for {key} before it is made", P::NAME)
        })?;
        let input = Input { fact, party: None };
        fold::<P>(&mut row, &input);
        let once = row.clone();
        let again = fold::<P>(&mut row, &input);
        must(again == Effect::Kept && row == once, || {
            format!("{} counts {} twice", P::NAME, fact.event.event_type())
        })?;
        if let Some(row) = row {
            self.rows.insert(key, row);
        }
        Ok(())
    }
}

/// All of them.
#[derive(Default)]
pub(crate) struct Readers {
    queues: Reader<QueueStats>,
    agents: Reader<AgentStates>,
    live: Reader<LiveCalls>,
    records: Reader<Cdr>,
    callbacks: Reader<Callbacks>,
    mailboxes: Reader<Mailboxes>,
    voicemails: Reader<Voicemails>,
    pub(crate) records_count: u64,
}

impl Readers {
    /// Folds the fact into every read model.
    ///
    /// # Errors
    /// The rule that a read model broke.
    pub(crate) fn note(&mut self, fact: &Fact, ledger: &Ledger) -> Result<(), Violation> {
        self.queues.note(fact)?;
        self.agents.note(fact)?;
        self.live.note(fact)?;
        self.records.note(fact)?;
        self.callbacks.note(fact)?;
        self.mailboxes.note(fact)?;
        self.voicemails.note(fact)?;
        match &fact.event {
            AnyEvent::Line(queue, _) => self.check_tally(*queue, ledger),
            AnyEvent::Call(call, domain::call::Event::Ended { .. }) => self.check_record(*call),
            AnyEvent::Mailbox(mailbox, _) => self.check_mailbox(*mailbox, ledger),
            AnyEvent::Call(..)
            | AnyEvent::Session(..)
            | AnyEvent::Queue(..)
            | AnyEvent::Person(..)
            | AnyEvent::Refusals(..)
            | AnyEvent::Schedule(..)
            | AnyEvent::Agent(..)
            | AnyEvent::Device(..)
            | AnyEvent::Trunk(..)
            | AnyEvent::Callback(..)
            | AnyEvent::Billing(..) => Ok(()),
        }
    }

    /// O = A + AB + FO + CB + W, as the queue's own row says and as the facts say.
    fn check_tally(&self, queue: QueueId, ledger: &Ledger) -> Result<(), Violation> {
        let Some(row) = self.queues.rows.get(&queue) else {
            return Err(Violation(format!("{queue} has no statistics")));
        };
        let (total, tally) = (row.total, ledger.tally(queue));
        must(
            total.offered_count
                == total.answered_count
                    + total.abandoned_count
                    + total.flow_out_count
                    + total.callback_count
                    + row.waiting_count,
            || format!("the statistics of {queue} do not add up: {row:?}"),
        )?;
        let counted = (
            total.offered_count,
            total.answered_count,
            total.abandoned_count,
            total.flow_out_count,
            total.callback_count,
            row.waiting_count,
        );
        let true_ones = (
            tally.offered,
            tally.answered,
            tally.abandoned,
            tally.flow_out,
            tally.callback,
            tally.waiting,
        );
        must(counted == true_ones, || {
            format!("the statistics of {queue} are {counted:?}, the facts {true_ones:?}")
        })
    }

    /// A mailbox counts the messages that are there.
    fn check_mailbox(&self, mailbox: MailboxId, ledger: &Ledger) -> Result<(), Violation> {
        let row = self.mailboxes.rows.get(&mailbox);
        let counted = row.map_or((0, 0), |row| {
            let there = row.new_count + row.read_count + row.saved_count;
            (there, row.expected_count)
        });
        let true_ones = ledger.messages.counts(mailbox);
        must(counted == true_ones, || {
            format!("{mailbox} counts {counted:?} messages, the facts {true_ones:?}")
        })
    }

    fn check_record(&mut self, call: CallId) -> Result<(), Violation> {
        self.records_count += 1;
        let is_ended = self
            .records
            .rows
            .get(&call)
            .is_some_and(|row| row.end.is_some());
        must(is_ended, || format!("{call} ended without a record"))
    }

    /// Nothing is under way: the read models know whom the ledger knows.
    pub(crate) fn check_quiet(&self, ledger: &Ledger) -> Result<(), Violation> {
        let (rows, live) = (self.live.rows.len(), ledger.calls.live_count());
        must(rows == live, || {
            format!("{rows} calls are on the board, {live} in progress")
        })
    }

    /// Folding the whole log again gives the same rows.
    pub(crate) fn check_rebuilt<'a>(
        &self,
        log: impl Iterator<Item = &'a Fact>,
    ) -> Result<(), Violation> {
        let mut again = Self::default();
        for fact in log {
            again.queues.note(fact)?;
            again.agents.note(fact)?;
            again.live.note(fact)?;
            again.records.note(fact)?;
            again.callbacks.note(fact)?;
            again.mailboxes.note(fact)?;
            again.voicemails.note(fact)?;
        }
        must(
            again.queues.rows == self.queues.rows
                && again.agents.rows == self.agents.rows
                && again.live.rows == self.live.rows
                && again.records.rows == self.records.rows
                && again.callbacks.rows == self.callbacks.rows
                && again.mailboxes.rows == self.mailboxes.rows
                && again.voicemails.rows == self.voicemails.rows,
            || "a rebuilt read model differs from the live one".into(),
        )
    }

    /// The call's record is written and its wrap-up over: out of memory.
    pub(crate) fn forget(&mut self, call: CallId) {
        self.records.rows.remove(&call);
    }
}
