//! Names and numbers as they stand in a SIP URI.

const LENGTH_MAX: usize = 64;

/// 1 to 64 ASCII letters, digits, dots, dashes and underscores: nothing that a
/// SIP user part would need to escape.
pub fn is_valid(name: &str) -> bool {
    (1..=LENGTH_MAX).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

/// Like a name, and also `+`, `*` and `#`, which people dial.
pub fn is_number(number: &str) -> bool {
    (1..=LENGTH_MAX).contains(&number.len())
        && number
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+*#.-_".contains(&byte))
}
