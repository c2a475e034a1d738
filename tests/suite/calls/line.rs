//! A phone's way to the server over something that may forget its connection.

use crate::{
    ends::connect,
    world::{PATIENCE, World},
};
use phone::{IncomingCall, OutgoingCall, Phone, Transport};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    time::timeout,
};

/// What goes over a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaks {
    Sip,
    /// SIP in the frames of a WebSocket, which begins with a handshake.
    WebSocket,
}

/// A phone's way to the server over something that may forget its connection: the
/// phone notices nothing, and whatever it sends next comes over another one.
pub struct Line {
    address: SocketAddr,
    speaks: Speaks,
    forget: mpsc::Sender<()>,
    /// Methods of the requests that the server has sent over it. Those in frames may have
    /// bytes of the frame in front.
    asked: watch::Receiver<Vec<String>>,
}

impl Line {
    /// To a server that is reached over TCP.
    pub async fn to(server: SocketAddr) -> Self {
        Self::that(Speaks::Sip, server).await
    }

    /// To a server that is reached over WebSockets.
    pub async fn to_ws(server: SocketAddr) -> Self {
        Self::that(Speaks::WebSocket, server).await
    }

    async fn that(speaks: Speaks, server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (forget, forgets) = mpsc::channel(1);
        let (asks, asked) = watch::channel(vec![]);
        tokio::spawn(async move {
            let (phone, _) = listener.accept().await.unwrap();
            carry(phone, (speaks, server), forgets, asks).await
        });
        Self {
            address,
            speaks,
            forget,
            asked,
        }
    }

    /// A phone behind it.
    pub fn options(&self, world: &World, user: &str) -> phone::PhoneOptions {
        let mut options = world.phone_options(user);
        options.server = self.address;
        options.transport = match self.speaks {
            Speaks::Sip => Transport::Tcp,
            Speaks::WebSocket => Transport::Ws,
        };
        options
    }

    /// The connection is gone; another comes with what the phone sends next.
    pub async fn cut(&self) {
        self.forget.send(()).await.unwrap();
        self.forget.reserve().await.unwrap();
    }

    /// How often the server has sent that request.
    pub fn times(&self, method: &str) -> usize {
        count(&self.asked.borrow(), method)
    }

    /// Waits until the server has sent that request so often.
    pub async fn sees(&self, method: &str, times: usize) {
        let mut asked = self.asked.clone();
        let enough = asked.wait_for(|asked| count(asked, method) >= times);
        timeout(PATIENCE, enough).await.unwrap().unwrap();
    }
}

/// Caller and agent talk, each over a line, and the agent's is cut while it holds: the caller
/// alone is asked whether it is there, nothing ends, and the agent, which registers anew, has
/// its call back.
pub async fn comes_back_to_its_call(
    world: &World,
    (caller, callers): (&Phone, &Line),
    (agent, line): (&Phone, &Line),
) -> (OutgoingCall, IncomingCall) {
    let before = world.feed().head();
    let (out, incoming) = connect(caller, agent).await;
    assert_eq!(incoming.hold().await.unwrap(), 200);
    let (_, call) = world.see(before, "call_held").await;
    line.cut().await;
    // Both phones are asked in turn: one of them can not be, for two rounds.
    callers.sees("OPTIONS", callers.times("OPTIONS") + 2).await;
    assert_eq!(world.ends_of(call).await, 0);
    agent.register(120).await.unwrap();
    line.sees("OPTIONS", line.times("OPTIONS") + 1).await;
    assert_eq!(incoming.resume().await.unwrap(), 200);
    (out, incoming)
}

fn count(asked: &[String], method: &str) -> usize {
    asked.iter().filter(|have| have.ends_with(method)).count()
}

async fn carry(
    mut phone: TcpStream,
    (speaks, server): (Speaks, SocketAddr),
    mut forgets: mpsc::Receiver<()>,
    asks: watch::Sender<Vec<String>>,
) {
    let mut open: Option<TcpStream> = None;
    let mut opened = 0;
    let (mut out, mut back) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        let from_server = async {
            match &mut open {
                Some(stream) => stream.read(&mut back).await.unwrap_or(0),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(()) = forgets.recv() => open = None,
            length = phone.read(&mut out) => {
                let Ok(length @ 1..) = length else { return };
                if open.is_none() {
                    let mut stream = TcpStream::connect(server).await.unwrap();
                    // The first handshake is the phone's own.
                    if speaks == Speaks::WebSocket && opened > 0 {
                        shake_hands(&mut stream, server).await;
                    }
                    opened += 1;
                    open = Some(stream);
                }
                if let Some(stream) = &mut open {
                    stream.write_all(&out[..length]).await.unwrap();
                }
            }
            length = from_server => {
                if length == 0 {
                    return;
                }
                let text = String::from_utf8_lossy(&back[..length]);
                let requests = text.lines().filter(|line| line.ends_with(" SIP/2.0"));
                let methods = requests.filter_map(|line| Some(line.split_once(" sip:")?.0));
                asks.send_modify(|all| all.extend(methods.map(str::to_owned)));
                if phone.write_all(&back[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Opens a WebSocket in the phone's name (RFC 7118, 3). A frame knows nothing of those
/// before it, so what the phone sends next may be the first one here.
async fn shake_hands(stream: &mut TcpStream, server: SocketAddr) {
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: sip\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![];
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    assert!(
        answer.starts_with(b"HTTP/1.1 101 "),
        "{}",
        String::from_utf8_lossy(&answer)
    );
}
