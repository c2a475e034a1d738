//! SIP passwords, kept as HA1, one per algorithm, in the credential store:
//! never in an event, never in a log. Shared by all who set one (provisioning,
//! the API) and by the registrar, which checks them.

use crate::ports::{Secrets, StoreError};
use md5::Md5;
use sha2::{Digest as _, Sha256};

/// Kind of the entries in the credential store; the key is the lower-case user
/// name.
pub const KIND: &str = "ha1";

/// `H(user ":" realm ":" password)` of RFC 7616, section 3.4.2, under each
/// algorithm that we offer.
#[derive(Clone, PartialEq, Eq)]
pub struct Ha1 {
    /// Under MD5.
    pub md5: [u8; 16],
    /// Under SHA-256.
    pub sha256: [u8; 32],
}

impl std::fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("{redacted}")
    }
}

impl Ha1 {
    /// Hashes a password for a user in a realm.
    pub fn compute(user: &str, realm: &str, password: &str) -> Self {
        let text = format!("{user}:{realm}:{password}");
        Self {
            md5: Md5::digest(&text).into(),
            sha256: Sha256::digest(&text).into(),
        }
    }

    /// As it is kept: both hashes in hexadecimal, with a colon between.
    pub fn to_stored(&self) -> String {
        format!("{}:{}", hex::encode(self.md5), hex::encode(self.sha256))
    }

    /// Reads what [`Self::to_stored`] wrote; `None` for anything else.
    pub fn from_stored(text: &str) -> Option<Self> {
        let (md5, sha256) = text.split_once(':')?;
        let mut ha1 = Self {
            md5: [0; 16],
            sha256: [0; 32],
        };
        hex::decode_to_slice(md5, &mut ha1.md5).ok()?;
        hex::decode_to_slice(sha256, &mut ha1.sha256).ok()?;
        Some(ha1)
    }
}

/// Keeps a user's password; nothing is written when it is the same.
///
/// # Errors
/// When the credential store can not be reached.
pub async fn keep(
    secrets: &dyn Secrets,
    realm: &str,
    user: &str,
    password: &str,
) -> Result<(), StoreError> {
    // Names ignore case here; the digest does not, so the hash keeps it.
    let key = user.to_lowercase();
    let stored = Ha1::compute(user, realm, password).to_stored();
    if secrets.get(KIND, &key).await?.as_deref() == Some(&stored) {
        return Ok(());
    }
    secrets.put(KIND, &key, &stored).await
}

/// A user's password as it is kept.
///
/// # Errors
/// When the credential store can not be reached.
pub async fn look_up(secrets: &dyn Secrets, user: &str) -> Result<Option<Ha1>, StoreError> {
    let stored = secrets.get(KIND, &user.to_lowercase()).await?;
    Ok(stored.as_deref().and_then(Ha1::from_stored))
}
