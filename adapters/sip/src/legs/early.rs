//! The dialogs of a phone that rings (RFC 3261, 12.1): in them it can be told something
//! before it answers.

use super::Fork;
use crate::{dialog::Dialog, message::Response};
use domain::cause::WireCause;

/// Phones behind one address, such as that of a proxy, of which it is remembered that they
/// ring.
const EARLY_MAX: usize = 8;

/// A phone that rings.
#[derive(Debug, Clone)]
pub struct Early {
    /// Its dialog so far.
    pub dialog: Dialog,
    /// It knows the event `talk`, or does not say which ones it knows.
    pub may_talk: bool,
}

/// Phones that were told to answer, and what they have said to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    pending_count: usize,
    is_taken: bool,
}

impl Asked {
    /// So many were told.
    pub const fn of(pending_count: usize) -> Self {
        Self {
            pending_count,
            is_taken: false,
        }
    }

    /// One has taken it, or refused in that way. Once none is left and all have refused, the
    /// last refusal comes back.
    pub fn heard(&mut self, refusal: Option<WireCause>) -> Option<WireCause> {
        self.is_taken |= refusal.is_none();
        let before = self.pending_count;
        self.pending_count = before.saturating_sub(1);
        refusal.filter(|_| before == 1 && !self.is_taken)
    }
}

impl Fork {
    /// Takes note of a response that says that it rings. One without a tag makes no dialog.
    pub fn rings(&mut self, response: &Response) {
        let events = response.headers.list("Allow-Events");
        let may_talk = events.is_empty() || events.iter().any(|it| it.eq_ignore_ascii_case("talk"));
        let tag = response.dialog().map(|dialog| dialog.remote_tag);
        let known = self.early.iter_mut();
        let known = known.into_iter();
        if let Some(early) = known
            .filter(|early| Some(&early.dialog.id.remote_tag) == tag.as_ref())
            .last()
        {
            early.may_talk = may_talk;
            return;
        }
        let Some(invite) = self
            .invite
            .as_ref()
            .filter(|_| self.early.len() < EARLY_MAX)
        else {
            return;
        };
        let contact = self.contact.clone();
        let dialog = Dialog::established(invite.request(), response, self.flow, contact);
        self.early
            .extend(dialog.map(|dialog| Early { dialog, may_talk }));
    }

    /// The dialog that a 2xx makes of one of those, or anew: its requests go on being counted.
    pub fn answers(&mut self, response: &Response) {
        let Some(invite) = self.invite.as_ref().filter(|_| self.dialog.is_none()) else {
            return;
        };
        let contact = self.contact.clone();
        self.dialog = Dialog::established(invite.request(), response, self.flow, contact);
        let Some(dialog) = &mut self.dialog else {
            return;
        };
        let same = |early: &&Early| early.dialog.id == dialog.id;
        if let Some(early) = self.early.iter().find(same) {
            dialog.continues(&early.dialog);
        }
        self.early.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal() -> Option<WireCause> {
        Some(WireCause {
            sip_status: Some(489),
            ..WireCause::default()
        })
    }

    #[test]
    fn the_last_of_all_that_refuse_speaks_for_them() {
        let mut asked = Asked::of(2);
        assert_eq!(asked.heard(refusal()), None);
        assert_eq!(asked.heard(refusal()), refusal());
        assert_eq!(asked.heard(refusal()), None);
    }

    #[test]
    fn one_that_takes_it_is_enough() {
        for heard in [[None, refusal()], [refusal(), None]] {
            let mut asked = Asked::of(2);
            for one in heard {
                assert_eq!(asked.heard(one), None);
            }
        }
    }
}
