//! Takes away the sound of messages that are not there any more: at once when a message
//! is deleted, and by looking, at the start and now and then, where nobody saw it (a node
//! that died between writing a message and telling of it).

use anyhow::Context as _;
use commands::{
    feed::Feed,
    ports::{Clock, Recordings},
};
use domain::{
    any::{AnyEvent, Fact},
    id::VoicemailId,
    mailbox,
    time::Timestamp,
};
use projections::{changed::View, views::Views, voicemails::Status};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use store::Stores;
use tokio::time::{Instant, sleep_until};

/// Events taken from the feed at once.
const BATCH_MAX: usize = 500;
/// How often it is looked for what nobody saw.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);
/// What is younger than this may still be told of: a store that is away delays it.
const YOUNG_MICROS: i64 = 3_600_000_000;
/// Pause before what failed is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How long the views may take to know what the log says.
const VIEWS_WAIT: Duration = Duration::from_secs(10);

/// What it works with.
pub(crate) struct Tools {
    feed: Feed,
    recordings: Arc<dyn Recordings>,
    views: Views,
    clock: Arc<dyn Clock>,
}

impl Tools {
    pub(crate) fn new(feed: &Feed, stores: &Stores, views: &Views, clock: &Arc<dyn Clock>) -> Self {
        Self {
            feed: feed.clone(),
            recordings: stores.recordings.clone(),
            views: views.clone(),
            clock: clock.clone(),
        }
    }
}

/// Runs until it is told to stop.
pub(crate) async fn run(tools: Tools, stop: impl Future<Output = ()>) {
    let mut position = tools.feed.head();
    let mut gone = BTreeSet::new();
    let mut look_at = Instant::now();
    let work = async {
        loop {
            tokio::select! {
                () = tools.feed.wait_beyond(position) => {
                    match tools.feed.read(position, BATCH_MAX).await {
                        Ok(entries) => {
                            for entry in &entries {
                                position = entry.recorded.position;
                                gone.extend(is_gone(&entry.fact));
                            }
                        }
                        Err(error) => {
                            tracing::warn!(%error, "deleted messages are heard of later");
                            tokio::time::sleep(RETRY).await;
                        }
                    }
                }
                () = sleep_until(look_at) => {
                    look_at = Instant::now() + LOOK_EVERY;
                    match orphans(&tools).await {
                        Ok(orphans) => gone.extend(orphans),
                        Err(error) => {
                            let error = format!("{error:#}");
                            tracing::warn!(error, "recordings are looked through later");
                        }
                    }
                }
            }
            while let Some(message) = gone.first().copied() {
                match tools.recordings.remove(message).await {
                    Ok(()) => _ = gone.remove(&message),
                    Err(error) => {
                        tracing::warn!(%message, %error, "a recording is taken away later");
                        tokio::time::sleep(RETRY).await;
                    }
                }
            }
        }
    };
    tokio::select! {
        () = work => {}
        () = stop => {}
    }
}

/// The message whose sound is not wanted any more.
fn is_gone(fact: &Fact) -> Option<VoicemailId> {
    match &fact.event {
        AnyEvent::Mailbox(
            _,
            mailbox::Event::Deleted { message, .. } | mailbox::Event::Released { message, .. },
        ) => Some(*message),
        AnyEvent::Mailbox(..)
        | AnyEvent::Call(..)
        | AnyEvent::Session(..)
        | AnyEvent::Line(..)
        | AnyEvent::Queue(..)
        | AnyEvent::Person(..)
        | AnyEvent::Refusals(..)
        | AnyEvent::Schedule(..)
        | AnyEvent::Agent(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..)
        | AnyEvent::Callback(..)
        | AnyEvent::Billing(..) => None,
    }
}

/// Recordings that belong to no message that is there.
async fn orphans(tools: &Tools) -> anyhow::Result<Vec<VoicemailId>> {
    let before = Timestamp::from_micros(tools.clock.now().micros() - YOUNG_MICROS);
    let kept = tools.recordings.kept_before(before).await?;
    if kept.is_empty() {
        return Ok(vec![]);
    }
    let head = tools.feed.head();
    let known = tools
        .views
        .wait_for(&[View::Voicemails], head, VIEWS_WAIT)
        .await;
    known.context("messages are not all known")?;
    let mut orphans = vec![];
    for message in kept {
        let row = tools.views.voicemail(message).await;
        let row = row.context("messages can not be read")?;
        if row.is_none_or(|row| row.status == Status::Deleted) {
            orphans.push(message);
        }
    }
    Ok(orphans)
}
