//! The caller's side of a call.

use super::{Driver, agents::with_all, refusals};
use crate::{
    auth::client::Account,
    dialog::Dialog,
    inbound::{cancel, invite},
    legs::{
        Caller, Leg, Legs, Release, Session, Side,
        caller::{Action, Input, State, step},
    },
    message::{Method, Request, allow},
    stack::{Reply, ServerTransaction},
    status,
    transport::{Flow, Transport},
};
use commands::{error::DispatchError, ports::VaultError};
use domain::{
    any::AnyCommand,
    billing::rating::{Facts, Outbound},
    call::{Command, Diversion, Route},
    cause::EndReason,
    id::{CallId, LegId, TrunkId, VisitId},
    sealed::{Party, Sealed},
};
use std::{net::IpAddr, sync::atomic::Ordering, time::Instant};

impl Driver {
    /// A new call comes in.
    pub(super) fn on_invite(&self, transaction: ServerTransaction, request: &Request) {
        let new = match invite::translate(request, self.stack.host()) {
            Ok(new) => new,
            Err(reply) => return transaction.respond(reply),
        };
        let flow = transaction.flow();
        let tag = self.stack.new_tag();
        let contact = self.stack.contact(flow.transport);
        let Some(dialog) = Dialog::accepting(request, flow, &tag, contact) else {
            return transaction.respond(Reply::new(400));
        };
        let at = self.parts.clock.now();
        let [call, leg, visit] = [(); 3].map(|()| self.parts.entropy.uuid(at));
        let (call, leg, visit) = (CallId(call), LegId(leg), VisitId(visit));
        let mut session = Session::new(self.parts.entropy.number());
        // What is agreed on is decided when the caller is answered.
        session.last_rtp = new.offer.as_ref().and_then(|offer| offer.audio.rtp);
        session.holding = new.offer.as_ref().is_some_and(|offer| offer.audio.holds());
        session.remote.clone_from(&new.offer);
        let caller = Caller {
            state: State::Early,
            invite: transaction.clone(),
            invite_cseq: request.cseq().unwrap_or(0),
            dialog,
            rang_at: None,
            is_heard: false,
            answered_at: None,
            leaving: None,
            shown_as: new.shown_as.clone(),
            hops: new.hops,
        };
        let inserted = self.legs().insert_call(Leg {
            id: leg,
            call,
            side: Side::Caller(Box::new(caller)),
            session,
            ended_at: None,
            probed_at: None,
            away_since: None,
        });
        if !inserted {
            // The same request by another way (RFC 3261, 8.2.2.2).
            return transaction.respond(Reply::new(482));
        }
        tracing::info!(%call, %leg, transport = %flow.transport, "call comes in");
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.admission.setup_started();
        let driver = self.clone();
        tokio::spawn(async move {
            let setup = driver.clone();
            let setup =
                tokio::spawn(async move { setup.receive(call, leg, visit, new, flow).await });
            if let Err(error) = setup.await {
                tracing::error!(%error, %call, "call setup has failed");
                driver.fail_setup(call, leg, 500);
                refusals::unrecorded(1);
            }
            driver.admission.setup_ended();
        });
    }

    /// Brings a new call into the record.
    async fn receive(
        &self,
        call: CallId,
        leg: LegId,
        visit: VisitId,
        new: invite::NewCall,
        flow: Flow,
    ) {
        let (route, trunk) = self.route(&new, leg, visit, flow).await;
        let route = self.with_port(leg, route);
        // What a caller hears whose call can not be recorded now, and the record says then.
        let reason = refusals::reason_of(&route);
        if matches!(route, Route::Refused(_)) && !self.may_record_refusal() {
            let reason = self.turn_away(call, leg, reason);
            return self.record_later(flow, reason, || Some(new));
        }
        let (from, diversion) = match self.seal(&new).await {
            Ok(sealed) => sealed,
            Err(error) => {
                tracing::warn!(%error, "caller can not be sealed");
                let reason = self.turn_away(call, leg, reason);
                return self.record_later(flow, reason, || Some(new));
            }
        };
        let command = Command::ReceiveCall {
            leg,
            from,
            withheld: new.withheld,
            to: new.to,
            trunk,
            sip_call_id: new.sip_call_id,
            user_agent: new.user_agent,
            diversion,
            route,
        };
        let envelope = self.envelope(AnyCommand::Call(call, command), call.0);
        let pending = {
            let mut legs = self.legs();
            let pending = self.parts.gateway.submit(envelope.clone());
            // What came in the meantime follows at once, in its order.
            let early = legs.call_mut(call).and_then(|entry| entry.early.take());
            for command in early.unwrap_or_default() {
                self.submit(call, command);
            }
            pending
        };
        match pending.wait().await {
            Ok(_) => {}
            Err(DispatchError::Refused(refused)) => {
                tracing::warn!(code = refused.code, "call was refused");
                self.fail_setup(call, leg, status::of_refusal(refused.code).unwrap_or(500));
            }
            Err(error @ (DispatchError::Conflict | DispatchError::Unavailable(_))) => {
                tracing::warn!(%error, "call was not recorded");
                self.fail_setup(call, leg, status::of_reason(reason).status);
                self.record_again(envelope, (call, leg), reason);
            }
            Err(error @ DispatchError::Corrupt(_)) => {
                tracing::error!(%error, "call was not recorded");
                self.fail_setup(call, leg, 500);
                refusals::unrecorded(1);
            }
        }
    }

    /// Whoever is named in an INVITE, each under a key of their own.
    pub(super) async fn seal(
        &self,
        new: &invite::NewCall,
    ) -> Result<(Sealed<Party>, Option<Diversion>), VaultError> {
        let from = self.parts.vault.seal(&new.from).await?;
        let Some(diverted) = &new.diverted else {
            return Ok((from, None));
        };
        let by = self.parts.vault.seal(&diverted.by).await?;
        let reason = diverted.reason;
        Ok((from, Some(Diversion { by, reason })))
    }

    /// The trunk that lets in what comes from there. None lets in a WebSocket: those of
    /// all phones come from the address of one proxy, and no carrier has one.
    pub(super) fn trunk_of(&self, flow: Flow) -> Option<TrunkId> {
        if flow.transport == Transport::Ws {
            return None;
        }
        let source = flow.peer.ip();
        let trunks = self.parts.directory.trunks();
        let mut trunks = trunks.iter();
        trunks
            .find(|trunk| is_allowed(&trunk.config.allow, source))
            .map(|trunk| trunk.id)
    }

    /// Where a call leads, and through which trunk it came.
    async fn route(
        &self,
        new: &invite::NewCall,
        leg: LegId,
        visit: VisitId,
        flow: Flow,
    ) -> (Route, Option<TrunkId>) {
        // A trunk may have changed since the call was let in.
        if self.is_shut_to(flow) {
            return (Route::Refused(EndReason::NotAllowed), None);
        }
        let trunk = self.trunk_of(flow);
        let directory = &self.parts.directory;
        let queue = directory.resolve(&new.to);
        let forward = directory.forward(&new.to);
        let now = self.parts.clock.now();
        let outside = LegId(self.parts.entropy.uuid(now));
        let facts = Facts {
            dialled: Some(new.to.clone()),
            caller_leg: Some(leg),
            queue: queue.as_ref().map(|queue| queue.id),
            trunk,
            outbound: forward
                .iter()
                .filter(|_| queue.is_none())
                .map(|number| Outbound::to(outside, number))
                .collect(),
            ..Facts::default()
        };
        let is_known = queue.is_some() || forward.is_some();
        let no_money = match new.refused {
            None if is_known => self.parts.gateway.refusal(&facts, now).await,
            refused @ (None | Some(_)) => refused,
        };
        let route = match (no_money, queue, forward) {
            (_, None, None) => Route::Refused(EndReason::UnknownAddress),
            (Some(reason), _, _) => Route::Refused(reason),
            (None, None, Some(number)) => Route::Forward {
                number,
                leg: outside,
            },
            (None, Some(queue), _) => Route::Queue {
                queue: queue.id,
                config_version: queue.config_version,
                answer_mode: queue.config.answer_mode,
                visit,
                exit_keys: queue.config.exit_keys(),
                music: queue.config.music.clone(),
            },
        };
        (route, trunk)
    }

    /// The same with a port for the caller's sound, if the call leads anywhere.
    fn with_port(&self, id: LegId, route: Route) -> Route {
        if matches!(route, Route::Refused(_)) {
            return route;
        }
        let Ok(local) = self.parts.media.open_caller(id) else {
            return Route::Refused(EndReason::NoMediaPort);
        };
        if let Some(leg) = self.legs().get_mut(id) {
            leg.session.local = Some(local);
        }
        route
    }

    /// Whether one more refused call goes into the record in this second: a
    /// scanner must not fill the log.
    pub(super) fn may_record_refusal(&self) -> bool {
        self.refused_records
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            })
            .is_ok()
    }

    /// Whether there are trunks, and none lets in what comes from there. A phone calls over
    /// the WebSocket that it is registered over.
    pub(super) fn is_shut_to(&self, flow: Flow) -> bool {
        let trunks = self.parts.directory.trunks();
        let is_let_in = || match flow.transport {
            Transport::Ws => self.phones.connections().contains(&flow),
            Transport::Udp | Transport::Tcp => self.trunk_of(flow).is_some(),
        };
        !trunks.is_empty() && !is_let_in()
    }

    /// Refuses a call that can not be recorded now, and says as what it is to be recorded:
    /// as given up, where its caller has left meanwhile: the 487 followed nothing yet.
    fn turn_away(&self, call: CallId, leg: LegId, reason: EndReason) -> EndReason {
        let has_left = self.legs().call_mut(call).is_some_and(|entry| {
            let mut early = entry.early.iter().flatten();
            early.any(|command| matches!(command, Command::RecordCancel { .. }))
        });
        let reason = if has_left {
            EndReason::Cancelled
        } else {
            reason
        };
        self.fail_setup(call, leg, status::of_reason(reason).status);
        reason
    }

    /// Refuses a call of which nothing was recorded.
    fn fail_setup(&self, call: CallId, leg: LegId, status: u16) {
        let retry_after_s = (status == 503).then_some(self.options.retry_after_s);
        let release = Release {
            status,
            reason: None,
            retry_after_s,
        };
        let mut legs = self.legs();
        if let Some(entry) = legs.call_mut(call) {
            entry.early = None;
        }
        self.caller(&mut legs, leg, Input::Release, Some(&release));
    }

    /// The caller gave up; the CANCEL has got its 200.
    pub(super) fn on_cancel(&self, transaction: &ServerTransaction, request: &Request) {
        let reported = {
            let mut legs = self.legs();
            let Some(id) = legs.of_invite(transaction) else {
                return;
            };
            let reports = self.caller(&mut legs, id, Input::Cancel, None);
            reports
                .contains(&Action::ReportCancel)
                .then(|| legs.get(id).map(|leg| (leg.call, id)))
                .flatten()
        };
        if let Some((call, leg)) = reported {
            self.record(call, cancel::translate(request, leg));
        }
    }

    /// The ACK of our 2xx, to the first INVITE or to a later one.
    pub(super) fn on_ack(&self, transaction: &ServerTransaction, ack: &Request) {
        let mut legs = self.legs();
        if let Some(id) = legs.of_invite(transaction) {
            self.caller(&mut legs, id, Input::Ack, None);
        }
        let report = self.take_answer(&mut legs, ack, transaction.flow());
        let unusable = unusable(&legs, transaction);
        drop(legs);
        if let Some((call, command)) = report {
            self.record(call, command);
        }
        if let Some((call, leg)) = unusable {
            tracing::info!(%call, %leg, "ack brings no answer that can be used");
            // The dialog stands, and ends with a BYE (RFC 3261, 15).
            let end = Command::EndCall {
                reason: EndReason::NoCommonCodec,
                ended_at: None,
                visit: None,
            };
            self.record(call, end);
        }
    }

    /// Our 2xx was repeated for 64*T1 and nobody acknowledged it.
    pub(super) fn on_ack_missing(&self, transaction: &ServerTransaction) {
        let mut legs = self.legs();
        let first = legs.of_invite(transaction);
        let Some(id) = first.or_else(|| legs.of_dialog(&transaction.dialog()?)) else {
            return;
        };
        let lost = match first {
            Some(_) => self
                .caller(&mut legs, id, Input::AckMissing, None)
                .contains(&Action::ReportLost),
            // Of a re-INVITE: the session is in doubt, the dialog is to end (14.2).
            None => legs.get(id).is_some_and(|leg| leg.ended_at.is_none()),
        };
        let call = legs.get(id).map(|leg| leg.call);
        drop(legs);
        if let (true, Some(call)) = (lost, call) {
            self.record(call, Command::RecordSignallingLost { leg: id });
        }
    }

    /// One step of a caller's leg; what is left to be reported comes back.
    pub(super) fn caller(
        &self,
        legs: &mut Legs,
        id: LegId,
        input: Input,
        release: Option<&Release>,
    ) -> &'static [Action] {
        let Some(leg) = legs.get_mut(id) else {
            return &[];
        };
        let Side::Caller(caller) = &mut leg.side else {
            return &[];
        };
        let (next, actions) = step(caller.state, input);
        caller.state = next;
        if next == State::Leaving && caller.leaving.is_none() {
            caller.leaving = release.cloned();
        }
        for action in actions {
            match action {
                Action::SendAnswer => self.send_answer(leg),
                Action::SendRefusal => send_refusal(leg, release),
                Action::SendBye => {
                    let Side::Caller(caller) = &mut leg.side else {
                        continue;
                    };
                    let release = release.or(caller.leaving.as_ref());
                    let reason = release.and_then(|release| release.reason.clone());
                    self.send_bye(&mut caller.dialog, reason, None);
                }
                Action::ReportCancel | Action::ReportBye | Action::ReportLost => {}
            }
        }
        if next == State::Ended && leg.ended_at.is_none() {
            leg.ended_at = Some(Instant::now());
            self.calls.fetch_sub(1, Ordering::Relaxed);
            self.parts.media.close(id);
        }
        actions
    }

    /// What the caller was told last, again: a proxy on the way may give up who hears
    /// nothing (RFC 3261, 13.3.1.1).
    pub(super) fn ring_again(&self, leg: &mut Leg) {
        match &leg.side {
            Side::Caller(caller) if caller.is_heard => self.be_heard(leg),
            Side::Caller(_) | Side::Agent(_) => self.ring(leg),
        }
    }

    /// 180, for the first time or again.
    pub(super) fn ring(&self, leg: &mut Leg) {
        if let Side::Caller(caller) = &mut leg.side
            && caller.state == State::Early
        {
            caller.rang_at = Some(Instant::now());
            caller.is_heard = false;
            let contact = format!("<{}>", caller.dialog.contact());
            caller.invite.respond(
                Reply::new(180)
                    .tagged(&caller.dialog.id.local_tag)
                    .with("Contact", contact),
            );
        }
    }

    /// 183 with our description: the caller hears the other side before it
    /// answers. A caller who offered nothing can only be told that it rings.
    pub(super) fn be_heard(&self, leg: &mut Leg) {
        let description = match &leg.session.remote {
            Some(_) => leg.session.answer(),
            None => None,
        };
        let Some(description) = description else {
            return self.ring(leg);
        };
        if let Side::Caller(caller) = &mut leg.side
            && caller.state == State::Early
        {
            caller.rang_at = Some(Instant::now());
            caller.is_heard = true;
            let contact = format!("<{}>", caller.dialog.contact());
            let reply = Reply::new(183)
                .tagged(&caller.dialog.id.local_tag)
                .with("Contact", contact)
                .with_sdp(description.into_bytes());
            let source = caller.invite.flow().peer.ip();
            caller.invite.respond(reply);
            self.tell_media(leg, source);
        }
    }

    fn send_answer(&self, leg: &mut Leg) {
        let description = match &leg.session.remote {
            Some(_) => leg.session.answer(),
            // The one of the other side first, so that the relay rarely has to convert.
            None => {
                let codecs = with_all(leg.session.codec.into_iter().collect());
                leg.session.offer_of(&codecs)
            }
        };
        let Side::Caller(caller) = &mut leg.side else {
            return;
        };
        caller.answered_at = Some(Instant::now());
        let contact = format!("<{}>", caller.dialog.contact());
        let reply = Reply::new(200)
            .tagged(&caller.dialog.id.local_tag)
            .with("Contact", contact)
            .with("Allow", allow());
        let source = caller.invite.flow().peer.ip();
        caller
            .invite
            .respond(reply.with_sdp(description.unwrap_or_default().into_bytes()));
        self.tell_media(leg, source);
    }

    /// BYE inside a dialog; to a carrier as that account.
    pub(super) fn send_bye(
        &self,
        dialog: &mut Dialog,
        reason: Option<String>,
        account: Option<Account>,
    ) {
        let mut bye = dialog.request(Method::Bye);
        if let Some(reason) = reason {
            bye.headers.push("Reason", reason);
        }
        let hop = dialog.next_hop();
        match account {
            Some(account) => self.bye_carrier(bye, hop, account),
            None => {
                self.stack.request(bye, hop, |_| {});
            }
        }
    }

    /// Tells the relay what was agreed on with a leg.
    pub(super) fn tell_media(&self, leg: &Leg, signalled_from: IpAddr) {
        if let Some(far) = leg.session.far_end(signalled_from) {
            self.parts.media.set_remote(leg.id, far);
        }
    }
}

/// The call of a caller who wanted our offer, and whose ACK has no answer that can be
/// used.
fn unusable(legs: &Legs, invite: &ServerTransaction) -> Option<(CallId, LegId)> {
    let leg = legs.get(legs.of_invite(invite)?)?;
    let has_nothing = leg.is_confirmed() && leg.session.remote.is_none();
    has_nothing.then_some((leg.call, leg.id))
}

fn send_refusal(leg: &Leg, release: Option<&Release>) {
    let Side::Caller(caller) = &leg.side else {
        return;
    };
    let fallback = Release {
        status: 480,
        ..Release::default()
    };
    let release = release.unwrap_or(&fallback);
    let mut reply = Reply::new(release.status).tagged(&caller.dialog.id.local_tag);
    if let Some(reason) = &release.reason {
        reply = reply.with("Reason", reason.as_str());
    }
    if let Some(seconds) = release.retry_after_s {
        reply = reply.with("Retry-After", seconds.to_string());
    }
    caller.invite.respond(reply);
}

/// Whether an address is in one of the networks.
fn is_allowed(networks: &[String], source: IpAddr) -> bool {
    let source = source.to_canonical();
    networks.iter().any(|network| {
        network
            .parse::<ipnet::IpNet>()
            .is_ok_and(|network| network.contains(&source))
            || network.parse() == Ok(source)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trunk_lets_in_its_networks_and_single_addresses() {
        let networks = ["10.1.0.0/16".to_owned(), "192.0.2.9".to_owned()];
        for (source, allowed) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("10.2.0.1", false),
            ("192.0.2.9", true),
            ("192.0.2.10", false),
        ] {
            assert_eq!(
                is_allowed(&networks, source.parse().unwrap()),
                allowed,
                "{source}"
            );
        }
        assert!(!is_allowed(
            &["nonsense".to_owned()],
            "10.1.2.3".parse().unwrap()
        ));
    }
}
