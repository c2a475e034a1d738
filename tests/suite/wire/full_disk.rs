//! A full disk: callers are told to come back later, who talks goes on talking,
//! nothing that was acknowledged is lost, and it goes on when there is room again.

use crate::support::{
    PATIENCE, agent, agent_is, caller, command_id, dial, incoming, mutate, setup, talk,
};
use anyhow::{Context as _, bail, ensure};
use phone::Progress;
use ringledger_tests::server::Server;
use serde_json::json;
use std::{
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// Room for the files of an embedded store, and little more.
const DISK: &str = "size=24m";
/// Calls that may still find room in what the store had taken before.
const CALLS_MAX: usize = 200;
/// A caller who leaves does not wait longer for the confirmation.
const LEAVE: Duration = Duration::from_secs(1);

/// A small disk of its own, gone with the value. Needs root, as the capture
/// of packets does.
pub(crate) struct Disk(PathBuf);

impl Disk {
    pub(crate) fn mount(at: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir(at)?;
        let mut mount = Command::new("mount");
        let status = mount
            .args(["-t", "tmpfs", "-o", DISK, "tmpfs"])
            .arg(at)
            .status()?;
        ensure!(
            status.success(),
            "a tmpfs can not be mounted: the test needs root"
        );
        Ok(Self(at.to_owned()))
    }

    /// Leaves no byte.
    fn fill(&self) -> anyhow::Result<()> {
        let mut file = std::fs::File::create(self.0.join("filler"))?;
        let mut size = 1 << 16;
        while size > 0 {
            match file.write(&vec![0; size]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => size /= 2,
                Err(error) => bail!(error),
            }
        }
        Ok(())
    }

    /// Leaves so many bytes.
    pub(crate) fn fill_but(&self, left: u64) -> anyhow::Result<()> {
        self.fill()?;
        let file = std::fs::File::options()
            .write(true)
            .open(self.0.join("filler"))?;
        let size = file.metadata()?.len();
        Ok(file.set_len(size.saturating_sub(left))?)
    }

    pub(crate) fn clear(&self) -> anyhow::Result<()> {
        Ok(std::fs::remove_file(self.0.join("filler"))?)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let status = Command::new("umount").arg("-l").arg(&self.0).status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "{:?} stays mounted",
            self.0
        );
    }
}

/// Calls until one finds no room; those that did.
async fn call_until_full(server: &Server) -> anyhow::Result<Vec<String>> {
    let phone = caller(server, "4930111").await?;
    let mut acknowledged = vec![];
    let mut refused = None;
    for _ in 0..CALLS_MAX {
        let call = dial(&phone, "support").await?;
        if call.wait_ringing(PATIENCE).await.is_err() {
            refused = call.progress().status;
            break;
        }
        acknowledged.push(call.call_id().to_owned());
        // The room may end in the middle of a call: then its end comes later.
        let _ = tokio::time::timeout(LEAVE, call.cancel()).await;
    }
    let status = refused.context("there was room for all")?;
    ensure!(status == 503, "a caller hears {status}");
    ensure!(
        phone.options_ping("support").await?.status == 200,
        "it answers nothing any more"
    );
    let read = server
        .graphql("{ agents { nodes { name } } }", json!({}))
        .await?;
    ensure!(read["agents"]["nodes"][0]["name"] == "anna", "{read}");
    Ok(acknowledged)
}

/// Orders until one finds no room, and is told so; the log says why.
async fn order_until_full(server: &Server, log: &Path) -> anyhow::Result<()> {
    let mut refused = None;
    for number in 0..CALLS_MAX {
        let id = command_id(number as u128);
        let order = json!({"commandId": id, "name": format!("queue-{number}")});
        if let Err(error) = mutate(server, "createQueue", "queue { id }", order).await {
            refused = Some(format!("{error:#}"));
            break;
        }
    }
    let refused = refused.context("there was room for all orders")?;
    ensure!(refused.contains("UNAVAILABLE"), "{refused}");
    let said = std::fs::read_to_string(log)?;
    let mut words = ["disk is full", "disk full", "no room"].iter();
    ensure!(
        words.any(|words| said.contains(words)),
        "the log does not say what is wrong: {said}"
    );
    Ok(())
}

/// Waits until callers are taken again.
async fn comes_back(server: &Server) -> anyhow::Result<()> {
    let phone = caller(server, "4930111").await?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let call = dial(&phone, "support").await?;
        if call.wait_ringing(PATIENCE).await.is_ok() {
            call.cancel().await?;
            return Ok(());
        }
        ensure!(
            Instant::now() < deadline,
            "it does not come back: {:?}",
            call.progress()
        );
    }
}

/// Every acknowledged call has a record, and those that were talked one each.
async fn nothing_is_lost(
    server: &Server,
    acknowledged: &[String],
    talked: &[String],
) -> anyhow::Result<()> {
    let ended = "{ activeCalls(first: 50) { nodes { id } } }";
    server
        .until(ended, |answer| answer["activeCalls"]["nodes"] == json!([]))
        .await?;
    let query = "{ cdrs(first: 100) { nodes { sipCallId disposition hangupBy } } }";
    let cdrs = server.graphql(query, json!({})).await?;
    let cdrs = cdrs["cdrs"]["nodes"].as_array().context("a list")?;
    for id in talked {
        let of: Vec<_> = cdrs.iter().filter(|one| one["sipCallId"] == *id).collect();
        ensure!(of.len() == 1, "{of:?}");
        ensure!(of[0]["disposition"] == "ANSWERED", "{of:?}");
        ensure!(of[0]["hangupBy"] == "CALLER", "{of:?}");
    }
    for id in acknowledged {
        ensure!(
            cdrs.iter().any(|one| one["sipCallId"] == *id),
            "call {id} was acknowledged and is lost"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_full_disk_is_503_for_callers_while_others_talk_on_and_passes() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut setup = setup(folder.path(), &["anna", "ben"]);
    let log = folder.path().join("log.txt");
    setup.log = Some(log.clone());
    let disk = Disk::mount(&setup.data())?;
    let server = Server::start(&setup).await?;
    let anna = agent(&server, "anna").await?;
    let ben = agent(&server, "ben").await?;
    let one = caller(&server, "4930100").await?;
    let two = caller(&server, "4930101").await?;
    let (stays, _at_one) = talk(&one, &anna).await?;
    let (leaves, at_two) = talk(&two, &ben).await?;
    let talked = [stays.call_id().to_owned(), leaves.call_id().to_owned()];
    disk.fill()?;
    let acknowledged = call_until_full(&server).await?;
    order_until_full(&server, &log).await?;
    // One who talks hangs up and is let go; the other side follows the record. The
    // other call goes on.
    ensure!(leaves.hang_up().await? == 200, "{:?}", leaves.progress());
    let talks = |progress: &Progress| progress.ended_by.is_none();
    ensure!(talks(&stays.progress()), "{:?}", stays.progress());

    disk.clear()?;
    at_two.wait_ended(PATIENCE).await?;
    comes_back(&server).await?;
    ensure!(talks(&stays.progress()), "{:?}", stays.progress());
    ensure!(stays.hang_up().await? == 200, "{:?}", stays.progress());
    agent_is(&server, "anna", "READY").await?;
    agent_is(&server, "ben", "READY").await?;
    // Another caller, who is told apart from all who rang at the phones in between.
    let last = caller(&server, "4930112").await?;
    let call = dial(&last, "support").await?;
    let at_agent = loop {
        let call = tokio::select! {
            call = incoming(&anna) => call?,
            call = incoming(&ben) => call?,
        };
        if call.from_user() == Some("4930112") {
            break call;
        }
    };
    at_agent.answer().await?;
    call.wait_answered(PATIENCE).await?;
    call.hang_up().await?;
    nothing_is_lost(&server, &acknowledged, &talked).await?;
    server.stop().await
}
