//! Connections that are shared, with a bound on how long an answer is waited for. A host
//! that is gone, or a network that only stops, says nothing more: no error comes, and
//! whoever asks would wait until the operating system gives up, after a quarter of an hour.

use super::connect::silent;
use futures_util::{
    TryStreamExt as _,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use sqlx::{
    Connection as _, Describe, Either, Error, Execute, Executor, PgConnection, PgPool, Postgres,
    pool::PoolConnection,
    postgres::{PgPoolOptions, PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};
use std::time::Duration;
use tokio::time::timeout;

/// Connections whose answers are waited for so long and no longer. What was asked may
/// have been done all the same.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    connections: PgPool,
    answer_max: Duration,
}

impl Pool {
    pub(crate) const fn new(connections: PgPool, answer_max: Duration) -> Self {
        Self {
            connections,
            answer_max,
        }
    }

    /// The same connections, with another patience.
    pub(crate) fn patient(&self, answer_max: Duration) -> Self {
        Self {
            connections: self.connections.clone(),
            answer_max,
        }
    }

    /// One connection to the same database, apart from these.
    pub(crate) fn apart(&self) -> PgPool {
        let options = self.connections.connect_options();
        PgPoolOptions::new()
            .max_connections(1)
            .connect_lazy_with(options.as_ref().clone())
    }

    /// Does something on one connection, all of which is waited for so long.
    pub(crate) async fn with<T>(
        &self,
        work: impl for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<T, Error>>,
    ) -> Result<T, Error> {
        let mut asked = self.ask().await?;
        let answered = timeout(self.answer_max, work(asked.connection())).await;
        asked.heard(answered.ok(), self.answer_max)
    }

    async fn ask(&self) -> Result<Asked, Error> {
        Ok(Asked(Some(self.connections.acquire().await?)))
    }

    async fn all<'q, E>(self, query: E) -> Result<Vec<Either<PgQueryResult, PgRow>>, Error>
    where
        E: 'q + Execute<'q, Postgres>,
    {
        let mut asked = self.ask().await?;
        let mut all = vec![];
        let answered = {
            let mut rows = asked.connection().fetch_many(query);
            loop {
                // Rows that come are an answer: a long table may take its time.
                match timeout(self.answer_max, rows.try_next()).await {
                    Ok(Ok(Some(one))) => all.push(one),
                    Ok(Ok(None)) => break Some(Ok(())),
                    Ok(Err(error)) => break Some(Err(error)),
                    Err(_) => break None,
                }
            }
        };
        asked.heard(answered, self.answer_max).map(|()| all)
    }
}

/// A connection that an answer is waited for on. Whoever asks may lose patience first, and
/// then it is closed as well: the pool would ask it whether it is there, without a bound,
/// and nobody else could have its place meanwhile.
struct Asked(Option<PoolConnection<Postgres>>);

impl Asked {
    fn connection(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect("it is given back at the end")
    }

    /// A connection that did not answer is closed: others would wait for it in vain, and
    /// what is on its way on it belongs to nobody.
    fn heard<T>(
        mut self,
        answered: Option<Result<T, Error>>,
        answer_max: Duration,
    ) -> Result<T, Error> {
        match answered {
            Some(answer) => {
                // Others may have it.
                drop(self.0.take());
                answer
            }
            None => Err(silent(answer_max)),
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        drop(self.0.take().map(PoolConnection::detach));
    }
}

impl<'p> Executor<'p> for &Pool {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let all = stream::once(self.clone().all(query));
        Box::pin(
            all.map_ok(|all| stream::iter(all.into_iter().map(Ok)))
                .try_flatten(),
        )
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let pool = self.clone();
        Box::pin(async move {
            let mut asked = pool.ask().await?;
            let answered = asked.connection().fetch_optional(query);
            let answered = timeout(pool.answer_max, answered).await;
            asked.heard(answered.ok(), pool.answer_max)
        })
    }

    fn prepare_with<'e, 'q: 'e>(
        self,
        sql: &'q str,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement<'q>, Error>>
    where
        'p: 'e,
    {
        (&self.connections).prepare_with(sql, parameters)
    }

    fn describe<'e, 'q: 'e>(self, sql: &'q str) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'p: 'e,
    {
        (&self.connections).describe(sql)
    }
}

/// A connection that rested is asked whether it is there, and not for longer than that.
pub(crate) async fn is_alive(connection: &mut PgConnection, answer_max: Duration) -> bool {
    matches!(timeout(answer_max, connection.ping()).await, Ok(Ok(())))
}
