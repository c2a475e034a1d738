//! Tax ids, checked by the form that their country gives them. A form that is
//! right says nothing about whether the id was given to anybody.

/// Forms by country: `d` is a digit, `a` a letter, `x` either; anything else
/// stands for itself.
const FORMS: &[(&str, &[&str])] = &[
    ("AT", &["ATUdddddddd"]),
    ("AU", &["ddddddddddd"]),
    ("BE", &["BE0ddddddddd", "BE1ddddddddd"]),
    ("BG", &["BGddddddddd", "BGdddddddddd"]),
    ("CA", &["ddddddddd", "dddddddddRTdddd"]),
    (
        "CH",
        &[
            "CHEddddddddd",
            "CHEdddddddddMWST",
            "CHEdddddddddTVA",
            "CHEdddddddddIVA",
        ],
    ),
    ("CN", &["xxxxxxxxxxxxxxxxxx"]),
    ("CY", &["CYdddddddda"]),
    ("CZ", &["CZdddddddd", "CZddddddddd", "CZdddddddddd"]),
    ("DE", &["DEddddddddd"]),
    ("DK", &["DKdddddddd"]),
    ("EE", &["EEddddddddd"]),
    ("ES", &["ESxdddddddx"]),
    ("FI", &["FIdddddddd"]),
    ("FR", &["FRxxddddddddd"]),
    ("GB", &["GBddddddddd", "GBdddddddddddd"]),
    ("GR", &["ELddddddddd"]),
    ("HR", &["HRddddddddddd"]),
    ("HU", &["HUdddddddd"]),
    ("IE", &["IEdxddddda", "IEdxdddddaa"]),
    ("IT", &["ITddddddddddd"]),
    ("JP", &["Tddddddddddddd"]),
    ("LT", &["LTddddddddd", "LTdddddddddddd"]),
    ("LU", &["LUdddddddd"]),
    ("LV", &["LVddddddddddd"]),
    ("MT", &["MTdddddddd"]),
    ("NL", &["NLxxxxxxxxxxxx"]),
    ("NO", &["ddddddddd", "dddddddddMVA"]),
    ("PL", &["PLdddddddddd"]),
    ("PT", &["PTddddddddd"]),
    (
        "RO",
        &[
            "ROdd",
            "ROddd",
            "ROdddd",
            "ROddddd",
            "ROdddddd",
            "ROddddddd",
            "ROdddddddd",
            "ROddddddddd",
            "ROdddddddddd",
        ],
    ),
    ("SE", &["SEdddddddddddd"]),
    ("SI", &["SIdddddddd"]),
    ("SK", &["SKdddddddddd"]),
    ("US", &["ddddddddd"]),
];

/// Without the spaces, dots and dashes that people write, in capitals.
pub fn normal(text: &str) -> String {
    text.chars()
        .filter(|letter| !matches!(letter, ' ' | '.' | '-'))
        .map(|letter| letter.to_ascii_uppercase())
        .collect()
}

/// Whether the id has a form of that country. Of a country that is not in the
/// table, 4 to 20 letters and digits are taken.
pub fn is_valid(country: &str, id: &str) -> bool {
    let id = normal(id);
    match FORMS.iter().find(|(known, _)| *known == country) {
        Some((_, forms)) => forms.iter().any(|form| fits(form, &id)),
        None => (4..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric()),
    }
}

fn fits(form: &str, id: &str) -> bool {
    form.len() == id.len()
        && form.bytes().zip(id.bytes()).all(|(form, byte)| match form {
            b'd' => byte.is_ascii_digit(),
            b'a' => byte.is_ascii_uppercase(),
            b'x' => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
            literal => byte == literal,
        })
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn an_id_has_a_form_of_its_country() {
        for (country, id) in [
            ("DE", "DE123456789"),
            ("DE", "DE 123 456 789"),
            ("AT", "ATU12345678"),
            ("NL", "NL123456789B01"),
            ("FR", "FRXX123456789"),
            ("CH", "CHE-123.456.789 MWST"),
            ("GR", "EL123456789"),
            ("US", "12-3456789"),
            ("BR", "12345678000195"),
        ] {
            assert!(is_valid(country, id), "{country} {id}");
        }
        for (country, id) in [
            ("DE", ""),
            ("DE", "123456789"),
            ("DE", "DE12345678"),
            ("DE", "DE1234567890"),
            ("DE", "DE12345678X"),
            ("AT", "DE123456789"),
            ("GR", "GR123456789"),
            ("BR", "=cmd()"),
        ] {
            assert!(!is_valid(country, id), "{country} {id}");
        }
    }
}
