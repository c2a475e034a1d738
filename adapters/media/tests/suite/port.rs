//! Ports come from the range, return, and run out with a clear error.

use crate::support::{leg, options, start, until};
use ringledger_media::{OpenError, Options};
use std::net::{Ipv4Addr, UdpSocket};

#[test]
fn a_closed_leg_gives_its_ports_back_after_quarantine() {
    let (relay, _events) = start(&options(1));
    let first = relay.open_caller(leg(1)).unwrap();
    assert_eq!(first.rtp.port() % 2, 0, "RTP is on an even port");
    assert_eq!(relay.open_ports(), 1);
    relay.close(leg(1));
    until("the port is returned", || relay.open_ports() == 0);
    until("the quarantine ends", || relay.open_caller(leg(2)).is_ok());
    assert_eq!(relay.open_caller(leg(2)).unwrap(), first);
}

#[test]
fn an_exhausted_range_says_so() {
    let (relay, _events) = start(&Options {
        quarantine_ms: 60_000,
        ..options(3)
    });
    for number in 0..3 {
        relay.open(leg(number)).unwrap();
    }
    relay.close(leg(0));
    until("the port is returned", || relay.open_ports() == 2);
    let error = relay.open_caller(leg(9)).unwrap_err();
    assert!(matches!(
        error,
        OpenError::PortsExhausted {
            in_use: 2,
            resting: 1,
            pairs: 3,
            kept: 1
        }
    ));
    assert_eq!(
        error.to_string(),
        "no RTP port is free: 2 in use, 1 in quarantine, 3 in all, 1 of them for those who answer"
    );
}

#[test]
fn a_port_of_another_process_is_stepped_over() {
    let options = options(2);
    let _taken = UdpSocket::bind((Ipv4Addr::LOCALHOST, options.port_min + 1)).unwrap();
    let (relay, _events) = start(&options);
    let local = relay.open(leg(1)).unwrap();
    assert_eq!(local.rtp.port(), options.port_min + 2);
    assert!(relay.open(leg(2)).is_err());
}

#[test]
fn the_relay_closes_its_sockets_when_the_last_handle_goes() {
    let options = options(1);
    let (relay, mut events) = start(&options);
    let local = relay.open(leg(1)).unwrap();
    assert!(UdpSocket::bind(local.rtp).is_err());
    assert!(relay.descriptors_max() >= 256);
    drop(relay.clone());
    drop(relay);
    UdpSocket::bind(local.rtp).unwrap();
    assert_eq!(events.blocking_recv(), None);
}

#[test]
fn the_advertised_address_is_the_one_that_is_set() {
    let (relay, _events) = start(&Options {
        advertised_host: Some("203.0.113.5".parse().unwrap()),
        ..options(1)
    });
    let local = relay.open(leg(1)).unwrap();
    assert_eq!(local.rtp.ip().to_string(), "203.0.113.5");
}
