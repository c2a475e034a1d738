//! Runs one request within its limits. Whatever goes wrong, the client gets an
//! answer with a code and a trace id.

use crate::{
    auth::{AuthError, Fingerprint, Identity, bearer, identify},
    error::{Code, Fault, finish},
    limits,
    options::Options,
    rate::Rate,
    schema::{ApiSchema, schema},
    services::{Probes, Services},
};
use async_graphql::{Data, Request, Response, parser::types::OperationType};
use futures_util::{FutureExt as _, Stream, StreamExt as _, stream};
use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, time::timeout};
use tracing::Instrument as _;

/// What every handler shares.
pub(crate) struct App {
    pub(crate) services: Services,
    pub(crate) probes: Probes,
    pub(crate) connections: Arc<Semaphore>,
    schema: ApiSchema,
    rate: Rate,
}

impl App {
    pub(crate) fn new(services: Services, probes: Probes) -> Self {
        Self {
            schema: schema(&services),
            rate: Rate::new(&services.options),
            connections: Arc::new(Semaphore::new(services.options.connections_max)),
            services,
            probes,
        }
    }

    pub(crate) fn options(&self) -> &Options {
        &self.services.options
    }

    /// Names one request in answers and logs.
    pub(crate) fn trace(&self) -> String {
        let now = self.services.clock.now();
        self.services.entropy.uuid(now).simple().to_string()
    }

    /// Who holds the token in a value of `Authorization`.
    pub(crate) async fn identify(
        &self,
        authorization: Option<&str>,
    ) -> Result<(Fingerprint, Identity), Fault> {
        let token = bearer(authorization.unwrap_or_default())?;
        let fingerprint = Fingerprint::of(token);
        let identity = self.look_up(&fingerprint).await?;
        Ok((fingerprint, identity))
    }

    /// Who holds it now: a token that was revoked opens nothing.
    pub(crate) async fn look_up(&self, token: &Fingerprint) -> Result<Identity, Fault> {
        let identity = identify(self.services.secrets.as_ref(), token).await?;
        if identity.tenant == self.services.tenant {
            Ok(identity)
        } else {
            // This installation's rows belong to one tenant.
            tracing::warn!(name = %identity.name, "token of another tenant");
            Err(AuthError::Invalid.into())
        }
    }

    /// Takes one request from what the token may ask.
    pub(crate) fn admit(&self, token: &Fingerprint) -> Result<(), Fault> {
        if self.rate.take(token, Instant::now()) {
            Ok(())
        } else {
            Err(Fault::new(Code::RateLimited, "too many requests"))
        }
    }

    /// Runs a query or a mutation.
    pub(crate) async fn execute(&self, mut request: Request, identity: Identity) -> Response {
        let trace = self.trace();
        if let Err(fault) = limits::inspect(&mut request, &identity, self.options()) {
            return fault.response(&trace);
        }
        let started = Instant::now();
        let is_mutation = operation(&mut request) == Some(OperationType::Mutation);
        let span = tracing::info_span!("graphql", trace, actor = identity.actor());
        let limit = Duration::from_millis(self.options().execution_timeout_ms);
        let schema = self.schema.clone();
        let run = async move { schema.execute(request.data(identity)).await }.instrument(span);
        // An order that was begun is carried out, also when whoever gave it has
        // gone or waits no longer.
        let run = async {
            if is_mutation {
                tokio::spawn(run).await.ok()
            } else {
                AssertUnwindSafe(run).catch_unwind().await.ok()
            }
        };
        let mut response = match timeout(limit, run).await {
            Ok(Some(response)) => response,
            // The panic hook has told where.
            Ok(None) => Fault::new(Code::Internal, "internal error").response(&trace),
            Err(_) => Fault::new(Code::Unavailable, "request took too long").response(&trace),
        };
        let outcome = if response.is_ok() { "done" } else { "failed" };
        metrics::histogram!("ringledger_graphql_latency_seconds", "outcome" => outcome)
            .record(started.elapsed().as_secs_f64());
        finish(&mut response, &trace);
        response
    }

    /// Runs any operation: a query or a mutation gives one response, a
    /// subscription as many as there are.
    pub(crate) fn stream(
        self: &Arc<Self>,
        mut request: Request,
        identity: Identity,
    ) -> impl Stream<Item = Response> + Send + use<> {
        let trace = self.trace();
        let inspected = limits::inspect(&mut request, &identity, self.options());
        let app = Arc::clone(self);
        match inspected {
            Err(fault) => stream::iter([fault.response(&trace)]).boxed(),
            Ok(()) if operation(&mut request) != Some(OperationType::Subscription) => {
                stream::once(async move { app.execute(request, identity).await }).boxed()
            }
            Ok(()) => {
                let mut data = Data::default();
                data.insert(identity);
                app.schema
                    .execute_stream_with_session_data(request, Arc::new(data))
                    .map(move |mut response| {
                        finish(&mut response, &trace);
                        response
                    })
                    .boxed()
            }
        }
    }
}

/// The kind of the operation that will run; none when it is not said which.
fn operation(request: &mut Request) -> Option<OperationType> {
    let name = request.operation_name.clone();
    let document = request.parsed_query().ok()?;
    let mut operations = document.operations.iter();
    let chosen = match name {
        Some(name) => operations.find(|(known, _)| known.is_none_or(|known| *known == name)),
        None => operations.next(),
    };
    chosen.map(|(_, operation)| operation.node.ty)
}
