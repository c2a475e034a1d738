//! Who may register: digests checked against passwords that are remembered for
//! a while, so that a flood of REGISTERs is not a flood of look-ups.

use super::Driver;
use crate::{
    auth::{Attempt, Authenticator, Ha1, Outcome, Shown},
    buckets::{Buckets, Rate, Source},
    message::Request,
    stack::Reply,
};
use commands::{
    credentials,
    ports::{Secrets, StoreError},
};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Wrong passwords for one user that one address may send: a person's mistakes, and no
/// guessing.
const FAILURES: Rate = Rate {
    per_s: 1,
    burst: 20,
};

/// Wrong passwords that one address may send for all users: an office may have
/// hundreds of phones, some of them set up wrongly.
const FAILURES_OF_ALL: Rate = Rate {
    per_s: 10,
    burst: 500,
};

/// How long a user who has registered from an address is let through there whatever
/// others have sent: twice the longest that a binding lasts.
const WAS_HERE: Duration = Duration::from_secs(2 * 3600);

/// Users who are known to have registered, each from one address.
const WERE_HERE_MAX: usize = 20_000;

/// A user at an address.
type At = (Source, String);

/// Who has sent wrong passwords of late.
pub(super) struct Failures {
    users: Buckets<At>,
    sources: Buckets,
    /// When they last had the right one.
    were_here: Mutex<HashMap<At, Instant>>,
}

impl Failures {
    pub(super) fn new() -> Self {
        Self {
            users: Buckets::new(FAILURES),
            sources: Buckets::new(FAILURES_OF_ALL),
            were_here: Mutex::default(),
        }
    }

    /// Whether whoever is there may try again, as that user. A scanner must not lock out
    /// the phones that come through the same proxy.
    fn may_try(&self, source: Source, user: &str, now: Instant) -> bool {
        let at = (source, user.to_lowercase());
        self.users.has(&at, now) && (self.sources.has(&source, now) || self.was_here(&at, now))
    }

    fn was_here(&self, at: &At, now: Instant) -> bool {
        let known = self.were_here().get(at).copied();
        known.is_some_and(|since| now.saturating_duration_since(since) < WAS_HERE)
    }

    /// That user has the password there.
    fn succeeded(&self, source: Source, user: &str, now: Instant) {
        let at = (source, user.to_lowercase());
        let mut were_here = self.were_here();
        if were_here.len() >= WERE_HERE_MAX && !were_here.contains_key(&at) {
            were_here.retain(|_, since| now.saturating_duration_since(*since) < WAS_HERE);
            if were_here.len() >= WERE_HERE_MAX {
                return;
            }
        }
        were_here.insert(at, now);
    }

    fn were_here(&self) -> MutexGuard<'_, HashMap<At, Instant>> {
        self.were_here
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, source: Source, user: &str, now: Instant) {
        self.sources.take(source, now);
        self.users.take((source, user.to_lowercase()), now);
    }
}

/// How long a password is remembered: one that was taken away opens nothing
/// any more after it.
const LIFE: Duration = Duration::from_secs(60);

/// How often a remembered password that does not fit is read again, at most.
const AGAIN: Duration = Duration::from_secs(1);

/// Passwords remembered.
const USERS_MAX: usize = 10_000;

struct Known {
    ha1: Ha1,
    read_at: Instant,
    again_at: Option<Instant>,
}

/// A user's password, if there is one.
struct Found {
    ha1: Option<Ha1>,
    /// It was not read just now.
    is_remembered: bool,
}

/// The passwords of agents, with a copy in memory.
pub(super) struct Passwords {
    secrets: Arc<dyn Secrets>,
    known: Mutex<HashMap<String, Known>>,
}

impl Passwords {
    pub(super) fn new(secrets: Arc<dyn Secrets>) -> Self {
        Self {
            secrets,
            known: Mutex::default(),
        }
    }

    async fn find(&self, user: &str, now: Instant) -> Result<Found, StoreError> {
        let remembered = {
            let known = self.lock();
            let known = known.get(&user.to_lowercase());
            known
                .filter(|known| now.saturating_duration_since(known.read_at) < LIFE)
                .map(|known| known.ha1.clone())
        };
        if remembered.is_some() {
            return Ok(Found {
                ha1: remembered,
                is_remembered: true,
            });
        }
        let ha1 = self.read(user).await?;
        self.remember(user, ha1.as_ref(), now, None);
        Ok(Found {
            ha1,
            is_remembered: false,
        })
    }

    /// What a remembered password that does not fit has become, if it was not
    /// asked for a moment ago.
    async fn find_again(&self, user: &str, now: Instant) -> Result<Option<Ha1>, StoreError> {
        {
            let mut known = self.lock();
            let Some(known) = known.get_mut(&user.to_lowercase()) else {
                return Ok(None);
            };
            let is_early = |at| now.saturating_duration_since(at) < AGAIN;
            if known.again_at.is_some_and(is_early) {
                return Ok(None);
            }
            known.again_at = Some(now);
        }
        let ha1 = self.read(user).await?;
        self.remember(user, ha1.as_ref(), now, Some(now));
        Ok(ha1)
    }

    async fn read(&self, user: &str) -> Result<Option<Ha1>, StoreError> {
        let found = credentials::look_up(&*self.secrets, user).await?;
        Ok(found.map(|found| Ha1 {
            md5: found.md5,
            sha256: found.sha256,
        }))
    }

    fn remember(&self, user: &str, ha1: Option<&Ha1>, read_at: Instant, again_at: Option<Instant>) {
        let key = user.to_lowercase();
        let mut known = self.lock();
        let Some(ha1) = ha1.cloned() else {
            known.remove(&key);
            return;
        };
        if known.len() >= USERS_MAX && !known.contains_key(&key) {
            known.retain(|_, old| read_at.saturating_duration_since(old.read_at) < LIFE);
            if known.len() >= USERS_MAX {
                return;
            }
        }
        known.insert(
            key,
            Known {
                ha1,
                read_at,
                again_at,
            },
        );
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Driver {
    /// The user that a REGISTER from this address is proven to be from.
    pub(super) async fn authenticate(
        &self,
        request: &Request,
        source: IpAddr,
        now_ms: u64,
    ) -> Result<String, Reply> {
        let now = Instant::now();
        let headers: Vec<&str> = request.headers.all("Authorization").collect();
        let claimed = self.verifier().claimed_user(&headers);
        if let Some(user) = &claimed
            && !self.failures.may_try(source.into(), user, now)
        {
            metrics::counter!("ringledger_sip_registers_refused_total").increment(1);
            // Not 503: a proxy would send us nothing of anybody any more (RFC 3261,
            // 21.5.4).
            return Err(Reply::new(403));
        }
        let attempt = Attempt {
            method: request.method.as_str(),
            source,
            headers: &headers,
            now_ms,
            entropy: self.parts.entropy.number(),
        };
        let outcome = match &claimed {
            Some(user) => {
                let judged = self.judge(attempt, user, now).await;
                judged.map_err(|error| {
                    tracing::warn!(%error, "credentials can not be read");
                    self.admission.refusal()
                })?
            }
            None => self.verifier().verify(attempt, |_| None),
        };
        match outcome {
            Outcome::Granted { user } => {
                self.failures.succeeded(source.into(), &user, now);
                Ok(user)
            }
            Outcome::Malformed => Err(Reply::new(400)),
            Outcome::Challenge {
                challenges,
                stale,
                is_guess,
            } => {
                if !stale && !headers.is_empty() {
                    metrics::counter!("ringledger_sip_auth_failures_total").increment(1);
                }
                if let Some(user) = claimed.filter(|_| is_guess) {
                    self.failures.count(source.into(), &user, now);
                }
                Err(challenge(challenges))
            }
        }
    }

    /// Whose nonce a REGISTER shows.
    pub(super) fn shown(&self, request: &Request, source: IpAddr) -> Shown {
        let headers: Vec<&str> = request.headers.all("Authorization").collect();
        self.verifier().shown(source, &headers)
    }

    /// The answer to a REGISTER that shows no nonce of ours: no password is looked at.
    pub(super) fn challenge(&self, request: &Request, source: IpAddr) -> Reply {
        let headers: Vec<&str> = request.headers.all("Authorization").collect();
        let attempt = Attempt {
            method: request.method.as_str(),
            source,
            headers: &headers,
            now_ms: self.parts.clock.now().millis_unsigned(),
            entropy: self.parts.entropy.number(),
        };
        match self.verifier().verify(attempt, |_| None) {
            Outcome::Challenge { challenges, .. } => challenge(challenges),
            Outcome::Malformed => Reply::new(400),
            // Nobody has no password.
            Outcome::Granted { .. } => Reply::new(403),
        }
    }

    /// Judges by the password as it is remembered, and if that does not fit, by
    /// the one that may have taken its place.
    async fn judge(
        &self,
        attempt: Attempt<'_>,
        user: &str,
        now: Instant,
    ) -> Result<Outcome, StoreError> {
        let verify = |ha1: Option<Ha1>| {
            let find = |claimed: &str| ha1.filter(|_| claimed == user);
            self.verifier().verify(attempt, find)
        };
        let found = self.passwords.find(user, now).await?;
        let outcome = verify(found.ha1);
        let is_wrong = matches!(outcome, Outcome::Challenge { stale: false, .. });
        if is_wrong
            && found.is_remembered
            && let Some(ha1) = self.passwords.find_again(user, now).await?
        {
            return Ok(verify(Some(ha1)));
        }
        Ok(outcome)
    }

    fn verifier(&self) -> MutexGuard<'_, Authenticator> {
        self.authenticator
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn challenge(challenges: Vec<String>) -> Reply {
    challenges
        .into_iter()
        .fold(Reply::new(401), |reply, challenge| {
            reply.with("WWW-Authenticate", challenge)
        })
}
