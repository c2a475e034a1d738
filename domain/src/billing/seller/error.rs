//! Why the seller's configuration may be refused.

use super::{event::Config, state::Seller};
use crate::{
    billing::{tax::TaxCategory, tax_id},
    calendar::Date,
    decider::Refusal,
    money::Decimal,
};

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A field that an invoice can not be without.
    #[error("{field}: {reason}")]
    InvalidField {
        /// Which.
        field: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// Two rates of a country and category on one day, or no rate at all.
    #[error("tax_rates: {country} {category:?} from {from}: {reason}")]
    InvalidTaxRate {
        /// Of which country.
        country: String,
        /// Which.
        category: TaxCategory,
        /// From when.
        from: Date,
        /// Why.
        reason: &'static str,
    },
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::InvalidField { .. } => "seller.invalid_field",
            Self::InvalidTaxRate { .. } => "seller.invalid_tax_rate",
        }
    }
}

/// Days after the due date at most on which something is done about an invoice: ten years.
const DUNNING_DAYS_MAX: u32 = 3_650;

fn is_country(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

pub(super) fn check(config: &Config) -> Result<(), Error> {
    let field = |field, reason| Err(Error::InvalidField { field, reason });
    if config.name.trim().is_empty() {
        return field("name", "is empty");
    }
    if !is_country(&config.country) {
        return field("country", "is not two capital letters of ISO 3166");
    }
    if !tax_id::is_valid(&config.country, &config.tax_id) {
        return field("tax_id", "has no form of a tax id of that country");
    }
    let is_prefix = |prefix: &str| {
        prefix.len() <= 16
            && prefix
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-/.".contains(&byte))
    };
    if !is_prefix(&config.invoice_prefix) {
        return field(
            "invoice_prefix",
            "is not up to 16 letters, digits, -, / and .",
        );
    }
    if !is_prefix(&config.credit_note_prefix) || config.credit_note_prefix == config.invoice_prefix
    {
        return field("credit_note_prefix", "is no prefix of its own");
    }
    let prefixes = [
        ("invoice_prefix", &config.invoice_prefix),
        ("credit_note_prefix", &config.credit_note_prefix),
    ];
    // A yearly series of the same prefix would give the same numbers again.
    if let Some((name, _)) = prefixes.iter().find(|(_, prefix)| ends_in_year(prefix)) {
        return field(
            name,
            "ends in a year and a dash, as those of yearly series do",
        );
    }
    if config.due_days > 365 {
        return field("due_days", "is above 365");
    }
    if !(1..=3_600).contains(&config.slice_s) {
        return field("slice_s", "is not 1 to 3600");
    }
    let reminders = &config.dunning.reminder_days;
    if reminders.windows(2).any(|pair| pair[0] >= pair[1]) {
        return field("reminder_days", "does not rise");
    }
    if reminders.iter().any(|days| *days > DUNNING_DAYS_MAX) {
        return field("reminder_days", "has one above 3650");
    }
    if config.dunning.suspend_days > Some(DUNNING_DAYS_MAX) {
        return field("suspend_days", "is above 3650");
    }
    check_rates(config)
}

/// No number is given twice: neither by an invoice and a credit note, nor by a yearly series
/// and one that had the year in its prefix.
pub(super) fn check_prefixes(state: &Seller, config: &Config) -> Result<(), Error> {
    let (invoices, credit_notes) = (&state.invoice_prefixes, &state.credit_note_prefixes);
    let current = state.config.as_deref().filter(|current| {
        // Under the other kind of series a prefix gives other numbers.
        current.is_yearly_series == config.is_yearly_series
    });
    let invoice = current.map(|current| &current.invoice_prefix);
    let credit_note = current.map(|current| &current.credit_note_prefix);
    let kinds = [
        (
            "invoice_prefix",
            &config.invoice_prefix,
            invoice,
            credit_notes,
        ),
        (
            "credit_note_prefix",
            &config.credit_note_prefix,
            credit_note,
            invoices,
        ),
    ];
    for (field, prefix, current, others) in kinds {
        // It gives numbers already, maybe since before there was this rule.
        if current == Some(prefix) {
            continue;
        }
        let was_theirs = others.iter().any(|(other, _)| other == prefix);
        if was_theirs {
            let reason = "was the prefix of the other kind of document";
            return Err(Error::InvalidField { field, reason });
        }
        let mut plain = invoices.iter().chain(credit_notes);
        let gives_again = |other: &str| {
            let year = other.strip_prefix(prefix.as_str());
            year.is_some_and(|year| year.len() == 5 && ends_in_year(year))
        };
        if config.is_yearly_series && plain.any(|(other, yearly)| !yearly && gives_again(other)) {
            let reason = "was a prefix with a year and a dash behind it";
            return Err(Error::InvalidField { field, reason });
        }
    }
    Ok(())
}

/// `INV-2026-`.
fn ends_in_year(prefix: &str) -> bool {
    let bare = prefix.strip_suffix('-').unwrap_or_default().as_bytes();
    let last = bare.last_chunk::<4>();
    last.is_some_and(|year| year.iter().all(u8::is_ascii_digit))
}

fn check_rates(config: &Config) -> Result<(), Error> {
    for (index, rate) in config.tax_rates.iter().enumerate() {
        let invalid = |reason| {
            Err(Error::InvalidTaxRate {
                country: rate.country.clone(),
                category: rate.category,
                from: rate.from,
                reason,
            })
        };
        if !is_country(&rate.country) {
            return invalid("its country is not two capital letters of ISO 3166");
        }
        match rate.category {
            TaxCategory::Standard | TaxCategory::Reduced => {}
            TaxCategory::Zero | TaxCategory::ReverseCharge | TaxCategory::OutOfScope => {
                return invalid("has no rate: it is 0");
            }
        }
        let is_percent = !rate.percent.is_negative()
            && rate.percent <= Decimal::whole(100)
            && rate.percent.floor(4) == rate.percent;
        if !is_percent {
            return invalid("is not 0 to 100 percent with at most 4 digits after the point");
        }
        if rate.to.is_some_and(|to| to <= rate.from) {
            return invalid("ends before it begins");
        }
        let overlaps = config.tax_rates[..index].iter().any(|other| {
            other.country == rate.country
                && other.category == rate.category
                && other.to.is_none_or(|to| rate.from < to)
                && rate.to.is_none_or(|to| other.from < to)
        });
        if overlaps {
            return invalid("overlaps with another rate");
        }
    }
    Ok(())
}
