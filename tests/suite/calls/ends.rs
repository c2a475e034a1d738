//! What every ending has to leave behind: one event that says why, no port, no
//! leg, a free agent and phones that saw nothing against the rules.

use crate::world::{PATIENCE, World, dial};
use commands::ports::Position;
use domain::{
    any::AnyEvent,
    call,
    cause::{By, Disposition, EndReason},
    id::CallId,
};
use phone::{Call, EndedBy, IncomingCall, OutgoingCall, Phone};
use projections::changed::View;

/// The one end of a call, as the record has it.
#[derive(Debug, PartialEq, Eq)]
pub struct End {
    pub disposition: Disposition,
    pub by: By,
    pub reason: EndReason,
    pub sip_status: Option<u16>,
    pub incomplete: bool,
}

impl World {
    /// Waits for the end of the next call that ends after a position, then
    /// until nothing of it is left, and makes sure that it ended only once.
    pub async fn the_end(&self, after: Position) -> End {
        let (position, (call, end)) = self
            .office
            .see(after, |entry| match &entry.fact.event {
                AnyEvent::Call(call, event) => end_of(event).map(|end| (*call, end)),
                _ => None,
            })
            .await;
        self.see_nothing_left().await;
        assert_eq!(self.ends_of(call).await, 1, "one end");
        self.see_record(call, position, &end).await;
        end
    }

    /// The call has one record, and it says of the end what the event says.
    async fn see_record(&self, call: CallId, position: Position, end: &End) {
        let views = self.office.views();
        views
            .wait_for(&[View::Cdr], position, PATIENCE)
            .await
            .unwrap();
        let record = views
            .cdr(call)
            .await
            .unwrap()
            .expect("every ended call has a record");
        let recorded = record.end.expect("the record of an ended call has its end");
        let seen = End {
            disposition: recorded.disposition,
            by: recorded.by,
            reason: recorded.reason,
            sip_status: recorded.sip_status,
            incomplete: recorded.incomplete,
        };
        assert_eq!(&seen, end, "the record of the call");
    }

    /// How often a call ended.
    pub async fn ends_of(&self, wanted: CallId) -> usize {
        let story = self.story(wanted).await;
        story.iter().filter(|event| *event == "call_ended").count()
    }

    /// The agent is free: the next call reaches that phone, is answered and
    /// ends as it should.
    pub async fn see_free(&self, agent: &Phone) {
        let before = self.feed().head();
        let caller = self.phone("4930999").await;
        let (out, incoming) = connect(&caller, agent).await;
        assert_eq!(incoming.from_user(), Some("4930999"));
        assert_eq!(out.hang_up().await.unwrap(), 200);
        hung_up(&incoming).await;
        let end = self.the_end(before).await;
        assert_eq!(end, hangup(By::Caller));
        no_complaints(&[&caller, agent]);
    }
}

/// The end that an event tells of.
pub fn end_of(event: &call::Event) -> Option<End> {
    match event {
        call::Event::Ended {
            cause,
            disposition,
            incomplete,
            ..
        } => Some(End {
            disposition: *disposition,
            by: cause.by,
            reason: cause.reason,
            sip_status: cause.sip_status,
            incomplete: *incomplete,
        }),
        _ => None,
    }
}

/// A conversation that one side ended with BYE.
pub fn hangup(by: By) -> End {
    End {
        disposition: Disposition::Answered,
        by,
        reason: EndReason::Hangup,
        sip_status: None,
        incomplete: false,
    }
}

/// A caller and an agent who talk; both send packets of silence.
pub async fn connect(caller: &Phone, agent: &Phone) -> (OutgoingCall, IncomingCall) {
    let out = dial(caller, "support").await;
    let incoming = agent.next_incoming().await.unwrap();
    incoming.media().play_silence();
    out.media().play_silence();
    incoming.ring().await.unwrap();
    incoming.answer().await.unwrap();
    out.wait_answered(PATIENCE).await.unwrap();
    (out, incoming)
}

/// The other side gets a BYE.
pub async fn hung_up(call: &Call) {
    let ended = call.wait_ended(PATIENCE).await.unwrap();
    assert_eq!(ended.ended_by, Some(EndedBy::Remote));
}

/// No message that the phones got broke a rule of RFC 3261.
pub fn no_complaints(phones: &[&Phone]) {
    for phone in phones {
        assert_eq!(phone.complaints(), []);
    }
}
