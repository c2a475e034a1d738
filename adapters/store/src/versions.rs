//! The versions of the streams that were written lately.

use commands::ports::StreamId;
use std::collections::HashMap;

/// How many streams each of the two generations holds.
const STREAMS_MAX: usize = 50_000;

/// A cache that forgets what was not used for a generation.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    young: HashMap<StreamId, u64>,
    old: HashMap<StreamId, u64>,
}

impl Versions {
    pub(crate) fn get(&mut self, stream: &StreamId) -> Option<u64> {
        if let Some(version) = self.young.get(stream) {
            return Some(*version);
        }
        let version = self.old.remove(stream)?;
        self.set(stream, version);
        Some(version)
    }

    pub(crate) fn set(&mut self, stream: &StreamId, version: u64) {
        if let Some(known) = self.young.get_mut(stream) {
            *known = version;
            return;
        }
        if self.young.len() >= STREAMS_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        // A version in the older generation is never looked at before this one.
        self.young.insert(stream.clone(), version);
    }

    /// After a transaction was undone nothing that was noted in it is true.
    pub(crate) fn forget(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_wins_over_generations() {
        let mut versions = Versions::default();
        let hot = StreamId::new("call", "hot");
        versions.set(&hot, 1);
        for number in 0..STREAMS_MAX {
            versions.set(&StreamId::new("call", number), 1);
        }
        versions.set(&hot, 2);
        assert_eq!(versions.get(&hot), Some(2));
        for number in 0..3 * STREAMS_MAX {
            versions.set(&StreamId::new("line", number), 1);
        }
        assert_eq!(versions.get(&hot), None);
    }
}
