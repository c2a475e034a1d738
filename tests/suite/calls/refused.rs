//! Calls that lead nowhere.

use crate::world::{PATIENCE, dial, open, open_with, options, rules};
use domain::queue;
use phone::{CallEvent, CallOptions, Offer, OutgoingCall, Rejection};

async fn rejection(mut out: OutgoingCall) -> Rejection {
    loop {
        match tokio::time::timeout(PATIENCE, out.next_event())
            .await
            .unwrap()
        {
            Some(CallEvent::Rejected(rejection)) => return rejection,
            Some(_) => {}
            None => panic!("the call ended without a refusal"),
        }
    }
}

#[tokio::test]
async fn an_address_that_nobody_has_is_not_found() {
    let world = open().await;
    let before = world.feed().head();
    let caller = world.phone("4930111").await;
    assert_eq!(rejection(dial(&caller, "nobody").await).await.status, 404);
    let (_, call) = world.see(before, "call_ended").await;
    assert_eq!(world.story(call).await, ["call_received", "call_ended"]);
    world.see_nothing_left().await;
}

#[tokio::test]
async fn a_number_of_a_queue_leads_to_it() {
    let world = open().await;
    let config = queue::Config {
        numbers: vec!["+49301234".into()],
        ..rules()
    };
    world.support(config).await;
    let caller = world.phone("4930111").await;
    let out = dial(&caller, "+49301234").await;
    out.wait_ringing(PATIENCE).await.unwrap();
    out.cancel().await.unwrap();
    world.see_nothing_left().await;
}

#[tokio::test]
async fn an_offer_without_our_codecs_is_not_acceptable() {
    let world = open().await;
    world.support(rules()).await;
    let caller = world.phone("4930111").await;
    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
        m=audio 4000 RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\n";
    let options = CallOptions {
        offer: Offer::Body(sdp.into()),
        ..CallOptions::default()
    };
    let out = caller.call("support", options).await.unwrap();
    assert_eq!(rejection(out).await.status, 488);
}

#[tokio::test]
async fn a_full_queue_is_busy_and_says_why() {
    let world = open().await;
    let config = queue::Config {
        capacity: 1,
        ..rules()
    };
    world.support(config).await;
    let caller = world.phone("4930111").await;
    let first = dial(&caller, "support").await;
    first.wait_ringing(PATIENCE).await.unwrap();
    let refused = rejection(dial(&caller, "support").await).await;
    assert_eq!(refused.status, 486);
    assert!(
        refused
            .reason
            .as_deref()
            .is_some_and(|r| r.starts_with("Q.850;cause=17")),
        "{:?}",
        refused.reason
    );
    first.cancel().await.unwrap();
    world.see_nothing_left().await;
}

#[tokio::test]
async fn with_trunks_only_their_networks_may_call() {
    let world = open().await;
    world.support(rules()).await;
    world.trunk("carrier", "10.0.0.0/8").await;
    let caller = world.phone("4930111").await;
    assert_eq!(rejection(dial(&caller, "support").await).await.status, 403);
    world.trunk("lab", "127.0.0.0/8").await;
    let out = dial(&caller, "support").await;
    out.wait_ringing(PATIENCE).await.unwrap();
    out.cancel().await.unwrap();
}

#[tokio::test]
async fn one_source_can_not_call_faster_than_its_rate() {
    let world = open_with(sip::Options {
        calls_per_source_per_s: 1,
        calls_per_source_burst: 2,
        ..options()
    })
    .await;
    world.support(rules()).await;
    let caller = world.phone("4930111").await;
    let first = dial(&caller, "support").await;
    let second = dial(&caller, "support").await;
    first.wait_ringing(PATIENCE).await.unwrap();
    second.wait_ringing(PATIENCE).await.unwrap();
    let refused = rejection(dial(&caller, "support").await).await;
    assert_eq!(refused.status, 503);
    let wait = refused
        .headers
        .iter()
        .find(|(name, _)| name == "Retry-After");
    assert!(wait.is_some(), "{:?}", refused.headers);
    first.cancel().await.unwrap();
    second.cancel().await.unwrap();
}

#[tokio::test]
async fn a_server_that_holds_all_the_calls_it_can_says_when_to_come_back() {
    let world = open_with(sip::Options {
        calls_max: 1,
        retry_after_s: 7,
        ..options()
    })
    .await;
    world.support(rules()).await;
    let caller = world.phone("4930111").await;
    let first = dial(&caller, "support").await;
    first.wait_ringing(PATIENCE).await.unwrap();
    let refused = rejection(dial(&caller, "support").await).await;
    assert_eq!(refused.status, 503);
    assert!(
        refused
            .headers
            .contains(&("Retry-After".into(), "7".into()))
    );
    first.cancel().await.unwrap();
    world.see_nothing_left().await;
    let next = dial(&caller, "support").await;
    next.wait_ringing(PATIENCE).await.unwrap();
    next.cancel().await.unwrap();
}

#[tokio::test]
async fn an_extension_that_we_do_not_have_is_named_in_the_refusal() {
    let world = open().await;
    world.support(rules()).await;
    let caller = world.phone("4930111").await;
    let options = CallOptions {
        headers: vec![("Require".into(), "100rel".into())],
        ..CallOptions::default()
    };
    let refused = rejection(caller.call("support", options).await.unwrap()).await;
    assert_eq!(refused.status, 420);
}
