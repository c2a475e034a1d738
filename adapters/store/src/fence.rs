//! Who may write to a log whose server takes whatever it is sent, judged by the order in
//! which the log has it. Whoever opens the log claims it; what an earlier claim has
//! sent and the log has only after a later claim is void, for every reader alike. So a
//! version is not a revision of the server: void events have revisions too.

use commands::ports::StreamId;
use std::collections::{BTreeMap, BTreeSet};

/// The claims of a log and what is void in it, up to some place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fence {
    /// Number of the last claim; zero before there was one.
    newest: u64,
    /// Revisions of void events: few streams have any.
    voids: BTreeMap<StreamId, BTreeSet<u64>>,
}

/// What an event comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It has this version.
    Counts(u64),
    /// Whoever sent it had lost the log before.
    Void,
}

impl Fence {
    /// What is known of it.
    pub(crate) fn of(newest: u64, voids: impl IntoIterator<Item = (StreamId, u64)>) -> Self {
        let mut fence = Self {
            newest,
            ..Self::default()
        };
        for (stream, revision) in voids {
            fence.voids.entry(stream).or_default().insert(revision);
        }
        fence
    }

    /// Number of the last claim.
    pub(crate) const fn newest(&self) -> u64 {
        self.newest
    }

    /// The log says next that somebody has claimed it.
    pub(crate) const fn claimed(&mut self, number: u64) {
        if number > self.newest {
            self.newest = number;
        }
    }

    /// Whether what the log says next under that claim has an effect.
    pub(crate) const fn takes(&self, claim: u64) -> bool {
        claim >= self.newest
    }

    /// The log says next that this event stands in the stream.
    pub(crate) fn judge(&mut self, stream: &StreamId, revision: u64, claim: u64) -> Verdict {
        if self.takes(claim) {
            return Verdict::Counts(self.counted_before(stream, revision) + 1);
        }
        let voids = self.voids.entry(stream.clone()).or_default();
        voids.insert(revision);
        Verdict::Void
    }

    /// The version of an event that was judged; none when it is void.
    pub(crate) fn version(&self, stream: &StreamId, revision: u64) -> Option<u64> {
        let voids = self.voids.get(stream);
        let is_void = voids.is_some_and(|voids| voids.contains(&revision));
        (!is_void).then(|| self.counted_before(stream, revision) + 1)
    }

    /// How many of the stream's events are void.
    pub(crate) fn voids(&self, stream: &StreamId) -> u64 {
        let voids = self.voids.get(stream);
        voids.map_or(0, |voids| voids.len() as u64)
    }

    /// How many events the server has in the stream when it is at that version.
    pub(crate) fn length(&self, stream: &StreamId, version: u64) -> u64 {
        version + self.voids(stream)
    }

    /// The first revision behind a version.
    pub(crate) fn behind(&self, stream: &StreamId, version: u64) -> u64 {
        let mut revision = version;
        for void in self.voids.get(stream).into_iter().flatten() {
            if *void > revision {
                break;
            }
            revision += 1;
        }
        revision
    }

    fn counted_before(&self, stream: &StreamId, revision: u64) -> u64 {
        let voids = self.voids.get(stream);
        let void = voids.map_or(0, |voids| voids.range(..revision).count() as u64);
        revision - void
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> StreamId {
        StreamId::new("note", "one")
    }

    /// What stands in the log: a claim, or an event of the stream under one.
    #[derive(Debug, Clone, Copy)]
    enum Entry {
        Claim(u64),
        Event { revision: u64, claim: u64 },
    }

    /// A server that has one stream, and its own idea of who may write: only the
    /// expected length counts.
    #[derive(Debug, Clone, Default)]
    struct Log {
        entries: Vec<Entry>,
        length: u64,
        claims: u64,
    }

    impl Log {
        fn append(&mut self, expected: u64, claim: u64) -> bool {
            let is_expected = self.length == expected;
            if is_expected {
                let revision = self.length;
                self.entries.push(Entry::Event { revision, claim });
                self.length += 1;
            }
            is_expected
        }

        fn claim(&mut self) -> u64 {
            self.claims += 1;
            self.entries.push(Entry::Claim(self.claims));
            self.claims
        }
    }

    /// A server of ours: what it has read, and what it was told of its appends.
    #[derive(Debug, Clone)]
    struct Server {
        claim: u64,
        fence: Fence,
        read: usize,
        version: u64,
        acknowledged: Vec<u64>,
        is_fenced: bool,
    }

    impl Server {
        fn under(claim: u64) -> Self {
            Self {
                claim,
                fence: Fence::default(),
                read: 0,
                version: 0,
                acknowledged: vec![],
                is_fenced: false,
            }
        }

        fn open(log: &mut Log) -> Self {
            let mut server = Self::under(log.claim());
            server.catch_up(log);
            server
        }

        /// The versions that it had not read, and under which claim each was written.
        fn catch_up(&mut self, log: &Log) -> Vec<(u64, u64)> {
            let mut news = vec![];
            for entry in &log.entries[self.read..] {
                match *entry {
                    Entry::Claim(number) => self.fence.claimed(number),
                    Entry::Event { revision, claim } => {
                        match self.fence.judge(&stream(), revision, claim) {
                            Verdict::Counts(version) => {
                                assert_eq!(version, self.version + 1, "{log:?}");
                                self.version = version;
                                news.push((version, claim));
                            }
                            Verdict::Void => {}
                        }
                    }
                }
            }
            self.read = log.entries.len();
            self.is_fenced = !self.fence.takes(self.claim);
            news
        }

        /// One append as the log on the server does it, which may meet a stream that
        /// has moved on and is then sent again.
        fn append(&mut self, log: &mut Log) {
            while !self.is_fenced {
                let expected = self.fence.length(&stream(), self.version);
                let version = self.version + 1;
                let is_stored = log.append(expected, self.claim);
                let news = self.catch_up(log);
                if is_stored && news.contains(&(version, self.claim)) {
                    self.acknowledged.push(version);
                    return;
                }
                assert!(self.is_fenced || !news.is_empty() || !is_stored, "{log:?}");
            }
        }
    }

    /// All orders of so many steps of three servers, each of which opens with its first.
    fn orders() -> Vec<[usize; 7]> {
        let mut all = vec![];
        for number in 0..3_usize.pow(7) {
            let mut rest = number;
            all.push(std::array::from_fn(|_| {
                let who = rest % 3;
                rest /= 3;
                who
            }));
        }
        all
    }

    #[test]
    fn what_was_acknowledged_is_in_the_log_and_nothing_of_one_who_had_lost_it_is() {
        for order in orders() {
            let mut log = Log::default();
            let mut servers: [Option<Server>; 3] = [None, None, None];
            for who in order {
                match &mut servers[who] {
                    Some(server) => server.append(&mut log),
                    closed @ None => *closed = Some(Server::open(&mut log)),
                }
            }
            let mut reader = Server::under(0);
            let counted = reader.catch_up(&log);
            // Claims follow each other, and none comes back.
            assert!(counted.is_sorted_by_key(|(_, claim)| *claim), "{log:?}");
            for server in servers.iter_mut().flatten() {
                let ours = counted.iter().filter(|(_, claim)| *claim == server.claim);
                let ours: Vec<_> = ours.map(|(version, _)| *version).collect();
                assert_eq!(server.acknowledged, ours, "{order:?} {log:?}");
                server.catch_up(&log);
                assert_eq!(server.fence, reader.fence, "{order:?} {log:?}");
                assert_eq!(server.version, reader.version);
                assert_eq!(server.fence.newest(), log.claims);
            }
        }
    }

    #[test]
    fn an_append_on_its_way_while_another_takes_the_log_is_void_and_the_stream_goes_on() {
        let mut log = Log::default();
        let mut old = Server::open(&mut log);
        old.append(&mut log);
        // It has looked, and sends only after the other has taken over.
        let expected = old.fence.length(&stream(), old.version);
        let mut new = Server::open(&mut log);
        assert!(log.append(expected, old.claim));
        assert_eq!(old.catch_up(&log), []);
        assert!(old.is_fenced);
        new.append(&mut log);
        new.append(&mut log);
        assert_eq!((new.version, log.length), (3, 4));
        assert_eq!(new.acknowledged, [2, 3]);
    }

    #[test]
    fn versions_have_no_holes_where_void_events_stand() {
        let voids = [0, 3, 4, 7].map(|revision| (stream(), revision));
        let fence = Fence::of(2, voids);
        let versions: Vec<_> = (0..9)
            .map(|revision| fence.version(&stream(), revision))
            .collect();
        let wanted = [0, 1, 2, 0, 0, 3, 4, 0, 5].map(|version| (version > 0).then_some(version));
        assert_eq!(versions, wanted);
        let behind: Vec<_> = (0..=5).map(|n| fence.behind(&stream(), n)).collect();
        assert_eq!(behind, [1, 2, 5, 6, 8, 9]);
        assert_eq!(fence.length(&stream(), 5), 9);
        let other = StreamId::new("note", "two");
        assert_eq!(fence.version(&other, 3), Some(4));
        assert_eq!((fence.behind(&other, 3), fence.length(&other, 3)), (3, 3));
    }
}
