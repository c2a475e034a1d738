use super::Voicemails;
use crate::testing::{World, mailbox, message, show};
use domain::{any::AnyCommand, mailbox::Command};

const COLUMNS: &[&str] = &["status", "from_user", "length_ms", "marked_by"];

#[tokio::test]
async fn a_message_tells_who_left_it_and_what_has_become_of_it() {
    let mut world = World::open().await;
    world.arrives(1).settle().goes_to_mailbox(1);
    assert_eq!(show::<Voicemails>(&world, COLUMNS), "");
    world.has_spoken(1, 2_000).settle();
    assert_eq!(
        show::<Voicemails>(&world, COLUMNS),
        "voicemails: status=new from_user=+4930222 length_ms=2000"
    );
    let delete = Command::DeleteMessage {
        message: message(1),
        by: "token:desk".into(),
    };
    world.tell(AnyCommand::Mailbox(mailbox(), delete));
    assert_eq!(
        show::<Voicemails>(&world, COLUMNS),
        "voicemails: status=deleted from_user=+4930222 length_ms=2000 marked_by=token:desk"
    );
}
