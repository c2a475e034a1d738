//! Client transactions: the handle that orders go through, and the task.

use super::{convert, local};
use crate::{
    message::{Request, Response},
    transport::Flow,
};
use rsipstack::{
    sip::SipMessage,
    transaction::{
        key::TransactionKey,
        transaction::{Transaction, TransactionEvent, TransactionEventSender},
    },
};
use std::sync::Arc;

/// What becomes of a request that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A provisional or final response.
    Response(Response),
    /// No final response, and none will come: timer B or F, or the transport failed.
    NoResponse,
}

/// A request that was sent; the handle of its transaction.
#[derive(Clone)]
pub struct ClientTransaction {
    pub(super) request: Arc<Request>,
    pub(super) flow: Flow,
    pub(super) key: TransactionKey,
    pub(super) sender: TransactionEventSender,
}

/// Names nothing personal.
impl std::fmt::Debug for ClientTransaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientTransaction")
            .field("method", &self.request.method)
            .field("flow", &self.flow)
            .finish_non_exhaustive()
    }
}

impl ClientTransaction {
    /// Gives the transaction up: no more retransmissions, no more responses.
    /// Its user hears [`Outcome::NoResponse`] if there was no final one.
    pub fn abandon(&self) {
        let _ = self
            .sender
            .send(TransactionEvent::Terminate(self.key.clone()));
    }

    /// The request as it was sent.
    pub fn request(&self) -> &Request {
        &self.request
    }
}

/// One client transaction, to its end.
pub(super) async fn run(mut transaction: Transaction, mut on: impl FnMut(Outcome)) {
    let mut ended = false;
    // Without a connection there is nobody to wait for.
    if transaction.connection.is_some() && transaction.send().await.is_ok() {
        while let Some(message) = transaction.receive().await {
            let SipMessage::Response(response) = message else {
                continue;
            };
            if ended {
                continue;
            }
            if local::is_local(&response) {
                break;
            }
            let response = convert::response(&response);
            ended = response.is_final();
            on(Outcome::Response(response));
        }
    }
    if !ended {
        on(Outcome::NoResponse);
    }
}
