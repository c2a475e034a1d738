//! The decks that price calls, loaded once.

use super::Rater;
use crate::error::DispatchError;
use domain::{
    billing::{
        UsageType,
        deck::Deck,
        plan::{self, Price},
        rating::Tables,
    },
    id::DeckId,
    rating::Table,
    time::Timestamp,
};
use std::sync::Arc;

/// Decks in memory at most; a deck of 100 000 rows takes some 20 MB.
const TABLES_MAX: usize = 32;

/// The versions of decks that price a call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Decks {
    /// Those that were published when it was answered: what is published while somebody
    /// talks changes nothing for him.
    At(Timestamp),
    /// The newest: a person asks, who has corrected one.
    Newest,
}

impl Rater {
    /// The decks that price these kinds of usage by the plan.
    pub(super) async fn tables_of(
        &self,
        config: &plan::Config,
        kinds: impl Iterator<Item = UsageType>,
        decks: Decks,
    ) -> Result<Tables, DispatchError> {
        let mut tables = Tables::new();
        for kind in kinds {
            if let Some(Price::Deck(deck)) = config.terms.get(&kind).map(|term| &term.price)
                && let Some(table) = self.table_of(*deck, decks).await?
            {
                tables.insert(*deck, table);
            }
        }
        Ok(tables)
    }

    /// The newest published version of a deck, loaded once.
    pub async fn table(&self, deck: DeckId) -> Result<Option<Arc<Table>>, DispatchError> {
        self.table_of(deck, Decks::Newest).await
    }

    async fn table_of(
        &self,
        deck: DeckId,
        decks: Decks,
    ) -> Result<Option<Arc<Table>>, DispatchError> {
        let version = self.books.read(|books| match decks {
            Decks::At(at) => books.deck_at(deck, at),
            Decks::Newest => books.newest(deck),
        });
        let Some(id) = version else {
            return Ok(None);
        };
        // Held while it is loaded: it is loaded once, whoever asks.
        let mut tables = self.tables.lock().await;
        if let Some(table) = tables.get(&id) {
            return Ok(Some(table.clone()));
        }
        let deck = self.folded::<Deck>(id).await?;
        let Some(table) = Table::new(id, deck).map(Arc::new) else {
            return Ok(None);
        };
        if tables.len() >= TABLES_MAX {
            tables.clear();
        }
        tables.insert(id, table.clone());
        Ok(Some(table))
    }
}
