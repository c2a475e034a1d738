//! The `Authorization` header, taken apart: every legal form, no form that panics.

use super::Algorithm;

/// Longest header value, in bytes.
const HEADER_BYTES_MAX: usize = 4096;

/// Digest credentials with everything `qop=auth` needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) user: String,
    pub(super) realm: String,
    pub(super) nonce: String,
    pub(super) uri: String,
    pub(super) response: String,
    pub(super) algorithm: Algorithm,
    pub(super) cnonce: String,
    /// The nonce count.
    pub(super) count: u32,
    /// The count as written: it is hashed as text.
    pub(super) count_text: String,
}

/// The header cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// Reads a header. `Ok(None)` if it is not for us: another scheme, an algorithm
/// that was not offered, or without the `qop` that is required.
pub(super) fn parse(header: &str) -> Result<Option<Credentials>, Malformed> {
    if header.len() > HEADER_BYTES_MAX {
        return Err(Malformed);
    }
    let header = header.trim();
    let (scheme, rest) = header.split_once([' ', '\t']).unwrap_or((header, ""));
    if !scheme.eq_ignore_ascii_case("Digest") {
        return Ok(None);
    }
    let params = params(rest)?;
    let get = |name: &str| {
        params
            .iter()
            .find(|(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    };
    let algorithm = match get("algorithm").map(Algorithm::parse) {
        None => Algorithm::Md5,
        Some(Some(algorithm)) => algorithm,
        Some(None) => return Ok(None),
    };
    if !get("qop").is_some_and(|qop| qop.eq_ignore_ascii_case("auth")) {
        return Ok(None);
    }
    let need = |name: &str| get(name).map(str::to_owned).ok_or(Malformed);
    let count_text = need("nc")?;
    // Eight hex digits (RFC 7616, 3.4); signs, which from_str_radix takes, are out.
    let hex = count_text.len() <= 8 && count_text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let count = u32::from_str_radix(&count_text, 16).map_err(|_| Malformed)?;
    if !hex {
        return Err(Malformed);
    }
    Ok(Some(Credentials {
        user: need("username")?,
        realm: need("realm")?,
        nonce: need("nonce")?,
        uri: need("uri")?,
        response: need("response")?,
        algorithm,
        cnonce: need("cnonce")?,
        count,
        count_text,
    }))
}

/// Splits `a=b, c="d, \"e\""`. A name twice is malformed: two readers could
/// choose differently.
pub(super) fn params(text: &str) -> Result<Vec<(String, String)>, Malformed> {
    let mut params: Vec<(String, String)> = Vec::new();
    let mut rest = text.trim_start_matches([' ', '\t', ',']);
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').ok_or(Malformed)?;
        let name = name.trim();
        if name.is_empty() || name.contains([' ', ',', '"']) {
            return Err(Malformed);
        }
        let (value, after) = value(after.trim_start())?;
        if params
            .iter()
            .any(|(have, _)| have.eq_ignore_ascii_case(name))
        {
            return Err(Malformed);
        }
        params.push((name.to_owned(), value));
        let after = after.trim_start();
        if !after.is_empty() && !after.starts_with(',') {
            return Err(Malformed);
        }
        rest = after.trim_start_matches([' ', '\t', ',']);
    }
    Ok(params)
}

/// A quoted string with its escapes resolved, or a token; and what follows.
fn value(text: &str) -> Result<(String, &str), Malformed> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(',').unwrap_or(text.len());
        return Ok((text[..end].trim().to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((value, &quoted[at + 1..])),
            '\\' => value.push(chars.next().ok_or(Malformed)?.1),
            c => value.push(c),
        }
    }
    Err(Malformed)
}
