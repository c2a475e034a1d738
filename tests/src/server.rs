//! The real binary with real sockets: started, asked over GraphQL, killed,
//! started again on the same data.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

/// The token of every server that a test starts.
pub const TOKEN: &str = "test-token-of-the-wire-suite";
/// A debug build on a busy machine starts within this.
const START: Duration = Duration::from_secs(30);
/// Whatever a test waits for comes within this.
const PATIENCE: Duration = Duration::from_secs(30);
/// Starts of a server whose port may be taken.
const STARTS_MAX: usize = 5;
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// The binary, built once for each test process: never a stale one, and of the crates
/// that the tests are built of, so that nothing is compiled twice. Or the one that
/// `RINGLEDGER_BINARY` names, for a long run with a release build.
pub fn binary() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    if let Some(chosen) = std::env::var_os("RINGLEDGER_BINARY") {
        return chosen.into();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ is in the workspace");
    BUILT
        .get_or_init(|| {
            let status = std::process::Command::new(env!("CARGO"))
                .args([
                    "build",
                    "--quiet",
                    "--locked",
                    "--workspace",
                    "--all-targets",
                ])
                .current_dir(root)
                .status()
                .expect("cargo is there: it runs this test");
            assert!(status.success(), "the server does not build");
            root.join("target/debug/ringledger")
        })
        .clone()
}

/// What a server is started with.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Folder of the embedded store, and of the configuration file.
    pub folder: PathBuf,
    /// `sqlite:..` or `postgres://..`; the folder when none.
    pub store_url: Option<String>,
    /// Queues and agents, as TOML.
    pub provisioning: String,
    /// Keys of no table, as TOML.
    pub head: String,
    /// More keys, as TOML before the provisioning.
    pub settings: String,
    /// SIP address; port 0 takes a free one.
    pub sip: SocketAddr,
    /// The token of the configuration; the server makes one when none.
    pub token: Option<String>,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// Where standard error goes: to that of the test when none.
    pub log: Option<PathBuf>,
}

impl Setup {
    /// On the embedded store in a folder.
    pub fn new(folder: &Path, provisioning: &str) -> Self {
        Self {
            folder: folder.to_owned(),
            store_url: None,
            provisioning: provisioning.into(),
            head: String::new(),
            settings: String::new(),
            sip: SocketAddr::from(([127, 0, 0, 1], 0)),
            token: Some(TOKEN.into()),
            environment: vec![],
            log: None,
        }
    }

    /// A queue and agents with the password `NAME-secret`, ready on register.
    pub fn provisioning(queue: &str, agents: &[&str]) -> String {
        let mut text = queue.to_owned();
        for agent in agents {
            text.push_str(&format!(
                "\n[[agent]]\nname = \"{agent}\"\npassword = \"{agent}-secret\"\n\
                 queues = [\"support\"]\nready_on_register = true\n"
            ));
        }
        text
    }

    /// The data folder of the embedded store.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Writes the configuration file and returns its path.
    ///
    /// # Errors
    /// When it can not be written.
    pub fn write(&self) -> anyhow::Result<PathBuf> {
        let file = self.folder.join("ringledger.toml");
        std::fs::write(&file, self.file())?;
        Ok(file)
    }

    fn file(&self) -> String {
        let token = self
            .token
            .as_ref()
            .map_or_else(String::new, |token| format!("token = \"{token}\"\n"));
        let store = self
            .store_url
            .as_ref()
            .map_or_else(String::new, |url| format!("[store]\nurl = \"{url}\"\n"));
        format!(
            "{}[sip]\nlisten = \"{}\"\n[http]\nlisten = \"127.0.0.1:0\"\n{token}\
             [media]\nlisten = \"127.0.0.1\"\nquarantine_ms = 200\n{store}{}\n{}",
            self.head, self.sip, self.settings, self.provisioning
        )
    }
}

/// A running server.
pub struct Server {
    child: Child,
    /// Where SIP listens.
    pub sip: SocketAddr,
    /// Where phones over WebSocket are served, if they are.
    pub ws: Option<SocketAddr>,
    /// Where HTTP listens.
    pub http: SocketAddr,
    client: reqwest::Client,
    token: String,
    said: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts it on the port that it had. While it was away the system may have given that
    /// port to a connection, the server's own to its database for one: the next start has
    /// another.
    ///
    /// # Errors
    /// When it does not start; its log is on standard error.
    pub async fn start_again(setup: &Setup) -> anyhow::Result<Self> {
        for _ in 1..STARTS_MAX {
            if let Ok(server) = Self::start(setup).await {
                return Ok(server);
            }
        }
        Self::start(setup).await
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// When it does not start; its log is on standard error.
    pub async fn start(setup: &Setup) -> anyhow::Result<Self> {
        let file = setup.write()?;
        let mut command = Command::new(binary());
        command
            .arg("serve")
            .arg("--config")
            .arg(&file)
            .arg("--data")
            .arg(setup.data());
        command.env("RINGLEDGER__LOG__FILTER", "warn,rsipstack=error");
        for (name, value) in &setup.environment {
            command.env(name, value);
        }
        if let Some(log) = &setup.log {
            let log = std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(log)?;
            command.stderr(Stdio::from(log));
        }
        let mut child = command
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("the binary can not be started")?;
        let stdout = child.stdout.take().context("no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let (mut sip, mut ws, mut http) = (None, None, None);
        let said = Arc::new(Mutex::new(vec![]));
        let read = async {
            while let Some(line) = lines.next_line().await? {
                said.lock()
                    .expect("nobody panics while holding it")
                    .push(line.clone());
                sip = sip.or_else(|| address_after(&line, "sip:"));
                ws = ws.or_else(|| address_after(&line, "ws://"));
                http = http.or_else(|| address_after(&line, "http://"));
                if let (Some(sip), Some(http)) = (sip, http) {
                    return Ok((sip, http));
                }
            }
            anyhow::bail!("the server ended before it was ready")
        };
        let (sip, http) = tokio::time::timeout(START, read)
            .await
            .context("start took too long")??;
        // The pipe must not fill up, nor close.
        let more = said.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                more.lock()
                    .expect("nobody panics while holding it")
                    .push(line);
            }
        });
        let token = setup.token.clone().unwrap_or_default();
        Ok(Self {
            child,
            sip,
            ws,
            http,
            client: reqwest::Client::new(),
            token,
            said,
        })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id().expect("it runs until it is waited for")
    }

    /// Ends it as a power cut would: no chance to say goodbye.
    ///
    /// # Errors
    /// When it can not be killed.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().await?;
        Ok(())
    }

    /// Asks it to stop, and waits.
    ///
    /// # Errors
    /// When it does not exit with 0.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.terminate()?;
        let status = self.exited().await?;
        ensure!(status.success(), "it exited with {status}");
        Ok(())
    }

    /// Asks it to stop.
    ///
    /// # Errors
    /// When the signal can not be sent.
    pub fn terminate(&self) -> anyhow::Result<()> {
        self.signal(libc::SIGTERM)
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// When the signal can not be sent.
    pub fn signal(&self, signal: i32) -> anyhow::Result<()> {
        let id = i32::try_from(self.id())?;
        // SAFETY: a signal to a child that has not been waited for: the id is its own.
        #[allow(unsafe_code, reason = "no safe way to send a signal in std")]
        let sent = unsafe { libc::kill(id, signal) };
        ensure!(sent == 0, "signal {signal} was not sent");
        Ok(())
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it does not end in time.
    pub async fn exited(mut self) -> anyhow::Result<ExitStatus> {
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        Ok(status.context("it does not end")??)
    }

    /// The lines that it has printed for a person.
    pub fn said(&self) -> Vec<String> {
        self.said
            .lock()
            .expect("nobody panics while holding it")
            .clone()
    }

    /// Uses another token from now on.
    pub fn use_token(&mut self, token: &str) {
        self.token = token.into();
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http)
    }

    /// One GraphQL request; errors of the request are errors here.
    ///
    /// # Errors
    /// When it is not answered, or answered with errors.
    pub async fn graphql(&self, query: &str, variables: Value) -> anyhow::Result<Value> {
        let response: Value = self
            .client
            .post(format!("http://{}/graphql", self.http))
            .bearer_auth(&self.token)
            .json(&json!({ "query": query, "variables": variables }))
            .timeout(PATIENCE)
            .send()
            .await?
            .json()
            .await?;
        ensure!(
            response["errors"].is_null(),
            "{query}: {}",
            response["errors"]
        );
        Ok(response["data"].clone())
    }

    /// The text of a path.
    ///
    /// # Errors
    /// When it is not answered.
    pub async fn get(&self, path: &str) -> anyhow::Result<(u16, String)> {
        let (status, bytes) = self.bytes(path).await?;
        Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// As [`Self::get`], for what is no text.
    ///
    /// # Errors
    /// When the server can not be reached.
    pub async fn bytes(&self, path: &str) -> anyhow::Result<(u16, Vec<u8>)> {
        let response = self
            .client
            .get(format!("http://{}{path}", self.http))
            .bearer_auth(&self.token)
            .timeout(PATIENCE)
            .send()
            .await?;
        Ok((response.status().as_u16(), response.bytes().await?.to_vec()))
    }

    /// Asks until the answer is as wanted.
    ///
    /// # Errors
    /// When that does not happen in time; the last answer is in the error.
    pub async fn until(
        &self,
        query: &str,
        mut wanted: impl FnMut(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let answer = self.graphql(query, json!({})).await?;
            if wanted(&answer) {
                return Ok(answer);
            }
            ensure!(
                tokio::time::Instant::now() < deadline,
                "not in time: {query}: {answer:#}"
            );
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Server {
    /// Reads the metrics until they are as wanted, and returns them.
    ///
    /// # Errors
    /// When that takes too long.
    pub async fn until_metrics(&self, wanted: impl Fn(&str) -> bool) -> anyhow::Result<String> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let (_, metrics) = self.get("/metrics").await?;
            if wanted(&metrics) {
                return Ok(metrics);
            }
            ensure!(tokio::time::Instant::now() < deadline, "{metrics}");
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn address_after(line: &str, prefix: &str) -> Option<SocketAddr> {
    let rest = &line[line.find(prefix)? + prefix.len()..];
    let end = rest
        .find(|c: char| !(c.is_ascii_hexdigit() || ".:[]".contains(c)))
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
}
