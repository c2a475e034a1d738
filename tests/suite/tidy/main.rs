//! The house rules as tests: who may depend on whom, how large a file may be,
//! who may ask the system for the time.

mod features;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

/// Lines of a source file at most; the files that own a call must stay small.
const LINES_MAX: usize = 600;

/// Who may depend on whom, in the shipped code.
const EDGES: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("commands", &["domain"]),
    ("projections", &["domain", "commands"]),
    ("store", &["domain", "commands"]),
    ("sip", &["domain", "commands"]),
    ("media", &["domain", "commands"]),
    ("phone", &[]),
    ("sim", &["domain", "commands", "projections"]),
    ("documents", &["domain", "projections"]),
    (
        "graphql",
        &["domain", "commands", "projections", "documents"],
    ),
];

/// What may not be anywhere below the domain.
const IMPURE: &[&str] = &["tokio", "sqlx", "rusqlite", "cqrs-es", "axum", "getrandom"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ is in the workspace")
        .to_owned()
}

fn metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--locked", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo is there: it runs this test");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo prints JSON")
}

/// Package names of the normal dependencies of each package.
fn dependencies(metadata: &serde_json::Value) -> BTreeMap<String, Vec<String>> {
    let packages = metadata["packages"].as_array().expect("a list");
    packages
        .iter()
        .map(|package| {
            let names = package["dependencies"]
                .as_array()
                .expect("a list")
                .iter()
                .filter(|dependency| dependency["kind"].is_null())
                .filter(|dependency| dependency["optional"] != true)
                .map(|dependency| dependency["name"].as_str().expect("a name").to_owned())
                .collect();
            (package["name"].as_str().expect("a name").to_owned(), names)
        })
        .collect()
}

#[test]
fn crates_depend_only_on_those_above_them() {
    let dependencies = dependencies(&metadata());
    for (name, allowed) in EDGES {
        let ours: Vec<&str> = dependencies[&format!("ringledger-{name}")]
            .iter()
            .filter_map(|dependency| dependency.strip_prefix("ringledger-"))
            .collect();
        for dependency in ours {
            assert!(
                allowed.contains(&dependency),
                "{name} may not depend on {dependency}"
            );
        }
    }
}

#[test]
fn nothing_below_the_domain_can_wait_read_or_guess() {
    let dependencies = dependencies(&metadata());
    let mut open = vec!["ringledger-domain".to_owned()];
    let mut seen = vec![];
    while let Some(name) = open.pop() {
        if seen.contains(&name) {
            continue;
        }
        assert!(
            !IMPURE.contains(&name.as_str()),
            "the domain depends on {name}"
        );
        open.extend(dependencies.get(&name).into_iter().flatten().cloned());
        seen.push(name);
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let skipped = ["target", ".git", "data"];
    for entry in std::fs::read_dir(folder)
        .expect("a folder of the checkout")
        .flatten()
    {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && !skipped.iter().any(|skip| name == *skip) {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn each_source(mut check: impl FnMut(&Path, &str)) {
    let root = root();
    let mut files = vec![];
    sources(&root, &mut files);
    assert!(files.len() > 100, "the sources were found");
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source file is text");
        check(file.strip_prefix(&root).expect("below the root"), &text);
    }
}

#[test]
fn no_source_file_has_grown_beyond_its_concept() {
    each_source(|file, text| {
        let lines = text.lines().count();
        assert!(
            lines <= LINES_MAX,
            "{} has {lines} lines: split it",
            file.display()
        );
    });
}

#[test]
fn only_the_system_clock_asks_the_system_for_the_time() {
    // The phone is no part of the product, and the benches measure.
    let exempt = [
        "commands/src/system.rs",
        "tests/",
        "adapters/phone/",
        "api/server/src/bench/",
    ];
    each_source(|file, text| {
        let name = file.to_string_lossy();
        let is_exempt = exempt.iter().any(|exempt| name.starts_with(exempt))
            || name.contains("/tests/")
            || name.contains("/suite/")
            || name.ends_with("tests.rs");
        if !is_exempt {
            for asks in [
                "SystemTime::now",
                "Utc::now",
                "Uuid::new_v4",
                "Uuid::now_v7",
            ] {
                assert!(!text.contains(asks), "{name} asks {asks}: take the port");
            }
        }
    });
}

#[test]
fn only_the_configuration_reads_the_environment() {
    let exempt = [
        "api/server/src/config.rs",
        "tests/",
        "api/server/src/bench/",
    ];
    each_source(|file, text| {
        let name = file.to_string_lossy();
        let is_exempt = exempt.iter().any(|exempt| name.starts_with(exempt))
            || name.contains("/tests/")
            || name.contains("testing");
        if !is_exempt {
            assert!(!text.contains("env::var"), "{name} reads the environment");
        }
    });
}

#[test]
fn the_sip_stack_is_named_in_one_folder_only() {
    each_source(|file, text| {
        let name = file.to_string_lossy();
        if !name.starts_with("adapters/sip/src/stack/") && !name.contains("tests/") {
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            let uses = code.filter(|line| line.contains("rsipstack::")).count();
            assert_eq!(uses, 0, "{name} names rsipstack");
        }
    });
}
