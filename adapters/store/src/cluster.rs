//! A private PostgreSQL: its own server in a temporary folder, on a free
//! loopback port, with its disk writes on. It ends and is removed when the
//! process that started it is gone, however that went. Tests and benches need
//! one; the product does not.

use std::{
    fs, io,
    net::TcpListener,
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// How long the database may take to start.
const START_MAX: Duration = Duration::from_secs(60);
/// Somebody else may take the port that was free a moment ago.
const TRIES: u32 = 5;
/// Debian keeps the programs of each version here.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Who runs the database when the caller is root, which it refuses.
const USERS: [&str; 2] = ["postgres", "nobody"];
/// What every such server is started with, before the caller's own settings.
const SETTINGS: [&str; 6] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "shared_buffers=64MB",
    "fsync=on",
    "synchronous_commit=on",
];
/// Its first line is the number of the server's process.
const PID_FILE: &str = "data/postmaster.pid";
/// Ends with its input, which the kernel closes when the starting process dies.
const WATCHDOG: &str = r#"
program=$1; folder=$2; shift 2
"$program" -D "$folder/data" "$@" >"$folder/log" 2>&1 </dev/null &
server=$!
cat >/dev/null
kill -QUIT "$server" 2>/dev/null
wait "$server"
rm -rf "$folder"
"#;

/// What a server is started with.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `name=value` of its configuration.
    pub parameters: Vec<String>,
    /// Environment variables of the server's processes.
    pub environment: Vec<(String, String)>,
    /// More arguments of `initdb`.
    pub initdb: Vec<String>,
    /// Where its folder is made; the system's temporary folder when none.
    pub parent: Option<PathBuf>,
}

/// A running server.
#[derive(Debug)]
pub struct Cluster {
    port: u16,
    folder: PathBuf,
    /// Its input is what keeps the server alive.
    watchdog: Child,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        // It removes the folder; how it ended does not matter.
        let _ = self.watchdog.wait();
    }
}

impl Cluster {
    /// Starts a new one; it has a superuser `ringledger` and needs no password.
    ///
    /// # Errors
    /// What was missing, or the server's own words.
    pub fn start(settings: &Settings) -> Result<Self, String> {
        let user = account()?;
        let parent = settings.parent.clone().unwrap_or_else(std::env::temp_dir);
        let folder = tempfile::Builder::new()
            .prefix("ringledger-postgres-")
            .tempdir_in(parent)
            .map_err(|error| format!("no temporary folder: {error}"))?
            // The watchdog removes it.
            .keep();
        let made = prepare(&folder, user.as_ref(), settings)
            .and_then(|()| run(&folder, user.as_ref(), settings));
        if made.is_err() {
            // The reason counts; what is left of the folder is in its name's way only.
            let _ = fs::remove_dir_all(&folder);
        }
        made
    }

    /// Starts the server of a folder that [`Self::stop`] or [`Self::kill`] has left.
    ///
    /// # Errors
    /// The server's own words.
    pub fn again(folder: &Path, settings: &Settings) -> Result<Self, String> {
        // Of the server that was there: its number may be somebody else's by now.
        let _ = fs::remove_file(folder.join(PID_FILE));
        run(folder, account()?.as_ref(), settings)
    }

    /// Stops the server in order and leaves its folder.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(self) -> Result<PathBuf, String> {
        self.end("-INT")
    }

    /// Ends every process of the server at once and leaves its folder.
    ///
    /// # Errors
    /// When one does not end.
    pub fn kill(self) -> Result<PathBuf, String> {
        self.end("-KILL")
    }

    fn end(mut self, signal: &str) -> Result<PathBuf, String> {
        // It would remove the folder.
        self.watchdog.kill().map_err(|error| error.to_string())?;
        let file = fs::read_to_string(self.folder.join(PID_FILE)).unwrap_or_default();
        let server = file.lines().next().ok_or("the server has no number")?;
        let mut all = vec![server.to_owned()];
        if signal == "-KILL" {
            all.extend(children_of(server));
        }
        end_all(signal, &all)?;
        Ok(self.folder.clone())
    }

    /// The url of a database in it.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://ringledger@127.0.0.1:{}/{database}", self.port)
    }

    /// The folder with its data and its log.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Ends a watchdog whose server does not answer, and the server: one that is left
/// running would write to the folder beside its successor. The folder stays.
fn give_up(mut watchdog: Child) -> Result<(), String> {
    let started = children_of(&watchdog.id().to_string());
    // It would remove the folder.
    watchdog.kill().map_err(|error| error.to_string())?;
    watchdog.wait().map_err(|error| error.to_string())?;
    end_all("-QUIT", &started)
}

/// Sends the signal to all of them and waits until they are gone.
fn end_all(signal: &str, all: &[String]) -> Result<(), String> {
    if all.is_empty() {
        return Ok(());
    }
    let status = Command::new("kill")
        .arg(signal)
        .args(all)
        .stderr(Stdio::null())
        .status();
    status.map_err(|error| format!("kill: {error}"))?;
    let until = Instant::now() + START_MAX;
    while all.iter().any(|id| is_alive(id)) {
        if Instant::now() > until {
            return Err(format!("processes {all:?} do not end"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Who runs the server; nobody else when this is not root.
fn account() -> Result<Option<Account>, String> {
    if fs::metadata("/proc/self").is_ok_and(|own| is_root(&own)) {
        return unprivileged().map(Some);
    }
    Ok(None)
}

/// The processes that a process has started.
fn children_of(parent: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let of_parent = |id: &String| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // After the name in parentheses: the state, the parent.
        let rest = stat.rsplit_once(") ").map(|(_, rest)| rest.to_owned());
        rest.is_some_and(|rest| rest.split(' ').nth(1) == Some(parent))
    };
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()))
        .filter(of_parent)
        .collect()
}

/// Whether a process runs; one that has ended and was not waited for does not.
fn is_alive(id: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

fn is_root(own: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    own.uid() == 0
}

/// An account from the system's list.
struct Account {
    name: &'static str,
    user: u32,
    group: u32,
}

fn unprivileged() -> Result<Account, String> {
    let accounts = fs::read_to_string("/etc/passwd").map_err(|error| error.to_string())?;
    USERS
        .into_iter()
        .find_map(|name| {
            let line = accounts
                .lines()
                .find(|line| line.split(':').next() == Some(name))?;
            let mut ids = line.split(':').skip(2).map(str::parse);
            Some(Account {
                name,
                user: ids.next()?.ok()?,
                group: ids.next()?.ok()?,
            })
        })
        .ok_or_else(|| format!("none of the accounts {USERS:?} is there"))
}

/// A program of PostgreSQL: of the newest version in Debian's folder, else
/// whatever the path finds.
pub fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            let path = entry.path().join("bin").join(name);
            path.exists().then_some((version, path))
        })
        .max();
    newest.map_or_else(|| name.into(), |(_, path)| path)
}

/// A command that runs as that account.
fn command(program: &Path, account: Option<&Account>) -> Command {
    let mut command = Command::new(program);
    if let Some(account) = account {
        command.uid(account.user).gid(account.group);
    }
    command
}

fn prepare(folder: &Path, account: Option<&Account>, settings: &Settings) -> Result<(), String> {
    let refused = |error: io::Error| format!("{}: {error}", folder.display());
    if let Some(account) = account {
        chown(folder, Some(account.user), Some(account.group)).map_err(refused)?;
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(refused)?;
    let initdb = program("initdb");
    let made = command(&initdb, account)
        .args([
            "-U",
            "ringledger",
            "-A",
            "trust",
            "--no-locale",
            "-E",
            "UTF8",
        ])
        .args(&settings.initdb)
        .args(["--no-sync", "--no-instructions", "-D"])
        .arg(folder.join("data"))
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{}: {error}", initdb.display()))?;
    if made.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&made.stderr).into_owned();
    let account = account.map_or("this account", |account| account.name);
    Err(format!("initdb as {account} failed: {said}"))
}

fn run(folder: &Path, account: Option<&Account>, settings: &Settings) -> Result<Cluster, String> {
    let mut last = String::new();
    for _ in 0..TRIES {
        let port = free_port().map_err(|error| format!("no free port: {error}"))?;
        // What a server of before has said is not what this one says.
        let _ = fs::remove_file(folder.join("log"));
        let mut watchdog = command(Path::new("sh"), account)
            .args(["-c", WATCHDOG, "watchdog"])
            .arg(program("postgres"))
            .arg(folder)
            .args(["-p", &port.to_string()])
            .args(parameters(settings))
            .envs(
                settings
                    .environment
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A signal to the caller's group must not leave the server alone.
            .process_group(0)
            .spawn()
            .map_err(|error| format!("sh: {error}"))?;
        if answers(folder, port, &mut watchdog) {
            return Ok(Cluster {
                port,
                folder: folder.to_owned(),
                watchdog,
            });
        }
        last = fs::read_to_string(folder.join("log")).unwrap_or_default();
        give_up(watchdog)?;
    }
    Err(format!("server did not start: {last}"))
}

fn parameters(settings: &Settings) -> impl Iterator<Item = &str> {
    let own = settings.parameters.iter().map(String::as_str);
    SETTINGS.into_iter().chain(own).flat_map(|one| ["-c", one])
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Waits until this very server takes connections on the port.
fn answers(folder: &Path, port: u16, watchdog: &mut Child) -> bool {
    let until = Instant::now() + START_MAX;
    let wanted = port.to_string();
    while Instant::now() < until && matches!(watchdog.try_wait(), Ok(None)) {
        // Line 4 is the port, the last line says "ready" once it takes connections.
        let status = fs::read_to_string(folder.join(PID_FILE)).unwrap_or_default();
        let ready = status.lines().any(|line| line.trim() == "ready");
        if ready && status.lines().nth(3) == Some(wanted.as_str()) {
            return true;
        }
        let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
        if log.contains("FATAL") {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}
