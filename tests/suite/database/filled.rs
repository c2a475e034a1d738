//! What an earlier version had in its tables beside the log: keys, credentials, and a row
//! in every table of the read models that it had.

use commands::ports::{Erasure, Position, Value};
use domain::{
    id::SubjectId,
    sealed::{Party, Sealed},
};
use rusqlite::Connection;
use store::{
    Stores,
    migrate::{Migration, Target},
};
use uuid::Uuid;

/// Somebody who was forgotten once and has called again since.
const SUBJECT: SubjectId = SubjectId(Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_00aa));
/// A table that a later version makes anew from what it follows.
const MADE_ANEW: &str = "kurrent_";
/// A row in each table of the schema, of values that fit their types; one that its steps
/// have made is enough.
const FILL_POSTGRES: &str = "DO $$ DECLARE t record; c text; v text; BEGIN
    FOR t IN SELECT tablename FROM pg_tables
             WHERE schemaname = 'read_models' AND tablename <> 'schema_migrations' LOOP
        SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position),
               string_agg(CASE data_type WHEN 'text' THEN quote_literal('{}')
                                         WHEN 'boolean' THEN 'false'
                                         WHEN 'bytea' THEN quote_literal('x')
                                         WHEN 'uuid' THEN 'gen_random_uuid()'
                                         WHEN 'timestamp with time zone' THEN 'now()'
                                         ELSE '1' END, ', ' ORDER BY ordinal_position)
          INTO c, v FROM information_schema.columns
         WHERE table_schema = 'read_models' AND table_name = t.tablename;
        EXECUTE format('INSERT INTO read_models.%I (%s) VALUES (%s) ON CONFLICT DO NOTHING', t.tablename, c, v);
    END LOOP; END $$;";

fn has(steps: &[Migration], number: i64) -> bool {
    steps.iter().any(|step| step.number == number)
}

/// Keys and credentials of a version with these steps; `blob` writes an id and `bytes` 32
/// times a byte.
fn secrets(
    steps: &[Migration],
    blob: impl Fn(Uuid) -> String,
    bytes: impl Fn(u8) -> String,
    created: (&str, &str),
) -> String {
    let mut sql = String::new();
    let (subject, (column, now)) = (blob(SUBJECT.0), created);
    if has(steps, 4) {
        sql.push_str(&format!(
            "INSERT INTO vault_keys (subject, number, data_key{column}) \
             VALUES ({subject}, 1, NULL{now}), ({subject}, 2, {}{now}); \
             INSERT INTO vault_master (name, value) VALUES ('subject_hash', {});",
            bytes(7),
            bytes(9)
        ));
    }
    if has(steps, 5) {
        sql.push_str("INSERT INTO secrets (kind, key, value) VALUES ('ha1', 'anna', 'of then');");
    }
    if has(steps, 30) {
        sql.push_str(&format!(
            "INSERT INTO vault_erasures (position, subject, keys_through) \
             VALUES (7, {subject}, 1);"
        ));
    }
    sql
}

/// Fills the embedded file of a target.
pub(crate) fn embedded(db: &Connection, target: Target, steps: &[Migration]) {
    match target {
        Target::Log => {}
        Target::Secrets => {
            let blob = |id: Uuid| format!("x'{}'", id.simple());
            let bytes = |byte: u8| format!("x'{}'", format!("{byte:02x}").repeat(32));
            let sql = secrets(steps, blob, bytes, (", created_at", ", 1"));
            db.execute_batch(&sql).unwrap();
        }
        Target::Read => {
            for table in tables(db) {
                let info = format!("SELECT name, type FROM pragma_table_info('{table}')");
                let mut info = db.prepare(&info).unwrap();
                let columns = info.query_map([], |row| {
                    let value = match row.get::<_, String>(1)?.as_str() {
                        "TEXT" => "'{}'",
                        "BLOB" => "x'00'",
                        _ => "1",
                    };
                    Ok((row.get::<_, String>(0)?, value.to_owned()))
                });
                let columns: Result<Vec<_>, _> = columns.unwrap().collect();
                let (names, values): (Vec<_>, Vec<_>) = columns.unwrap().into_iter().unzip();
                let (names, values) = (names.join(", "), values.join(", "));
                let insert = format!(
                    "INSERT INTO {table} ({names}) VALUES ({values}) ON CONFLICT DO NOTHING"
                );
                db.execute_batch(&insert).unwrap();
            }
        }
    }
}

fn tables(db: &Connection) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' \
               AND name NOT IN ('schema_migrations', 'sqlite_sequence')";
    let mut statement = db.prepare(sql).unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    names.collect::<Result<_, _>>().unwrap()
}

/// The same for a database whose path is the schema of the target.
pub(crate) fn database(target: Target, steps: &[Migration]) -> String {
    match target {
        Target::Log => String::new(),
        Target::Read => FILL_POSTGRES.to_owned(),
        Target::Secrets => secrets(
            steps,
            |id| format!("'{id}'"),
            |byte| format!("'\\x{}'", format!("{byte:02x}").repeat(32)),
            ("", ""),
        ),
    }
}

/// Tables that steps like these make.
fn made(steps: &[Migration]) -> Vec<String> {
    let db = Connection::open_in_memory().unwrap();
    for step in steps.iter().filter(|step| step.target == Target::Read) {
        db.execute_batch(step.sqlite).unwrap();
    }
    let mut made = tables(&db);
    made.retain(|table| !table.starts_with(MADE_ANEW));
    made
}

/// All of it is there, and is used.
pub(crate) async fn check(stores: &Stores, steps: &[Migration], after: &str) {
    for table in made(steps) {
        let sql = format!("SELECT count(*) FROM {table}");
        let rows = stores.read.query(&sql, vec![]).await.unwrap();
        assert_eq!(rows, [[Value::Int(1)]], "{table} after {after}");
    }
    if has(steps, 5) {
        let known = stores.secrets.get("ha1", "anna").await.unwrap();
        assert_eq!(known.as_deref(), Some("of then"), "after {after}");
    }
    if has(steps, 4) {
        keys_are_used(stores, has(steps, 30), after).await;
    }
}

async fn keys_are_used(stores: &Stores, is_noted: bool, after: &str) {
    let vault = &stores.vault;
    let noted = Position(if is_noted { 7 } else { 0 });
    assert_eq!(vault.shredded().await.unwrap(), noted, "after {after}");
    assert_eq!(vault.keys_through(SUBJECT).await.unwrap(), 2);
    let party = Party {
        user: "4930111".into(),
        ..Party::default()
    };
    // Under the key of then, which is the second.
    let sealed: Sealed<Party> = vault.seal_for(SUBJECT, &party).await.unwrap();
    assert_eq!(vault.keys_through(SUBJECT).await.unwrap(), 2);
    assert_eq!(vault.open(&sealed).await.unwrap(), Some(party));
    vault.scrub().await.unwrap();
    let erasure = Erasure {
        subject: SUBJECT,
        keys_through: 2,
        position: Position(9),
    };
    vault.shred(&erasure).await.unwrap();
    vault.scrub().await.unwrap();
    assert_eq!(vault.open(&sealed).await.unwrap(), None, "after {after}");
    assert_eq!(vault.shredded().await.unwrap(), Position(9));
}
