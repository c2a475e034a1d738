use super::*;
use async_graphql::{Request, Variables};
use domain::id::DEFAULT_TENANT;
use serde_json::json;
use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

fn identity(scopes: &[Scope]) -> Identity {
    Identity {
        tenant: DEFAULT_TENANT,
        scopes: scopes.to_vec(),
        name: "test".into(),
        agent: None,
    }
}

/// The message of the refusal, or nothing when it is let through.
fn check(query: &str) -> Option<String> {
    check_as(query, json!({}), &[Scope::All])
}

fn check_as(query: &str, variables: serde_json::Value, scopes: &[Scope]) -> Option<String> {
    let mut request = Request::new(query).variables(Variables::from_json(variables));
    let started = Instant::now();
    let fault = inspect(&mut request, &identity(scopes), &Options::default()).err();
    let elapsed = started.elapsed();
    assert!(elapsed < Duration::from_millis(100), "took {elapsed:?}");
    fault.map(|fault| fault.message)
}

fn refused(query: &str, with: &str) {
    let message = check(query).expect("the document is let through");
    assert!(message.contains(with), "{message}");
}

#[test]
fn an_ordinary_document_is_let_through() {
    assert_eq!(
        check("query Q($n: Int) { calls(first: $n) { nodes { id from { user } } } me { name } }"),
        None
    );
}

#[test]
fn a_string_that_is_not_closed_hides_no_brackets() {
    let brackets = "[".repeat(100_000);
    for open in ["\"\"\"a\" ", "\"a\n"] {
        refused(&format!("{{ me(a: [{open}{brackets}"), "not closed");
    }
}

#[test]
fn every_list_of_the_schema_weighs_as_a_page() {
    let schema = include_str!("../../schema.graphql");
    let mut before: Vec<_> = schema.split("first: Int").collect();
    before.pop();
    let names = before.iter().filter_map(|before| {
        let (head, _) = before.rsplit_once('(')?;
        head.rsplit(|letter: char| !letter.is_alphanumeric()).next()
    });
    let light: Vec<_> = names.filter(|name| !cost::PAGED.contains(name)).collect();
    assert!(light.is_empty(), "{light:?}");
}

#[test]
fn a_document_that_doubles_by_fragments_is_refused_at_once() {
    let mut query = String::from("{ ...f0 }");
    for number in 0..50 {
        let next = number + 1;
        write!(
            query,
            " fragment f{number} on Query {{ ...f{next} ...f{next} }}"
        )
        .unwrap();
    }
    query.push_str(" fragment f50 on Query { me { name } }");
    assert!(check(&query).is_some());
    // The same without a single field.
    refused(&query.replace("me { name }", "__typename"), "more than");
}

#[test]
fn fragments_that_contain_each_other_are_refused() {
    refused(
        "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }",
        "contains itself",
    );
    refused(
        "fragment a on Query { me { ...a } } { me { name } }",
        "contains itself",
    );
}

#[test]
fn too_many_fragments_aliases_tokens_or_directives_are_refused() {
    let fragments: String = (0..65)
        .map(|number| format!("fragment f{number} on Query {{ __typename }} "))
        .collect();
    refused(
        &format!("{fragments} {{ ...f0 }}"),
        "more than 64 fragments",
    );
    let aliases: String = (0..65).map(|n| format!("a{n}: me {{ name }} ")).collect();
    refused(&format!("{{ {aliases} }}"), "more than 64 aliases");
    refused(
        &format!("{{ {} }}", "name ".repeat(10_001)),
        "more than 10000 tokens",
    );
    let directives = "@include(if: true) ".repeat(65);
    refused(
        &format!("{{ me {directives} {{ name }} }}"),
        "more than 64 directives",
    );
}

#[test]
fn aliases_in_a_fragment_count_for_each_use() {
    let uses = "me { ...two } ".repeat(33);
    refused(
        &format!("{{ {uses} }} fragment two on Viewer {{ a: name b: name }}"),
        "more than 64 aliases",
    );
}

#[test]
fn nesting_is_refused_before_the_parser_recurses() {
    for (open, close) in [("{a", "}"), ("{a(b:[", "])}"), ("[", "]"), ("(", ")")] {
        refused(&open.repeat(100_000), "more than 64 nested brackets");
        refused(
            &format!("{}{}", open.repeat(100_000), close.repeat(100_000)),
            "more than 64 nested brackets",
        );
    }
    let value = format!("{{ a(b: {}{}) }}", "[".repeat(60), "]".repeat(60));
    assert_eq!(check(&value), None);
    refused(
        &format!("{}a{}", "{a".repeat(30), "}".repeat(30)),
        "more than 24 levels",
    );
}

#[test]
fn depth_counts_through_fragments() {
    let mut query = String::from("{ ...f0 }");
    for number in 0..24 {
        write!(
            query,
            " fragment f{number} on A {{ a {{ ...f{} }} }}",
            number + 1
        )
        .unwrap();
    }
    query.push_str(" fragment f24 on A { a }");
    refused(&query, "more than 24 levels");
}

#[test]
fn brackets_in_strings_and_comments_are_not_nesting() {
    let brackets = "{[(".repeat(100);
    assert_eq!(
        check(&format!("{{ a(b: \"{brackets}\\\" {brackets}\") }}")),
        None
    );
    assert_eq!(
        check(&format!(
            "{{ a(b: \"\"\"{brackets}\\\"\"\" {brackets}\"\"\") }}"
        )),
        None
    );
    assert_eq!(check(&format!("# {brackets}\n{{ a }}")), None);
}

#[test]
fn rows_of_a_page_multiply_what_is_below() {
    let fields = |count: usize| "id ".repeat(count);
    assert_eq!(
        check(&format!(
            "{{ calls(first: 100) {{ nodes {{ {} }} }} }}",
            fields(90)
        )),
        None
    );
    refused(
        &format!("{{ calls(first: 100) {{ nodes {{ {} }} }} }}", fields(110)),
        "fields to resolve",
    );
    let nested =
        "query Q($n: Int) { queues(first: $n) { nodes { agents(first: 100) { nodes { id } } } } }";
    assert!(check_as(nested, json!({"n": 100}), &[Scope::All]).is_some());
    assert_eq!(check_as(nested, json!({"n": 10}), &[Scope::All]), None);
    // Not given: its default may be the most there is.
    assert!(check_as(nested, json!({}), &[Scope::All]).is_some());
}

#[test]
fn a_document_just_under_the_limits_is_validated_quickly() {
    let mut query = String::from("{ ...f0 }");
    for number in 0..12 {
        let next = number + 1;
        write!(
            query,
            " fragment f{number} on Query {{ ...f{next} ...f{next} }}"
        )
        .unwrap();
    }
    query.push_str(" fragment f12 on Query { __typename }");
    assert!(
        check(&query).is_some(),
        "8192 spreads in one, and half of it again"
    );
}

#[test]
fn the_schema_is_shown_only_to_whoever_may_read_it() {
    let query = "{ me { name } ...s } fragment s on Query { __schema { types { name } } }";
    assert_eq!(check_as(query, json!({}), &[Scope::SchemaRead]), None);
    let message = check_as(query, json!({}), &[Scope::CallRead]).unwrap();
    assert!(message.contains("schema:read"), "{message}");
    assert_eq!(check_as("{ __typename }", json!({}), &[]), None);
}

#[test]
fn nonsense_is_refused_without_a_panic() {
    for query in [
        "",
        "{",
        "}",
        "\"",
        "\"\"\"",
        "\\",
        "{ a(b: \"\\",
        "\u{feff}{a}",
        "é",
        "{ a }}",
    ] {
        let _ = check(query);
    }
}
