//! HTTP connections: a bounded number, and none that says nothing.

use axum::Router;
use hyper::server::conn::http1::Builder;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Connections at once; more wait to be taken. Each is a descriptor of a process that
/// needs two for each leg's sound.
const CONNECTIONS_MAX: usize = 1_024;
/// How long a client may take for the head of a request, the first and each next one
/// on the same connection.
pub const HEAD_WAIT: Duration = Duration::from_secs(30);
/// Pause after a connection could not be taken, for want of descriptors.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Serves until `stop`, then until every request under way is answered.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    head_wait: Duration,
    stop: impl Future<Output = ()>,
) {
    // Only HTTP/1: to find out which version a client speaks takes its first bytes, and
    // nothing bounds the wait for them.
    let mut http = Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head_wait);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let (stopping, connections) = (CancellationToken::new(), TaskTracker::new());
    tokio::pin!(stop);
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = &mut stop => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "an HTTP connection could not be taken");
                tokio::time::sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        let service = TowerToHyperService::new(router.clone());
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let stopping = stopping.clone();
        connections.spawn(async move {
            let mut connection = pin!(connection.with_upgrades());
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stopping.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                // The client went away, or was too slow.
                tracing::debug!(%error, "an HTTP connection ended");
            }
            drop(place);
        });
    }
    drop(listener);
    stopping.cancel();
    connections.close();
    connections.wait().await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
        sync::oneshot,
    };

    /// All that comes until the server closes.
    async fn answer(mut stream: TcpStream, request: &str) -> String {
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn who_begins_no_request_or_does_not_end_it_is_let_go() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", axum::routing::get(|| async { "here" }));
        let (stop, stopped) = oneshot::channel::<()>();
        let wait = Duration::from_millis(200);
        let serving = tokio::spawn(serve(listener, router, wait, async {
            let _ = stopped.await;
        }));
        for begun in ["", "P", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.1\r\n"] {
            let slow = TcpStream::connect(address).await.unwrap();
            let answer = answer(slow, begun).await;
            assert!(!answer.contains("here"), "{begun:?}: {answer}");
        }
        let good = TcpStream::connect(address).await.unwrap();
        // Kept open for the next request, which does not come either.
        let answer = answer(good, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(answer.ends_with("here"), "{answer}");
        drop(stop);
        serving.await.unwrap();
    }
}
