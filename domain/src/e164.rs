//! Numbers as ITU-T E.164 writes them: a plus, the country code, the rest; fifteen
//! digits at most.

use crate::rating::digits;

/// Digits at most (ITU-T E.164, 6.1).
const DIGITS_MAX: usize = 15;
/// Digits at least: a country code alone is nobody's number.
const DIGITS_MIN: usize = 4;

/// The number in E.164, if it is written so that its country is told: with a leading
/// `+` or `00`, with or without spaces, dots, dashes and brackets. None for what is
/// no number, and for one of a country that only its sender knows.
pub fn of(number: &str) -> Option<String> {
    let number = number.trim();
    let is_international = number.starts_with('+') || number.starts_with("00");
    let digits = digits(number).filter(|_| is_international)?;
    let is_possible = (DIGITS_MIN..=DIGITS_MAX).contains(&digits.len()) && !digits.starts_with('0');
    is_possible.then(|| format!("+{digits}"))
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn a_number_that_tells_its_country_has_one_form() {
        for written in [
            "+493012345",
            "00493012345",
            "+49 (30) 123-45",
            " +49.30/12345 ",
        ] {
            assert_eq!(of(written).as_deref(), Some("+493012345"), "{written}");
        }
    }

    #[test]
    fn what_does_not_tell_its_country_has_none() {
        let too_long = "+1234567890123456";
        for written in [
            "",
            "sales",
            "030 12345",
            "493012345",
            "+0301234",
            "+",
            "00",
            "+49",
            "+49sales",
            too_long,
        ] {
            assert_eq!(of(written), None, "{written}");
        }
    }
}
