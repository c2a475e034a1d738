//! What the transactions tell, and the dispatch of new ones.

use super::{Reply, ServerTransaction, convert, server};
use crate::{
    message::{DialogId, Method, Request, Response},
    transport::{Flow, Transport},
};
use rsipstack::{transaction::TransactionReceiver, transport::SipConnection};
use std::{collections::HashSet, sync::Arc};
use tokio_util::sync::CancellationToken;

/// What the transactions tell their user. Called on the task that received the
/// message: it must not block, and it must not wait.
pub trait TransactionUser: Send + Sync + 'static {
    /// Whether a new request from there gets a transaction. Asked of one outside a
    /// dialog; repeated ones are not asked about, but those of one that got none.
    /// `transaction` is the same for these.
    ///
    /// # Errors
    /// The response that it gets instead.
    fn admit(&self, flow: Flow, request: &Request, transaction: &str) -> Result<(), Reply>;
    /// A new request: INVITE, or one that must be answered with
    /// [`ServerTransaction::respond`]. Requests of one flow come in order.
    fn request(&self, transaction: ServerTransaction, request: Request);
    /// The INVITE was cancelled before it was answered; the CANCEL itself has
    /// got its 200.
    fn cancelled(&self, transaction: &ServerTransaction, cancel: Request);
    /// The ACK of our 2xx has come.
    fn acked(&self, transaction: &ServerTransaction, ack: Request);
    /// Our 2xx was repeated for 64*T1 and no ACK came (RFC 3261, 13.3.1.4).
    fn ack_missing(&self, transaction: &ServerTransaction);
    /// A 2xx to an INVITE whose transaction is over: a retransmission that
    /// wants its ACK again, or another branch of a fork (RFC 3261, 13.2.2.4).
    fn late_success(&self, response: Response, flow: Flow);

    /// Whether somebody may still have something to say in that dialog: a request in
    /// any other gets a 481 and no transaction.
    fn knows(&self, _dialog: &DialogId) -> bool {
        true
    }

    /// Whether a call goes over that flow.
    fn is_used(&self, _flow: Flow) -> bool {
        false
    }

    /// The connections that a call goes over, or that a phone is registered over.
    fn needed_connections(&self) -> HashSet<Flow> {
        HashSet::new()
    }

    /// A connection has ended: nothing can be sent to its peer any more.
    fn connection_closed(&self, _flow: Flow) {}
}

/// The requests that start transactions.
pub struct Incoming {
    pub(super) receiver: TransactionReceiver,
    pub(super) shutdown: CancellationToken,
}

impl Incoming {
    /// Hands every new request to the user, in order, until the stack ends.
    /// INVITEs get their 100 at once (RFC 3261, 17.2.1).
    pub async fn run(mut self, user: Arc<dyn TransactionUser>) {
        loop {
            let transaction = tokio::select! {
                () = self.shutdown.cancelled() => return,
                transaction = self.receiver.recv() => transaction,
            };
            let Some(transaction) = transaction else {
                return;
            };
            let Some(flow) = transaction.connection.as_ref().and_then(flow_of) else {
                continue;
            };
            let Some(request) = convert::request(&transaction.original) else {
                continue;
            };
            let handle = ServerTransaction::new(&transaction, &request, flow);
            if request.method == Method::Invite {
                handle.respond(Reply::new(100));
            }
            tokio::spawn(Box::pin(server::run(
                transaction,
                handle.clone(),
                user.clone(),
            )));
            user.request(handle, request);
        }
    }
}

/// Where a message came from: connections are made per peer (see [`super::flows`]).
fn flow_of(connection: &SipConnection) -> Option<Flow> {
    let address = connection.get_addr();
    let transport = match connection {
        SipConnection::Udp(_) => Transport::Udp,
        SipConnection::Channel(_) if address.r#type == Some(rsipstack::sip::Transport::Ws) => {
            Transport::Ws
        }
        // Ours are UDP and channels; the crate's own sockets are never opened.
        SipConnection::Channel(_)
        | SipConnection::Tcp(_)
        | SipConnection::TcpListener(_)
        | SipConnection::TlsPlatform(_) => Transport::Tcp,
    };
    let peer = address.get_socketaddr().ok()?;
    Some(Flow { transport, peer })
}
