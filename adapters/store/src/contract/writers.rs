//! Many writers at once, on one node or on several.

use super::{
    installation::Installation,
    words::{DEADLINE, Ids, append, append_of, everything},
};
use commands::ports::{AppendError, EventLog, Position, Recorded, StreamId};
use std::{collections::BTreeMap, sync::Arc};
use tokio::task::{JoinHandle, yield_now};

/// Writers at once.
const WRITERS: usize = 16;
/// Appends that each of them gets through.
const APPENDS: u64 = 60;

/// Sixteen writers, some of whose appends are refused, and a reader that
/// follows the tail: it sees everything exactly once, in order of commit, and
/// never has to go back. `logs` are the nodes of one log.
pub async fn a_tail_reader_misses_nothing(logs: Vec<Arc<dyn EventLog>>) {
    let ids = Arc::new(Ids::new("tail"));
    let reader = tokio::spawn(follow(Arc::clone(&logs[0]), WRITERS as u64 * APPENDS * 2));
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let log = Arc::clone(&logs[writer % logs.len()]);
        let ids = Arc::clone(&ids);
        writers.push(tokio::spawn(async move {
            let stream = StreamId::new("note", ids.uuid());
            let mut positions = Vec::new();
            for number in 0..APPENDS {
                let version = number * 2;
                let good = append_of(&ids, &stream, version, 2);
                let bad = append_of(&ids, &stream, version + 99, 1);
                let batch = match writer % 3 {
                    0 => vec![good],
                    1 => vec![bad, good],
                    _ => vec![good, bad.clone(), bad],
                };
                let appended = log.append(batch).await.into_iter().find_map(Result::ok);
                let appended = appended.expect("the good one is stored");
                assert!(appended.previous_head < appended.first);
                positions.push(appended.first);
            }
            (stream, positions)
        }));
    }
    let seen = tokio::time::timeout(DEADLINE, reader)
        .await
        .expect("the reader reaches the end in time")
        .expect("the reader does not fail");
    for pair in seen.windows(2) {
        assert!(pair[0].position < pair[1].position, "order of positions");
    }
    let mut by_stream: BTreeMap<&StreamId, Vec<&Recorded>> = BTreeMap::new();
    for event in &seen {
        by_stream.entry(&event.stream).or_default().push(event);
    }
    assert_eq!(by_stream.len(), WRITERS);
    for writer in writers {
        let (stream, positions) = writer.await.expect("writer does not fail");
        let events = &by_stream[&stream];
        let versions: Vec<_> = events.iter().map(|event| event.version).collect();
        assert_eq!(versions, (1..=APPENDS * 2).collect::<Vec<_>>());
        for (number, first) in positions.into_iter().enumerate() {
            assert_eq!(events[number * 2].position, first);
            let second = events[number * 2 + 1].position;
            assert_eq!(second, Position(first.0 + 1), "an append has no hole");
        }
    }
    assert_eq!(everything(&*logs[logs.len() - 1], Position(0)).await, seen);
}

async fn follow(log: Arc<dyn EventLog>, wanted: u64) -> Vec<Recorded> {
    let mut wakeups = log.wakeups();
    let mut seen = Vec::new();
    let mut after = Position(0);
    while (seen.len() as u64) < wanted {
        let page = log.read_all(after, 7).await.expect("read");
        if page.events.is_empty() {
            let woken = wakeups.wait_for(|head| *head > after);
            woken.await.expect("log is alive");
            continue;
        }
        after = page.next;
        seen.extend(page.events);
    }
    seen
}

/// Sixteen writers on one stream, each trying again after a conflict: the
/// stream has every command once and no hole. `logs` are nodes of one log.
pub async fn a_hot_stream_stays_contiguous(logs: Vec<Arc<dyn EventLog>>) {
    const EACH: usize = 12;
    let ids = Arc::new(Ids::new("hot"));
    let stream = StreamId::new("note", "hot");
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let log = Arc::clone(&logs[writer % logs.len()]);
        let (ids, stream) = (Arc::clone(&ids), stream.clone());
        writers.push(tokio::spawn(async move {
            let mut version = 0;
            for _ in 0..EACH {
                let mut one = append_of(&ids, &stream, version, 2);
                loop {
                    match append(&*log, &one).await {
                        Ok(appended) => {
                            version = appended.changes[0].version;
                            break;
                        }
                        Err(AppendError::Conflict { expected, actual }) => {
                            assert_eq!(expected, one.expected);
                            one.expected = actual;
                        }
                        Err(
                            error @ (AppendError::Duplicate { .. }
                            | AppendError::Refused { .. }
                            | AppendError::Fenced
                            | AppendError::Unavailable(_)),
                        ) => unreachable!("{error}"),
                    }
                }
            }
        }));
    }
    all_end(writers).await;
    let events = logs[0].read_stream(&stream, 0).await.expect("read");
    let versions: Vec<_> = events.iter().map(|event| event.version).collect();
    assert_eq!(
        versions,
        (1..=(WRITERS * EACH * 2) as u64).collect::<Vec<_>>()
    );
    let positions: Vec<_> = events.iter().map(|event| event.position.0).collect();
    assert!(positions.is_sorted());
    let pairs = events.chunks(2);
    assert!(
        pairs
            .clone()
            .all(|pair| pair[0].command_id == pair[1].command_id)
    );
    let mut commands: Vec<_> = pairs.map(|pair| pair[0].command_id).collect();
    commands.sort_unstable();
    commands.dedup();
    assert_eq!(commands.len(), WRITERS * EACH);
}

/// Every writer comes to its end, and none fails.
async fn all_end(writers: Vec<JoinHandle<()>>) {
    for writer in writers {
        let done = tokio::time::timeout(DEADLINE, writer).await;
        done.expect("in time").expect("writer does not fail");
    }
}

/// Sixteen writers, of whose appends some are refused and some are given up on at any
/// moment, as by a caller who hangs up: each of them is in the log as a whole or not at
/// all, one that is tried again has one effect, and who follows the tail sees every event
/// once, in order, and never has to go back.
pub async fn writers_that_are_given_up_on_lose_nothing(log: Arc<dyn EventLog>) {
    const EACH: u64 = 24;
    let ids = Arc::new(Ids::new("given-up"));
    let reader = tokio::spawn(follow(Arc::clone(&log), WRITERS as u64 * EACH * 2));
    let mut writers = Vec::new();
    for writer in 0..WRITERS as u64 {
        let (log, ids) = (Arc::clone(&log), Arc::clone(&ids));
        writers.push(tokio::spawn(async move {
            let stream = StreamId::new("note", ids.uuid());
            for number in 0..EACH {
                let one = append_of(&ids, &stream, number * 2, 2);
                let undone = append_of(&ids, &stream, number * 2 + 7, 1);
                let batch = vec![undone, one.clone()];
                let pending = tokio::spawn({
                    let log = Arc::clone(&log);
                    async move { log.append(batch).await }
                });
                // Another moment each time: before it was begun, amid it, after it.
                for _ in 0..(writer + number) % 5 {
                    yield_now().await;
                }
                if (writer + number) % 3 == 0 {
                    pending.abort();
                }
                // How it ended is not known to who gave up.
                let _ = pending.await;
                match append(&*log, &one).await {
                    Ok(appended) => assert_eq!(appended.changes[0].version, number * 2 + 2),
                    Err(AppendError::Duplicate { written, .. }) => {
                        assert_eq!(written.version, number * 2 + 2);
                    }
                    Err(
                        error @ (AppendError::Conflict { .. }
                        | AppendError::Refused { .. }
                        | AppendError::Fenced
                        | AppendError::Unavailable(_)),
                    ) => unreachable!("{error}"),
                }
            }
        }));
    }
    all_end(writers).await;
    let seen = tokio::time::timeout(DEADLINE, reader).await;
    let seen = seen.expect("in time").expect("the reader does not fail");
    for (event, position) in seen.iter().zip(1..) {
        assert_eq!(event.position, Position(position), "no hole");
    }
    for pair in seen.chunks(2) {
        assert_eq!(pair[0].command_id, pair[1].command_id, "as a whole");
    }
    let mut versions: BTreeMap<&StreamId, u64> = BTreeMap::new();
    for event in &seen {
        let version = versions.entry(&event.stream).or_default();
        *version += 1;
        assert_eq!(event.version, *version, "each once");
    }
    assert_eq!(everything(&*log, Position(0)).await, seen);
}

/// An append waits for somebody else who writes to the log and is slow, whether what they
/// write comes to count or not: a reader sees nothing of it before, everything after, and
/// no hole where it did not.
pub async fn a_slow_or_undone_writer_is_waited_for_and_leaves_no_hole(store: &dyn Installation) {
    let stores = store.open().await.expect("it opens");
    let log = stores.log.clone();
    let ids = Ids::new("slow");
    let next = || append_of(&ids, &StreamId::new("note", ids.uuid()), 0, 1);
    append(&*log, &next()).await.expect("the first one");
    let mut slow = match store.slow().await {
        Ok(slow) => slow,
        // Whoever has no slow writer says why; there is nobody to wait for.
        Err(why) => {
            assert!(!why.is_empty(), "a reason is given");
            return;
        }
    };
    let mut head = Position(1);
    for counts in [false, true, false, true, true] {
        slow.write().await;
        let pending = tokio::spawn({
            let (log, one) = (Arc::clone(&log), next());
            async move { append(&*log, &one).await }
        });
        slow.is_waited_for().await;
        let page = log.read_all(head, 10).await.expect("read");
        assert_eq!((page.events, page.next), (vec![], head));
        assert!(!pending.is_finished(), "it waits");
        slow.end(counts).await;
        let appended = tokio::time::timeout(DEADLINE, pending).await;
        let appended = appended.expect("in time").expect("no panic");
        let appended = appended.expect("it is stored");
        let before = u64::from(counts);
        assert_eq!(appended.previous_head, Position(head.0 + before));
        assert_eq!(appended.first, Position(head.0 + before + 1));
        let page = log.read_all(head, 10).await.expect("read");
        assert_eq!(page.events.len() as u64, before + 1);
        assert_eq!(page.next, appended.first);
        head = page.next;
    }
}
