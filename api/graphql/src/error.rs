//! Errors as a client sees them: a code that is stable, a message in words and
//! the trace id of the request. Refusals by the rules are not here: they are
//! `userErrors` of a payload.

use crate::auth::{AuthError, Scope};
use async_graphql::{ErrorExtensionValues, Name, PathSegment, Response, ServerError, Value};
use commands::{
    error::DispatchError,
    ports::{StoreError, VaultError},
};
use projections::views::{Stale, ViewError};
use std::fmt;

/// `extensions.code` of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// The request is not understood, or over a limit of its form.
    Validation,
    /// No token, or none of ours.
    Authentication,
    /// The token is not good for that.
    Authorization,
    /// There is no such thing.
    NotFound,
    /// Too many requests.
    RateLimited,
    /// Our fault.
    Internal,
    /// Others kept writing; try again.
    Conflict,
    /// The store can not be reached; retry with the same command id.
    Unavailable,
    /// The views have not reached `minPosition` in time.
    Stale,
}

impl Code {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Validation => "VALIDATION_ERROR",
            Self::Authentication => "AUTHENTICATION_ERROR",
            Self::Authorization => "AUTHORIZATION_ERROR",
            Self::NotFound => "NOT_FOUND",
            Self::RateLimited => "RATE_LIMITED",
            Self::Internal => "INTERNAL_ERROR",
            Self::Conflict => "CONFLICT",
            Self::Unavailable => "UNAVAILABLE",
            Self::Stale => "STALE",
        }
    }
}

/// An error on its way to a client. What only an operator may know was logged
/// when it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) message: String,
    /// The scope that is missing.
    scope: Option<Scope>,
    /// The argument, or the field of the input, that it is about.
    field: Option<&'static str>,
}

impl Fault {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            scope: None,
            field: None,
        }
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(Code::Validation, message)
    }

    /// A value of that argument, or of that field of the input, which is named.
    pub(crate) fn field(field: &'static str, message: &str) -> Self {
        Self {
            field: Some(field),
            ..Self::validation(format!("{field}: {message}"))
        }
    }

    /// The same of a message that says it in its own words.
    pub(crate) const fn of(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Code::NotFound, message)
    }

    pub(crate) fn scope(scope: Scope) -> Self {
        Self {
            scope: Some(scope),
            ..Self::new(
                Code::Authorization,
                format!("token does not have the scope {scope}"),
            )
        }
    }

    fn internal(detail: &dyn fmt::Display) -> Self {
        tracing::error!(%detail, "the API has failed");
        Self::new(Code::Internal, "internal error")
    }

    fn unavailable(detail: &dyn fmt::Display) -> Self {
        tracing::warn!(%detail, "the API can not reach the store");
        Self::new(Code::Unavailable, "store is unavailable")
    }

    /// Personal data can not be sealed now.
    pub(crate) fn vault(error: &VaultError) -> Self {
        match error {
            VaultError::Unavailable(reason) => Self::unavailable(reason),
            VaultError::Broken(_) => Self::internal(error),
        }
    }

    fn extensions(&self) -> ErrorExtensionValues {
        let mut values = ErrorExtensionValues::default();
        values.set("code", self.code.name());
        if let Some(scope) = self.scope {
            values.set("scope", scope.name());
        }
        if let Some(field) = self.field {
            values.set("field", field);
        }
        values
    }

    /// The whole answer to a request that was not executed.
    pub(crate) fn response(self, trace: &str) -> Response {
        let mut error = ServerError::new(self.message.clone(), None);
        error.extensions = Some(self.extensions());
        let mut response = Response::from_errors(vec![error]);
        finish(&mut response, trace);
        response
    }
}

impl From<Fault> for async_graphql::Error {
    fn from(fault: Fault) -> Self {
        let extensions = Some(fault.extensions());
        Self {
            message: fault.message,
            source: None,
            extensions,
        }
    }
}

impl From<ViewError> for Fault {
    fn from(error: ViewError) -> Self {
        match error {
            ViewError::Unavailable(reason) => Self::unavailable(&reason),
            broken @ (ViewError::Corrupt(_) | ViewError::Unreadable(_)) => Self::internal(&broken),
            invalid @ ViewError::InvalidCursor => Self::validation(invalid.to_string()),
        }
    }
}

impl From<Stale> for Fault {
    fn from(stale: Stale) -> Self {
        Self::new(Code::Stale, stale.to_string())
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::unavailable(&error)
    }
}

impl From<VaultError> for Fault {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Unavailable(_) => {
                tracing::warn!(%error, "the API can not reach the keys");
                Self::new(Code::Unavailable, "key store is unavailable")
            }
            VaultError::Broken(_) => Self::internal(&error),
        }
    }
}

impl From<AuthError> for Fault {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Missing | AuthError::Invalid => {
                Self::new(Code::Authentication, error.to_string())
            }
            AuthError::Unavailable(error) => error.into(),
        }
    }
}

/// A dispatch that failed other than by a refusal.
pub(crate) fn fault_of(error: &DispatchError) -> Fault {
    match error {
        DispatchError::Conflict => Fault::new(Code::Conflict, error.to_string()),
        DispatchError::Unavailable(reason) => Fault::unavailable(reason),
        DispatchError::Refused(_) | DispatchError::Corrupt(_) => Fault::internal(error),
    }
}

/// What the validator adds to help a reader of the schema. Those who may not
/// read it must not learn names one guess at a time.
const SUGGESTION: &str = " Did you mean";

/// Gives every error its code and the trace id. An error without a code comes
/// from the parser, the validator or an input: the client's doing.
pub(crate) fn finish(response: &mut Response, trace: &str) {
    for error in &mut response.errors {
        if let Some(start) = error.message.find(SUGGESTION) {
            error.message.truncate(start);
        }
        let extensions = error.extensions.get_or_insert_default();
        if extensions.get("code").is_none() {
            extensions.set("code", Code::Validation.name());
        }
        extensions.set("traceId", trace);
        fill(&mut response.data, &error.path);
    }
}

/// The executor leaves a field out that has failed; a client expects null.
fn fill(data: &mut Value, path: &[PathSegment]) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    match (data, first) {
        (Value::Object(fields), PathSegment::Field(name)) => {
            let field = fields.entry(Name::new(name)).or_insert(Value::Null);
            fill(field, rest);
        }
        (Value::List(items), PathSegment::Index(index)) => {
            if let Some(item) = items.get_mut(*index) {
                fill(item, rest);
            }
        }
        // Null already, or above that.
        (_, PathSegment::Field(_) | PathSegment::Index(_)) => {}
    }
}
