//! Which runs of nodes share the database: leases, and the fencing of those that
//! somebody has seen to let theirs run out.

use super::{pool::Pool, unavailable};
use crate::nodes::{Heartbeat, MemberRow};
use commands::ports::StoreError;
use domain::time::Timestamp;
use sqlx::Connection as _;

/// Connections for leases.
pub(crate) const KEEPERS_MAX: u32 = 2;

/// The lock of appends: who is fenced under it can not be in the middle of one.
const LOCK: &str = "SELECT pg_advisory_xact_lock(731087090301)";
const REPLACE: &str = "UPDATE public.es_members SET ended = 'replaced', \
     ended_at = clock_timestamp() WHERE name = $1 AND epoch < $2 AND ended IS NULL";
const JOIN: &str = "INSERT INTO public.es_members \
     (epoch, name, started_at, beat_at, lease_until, lease_ms) \
     VALUES ($1, $2, $3, $3, clock_timestamp() + $4 * interval '1 millisecond', $4)";
const ANNOUNCE: &str = "UPDATE public.es_members SET sip = $2, http = $3 WHERE epoch = $1";
const RENEW: &str = "UPDATE public.es_members SET beat_at = $2, \
     lease_until = clock_timestamp() + $3 * interval '1 millisecond', lease_ms = $3 \
     WHERE epoch = $1 AND ended IS NULL";
const MEMBERS: &str = "SELECT m.epoch, m.name, m.sip, m.http, m.started_at, m.beat_at, \
     m.lease_ms, l.token \
     FROM public.es_members m \
     LEFT JOIN public.es_leaders l ON l.epoch = m.epoch AND l.role = 'processes' \
     WHERE m.ended IS NULL ORDER BY m.epoch";
/// Those that were seen to be silent, if they still are. No clock has a say: that of
/// the database can be set too. A run that is over fences nobody.
const FENCE: &str = "WITH late AS ( \
       UPDATE public.es_members SET ended = 'fenced', ended_at = clock_timestamp() \
       WHERE ended IS NULL AND epoch <> $1 \
         AND (epoch, beat_at) IN (SELECT * FROM unnest($2::bigint[], $3::bigint[])) \
         AND EXISTS (SELECT 1 FROM public.es_members own \
                     WHERE own.epoch = $1 AND own.ended IS NULL) \
       RETURNING epoch, name), \
     over AS ( \
       INSERT INTO public.es_nodes (epoch, name) \
       SELECT (SELECT max(epoch) FROM public.es_nodes) + row_number() OVER (ORDER BY epoch), name \
       FROM late) \
     SELECT epoch FROM late ORDER BY epoch";
/// Taken from nobody, or from a run that is over.
const TAKE: &str = "INSERT INTO public.es_leaders AS l (role, epoch, token) \
     SELECT 'processes', epoch, 1 FROM public.es_members \
     WHERE epoch = $1 AND ended IS NULL \
     ON CONFLICT (role) DO UPDATE \
     SET epoch = excluded.epoch, token = l.token + 1, taken_at = clock_timestamp() \
     WHERE l.epoch <> excluded.epoch AND NOT EXISTS ( \
       SELECT 1 FROM public.es_members m WHERE m.epoch = l.epoch AND m.ended IS NULL) \
     RETURNING token";
const LEAVE: &str = "UPDATE public.es_members SET ended = 'left', ended_at = clock_timestamp(), \
     beat_at = $2 WHERE epoch = $1 AND ended IS NULL";
const LAST_BEAT: &str = "SELECT epoch, beat_at FROM public.es_members ORDER BY epoch DESC LIMIT 1";
const LAST_BEAT_OF: &str = "SELECT epoch, beat_at FROM public.es_members WHERE epoch = $1";

/// The table of members. Its connection is its own: a lease must not wait for
/// whoever reads a long stretch of the log.
#[derive(Debug)]
pub(crate) struct Members {
    pool: Pool,
}

impl Members {
    /// Over a pool of its own.
    pub(crate) const fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// The run may act from now on, as long as it renews its lease.
    pub(crate) async fn join(
        &self,
        epoch: u64,
        name: &str,
        at: Timestamp,
        lease_ms: u64,
    ) -> Result<(), StoreError> {
        let name = name.to_owned();
        let joined = self.pool.with(|connection| {
            Box::pin(async move {
                let mut transaction = connection.begin().await?;
                sqlx::query(REPLACE)
                    .bind(&name)
                    .bind(signed(epoch))
                    .execute(&mut *transaction)
                    .await?;
                sqlx::query(JOIN)
                    .bind(signed(epoch))
                    .bind(name)
                    .bind(at.micros())
                    .bind(signed(lease_ms))
                    .execute(&mut *transaction)
                    .await?;
                transaction.commit().await
            })
        });
        joined.await.map_err(unavailable)
    }

    /// Tells the other nodes where this one is reached.
    pub(crate) async fn announce(
        &self,
        epoch: u64,
        sip: &str,
        http: &str,
    ) -> Result<(), StoreError> {
        let announced = sqlx::query(ANNOUNCE)
            .bind(signed(epoch))
            .bind(sip)
            .bind(http)
            .execute(&self.pool)
            .await;
        announced.map(|_| ()).map_err(unavailable)
    }

    /// A sign of life; false when the run is over for the others.
    pub(crate) async fn renew(
        &self,
        epoch: u64,
        at: Timestamp,
        lease_ms: u64,
    ) -> Result<bool, StoreError> {
        let renewed = sqlx::query(RENEW)
            .bind(signed(epoch))
            .bind(at.micros())
            .bind(signed(lease_ms))
            .execute(&self.pool)
            .await
            .map_err(unavailable)?;
        Ok(renewed.rows_affected() == 1)
    }

    /// Every run that is not over.
    pub(crate) async fn all(&self) -> Result<Vec<MemberRow>, StoreError> {
        type Row = (i64, String, String, String, i64, i64, i64, Option<i64>);
        let rows: Vec<Row> = sqlx::query_as(MEMBERS)
            .fetch_all(&self.pool)
            .await
            .map_err(unavailable)?;
        let members = rows.into_iter().map(
            |(epoch, name, sip, http, started_at, beat_at, lease_ms, token)| MemberRow {
                node_epoch: epoch.unsigned_abs(),
                name,
                sip: sip.parse().ok(),
                http: http.parse().ok(),
                started_at: Timestamp::from_micros(started_at),
                last_beat_at: Timestamp::from_micros(beat_at),
                lease_ms: lease_ms.unsigned_abs(),
                leading: token.map(i64::unsigned_abs),
            },
        );
        Ok(members.collect())
    }

    /// Fences these runs if their last sign of life is still that one, and says which.
    pub(crate) async fn fence(
        &self,
        by: u64,
        silent: &[(u64, Timestamp)],
    ) -> Result<Vec<u64>, StoreError> {
        let epochs: Vec<i64> = silent.iter().map(|(epoch, _)| signed(*epoch)).collect();
        let beats: Vec<i64> = silent.iter().map(|(_, beat)| beat.micros()).collect();
        let fenced = self.pool.with(|connection| {
            Box::pin(async move {
                let mut transaction = connection.begin().await?;
                sqlx::query(LOCK).execute(&mut *transaction).await?;
                let fenced: Vec<i64> = sqlx::query_scalar(FENCE)
                    .bind(signed(by))
                    .bind(epochs)
                    .bind(beats)
                    .fetch_all(&mut *transaction)
                    .await?;
                transaction.commit().await?;
                Ok(fenced.into_iter().map(i64::unsigned_abs).collect())
            })
        });
        fenced.await.map_err(unavailable)
    }

    /// The token under which the run leads from now on; `None` when another one
    /// that is not over leads, or this one does already.
    pub(crate) async fn take_lead(&self, epoch: u64) -> Result<Option<u64>, StoreError> {
        let token: Option<i64> = sqlx::query_scalar(TAKE)
            .bind(signed(epoch))
            .fetch_optional(&self.pool)
            .await
            .map_err(unavailable)?;
        Ok(token.map(i64::unsigned_abs))
    }

    /// The run is over by its own will.
    pub(crate) async fn leave(&self, epoch: u64, at: Timestamp) -> Result<(), StoreError> {
        let left = sqlx::query(LEAVE)
            .bind(signed(epoch))
            .bind(at.micros())
            .execute(&self.pool)
            .await;
        left.map(|_| ()).map_err(unavailable)
    }

    /// The last sign of life of the newest run.
    pub(crate) async fn last_beat(&self) -> Result<Option<Heartbeat>, StoreError> {
        beat(sqlx::query_as(LAST_BEAT), &self.pool).await
    }

    /// The last sign of life of one run.
    pub(crate) async fn last_beat_of(&self, epoch: u64) -> Result<Option<Heartbeat>, StoreError> {
        let query = sqlx::query_as(LAST_BEAT_OF).bind(signed(epoch));
        beat(query, &self.pool).await
    }
}

type Beat<'q> = sqlx::query::QueryAs<'q, sqlx::Postgres, (i64, i64), sqlx::postgres::PgArguments>;

async fn beat(query: Beat<'_>, pool: &Pool) -> Result<Option<Heartbeat>, StoreError> {
    let row = query.fetch_optional(pool).await.map_err(unavailable)?;
    Ok(row.map(|(epoch, at)| Heartbeat {
        node_epoch: epoch.unsigned_abs(),
        at: Timestamp::from_micros(at),
    }))
}

/// No number here comes near the limit.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
