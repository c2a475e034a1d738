//! Tables over pages: the header comes again on each, and so does the sum that
//! is carried from one to the next.

use super::sheet::{MARGIN, Part, RIGHT, Sheet, Style};
use crate::paper::{Align, Row, RowKind, Table};

/// Between two columns.
const GAP: f32 = 10.0;
/// Above and below the text of a row.
const PADDING: f32 = 3.2;
const HEADER: Style = Style::of(7.5, true, true);
const CAPTION: Style = Style::of(10.5, true, false);
const TOTAL: Style = Style::of(10.5, true, false);
const SUM: Style = Style::of(9.0, false, true);
/// Room for the line with the sum that is carried on.
const CARRY: f32 = 18.0;

/// Left and right end of each column.
fn columns(table: &Table) -> Vec<(f32, f32)> {
    let weights: u16 = table.columns.iter().map(|column| column.weight).sum();
    let gaps = GAP
        * f32::from(
            u16::try_from(table.columns.len())
                .unwrap_or(1)
                .saturating_sub(1),
        );
    let unit = (RIGHT - MARGIN - gaps) / f32::from(weights.max(1));
    let mut left = MARGIN;
    table
        .columns
        .iter()
        .map(|column| {
            let width = unit * f32::from(column.weight);
            let ends = (left, left + width);
            left += width + GAP;
            ends
        })
        .collect()
}

const fn style(row: &Row) -> Style {
    match row.kind {
        RowKind::Item => Style::BODY,
        RowKind::Group => Style::BOLD,
        RowKind::Sum => SUM,
        RowKind::Total => TOTAL,
    }
}

/// A row, cut into lines.
struct Cut {
    cells: Vec<Vec<String>>,
    detail: Vec<String>,
    height: f32,
}

struct Setter<'s, 'a> {
    sheet: &'s mut Sheet<'a>,
    table: &'s Table,
    columns: Vec<(f32, f32)>,
}

impl Setter<'_, '_> {
    fn cut(&self, row: &Row) -> Cut {
        let style = style(row);
        let face = self.sheet.faces.of(style.is_bold);
        let wide = row.kind == RowKind::Group;
        let mut cells = vec![];
        for (place, (left, right)) in self.columns.iter().enumerate() {
            let text = row.cells.get(place).map_or("", String::as_str);
            let width = if wide { RIGHT - MARGIN } else { right - left };
            cells.push(face.wrap(text, style.size, width));
        }
        let detail = if row.detail.is_empty() {
            vec![]
        } else {
            let (left, right) = self.columns.first().copied().unwrap_or((MARGIN, RIGHT));
            let small = Style::SMALL;
            self.sheet
                .faces
                .regular
                .wrap(&row.detail, small.size, right - left)
        };
        let first = cells.first().map_or(0.0, |lines| heights(lines, style))
            + heights(&detail, Style::SMALL);
        let tallest = cells
            .iter()
            .map(|lines| heights(lines, style))
            .fold(first, f32::max);
        let height = tallest + 2.0 * PADDING;
        Cut {
            cells,
            detail,
            height,
        }
    }

    /// The header; on a page after the first it is only decoration.
    fn header(&mut self, is_first: bool) {
        let titles: Vec<Vec<String>> = self
            .table
            .columns
            .iter()
            .zip(&self.columns)
            .map(|(column, (left, right))| {
                let face = self.sheet.faces.of(HEADER.is_bold);
                face.wrap(&column.title, HEADER.size, right - left)
            })
            .collect();
        let height = titles
            .iter()
            .map(|lines| heights(lines, HEADER))
            .fold(0.0, f32::max);
        let open = (!is_first).then(|| self.sheet.pause());
        if is_first {
            self.sheet.begin(Part::Head);
            self.sheet.begin(Part::Row);
        }
        for (place, lines) in titles.iter().enumerate() {
            if is_first {
                self.sheet.begin(Part::ColumnHeader);
            }
            let top = self.sheet.y + height - heights(lines, HEADER);
            self.cell(place, top, HEADER, lines);
            if is_first {
                self.sheet.close();
            }
        }
        if is_first {
            self.sheet.close();
            self.sheet.close();
        }
        if let Some(open) = open {
            self.sheet.resume(open);
        }
        self.sheet.y += height + PADDING;
        self.sheet.rule(MARGIN, RIGHT, 0.8);
        self.sheet.y += 1.5;
    }

    fn cell(&mut self, place: usize, top: f32, style: Style, lines: &[String]) {
        let (left, right) = self.columns[place];
        for (number, line) in lines.iter().enumerate() {
            let y = top + style.leading() * number as f32;
            match self.table.columns[place].align {
                Align::Start => self.sheet.line(left, y, style, line),
                Align::End => self.sheet.line_to(right, y, style, line),
            }
        }
    }

    fn row(&mut self, row: &Row, cut: &Cut) {
        let style = style(row);
        if row.kind == RowKind::Total {
            self.sheet.rule(MARGIN, RIGHT, 0.8);
        }
        let top = self.sheet.y + PADDING;
        self.sheet.begin(Part::Row);
        for (place, lines) in cut.cells.iter().enumerate() {
            if row.kind == RowKind::Group && place > 0 {
                break;
            }
            let part = if place == 0 {
                Part::RowHeader
            } else {
                Part::Cell
            };
            self.sheet.begin(part);
            self.cell(place, top, style, lines);
            if place == 0 {
                let below = top + heights(lines, style);
                self.cell(0, below, Style::SMALL, &cut.detail);
            }
            self.sheet.close();
        }
        self.sheet.close();
        self.sheet.y += cut.height;
        if row.kind == RowKind::Item {
            self.sheet.rule(MARGIN, RIGHT, 0.5);
        }
    }

    /// Goes on on the next page, with the sum so far at the end of this one
    /// and the beginning of that.
    fn carry(&mut self, running: Option<&str>) {
        if let Some(running) = running {
            self.carried("Carried forward", running);
        }
        self.sheet.turn();
        self.header(false);
        if let Some(running) = running {
            self.carried("Brought forward", running);
        }
    }

    fn carried(&mut self, words: &str, running: &str) {
        // Decoration: whoever hears the table read hears its sums.
        let open = self.sheet.pause();
        let y = self.sheet.y + PADDING;
        self.sheet.line(MARGIN, y, SUM, words);
        self.sheet.line_to(RIGHT, y, SUM, running);
        self.sheet.y += CARRY;
        self.sheet.resume(open);
    }
}

fn heights(lines: &[String], style: Style) -> f32 {
    style.leading() * lines.len() as f32
}

/// Sets a table from the next line on.
pub(super) fn set(sheet: &mut Sheet<'_>, table: &Table) {
    sheet.y += 16.0;
    // The header and two rows stay with their heading.
    sheet.heading(2, CAPTION, &table.caption, 75.0);
    sheet.y += 5.0;
    sheet.begin(Part::Table);
    let mut setter = Setter {
        columns: columns(table),
        sheet,
        table,
    };
    setter.header(true);
    let (items, sums) = table.split();
    let mut running: Option<&str> = None;
    let has_running = items.iter().any(|row| row.running.is_some());
    let spare = if has_running { CARRY } else { 0.0 };
    if !items.is_empty() {
        setter.sheet.begin(Part::Body);
        for row in items {
            let cut = setter.cut(row);
            // A heading over rows is not left alone either.
            let with_next = if row.kind == RowKind::Group {
                24.0
            } else {
                0.0
            };
            if !setter.sheet.fits(cut.height + with_next + spare) {
                setter.carry(running);
            }
            setter.row(row, &cut);
            running = row.running.as_deref().or(running);
        }
        setter.sheet.close();
    }
    if !sums.is_empty() {
        let cuts: Vec<Cut> = sums.iter().map(|row| setter.cut(row)).collect();
        let height: f32 = cuts.iter().map(|cut| cut.height).sum();
        if !setter.sheet.fits(height) {
            setter.carry(running);
        }
        setter.sheet.begin(Part::Foot);
        for (row, cut) in sums.iter().zip(&cuts) {
            setter.row(row, cut);
        }
        setter.sheet.close();
    }
    setter.sheet.close();
}
