//! Puts queries, mutations and subscriptions together.

use crate::{
    loader, mutation::Mutation, query::Query, services::Services, subscription::Subscription,
};
use async_graphql::{SDLExportOptions, Schema, SchemaBuilder};

/// Everything that can be asked, ordered and followed.
pub(crate) type ApiSchema = Schema<Query, Mutation, Subscription>;

/// Levels that the executor recurses into at most; our own limit is lower and
/// is checked before.
const RECURSION_MAX: usize = 64;

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(
        Query::default(),
        Mutation::default(),
        Subscription::default(),
    )
    .disable_suggestions()
    .limit_recursive_depth(RECURSION_MAX)
}

/// The schema over what it reaches.
pub(crate) fn schema(services: &Services) -> ApiSchema {
    builder()
        .data(services.clone())
        .data(loader::loader(
            services.views.clone(),
            services.clock.clone(),
        ))
        .finish()
}

/// The schema in GraphQL's own language.
pub fn sdl() -> String {
    let options = SDLExportOptions::new()
        .prefer_single_line_descriptions()
        .use_space_ident()
        .indent_width(2);
    builder().finish().sdl_with_options(options)
}
