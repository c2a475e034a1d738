//! What is committed together.

use tokio::sync::mpsc::Receiver;

/// Takes from the queue what those have to write who were answered a moment ago,
/// up to `most` together: they run before this task does again. Otherwise the
/// first of them would have a commit for itself, and the others would wait for it.
pub async fn gather<T>(queue: &mut Receiver<T>, group: &mut Vec<T>, most: usize) {
    let mut before = 0;
    while group.len() > before && group.len() < most {
        before = group.len();
        tokio::task::yield_now().await;
        while group.len() < most {
            match queue.try_recv() {
                Ok(one) => group.push(one),
                Err(_) => break,
            }
        }
    }
}
