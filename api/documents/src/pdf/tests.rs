//! Where the rows of a table over pages go.

use super::{
    font::Typefaces,
    layout::lay_out,
    sheet::{BOTTOM, Ink},
};
use crate::paper::{Note, Paper, Row, RowKind, Table, figures, words};
use domain::time::Timestamp;

/// A second line that is cut into some, the last of which is known.
fn detail(number: usize) -> String {
    let what = "Rated calls add up to 12.345678; included in the plan: 10 min. ";
    format!("{}end-{number}", what.repeat(number % 4))
}

/// A document with so many lines, each of one.
fn paper(lines: usize) -> Paper {
    let mut rows = vec![Row::new(RowKind::Group, vec!["Usage".into()])];
    for number in 1..=lines {
        let mut row = Row::item(vec![format!("Line-{number}"), "1".into()]);
        row.detail = detail(number);
        row.running = Some(format!("{number}.00"));
        rows.push(row);
    }
    rows.push(Row::new(
        RowKind::Sum,
        vec!["Net".into(), format!("{lines}.00")],
    ));
    let total = vec!["To be paid".into(), format!("{lines}.00")];
    rows.push(Row::new(RowKind::Total, total));
    Paper {
        language: "en",
        kind: "Invoice".into(),
        title: "Invoice 1".into(),
        made_at: Timestamp::from_micros(1),
        sender: vec!["Seller".into()],
        recipient: vec!["Customer".into()],
        facts: vec![],
        opening: vec![],
        tables: vec![Table {
            caption: "What it is for".into(),
            columns: vec![words("Description", 60), figures("Amount", 20)],
            rows,
        }],
        closing: vec![Note {
            heading: "How to pay".into(),
            lines: vec!["By transfer.".into()],
        }],
        beside: None,
        footer: "Seller".into(),
    }
}

/// The lines of a page with where they stand, from its top on.
fn lines(page: &[Ink]) -> Vec<(f32, &str)> {
    let mut lines: Vec<(f32, &str)> = page
        .iter()
        .filter_map(|ink| match ink {
            Ink::Text { baseline, text, .. } => Some((*baseline, text.as_str())),
            Ink::Rule { .. } => None,
        })
        .collect();
    lines.sort_by(|one, other| one.0.total_cmp(&other.0));
    lines
}

/// What stands at the right of the words on that page.
fn beside<'a>(page: &[(f32, &'a str)], words: &str) -> Option<&'a str> {
    let (baseline, _) = page.iter().find(|(_, text)| *text == words)?;
    let is_beside = |(other, text): &&(f32, &str)| other == baseline && *text != words;
    page.iter().find(is_beside).map(|(_, text)| *text)
}

/// The page of the line whose text ends so.
fn page_of(pages: &[Vec<(f32, &str)>], end: &str) -> usize {
    let is_on = |page: &&Vec<(f32, &str)>| page.iter().any(|(_, text)| text.ends_with(end));
    assert_eq!(pages.iter().filter(is_on).count(), 1, "{end} is there once");
    pages.iter().position(|page| is_on(&page)).unwrap()
}

fn is_whole(count: usize, pages: &[Vec<(f32, &str)>]) {
    for (number, page) in pages.iter().enumerate() {
        let has_rows = page
            .iter()
            .any(|(_, text)| text.starts_with("Line-") || *text == "To be paid");
        let headers = page.iter().filter(|(_, text)| *text == "Amount").count();
        assert_eq!(headers, usize::from(has_rows), "page {number} of {count}");
        assert!(page.iter().all(|(baseline, _)| *baseline <= BOTTOM));
        let Some(carried) = beside(page, "Carried forward") else {
            continue;
        };
        assert_eq!(beside(&pages[number + 1], "Brought forward"), Some(carried));
        let last = page
            .iter()
            .rev()
            .find(|(_, text)| text.starts_with("Line-"));
        assert_eq!(format!("Line-{carried}"), format!("{}.00", last.unwrap().1));
    }
    for number in 1..=count {
        let first = pages.iter().position(|page| {
            page.iter()
                .any(|(_, text)| *text == format!("Line-{number}"))
        });
        let last = page_of(pages, &format!("end-{number}"));
        assert_eq!(first, Some(last), "line {number} of {count} is not cut");
    }
    let sum = page_of(pages, "Net");
    assert_eq!(sum, page_of(pages, "To be paid"), "the sums are together");
    assert_eq!(
        beside(&pages[sum], "To be paid"),
        Some(format!("{count}.00").as_str())
    );
}

#[test]
fn rows_stay_whole_and_sums_together_wherever_a_page_ends() {
    let faces = Typefaces::load();
    let mut most = 0;
    // Each place of a page's end, and more pages than two.
    for count in (12..=24).chain([60]) {
        let paper = paper(count);
        let sheet = lay_out(&paper, &faces);
        let pages: Vec<_> = sheet.pages.iter().map(|page| lines(page)).collect();
        is_whole(count, &pages);
        most = most.max(pages.len());
    }
    assert!(most >= 3, "{most} pages");
}
