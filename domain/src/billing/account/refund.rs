//! Credit that is paid out.

use super::{
    command::Command,
    error::{Error, check_amount},
    event::Event,
    state::Account,
};

/// The same refund again is the same one; nothing is paid out that something else has a
/// claim on.
pub(super) fn refund(state: &Account, command: Command) -> Result<Vec<Event>, Error> {
    let Command::RefundCredit {
        refund,
        amount,
        method,
        reference,
    } = command
    else {
        return Ok(vec![]);
    };
    if state.refunds.contains(&refund) {
        return Ok(vec![]);
    }
    let profile = state.profile.as_ref().ok_or(Error::Unknown)?;
    check_amount(profile, amount)?;
    if reference.trim().is_empty() {
        return Err(Error::NoReference);
    }
    let most = state.refundable();
    if amount.amount > most {
        return Err(Error::RefundTooLarge { most });
    }
    Ok(vec![Event::CreditRefunded {
        refund,
        amount,
        method,
        reference,
    }])
}
