//! Which nodes run on the log, and what this one may do: a handle for all who
//! must know, fed by whoever keeps the node's lease.

use domain::time::Timestamp;
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// How a run of a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It gives signs of life.
    Live,
    /// It has given no sign of life for half of its lease, and nobody has fenced it
    /// yet: it may come back.
    Late,
}

/// A run of a node that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The node's name.
    pub name: Arc<str>,
    /// The run number.
    pub node_epoch: u64,
    /// Where other nodes reach its SIP; none before it listens.
    pub sip: Option<SocketAddr>,
    /// Where its HTTP listens; none before it does.
    pub http: Option<SocketAddr>,
    /// When the run began.
    pub started_at: Timestamp,
    /// Its last sign of life, by its own clock.
    pub last_beat_at: Timestamp,
    /// How it is.
    pub health: Health,
    /// It runs the processes and the read models.
    pub leads: bool,
}

/// How long this node may act without hearing from the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    /// Nobody else can have the store.
    Forever,
    /// Until then, by this machine's monotonic clock.
    Until(Instant),
    /// Others have taken its place: for good.
    Fenced,
}

/// What is known of the nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Every run that is not over, this one too.
    pub members: Arc<[Member]>,
    /// Of this node.
    pub lease: Lease,
    /// The fencing token under which this node runs the processes and the read
    /// models; none on a standby.
    pub leading: Option<u64>,
}

/// A handle on what is known of the nodes; cheap to clone.
#[derive(Debug, Clone)]
pub struct Roster {
    name: Arc<str>,
    node_epoch: u64,
    seen: Arc<watch::Sender<Seen>>,
    looks: Arc<watch::Sender<Looks>>,
}

/// Requests to look at the store again, counted: a look serves those that were
/// there when it began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Looks {
    asked: u64,
    served: u64,
}

impl Roster {
    /// Of a node that has joined.
    pub fn new(name: &str, node_epoch: u64, seen: Seen) -> Self {
        Self {
            name: name.into(),
            node_epoch,
            seen: Arc::new(watch::Sender::new(seen)),
            looks: Arc::default(),
        }
    }

    /// Of the only node on its store.
    pub fn alone(name: &str, node_epoch: u64) -> Self {
        let seen = Seen {
            members: Arc::new([]),
            lease: Lease::Forever,
            leading: Some(0),
        };
        Self::new(name, node_epoch, seen)
    }

    /// This node's name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// This run's number.
    pub const fn node_epoch(&self) -> u64 {
        self.node_epoch
    }

    /// What was seen last.
    pub fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Becomes new with everything that is seen.
    pub fn watch(&self) -> watch::Receiver<Seen> {
        self.seen.subscribe()
    }

    /// Tells everybody what the keeper has seen.
    pub fn publish(&self, seen: Seen) {
        self.seen.send_if_modified(|last| {
            let is_new = *last != seen;
            *last = seen;
            is_new
        });
    }

    /// Has the keeper look at the store now, and does not wait for it.
    pub fn ask(&self) {
        if self.is_shared() {
            self.looks.send_modify(|looks| looks.asked += 1);
        }
    }

    /// What the store says now: a node may have joined, or have told its addresses,
    /// since it was seen last. None if the store does not answer in time.
    pub async fn look(&self, within: Duration) -> Option<Seen> {
        if self.is_shared() {
            let mut looks = self.looks.subscribe();
            self.ask();
            let mine = looks.borrow_and_update().asked;
            let served = looks.wait_for(|looks| looks.served >= mine);
            tokio::time::timeout(within, served).await.ok()?.ok()?;
        }
        Some(self.seen())
    }

    /// For the keeper: which requests a look that begins now serves.
    pub fn asked(&self) -> u64 {
        self.looks.borrow().asked
    }

    /// For the keeper: that look is published.
    pub fn served(&self, asked: u64) {
        self.looks.send_modify(|looks| looks.served = asked);
    }

    /// For the keeper: when somebody asks.
    pub async fn until_asked(&self) {
        let mut looks = self.looks.subscribe();
        // The sender lives as long as this handle.
        let _ = looks.wait_for(|looks| looks.asked > looks.served).await;
    }

    /// The run of that name that is not over.
    pub fn member(&self, name: &str) -> Option<Member> {
        let seen = self.seen.borrow();
        let mut members = seen.members.iter();
        members.find(|member| &*member.name == name).cloned()
    }

    /// Whether other nodes can run on the same log.
    pub fn is_shared(&self) -> bool {
        self.seen.borrow().lease != Lease::Forever
    }

    /// Whether other nodes run on the same log.
    pub fn has_peers(&self) -> bool {
        let seen = self.seen.borrow();
        let mut members = seen.members.iter();
        members.any(|member| member.node_epoch != self.node_epoch)
    }

    /// Whether this node's lease holds: a node that was paused must not act
    /// before it knows that nobody has taken its place.
    pub fn may_act(&self) -> bool {
        match self.seen.borrow().lease {
            Lease::Forever => true,
            Lease::Until(instant) => Instant::now() < instant,
            Lease::Fenced => false,
        }
    }

    /// The fencing token, if this node runs the processes and the read models.
    pub fn leading(&self) -> Option<u64> {
        self.seen.borrow().leading
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn seen(lease: Lease) -> Seen {
        Seen {
            members: Arc::new([]),
            lease,
            leading: None,
        }
    }

    #[test]
    fn a_node_may_act_as_long_as_its_lease_holds() {
        let roster = Roster::alone("a", 1);
        assert!(roster.may_act() && !roster.has_peers());
        assert_eq!(roster.leading(), Some(0));
        let later = Instant::now() + Duration::from_secs(60);
        roster.publish(seen(Lease::Until(later)));
        assert!(roster.may_act());
        roster.publish(seen(Lease::Until(Instant::now())));
        assert!(!roster.may_act());
        roster.publish(seen(Lease::Fenced));
        assert!(!roster.may_act() && roster.leading().is_none());
    }

    #[tokio::test]
    async fn a_look_waits_for_one_that_began_after_it() {
        let later = Instant::now() + Duration::from_secs(60);
        let roster = Roster::new("a", 1, seen(Lease::Until(later)));
        let under_way = roster.asked();
        let looking = tokio::spawn({
            let roster = roster.clone();
            async move { roster.look(Duration::from_secs(60)).await?.leading }
        });
        roster.until_asked().await;
        roster.served(under_way);
        roster.until_asked().await;
        let asked = roster.asked();
        roster.publish(Seen {
            leading: Some(7),
            ..seen(Lease::Until(later))
        });
        roster.served(asked);
        assert_eq!(looking.await.expect("the look ends"), Some(7));
    }

    #[test]
    fn a_peer_is_any_other_run_on_the_log() {
        let member = |name: &str, node_epoch| Member {
            name: name.into(),
            node_epoch,
            sip: None,
            http: None,
            started_at: Timestamp::default(),
            last_beat_at: Timestamp::default(),
            health: Health::Live,
            leads: false,
        };
        let roster = Roster::alone("a", 1);
        let with = |members: Vec<Member>| Seen {
            members: members.into(),
            ..seen(Lease::Forever)
        };
        roster.publish(with(vec![member("a", 1)]));
        assert!(!roster.has_peers());
        roster.publish(with(vec![member("a", 1), member("b", 2)]));
        assert!(roster.has_peers());
        assert_eq!(roster.member("b").map(|b| b.node_epoch), Some(2));
        assert_eq!(roster.member("c"), None);
    }
}
