//! What handles ask of the engine.

use tokio::sync::oneshot;

use super::call::{LinkEnds, Reply};
use super::{CallKey, Engine};
use crate::error::Result;
use crate::media::Media;
use crate::message::Message;
use crate::options::CallOptions;
use crate::phone::{OptionsOutcome, RegisterOutcome};

/// An outgoing call as its handle needs it.
#[derive(Debug)]
pub(crate) struct DialedParts {
    pub(crate) key: CallKey,
    pub(crate) call_id: String,
    pub(crate) media: Media,
    pub(crate) ends: LinkEnds,
}

/// An incoming call as its handle needs it.
#[derive(Debug)]
pub(crate) struct IncomingParts {
    pub(crate) key: CallKey,
    pub(crate) invite: Message,
    pub(crate) media: Media,
    pub(crate) ends: LinkEnds,
}

/// An order to the phone.
#[derive(Debug)]
pub(crate) enum Order {
    Register {
        expires_s: u32,
        every_contact: bool,
        reply: Reply<RegisterOutcome>,
    },
    Options {
        target: String,
        reply: Reply<OptionsOutcome>,
    },
    Dial {
        target: String,
        options: Box<CallOptions>,
        reply: oneshot::Sender<Result<DialedParts>>,
    },
    Call {
        key: CallKey,
        order: CallOrder,
    },
    Silent {
        silent: bool,
    },
}

/// An order to one call.
#[derive(Debug)]
pub(crate) enum CallOrder {
    Cancel {
        even_if_answered: bool,
    },
    HangUp {
        reply: Reply<u16>,
    },
    Hold {
        hold: bool,
        reply: Reply<u16>,
    },
    Info {
        content_type: String,
        body: String,
        reply: Reply<u16>,
    },
    Refer {
        targets: Vec<String>,
        reply: Reply<u16>,
    },
    Vanish,
    Provisional {
        status: u16,
    },
    Answer {
        reply: Reply<()>,
    },
    Reject {
        status: u16,
        headers: Vec<(String, String)>,
    },
    KeepOnCancel,
}

impl Engine {
    pub(crate) fn on_order(&mut self, now: std::time::Instant, order: Order) {
        match order {
            Order::Register {
                expires_s,
                every_contact,
                reply,
            } => self.register(now, expires_s, every_contact, reply),
            Order::Options { target, reply } => self.options_ping(now, &target, reply),
            Order::Dial {
                target,
                options,
                reply,
            } => {
                // The asker may have given up: the call then goes on without it, as it would with a real phone.
                let _ = reply.send(self.dial(now, &target, *options));
            }
            Order::Call { key, order } => self.on_call_order(now, key, order),
            Order::Silent { silent } => self.silent = silent,
        }
    }

    fn on_call_order(&mut self, now: std::time::Instant, key: CallKey, order: CallOrder) {
        match order {
            CallOrder::Cancel { even_if_answered } => self.cancel(now, key, even_if_answered),
            CallOrder::HangUp { reply } => self.hang_up(now, key, Some(reply)),
            CallOrder::Hold { hold, reply } => self.hold(now, key, hold, reply),
            CallOrder::Info {
                content_type,
                body,
                reply,
            } => self.info(now, key, &content_type, body, reply),
            CallOrder::Refer { targets, reply } => self.refer(now, key, &targets, reply),
            CallOrder::Vanish => self.vanish(now, key),
            CallOrder::Provisional { status } => self.provisional(now, key, status),
            CallOrder::Answer { reply } => self.answer(now, key, reply),
            CallOrder::Reject { status, headers } => self.reject(now, key, status, headers),
            CallOrder::KeepOnCancel => {
                if let Some(call) = self.calls.get_mut(&key) {
                    call.manners.keep_on_cancel = true;
                }
            }
        }
    }
}
