//! Two servers that take themselves for the one.

use super::{
    installation::{Installation, Second},
    words::{Ids, append, append_of, everything},
};
use crate::{OpenError, Stores};
use commands::ports::{AppendError, Position, Refusal, Statement, StoreError, StreamId, Value};
use domain::{id::CommandId, time::Timestamp};

/// Longer than any test.
const LEASE_MS: u64 = 600_000;
/// As a process saves what it knows, under its fencing token.
const LEAD: &str = "UPDATE process_lead SET token = $1 WHERE id = 1 AND token <= $1";
const ROW: &str = "INSERT INTO es_processes (name, version, position, state) \
     VALUES ('leader', 1, $1, '{}') ON CONFLICT (name) DO UPDATE SET position = excluded.position";

/// A run of the node, and what it may do.
struct Leader {
    stores: Stores,
    run: u64,
    token: u64,
}

impl Leader {
    /// Begins a run of that node and takes the lead, as a server does.
    async fn start(stores: Stores) -> Self {
        let nodes = &stores.nodes;
        let run = nodes.next_epoch("node").await.expect("a run number");
        let at = Timestamp::from_micros(1);
        nodes.join(run, "node", at, LEASE_MS).await.expect("joined");
        let token = nodes.take_lead(run).await.expect("asked");
        let token = token.expect("nobody leads any more");
        Self { stores, run, token }
    }

    /// Appends one event to a stream of its own.
    async fn writes(&self, ids: &Ids) -> Result<(), AppendError> {
        let mut one = append_of(ids, &StreamId::new("note", ids.uuid()), 0, 1);
        one.changes[0].metadata.node_epoch = self.run;
        append(&*self.stores.log, &one).await.map(|_| ())
    }

    async fn refuses(&self, command_id: CommandId) -> Result<(), AppendError> {
        let refusal = Refusal {
            stream: StreamId::new("note", command_id),
            version: 1,
            at: Timestamp::from_micros(1),
            code: "note.closed".into(),
            message: "closed".into(),
        };
        self.stores.log.refuse(self.run, command_id, refusal).await
    }

    /// Saves a process' row.
    async fn saves(&self, position: i64) -> Result<(), StoreError> {
        let token = i64::try_from(self.token).expect("a small number");
        let statement = |sql, number, must_touch| Statement {
            sql,
            parameters: vec![Value::Int(number)],
            must_touch,
        };
        let both = [
            statement(LEAD, token, Some(1)),
            statement(ROW, position, None),
        ];
        self.stores.read.transact(both.into()).await
    }

    async fn is_member(&self) -> bool {
        let at = Timestamp::from_micros(2);
        let renewed = self.stores.nodes.renew(self.run, at, LEASE_MS).await;
        renewed.expect("asked")
    }
}

/// Of two who lead the same log the older one is fenced: its appends, the refusals that
/// it would keep and the rows of its processes are refused, and it is told that its run
/// is over. What it has written before is kept, and the newer one goes on from it.
pub async fn of_two_leaders_the_older_is_fenced(store: &dyn Installation) {
    let ids = Ids::new("leaders");
    let first = store.open().await.expect("it opens");
    let old = Leader::start(first.clone()).await;
    let kept = ids.command();
    assert_eq!(old.writes(&ids).await, Ok(()));
    assert_eq!(old.refuses(kept).await, Ok(()));
    assert_eq!(old.saves(1).await, Ok(()));
    assert!(old.is_member().await);

    let new = Leader::start(store.beside(&first).await).await;
    let lost = ids.command();
    for _ in 0..2 {
        assert_eq!(old.writes(&ids).await, Err(AppendError::Fenced));
        assert_eq!(old.refuses(lost).await, Err(AppendError::Fenced));
    }
    if store.rows_are_shared() {
        assert_eq!(new.saves(2).await, Ok(()));
        assert_eq!(old.saves(9).await, Err(StoreError::Fenced));
        let rows = "SELECT position FROM es_processes WHERE name = 'leader'";
        let rows = new.stores.read.query(rows, vec![]).await.expect("read");
        assert_eq!(rows, [[Value::Int(2)]]);
    }
    assert!(!old.is_member().await);
    assert!(new.is_member().await);

    assert!(new.refuses(kept).await.is_err(), "it was kept before");
    assert_eq!(new.refuses(lost).await, Ok(()), "that one never was");
    assert_eq!(new.writes(&ids).await, Ok(()));
    assert_eq!(old.writes(&ids).await, Err(AppendError::Fenced));
    assert_eq!(new.writes(&ids).await, Ok(()));
    let all = everything(&*new.stores.log, Position(0)).await;
    let positions: Vec<_> = all.iter().map(|event| event.position.0).collect();
    assert_eq!(positions, [1, 2, 3]);
    let head = new.stores.log.head().await.expect("head");
    assert_eq!(head, Position(3));
}

/// Whoever opens a store that a server has open is refused, or takes the log from it, or
/// has another one: never do both write.
pub async fn a_second_server_never_writes_beside_the_first(store: &dyn Installation) {
    let ids = Ids::new("second");
    let first = store.open().await.expect("it opens");
    let one = |number: u32| append_of(&ids, &StreamId::new("note", number), 0, 1);
    append(&*first.log, &one(1)).await.expect("it is alone");
    match (store.second(), store.open().await) {
        (Second::Refused, Err(error)) => {
            assert!(matches!(error, OpenError::InUse(_)), "{error}");
            append(&*first.log, &one(2)).await.expect("it has it still");
            drop(first);
            let second = store.open().await.expect("the first one is gone");
            append(&*second.log, &one(3)).await.expect("it has it now");
        }
        (Second::Fences, Ok(second)) => {
            let refused = append(&*first.log, &one(2)).await;
            assert_eq!(refused, Err(AppendError::Fenced));
            append(&*second.log, &one(2)).await.expect("it has it now");
        }
        (Second::Apart, Ok(second)) => {
            append(&*first.log, &one(2)).await.expect("it has it still");
            let head = second.log.head().await.expect("head");
            assert_eq!(head, Position(0));
        }
        (said, opened) => unreachable!("{said:?} is what it is for, and: {opened:?}"),
    }
}
