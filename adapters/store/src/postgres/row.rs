//! A row of the event table, read and understood.

use commands::ports::{Metadata, Position, ReadError, Recorded, StreamId};
use domain::{
    id::{CommandId, EventId, TenantId},
    time::Timestamp,
};
use sqlx::{
    Decode, Postgres, Row, Type,
    error::BoxDynError,
    postgres::{PgRow, PgTypeInfo, PgValueRef, types::Oid},
};
use std::{collections::HashSet, sync::Arc};
use uuid::Uuid;

/// The columns that [`decode`] expects, in its order.
macro_rules! columns {
    () => {
        "global_position, aggregate_id, sequence, event_type, event_version, payload, event_id, \
         command_id, tenant, correlation_id, causation_id, actor, node_epoch, recorded_at"
    };
}
pub(crate) use columns;

/// The types of two columns, which the server sends in its own form.
const JSON: Oid = Oid(114);
const TIMESTAMPTZ: Oid = Oid(1184);
/// 2000-01-01, where PostgreSQL's instants count from.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

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
        payload: cell::<Json<'_>>(row, 5)?.0.into(),
        event_id: EventId(cell(row, 6)?),
        command_id: CommandId(cell(row, 7)?),
        metadata: Metadata {
            tenant: TenantId(cell(row, 8)?),
            correlation_id: cell::<Uuid>(row, 9)?,
            causation_id: cell::<Uuid>(row, 10)?,
            actor: cell(row, 11)?,
            node_epoch: number(row, 12)?,
        },
        recorded_at: Timestamp::from_micros(cell::<Micros>(row, 13)?.0),
    })
}

/// The text of a column of type `json`, as it was stored.
struct Json<'row>(&'row str);

impl Type<Postgres> for Json<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(JSON)
    }
}

impl<'row> Decode<'row, Postgres> for Json<'row> {
    fn decode(value: PgValueRef<'row>) -> Result<Self, BoxDynError> {
        value.as_str().map(Self)
    }
}

/// An instant, in microseconds since 1970.
struct Micros(i64);

impl Type<Postgres> for Micros {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(TIMESTAMPTZ)
    }
}

impl Decode<'_, Postgres> for Micros {
    /// The server counts microseconds from its own epoch.
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        let bytes: [u8; 8] = value.as_bytes()?.try_into()?;
        Ok(Self(i64::from_be_bytes(bytes).saturating_add(EPOCH_MICROS)))
    }
}

fn cell<'row, T>(row: &'row PgRow, column: usize) -> Result<T, String>
where
    T: Decode<'row, Postgres> + Type<Postgres>,
{
    row.try_get(column).map_err(|error| error.to_string())
}

fn number(row: &PgRow, column: usize) -> Result<u64, String> {
    u64::try_from(cell::<i64>(row, column)?).map_err(|_| format!("column {column} is negative"))
}
