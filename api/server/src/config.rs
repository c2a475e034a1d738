//! The settings: one TOML file, overridden by `RINGLEDGER__SECTION__KEY`. The
//! only file that reads the environment.

mod queues;

use crate::{
    not_ready::{self, NotReadyEntry},
    provision,
};
use domain::{agent::CAPACITY_MAX, decider::Decider as _, time::Timestamp, trunk};
use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

/// Prefix of the environment variables that override the file.
const ENVIRONMENT: &str = "RINGLEDGER__";

/// All settings. The file `ringledger.toml` of the repository documents each.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Who this node is.
    pub node: NodeSection,
    /// SIP.
    pub sip: sip::Options,
    /// HTTP and GraphQL.
    pub http: HttpSection,
    /// Where the record is kept.
    pub store: StoreSection,
    /// RTP.
    pub media: media::Options,
    /// Logs.
    pub log: LogSection,
    /// Skills that agents can have and queues can ask for.
    pub skills: Vec<String>,
    /// The words that agents say of a call in their wrap-up.
    pub wrap_up_codes: Vec<String>,
    /// The words that agents say when they take no calls.
    #[serde(rename = "not_ready")]
    pub pauses: Vec<NotReadyEntry>,
    /// Mailboxes to have.
    #[serde(rename = "mailbox")]
    pub mailboxes: Vec<provision::MailboxEntry>,
    /// Queues to have.
    #[serde(rename = "queue")]
    pub queues: Vec<provision::QueueEntry>,
    /// Trunks to have.
    #[serde(rename = "trunk")]
    pub trunks: Vec<provision::TrunkEntry>,
    /// Agents to have.
    #[serde(rename = "agent")]
    pub agents: Vec<provision::AgentEntry>,
    /// Systems outside that hear of events.
    #[serde(rename = "webhook")]
    pub webhooks: Vec<WebhookEntry>,
}

/// A system outside that hears of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookEntry {
    /// Its name.
    pub name: String,
    /// Where letters go.
    pub url: String,
    /// What they are signed with.
    pub secret: Secret,
    /// Types of events; empty for all.
    #[serde(default)]
    pub events: Vec<String>,
    /// How long a receiver may take to answer.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
    /// After so many attempts a letter is given up.
    #[serde(default = "attempts_max")]
    pub attempts_max: u32,
    /// Pause after the first attempt; each further one is twice as long.
    #[serde(default = "retry_first_ms")]
    pub retry_first_ms: u64,
}

const fn timeout_ms() -> u64 {
    10_000
}
const fn attempts_max() -> u32 {
    20
}
const fn retry_first_ms() -> u64 {
    1_000
}

impl WebhookEntry {
    /// The webhook as it stands here.
    ///
    /// # Errors
    /// Names the setting that is wrong.
    pub fn options(&self) -> Result<webhook::Options, webhook::InvalidOptions> {
        let options = webhook::Options::new(&self.name, &self.url, &self.secret.0, &self.events)?;
        let (timeout, pause) = (self.timeout_ms, self.retry_first_ms);
        let (timeout, pause) = (Duration::from_millis(timeout), Duration::from_millis(pause));
        options.with_patience(timeout, self.attempts_max, pause)
    }
}

/// Who this node is among those that share a PostgreSQL database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NodeSection {
    /// Its name: one running node of each.
    pub name: String,
    /// Where other nodes reach its SIP; found out when not given.
    pub sip: Option<SocketAddr>,
    /// How long it may be silent before another node takes its place.
    pub lease_ms: u64,
}

impl Default for NodeSection {
    fn default() -> Self {
        Self {
            name: "ringledger".into(),
            sip: None,
            lease_ms: 5_000,
        }
    }
}

/// Letters of a node's name at most.
const NODE_NAME_MAX: usize = 64;
/// Shorter, and a busy machine loses its lease; longer, and the calls of a lost
/// node are not ended within ten seconds.
const LEASE_MS: std::ops::RangeInclusive<u64> = 1_000..=8_000;

impl NodeSection {
    fn fault(&self) -> Option<String> {
        let is_fit = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.name.is_empty() || self.name.len() > NODE_NAME_MAX || !self.name.chars().all(is_fit)
        {
            return Some(
                "node.name is empty, too long, or has more than letters, digits, - _ .".into(),
            );
        }
        let is_in_range = LEASE_MS.contains(&self.lease_ms);
        (!is_in_range).then(|| {
            let (least, most) = (LEASE_MS.start(), LEASE_MS.end());
            format!("node.lease_ms is not between {least} and {most}")
        })
    }
}

/// Where HTTP is spoken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSection {
    /// Address of the listener.
    pub listen: SocketAddr,
    /// A token that may do everything; without it one is made on first start.
    pub token: Option<Secret>,
}

impl Default for HttpSection {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            token: None,
        }
    }
}

/// Where the record is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSection {
    /// `sqlite:FOLDER` or `postgres://..`; without it SQLite in the data folder.
    pub url: Option<Secret>,
}

/// What is logged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSection {
    /// Filter in the form of `tracing`, for example `info,ringledger_sip=debug`.
    pub filter: String,
    /// `text` or `json`.
    pub format: LogFormat,
}

impl Default for LogSection {
    fn default() -> Self {
        // The SIP stack logs whole packets, credentials included, at info.
        Self {
            filter: "info,rsipstack=error,sqlx=warn".into(),
            format: LogFormat::Text,
        }
    }
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// A value that is never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{redacted}")
    }
}

/// A setting that can not be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there.
    #[error("configuration file {0} can not be read")]
    Missing(PathBuf),
    /// A key or value is wrong; the message names it.
    #[error("{0}")]
    Invalid(String),
}

impl Config {
    /// Reads the file, where one is named, and the environment.
    ///
    /// # Errors
    /// Names the key that is wrong and where it stands.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = file {
            if !file.is_file() {
                return Err(ConfigError::Missing(file.to_owned()));
            }
            figment = figment.merge(Toml::file(file));
        }
        let figment = figment.merge(Env::prefixed(ENVIRONMENT).split("__"));
        let config: Self = figment.extract().map_err(|errors| {
            let each: Vec<String> = errors.into_iter().map(|error| error.to_string()).collect();
            ConfigError::Invalid(each.join("; "))
        })?;
        config.check()?;
        Ok(config)
    }

    /// What the types can not say.
    fn check(&self) -> Result<(), ConfigError> {
        if let Some(fault) = self.node.fault() {
            return invalid(fault);
        }
        if self.sip.realm.is_empty() || self.sip.realm.contains('"') {
            return invalid("sip.realm is empty or has a quotation mark".into());
        }
        self.check_listeners()?;
        if self.media.port_min >= self.media.port_max {
            return invalid("media.port_min is not below media.port_max".into());
        }
        for (index, agent) in self.agents.iter().enumerate() {
            for queue in &agent.queues {
                if !self
                    .queues
                    .iter()
                    .any(|known| known.name.eq_ignore_ascii_case(queue))
                {
                    tracing::debug!(queue, "queue of an agent is not in the file");
                }
            }
            if agent.password.0.is_empty() {
                return invalid(format!("agent[{index}].password is empty"));
            }
            if !(1..=CAPACITY_MAX).contains(&agent.capacity) {
                return invalid(format!(
                    "agent[{index}].capacity is not 1 to {CAPACITY_MAX}"
                ));
            }
        }
        queues::check(self)?;
        let mut names = BTreeSet::new();
        for (index, entry) in self.webhooks.iter().enumerate() {
            if let Err(fault) = entry.options() {
                return invalid(format!("webhook[{index}].{fault}"));
            }
            if !names.insert(&entry.name) {
                let name = &entry.name;
                return invalid(format!("webhook[{index}].name: there are two {name:?}"));
            }
        }
        self.check_skills()?;
        self.check_wrap_up_codes()?;
        if let Some(fault) = not_ready::fault(&self.pauses) {
            return invalid(fault);
        }
        for (index, trunk) in self.trunks.iter().enumerate() {
            refused("trunk", index, trunk::Trunk::decide, trunk.command())?;
            if let Some(network) = trunk
                .allow
                .iter()
                .find(|network| network.parse::<ipnet::IpNet>().is_err())
            {
                return invalid(format!(
                    "trunk[{index}].allow: {network:?} is not a network"
                ));
            }
        }
        Ok(())
    }

    /// One address can not be listened on twice; any free port can be asked for twice.
    fn check_listeners(&self) -> Result<(), ConfigError> {
        let (sip, http) = (self.sip.listen, self.http.listen);
        for (name, address) in [("sip.listen", sip), ("http.listen", http)] {
            if address.port() != 0 && self.sip.ws_listen == Some(address) {
                return invalid(format!("sip.ws_listen is the address of {name}"));
            }
        }
        Ok(())
    }

    /// A code is a word; a queue that wants one leaves a choice.
    fn check_wrap_up_codes(&self) -> Result<(), ConfigError> {
        let mut codes = self.wrap_up_codes.iter();
        if let Some(code) = codes.find(|code| !domain::name::is_valid(code)) {
            return invalid(format!(
                "wrap_up_codes: {code:?} is not 1 to 64 letters, digits, dots, dashes or underscores"
            ));
        }
        let mut queues = self.queues.iter();
        match queues.position(|queue| queue.terms.wrap_up_code) {
            Some(index) if self.wrap_up_codes.is_empty() => invalid(format!(
                "queue[{index}].terms.wrap_up_code: wrap_up_codes names none"
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// A skill that is written in another way than in the list is a mistake that
    /// nobody would notice before a call waits for ever.
    fn check_skills(&self) -> Result<(), ConfigError> {
        let known = |skill: &str| self.skills.iter().any(|known| known == skill);
        for (index, queue) in self.queues.iter().enumerate() {
            let mut wanted = queue.matching.skills.iter();
            if let Some(unknown) = wanted.find(|wanted| !known(&wanted.skill)) {
                let skill = &unknown.skill;
                return invalid(format!(
                    "queue[{index}].matching.skills: {skill:?} is not in skills"
                ));
            }
        }
        for (index, agent) in self.agents.iter().enumerate() {
            if let Some(unknown) = agent.skills.iter().find(|skill| !known(&skill.skill)) {
                let skill = &unknown.skill;
                return invalid(format!("agent[{index}].skills: {skill:?} is not in skills"));
            }
            let mut places = agent.places.iter();
            if let Some(place) = places.find(|place| {
                let mut queues = agent.queues.iter();
                !queues.any(|queue| queue.eq_ignore_ascii_case(&place.queue))
            }) {
                let queue = &place.queue;
                return invalid(format!(
                    "agent[{index}].places: {queue:?} is not one of its queues"
                ));
            }
        }
        Ok(())
    }

    /// The store's url: the setting, or SQLite in the data folder.
    pub fn store_url(&self, data: &Path) -> String {
        match &self.store.url {
            Some(Secret(url)) => url.clone(),
            None => format!("sqlite:{}", data.display()),
        }
    }
}

const fn invalid(what: String) -> Result<(), ConfigError> {
    Err(ConfigError::Invalid(what))
}

/// Asks the rules of an aggregate about an entry, before it is applied.
fn refused<S: Default, C, E, R: std::error::Error>(
    kind: &str,
    index: usize,
    decide: fn(&S, Timestamp, C) -> Result<Vec<E>, R>,
    command: C,
) -> Result<(), ConfigError> {
    match decide(&S::default(), Timestamp::default(), command) {
        Ok(_) => Ok(()),
        Err(error) => invalid(format!("{kind}[{index}]: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn load(text: &str) -> Result<Config, ConfigError> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        Config::load(Some(file.path()))
    }

    #[test]
    fn the_documented_file_holds_every_default_and_nothing_else() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ringledger.toml");
        assert_eq!(Config::load(Some(&file)).unwrap(), Config::default());
        // Every key of the defaults stands in the file, if only as a comment.
        let text = std::fs::read_to_string(file).unwrap();
        let defaults = toml::to_string(&Config::default()).unwrap();
        for key in defaults.lines().filter_map(|line| line.split_once(" = ")) {
            assert!(text.contains(key.0), "{} is not documented", key.0);
        }
    }

    #[test]
    fn the_commented_examples_are_valid() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ringledger.toml");
        let text = std::fs::read_to_string(file).unwrap();
        let start = text.find("# [[queue]]").unwrap();
        let examples: String = text[start..]
            .lines()
            .map(|line| format!("{}\n", &line[2.min(line.len())..]))
            .collect();
        let config = load(&examples).unwrap();
        assert_eq!(
            (
                config.queues.len(),
                config.agents.len(),
                config.trunks.len(),
                config.webhooks.len(),
                config.pauses.len()
            ),
            (1, 1, 1, 1, 1)
        );
        let first_call =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/first-call.toml");
        assert_eq!(Config::load(Some(&first_call)).unwrap().agents.len(), 2);
    }

    #[test]
    fn an_address_for_websockets_that_is_none_or_another_listeners_is_named() {
        for text in [
            "[sip]\nws_listen = \"5066\"",
            "[sip]\nlisten = \"[::]:5060\"\nws_listen = \"[::]:5060\"",
            "[sip]\nws_listen = \"127.0.0.1:8080\"",
        ] {
            let error = load(text).unwrap_err().to_string();
            assert!(error.contains("sip.ws_listen"), "{text}: {error}");
        }
        assert!(load("[sip]\nws_listen = \"0.0.0.0:5066\"").is_ok());
    }

    #[test]
    fn a_key_that_is_not_known_is_named() {
        for (text, named) in [
            ("[sip]\nlisten_on = \"x\"", "listen_on"),
            ("[media]\nport_min = \"many\"", "media.port_min"),
            ("[[queue]]\nname = \"a\"\nstrategy = \"fastest\"", "fastest"),
            (
                "[[trunk]]\nname = \"t\"\nallow = [\"everywhere\"]",
                "trunk[0].allow",
            ),
            (
                "[[agent]]\nname = \"a\"\npassword = \"\"",
                "agent[0].password",
            ),
            ("[media]\nport_min = 9\nport_max = 9", "media.port_min"),
            ("[node]\nname = \"a b\"", "node.name"),
            ("[node]\nlease_ms = 999", "node.lease_ms"),
            (
                "[[trunk]]\nname = \"t\"\nallow = [\"10.0.0.0/8\"]\nprefixes = [\"+49\"]",
                "trunk[0]: outbound or forwards are set, and host is not",
            ),
            (
                "[[queue]]\nname = \"a\"\noverflow = [{ when = \"full\", queue = \"b\" }]",
                "queue[0].overflow: there is no queue",
            ),
            (
                "[[queue]]\nname = \"a\"\noverflow = [{ when = \"full\" }]",
                "queue[0].overflow: a rule",
            ),
            (
                "[[queue]]\nname = \"a\"\noverflow = [{ when = \"tired\", queue = \"a\" }]",
                "tired",
            ),
            (
                "[[queue]]\nname = \"a\"\noverflow = [{ when = \"full\", queue = \"b\" }]\n\
                 [[queue]]\nname = \"b\"\noverflow = [{ when = \"max_wait\", queue = \"a\" }]",
                "queue[0].overflow: by it and by exits, calls would come back",
            ),
            (
                "[[webhook]]\nname = \"w\"\nurl = \"http://w\"\nsecret = \"weak\"",
                "webhook[0].secret",
            ),
            (
                "[[queue]]\nname = \"a\"\nmatching = { skills = [{ skill = \"x\", level = 2 }] }",
                "queue[0].matching.skills: \"x\"",
            ),
            (
                "[[agent]]\nname = \"a\"\npassword = \"p\"\nskills = [{ skill = \"x\", level = 2 }]",
                "agent[0].skills: \"x\"",
            ),
            (
                "skills = [\"x\"]\n[[queue]]\nname = \"a\"\n\
                 matching = { skills = [{ skill = \"x\", level = 6 }] }",
                "queue[0]: a skill",
            ),
            (
                "[[queue]]\nname = \"a\"\nmatching = { attempts_max = 3 }",
                "queue[0]: attempts_max",
            ),
            (
                "[[agent]]\nname = \"a\"\npassword = \"p\"\nplaces = [{ queue = \"b\" }]",
                "agent[0].places: \"b\"",
            ),
            (
                "[[queue]]\nname = \"a\"\ncapacity = 0",
                "queue[0]: capacity",
            ),
        ] {
            let error = load(text).unwrap_err().to_string();
            assert!(error.contains(named), "{text}: {error}");
        }
    }

    #[test]
    fn a_number_of_calls_at_once_that_can_be_none_is_named() {
        let agent = "[[agent]]\nname = \"a\"\npassword = \"p\"\ncapacity =";
        for (bad, named) in [
            ("0", "agent[0].capacity is not 1 to 5"),
            ("6", "agent[0].capacity is not 1 to 5"),
            ("256", "capacity"),
            ("\"two\"", "capacity"),
        ] {
            let error = load(&format!("{agent} {bad}")).unwrap_err().to_string();
            assert!(error.contains(named), "{bad}: {error}");
        }
        let config = load(&format!("{agent} 2")).unwrap();
        assert_eq!(config.agents[0].capacity, 2);
    }

    #[test]
    fn a_word_for_taking_no_calls_that_can_be_none_is_named() {
        for (text, named) in [
            (
                "[[not_ready]]\ncode = \"tea time\"\ncategory = \"break\"",
                "not_ready[0].code: \"tea time\"",
            ),
            (
                "[[not_ready]]\ncode = \"tea\"\ncategory = \"break\"\n\
                 [[not_ready]]\ncode = \"tea\"\ncategory = \"meal\"",
                "not_ready[1].code: there are two",
            ),
            (
                "[[not_ready]]\ncode = \"tea\"\ncategory = \"rona\"",
                "not_ready[0].category",
            ),
            (
                "[[not_ready]]\ncode = \"tea\"\ncategory = \"drink\"",
                "drink",
            ),
        ] {
            let error = load(text).unwrap_err().to_string();
            assert!(error.contains(named), "{text}: {error}");
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        let config = load("[http]\ntoken = \"very-secret\"").unwrap();
        assert!(!format!("{config:?}").contains("very-secret"));
    }
}
