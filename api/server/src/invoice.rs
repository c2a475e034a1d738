//! `ringledger invoice run`: invoices a month, on the store of a server that
//! does not run, or beside others on a shared one. Repeating it, or going on
//! after a crash, does nothing twice.

use crate::{
    back_office::BackOffice,
    cli::Place,
    config::Config,
    demo::say,
    invoice_show::{self, Show},
    progress::Progress,
    recovery, telemetry,
};
use anyhow::{Context as _, bail};
use clap::Subcommand;
use commands::{
    invoice_run::{self, Report},
    processes,
    roster::Roster,
};
use domain::{
    calendar::Period,
    id::{AccountId, DEFAULT_TENANT},
    process::{Process, invoicing::Invoicing, rating::RatingProcess},
};
use std::{path::Path, process::ExitCode, time::Duration};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// The name of the run among the nodes.
const NAME: &str = "invoice-run";

/// How long the last documents may take after the last account is done.
const SETTLE: Duration = Duration::from_secs(600);
/// Failures that are listed at most.
const LISTED_MAX: usize = 20;

/// What is done about invoices.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Close a month, draft the invoices of all accounts, number and post them.
    Run {
        /// Which month, for example 2026-10; it must be over.
        #[arg(long)]
        period: Period,
        /// Only the accounts of these names.
        #[arg(long)]
        account: Vec<String>,
        /// Configuration and store.
        #[command(flatten)]
        place: Place,
    },
    /// Write an invoice as a document; the server may run.
    Show(Show),
}

/// Does what was asked for.
///
/// # Errors
/// See [`close_month`] and [`invoice_show::run`].
pub async fn run(what: What) -> anyhow::Result<ExitCode> {
    match what {
        What::Show(show) => invoice_show::run(show).await,
        What::Run {
            period,
            account,
            place,
        } => {
            let config = place.load()?;
            telemetry::start_logs(&config.log)?;
            close_month(&config, &place.data, period, account).await
        }
    }
}

/// Invoices the month on the store.
///
/// # Errors
/// When the store can not be opened (a running server holds it, where a store
/// is of one node), or the run does not begin. Accounts that can not be invoiced
/// are listed, and the exit code says so.
async fn close_month(
    config: &Config,
    data: &Path,
    period: Period,
    account: Vec<String>,
) -> anyhow::Result<ExitCode> {
    let office = BackOffice::open(NAME, config, data).await?;
    let stop = CancellationToken::new();
    let completing = tokio::spawn(complete(
        office.means.clone(),
        office.roster.clone(),
        office.dead,
        stop.clone(),
    ));
    let accounts = (!account.is_empty()).then(|| {
        account
            .iter()
            .map(|name| AccountId::named(DEFAULT_TENANT, name))
            .collect()
    });
    let progress = Progress::of("accounts");
    let run = run_means(&office);
    let at = |done, all| progress.at(done as u64, all as u64);
    let report = invoice_run::run(&run, period, accounts, at).await?;
    drop(progress);
    let is_settled = invoice_run::settled(&run, period, SETTLE).await;
    stop.cancel();
    completing
        .await
        .context("the invoicing process stopped")??;
    office.close().await;
    if !is_settled {
        bail!("not every draft has its number yet; start the server, or run this again");
    }
    Ok(tell(period, &report))
}

/// Rates what is not rated yet and gives the drafts their numbers, once this node leads:
/// while another one does, that one does it.
async fn complete(
    means: processes::Means,
    roster: Roster,
    dead: Option<store::Heartbeat>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut seen = roster.watch();
    let token = tokio::select! {
        seen = seen.wait_for(|seen| seen.leading.is_some()) => seen?.leading,
        () = stop.cancelled() => None,
    };
    let Some(token) = token else {
        return Ok(());
    };
    tokio::try_join!(
        lead::<RatingProcess>(&means, dead, token, &stop),
        lead::<Invoicing>(&means, dead, token, &stop),
    )?;
    Ok(())
}

/// Runs the process until it is told to stop.
async fn lead<P: Process>(
    means: &processes::Means,
    dead: Option<store::Heartbeat>,
    token: u64,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let process = recovery::ready::<P>(means, dead).await?.under(token);
    let (ended, end) = oneshot::channel();
    let running = tokio::spawn(process.run(end));
    stop.cancelled().await;
    // It may have stopped by itself, and says why below.
    let _ = ended.send(());
    running.await??;
    Ok(())
}

fn tell(period: Period, report: &Report) -> ExitCode {
    let Report {
        drafted,
        already,
        nothing,
        failed,
    } = report;
    say(&format!(
        "{period}: {drafted} invoiced, {already} were invoiced before, \
         {nothing} have nothing to bill, {} failed",
        failed.len()
    ));
    for (account, reason) in failed.iter().take(LISTED_MAX) {
        say(&format!("  {account}: {reason}"));
    }
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// What a run needs.
fn run_means(office: &BackOffice) -> invoice_run::Means {
    invoice_run::Means {
        gateway: office.means.gateway.clone(),
        books: office.books.clone(),
        feed: office.means.feed.clone(),
        log: office.log(),
        store: office.means.store.clone(),
        clock: office.means.clock.clone(),
        actor: "cli".into(),
    }
}
