//! The end of a node: no new calls, running calls finish, and what does not
//! finish in time is ended on the record.

use crate::compose::Server;
use commands::{envelope::Envelope, error::DispatchError};
use domain::{
    any::AnyCommand,
    call,
    cause::EndReason,
    id::{CallId, CommandId, DEFAULT_TENANT},
};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long running calls may go on after the signal. A second signal ends
/// them at once.
const DRAIN: Duration = Duration::from_secs(30);
/// How often the drain looks whether calls are left.
const LOOK: Duration = Duration::from_millis(100);
/// Time for the BYEs to be answered after the last call was ended.
const FAREWELL: Duration = Duration::from_secs(2);

/// The signals that end a node. They are heard from the moment this exists, so
/// that one that comes during the start is not the end of it half-way.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// When signals can not be received.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Serves until SIGINT or SIGTERM, drains, stops.
///
/// # Errors
/// When a part could not go on: the node ends, so that whoever watches it starts
/// another; recovery ends the calls that were in progress.
pub async fn wait(server: Server, mut signals: Signals) -> anyhow::Result<()> {
    tokio::select! {
        () = signals.next() => {}
        () = server.failed() => {
            // Nobody speaks for these calls any more: the record will say, here or
            // on another node, that they are over.
            server.sip().let_go();
            until_quiet(&server, FAREWELL).await;
            server.stop().await;
            anyhow::bail!("a part of the server stopped: the log says which and why");
        }
    }
    server.sip().refuse_new_calls();
    tracing::info!(
        calls = server.sip().calls(),
        "draining: new calls are refused with 503"
    );
    tokio::select! {
        () = until_quiet(&server, DRAIN) => {}
        () = signals.next() => {}
    }
    end_all(&server).await;
    until_quiet(&server, FAREWELL).await;
    server.sip().settle_refusals().await;
    server.stop().await;
    Ok(())
}

async fn until_quiet(server: &Server, within: Duration) {
    let quiet = async {
        while server.sip().calls() > 0 {
            tokio::time::sleep(LOOK).await;
        }
    };
    // What is left after that is ended by command.
    let _ = tokio::time::timeout(within, quiet).await;
}

/// Ends every call of this node that is still there.
async fn end_all(server: &Server) {
    for call in server.sip().live_calls() {
        end(server, call).await;
    }
}

async fn end(server: &Server, call: CallId) {
    let (clock, entropy) = server.clock_and_entropy();
    let at = clock.now();
    let id = entropy.uuid(at);
    let reason = EndReason::Shutdown;
    let command = call::Command::EndCall {
        reason,
        ended_at: None,
        visit: None,
    };
    let envelope = Envelope {
        command: AnyCommand::Call(call, command),
        command_id: CommandId(id),
        at,
        correlation_id: call.0,
        causation_id: id,
        actor: "system:shutdown".into(),
        tenant: DEFAULT_TENANT,
    };
    match server.gateway().dispatch(envelope).await {
        // Refused: it has ended in the meantime.
        Ok(_) | Err(DispatchError::Refused(_)) => {}
        Err(error) => tracing::warn!(%call, %error, "call is left to whoever leads next"),
    }
}
