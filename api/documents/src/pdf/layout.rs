//! Where everything of a document goes.

use super::{
    font::Typefaces,
    sheet::{MARGIN, Part, RIGHT, Sheet, Style},
    table,
};
use crate::paper::{Note, Paper};

const TITLE: Style = Style::of(17.0, true, false);
const NAME: Style = Style::of(12.0, true, false);
const SENDER: Style = Style::of(8.0, false, true);
const RECIPIENT: Style = Style::of(10.0, false, false);
const NOTE: Style = Style::of(9.0, true, false);
/// Where the address shows in the window of an envelope.
const WINDOW: f32 = 130.0;
/// First line under the addresses.
const UNDER_ADDRESSES: f32 = 228.0;
/// Facts beside each other.
const FACTS_PER_LINE: usize = 4;

/// Lays out the whole document.
pub(super) fn lay_out<'a>(paper: &Paper, faces: &'a Typefaces) -> Sheet<'a> {
    let sender = paper.sender.first().map_or("", String::as_str);
    let running_head = format!("{} · {sender}", paper.title);
    let mut sheet = Sheet::new(faces, running_head);
    addresses(paper, &mut sheet);
    sheet.heading(1, TITLE, &paper.title, 60.0);
    sheet.y += 8.0;
    facts(paper, &mut sheet);
    for text in &paper.opening {
        sheet.y += 4.0;
        sheet.begin(Part::Paragraph);
        sheet.paragraph(MARGIN, RIGHT - MARGIN, Style::BODY, text);
        sheet.close();
    }
    for part in &paper.tables {
        table::set(&mut sheet, part);
    }
    for part in &paper.closing {
        note(part, &mut sheet);
    }
    if let Some(part) = &paper.beside {
        table::set(&mut sheet, part);
    }
    sheet
}

fn addresses(paper: &Paper, sheet: &mut Sheet<'_>) {
    sheet.begin(Part::Paragraph);
    let mut y = sheet.y;
    for (number, line) in paper.sender.iter().enumerate() {
        let style = if number == 0 { NAME } else { SENDER };
        sheet.line_to(RIGHT, y, style, line);
        y += style.leading();
    }
    sheet.close();
    let below_sender = y;
    // As the post wants it: the sender in one small line over the address.
    let back = paper.sender.iter().take(4).cloned().collect::<Vec<_>>();
    let back = back.join(" · ");
    sheet.line(MARGIN, WINDOW - 14.0, Style::of(6.5, false, true), &back);
    sheet.begin(Part::Paragraph);
    let mut y = WINDOW;
    for (number, line) in paper.recipient.iter().enumerate() {
        let style = if number == 0 {
            Style::of(RECIPIENT.size, true, false)
        } else {
            RECIPIENT
        };
        let face = sheet.faces.of(style.is_bold);
        for line in face.wrap(line, style.size, 260.0) {
            sheet.line(MARGIN, y, style, &line);
            y += style.leading();
        }
    }
    sheet.close();
    sheet.y = UNDER_ADDRESSES.max(y + 20.0).max(below_sender + 20.0);
}

fn facts(paper: &Paper, sheet: &mut Sheet<'_>) {
    let width = (RIGHT - MARGIN) / FACTS_PER_LINE as f32;
    sheet.rule(MARGIN, RIGHT, 0.5);
    sheet.y += 7.0;
    for line in paper.facts.chunks(FACTS_PER_LINE) {
        let mut deepest = sheet.y;
        for (place, (what, value)) in line.iter().enumerate() {
            let x = MARGIN + width * place as f32;
            sheet.begin(Part::Paragraph);
            sheet.line(x, sheet.y, Style::SMALL, what);
            let mut y = sheet.y + Style::SMALL.leading();
            let face = sheet.faces.of(true);
            for part in face.wrap(value, Style::BOLD.size, width - 8.0) {
                sheet.line(x, y, Style::BOLD, &part);
                y += Style::BOLD.leading();
            }
            sheet.close();
            deepest = deepest.max(y);
        }
        sheet.y = deepest + 6.0;
    }
    sheet.rule(MARGIN, RIGHT, 0.5);
    sheet.y += 8.0;
}

fn note(note: &Note, sheet: &mut Sheet<'_>) {
    sheet.y += 14.0;
    sheet.heading(2, NOTE, &note.heading, 28.0);
    sheet.begin(Part::Paragraph);
    for line in &note.lines {
        sheet.paragraph(MARGIN, RIGHT - MARGIN, Style::BODY, line);
    }
    sheet.close();
}
