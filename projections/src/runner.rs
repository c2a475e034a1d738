//! Runs projections: feed -> rows and checkpoint in one transaction -> what
//! subscribers hear. One that can not apply an event is parked right before it,
//! and the others go on.

use crate::{
    changed::{Changes, View},
    checkpoint,
    erasures::{erasure, until_erasure},
    followed::Followed,
    registry,
    slot::{Generation, SlotError},
    source::Source,
    views::{Parked, Progress, Status},
};
use commands::{
    ports::{Position, ReadError, ReadStore, Statement, StoreError, Vault, VaultError},
    tail::Entry,
};
use domain::{
    agent,
    any::{AnyEvent, Fact},
    billing, call, callback, mailbox,
    sealed::{Party, Sealed},
};
use std::{collections::BTreeMap, sync::Arc};

/// Events folded in one transaction at most.
pub(crate) const BATCH_MAX: usize = 500;

/// Why projections do not start, or a rebuild fails.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The read store can not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An event can not be read; the error names its position.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A personal value can not be opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// An event can not be applied.
    #[error("position {}: {}", .0.position, .0.reason)]
    Parked(Arc<Parked>),
}

impl RunError {
    /// Whether trying again can help.
    pub(crate) const fn is_passing(&self) -> bool {
        match self {
            Self::Store(StoreError::Unavailable(_))
            | Self::Read(ReadError::Unavailable(_))
            | Self::Vault(VaultError::Unavailable(_)) => true,
            Self::Store(StoreError::Fenced | StoreError::Refused(_))
            | Self::Read(ReadError::Corrupt { .. })
            | Self::Vault(VaultError::Broken(_))
            | Self::Parked(_) => false,
        }
    }
}

/// A transaction: who takes part, and where it brings them to.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    members: Vec<usize>,
    reached: Position,
}

/// What one attempt at folding came to.
enum Folded {
    Head,
    /// Somebody was parked or is looked at more closely: there may be more.
    Again,
    Committed(Batch),
}

pub(crate) struct Runner {
    pub(crate) source: Source,
    pub(crate) read: Arc<dyn ReadStore>,
    vault: Arc<dyn Vault>,
    pub(crate) slots: Vec<Followed>,
    /// A transaction whose outcome nobody knows.
    pub(crate) doubt: Option<Batch>,
    /// A switch whose outcome nobody knows.
    pub(crate) doubtful_switch: Option<View>,
    pub(crate) batch_max: usize,
}

impl Runner {
    /// Goes on where the checkpoints say. Rows that other rules have made stay
    /// and are followed until [`Self::stale`] ones are built anew beside them;
    /// so does a view that is new beside a record that the others know.
    pub(crate) async fn load(
        source: Source,
        read: Arc<dyn ReadStore>,
        vault: Arc<dyn Vault>,
        views: &[View],
    ) -> Result<Self, RunError> {
        let mut stored = vec![];
        for view in views {
            let part = registry::slot(*view, Generation::Live);
            let checkpoint = checkpoint::read(read.as_ref(), part.checkpoint()).await?;
            stored.push((*view, part, checkpoint));
        }
        let known = stored.iter().filter_map(|(_, _, checkpoint)| *checkpoint);
        let floor = known.map(|(_, position)| position).min();
        let mut slots = Vec::with_capacity(views.len());
        for (view, part, checkpoint) in stored {
            let (version, position) = match checkpoint {
                Some(checkpoint) => checkpoint,
                None => {
                    let position = floor.unwrap_or_default();
                    let is_whole = position == Position::default();
                    let version = if is_whole { part.version() } else { 0 };
                    let mut statements = part.clear();
                    statements.push(checkpoint::set(part.checkpoint(), version, position));
                    read.transact(statements).await?;
                    (version, position)
                }
            };
            let version = if version == part.version() || version == 0 {
                version
            } else {
                // From here on rows of two rules are mixed: a program of those other
                // rules must not take them for its own.
                let mixed = checkpoint::replace(part.checkpoint(), position, 0, position);
                read.transact(vec![mixed]).await?;
                0
            };
            slots.push(Followed::new(view, part, position, version));
        }
        Ok(Self::over(source, read, vault, slots))
    }

    pub(crate) const fn over(
        source: Source,
        read: Arc<dyn ReadStore>,
        vault: Arc<dyn Vault>,
        slots: Vec<Followed>,
    ) -> Self {
        Self {
            source,
            read,
            vault,
            slots,
            doubt: None,
            doubtful_switch: None,
            batch_max: BATCH_MAX,
        }
    }

    /// Views whose rows were made by other rules.
    pub(crate) fn stale(&self) -> Vec<View> {
        let slots = self.slots.iter();
        slots
            .filter(|slot| slot.part.generation() == Generation::Live)
            .filter(|slot| slot.version != slot.part.version())
            .map(|slot| slot.view)
            .collect()
    }

    /// How far the slowest is of those that go on; the end of time when none
    /// does.
    pub(crate) fn position(&self) -> Position {
        let running = self.slots.iter().filter(|slot| slot.parked.is_none());
        running
            .map(|slot| slot.position)
            .min()
            .unwrap_or(Position(u64::MAX))
    }

    /// Folds the next batch; returns what has changed, or `None` at the head.
    /// Whether anybody `listens` is asked after the commit: who comes before it
    /// is told, and who comes later reads the rows themselves.
    pub(crate) async fn step(
        &mut self,
        listens: impl Fn() -> bool,
    ) -> Result<Option<Changes>, RunError> {
        self.settle_switch().await?;
        if let Some(batch) = self.settle().await? {
            return Ok(Some(self.finish(&batch, listens())));
        }
        loop {
            match self.fold().await {
                Ok(Folded::Committed(batch)) => return Ok(Some(self.finish(&batch, listens()))),
                Ok(Folded::Again) => {}
                Ok(Folded::Head) => return Ok(None),
                Err(error) => {
                    if self.doubt.is_none() {
                        self.forget();
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Who folds next: all that go on, or the one that is looked at closely.
    fn members(&self) -> (Vec<usize>, bool) {
        let running = |(index, slot): (usize, &Followed)| slot.parked.is_none().then_some(index);
        let running: Vec<_> = self.slots.iter().enumerate().filter_map(running).collect();
        let closely = running
            .iter()
            .find(|index| self.slots[**index].careful.is_some());
        match closely {
            Some(index) => (vec![*index], true),
            None => (running, false),
        }
    }

    /// The next events, up to one that forgets somebody; that person's keys are
    /// gone before anything is opened. `None` when a row stops before them.
    async fn next(
        &mut self,
        after: Position,
        limit: usize,
    ) -> Result<Option<Vec<Arc<Entry>>>, RunError> {
        let entries = match self.source.read(after, limit).await {
            Ok(entries) => until_erasure(entries),
            Err(ReadError::Corrupt { position, reason }) => {
                for slot in &mut self.slots {
                    if slot.parked.is_none() && slot.position == after {
                        let reason =
                            format!("event at position {position} can not be read: {reason}");
                        slot.park(position, reason);
                    }
                }
                return Ok(None);
            }
            Err(error @ ReadError::Unavailable(_)) => return Err(error.into()),
        };
        if let Some(erasure) = entries.last().and_then(|last| erasure(&last.fact)) {
            self.vault.shred(&erasure).await?;
        }
        Ok(Some(entries))
    }

    /// Folds the next batch and commits it; how far that is.
    async fn fold(&mut self) -> Result<Folded, RunError> {
        let (members, is_alone) = self.members();
        let Some(after) = members
            .iter()
            .map(|index| self.slots[*index].position)
            .min()
        else {
            return Ok(Folded::Head);
        };
        let limit = if is_alone { 1 } else { self.batch_max };
        let Some(mut entries) = self.next(after, limit).await? else {
            return Ok(Folded::Again);
        };
        let Some(parties) = self.open(&mut entries, &members).await? else {
            return Ok(Folded::Again);
        };
        let Some(last) = entries.last() else {
            return Ok(Folded::Head);
        };
        let reached = last.recorded.position;
        let mut statements = vec![];
        let mut batch = vec![];
        let mut places: BTreeMap<Position, Vec<&str>> = BTreeMap::new();
        for index in members {
            let slot = &mut self.slots[index];
            let start = entries.partition_point(|entry| entry.recorded.position <= slot.position);
            let facts: Vec<&Fact> = entries[start..].iter().map(|entry| &entry.fact).collect();
            let Some(first) = facts.first() else { continue };
            let parties = &parties[start..];
            match slot
                .fold(self.read.as_ref(), &facts, parties, &mut statements)
                .await
            {
                Ok(()) => {
                    let name = slot.part.checkpoint();
                    places.entry(slot.position).or_default().push(name);
                    batch.push(index);
                }
                Err(SlotError::Store(error)) => return Err(error.into()),
                Err(error @ (SlotError::Corrupt(_) | SlotError::Bug(_))) if facts.len() == 1 => {
                    slot.park(Position(first.position), error.to_string());
                }
                Err(SlotError::Corrupt(_) | SlotError::Bug(_)) => {
                    slot.part.forget();
                    slot.careful = Some(reached);
                }
            }
        }
        if batch.is_empty() {
            return Ok(Folded::Again);
        }
        let places = places.iter();
        statements.extend(places.map(|(from, names)| checkpoint::advance(names, *from, reached)));
        let members = batch;
        let batch = Batch { members, reached };
        match self.commit(&batch, statements).await {
            Err(RunError::Store(StoreError::Refused(reason))) => {
                self.refused(&batch, is_alone, &reason);
                Ok(Folded::Again)
            }
            Ok(()) => Ok(Folded::Committed(batch)),
            Err(error) => Err(error),
        }
    }

    async fn commit(&mut self, batch: &Batch, statements: Vec<Statement>) -> Result<(), RunError> {
        // An error may hide that it was committed.
        self.doubt = Some(batch.clone());
        match self.read.transact(statements).await {
            Ok(()) => Ok(()),
            Err(error @ (StoreError::Fenced | StoreError::Refused(_))) => {
                self.doubt = None;
                Err(error.into())
            }
            Err(error @ StoreError::Unavailable(_)) => Err(error.into()),
        }
    }

    /// The store can not hold what one of the events has made of a row: each view is
    /// looked at by itself and event by event, and the one that it is stops before it.
    fn refused(&mut self, batch: &Batch, is_alone: bool, reason: &str) {
        for index in &batch.members {
            let slot = &mut self.slots[*index];
            match is_alone {
                true => slot.park(batch.reached, reason.to_owned()),
                false => {
                    slot.part.forget();
                    slot.careful = Some(batch.reached);
                }
            }
        }
    }

    /// The people in these events, for those who show them. Events from the
    /// first on that can not be opened are left for later; `None` when that is
    /// the very first: then who needs it is parked.
    async fn open(
        &mut self,
        entries: &mut Vec<Arc<Entry>>,
        members: &[usize],
    ) -> Result<Option<Vec<Option<Party>>>, RunError> {
        let mut parties = Vec::with_capacity(entries.len());
        for index in 0..entries.len() {
            let entry = Arc::clone(&entries[index]);
            let position = entry.recorded.position;
            let needs = |slot: &Followed| {
                slot.parked.is_none() && slot.position < position && slot.part.opens(&entry.fact)
            };
            let is_needed = members.iter().any(|member| needs(&self.slots[*member]));
            if !is_needed {
                parties.push(None);
                continue;
            }
            match open(self.vault.as_ref(), &entry.fact).await {
                Ok(party) => parties.push(party),
                Err(VaultError::Broken(_)) if index > 0 => {
                    entries.truncate(index);
                    break;
                }
                Err(error @ VaultError::Broken(_)) => {
                    for member in members {
                        if needs(&self.slots[*member]) {
                            self.slots[*member].park(position, error.to_string());
                        }
                    }
                    return Ok(None);
                }
                Err(error @ VaultError::Unavailable(_)) => return Err(error.into()),
            }
        }
        Ok(Some(parties))
    }

    /// Finds out what became of a transaction that ended with an error: where
    /// it brought the views to, if it was committed after all.
    async fn settle(&mut self) -> Result<Option<Batch>, RunError> {
        let Some(batch) = self.doubt.clone() else {
            return Ok(None);
        };
        if let Some(slot) = batch.members.first().map(|index| &self.slots[*index]) {
            match checkpoint::read(self.read.as_ref(), slot.part.checkpoint()).await? {
                Some((_, stored)) if stored == batch.reached => return Ok(Some(batch)),
                Some((_, stored)) if stored == slot.position => {}
                Some(_) | None => return Err(StoreError::Fenced.into()),
            }
        }
        self.doubt = None;
        self.forget();
        Ok(None)
    }

    /// Everything of the batch is committed.
    fn finish(&mut self, batch: &Batch, is_heard: bool) -> Changes {
        self.doubt = None;
        let mut rows = vec![];
        for index in &batch.members {
            let slot = &mut self.slots[*index];
            // Rows that are built beside the live ones are nobody's yet.
            if is_heard && slot.part.generation() == Generation::Live {
                slot.part.changes(&mut rows);
            }
            slot.part.committed();
            slot.position = slot.position.max(batch.reached);
            if slot.part.generation() == Generation::Next && self.doubtful_switch == Some(slot.view)
            {
                // They still stand beside the live ones: it was not committed.
                self.doubtful_switch = None;
            }
            if slot.careful.is_some_and(|until| slot.position >= until) {
                slot.careful = None;
            }
        }
        Changes {
            position: batch.reached,
            rows,
        }
    }

    fn forget(&mut self) {
        for slot in &mut self.slots {
            slot.part.forget();
        }
    }

    pub(crate) fn find(&self, view: View, generation: Generation) -> Option<usize> {
        self.slots
            .iter()
            .position(|slot| slot.view == view && slot.part.generation() == generation)
    }

    pub(crate) fn progress(&self) -> Progress {
        let live = self
            .slots
            .iter()
            .filter(|slot| slot.part.generation() == Generation::Live);
        live.map(|slot| {
            let next = self.find(slot.view, Generation::Next);
            let next = next.map(|index| &self.slots[index]);
            Status {
                view: slot.view,
                version: slot.version,
                position: slot.position,
                parked: slot.parked.clone(),
                next: next
                    .map(|next| crate::views::Next {
                        version: next.version,
                        position: next.position,
                        is_ready: next.parked.is_none(),
                        parked: next.parked.clone(),
                    })
                    .or_else(|| slot.beside.clone()),
            }
        })
        .collect()
    }
}

/// The personal value of an event, opened before it is folded.
async fn open(vault: &dyn Vault, fact: &Fact) -> Result<Option<Party>, VaultError> {
    match sealed(fact) {
        Some(sealed) => vault.open(sealed).await,
        None => Ok(None),
    }
}

pub(crate) fn sealed(fact: &Fact) -> Option<&Sealed<Party>> {
    match &fact.event {
        AnyEvent::Call(_, call::Event::Received { from, .. }) => Some(from),
        AnyEvent::Call(
            _,
            call::Event::TrunkSelected { party, .. }
            | call::Event::Placed { party, .. }
            | call::Event::Diverted {
                diverter: party, ..
            }
            | call::Event::Tagged {
                user_field: Some(call::UserField::Written { party }),
                ..
            },
        ) => Some(party),
        AnyEvent::Callback(_, callback::Event::Requested { request, .. }) => Some(&request.party),
        AnyEvent::Agent(
            _,
            agent::Event::Created { config, .. } | agent::Event::Configured { config, .. },
        ) => config.display_name.as_ref(),
        AnyEvent::Mailbox(_, mailbox::Event::Left { party, .. }) => party.as_ref(),
        AnyEvent::Billing(event) => holder(event),
        AnyEvent::Call(..)
        | AnyEvent::Session(..)
        | AnyEvent::Line(..)
        | AnyEvent::Queue(..)
        | AnyEvent::Person(..)
        | AnyEvent::Refusals(..)
        | AnyEvent::Schedule(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..)
        | AnyEvent::Callback(..)
        | AnyEvent::Mailbox(..) => None,
    }
}

/// Name and address of who pays.
fn holder(event: &billing::Event) -> Option<&Sealed<Party>> {
    use billing::{account, invoice};
    match event {
        billing::Event::Account(
            _,
            account::Event::Opened { profile, .. } | account::Event::Configured { profile, .. },
        ) => profile.holder.as_ref(),
        billing::Event::Invoice(_, invoice::Event::Drafted { head, .. }) => {
            head.customer.holder.as_ref()
        }
        billing::Event::Seller(..)
        | billing::Event::Account(..)
        | billing::Event::Plan(..)
        | billing::Event::Deck(..)
        | billing::Event::Rating(..)
        | billing::Event::Usage(..)
        | billing::Event::Invoice(..)
        | billing::Event::CreditNote(..)
        | billing::Event::Series(..) => None,
    }
}
