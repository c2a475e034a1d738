//! Plans as they are configured.

use super::record;
use crate::{
    changed::Change,
    page::{Cursor, Order, Page, Query, Slice, SortKey},
    projection::{self, Effect, Input, Projection},
    table::{Personal, Table},
    value::{Columns, Corrupt, text},
    views::{ViewError, Views},
};
use commands::ports::Value;
use domain::{
    any::{AnyEvent, Fact},
    billing::{
        self,
        plan::{Config, Event},
    },
    id::PlanId,
};
use serde::{Deserialize, Serialize};

/// See the module.
#[derive(Debug)]
pub struct Plans;

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Which.
    pub plan: PlanId,
    /// Position of the event that last changed it.
    pub position: u64,
    /// Its name.
    pub name: String,
    /// Counts the changes, from 1.
    pub config_version: u32,
    /// Everything that can change.
    pub config: Config,
}

impl projection::Row for Row {
    fn position(&self) -> u64 {
        self.position
    }
    fn values(&self) -> Vec<Value> {
        let mut values = record::head(self.plan, self.position);
        values.extend([text(&self.name), record::json(self)]);
        values
    }
    fn read(_table: usize, columns: &mut Columns) -> Result<Self, Corrupt> {
        record::read(columns, COLUMNS.len() - 1)
    }
}

const COLUMNS: &[&str] = &["plan_id", "position", "name", "record"];

impl Projection for Plans {
    const NAME: &'static str = "billing_plans";
    const VERSION: u32 = 1;
    const TABLES: &'static [Table] = &[Table {
        name: "billing_plans",
        key: "plan_id",
        columns: COLUMNS,
        personal: Personal::Nothing,
    }];
    const ROWS_CACHED_MAX: usize = 1_024;
    type Key = PlanId;
    type Row = Row;

    fn key(fact: &Fact) -> Option<PlanId> {
        event(fact).map(|(plan, _)| plan)
    }
    fn key_value(key: &PlanId) -> Value {
        text(key)
    }
    fn creates(fact: &Fact) -> bool {
        event(fact).is_some_and(|(_, event)| matches!(event, Event::Created { .. }))
    }
    fn key_of(row: &Row) -> PlanId {
        row.plan
    }
    fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
        let Some((plan, event)) = event(input.fact) else {
            return Effect::Kept;
        };
        let position = input.fact.position;
        match event {
            Event::Created { name, config } => {
                *row = Some(Row {
                    plan,
                    position,
                    name: name.clone(),
                    config_version: 1,
                    config: config.clone(),
                });
            }
            Event::Configured {
                config_version,
                config,
            } => {
                let Some(row) = row.as_mut() else {
                    return Effect::Kept;
                };
                row.position = position;
                row.config_version = *config_version;
                row.config = config.clone();
            }
        }
        Effect::Changed
    }
    fn changed(_key: &PlanId, _row: Option<&Row>) -> Option<Change> {
        // Nobody follows plans.
        None
    }
}

fn event(fact: &Fact) -> Option<(PlanId, &Event)> {
    match &fact.event {
        AnyEvent::Billing(billing::Event::Plan(plan, event)) => Some((*plan, event)),
        AnyEvent::Billing(_)
        | AnyEvent::Call(..)
        | AnyEvent::Session(..)
        | AnyEvent::Line(..)
        | AnyEvent::Queue(..)
        | AnyEvent::Person(..)
        | AnyEvent::Refusals(..)
        | AnyEvent::Schedule(..)
        | AnyEvent::Agent(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..)
        | AnyEvent::Callback(..)
        | AnyEvent::Mailbox(..) => None,
    }
}

impl Views {
    /// The plan.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn plan(&self, plan: PlanId) -> Result<Option<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "billing_plans");
        query.and("plan_id = ?", [text(plan)]);
        let (sql, parameters) = query.all("");
        let read = |columns: &mut Columns| projection::Row::read(0, columns);
        Ok(self.rows(&sql, parameters, read).await?.pop())
    }

    /// Plans by name.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn plans(&self, page: &Page) -> Result<Slice<Row>, ViewError> {
        let query =
            Query::select(COLUMNS, "billing_plans").page("name", "plan_id", Order::Ascending, page);
        let rows = self.query(&query.sql, query.parameters.clone()).await?;
        let read = |columns: &mut Columns| projection::Row::read(0, columns);
        Ok(query.slice(rows, read, cursor)?)
    }
}

fn cursor(row: &Row) -> Cursor {
    Cursor {
        key: SortKey::Text(row.name.clone()),
        id: row.plan.to_string(),
    }
}
