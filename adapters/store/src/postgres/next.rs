//! The append of nearly every batch: each stream is at the version that its
//! writer thinks, and every command is new. Nothing is looked up; the unique keys
//! refuse the batch when one of it is not so.

use super::batch::{Outcomes, appended, json, signed};
use crate::versions::Versions;
use commands::ports::Append;
use sqlx::{PgConnection, Row};
use std::collections::HashMap;
use uuid::Uuid;

/// Parameters in the function's order.
const CALL: &str = "SELECT public.es_append_next($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, \
     $12, $13, $14, $15, $16, $17, $18, $19)";

/// One element a command.
#[derive(Default)]
struct Commands<'a> {
    id: Vec<Uuid>,
    stream: Vec<&'a str>,
    version: Vec<i64>,
    last: Vec<i64>,
}

/// One element an event.
#[derive(Default)]
struct Events<'a> {
    kind: Vec<&'a str>,
    stream: Vec<&'a str>,
    sequence: Vec<i64>,
    name: Vec<&'a str>,
    version: Vec<String>,
    payload: Vec<&'a str>,
    metadata: Vec<String>,
    id: Vec<Uuid>,
    command: Vec<Uuid>,
    tenant: Vec<Uuid>,
    correlation: Vec<Uuid>,
    causation: Vec<Uuid>,
    actor: Vec<&'a str>,
    epoch: Vec<i64>,
}

/// Whether every stream of the batch is known to be where its append thinks: new
/// ones are tried, old ones this writer has written last itself.
pub(crate) fn is_next(batch: &[&Append], versions: &mut Versions) -> bool {
    let mut within: HashMap<&str, u64> = HashMap::with_capacity(batch.len());
    batch.iter().all(|append| {
        let stream = append.stream.as_str();
        let known = within.get(stream).copied();
        let known = known.or_else(|| versions.get(&append.stream)).unwrap_or(0);
        let events: usize = append
            .changes
            .iter()
            .map(|change| change.events.len())
            .sum();
        within.insert(stream, append.expected + events as u64);
        known == append.expected
    })
}

/// Notes what was written.
pub(crate) fn learn(batch: &[&Append], outcomes: &Outcomes, versions: &mut Versions) {
    for (append, outcome) in batch.iter().zip(outcomes) {
        if let Ok(appended) = outcome
            && let Some(last) = appended.changes.last()
        {
            versions.set(&append.stream, last.version);
        }
    }
}

/// Appends the batch as a whole; none when a run that was replaced is in it.
pub(crate) async fn append(
    db: &mut PgConnection,
    batch: &[&Append],
) -> Result<Option<Outcomes>, sqlx::Error> {
    let (commands, events) = columns(batch);
    let mut epochs = events.epoch.clone();
    epochs.sort_unstable();
    epochs.dedup();
    let row = sqlx::query(CALL)
        .bind(commands.id)
        .bind(commands.stream)
        .bind(commands.version)
        .bind(commands.last)
        .bind(events.kind)
        .bind(events.stream)
        .bind(events.sequence)
        .bind(events.name)
        .bind(events.version)
        .bind(events.payload)
        .bind(events.metadata)
        .bind(events.id)
        .bind(events.command)
        .bind(events.tenant)
        .bind(events.correlation)
        .bind(events.causation)
        .bind(events.actor)
        .bind(events.epoch)
        .bind(epochs)
        .fetch_one(db)
        .await?;
    let Some(before) = row.try_get::<Option<i64>, _>(0)? else {
        return Ok(None);
    };
    let mut head = before.unsigned_abs();
    let outcomes = batch.iter().map(|append| {
        let of_append = appended(append, head);
        head = of_append
            .changes
            .last()
            .map_or(head, |last| last.position.0);
        Ok(of_append)
    });
    Ok(Some(outcomes.collect()))
}

fn columns<'a>(batch: &[&'a Append]) -> (Commands<'a>, Events<'a>) {
    let (mut commands, mut events) = (Commands::default(), Events::default());
    for append in batch {
        let stream = append.stream.as_str();
        let mut sequence = signed(append.expected);
        for change in &append.changes {
            let metadata = &change.metadata;
            let text = json(metadata);
            for event in &change.events {
                sequence += 1;
                events.kind.push(append.aggregate_type);
                events.stream.push(stream);
                events.sequence.push(sequence);
                events.name.push(event.event_type);
                events.version.push(event.event_version.to_string());
                events.payload.push(&event.payload);
                events.metadata.push(text.clone());
                events.id.push(event.event_id.0);
                events.command.push(change.command_id.0);
                events.tenant.push(metadata.tenant.0);
                events.correlation.push(metadata.correlation_id);
                events.causation.push(metadata.causation_id);
                events.actor.push(&metadata.actor);
                events.epoch.push(signed(metadata.node_epoch));
            }
            commands.id.push(change.command_id.0);
            commands.stream.push(stream);
            commands.version.push(sequence);
            commands.last.push(signed(events.id.len() as u64));
        }
    }
    (commands, events)
}
