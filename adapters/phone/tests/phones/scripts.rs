use std::time::Duration;

use ringledger_phone::{AgentAnswer, AgentScript, CallOptions, CallerScript, EndedBy, Talk};
use tokio::sync::oneshot;

use crate::{LIMIT, two_phones};

fn caller(talk: Talk, patience_ms: Option<u64>) -> CallerScript {
    CallerScript {
        target: "bob".to_owned(),
        options: CallOptions::default(),
        patience_ms,
        talk,
        tone_hz: Some(440.0),
    }
}

/// Runs `callers` one after the other against an agent with this script; returns how they and the agent fared.
async fn shift(
    script: AgentScript,
    callers: Vec<CallerScript>,
) -> (
    Vec<ringledger_phone::CallerStats>,
    ringledger_phone::AgentStats,
) {
    let (alice, bob) = two_phones().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let agent =
        tokio::spawn(async move { bob.run_agent(script, async { drop(stopped.await) }).await });
    let mut fared = Vec::new();
    for script in callers {
        fared.push(
            tokio::time::timeout(LIMIT, alice.run_caller(script))
                .await
                .unwrap()
                .unwrap(),
        );
    }
    drop(stop);
    (
        fared,
        tokio::time::timeout(LIMIT, agent).await.unwrap().unwrap(),
    )
}

#[tokio::test]
async fn an_agent_answers_every_call_and_the_callers_hang_up() {
    let script = AgentScript {
        ring_ms: 20,
        tone_hz: Some(1000.0),
        ..AgentScript::default()
    };
    let (fared, stats) = shift(script, vec![caller(Talk::ForMs(200), None); 3]).await;
    assert_eq!(
        (
            stats.offered,
            stats.answered,
            stats.remote_hangups,
            stats.failed
        ),
        (3, 3, 3, 0)
    );
    assert_eq!(stats.overlaps(), 0);
    for caller in fared {
        assert_eq!(caller.progress.ended_by, Some(EndedBy::Us));
        assert!(caller.media.received_packets >= 5);
    }
    assert!(
        stats
            .records
            .iter()
            .all(|r| r.media.received_packets >= 5 && r.from_user.as_deref() == Some("alice"))
    );
}

#[tokio::test]
async fn an_agent_hangs_up_after_its_talk_time() {
    let script = AgentScript {
        talk: Talk::ForMs(50),
        ..AgentScript::default()
    };
    let (fared, stats) = shift(script, vec![caller(Talk::UntilRemoteHangup, None)]).await;
    assert_eq!(stats.own_hangups, 1);
    assert_eq!(fared[0].progress.ended_by, Some(EndedBy::Remote));
}

#[tokio::test]
async fn an_agent_refuses() {
    let script = AgentScript {
        answer: AgentAnswer::Reject(603),
        ..AgentScript::default()
    };
    let (fared, stats) = shift(script, vec![caller(Talk::ForMs(0), None)]).await;
    assert_eq!((stats.rejected, stats.answered), (1, 0));
    assert_eq!(fared[0].progress.status, Some(603));
}

#[tokio::test]
async fn a_caller_loses_patience_with_an_agent_that_never_answers() {
    let script = AgentScript {
        answer: AgentAnswer::NeverAnswer,
        ..AgentScript::default()
    };
    let (fared, stats) = shift(script, vec![caller(Talk::ForMs(0), Some(100))]).await;
    assert_eq!(stats.cancelled, 1);
    assert_eq!(fared[0].progress.ended_by, Some(EndedBy::Cancelled));
    assert_eq!(fared[0].progress.status, Some(487));
}

#[tokio::test]
async fn the_end_of_a_shift_hangs_up_what_is_still_up() {
    let (alice, bob) = two_phones().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let agent = tokio::spawn(async move {
        bob.run_agent(AgentScript::default(), async { drop(stopped.await) })
            .await
    });
    let call = alice.call("bob", CallOptions::default()).await.unwrap();
    call.wait_answered(LIMIT).await.unwrap();
    call.wait_for(LIMIT, |progress| progress.steps.ack_at.is_some())
        .await
        .unwrap();
    assert!(call.media().wait_packets(1, Duration::from_secs(5)).await);
    drop(stop);
    assert_eq!(
        call.wait_ended(LIMIT).await.unwrap().ended_by,
        Some(EndedBy::Remote)
    );
    let stats = tokio::time::timeout(LIMIT, agent).await.unwrap().unwrap();
    assert_eq!((stats.answered, stats.own_hangups), (1, 1));
}

#[tokio::test]
async fn an_agent_that_ignores_calls_answers_none_of_them() {
    let script = AgentScript {
        answer: AgentAnswer::Ignore,
        ..AgentScript::default()
    };
    let (alice, bob) = two_phones().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let agent =
        tokio::spawn(async move { bob.run_agent(script, async { drop(stopped.await) }).await });
    let call = alice.call("bob", CallOptions::default()).await.unwrap();
    let answered = call
        .wait_for(Duration::from_secs(1), |p| p.steps.trying_at.is_some())
        .await;
    assert!(answered.is_err());
    drop(stop);
    let stats = tokio::time::timeout(LIMIT, agent).await.unwrap().unwrap();
    assert_eq!((stats.offered, stats.ignored, stats.failed), (1, 1, 0));
}
