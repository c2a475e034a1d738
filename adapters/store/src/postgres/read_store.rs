//! Read models, checkpoints and process rows in the schema `read_models`.

use super::{at_once::Writers, connect::Database, pool::Pool, statement, unavailable};
use async_trait::async_trait;
use commands::ports::{ReadStore, Statement, StoreError, Value};
use std::time::Duration;

/// Connections for queries.
const READS_MAX: u32 = 8;

/// How long one table may take to be vacuumed.
const SCRUB_MAX: Duration = Duration::from_secs(3_600);

/// The tables of the schema; their names are quoted where they need it.
const TABLES: &str = "SELECT quote_ident(tablename) FROM pg_tables \
     WHERE schemaname = 'read_models' ORDER BY tablename";

/// The read store on PostgreSQL.
#[derive(Debug)]
pub struct PostgresReadStore {
    reads: Pool,
    writers: Writers,
}

impl PostgresReadStore {
    /// Connects when something is asked. The schema is up to date.
    pub(crate) fn new(database: &Database) -> Self {
        Self {
            reads: database.read_pool(READS_MAX),
            writers: Writers::new(database),
        }
    }
}

#[async_trait]
impl ReadStore for PostgresReadStore {
    async fn transact(&self, statements: Vec<Statement>) -> Result<(), StoreError> {
        self.writers.transact(&statements).await
    }

    async fn twin(&self, table: &'static str, twin: &'static str) -> Result<(), StoreError> {
        let each = [
            format!("DROP TABLE IF EXISTS {twin}"),
            format!("CREATE TABLE {twin} (LIKE {table} INCLUDING ALL)"),
        ];
        let statements = each.map(|sql| Statement {
            // Two short texts for each time that a view is built anew.
            sql: Box::leak(sql.into_boxed_str()),
            parameters: vec![],
            must_touch: None,
        });
        self.transact(statements.into()).await
    }

    async fn query(
        &self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        statement::query(&self.reads, sql, &parameters).await
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        // Old versions of rows are taken out; the bytes of a page are gone when
        // it is used again. `docs/privacy.md` says how to force that.
        let tables: Vec<String> = sqlx::query_scalar(TABLES)
            .fetch_all(&self.reads)
            .await
            .map_err(unavailable)?;
        let patient = self.reads.patient(SCRUB_MAX);
        for table in tables {
            let vacuum = format!("VACUUM read_models.{table}");
            sqlx::raw_sql(&vacuum)
                .execute(&patient)
                .await
                .map_err(unavailable)?;
        }
        Ok(())
    }
}
