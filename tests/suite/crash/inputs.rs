//! What an operator may hand to the binary by mistake or by misfortune: each is
//! told clearly, naming the place or the cause, and nothing is lost by it.

use anyhow::{Context as _, ensure};
use ringledger_tests::server::{Server, Setup, binary};
use rusqlite::Connection;
use std::{path::Path, process::Stdio, time::Duration};

const QUEUE: &str = "[[queue]]\nname = \"support\"\n";
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that does not start: what it says.
async fn refused(setup: &Setup) -> anyhow::Result<String> {
    let file = setup.write()?;
    let output = tokio::process::Command::new(binary())
        .arg("serve")
        .arg("--config")
        .arg(file)
        .arg("--data")
        .arg(setup.data())
        .env("RINGLEDGER__LOG__FILTER", "error")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PATIENCE, output).await??;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(
        output.status.code() == Some(1),
        "{:?}: {said}",
        output.status
    );
    ensure!(!said.contains("panicked"), "{said}");
    Ok(said)
}

fn edit(folder: &Path, file: &str, sql: &str) -> anyhow::Result<()> {
    Connection::open(folder.join(file))?.execute_batch(sql)?;
    Ok(())
}

/// Changes the record behind the store's back.
fn damage(data: &Path, change: &str) -> anyhow::Result<()> {
    let sql = format!("DROP TRIGGER events_are_not_changed; {change}");
    edit(data, "log.db", &sql)?;
    // The read models and kept rows are gone too: everything is read again.
    for name in ["read.db", "read.db-wal", "read.db-shm"] {
        match std::fs::remove_file(data.join(name)) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Every event, as text.
fn record(data: &Path) -> anyhow::Result<Vec<String>> {
    let db = Connection::open(data.join("log.db"))?;
    let mut rows = db.prepare(
        "SELECT global_position || event_type || payload || hex(event_id) FROM events \
         ORDER BY global_position",
    )?;
    let rows = rows.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

async fn used(folder: &Path) -> anyhow::Result<Setup> {
    let setup = Setup::new(folder, &Setup::provisioning(QUEUE, &["anna"]));
    Server::start(&setup).await?.stop().await?;
    Ok(setup)
}

/// It starts, and anna is there.
async fn starts(setup: &Setup) -> anyhow::Result<()> {
    let server = Server::start(setup).await?;
    server
        .until("{ agents(first: 5) { nodes { name } } }", |answer| {
            answer["agents"]["nodes"][0]["name"] == "anna"
        })
        .await?;
    server.stop().await
}

#[tokio::test]
async fn a_row_that_can_not_be_read_is_named_by_its_position() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = used(folder.path()).await?;
    let data = setup.data();
    let before = record(&data)?;
    for (change, back, cause) in [
        (
            "UPDATE events SET event_id = x'00' WHERE global_position = 2",
            "UPDATE events SET event_id = x'{id}' WHERE global_position = 2",
            "event_id",
        ),
        (
            "UPDATE events SET event_type = 'call_teleported' WHERE global_position = 2",
            "UPDATE events SET event_type = '{type}' WHERE global_position = 2",
            "call_teleported",
        ),
        (
            "UPDATE events SET payload = substr(payload, 1, 20) WHERE global_position = 2",
            "UPDATE events SET payload = '{payload}' WHERE global_position = 2",
            "not readable",
        ),
        (
            "UPDATE events SET event_version = '99' WHERE global_position = 2",
            "UPDATE events SET event_version = '1' WHERE global_position = 2",
            "version 99",
        ),
    ] {
        let was: (String, String, String) = Connection::open(data.join("log.db"))?.query_row(
            "SELECT hex(event_id), event_type, payload FROM events WHERE global_position = 2",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        damage(&data, change)?;
        let said = refused(&setup).await?;
        ensure!(
            said.contains("position 2") && said.contains(cause),
            "{change}: {said}"
        );
        let back = back
            .replace("{id}", &was.0)
            .replace("{type}", &was.1)
            .replace("{payload}", &was.2);
        let trigger = "CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events \
                       BEGIN SELECT raise(ABORT, 'the log is append-only'); END";
        edit(&data, "log.db", &format!("{back}; {trigger};"))?;
        ensure!(record(&data)?.starts_with(&before), "something was lost");
        starts(&setup).await?;
    }
    Ok(())
}

/// The read models and kept rows are gone: everything is read again.
const FORGET: &str = "DO $$ DECLARE name text; BEGIN \
     FOR name IN SELECT table_name FROM information_schema.tables \
         WHERE table_schema = 'read_models' \
         AND table_name NOT IN ('schema_migrations', 'process_lead') \
     LOOP EXECUTE 'TRUNCATE read_models.' || quote_ident(name); END LOOP; END $$";
const BACK: &str = "UPDATE public.events e SET event_type = k.event_type, payload = k.payload, \
     event_version = k.event_version FROM public.kept k WHERE e.global_position = 2; \
     DROP TABLE public.kept; ALTER TABLE public.events ENABLE TRIGGER USER";

#[tokio::test]
async fn a_database_server_with_what_can_not_be_used_is_told_as_a_file_is() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let database = store::testing::database().await;
    let run = async |sql: &str| database.run(sql).await.map_err(anyhow::Error::msg);
    let mut setup = Setup::new(folder.path(), &Setup::provisioning(QUEUE, &["anna"]));
    setup.store_url = Some(database.url().into());
    Server::start(&setup).await?.stop().await?;
    for (change, cause) in [
        ("event_type = 'call_teleported'", "call_teleported"),
        ("payload = '{\"nonsense\": 1}'", "not readable"),
        ("event_version = '99'", "version 99"),
    ] {
        run(
            "ALTER TABLE public.events DISABLE TRIGGER USER; CREATE TABLE public.kept AS \
             SELECT * FROM public.events WHERE global_position = 2",
        )
        .await?;
        let change = format!("UPDATE public.events SET {change} WHERE global_position = 2");
        run(&change).await?;
        run(FORGET).await?;
        let said = refused(&setup).await?;
        ensure!(
            said.contains("position 2") && said.contains(cause),
            "{change}: {said}"
        );
        run(BACK).await?;
        starts(&setup).await?;
    }
    let newer = "INSERT INTO public.schema_migrations (number, name) \
                 VALUES (9001, '9001_from_the_future')";
    run(newer).await?;
    let said = refused(&setup).await?;
    ensure!(
        said.contains("9001") && said.contains("newer version"),
        "{said}"
    );
    run("DELETE FROM public.schema_migrations WHERE number = 9001").await?;
    let name = database.url().rsplit('/').next().context("a name")?;
    run(&format!(
        "ALTER DATABASE {name} SET default_transaction_read_only = on"
    ))
    .await?;
    let said = refused(&setup).await?;
    ensure!(said.contains("read-only"), "{said}");
    run(&format!(
        "BEGIN READ WRITE; ALTER DATABASE {name} RESET default_transaction_read_only; COMMIT"
    ))
    .await?;
    starts(&setup).await
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_by_its_number() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = used(folder.path()).await?;
    let before = record(&setup.data())?;
    edit(
        &setup.data(),
        "log.db",
        "INSERT INTO schema_migrations VALUES (9001, '9001_from_the_future', 'then')",
    )?;
    let said = refused(&setup).await?;
    ensure!(
        said.contains("9001") && said.contains("newer version"),
        "{said}"
    );
    ensure!(said.contains("log.db"), "{said}");
    ensure!(record(&setup.data())? == before, "it was changed");
    edit(
        &setup.data(),
        "log.db",
        "DELETE FROM schema_migrations WHERE number = 9001",
    )?;
    starts(&setup).await
}

#[tokio::test]
async fn a_store_url_that_leads_nowhere_is_told_without_its_password() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let closed = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let mut setup = Setup::new(folder.path(), QUEUE);
    for (url, cause) in [
        (format!("postgres://me:hunter2@{closed}/calls"), "refused"),
        (
            "mysql://me:hunter2@localhost/calls".to_owned(),
            "not understood",
        ),
        ("sqlite:/proc/ringledger".to_owned(), "/proc/ringledger"),
    ] {
        setup.store_url = Some(url.clone());
        let said = refused(&setup).await?;
        ensure!(said.contains(cause), "{url}: {said}");
        ensure!(!said.contains("hunter2"), "{said}");
    }
    Ok(())
}

/// A file system that goes with this.
struct Mount(std::path::PathBuf);

impl Mount {
    fn of(path: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(path)?;
        mount(&["-t", "tmpfs", "-o", "size=64m", "ringledger-test"], path)?;
        Ok(Self(path.to_owned()))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).status();
    }
}

fn mount(arguments: &[&str], path: &Path) -> anyhow::Result<()> {
    let status = std::process::Command::new("mount")
        .args(arguments)
        .arg(path)
        .status();
    let status = status.context("mount (util-linux) is not there")?;
    ensure!(
        status.success(),
        "mount: {status} (the suites want to be root)"
    );
    Ok(())
}

#[tokio::test]
async fn a_store_that_can_only_be_read_is_named() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = Setup::new(folder.path(), &Setup::provisioning(QUEUE, &["anna"]));
    let _mounted = Mount::of(&setup.data())?;
    Server::start(&setup).await?.stop().await?;
    let before = record(&setup.data())?;
    mount(&["-o", "remount,ro"], &setup.data())?;
    let said = refused(&setup).await?;
    ensure!(
        said.contains("Read-only") || said.contains("read-only"),
        "{said}"
    );
    ensure!(
        said.contains(setup.data().to_str().context("a path")?),
        "{said}"
    );
    mount(&["-o", "remount,rw"], &setup.data())?;
    ensure!(
        record(&setup.data())?.starts_with(&before),
        "something was lost"
    );
    starts(&setup).await
}
