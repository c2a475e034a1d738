//! Offer and answer of one call, and what they mean for its audio (RFC 3264).

use std::io;
use std::net::IpAddr;

use crate::media::Media;
use crate::options::{MediaMode, PhoneOptions};
use crate::sdp::{Codec, Description, Direction};

/// The audio session of one call.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) media: Media,
    /// The other side holds us.
    pub(super) held_by_remote: bool,
    id: u64,
    version: u64,
    ip: IpAddr,
    run: bool,
    codecs: Vec<Codec>,
    telephone_event: Option<u8>,
    direction: Direction,
    held_by_us: bool,
    before_offer: (bool, Direction),
}

impl Session {
    pub(super) fn new(options: &PhoneOptions, ip: IpAddr, seed: u64) -> Self {
        Self {
            media: Media::new(seed),
            held_by_remote: false,
            id: seed >> 33,
            version: 0,
            ip,
            run: match options.media {
                MediaMode::On => true,
                MediaMode::PortOnly => false,
            },
            codecs: options.codecs.clone(),
            telephone_event: options.telephone_event,
            direction: Direction::SendRecv,
            held_by_us: false,
            before_offer: (false, Direction::SendRecv),
        }
    }

    /// An offer with all codecs; `hold` asks the other side to listen only.
    pub(super) fn offer(&mut self, hold: bool) -> io::Result<String> {
        let rtp = self.media.open(self.ip, self.run)?;
        self.before_offer = (self.held_by_us, self.direction);
        self.held_by_us = hold;
        self.direction = if hold {
            Direction::SendOnly
        } else {
            Direction::SendRecv
        };
        self.version += 1;
        let (codecs, telephone_event, direction) =
            (self.codecs.clone(), self.telephone_event, self.direction);
        Ok(Description {
            rtp,
            codecs,
            telephone_event,
            direction,
        }
        .render(self.id, self.version))
    }

    /// The offer was refused: what held before it still does (RFC 3264 8).
    pub(super) fn withdraw_offer(&mut self) {
        (self.held_by_us, self.direction) = self.before_offer;
    }

    /// The answer to an offer. `Ok(None)` if there is no common codec or no audio.
    pub(super) fn answer(&mut self, offer: &[u8]) -> io::Result<Option<String>> {
        let Some(remote) = Description::parse(offer) else {
            return Ok(None);
        };
        let Some(codec) = remote
            .codecs
            .iter()
            .copied()
            .find(|codec| self.codecs.contains(codec))
        else {
            return Ok(None);
        };
        let rtp = self.media.open(self.ip, self.run)?;
        let wanted = remote.direction.answered();
        self.direction = match (self.held_by_us, wanted) {
            (false, direction) => direction,
            // Our own hold outlives the other side's re-INVITE: we keep not wanting its audio.
            (true, Direction::SendRecv | Direction::SendOnly) => Direction::SendOnly,
            (true, Direction::RecvOnly | Direction::Inactive) => Direction::Inactive,
        };
        self.version += 1;
        self.held_by_remote = !remote.direction.receives();
        self.media.aim(&remote, codec, self.direction.sends());
        let telephone_event = remote
            .telephone_event
            .filter(|_| self.telephone_event.is_some());
        let answer = Description {
            rtp,
            codecs: vec![codec],
            telephone_event,
            direction: self.direction,
        };
        Ok(Some(answer.render(self.id, self.version)))
    }

    /// Takes the other side's answer. `None` if it has no audio we can send.
    pub(super) fn accept(&mut self, answer: &[u8]) -> Option<Direction> {
        let remote = Description::parse(answer)?;
        let codec = remote
            .codecs
            .iter()
            .copied()
            .find(|codec| self.codecs.contains(codec))?;
        self.media.aim(&remote, codec, self.direction.sends());
        Some(remote.direction)
    }
}
