//! What one append does, and what it does not.

use super::words::{Ids, append, append_of, change_of, check_stored, everything};
use commands::ports::{Append, AppendError, EventLog, Position, Refusal, StreamId, Written};
use domain::time::Timestamp;
use std::sync::Arc;

/// The matrix of expected versions: only the exact one is taken.
pub async fn expected_version_is_exact(log: Arc<dyn EventLog>) {
    let ids = Ids::new("matrix");
    for length in 0..4_u64 {
        for expected in 0..6_u64 {
            let stream = StreamId::new("note", ids.uuid());
            for version in 0..length {
                append(&*log, &append_of(&ids, &stream, version, 1))
                    .await
                    .expect("the stream grows by one");
            }
            let outcome = append(&*log, &append_of(&ids, &stream, expected, 2)).await;
            let actual = length;
            let stored = log.read_stream(&stream, 0).await.expect("read").len() as u64;
            if expected == actual {
                let appended = outcome.expect("the exact version is taken");
                assert_eq!(appended.changes[0].version, actual + 2);
                assert_eq!(stored, actual + 2);
            } else {
                let conflict = AppendError::Conflict { expected, actual };
                assert_eq!(outcome, Err(conflict));
                assert_eq!(stored, actual);
            }
        }
    }
}

/// All that was given comes back, in order, with its place.
pub async fn what_was_written_is_read(log: Arc<dyn EventLog>) {
    let ids = Ids::new("read");
    let stream = StreamId::new("note", ids.uuid());
    let first = append_of(&ids, &stream, 0, 1);
    let chained = Append {
        stream: stream.clone(),
        aggregate_type: "note",
        expected: 1,
        changes: vec![change_of(&ids, 2), change_of(&ids, 1), change_of(&ids, 3)],
    };
    let one = append(&*log, &first).await.expect("first append");
    let before = one.changes[0].position;
    let more = append(&*log, &chained).await.expect("chained append");
    assert_eq!(more.previous_head, before);
    assert_eq!(more.first, Position(before.0 + 1));
    let written = |version: u64| Written {
        version,
        position: Position(before.0 + version - 1),
    };
    assert_eq!(more.changes, [written(3), written(4), written(7)]);

    let stored = log.read_stream(&stream, 0).await.expect("read");
    check_stored(&stored[..1], &first);
    check_stored(&stored[1..], &chained);
    assert_eq!(
        log.read_stream(&stream, 1).await.expect("read"),
        stored[1..]
    );
    assert_eq!(log.read_stream(&stream, 7).await.expect("read"), []);
    assert_eq!(everything(&*log, Position(0)).await, stored);
    for (change, written) in chained.changes.iter().zip(&more.changes) {
        let found = log.find_command(change.command_id).await.expect("found");
        assert_eq!(found, Some((stream.clone(), *written)));
    }
    assert_eq!(log.find_command(ids.command()).await.expect("read"), None);
    assert_eq!(log.head().await.expect("head"), more.changes[2].position);
}

/// The same command has one effect, wherever and on whatever version it is
/// tried again, and its first result is told apart from a conflict.
pub async fn a_retry_hears_the_first_result(log: Arc<dyn EventLog>) {
    let ids = Ids::new("retry");
    let stream = StreamId::new("note", ids.uuid());
    let other = StreamId::new("note", ids.uuid());
    let original = append_of(&ids, &stream, 0, 2);
    let command_id = original.changes[0].command_id;
    let first = append(&*log, &original).await.expect("first try");
    let duplicate = AppendError::Duplicate {
        command_id,
        stream: stream.clone(),
        written: first.changes[0],
    };
    append(&*log, &append_of(&ids, &stream, 2, 1))
        .await
        .expect("others go on");
    let head = log.head().await.expect("head");
    for (target, expected) in [
        (&stream, 0),
        (&stream, 3),
        (&stream, 9),
        (&other, 0),
        (&other, 5),
    ] {
        let mut retry = append_of(&ids, target, expected, 1);
        retry.changes[0].command_id = command_id;
        assert_eq!(append(&*log, &retry).await, Err(duplicate.clone()));
    }
    // A known command at the end of a chain takes the whole append back.
    let mut chained = append_of(&ids, &stream, 3, 1);
    let innocent = chained.changes[0].command_id;
    chained.changes.push(change_of(&ids, 1));
    chained.changes[1].command_id = command_id;
    assert_eq!(append(&*log, &chained).await, Err(duplicate));
    assert_eq!(log.find_command(innocent).await.expect("read"), None);
    assert_eq!(log.head().await.expect("head"), head);
    chained.changes.truncate(1);
    append(&*log, &chained)
        .await
        .expect("the innocent command can be written later");
}

/// Two appends of one batch with the same command: the first is stored, the
/// second hears its result, also when the streams differ.
pub async fn one_command_has_one_effect_inside_a_batch(log: Arc<dyn EventLog>) {
    let ids = Ids::new("twice");
    let stream = StreamId::new("note", ids.uuid());
    let other = StreamId::new("note", ids.uuid());
    let refused = append_of(&ids, &stream, 5, 1);
    let command_id = refused.changes[0].command_id;
    let same = |stream: &StreamId, expected| {
        let mut append = append_of(&ids, stream, expected, 1);
        append.changes[0].command_id = command_id;
        append
    };
    let batch = vec![
        refused,
        same(&stream, 0),
        same(&stream, 0),
        same(&stream, 1),
        same(&other, 0),
        append_of(&ids, &stream, 1, 1),
    ];
    let outcomes = log.append(batch).await;
    let conflict = AppendError::Conflict {
        expected: 5,
        actual: 0,
    };
    assert_eq!(outcomes[0], Err(conflict));
    let first = outcomes[1].clone().expect("the first that fits is stored");
    for outcome in &outcomes[2..5] {
        let duplicate = AppendError::Duplicate {
            command_id,
            stream: stream.clone(),
            written: first.changes[0],
        };
        assert_eq!(*outcome, Err(duplicate));
    }
    let last = outcomes[5].clone().expect("the stream goes on");
    assert_eq!(last.changes[0].version, 2);
    assert_eq!(log.read_stream(&stream, 0).await.expect("read").len(), 2);
    assert_eq!(log.read_stream(&other, 0).await.expect("read"), []);
    let again = append(&*log, &same(&stream, 0)).await;
    assert!(matches!(again, Err(AppendError::Duplicate { .. })));
}

/// A refusal in the middle of a batch touches nobody else, and later appends
/// of the batch see what earlier ones stored.
pub async fn a_refused_append_leaves_the_others_of_its_batch(log: Arc<dyn EventLog>) {
    let ids = Ids::new("partial");
    let one = StreamId::new("note", ids.uuid());
    let two = StreamId::new("note", ids.uuid());
    let batch = vec![
        append_of(&ids, &one, 0, 2),
        append_of(&ids, &one, 0, 1),
        append_of(&ids, &two, 0, 1),
        append_of(&ids, &one, 2, 1),
        append_of(&ids, &two, 7, 1),
        append_of(&ids, &two, 1, 2),
    ];
    let outcomes = log.append(batch.clone()).await;
    assert_eq!(outcomes.len(), 6);
    let conflict = |expected, actual| Err(AppendError::Conflict { expected, actual });
    assert_eq!(outcomes[1], conflict(0, 2));
    assert_eq!(outcomes[4], conflict(7, 1));
    let mut head = Position(0);
    let mut stored = Vec::new();
    for index in [0, 2, 3, 5] {
        let appended = outcomes[index].clone().expect("not refused");
        assert_eq!(appended.previous_head, head);
        assert_eq!(appended.first, Position(head.0 + 1));
        let before = head;
        head = appended.changes[0].position;
        let page = log.read_all(before, 3).await.expect("read");
        let of_append = (head.0 - before.0) as usize;
        check_stored(&page.events[..of_append], &batch[index]);
        stored.push(appended);
    }
    assert_eq!(log.head().await.expect("head"), head);
    assert_eq!(everything(&*log, Position(0)).await.len(), 6);
    for index in [1, 4] {
        let command_id = batch[index].changes[0].command_id;
        assert_eq!(log.find_command(command_id).await.expect("read"), None);
    }
    assert_eq!(log.append(vec![]).await, vec![]);
}

/// A refusal is an answer like an effect: the same command hears it again,
/// wherever and on whatever version it is tried, and never has an effect.
pub async fn a_refused_command_stays_refused(log: Arc<dyn EventLog>) {
    let ids = Ids::new("refused");
    let stream = StreamId::new("note", ids.uuid());
    let other = StreamId::new("note", ids.uuid());
    append(&*log, &append_of(&ids, &stream, 0, 2))
        .await
        .expect("first append");
    let command_id = ids.command();
    let refusal = Refusal {
        stream: stream.clone(),
        version: 2,
        at: Timestamp::from_micros(1_800_000_000_000_001),
        code: "note.closed".into(),
        message: "note is \"closed\" ☎".into(),
    };
    assert_eq!(log.find_refusal(command_id).await.expect("read"), None);
    log.refuse(0, command_id, refusal.clone())
        .await
        .expect("kept");
    let found = log.find_refusal(command_id).await.expect("read");
    assert_eq!(found, Some(refusal.clone()));
    assert_eq!(log.find_command(command_id).await.expect("read"), None);

    let refused = AppendError::Refused {
        command_id,
        refusal: refusal.clone(),
    };
    let later = Refusal {
        code: "note.other".into(),
        version: 9,
        ..refusal
    };
    assert_eq!(log.refuse(0, command_id, later).await, Err(refused.clone()));
    for (target, expected) in [(&stream, 2), (&stream, 0), (&stream, 9), (&other, 0)] {
        let mut retry = append_of(&ids, target, expected, 1);
        retry.changes[0].command_id = command_id;
        let good = append_of(&ids, &StreamId::new("note", ids.uuid()), 0, 1);
        let outcomes = log.append(vec![good, retry]).await;
        assert!(outcomes[0].is_ok(), "{outcomes:?}");
        assert_eq!(outcomes[1], Err(refused.clone()));
    }
    let mut chained = append_of(&ids, &stream, 2, 1);
    let innocent = chained.changes[0].command_id;
    chained.changes.push(change_of(&ids, 1));
    chained.changes[1].command_id = command_id;
    assert_eq!(append(&*log, &chained).await, Err(refused));
    assert_eq!(log.find_command(innocent).await.expect("read"), None);
    assert_eq!(log.read_stream(&stream, 0).await.expect("read").len(), 2);
}

/// What had an effect can not be refused any more.
pub async fn a_command_with_an_effect_is_not_refused(log: Arc<dyn EventLog>) {
    let ids = Ids::new("effect");
    let stream = StreamId::new("note", ids.uuid());
    let written = append_of(&ids, &stream, 0, 2);
    let first = append(&*log, &written).await.expect("first append");
    let command_id = written.changes[0].command_id;
    let refusal = Refusal {
        stream: stream.clone(),
        version: 2,
        at: Timestamp::from_micros(1),
        code: "note.closed".into(),
        message: String::new(),
    };
    let duplicate = AppendError::Duplicate {
        command_id,
        stream,
        written: first.changes[0],
    };
    assert_eq!(log.refuse(0, command_id, refusal).await, Err(duplicate));
    assert_eq!(log.find_refusal(command_id).await.expect("read"), None);
}

/// What no correct caller sends is refused and leaves no trace.
pub async fn an_append_without_events_is_refused(log: Arc<dyn EventLog>) {
    let ids = Ids::new("malformed");
    let stream = StreamId::new("note", ids.uuid());
    let no_change = Append {
        changes: vec![],
        ..append_of(&ids, &stream, 0, 1)
    };
    let no_event = append_of(&ids, &stream, 0, 0);
    let mut twice = append_of(&ids, &stream, 0, 1);
    twice.changes.push(twice.changes[0].clone());
    let good = append_of(&ids, &stream, 0, 1);
    let outcomes = log.append(vec![no_change, no_event, twice, good]).await;
    for outcome in &outcomes[..3] {
        assert!(matches!(outcome, Err(AppendError::Unavailable(_))));
    }
    assert!(outcomes[3].is_ok());
    assert_eq!(log.head().await.expect("head"), Position(1));
}
