//! `docs/features.md` against the repository: what it names exists.

use super::root;
use std::collections::BTreeSet;

/// Fewer rows than this and the page was not read as it is written.
const ROWS_MIN: usize = 50;

/// A row of one of the tables.
struct Row {
    id: String,
    /// The cells after the ID.
    cells: Vec<String>,
}

fn page() -> String {
    std::fs::read_to_string(root().join("docs/features.md")).expect("the page is there")
}

/// Every row of every table, but for headers and rulers.
fn rows(page: &str) -> Vec<Row> {
    page.lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .filter(|line| !line.starts_with("ID |") && !line.starts_with("---"))
        .map(|line| {
            let mut cells = line.split(" | ").map(str::to_owned);
            let id = cells.next().unwrap_or_default();
            Row {
                id,
                cells: cells.collect(),
            }
        })
        .collect()
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// One letter, an area of two or three capitals, two digits.
fn is_id(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [list, area, number] = parts[..] else {
        return false;
    };
    let are_capitals = |text: &str| text.bytes().all(|byte| byte.is_ascii_uppercase());
    list.len() == 1
        && are_capitals(list)
        && (2..=3).contains(&area.len())
        && area
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && number.len() == 2
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the file has a test of that name that is run: a function with an
/// attribute that ends in `test` right above it, and none that says `ignore`.
fn has_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    lines.iter().enumerate().any(|(at, line)| {
        let line = line.strip_prefix("async ").unwrap_or(line);
        let is_named = line
            .strip_prefix("fn ")
            .and_then(|rest| rest.strip_prefix(name))
            .is_some_and(|rest| rest.starts_with('('));
        let above = lines[..at].iter().rev();
        let attributes: Vec<&str> = above
            .map_while(|line| line.strip_prefix("#["))
            .map(|line| line.split(['(', ']', ' ']).next().unwrap_or_default())
            .collect();
        let is_test = |path: &&str| path.rsplit("::").next() == Some("test");
        is_named && attributes.iter().any(is_test) && !attributes.contains(&"ignore")
    })
}

#[test]
fn every_row_of_the_features_has_an_id_of_its_own() {
    let page = page();
    let rows = rows(&page);
    assert!(rows.len() >= ROWS_MIN, "{} rows were read", rows.len());
    let mut seen = BTreeSet::new();
    for row in rows {
        assert!(is_id(&row.id), "{:?} is no ID", row.id);
        assert!(seen.insert(row.id.clone()), "{} stands there twice", row.id);
        assert_eq!(row.cells.len(), 3, "{} has other columns", row.id);
        for cell in &row.cells {
            assert!(!cell.trim().is_empty(), "{} has an empty cell", row.id);
        }
    }
}

#[test]
fn every_feature_is_shown_by_tests_that_exist() {
    let page = page();
    for row in rows(&page) {
        let shown_by = row.cells.last().map(String::as_str).unwrap_or_default();
        let tests: Vec<&str> = quoted(shown_by).collect();
        assert!(!tests.is_empty(), "{} is shown by nothing", row.id);
        for test in tests {
            let (file, name) = test.split_once("::").expect("PATH::FUNCTION");
            let source = std::fs::read_to_string(root().join(file));
            let source = source.unwrap_or_else(|error| panic!("{}: {file}: {error}", row.id));
            assert!(
                has_test(&source, name),
                "{}: {file} has no test {name}",
                row.id
            );
        }
    }
}

#[test]
fn every_path_that_the_features_name_exists() {
    let page = page();
    let mut paths = 0;
    for named in quoted(&page).filter(|named| named.contains('/')) {
        let path = named.split("::").next().unwrap_or_default();
        assert!(root().join(path).exists(), "{path} does not exist");
        paths += 1;
    }
    // Also `./test` and the like: whoever works must say where.
    assert!(paths >= ROWS_MIN, "{paths} paths were read");
    let works = page.split("\n## In part").next().unwrap_or_default();
    for row in rows(works) {
        let wheres = row.cells.get(1).map(String::as_str).unwrap_or_default();
        assert!(quoted(wheres).count() > 0, "{} is nowhere", row.id);
        for path in quoted(wheres) {
            assert!(
                root().join(path).exists(),
                "{}: {path} does not exist",
                row.id
            );
        }
    }
}
