//! How a personal value is sealed: ChaCha20-Poly1305 (RFC 8439) under the key of
//! its data subject, whose id is authenticated with it.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use chacha20poly1305::{
    AeadInPlace, ChaCha20Poly1305, Key, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use commands::ports::VaultError;
use domain::id::SubjectId;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt;
use uuid::Uuid;

/// Bytes of a key.
const KEY_BYTES: usize = 32;
/// Bytes of a nonce (RFC 8439, section 2.8).
const NONCE_BYTES: usize = 12;
/// The only layout there is: layout, key number (4 bytes), nonce, ciphertext.
const LAYOUT: u8 = 1;
const HEADER_BYTES: usize = 1 + 4;

/// A secret key; never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct DataKey([u8; KEY_BYTES]);

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{redacted}")
    }
}

impl DataKey {
    /// A new key from the system's randomness.
    pub(crate) fn random() -> Result<Self, VaultError> {
        let mut bytes = [0; KEY_BYTES];
        fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// A key as it was stored; `None` if it is not as long as a key.
    pub(crate) fn from_stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The same key from the same base and label, for stores without chance.
    pub(crate) fn derived(base: &Self, label: &[u8]) -> Self {
        Self(base.hash(label))
    }

    /// For storing it.
    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// HMAC-SHA256 (RFC 2104) under this key.
    fn hash(&self, message: &[u8]) -> [u8; KEY_BYTES] {
        let mut mac =
            <Hmac<Sha256> as Mac>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(message);
        mac.finalize().into_bytes().into()
    }
}

fn fill(bytes: &mut [u8]) -> Result<(), VaultError> {
    getrandom::fill(bytes)
        .map_err(|error| VaultError::Unavailable(format!("system has no randomness: {error}")))
}

/// Where nonces come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nonces {
    /// The system's randomness.
    Random,
    /// A keyed hash of the value, so that a run can be repeated byte for byte.
    Derived,
}

/// Encrypts; the result is text.
pub(crate) fn seal(
    key: &DataKey,
    number: u32,
    subject: SubjectId,
    plain: &[u8],
    nonces: Nonces,
) -> Result<String, VaultError> {
    let bytes = seal_bytes(key, number, subject, plain, nonces)?;
    Ok(STANDARD_NO_PAD.encode(bytes))
}

/// Encrypts; the result is bytes.
pub(crate) fn seal_bytes(
    key: &DataKey,
    number: u32,
    subject: SubjectId,
    plain: &[u8],
    nonces: Nonces,
) -> Result<Vec<u8>, VaultError> {
    let mut nonce = [0; NONCE_BYTES];
    match nonces {
        Nonces::Random => fill(&mut nonce)?,
        Nonces::Derived => nonce.copy_from_slice(&key.hash(plain)[..NONCE_BYTES]),
    }
    let header = header(number);
    let payload = Payload {
        msg: plain,
        aad: &authenticated(subject, &header),
    };
    let sealed = cipher(key)
        .encrypt(Nonce::from_slice(&nonce), payload)
        .map_err(|_| VaultError::Broken("value is too long to seal".into()))?;
    let mut bytes = Vec::with_capacity(HEADER_BYTES + NONCE_BYTES + sealed.len());
    bytes.extend_from_slice(&header);
    bytes.extend_from_slice(&nonce);
    bytes.extend_from_slice(&sealed);
    Ok(bytes)
}

/// A sealed value, taken apart.
#[derive(Debug)]
pub(crate) struct Parts {
    /// Which of the subject's keys it is under.
    pub(crate) number: u32,
    nonce: [u8; NONCE_BYTES],
    sealed: Vec<u8>,
}

/// Takes a sealed text apart.
pub(crate) fn parts(data: &str) -> Result<Parts, VaultError> {
    let bytes = STANDARD_NO_PAD
        .decode(data)
        .map_err(|_| VaultError::Broken("it is not base64".into()))?;
    parts_of_bytes(&bytes)
}

/// Takes sealed bytes apart.
pub(crate) fn parts_of_bytes(bytes: &[u8]) -> Result<Parts, VaultError> {
    let broken = |reason: &str| VaultError::Broken(reason.into());
    let (header, rest) = bytes
        .split_first_chunk::<HEADER_BYTES>()
        .ok_or_else(|| broken("it is cut short"))?;
    let (nonce, sealed) = rest
        .split_first_chunk::<NONCE_BYTES>()
        .ok_or_else(|| broken("it is cut short"))?;
    let [layout, number @ ..] = *header;
    if layout != LAYOUT {
        return Err(broken("its layout is unknown"));
    }
    Ok(Parts {
        number: u32::from_be_bytes(number),
        nonce: *nonce,
        sealed: sealed.to_vec(),
    })
}

/// Decrypts.
pub(crate) fn open(key: &DataKey, subject: SubjectId, parts: Parts) -> Result<Vec<u8>, VaultError> {
    let mut plain = parts.sealed;
    cipher(key)
        .decrypt_in_place(
            Nonce::from_slice(&parts.nonce),
            &authenticated(subject, &header(parts.number)),
            &mut plain,
        )
        .map_err(|_| VaultError::Broken("it was changed or is another subject's".into()))?;
    Ok(plain)
}

/// Whose data a user part is: the same person however the number is written.
pub(crate) fn subject_of(master: &DataKey, user: &str) -> SubjectId {
    let hash = master.hash(normal_form(user).as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    // UUIDv8 (RFC 9562, section 5.8).
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    SubjectId(Uuid::from_bytes(bytes))
}

/// A number without its visual separators (RFC 3966, section 5.1.1), a name in
/// lower case.
fn normal_form(user: &str) -> String {
    let user = user.trim();
    let visual = |c: char| matches!(c, '-' | '.' | '(' | ')' | ' ' | '/');
    let plain: String = user.chars().filter(|c| !visual(*c)).collect();
    let digits = plain.strip_prefix('+').unwrap_or(&plain);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        plain
    } else {
        user.to_lowercase()
    }
}

fn cipher(key: &DataKey) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(Key::from_slice(&key.0))
}

fn header(number: u32) -> [u8; HEADER_BYTES] {
    let [a, b, c, d] = number.to_be_bytes();
    [LAYOUT, a, b, c, d]
}

fn authenticated(subject: SubjectId, header: &[u8; HEADER_BYTES]) -> [u8; 16 + HEADER_BYTES] {
    let mut bytes = [0; 16 + HEADER_BYTES];
    bytes[..16].copy_from_slice(subject.0.as_bytes());
    bytes[16..].copy_from_slice(header);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> DataKey {
        DataKey([byte; KEY_BYTES])
    }

    #[test]
    fn one_number_is_one_subject_however_it_is_grouped() {
        let master = key(7);
        let of = |user| subject_of(&master, user);
        assert_eq!(of("+1 (555) 010-9999"), of("+15550109999"));
        assert_eq!(of("Alice"), of(" alice "));
        assert_ne!(of("+15550109999"), of("15550109999"));
        // As `docs/privacy.md` says, for whoever has a person forgotten.
        assert_ne!(of("+15550109999"), of("0015550109999"));
        assert_eq!(of("00 1 555 010-9999"), of("0015550109999"));
        assert_ne!(of("a.b"), of("ab"));
        assert_ne!(of("alice"), subject_of(&key(8), "alice"));
    }

    #[test]
    fn a_value_opens_only_unchanged_and_for_its_own_subject() {
        let subject = subject_of(&key(1), "alice");
        let other = subject_of(&key(1), "bob");
        let data = seal(&key(2), 3, subject, b"plain", Nonces::Random).unwrap();
        let opened = open(&key(2), subject, parts(&data).unwrap()).unwrap();
        assert_eq!(opened, b"plain");
        assert_eq!(parts(&data).unwrap().number, 3);
        assert!(open(&key(2), other, parts(&data).unwrap()).is_err());
        assert!(open(&key(4), subject, parts(&data).unwrap()).is_err());
        let mut bytes = STANDARD_NO_PAD.decode(&data).unwrap();
        for index in 1..bytes.len() {
            bytes[index] ^= 1;
            let changed = parts(&STANDARD_NO_PAD.encode(&bytes)).unwrap();
            assert!(open(&key(2), subject, changed).is_err(), "byte {index}");
            bytes[index] ^= 1;
        }
        assert!(parts("AQ").is_err());
        assert!(parts("not base64!").is_err());
    }

    #[test]
    fn the_same_value_never_looks_the_same_twice() {
        let subject = subject_of(&key(1), "alice");
        let once = seal(&key(2), 1, subject, b"plain", Nonces::Random).unwrap();
        let twice = seal(&key(2), 1, subject, b"plain", Nonces::Random).unwrap();
        assert_ne!(once, twice);
    }

    #[test]
    fn a_key_is_never_shown() {
        assert_eq!(format!("{:?}", key(9)), "{redacted}");
    }
}
