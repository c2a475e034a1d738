//! `ringledger rebuild`: one read model, from the first event on.

use crate::demo::say;
use anyhow::Context as _;
use projections::changed::View;
use std::process::ExitCode;

/// Rebuilds the named read model on the store; lists the names without one.
///
/// # Errors
/// When the store can not be opened (a running server holds it), or there is
/// no read model of that name.
pub async fn run(store_url: &str, name: Option<&str>) -> anyhow::Result<ExitCode> {
    let Some(name) = name else {
        for view in View::ALL {
            say(view.name());
        }
        return Ok(ExitCode::SUCCESS);
    };
    let view = View::named(name).with_context(|| {
        format!("there is no read model {name:?}; without a name they are listed")
    })?;
    let stores = store::open(store_url)
        .await
        .context("store can not be opened")?;
    let rebuilt = projections::rebuild(
        stores.log.clone(),
        stores.read.clone(),
        stores.vault.clone(),
        view,
    )
    .await
    .with_context(|| format!("{name} can not be rebuilt"))?;
    say(&format!("{name} is rebuilt up to position {rebuilt}"));
    Ok(ExitCode::SUCCESS)
}
