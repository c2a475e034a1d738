//! Which version of a plan, or of a deck, counts when.

use crate::time::Timestamp;

/// Of versions in their order the one that was in force at an instant: the last that was
/// published until then. The first counts also before it was: nothing else was said.
pub fn in_force<V>(
    versions: impl DoubleEndedIterator<Item = V> + Clone,
    published_at: impl Fn(&V) -> Timestamp,
    at: Timestamp,
) -> Option<V> {
    let mut latest = versions.clone().rev();
    let published = latest.find(|version| published_at(version) <= at);
    published.or_else(|| versions.into_iter().next())
}
