//! From, To, Contact, Route and Record-Route: a display name, a URI, parameters.

use super::syntax::{Fault, Param, closing_quote, param, print_params, split_params};
use super::uri::Uri;
use super::wire::is_token;

/// Longest tag, in bytes: it is part of the key of a transaction and a dialog.
const TAG_BYTES_MAX: usize = 512;

/// A From, To, Contact, Route or Record-Route value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NameAddr {
    display: Option<String>,
    pub(super) uri: Uri,
    pub(super) params: Vec<Param>,
}

impl NameAddr {
    /// Takes one value apart, or says what is wrong with it.
    pub(super) fn parse(value: &str) -> Result<Self, Fault> {
        let (display, rest) = split_display(value.trim())?;
        let Some(rest) = rest.strip_prefix('<') else {
            // addr-spec: parameters belong to the header, and a URI that holds
            // a comma, a question mark or a semicolon must be in <> (20.10).
            let (uri, params) = rest.split_once(';').unwrap_or((rest, ""));
            let uri = uri.trim();
            if uri.contains(['?', ',']) {
                return Err("URI must be enclosed in <>");
            }
            let params = if rest.contains(';') {
                split_params(params)?
            } else {
                Vec::new()
            };
            return Ok(Self {
                display,
                uri: Uri::parse(uri)?,
                params,
            });
        };
        let (uri, after) = rest.split_once('>').ok_or("unclosed < in an address")?;
        let after = after.trim();
        let params = match after.strip_prefix(';') {
            Some(params) => split_params(params)?,
            None if after.is_empty() => Vec::new(),
            None => return Err("unexpected text after an address"),
        };
        Ok(Self {
            display,
            uri: Uri::parse(uri)?,
            params,
        })
    }

    /// The value of a parameter; `Some("")` if it has none.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        param(&self.params, name)
    }

    /// The tag of a From or To, which must be a token if it is there.
    pub(super) fn tag(&self) -> Result<Option<&str>, Fault> {
        match self.param("tag") {
            Some(tag) if !is_token(tag) || tag.len() > TAG_BYTES_MAX => Err("malformed tag"),
            tag => Ok(tag),
        }
    }

    /// The value with a given form of its URI.
    pub(super) fn print(&self, uri: &str) -> String {
        let mut out = String::new();
        if let Some(display) = &self.display {
            out.push_str(&format!("\"{display}\" "));
        }
        out.push_str(&format!("<{uri}>"));
        print_params(&self.params, &mut out);
        out
    }
}

/// The display name, in characters that the stack carries inside quotes, and the
/// rest of the value from its `<` or its URI on.
fn split_display(value: &str) -> Result<(Option<String>, &str), Fault> {
    if let Some(quoted) = value.strip_prefix('"') {
        let end = closing_quote(quoted).ok_or("unbalanced quotes")?;
        let rest = quoted[end + 1..].trim_start();
        if !rest.starts_with('<') {
            return Err("display name without <>");
        }
        return Ok((safe_display(&quoted[..end]), rest));
    }
    match value.find('<') {
        // Unquoted names may hold what is no token (a comma, say): the quotes
        // are inferred (RFC 4475, 3.1.2.15), but they must not be half there.
        Some(at) if value[..at].contains('"') => Err("unbalanced quotes"),
        Some(at) => Ok((safe_display(value[..at].trim()), &value[at..])),
        None if value.contains('"') && !value.contains(';') => Err("unbalanced quotes"),
        None => Ok((None, value)),
    }
}

/// Replaces what the stack cannot carry inside quotes.
fn safe_display(quoted: &str) -> Option<String> {
    let mut out = String::with_capacity(quoted.len());
    let mut escaped = false;
    for c in quoted.chars() {
        if c == '\\' && !escaped {
            escaped = true;
            continue;
        }
        escaped = false;
        out.push(match c {
            '<' => '(',
            '>' => ')',
            '"' => '\'',
            '\\' => '/',
            c if c.is_control() => ' ',
            c => c,
        });
    }
    let out = out.trim().to_owned();
    (!out.is_empty()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_name_survives_in_characters_the_stack_carries() {
        let value = NameAddr::parse(r#""J <R> \\\""   <sip:j@h> ; tag = 9"#).unwrap();
        assert_eq!(
            value.print(&value.uri.for_echo()),
            r#""J (R) /'" <sip:j@h>;tag=9"#
        );
        assert_eq!(value.param("TAG"), Some("9"));
    }

    #[test]
    fn malformed_addresses_are_refused() {
        for bad in [
            r#""Mr. J. User <sip:j@h>"#,
            "< sip:a@h >",
            "<sip:a@h",
            "sip:a@h?Route=x",
            "<sip:a@h>;;;;",
            "<sip:a@h> x",
            "",
        ] {
            assert!(NameAddr::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn parameters_that_the_stack_chokes_on_are_left_out() {
        let value =
            NameAddr::parse(r#"<sip:a@h;transport=carrier-pigeon;x=1>;q=0.1;i="a;b""#).unwrap();
        assert_eq!(value.print(&value.uri.for_routing()), "<sip:a@h;x=1>;q=0.1");
    }
}
