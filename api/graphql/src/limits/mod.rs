//! What a document may cost, checked before the validator sees it: a small
//! hostile document can keep a validator busy for minutes, and a deep one can
//! end the process by overflowing its stack.

mod cost;
mod scan;

use crate::{
    auth::{Identity, Scope},
    error::Fault,
    options::Options,
};
use async_graphql::Request;

/// Parses the document, within the limits, into the request, so that it is not
/// parsed again.
pub(crate) fn inspect(
    request: &mut Request,
    identity: &Identity,
    options: &Options,
) -> Result<(), Fault> {
    scan::check(&request.query, options)?;
    let document = async_graphql::parser::parse_query(&request.query)
        .map_err(|error| Fault::validation(error.to_string()))?;
    let introspects = cost::check(&document, &request.variables, options)?;
    if !identity.may(Scope::SchemaRead) {
        if introspects {
            return Err(Fault::scope(Scope::SchemaRead));
        }
        request.introspection_mode = async_graphql::IntrospectionMode::Disabled;
    }
    request.set_parsed_query(document);
    Ok(())
}

#[cfg(test)]
mod tests;
