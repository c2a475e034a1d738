use super::Mailboxes;
use crate::testing::{World, mailbox, message, show};
use domain::{
    any::AnyCommand,
    mailbox::{Command, Status},
};

const COLUMNS: &[&str] = &["name", "new_count", "saved_count", "expected_count"];

#[tokio::test]
async fn a_mailbox_counts_its_messages_by_what_has_become_of_them() {
    let mut world = World::open().await;
    for number in [1, 2] {
        world.arrives(number).settle().goes_to_mailbox(number);
    }
    assert_eq!(
        show::<Mailboxes>(&world, COLUMNS),
        "mailboxes: name=support new_count=0 saved_count=0 expected_count=2"
    );
    world.has_spoken(1, 2_000).has_spoken(2, 500).settle();
    assert_eq!(
        show::<Mailboxes>(&world, COLUMNS),
        "mailboxes: name=support new_count=1 saved_count=0 expected_count=0"
    );
    let by = || "token:desk".into();
    let save = Command::MarkMessage {
        message: message(1),
        status: Status::Saved,
        by: by(),
    };
    world.tell(AnyCommand::Mailbox(mailbox(), save));
    assert_eq!(
        show::<Mailboxes>(&world, COLUMNS),
        "mailboxes: name=support new_count=0 saved_count=1 expected_count=0"
    );
    let delete = Command::DeleteMessage {
        message: message(1),
        by: by(),
    };
    world.tell(AnyCommand::Mailbox(mailbox(), delete));
    assert_eq!(
        show::<Mailboxes>(&world, COLUMNS),
        "mailboxes: name=support new_count=0 saved_count=0 expected_count=0"
    );
}
