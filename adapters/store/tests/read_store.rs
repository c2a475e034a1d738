//! Rows of read models: one transaction or nothing, and values come back as
//! they were. The same on every store.

// Helpers of tests fail like tests.
#![allow(clippy::unwrap_used)]

use commands::ports::{Statement, StoreError, Value};
use domain::time::Timestamp;
use ringledger_store::{self as store, Heartbeat, Stores, testing};
use tempfile::TempDir;

async fn stores() -> Vec<(Stores, Option<TempDir>)> {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite:{}", folder.path().display());
    let sqlite = store::open(&url).await.unwrap();
    let memory = store::open("memory:").await.unwrap();
    let postgres = store::open(testing::database().await.url()).await.unwrap();
    // PostgreSQL calls bytes by another name; no read model has any.
    let same_name = plain("CREATE DOMAIN blob AS bytea", vec![]);
    postgres.read.transact(vec![same_name]).await.unwrap();
    vec![(memory, None), (sqlite, Some(folder)), (postgres, None)]
}

const TABLE: &str = "CREATE TABLE things (id BIGINT PRIMARY KEY, name TEXT, raw BLOB)";
const INSERT: &str = "INSERT INTO things (id, name, raw) VALUES ($1, $2, $3)";
const RENAME: &str = "UPDATE things SET name = $2 WHERE id = $1";
const ALL: &str = "SELECT id, name, raw FROM things ORDER BY id";

fn plain(sql: &'static str, parameters: Vec<Value>) -> Statement {
    Statement {
        sql,
        parameters,
        must_touch: None,
    }
}

fn thing(id: i64) -> Vec<Value> {
    vec![
        Value::Int(id),
        Value::Text(format!("thing {id} é ☎")),
        Value::Bytes(vec![0, 255, 7]),
    ]
}

#[tokio::test]
async fn values_come_back_as_they_were() {
    for (stores, _folder) in stores().await {
        let read = &stores.read;
        let nothing = vec![Value::Int(i64::MIN), Value::Null, Value::Null];
        let statements = vec![
            plain(TABLE, vec![]),
            plain(INSERT, thing(i64::MAX)),
            plain(INSERT, nothing.clone()),
        ];
        read.transact(statements).await.unwrap();
        let rows = read.query(ALL, vec![]).await.unwrap();
        assert_eq!(rows, [nothing, thing(i64::MAX)]);
    }
}

#[tokio::test]
async fn parameters_go_by_number_not_by_first_use() {
    for (stores, _folder) in stores().await {
        let read = &stores.read;
        let swapped = "INSERT INTO things (raw, name, id) VALUES ($3, $2, $1)";
        let statements = vec![plain(TABLE, vec![]), plain(swapped, thing(1))];
        read.transact(statements).await.unwrap();
        assert_eq!(read.query(ALL, vec![]).await.unwrap(), [thing(1)]);
        let sql = "SELECT $2, $1, $2";
        let parameters = vec![Value::Text("one".into()), Value::Int(2)];
        let row = read.query(sql, parameters).await.unwrap().remove(0);
        let [one, two] = [Value::Text("one".into()), Value::Int(2)];
        assert_eq!(row, [two.clone(), one, two]);
        let missing = read.query("SELECT $2", vec![Value::Null]).await;
        assert!(matches!(missing, Err(StoreError::Unavailable(_))));
    }
}

#[tokio::test]
async fn a_transaction_is_whole_or_nothing() {
    for (stores, _folder) in stores().await {
        let read = &stores.read;
        let create = vec![plain(TABLE, vec![]), plain(INSERT, thing(1))];
        read.transact(create).await.unwrap();
        let taken = vec![plain(INSERT, thing(2)), plain(INSERT, thing(1))];
        let refused = read.transact(taken).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))));
        let nonsense = vec![plain(INSERT, thing(2)), plain("NONSENSE", vec![])];
        let refused = read.transact(nonsense).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))));
        assert_eq!(read.query(ALL, vec![]).await.unwrap(), [thing(1)]);
    }
}

#[tokio::test]
async fn another_leader_is_noticed_and_nothing_is_stored() {
    for (stores, _folder) in stores().await {
        let read = &stores.read;
        let create = vec![plain(TABLE, vec![]), plain(INSERT, thing(1))];
        read.transact(create).await.unwrap();
        let rename = |id, must_touch| Statement {
            sql: RENAME,
            parameters: vec![Value::Int(id), Value::Text("renamed".into())],
            must_touch: Some(must_touch),
        };
        let fenced = vec![plain(INSERT, thing(2)), rename(1, 1), rename(9, 1)];
        assert_eq!(read.transact(fenced).await, Err(StoreError::Fenced));
        assert_eq!(read.query(ALL, vec![]).await.unwrap(), [thing(1)]);
        read.transact(vec![rename(1, 1), rename(9, 0)])
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_transaction_does_not_touch_its_neighbours() {
    for (stores, _folder) in stores().await {
        let read = &stores.read;
        read.transact(vec![plain(TABLE, vec![])]).await.unwrap();
        let writers = (0..200_i64).map(|id| {
            let read = read.clone();
            tokio::spawn(async move {
                let mut statements = vec![plain(INSERT, thing(id))];
                if id % 2 == 1 {
                    statements.push(plain(INSERT, thing(id)));
                }
                (id, read.transact(statements).await.is_ok())
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            let (id, stored) = writer.await.unwrap();
            assert_eq!(stored, id % 2 == 0);
        }
        let rows = read.query(ALL, vec![]).await.unwrap();
        let even: Vec<_> = (0..200).step_by(2).map(thing).collect();
        assert_eq!(rows, even);
    }
}

#[tokio::test]
async fn run_numbers_grow_and_the_last_sign_of_life_is_kept() {
    let folder = TempDir::new().unwrap();
    let database = testing::database().await;
    run_numbers_grow(&format!("sqlite:{}", folder.path().display())).await;
    run_numbers_grow(database.url()).await;
}

async fn run_numbers_grow(url: &str) {
    for run in 1..4_u64 {
        let nodes = store::open(url).await.unwrap().nodes;
        let before = nodes.last_beat().await.unwrap();
        let expected = (run > 1).then(|| Heartbeat {
            node_epoch: run - 1,
            at: Timestamp::from_micros(500),
        });
        assert_eq!(before, expected);
        assert_eq!(nodes.next_epoch("node").await.unwrap(), run);
        for at in [100, 500] {
            nodes.beat(run, Timestamp::from_micros(at)).await.unwrap();
        }
        assert_eq!(nodes.last_beat_of(run + 1).await.unwrap(), None);
    }
}

#[tokio::test]
async fn no_value_fits_where_a_number_or_a_text_was_and_sums_are_numbers() {
    for (stores, _folder) in stores().await {
        let read = &stores.read;
        let table = "CREATE TABLE counts (id BIGINT PRIMARY KEY, number BIGINT, name TEXT)";
        let insert = "INSERT INTO counts (id, number, name) VALUES ($1, $2, $3)";
        let row = |id, number, name| plain(insert, vec![Value::Int(id), number, name]);
        let name = Value::Text("name".into());
        let statements = vec![
            plain(table, vec![]),
            row(1, Value::Null, Value::Null),
            row(2, Value::Int(5), name.clone()),
            row(3, Value::Null, name),
            row(4, Value::Int(-7), Value::Null),
        ];
        read.transact(statements).await.unwrap();
        let sums = "SELECT SUM(number), COUNT(*), MIN(number), MAX(name), COUNT(name) \
                    FROM counts WHERE id <= $1";
        let all = read.query(sums, vec![Value::Int(4)]).await.unwrap();
        let name = Value::Text("name".into());
        let counted = [
            Value::Int(-2),
            Value::Int(4),
            Value::Int(-7),
            name,
            Value::Int(2),
        ];
        assert_eq!(all, [counted]);
        let none = read.query(sums, vec![Value::Int(0)]).await.unwrap();
        let (null, zero) = (Value::Null, Value::Int(0));
        let empty = [null.clone(), zero.clone(), null.clone(), null, zero];
        assert_eq!(none, [empty]);
    }
}
