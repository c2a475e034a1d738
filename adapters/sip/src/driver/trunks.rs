//! Legs that go out through a trunk: one INVITE at a time, the next trunk when
//! one is broken, full or silent, and the carrier's digest challenge answered.

use super::{
    Driver,
    agents::caller_of,
    placed::agent_of,
    ways::{invite, resolve, set, ways},
};
use crate::{
    auth::client::{self, Account, Asked},
    dialog::NewInvite,
    inbound::invite::MAX_FORWARDS,
    legs::{Agent, Carrier, Fork, Leg, Session, Side, Way, fork::State},
    message::{Request, Response},
    sdp,
    stack::Outcome,
    status,
    transport::{Flow, Transport},
};
use domain::{
    call::{Command, Target},
    cause::{OfferOutcome, WireCause},
    id::{CallId, LegId},
    sealed::{Party, Sealed},
    time::Timestamp,
    trunk::Identity,
};
use std::{net::SocketAddr, sync::atomic::Ordering};

/// Kind of a trunk's password in the credential store; the key is the trunk's id.
const PASSWORD: &str = "trunk_password";

/// Challenges of one trunk that are answered: one, and one more for a nonce that
/// was only too old (RFC 7616, 3.3).
const CHALLENGES_MAX: u32 = 2;

/// A request with its credentials.
struct Authorized {
    request: Request,
    /// The nonce before was only too old.
    stale: bool,
}

/// What a trunk said, and when.
type Said = (WireCause, Timestamp);

/// A trunk that is ready to be called.
struct Ready {
    way: Way,
    peer: SocketAddr,
    account: Option<Account>,
}

impl Driver {
    /// Takes a leg out through the first trunk that serves the number.
    pub(super) fn dial_out(&self, call: CallId, id: LegId, target: Target) {
        let driver = self.clone();
        tokio::spawn(async move {
            let trying = driver.clone();
            let task = tokio::spawn(async move { trying.go_out(call, id, target).await });
            if let Err(error) = task.await {
                tracing::error!(%error, %call, "leg could not be dialled");
                driver.unreachable(call, id);
            }
        });
    }

    async fn go_out(&self, call: CallId, id: LegId, target: Target) {
        let Some((number, party)) = self.number_of(target).await else {
            return self.unreachable(call, id);
        };
        // It may have waited for hours for an agent.
        if let Some(reason) = self.unpaid(call, id, &number).await {
            return self.give_up(call, id, reason);
        }
        let ways = ways(&self.parts.directory.trunks(), &number);
        tracing::info!(%call, leg = %id, trunks = ways.len(), "leg goes out");
        if self.open_outside(call, id, number, party, ways) {
            self.next_trunk(call, id, None).await;
        } else {
            self.unreachable(call, id);
        }
    }

    /// The number, open and sealed.
    pub(super) async fn number_of(&self, target: Target) -> Option<(String, Sealed<Party>)> {
        let vault = &self.parts.vault;
        let found = match target {
            Target::Number(number) => {
                let party = Party {
                    user: number.clone(),
                    host: None,
                    display_name: None,
                    contact: None,
                    user_field: None,
                };
                let sealed = vault.seal(&party).await;
                sealed.map(|sealed| Some((number, sealed)))
            }
            Target::Party(sealed) => {
                let opened = vault.open(&sealed).await;
                opened.map(|party| party.map(|party| (party.user, sealed)))
            }
        };
        match found {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "number can not be sealed or opened");
                None
            }
        }
    }

    /// The leg with its port, before its first INVITE. False when the caller has
    /// left or no port is free.
    fn open_outside(
        &self,
        call: CallId,
        id: LegId,
        number: String,
        party: Sealed<Party>,
        ways: Vec<Way>,
    ) -> bool {
        let Ok(local) = self.parts.media.open(id) else {
            return false;
        };
        let mut legs = self.legs();
        if caller_of(&legs, call).is_none() {
            drop(legs);
            self.parts.media.close(id);
            return false;
        }
        // The leg of a call of ours stands already.
        if let Some(leg) = legs.get_mut(id) {
            leg.session.local = Some(local);
            if let Side::Agent(agent) = &mut leg.side
                && let Some(carrier) = &mut agent.carrier
            {
                // A vault that was away when the call was placed is there now.
                carrier.number = number;
                carrier.party = party;
                carrier.ways = ways;
            }
            self.calls.fetch_add(1, Ordering::Relaxed);
            return true;
        }
        let mut session = Session::new(self.parts.entropy.number());
        session.local = Some(local);
        let carrier = Carrier {
            ways,
            ..Carrier::new(number, party)
        };
        legs.insert_leg(Leg {
            id,
            call,
            side: Side::Agent(Agent {
                carrier: Some(Box::new(carrier)),
                ..Agent::default()
            }),
            session,
            ended_at: None,
            probed_at: None,
            away_since: None,
        });
        true
    }

    /// Tries the next trunk that has room and can be found; `after` is what the
    /// one before it said, and when.
    async fn next_trunk(&self, call: CallId, id: LegId, mut after: Option<Said>) {
        while let Some(way) = self.take_way(id) {
            let Some(ready) = self.prepare(way).await else {
                continue;
            };
            if self.invite_trunk(call, id, ready, &mut after).is_none() {
                break;
            }
            metrics::counter!("ringledger_sip_trunk_invites_total").increment(1);
            return;
        }
        let report = {
            let mut legs = self.legs();
            if let Some(leg) = legs.get_mut(id)
                && let Side::Agent(agent) = &mut leg.side
            {
                if let Some(carrier) = &mut agent.carrier {
                    carrier.is_preparing = false;
                }
                if let Some((wire, _)) = after {
                    // What the last trunk that was reached said stands for all.
                    let outcome = OfferOutcome::of_outside(&wire);
                    agent.failure.get_or_insert((outcome, wire));
                }
            }
            self.conclude(&mut legs, id)
        };
        if let Some(command) = report {
            self.record(call, command);
        }
    }

    /// The next trunk with a free channel, which is taken with it: others look for one
    /// while this one is prepared. None when the leg is not wanted any more.
    fn take_way(&self, id: LegId) -> Option<Way> {
        let mut legs = self.legs();
        loop {
            let leg = legs.get_mut(id).filter(|leg| leg.ended_at.is_none())?;
            let Side::Agent(agent) = &mut leg.side else {
                return None;
            };
            if agent.release.is_some() {
                return None;
            }
            let carrier = agent.carrier.as_mut()?;
            carrier.trunk = None;
            let way = carrier.ways.pop()?;
            let channels_max = way.outbound.channels_max as usize;
            if channels_max == 0 || legs.channels(way.trunk) < channels_max {
                if let Some(carrier) = legs.carrier_mut(id) {
                    carrier.trunk = Some(way.trunk);
                }
                return Some(way);
            }
            metrics::counter!("ringledger_sip_trunk_full_total").increment(1);
            tracing::info!(trunk = %way.trunk, "trunk has no free channel");
        }
    }

    /// Finds a trunk's address and our password for it.
    async fn prepare(&self, way: Way) -> Option<Ready> {
        let Some(peer) = resolve(&way.host).await else {
            tracing::warn!(trunk = %way.trunk, "trunk's host is not found");
            return None;
        };
        let key = way.trunk.to_string();
        let password = self.parts.secrets.get(PASSWORD, &key).await;
        let account = match (password, &way.user) {
            (Ok(Some(password)), Some(user)) => Some(Account {
                user: user.clone(),
                password,
            }),
            (Ok(_), _) => None,
            (Err(error), _) => {
                tracing::warn!(%error, trunk = %way.trunk, "trunk's password can not be read");
                return None;
            }
        };
        Some(Ready { way, peer, account })
    }

    /// Sends the INVITE, and records it; none when the leg is not wanted any more.
    fn invite_trunk(
        &self,
        call: CallId,
        id: LegId,
        ready: Ready,
        after: &mut Option<Said>,
    ) -> Option<()> {
        let mut legs = self.legs();
        let Ready {
            mut way,
            peer,
            account,
        } = ready;
        let hops = match &legs.get(legs.call(call)?.caller)?.side {
            Side::Caller(caller) => caller.hops,
            Side::Agent(_) => MAX_FORWARDS,
        };
        let is_placed = legs.call(call)?.caller == id;
        let (shown_as, codecs) = match is_placed {
            true => {
                way.outbound.identity = Identity::Account;
                agent_of(&legs, call)?
            }
            false => caller_of(&legs, call)?,
        };
        let flow = Flow {
            transport: Transport::Udp,
            peer,
        };
        let leg = legs.get_mut(id).filter(|leg| leg.ended_at.is_none())?;
        // Nothing of what the trunk before it has said holds for this one.
        leg.session.forget_other_side();
        let offer = leg.session.offer_of(&codecs).unwrap_or_default();
        let Side::Agent(agent) = &mut leg.side else {
            return None;
        };
        if agent.release.is_some() {
            return None;
        }
        let carrier = agent.carrier.as_mut()?;
        carrier.is_preparing = false;
        carrier.challenges = 0;
        carrier.progress = None;
        let party = carrier.party.clone();
        let contact = self.stack.contact(flow.transport);
        let mut request = invite(&way, &carrier.number, &shown_as, self.stack.host(), |new| {
            NewInvite {
                call_id: self.stack.new_call_id(),
                local_tag: self.stack.new_tag(),
                contact: contact.clone(),
                sdp: offer.into_bytes(),
                ..new
            }
        });
        set(&mut request, "Max-Forwards", hops.to_string());
        let own = request.own_dialog();
        let index = agent.forks.len();
        let fork = Fork {
            account,
            ..self.send(request, flow, contact, id, index)
        };
        agent.forks.push(fork);
        if let Some(dialog) = own {
            legs.name(&dialog, id);
        }
        let (after, after_at) = after.take().unzip();
        let selected = Command::RecordTrunk {
            leg: id,
            trunk: way.trunk,
            party,
            after,
            after_at,
        };
        // Under the lock, so that nothing the trunk says overtakes it.
        self.submit(call, selected);
        Some(())
    }

    fn send(&self, request: Request, flow: Flow, contact: String, id: LegId, index: usize) -> Fork {
        let driver = self.clone();
        let invite = self.stack.request(request, flow, move |outcome| {
            driver.on_outcome(id, index, &outcome);
        });
        Fork {
            // A URI that can not even be written fails like a silent trunk.
            state: match &invite {
                Some(_) => State::Calling,
                None => State::Ended,
            },
            invite,
            flow,
            phone: flow.peer.ip(),
            contact,
            account: None,
            early: vec![],
            dialog: None,
        }
    }

    /// A request again, under the next number, with the answer to its challenge. None
    /// when it was not challenged, or in a way that we do not understand.
    fn authorized(
        &self,
        sent: &Request,
        response: &Response,
        account: &Account,
    ) -> Option<Authorized> {
        let (asks, says) = match response.status {
            401 => ("WWW-Authenticate", "Authorization"),
            407 => ("Proxy-Authenticate", "Proxy-Authorization"),
            _ => return None,
        };
        let asked = Asked {
            method: sent.method.as_str(),
            uri: &sent.uri,
            entropy: self.parts.entropy.number(),
        };
        let answer = client::answer(response.headers.all(asks), account, asked)?;
        let mut request = sent.clone();
        let number = request.cseq().unwrap_or(1) + 1;
        let method = request.method;
        let spent = ["Via", "Authorization", "Proxy-Authorization"];
        request
            .headers
            .0
            .retain(|(name, _)| !spent.iter().any(|spent| name.eq_ignore_ascii_case(spent)));
        set(&mut request, "CSeq", format!("{number} {method}"));
        request.headers.push(says, answer.header);
        Some(Authorized {
            request,
            stale: answer.stale,
        })
    }

    /// BYE to a carrier, once more with our credentials if it asks for them: it counts
    /// the call's minutes until it takes one.
    pub(super) fn bye_carrier(&self, bye: Request, hop: Flow, account: Account) {
        let driver = self.clone();
        let sent = bye.clone();
        self.stack.request(bye, hop, move |outcome| {
            if let Outcome::Response(response) = outcome
                && let Some(again) = driver.authorized(&sent, &response, &account)
            {
                driver.stack.request(again.request, hop, |_| {});
            }
        });
    }

    /// Answers a carrier's challenge with the same INVITE again. False when there
    /// is nothing more to try with this trunk.
    pub(super) fn answers_challenge(
        &self,
        agent: &mut Agent,
        id: LegId,
        index: usize,
        response: &Response,
    ) -> bool {
        let (Some(carrier), None) = (&mut agent.carrier, &agent.release) else {
            return false;
        };
        let Some(fork) = agent.forks.get_mut(index) else {
            return false;
        };
        let (Some(sent), Some(account)) = (&fork.invite, fork.account.clone()) else {
            return false;
        };
        let answered = self.authorized(sent.request(), response, &account);
        let Some(Authorized { request, stale }) = answered else {
            return false;
        };
        if carrier.challenges >= CHALLENGES_MAX || (carrier.challenges > 0 && !stale) {
            return false;
        }
        carrier.challenges += 1;
        *fork = Fork {
            account: Some(account),
            ..self.send(request, fork.flow, fork.contact.clone(), id, index)
        };
        fork.invite.is_some()
    }

    /// It rings outside, or is heard: each is told once.
    pub(super) fn rings_outside(
        &self,
        leg: &mut Leg,
        index: usize,
        response: Option<&Response>,
    ) -> Option<Command> {
        let described = response.and_then(Response::sdp).map(sdp::parse);
        let source = match &leg.side {
            Side::Agent(agent) => agent.forks.get(index)?.flow.peer.ip(),
            Side::Caller(_) => return None,
        };
        let early_media = match described {
            Some(Ok(remote)) => {
                leg.session.agree(remote);
                self.tell_media(leg, source);
                true
            }
            Some(Err(_)) | None => false,
        };
        let id = leg.id;
        let Side::Agent(Agent {
            carrier: Some(carrier),
            ..
        }) = &mut leg.side
        else {
            return None;
        };
        let is_news = carrier.progress.is_none_or(|told| early_media && !told);
        if !is_news {
            return None;
        }
        carrier.progress = Some(early_media);
        Some(Command::RecordProgress {
            leg: id,
            early_media,
        })
    }

    /// Whether a leg whose trunk has failed goes on to the next one.
    pub(super) fn tries_another_trunk(&self, call: CallId, id: LegId, agent: &mut Agent) -> bool {
        let (None, None, Some(carrier)) = (&agent.release, &agent.winner, &mut agent.carrier)
        else {
            return false;
        };
        let Some((_, wire)) = &agent.failure else {
            return false;
        };
        metrics::counter!("ringledger_sip_trunk_failures_total").increment(1);
        if carrier.ways.is_empty() || !status::is_worth_another_trunk(wire.sip_status) {
            return false;
        }
        carrier.trunk = None;
        carrier.is_preparing = true;
        // The next one may have to be looked up for long: that is not this one's delay.
        let now = self.parts.clock.now();
        let after = agent.failure.take().map(|(_, wire)| (wire, now));
        let driver = self.clone();
        tokio::spawn(async move { driver.next_trunk(call, id, after).await });
        true
    }
}
