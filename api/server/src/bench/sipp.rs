//! SIPp as a child process: one scenario, its log and its statistics.

use super::{
    process,
    sipp_log::{self, Counters, Line},
};
use anyhow::{Context as _, bail};
use std::{
    fs,
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::process::{Child, Command};

/// A scenario, compiled in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scenario {
    name: &'static str,
    xml: &'static str,
}

/// Callers ring in, talk and hang up.
pub(super) const CALLER: Scenario = Scenario {
    name: "caller",
    xml: include_str!("scenarios/caller.xml"),
};
/// The agents' phones.
pub(super) const AGENT: Scenario = Scenario {
    name: "agent",
    xml: include_str!("scenarios/agent.xml"),
};

/// Pause between two looks at what SIPp has written.
const LOOK: Duration = Duration::from_millis(50);

/// How SIPp is run.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub scenario: Scenario,
    /// Folder for its files; one run of a scenario each.
    pub folder: PathBuf,
    /// Port that it speaks from.
    pub port: u16,
    pub server: SocketAddr,
    /// More arguments of SIPp.
    pub arguments: Vec<String>,
}

impl Run {
    /// Starts it.
    ///
    /// # Errors
    /// When SIPp is not installed, or its files can not be written.
    pub(super) fn start(&self) -> anyhow::Result<Sipp> {
        fs::create_dir_all(&self.folder)?;
        let file = |extension: &str| {
            self.folder
                .join(format!("{}.{extension}", self.scenario.name))
        };
        fs::write(file("xml"), self.scenario.xml)?;
        let mut command = Command::new("sipp");
        command
            .args(["-i", "127.0.0.1", "-nostdin", "-fd", "1"])
            .args(["-trace_logs", "-log_file"])
            .arg(file("log"))
            .args(["-trace_stat", "-stf"])
            .arg(file("csv"))
            .args(["-trace_err", "-error_file"])
            .arg(file("err"))
            .arg("-sf")
            .arg(file("xml"))
            .args(["-p", &self.port.to_string()])
            .args(&self.arguments)
            .arg(self.server.to_string())
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = process::spawn(&mut command).map_err(|error| {
            if error.kind() == ErrorKind::NotFound {
                anyhow::anyhow!(
                    "SIPp is not installed: it is in the Debian package sip-tester \
                     (apt-get install sip-tester)"
                )
            } else {
                anyhow::Error::new(error).context("SIPp can not be started")
            }
        })?;
        Ok(Sipp {
            child,
            log: file("log"),
            statistics: file("csv"),
            errors: file("err"),
        })
    }
}

/// SIPp, running or done.
#[derive(Debug)]
pub(super) struct Sipp {
    child: Child,
    log: PathBuf,
    statistics: PathBuf,
    errors: PathBuf,
}

impl Sipp {
    /// Waits until it is done by itself. Failed calls are no error here.
    ///
    /// # Errors
    /// When it takes too long, or could not work at all.
    pub(super) async fn done(&mut self, patience: Duration) -> anyhow::Result<Counters> {
        let status = match tokio::time::timeout(patience, self.child.wait()).await {
            Ok(status) => status?,
            Err(_) => {
                self.child.kill().await?;
                bail!(
                    "SIPp was not done within {} s; {}",
                    patience.as_secs(),
                    process::tail_of(&self.errors)
                )
            }
        };
        match (status.code(), self.counters()) {
            // 1: some calls failed.
            (Some(0 | 1), Some(counters)) => Ok(counters),
            _ => bail!(
                "SIPp ended with {status}: {}",
                process::tail_of(&self.errors)
            ),
        }
    }

    /// Ends it now.
    ///
    /// # Errors
    /// When it can not be ended.
    pub(super) async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("SIPp can not be ended")
    }

    /// What its scenario has logged.
    pub(super) fn lines(&self) -> Vec<Line> {
        sipp_log::lines(&text_of(&self.log))
    }

    /// Its counters so far.
    pub(super) fn counters(&self) -> Option<Counters> {
        sipp_log::counters(&text_of(&self.statistics))
    }

    /// What it complained about.
    pub(super) fn complaints(&self) -> String {
        process::tail_of(&self.errors)
    }

    /// Waits until its log has that many lines with a mark.
    ///
    /// # Errors
    /// When it does not in time, or ends before.
    pub(super) async fn until_logged(
        &mut self,
        mark: &str,
        count: usize,
        patience: Duration,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + patience;
        loop {
            let ended = self.child.try_wait()?;
            let lines = self.lines();
            let logged = lines.iter().filter(|line| line.mark == mark).count();
            if logged >= count {
                return Ok(());
            }
            if ended.is_some() || Instant::now() > deadline {
                bail!(
                    "only {logged} of {count} were {mark}; {}",
                    process::tail_of(&self.errors)
                );
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// A UDP port of loopback that is free now.
///
/// # Errors
/// When there is none.
pub(super) fn free_port() -> anyhow::Result<u16> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(socket.local_addr()?.port())
}

/// Name of an agent.
pub(super) fn agent_name(index: usize) -> String {
    format!("a{index}")
}

/// Password of an agent.
pub(super) fn agent_password(index: usize) -> String {
    format!("a{index}-secret")
}

/// What is in a file that may not be there yet.
fn text_of(file: &Path) -> String {
    fs::read(file).map_or_else(
        |_| String::new(),
        |bytes| String::from_utf8_lossy(&bytes).into_owned(),
    )
}
