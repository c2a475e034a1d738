//! LegId <-> dialog: the only mutable map of the crate.

pub mod caller;
pub mod early;
pub mod fork;

use crate::{
    auth::client::Account,
    dialog::Dialog,
    media::FarEnd,
    message::DialogId,
    sdp,
    stack::{ClientTransaction, ServerTransaction},
    transport::Flow,
};
use domain::{
    call,
    cause::{OfferOutcome, WireCause},
    id::{AgentId, CallId, LegId, TrunkId},
    sealed::{Party, Sealed},
    trunk::Outbound,
};
use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

/// How long a leg that is over is remembered: a 2xx may be repeated for 64*T1
/// after it (RFC 3261, 13.3.1.4) and wants its ACK.
pub const LINGER: Duration = Duration::from_secs(32);

/// How a leg is let go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Release {
    /// Final status for a caller who was not answered.
    pub status: u16,
    /// Value of the Reason header (RFC 3326).
    pub reason: Option<String>,
    /// Seconds after which the caller may try again.
    pub retry_after_s: Option<u32>,
}

fn remote_key(dialog: &DialogId, cseq: u32) -> (String, String, u32) {
    (dialog.call_id.clone(), dialog.remote_tag.clone(), cseq)
}

/// The media of one leg as its signalling knows it.
#[derive(Debug)]
pub struct Session {
    /// Our `o=` line.
    pub origin: sdp::Origin,
    /// Where we receive; `None` until a port was needed.
    pub local: Option<SocketAddr>,
    /// What the other side described last.
    pub remote: Option<sdp::Remote>,
    /// The codec that was agreed on.
    pub codec: Option<sdp::Codec>,
    /// Where its RTP was to go before a hold with address 0.0.0.0.
    pub last_rtp: Option<SocketAddr>,
    /// Its phone holds us.
    pub holding: bool,
}

impl Session {
    /// Our answer to what the other side offered last, with the codec agreed
    /// on, or its favourite. `None` without a port or an offer of ours to take.
    pub fn answer(&mut self) -> Option<String> {
        let local = self.our_side()?;
        let remote = self.remote.as_ref()?;
        let agreed = self.codec.and_then(|codec| remote.audio.format(codec));
        let format = agreed.or_else(|| remote.audio.formats.first().copied())?;
        self.codec = Some(format.codec);
        Some(self.origin.answer(local, remote, format))
    }

    /// Our offer: of the codec agreed on, or of all.
    pub fn offer(&mut self) -> Option<String> {
        match self.codec {
            Some(codec) => self.offer_of(&[codec]),
            None => self.offer_of(&sdp::Codec::ALL),
        }
    }

    /// Our offer of these codecs.
    pub fn offer_of(&mut self, codecs: &[sdp::Codec]) -> Option<String> {
        let local = self.our_side()?;
        Some(self.origin.offer(local, codecs, self.remote.as_ref()))
    }

    /// Takes the other side's new description; what was agreed on before stays
    /// when it still has it.
    pub fn agree(&mut self, remote: sdp::Remote) {
        let kept = self
            .codec
            .filter(|codec| remote.audio.format(*codec).is_some());
        self.codec = kept.or_else(|| remote.audio.formats.first().map(|format| format.codec));
        self.last_rtp = remote.audio.rtp.or(self.last_rtp);
        self.remote = Some(remote);
    }

    /// Begins anew with another far end, of which nothing is known yet.
    pub fn forget_other_side(&mut self) {
        (self.remote, self.codec, self.last_rtp) = (None, None, None);
        self.holding = false;
    }

    /// Whether its phone is to send all the time: then the relay notices when it does not.
    pub fn is_heard(&self) -> bool {
        self.remote.as_ref().is_some_and(|remote| {
            remote.audio.direction == sdp::Direction::SendRecv && remote.audio.rtp.is_some()
        })
    }

    /// What the relay must know of the other side.
    pub fn far_end(&self, signalled_from: IpAddr) -> Option<FarEnd> {
        let audio = &self.remote.as_ref()?.audio;
        let format = audio.format(self.codec?)?;
        Some(FarEnd {
            rtp: audio.rtp.or(self.last_rtp)?,
            rtcp: audio.rtcp,
            codec: format.codec,
            payload_type: format.payload_type,
            dtmf_payload_type: audio.dtmf_payload_type,
            direction: audio.direction.answered_by(sdp::Direction::SendRecv),
            signalled_from,
        })
    }

    fn our_side(&self) -> Option<sdp::Local> {
        Some(sdp::Local {
            rtp: self.local?,
            rtcp: None,
            direction: sdp::Direction::SendRecv,
        })
    }

    /// Without anything agreed yet.
    pub const fn new(entropy: u64) -> Self {
        Self {
            origin: sdp::Origin::new(entropy),
            local: None,
            remote: None,
            codec: None,
            last_rtp: None,
            holding: false,
        }
    }
}

/// The leg of the caller: we are the server of its INVITE.
#[derive(Debug)]
pub struct Caller {
    /// Where it is.
    pub state: caller::State,
    /// The INVITE.
    pub invite: ServerTransaction,
    /// Its number.
    pub invite_cseq: u32,
    /// The dialog, early or confirmed.
    pub dialog: Dialog,
    /// 180 or 183 was sent, last at.
    pub rang_at: Option<Instant>,
    /// It was 183: the caller hears the other side.
    pub is_heard: bool,
    /// 200 was sent.
    pub answered_at: Option<Instant>,
    /// What the BYE will say that waits for the ACK.
    pub leaving: Option<Release>,
    /// Who calls, as the agent's phone is to show it: a From value without tag.
    pub shown_as: String,
    /// How many further hops its INVITE may take.
    pub hops: u32,
}

/// One INVITE of ours to one phone.
#[derive(Debug)]
pub struct Fork {
    /// Where it is.
    pub state: fork::State,
    /// The INVITE's transaction.
    pub invite: Option<ClientTransaction>,
    /// Where it was sent; once the phone has registered anew from elsewhere, there.
    pub flow: Flow,
    /// Where the phone itself is, also when another node stands in between.
    pub phone: IpAddr,
    /// Our Contact in it.
    pub contact: String,
    /// As whom it goes out there, for a trunk that asks.
    pub account: Option<Account>,
    /// Who rings there.
    pub early: Vec<early::Early>,
    /// The dialog, once a 2xx has made it.
    pub dialog: Option<Dialog>,
}

/// The leg of an agent: one INVITE to each of the agent's phones.
#[derive(Debug, Default)]
pub struct Agent {
    /// Who; none for a leg that goes out through a trunk.
    pub who: Option<AgentId>,
    /// It is there to hear the call, which goes on without it.
    pub is_supervisor: bool,
    /// One for each phone.
    pub forks: Vec<Fork>,
    /// The one that answered first.
    pub winner: Option<usize>,
    /// A phone rings; told once.
    pub alerted: bool,
    /// Its phones were told to answer.
    pub asked: Option<early::Asked>,
    /// The worst that a phone said so far, kept until none is left.
    pub failure: Option<(OfferOutcome, WireCause)>,
    /// Its phone has asked for the caller to be sent elsewhere, by the REFER of that number,
    /// and has not been told how that went.
    pub referred: Option<u32>,
    /// It is not wanted any more.
    pub release: Option<Release>,
    /// Since when.
    pub released_at: Option<Instant>,
    /// It goes out through a trunk, one at a time, instead of to an agent's phones.
    pub carrier: Option<Box<Carrier>>,
}

/// A trunk that serves a number.
#[derive(Debug, Clone)]
pub struct Way {
    /// Which.
    pub trunk: TrunkId,
    /// Its address.
    pub host: String,
    /// Its user name for us.
    pub user: Option<String>,
    /// What goes out and how.
    pub outbound: Outbound,
}

/// A leg's way through trunks.
#[derive(Debug)]
pub struct Carrier {
    /// The number, before any trunk's own prefixes.
    pub number: String,
    /// The same, for the record.
    pub party: Sealed<Party>,
    /// Trunks that were not tried yet, the next one last.
    pub ways: Vec<Way>,
    /// The one that is tried, or prepared: its channel is taken.
    pub trunk: Option<TrunkId>,
    /// One has failed, and the next is not called yet: the leg is not over, though every
    /// fork is.
    pub is_preparing: bool,
    /// Challenges of it that were answered.
    pub challenges: u32,
    /// It rings, and is heard: each is told once.
    pub progress: Option<bool>,
    /// How an agent's phone is to show whoever is rung back, in a call of ours: a
    /// From value without tag.
    pub shown_as: Option<String>,
}

impl Carrier {
    /// A way to a number, of which no trunk is known yet.
    pub const fn new(number: String, party: Sealed<Party>) -> Self {
        Self {
            number,
            party,
            ways: vec![],
            trunk: None,
            is_preparing: false,
            challenges: 0,
            progress: None,
            shown_as: None,
        }
    }
}

impl Agent {
    /// The dialog of the phone that answered.
    pub fn dialog(&self) -> Option<&Dialog> {
        self.forks.get(self.winner?)?.dialog.as_ref()
    }

    /// The same, to send requests in it.
    pub fn dialog_mut(&mut self) -> Option<&mut Dialog> {
        self.forks.get_mut(self.winner?)?.dialog.as_mut()
    }

    /// Whether every phone has said its last word.
    pub fn is_over(&self) -> bool {
        self.forks.iter().all(|fork| fork.state.is_over())
    }
}

/// Which side.
#[derive(Debug)]
pub enum Side {
    /// The caller.
    Caller(Box<Caller>),
    /// An agent.
    Agent(Agent),
}

/// One leg.
#[derive(Debug)]
pub struct Leg {
    /// Its id in the record.
    pub id: LegId,
    /// Its call.
    pub call: CallId,
    /// Which side.
    pub side: Side,
    /// Its media.
    pub session: Session,
    /// When it ended; it lingers for [`LINGER`].
    pub ended_at: Option<Instant>,
    /// When it was last asked whether it is still there.
    pub probed_at: Option<Instant>,
    /// Since when it could not be asked: its connection is gone.
    pub away_since: Option<Instant>,
}

impl Leg {
    /// Whether what is sent to it goes over that flow.
    pub fn uses(&self, flow: Flow) -> bool {
        self.flows().any(|used| used == flow)
    }

    /// What goes to it goes over these: the answer to its INVITE and what follows, or
    /// what is said to each phone.
    pub fn flows(&self) -> impl Iterator<Item = Flow> {
        let (caller, forks) = match &self.side {
            Side::Caller(caller) => (Some(caller), &[][..]),
            Side::Agent(agent) => (None, agent.forks.as_slice()),
        };
        let ours = caller.map(|caller| {
            let is_early = caller.state == caller::State::Early;
            match is_early {
                true => caller.invite.flow(),
                false => caller.dialog.next_hop(),
            }
        });
        let phones = forks.iter().map(|fork| match &fork.dialog {
            Some(dialog) => dialog.next_hop(),
            None => fork.flow,
        });
        ours.into_iter().chain(phones)
    }

    /// Whether it is there to hear the call, which goes on without it.
    pub const fn is_supervisor(&self) -> bool {
        match &self.side {
            Side::Caller(_) => false,
            Side::Agent(agent) => agent.is_supervisor,
        }
    }

    /// Whether no sound shows that its phone is there: it holds, or does not both send and
    /// listen.
    pub fn is_unheard(&self) -> bool {
        self.session.holding || (self.is_confirmed() && !self.session.is_heard())
    }

    /// Whether its dialog stands, and requests may be sent in it.
    pub fn is_confirmed(&self) -> bool {
        match &self.side {
            Side::Caller(caller) => caller.state == caller::State::Confirmed,
            Side::Agent(agent) => agent
                .winner
                .and_then(|winner| agent.forks.get(winner))
                .is_some_and(|fork| fork.state == fork::State::Answered),
        }
    }

    /// Its dialog, to send requests in it.
    pub fn dialog_mut(&mut self) -> Option<&mut Dialog> {
        match &mut self.side {
            Side::Caller(caller) => Some(&mut caller.dialog),
            Side::Agent(agent) => agent.dialog_mut(),
        }
    }
}

/// What is known of a call here.
#[derive(Debug)]
pub struct CallEntry {
    /// The caller's leg.
    pub caller: LegId,
    /// What happened before the call itself was on its way to the record;
    /// `None` from then on.
    pub early: Option<Vec<call::Command>>,
    /// All legs, the caller's first.
    pub legs: Vec<LegId>,
}

/// What a dialog is found by: Call-ID and our tag.
type Name = (String, String);

/// All legs of this node.
#[derive(Debug, Default)]
pub struct Legs {
    legs: HashMap<LegId, Leg>,
    calls: HashMap<CallId, CallEntry>,
    /// By a name, which we never give twice.
    dialogs: HashMap<Name, LegId>,
    /// What each leg is found by there.
    names: HashMap<LegId, Vec<Name>>,
    /// By the id of the INVITE's server transaction.
    invites: HashMap<String, LegId>,
    /// By what the caller chose: Call-ID, tag and number of its INVITE.
    callers: HashMap<(String, String, u32), LegId>,
}

impl Legs {
    /// A new call with its caller's leg. False, and nothing is kept, if the
    /// same INVITE (Call-ID, tag and number) has come in another transaction.
    pub fn insert_call(&mut self, leg: Leg) -> bool {
        if let Side::Caller(caller) = &leg.side {
            let theirs = remote_key(&caller.dialog.id, caller.invite_cseq);
            match self.callers.entry(theirs) {
                Entry::Occupied(_) => return false,
                Entry::Vacant(free) => free.insert(leg.id),
            };
            self.invites.insert(caller.invite.id().to_owned(), leg.id);
            self.name(&caller.dialog.id.clone(), leg.id);
        }
        self.calls.insert(
            leg.call,
            CallEntry {
                caller: leg.id,
                early: Some(Vec::new()),
                legs: vec![leg.id],
            },
        );
        self.legs.insert(leg.id, leg);
        true
    }

    /// A new leg of a known call.
    pub fn insert_leg(&mut self, leg: Leg) {
        if let Some(entry) = self.calls.get_mut(&leg.call) {
            entry.legs.push(leg.id);
            self.legs.insert(leg.id, leg);
        }
    }

    /// Makes a leg findable by a dialog, for as long as it is remembered.
    pub fn name(&mut self, dialog: &DialogId, leg: LegId) {
        let key = name_of(dialog);
        if self.dialogs.insert(key.clone(), leg) != Some(leg) {
            self.names.entry(leg).or_default().push(key);
        }
    }

    /// A leg by its id.
    pub fn get(&self, leg: LegId) -> Option<&Leg> {
        self.legs.get(&leg)
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, leg: LegId) -> Option<&mut Leg> {
        self.legs.get_mut(&leg)
    }

    /// The leg of an INVITE that we have received.
    pub fn of_invite(&self, transaction: &ServerTransaction) -> Option<LegId> {
        self.invites.get(transaction.id()).copied()
    }

    /// The leg that a dialog belongs to.
    pub fn of_dialog(&self, dialog: &DialogId) -> Option<LegId> {
        self.dialogs.get(&name_of(dialog)).copied()
    }

    /// A call.
    pub fn call(&self, id: CallId) -> Option<&CallEntry> {
        self.calls.get(&id)
    }

    /// The same, to change it.
    pub fn call_mut(&mut self, id: CallId) -> Option<&mut CallEntry> {
        self.calls.get_mut(&id)
    }

    /// A leg's way through trunks.
    pub fn carrier_mut(&mut self, id: LegId) -> Option<&mut Carrier> {
        match &mut self.get_mut(id)?.side {
            Side::Agent(agent) => agent.carrier.as_deref_mut(),
            Side::Caller(_) => None,
        }
    }

    /// Legs that go out through a trunk now.
    pub fn channels(&self, trunk: TrunkId) -> usize {
        let legs = self.legs.values().filter(|leg| leg.ended_at.is_none());
        legs.filter(|leg| match &leg.side {
            Side::Agent(agent) => {
                let carrier = agent.carrier.as_ref();
                carrier.is_some_and(|carrier| carrier.trunk == Some(trunk))
            }
            Side::Caller(_) => false,
        })
        .count()
    }

    /// How many calls are known, the ended ones of the last [`LINGER`] included.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// All legs that are not over.
    pub fn live_mut(&mut self) -> impl Iterator<Item = &mut Leg> {
        self.legs.values_mut().filter(|leg| leg.ended_at.is_none())
    }

    /// Calls in which no sound shows that the phones are there: one of them holds, or
    /// does not both send and listen. Not that of a supervisor, for whose sake no other
    /// phone is asked.
    pub fn unheard_calls(&self) -> HashSet<CallId> {
        self.legs
            .values()
            .filter(|leg| leg.ended_at.is_none())
            .filter(|leg| !leg.is_supervisor() && leg.is_unheard())
            .map(|leg| leg.call)
            .collect()
    }

    /// Forgets legs that ended long enough ago, and calls without legs.
    pub fn sweep(&mut self, now: Instant) {
        let over: Vec<LegId> = self
            .legs
            .values()
            .filter(|leg| {
                leg.ended_at
                    .is_some_and(|at| now.duration_since(at) >= LINGER)
            })
            .map(|leg| leg.id)
            .collect();
        for id in over {
            let Some(leg) = self.forget(id) else { continue };
            if let Some(entry) = self.calls.get_mut(&leg.call) {
                entry.legs.retain(|have| *have != id);
                if entry.legs.is_empty() {
                    self.calls.remove(&leg.call);
                }
            }
        }
    }

    fn forget(&mut self, id: LegId) -> Option<Leg> {
        let leg = self.legs.remove(&id)?;
        if let Side::Caller(caller) = &leg.side {
            self.invites.remove(caller.invite.id());
            self.callers
                .remove(&remote_key(&caller.dialog.id, caller.invite_cseq));
        }
        for name in self.names.remove(&id).unwrap_or_default() {
            self.dialogs.remove(&name);
        }
        Some(leg)
    }
}

fn name_of(dialog: &DialogId) -> Name {
    (dialog.call_id.clone(), dialog.local_tag.clone())
}

#[cfg(test)]
mod tests;
