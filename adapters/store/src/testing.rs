//! A private PostgreSQL for tests: started once a process, in a temporary
//! folder, on a free loopback port, with its disk writes on. It ends and is
//! removed when the process is gone, however that went.

use crate::{
    open::{OpenError, Stores, join_postgres},
    postgres,
};
use sqlx::{Connection, PgConnection};
use std::{
    fs, io,
    net::TcpListener,
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

/// How long the database may take to start.
const START_MAX: Duration = Duration::from_secs(60);
/// Somebody else may take the port that was free a moment ago.
const TRIES: u32 = 5;
/// Debian keeps the programs of each version here.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Who runs the database when the tests run as root, which it refuses.
const USERS: [&str; 2] = ["postgres", "nobody"];
/// Ends with its input, which the kernel closes when the test process dies.
const WATCHDOG: &str = r#"
"$1" -D "$2/data" -p "$3" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c max_connections=200 -c shared_buffers=64MB -c fsync=on -c synchronous_commit=on \
    >"$2/log" 2>&1 </dev/null &
server=$!
cat >/dev/null
kill -QUIT "$server" 2>/dev/null
wait "$server"
rm -rf "$2"
"#;

static CLUSTER: OnceLock<Result<Cluster, String>> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A running server.
#[derive(Debug)]
struct Cluster {
    port: u16,
    /// Its input is what keeps the server alive.
    _watchdog: Child,
}

/// A fresh, empty database. It lives as long as the process.
#[derive(Debug)]
pub struct Database {
    url: String,
}

impl Database {
    /// Where it is: also other processes can use it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// One more node on this database, as several servers on it would be.
    ///
    /// # Errors
    /// Those of [`crate::open()`].
    pub async fn node(&self) -> Result<Stores, OpenError> {
        let database = postgres::Database::parse(&self.url)?;
        database.migrate().await?;
        join_postgres(&database, None).await
    }
}

/// A fresh, empty database in this process' own server.
///
/// # Panics
/// When there is no PostgreSQL on this machine or it does not start: a test
/// that needs it must not pass without it.
pub async fn database() -> Database {
    let started = tokio::task::spawn_blocking(|| CLUSTER.get_or_init(start))
        .await
        .expect("starting a database does not panic");
    let cluster = match started {
        Ok(cluster) => cluster,
        Err(reason) => unreachable!("no PostgreSQL for the tests: {reason}"),
    };
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    let base = format!("postgres://ringledger@127.0.0.1:{}", cluster.port);
    let mut admin = PgConnection::connect(&format!("{base}/postgres"))
        .await
        .expect("the server has started");
    sqlx::raw_sql(&format!("CREATE DATABASE {name} TEMPLATE template0"))
        .execute(&mut admin)
        .await
        .expect("the name is new");
    Database {
        url: format!("{base}/{name}"),
    }
}

fn start() -> Result<Cluster, String> {
    let user = if fs::metadata("/proc/self").is_ok_and(|own| is_root(&own)) {
        Some(unprivileged()?)
    } else {
        None
    };
    let folder = tempfile::Builder::new()
        .prefix("ringledger-postgres-")
        .tempdir()
        .map_err(|error| format!("no temporary folder: {error}"))?
        // The watchdog removes it.
        .keep();
    let made = prepare(&folder, user.as_ref()).and_then(|()| run(&folder, user.as_ref()));
    if made.is_err() {
        // The reason counts; what is left of the folder is in its name's way only.
        let _ = fs::remove_dir_all(&folder);
    }
    made
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
fn program(name: &str) -> PathBuf {
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

fn prepare(folder: &Path, account: Option<&Account>) -> Result<(), String> {
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

fn run(folder: &Path, account: Option<&Account>) -> Result<Cluster, String> {
    let mut last = String::new();
    for _ in 0..TRIES {
        let port = free_port().map_err(|error| format!("no free port: {error}"))?;
        let mut watchdog = command(Path::new("sh"), account)
            .args(["-c", WATCHDOG, "watchdog"])
            .arg(program("postgres"))
            .arg(folder)
            .arg(port.to_string())
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A signal to the tests' group must not leave the server alone.
            .process_group(0)
            .spawn()
            .map_err(|error| format!("sh: {error}"))?;
        if answers(folder, port, &mut watchdog) {
            return Ok(Cluster {
                port,
                _watchdog: watchdog,
            });
        }
        last = fs::read_to_string(folder.join("log")).unwrap_or_default();
        drop(watchdog.stdin.take());
        // It is gone or going; the reason is in the log.
        let _ = watchdog.wait();
        prepare_again(folder, account)?;
    }
    Err(format!("server did not start: {last}"))
}

/// The watchdog has removed the folder with the server that did not start.
fn prepare_again(folder: &Path, account: Option<&Account>) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    prepare(folder, account)
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
        let status = fs::read_to_string(folder.join("data/postmaster.pid")).unwrap_or_default();
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
