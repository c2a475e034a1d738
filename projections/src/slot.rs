//! One projection being run: its rows in memory between batches, and what has
//! changed of them since the last commit.

use crate::{
    changed::Change,
    erasures::erasure,
    projection::{Effect, Input, Projection, Row as _, fold},
    table::{Personal, ROWS_PER_PAGE, Texts, kept},
    value::{Columns, Corrupt},
};
use commands::ports::{Erasure, ReadStore, Statement, StoreError, Value};
use domain::any::Fact;
use std::{
    collections::{BTreeSet, HashMap},
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Why a slot can not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SlotError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("stored row can not be read: {0}")]
    Corrupt(#[from] Corrupt),
    /// Folding must not fail; that it did is an error of this program.
    #[error("event can not be applied: {0}")]
    Bug(String),
}

/// Which rows of a projection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Generation {
    /// Those that readers see.
    Live,
    /// Those that are built beside them.
    Next,
}

impl Generation {
    /// The name of the checkpoint of that projection's rows.
    pub(crate) fn checkpoint(self, projection: &'static str) -> &'static str {
        match self {
            Self::Live => projection,
            Self::Next => kept(format!("{projection}@next")),
        }
    }

    fn table(self, name: &'static str) -> &'static str {
        match self {
            Self::Live => name,
            Self::Next => kept(format!("{name}__next")),
        }
    }
}

/// A row with the table that it stands in; no table when it is not stored yet.
struct Entry<R> {
    row: Option<R>,
    stored: Option<usize>,
}

pub(crate) struct Slot<P: Projection> {
    generation: Generation,
    texts: Vec<Texts>,
    entries: HashMap<P::Key, Entry<P::Row>>,
    dirty: BTreeSet<P::Key>,
}

impl<P: Projection> Slot<P> {
    pub(crate) fn new(generation: Generation) -> Self {
        Self {
            generation,
            texts: Self::texts(generation),
            entries: HashMap::new(),
            dirty: BTreeSet::new(),
        }
    }

    fn texts(generation: Generation) -> Vec<Texts> {
        let tables = P::TABLES.iter();
        tables
            .map(|table| Texts::of(table, generation.table(table.name)))
            .collect()
    }
}

/// The words of a panic.
fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "panicked".into())
}

/// A row moves from the first table on and never back: one that now stands in
/// `now`, or in none, can have stood only in a table before that.
fn may_stand_in<P: Projection>(table: usize, now: Option<usize>) -> bool {
    table < now.unwrap_or(P::TABLES.len())
}

impl<P: Projection> Slot<P> {
    /// The person's rows, as they are stored, where rows let go one by one.
    async fn rows_of(
        texts: &[Texts],
        read: &dyn ReadStore,
        erasure: &Erasure,
    ) -> Result<Vec<(usize, P::Row)>, SlotError> {
        let (subject, position) = (erasure.subject, erasure.position.0);
        let mut rows = vec![];
        for (table, texts) in texts.iter().enumerate() {
            match P::TABLES[table].personal {
                Personal::Nothing | Personal::Columns(_) => continue,
                Personal::Rows => {}
            }
            // Whoever leads is the only one who writes to them, and is here; on one that
            // stands by, a subscriber may hear of a row more or less. What is held is a page
            // and the person's own rows, however long the table is.
            let mut last: Option<Vec<Value>> = None;
            loop {
                let (sql, parameters) = texts.page(last.as_deref());
                let page = read.query(sql, parameters).await?;
                let is_last = page.len() < ROWS_PER_PAGE;
                last = page.last().cloned();
                for values in page {
                    let row = P::Row::read(table, &mut Columns::new(values))?;
                    if row.clone().forget(subject, position) == Effect::Changed {
                        rows.push((table, row));
                    }
                }
                if is_last {
                    break;
                }
            }
        }
        Ok(rows)
    }

    /// Takes a stored row for changed.
    fn change(&mut self, table: usize, row: P::Row) {
        let key = P::key_of(&row);
        let entry = Entry {
            row: Some(row),
            stored: Some(table),
        };
        self.entries.insert(key.clone(), entry);
        self.dirty.insert(key);
    }

    /// Reads the rows of these keys from all tables.
    async fn select(
        &mut self,
        read: &dyn ReadStore,
        missing: BTreeSet<P::Key>,
    ) -> Result<(), SlotError> {
        let keys: Vec<Value> = missing.iter().map(P::key_value).collect();
        for key in missing {
            self.entries.insert(
                key,
                Entry {
                    row: None,
                    stored: None,
                },
            );
        }
        for (table, texts) in self.texts.iter().enumerate() {
            for select in texts.select(&keys) {
                for values in read.query(select.sql, select.keys).await? {
                    let row = P::Row::read(table, &mut Columns::new(values))?;
                    let entry = Entry {
                        row: Some(row.clone()),
                        stored: Some(table),
                    };
                    self.entries.insert(P::key_of(&row), entry);
                }
            }
        }
        Ok(())
    }
}

/// A slot, whatever its projection: the runner drives several at once.
#[async_trait::async_trait]
pub(crate) trait Part: Send + Sync {
    /// Which of its rows.
    fn generation(&self) -> Generation;
    /// The name of their checkpoint.
    fn checkpoint(&self) -> &'static str;
    /// Version of its rows and rules.
    fn version(&self) -> u32;
    /// Statements that empty its tables.
    fn clear(&self) -> Vec<Statement>;
    /// Its live tables, each with the one that is built beside it.
    fn twins(&self) -> Vec<(&'static str, &'static str)>;
    /// Statements that take away the tables that are built beside the live ones.
    fn drop_twins(&self) -> Vec<Statement>;
    /// Statements that put the tables that were built in the place of the live
    /// ones.
    fn replace(&self) -> Vec<Statement>;
    /// They were.
    fn become_live(&mut self);
    /// Whether it shows the person behind the fact.
    fn opens(&self, fact: &Fact) -> bool;
    /// Reads the rows that these facts touch and that are not in memory.
    async fn load(&mut self, read: &dyn ReadStore, facts: &[&Fact]) -> Result<(), SlotError>;
    /// Reads the rows that these facts touch, whatever is in memory, and takes
    /// them for changed: another node has folded the facts into them.
    async fn reread(&mut self, read: &dyn ReadStore, facts: &[&Fact]) -> Result<(), SlotError>;
    /// Lets go of a person: of rows in memory at once, of tables by the
    /// statements. Called between two commits, when nothing is waiting.
    async fn forget_person(
        &mut self,
        read: &dyn ReadStore,
        erasure: &Erasure,
        statements: &mut Vec<Statement>,
    ) -> Result<(), SlotError>;
    /// Folds one fact.
    fn apply(&mut self, input: &Input<'_>) -> Result<(), SlotError>;
    /// Statements for all that has changed since the last commit.
    fn collect(&mut self, statements: &mut Vec<Statement>);
    /// What subscribers hear of it: asked only once it is committed.
    fn changes(&self, into: &mut Vec<Change>);
    /// Everything collected was committed.
    fn committed(&mut self);
    /// Nothing in memory can be trusted: read again from the tables.
    fn forget(&mut self);
}

#[async_trait::async_trait]
impl<P: Projection> Part for Slot<P> {
    fn generation(&self) -> Generation {
        self.generation
    }

    fn checkpoint(&self) -> &'static str {
        self.generation.checkpoint(P::NAME)
    }

    fn twins(&self) -> Vec<(&'static str, &'static str)> {
        let names = P::TABLES.iter().map(|table| table.name);
        names
            .map(|name| (name, Generation::Next.table(name)))
            .collect()
    }

    fn drop_twins(&self) -> Vec<Statement> {
        let twins = self.twins().into_iter();
        let drops = twins.map(|(_, twin)| Statement {
            sql: kept(format!("DROP TABLE IF EXISTS {twin}")),
            parameters: vec![],
            must_touch: None,
        });
        drops.collect()
    }

    fn replace(&self) -> Vec<Statement> {
        let each = self.twins().into_iter().flat_map(|(table, twin)| {
            [
                kept(format!("DROP TABLE {table}")),
                kept(format!("ALTER TABLE {twin} RENAME TO {table}")),
            ]
        });
        each.map(|sql| Statement {
            sql,
            parameters: vec![],
            must_touch: None,
        })
        .collect()
    }

    fn become_live(&mut self) {
        self.generation = Generation::Live;
        self.texts = Self::texts(Generation::Live);
    }

    fn opens(&self, fact: &Fact) -> bool {
        P::SHOWS_PEOPLE && P::key(fact).is_some()
    }

    fn version(&self) -> u32 {
        P::VERSION
    }

    fn clear(&self) -> Vec<Statement> {
        self.texts
            .iter()
            .map(|texts| Statement {
                sql: texts.clear(),
                parameters: vec![],
                must_touch: None,
            })
            .collect()
    }

    async fn load(&mut self, read: &dyn ReadStore, facts: &[&Fact]) -> Result<(), SlotError> {
        let mut missing = BTreeSet::new();
        for fact in facts {
            let Some(key) = P::key(fact) else { continue };
            if self.entries.contains_key(&key) {
                continue;
            }
            if P::creates(fact) {
                // Unless this is a redelivery, there is no row: an upsert that
                // knows less than the stored row does nothing.
                self.entries.insert(
                    key.clone(),
                    Entry {
                        row: None,
                        stored: None,
                    },
                );
                missing.remove(&key);
            } else {
                missing.insert(key);
            }
        }
        self.select(read, missing).await
    }

    async fn reread(&mut self, read: &dyn ReadStore, facts: &[&Fact]) -> Result<(), SlotError> {
        self.forget();
        self.dirty = facts.iter().filter_map(|fact| P::key(fact)).collect();
        self.select(read, self.dirty.clone()).await?;
        for erasure in facts.iter().filter_map(|fact| erasure(fact)) {
            for (table, row) in Self::rows_of(&self.texts, read, &erasure).await? {
                self.change(table, row);
            }
        }
        Ok(())
    }

    async fn forget_person(
        &mut self,
        read: &dyn ReadStore,
        erasure: &Erasure,
        statements: &mut Vec<Statement>,
    ) -> Result<(), SlotError> {
        let (subject, position) = (erasure.subject, erasure.position.0);
        self.forget();
        for (table, texts) in self.texts.iter().enumerate() {
            match P::TABLES[table].personal {
                Personal::Nothing => {}
                Personal::Columns(_) => statements.extend(texts.forget(subject, position)),
                // Below.
                Personal::Rows => {}
            }
        }
        for (table, mut row) in Self::rows_of(&self.texts, read, erasure).await? {
            // One that knows more was let go of before: this comes again.
            if row.position() < position {
                row.forget(subject, position);
                self.change(table, row);
            }
        }
        Ok(())
    }

    fn apply(&mut self, input: &Input<'_>) -> Result<(), SlotError> {
        let Some(key) = P::key(input.fact) else {
            return Ok(());
        };
        let entry = self.entries.entry(key.clone()).or_insert(Entry {
            row: None,
            stored: None,
        });
        // What is left of the row after a panic is forgotten by the caller.
        let folded = catch_unwind(AssertUnwindSafe(|| fold::<P>(&mut entry.row, input)));
        let effect = folded.map_err(|panic| SlotError::Bug(words(panic.as_ref())))?;
        if effect == Effect::Changed {
            self.dirty.insert(key);
        }
        Ok(())
    }

    fn collect(&mut self, statements: &mut Vec<Statement>) {
        let mut upserts: Vec<Vec<Vec<Value>>> = self.texts.iter().map(|_| vec![]).collect();
        let mut deletes: Vec<Vec<Value>> = self.texts.iter().map(|_| vec![]).collect();
        for key in &self.dirty {
            let Some(entry) = self.entries.get_mut(key) else {
                continue;
            };
            let table = entry.row.as_ref().map(P::Row::table);
            match entry.stored {
                Some(stored) if Some(stored) == table => {}
                Some(stored) => deletes[stored].push(P::key_value(key)),
                // Made and gone, or made and moved on, within one batch: of a
                // redelivered fact an older row may stand in a table that the
                // new one is not in.
                None => {
                    let others = deletes.iter_mut().enumerate();
                    for (_, keys) in others.filter(|(other, _)| may_stand_in::<P>(*other, table)) {
                        keys.push(P::key_value(key));
                    }
                }
            }
            if let (Some(row), Some(table)) = (&entry.row, table) {
                upserts[table].push(row.values());
            }
            entry.stored = table;
        }
        for (texts, (rows, keys)) in self.texts.iter().zip(upserts.into_iter().zip(deletes)) {
            texts.delete(&keys, statements);
            texts.upsert(rows, statements);
        }
    }

    fn changes(&self, into: &mut Vec<Change>) {
        into.extend(self.dirty.iter().filter_map(|key| {
            let row = self.entries.get(key).and_then(|entry| entry.row.as_ref());
            P::changed(key, row)
        }));
    }

    fn committed(&mut self) {
        for key in std::mem::take(&mut self.dirty) {
            if self
                .entries
                .get(&key)
                .is_some_and(|entry| entry.row.is_none())
            {
                self.entries.remove(&key);
            }
        }
        if self.entries.len() > P::ROWS_CACHED_MAX {
            self.entries.clear();
        }
    }

    fn forget(&mut self) {
        self.entries.clear();
        self.dirty.clear();
    }
}
