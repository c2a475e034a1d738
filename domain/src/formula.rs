//! Text that a spreadsheet would run.

/// What begins a formula; the wide forms are taken for the others where they are typed.
const SIGNS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// Whether a spreadsheet may take the text for a formula (OWASP, "CSV injection"): a sign
/// that begins one, also after what is not seen, or a control character at the start.
pub fn may_begin(text: &str) -> bool {
    let is_unseen = |character: char| {
        let is_zero_width = matches!(character, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
        character.is_whitespace() || character.is_control() || is_zero_width
    };
    text.starts_with(char::is_control) || text.trim_start_matches(is_unseen).starts_with(SIGNS)
}
