//! `ringledger projections`: the read models, listed from beside the server,
//! and ordered about through it.

use crate::config::Config;
use anyhow::Context as _;
use clap::Subcommand;
use projections::{Checkpoint, changed::View};
use serde_json::{Value, json};
use std::time::Duration;

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is done with read models.
#[derive(Debug, Clone, Subcommand)]
pub enum What {
    /// Every read model and how far it is; the server may run.
    List,
    /// Build one anew beside the live one, which readers see until the switch.
    /// The server must run; without it, see `ringledger rebuild`.
    Rebuild {
        /// Its name.
        name: String,
        /// Switch as soon as it is as far as the live one.
        #[arg(long)]
        switch: bool,
    },
    /// Put the one that was built in the place of the live one.
    Switch {
        /// Its name.
        name: String,
    },
    /// Let a parked one try its event again.
    Retry {
        /// Its name.
        name: String,
    },
}

/// Carries it out; returns the lines that are said.
///
/// # Errors
/// When the store can not be read or the server refuses.
pub async fn run(what: What, config: &Config, store_url: &str) -> anyhow::Result<Vec<String>> {
    match what {
        What::List => list(store_url).await,
        What::Rebuild { name, switch } => {
            let input = json!({ "name": name, "thenSwitch": switch });
            order(config, "rebuildProjection", input).await?;
            let then = if switch { ", and switched to" } else { "" };
            Ok(vec![format!("{name} is being built{then}")])
        }
        What::Switch { name } => {
            order(config, "switchProjection", json!({ "name": name })).await?;
            Ok(vec![format!("{name} shows the rows that were built")])
        }
        What::Retry { name } => {
            order(config, "retryProjection", json!({ "name": name })).await?;
            Ok(vec![format!("{name} tries again")])
        }
    }
}

async fn list(store_url: &str) -> anyhow::Result<Vec<String>> {
    let look = store::look(store_url)
        .await
        .context("store can not be opened")?;
    let read = look.read.context("there are no read models")?;
    let head = look.log.head().await?.0;
    let checkpoints = projections::checkpoints(read.as_ref()).await?;
    let mut lines = vec![format!(
        "{:<16}{:>8}{:>14}{:>10}  {}",
        "name", "version", "position", "behind", "being built"
    )];
    for view in View::ALL {
        let of = |wanted: &dyn Fn(&&Checkpoint) -> bool| {
            checkpoints
                .iter()
                .find(|one| one.view == view && wanted(one))
        };
        let shown = |one: Option<&Checkpoint>| match one {
            Some(one) => (one.version.to_string(), one.position.0),
            None => ("-".into(), 0),
        };
        let (version, position) = shown(of(&|one| !one.is_next));
        let next = of(&|one| one.is_next).map_or_else(String::new, |next| {
            let then = if next.then_switch { ", then shown" } else { "" };
            format!(
                "version {} up to position {}{then}",
                next.version, next.position
            )
        });
        let behind = head.saturating_sub(position);
        let name = view.name();
        let line = format!("{name:<16}{version:>8}{position:>14}{behind:>10}  {next}");
        lines.push(line.trim_end().to_owned());
        for stored in checkpoints.iter().filter(|one| one.view == view) {
            let which = if stored.is_next {
                "what is built is parked"
            } else {
                "parked"
            };
            lines.extend(stored.parked.as_ref().map(|parked| {
                let (at, reason) = (parked.position, &parked.reason);
                format!("  {which} before position {at}: {reason}")
            }));
        }
    }
    Ok(lines)
}

/// Orders something of the running server.
async fn order(config: &Config, mutation: &str, input: Value) -> anyhow::Result<()> {
    let mut kind = mutation.to_owned();
    kind[..1].make_ascii_uppercase();
    let kind = if mutation == "rebuildProjection" {
        kind
    } else {
        "Projection".into()
    };
    let query = format!(
        "mutation($input: {kind}Input!) {{ {mutation}(input: $input) {{ \
         userErrors {{ code message }} }} }}"
    );
    let token = config.http.token.as_ref().context(
        "orders need a token with the scope system:config: http.token in the configuration, \
         or RINGLEDGER__HTTP__TOKEN",
    )?;
    let address = config.http.listen;
    let response = reqwest::Client::new()
        .post(format!("http://{address}/graphql"))
        .bearer_auth(&token.0)
        .json(&json!({ "query": query, "variables": { "input": input } }))
        .timeout(PATIENCE)
        .send()
        .await
        .with_context(|| format!("no server answers at {address}"))?;
    let answer: Value = response
        .json()
        .await
        .context("that is no answer of a server")?;
    if let Some(message) = answer["errors"][0]["message"].as_str() {
        anyhow::bail!("the server says: {message}");
    }
    let refused = &answer["data"][mutation]["userErrors"][0];
    if let Some(message) = refused["message"].as_str() {
        let code = refused["code"].as_str().unwrap_or_default();
        anyhow::bail!("{message} ({code})");
    }
    Ok(())
}
