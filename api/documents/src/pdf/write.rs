//! Draws what was laid out, and says what each part of it means.

use super::sheet::{Child, Ink, MARGIN, PAGE_HEIGHT, PAGE_WIDTH, Part, RIGHT, Sheet, Style};
use crate::paper::Paper;
use chrono::{DateTime as Instant, Datelike as _, Timelike as _};
use krilla::{
    Document, SerializeSettings,
    color::rgb,
    configure::{Accessibility, Archival, ConfigurationBuilder},
    destination::XyzDestination,
    geom::{PathBuilder, Point, Rect},
    metadata::{DateTime, Metadata},
    num::NormalizedF32,
    outline::{Outline, OutlineNode},
    page::PageSettings,
    paint::{Fill, FillRule},
    surface::Surface,
    tagging::{
        Artifact, ArtifactType, ContentTag, Identifier, Node, SpanTag, TableHeaderScope, Tag,
        TagGroup, TagTree,
    },
};
use std::{collections::BTreeMap, num::NonZeroU16};

const BLACK: (u8, u8, u8) = (0x1b, 0x1f, 0x24);
const GREY: (u8, u8, u8) = (0x4a, 0x52, 0x5c);
/// Between rows.
const PALE: (u8, u8, u8) = (0xc9, 0xce, 0xd4);
/// Rules that are thinner than this are pale.
const FINE: f32 = 0.6;
/// First line of the footer.
const FOOTER: f32 = PAGE_HEIGHT - 46.0;

/// What was drawn, by page and place, as the structure names it.
type Drawn = BTreeMap<(usize, usize), Identifier>;

pub(super) fn write(paper: &Paper, sheet: &Sheet<'_>) -> Result<Vec<u8>, String> {
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A2_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|error| format!("{error:?}"))?;
    let mut document = Document::new_with(SerializeSettings {
        configuration,
        ..SerializeSettings::default()
    });
    document.set_metadata(metadata(paper));
    let meant = meant(sheet);
    let mut drawn = Drawn::new();
    for (number, inks) in sheet.pages.iter().enumerate() {
        let size = PageSettings::from_wh(PAGE_WIDTH, PAGE_HEIGHT)
            .ok_or_else(|| "a page has no size".to_owned())?;
        let mut page = document.start_page_with(size);
        let mut surface = page.surface();
        for (place, ink) in inks.iter().enumerate() {
            let at = (number, place);
            let tag = if meant.contains(&at) {
                ContentTag::Span(SpanTag::empty())
            } else {
                ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout))
            };
            let identifier = surface.start_tagged(tag);
            draw(&mut surface, sheet, ink);
            surface.end_tagged();
            if meant.contains(&at) {
                drawn.insert(at, identifier);
            }
        }
        footer(&mut surface, sheet, paper, number + 1);
        surface.finish();
        page.finish();
    }
    document.set_outline(outline(sheet));
    let mut tree = TagTree::new().with_lang(Some(paper.language.into()));
    for root in &sheet.roots {
        if let Some(group) = group(sheet, *root, &mut drawn) {
            tree.push(group);
        }
    }
    document.set_tag_tree(tree);
    document.finish().map_err(|error| format!("{error:?}"))
}

/// Everything drawn that means something: the rest is decoration.
fn meant(sheet: &Sheet<'_>) -> std::collections::BTreeSet<(usize, usize)> {
    let children = sheet.nodes.iter().flat_map(|node| &node.children);
    children
        .filter_map(|child| match child {
            Child::Ink(page, place) => Some((*page, *place)),
            Child::Node(_) => None,
        })
        .collect()
}

fn metadata(paper: &Paper) -> Metadata {
    let author = paper.sender.first().cloned().unwrap_or_default();
    let metadata = Metadata::new()
        .title(paper.title.clone())
        .language(paper.language.to_owned())
        .creator("Ringledger".to_owned())
        .authors(vec![author])
        .document_id(paper.title.clone());
    let Some(made) = Instant::from_timestamp_micros(paper.made_at.micros()) else {
        return metadata;
    };
    let small = |number: u32| u8::try_from(number).unwrap_or(0);
    let date = DateTime::new(u16::try_from(made.year()).unwrap_or(0))
        .month(small(made.month()))
        .day(small(made.day()))
        .hour(small(made.hour()))
        .minute(small(made.minute()))
        .second(small(made.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0);
    metadata.creation_date(date)
}

fn fill(color: (u8, u8, u8)) -> Fill {
    Fill {
        paint: rgb::Color::new(color.0, color.1, color.2).into(),
        opacity: NormalizedF32::ONE,
        rule: FillRule::default(),
    }
}

fn draw(surface: &mut Surface<'_>, sheet: &Sheet<'_>, ink: &Ink) {
    match ink {
        Ink::Text {
            x,
            baseline,
            style,
            text,
        } => letters(surface, sheet, (*x, *baseline), *style, text),
        Ink::Rule {
            from,
            to,
            y,
            thickness,
        } => {
            let mut path = PathBuilder::new();
            if let Some(rect) = Rect::from_xywh(*from, *y, to - from, *thickness) {
                path.push_rect(rect);
            }
            if let Some(path) = path.finish() {
                let is_fine = *thickness < FINE;
                surface.set_fill(Some(fill(if is_fine { PALE } else { BLACK })));
                surface.draw_path(&path);
            }
        }
    }
}

fn letters(
    surface: &mut Surface<'_>,
    sheet: &Sheet<'_>,
    (x, baseline): (f32, f32),
    style: Style,
    text: &str,
) {
    let face = sheet.faces.of(style.is_bold);
    surface.set_fill(Some(fill(if style.is_grey { GREY } else { BLACK })));
    let glyphs = face.glyphs(text);
    let start = Point::from_xy(x, baseline);
    surface.draw_glyphs(start, &glyphs, face.font.clone(), text, style.size, false);
}

fn footer(surface: &mut Surface<'_>, sheet: &Sheet<'_>, paper: &Paper, number: usize) {
    let artifact = Artifact::with_kind(ArtifactType::Footer);
    surface.start_tagged(ContentTag::Artifact(artifact));
    let style = Style::SMALL;
    let face = &sheet.faces.regular;
    let pages = format!("Page {number} of {}", sheet.pages.len());
    let room = RIGHT - MARGIN - 80.0;
    let lines = face.wrap(&paper.footer, style.size, room);
    for (place, line) in lines.iter().take(2).enumerate() {
        let baseline = FOOTER + style.size + style.leading() * place as f32;
        letters(surface, sheet, (MARGIN, baseline), style, line);
    }
    let x = RIGHT - face.width(&pages, style.size);
    letters(surface, sheet, (x, FOOTER + style.size), style, &pages);
    surface.end_tagged();
}

fn outline(sheet: &Sheet<'_>) -> Outline {
    let mut outline = Outline::new();
    for mark in &sheet.marks {
        let to = XyzDestination::new(mark.page, Point::from_xy(MARGIN, mark.y));
        outline.push_child(OutlineNode::new(mark.title.clone(), to));
    }
    outline
}

/// A part with everything in it; none when nothing of it was drawn.
fn group(sheet: &Sheet<'_>, node: usize, drawn: &mut Drawn) -> Option<TagGroup> {
    let node = sheet.nodes.get(node)?;
    let children: Vec<Node> = node
        .children
        .iter()
        .filter_map(|child| match child {
            Child::Node(inner) => group(sheet, *inner, drawn).map(Node::from),
            Child::Ink(page, place) => drawn.remove(&(*page, *place)).map(Node::from),
        })
        .collect();
    let is_cell = matches!(node.part, Part::Cell | Part::RowHeader | Part::ColumnHeader);
    if children.is_empty() && !is_cell {
        return None;
    }
    Some(match &node.part {
        Part::Heading(level, title) => {
            let level = NonZeroU16::new(*level).unwrap_or(NonZeroU16::MIN);
            TagGroup::with_children(Tag::Hn(level, Some(title.clone())), children)
        }
        Part::Paragraph => TagGroup::with_children(Tag::P, children),
        Part::Table => TagGroup::with_children(Tag::Table, children),
        Part::Head => TagGroup::with_children(Tag::THead, children),
        Part::Body => TagGroup::with_children(Tag::TBody, children),
        Part::Foot => TagGroup::with_children(Tag::TFoot, children),
        Part::Row => TagGroup::with_children(Tag::TR, children),
        Part::ColumnHeader => TagGroup::with_children(Tag::TH(TableHeaderScope::Column), children),
        Part::RowHeader => TagGroup::with_children(Tag::TH(TableHeaderScope::Row), children),
        Part::Cell => TagGroup::with_children(Tag::TD, children),
    })
}
