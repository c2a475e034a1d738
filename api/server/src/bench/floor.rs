//! A call centre under load: a fresh server, and SIPp that plays all agents.

use super::{
    registrations,
    server_process::{QUEUE, ServerProcess, Setup},
    sipp::{self, AGENT, CALLER, Run, Sipp},
};
use anyhow::ensure;
use std::time::Duration;

/// Agents register at this rate when the rate is not what is measured.
const REGISTER_PER_S: usize = 100;
/// Beyond what a run should take.
const MARGIN: Duration = Duration::from_secs(60);
/// Calls that SIPp holds at once at most.
const HELD_MAX: &str = "10000";

/// Server and agents.
#[derive(Debug)]
pub(super) struct Floor {
    pub server: ServerProcess,
    pub agents: Sipp,
}

impl Floor {
    /// Starts the server, registers every agent from one port, and puts the
    /// phones on that port.
    ///
    /// # Errors
    /// When a part does not start, or an agent does not become free.
    pub(super) async fn open(setup: &Setup) -> anyhow::Result<Self> {
        let server = ServerProcess::start(setup).await?;
        let port = sipp::free_port()?;
        let wave = registrations::Wave {
            agents: setup.agents,
            times: setup.agents,
            per_s: REGISTER_PER_S,
        };
        let registered = registrations::register(server.sip, port, wave).await?;
        ensure!(
            registered.failed == 0,
            "{} agents could not register, status {:?}",
            registered.failed,
            registered.refused_with
        );
        let agents = Run {
            scenario: AGENT,
            folder: server.folder().join("agents"),
            port,
            server: server.sip,
            arguments: words(&["-l", HELD_MAX]),
        }
        .start()?;
        server.until_ready(setup.agents, MARGIN).await?;
        Ok(Self { server, agents })
    }

    /// Starts callers: so many in all, at a rate, each talking for a while.
    ///
    /// # Errors
    /// When SIPp does not start.
    pub(super) fn callers(&self, name: &str, wave: &Wave) -> anyhow::Result<Sipp> {
        let Wave {
            calls,
            per_s,
            talk_ms,
        } = wave;
        Run {
            scenario: CALLER,
            folder: self.server.folder().join(name),
            port: sipp::free_port()?,
            server: self.server.sip,
            arguments: words(&[
                "-s",
                QUEUE,
                "-l",
                HELD_MAX,
                "-m",
                &calls.to_string(),
                "-r",
                &per_s.to_string(),
                "-d",
                &talk_ms.to_string(),
            ]),
        }
        .start()
    }
}

/// Callers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wave {
    pub calls: usize,
    pub per_s: usize,
    pub talk_ms: u64,
}

impl Wave {
    /// By when all of them have surely ended, with as many agents.
    pub(super) fn patience(&self, agents: usize) -> Duration {
        let rounds = self.calls.div_ceil(agents.max(1)) as u64;
        Duration::from_secs((self.calls / self.per_s.max(1)) as u64)
            + Duration::from_millis(self.talk_ms.saturating_mul(rounds))
            + MARGIN
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
