//! A row of the event table, read and understood.

use commands::ports::{Metadata, Position, ReadError, Recorded, StreamId};
use domain::{
    id::{CommandId, EventId, TenantId},
    time::Timestamp,
};
use rusqlite::{Row, types::ValueRef};
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
pub(crate) fn decode(row: &Row<'_>, names: &mut Names) -> Result<Recorded, ReadError> {
    let position = Position(number(row, 0).map_err(|reason| ReadError::Corrupt {
        position: Position(0),
        reason,
    })?);
    fields(row, position, names).map_err(|reason| ReadError::Corrupt { position, reason })
}

fn fields(row: &Row<'_>, position: Position, names: &mut Names) -> Result<Recorded, String> {
    let event_version = text(row, 4)?;
    Ok(Recorded {
        position,
        stream: StreamId::from_stored(text(row, 1)?),
        version: number(row, 2)?,
        event_type: names.of(text(row, 3)?),
        event_version: event_version
            .parse()
            .map_err(|_| format!("event version {event_version} is not a number"))?,
        payload: text(row, 5)?.into(),
        event_id: EventId(uuid(row, 6)?),
        command_id: CommandId(uuid(row, 7)?),
        metadata: Metadata {
            tenant: TenantId(uuid(row, 8)?),
            correlation_id: uuid(row, 9)?,
            causation_id: uuid(row, 10)?,
            actor: text(row, 11)?.to_owned(),
            node_epoch: number(row, 12)?,
        },
        recorded_at: Timestamp::from_micros(integer(row, 13)?),
    })
}

fn cell<'row>(row: &'row Row<'_>, column: usize) -> Result<ValueRef<'row>, String> {
    row.get_ref(column).map_err(|error| error.to_string())
}

fn wrong(column: usize, wanted: &str) -> String {
    let names: Vec<_> = columns!().split(", ").collect();
    format!("{} is not {wanted}", names.get(column).unwrap_or(&"column"))
}

pub(crate) fn integer(row: &Row<'_>, column: usize) -> Result<i64, String> {
    cell(row, column)?
        .as_i64()
        .map_err(|_| wrong(column, "a number"))
}

pub(crate) fn number(row: &Row<'_>, column: usize) -> Result<u64, String> {
    u64::try_from(integer(row, column)?).map_err(|_| wrong(column, "a positive number"))
}

pub(crate) fn text<'row>(row: &'row Row<'_>, column: usize) -> Result<&'row str, String> {
    cell(row, column)?
        .as_str()
        .map_err(|_| wrong(column, "text"))
}

fn uuid(row: &Row<'_>, column: usize) -> Result<Uuid, String> {
    cell(row, column)?
        .as_blob()
        .ok()
        .and_then(|bytes| Uuid::from_slice(bytes).ok())
        .ok_or_else(|| wrong(column, "an id of 16 bytes"))
}
