//! The opening handshake (RFC 6455, 4.2) of a WebSocket that is to speak SIP (RFC 7118,
//! 4.1).

use super::{Socket, config};
use std::time::Duration;
use tokio::{io::AsyncWriteExt as _, net::TcpStream, time::timeout};
use tokio_tungstenite::{
    accept_hdr_async_with_config,
    tungstenite::{
        Error,
        error::ProtocolError,
        handshake::server::{ErrorResponse, Request, Response},
        http::{HeaderMap, HeaderValue, StatusCode, header},
        protocol::Role,
    },
};

/// How long a far end may take over its handshake.
const TIME_MAX: Duration = Duration::from_secs(10);

/// The subprotocol (RFC 7118, 4).
const SUBPROTOCOL: &str = "sip";

/// Opens the WebSocket; none when that was refused or came to nothing.
pub(super) async fn accept(mut stream: TcpStream) -> Option<Socket> {
    let opening = accept_hdr_async_with_config(&mut stream, speaks_sip, Some(config()));
    let opened = timeout(TIME_MAX, opening).await;
    match opened.map(|opened| opened.map(drop)) {
        // Nothing was read beyond the handshake: that would have been an error.
        Ok(Ok(())) => Some(Socket::from_raw_socket(stream, Role::Server, Some(config())).await),
        Ok(Err(error)) => {
            metrics::counter!("ringledger_sip_handshakes_refused_total").increment(1);
            tracing::debug!(%error, "websocket was not opened");
            if let Some(answer) = answer(&error) {
                let _ = timeout(TIME_MAX, stream.write_all(answer.as_bytes())).await;
            }
            None
        }
        Err(_) => {
            metrics::counter!("ringledger_sip_handshakes_refused_total").increment(1);
            None
        }
    }
}

/// Names the subprotocol, which a client must have offered.
#[allow(clippy::result_large_err, reason = "the library's own types")]
fn speaks_sip(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let Some(offered) = offered(request.headers()) else {
        let mut refusal = ErrorResponse::new(None);
        *refusal.status_mut() = StatusCode::BAD_REQUEST;
        let headers = refusal.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        headers.insert(
            header::SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(SUBPROTOCOL),
        );
        return Err(refusal);
    };
    response
        .headers_mut()
        .insert(header::SEC_WEBSOCKET_PROTOCOL, offered);
    Ok(response)
}

/// Our subprotocol as the client wrote it: it does not know it in another way.
fn offered(headers: &HeaderMap) -> Option<HeaderValue> {
    let values = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let mut offered = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim);
    let ours = offered.find(|offered| offered.eq_ignore_ascii_case(SUBPROTOCOL))?;
    HeaderValue::from_str(ours).ok()
}

/// What is answered to a request that opens no WebSocket; none if it has its answer, or
/// nobody is there.
fn answer(error: &Error) -> Option<String> {
    if matches!(error, Error::Http(_) | Error::Io(_)) {
        return None;
    }
    let is_version = matches!(
        error,
        Error::Protocol(ProtocolError::MissingSecWebSocketVersionHeader)
    );
    let (status, more) = match is_version {
        // RFC 6455, 4.4: the version that is spoken here.
        true => ("426 Upgrade Required", "Sec-WebSocket-Version: 13\r\n"),
        false => ("400 Bad Request", ""),
    };
    Some(format!(
        "HTTP/1.1 {status}\r\n{more}Connection: close\r\nContent-Length: 0\r\n\r\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sip_is_found_among_the_subprotocols_and_answered_as_it_was_written() {
        for (offers, found) in [
            (&["sip"][..], Some("sip")),
            (&["chat, SIP"], Some("SIP")),
            (&["chat", "mqtt , sip"], Some("sip")),
            (&["sips", "chat"], None),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            for offer in offers {
                headers.append(
                    header::SEC_WEBSOCKET_PROTOCOL,
                    HeaderValue::from_static(offer),
                );
            }
            let offered = offered(&headers);
            let offered = offered.as_ref().map(|value| value.to_str().unwrap());
            assert_eq!(offered, found, "{offers:?}");
        }
    }
}
