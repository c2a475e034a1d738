//! Nonces: time, chance, a signature over both, and a second one over these and the
//! address that they were given to, so that only those in use are remembered, and those
//! only for their highest count.
//!
//! A nonce is good from any address: a phone behind a pool of proxies or of NATs comes
//! from another one each time. Who fails under it is only known where it was given to.

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

/// Bytes of each of the two signatures in a nonce.
const SIGNATURE_BYTES: usize = 16;

/// Bytes of a nonce: time, chance and the signatures.
const NONCE_BYTES: usize = 16 + 2 * SIGNATURE_BYTES;

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
    /// Not given by us.
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
        for mac in [
            self.mac(now_ms, entropy),
            self.mac_at(source, now_ms, entropy),
        ] {
            let signature = mac.finalize().into_bytes();
            out.push_str(&hex::encode(&signature[..SIGNATURE_BYTES]));
        }
        out
    }

    /// Whether somebody was given the nonce by us, however long ago.
    pub(super) fn is_ours(&self, nonce: &str) -> bool {
        self.read(nonce).is_some()
    }

    /// Whether that address was given the nonce, however long ago: whoever shows it has
    /// heard our answer there.
    pub(super) fn is_of(&self, source: IpAddr, nonce: &str) -> bool {
        self.read(nonce)
            .is_some_and(|read| read.is_signed_by(self.mac_at(source, read.issued_ms, read.chance)))
    }

    /// Uses a count of a nonce up.
    pub(super) fn accept(&mut self, nonce: &str, count: u32, now_ms: u64) -> NonceState {
        let Some(Read {
            issued_ms, chance, ..
        }) = self.read(nonce)
        else {
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

    /// Takes a nonce of ours apart.
    fn read(&self, nonce: &str) -> Option<Read> {
        let bytes = hex::decode(nonce).ok()?;
        let bytes: [u8; NONCE_BYTES] = bytes.try_into().ok()?;
        let (number, signatures) = bytes.split_at(16);
        let (time, chance) = number.split_at(8);
        let issued_ms = u64::from_be_bytes(time.try_into().ok()?);
        let chance = u64::from_be_bytes(chance.try_into().ok()?);
        let (ours, place) = signatures.split_at(SIGNATURE_BYTES);
        let mac = self.mac(issued_ms, chance);
        mac.verify_truncated_left(ours).ok()?;
        Some(Read {
            issued_ms,
            chance,
            place: place.try_into().ok()?,
        })
    }

    fn mac(&self, time: u64, chance: u64) -> Hmac<Sha256> {
        let mut mac = self.key.mac();
        mac.update(&time.to_be_bytes());
        mac.update(&chance.to_be_bytes());
        mac
    }

    /// The same with an address: longer, so that neither passes for the other, and the
    /// two families differ in their lengths.
    fn mac_at(&self, source: IpAddr, time: u64, chance: u64) -> Hmac<Sha256> {
        let mut mac = self.mac(time, chance);
        match source.to_canonical() {
            IpAddr::V4(v4) => mac.update(&v4.octets()),
            IpAddr::V6(v6) => mac.update(&v6.octets()),
        }
        mac
    }
}

/// What stands in a nonce of ours.
struct Read {
    issued_ms: u64,
    chance: u64,
    /// The signature with the address, not checked yet.
    place: [u8; SIGNATURE_BYTES],
}

impl Read {
    fn is_signed_by(&self, mac: Hmac<Sha256>) -> bool {
        mac.verify_truncated_left(&self.place).is_ok()
    }
}
