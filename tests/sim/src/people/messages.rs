//! Those who speak in a mailbox, and those who listen to it.

use super::{MS, People, Plans};
use crate::action::{Action, Plan};
use domain::{
    any::AnyCommand,
    call,
    id::{CallId, MailboxId, VoicemailId},
    mailbox,
};

impl People {
    /// What is said comes to its end; now and then nobody ever tells.
    pub(super) fn somebody_speaks(
        &mut self,
        call: CallId,
        message: VoicemailId,
        plans: &mut Plans,
    ) {
        let Some(caller) = self.callers.get_mut(&call) else {
            return;
        };
        let length_ms = caller.chance.below(20_000);
        if caller.chance.percent(5) {
            return;
        }
        let audio = (!caller.chance.percent(5)).then(|| call::Audio {
            size_bytes: length_ms * 8,
            sha256: "00".repeat(32),
        });
        let command = call::Command::RecordVoicemail {
            message,
            length_ms,
            audio,
            is_gone: caller.chance.percent(10),
        };
        let plan = Plan::Phone(Box::new(AnyCommand::Call(call, command)));
        plans.push((length_ms * MS, Action::Person(plan)));
    }

    /// Most are heard, kept or taken away, some of them twice.
    pub(super) fn a_message_is_heard(
        &mut self,
        id: MailboxId,
        message: VoicemailId,
        plans: &mut Plans,
    ) {
        let by = || "somebody".to_owned();
        let mark = |status| mailbox::Command::MarkMessage {
            message,
            status,
            by: by(),
        };
        let mut commands = vec![];
        if self.supervisor.percent(60) {
            commands.push(mark(mailbox::Status::Read));
        }
        if self.supervisor.percent(30) {
            commands.push(mark(mailbox::Status::Saved));
        }
        for _ in 0..self.supervisor.below(3) {
            let by = by();
            commands.push(mailbox::Command::DeleteMessage { message, by });
        }
        for command in commands {
            let when_ms = self.supervisor.exponential(20_000);
            let plan = Plan::Phone(Box::new(AnyCommand::Mailbox(id, command)));
            plans.push((when_ms * MS, Action::Person(plan)));
        }
    }
}
