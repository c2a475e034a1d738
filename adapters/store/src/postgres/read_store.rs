//! Read models, checkpoints and process rows in the schema `read_models`.

use super::{connect::Database, statement, unavailable};
use async_trait::async_trait;
use commands::ports::{ReadStore, Statement, StoreError, Value};
use sqlx::PgPool;

/// Connections: one for each projection that writes, and some for queries.
const CONNECTIONS_MAX: u32 = 12;

/// The read store on PostgreSQL.
#[derive(Debug)]
pub struct PostgresReadStore {
    pool: PgPool,
}

impl PostgresReadStore {
    /// Connects when something is asked. The schema is up to date.
    pub(crate) fn new(database: &Database) -> Self {
        Self {
            pool: database.read_pool(CONNECTIONS_MAX),
        }
    }
}

#[async_trait]
impl ReadStore for PostgresReadStore {
    async fn transact(&self, statements: Vec<Statement>) -> Result<(), StoreError> {
        // Dropped without a commit it undoes everything.
        let mut transaction = self.pool.begin().await.map_err(unavailable)?;
        for one in &statements {
            statement::execute(&mut transaction, one).await?;
        }
        transaction.commit().await.map_err(unavailable)
    }

    async fn query(
        &self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        statement::query(&self.pool, sql, &parameters).await
    }
}
