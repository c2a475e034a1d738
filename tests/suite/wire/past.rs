//! Boards of the past, at the real binary: whatever the live board showed can
//! be seen again.

use crate::support::{agent, caller, dial, incoming, records, setup};
use anyhow::{Context as _, ensure};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};
use std::time::Duration;

/// Live boards that are recorded, at least.
const SEEN: usize = 6;
const CALLERS: u32 = 4;
const ROWS: &str = "activeCalls@ { nodes { id state since from { user } queue { name } \
     agent { name } offersCount position } } \
     agents@ { nodes { id name state since reason devicesCount call { id state } position } } \
     queues@ { nodes { id name waitingCount position statistics { waitingCount matchedCount \
     agentsByState { state count } total { offeredCount answeredCount abandonedCount } } } }";

/// What a live board showed.
struct Seen {
    position: String,
    /// When, by the clock of this machine.
    at: String,
    board: Value,
}

async fn head(server: &Server) -> anyhow::Result<String> {
    let query = "{ board(asOf: \"2999-01-01T00:00:00Z\") { position } }";
    let answer = server.graphql(query, json!({})).await?;
    let position = answer["board"]["position"].as_str();
    Ok(position.context("a position")?.to_owned())
}

fn now() -> anyhow::Result<String> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let now = domain::time::Timestamp::from_micros(i64::try_from(since.as_micros())?);
    Ok(now.to_string())
}

/// The live board, if nothing happened while it was read.
async fn look(server: &Server) -> anyhow::Result<Option<Seen>> {
    let position = head(server).await?;
    let query = format!(
        "query Q($p: Cursor) {{ {} }}",
        ROWS.replace('@', "(minPosition: $p)")
    );
    let board = server.graphql(&query, json!({ "p": position })).await?;
    let at = now()?;
    let is_still = head(server).await? == position;
    Ok(is_still.then_some(Seen {
        position,
        at,
        board,
    }))
}

async fn then(server: &Server, moment: &str) -> anyhow::Result<(String, Value)> {
    let query = format!(
        "{{ board({moment}) {{ position {} }} }}",
        ROWS.replace('@', "")
    );
    let mut answer = server.graphql(&query, json!({})).await?;
    let board = answer["board"].as_object_mut().context("a board")?;
    let position = board.remove("position").context("a position")?;
    let position = position.as_str().context("a position")?.to_owned();
    Ok((position, answer["board"].clone()))
}

/// When the store took the first event after a position; none after the last.
async fn next_recorded(server: &Server, after: &str) -> anyhow::Result<Option<String>> {
    let query = format!("{{ events(after: \"{after}\", first: 1) {{ nodes {{ recordedAt }} }} }}");
    let answer = server.graphql(&query, json!({})).await?;
    let event = &answer["events"]["nodes"][0];
    Ok(event["recordedAt"].as_str().map(Into::into))
}

/// By its position every board is the same again. By its instant it is the one
/// of what the store had taken by then: a database stamps an event a moment
/// before anybody can read it, so now and then that is one event more.
async fn check(server: &Server, seen: &[Seen]) -> anyhow::Result<()> {
    let mut same = 0;
    for one in seen {
        let (_, board) = then(server, &format!("position: \"{}\"", one.position)).await?;
        ensure!(
            board == one.board,
            "{}: {board:#} {:#}",
            one.position,
            one.board
        );
        let (position, board) = then(server, &format!("asOf: \"{}\"", one.at)).await?;
        let last = position.parse::<u64>()?;
        let taken = next_recorded(server, &(last - 1).to_string()).await?;
        let next = next_recorded(server, &position).await?;
        ensure!(last >= one.position.parse()?, "{} is too early", one.at);
        ensure!(
            taken.is_some_and(|at| at <= one.at),
            "{} is too late",
            one.at
        );
        ensure!(next.is_none_or(|at| at > one.at), "{} is too early", one.at);
        if position == one.position {
            same += 1;
            ensure!(board == one.board, "at {}: {board:#}", one.at);
        }
    }
    ensure!(same * 2 > seen.len(), "{same} of {} instants", seen.len());
    Ok(())
}

async fn boards_can_be_seen_again(setup: &Setup) -> anyhow::Result<()> {
    let server = Server::start(setup).await?;
    let anna = agent(&server, "anna").await?;
    let work = tokio::spawn(async move {
        for _ in 0..CALLERS {
            let call = incoming(&anna).await?;
            call.ring().await?;
            tokio::time::sleep(Duration::from_millis(150)).await;
            call.answer().await?;
            tokio::time::sleep(Duration::from_millis(150)).await;
            call.hang_up().await?;
        }
        anyhow::Ok(anna)
    });
    let mut callers = vec![];
    for number in 0..CALLERS {
        let phone = caller(&server, &format!("493011{number}")).await?;
        let out = dial(&phone, "support").await?;
        callers.push((phone, out));
    }
    let mut seen: Vec<Seen> = vec![];
    while !work.is_finished() {
        if let Some(one) = look(&server).await?
            && seen.last().is_none_or(|last| last.position != one.position)
        {
            seen.push(one);
        }
    }
    let _anna = work.await??;
    records(&server, CALLERS as usize).await?;
    ensure!(seen.len() >= SEEN, "only {} boards were seen", seen.len());
    let had_calls = |one: &&Seen| one.board["activeCalls"]["nodes"] != json!([]);
    ensure!(
        seen.iter().filter(had_calls).count() > 2,
        "no calls were seen"
    );
    check(&server, &seen).await?;
    // And after kill -9, when nothing of it is in memory.
    server.kill().await?;
    let server = Server::start(setup).await?;
    check(&server, &seen).await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_live_boards_showed_can_be_seen_again() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    boards_can_be_seen_again(&setup(folder.path(), &["anna", "ben"])).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_live_boards_showed_can_be_seen_again_on_postgresql() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let database = store::testing::database().await;
    let mut setup = setup(folder.path(), &["anna", "ben"]);
    setup.store_url = Some(database.url().into());
    boards_can_be_seen_again(&setup).await
}
