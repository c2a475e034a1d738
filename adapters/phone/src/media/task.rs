//! The task of one call's audio: waits for packets, and sends one every 20 ms while something plays.

use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::time::{MissedTickBehavior, interval};

use super::Media;
use crate::rtp::FRAME_MS;

/// Larger than any packet of a voice call.
const PACKET_BYTES_MAX: usize = 2048;

/// Runs until the call's audio is closed or every handle is gone.
pub(super) async fn run(media: Media, socket: UdpSocket, run: bool) {
    let mut buffer = [0u8; PACKET_BYTES_MAX];
    // Bursts after a stall keep the count of packets right, as a phone's sound card does.
    let mut ticks = interval(Duration::from_millis(FRAME_MS));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut was_sending = false;
    loop {
        let sending = {
            let state = media.state();
            if state.closed {
                return;
            }
            run && state.remote.is_some() && state.sender.wants_to_send()
        };
        if sending && !was_sending {
            ticks.reset_immediately();
        }
        was_sending = sending;
        tokio::select! {
            received = socket.recv_from(&mut buffer), if run => match received {
                Ok((length, from)) => {
                    let mut state = media.state();
                    let expected = state.remote.is_none_or(|remote| remote == from);
                    state.receiver.on_packet(Instant::now(), &buffer[..length], expected);
                }
                // An unconnected UDP socket reports no error that lasts; waiting one frame keeps this loop from spinning.
                Err(_) => tokio::time::sleep(Duration::from_millis(FRAME_MS)).await,
            },
            _ = ticks.tick(), if sending => send_frame(&media, &socket).await,
            () = media.shared.changed.notified() => {}
        }
    }
}

async fn send_frame(media: &Media, socket: &UdpSocket) {
    let (packet, remote) = {
        let mut state = media.state();
        let Some(remote) = state.remote else { return };
        (state.sender.next_packet(Instant::now()), remote)
    };
    if let Some(packet) = packet {
        // A packet the kernel does not take is a lost packet: RTP lives with that.
        let _ = socket.send_to(&packet, remote).await;
    }
}
