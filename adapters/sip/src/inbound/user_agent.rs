//! What a phone or a network says that it is (RFC 3261, 20.41). It is kept in the
//! record as it is, unsealed, and can not be erased: so what most often names a
//! person or one device is left out; a bare word is a product (25.1), and is kept.

/// Longest User-Agent that is kept, in characters.
const USER_AGENT_MAX: usize = 128;

/// Longest product with its version that is kept, in characters.
const PRODUCT_MAX: usize = 40;

/// Hexadecimal digits of the address of a network card.
const DEVICE_DIGITS: usize = 12;

/// The products and versions of a User-Agent header, as much of them as is kept.
/// Left out are comments, words that are no products, and addresses of network cards.
pub(super) fn products(header: &str) -> Option<String> {
    let mut kept = String::new();
    for word in without_comments(header).split_whitespace() {
        let is_short = word.len() <= PRODUCT_MAX && kept.len() + word.len() < USER_AGENT_MAX;
        if is_short && word.bytes().all(is_of_product) && !has_device_address(word) {
            if !kept.is_empty() {
                kept.push(' ');
            }
            kept.push_str(word);
        }
    }
    (!kept.is_empty()).then_some(kept)
}

/// Comments stand in brackets, which may be nested; one that never ends goes on to
/// the end (RFC 3261, 25.1).
fn without_comments(header: &str) -> String {
    let mut outside = String::new();
    let mut depth = 0_u32;
    let mut is_escaped = false;
    for sign in header.chars() {
        match sign {
            _ if is_escaped => is_escaped = false,
            '\\' if depth > 0 => is_escaped = true,
            '(' => depth = depth.saturating_add(1),
            ')' => depth = depth.saturating_sub(1),
            sign if depth == 0 => outside.push(sign),
            _ => {}
        }
        if depth > 0 {
            // What stood before and after a comment is not one word.
            outside.push(' ');
        }
    }
    outside
}

/// A token, and the slash before a version.
const fn is_of_product(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'.' | b'_' | b'+')
}

/// Twelve hexadecimal digits, with or without dashes: some phones write their
/// network card there.
fn has_device_address(word: &str) -> bool {
    word.split(|sign: char| !sign.is_ascii_hexdigit() && sign != '-')
        .any(|run| run.bytes().filter(|byte| *byte != b'-').count() >= DEVICE_DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, kept: Option<&str>) {
        assert_eq!(products(header).as_deref(), kept, "{header}");
    }

    #[test]
    fn products_and_their_versions_are_kept() {
        check("billed caller/1", Some("billed caller/1"));
        check("Asterisk PBX 18.2.0+b1", Some("Asterisk PBX 18.2.0+b1"));
        check("  SIPPhone/1.0  Stack/2_3 ", Some("SIPPhone/1.0 Stack/2_3"));
        check("", None);
    }

    #[test]
    fn comments_are_not_kept() {
        check("Softphone/5 (Ann's laptop; SN 12)", Some("Softphone/5"));
        check("A/1(a (nested) \\) one)B/2", Some("A/1 B/2"));
        check("A/1 (it never ends B/2", Some("A/1"));
        check("A/1) B/2", Some("A/1 B/2"));
        check("(Ann)", None);
    }

    #[test]
    fn what_may_name_a_person_or_one_device_is_not_kept() {
        check(
            "Desk T46S 66.84.0.15 805ec0123456",
            Some("Desk T46S 66.84.0.15"),
        );
        check("desk/00-04-13-24-12-34 9", Some("9"));
        check("Yealink-805ec0123456 SEP805EC0123456 A_805ec0123456", None);
        check("Phone/1 ann@pbx.example \"Ann\" Müller", Some("Phone/1"));
    }

    #[test]
    fn it_is_bounded() {
        let word = "x".repeat(PRODUCT_MAX);
        check(&format!("{word}x a"), Some("a"));
        let kept = products(&format!("{word} ").repeat(9)).unwrap();
        assert_eq!(kept.len(), 3 * PRODUCT_MAX + 2);
    }
}
