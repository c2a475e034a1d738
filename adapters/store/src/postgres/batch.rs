//! A batch of appends as the parameters of `es_append`, and its answer.

use crate::answers::Answer as Known;
use commands::ports::{Append, AppendError, Appended, Metadata, Position, Written};
use domain::id::CommandId;
use sqlx::{PgConnection, Row, postgres::PgRow};
use std::collections::HashMap;
use uuid::Uuid;

/// Parameters in the function's order.
const CALL: &str = "SELECT * FROM public.es_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, \
     $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)";

/// What the log says of each append: one outcome for one append.
pub(crate) type Outcomes = Vec<Result<Appended, AppendError>>;

/// One element an append; indices count from 1, as PostgreSQL does.
#[derive(Default)]
struct Appends<'a> {
    stream: Vec<&'a str>,
    kind: Vec<&'a str>,
    expected: Vec<i64>,
    events: Vec<i64>,
    leader: Vec<i32>,
    change_first: Vec<i32>,
    change_last: Vec<i32>,
}

/// One element a change.
#[derive(Default)]
struct Changes<'a> {
    append: Vec<i32>,
    command: Vec<Uuid>,
    leader: Vec<i32>,
    tenant: Vec<Uuid>,
    correlation: Vec<Uuid>,
    causation: Vec<Uuid>,
    actor: Vec<&'a str>,
    epoch: Vec<i64>,
    metadata: Vec<String>,
    version: Vec<i64>,
    offset: Vec<i64>,
}

/// One element an event.
#[derive(Default)]
struct Events<'a> {
    change: Vec<i32>,
    offset: Vec<i64>,
    id: Vec<Uuid>,
    kind: Vec<&'a str>,
    version: Vec<String>,
    payload: Vec<&'a str>,
}

/// A batch, column by column.
#[derive(Default)]
struct Columns<'a> {
    appends: Appends<'a>,
    changes: Changes<'a>,
    events: Events<'a>,
    repeats: bool,
}

/// The answer, one element an append.
struct Answer {
    starts: Vec<Option<i64>>,
    actuals: Vec<Option<i64>>,
    fenced: Vec<bool>,
    known: Vec<Option<i32>>,
    known_stream: Vec<Option<String>>,
    known_version: Vec<Option<i64>>,
    known_position: Vec<Option<i64>>,
    known_refusal: Vec<Option<String>>,
}

impl Answer {
    fn of(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            starts: row.try_get("starts")?,
            actuals: row.try_get("actuals")?,
            fenced: row.try_get("fenced")?,
            known: row.try_get("known")?,
            known_stream: row.try_get("known_stream")?,
            known_version: row.try_get("known_version")?,
            known_position: row.try_get("known_position")?,
            known_refusal: row.try_get("known_refusal")?,
        })
    }
}

/// Appends the batch in one call and one commit.
pub(crate) async fn append(
    db: &mut PgConnection,
    batch: &[&Append],
) -> Result<Outcomes, sqlx::Error> {
    let columns = Columns::of(batch);
    let Columns {
        appends,
        changes,
        events,
        repeats,
    } = columns;
    let row = sqlx::query(CALL)
        .bind(appends.stream)
        .bind(appends.kind)
        .bind(appends.expected)
        .bind(appends.events)
        .bind(appends.leader)
        .bind(appends.change_first)
        .bind(appends.change_last)
        .bind(changes.append)
        .bind(&changes.command)
        .bind(changes.leader)
        .bind(changes.tenant)
        .bind(changes.correlation)
        .bind(changes.causation)
        .bind(changes.actor)
        .bind(changes.epoch)
        .bind(changes.metadata)
        .bind(changes.version)
        .bind(changes.offset)
        .bind(events.change)
        .bind(events.offset)
        .bind(events.id)
        .bind(events.kind)
        .bind(events.version)
        .bind(events.payload)
        .bind(repeats)
        .fetch_one(db)
        .await?;
    let answer = Answer::of(&row)?;
    batch
        .iter()
        .enumerate()
        .map(|(index, append)| outcome(index, append, &answer, &changes.command))
        .collect()
}

impl<'a> Columns<'a> {
    fn of(batch: &[&'a Append]) -> Self {
        let mut columns = Self::default();
        let mut streams: HashMap<&str, i32> = HashMap::with_capacity(batch.len());
        let mut commands: HashMap<Uuid, i32> = HashMap::with_capacity(batch.len());
        for append in batch {
            let number = ordinal(columns.appends.stream.len());
            let leader = *streams.entry(append.stream.as_str()).or_insert(number);
            columns.add(number, leader, append, &mut commands);
        }
        columns
    }

    fn add(
        &mut self,
        number: i32,
        leader: i32,
        append: &'a Append,
        commands: &mut HashMap<Uuid, i32>,
    ) {
        let (appends, changes) = (&mut self.appends, &mut self.changes);
        appends.stream.push(append.stream.as_str());
        appends.kind.push(append.aggregate_type);
        appends.expected.push(signed(append.expected));
        appends.leader.push(leader);
        appends.change_first.push(ordinal(changes.append.len()));
        let mut events = 0;
        for change in &append.changes {
            let of_change = ordinal(changes.append.len());
            for event in &change.events {
                self.events.change.push(of_change);
                self.events.offset.push(events);
                self.events.id.push(event.event_id.0);
                self.events.kind.push(event.event_type);
                self.events.version.push(event.event_version.to_string());
                self.events.payload.push(&event.payload);
                events += 1;
            }
            let first = *commands.entry(change.command_id.0).or_insert(of_change);
            self.repeats |= first != of_change;
            changes.append.push(number);
            changes.command.push(change.command_id.0);
            changes.leader.push(first);
            changes.tenant.push(change.metadata.tenant.0);
            changes.correlation.push(change.metadata.correlation_id);
            changes.causation.push(change.metadata.causation_id);
            changes.actor.push(&change.metadata.actor);
            changes.epoch.push(signed(change.metadata.node_epoch));
            changes.metadata.push(json(&change.metadata));
            changes.version.push(signed(append.expected) + events);
            changes.offset.push(events - 1);
        }
        appends.change_last.push(ordinal(changes.append.len()) - 1);
        appends.events.push(events);
    }
}

pub(super) fn json(metadata: &Metadata) -> String {
    serde_json::to_string(metadata).expect("ids, text and a number have JSON")
}

/// The number, from 1, that the next element will have.
fn ordinal(length: usize) -> i32 {
    i32::try_from(length).map_or(i32::MAX, |length| length + 1)
}

/// No stream and no log comes near the limit.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn outcome(
    index: usize,
    append: &Append,
    answer: &Answer,
    commands: &[Uuid],
) -> Result<Result<Appended, AppendError>, sqlx::Error> {
    let short = || sqlx::Error::Protocol("es_append answers too little".into());
    let unsigned = |number: i64| number.unsigned_abs();
    if let Some(start) = answer.starts.get(index).copied().flatten() {
        return Ok(Ok(appended(append, unsigned(start))));
    }
    if answer.fenced.get(index) == Some(&true) {
        return Ok(Err(AppendError::Fenced));
    }
    if let Some(change) = answer.known.get(index).copied().flatten() {
        let command_id = usize::try_from(change - 1)
            .ok()
            .and_then(|change| commands.get(change))
            .ok_or_else(short)?;
        let stream = answer.known_stream.get(index).and_then(Option::as_deref);
        let version = answer.known_version.get(index).copied().flatten();
        let position = answer.known_position.get(index).copied().flatten();
        let refusal = answer.known_refusal.get(index).and_then(Option::as_deref);
        let written = Written {
            version: unsigned(version.ok_or_else(short)?),
            position: Position(unsigned(position.ok_or_else(short)?)),
        };
        let known = Known::read(stream.ok_or_else(short)?, written, refusal)
            .map_err(sqlx::Error::Protocol)?;
        return Ok(Err(known.error(CommandId(*command_id))));
    }
    let actual = answer.actuals.get(index).copied().flatten();
    Ok(Err(AppendError::Conflict {
        expected: append.expected,
        actual: unsigned(actual.ok_or_else(short)?),
    }))
}

/// Where each change of an append went that begins after `before`.
pub(super) fn appended(append: &Append, before: u64) -> Appended {
    let mut events = 0;
    let changes = append
        .changes
        .iter()
        .map(|change| {
            events += change.events.len() as u64;
            Written {
                version: append.expected + events,
                position: Position(before + events),
            }
        })
        .collect();
    Appended {
        changes,
        first: Position(before + 1),
        previous_head: Position(before),
    }
}
