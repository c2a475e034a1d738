//! People whose data is kept, or was.

use crate::{
    auth::Scope,
    error::Fault,
    paging::{self, Asked, List},
    query::{Needs, services, views_at},
    scalar::Cursor,
    types::Subject,
};
use async_graphql::{Context, ID, Object, Result};
use commands::ports::Vault;
use domain::id::SubjectId;
use projections::changed::View;

#[derive(Default)]
pub(crate) struct SubjectQueries;

/// Who is meant: by the number or address as it was sealed, or by the hash, which came in
/// that field.
pub(crate) fn subject(
    vault: &dyn Vault,
    number: Option<&str>,
    (id, field): (Option<&ID>, &'static str),
) -> Result<SubjectId, Fault> {
    match (number, id) {
        (Some(number), None) => Ok(vault.subject_of(number)),
        (None, Some(id)) => id
            .parse()
            .map_err(|_| Fault::validation("that is no id of a subject").of(field)),
        (None, None) | (Some(_), Some(_)) => {
            Err(Fault::validation("either the number or the id is needed"))
        }
    }
}

#[Object]
impl SubjectQueries {
    /// The person with that number or address, compared exactly, or of that
    /// id; null if nothing was ever kept of them.
    #[graphql(guard = "Needs(Scope::AuditManage)")]
    async fn subject(
        &self,
        ctx: &Context<'_>,
        #[graphql(secret)] number: Option<String>,
        id: Option<ID>,
        min_position: Option<Cursor>,
    ) -> Result<Option<Subject>> {
        let views = views_at(ctx, &[View::Erasures], min_position).await?;
        let vault = services(ctx)?.vault.as_ref();
        let subject = subject(vault, number.as_deref(), (id.as_ref(), "id"))?;
        Subject::find(ctx, views, subject).await
    }

    /// People who were forgotten, the latest first.
    #[graphql(guard = "Needs(Scope::AuditManage)")]
    async fn erasures(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Cursor>,
    ) -> Result<List<Subject>> {
        let views = views_at(ctx, &[View::Erasures], min_position).await?;
        let clean = views.clean_through().await.map_err(Fault::from)?;
        let read = async |page| views.erasures(&page).await;
        let forgotten = |row| Subject::forgotten(&row, clean.0);
        paging::list(Asked::first(first, after), read, forgotten).await
    }
}
