//! A database that says nothing more, and one that has no room: each is told clearly and
//! in time, nothing that was acknowledged is lost, and it goes on by itself afterwards.

// Helpers of tests fail like tests.
#![allow(clippy::unwrap_used)]

use commands::ports::{
    Append, AppendError, EventLog, Position, ReadError, Statement, StoreError, StreamId, Value,
    VaultError,
};
use domain::{sealed::Party, time::Timestamp};
use ringledger_store::{
    self as store, Stores,
    cluster::{Cluster, Settings},
    contract::{Ids, append_of},
    testing,
};
use sqlx::{Connection as _, PgConnection};
use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Whoever asks a silent database waits no longer: for a free connection, and for what
/// takes longest to be answered.
const BOUND: Duration = Duration::from_secs(45);
/// How long the store has to mend itself.
const DEADLINE: Duration = Duration::from_secs(60);

/// What a network does with what it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Network {
    Forwards,
    /// Nothing comes through, and nobody is told.
    Stops,
    /// What was connected before never hears anything again; new connections work.
    Forgets,
    /// What was connected before goes on; new connections never hear anything.
    TakesNobody,
}

/// A network between the store and its database.
struct Between {
    url: String,
    state: watch::Sender<Network>,
}

impl Between {
    async fn of(url: &str) -> Self {
        let (head, name) = url.rsplit_once('/').unwrap();
        let (user, database) = head.rsplit_once('@').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap();
        let state = watch::Sender::new(Network::Forwards);
        let (database, seen) = (database.to_owned(), state.subscribe());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let mut seen = seen.clone();
                let state = *seen.borrow_and_update();
                let is_new = state != Network::Forwards;
                let database = database.clone();
                tokio::spawn(async move {
                    flows(&mut seen, is_new).await;
                    let server = TcpStream::connect(database).await.unwrap();
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    tokio::join!(
                        pipe(from_client, to_server, seen.clone(), is_new),
                        pipe(from_server, to_client, seen, is_new)
                    );
                });
            }
        });
        Self {
            url: format!("{user}@{own}/{name}"),
            state,
        }
    }

    fn is(&self, state: Network) {
        self.state.send_replace(state);
    }
}

/// Returns when something is forwarded.
async fn flows(seen: &mut watch::Receiver<Network>, is_new: bool) {
    let forwards = |state: &Network| match state {
        Network::Forwards => true,
        Network::Stops => false,
        Network::Forgets => is_new,
        Network::TakesNobody => !is_new,
    };
    if seen.wait_for(forwards).await.is_err() {
        // The test is over.
        std::future::pending::<()>().await;
    }
}

async fn pipe(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut seen: watch::Receiver<Network>,
    is_new: bool,
) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        flows(&mut seen, is_new).await;
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

async fn append(log: &dyn EventLog, one: Append) -> Result<Position, AppendError> {
    let mut outcomes = log.append(vec![one]).await;
    outcomes.remove(0).map(|appended| appended.first)
}

/// Asks a silent database for everything at once: each is told that there is no answer.
async fn nothing_is_answered(
    stores: &Stores,
    one: &Append,
    sealed: &domain::sealed::Sealed<Party>,
) {
    let began = Instant::now();
    let Stores {
        log, read, secrets, ..
    } = stores;
    let command_id = one.changes[0].command_id;
    let sum = "SELECT count(*) FROM es_processes";
    let (all, of_stream, head, command, refusal, rows, secret, key, appended) = tokio::join!(
        log.read_all(Position(0), 10),
        log.read_stream(&one.stream, 0),
        log.head(),
        log.find_command(command_id),
        log.find_refusal(command_id),
        read.query(sum, vec![]),
        secrets.get("kind", "key"),
        stores.vault.open(sealed),
        append(&**log, one.clone()),
    );
    let waited = began.elapsed();
    assert!(waited < BOUND, "{waited:?}");
    let said = |reason: &str| {
        let is_clear = reason.contains("no answer within") || reason.contains("timed out");
        assert!(is_clear, "{reason}");
    };
    let reads = [
        all.map(|_| ()),
        of_stream.map(|_| ()),
        head.map(|_| ()),
        command.map(|_| ()),
        refusal.map(|_| ()),
    ];
    for outcome in reads {
        match outcome.unwrap_err() {
            ReadError::Unavailable(reason) => said(&reason),
            error @ ReadError::Corrupt { .. } => unreachable!("{error}"),
        }
    }
    for outcome in [rows.map(|_| ()), secret.map(|_| ())] {
        match outcome.unwrap_err() {
            StoreError::Unavailable(reason) => said(&reason),
            error @ (StoreError::Fenced | StoreError::Refused(_)) => unreachable!("{error}"),
        }
    }
    match key.unwrap_err() {
        VaultError::Unavailable(reason) => said(&reason),
        error @ VaultError::Broken(_) => unreachable!("{error}"),
    }
    match appended.unwrap_err() {
        AppendError::Unavailable(reason) => said(&reason),
        error @ (AppendError::Conflict { .. }
        | AppendError::Duplicate { .. }
        | AppendError::Refused { .. }
        | AppendError::Fenced) => unreachable!("{error}"),
    }
}

/// Whatever was asked for before: everything works again.
async fn everything_is_answered(
    stores: &Stores,
    one: &Append,
    sealed: &domain::sealed::Sealed<Party>,
) {
    let until = Instant::now() + DEADLINE;
    // The same command again and again, as after any unknown outcome.
    loop {
        match append(&*stores.log, one.clone()).await {
            Ok(_) | Err(AppendError::Duplicate { .. }) => break,
            Err(AppendError::Unavailable(_)) => assert!(Instant::now() < until),
            Err(error) => unreachable!("{error}"),
        }
    }
    let stored = loop {
        match stores.log.read_stream(&one.stream, 0).await {
            Ok(stored) => break stored,
            Err(error) => assert!(Instant::now() < until, "{error}"),
        }
    };
    assert_eq!(stored.len(), 1, "it has one effect");
    while let Err(error) = stores.nodes.beat(1, Timestamp::from_micros(1)).await {
        assert!(Instant::now() < until, "{error}");
    }
    loop {
        match stores.vault.open(sealed).await {
            Ok(opened) => break assert!(opened.is_some()),
            Err(error) => assert!(Instant::now() < until, "{error}"),
        }
    }
    while let Err(error) = stores.secrets.put("kind", "key", "value").await {
        assert!(Instant::now() < until, "{error}");
    }
}

async fn silent(then: Network) {
    let database = testing::database().await;
    let between = Between::of(database.url()).await;
    let party = Party {
        user: "4930123456".into(),
        ..Party::default()
    };
    let sealed = {
        let stores = store::open(database.url()).await.unwrap();
        stores.vault.seal(&party).await.unwrap()
    };
    let stores = store::open(&between.url).await.unwrap();
    let ids = Ids::new("silent");
    let next = || append_of(&ids, &StreamId::new("note", ids.uuid()), 0, 1);
    append(&*stores.log, next()).await.unwrap();
    stores.log.read_all(Position(0), 10).await.unwrap();
    between.is(Network::Stops);
    let one = next();
    nothing_is_answered(&stores, &one, &sealed).await;
    between.is(then);
    everything_is_answered(&stores, &one, &sealed).await;
    assert_eq!(stores.log.head().await.unwrap(), Position(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_says_nothing_is_told_in_time_and_asked_again_when_it_speaks() {
    silent(Network::Forwards).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_never_speak_again_are_replaced() {
    silent(Network::Forgets).await;
}

/// Ears on the log at the database, by what each has said last.
async fn ears(database: &mut PgConnection) -> i64 {
    let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
         AND query IN ('LISTEN \"ringledger_log\"', 'SELECT 1')";
    sqlx::query_scalar(count).fetch_one(database).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ear_that_a_network_forgot_is_replaced_by_another() {
    let database = testing::database().await;
    let between = Between::of(database.url()).await;
    let _stores = store::open(&between.url).await.unwrap();
    let mut beside = PgConnection::connect(database.url()).await.unwrap();
    let until = Instant::now() + DEADLINE;
    while ears(&mut beside).await < 1 {
        assert!(Instant::now() < until, "nobody listens");
    }
    between.is(Network::Forgets);
    // The database does not know that nobody hears the first one any more.
    while ears(&mut beside).await < 2 {
        assert!(Instant::now() < until, "nobody listens again");
    }
}

/// How many appends stand in line together.
const IN_LINE: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_appends_waits_once_for_a_database_that_ended_the_session_and_is_gone() {
    let database = testing::database().await;
    let between = Between::of(database.url()).await;
    let stores = store::open(&between.url).await.unwrap();
    let ids = Ids::new("line");
    let next = || append_of(&ids, &StreamId::new("note", ids.uuid()), 0, 1);
    append(&*stores.log, next()).await.unwrap();
    between.is(Network::TakesNobody);
    let mut beside = PgConnection::connect(database.url()).await.unwrap();
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()";
    sqlx::query(end).execute(&mut beside).await.unwrap();
    let began = Instant::now();
    let outcomes = stores.log.append((0..IN_LINE).map(|_| next()).collect());
    for outcome in outcomes.await {
        let is_away = matches!(outcome, Err(AppendError::Unavailable(_)));
        assert!(is_away, "{outcome:?}");
    }
    let waited = began.elapsed();
    assert!(waited < BOUND, "{waited:?}");
}

/// More than any pool has connections.
const AT_ONCE: usize = 32;

/// Everybody asks at once; each waits so long at most.
async fn everybody_asks(stores: &Stores, patience: Duration) -> usize {
    let asking = (0..AT_ONCE).map(|_| async {
        let sum = "SELECT count(*) FROM es_processes";
        let asked = async { tokio::join!(stores.log.head(), stores.read.query(sum, vec![])) };
        let answered = tokio::time::timeout(patience, asked).await;
        matches!(answered, Ok((Ok(_), Ok(_))))
    });
    let answered = futures_util::future::join_all(asking).await;
    answered.into_iter().filter(|answered| *answered).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_loses_patience_first_takes_no_connection_from_the_others() {
    let database = testing::database().await;
    let between = Between::of(database.url()).await;
    let stores = store::open(&between.url).await.unwrap();
    assert_eq!(everybody_asks(&stores, BOUND).await, AT_ONCE);
    between.is(Network::Stops);
    assert_eq!(everybody_asks(&stores, Duration::from_millis(200)).await, 0);
    between.is(Network::Forgets);
    let until = Instant::now() + DEADLINE;
    while everybody_asks(&stores, BOUND).await < AT_ONCE {
        assert!(Instant::now() < until, "nobody has a connection any more");
    }
}

/// A file system of its own, which goes with this.
struct Small(PathBuf);

impl Small {
    fn mount(path: PathBuf) -> Self {
        fs::create_dir(&path).unwrap();
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=128m", "ringledger-test"])
            .arg(&path)
            .status()
            .unwrap();
        assert!(
            status.success(),
            "mount: {status} (the test wants to be root)"
        );
        Self(path)
    }

    /// Takes all room but so many bytes.
    fn fill_up_to(&self, left: u64) -> Filler {
        let path = self.0.join("filler");
        let mut file = File::create(&path).unwrap();
        let block = vec![1; 64 * 1024];
        while file.write_all(&block).is_ok() {}
        let size = file.metadata().unwrap().len();
        file.set_len(size.saturating_sub(left)).unwrap();
        Filler(path)
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

/// What takes the room.
struct Filler(PathBuf);

impl Filler {
    fn remove(self) {
        fs::remove_file(self.0).unwrap();
    }
}

/// A server whose tables are on a small file system. What it logs ahead is elsewhere: a
/// server that can not write that stops, and one without room for a table goes on.
struct SmallServer {
    // Dropped in this order.
    server: Cluster,
    small: Small,
    _room: TempDir,
}

impl SmallServer {
    fn start() -> Self {
        let room = TempDir::new().unwrap();
        fs::set_permissions(room.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let small = Small::mount(room.path().join("small"));
        let settings = Settings {
            parent: Some(small.0.clone()),
            initdb: vec![format!("--waldir={}", room.path().join("wal").display())],
            // A checkpoint amid the test would need room of its own.
            parameters: ["checkpoint_timeout=1h", "max_replication_slots=0"]
                .map(str::to_owned)
                .into(),
            ..Settings::default()
        };
        Self {
            server: Cluster::start(&settings).unwrap(),
            small,
            _room: room,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_room_is_told_loses_nothing_and_goes_on_when_there_is_some() {
    let there = SmallServer::start();
    let url = there.server.url("postgres");
    let stores = store::open(&url).await.unwrap();
    let ids = Ids::new("room");
    let next = || append_of(&ids, &StreamId::new("note", ids.uuid()), 0, 40);
    append(&*stores.log, next()).await.unwrap();
    let filler = there.small.fill_up_to(512 * 1024);

    let mut acknowledged = 1;
    let (refused, reason) = loop {
        let one = next();
        match append(&*stores.log, one.clone()).await {
            Ok(first) => {
                assert_eq!(first, Position(acknowledged * 40 + 1));
                acknowledged += 1;
            }
            Err(AppendError::Unavailable(reason)) => break (one, reason),
            Err(error) => unreachable!("{error}"),
        }
        assert!(acknowledged < 1_000, "the end is never met");
    };
    assert!(acknowledged > 2, "there was room for some");
    assert!(reason.contains("No space left on device"), "{reason}");
    // What it has no room for leaves no trace, and the refusal repeats; what was
    // acknowledged is read.
    for _ in 0..3 {
        let batch = vec![refused.clone(), next()];
        for outcome in stores.log.append(batch).await {
            let is_away = matches!(outcome, Err(AppendError::Unavailable(_)));
            assert!(is_away, "{outcome:?}");
        }
    }
    let head = Position(acknowledged * 40);
    assert_eq!(stores.log.head().await.unwrap(), head);
    let command_id = refused.changes[0].command_id;
    assert_eq!(stores.log.find_command(command_id).await.unwrap(), None);
    let row = |id: u64| Statement {
        sql: "INSERT INTO es_processes (name, version, position, state) VALUES ($1, 1, 1, $2)",
        parameters: vec![
            Value::Text(format!("row {id}")),
            Value::Text("x".repeat(1_000)),
        ],
        must_touch: Some(1),
    };
    let mut rows = 0;
    let away = loop {
        match stores.read.transact(vec![row(rows)]).await {
            Ok(()) => rows += 1,
            Err(error) => break error,
        }
        assert!(rows < 10_000, "the end is never met");
    };
    assert!(matches!(away, StoreError::Unavailable(_)), "{away}");
    assert!(away.to_string().contains("No space left"), "{away}");

    filler.remove();
    let first = append(&*stores.log, refused).await.unwrap();
    assert_eq!(first, Position(head.0 + 1), "no hole");
    stores.read.transact(vec![row(rows)]).await.unwrap();
    let count = "SELECT count(*) FROM es_processes WHERE name LIKE 'row %'";
    let counted = stores.read.query(count, vec![]).await.unwrap();
    assert_eq!(counted, [[Value::Int(rows as i64 + 1)]]);
    drop(stores);
    let stores = store::open(&url).await.unwrap();
    let all = stores.log.read_all(Position(0), usize::MAX).await.unwrap();
    let positions: Vec<_> = all.events.iter().map(|event| event.position.0).collect();
    assert_eq!(positions, (1..=head.0 + 40).collect::<Vec<_>>());
}
