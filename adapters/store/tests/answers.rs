//! A process hears the same answer again, whatever has happened since: over
//! each store.

// Helpers of tests fail like tests.
#![allow(clippy::unwrap_used)]

use commands::{
    envelope::{Committed, Envelope},
    error::{DispatchError, Refused},
    gateway::Gateway,
    ports::StoreError,
    processes::{Means, ProcessError, Runner},
    system::{SystemClock, SystemEntropy},
    writer::Writer,
};
use domain::{
    any::AnyCommand,
    id::{AgentId, CallId, CommandId, DEFAULT_TENANT, OfferId, QueueId, SessionId, VisitId},
    process::wrap_up::WrapUp,
    session::Command,
    time::Timestamp,
};
use ringledger_store::{self as store, Stores, contract::Ids, testing};
use std::sync::Arc;

async fn gateway(stores: &Stores) -> Gateway {
    let clock = Arc::new(SystemClock);
    let (writer, _feed) = Writer::start(stores.log.clone(), clock).await.unwrap();
    let entropy = Arc::new(SystemEntropy::default());
    Gateway::new(stores.log.clone(), writer, entropy, 1)
}

fn reserve(ids: &Ids, until: Timestamp) -> Command {
    Command::Reserve {
        offer: OfferId(ids.uuid()),
        call: CallId(ids.uuid()),
        visit: VisitId(ids.uuid()),
        queue: QueueId(ids.uuid()),
        until,
        wrap_up_ms: 0,
        choice: None,
        terms: domain::queue::Terms::STANDARD,
        capacity: 1,
    }
}

fn envelope(command_id: CommandId, actor: &str, session: SessionId, command: Command) -> Envelope {
    Envelope {
        command: AnyCommand::Session(session, command),
        command_id,
        at: Timestamp::from_micros(1_800_000_000_000_000),
        correlation_id: command_id.0,
        causation_id: command_id.0,
        actor: actor.into(),
        tenant: DEFAULT_TENANT,
    }
}

fn refused(answer: Result<Committed, DispatchError>) -> Refused {
    match answer {
        Err(DispatchError::Refused(refused)) => refused,
        other => unreachable!("{other:?}"),
    }
}

/// `again` opens the store anew, as after a crash.
async fn a_refusal_is_heard_again(first: Stores, again: impl AsyncFn(Stores) -> Stores) {
    let ids = Ids::new("answers");
    let session = SessionId {
        agent: AgentId(ids.uuid()),
        number: 1,
    };
    let command = reserve(&ids, Timestamp::from_micros(1_800_000_010_000_000));
    let asked = envelope(ids.command(), "process:routing", session, command);
    let by_a_person = Envelope {
        command_id: ids.command(),
        actor: "token:dashboard".into(),
        ..asked.clone()
    };

    let before = gateway(&first).await;
    let heard = refused(before.dispatch(asked.clone()).await);
    assert_eq!(heard.code, "agent.not_logged_in");
    refused(before.dispatch(by_a_person.clone()).await);
    let log_in = Command::LogIn {
        session,
        ready: true,
    };
    let log_in = envelope(ids.command(), "adapter:sip", session, log_in);
    before.dispatch(log_in).await.unwrap();
    drop(before);
    let stores = again(first).await;

    // The rules would grant it now. To the process they stand by their word.
    let after = gateway(&stores).await;
    let later = Envelope {
        at: Timestamp::from_micros(1_800_000_005_000_000),
        ..asked.clone()
    };
    assert_eq!(refused(after.dispatch(later.clone()).await), heard);
    assert_eq!(refused(after.dispatch(later).await), heard);
    // Together with a command that has an effect, which is not lost by it.
    let other = Envelope {
        command_id: ids.command(),
        ..asked.clone()
    };
    let (old, new) = (after.submit(asked), after.submit(other));
    assert_eq!(refused(old.wait().await), heard);
    assert!(new.wait().await.unwrap().changed);
    // Nobody has promised a person anything: engaged now, not logged out.
    assert_eq!(
        refused(after.dispatch(by_a_person).await).code,
        "agent.engaged"
    );
}

#[tokio::test]
async fn a_refusal_is_heard_again_on_memory() {
    let stores = store::open("memory:").await.unwrap();
    a_refusal_is_heard_again(stores, async |stores| stores).await;
}

#[tokio::test]
async fn a_refusal_is_heard_again_on_sqlite() {
    let folder = tempfile::TempDir::new().unwrap();
    let url = format!("sqlite:{}", folder.path().display());
    let stores = store::open(&url).await.unwrap();
    a_refusal_is_heard_again(stores, async |stores| {
        drop(stores);
        reopened(&url).await
    })
    .await;
}

#[tokio::test]
async fn a_refusal_is_heard_again_on_postgres() {
    let database = testing::database().await;
    let stores = store::open(database.url()).await.unwrap();
    a_refusal_is_heard_again(stores, async |stores| {
        drop(stores);
        reopened(database.url()).await
    })
    .await;
}

/// The tasks of the run before let go of the store when they have ended.
async fn reopened(url: &str) -> Stores {
    loop {
        match store::open(url).await {
            Ok(stores) => return stores,
            Err(store::OpenError::InUse(_)) => tokio::task::yield_now().await,
            Err(error) => unreachable!("{error}"),
        }
    }
}

/// Two nodes that both think they lead run the same process: the one whose token is
/// older saves nothing of it.
async fn the_newest_leader_saves(stores: Stores) {
    let clock = Arc::new(SystemClock);
    let (_writer, feed) = Writer::start(stores.log.clone(), clock.clone())
        .await
        .unwrap();
    let means = Means {
        gateway: gateway(&stores).await,
        feed,
        store: stores.read.clone(),
        clock,
    };
    let load = async || Runner::<WrapUp>::load(means.clone()).await.unwrap();
    let (mut older, mut newer) = (load().await.under(1), load().await.under(2));
    newer.save().await.unwrap();
    assert_eq!(
        older.save().await,
        Err(ProcessError::Store(StoreError::Fenced))
    );
    // The row is that of the newer one, and who leads after it saves again.
    assert!(!load().await.is_fresh());
    newer.save().await.unwrap();
}

#[tokio::test]
async fn a_process_is_saved_by_the_newest_leader_only() {
    let folder = tempfile::TempDir::new().unwrap();
    let sqlite = format!("sqlite:{}", folder.path().display());
    let database = testing::database().await;
    for url in ["memory:", &sqlite, database.url()] {
        the_newest_leader_saves(store::open(url).await.unwrap()).await;
    }
}
