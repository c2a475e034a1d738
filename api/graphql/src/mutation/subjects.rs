//! Orders about people whose data is kept.

use super::{Order, Outcome, UserError};
use crate::{
    auth::Scope,
    error::Fault,
    query::{Needs, subjects::subject, views_at},
    scalar::Cursor,
    types::{Subject, words::ErasureReason},
};
use async_graphql::{Context, ID, InputObject, Object, Result};
use domain::{any::AnyCommand, id::SubjectId, person::Command};
use projections::changed::View;

#[derive(Default)]
pub(crate) struct SubjectMutations;

/// Who is to be forgotten, and why.
#[derive(InputObject)]
pub(crate) struct EraseSubjectInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// The number or address, compared exactly; or `subjectId`.
    #[graphql(secret)]
    number: Option<String>,
    /// The `subject` of a caller; or `number`.
    subject_id: Option<ID>,
    /// On what ground.
    reason: ErasureReason,
}

/// What came of it.
pub(crate) struct EraseSubjectPayload {
    subject: SubjectId,
    outcome: Outcome,
}

#[Object]
impl EraseSubjectPayload {
    /// Who, once the views know it. It is `ERASED` when the last byte is gone.
    async fn subject(&self, ctx: &Context<'_>) -> Result<Option<Subject>> {
        if !self.outcome.is_done() {
            return Ok(None);
        }
        let views = views_at(ctx, &[View::Erasures], self.outcome.position).await?;
        Subject::find(ctx, views, self.subject).await
    }

    /// What a read must have reached to see it; null when nothing was done.
    async fn position(&self) -> Option<Cursor> {
        self.outcome.position
    }

    /// Why nothing was done; empty when it was.
    async fn user_errors(&self) -> &[UserError] {
        &self.outcome.user_errors
    }
}

#[Object]
impl SubjectMutations {
    /// Has a person forgotten, for ever: the keys of the person's data are
    /// destroyed, and read models, searches and exports lose it. Durations,
    /// money and counts stay. A call in progress goes on, without the number.
    #[graphql(guard = "Needs(Scope::AuditManage)")]
    async fn erase_subject(
        &self,
        ctx: &Context<'_>,
        input: EraseSubjectInput,
    ) -> Result<EraseSubjectPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let vault = order.services.vault.as_ref();
        let subject = subject(
            vault,
            input.number.as_deref(),
            (input.subject_id.as_ref(), "subjectId"),
        )?;
        let keys_through = vault.keys_through(subject).await.map_err(Fault::from)?;
        let command = Command::Erase {
            keys_through,
            reason: input.reason.into(),
        };
        let outcome = order
            .dispatch(AnyCommand::Person(subject, command), subject.0)
            .await?;
        Ok(EraseSubjectPayload { subject, outcome })
    }
}
