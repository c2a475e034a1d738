//! Scripted people for the demo and the benches: an agent who takes calls, a caller who makes one.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::call::Call;
use crate::error::{Error, Result};
use crate::incoming::IncomingCall;
use crate::media::MediaStats;
use crate::options::CallOptions;
use crate::phone::Phone;
use crate::progress::{EndedBy, Phase, Progress, Steps};

/// Amplitude of scripted tones, as a share of full scale.
const TONE_LEVEL: f64 = 0.25;
/// Nothing a script waits for takes longer than this; it keeps every wait bounded.
const SCRIPT_WAIT_MAX_S: u64 = 24 * 3600;
/// Records kept by one agent; the counts go on.
pub const AGENT_RECORDS_MAX: usize = 100_000;

/// What an agent does when it rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentAnswer {
    /// Rings, then answers.
    Answer,
    /// Rings, then refuses with this status; with `ring_ms` 0 it refuses at once, without 180.
    Reject(u16),
    /// Answers nothing at all, as if the phone had vanished.
    Ignore,
    /// Rings until the caller gives up.
    NeverAnswer,
}

/// How long somebody talks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Talk {
    /// Hangs up after so many milliseconds.
    ForMs(u64),
    /// Waits for the other side to hang up.
    UntilRemoteHangup,
}

/// What an agent does with every call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AgentScript {
    /// Milliseconds of ringing before `answer` is carried out.
    pub ring_ms: u64,
    /// What it does then.
    pub answer: AgentAnswer,
    /// How long it talks.
    pub talk: Talk,
    /// The tone it speaks with; `None` is silence packets.
    pub tone_hz: Option<f64>,
}

impl Default for AgentScript {
    fn default() -> Self {
        Self {
            ring_ms: 0,
            answer: AgentAnswer::Answer,
            talk: Talk::UntilRemoteHangup,
            tone_hz: None,
        }
    }
}

/// One call as an agent saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentRecord {
    /// User part of the INVITE's From.
    pub from_user: Option<String>,
    /// Call-ID of the agent's leg.
    pub call_id: String,
    /// How it ended.
    pub progress: Progress,
    /// Its audio.
    pub media: MediaStats,
}

/// What an agent's shift came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AgentStats {
    /// Calls that came in.
    pub offered: u64,
    /// Calls answered and acknowledged.
    pub answered: u64,
    /// Calls refused, by the script or because the shift was over.
    pub rejected: u64,
    /// Calls not answered on purpose.
    pub ignored: u64,
    /// Calls taken back by the caller while they rang.
    pub cancelled: u64,
    /// Answered calls that the other side ended.
    pub remote_hangups: u64,
    /// Answered calls that the agent ended.
    pub own_hangups: u64,
    /// Calls that went wrong: an ACK that never came, an offer without a common codec.
    pub failed: u64,
    /// The calls, in the order they ended, up to [`AGENT_RECORDS_MAX`].
    pub records: Vec<AgentRecord>,
}

impl AgentStats {
    fn add(&mut self, record: AgentRecord, script: AgentScript) {
        let Progress {
            ended_by,
            steps,
            status,
            ..
        } = record.progress;
        let no_codec = status == Some(488) && script.answer != AgentAnswer::Reject(488);
        self.offered += 1;
        match (ended_by, steps.answered_at.is_some()) {
            (Some(EndedBy::Vanished), false) if script.answer == AgentAnswer::Ignore => {
                self.ignored += 1
            }
            (Some(EndedBy::Cancelled), _) => self.cancelled += 1,
            (Some(EndedBy::Rejected), _) if !no_codec => self.rejected += 1,
            (Some(EndedBy::Remote), true) => self.remote_hangups += 1,
            (Some(EndedBy::Us), true) => self.own_hangups += 1,
            (_, _) => self.failed += 1,
        }
        if steps.ack_at.is_some() {
            self.answered += 1;
        }
        if self.records.len() < AGENT_RECORDS_MAX {
            self.records.push(record);
        }
    }

    /// Pairs of calls that were up at the same time: 0 for an agent who is treated well.
    pub fn overlaps(&self) -> usize {
        let span = |record: &AgentRecord| {
            let Steps {
                answered_at,
                ended_at,
                ..
            } = record.progress.steps;
            Some((answered_at?, ended_at?))
        };
        let mut spans = self.records.iter().filter_map(span).collect::<Vec<_>>();
        spans.sort();
        spans
            .windows(2)
            .filter(|pair| pair[1].0 < pair[0].1)
            .count()
    }
}

/// What a caller does.
#[derive(Debug, Clone, PartialEq)]
pub struct CallerScript {
    /// User or URI to call.
    pub target: String,
    /// The INVITE.
    pub options: CallOptions,
    /// Milliseconds until an unanswered call is taken back; `None` waits for ever.
    pub patience_ms: Option<u64>,
    /// How long it talks once answered.
    pub talk: Talk,
    /// The tone it speaks with; `None` is silence packets.
    pub tone_hz: Option<f64>,
}

/// How a caller fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallerStats {
    /// How the call ended.
    pub progress: Progress,
    /// Its audio.
    pub media: MediaStats,
}

impl Phone {
    /// Treats every incoming call by the script until `until` completes; calls that are then up are hung up, those that
    /// ring are refused with 480. Several calls at once are all treated: whether that happened is in
    /// [`AgentStats::overlaps`].
    pub async fn run_agent(
        &self,
        script: AgentScript,
        until: impl Future<Output = ()>,
    ) -> AgentStats {
        let mut stats = AgentStats::default();
        let mut calls = JoinSet::new();
        let (stop, stopped) = watch::channel(false);
        tokio::pin!(until);
        loop {
            tokio::select! {
                () = &mut until => break,
                incoming = self.next_incoming() => match incoming {
                    Some(call) => drop(calls.spawn(treat(call, script, stopped.clone()))),
                    None => break,
                },
                Some(record) = calls.join_next(), if !calls.is_empty() => {
                    if let Ok(record) = record {
                        stats.add(record, script);
                    }
                }
            }
        }
        stop.send_replace(true);
        while let Some(record) = calls.join_next().await {
            if let Ok(record) = record {
                stats.add(record, script);
            }
        }
        stats
    }

    /// Makes one call by the script and waits until it is over. Fails only if the INVITE could not be sent.
    pub async fn run_caller(&self, script: CallerScript) -> Result<CallerStats> {
        let call = self.call(&script.target, script.options).await?;
        let patience =
            Duration::from_millis(script.patience_ms.unwrap_or(SCRIPT_WAIT_MAX_S * 1000));
        match call.wait_answered(patience).await {
            Ok(_) => {
                speak(&call, script.tone_hz);
                talk(&call, script.talk, &mut watch::channel(false).1).await;
            }
            Err(Error::Timeout) if call.progress().phase < Phase::Ended => {
                // Settled either way: cancelled, or answered in the same instant and hung up.
                let settled = call.cancel().await;
                if matches!(settled, Err(Error::WrongState)) {
                    talk(&call, Talk::ForMs(0), &mut watch::channel(false).1).await;
                }
            }
            Err(_) => {}
        }
        Ok(CallerStats {
            progress: call.progress(),
            media: call.media().stats(),
        })
    }
}

/// One call of an agent from INVITE to end.
async fn treat(
    call: IncomingCall,
    script: AgentScript,
    mut stop: watch::Receiver<bool>,
) -> AgentRecord {
    // A call that cannot be told something has ended by itself: its progress says how.
    let _ = carry_out(&call, script, &mut stop).await;
    AgentRecord {
        from_user: call.from_user().map(str::to_owned),
        call_id: call.call_id().to_owned(),
        progress: call.progress(),
        media: call.media().stats(),
    }
}

async fn carry_out(
    call: &IncomingCall,
    script: AgentScript,
    stop: &mut watch::Receiver<bool>,
) -> Result<()> {
    let ring_ms = match script.answer {
        AgentAnswer::Ignore => {
            call.ignore().await?;
            call.wait_ended(Duration::from_secs(1)).await?;
            return Ok(());
        }
        AgentAnswer::Reject(status) if script.ring_ms == 0 => {
            call.reject(status).await?;
            call.wait_ended(Duration::from_secs(1)).await?;
            return Ok(());
        }
        AgentAnswer::Answer | AgentAnswer::Reject(_) => script.ring_ms,
        AgentAnswer::NeverAnswer => SCRIPT_WAIT_MAX_S * 1000,
    };
    call.ring().await?;
    tokio::select! {
        ended = call.wait_ended(Duration::from_millis(ring_ms)) => if ended.is_ok() { return Ok(()) },
        () = stopped(stop) => {
            call.reject(480).await?;
            call.wait_ended(Duration::from_secs(1)).await?;
            return Ok(());
        }
    }
    match script.answer {
        AgentAnswer::Answer => {
            call.answer().await?;
            speak(call, script.tone_hz);
            talk(call, script.talk, stop).await;
        }
        AgentAnswer::Reject(status) => {
            call.reject(status).await?;
            call.wait_ended(Duration::from_secs(1)).await?;
        }
        AgentAnswer::Ignore | AgentAnswer::NeverAnswer => {}
    }
    Ok(())
}

fn speak(call: &Call, tone_hz: Option<f64>) {
    match tone_hz {
        Some(hz) => call.media().play_tone(hz, TONE_LEVEL),
        None => call.media().play_silence(),
    }
}

/// Talks as long as the script says, or until the other side or the script's end stops it.
async fn talk(call: &Call, talk: Talk, stop: &mut watch::Receiver<bool>) {
    let limit = match talk {
        Talk::ForMs(ms) => Duration::from_millis(ms),
        Talk::UntilRemoteHangup => Duration::from_secs(SCRIPT_WAIT_MAX_S),
    };
    tokio::select! {
        ended = call.wait_ended(limit) => if ended.is_ok() { return },
        () = stopped(stop) => {}
    }
    // It may have been hung up by the other side in the same instant, which is just as well.
    let _ = call.hang_up().await;
    let _ = call
        .wait_ended(Duration::from_secs(SCRIPT_WAIT_MAX_S))
        .await;
}

/// Completes when the script is told to end; a closed channel is a script that nobody ends.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let closed = stop.wait_for(|stop| *stop).await.is_err();
    if closed {
        std::future::pending::<()>().await;
    }
}
