//! Many writers at once, on one node or on several.

use super::words::{DEADLINE, Ids, append, append_of, everything};
use commands::ports::{AppendError, EventLog, Position, Recorded, StreamId};
use std::{collections::BTreeMap, sync::Arc};

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
    for writer in writers {
        let done = tokio::time::timeout(DEADLINE, writer).await;
        done.expect("in time").expect("writer does not fail");
    }
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
