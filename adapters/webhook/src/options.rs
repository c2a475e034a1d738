//! One webhook: where to, what about, and how patiently.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::event_types::event_types;
use std::{collections::BTreeSet, fmt, time::Duration};

/// Before the secret, as Standard Webhooks writes it.
const SECRET_PREFIX: &str = "whsec_";
/// Bytes of a secret: fewer can be guessed, more are not read by every receiver.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Pause between two attempts at most.
const PAUSE_MAX: Duration = Duration::from_secs(3_600);

/// A webhook.
#[derive(Clone)]
pub struct Options {
    /// Its name, in metrics and in the outbox.
    pub name: String,
    /// Where letters go.
    pub url: reqwest::Url,
    /// Which events it is about; empty for all.
    pub events: BTreeSet<String>,
    /// How long a receiver may take to answer.
    pub timeout: Duration,
    /// After so many attempts a letter is given up.
    pub attempts_max: u32,
    /// Pause after the first attempt; each further one is twice as long.
    pub retry_first: Duration,
    pub(crate) key: Vec<u8>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What is wrong with a webhook.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOptions {
    /// As for queues.
    #[error("name is not 1 to 64 letters, digits, dots, dashes or underscores")]
    Name,
    /// Only HTTP can be spoken, and credentials have no place in a URL.
    #[error("url is not an http or https address without user and password")]
    Url,
    /// It would be guessed, or not be read.
    #[error("secret is not \"whsec_\" and 24 to 64 bytes in Base64")]
    Secret,
    /// It would never be told of anything.
    #[error("events: there is no event {0:?}")]
    Event(String),
    /// It would never be tried, or never wait.
    #[error("attempts_max, timeout_ms or retry_first_ms is 0")]
    Zero,
}

impl Options {
    /// With this secret.
    ///
    /// # Errors
    /// Names the setting that is wrong.
    pub fn new(
        name: &str,
        url: &str,
        secret: &str,
        events: &[String],
    ) -> Result<Self, InvalidOptions> {
        if !domain::name::is_valid(name) {
            return Err(InvalidOptions::Name);
        }
        let url = reqwest::Url::parse(url).map_err(|_| InvalidOptions::Url)?;
        let is_plain = url.username().is_empty() && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || !is_plain {
            return Err(InvalidOptions::Url);
        }
        let key = secret.strip_prefix(SECRET_PREFIX);
        let key = key.and_then(|key| STANDARD.decode(key).ok());
        let key = key.filter(|key| SECRET_BYTES.contains(&key.len()));
        let known = event_types();
        if let Some(unknown) = events.iter().find(|event| !known.contains(event.as_str())) {
            return Err(InvalidOptions::Event(unknown.clone()));
        }
        Ok(Self {
            name: name.into(),
            url,
            events: events.iter().cloned().collect(),
            timeout: Duration::from_secs(10),
            attempts_max: 20,
            retry_first: Duration::from_secs(1),
            key: key.ok_or(InvalidOptions::Secret)?,
        })
    }

    /// As patient as this.
    ///
    /// # Errors
    /// When one of them is nothing.
    pub fn with_patience(
        self,
        timeout: Duration,
        attempts_max: u32,
        retry_first: Duration,
    ) -> Result<Self, InvalidOptions> {
        if attempts_max == 0 || timeout.is_zero() || retry_first.is_zero() {
            return Err(InvalidOptions::Zero);
        }
        Ok(Self {
            timeout,
            attempts_max,
            retry_first,
            ..self
        })
    }

    /// Whether it is about events of this type.
    pub(crate) fn is_about(&self, event_type: &str) -> bool {
        self.events.is_empty() || self.events.contains(event_type)
    }

    /// Pause after so many attempts in vain.
    pub(crate) fn pause(&self, attempts: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
        self.retry_first.saturating_mul(doubled).min(PAUSE_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn options(
        name: &str,
        url: &str,
        secret: &str,
        event: &str,
    ) -> Result<Options, InvalidOptions> {
        Options::new(name, url, secret, &[event.to_owned()])
    }

    #[test]
    fn each_setting_that_is_wrong_is_named() {
        let url = "https://crm.example/hook";
        assert!(options("crm", url, SECRET, "call_ended").is_ok());
        for (name, url, secret, event, fault) in [
            ("a b", url, SECRET, "call_ended", InvalidOptions::Name),
            (
                "crm",
                "ftp://crm.example",
                SECRET,
                "call_ended",
                InvalidOptions::Url,
            ),
            (
                "crm",
                "https://me:pw@crm.example",
                SECRET,
                "call_ended",
                InvalidOptions::Url,
            ),
            (
                "crm",
                url,
                "whsec_c2hvcnQ=",
                "call_ended",
                InvalidOptions::Secret,
            ),
            ("crm", url, "secret", "call_ended", InvalidOptions::Secret),
            (
                "crm",
                url,
                SECRET,
                "call_end",
                InvalidOptions::Event("call_end".into()),
            ),
        ] {
            assert_eq!(options(name, url, secret, event).unwrap_err(), fault);
        }
    }

    #[test]
    fn pauses_double_up_to_an_hour() {
        let options = options("crm", "https://crm.example", SECRET, "call_ended").unwrap();
        let seconds = |attempts| options.pause(attempts).as_secs();
        assert_eq!([1, 2, 3, 12, 40].map(seconds), [1, 2, 4, 2_048, 3_600]);
    }

    #[test]
    fn a_secret_is_not_shown() {
        let options = options("crm", "https://crm.example", SECRET, "call_ended").unwrap();
        assert_eq!(format!("{options:?}"), "Options { name: \"crm\", .. }");
    }
}
