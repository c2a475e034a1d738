//! A document as PDF: A4, PDF/A-2a with the structure that PDF/UA asks for, so
//! that it can be kept for ever and read by ear. The same document gives the
//! same bytes: nothing of the moment or the machine is in it.

mod font;
mod layout;
mod sheet;
mod table;
#[cfg(test)]
mod tests;
mod write;

use crate::paper::Paper;

/// The document can not be written: a fault of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("document can not be written as PDF: {0}")]
pub struct PdfError(String);

/// The file.
///
/// # Errors
/// When what was laid out breaks a rule of PDF/A or PDF/UA.
pub fn pdf(paper: &Paper) -> Result<Vec<u8>, PdfError> {
    let faces = font::Typefaces::load();
    let sheet = layout::lay_out(paper, &faces);
    write::write(paper, &sheet).map_err(PdfError)
}
