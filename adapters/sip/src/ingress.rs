//! The way of every message from a socket to the stack: admission, boundary,
//! transaction.

use crate::{
    boundary::{self, DropReason, Verdict},
    edge::{Around, Edge, Step},
    stack::{Stack, TransactionUser},
    transport::{Flow, Transport},
};
use commands::roster::Roster;
use std::{collections::HashSet, net::SocketAddr, sync::Arc};

/// Takes messages from the sockets.
pub struct Ingress {
    stack: Stack,
    user: Arc<dyn TransactionUser>,
    between: Option<Between>,
}

/// What this node does for others: it passes on what is for its flows.
struct Between {
    edge: Edge,
    roster: Roster,
    stack: Stack,
}

impl Around for Between {
    fn is_node(&self, address: SocketAddr) -> bool {
        let seen = self.roster.seen();
        seen.members
            .iter()
            .any(|member| member.sip == Some(address))
    }

    fn look(&self) {
        self.roster.ask();
    }

    fn is_open(&self, flow: Flow) -> bool {
        self.stack.is_open(flow)
    }

    fn sent_by(&self, transport: Transport) -> String {
        self.stack.sent_by(transport)
    }
}

impl Ingress {
    /// Leads to that stack and the user of its transactions.
    pub fn new(stack: Stack, user: Arc<dyn TransactionUser>) -> Self {
        Self {
            stack,
            user,
            between: None,
        }
    }

    /// The same on a node that may be one of several.
    #[must_use]
    pub fn among(mut self, edge: Edge, roster: Roster) -> Self {
        let stack = self.stack.clone();
        self.between = Some(Between {
            edge,
            roster,
            stack,
        });
        self
    }

    /// The stack that messages go to.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// Whether a call goes over that flow.
    pub fn is_used(&self, flow: Flow) -> bool {
        self.user.is_used(flow)
    }

    /// The connections that somebody needs.
    pub fn needed(&self) -> HashSet<Flow> {
        self.user.needed_connections()
    }

    /// A connection has ended.
    pub fn closed(&self, flow: Flow) {
        self.stack.close(flow);
        self.user.connection_closed(flow);
    }

    async fn pass(&self, step: Step, from: Flow) {
        let (bytes, to, outcome) = match step {
            Step::Pass(bytes, to) => (bytes, to, "passed"),
            Step::Answer(bytes) => (bytes, from, "answered"),
            Step::Drop | Step::Ours => return,
        };
        metrics::counter!("ringledger_sip_edge_messages_total", "outcome" => outcome).increment(1);
        self.stack.send_raw(&bytes, to).await;
    }

    /// Takes one message as it came; why, if it was dropped.
    pub async fn receive(&self, bytes: &[u8], flow: Flow) -> Option<DropReason> {
        if let Some(between) = &self.between {
            let step = between.edge.step(bytes, flow, between);
            if step != Step::Ours {
                self.pass(step, flow).await;
                return None;
            }
        }
        match boundary::inspect(bytes, flow.origin()) {
            Verdict::Pass(message) => {
                self.stack.receive(&message, flow, &*self.user).await;
                None
            }
            Verdict::Answer { bytes, to, status } => {
                metrics::counter!("ringledger_sip_boundary_answers_total", "status" => status.to_string())
                    .increment(1);
                let back = match flow.transport.is_connection() {
                    true => flow,
                    false => Flow { peer: to, ..flow },
                };
                self.stack.send_raw(&bytes, back).await;
                None
            }
            Verdict::Drop(reason) => {
                metrics::counter!("ringledger_sip_boundary_drops_total", "reason" => reason.as_str())
                    .increment(1);
                Some(reason)
            }
        }
    }
}
