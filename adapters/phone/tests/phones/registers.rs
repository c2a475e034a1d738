use ringledger_phone::{Algorithm, DigestPreference, Error, Phone, PhoneOptions};

use crate::registrar::Registrar;
use crate::two_phones;

async fn phone_at(registrar: &Registrar, change: impl FnOnce(&mut PhoneOptions)) -> Phone {
    let mut options = PhoneOptions::new(registrar.addr, "bob").with_password("secret");
    options.t1_ms = 20;
    change(&mut options);
    Phone::bind(options).await.unwrap()
}

#[tokio::test]
async fn a_phone_registers_under_challenge_and_refreshes_under_the_same_nonce() {
    let registrar = Registrar::start().await;
    let phone = phone_at(&registrar, |_| {}).await;
    let outcome = phone.register(3600).await.unwrap();
    assert_eq!(
        (outcome.status, outcome.expires_s, outcome.challenges),
        (200, Some(120), 1)
    );
    assert_eq!(outcome.algorithm, Some(Algorithm::Sha256));
    let refreshed = phone.register(3600).await.unwrap();
    assert_eq!(refreshed.challenges, 0);
    phone.unregister().await.unwrap();
    let state = registrar.state.lock().unwrap();
    assert_eq!(state.counts, ["00000001", "00000002", "00000003"]);
    assert_eq!((state.requests, &state.contact), (4, &None));
}

#[tokio::test]
async fn a_stale_nonce_is_replaced_without_asking_anybody() {
    let registrar = Registrar::start().await;
    let phone = phone_at(&registrar, |_| {}).await;
    phone.register(3600).await.unwrap();
    registrar.expire_nonce();
    assert_eq!(phone.register(3600).await.unwrap().challenges, 1);
    assert_eq!(
        registrar.state.lock().unwrap().counts,
        ["00000001", "00000001"]
    );
}

#[tokio::test]
async fn a_phone_that_knows_only_md5_registers_with_md5() {
    let registrar = Registrar::start().await;
    let phone = phone_at(&registrar, |options| {
        options.digest = DigestPreference::Md5Only
    })
    .await;
    assert_eq!(
        phone.register(3600).await.unwrap().algorithm,
        Some(Algorithm::Md5)
    );
}

#[tokio::test]
async fn a_wrong_password_or_none_is_a_refusal() {
    let registrar = Registrar::start().await;
    let phone = phone_at(&registrar, |options| {
        options.password = Some("wrong".to_owned())
    })
    .await;
    assert!(matches!(
        phone.register(3600).await,
        Err(Error::Rejected { status: 403, .. })
    ));
    let phone = phone_at(&registrar, |options| options.password = None).await;
    assert!(matches!(
        phone.register(3600).await,
        Err(Error::Rejected { status: 401, .. })
    ));
}

#[tokio::test]
async fn a_lost_response_is_made_up_for_by_repeating_the_request() {
    let registrar = Registrar::start().await;
    let phone = phone_at(&registrar, |_| {}).await;
    registrar.state.lock().unwrap().lose_next_response = true;
    assert_eq!(phone.register(3600).await.unwrap().status, 200);
    assert_eq!(
        registrar.state.lock().unwrap().requests,
        2,
        "the repetition is the same request"
    );
}

#[tokio::test]
async fn a_registrar_that_is_not_there_is_a_timeout() {
    let options = PhoneOptions {
        t1_ms: 5,
        ..PhoneOptions::new(crate::nowhere(), "bob")
    };
    let phone = Phone::bind(options).await.unwrap();
    assert!(matches!(phone.register(60).await, Err(Error::Timeout)));
}

#[tokio::test]
async fn options_is_answered_with_the_methods_that_are_served() {
    let (alice, _bob) = two_phones().await;
    let outcome = alice.options_ping("bob").await.unwrap();
    assert_eq!(outcome.status, 200);
    assert_eq!(outcome.allow, ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS"]);
}
