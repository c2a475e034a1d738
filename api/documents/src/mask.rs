//! Numbers on papers that more people see than the caller wants.

/// Digits at the end that are not shown.
const HIDDEN: usize = 3;

/// The number without its last digits; what is too short is hidden whole.
pub(crate) fn masked(number: &str) -> String {
    let shown = number.chars().count().saturating_sub(HIDDEN);
    let start: String = number.chars().take(shown).collect();
    format!("{start}***")
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn the_last_digits_are_never_shown() {
        assert_eq!(masked("+4930123456"), "+4930123***");
        assert_eq!(masked("112"), "***");
        assert_eq!(masked(""), "***");
    }
}
