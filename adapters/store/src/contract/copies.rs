//! What a copy of a log is.

use super::{
    installation::Installation,
    readers::{everything_is_kept, written_before},
    words::{Ids, append, append_of},
};
use commands::ports::{AppendError, Refusal, StreamId};
use domain::time::Timestamp;

/// A log that was dumped and restored elsewhere has every event at its position, with its
/// id and its time, knows what its commands came to, and goes on from there.
pub async fn dump_and_restore_keep_positions(store: &dyn Installation) {
    let stores = store.open().await.expect("it opens");
    let ids = Ids::new("dump");
    let refused = ids.command();
    let refusal = Refusal {
        stream: StreamId::new("note", ids.uuid()),
        version: 3,
        at: Timestamp::from_micros(1_800_000_000_000_001),
        code: "note.closed".into(),
        message: "note is closed".into(),
    };
    let noted = stores.log.refuse(0, refused, refusal.clone()).await;
    noted.expect("the refusal is kept");
    let before = written_before(stores.log.clone()).await;
    let copy = match store.copy(stores).await {
        Ok(copy) => copy,
        // Whoever has no copy says why; there is nothing that could lose a position.
        Err(why) => {
            assert!(!why.is_empty(), "a reason is given");
            return;
        }
    };
    let found = copy.log.find_refusal(refused).await.expect("read");
    assert_eq!(found, Some(refusal.clone()));
    let mut again = append_of(&ids, &refusal.stream, 0, 1);
    again.changes[0].command_id = refused;
    let told = AppendError::Refused {
        command_id: refused,
        refusal,
    };
    assert_eq!(append(&*copy.log, &again).await, Err(told));
    everything_is_kept(copy.log, before).await;
}
