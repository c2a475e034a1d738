//! The log is readable with the stock repository of postgres-es.

// Helpers of tests fail like tests.
#![allow(clippy::unwrap_used)]

use commands::ports::{Metadata, StreamId};
use cqrs_es::{Aggregate, DomainEvent, event_sink::EventSink, persist::PersistedEventRepository};
use postgres_es::PostgresEventRepository;
use ringledger_store::{
    self as store,
    contract::{Ids, append_of},
    testing,
};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

/// A stranger's view of our stream: only the type's name is the same.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Note;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Anything;

impl DomainEvent for Anything {
    fn event_type(&self) -> String {
        "noted".into()
    }

    fn event_version(&self) -> String {
        "1".into()
    }
}

impl Aggregate for Note {
    const TYPE: &'static str = "note";
    type Command = ();
    type Event = Anything;
    type Error = std::io::Error;
    type Services = ();

    async fn handle(
        &mut self,
        (): Self::Command,
        (): &Self::Services,
        _sink: &EventSink<Self>,
    ) -> Result<(), Self::Error> {
        Ok(())
    }

    fn apply(&mut self, Anything: Self::Event) {}
}

#[tokio::test]
async fn postgres_es_reads_what_was_appended() {
    let database = testing::database().await;
    let stores = store::open(database.url()).await.unwrap();
    let ids = Ids::new("stock");
    let stream = StreamId::new("note", ids.uuid());
    let other = StreamId::new("note", ids.uuid());
    let ours = append_of(&ids, &stream, 0, 3);
    let batch = vec![ours.clone(), append_of(&ids, &other, 0, 1)];
    assert!(stores.log.append(batch).await.iter().all(Result::is_ok));

    let pool = PgPool::connect(database.url()).await.unwrap();
    let stock = PostgresEventRepository::new(pool);
    let read = stock.get_events::<Note>(stream.as_str()).await.unwrap();
    assert_eq!(read.len(), 3);
    let change = &ours.changes[0];
    for (index, (event, stored)) in change.events.iter().zip(&read).enumerate() {
        assert_eq!(stored.aggregate_id, stream.as_str());
        assert_eq!(stored.sequence, index + 1);
        assert_eq!(stored.aggregate_type, "note");
        assert_eq!(stored.event_type, event.event_type);
        assert_eq!(stored.event_version, event.event_version.to_string());
        let payload: serde_json::Value = serde_json::from_str(&event.payload).unwrap();
        assert_eq!(stored.payload, payload);
        let metadata: Metadata = serde_json::from_value(stored.metadata.clone()).unwrap();
        assert_eq!(metadata, change.metadata);
    }
    let tail = stock.get_last_events::<Note>(stream.as_str(), 2).await;
    assert_eq!(tail.unwrap().len(), 1);
}
