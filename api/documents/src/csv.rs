//! CSV as RFC 4180 has it: CRLF, quotes where they are needed, UTF-8.

use domain::formula;

/// What ends a cell, or a line, for one spreadsheet or another: with commas for decimals
/// a semicolon stands between cells.
const ENDS: [char; 6] = [',', ';', '\t', '"', '\r', '\n'];

/// Adds one line. Text that a spreadsheet would run as a formula gets an
/// apostrophe first, which it shows as plain text; numbers are left alone.
pub fn line<'a>(cells: impl IntoIterator<Item = Cell<'a>>, into: &mut String) {
    for (place, cell) in cells.into_iter().enumerate() {
        if place > 0 {
            into.push(',');
        }
        match cell {
            Cell::Plain(text) => into.push_str(text),
            Cell::Text(text) => quoted(text, into),
        }
    }
    into.push_str("\r\n");
}

/// One cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Our own: a number, an instant, a word from a closed list.
    Plain(&'a str),
    /// From somewhere else: anything may stand in it.
    Text(&'a str),
}

fn quoted(text: &str, into: &mut String) {
    let is_formula = formula::may_begin(text);
    if !is_formula && !text.contains(ENDS) {
        into.push_str(text);
        return;
    }
    into.push('"');
    if is_formula {
        into.push('\'');
    }
    for character in text.chars() {
        if character == '"' {
            into.push('"');
        }
        into.push(character);
    }
    into.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut line = String::new();
        super::line([Cell::Text(text), Cell::Plain("-1")], &mut line);
        assert_eq!(line, format!("{expected},-1\r\n"));
    }

    #[test]
    fn cells_are_quoted_only_where_they_must_be() {
        check("", "");
        check("plain", "plain");
        check("a,b", "\"a,b\"");
        check("say \"hi\"", "\"say \"\"hi\"\"\"");
        check("two\r\nlines", "\"two\r\nlines\"");
        check("Grüße", "Grüße");
        // Two cells where commas are of decimals.
        check("Anna;=1+1", "\"Anna;=1+1\"");
        check("a = b", "a = b");
    }

    #[test]
    fn text_is_never_run_as_a_formula() {
        for formula in [
            "=1+1",
            "+4930111",
            "-2",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "  =1",
            "\u{a0}+1",
            "\u{200b}@A1",
            "＝1",
            "＋1",
            "－1",
            "＠A1",
            "\t1",
        ] {
            check(formula, &format!("\"'{formula}\""));
        }
        check("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\"");
    }
}
