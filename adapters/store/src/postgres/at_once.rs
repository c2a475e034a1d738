//! Transactions that are sent at once. The driver waits for the answer to each
//! statement before it sends the next; a transaction of the read models has a dozen,
//! and on a busy machine every wait costs more than the statement. So the statements
//! are prepared by name, and a transaction is one text that executes them: two ways to
//! the database and back, whatever it holds.

use super::{connect::Database, unavailable};
use commands::ports::{Statement, StoreError, Value};
use futures_util::TryStreamExt as _;
use sqlx::{Connection as _, PgConnection, postgres::PgQueryResult};
use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// Transactions at once, each on a connection of its own.
const WRITERS_MAX: usize = 4;
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
    names: HashMap<&'static str, usize>,
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
        let outcome = writer.transact(statements).await;
        match outcome {
            Ok(()) | Err(StoreError::Fenced) => {
                writer.used_at = Instant::now();
                let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
                rest.retain(|other| other.used_at.elapsed() < IDLE_MAX);
                rest.push(writer);
            }
            // Closed, and with it whatever was begun.
            Err(StoreError::Unavailable(_) | StoreError::Refused(_)) => {}
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
            let is_alive =
                writer.used_at.elapsed() < TRUSTED_FOR || writer.connection.ping().await.is_ok();
            if is_alive {
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
        // Which of the answers is that of each statement: the first is that of BEGIN.
        let mut answers = Vec::with_capacity(statements.len());
        let mut sent = 1;
        for statement in statements {
            if statement.parameters.is_empty() {
                text.push_str(statement.sql);
            } else {
                let (name, is_new) = self.name(statement.sql);
                if is_new {
                    prepare(name, statement.sql, &mut text);
                    sent += 1;
                }
                execute(name, &statement.parameters, &mut text);
            }
            text.push(';');
            answers.push(sent);
            sent += 1;
        }
        let done = self.send(&text).await?;
        let is_fenced = statements.iter().zip(answers).any(|(statement, answer)| {
            let touched = done.get(answer).map(PgQueryResult::rows_affected);
            statement.must_touch.is_some() && statement.must_touch != touched
        });
        if is_fenced {
            self.send("ROLLBACK").await?;
            return Err(StoreError::Fenced);
        }
        self.send("COMMIT").await?;
        Ok(())
    }

    /// The name of that text on this connection, and whether it is a new one. Names
    /// outlive the transaction that they are given in; after an error the connection
    /// goes, and they with it.
    fn name(&mut self, sql: &'static str) -> (usize, bool) {
        let next = self.names.len();
        let name = *self.names.entry(sql).or_insert(next);
        (name, name == next)
    }

    async fn send(&mut self, text: &str) -> Result<Vec<PgQueryResult>, StoreError> {
        let done = sqlx::raw_sql(text).execute_many(&mut self.connection);
        done.try_collect().await.map_err(unavailable)
    }
}

/// Writes that the statement gets a name; writing to a text does not fail.
fn prepare(name: usize, sql: &str, text: &mut String) {
    let _ = write!(text, "PREPARE rows_{name} AS {sql};");
}

/// Writes the execution of a prepared statement.
fn execute(name: usize, parameters: &[Value], text: &mut String) {
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
