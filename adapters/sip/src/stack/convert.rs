//! The crate's messages to ours and back. Headers cross as text.

use crate::message::{Headers, Method, Request, Response};
use rsipstack::sip::{self, Header, headers::make_header};

/// Ours from a received request; `None` for a method that the crate knows and
/// we do not.
pub(super) fn request(request: &sip::Request) -> Option<Request> {
    Some(Request {
        method: Method::parse(&request.method.to_string())?,
        // The crate escapes the escapes of a user part when it prints it.
        uri: request.uri.to_string().replace("%25", "%"),
        headers: plain(&request.headers),
        body: request.body.clone(),
    })
}

/// Ours from a received response.
pub(super) fn response(response: &sip::Response) -> Response {
    Response {
        status: response.status_code.code(),
        headers: plain(&response.headers),
        body: response.body.clone(),
    }
}

fn plain(headers: &sip::Headers) -> Headers {
    Headers(
        headers
            .iter()
            .filter(|header| !matches!(header, Header::ContentLength(_)))
            .map(|header| (header.name().to_owned(), header.value().to_owned()))
            .collect(),
    )
}

/// The crate's headers from ours.
pub(super) fn headers(headers: &Headers) -> sip::Headers {
    headers
        .0
        .iter()
        .map(|(name, value)| make_header(name, value.clone()))
        .collect::<Vec<_>>()
        .into()
}

/// The crate's request from ours; `None` if its URI is beyond the crate.
pub(super) fn to_stack(request: &Request) -> Option<sip::Request> {
    let mut headers = headers(&request.headers);
    headers.push(Header::ContentLength((request.body.len() as u32).into()));
    Some(sip::Request {
        method: request.method.as_str().parse().ok()?,
        uri: sip::Uri::try_from(request.uri.as_str()).ok()?,
        headers,
        version: sip::Version::V2,
        body: request.body.clone(),
    })
}
