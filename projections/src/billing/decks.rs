//! Versions of decks: what each is, not its rows, which may be many.

use super::record;
use crate::{
    changed::Change,
    page::{Cursor, Order, Page, Query, Slice, SortKey},
    projection::{self, Effect, Input, Projection},
    table::{Personal, Table},
    value::{Columns, Corrupt, number, text},
    views::{ViewError, Views},
};
use commands::ports::Value;
use domain::{
    any::{AnyEvent, Fact},
    billing::{
        self, DeckVersionId,
        deck::{Event, Header},
    },
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// See the module.
#[derive(Debug)]
pub struct Decks;

/// A version of a deck.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Which.
    pub deck: DeckVersionId,
    /// Position of the event that last changed it.
    pub position: u64,
    /// What is true of all its rows.
    pub header: Header,
    /// Rows that it has.
    pub rows_count: u32,
    /// SHA-256 over header and rows, once it is published.
    pub hash: Option<String>,
    /// When it was published.
    pub published_at: Option<Timestamp>,
    /// When it was taken out of use.
    pub retired_at: Option<Timestamp>,
}

impl projection::Row for Row {
    fn position(&self) -> u64 {
        self.position
    }
    fn values(&self) -> Vec<Value> {
        let mut values = record::head(self.deck, self.position);
        values.extend([
            text(&self.header.name),
            number(self.deck.version),
            record::json(self),
        ]);
        values
    }
    fn read(_table: usize, columns: &mut Columns) -> Result<Self, Corrupt> {
        record::read(columns, COLUMNS.len() - 1)
    }
}

const COLUMNS: &[&str] = &["deck_version_id", "position", "name", "version", "record"];

impl Projection for Decks {
    const NAME: &'static str = "billing_decks";
    const VERSION: u32 = 1;
    const TABLES: &'static [Table] = &[Table {
        name: "billing_decks",
        key: "deck_version_id",
        columns: COLUMNS,
        personal: Personal::Nothing,
    }];
    const ROWS_CACHED_MAX: usize = 1_024;
    type Key = DeckVersionId;
    type Row = Row;

    fn key(fact: &Fact) -> Option<DeckVersionId> {
        event(fact).map(|(deck, _)| deck)
    }
    fn key_value(key: &DeckVersionId) -> Value {
        text(key)
    }
    fn creates(fact: &Fact) -> bool {
        event(fact).is_some_and(|(_, event)| matches!(event, Event::Opened { .. }))
    }
    fn key_of(row: &Row) -> DeckVersionId {
        row.deck
    }
    fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
        let Some((deck, event)) = event(input.fact) else {
            return Effect::Kept;
        };
        let at = input.fact.at;
        if let Event::Opened { header } = event {
            *row = Some(Row {
                deck,
                position: 0,
                header: header.clone(),
                rows_count: 0,
                hash: None,
                published_at: None,
                retired_at: None,
            });
        }
        let Some(row) = row.as_mut() else {
            return Effect::Kept;
        };
        row.position = input.fact.position;
        match event {
            Event::Opened { .. } => {}
            Event::RowsAdded { rows, .. } => {
                let added = u32::try_from(rows.len()).unwrap_or(u32::MAX);
                row.rows_count = row.rows_count.saturating_add(added);
            }
            Event::Published { rows_count, hash } => {
                row.rows_count = *rows_count;
                row.hash = Some(hash.clone());
                row.published_at = Some(at);
            }
            Event::Retired {} => row.retired_at = Some(at),
        }
        Effect::Changed
    }
    fn changed(_key: &DeckVersionId, _row: Option<&Row>) -> Option<Change> {
        // Nobody follows decks.
        None
    }
}

fn event(fact: &Fact) -> Option<(DeckVersionId, &Event)> {
    match &fact.event {
        AnyEvent::Billing(billing::Event::Deck(deck, event)) => Some((*deck, event)),
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
    /// All versions of decks by name, the newest version of each first.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn deck_versions(&self, name: &str) -> Result<Vec<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "billing_decks");
        query.and("name = ?", [text(name)]);
        let (sql, parameters) = query.all(" ORDER BY version DESC");
        let read = |columns: &mut Columns| projection::Row::read(0, columns);
        self.rows(&sql, parameters, read).await
    }

    /// Versions of decks by name.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn decks(&self, page: &Page) -> Result<Slice<Row>, ViewError> {
        let query = Query::select(COLUMNS, "billing_decks").page(
            "name",
            "deck_version_id",
            Order::Ascending,
            page,
        );
        let rows = self.query(&query.sql, query.parameters.clone()).await?;
        let read = |columns: &mut Columns| projection::Row::read(0, columns);
        Ok(query.slice(rows, read, cursor)?)
    }
}

fn cursor(row: &Row) -> Cursor {
    Cursor {
        key: SortKey::Text(row.header.name.clone()),
        id: row.deck.to_string(),
    }
}
