//! What can be heard at the far end of a leg.

use crate::{g711::Law, leg::next_frame, music::Tracks};

/// What the far end of a leg hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hears {
    /// No packets.
    Nothing,
    /// Packets with silence.
    Silence,
    /// Music, and prompts between it.
    Music(Waiting),
    /// The notice that the call is about to be cut, and which frame is next.
    Notice { frame: usize },
    /// The ringing tone, and which frame is next.
    Ringback { frame: usize },
    /// The announcement of that place, and which frame is next.
    Announcement { place: usize, frame: usize },
    /// Packets with silence, after an announcement; whether that has been told.
    Announced { is_told: bool },
    /// The greeting of that place and a tone, and which frame is next; then silence, while
    /// what the far end says is recorded, so long at most.
    Greeting {
        place: Option<usize>,
        frame: usize,
        longest_ms: u32,
    },
    /// The leg in that slot of the same shard, which in turn hears this one.
    Peer(usize),
    /// The legs in these slots of the same shard, which hear each other.
    Conversation([usize; 2]),
}

/// Music from its beginning, again and again; a prompt in between begins it anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// Which track.
    pub(crate) track: usize,
    /// Which frame of it is next.
    frame: usize,
    /// Which prompt is heard instead, and which frame of it is next.
    prompt: Option<(usize, usize)>,
}

impl Waiting {
    pub(crate) const fn with(track: usize) -> Self {
        Self {
            track,
            frame: 0,
            prompt: None,
        }
    }

    /// That prompt is heard, from now to its end.
    pub(crate) const fn tell(&mut self, place: usize) {
        self.prompt = Some((place, 0));
    }

    /// What is heard in the next 20 ms.
    pub(crate) fn next<'a>(&mut self, tracks: &'a Tracks, law: Law) -> &'a [u8] {
        if let Some((place, frame)) = &mut self.prompt {
            if let Some(payload) = tracks.prompts.frame(*place, law, *frame) {
                *frame += 1;
                return payload;
            }
            (self.prompt, self.frame) = (None, 0);
        }
        next_frame(tracks.music.track(self.track), law, &mut self.frame)
    }
}
