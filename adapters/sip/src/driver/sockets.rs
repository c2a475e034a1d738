//! The sockets that a server opens, and the addresses that others know them by.

use super::StartError;
use crate::{options::Options, transport::udp};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};
use tokio::net::{TcpListener, UdpSocket};

/// What is listened on.
pub(super) struct Sockets {
    pub(super) udp: Arc<UdpSocket>,
    pub(super) tcp: TcpListener,
    pub(super) ws: Option<TcpListener>,
    /// Address of the first two.
    pub(super) local: SocketAddr,
}

impl Sockets {
    pub(super) async fn bind(options: &Options) -> Result<Self, StartError> {
        let failed = |key, address| {
            move |source| StartError::Listen {
                address,
                key,
                source,
            }
        };
        let udp_failed = failed("listen", options.listen);
        let (udp, tcp) = bind_pair(options.listen).await.map_err(udp_failed)?;
        let local = udp.local_addr().map_err(udp_failed)?;
        let ws = match options.ws_listen {
            Some(address) => {
                let listener = TcpListener::bind(address).await;
                Some(listener.map_err(failed("ws_listen", address))?)
            }
            None => None,
        };
        Ok(Self {
            udp,
            tcp,
            ws,
            local,
        })
    }

    /// Where WebSockets are accepted.
    pub(super) fn ws_addr(&self) -> Option<SocketAddr> {
        self.ws.as_ref()?.local_addr().ok()
    }

    /// The error of the first two.
    pub(super) const fn failed(&self, source: std::io::Error) -> StartError {
        StartError::Listen {
            address: self.local,
            key: "listen",
            source,
        }
    }
}

/// Tries of a pair when any port will do.
const PAIRS_MAX: u32 = 20;

/// UDP and TCP on one port. With port 0 the system gives a free UDP port whose
/// number may be taken in TCP: then another one is asked for.
async fn bind_pair(listen: SocketAddr) -> std::io::Result<(Arc<UdpSocket>, TcpListener)> {
    let mut tries = 1;
    loop {
        let socket = udp::bind(listen)?;
        match TcpListener::bind(socket.local_addr()?).await {
            Ok(listener) => return Ok((Arc::new(socket), listener)),
            Err(error) if listen.port() != 0 || tries >= PAIRS_MAX => return Err(error),
            Err(_) => tries += 1,
        }
    }
}

/// The address by which others reach a socket that listens on `ip`: itself, or
/// for "any" the one that the default route goes out from.
pub(super) fn own_host(ip: IpAddr) -> String {
    crate::address::host_of(own_ip(ip))
}

pub(super) fn own_ip(ip: IpAddr) -> IpAddr {
    if ip.is_unspecified() {
        let any = SocketAddr::new(ip, 0);
        let far: SocketAddr = match ip {
            IpAddr::V4(_) => ([198, 51, 100, 1], 9).into(),
            IpAddr::V6(_) => ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 9).into(),
        };
        // Connecting a datagram socket sends nothing; it only picks a route.
        std::net::UdpSocket::bind(any)
            .and_then(|socket| {
                socket.connect(far)?;
                socket.local_addr()
            })
            .map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip())
    } else {
        ip
    }
}
