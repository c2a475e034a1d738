//! The settings of the relay and the limits that are not settings.

use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    path::PathBuf,
};

/// Commands that may wait for one shard; a sender of one more waits for room.
pub(crate) const COMMANDS_MAX: usize = 1024;
/// Events that may wait for their reader; a shard repeats one that found no room.
pub(crate) const EVENTS_MAX: usize = 4096;
/// Threads beyond this only fight for the sockets' locks.
pub(crate) const SHARDS_MAX: usize = 64;
/// Largest datagram that is relayed: an Ethernet frame. G.711 at 20 ms needs 172.
pub(crate) const DATAGRAM_BYTES_MAX: usize = 1500;
/// Descriptors that are kept free for the rest of the process.
pub(crate) const DESCRIPTORS_RESERVED: u64 = 1024;

/// Settings of the relay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Address that the RTP and RTCP sockets are bound to.
    pub listen: IpAddr,
    /// Address that is written into SDP; without it the listen address, or, if
    /// that is a wildcard, the address of the default route.
    pub advertised_host: Option<IpAddr>,
    /// Lowest port that may be used.
    pub port_min: u16,
    /// Highest port that may be used. Each leg takes an even port for RTP and
    /// the odd one after it for RTCP.
    pub port_max: u16,
    /// Relay threads.
    pub shards: usize,
    /// How long a port rests after its leg was closed, so that late packets of
    /// the old call never reach a new one.
    pub quarantine_ms: u64,
    /// A leg that should send and does not for this long is reported.
    pub silence_timeout_ms: u64,
    /// What callers can hear while they wait, by name: WAV files of one channel of 16 bits
    /// (PCM) at 8 kHz, of at most ten minutes, which are read at the start and played again
    /// and again.
    pub music: BTreeMap<String, PathBuf>,
    /// What callers can be told, by name: WAV files of one channel of 16 bits (PCM) at
    /// 8 kHz, of at most two minutes, which are read at the start.
    pub announcements: BTreeMap<String, PathBuf>,
    /// By what callers can be told their place in a line, by name: folders with such files,
    /// `1.wav`, `2.wav` and so on, and `more.wav` for whoever stands behind the last, of at
    /// most nine seconds each.
    pub positions: BTreeMap<String, PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            advertised_host: None,
            port_min: 20_000,
            port_max: 29_999,
            shards: 2,
            quarantine_ms: 10_000,
            silence_timeout_ms: 20_000,
            music: BTreeMap::new(),
            announcements: BTreeMap::new(),
            positions: BTreeMap::new(),
        }
    }
}

impl Options {
    /// The address that peers are told to send to.
    pub fn advertised(&self) -> IpAddr {
        match self.advertised_host {
            Some(host) => host,
            None if self.listen.is_unspecified() => default_route(self.listen),
            None => self.listen,
        }
    }

    /// Checks what the types can not say.
    ///
    /// # Errors
    /// The first setting that can not work.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        let first = u32::from(self.port_min).next_multiple_of(2).max(2);
        if first + 1 > u32::from(self.port_max) {
            return Err(StartError::NoPorts {
                port_min: self.port_min,
                port_max: self.port_max,
            });
        }
        if self.shards == 0 || self.shards > SHARDS_MAX {
            return Err(StartError::Shards {
                shards: self.shards,
            });
        }
        if self
            .advertised_host
            .is_some_and(|host| host.is_unspecified())
        {
            return Err(StartError::AdvertisedWildcard);
        }
        Ok(())
    }
}

/// Asks the routing table which address this host uses towards the outside.
/// Connecting a UDP socket sends nothing (the addresses are documentation ones).
fn default_route(listen: IpAddr) -> IpAddr {
    let outside: SocketAddr = match listen {
        IpAddr::V4(_) => (Ipv4Addr::new(192, 0, 2, 1), 9).into(),
        IpAddr::V6(_) => (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), 9).into(),
    };
    UdpSocket::bind((listen, 0))
        .and_then(|socket| socket.connect(outside).and_then(|()| socket.local_addr()))
        .map(|address| address.ip())
        .unwrap_or(match listen {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        })
}

/// Why the relay did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The range holds no even port with its odd neighbour.
    #[error("port range {port_min}..={port_max} holds no pair of ports")]
    NoPorts {
        /// As set.
        port_min: u16,
        /// As set.
        port_max: u16,
    },
    /// There must be at least one relay thread, and not more than 64.
    #[error("{shards} shards can not be started")]
    Shards {
        /// As set.
        shards: usize,
    },
    /// Nobody can send to a wildcard.
    #[error("advertised host is a wildcard address")]
    AdvertisedWildcard,
    /// A recording can not be played.
    #[error("announcements.{name}: {} can not be played: {reason}", .file.display())]
    Announcement {
        /// Which.
        name: String,
        /// As set.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A piece of music can not be played.
    #[error("music.{name}: {} can not be played: {reason}", .file.display())]
    Music {
        /// Which.
        name: String,
        /// As set.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A prompt can not be played.
    #[error("positions.{name}: {} can not be played: {reason}", .file.display())]
    Prompt {
        /// Of which prompts.
        name: String,
        /// Which.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The system has no thread, epoll, eventfd or timer for us.
    #[error("relay thread can not be started")]
    System(#[from] std::io::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_settings_can_start_and_advertise_a_real_address() {
        let options = Options::default();
        options.check().unwrap();
        assert!(!options.advertised().is_unspecified());
    }

    #[test]
    fn settings_that_can_not_work_are_named() {
        let range = |port_min, port_max| Options {
            port_min,
            port_max,
            ..Options::default()
        };
        assert!(range(20_000, 20_001).check().is_ok());
        assert!(range(20_001, 20_002).check().is_err());
        assert!(range(30_000, 20_000).check().is_err());
        assert!(range(65_535, 65_535).check().is_err());
        let none = Options {
            shards: 0,
            ..Options::default()
        };
        assert!(matches!(none.check(), Err(StartError::Shards { .. })));
    }

    #[test]
    fn a_misspelt_setting_is_named_and_a_missing_one_has_its_default() {
        let read = serde_json::from_str::<Options>;
        assert_eq!(read("{}").unwrap(), Options::default());
        let error = read(r#"{"port_mim": 1}"#).unwrap_err();
        assert!(error.to_string().contains("port_mim"));
    }
}
