//! The fonts, and how wide a text is in them.

use krilla::text::{Font, GlyphId, KrillaGlyph};
use ttf_parser::Face;

const REGULAR: &[u8] = include_bytes!("../../fonts/Roboto-Regular.ttf");
const BOLD: &[u8] = include_bytes!("../../fonts/Roboto-Bold.ttf");

/// What stands for a character that the font does not have.
const MISSING: char = '?';

/// A typeface of the document.
pub(super) struct Typeface {
    face: Face<'static>,
    pub(super) font: Font,
}

/// Both weights.
pub(super) struct Typefaces {
    pub(super) regular: Typeface,
    pub(super) bold: Typeface,
}

impl Typefaces {
    pub(super) fn load() -> Self {
        Self {
            regular: Typeface::load(REGULAR),
            bold: Typeface::load(BOLD),
        }
    }

    pub(super) const fn of(&self, is_bold: bool) -> &Typeface {
        if is_bold { &self.bold } else { &self.regular }
    }
}

impl Typeface {
    fn load(bytes: &'static [u8]) -> Self {
        let face = Face::parse(bytes, 0).expect("the font is part of the program and was tested");
        let font =
            Font::new(bytes.into(), 0).expect("the font is part of the program and was tested");
        Self { face, font }
    }

    /// The text with nothing in it that the font can not show.
    pub(super) fn shown(&self, text: &str) -> String {
        let shown = |character: char| {
            if self.face.glyph_index(character).is_some() {
                character
            } else if character.is_whitespace() {
                ' '
            } else {
                MISSING
            }
        };
        text.chars().map(shown).collect()
    }

    /// Advance of a character, as a share of the font's size.
    fn advance(&self, character: char) -> f32 {
        let glyph = self.face.glyph_index(character);
        let advance = glyph.and_then(|glyph| self.face.glyph_hor_advance(glyph));
        f32::from(advance.unwrap_or(0)) / f32::from(self.face.units_per_em())
    }

    /// How wide the text is, in points.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        text.chars()
            .map(|character| self.advance(character))
            .sum::<f32>()
            * size
    }

    /// The glyphs of a text that was [`Self::shown`].
    pub(super) fn glyphs(&self, text: &str) -> Vec<KrillaGlyph> {
        text.char_indices()
            .map(|(start, character)| {
                let glyph = self.face.glyph_index(character);
                let id = GlyphId::new(glyph.map_or(0, |glyph| u32::from(glyph.0)));
                let range = start..start + character.len_utf8();
                KrillaGlyph::new(id, self.advance(character), 0.0, 0.0, 0.0, range, None)
            })
            .collect()
    }

    /// The text in lines that are no wider than that. A word that is too long
    /// for a line is cut.
    pub(super) fn wrap(&self, text: &str, size: f32, width: f32) -> Vec<String> {
        let text = self.shown(text);
        let mut lines = vec![];
        let mut line = String::new();
        for word in text.split_ascii_whitespace() {
            let longer = if line.is_empty() {
                word.to_owned()
            } else {
                format!("{line} {word}")
            };
            if self.width(&longer, size) <= width {
                line = longer;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            for character in word.chars() {
                line.push(character);
                if self.width(&line, size) > width && line.chars().count() > 1 {
                    line.pop();
                    lines.push(std::mem::take(&mut line));
                    line.push(character);
                }
            }
        }
        if !line.is_empty() || lines.is_empty() {
            lines.push(line);
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_its_column_and_nothing_is_lost() {
        let face = Typefaces::load().regular;
        let text = "Donaudampfschifffahrtsgesellschaftskapitän Grüße an Ærøskøbing: €5";
        for width in [20.0, 60.0, 300.0] {
            let lines = face.wrap(text, 9.0, width);
            for line in &lines {
                let is_one = line.chars().count() == 1;
                assert!(is_one || face.width(line, 9.0) <= width, "{line}");
            }
            let together: String = lines.concat();
            let without = |text: &str| text.replace(' ', "");
            assert_eq!(without(&together), without(text));
        }
        assert_eq!(face.wrap("", 9.0, 50.0), [""]);
    }

    #[test]
    fn a_sign_that_the_font_does_not_have_is_seen_to_be_missing() {
        let face = Typefaces::load().regular;
        assert_eq!(face.shown("a\u{4e2d}b\tc"), "a?b c");
        assert_eq!(
            face.shown("Žluťoučký — Ελλάδα, Київ, 5 €"),
            "Žluťoučký — Ελλάδα, Київ, 5 €"
        );
    }
}
