//! A fresh server as a child process: this same binary, on loopback, with its
//! record in a temporary folder.

use super::{process, sipp};
use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use std::{
    fmt::Write as _,
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    process::{Child, Command},
};

/// The queue that every caller wants.
pub(super) const QUEUE: &str = "bench";
const TOKEN: &str = "token-of-the-bench";
/// Thousands of agents are provisioned one after the other, each durably.
const START: Duration = Duration::from_secs(120);
const STOP: Duration = Duration::from_secs(60);
const ANSWER: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(100);
/// Longer than any bench: SIPp sends no RTP, and its calls must not end by it.
const SILENCE_MS: u64 = 3_600_000;

/// What the server is to be.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    /// Where the temporary folder is made: the disk that is measured.
    pub folder: PathBuf,
    /// `postgres://..` of an empty database; without it the embedded store.
    pub store_url: Option<String>,
    /// Agents who serve the queue.
    pub agents: usize,
}

impl Setup {
    fn file(&self) -> String {
        let mut text = format!(
            "[sip]\nlisten = \"127.0.0.1:0\"\n\
             # SIPp is one source for all of its callers.\n\
             calls_per_source_per_s = 1000000\ncalls_per_source_burst = 1000000\n\
             [http]\nlisten = \"127.0.0.1:0\"\ntoken = \"{TOKEN}\"\n\
             [media]\nlisten = \"127.0.0.1\"\nport_min = 10000\nport_max = 32767\n\
             quarantine_ms = 2000\nsilence_timeout_ms = {SILENCE_MS}\n\
             [log]\nfilter = \"warn,rsipstack=error,sqlx=error\"\n"
        );
        if let Some(url) = &self.store_url {
            // Writing to a string can not fail.
            let _ = writeln!(text, "[store]\nurl = {}", json!(url));
        }
        let _ = writeln!(
            text,
            "[[queue]]\nname = \"{QUEUE}\"\nanswer_mode = \"on_agent\"\nwrap_up_ms = 0\n\
             ring_timeout_ms = 30000\nmax_wait_ms = 0\ncapacity = 100000"
        );
        for index in 0..self.agents {
            let _ = writeln!(
                text,
                "[[agent]]\nname = \"{}\"\npassword = \"{}\"\nqueues = [\"{QUEUE}\"]\n\
                 ready_on_register = true",
                sipp::agent_name(index),
                sipp::agent_password(index)
            );
        }
        text
    }
}

/// The running server.
#[derive(Debug)]
pub(super) struct ServerProcess {
    child: Child,
    folder: TempDir,
    store_url: String,
    /// Where SIP listens.
    pub sip: SocketAddr,
    http: SocketAddr,
}

impl ServerProcess {
    /// Starts it and waits until it serves.
    ///
    /// # Errors
    /// When it does not; with what it said.
    pub(super) async fn start(setup: &Setup) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("ringledger-bench-")
            .tempdir_in(&setup.folder)
            .with_context(|| format!("no folder in {}", setup.folder.display()))?;
        let (file, data) = (folder.path().join("bench.toml"), folder.path().join("data"));
        fs::write(&file, setup.file())?;
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("serve")
            .arg("--config")
            .arg(&file)
            .arg("--data")
            .arg(&data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(folder.path().join("server.log"))?);
        let mut child = process::spawn(&mut command).context("the server can not be started")?;
        let stdout = child.stdout.take().context("the server has no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let (mut sip, mut http) = (None, None);
        let welcomed = async {
            while let Some(line) = lines.next_line().await? {
                sip = sip.or_else(|| address_after(&line, "sip:"));
                http = http.or_else(|| address_after(&line, "http://"));
                if let (Some(sip), Some(http)) = (sip, http) {
                    return Ok((sip, http));
                }
            }
            bail!("the server ended before it served")
        };
        let outcome = tokio::time::timeout(START, welcomed).await;
        let log = || process::tail_of(&folder.path().join("server.log"));
        let (sip, http) = outcome
            .with_context(|| format!("the server did not start in time: {}", log()))?
            .with_context(log)?;
        // The pipe must not close before the server does.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let embedded = || format!("sqlite:{}", data.display());
        Ok(Self {
            child,
            store_url: setup.store_url.clone().unwrap_or_else(embedded),
            folder,
            sip,
            http,
        })
    }

    /// Its process id.
    ///
    /// # Errors
    /// When it has ended.
    pub(super) fn id(&self) -> anyhow::Result<u32> {
        self.child
            .id()
            .with_context(|| format!("the server has ended: {}", self.log()))
    }

    /// Its folder, on the disk of its store.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What its store is opened by, once it has stopped.
    pub(super) fn store_url(&self) -> &str {
        &self.store_url
    }

    /// The end of its log: warnings and errors.
    pub(super) fn log(&self) -> String {
        process::tail_of(&self.folder.path().join("server.log"))
    }

    /// Asks it to stop, and waits; its folder stays until it is dropped.
    ///
    /// # Errors
    /// When it does not stop, or not with success.
    pub(super) async fn stop(&mut self) -> anyhow::Result<()> {
        let status = process::stop(&mut self.child, STOP).await?;
        ensure!(
            status.success(),
            "the server ended with {status}: {}",
            self.log()
        );
        Ok(())
    }

    /// Ends it as a crash would.
    ///
    /// # Errors
    /// When it can not be killed.
    pub(super) async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Waits until that many agents are free.
    ///
    /// # Errors
    /// When they are not in time.
    pub(super) async fn until_ready(
        &self,
        agents: usize,
        patience: Duration,
    ) -> anyhow::Result<()> {
        let query = "{ queues { nodes { statistics { agentsByState { state count } } } } }";
        let deadline = Instant::now() + patience;
        loop {
            let answer = self.graphql(query).await?;
            let states = &answer["queues"]["nodes"][0]["statistics"]["agentsByState"];
            let ready = states.as_array().into_iter().flatten();
            let ready = ready.filter(|entry| entry["state"] == "READY");
            let ready: u64 = ready.filter_map(|entry| entry["count"].as_u64()).sum();
            if ready == agents as u64 {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "{ready} of {agents} agents are free, states are {states}: {}",
                self.log()
            );
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The sum of all metrics whose line begins with a name.
    ///
    /// # Errors
    /// When it does not answer.
    pub(super) async fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let text = self.http("GET", "/metrics", "").await?;
        let lines = text.lines().filter(|line| line.starts_with(name));
        Ok(lines
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .fold(0.0, |sum, value| sum + value))
    }

    /// The data of a query's answer.
    ///
    /// # Errors
    /// When it does not answer, or with an error.
    pub(super) async fn graphql(&self, query: &str) -> anyhow::Result<Value> {
        let body = json!({ "query": query }).to_string();
        let answer: Value = serde_json::from_str(&self.http("POST", "/graphql", &body).await?)?;
        ensure!(answer["errors"].is_null(), "{query}: {}", answer["errors"]);
        Ok(answer["data"].clone())
    }

    /// One request on one connection: all that a bench needs of HTTP.
    async fn http(&self, method: &str, path: &str, body: &str) -> anyhow::Result<String> {
        let exchange = async {
            let mut stream = TcpStream::connect(self.http).await?;
            let head = format!(
                "{method} {path} HTTP/1.0\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                self.http,
                body.len()
            );
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(body.as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            let (head, body) = answer
                .split_once("\r\n\r\n")
                .context("the answer is not HTTP")?;
            ensure!(
                head.split(' ').nth(1) == Some("200"),
                "{method} {path}: {head} {body}"
            );
            Ok(body.to_owned())
        };
        tokio::time::timeout(ANSWER, exchange)
            .await
            .with_context(|| format!("{method} {path} was not answered: {}", self.log()))?
    }
}

/// The address that follows a word in a line.
fn address_after(line: &str, word: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once(word)?;
    let end = rest
        .find(|c: char| !(c.is_ascii_hexdigit() || ".:[]".contains(c)))
        .unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_welcome_names_both_doors() {
        let line = "  phones register and call at  sip:127.0.0.1:5071;transport=udp";
        let found = address_after(line, "sip:").unwrap();
        assert_eq!(found, "127.0.0.1:5071".parse().unwrap());
        let line = "  GraphQL and its editor       http://127.0.0.1:8080/";
        let found = address_after(line, "http://").unwrap();
        assert_eq!(found, "127.0.0.1:8080".parse().unwrap());
        assert_eq!(address_after("nothing", "sip:"), None);
    }

    #[test]
    fn the_configuration_of_a_bench_is_one_that_the_server_takes() {
        let folder = tempfile::tempdir().unwrap();
        let setup = Setup {
            folder: folder.path().into(),
            store_url: Some("postgres://a:\"b@localhost/c".into()),
            agents: 3,
        };
        let file = folder.path().join("bench.toml");
        std::fs::write(&file, setup.file()).unwrap();
        let config = crate::config::Config::load(Some(&file)).unwrap();
        assert_eq!((config.queues.len(), config.agents.len()), (1, 3));
        assert_eq!(config.queues[0].wrap_up_ms, 0);
    }
}
