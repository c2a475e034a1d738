//! What can be heard at the far end of a leg.

/// What the far end of a leg hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hears {
    /// No packets.
    Nothing,
    /// Packets with silence.
    Silence,
    /// The track, and which frame is next.
    Music { frame: usize },
    /// The prompt of that place, and which frame is next; then music.
    Prompt { place: usize, frame: usize },
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
