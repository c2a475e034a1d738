//! The stored form of what is said of an agent who may have several calls at once, frozen like
//! the files: an event that says nothing of it is stored as it always was.

use super::examples::AT;
use ringledger_domain::{
    any::{AnyEvent, Stamped, decode},
    decider::Event as _,
    session::Event,
};

const CONFIGURED: &str = r#"{"at":"2027-01-15T08:00:00.123456Z","event":{"agent_configured":{"config_version":2,"config":{"queues":["01920000-0000-7000-8000-000000000005"],"ready_on_register":true,"capacity":2}}}}"#;

const RESERVED: &str = r#"{"at":"2027-01-15T08:00:00.123456Z","event":{"agent_reserved":{"offer":"01920000-0000-7000-8000-000000000007","call":"01920000-0000-7000-8000-000000000001","visit":"01920000-0000-7000-8000-000000000006","queue":"01920000-0000-7000-8000-000000000005","until":"2027-01-15T08:00:20.123456Z","wrap_up_ms":30000,"capacity":2,"still":{"doing":"on_contact","call":"01920000-0000-7000-8000-000000000002","offer":"01920000-0000-7000-8000-000000000008","queue":"01920000-0000-7000-8000-000000000005"}}}}"#;

const ENDED: &str = r#"{"at":"2027-01-15T08:00:00.123456Z","event":{"agent_contact_ended":{"call":"01920000-0000-7000-8000-000000000001","still":{"doing":"wrap_up","call":"01920000-0000-7000-8000-000000000002"}}}}"#;

const AGENT: &str = "01920000-0000-7000-8000-000000000004";

#[test]
fn a_capacity_of_more_than_one_is_stored_and_read_back() {
    let read = decode("agent", AGENT, "agent_configured", 1, CONFIGURED);
    let Ok((AT, AnyEvent::Agent(_, event))) = read else {
        panic!("{read:?}");
    };
    let stored = serde_json::to_string(&Stamped { at: AT, event });
    assert_eq!(stored.unwrap(), CONFIGURED);
}

#[test]
fn what_goes_on_beside_a_change_is_stored_and_read_back() {
    let session = format!("{AGENT}-1");
    for golden in [RESERVED, ENDED] {
        let event_type = match golden == RESERVED {
            true => "agent_reserved",
            false => "agent_contact_ended",
        };
        let read = decode("agentsession", &session, event_type, 1, golden);
        let Ok((AT, AnyEvent::Session(_, event))) = read else {
            panic!("{read:?}");
        };
        let (Event::Reserved { still, .. } | Event::ContactEnded { still, .. }) = &event else {
            panic!("{event:?}");
        };
        assert!(still.is_some());
        assert_eq!(event.event_type(), event_type);
        let stored = serde_json::to_string(&Stamped { at: AT, event });
        assert_eq!(stored.unwrap(), golden);
    }
}
