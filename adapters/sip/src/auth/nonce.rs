//! Nonces: time, chance, and a signature over both and the address that they were
//! given to, so that only those in use are remembered, and those only for their
//! highest count.

use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
};

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// How long a nonce may be used: longer than a re-REGISTER interval of an hour
/// would let counts pile up, shorter costs each refresh a challenge.
pub const NONCE_LIFETIME_MS: u64 = 5 * 60 * 1000;

/// How far in the future a nonce's time may lie, for a clock that was set back.
const CLOCK_SLACK_MS: u64 = 2_000;

/// Most nonces whose counts are kept: 400 agents that register every minute use
/// 2000 in a lifetime. At the limit the oldest is refused from then on.
pub const NONCES_MAX: usize = 16_384;

/// Bytes of the signature in a nonce.
const SIGNATURE_BYTES: usize = 16;

/// The secret that signs nonces.
#[derive(Clone)]
pub struct NonceKey([u8; 32]);

impl NonceKey {
    /// A key from 32 random bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key that follows this one: whoever does not know one knows neither.
    fn next(&self) -> Self {
        let mut mac = self.mac();
        mac.update(b"next");
        Self(mac.finalize().into_bytes().into())
    }

    fn mac(&self) -> Hmac<Sha256> {
        <Hmac<Sha256> as Mac>::new_from_slice(&self.0).expect("HMAC takes a key of any length")
    }
}

impl std::fmt::Debug for NonceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NonceKey{redacted}")
    }
}

/// What a nonce in a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NonceState {
    /// Ours, in time, with a count not seen before.
    Fresh,
    /// Ours, but too old or forgotten.
    Stale,
    /// Its count was used.
    Replayed,
    /// Not given by us to that address.
    Foreign,
}

/// The nonces of one realm.
#[derive(Debug)]
pub(super) struct Nonces {
    key: NonceKey,
    /// Highest count of each nonce in use, by its time and chance.
    counts: BTreeMap<(u64, u64), u32>,
    /// The same keys, oldest first use first.
    order: VecDeque<(u64, u64)>,
    /// Nonces issued up to here may have been forgotten: stale.
    forgotten_until_ms: u64,
    /// The time of the latest nonce that was used.
    newest_ms: u64,
}

impl Nonces {
    pub(super) fn new(key: NonceKey) -> Self {
        Self {
            key,
            counts: BTreeMap::new(),
            order: VecDeque::new(),
            forgotten_until_ms: 0,
            newest_ms: 0,
        }
    }

    /// Takes note of the time. When the clock was set back behind nonces that were
    /// used, all of them are foreign from now on: what is known of their counts would
    /// refuse new ones until the clock has caught up, and without it an old one could
    /// be used again by then.
    pub(super) fn keep_up(&mut self, now_ms: u64) {
        if self.newest_ms > now_ms.saturating_add(CLOCK_SLACK_MS) {
            *self = Self::new(self.key.next());
        }
    }

    /// A new nonce for whoever asks from there; nothing is kept of it.
    pub(super) fn issue(&self, source: IpAddr, now_ms: u64, entropy: u64) -> String {
        let mut out = format!("{now_ms:016x}{entropy:016x}");
        let signature = self.signature(source, now_ms, entropy);
        out.push_str(&hex::encode(&signature[..SIGNATURE_BYTES]));
        out
    }

    /// Whether that address was given the nonce, however long ago: whoever shows it has
    /// heard our answer there.
    pub(super) fn is_of(&self, source: IpAddr, nonce: &str) -> bool {
        self.read(source, nonce).is_some()
    }

    /// Uses a count of a nonce up.
    pub(super) fn accept(
        &mut self,
        source: IpAddr,
        nonce: &str,
        count: u32,
        now_ms: u64,
    ) -> NonceState {
        let Some((issued_ms, chance)) = self.read(source, nonce) else {
            return NonceState::Foreign;
        };
        self.expire(now_ms);
        let expired = now_ms.saturating_sub(issued_ms) > NONCE_LIFETIME_MS;
        if expired || issued_ms > now_ms.saturating_add(CLOCK_SLACK_MS) {
            return NonceState::Stale;
        }
        let id = (issued_ms, chance);
        match self.counts.get_mut(&id) {
            Some(used) if count <= *used => NonceState::Replayed,
            Some(used) => {
                *used = count;
                NonceState::Fresh
            }
            None if issued_ms <= self.forgotten_until_ms => NonceState::Stale,
            None if count == 0 => NonceState::Replayed,
            None => {
                self.remember(id, count);
                NonceState::Fresh
            }
        }
    }

    fn remember(&mut self, id: (u64, u64), count: u32) {
        if self.counts.len() >= NONCES_MAX {
            self.forget_oldest();
        }
        self.newest_ms = self.newest_ms.max(id.0);
        self.counts.insert(id, count);
        self.order.push_back(id);
    }

    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.order.pop_front() {
            self.counts.remove(&oldest);
            self.forgotten_until_ms = self.forgotten_until_ms.max(oldest.0);
        }
    }

    fn expire(&mut self, now_ms: u64) {
        while let Some((issued_ms, _)) = self.order.front() {
            if now_ms.saturating_sub(*issued_ms) <= NONCE_LIFETIME_MS {
                break;
            }
            self.forget_oldest();
        }
    }

    fn read(&self, source: IpAddr, nonce: &str) -> Option<(u64, u64)> {
        let bytes = hex::decode(nonce).ok()?;
        let time = u64::from_be_bytes(bytes.get(..8)?.try_into().ok()?);
        let chance = u64::from_be_bytes(bytes.get(8..16)?.try_into().ok()?);
        let mac = self.mac(source, time, chance);
        let signature = bytes
            .get(16..)
            .filter(|rest| rest.len() == SIGNATURE_BYTES)?;
        mac.verify_truncated_left(signature).ok()?;
        Some((time, chance))
    }

    fn signature(&self, source: IpAddr, time: u64, chance: u64) -> [u8; 32] {
        self.mac(source, time, chance)
            .finalize()
            .into_bytes()
            .into()
    }

    fn mac(&self, source: IpAddr, time: u64, chance: u64) -> Hmac<Sha256> {
        let mut mac = self.key.mac();
        mac.update(&time.to_be_bytes());
        mac.update(&chance.to_be_bytes());
        // The two families differ in their lengths.
        match source.to_canonical() {
            IpAddr::V4(v4) => mac.update(&v4.octets()),
            IpAddr::V6(v6) => mac.update(&v6.octets()),
        }
        mac
    }
}
