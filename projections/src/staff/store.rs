//! Queries over who was there.

use super::row::{LOGIN_COLUMNS, Login, SERVES_COLUMNS, Serves};
use crate::{
    page::Query,
    value::time,
    views::{ViewError, read_all},
};
use commands::ports::ReadStore;
use domain::time::Timestamp;

/// Logins that lasted at some time from `from` on and before `until`.
pub(crate) async fn logins(
    read: &dyn ReadStore,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Login>, ViewError> {
    let mut query = Query::select(LOGIN_COLUMNS, "logins");
    query.and("since_at < ?", [time(until)]);
    query.and("(until_at IS NULL OR until_at > ?)", [time(from)]);
    let (sql, parameters) = query.all(" ORDER BY position");
    read_all(read, &sql, parameters, Login::read).await
}

/// Everything that was said before `until` of who serves what, in order.
pub(crate) async fn served(
    read: &dyn ReadStore,
    until: Timestamp,
) -> Result<Vec<Serves>, ViewError> {
    let mut query = Query::select(SERVES_COLUMNS, "served_queues");
    query.and("since_at < ?", [time(until)]);
    let (sql, parameters) = query.all(" ORDER BY position");
    read_all(read, &sql, parameters, Serves::read).await
}
