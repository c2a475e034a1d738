//! Pages that are being filled: where the next line goes, when a page is full,
//! and what everything on it means to somebody who does not see it.

use super::font::Typefaces;

/// A4, in points.
pub(super) const PAGE_WIDTH: f32 = 595.28;
/// See [`PAGE_WIDTH`].
pub(super) const PAGE_HEIGHT: f32 = 841.89;
/// Left and right of everything.
pub(super) const MARGIN: f32 = 56.0;
/// Where the right margin begins.
pub(super) const RIGHT: f32 = PAGE_WIDTH - MARGIN;
/// First line of a page.
pub(super) const TOP: f32 = 56.0;
/// Nothing but the footer is below.
pub(super) const BOTTOM: f32 = PAGE_HEIGHT - 72.0;

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) size: f32,
    pub(super) is_bold: bool,
    pub(super) is_grey: bool,
}

impl Style {
    pub(super) const BODY: Self = Self::of(9.0, false, false);
    pub(super) const BOLD: Self = Self::of(9.0, true, false);
    pub(super) const SMALL: Self = Self::of(7.5, false, true);

    pub(super) const fn of(size: f32, is_bold: bool, is_grey: bool) -> Self {
        Self {
            size,
            is_bold,
            is_grey,
        }
    }

    /// From one line to the next.
    pub(super) fn leading(self) -> f32 {
        self.size * 1.4
    }
}

/// What is drawn.
#[derive(Debug)]
pub(super) enum Ink {
    Text {
        x: f32,
        baseline: f32,
        style: Style,
        text: String,
    },
    Rule {
        from: f32,
        to: f32,
        y: f32,
        thickness: f32,
    },
}

/// What a part of the document is.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Heading(u16, String),
    Paragraph,
    Table,
    Head,
    Body,
    Foot,
    Row,
    ColumnHeader,
    RowHeader,
    Cell,
}

/// A part and what is in it, in reading order.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) part: Part,
    pub(super) children: Vec<Child>,
}

/// What is in a part.
#[derive(Debug, Clone, Copy)]
pub(super) enum Child {
    /// Another part.
    Node(usize),
    /// Something drawn: its page and its place there.
    Ink(usize, usize),
}

/// A heading that a reader can jump to.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) title: String,
    pub(super) page: usize,
    pub(super) y: f32,
}

/// The pages so far.
pub(super) struct Sheet<'a> {
    pub(super) faces: &'a Typefaces,
    pub(super) pages: Vec<Vec<Ink>>,
    pub(super) nodes: Vec<Node>,
    pub(super) roots: Vec<usize>,
    pub(super) marks: Vec<Mark>,
    /// Parts that are being filled, the innermost last.
    open: Vec<usize>,
    /// Next line.
    pub(super) y: f32,
    /// What stands at the top of every page but the first.
    running_head: String,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(faces: &'a Typefaces, running_head: String) -> Self {
        Self {
            faces,
            pages: vec![vec![]],
            nodes: vec![],
            roots: vec![],
            marks: vec![],
            open: vec![],
            y: TOP,
            running_head,
        }
    }

    fn page(&self) -> usize {
        self.pages.len() - 1
    }

    fn ink(&mut self, ink: Ink) {
        if let Some(page) = self.pages.last_mut() {
            page.push(ink);
        }
    }

    /// Begins a part; what is drawn until [`Self::close`] belongs to it.
    pub(super) fn begin(&mut self, part: Part) {
        let node = self.nodes.len();
        self.nodes.push(Node {
            part,
            children: vec![],
        });
        match self.open.last() {
            Some(outer) => self.nodes[*outer].children.push(Child::Node(node)),
            None => self.roots.push(node),
        }
        self.open.push(node);
    }

    pub(super) fn close(&mut self) {
        self.open.pop();
    }

    /// What is drawn from now on is only decoration, until [`Self::resume`].
    pub(super) fn pause(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.open)
    }

    /// The parts are filled again.
    pub(super) fn resume(&mut self, open: Vec<usize>) {
        self.open = open;
    }

    /// One line of text that begins at `x`. Outside of every part it is only
    /// decoration.
    pub(super) fn line(&mut self, x: f32, y: f32, style: Style, text: &str) {
        let face = self.faces.of(style.is_bold);
        let text = face.shown(text);
        if text.trim().is_empty() {
            return;
        }
        let place = Child::Ink(self.page(), self.pages.last().map_or(0, Vec::len));
        let baseline = y + style.size;
        self.ink(Ink::Text {
            x,
            baseline,
            style,
            text,
        });
        if let Some(open) = self.open.last() {
            self.nodes[*open].children.push(place);
        }
    }

    /// One line of text that ends at `x`.
    pub(super) fn line_to(&mut self, x: f32, y: f32, style: Style, text: &str) {
        let face = self.faces.of(style.is_bold);
        let width = face.width(&face.shown(text), style.size);
        self.line(x - width, y, style, text);
    }

    pub(super) fn rule(&mut self, from: f32, to: f32, thickness: f32) {
        let y = self.y;
        self.ink(Ink::Rule {
            from,
            to,
            y,
            thickness,
        });
    }

    /// Text in as many lines as it needs, from the next line on.
    pub(super) fn paragraph(&mut self, x: f32, width: f32, style: Style, text: &str) {
        let lines = self.faces.of(style.is_bold).wrap(text, style.size, width);
        for line in lines {
            self.need(style.leading());
            self.line(x, self.y, style, &line);
            self.y += style.leading();
        }
    }

    /// A heading, which is not left alone at the end of a page.
    pub(super) fn heading(&mut self, level: u16, style: Style, text: &str, together: f32) {
        self.need(style.leading() + together);
        self.marks.push(Mark {
            title: text.into(),
            page: self.page(),
            y: self.y,
        });
        self.begin(Part::Heading(level, text.into()));
        self.paragraph(MARGIN, RIGHT - MARGIN, style, text);
        self.close();
    }

    /// Whether so much still fits on the page.
    pub(super) fn fits(&self, height: f32) -> bool {
        self.y + height <= BOTTOM
    }

    /// Turns the page when so much does not fit any more.
    pub(super) fn need(&mut self, height: f32) {
        if !self.fits(height) {
            self.turn();
        }
    }

    /// Begins the next page.
    pub(super) fn turn(&mut self) {
        self.pages.push(vec![]);
        self.y = TOP - 16.0;
        let open = self.pause();
        let head = self.running_head.clone();
        self.line(MARGIN, self.y, Style::SMALL, &head);
        self.y += 14.0;
        self.rule(MARGIN, RIGHT, 0.5);
        self.y += 14.0;
        self.resume(open);
    }
}
