//! A process' row: what it knows, how far it has read, and the commands whose answers it
//! had not heard, in the order of asking. After a crash those are asked again under the
//! same ids, and hear the first answer.

use crate::ports::{Position, ReadStore, Statement, StoreError, Value};
use domain::{any::AnyCommand, id::CommandId, process::Process};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// One row a process; the table is made by the store's migrations.
const SELECT: &str = "SELECT version, position, state FROM es_processes WHERE name = $1";
const UPSERT: &str = "INSERT INTO es_processes (name, version, position, state) \
     VALUES ($1, $2, $3, $4) \
     ON CONFLICT (name) DO UPDATE SET version = excluded.version, \
     position = excluded.position, state = excluded.state";

/// Held by the node of the newest token: one that was replaced saves nothing.
const LEAD: &str = "UPDATE process_lead SET token = $1 WHERE id = 1 AND token <= $1";

/// A command that has no answer yet.
#[derive(Debug, Clone)]
pub(super) struct Outstanding {
    /// Commands are asked again in the order of these.
    pub(super) number: u64,
    pub(super) command: AnyCommand,
    /// What made it be asked for.
    pub(super) cause: Uuid,
    /// Up to where the process had read when it was asked for. What follows from a
    /// refusal has the position of the command that was refused.
    pub(super) position: Position,
}

/// What a row says.
pub(super) struct Kept<P: Process> {
    pub(super) state: P::State,
    pub(super) position: Position,
    pub(super) outstanding: BTreeMap<CommandId, Outstanding>,
    /// How many commands were asked for.
    pub(super) asked: u64,
}

impl<P: Process> Default for Kept<P> {
    fn default() -> Self {
        Self {
            state: P::State::default(),
            position: Position::default(),
            outstanding: BTreeMap::new(),
            asked: 0,
        }
    }
}

/// The stored form.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
struct Saved<P: Process> {
    state: P::State,
    outstanding: Vec<(CommandId, AnyCommand)>,
    /// Rows of earlier programs do not know it.
    #[serde(default)]
    causes: Vec<Uuid>,
    #[serde(default)]
    positions: Vec<u64>,
}

impl<P: Process> Saved<P> {
    fn kept(self, position: Position) -> Kept<P> {
        let mut outstanding = BTreeMap::new();
        let mut asked = 0;
        for (id, command) in self.outstanding {
            let cause = self.causes.get(outstanding.len()).copied();
            let position = self.positions.get(outstanding.len()).copied();
            let one = Outstanding {
                number: asked,
                command,
                cause: cause.unwrap_or(id.0),
                position: Position(position.unwrap_or(0)),
            };
            outstanding.insert(id, one);
            asked += 1;
        }
        Kept {
            state: self.state,
            position,
            outstanding,
            asked,
        }
    }
}

/// What was kept of the process; nothing where there is no row yet, and where it is of
/// another version: the log has everything.
pub(super) async fn load<P: Process>(store: &dyn ReadStore) -> Result<Option<Kept<P>>, StoreError> {
    let rows = store.query(SELECT, vec![Value::Text(P::NAME.into())]);
    let rows = rows.await?;
    let Some([Value::Int(version), Value::Int(position), Value::Text(json)]) =
        rows.first().map(Vec::as_slice)
    else {
        return Ok(None);
    };
    if *version != i64::from(P::VERSION) {
        return Ok(None);
    }
    let saved: Saved<P> = serde_json::from_str(json)
        .map_err(|error| StoreError::Unavailable(format!("row of process {}: {error}", P::NAME)))?;
    let position = Position(u64::try_from(*position).unwrap_or(0));
    Ok(Some(saved.kept(position)))
}

/// What saves the row, under the fencing token of the node; 0 where nobody else can run
/// the process. The commands come in the order of asking.
pub(super) fn statements<P: Process>(
    state: P::State,
    position: Position,
    outstanding: Vec<(CommandId, Outstanding)>,
    token: u64,
) -> Vec<Statement> {
    let saved = Saved::<P> {
        state,
        causes: outstanding.iter().map(|(_, one)| one.cause).collect(),
        positions: outstanding.iter().map(|(_, one)| one.position.0).collect(),
        outstanding: outstanding
            .into_iter()
            .map(|(id, one)| (id, one.command))
            .collect(),
    };
    let json = serde_json::to_string(&saved)
        .expect("a process state is plain data: maps with string-like keys");
    let number = |number: u64| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
    let lead = Statement {
        sql: LEAD,
        parameters: vec![number(token)],
        must_touch: Some(1),
    };
    let row = Statement {
        sql: UPSERT,
        parameters: vec![
            Value::Text(P::NAME.into()),
            Value::Int(i64::from(P::VERSION)),
            number(position.0),
            Value::Text(json),
        ],
        must_touch: None,
    };
    (token > 0)
        .then_some(lead)
        .into_iter()
        .chain([row])
        .collect()
}
