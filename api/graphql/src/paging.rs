//! Relay connections over pages of rows.

use crate::{error::Fault, scalar};
use async_graphql::{
    ObjectType, OutputType,
    connection::{Connection, CursorType, Edge, EmptyFields},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use projections::{
    page::{self, PAGE_DEFAULT, PAGE_MAX, Page, Slice},
    timeline,
    views::ViewError,
};

/// The cursor of a list: opaque.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListCursor(page::Cursor);

impl CursorType for ListCursor {
    type Error = ViewError;

    fn decode_cursor(text: &str) -> Result<Self, ViewError> {
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| ViewError::InvalidCursor)?;
        let text = String::from_utf8(bytes).map_err(|_| ViewError::InvalidCursor)?;
        text.parse().map(Self)
    }

    fn encode_cursor(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.to_string())
    }
}

/// A page of a list.
pub(crate) type List<T> = Connection<ListCursor, T>;

/// The page that a client asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) first: Option<i32>,
    pub(crate) after: Option<String>,
    pub(crate) last: Option<i32>,
    pub(crate) before: Option<String>,
}

impl Asked {
    /// `first` rows `after` a cursor.
    pub(crate) fn first(first: Option<i32>, after: Option<String>) -> Self {
        Self {
            first,
            after,
            ..Self::default()
        }
    }

    fn page(&self) -> Result<Page, Fault> {
        let cursor = |text: &Option<String>| {
            let cursor = text.as_deref().map(ListCursor::decode_cursor).transpose()?;
            Ok::<_, ViewError>(cursor.map(|cursor| cursor.0))
        };
        match (self.last, &self.before) {
            (None, None) => Ok(Page::First(
                limit("first", self.first)?,
                cursor(&self.after)?,
            )),
            (_, before) if self.first.is_none() && self.after.is_none() => {
                Ok(Page::Last(limit("last", self.last)?, cursor(before)?))
            }
            (_, _) => Err(Fault::validation(
                "first and after do not go with last and before",
            )),
        }
    }
}

/// How many rows, within the limits.
pub(crate) fn limit(name: &'static str, asked: Option<i32>) -> Result<usize, Fault> {
    let Some(asked) = asked else {
        return Ok(PAGE_DEFAULT);
    };
    usize::try_from(asked)
        .ok()
        .filter(|asked| (1..=PAGE_MAX).contains(asked))
        .ok_or_else(|| {
            Fault::validation(format!("{name} is not between 1 and {PAGE_MAX}")).of(name)
        })
}

/// Reads a page and makes a connection of it.
pub(crate) async fn list<Row, Node, Read>(
    asked: Asked,
    read: impl FnOnce(Page) -> Read,
    node: impl Fn(Row) -> Node,
) -> async_graphql::Result<List<Node>>
where
    Node: OutputType,
    Read: Future<Output = Result<Slice<Row>, ViewError>>,
{
    list_with(asked, read, node, EmptyFields).await
}

/// Reads a page and makes a connection of it that has more fields.
pub(crate) async fn list_with<Row, Node, Read, More>(
    asked: Asked,
    read: impl FnOnce(Page) -> Read,
    node: impl Fn(Row) -> Node,
    more: More,
) -> async_graphql::Result<Connection<ListCursor, Node, More>>
where
    Node: OutputType,
    More: ObjectType,
    Read: Future<Output = Result<Slice<Row>, ViewError>>,
{
    let page = asked.page()?;
    let (backwards, from_cursor) = match &page {
        Page::First(_, cursor) => (false, cursor.is_some()),
        Page::Last(_, cursor) => (true, cursor.is_some()),
    };
    let slice = read(page).await.map_err(Fault::from)?;
    let (before, after) = if backwards {
        (slice.has_more, from_cursor)
    } else {
        (from_cursor, slice.has_more)
    };
    let mut connection = Connection::with_additional_fields(before, after, more);
    connection.edges = slice
        .rows
        .into_iter()
        .map(|(cursor, row)| Edge::new(ListCursor(cursor), node(row)))
        .collect();
    Ok(connection)
}

/// A page of events: cursors are positions.
pub(crate) type EventList<T> = Connection<scalar::Cursor, T>;

/// Reads events after a position and makes a connection of them. `read` is
/// asked for one more than the page holds.
pub(crate) async fn events<Node, Read>(
    first: Option<i32>,
    after: Option<scalar::Cursor>,
    read: impl FnOnce(u64, usize) -> Read,
    node: impl Fn(timeline::Row) -> Node,
) -> async_graphql::Result<EventList<Node>>
where
    Node: OutputType,
    Read: Future<Output = Result<Vec<timeline::Row>, ViewError>>,
{
    let limit = limit("first", first)?;
    let start = after.map_or(0, |cursor| cursor.0);
    let mut rows = read(start, limit + 1).await.map_err(Fault::from)?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let mut connection = Connection::new(after.is_some(), has_more);
    connection.edges = rows
        .into_iter()
        .map(|row| Edge::new(scalar::Cursor(row.position), node(row)))
        .collect();
    Ok(connection)
}
