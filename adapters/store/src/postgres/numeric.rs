//! PostgreSQL's `numeric`, which its sums of whole numbers are.

const SIGN_PLUS: u16 = 0x0000;
const SIGN_MINUS: u16 = 0x4000;
/// Each digit counts to ten thousand.
const BASE: i64 = 10_000;

/// The whole number in its binary form (`numeric_send`): count of digits,
/// weight of the first, sign, scale, digits. `None` if it is a fraction, not a
/// number, or too big.
pub(crate) fn whole(bytes: &[u8]) -> Option<i64> {
    let mut words = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let count = usize::from(words.next()?);
    let weight = i16::from_be_bytes(words.next()?.to_be_bytes());
    let sign = words.next()?;
    let _scale = words.next()?;
    let digits: Vec<u16> = words.collect();
    if digits.len() != count {
        return None;
    }
    let places = usize::try_from(i32::from(weight) + 1).unwrap_or(0);
    if digits.iter().skip(places).any(|digit| *digit != 0) {
        return None;
    }
    let mut number: i64 = 0;
    for place in 0..places {
        let digit = digits.get(place).copied().unwrap_or(0);
        // Built up below zero, where one more number fits.
        number = number.checked_mul(BASE)?.checked_sub(i64::from(digit))?;
    }
    match sign {
        SIGN_PLUS => number.checked_neg(),
        SIGN_MINUS => Some(number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric(weight: i16, sign: u16, scale: u16, digits: &[u16]) -> Vec<u8> {
        let count = digits.len() as u16;
        let head = [count, weight.cast_unsigned(), sign, scale];
        head.iter()
            .chain(digits)
            .flat_map(|word| word.to_be_bytes())
            .collect()
    }

    #[test]
    fn whole_numbers_are_read_and_nothing_else() {
        assert_eq!(whole(&numeric(0, SIGN_PLUS, 0, &[])), Some(0));
        assert_eq!(whole(&numeric(0, SIGN_PLUS, 0, &[42])), Some(42));
        assert_eq!(whole(&numeric(1, SIGN_MINUS, 0, &[1, 2])), Some(-10_002));
        assert_eq!(whole(&numeric(2, SIGN_PLUS, 0, &[7])), Some(700_000_000));
        assert_eq!(whole(&numeric(0, SIGN_PLUS, 1, &[1, 5000])), None);
        assert_eq!(whole(&numeric(0, 0xC000, 0, &[])), None);
        assert_eq!(whole(&numeric(9, SIGN_PLUS, 0, &[1])), None);
        assert_eq!(whole(&[0, 1, 0]), None);
        let least = [922, 3372, 368, 5477, 5808];
        assert_eq!(whole(&numeric(4, SIGN_MINUS, 0, &least)), Some(i64::MIN));
        assert_eq!(whole(&numeric(4, SIGN_PLUS, 0, &least)), None);
    }
}
