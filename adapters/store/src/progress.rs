//! How far an index in SQL has followed a log that is kept elsewhere. It moves by
//! compare-and-set together with what it takes in, and after an error it is read again:
//! an error may hide that it has moved.

use commands::ports::{ReadStore, Statement, StoreError, Value};
use std::sync::Arc;

const READ: &str =
    "SELECT position, commit_position, prepare_position FROM kurrent_progress WHERE name = $1";
const BEGIN: &str = "INSERT INTO kurrent_progress \
     (name, position, commit_position, prepare_position) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (name) DO NOTHING";
const MOVE: &str = "UPDATE kurrent_progress SET position = $2, commit_position = $3, \
     prepare_position = $4 WHERE name = $1 AND position = $5 AND commit_position = $6 \
     AND prepare_position = $7";

/// An offset of the log that is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Of the transaction.
    pub(crate) commit: u64,
    /// Of the event in it.
    pub(crate) prepare: u64,
}

/// How far the index is.
pub(crate) struct Progress {
    sql: Arc<dyn ReadStore>,
    name: String,
    head: u64,
    place: Option<Place>,
    /// Nobody knows what became of the last step.
    is_doubtful: bool,
}

fn number(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

impl Progress {
    /// What is kept under that name; the start if there is nothing.
    pub(crate) async fn read(sql: Arc<dyn ReadStore>, name: &str) -> Result<Self, StoreError> {
        let mut progress = Self {
            sql,
            name: name.to_owned(),
            head: 0,
            place: None,
            is_doubtful: true,
        };
        progress.settle().await?;
        Ok(progress)
    }

    /// Rank of the last event in the index.
    pub(crate) const fn head(&self) -> u64 {
        self.head
    }

    /// Everything up to this place is in the index.
    pub(crate) const fn place(&self) -> Option<Place> {
        self.place
    }

    /// Reads again how far it is, if an error has left that open; says whether it had.
    pub(crate) async fn settle(&mut self) -> Result<bool, StoreError> {
        if !self.is_doubtful {
            return Ok(false);
        }
        let name = vec![Value::Text(self.name.clone())];
        let rows = self.sql.query(READ, name).await?;
        (self.head, self.place) = match rows.first().map(Vec::as_slice) {
            Some([Value::Int(head), Value::Int(commit), Value::Int(prepare)]) => {
                let place = Place {
                    commit: commit.unsigned_abs(),
                    prepare: prepare.unsigned_abs(),
                };
                (head.unsigned_abs(), Some(place))
            }
            Some(_) | None => (0, None),
        };
        self.is_doubtful = false;
        Ok(true)
    }

    /// Takes what was read up to there into the index. When it fails, [`Self::settle`]
    /// says whether it was.
    pub(crate) async fn advance(
        &mut self,
        head: u64,
        place: Place,
        taken: Vec<Statement>,
    ) -> Result<(), StoreError> {
        let mut parameters = vec![
            Value::Text(self.name.clone()),
            number(head),
            number(place.commit),
            number(place.prepare),
        ];
        let sql = match self.place {
            None => BEGIN,
            Some(known) => {
                let known = [self.head, known.commit, known.prepare];
                parameters.extend(known.map(number));
                MOVE
            }
        };
        // First, so that one who is behind is told so, and not of a key that is there.
        let mut statements = vec![Statement {
            sql,
            parameters,
            must_touch: Some(1),
        }];
        statements.extend(taken);
        self.is_doubtful = true;
        self.sql.transact(statements).await?;
        (self.head, self.place) = (head, Some(place));
        self.is_doubtful = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

    /// A store whose next answer is lost, of what is stored all the same.
    struct Deaf {
        inner: Arc<dyn ReadStore>,
        is_deaf: AtomicBool,
    }

    #[async_trait]
    impl ReadStore for Deaf {
        async fn transact(&self, statements: Vec<Statement>) -> Result<(), StoreError> {
            self.inner.transact(statements).await?;
            match self.is_deaf.swap(false, SeqCst) {
                true => Err(StoreError::Unavailable("answer was lost".into())),
                false => Ok(()),
            }
        }

        async fn query(
            &self,
            sql: &str,
            parameters: Vec<Value>,
        ) -> Result<Vec<Vec<Value>>, StoreError> {
            self.inner.query(sql, parameters).await
        }

        async fn scrub(&self) -> Result<(), StoreError> {
            self.inner.scrub().await
        }
    }

    /// The event of that rank, as it is taken in.
    fn event(rank: u64) -> Vec<Statement> {
        vec![Statement {
            sql: "INSERT INTO kurrent_events \
                  (position, commit_position, prepare_position, stream, version, recorded_at) \
                  VALUES ($1, $1, $1, 'note-1', $1, $1)",
            parameters: vec![number(rank)],
            must_touch: None,
        }]
    }

    const fn place(offset: u64) -> Place {
        Place {
            commit: offset,
            prepare: offset,
        }
    }

    async fn ranks(store: &Arc<Deaf>) -> Vec<Vec<Value>> {
        let sql = "SELECT position FROM kurrent_events ORDER BY position";
        store.query(sql, vec![]).await.unwrap()
    }

    #[tokio::test]
    async fn an_index_goes_on_after_an_answer_was_lost_and_takes_nothing_twice() {
        let stores = crate::open("memory:").await.unwrap();
        let store = Arc::new(Deaf {
            inner: stores.read,
            is_deaf: AtomicBool::new(false),
        });
        let mut index = Progress::read(store.clone(), "ours").await.unwrap();
        assert_eq!((index.head(), index.place()), (0, None));
        for rank in 1..=6 {
            // The first step too, and not the one after it.
            store.is_deaf.store(rank % 2 == 1, SeqCst);
            let outcome = index.advance(rank, place(rank * 10), event(rank)).await;
            assert_eq!(outcome.is_err(), rank % 2 == 1);
            index.settle().await.unwrap();
            assert_eq!(
                (index.head(), index.place()),
                (rank, Some(place(rank * 10)))
            );
        }
        let all: Vec<_> = (1..=6).map(|rank| vec![Value::Int(rank)]).collect();
        assert_eq!(ranks(&store).await, all);
        let again = Progress::read(store.clone(), "ours").await.unwrap();
        assert_eq!((again.head(), again.place()), (6, Some(place(60))));
    }

    #[tokio::test]
    async fn an_index_that_another_has_moved_is_told_so_and_reads_on_from_there() {
        let stores = crate::open("memory:").await.unwrap();
        let store = Arc::new(Deaf {
            inner: stores.read,
            is_deaf: AtomicBool::new(false),
        });
        let mut ours = Progress::read(store.clone(), "ours").await.unwrap();
        let mut theirs = Progress::read(store.clone(), "ours").await.unwrap();
        for rank in 1..=2 {
            theirs
                .advance(rank, place(rank), event(rank))
                .await
                .unwrap();
            let late = ours.advance(rank, place(rank), event(rank)).await;
            assert_eq!(late, Err(StoreError::Fenced));
            ours.settle().await.unwrap();
            assert_eq!((ours.head(), ours.place()), (rank, Some(place(rank))));
        }
        assert_eq!(ranks(&store).await.len(), 2);
    }
}
