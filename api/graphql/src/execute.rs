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
use async_graphql::{Data, Request, Response};
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
        let span = tracing::info_span!("graphql", trace, actor = identity.actor());
        let limit = Duration::from_millis(self.options().execution_timeout_ms);
        let run = self.schema.execute(request.data(identity)).instrument(span);
        let run = timeout(limit, AssertUnwindSafe(run).catch_unwind());
        let mut response = match run.await {
            Ok(Ok(response)) => response,
            // The panic hook has told where.
            Ok(Err(_)) => Fault::new(Code::Internal, "internal error").response(&trace),
            Err(_) => Fault::new(Code::Unavailable, "request took too long").response(&trace),
        };
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
            Ok(()) if !subscribes(&mut request) => {
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

/// Whether the operation that will run is a subscription.
fn subscribes(request: &mut Request) -> bool {
    use async_graphql::parser::types::OperationType;
    let name = request.operation_name.clone();
    let Ok(document) = request.parsed_query() else {
        return false;
    };
    document.operations.iter().any(|(known, operation)| {
        operation.node.ty == OperationType::Subscription
            && name
                .as_ref()
                .is_none_or(|name| known.is_none_or(|known| known == name))
    })
}
