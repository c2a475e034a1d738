//! The configuration is read anew while the server runs: checked as a whole,
//! as at the start, then applied as commands. What is wrong in it is named, and
//! nothing of it counts.

use crate::{
    config::{Config, ConfigError},
    not_ready::NotReadyEntry,
    provision::{Provisioner, QueueEntry},
};
use domain::queue;
use futures_util::future::BoxFuture;
use graphql::{Reload, Reloaded, Settings, Words};
use std::{collections::BTreeMap, sync::Arc};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Where the configuration is read from.
pub type Source = Arc<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>;

/// A configuration that stands in no file.
pub fn fixed(config: Config) -> Source {
    Arc::new(move || Ok(config.clone()))
}

/// The settings that can change while the server runs.
pub(crate) fn settings(provisioner: Provisioner, config: Config, source: Source) -> Settings {
    let words = words_of(&config);
    let positions = words.positions.clone();
    let started_with = Arc::new(rest(config));
    let reload = move || -> BoxFuture<'static, Result<Reloaded, String>> {
        let (provisioner, source) = (provisioner.clone(), source.clone());
        let (started_with, positions) = (started_with.clone(), positions.clone());
        Box::pin(async move {
            let read = tokio::task::spawn_blocking(move || source()).await;
            let config = read
                .map_err(|error| error.to_string())?
                .map_err(|error| error.to_string())?;
            if let Some(name) = unread(&config, &started_with) {
                return Err(format!(
                    "media.announcements.{name}: it is read at a restart, and a queue or mailbox names it already"
                ));
            }
            if let Some(name) = unread_music(&config, &started_with) {
                return Err(format!(
                    "media.music.{name}: it is read at a restart, and a queue names it already"
                ));
            }
            if let Some(sounds) = unread_prompts(&config, &positions) {
                return Err(format!(
                    "media.positions.{sounds}: it is read at a restart, and a queue tells places by it already that it had no prompt of"
                ));
            }
            let words = Words {
                announcements: announcements_of(&started_with),
                music: music_of(&started_with),
                positions,
                ..words_of(&config)
            };
            let applied = provisioner.apply(&config).await;
            applied.map_err(|error| format!("{:#}", anyhow::Error::from(error)))?;
            Ok(Reloaded {
                words,
                needs_restart: rest(config) != *started_with,
            })
        })
    };
    let reload: Arc<Reload> = Arc::new(reload);
    Settings::new(words, reload)
}

fn words_of(config: &Config) -> Words {
    Words {
        skills: config.skills.clone(),
        wrap_up_codes: config.wrap_up_codes.clone(),
        announcements: announcements_of(config),
        music: music_of(config),
        positions: positions_of(config),
        pauses: config.pauses.iter().map(NotReadyEntry::word).collect(),
        queues: config
            .queues
            .iter()
            .map(|queue| queue.name.clone())
            .collect(),
    }
}

fn announcements_of(config: &Config) -> Vec<String> {
    config.media.announcements.keys().cloned().collect()
}

fn music_of(config: &Config) -> Vec<String> {
    config.media.music.keys().cloned().collect()
}

/// Music that a queue names and that was not read at the start.
fn unread_music(config: &Config, started_with: &Config) -> Option<String> {
    let mut names = config.queues.iter().filter_map(|it| it.music.as_ref());
    let read = &started_with.media.music;
    names.find(|name| !read.contains_key(*name)).cloned()
}

/// By what callers can be told their place, and how many places that has a prompt of.
fn positions_of(config: &Config) -> BTreeMap<String, u32> {
    let folders = config.media.positions.iter();
    folders
        .map(|(name, folder)| (name.clone(), media::prompts_count(folder)))
        .collect()
}

/// Prompts that a queue tells places by, some of which were not read at the start.
fn unread_prompts(config: &Config, read: &BTreeMap<String, u32>) -> Option<String> {
    let mut told = config
        .queues
        .iter()
        .filter_map(|queue| queue.announce_position.as_ref());
    let unread = told.find(|told| {
        read.get(&told.sounds)
            .is_none_or(|count| *count < told.up_to)
    });
    unread.map(|told| told.sounds.clone())
}

/// An announcement that a queue or mailbox names and that was not read at the start.
fn unread(config: &Config, started_with: &Config) -> Option<String> {
    let read = &started_with.media.announcements;
    let mut greetings = config
        .mailboxes
        .iter()
        .filter_map(|it| it.greeting.as_ref());
    if let Some(name) = greetings.find(|name| !read.contains_key(*name)) {
        return Some(name.clone());
    }
    let mut commands = config.queues.iter().map(QueueEntry::command);
    commands.find_map(|command| {
        let queue::Command::Configure { config, .. } = command else {
            return None;
        };
        let mut names = config.announcements();
        names.find(|name| !read.contains_key(*name)).map(Into::into)
    })
}

/// What counts only after a restart.
fn rest(config: Config) -> Config {
    Config {
        skills: vec![],
        wrap_up_codes: vec![],
        pauses: vec![],
        mailboxes: vec![],
        queues: vec![],
        trunks: vec![],
        agents: vec![],
        ..config
    }
}

/// Reads the configuration anew at each SIGHUP, until the server stops.
///
/// # Errors
/// When the signal can not be received.
pub(crate) async fn on_signal(settings: Settings, stop: CancellationToken) -> anyhow::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    while let Some(Some(())) = stop.run_until_cancelled(hangup.recv()).await {
        match settings.reload().await {
            Ok(reloaded) => {
                let needs_restart = reloaded.needs_restart;
                tracing::info!(needs_restart, "configuration was read anew");
            }
            Err(message) => tracing::warn!(message, "configuration was refused"),
        }
    }
    Ok(())
}
