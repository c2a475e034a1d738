//! Phones over TCP whose connection does not last as long as their calls.

use crate::{
    ends::{End, connect, hangup, hung_up, no_complaints},
    world::{PATIENCE, World, dial, open, open_with, options, rules},
};
use domain::cause::{By, Disposition, EndReason};
use phone::{Phone, Transport};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    time::timeout,
};

/// A phone's way to the server over something that may forget its connection: the
/// phone notices nothing, and whatever it sends next comes over another one.
struct Line {
    address: SocketAddr,
    forget: mpsc::Sender<()>,
    /// Methods of the requests that the server has sent over it.
    asked: watch::Receiver<Vec<String>>,
}

impl Line {
    async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (forget, forgets) = mpsc::channel(1);
        let (asks, asked) = watch::channel(vec![]);
        tokio::spawn(async move {
            let (phone, _) = listener.accept().await.unwrap();
            carry(phone, server, forgets, asks).await
        });
        Self {
            address,
            forget,
            asked,
        }
    }

    /// A phone behind it.
    fn options(&self, world: &World, user: &str) -> phone::PhoneOptions {
        let mut options = world.phone_options(user);
        options.server = self.address;
        options.transport = Transport::Tcp;
        options
    }

    /// The connection is gone; another comes with what the phone sends next.
    async fn cut(&self) {
        self.forget.send(()).await.unwrap();
        self.forget.reserve().await.unwrap();
    }

    fn times(&self, method: &str) -> usize {
        let asked = self.asked.borrow();
        asked.iter().filter(|have| *have == method).count()
    }

    /// Waits until the server has sent that request so often.
    async fn sees(&self, method: &str, times: usize) {
        let mut asked = self.asked.clone();
        let enough = asked.wait_for(|asked| {
            let count = asked.iter().filter(|have| *have == method).count();
            count >= times
        });
        timeout(PATIENCE, enough).await.unwrap().unwrap();
    }
}

async fn carry(
    mut phone: TcpStream,
    server: SocketAddr,
    mut forgets: mpsc::Receiver<()>,
    asks: watch::Sender<Vec<String>>,
) {
    let mut open: Option<TcpStream> = None;
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
                    open = Some(TcpStream::connect(server).await.unwrap());
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
                let methods = requests.filter_map(|line| line.split(' ').next());
                asks.send_modify(|all| all.extend(methods.map(str::to_owned)));
                if phone.write_all(&back[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_phone_that_comes_back_over_another_connection_keeps_its_call_on_hold_and_is_hung_up() {
    let world = open_with(sip::Options {
        probe_interval_ms: 200,
        ..options()
    })
    .await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let (line, callers) = (
        Line::to(world.sip.local_addr()).await,
        Line::to(world.sip.local_addr()).await,
    );
    let agent = world.agent_phone_with(line.options(&world, "anna")).await;
    let caller = Phone::bind(callers.options(&world, "4930111"))
        .await
        .unwrap();
    let before = world.feed().head();
    let (out, incoming) = connect(&caller, &agent).await;
    assert_eq!(incoming.hold().await.unwrap(), 200);
    let (_, call) = world.see(before, "call_held").await;
    line.cut().await;
    // Both phones are asked in turn: one of them can not be, for two rounds.
    callers.sees("OPTIONS", callers.times("OPTIONS") + 2).await;
    assert_eq!(world.ends_of(call).await, 0);
    agent.register(120).await.unwrap();
    line.sees("OPTIONS", line.times("OPTIONS") + 1).await;
    assert_eq!(incoming.resume().await.unwrap(), 200);

    // It may also be gone without a request in the dialog until the end.
    line.cut().await;
    agent.register(120).await.unwrap();
    assert_eq!(out.hang_up().await.unwrap(), 200);
    hung_up(&incoming).await;
    assert_eq!(world.the_end(before).await, hangup(By::Caller));
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn a_caller_who_is_cut_off_while_waiting_has_left_the_queue() {
    let world = open_with(sip::Options {
        t1_ms: 10,
        ..options()
    })
    .await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let line = Line::to(world.sip.local_addr()).await;
    let caller = Phone::bind(line.options(&world, "4930111")).await.unwrap();
    let before = world.feed().head();
    let out = dial(&caller, "support").await;
    out.wait_ringing(PATIENCE).await.unwrap();
    line.cut().await;
    let gone = End {
        disposition: Disposition::Abandoned,
        by: By::Caller,
        reason: EndReason::SignallingLost,
        sip_status: Some(480),
        incomplete: true,
    };
    assert_eq!(world.the_end(before).await, gone);
    // Whoever is ready then is rung for the next caller.
    let agent = world.agent_phone("anna").await;
    world.see_free(&agent).await;
    no_complaints(&[&agent]);
}

#[tokio::test]
async fn a_phone_whose_contact_names_its_connection_is_hung_up_over_the_new_one() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let old = Line::to(world.sip.local_addr()).await;
    let agent = world.agent_phone_with(old.options(&world, "anna")).await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let (out, _incoming) = connect(&caller, &agent).await;
    old.cut().await;
    let new = Line::to(world.sip.local_addr()).await;
    let again = world.agent_phone_with(new.options(&world, "anna")).await;
    assert_eq!(out.hang_up().await.unwrap(), 200);
    new.sees("BYE", 1).await;
    assert_eq!(world.the_end(before).await, hangup(By::Caller));
    no_complaints(&[&caller, &agent]);
    drop(again);
}

#[tokio::test]
async fn a_connection_is_not_closed_for_its_silence_while_a_call_is_on_it() {
    let world = open_with(sip::Options {
        tcp_idle_timeout_ms: 100,
        ..options()
    })
    .await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    let mut options = world.phone_options("4930111");
    options.transport = Transport::Tcp;
    let caller = Phone::bind(options).await.unwrap();
    let before = world.feed().head();
    let (out, incoming) = connect(&caller, &agent).await;
    // Others that say nothing are closed, one after the other, and this one not.
    for _ in 0..3 {
        let mut silent = TcpStream::connect(world.sip.local_addr()).await.unwrap();
        let closed = timeout(PATIENCE, silent.read_u8()).await.unwrap();
        assert!(closed.is_err(), "the server says nothing either");
    }
    assert_eq!(incoming.hang_up().await.unwrap(), 200);
    hung_up(&out).await;
    assert_eq!(world.the_end(before).await, hangup(By::Agent));
    no_complaints(&[&caller, &agent]);
}
