//! Whose data it is what people write about a call.

use crate::error::Fault;
use commands::ports::Position;
use domain::id::{CallId, SubjectId};
use projections::views::Views;

/// Under whose key it is written: the caller's. All who show no number are sealed as one:
/// what is written of one of them is nobody else's, so it has a key of its own, under the
/// call's id. None where there was no such call at that position.
pub(super) async fn subject_of(
    views: &Views,
    call: CallId,
    position: Position,
) -> Result<Option<SubjectId>, Fault> {
    let was = views.past().call_at(views, call, position).await?;
    let of_its_own = SubjectId(call.0);
    Ok(was.map(|was| {
        let party = was.state.party.as_ref();
        party.map_or(of_its_own, |party| party.subject)
    }))
}
