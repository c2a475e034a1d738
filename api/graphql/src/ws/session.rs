//! One WebSocket, from its upgrade to its close.

use super::message::{Close, Incoming, Init, Outgoing};
use crate::{
    auth::{Fingerprint, Identity},
    error::{Code, Fault},
    execute::App,
};
use async_graphql::{Request, Response, Value};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::{FutureExt as _, StreamExt as _};
use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::{
    sync::mpsc,
    task::AbortHandle,
    time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until, timeout},
};

/// Results that wait for a slow client; then its operations wait.
const RESULTS_MAX: usize = 64;
/// Pings without any answer after which a client is gone.
const SILENT_PINGS_MAX: u32 = 3;

/// What an operation has come to.
enum Outcome {
    Next(Box<Response>),
    Complete,
}

/// From the task of an operation. The serial tells an operation from an
/// earlier one with the same id.
struct Report {
    id: Arc<str>,
    serial: u64,
    outcome: Outcome,
}

/// An operation under way.
struct Operation {
    serial: u64,
    has_answered: bool,
    task: AbortHandle,
}

impl Drop for Operation {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Session {
    app: Arc<App>,
    socket: WebSocket,
    holder: Option<(Fingerprint, Identity)>,
    operations: HashMap<Arc<str>, Operation>,
    last_serial: u64,
    reports: mpsc::Sender<Report>,
    silent_pings: u32,
}

/// The socket is gone, or is to be closed.
enum End {
    Gone,
    Close(Close),
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

/// Serves the socket until one side ends it.
pub(super) async fn run(socket: WebSocket, app: Arc<App>) {
    let (reports, mut results) = mpsc::channel(RESULTS_MAX);
    let mut session = Session {
        app,
        socket,
        holder: None,
        operations: HashMap::new(),
        last_serial: 0,
        reports,
        silent_pings: 0,
    };
    if let Err(End::Close(close)) = session.serve(&mut results).await {
        let frame = CloseFrame {
            code: close.code(),
            reason: close.reason().into(),
        };
        // It may be gone already.
        let _ = session.send(Message::Close(Some(frame))).await;
    }
}

fn every(ms: u64) -> Interval {
    let period = Duration::from_millis(ms.max(1));
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

impl Session {
    async fn serve(&mut self, results: &mut mpsc::Receiver<Report>) -> Result<(), End> {
        let options = self.app.options();
        let init_until = Instant::now() + Duration::from_millis(options.init_timeout_ms);
        let mut pings = every(options.ping_interval_ms);
        let mut checks = every(options.token_check_ms);
        loop {
            tokio::select! {
                message = self.socket.recv() => match message {
                    Some(Ok(message)) => self.hear(message).await?,
                    Some(Err(_)) | None => return Err(End::Gone),
                },
                Some(report) = results.recv() => self.report(report).await?,
                () = sleep_until(init_until), if self.holder.is_none() => {
                    return Err(Close::InitTimeout.into());
                }
                _ = pings.tick() => self.ping().await?,
                _ = checks.tick() => self.check_token().await?,
            }
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        let limit = Duration::from_millis(self.app.options().send_timeout_ms);
        match timeout(limit, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }

    async fn say(&mut self, message: &Outgoing<'_>) -> Result<(), End> {
        let text = serde_json::to_string(message)
            .expect("a message is plain data: maps with string keys and no custom failure");
        self.send(Message::Text(text.into())).await
    }

    async fn ping(&mut self) -> Result<(), End> {
        self.silent_pings += 1;
        if self.silent_pings > SILENT_PINGS_MAX {
            return Err(End::Gone);
        }
        self.send(Message::Ping(Default::default())).await
    }

    /// A token that was revoked or changed since opens nothing any more.
    async fn check_token(&mut self) -> Result<(), End> {
        let Some((token, identity)) = &self.holder else {
            return Ok(());
        };
        match self.app.look_up(token).await {
            Ok(now) if now == *identity => Ok(()),
            // It can be asked again at the next check.
            Err(fault) if fault.code == Code::Unavailable => Ok(()),
            Ok(_) | Err(_) => Err(Close::Forbidden.into()),
        }
    }

    async fn hear(&mut self, message: Message) -> Result<(), End> {
        self.silent_pings = 0;
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return Err(Close::BadRequest.into()),
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Close(_) => return Err(End::Gone),
        };
        match serde_json::from_str(&text).map_err(|_| Close::BadRequest)? {
            Incoming::ConnectionInit { payload } => self.init(payload.unwrap_or_default()).await,
            Incoming::Ping {} => self.say(&Outgoing::Pong).await,
            Incoming::Pong {} => Ok(()),
            Incoming::Subscribe { id, payload } => self.subscribe(id, *payload).await,
            Incoming::Complete { id } => {
                self.operations.remove(id.as_str());
                Ok(())
            }
        }
    }

    async fn init(&mut self, init: Init) -> Result<(), End> {
        if self.holder.is_some() {
            return Err(Close::SecondInit.into());
        }
        match self.app.identify(init.authorization.as_deref()).await {
            Ok(holder) => {
                self.holder = Some(holder);
                self.say(&Outgoing::ConnectionAck).await
            }
            Err(fault) if fault.code == Code::Unavailable => Err(Close::TryAgain.into()),
            Err(_) => Err(Close::Forbidden.into()),
        }
    }

    async fn subscribe(&mut self, id: String, request: Request) -> Result<(), End> {
        let Some((token, identity)) = &self.holder else {
            return Err(Close::Unauthorized.into());
        };
        if self.operations.contains_key(id.as_str()) {
            return Err(Close::DuplicateId.into());
        }
        let mut admitted = self.app.admit(token);
        let operations_max = self.app.options().subscriptions_max;
        if self.operations.len() >= operations_max {
            let message = format!("more than {operations_max} operations on one connection");
            admitted = Err(Fault::new(Code::RateLimited, message));
        }
        if let Err(fault) = admitted {
            let response = fault.response(&self.app.trace());
            let payload = &response.errors;
            return self.say(&Outgoing::Error { id: &id, payload }).await;
        }
        let identity = identity.clone();
        self.start(id.into(), request, identity);
        Ok(())
    }

    fn start(&mut self, id: Arc<str>, request: Request, identity: Identity) {
        self.last_serial += 1;
        let serial = self.last_serial;
        let reports = self.reports.clone();
        let app = Arc::clone(&self.app);
        let report_as = Arc::clone(&id);
        let task = tokio::spawn(async move {
            let report = |outcome| {
                reports.send(Report {
                    id: Arc::clone(&report_as),
                    serial,
                    outcome,
                })
            };
            let run = async {
                let mut responses = std::pin::pin!(app.stream(request, identity));
                while let Some(response) = responses.next().await {
                    // The session ends its operations before it goes.
                    let _ = report(Outcome::Next(Box::new(response))).await;
                }
            };
            if AssertUnwindSafe(run).catch_unwind().await.is_err() {
                let fault = Fault::new(Code::Internal, "internal error");
                let response = fault.response(&app.trace());
                let _ = report(Outcome::Next(Box::new(response))).await;
            }
            let _ = report(Outcome::Complete).await;
        });
        let operation = Operation {
            serial,
            has_answered: false,
            task: task.abort_handle(),
        };
        self.operations.insert(id, operation);
    }

    async fn report(&mut self, report: Report) -> Result<(), End> {
        let id = report.id.as_ref();
        // One that was completed by the client is heard no more.
        let Some(operation) = self.operations.get_mut(id) else {
            return Ok(());
        };
        if operation.serial != report.serial {
            return Ok(());
        }
        match report.outcome {
            Outcome::Complete => {
                self.operations.remove(id);
                self.say(&Outgoing::Complete { id }).await
            }
            // Nothing was run: the protocol has another word for that, and it
            // is the last one.
            Outcome::Next(response)
                if !operation.has_answered
                    && response.data == Value::Null
                    && !response.errors.is_empty() =>
            {
                self.operations.remove(id);
                let payload = &response.errors;
                self.say(&Outgoing::Error { id, payload }).await
            }
            Outcome::Next(response) => {
                operation.has_answered = true;
                let payload = &*response;
                self.say(&Outgoing::Next { id, payload }).await
            }
        }
    }
}
