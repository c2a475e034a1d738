//! The only folder that names `rsipstack`: its messages and its transaction
//! layer (RFC 3261, section 17, with RFC 6026). Sockets are ours
//! ([`crate::transport`]), dialogs are ours ([`crate::dialog`]); what the crate
//! contributes is matching, retransmission and the transaction timers.
//!
//! Each transaction is one task that does nothing but receive; orders reach it
//! through its own queue and are never waited for.
//!
//! The crate logs every packet, credentials included, at `info`: a subscriber
//! must filter `rsipstack=warn`.

mod client;
mod convert;
mod flows;
mod local;
mod server;
mod user;

pub use client::{ClientTransaction, Outcome};
pub use server::{Reply, ServerTransaction};
pub use user::{Incoming, TransactionUser};

use crate::{
    boundary,
    message::{Method, Request, Response},
    transport::{Flow, Transport},
};
use flows::Flows;
use rsipstack::{
    EndpointBuilder,
    sip::SipMessage,
    transaction::{
        endpoint::{EndpointInnerRef, EndpointOption},
        key::{TransactionKey, TransactionRole},
        random_text,
        transaction::Transaction,
    },
    transport::TransportLayer,
};
use std::{
    future::Future as _,
    sync::Arc,
    task::{Context, Waker},
    time::Duration,
};
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

/// Timer C is for proxies; a user agent's own ring timer decides. The crate
/// always starts it, so it is set beyond any call.
const TIMER_C: Duration = Duration::from_secs(24 * 3600);

/// Random characters in a branch after the magic cookie (RFC 3261, 8.1.1.7).
const BRANCH_LEN: usize = 20;

/// How the stack presents itself.
#[derive(Debug, Clone)]
pub struct StackOptions {
    /// Host in Via, Contact and Call-ID: what peers can reach us at.
    pub host: String,
    /// Port in Via and Contact.
    pub port: u16,
    /// The same for phones over WebSocket, where they are served.
    pub ws_port: Option<u16>,
    /// Timer T1 in milliseconds (RFC 3261, 17.1.1.1); 500 but in tests.
    pub t1_ms: u64,
}

/// The transaction layer over our own sockets.
#[derive(Clone)]
pub struct Stack {
    inner: Arc<Inner>,
}

struct Inner {
    endpoint: EndpointInnerRef,
    flows: Flows,
    options: StackOptions,
}

/// A response outside any transaction.
struct Stateless {
    bytes: Vec<u8>,
    /// None when nobody can be there.
    to: Option<Flow>,
}

impl Stack {
    /// Starts the timers and the dispatch of requests to `user` over a bound
    /// UDP socket. Everything ends with `shutdown`.
    ///
    /// # Errors
    /// If the socket has no address.
    pub fn start(
        options: StackOptions,
        udp: Arc<UdpSocket>,
        shutdown: CancellationToken,
    ) -> std::io::Result<(Self, Incoming)> {
        let t1 = Duration::from_millis(options.t1_ms);
        let option = EndpointOption {
            t1,
            t2: t1 * 8,
            t4: t1 * 10,
            t1x64: t1 * 64,
            timerc: TIMER_C,
            callid_suffix: Some(options.host.clone()),
            // The ACK of a 2xx belongs to the dialog, which may need it again.
            auto_ack_2xx: false,
            ..EndpointOption::default()
        };
        let transport =
            TransportLayer::new_with_domain_resolver(shutdown.clone(), Box::new(local::NoDns));
        let endpoint = EndpointBuilder::new()
            .with_option(option)
            .with_user_agent("")
            .with_transport_layer(transport)
            .with_inspector(Box::new(local::Marker))
            .with_cancel_token(shutdown.clone())
            .build();
        let incoming = endpoint
            .incoming_transactions()
            .map_err(|error| std::io::Error::other(error.to_string()))?;
        let inner = endpoint.inner.clone();
        // The endpoint owns the transport layer, whose drop is its shutdown.
        tokio::spawn(async move {
            endpoint.serve().await;
        });
        let stack = Self {
            inner: Arc::new(Inner {
                endpoint: inner,
                flows: Flows::new(udp)?,
                options,
            }),
        };
        Ok((
            stack,
            Incoming {
                receiver: incoming,
                shutdown,
            },
        ))
    }

    /// Hands a complete, inspected message to its transaction.
    pub async fn receive(&self, message: &[u8], flow: Flow, user: &dyn TransactionUser) {
        let Ok(mut message) = SipMessage::try_from(message) else {
            tracing::debug!(transport = %flow.transport, "message does not parse");
            return;
        };
        if let SipMessage::Response(response) = &mut message {
            response.wire_reason = None;
            if let Some(late) = self.late_success(response) {
                user.late_success(late, flow);
                return;
            }
        }
        if let SipMessage::Request(request) = &message
            && let Some(answer) = self.without_transaction(request, flow, user)
        {
            if let Some(to) = answer.to {
                let bytes = boundary::outgoing(&answer.bytes);
                self.send_raw(&bytes, to).await;
            }
            return;
        }
        let Some(connection) = self.inner.flows.way_back(flow).await else {
            return;
        };
        let from = flows::address(flow);
        if let Err(error) = self
            .inner
            .endpoint
            .on_received_message(message, connection, &from)
            .await
        {
            tracing::debug!(%error, "message has no transaction");
        }
    }

    /// The response to a request that gets no transaction: it would cost us more than
    /// whoever sent it, perhaps in the name of another address. The user does not want a
    /// new one, or nobody knows its dialog.
    fn without_transaction(
        &self,
        request: &rsipstack::sip::Request,
        flow: Flow,
        user: &dyn TransactionUser,
    ) -> Option<Stateless> {
        use rsipstack::sip::Method as Theirs;
        // They belong to the transactions that are there.
        if matches!(request.method, Theirs::Ack | Theirs::Cancel) {
            return None;
        }
        let plain = convert::request(request)?;
        let dialog = plain.dialog().filter(|_| is_in_dialog(plain.method));
        if dialog.as_ref().is_some_and(|dialog| user.knows(dialog)) {
            return None;
        }
        let key = TransactionKey::from_request(request, TransactionRole::Server).ok()?;
        let endpoint = &self.inner.endpoint;
        if endpoint.transactions.contains_key(&key)
            || endpoint.finished_transactions.contains_key(&key)
        {
            return None;
        }
        let transaction = key.to_string();
        let reply = match dialog {
            Some(_) => Reply::new(481),
            None => user.admit(flow, &plain, &transaction).err()?,
        };
        let via = plain.headers.get("Via").unwrap_or_default();
        let to = boundary::reply_to(via, flow.origin());
        Some(Stateless {
            bytes: server::stateless(&plain, &transaction, reply),
            to: to.map(|peer| Flow { peer, ..flow }),
        })
    }

    /// A 2xx to an INVITE that no transaction waits for.
    fn late_success(&self, response: &rsipstack::sip::Response) -> Option<Response> {
        let code = response.status_code.code();
        if !(200..300).contains(&code) {
            return None;
        }
        let plain = convert::response(response);
        if plain.method() != Some(Method::Invite) {
            return None;
        }
        let key = TransactionKey::from_response(response, TransactionRole::Client).ok()?;
        (!self.inner.endpoint.transactions.contains_key(&key)).then_some(plain)
    }

    /// Sends a request in a new client transaction. A Via is added; `on` hears
    /// of every response and of silence, on the transaction's own task.
    pub fn request<F>(&self, mut request: Request, flow: Flow, on: F) -> Option<ClientTransaction>
    where
        F: FnMut(Outcome) + Send + 'static,
    {
        let branch = format!("z9hG4bK{}", random_text(BRANCH_LEN));
        request
            .headers
            .0
            .insert(0, ("Via".to_owned(), self.via(flow.transport, &branch)));
        self.start_client(request, flow, on)
    }

    /// Cancels an INVITE that was sent (RFC 3261, 9.1): same branch, its own
    /// transaction. Only after a provisional response. `flow` leads to whom the INVITE was
    /// sent: the way that it took may be gone by now.
    pub fn cancel(&self, invite: &ClientTransaction, flow: Flow, reason: Option<String>) {
        let mut headers = crate::message::Headers::default();
        let sent = &invite.request.headers;
        for name in ["Via", "Route", "From", "To", "Call-ID"] {
            let values: Vec<_> = match name {
                "Via" => sent.get(name).into_iter().collect(),
                _ => sent.all(name).collect(),
            };
            for value in values {
                headers.push(name, value);
            }
        }
        let number = invite.request.cseq().unwrap_or(1);
        headers.push("CSeq", format!("{number} CANCEL"));
        headers.push("Max-Forwards", "70");
        if let Some(reason) = reason {
            headers.push("Reason", reason);
        }
        let cancel = Request {
            method: Method::Cancel,
            uri: invite.request.uri.clone(),
            headers,
            body: Vec::new(),
        };
        self.start_client(cancel, flow, |_| {});
    }

    /// Sends an ACK of a 2xx: outside any transaction, with its own branch.
    pub fn acknowledge(&self, mut ack: Request, flow: Flow) {
        let branch = format!("z9hG4bK{}", random_text(BRANCH_LEN));
        ack.headers
            .0
            .insert(0, ("Via".to_owned(), self.via(flow.transport, &branch)));
        let Some(message) = convert::to_stack(&ack) else {
            return;
        };
        let stack = self.clone();
        let mut sending = Box::pin(async move {
            if let Some(connection) = stack.inner.flows.way_out(flow).await {
                let destination = flows::address(flow);
                let sent = connection
                    .send(SipMessage::Request(message), Some(&destination))
                    .await;
                if let Err(error) = sent {
                    tracing::debug!(%error, "ack was not sent");
                }
            }
        });
        // At once if it can be: a BYE that follows must not overtake it.
        let once = &mut Context::from_waker(Waker::noop());
        if sending.as_mut().poll(once).is_pending() {
            tokio::spawn(sending);
        }
    }

    /// Sends bytes that belong to no transaction: an answer of the boundary.
    pub async fn send_raw(&self, bytes: &[u8], flow: Flow) {
        self.inner.flows.send_raw(bytes, flow).await;
    }

    /// A Contact URI of ours for that transport.
    pub fn contact(&self, transport: Transport) -> String {
        format!("sip:{}{}", self.sent_by(transport), transport.parameter())
    }

    /// Host and port that we are known by, as in a Via of that transport.
    pub fn sent_by(&self, transport: Transport) -> String {
        let options = &self.inner.options;
        let port = match transport {
            Transport::Udp | Transport::Tcp => options.port,
            Transport::Ws => options.ws_port.unwrap_or(options.port),
        };
        format!("{}:{port}", options.host)
    }

    /// The host that we are known by.
    pub fn host(&self) -> &str {
        &self.inner.options.host
    }

    /// A new Call-ID of ours.
    pub fn new_call_id(&self) -> String {
        format!("{}@{}", random_text(24), self.inner.options.host)
    }

    /// A new tag of ours.
    pub fn new_tag(&self) -> String {
        random_text(12)
    }

    /// Registers an accepted connection; what is sent to its peer comes out of the
    /// receiver, one message at a time, until [`Stack::close`].
    pub async fn open(&self, flow: Flow) -> tokio::sync::mpsc::Receiver<Vec<u8>> {
        self.inner.flows.open(flow).await
    }

    /// Forgets a connection.
    pub fn close(&self, flow: Flow) {
        self.inner.flows.close(flow);
    }

    /// Whether there is a way to the flow's peer: its connection, if it has one.
    pub fn is_open(&self, flow: Flow) -> bool {
        self.inner.flows.is_open(flow)
    }

    /// How many transactions are alive, for the metrics.
    pub fn transactions(&self) -> usize {
        self.inner.endpoint.transactions.len()
    }

    /// The same with those that are only remembered, to answer what is repeated.
    pub fn transactions_kept(&self) -> usize {
        self.transactions() + self.inner.endpoint.finished_transactions.len()
    }

    fn via(&self, transport: Transport, branch: &str) -> String {
        let sent_by = self.sent_by(transport);
        format!("SIP/2.0/{transport} {sent_by};branch={branch};rport")
    }

    fn start_client<F>(&self, request: Request, flow: Flow, on: F) -> Option<ClientTransaction>
    where
        F: FnMut(Outcome) + Send + 'static,
    {
        let message = convert::to_stack(&request)?;
        let key = TransactionKey::from_request(&message, TransactionRole::Client).ok()?;
        let mut transaction =
            Transaction::new_client(key.clone(), message, self.inner.endpoint.clone(), None);
        transaction.destination = Some(flows::address(flow));
        let handle = ClientTransaction {
            request: Arc::new(request),
            flow,
            key,
            sender: transaction.tu_sender.clone(),
        };
        let stack = self.clone();
        tokio::spawn(Box::pin(async move {
            transaction.connection = stack.inner.flows.way_out(flow).await;
            client::run(transaction, on).await;
        }));
        Some(handle)
    }
}

/// Whether a request of this method with a tag in To belongs to a dialog. Some phones
/// repeat the tag of an earlier answer in a REGISTER.
const fn is_in_dialog(method: Method) -> bool {
    match method {
        Method::Invite | Method::Bye | Method::Info | Method::Options | Method::Refer => true,
        Method::Ack
        | Method::Cancel
        | Method::Register
        | Method::Update
        | Method::Message
        | Method::Notify
        | Method::Subscribe
        | Method::Prack
        | Method::Publish => false,
    }
}
