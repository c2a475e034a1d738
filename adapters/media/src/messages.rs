//! Keeps what callers have said: sealed under the caller's key, in the store, and only
//! then told of. Away from the threads that relay, which never wait for a disk.

use crate::{
    driver::{Means, envelope},
    flow::Speaking,
    recorder::Recording,
};
use commands::{
    envelope::Envelope,
    ports::{SealedSound, StoreError, VaultError},
};
use domain::call::{Audio, Command, VOICEMAIL_MS_MIN, VoicemailOutcome};
use sha2::{Digest as _, Sha256};
use std::time::Duration;

/// First pause before a message is written again; doubled each time.
const RETRY: Duration = Duration::from_millis(50);
/// After this many tries (about 13 seconds) it is lost: a caller who has stopped to speak
/// is not held for longer.
const TRIES_MAX: u32 = 9;
/// A message has so much that is loud at least: the click of a phone that is put down
/// has less.
const VOICED_MS_MIN: u64 = 500;

/// Why a message is not kept.
#[derive(Debug, thiserror::Error)]
enum NotKept {
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Keeps a message and says what came of it. None was recorded for want of memory.
pub(crate) async fn kept(
    means: &Means,
    speaking: Speaking,
    recording: Option<Recording>,
    is_gone: bool,
) -> Envelope {
    let Some(recording) = recording else {
        let message = speaking.message;
        tracing::error!(call = %speaking.call, %message, "no memory is left for a message");
        return report(means, speaking, (VOICEMAIL_MS_MIN, None), is_gone);
    };
    let length_ms = recording.length_ms();
    let voiced_ms = recording.voiced_ms();
    if length_ms < VOICEMAIL_MS_MIN || voiced_ms < VOICED_MS_MIN {
        let said_ms = length_ms.min(voiced_ms);
        return report(means, speaking, (said_ms, None), is_gone);
    }
    let audio = keep_at_last(means, speaking, &recording.file()).await;
    // Only now its memory is free for the next one.
    drop(recording);
    report(means, speaking, (length_ms, audio), is_gone)
}

/// The command that tells what came of a message.
pub(crate) fn report(
    means: &Means,
    speaking: Speaking,
    (length_ms, audio): (u64, Option<Audio>),
    is_gone: bool,
) -> Envelope {
    let outcome = match VoicemailOutcome::of(length_ms, audio.is_some()) {
        VoicemailOutcome::Left => "left",
        VoicemailOutcome::TooShort => "too_short",
        VoicemailOutcome::Lost => "lost",
    };
    metrics::counter!("ringledger_voicemails_total", "outcome" => outcome).increment(1);
    let command = Command::RecordVoicemail {
        message: speaking.message,
        length_ms,
        audio,
        is_gone,
    };
    envelope(means, speaking.call, command)
}

async fn keep_at_last(means: &Means, speaking: Speaking, file: &[u8]) -> Option<Audio> {
    let mut pause = RETRY;
    for turn in 1..=TRIES_MAX {
        let message = speaking.message;
        match keep(means, speaking, file).await {
            Ok(()) => {
                return Some(Audio {
                    size_bytes: file.len() as u64,
                    sha256: format!("{:x}", Sha256::digest(file)),
                });
            }
            Err(error) if turn == TRIES_MAX => {
                tracing::error!(call = %speaking.call, %message, %error, "a message is lost");
            }
            Err(error) => {
                tracing::warn!(call = %speaking.call, %message, %error, "a message is kept later");
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
    }
    None
}

async fn keep(means: &Means, speaking: Speaking, file: &[u8]) -> Result<(), NotKept> {
    let subject = speaking.subject;
    let sealed = means.vault.seal_bytes(subject, file).await?;
    let sound = SealedSound { subject, sealed };
    let now = means.clock.now();
    means.recordings.put(speaking.message, now, sound).await?;
    Ok(())
}
