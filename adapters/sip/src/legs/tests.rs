use super::*;
use uuid::Uuid;

#[test]
fn a_leg_is_found_by_its_dialogs_until_it_is_forgotten_also_without_an_invite() {
    let mut legs = Legs::default();
    let (id, call) = (LegId(Uuid::nil()), CallId(Uuid::nil()));
    let ended = Instant::now();
    legs.calls.insert(
        call,
        CallEntry {
            caller: id,
            early: None,
            legs: vec![],
        },
    );
    // Of two phones, none of which could be sent an INVITE.
    legs.insert_leg(Leg {
        id,
        call,
        side: Side::Agent(Agent::default()),
        session: Session::new(1),
        ended_at: Some(ended),
        probed_at: None,
        away_since: None,
    });
    let dialogs = ["one", "two"].map(|call_id| DialogId {
        call_id: call_id.into(),
        local_tag: "ours".into(),
        remote_tag: String::new(),
    });
    for dialog in [&dialogs[0], &dialogs[1], &dialogs[1]] {
        legs.name(dialog, id);
    }
    legs.sweep(ended);
    assert_eq!(legs.of_dialog(&dialogs[1]), Some(id));
    legs.sweep(ended + LINGER);
    for dialog in &dialogs {
        assert_eq!(legs.of_dialog(dialog), None);
    }
    assert_eq!((legs.dialogs.len(), legs.names.len()), (0, 0));
    assert_eq!(legs.calls(), 0);
}
