//! A system outside that is told of events: an HTTP server that notes what it
//! is sent and answers as the test says.

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
};
use tokio::{net::TcpListener, task::AbortHandle};

/// What came, and what was answered.
#[derive(Debug, Clone)]
pub struct Letter {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`.
    pub timestamp: String,
    /// `webhook-signature`.
    pub signature: String,
    /// The body.
    pub body: Vec<u8>,
    /// What it was answered with.
    pub status: u16,
}

#[derive(Clone)]
struct Desk {
    letters: Arc<Mutex<Vec<Letter>>>,
    answer: Arc<AtomicU16>,
}

/// The receiver; it is gone with this.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    letters: Arc<Mutex<Vec<Letter>>>,
    answer: Arc<AtomicU16>,
    task: AbortHandle,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let status = desk.answer.load(Ordering::SeqCst);
    desk.letters
        .lock()
        .expect("nobody panics while holding it")
        .push(Letter {
            id: header("webhook-id"),
            timestamp: header("webhook-timestamp"),
            signature: header("webhook-signature"),
            body: body.to_vec(),
            status,
        });
    StatusCode::from_u16(status).expect("a test answers with a status")
}

impl Receiver {
    /// On a free port; answers with this status.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start(status: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let desk = Desk {
            letters: Arc::default(),
            answer: Arc::new(AtomicU16::new(status)),
        };
        let (letters, answer) = (desk.letters.clone(), desk.answer.clone());
        let app = Router::new().fallback(take).with_state(desk);
        let task = tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self {
            address,
            letters,
            answer,
            task: task.abort_handle(),
        })
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers with another status from now on.
    pub fn answer_with(&self, status: u16) {
        self.answer.store(status, Ordering::SeqCst);
    }

    /// Everything that came, in order.
    pub fn letters(&self) -> Vec<Letter> {
        let letters = self.letters.lock();
        letters.expect("nobody panics while holding it").clone()
    }
}
