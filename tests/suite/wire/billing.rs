//! `kill -9` in a loop while calls are rated and while a month is invoiced, at marks
//! of work done that are spread over all of it. Each call is rated once, numbers have
//! no gap and no double, and the sum of the lines is the sum of the rated calls, to
//! the last digit.
//!
//! `RINGLEDGER_BILLING_ACCOUNTS` sets the number of accounts (10000 is the full
//! size); without it there are as many as fit into a test. `RINGLEDGER_BINARY`
//! names a release build, which the full size needs.

mod seed;
mod told;
mod watch;

use anyhow::ensure;
use ringledger_tests::server::{Server, Setup};
use seed::seed;
use std::time::Duration;
use told::{check, read};
use watch::{Kills, Watch, Work};

/// Accounts in a test of every day.
const ACCOUNTS: u32 = 100;
const CALLS_EACH: u32 = 3;
/// Accounts where nothing is killed.
const FEW: u32 = 20;
const PERIOD: &str = "2026-10";
/// Kills while calls are rated, and as many while they are invoiced.
const ROUNDS: u64 = 12;
const PLAN: &str = "basic";
/// A backlog is worked off within this, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(300);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(50);

fn accounts() -> u32 {
    std::env::var("RINGLEDGER_BILLING_ACCOUNTS")
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(ACCOUNTS)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_survives_kill_9_on_sqlite() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    survive(Setup::new(folder.path(), "")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_survives_kill_9_on_postgresql() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let database = store::testing::database().await;
    let mut setup = Setup::new(folder.path(), "");
    setup.store_url = Some(database.url().into());
    // What a killed node leads is free after its lease: the shortest there is.
    setup.settings = "[node]\nlease_ms = 1000\n".into();
    survive(setup).await
}

/// A call that ended before the run is on the invoice of its month, and not on the next one,
/// also if nobody rated it before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_rated_yet_is_rated_before_its_month_is_closed() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = Setup::new(folder.path(), "");
    Server::start(&setup).await?.stop().await?;
    seed(&setup, FEW).await?;
    ensure!(read(&setup).await?.recorded.is_empty(), "nothing is rated");
    let invoicing = Work {
        setup: &setup,
        arguments: &["invoice", "run", "--period", PERIOD],
        steps: &[],
        pieces: FEW.into(),
    };
    ensure!(invoicing.spawn()?.wait().await?.success(), "the run");
    check(&setup, FEW, usize::try_from(FEW * CALLS_EACH)?).await
}

/// Waits until the node leads and its processes have begun: a process that has
/// never begun takes what was before for history. A store of one node leads
/// from the start.
async fn begun(setup: &Setup) -> anyhow::Result<()> {
    let Some(url) = &setup.store_url else {
        return Ok(());
    };
    let stores = store::join(url, "onlooker").await?;
    let sql = "SELECT name FROM es_processes WHERE name = 'rating'";
    let begun = async {
        while stores.read.query(sql, vec![]).await?.is_empty() {
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    };
    tokio::time::timeout(PATIENCE, begun).await?
}

fn url(setup: &Setup) -> String {
    setup
        .store_url
        .clone()
        .unwrap_or_else(|| format!("sqlite:{}", setup.data().display()))
}

async fn survive(setup: Setup) -> anyhow::Result<()> {
    // The processes begin with an empty record; what is seeded is news to them.
    let server = Server::start(&setup).await?;
    begun(&setup).await?;
    server.stop().await?;
    seed(&setup, accounts()).await?;
    let calls = u64::from(accounts() * CALLS_EACH);
    let mut watch = Watch::open(&setup).await?;
    let rating = Work {
        setup: &setup,
        arguments: &["serve"],
        steps: &["call_rated", "usage_recorded"],
        pieces: calls,
    };
    is_amid(&rating.kill_at_marks(&mut watch, ROUNDS).await?)?;
    rate_the_rest(&setup, usize::try_from(calls)?).await?;
    let invoicing = Work {
        setup: &setup,
        arguments: &["invoice", "run", "--period", PERIOD],
        steps: &[
            "usage_period_closed",
            "invoice_drafted",
            "number_issued",
            "invoice_issued",
            "charge_posted",
        ],
        pieces: accounts().into(),
    };
    is_amid(&invoicing.kill_at_marks(&mut watch, ROUNDS).await?)?;
    ensure!(invoicing.spawn()?.wait().await?.success(), "the last run");
    ensure!(invoicing.spawn()?.wait().await?.success(), "once more");
    check(&setup, accounts(), usize::try_from(calls)?).await
}

/// Most kills came while there was work done and work to do: else nothing was shown.
fn is_amid(kills: &Kills) -> anyhow::Result<()> {
    // What is committed together is passed together: there may be fewer kills than marks.
    ensure!(kills.amid >= ROUNDS / 3, "too few hit: {kills:?}");
    ensure!(kills.amid * 3 >= kills.all * 2, "most missed: {kills:?}");
    ensure!(kills.with_progress >= ROUNDS / 3, "no progress: {kills:?}");
    ensure!(kills.torn > 0, "nothing was left half done: {kills:?}");
    Ok(())
}

/// Lets a server run until every call's usage is on the record.
async fn rate_the_rest(setup: &Setup, calls: usize) -> anyhow::Result<()> {
    for _ in 0..ROUNDS {
        let server = start_when_free(setup).await?;
        let done = ["lag_events", "outstanding_count"]
            .map(|name| format!("ringledger_process_{name}{{process=\"rating\"}} 0\n"));
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let metrics = server.get("/metrics").await?.1;
            if done.iter().all(|line| metrics.contains(line)) {
                break;
            }
            ensure!(tokio::time::Instant::now() < deadline, "rating hangs");
            tokio::time::sleep(LOOK).await;
        }
        server.stop().await?;
        if read(setup).await?.recorded.len() >= calls {
            return Ok(());
        }
    }
    anyhow::bail!("not every call is rated")
}

/// The server, once its store is free: whoever was killed may hold it for a moment.
async fn start_when_free(setup: &Setup) -> anyhow::Result<Server> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        match Server::start(setup).await {
            Ok(server) => return Ok(server),
            Err(error) if tokio::time::Instant::now() > deadline => return Err(error),
            Err(_) => tokio::time::sleep(LOOK).await,
        }
    }
}
