//! A phone in a call asks for the other side to be sent elsewhere: the agent's, into another
//! queue. It is told of how that goes, as RFC 3515 wants it, and let go when it is done.

use super::{
    Driver,
    dialogs::{Place, accept, find, is_confirmed},
    lanes::{Progress, Receipt},
};
use crate::{
    inbound::refer,
    legs::{Leg, Legs, Release, Side},
    message::{Method, Request, allow},
    stack::{Reply, ServerTransaction},
    status,
};
use commands::directory::QueueEntry;
use domain::{
    any::AnyCommand,
    call::{Command, Transfer},
    cause::EndReason,
    id::{AgentId, CallId, LegId, VisitId},
};
use std::sync::Arc;

/// How long what a phone has subscribed to by its REFER may last, in seconds: the transfer
/// is in the record long before, or the store is away.
const EXPIRES_S: u32 = 60;

/// What is told of a transfer (RFC 3515, 2.4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// It is on its way.
    Trying,
    /// It is done.
    Done,
    /// It has come to nothing; the two talk on.
    Failed(u16),
}

impl Told {
    /// The status line (RFC 3420), and the state of the subscription.
    fn said(self) -> (String, String) {
        let over = || "terminated;reason=noresource".to_owned();
        match self {
            Self::Trying => (
                "SIP/2.0 100 Trying\r\n".to_owned(),
                format!("active;expires={EXPIRES_S}"),
            ),
            Self::Done => ("SIP/2.0 200 OK\r\n".to_owned(), over()),
            Self::Failed(status) => {
                let phrase = crate::message::phrase(status);
                (format!("SIP/2.0 {status} {phrase}\r\n"), over())
            }
        }
    }
}

impl Driver {
    /// The phone of an agent wants the caller to be sent elsewhere.
    pub(super) fn on_refer(&self, transaction: &ServerTransaction, request: &Request) {
        let mut legs = self.legs();
        let Some((id, place)) = find(&legs, request.dialog()) else {
            return transaction.respond(Reply::new(481));
        };
        if let Err(reply) = accept(&mut legs, id, place, request, transaction.flow()) {
            return transaction.respond(reply);
        }
        let wanted = self.wanted(&legs, (id, place), request);
        let (call, agent, queue) = match wanted {
            Ok(wanted) => wanted,
            Err(reply) => {
                counted("refused");
                return transaction.respond(reply);
            }
        };
        let Some(leg) = legs.get_mut(id) else { return };
        if let Side::Agent(agent) = &mut leg.side {
            agent.referred = request.cseq();
        }
        let contact = leg.dialog_mut().map(|dialog| dialog.contact().to_owned());
        let contact = contact.unwrap_or_default();
        let accepted = Reply::new(202).with("Contact", format!("<{contact}>"));
        transaction.respond(accepted.with("Allow", allow()));
        self.tell_referrer(leg, Told::Trying);
        // Under the lock: a BYE of that phone, which may come at once, must not overtake it.
        let receipt = self.transfer(call, (id, agent), &queue);
        drop(legs);
        let driver = self.clone();
        tokio::spawn(async move { driver.referral_answered(id, receipt).await });
    }

    /// Who wants the caller of which call to go where; or the response that refuses it.
    fn wanted(
        &self,
        legs: &Legs,
        (id, place): (LegId, Place),
        request: &Request,
    ) -> Result<(CallId, AgentId, Arc<QueueEntry>), Reply> {
        let leg = legs.get(id).filter(|leg| leg.ended_at.is_none());
        let leg = leg.ok_or_else(|| Reply::new(481))?;
        // Whoever calls, is outside or only hears the call sends nobody anywhere.
        let agent = match &leg.side {
            Side::Agent(agent) if !agent.is_supervisor && agent.carrier.is_none() => agent,
            Side::Agent(_) | Side::Caller(_) => return Err(Reply::new(403)),
        };
        let who = agent.who.ok_or_else(|| Reply::new(403))?;
        if !is_confirmed(leg, place) {
            return Err(Reply::new(403));
        }
        if agent.referred.is_some() {
            return Err(Reply::new(491));
        }
        let user = refer::translate(request)?;
        let directory = &self.parts.directory;
        let unknown = || Reply::new(status::of_reason(EndReason::UnknownAddress).status);
        let queue = directory.resolve(&user).ok_or_else(unknown)?;
        match directory.is_open(queue.id, self.parts.clock.now()) {
            Some(true) => Ok((leg.call, who, queue)),
            Some(false) => {
                let closed = status::of_reason(EndReason::QueueClosed).status;
                Err(Reply::new(closed).with("Warning", "399 ringledger \"the queue is closed\""))
            }
            None => Err(unknown()),
        }
    }

    /// Asks the call for it, after what was told of it before.
    fn transfer(&self, call: CallId, (leg, agent): (LegId, AgentId), to: &QueueEntry) -> Receipt {
        let now = self.parts.clock.now();
        let transfer = Transfer {
            queue: to.id,
            config_version: to.config_version,
            answer_mode: to.config.answer_mode,
            visit: VisitId(self.parts.entropy.uuid(now)),
            exit_keys: to.config.exit_keys(),
            music: to.config.music.clone(),
            agent: Some(agent),
            leg: Some(leg),
            by: format!("agent:{agent}"),
        };
        let command = AnyCommand::Call(call, Command::TransferCall(transfer));
        self.insist(self.envelope(command, call.0))
    }

    /// What the call's rules have said; that it is done is told by the event.
    async fn referral_answered(&self, id: LegId, receipt: Receipt) {
        let status = match receipt.last().await {
            Progress::Waiting | Progress::Delayed | Progress::Settled => return,
            Progress::Refused(code) => status::of_refused_transfer(code),
            Progress::Lost => 500,
        };
        counted("refused");
        let mut legs = self.legs();
        if let Some(leg) = legs.get_mut(id) {
            self.tell_referrer(leg, Told::Failed(status));
        }
    }

    /// The caller is elsewhere: the agent's phone is let go.
    pub(super) fn transferred(&self, id: LegId, release: &Release) {
        counted("done");
        let mut legs = self.legs();
        if let Some(leg) = legs.get_mut(id) {
            self.tell_referrer(leg, Told::Done);
        }
        self.release_agent(&mut legs, id, release);
    }

    /// NOTIFY to the phone that has asked, if one has and is still there.
    fn tell_referrer(&self, leg: &mut Leg, told: Told) {
        let is_there = leg.ended_at.is_none() && leg.is_confirmed();
        let Side::Agent(agent) = &mut leg.side else {
            return;
        };
        let referred = match told {
            Told::Trying => agent.referred,
            Told::Done | Told::Failed(_) => agent.referred.take(),
        };
        let (Some(number), Some(dialog), true) = (referred, agent.dialog_mut(), is_there) else {
            return;
        };
        let (said, state) = told.said();
        let mut request = dialog.request(Method::Notify);
        let headers = &mut request.headers;
        headers.push("Contact", format!("<{}>", dialog.contact()));
        // By the number of its REFER, in case it sends another (RFC 3515, 2.4.6).
        headers.push("Event", format!("refer;id={number}"));
        headers.push("Subscription-State", state);
        headers.push("Content-Type", "message/sipfrag;version=2.0");
        request.body = said.into_bytes();
        let hop = dialog.next_hop();
        // Whether it listens is its own affair.
        self.stack.request(request, hop, |_| {});
    }
}

fn counted(outcome: &'static str) {
    metrics::counter!("ringledger_transfers_total", "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_is_told_by_a_status_line_and_the_last_one_ends_the_subscription() {
        let (line, state) = Told::Trying.said();
        assert_eq!(line, "SIP/2.0 100 Trying\r\n");
        assert_eq!(state, "active;expires=60");
        for (told, line) in [
            (Told::Done, "SIP/2.0 200 OK\r\n"),
            (Told::Failed(403), "SIP/2.0 403 Forbidden\r\n"),
        ] {
            let over = "terminated;reason=noresource".to_owned();
            assert_eq!(told.said(), (line.to_owned(), over));
        }
    }
}
