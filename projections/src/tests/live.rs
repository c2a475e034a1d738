//! Through the real gateway, writer and feed.

use crate::{
    Means, Running,
    changed::{Change, View},
    rebuild, start,
    testing::{START, World, call, dump, metadata},
};
use commands::{
    envelope::Envelope,
    feed::Feed,
    gateway::Gateway,
    ports::{Append, Change as Written, NewEvent, Position, StreamId},
    system::{SystemClock, SystemEntropy},
    writer::Writer,
};
use domain::{
    any::AnyCommand,
    call::{Command, Route},
    cause::{EndReason, WireCause},
    id::{CommandId, DEFAULT_TENANT, EventId, LegId},
};
use std::{sync::Arc, time::Duration};
use store::Stores;
use uuid::Uuid;

pub(super) const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Office {
    pub(super) stores: Stores,
    gateway: Gateway,
    pub(super) feed: Feed,
    pub(super) running: Running,
    sent: u128,
}

impl Office {
    pub(super) async fn open() -> Self {
        let stores = store::open("memory:").await.unwrap();
        let (writer, feed) = Writer::start(stores.log.clone(), Arc::new(SystemClock))
            .await
            .unwrap();
        let entropy = Arc::new(SystemEntropy::default());
        let gateway = Gateway::new(stores.log.clone(), writer, entropy, 1);
        let running = start(Means {
            feed: feed.clone(),
            read: stores.read.clone(),
            vault: stores.vault.clone(),
        })
        .await
        .unwrap();
        Self {
            stores,
            gateway,
            feed,
            running,
            sent: 0,
        }
    }

    /// What a node works with.
    pub(super) fn means(&self) -> Means {
        Means {
            feed: self.feed.clone(),
            read: self.stores.read.clone(),
            vault: self.stores.vault.clone(),
        }
    }

    async fn tell(&mut self, number: u64, command: Command) -> Position {
        self.order(AnyCommand::Call(call(number), command)).await
    }

    pub(super) async fn order(&mut self, command: AnyCommand) -> Position {
        self.sent += 1;
        let id = Uuid::from_u128(self.sent);
        let envelope = Envelope {
            command,
            command_id: CommandId(id),
            at: START,
            correlation_id: id,
            causation_id: id,
            actor: "test".into(),
            tenant: DEFAULT_TENANT,
        };
        self.gateway.dispatch(envelope).await.unwrap().position
    }

    pub(super) async fn receive(&mut self, world: &World, number: u64) -> Position {
        let received = Command::ReceiveCall {
            withheld: false,
            leg: leg(number),
            from: world.callers[0].clone(),
            to: "nobody".into(),
            trunk: None,
            sip_call_id: "a".into(),
            user_agent: None,
            diversion: None,
            route: Route::Queue {
                queue: crate::testing::queue(1),
                config_version: 1,
                answer_mode: domain::call::AnswerMode::OnAgent,
                visit: domain::id::VisitId(Uuid::from_u128(7)),
                exit_keys: vec![],
                music: None,
            },
        };
        self.tell(number, received).await
    }

    pub(super) async fn hang_up(&mut self, number: u64) -> Position {
        let wire = WireCause::default();
        self.tell(
            number,
            Command::RecordBye {
                leg: leg(number),
                wire,
            },
        )
        .await
    }
}

fn leg(number: u64) -> LegId {
    LegId(Uuid::from_u128(u128::from(number)))
}

/// The callers of a world are sealed with the key of another store.
pub(super) async fn world_of(office: &Office) -> World {
    let mut world = World::new().await;
    let party = domain::sealed::Party {
        user: "+4930999".into(),
        host: None,
        display_name: None,
        contact: None,
        user_field: None,
    };
    world.callers[0] = office.stores.vault.seal(&party).await.unwrap();
    world
}

#[tokio::test]
async fn whoever_waits_for_a_position_reads_its_own_write() {
    let mut office = Office::open().await;
    let world = world_of(&office).await;
    let views = office.running.views();
    let mut changes = views.subscribe();
    let position = office.receive(&world, 1).await;
    views
        .wait_for(&View::ALL, position, PATIENCE)
        .await
        .unwrap();
    let live = views.live_call(call(1)).await.unwrap().unwrap();
    let caller = live.caller.party.as_ref().unwrap();
    assert_eq!(caller.user, "+4930999");
    // What is heard is committed: the same row.
    let heard = changes.recv().await.unwrap();
    assert!(
        heard
            .rows
            .contains(&Change::LiveCall(call(1), Some(Arc::new(live))))
    );

    let position = office.hang_up(1).await;
    views
        .wait_for(&[View::Cdr], position, PATIENCE)
        .await
        .unwrap();
    assert!(views.live_call(call(1)).await.unwrap().is_none());
    let record = views.cdr(call(1)).await.unwrap().unwrap();
    assert_eq!(record.end.unwrap().reason, EndReason::Hangup);
    let heard = changes.recv().await.unwrap();
    assert!(heard.rows.contains(&Change::LiveCall(call(1), None)));
    assert_eq!(heard.position, position);

    office.running.stop().await;
    for view in View::ALL {
        let (log, read) = (office.stores.log.clone(), office.stores.read.clone());
        let live = dump(read.as_ref(), view).await;
        let vault = office.stores.vault.clone();
        rebuild(log, read.clone(), vault, view).await.unwrap();
        assert_eq!(dump(read.as_ref(), view).await, live, "{view:?}");
    }
}

#[tokio::test]
async fn a_wait_for_what_never_comes_ends_with_how_far_the_views_are() {
    let mut office = Office::open().await;
    let world = world_of(&office).await;
    let views = office.running.views();
    let position = office.receive(&world, 1).await;
    views
        .wait_for(&View::ALL, position, PATIENCE)
        .await
        .unwrap();
    let beyond = Position(position.0 + 1);
    let stale = views
        .wait_for(&[View::Cdr], beyond, Duration::from_millis(1))
        .await
        .unwrap_err();
    assert_eq!((stale.applied, stale.wanted), (position, beyond));
}

#[tokio::test]
async fn an_event_that_can_not_be_read_stops_the_views_right_before_it() {
    let mut office = Office::open().await;
    let world = world_of(&office).await;
    let views = office.running.views();
    let position = office.receive(&world, 1).await;
    views
        .wait_for(&View::ALL, position, PATIENCE)
        .await
        .unwrap();
    // Written by a program that knows more than this one.
    let unknown = Append {
        stream: StreamId::new("call", call(8)),
        aggregate_type: "call",
        expected: 0,
        changes: vec![Written {
            command_id: CommandId(Uuid::from_u128(99)),
            metadata: metadata(),
            events: vec![NewEvent {
                event_id: EventId(Uuid::from_u128(98)),
                event_type: "call_parked",
                event_version: 1,
                payload: r#"{"at":"2027-01-15T08:00:00Z","event":{"call_parked":{}}}"#.into(),
            }],
        }],
    };
    for result in office.stores.log.append(vec![unknown]).await {
        assert_eq!(result.unwrap().first, Position(position.0 + 1));
    }
    let later = office.receive(&world, 2).await;
    assert!(office.feed.head() >= later);

    let mut progress = views.watch();
    let stopped = progress.wait_for(|progress| progress.iter().all(|view| view.parked.is_some()));
    let stopped = tokio::time::timeout(PATIENCE, stopped)
        .await
        .unwrap()
        .unwrap()
        .clone();
    for view in stopped.iter() {
        assert_eq!(view.position, position);
        let parked = view.parked.as_ref().unwrap();
        assert_eq!(parked.position, position.0 + 1);
        let reason = &parked.reason;
        let wanted = format!("position {}", position.0 + 1);
        assert!(reason.contains(&wanted), "{reason}");
    }
    // Nobody waits for a view that stands still, and what it knows stays.
    let started = std::time::Instant::now();
    assert!(views.wait_for(&[View::Cdr], later, PATIENCE).await.is_err());
    assert!(started.elapsed() < PATIENCE);
    assert!(views.live_call(call(1)).await.unwrap().is_some());
    assert!(views.live_call(call(2)).await.unwrap().is_none());
    office.running.stop().await;
}
