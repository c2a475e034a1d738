//! A document as one HTML file: no script, nothing from elsewhere, readable by
//! a screen reader, printable with page numbers.

use crate::paper::{Align, Column, Paper, Row, RowKind, Table};
use std::fmt::Write as _;

const STYLE: &str = include_str!("paper.css");

/// The file.
pub fn html(paper: &Paper) -> String {
    let mut page = String::new();
    head(paper, &mut page);
    for text in &paper.opening {
        tag("p", "", text, &mut page);
    }
    for part in &paper.tables {
        table(part, &mut page);
    }
    for note in &paper.closing {
        page.push_str("<section class=\"note\">\n");
        tag("h2", "", &note.heading, &mut page);
        lines(&note.lines, &mut page);
        page.push_str("</section>\n");
    }
    if let Some(part) = &paper.beside {
        table(part, &mut page);
    }
    page.push_str("</main>\n<footer>");
    escape(&paper.footer, &mut page);
    page.push_str("</footer>\n</body>\n</html>\n");
    page
}

fn head(paper: &Paper, page: &mut String) {
    let _ = write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n",
        paper.language
    );
    tag("title", "", &paper.title, page);
    let _ = write!(
        page,
        "<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n"
    );
    block("sender", "Sender", &paper.sender, page);
    block("recipient", "Recipient", &paper.recipient, page);
    page.push_str("</header>\n<main>\n");
    tag("h1", "", &paper.title, page);
    page.push_str("<dl class=\"facts\">\n");
    for (what, value) in &paper.facts {
        page.push_str("<div>");
        tag("dt", "", what, page);
        tag("dd", "", value, page);
        page.push_str("</div>\n");
    }
    page.push_str("</dl>\n");
}

fn block(class: &str, label: &str, text: &[String], page: &mut String) {
    let _ = writeln!(page, "<address class=\"{class}\" aria-label=\"{label}\">");
    if let Some((name, rest)) = text.split_first() {
        tag("strong", "", name, page);
        page.push_str("<br>\n");
        lines(rest, page);
    }
    page.push_str("</address>\n");
}

fn lines(text: &[String], page: &mut String) {
    for (place, line) in text.iter().enumerate() {
        if place > 0 {
            page.push_str("<br>\n");
        }
        escape(line, page);
    }
    page.push('\n');
}

fn table(table: &Table, page: &mut String) {
    page.push_str("<table>\n");
    tag("caption", "", &table.caption, page);
    page.push_str("<thead>\n<tr>");
    for column in &table.columns {
        let class = class(column);
        tag("th", &format!(" scope=\"col\"{class}"), &column.title, page);
    }
    page.push_str("</tr>\n</thead>\n");
    let (items, sums) = table.split();
    body("tbody", table, items, page);
    body("tfoot", table, sums, page);
    page.push_str("</table>\n");
}

fn body(name: &str, table: &Table, rows: &[Row], page: &mut String) {
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(page, "<{name}>");
    for row in rows {
        let kind = match row.kind {
            RowKind::Item => "",
            RowKind::Group => " class=\"group\"",
            RowKind::Sum => " class=\"sum\"",
            RowKind::Total => " class=\"total\"",
        };
        let _ = write!(page, "<tr{kind}>");
        if row.kind == RowKind::Group {
            let span = table.columns.len();
            let attributes = format!(" scope=\"colgroup\" colspan=\"{span}\"");
            let title = row.cells.first().map_or("", String::as_str);
            tag("th", &attributes, title, page);
        } else {
            cells(table, row, page);
        }
        page.push_str("</tr>\n");
    }
    let _ = writeln!(page, "</{name}>");
}

fn cells(table: &Table, row: &Row, page: &mut String) {
    for (place, (column, cell)) in table.columns.iter().zip(&row.cells).enumerate() {
        let class = class(column);
        if place > 0 {
            tag("td", class, cell, page);
            continue;
        }
        let _ = write!(page, "<th scope=\"row\"{class}>");
        escape(cell, page);
        if !row.detail.is_empty() {
            page.push_str("<br>");
            tag("small", "", &row.detail, page);
        }
        page.push_str("</th>\n");
    }
}

const fn class(column: &Column) -> &'static str {
    match column.align {
        Align::Start => "",
        Align::End => " class=\"end\"",
    }
}

fn tag(name: &str, attributes: &str, text: &str, page: &mut String) {
    let _ = write!(page, "<{name}{attributes}>");
    escape(text, page);
    let _ = writeln!(page, "</{name}>");
}

/// Text as text: whatever it holds, it is no markup.
fn escape(text: &str, page: &mut String) {
    for character in text.chars() {
        match character {
            '&' => page.push_str("&amp;"),
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            '"' => page.push_str("&quot;"),
            '\'' => page.push_str("&#39;"),
            other => page.push(other),
        }
    }
}
