//! Why a configuration may be refused.

use super::event::{Config, Outbound};
use crate::decider::Refusal;
use std::collections::BTreeSet;

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is one of that name.
    #[error("trunk of that name already exists")]
    AlreadyExists,
    /// A name is 1 to 64 letters, digits, dots, dashes and underscores.
    #[error("name is not 1 to 64 letters, digits, dots, dashes or underscores")]
    InvalidName,
    /// Nothing could ever come in.
    #[error("allow is empty")]
    NothingAllowed,
    /// A number has no characters that a Request-URI can not hold.
    #[error("a number or prefix is not 1 to 64 digits, letters or one of + * # . - _")]
    InvalidNumber,
    /// Nothing can go out without a place to go to.
    #[error("outbound or forwards are set, and host is not")]
    NoHost,
    /// One number leads to one place.
    #[error("a number is forwarded twice")]
    ForwardTwice,
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyExists => "trunk.already_exists",
            Self::InvalidName => "trunk.invalid_name",
            Self::NothingAllowed => "trunk.nothing_allowed",
            Self::InvalidNumber => "trunk.invalid_number",
            Self::NoHost => "trunk.no_host",
            Self::ForwardTwice => "trunk.forward_twice",
        }
    }
}

pub(super) fn check(name: &str, config: &Config) -> Result<(), Error> {
    if !crate::name::is_valid(name) {
        return Err(Error::InvalidName);
    }
    if config.allow.is_empty() {
        return Err(Error::NothingAllowed);
    }
    if !numbers(config).all(crate::name::is_number) {
        return Err(Error::InvalidNumber);
    }
    let goes_out = config.outbound != Outbound::default() || !config.forwards.is_empty();
    if goes_out && config.host.is_none() {
        return Err(Error::NoHost);
    }
    let forwarded: BTreeSet<&str> = config.forwards.iter().map(|f| f.number.as_str()).collect();
    if forwarded.len() != config.forwards.len() {
        return Err(Error::ForwardTwice);
    }
    Ok(())
}

fn numbers(config: &Config) -> impl Iterator<Item = &str> {
    let outbound = &config.outbound;
    let optional = [&outbound.strip_prefix, &outbound.add_prefix];
    let optional = optional.into_iter().filter(|text| !text.is_empty());
    let forwards = config.forwards.iter().flat_map(|f| [&f.number, &f.to]);
    outbound
        .prefixes
        .iter()
        .chain(optional)
        .chain(&outbound.number)
        .chain(forwards)
        .map(String::as_str)
}
