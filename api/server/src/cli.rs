//! The command line.

use crate::{
    audit, backup, bench, compose::Server, config::Config, deck, demo, erlang, export, invoice,
    projections_command, shutdown, simulate, telemetry, whatif,
};
use clap::{Parser, Subcommand};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

/// Where the configuration is looked for when none is named.
const DEFAULT_CONFIG: &str = "ringledger.toml";

/// An event-sourced call centre: SIP in, queues, agents, and a record of every step.
#[derive(Debug, Parser)]
#[command(name = "ringledger", version)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the product: SIP, HTTP and GraphQL.
    Serve {
        #[command(flatten)]
        place: Place,
        /// Only check the configuration: exit 0, or name the key that is wrong.
        #[arg(long)]
        check_config: bool,
    },
    /// Show it at work: a server, two agents and five callers on loopback.
    Demo {
        /// How long each caller talks, in milliseconds.
        #[arg(long, default_value_t = 2_000)]
        talk_ms: u64,
        /// Print lines instead of a board that redraws itself.
        #[arg(long)]
        plain: bool,
    },
    /// Rebuild one read model from the first event on; the server must not run.
    Rebuild {
        /// Its name; without one, the names are listed.
        name: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// How many callers wait, by the formulas of Erlang.
    Erlang(erlang::Erlang),
    /// Live through call centres from seeds in which everything goes wrong, and
    /// check every fact.
    Simulate(simulate::Simulate),
    /// Live through a stretch of the record again, with other agents or another
    /// strategy, and print the report of it beside the real one; the server may run.
    #[command(name = "whatif")]
    WhatIf(whatif::WhatIf),
    /// List read models, build one anew beside the live one, switch, retry.
    Projections {
        #[command(subcommand)]
        what: projections_command::What,
        #[command(flatten)]
        place: Place,
    },
    /// Write the record as JSON Lines with a chain of hashes, or what was made of
    /// it as tables; the server may run.
    #[command(args_conflicts_with_subcommands = true)]
    Export {
        #[command(subcommand)]
        what: Option<export::What>,
        /// The file; standard output without one.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Only events after this position.
        #[arg(long, default_value_t = 0)]
        after: u64,
        /// Only events up to this position.
        #[arg(long)]
        until: Option<u64>,
        #[command(flatten)]
        place: Place,
    },
    /// Prove that nothing in an export was changed, removed, added or moved.
    Verify {
        /// The export.
        file: PathBuf,
        /// The hash that was told when it was written.
        #[arg(long)]
        hash: Option<String>,
        /// Compare with the events of the store too; the server may run.
        #[arg(long)]
        store: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Print one call as a ladder that a person can read; the server may run.
    Timeline {
        /// The call's id.
        call: String,
        #[command(flatten)]
        place: Place,
    },
    /// Invoices: close a month, number and post them; or write one as a document.
    Invoice {
        #[command(subcommand)]
        what: invoice::What,
    },
    /// Decks: publish the next version of one from a file of any size.
    Deck {
        #[command(subcommand)]
        what: deck::What,
    },
    /// Copy the log and the keys of the embedded store, also while it is in use.
    Backup {
        #[command(flatten)]
        places: backup::Places,
        #[command(flatten)]
        place: Place,
    },
    /// Make an embedded store of a backup, where there is none.
    Restore {
        #[command(flatten)]
        places: backup::Places,
        #[command(flatten)]
        place: Place,
    },
    /// Measure, and print machine, commit and figures.
    Bench {
        #[command(subcommand)]
        what: bench::What,
    },
}

/// Which store, and which configuration.
#[derive(Debug, clap::Args)]
pub struct Place {
    /// Configuration file; `ringledger.toml` where there is one.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    /// Folder of the embedded store.
    #[arg(long, default_value = "data", global = true)]
    pub(crate) data: PathBuf,
}

impl Place {
    /// The store that is meant.
    ///
    /// # Errors
    /// Names what is wrong in the configuration.
    pub(crate) fn store_url(&self) -> Result<String, crate::config::ConfigError> {
        Ok(self.load()?.store_url(&self.data))
    }

    pub(crate) fn load(&self) -> Result<Config, crate::config::ConfigError> {
        let default = Path::new(DEFAULT_CONFIG);
        match &self.config {
            Some(file) => Config::load(Some(file)),
            None if default.is_file() => Config::load(Some(default)),
            None => Config::load(None),
        }
    }
}

/// Runs the command that the process was called with.
pub fn run() -> ExitCode {
    let line = Line::parse();
    let result = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(carry_out(line.command)));
    match result {
        Ok(code) => code,
        Err(error) => {
            say(&format!("ringledger: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stderr, reason = "the command line speaks to a person")]
fn say(line: &str) {
    eprintln!("{line}");
}

async fn carry_out(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve {
            place,
            check_config,
        } => {
            let config = place.load()?;
            if check_config {
                return Ok(ExitCode::SUCCESS);
            }
            telemetry::start_logs(&config.log)?;
            serve(config, place).await
        }
        Command::Demo { talk_ms, plain } => demo::run(talk_ms, plain).await,
        Command::Rebuild { name, place } => {
            let config = place.load()?;
            telemetry::start_logs(&config.log)?;
            crate::rebuild::run(&config.store_url(&place.data), name.as_deref()).await
        }
        Command::Erlang(asked) => erlang::run(&asked),
        Command::Simulate(settings) => simulate::run(&settings),
        Command::WhatIf(asked) => whatif::run(&asked).await,
        Command::Invoice { what } => invoice::run(what).await,
        Command::Deck { what } => deck::run(what).await,
        Command::Backup { places, place } => {
            let url = place.store_url()?;
            blocking(move || backup::save(&url, &places)).await
        }
        Command::Restore { places, place } => {
            let url = place.store_url()?;
            blocking(move || backup::bring_back(&url, &places)).await
        }
        Command::Bench { what } => Box::pin(bench::run(what)).await,
        Command::Projections { what, place } => {
            let config = place.load()?;
            let store = config.store_url(&place.data);
            say_all(&projections_command::run(what, &config, &store).await?)
        }
        Command::Export {
            what: Some(what), ..
        } => export::run(what).await,
        Command::Export {
            what: None,
            out,
            after,
            until,
            place,
        } => {
            let store = place.store_url()?;
            export_record(&store, audit::Range { after, until }, out.as_deref()).await
        }
        Command::Verify {
            file,
            hash,
            store,
            place,
        } => {
            let store_url = match store {
                true => Some(place.load()?.store_url(&place.data)),
                false => None,
            };
            let against = audit::Against { hash, store_url };
            demo::say(&audit::verify(&file, &against).await?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Timeline { call, place } => {
            say_all(&audit::timeline(&place.store_url()?, &call).await?)
        }
    }
}

fn say_all(lines: &[String]) -> anyhow::Result<ExitCode> {
    lines.iter().for_each(|line| demo::say(line));
    Ok(ExitCode::SUCCESS)
}

/// Standard output may hold the events: then what is said goes beside it.
async fn export_record(
    store_url: &str,
    range: audit::Range,
    out: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    let said = audit::export(store_url, range, out).await?;
    match out {
        Some(_) => demo::say(&said),
        None => say(&said),
    }
    Ok(ExitCode::SUCCESS)
}

/// Work on files, off the threads that wait for others.
async fn blocking(
    work: impl FnOnce() -> anyhow::Result<ExitCode> + Send + 'static,
) -> anyhow::Result<ExitCode> {
    tokio::task::spawn_blocking(work).await?
}

async fn serve(config: Config, place: Place) -> anyhow::Result<ExitCode> {
    let metrics = telemetry::start_metrics()?;
    tracing::info!(config = ?config, "effective configuration");
    let signals = shutdown::Signals::listen()?;
    let data = place.data.clone();
    let source = Arc::new(move || place.load());
    let server = Server::start(config, source, &data, metrics).await?;
    welcome(&server);
    server.token_was_shown().await?;
    shutdown::wait(server, signals).await?;
    Ok(ExitCode::SUCCESS)
}

#[allow(clippy::print_stdout, reason = "the command line speaks to a person")]
fn welcome(server: &Server) {
    println!("Ringledger is ready.");
    println!("  phones register and call at  {}", server.sip_contact());
    if let Some(address) = server.ws_addr() {
        println!("  phones over WebSocket at     ws://{address}/");
    }
    println!(
        "  GraphQL and its editor       http://{}/",
        server.http_addr()
    );
    if let Some(token) = server.new_token() {
        println!("  API token, shown this once   {token}");
    }
    if server.recovered_count() > 0 {
        println!(
            "  calls ended after the last stop: {}",
            server.recovered_count()
        );
    }
}
