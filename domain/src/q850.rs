//! Q.850 causes of SIP statuses: what a network that speaks only SIP would have said in
//! the older words, in which records compare.

/// Status to Q.850 (RFC 3398, 7.2.4.1), where RFC 3398 names one.
const STATUSES: [(u16, u8); 36] = [
    (400, 41),
    (401, 21),
    (402, 21),
    (403, 21),
    (404, 1),
    (405, 63),
    (406, 79),
    (407, 21),
    (408, 102),
    (410, 22),
    (413, 127),
    (414, 127),
    (415, 79),
    (416, 127),
    (420, 127),
    (421, 127),
    (423, 127),
    // RFC 5079, 8197 and 8688: somebody or something declines for the callee.
    (433, 21),
    (480, 18),
    (481, 41),
    (482, 25),
    (483, 25),
    (484, 28),
    (485, 1),
    (486, 17),
    (500, 41),
    (501, 79),
    (502, 38),
    (503, 41),
    (504, 102),
    (600, 17),
    (603, 21),
    (604, 1),
    (606, 31),
    (607, 21),
    (608, 21),
];

/// The Q.850 cause in a `Reason` header (RFC 3326), among its other reasons.
pub(crate) fn of_reason_header(value: &str) -> Option<u8> {
    split(value, b',').into_iter().find_map(|reason| {
        let mut parts = split(reason, b';').into_iter().map(str::trim);
        if !parts.next()?.eq_ignore_ascii_case("Q.850") {
            return None;
        }
        parts.find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            let cause = value.trim().parse().ok().filter(|cause| *cause < 128)?;
            name.trim().eq_ignore_ascii_case("cause").then_some(cause)
        })
    })
}

/// The parts between separators that are not quoted (RFC 3261, 25.1).
fn split(text: &str, separator: u8) -> Vec<&str> {
    let mut parts = vec![];
    let (mut start, mut is_quoted, mut is_escaped) = (0, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            _ if byte == separator && !is_quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// The Q.850 cause of a final SIP status. `warning` is the warn-code of a 488 or
/// 606, which says what did not fit (RFC 3398, 7.2.4.1). `None` for what is no
/// failure, and for 487, which only answers our own CANCEL.
pub fn of_status(status: u16, warning: Option<u16>) -> Option<u8> {
    match (status, warning) {
        (0..400 | 487, _) => None,
        (488 | 606, Some(304..=306)) => Some(65),
        (488 | 606, Some(370)) => Some(57),
        (488 | 606, _) => Some(31),
        _ => Some(
            STATUSES
                .iter()
                .find(|(have, _)| *have == status)
                .map_or(127, |(_, cause)| *cause),
        ),
    }
}

/// Whether the cause says that something on the way has no room, or does not work for now.
pub const fn is_congestion(cause: u8) -> bool {
    matches!(cause, 34 | 38 | 41 | 42 | 47)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_become_the_causes_of_rfc_3398() {
        for (status, cause) in [
            (400, 41),
            (401, 21),
            (402, 21),
            (403, 21),
            (404, 1),
            (405, 63),
            (406, 79),
            (407, 21),
            (408, 102),
            (410, 22),
            (415, 79),
            (480, 18),
            (481, 41),
            (482, 25),
            (483, 25),
            (484, 28),
            (485, 1),
            (486, 17),
            (500, 41),
            (501, 79),
            (502, 38),
            (503, 41),
            (504, 102),
            (600, 17),
            (603, 21),
            (604, 1),
            (608, 21),
            (499, 127),
            (599, 127),
        ] {
            assert_eq!(of_status(status, None), Some(cause), "{status}");
        }
        for status in [100, 180, 200, 302, 487] {
            assert_eq!(of_status(status, None), None, "{status}");
        }
        for (warning, cause) in [
            (Some(305), 65),
            (Some(370), 57),
            (None, 31),
            (Some(399), 31),
        ] {
            assert_eq!(of_status(488, warning), Some(cause));
            assert_eq!(of_status(606, warning), Some(cause));
        }
    }
}
