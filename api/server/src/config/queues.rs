//! What only the whole file can tell of its mailboxes and queues: that what they name is there, and
//! that a chain of overflow ends.

use super::{Config, ConfigError, invalid, refused};
use domain::{
    decider::Decider as _,
    id::{DEFAULT_TENANT, MailboxId, QueueId},
    mailbox,
    queue::{self, OverflowTo},
};
use std::collections::BTreeMap;

/// The rules of the domain, before anything is served, and those of the file.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let named = |name: &str| QueueId::named(DEFAULT_TENANT, name);
    for (index, entry) in config.mailboxes.iter().enumerate() {
        refused("mailbox", index, mailbox::Mailbox::decide, entry.command())?;
        let greeting = entry.greeting.as_ref();
        if let Some(name) = greeting.filter(|name| !config.media.announcements.contains_key(*name))
        {
            return invalid(format!(
                "mailbox[{index}].greeting: {name:?} is not in media.announcements"
            ));
        }
    }
    let mut next: BTreeMap<QueueId, Vec<QueueId>> = BTreeMap::new();
    for (index, queue) in config.queues.iter().enumerate() {
        refused("queue", index, queue::Queue::decide, queue.command())?;
        let rules = queue.overflow.iter();
        let rules = rules.map(|rule| {
            let to = rule.rule().map(|rule| rule.to);
            ("overflow", rule.queue.as_deref(), to)
        });
        let exits = queue.exits.iter();
        let exits = exits.map(|exit| {
            let to = exit.exit().map(|exit| exit.to);
            ("exits", exit.queue.as_deref(), to)
        });
        for (key, target, to) in rules.chain(exits) {
            let key = format!("queue[{index}].{key}");
            let Some(to) = to else {
                return invalid(format!(
                    "{key}: a rule has one of queue, number, callback, announcement and mailbox"
                ));
            };
            if target.is_some_and(|name| !has(config, name)) {
                return invalid(format!("{key}: there is no queue {target:?} in the file"));
            }
            match to {
                OverflowTo::Queue(to) => next.entry(named(&queue.name)).or_default().push(to),
                OverflowTo::Announcement(name)
                    if !config.media.announcements.contains_key(&name) =>
                {
                    return invalid(format!("{key}: {name:?} is not in media.announcements"));
                }
                OverflowTo::Mailbox(to) if !has_mailbox(config, to) => {
                    return invalid(format!("{key}: there is no such mailbox in the file"));
                }
                OverflowTo::Announcement(_)
                | OverflowTo::Number(_)
                | OverflowTo::Callback
                | OverflowTo::Mailbox(_) => {}
            }
        }
    }
    prompts(config)?;
    music(config)?;
    for (index, queue) in config.queues.iter().enumerate() {
        let queue::Command::Configure { config, .. } = queue.command() else {
            continue;
        };
        let next_of = |id| next.get(&id).cloned().unwrap_or_default();
        if queue::loops(named(&queue.name), &config, next_of) {
            return invalid(format!(
                "queue[{index}].overflow: by it and by exits, calls would come back to {:?} for ever",
                queue.name
            ));
        }
    }
    Ok(())
}

/// What callers are to hear is there.
fn music(config: &Config) -> Result<(), ConfigError> {
    for (index, queue) in config.queues.iter().enumerate() {
        let name = queue.music.as_ref();
        if let Some(name) = name.filter(|name| !config.media.music.contains_key(*name)) {
            return invalid(format!(
                "queue[{index}].music: {name:?} is not in media.music"
            ));
        }
    }
    Ok(())
}

/// By what callers are told their place is there, as far as queues tell it.
fn prompts(config: &Config) -> Result<(), ConfigError> {
    let folders = &config.media.positions;
    for (name, folder) in folders {
        if let Some(file) = media::missing_prompt(folder, 1) {
            return invalid(format!(
                "media.positions.{name}: there is no {}",
                file.display()
            ));
        }
    }
    for (index, queue) in config.queues.iter().enumerate() {
        let Some(told) = &queue.announce_position else {
            continue;
        };
        let key = format!("queue[{index}].announce_position");
        let Some(folder) = folders.get(&told.sounds) else {
            return invalid(format!(
                "{key}: {:?} is not in media.positions",
                told.sounds
            ));
        };
        if let Some(file) = media::missing_prompt(folder, told.up_to) {
            return invalid(format!("{key}: there is no {}", file.display()));
        }
    }
    Ok(())
}

fn has_mailbox(config: &Config, mailbox: MailboxId) -> bool {
    config.mailboxes.iter().any(|entry| entry.id() == mailbox)
}

/// Whether the file has a queue of that name.
pub(super) fn has(config: &Config, name: &str) -> bool {
    let mut queues = config.queues.iter();
    queues.any(|known| known.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::call::OverflowCause;
    use std::{fs, path::Path};

    /// A queue that tells places so, by prompts of the first two.
    fn load(folder: &Path, told: &str) -> Result<Config, ConfigError> {
        let file = folder.join("ringledger.toml");
        let text = format!(
            "[media.positions]\nenglish = {folder:?}\n[[queue]]\nname = \"a\"\n\
             answer_mode = \"immediate\"\nannounce_position = {{ {told} }}\n"
        );
        fs::write(&file, text).unwrap();
        Config::load(Some(&file))
    }

    #[test]
    fn three_queues_in_a_chain_are_as_the_file_says() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ringledger.toml");
        let of = |name: &str, (capacity, priority, wait_s): (u32, i32, u64), next: &str| {
            let rule = |when: &str| format!("{{ when = {when:?}, queue = {next:?} }}");
            let overflow = match next {
                "" => String::new(),
                _ => format!("{}, {}", rule("full"), rule("max_wait")),
            };
            format!(
                "[[queue]]\nname = {name:?}\ncapacity = {capacity}\nmax_wait_ms = {}\n\
                 overflow = [{overflow}]\nmatching = {{ priority = {priority} }}\n",
                wait_s * 1_000
            )
        };
        let chain = [
            of("vip", (50, 100, 60), "premium"),
            of("premium", (100, 75, 120), "general"),
            of("general", (200, 50, 300), ""),
        ];
        fs::write(&file, chain.concat()).unwrap();
        let config = Config::load(Some(&file)).unwrap();
        let rules: Vec<queue::Config> = config
            .queues
            .iter()
            .filter_map(|queue| {
                let queue::Command::Configure { config, .. } = queue.command() else {
                    return None;
                };
                Some(config)
            })
            .collect();
        let said = rules
            .iter()
            .map(|it| (it.capacity, it.matching.priority, it.max_wait_ms));
        let said: Vec<_> = said.collect();
        assert_eq!(
            said,
            [(50, 100, 60_000), (100, 75, 120_000), (200, 50, 300_000)]
        );
        let named = |name: &str| OverflowTo::Queue(QueueId::named(DEFAULT_TENANT, name));
        for (rules, next) in rules.iter().zip([Some("premium"), Some("general"), None]) {
            for cause in [OverflowCause::Full, OverflowCause::MaxWait] {
                assert_eq!(rules.overflow(cause), next.map(named).as_ref());
            }
            // What is not said is as it comes.
            assert_eq!(rules.strategy, queue::Strategy::LongestIdle);
            assert_eq!(
                rules.ring_timeout_ms,
                queue::Config::default().ring_timeout_ms
            );
        }
        // A chain that comes back is refused.
        let round = chain.concat().replace(
            "overflow = []",
            "overflow = [{ when = \"max_wait\", queue = \"vip\" }]",
        );
        fs::write(&file, round).unwrap();
        let error = Config::load(Some(&file)).unwrap_err().to_string();
        assert!(error.contains("for ever"), "{error}");
    }

    #[test]
    fn what_is_wrong_with_how_places_are_told_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |told: &str| load(folder.path(), told).unwrap_err().to_string();
        let prompt = |name: &str| fs::write(folder.path().join(name), "").unwrap();
        let told = "sounds = \"english\", up_to = 2";
        for missing in ["1.wav", "more.wav"] {
            let error = refused(told);
            assert!(error.contains("media.positions.english"), "{error}");
            assert!(error.contains(missing), "{error}");
            prompt(missing);
        }
        prompt("2.wav");
        for (told, named) in [
            ("sounds = \"english\", every_s = 30", "every_s"),
            (
                "sounds = \"english\", every_ms = 30",
                "queue[0]: announce_position",
            ),
            (
                "sounds = \"german\"",
                "\"german\" is not in media.positions",
            ),
            ("sounds = \"english\", up_to = 4", "3.wav"),
        ] {
            let error = refused(told);
            assert!(error.contains(named), "{told}: {error}");
        }
        let config = load(folder.path(), told).unwrap();
        let told = config.queues[0].announce_position.as_ref().unwrap();
        assert_eq!((told.every_ms, told.first_ms), (30_000, 5_000));
    }
}
