//! The way of every message from a socket to the stack: admission, boundary,
//! transaction.

use crate::{
    boundary::{self, Origin, Verdict},
    stack::{Stack, TransactionUser},
    transport::{Flow, Transport},
};
use std::{net::SocketAddr, sync::Arc};

/// Takes messages from the sockets.
pub struct Ingress {
    stack: Stack,
    user: Arc<dyn TransactionUser>,
}

impl Ingress {
    /// Leads to that stack and the user of its transactions.
    pub fn new(stack: Stack, user: Arc<dyn TransactionUser>) -> Self {
        Self { stack, user }
    }

    /// The stack that messages go to.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// A TCP connection has ended.
    pub fn closed(&self, peer: SocketAddr) {
        self.stack.close_tcp(peer);
        self.user.connection_closed(peer);
    }

    /// Takes one message as it came.
    pub async fn receive(&self, bytes: &[u8], flow: Flow) {
        let origin = Origin {
            source: flow.peer,
            transport: match flow.transport {
                Transport::Udp => boundary::Transport::Udp,
                Transport::Tcp => boundary::Transport::Tcp,
            },
        };
        match boundary::inspect(bytes, origin) {
            Verdict::Pass(message) => self.stack.receive(&message, flow, &*self.user).await,
            Verdict::Answer { bytes, to, status } => {
                metrics::counter!("ringledger_sip_boundary_answers_total", "status" => status.to_string())
                    .increment(1);
                let back = match flow.transport {
                    Transport::Udp => Flow { peer: to, ..flow },
                    Transport::Tcp => flow,
                };
                self.stack.send_raw(&bytes, back).await;
            }
            Verdict::Drop(reason) => {
                metrics::counter!("ringledger_sip_boundary_drops_total", "reason" => reason.as_str())
                    .increment(1);
            }
        }
    }
}
