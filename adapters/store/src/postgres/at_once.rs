//! Transactions that are sent at once. The driver waits for the answer to each
//! statement before it sends the next; a transaction of the read models has a dozen,
//! and on a busy machine every wait costs more than the statement. So the statements
//! are prepared by name, and a transaction is one text that executes them: one way to
//! the database and back, whatever it holds.

use super::{
    connect::{Database, silent},
    pool::is_alive,
    unavailable,
};
use commands::ports::{Statement, StoreError, Value};
use futures_util::TryStreamExt as _;
use sqlx::PgConnection;
use std::{
    collections::HashMap,
    fmt::Write as _,
    future::ready,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, time::timeout};

/// Transactions at once, each on a connection of its own.
const WRITERS_MAX: usize = 4;
/// A database that does not answer a transaction for so long is taken to be away. Longer
/// than a reader of a long table may hold a switch of it up.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// A connection that was used in this time is taken to be alive.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// A connection that nobody used for this long is closed.
const IDLE_MAX: Duration = Duration::from_secs(300);

/// The connections. The one that was used last is used next: it has most of the
/// statements prepared.
#[derive(Debug)]
pub(crate) struct Writers {
    database: Database,
    places: Semaphore,
    rest: Mutex<Vec<Writer>>,
}

/// A connection and the names of what is prepared on it.
#[derive(Debug)]
struct Writer {
    connection: PgConnection,
    /// By text, and whether its rows are counted.
    names: HashMap<(&'static str, bool), usize>,
    used_at: Instant,
}

impl Writers {
    /// Connects when there is something to write.
    pub(crate) fn new(database: &Database) -> Self {
        Self {
            database: database.clone(),
            places: Semaphore::new(WRITERS_MAX),
            rest: Mutex::default(),
        }
    }

    /// Runs all statements or none.
    pub(crate) async fn transact(&self, statements: &[Statement]) -> Result<(), StoreError> {
        let place = self.places.acquire().await;
        let mut writer = self.writer().await?;
        let answered = timeout(ANSWER_MAX, writer.transact(statements)).await;
        let outcome = answered.unwrap_or_else(|_| Err(unavailable(silent(ANSWER_MAX))));
        // After an error it is closed, and with it whatever was begun.
        if outcome.is_ok() {
            writer.used_at = Instant::now();
            let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
            rest.retain(|other| other.used_at.elapsed() < IDLE_MAX);
            rest.push(writer);
        }
        drop(place);
        outcome
    }

    async fn writer(&self) -> Result<Writer, StoreError> {
        let rested = {
            let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
            rest.pop()
        };
        if let Some(mut writer) = rested {
            let is_trusted = writer.used_at.elapsed() < TRUSTED_FOR;
            if is_trusted || is_alive(&mut writer.connection, ANSWER_MAX).await {
                return Ok(writer);
            }
        }
        let connection = self.database.connect_read_models().await;
        Ok(Writer {
            connection: connection.map_err(unavailable)?,
            names: HashMap::new(),
            used_at: Instant::now(),
        })
    }
}

impl Writer {
    async fn transact(&mut self, statements: &[Statement]) -> Result<(), StoreError> {
        let mut text = String::from("BEGIN;");
        for statement in statements {
            match statement.must_touch {
                None if statement.parameters.is_empty() => text.push_str(statement.sql),
                None => {
                    let name = self.name((statement.sql, false), &mut text, str::to_owned);
                    execute(name, &statement.parameters, &mut text);
                }
                Some(rows) => {
                    let count = statement.parameters.len() + 1;
                    let is_counted = (statement.sql, true);
                    let name = self.name(is_counted, &mut text, |sql| counted(sql, count));
                    let rows = Value::Int(i64::try_from(rows).unwrap_or(i64::MAX));
                    let parameters = statement.parameters.iter().chain([&rows]);
                    execute(name, parameters, &mut text);
                }
            }
            text.push(';');
        }
        text.push_str("COMMIT");
        let done = sqlx::raw_sql(&text).execute_many(&mut self.connection);
        done.try_for_each(|_| ready(Ok(()))).await.map_err(|error| {
            let code = error.as_database_error().and_then(|refusal| refusal.code());
            match code.as_deref() {
                Some(NOT_SO_MANY) => StoreError::Fenced,
                Some(_) | None => unavailable(error),
            }
        })
    }

    /// The name of that text on this connection; a new one is given in the text that
    /// needs it first. Names outlive the transaction that they are given in; after an
    /// error the connection goes, and they with it.
    fn name(
        &mut self,
        of: (&'static str, bool),
        text: &mut String,
        prepared: impl FnOnce(&str) -> String,
    ) -> usize {
        let next = self.names.len();
        let name = *self.names.entry(of).or_insert(next);
        if name == next {
            prepare(name, &prepared(of.0), text);
        }
        name
    }
}

/// SQLSTATE of a division by zero, which [`counted`] makes and no other statement can.
const NOT_SO_MANY: &str = "22012";

/// The statement as one that fails unless it touches as many rows as its parameter
/// `count` says: whether a transaction may be committed is found out where it is, and
/// nobody is asked in the middle of it.
fn counted(sql: &str, count: usize) -> String {
    format!(
        "WITH touched AS ({sql} RETURNING 1) \
         SELECT 1 / (CASE WHEN count(*) = ${count} THEN 1 ELSE 0 END) FROM touched"
    )
}

/// Writes that the statement gets a name; writing to a text does not fail.
fn prepare(name: usize, sql: &str, text: &mut String) {
    let _ = write!(text, "PREPARE rows_{name} AS {sql};");
}

/// Writes the execution of a prepared statement.
fn execute<'a>(name: usize, parameters: impl IntoIterator<Item = &'a Value>, text: &mut String) {
    let _ = write!(text, "EXECUTE rows_{name}");
    let mut before = '(';
    for parameter in parameters {
        text.push(before);
        literal(parameter, text);
        before = ',';
    }
    text.push(')');
}

/// A value in SQL. On these connections a quote ends a text and nothing else does.
fn literal(value: &Value, text: &mut String) {
    match value {
        Value::Null => text.push_str("NULL"),
        // In quotes: it takes its type from where it stands, and -1 is no operation.
        Value::Int(number) => {
            let _ = write!(text, "'{number}'");
        }
        Value::Text(value) => {
            text.push('\'');
            text.extend(value.chars().flat_map(quoted));
            text.push('\'');
        }
        Value::Bytes(bytes) => {
            text.push_str("'\\x");
            for byte in bytes {
                let _ = write!(text, "{byte:02x}");
            }
            text.push('\'');
        }
    }
}

/// A quote stands twice. PostgreSQL takes no NUL: what somebody has sent must not stop
/// the read models.
fn quoted(letter: char) -> impl Iterator<Item = char> {
    let shown = match letter {
        '\0' => char::REPLACEMENT_CHARACTER,
        letter => letter,
    };
    std::iter::repeat_n(shown, 1 + usize::from(letter == '\''))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_value_ends_its_quotes() {
        let mut text = String::new();
        let values = [
            Value::Text(r"'); DROP TABLE cdr; -- \'".into()),
            Value::Int(-1),
            Value::Null,
            Value::Bytes(vec![0, 39, 255]),
            Value::Text("a\0b".into()),
        ];
        execute(7, &values, &mut text);
        let shown = r"EXECUTE rows_7('''); DROP TABLE cdr; -- \''','-1',NULL,'\x0027ff',";
        assert_eq!(text, format!("{shown}'a\u{fffd}b')"));
    }
}
