//! The token of the administrator: from the configuration, or made on first
//! start and printed once.

use crate::config::Secret;
use commands::ports::{Entropy, Secrets, StoreError};
use domain::id::DEFAULT_TENANT;
use graphql::auth::{Identity, Scope, issue_token, keep_only_token};

/// Kind of the entry that says a token was made and shown.
const MARK: &str = "token_shown";
/// What the token is called; its key in that kind.
const ADMINISTRATOR: &str = "administrator";

/// Sees to it that there is a token. One that is configured is the only one: those of
/// earlier configurations and of the first start are revoked. Returns the one that was made now, to be
/// shown this once; only its fingerprint is kept. Until [`shown`] says that it
/// was, the next start makes another: a crash in between locks nobody out.
///
/// # Errors
/// When the credential store can not be used.
pub async fn ensure(
    secrets: &dyn Secrets,
    entropy: &dyn Entropy,
    configured: Option<&Secret>,
) -> Result<Option<String>, StoreError> {
    let scopes = [Scope::All];
    if let Some(Secret(token)) = configured {
        let identity = Identity {
            tenant: DEFAULT_TENANT,
            scopes: scopes.to_vec(),
            name: ADMINISTRATOR.into(),
            agent: None,
        };
        keep_only_token(secrets, token, &identity).await?;
        return Ok(None);
    }
    if secrets.get(MARK, ADMINISTRATOR).await?.is_some() {
        return Ok(None);
    }
    issue_token(secrets, entropy, ADMINISTRATOR, DEFAULT_TENANT, &scopes)
        .await
        .map(Some)
}

/// Notes that the token was shown: no other is made from now on.
///
/// # Errors
/// When the credential store can not be used.
pub async fn shown(secrets: &dyn Secrets) -> Result<(), StoreError> {
    secrets.put(MARK, ADMINISTRATOR, "shown").await
}
