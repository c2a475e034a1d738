//! Facts on their way into the record: those of one aggregate one after the
//! other, so that a store that is away for a while does not change their order,
//! and each of them until it has its answer.

use commands::{
    envelope::Envelope,
    error::DispatchError,
    gateway::{Gateway, Pending},
    lanes::{self, Lane, lane_of},
};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// First and longest pause between tries. There is no last try: a phone does
/// not say a second time what it has said.
const RETRY_PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// How far a fact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// On its way.
    Waiting,
    /// The store is away: it will be recorded, but nobody knows when.
    Delayed,
    /// It is in the record.
    Settled,
    /// The rules have refused it: the code of the refusal.
    Refused(&'static str),
    /// Its stream can not be read: a person must look at it.
    Lost,
}

/// Where the progress of a fact is seen; may be dropped.
#[derive(Debug)]
pub(super) struct Receipt(watch::Receiver<Progress>);

impl Receipt {
    /// The first answer: anything but [`Progress::Waiting`].
    pub(super) async fn first(&mut self) -> Progress {
        Self::until(&mut self.0, |progress| progress != Progress::Waiting).await
    }

    /// Waits as long as it takes; whether the fact has its answer.
    pub(super) async fn settled(self) -> bool {
        self.last().await != Progress::Lost
    }

    /// The last word, however long it takes.
    pub(super) async fn last(mut self) -> Progress {
        let is_last = |progress| match progress {
            Progress::Waiting | Progress::Delayed => false,
            Progress::Settled | Progress::Refused(_) | Progress::Lost => true,
        };
        Self::until(&mut self.0, is_last).await
    }

    async fn until(
        receiver: &mut watch::Receiver<Progress>,
        wanted: impl Fn(Progress) -> bool,
    ) -> Progress {
        match receiver.wait_for(|progress| wanted(*progress)).await {
            Ok(progress) => *progress,
            // Its task is gone: the runtime stops.
            Err(_) => Progress::Lost,
        }
    }
}

struct Fact {
    envelope: Envelope,
    progress: watch::Sender<Progress>,
}

/// What is on its way, and where the fact in front has been tried in vain.
#[derive(Default)]
struct Traffic {
    lanes: lanes::Lanes<Fact>,
    stuck: HashSet<Lane>,
}

/// The lanes; cheap to clone.
#[derive(Clone)]
pub(super) struct Lanes {
    gateway: Gateway,
    traffic: Arc<Mutex<Traffic>>,
}

impl Lanes {
    pub(super) fn new(gateway: Gateway) -> Self {
        Self {
            gateway,
            traffic: Arc::default(),
        }
    }

    /// Puts a fact into its lane: into the aggregate's mailbox at once, unless
    /// an earlier one has no answer yet.
    pub(super) fn record(&self, envelope: Envelope) -> Receipt {
        let lane = lane_of(&envelope.command);
        let (progress, receipt) = watch::channel(Progress::Waiting);
        let fact = Fact { envelope, progress };
        let mut traffic = self.lock();
        if traffic.stuck.contains(&lane) {
            fact.progress.send_replace(Progress::Delayed);
        }
        if let Some(fact) = traffic.lanes.enter(lane.clone(), fact) {
            let pending = self.gateway.submit(fact.envelope.clone());
            tokio::spawn(self.clone().run(lane, fact, pending));
        }
        Receipt(receipt)
    }

    /// Carries out what is in a lane, until it is empty.
    async fn run(self, lane: Lane, mut fact: Fact, mut pending: Pending) {
        loop {
            let progress = self.insist(&lane, &fact, pending).await;
            fact.progress.send_replace(progress);
            let Some(next) = self.next(&lane) else { return };
            pending = self.gateway.submit(next.envelope.clone());
            fact = next;
        }
    }

    fn next(&self, lane: &Lane) -> Option<Fact> {
        let mut traffic = self.lock();
        traffic.stuck.remove(lane);
        traffic.lanes.leave(lane)
    }

    /// Submits, while the store is away, again under the same id.
    async fn insist(&self, lane: &Lane, fact: &Fact, mut pending: Pending) -> Progress {
        let mut pause = RETRY_PAUSE.0;
        loop {
            match pending.wait().await {
                Ok(_) => return Progress::Settled,
                Err(DispatchError::Refused(refused)) => {
                    tracing::debug!(code = refused.code, "command was refused");
                    return Progress::Refused(refused.code);
                }
                Err(error @ DispatchError::Corrupt(_)) => {
                    tracing::error!(%error, "fact was not recorded");
                    return Progress::Lost;
                }
                Err(error @ (DispatchError::Conflict | DispatchError::Unavailable(_))) => {
                    tracing::debug!(%error, "fact will be tried again");
                    self.delay(lane, fact);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(RETRY_PAUSE.1);
                    pending = self.gateway.submit(fact.envelope.clone());
                }
            }
        }
    }

    /// Tells all in a lane that it does not move.
    fn delay(&self, lane: &Lane, fact: &Fact) {
        fact.progress.send_replace(Progress::Delayed);
        let mut traffic = self.lock();
        traffic.stuck.insert(lane.clone());
        for waiting in traffic.lanes.waiting(lane) {
            waiting.progress.send_replace(Progress::Delayed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
