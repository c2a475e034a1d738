//! The schema is a promise: a diff of the golden file is a change of the API.

use std::{fs, path::Path};

#[test]
fn the_schema_is_the_golden_one() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.graphql");
    let schema = ringledger_graphql::sdl();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&golden, &schema).unwrap();
    }
    let kept = fs::read_to_string(&golden).unwrap_or_default();
    assert!(
        kept == schema,
        "api/graphql/schema.graphql differs from the schema; UPDATE_GOLDEN=1 writes it"
    );
}
