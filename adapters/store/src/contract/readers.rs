//! What readers see.

use super::words::{DEADLINE, Ids, append, append_of, check_stored, everything};
use commands::ports::{Append, EventLog, Position, Recorded, StreamId};
use domain::{id::CommandId, time::Timestamp};
use std::{fs, path::Path, sync::Arc};

/// One stored example of each version of each event.
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../domain/golden");

/// From every position, with every page size, the rest comes once, in order.
pub async fn reading_resumes_after_every_position(log: Arc<dyn EventLog>) {
    let ids = Ids::new("resume");
    for number in 0..8 {
        let stream = StreamId::new("note", number);
        append(&*log, &append_of(&ids, &stream, 0, 1 + number % 3))
            .await
            .expect("append");
        // Refusals must not leave holes that stop a reader.
        let refused = append(&*log, &append_of(&ids, &stream, 9, 1)).await;
        assert!(refused.is_err());
    }
    let all = everything(&*log, Position(0)).await;
    assert_eq!(all.len(), 15);
    assert!(
        all.windows(2)
            .all(|pair| pair[0].position < pair[1].position)
    );
    for start in 0..=all.len() {
        let after = if start == 0 {
            Position(0)
        } else {
            all[start - 1].position
        };
        for limit in 1..=all.len() + 1 {
            let page = log.read_all(after, limit).await.expect("read");
            let end = (start + limit).min(all.len());
            assert_eq!(page.events, all[start..end]);
            assert_eq!(
                page.next,
                all[..end].last().map_or(after, |last| last.position)
            );
        }
    }
    let beyond = Position(all.len() as u64 + 1000);
    let page = log.read_all(beyond, 10).await.expect("read");
    assert_eq!((page.events, page.next), (vec![], beyond));
    let empty = log.read_all(Position(0), 0).await.expect("read");
    assert_eq!((empty.events, empty.next), (vec![], Position(0)));
}

/// A stream is read in pages from any of its versions.
pub async fn a_stream_is_read_in_pages(log: Arc<dyn EventLog>) {
    let ids = Ids::new("pages");
    let [stream, other] = ["ours", "theirs"].map(|name| StreamId::new("note", name));
    for version in 0..5 {
        for stream in [&stream, &other] {
            append(&*log, &append_of(&ids, stream, version, 1))
                .await
                .expect("append");
        }
    }
    let all = log.read_stream(&stream, 0).await.expect("read");
    assert_eq!(all.len(), 5);
    for after in 0..=6 {
        for limit in 0..=6 {
            let page = log.read_stream_page(&stream, after as u64, limit).await;
            let start = after.min(all.len());
            let end = (start + limit).min(all.len());
            assert_eq!(page.expect("read"), all[start..end]);
        }
    }
}

/// A long stretch is the sum of short ones.
pub async fn a_long_stretch_is_read_like_its_parts(log: Arc<dyn EventLog>) {
    let ids = Ids::new("stretch");
    for number in 0..150 {
        let stream = StreamId::new("note", number);
        append(&*log, &append_of(&ids, &stream, 0, 8))
            .await
            .expect("append");
    }
    let all = everything(&*log, Position(0)).await;
    assert_eq!(all.len(), 1_200);
    for after in [0, 1, 511, 688, 689, 1_199, 1_200] {
        let from = all[..after]
            .last()
            .map_or(Position(0), |last| last.position);
        for limit in [511, 512, 513, 1_199, 1_200, usize::MAX] {
            let page = log.read_all(from, limit).await.expect("read");
            let end = after.saturating_add(limit).min(all.len());
            assert_eq!(page.events, all[after..end], "{limit} after {after}");
            assert_eq!(
                page.next,
                all[..end].last().map_or(from, |last| last.position)
            );
        }
    }
}

/// The stretches of a time hold every event that was taken in it, and no others.
pub async fn events_are_found_by_when_they_were_taken(log: Arc<dyn EventLog>) {
    let ids = Ids::new("taken");
    let none = log.taken(None, None).await.expect("read");
    assert_eq!(none, []);
    for number in 0..6 {
        let stream = StreamId::new("note", number);
        append(&*log, &append_of(&ids, &stream, 0, 1 + number % 3))
            .await
            .expect("append");
    }
    let all = everything(&*log, Position(0)).await;
    let mut instants = vec![None];
    for event in &all {
        let micros = event.recorded_at.micros();
        let around = [micros - 1, micros, micros + 1];
        instants.extend(around.map(|at| Some(Timestamp::from_micros(at))));
    }
    instants.dedup();
    for from in &instants {
        for before in &instants {
            let is_in = |event: &Recorded| {
                from.is_none_or(|from| event.recorded_at >= from)
                    && before.is_none_or(|before| event.recorded_at < before)
            };
            let found = log.taken(*from, *before).await.expect("read");
            assert!(found.windows(2).all(|pair| pair[0].last < pair[1].first));
            for event in &all {
                let mut found = found.iter();
                let is_found =
                    found.any(|one| one.first <= event.position && event.position <= one.last);
                assert_eq!(is_found, is_in(event), "{from:?} {before:?} {event:?}");
            }
        }
    }
}

/// Every version of every event that was ever stored comes back byte for byte, as that
/// version: so what makes the current event of it meets what it was made for.
pub async fn the_golden_corpus_is_read_as_it_was_stored(log: Arc<dyn EventLog>) {
    let ids = Ids::new("golden");
    let mut stored = Vec::new();
    for file in fs::read_dir(Path::new(GOLDEN)).expect("the corpus is there") {
        let path = file.expect("a file").path();
        let name = path.file_stem().and_then(|stem| stem.to_str());
        let (event_type, version) = name
            .and_then(|stem| stem.rsplit_once(".v"))
            .expect("<event_type>.v<N>.json");
        let mut one = append_of(&ids, &StreamId::new("note", ids.uuid()), 0, 1);
        let event = &mut one.changes[0].events[0];
        // A few short names, for as long as a test runs.
        event.event_type = String::leak(event_type.to_owned());
        event.event_version = version.parse().expect("a version");
        event.payload = fs::read_to_string(&path).expect("readable").into();
        stored.push(one);
    }
    let old = |one: &&Append| one.changes[0].events[0].event_version > 1;
    assert!(stored.iter().filter(old).count() >= 2, "there is a corpus");
    for outcome in log.append(stored.clone()).await {
        outcome.expect("it is stored");
    }
    let all = everything(&*log, Position(0)).await;
    assert_eq!(all.len(), stored.len());
    for (event, one) in all.iter().zip(&stored) {
        check_stored(std::slice::from_ref(event), one);
        let of_stream = log.read_stream(&one.stream, 0).await.expect("read");
        check_stored(&of_stream, one);
    }
}

/// A reader that sleeps is woken by an append and then finds it.
pub async fn wakeups_follow_the_head(log: Arc<dyn EventLog>) {
    let ids = Ids::new("wake");
    let stream = StreamId::new("note", ids.uuid());
    let mut wakeups = log.wakeups();
    let mut seen = Position(0);
    for version in 0..20 {
        let one = append_of(&ids, &stream, version * 2, 2);
        let woken = async {
            // Copied at once: a borrowed head holds up whoever tells the next.
            *wakeups
                .wait_for(|head| *head > seen)
                .await
                .expect("log is alive")
        };
        let (appended, head) =
            tokio::join!(append(&*log, &one), tokio::time::timeout(DEADLINE, woken));
        let (appended, head) = (appended.expect("append"), head.expect("woken in time"));
        assert_eq!(head, appended.changes[0].position);
        let page = log.read_all(seen, 10).await.expect("read");
        assert_eq!(page.next, head);
        seen = head;
    }
}

/// What a log held before it was closed.
#[derive(Debug)]
pub struct Before {
    events: Vec<Recorded>,
    commands: Vec<CommandId>,
    stream: StreamId,
}

/// Writes something and says what the log holds.
pub async fn written_before(log: Arc<dyn EventLog>) -> Before {
    let ids = Ids::new("reopen");
    let stream = StreamId::new("note", ids.uuid());
    let mut commands = Vec::new();
    for version in 0..5 {
        let one = append_of(&ids, &stream, version * 3, 3);
        commands.push(one.changes[0].command_id);
        append(&*log, &one).await.expect("append");
    }
    Before {
        events: everything(&*log, Position(0)).await,
        commands,
        stream,
    }
}

/// A log that was closed and opened again holds the same and goes on from it.
pub async fn everything_is_kept(log: Arc<dyn EventLog>, before: Before) {
    assert_eq!(everything(&*log, Position(0)).await, before.events);
    let last = before.events.last().expect("something was written");
    assert_eq!(log.head().await.expect("head"), last.position);
    assert_eq!(*log.wakeups().borrow(), last.position);
    for command_id in before.commands {
        let found = log.find_command(command_id).await.expect("read");
        assert!(found.is_some());
    }
    let ids = Ids::new("reopened");
    let stale = append(&*log, &append_of(&ids, &before.stream, 3, 1)).await;
    assert!(stale.is_err());
    let next = append(&*log, &append_of(&ids, &before.stream, last.version, 1))
        .await
        .expect("append");
    assert_eq!(next.previous_head, last.position);
}
