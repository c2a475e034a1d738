//! A row of the event table, read and understood.

use commands::ports::{Metadata, Position, ReadError, Recorded, StreamId};
use domain::{
    id::{CommandId, EventId, TenantId},
    time::Timestamp,
};
use sqlx::{Row, postgres::PgRow};
use std::{collections::HashSet, sync::Arc};
use uuid::Uuid;

/// The columns that [`decode`] expects, in its order.
macro_rules! columns {
    () => {
        "global_position, aggregate_id, sequence, event_type, event_version, payload::text, \
         event_id, command_id, tenant, correlation_id, causation_id, actor, node_epoch, \
         (extract(epoch FROM recorded_at) * 1000000)::bigint"
    };
}
pub(crate) use columns;

/// Event types that were seen, so that each is kept once; there are about a
/// hundred in the program.
const NAMES_MAX: usize = 1024;

/// The distinct event types of a page.
#[derive(Default)]
pub(crate) struct Names(HashSet<Arc<str>>);

impl Names {
    fn of(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        let new: Arc<str> = name.into();
        if self.0.len() < NAMES_MAX {
            self.0.insert(Arc::clone(&new));
        }
        new
    }
}

/// The event in the row.
pub(crate) fn decode(row: &PgRow, names: &mut Names) -> Result<Recorded, ReadError> {
    let position = Position(number(row, 0).map_err(|reason| ReadError::Corrupt {
        position: Position(0),
        reason,
    })?);
    fields(row, position, names).map_err(|reason| ReadError::Corrupt { position, reason })
}

fn fields(row: &PgRow, position: Position, names: &mut Names) -> Result<Recorded, String> {
    let event_version: &str = cell(row, 4)?;
    Ok(Recorded {
        position,
        stream: StreamId::from_stored(cell(row, 1)?),
        version: number(row, 2)?,
        event_type: names.of(cell(row, 3)?),
        event_version: event_version
            .parse()
            .map_err(|_| format!("event version {event_version} is not a number"))?,
        payload: cell::<&str>(row, 5)?.into(),
        event_id: EventId(cell(row, 6)?),
        command_id: CommandId(cell(row, 7)?),
        metadata: Metadata {
            tenant: TenantId(cell(row, 8)?),
            correlation_id: cell::<Uuid>(row, 9)?,
            causation_id: cell::<Uuid>(row, 10)?,
            actor: cell(row, 11)?,
            node_epoch: number(row, 12)?,
        },
        recorded_at: Timestamp::from_micros(cell(row, 13)?),
    })
}

fn cell<'row, T>(row: &'row PgRow, column: usize) -> Result<T, String>
where
    T: sqlx::Decode<'row, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    row.try_get(column).map_err(|error| error.to_string())
}

fn number(row: &PgRow, column: usize) -> Result<u64, String> {
    u64::try_from(cell::<i64>(row, column)?).map_err(|_| format!("column {column} is negative"))
}
