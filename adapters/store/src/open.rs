//! Opens a store by its url.

use crate::{
    crypto::{DataKey, Nonces},
    memory,
    migrate::MigrateError,
    nodes::{Epochs, Nodes},
    postgres::{
        self, Hold, Holder, Members, PostgresKeys, PostgresLog, PostgresReadStore,
        PostgresRecordings, PostgresSecrets,
    },
    sqlite::{
        LogLook, ReadLook, SqliteKeys, SqliteLog, SqliteReadStore, SqliteRecordings, SqliteSecrets,
        connection::Folder, open_file,
    },
    vault::KeyedVault,
};
use commands::ports::{EventLog, ReadStore, Recordings, Secrets, Vault};
use std::{fmt, path::Path, sync::Arc};

/// The parts of one store.
#[derive(Clone)]
pub struct Stores {
    /// Every event.
    pub log: Arc<dyn EventLog>,
    /// Read models, checkpoints and process rows.
    pub read: Arc<dyn ReadStore>,
    /// Seals and opens personal data.
    pub vault: Arc<dyn Vault>,
    /// Credentials.
    pub secrets: Arc<dyn Secrets>,
    /// What callers have said in mailboxes.
    pub recordings: Arc<dyn Recordings>,
    /// Run numbers and signs of life.
    pub nodes: Arc<Nodes>,
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stores").finish_non_exhaustive()
    }
}

/// Why a store can not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not one of the forms there are.
    #[error(
        "store url is not understood ({0}): it is sqlite:FOLDER, postgres://.., memory:, or \
         kurrentdb://.. beside one of these"
    )]
    Url(String),
    /// The folder or a file in it can not be used.
    #[error("{path} can not be used: {reason}")]
    Folder {
        /// Which one.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// Another process has it.
    #[error("{0} is in use by another running server")]
    InUse(String),
    /// It is not what it should be.
    #[error("{path} is damaged or is not a database: {reason}")]
    Corrupt {
        /// Which file.
        path: String,
        /// What SQLite said.
        reason: String,
    },
    /// Its schema can not be brought to this version.
    #[error("schema of {database} does not fit")]
    Schema {
        /// Which database.
        database: String,
        /// Why.
        #[source]
        cause: MigrateError,
    },
    /// The server can not be reached, or refuses.
    #[error("database server can not be used: {0}")]
    Unreachable(String),
}

impl OpenError {
    pub(crate) fn of_file(path: &Path, error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        let path = path.display().to_string();
        let reason = error.to_string();
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => Self::Corrupt { path, reason },
            Some(_) | None => Self::Folder { path, reason },
        }
    }

    pub(crate) fn thread(error: &std::io::Error) -> Self {
        Self::Folder {
            path: "writer thread".into(),
            reason: error.to_string(),
        }
    }
}

/// Opens the store that the url names and brings its schema up to date:
/// `sqlite:FOLDER`, `postgres://user@host/database`, `memory:`, or (with the
/// feature `kurrentdb`) `kurrentdb://host:2113?tls=false beside` one of these.
/// Nobody else has it open then.
///
/// # Errors
/// [`OpenError`] names what is wrong; nothing was changed then but for
/// migrations that were complete.
pub async fn open(url: &str) -> Result<Stores, OpenError> {
    open_for(url, Holder::Alone).await
}

/// The same as a node of that name: on PostgreSQL, nodes of other names may run
/// on the same database.
///
/// # Errors
/// Those of [`open()`].
pub async fn join(url: &str, name: &str) -> Result<Stores, OpenError> {
    open_for(url, Holder::Node(name)).await
}

async fn open_for(url: &str, holder: Holder<'_>) -> Result<Stores, OpenError> {
    match url.split_once(':') {
        Some(("sqlite", path)) if !path.is_empty() => {
            open_sqlite(Path::new(path.strip_prefix("//").unwrap_or(path))).await
        }
        Some(("postgres" | "postgresql", _)) => open_postgres(url, holder).await,
        Some(("memory", "")) => open_memory(),
        Some(("kurrentdb" | "esdb", _)) => open_kurrent(url).await,
        // Only the scheme is shown: the rest may hold a password.
        Some((scheme, _)) => Err(OpenError::Url(format!("{scheme}:.."))),
        None => Err(OpenError::Url("no scheme".into())),
    }
}

/// What can be seen of a store from beside the server that runs on it.
#[derive(Clone)]
pub struct Look {
    /// Every event.
    pub log: Arc<dyn EventLog>,
    /// Read models and checkpoints; none where their file is not there: they
    /// can be rebuilt.
    pub read: Option<Arc<dyn ReadStore>>,
}

impl fmt::Debug for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Look").finish_non_exhaustive()
    }
}

/// Opens the store that the url names for reading only, also while a server
/// runs on it. Nothing is made, locked or brought up to date.
///
/// # Errors
/// [`OpenError`] names what is wrong: also a store that is not there.
pub async fn look(url: &str) -> Result<Look, OpenError> {
    match url.split_once(':') {
        Some(("sqlite", path)) if !path.is_empty() => {
            let folder = Path::new(path.strip_prefix("//").unwrap_or(path));
            let log = Arc::new(LogLook::open(folder)?);
            let has_views = folder.join("read.db").is_file();
            let read = has_views.then(|| ReadLook::open(folder)).transpose()?;
            let read = read.map(|read| Arc::new(read) as Arc<dyn ReadStore>);
            Ok(Look { log, read })
        }
        Some(("postgres" | "postgresql", _)) => {
            let database = postgres::Database::parse(url)?;
            database.check().await?;
            let pool = database.pool(postgres::READERS_MAX);
            let log = Arc::new(PostgresLog::start(&database, pool, None).await?);
            let read = Arc::new(PostgresReadStore::new(&database));
            Ok(Look {
                log,
                read: Some(read),
            })
        }
        Some((scheme, _)) => Err(OpenError::Url(format!("{scheme}:.."))),
        None => Err(OpenError::Url("no scheme".into())),
    }
}

async fn open_sqlite(path: &Path) -> Result<Stores, OpenError> {
    let folder = Arc::new(Folder::hold(path)?);
    let log = Arc::new(SqliteLog::open(&folder)?);
    let recordings = Arc::new(SqliteRecordings::open(&folder)?);
    let read = Arc::new(SqliteReadStore::open(&folder)?);
    let file = open_file(&folder)?;
    let keys = SqliteKeys::new(Arc::clone(&file));
    let refused = |reason: String| OpenError::Folder {
        path: folder.file("secrets.db").display().to_string(),
        reason,
    };
    let fresh = DataKey::random().map_err(|error| refused(error.to_string()))?;
    let master = keys
        .master(fresh)
        .await
        .map_err(|error| refused(error.to_string()))?;
    Ok(assemble(
        Arc::clone(&log) as Arc<dyn EventLog>,
        read,
        KeyedVault::new(master, Box::new(keys), Nonces::Random),
        Arc::new(SqliteSecrets::new(file)),
        recordings,
        Epochs::Sqlite(log),
    ))
}

async fn open_postgres(url: &str, holder: Holder<'_>) -> Result<Stores, OpenError> {
    let database = postgres::Database::parse(url)?;
    let hold = Hold::take(&database, holder).await?;
    database.migrate().await?;
    join_postgres(&database, Some(hold)).await
}

/// Starts a node on a database whose schema is up to date.
pub(crate) async fn join_postgres(
    database: &postgres::Database,
    hold: Option<Hold>,
) -> Result<Stores, OpenError> {
    let pool = database.pool(postgres::READERS_MAX);
    let refused = |error: &dyn fmt::Display| OpenError::Unreachable(error.to_string());
    let log = Arc::new(PostgresLog::start(database, pool.clone(), hold).await?);
    let keys = PostgresKeys::new(pool.clone());
    let fresh = DataKey::random().map_err(|error| refused(&error))?;
    let master = keys.master(&fresh).await.map_err(|error| refused(&error))?;
    Ok(assemble(
        Arc::clone(&log) as Arc<dyn EventLog>,
        Arc::new(PostgresReadStore::new(database)),
        KeyedVault::new(master, Box::new(keys), Nonces::Random),
        Arc::new(PostgresSecrets::new(pool.clone())),
        Arc::new(PostgresRecordings::new(pool)),
        Epochs::Postgres(log, Members::new(database.pool(postgres::KEEPERS_MAX))),
    ))
}

/// The log on KurrentDB, and everything else in the store beside it. There is one node:
/// that store is held, and who has opened the log last has it, also with another store
/// beside it.
#[cfg(feature = "kurrentdb")]
async fn open_kurrent(url: &str) -> Result<Stores, OpenError> {
    let address = crate::kurrent::Address::parse(url)?;
    let stores = Box::pin(open(&address.beside)).await?;
    let log = crate::kurrent::KurrentLog::open(address, Arc::clone(&stores.read)).await?;
    stores.nodes.end_with(log.is_lost());
    Ok(Stores {
        log: Arc::new(log),
        ..stores
    })
}

#[cfg(not(feature = "kurrentdb"))]
#[allow(clippy::unused_async, reason = "the other one waits")]
async fn open_kurrent(_url: &str) -> Result<Stores, OpenError> {
    let built = "this program was built without the feature `kurrentdb`";
    Err(OpenError::Url(built.into()))
}

fn open_memory() -> Result<Stores, OpenError> {
    let log = Arc::new(memory::MemoryLog::new());
    Ok(assemble(
        Arc::clone(&log) as Arc<dyn EventLog>,
        Arc::new(memory::MemoryReadStore::open()?),
        memory::vault(),
        Arc::new(memory::MemorySecrets::default()),
        Arc::new(memory::MemoryRecordings::default()),
        Epochs::Memory(log),
    ))
}

pub(crate) fn assemble(
    log: Arc<dyn EventLog>,
    read: Arc<dyn ReadStore>,
    vault: KeyedVault,
    secrets: Arc<dyn Secrets>,
    recordings: Arc<dyn Recordings>,
    epochs: Epochs,
) -> Stores {
    Stores {
        log,
        nodes: Arc::new(Nodes::new(epochs, Arc::clone(&read))),
        read,
        vault: Arc::new(vault),
        secrets,
        recordings,
    }
}
