use super::*;
use std::net::Ipv4Addr;

const REALM: &str = "ringledger";
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

fn authenticator() -> Authenticator {
    Authenticator::new(REALM, NonceKey::new([7; 32]))
}

fn attempt<'a>(headers: &'a [&'a str], now_ms: u64) -> Attempt<'a> {
    Attempt {
        method: "REGISTER",
        source: HERE,
        headers,
        now_ms,
        entropy: 42,
    }
}

fn find(user: &str) -> Option<Ha1> {
    (user == "alice").then(|| Ha1::compute("alice", REALM, "secret"))
}

fn nonce_at(auth: &mut Authenticator, now_ms: u64) -> String {
    match auth.verify(attempt(&[], now_ms), find) {
        Outcome::Challenge { challenges, .. } => {
            challenges[0].split('"').nth(3).unwrap().to_owned()
        }
        Outcome::Granted { .. } | Outcome::Malformed => panic!("no challenge"),
    }
}

fn header(nonce: &str, nc: &str, algorithm: Algorithm, password: &str) -> String {
    let mut credentials = Credentials {
        user: "alice".into(),
        realm: REALM.into(),
        nonce: nonce.into(),
        uri: "sip:host".into(),
        response: String::new(),
        algorithm,
        cnonce: "c".into(),
        count: 0,
        count_text: nc.into(),
    };
    credentials.response = expected(
        &credentials,
        "REGISTER",
        &Ha1::compute("alice", REALM, password),
    );
    format!(
        "Digest username=\"alice\", realm=\"{REALM}\", nonce=\"{nonce}\", uri=\"sip:host\", \
         response=\"{}\", algorithm={}, cnonce=\"c\", qop=auth, nc={nc}",
        credentials.response,
        algorithm.as_str(),
    )
}

fn granted(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Granted { user } if user == "alice")
}

fn stale(outcome: &Outcome) -> Option<bool> {
    match outcome {
        Outcome::Challenge { stale, .. } => Some(*stale),
        Outcome::Granted { .. } | Outcome::Malformed => None,
    }
}

#[test]
fn one_challenge_offers_both_algorithms_the_stronger_first() {
    let outcome = authenticator().verify(attempt(&[], 1000), find);
    let Outcome::Challenge {
        challenges,
        stale: false,
        is_guess: false,
    } = outcome
    else {
        panic!("{outcome:?}")
    };
    assert_eq!(challenges.len(), 2);
    assert!(challenges[0].contains("algorithm=SHA-256, qop=\"auth\""));
    assert!(challenges[1].contains("algorithm=MD5, qop=\"auth\""));
}

#[test]
fn the_right_password_is_granted_under_either_algorithm_and_a_wrong_one_is_not() {
    for algorithm in Algorithm::ALL {
        let mut auth = authenticator();
        let nonce = nonce_at(&mut auth, 1000);
        let wrong = header(&nonce, "00000001", algorithm, "wrong");
        assert_eq!(
            stale(&auth.verify(attempt(&[&wrong], 1001), find)),
            Some(false)
        );
        let right = header(&nonce, "00000001", algorithm, "secret");
        assert!(granted(&auth.verify(attempt(&[&right], 1002), find)));
    }
}

#[test]
fn every_count_opens_once_and_the_counts_pass_ten_and_two_hundred_fifty_six() {
    let mut auth = authenticator();
    let nonce = nonce_at(&mut auth, 1000);
    for count in 1..=300u32 {
        let header = header(&nonce, &format!("{count:08x}"), Algorithm::Md5, "secret");
        assert!(
            granted(&auth.verify(attempt(&[&header], 1000), find)),
            "{count}"
        );
        assert_eq!(
            stale(&auth.verify(attempt(&[&header], 1000), find)),
            Some(true),
            "{count}"
        );
    }
}

#[test]
fn the_right_password_with_a_nonce_of_another_time_or_run_is_only_asked_again() {
    let mut auth = authenticator();
    let nonce = nonce_at(&mut auth, 1000);
    let late = 1000 + NONCE_LIFETIME_MS + 1;
    let old = header(&nonce, "00000001", Algorithm::Sha256, "secret");
    assert_eq!(
        stale(&auth.verify(attempt(&[&old], late), find)),
        Some(true)
    );
    let forged = header(&"0".repeat(64), "00000001", Algorithm::Sha256, "secret");
    assert_eq!(
        stale(&auth.verify(attempt(&[&forged], late), find)),
        Some(true)
    );
}

#[test]
fn only_a_wrong_password_under_a_nonce_of_its_own_address_is_a_guess_from_there() {
    let mut auth = authenticator();
    let nonce = nonce_at(&mut auth, 1000);
    let made_up = "0".repeat(64);
    let late = 1000 + NONCE_LIFETIME_MS + 1;
    for (nonce, source, now_ms, password, expected) in [
        (&nonce, HERE, 1000, "wrong", true),
        (&nonce, HERE, late, "wrong", true),
        (&nonce, THERE, 1000, "wrong", false),
        (&made_up, HERE, 1000, "wrong", false),
        (&nonce, HERE, late, "secret", false),
    ] {
        let header = header(nonce, "00000001", Algorithm::Md5, password);
        let headers = [header.as_str()];
        let attempt = Attempt {
            source,
            ..attempt(&headers, now_ms)
        };
        let Outcome::Challenge { is_guess, .. } = auth.verify(attempt, find) else {
            panic!("{password} from {source} opens nothing");
        };
        assert_eq!(is_guess, expected, "{password} from {source} at {now_ms}");
    }
    let same = "::ffff:192.0.2.1".parse().unwrap();
    let wrong = header(&nonce, "00000001", Algorithm::Md5, "wrong");
    let headers = [wrong.as_str()];
    let mapped = Attempt {
        source: same,
        ..attempt(&headers, 1000)
    };
    let outcome = auth.verify(mapped, find);
    assert!(matches!(outcome, Outcome::Challenge { is_guess: true, .. }));
}

#[test]
fn a_nonce_is_good_from_another_address_and_each_count_only_once_from_all() {
    let mut auth = authenticator();
    let nonce = nonce_at(&mut auth, 1000);
    for (source, count, good) in [
        (THERE, "00000001", true),
        (HERE, "00000001", false),
        (HERE, "00000002", true),
        (THERE, "00000002", false),
    ] {
        let header = header(&nonce, count, Algorithm::Md5, "secret");
        let headers = [header.as_str()];
        let attempt = Attempt {
            source,
            ..attempt(&headers, 1000)
        };
        let outcome = auth.verify(attempt, find);
        assert_eq!(granted(&outcome), good, "{count} from {source}");
    }
}

#[test]
fn a_wrong_password_uses_up_no_count_of_somebody_elses_nonce() {
    let mut auth = authenticator();
    let nonce = nonce_at(&mut auth, 1000);
    let wrong = header(&nonce, "ffffffff", Algorithm::Md5, "wrong");
    auth.verify(attempt(&[&wrong], 1000), find);
    let right = header(&nonce, "00000001", Algorithm::Md5, "secret");
    assert!(granted(&auth.verify(attempt(&[&right], 1000), find)));
}

#[test]
fn another_scheme_or_realm_gets_a_challenge_and_garbage_a_400() {
    let mut auth = authenticator();
    for other in [
        "NoOneKnowsThisScheme opaque-data=here",
        "Basic Zm9v",
        "",
        "Digest",
        "Digest username=\"a\", realm=\"else\", nonce=\"n\", uri=\"u\", response=\"r\", qop=auth, nc=1, cnonce=\"c\"",
    ] {
        assert_eq!(
            stale(&auth.verify(attempt(&[other], 1), find)),
            Some(false),
            "{other}"
        );
    }
    for bad in [
        "Digest username=\"alice",
        "Digest a=\"\\",
        "Digest qop=auth",
        "Digest =, qop=auth",
        "Digest qop=auth, qop=auth",
        "Digest qop=auth, nc=+1",
        "Digest qop=\"auth\" nc=1",
        "Digest qop=auth, nc=000000000001",
    ] {
        assert_eq!(
            auth.verify(attempt(&[bad], 1), find),
            Outcome::Malformed,
            "{bad}"
        );
    }
}

#[test]
fn quoting_and_spacing_may_be_any_that_the_rfc_allows() {
    let mut auth = authenticator();
    let nonce = nonce_at(&mut auth, 1000);
    let odd = header(&nonce, "0000000a", Algorithm::Md5, "secret")
        .replace("Digest ", "dIgEsT ,, ")
        .replace("username=\"alice\"", "USERNAME = \"al\\ice\"")
        .replace("qop=auth", "qop=\"auth\"")
        .replace("algorithm=MD5", "algorithm=\"md5\"")
        .replace("nc=0000000a", "nc=\"0000000a\",");
    assert!(granted(&auth.verify(attempt(&[&odd], 1000), find)), "{odd}");
}

#[test]
fn the_examples_of_rfc_7616_have_these_responses() {
    for (algorithm, response) in [
        (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
        (
            Algorithm::Sha256,
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
    ] {
        let credentials = Credentials {
            user: "Mufasa".into(),
            realm: "http-auth@example.org".into(),
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v".into(),
            uri: "/dir/index.html".into(),
            response: String::new(),
            algorithm,
            cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ".into(),
            count: 1,
            count_text: "00000001".into(),
        };
        let ha1 = Ha1::compute("Mufasa", "http-auth@example.org", "Circle of Life");
        assert_eq!(expected(&credentials, "GET", &ha1), response);
    }
}

#[test]
fn the_table_of_counts_is_bounded_and_what_it_forgot_is_stale() {
    let mut nonces = Nonces::new(NonceKey::new([1; 32]));
    let first = nonces.issue(HERE, 1000, 0);
    assert_eq!(nonces.accept(&first, 1, 1000), NonceState::Fresh);
    for chance in 1..=NONCES_MAX as u64 {
        let nonce = nonces.issue(HERE, 1001, chance);
        assert_eq!(nonces.accept(&nonce, 1, 1001), NonceState::Fresh);
    }
    assert_eq!(nonces.accept(&first, 2, 1001), NonceState::Stale);
}

#[test]
fn a_clock_that_is_set_back_costs_one_challenge_and_opens_no_door_for_what_was_used() {
    const HOUR_MS: u64 = 3_600_000;
    let mut auth = authenticator();
    let mut used = vec![];
    for now_ms in [10 * HOUR_MS, 11 * HOUR_MS] {
        let nonce = nonce_at(&mut auth, now_ms);
        let right = header(&nonce, "00000001", Algorithm::Sha256, "secret");
        assert!(granted(&auth.verify(attempt(&[&right], now_ms), find)));
        used.push((now_ms, right));
    }
    // The clock goes back by an hour and a half.
    let now_ms = 11 * HOUR_MS - HOUR_MS / 2 * 3;
    let nonce = nonce_at(&mut auth, now_ms);
    for count in ["00000001", "00000002"] {
        let right = header(&nonce, count, Algorithm::Sha256, "secret");
        assert!(granted(&auth.verify(attempt(&[&right], now_ms), find)));
    }
    // What was used before is not good again when the clock has caught up.
    for (then_ms, replayed) in &used {
        for now_ms in [*then_ms - HOUR_MS / 4, *then_ms, *then_ms + 1] {
            let again = auth.verify(attempt(&[replayed], now_ms), find);
            assert_eq!(stale(&again), Some(true), "{then_ms} at {now_ms}");
        }
    }
}

#[test]
fn secrets_are_not_in_debug_output() {
    let text = format!(
        "{:?} {:?}",
        Ha1::compute("a", "b", "c"),
        NonceKey::new([9; 32])
    );
    assert_eq!(text, "Ha1{redacted} NonceKey{redacted}");
}
