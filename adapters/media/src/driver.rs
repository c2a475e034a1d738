//! Drives the relay by committed events, and tells by commands what it hears: silence,
//! keys, what was measured, and messages, which it keeps first. Signalling opens the legs
//! and names their far ends.

use crate::{
    event::MediaEvent,
    flow::{Floor, Order},
    messages,
    relay::Relay,
    reports::{Report, Reports},
};
use commands::{
    envelope::Envelope,
    error::DispatchError,
    feed::Feed,
    gateway::Gateway,
    ports::{Clock, Entropy, Position, ReadError, Recordings, Vault},
};
use domain::{
    any::{AnyCommand, AnyEvent},
    call::{Command, Key},
    id::{CallId, CommandId, DEFAULT_TENANT, LegId},
};
use std::{sync::Arc, time::Duration, time::Instant};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};

/// Events taken from the feed at once.
const BATCH_MAX: usize = 256;
/// Pause before a feed that can not be read is read again.
const READ_AGAIN_MS: u64 = 100;
/// Reports on their way; one more waits until one is through.
const REPORTS_MAX: usize = 1024;
/// So long nothing more has come of legs that were closed before the stop: all is told.
const QUIET: Duration = Duration::from_millis(50);
/// Longest that a stop waits for the last reports.
const LAST: Duration = Duration::from_secs(2);
/// First pause before a report is tried again on a store that is down;
/// doubled up to the most.
const RETRY_MS: u64 = 20;
const RETRY_MS_MAX: u64 = 2_000;
/// After this many tries (about five minutes) a report is given up.
const TRIES_MAX: u32 = 150;

/// What the driver works with.
#[derive(Clone)]
pub struct Means {
    /// What it drives.
    pub relay: Relay,
    /// Where events come from.
    pub feed: Feed,
    /// Where reports go.
    pub gateway: Gateway,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New command ids.
    pub entropy: Arc<dyn Entropy>,
    /// Seals what callers say.
    pub vault: Arc<dyn Vault>,
    /// Where it is kept.
    pub recordings: Arc<dyn Recordings>,
}

impl std::fmt::Debug for Means {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Means")
            .field("relay", &self.relay)
            .finish_non_exhaustive()
    }
}

/// Runs until `stop`, reading on after `from`: the head of the feed at the
/// start of this node, after recovery. An effect is never made again for
/// events of an earlier run.
///
/// # Errors
/// When an event can not be read: the driver stops at its position, nothing
/// is skipped.
pub async fn run(
    means: Means,
    mut events: mpsc::Receiver<MediaEvent>,
    from: Position,
    mut stop: oneshot::Receiver<()>,
) -> Result<(), ReadError> {
    let mut floor = Floor::default();
    let mut measured = Reports::default();
    let mut position = from;
    let mut reports = JoinSet::new();
    loop {
        tokio::select! {
            () = means.feed.wait_beyond(position) => {
                let told = read(&means, &mut floor, &mut measured, &mut position).await?;
                for report in told {
                    send(&means, &mut reports, report).await;
                }
            }
            Some(event) = events.recv() => {
                hear(&means, &mut floor, &mut measured, &mut reports, event).await;
            }
            Some(_) = reports.join_next() => {}
            _ = &mut stop => break,
        }
    }
    // The last calls of a node that stops are measured too.
    let last = async {
        while position < means.feed.head() {
            for report in read(&means, &mut floor, &mut measured, &mut position).await? {
                send(&means, &mut reports, report).await;
            }
        }
        while let Ok(Some(event)) = tokio::time::timeout(QUIET, events.recv()).await {
            hear(&means, &mut floor, &mut measured, &mut reports, event).await;
        }
        while reports.join_next().await.is_some() {}
        Ok(())
    };
    tokio::time::timeout(LAST, last).await.unwrap_or(Ok(()))
}

/// Sends a report on its way; waits while too many are.
async fn send(means: &Means, reports: &mut JoinSet<()>, report: Envelope) {
    make_room(reports).await;
    reports.spawn(deliver(means.gateway.clone(), report));
}

async fn make_room(reports: &mut JoinSet<()>) {
    if reports.len() >= REPORTS_MAX {
        reports.join_next().await;
    }
}

/// Something has happened on a leg.
async fn hear(
    means: &Means,
    floor: &mut Floor,
    measured: &mut Reports,
    reports: &mut JoinSet<()>,
    event: MediaEvent,
) {
    if let MediaEvent::Recorded {
        leg,
        recording,
        is_closed,
    } = event
    {
        if let Some(speaking) = floor.spoken(leg) {
            make_room(reports).await;
            let means = means.clone();
            reports.spawn(async move {
                let report = messages::kept(&means, speaking, recording, is_closed).await;
                deliver(means.gateway, report).await;
            });
        }
    } else if let Some(report) = report(means, floor, measured, event) {
        send(means, reports, report).await;
    }
}

/// What was measured of a call, as a command.
fn media(means: &Means, (call, legs): Report) -> Envelope {
    envelope(means, call, Command::RecordMedia { legs })
}

/// Obeys the next events and moves to the position of the last. What is to be
/// reported at once: what was measured of calls of which nothing is to be measured any
/// more, and that an announcement is over which there is not.
async fn read(
    means: &Means,
    floor: &mut Floor,
    measured: &mut Reports,
    position: &mut Position,
) -> Result<Vec<Envelope>, ReadError> {
    let mut over = vec![];
    let mut told = vec![];
    let entries = match means.feed.read(*position, BATCH_MAX).await {
        Ok(entries) => entries,
        // A store that is away delays the music; it must not end it for good.
        Err(error @ ReadError::Unavailable(_)) => {
            tracing::warn!(%error, "media will read the feed again");
            tokio::time::sleep(Duration::from_millis(READ_AGAIN_MS)).await;
            return Ok(told);
        }
        Err(error @ ReadError::Corrupt { .. }) => return Err(error),
    };
    for entry in entries {
        *position = entry.recorded.position;
        // The sound of a call is with the node that received it.
        if !floor.concerns(&entry.fact, means.gateway.node_epoch()) {
            continue;
        }
        if let AnyEvent::Call(_, event) = &entry.fact.event
            && let Some(end) = event.ends_supervision()
        {
            metrics::counter!("ringledger_supervisions_total", "reason" => end.name()).increment(1);
        }
        let follows = measured.hear(&entry.fact.event);
        over.extend(follows.report);
        for leg in follows.close {
            if !means.relay.close(leg) {
                over.extend(measured.closed(leg, None));
            }
        }
        for order in floor.hear(entry.fact.at, &entry.fact.event) {
            match order {
                Order::PlayMusic(leg, name) => means.relay.play_music(leg, name.as_deref()),
                Order::PlayNotice(leg) => means.relay.play_notice(leg),
                Order::PlayRingback(leg) => means.relay.play_ringback(leg),
                Order::Announce(leg, name) => {
                    if !means.relay.announce(leg, &name) {
                        tracing::error!(%leg, name, "there is no such announcement");
                        told.extend(announced(means, floor, leg));
                    }
                }
                Order::TellPlace(leg, sounds, (place, is_behind)) => {
                    if !means.relay.tell_place(leg, &sounds, (place, is_behind)) {
                        tracing::error!(%leg, sounds, place, "there is no such prompt");
                    }
                }
                Order::Record(leg, greeting, longest_ms) => {
                    let longest_ms = u32::try_from(longest_ms).unwrap_or(u32::MAX);
                    let greeting = greeting.as_deref();
                    if !means.relay.take_message(leg, greeting, longest_ms) {
                        told.extend(nothing_said(means, floor, leg));
                    }
                }
                Order::Bridge(a, b) => means.relay.bridge(a, b),
                Order::Supervise(third, pair, mode) => means.relay.supervise(third, pair, mode),
                Order::Close(leg) => {
                    if !means.relay.close(leg) {
                        over.extend(measured.closed(leg, None));
                        told.extend(nothing_said(means, floor, leg));
                    }
                }
            }
        }
    }
    let behind = means.feed.head().0.saturating_sub(position.0);
    metrics::gauge!("ringledger_media_lag_events").set(behind as f64);
    metrics::gauge!("ringledger_media_calls_count").set(floor.len() as f64);
    metrics::gauge!("ringledger_media_ports_open_count").set(means.relay.open_ports() as f64);
    told.extend(over.into_iter().map(|report| media(means, report)));
    Ok(told)
}

/// The leg was closed before anything could be said on it, if it was to be recorded.
fn nothing_said(means: &Means, floor: &mut Floor, leg: LegId) -> Option<Envelope> {
    let speaking = floor.spoken(leg)?;
    Some(messages::report(means, speaking, (0, None), true))
}

/// The caller has been told everything.
fn announced(means: &Means, floor: &Floor, leg: LegId) -> Option<Envelope> {
    let call = floor.call_of(leg)?;
    Some(envelope(means, call, Command::RecordAnnounced { leg }))
}

/// The command that tells of a silence, a key, the end of an announcement, or what was
/// measured of a call that is over; none for a leg without a live call, for a key that
/// means nothing there, and for the end of a silence.
fn report(
    means: &Means,
    floor: &Floor,
    measured: &mut Reports,
    event: MediaEvent,
) -> Option<Envelope> {
    match event {
        MediaEvent::Silent { leg, since } => {
            let call = floor.call_of(leg)?;
            tracing::info!(%call, %leg, "leg is silent");
            Some(silence(means, call, leg, since))
        }
        MediaEvent::Key { leg, code } => {
            let key = Key::of_event(code)?;
            let call = floor.means_something(leg, key)?;
            Some(envelope(means, call, Command::RecordKey { leg, key }))
        }
        MediaEvent::Announced { leg } => announced(means, floor, leg),
        // Kept first: see `hear`.
        MediaEvent::Recorded { .. } => None,
        MediaEvent::Closed(leg) => {
            let over = measured.closed(leg.leg, Some(leg))?;
            Some(media(means, over))
        }
        MediaEvent::Heard { leg } => {
            tracing::info!(%leg, "leg is heard again");
            None
        }
    }
}

fn silence(means: &Means, call: CallId, leg: LegId, since: Instant) -> Envelope {
    let now = means.clock.now();
    // The relay's clock is monotonic; the record's is UTC.
    let silent_micros = i64::try_from(since.elapsed().as_micros()).unwrap_or(i64::MAX);
    let since = domain::time::Timestamp::from_micros(now.micros().saturating_sub(silent_micros));
    envelope(means, call, Command::RecordMediaSilence { leg, since })
}

pub(crate) fn envelope(means: &Means, call: CallId, command: Command) -> Envelope {
    let now = means.clock.now();
    let id = means.entropy.uuid(now);
    Envelope {
        command: AnyCommand::Call(call, command),
        command_id: CommandId(id),
        at: now,
        correlation_id: call.0,
        causation_id: id,
        actor: "adapter:media".into(),
        tenant: DEFAULT_TENANT,
    }
}

/// Hands a report over, again and again under the same id while the store is
/// down: the relay tells it only once.
async fn deliver(gateway: Gateway, report: Envelope) {
    let mut pause_ms = RETRY_MS;
    for _ in 0..TRIES_MAX {
        match gateway.dispatch(report.clone()).await {
            Ok(_) => return,
            Err(DispatchError::Conflict | DispatchError::Unavailable(_)) => {
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
                pause_ms = (pause_ms * 2).min(RETRY_MS_MAX);
            }
            Err(error @ (DispatchError::Refused(_) | DispatchError::Corrupt(_))) => {
                tracing::warn!(%error, "a report was not recorded");
                return;
            }
        }
    }
    tracing::error!(call = %report.correlation_id, "a report could not be recorded");
}
