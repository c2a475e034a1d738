//! Queries over the records of ended calls.

use super::row::{COLUMNS, Direction, Row};
use crate::{
    page::{Cursor, Order, PAGE_MAX, Page, Query, Slice, SortKey},
    tags,
    value::{flag, number, text, time, word},
    views::{ViewError, Views},
};
use domain::{
    cause::Disposition,
    id::{AgentId, CallId, QueueId, SubjectId, TrunkId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Which records; an empty filter is all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// Routed to one of these queues; empty for any.
    pub queues: Vec<QueueId>,
    /// Connected to one of these agents; empty for any.
    pub agents: Vec<AgentId>,
    /// Let in by one of these trunks, or placed through one; empty for any.
    pub trunks: Vec<TrunkId>,
    /// With one of these outcomes; empty for any.
    pub dispositions: Vec<Disposition>,
    /// That went one of these ways; empty for any.
    pub directions: Vec<Direction>,
    /// Dialled exactly so.
    pub to: Option<String>,
    /// Dialled with these digits first.
    pub to_prefix: Option<String>,
    /// That lasted at least so long, from the INVITE to the end.
    pub duration_ms_min: Option<u64>,
    /// Whose end was inferred, or was not.
    pub incomplete: Option<bool>,
    /// From this caller: `Vault::subject_of` a number finds it exactly.
    pub subject: Option<SubjectId>,
    /// With this tag. Not written when it is not so: the addresses of earlier orders of
    /// exports stay what they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Started at this instant or later.
    pub from: Option<Timestamp>,
    /// Started before this instant.
    pub until: Option<Timestamp>,
}

impl Filter {
    pub(crate) fn restrict(&self, query: &mut Query) {
        self.restrict_to_what_stays(query);
        if let Some(tag) = &self.tag {
            // Not LIKE, which would not tell capital letters apart in one database.
            query.and(
                "tags <> '' AND REPLACE(tags, ?, '') <> tags",
                [tags::sought(tag)],
            );
        }
    }

    /// Tags may come and go after the end: those that a record had earlier too.
    fn restrict_to_what_was(&self, query: &mut Query) {
        self.restrict_to_what_stays(query);
        if let Some(tag) = &self.tag {
            let earlier = text(format!("\"{tag}\""));
            query.and(
                "(REPLACE(tags, ?, '') <> tags OR REPLACE(superseded, ?, '') <> superseded)",
                [tags::sought(tag), earlier],
            );
        }
    }

    /// Whether the record as it stood had the tag that is asked for.
    fn had_tag(&self, row: &Row) -> bool {
        self.tag.as_ref().is_none_or(|tag| row.tags.contains(tag))
    }

    fn restrict_to_what_stays(&self, query: &mut Query) {
        if !self.queues.is_empty() {
            query.and_in("queue_id", self.queues.iter().map(text).collect());
        }
        if !self.agents.is_empty() {
            query.and_in("agent_id", self.agents.iter().map(text).collect());
        }
        if !self.trunks.is_empty() {
            query.and_in("trunk_id", self.trunks.iter().map(text).collect());
        }
        if !self.dispositions.is_empty() {
            query.and_in("disposition", self.dispositions.iter().map(word).collect());
        }
        if !self.directions.is_empty() {
            query.and_in("direction", self.directions.iter().map(word).collect());
        }
        if let Some(to) = &self.to {
            query.and("to_user = ?", [text(to)]);
        }
        if let Some(prefix) = &self.to_prefix {
            // Not LIKE: what a client sends is no pattern.
            let length = number(prefix.chars().count());
            query.and(
                "SUBSTR(to_user, 1, CAST(? AS INTEGER)) = ?",
                [length, text(prefix)],
            );
        }
        if let Some(least) = self.duration_ms_min {
            query.and("duration_ms >= ?", [number(least)]);
        }
        if let Some(incomplete) = self.incomplete {
            query.and("incomplete = ?", [flag(incomplete)]);
        }
        if let Some(subject) = self.subject {
            // Who was forgotten is not found any more, by whoever guesses a number.
            query.and("subject = ? AND from_user IS NOT NULL", [text(subject)]);
        }
        if let Some(from) = self.from {
            query.and("started_at >= ?", [time(from)]);
        }
        if let Some(until) = self.until {
            query.and("started_at < ?", [time(until)]);
        }
    }
}

impl Views {
    /// The record of an ended call.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn cdr(&self, call: CallId) -> Result<Option<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "cdr");
        query.and("call_id = ?", [text(call)]);
        let (sql, parameters) = query.all("");
        Ok(self.rows(&sql, parameters, Row::read).await?.pop())
    }

    /// The records of these calls that have ended.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn cdrs_of(&self, calls: &[CallId]) -> Result<Vec<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "cdr");
        query.and_in("call_id", calls.iter().map(text).collect());
        let (sql, parameters) = query.all("");
        self.rows(&sql, parameters, Row::read).await
    }

    /// Records of ended calls, the latest start first.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn cdrs(&self, filter: &Filter, page: &Page) -> Result<Slice<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "cdr");
        filter.restrict(&mut query);
        let query = query.page("started_at", "call_id", Order::Descending, page);
        let rows = self.query(&query.sql, query.parameters.clone()).await?;
        Ok(query.slice(rows, Row::read, cursor)?)
    }

    /// How many records there are.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn cdrs_count(&self, filter: &Filter) -> Result<u64, ViewError> {
        let mut query = Query::select(&["COUNT(*)"], "cdr");
        filter.restrict(&mut query);
        self.number(query).await
    }
}

/// Where the next rows of an export begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached(Cursor);

impl Views {
    /// The next records of an export, the earliest start first, as they stood
    /// at `position`; and where the ones after them begin, none at the end.
    /// What is written or corrected in between changes nothing of it.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn cdrs_as_of(
        &self,
        filter: &Filter,
        position: u64,
        after: Option<Reached>,
        limit: usize,
    ) -> Result<(Vec<Row>, Option<Reached>), ViewError> {
        let mut query = Query::select(COLUMNS, "cdr");
        filter.restrict_to_what_was(&mut query);
        query.and("ended_position <= ?", [number(position)]);
        let page = Page::First(limit, after.map(|reached| reached.0));
        let query = query.page("started_at", "call_id", Order::Ascending, &page);
        let rows = self.query(&query.sql, query.parameters.clone()).await?;
        let slice = query.slice(rows, Row::read, cursor)?;
        let last = slice.rows.last().map(|(cursor, _)| cursor.clone());
        let next = last.filter(|_| slice.has_more).map(Reached);
        let rows = slice.rows.into_iter();
        let rows = rows.filter_map(|(_, row)| row.as_of(position));
        let rows = rows.filter(|row| filter.had_tag(row)).collect();
        Ok((rows, next))
    }

    /// How many records an export at `position` has.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn cdrs_as_of_count(&self, filter: &Filter, position: u64) -> Result<u64, ViewError> {
        if filter.tag.is_some() {
            // Which tags a record had then, only the record says.
            let (mut total, mut next) = (0, Some(None));
            while let Some(after) = next {
                let (rows, more) = self.cdrs_as_of(filter, position, after, PAGE_MAX).await?;
                total += rows.len() as u64;
                next = more.map(Some);
            }
            return Ok(total);
        }
        let mut query = Query::select(&["COUNT(*)"], "cdr");
        filter.restrict(&mut query);
        query.and("ended_position <= ?", [number(position)]);
        self.number(query).await
    }
}

/// Records are sorted by when the call started.
pub(crate) fn cursor(row: &Row) -> Cursor {
    Cursor {
        key: SortKey::Number(row.started_at.micros()),
        id: row.call.to_string(),
    }
}
