//! A log that is away for one append.

use commands::ports::Append;
use ringledger_tests::gate::Gate;
use std::sync::{Arc, Mutex};
use store::Stores;

/// What is not stored.
#[derive(Default)]
pub(crate) struct Away {
    next: Mutex<Option<&'static str>>,
}

impl Away {
    /// The next append that begins with that event fails.
    pub(crate) fn refuse_next(&self, event_type: &'static str) {
        *self.next.lock().expect("no test panics while it holds it") = Some(event_type);
    }

    /// Stores in memory with such a log.
    pub(crate) async fn stores(self: &Arc<Self>) -> Stores {
        let mut stores = store::open("memory:")
            .await
            .expect("memory is always there");
        let away = self.clone();
        stores.log = Gate::before(stores.log, move |append| away.takes(append));
        stores
    }

    fn takes(&self, append: &Append) -> bool {
        let mut next = self.next.lock().expect("no test panics while it holds it");
        let mut events = append.changes.iter().flat_map(|change| &change.events);
        let is_refused = next.is_some() && events.next().map(|event| event.event_type) == *next;
        if is_refused {
            *next = None;
        }
        !is_refused
    }
}
