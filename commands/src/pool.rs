//! The aggregates of one kind that are in memory, each with a task of its own.

use crate::{
    actor::{self, Answer, Job, MAILBOX_MAX, Shared},
    envelope::Envelope,
    error::DispatchError,
    kind::Kind,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};
use tokio::sync::{mpsc, oneshot};

type Mailboxes<K> = HashMap<<K as Kind>::Id, mpsc::Sender<Box<Job<K>>>>;

/// A command on its way to its aggregate.
pub(crate) struct Sent {
    pub(crate) envelope: Envelope,
    /// The version that its stream is to be at; none for any.
    pub(crate) expected: Option<u64>,
}

/// See the module.
pub(crate) struct Pool<K: Kind> {
    mailboxes: Arc<Mutex<Mailboxes<K>>>,
}

impl<K: Kind> Default for Pool<K> {
    fn default() -> Self {
        Self {
            mailboxes: Arc::default(),
        }
    }
}

impl<K: Kind<State = K>> Pool<K> {
    /// How many are in memory.
    pub(crate) fn len(&self) -> usize {
        lock(&self.mailboxes).len()
    }

    /// Puts the command into the mailbox of its aggregate, which is taken into memory
    /// if it is not there; the answer comes through what is returned.
    pub(crate) fn submit(
        &self,
        shared: &Arc<Shared>,
        id: K::Id,
        sent: Sent,
        command: K::Command,
    ) -> Result<oneshot::Receiver<Answer>, DispatchError> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Job {
            envelope: sent.envelope,
            expected: sent.expected,
            command,
            reply,
        });
        let mut mailboxes = lock(&self.mailboxes);
        let mailbox = mailboxes.entry(id).or_insert_with(|| self.host(shared, id));
        match mailbox.try_send(job) {
            Ok(()) => Ok(answer),
            Err(mpsc::error::TrySendError::Full(_)) => Err(DispatchError::Unavailable(format!(
                "{}-{id} has {MAILBOX_MAX} commands waiting",
                K::CATEGORY
            ))),
            // It has ended with a panic, or is retiring: a new one takes over.
            Err(mpsc::error::TrySendError::Closed(job)) => {
                let mailbox = self.host(shared, id);
                let sent = mailbox.try_send(job);
                mailboxes.insert(id, mailbox);
                sent.map(|()| answer)
                    .map_err(|_| DispatchError::Unavailable("a new mailbox is full".into()))
            }
        }
    }

    fn host(&self, shared: &Arc<Shared>, id: K::Id) -> mpsc::Sender<Box<Job<K>>> {
        let (mailbox, jobs) = mpsc::channel(MAILBOX_MAX);
        let seat = Seat {
            id,
            mailboxes: Arc::downgrade(&self.mailboxes),
        };
        tokio::spawn(actor::run::<K>(seat, shared.clone(), jobs));
        mailbox
    }
}

/// The place of one aggregate in its pool.
pub(crate) struct Seat<K: Kind> {
    pub(crate) id: K::Id,
    mailboxes: Weak<Mutex<Mailboxes<K>>>,
}

impl<K: Kind> Seat<K> {
    /// More are in memory than should be kept there for what may still come.
    pub(crate) fn is_crowded(&self) -> bool {
        // Not worth a lock after each batch of a live call.
        if K::KEPT_MAX == usize::MAX {
            return false;
        }
        let mailboxes = self.mailboxes.upgrade();
        mailboxes.is_some_and(|mailboxes| lock(&mailboxes).len() > K::KEPT_MAX)
    }

    /// Gives the place up, unless a command has come in the meantime.
    pub(crate) fn retire(&self) -> bool {
        let Some(mailboxes) = self.mailboxes.upgrade() else {
            return true;
        };
        // Commands are put in under the same lock: an empty mailbox stays
        // empty, so no successor starts beside this one.
        let mut mailboxes = lock(&mailboxes);
        let is_empty = mailboxes
            .get(&self.id)
            .is_none_or(|mailbox| mailbox.capacity() == mailbox.max_capacity());
        if is_empty {
            mailboxes.remove(&self.id);
        }
        is_empty
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change under the lock is one insert or remove.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
