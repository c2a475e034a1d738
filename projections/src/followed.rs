//! One projection on its way: where it is, and why it does not go on.

use crate::{
    changed::View,
    erasures::erasure,
    projection::Input,
    slot::{Part, SlotError},
    views::{Next, Parked},
};
use commands::ports::{Position, ReadStore, Statement};
use domain::{any::Fact, sealed::Party};
use std::sync::Arc;

/// One projection under way.
pub(crate) struct Followed {
    pub(crate) view: View,
    pub(crate) part: Box<dyn Part>,
    pub(crate) position: Position,
    /// Version of the stored rows.
    pub(crate) version: u32,
    /// How often the stored rows were replaced by others, as far as was looked.
    pub(crate) switches: i64,
    /// Why it does not go on.
    pub(crate) parked: Option<Arc<Parked>>,
    /// What another node builds beside its rows.
    pub(crate) beside: Option<Next>,
    /// Up to here it is folded alone and one event at a time: one of them can
    /// not be applied, and it is not known yet which.
    pub(crate) careful: Option<Position>,
}

impl Followed {
    pub(crate) const fn new(
        view: View,
        part: Box<dyn Part>,
        position: Position,
        version: u32,
    ) -> Self {
        Self {
            view,
            part,
            position,
            version,
            switches: 0,
            parked: None,
            beside: None,
            careful: None,
        }
    }

    pub(crate) fn park(&mut self, position: Position, reason: String) {
        let projection = self.part.checkpoint();
        tracing::error!(projection, %position, reason, "projection is parked: a person must look");
        metrics::gauge!("ringledger_projection_parked", "projection" => projection).set(1.0);
        self.part.forget();
        self.careful = None;
        let position = position.0;
        self.parked = Some(Arc::new(Parked { position, reason }));
    }

    pub(crate) fn resume(&mut self) {
        self.parked = None;
        let projection = self.part.checkpoint();
        metrics::gauge!("ringledger_projection_parked", "projection" => projection).set(0.0);
    }

    /// What these facts make of its rows.
    pub(crate) async fn fold(
        &mut self,
        read: &dyn ReadStore,
        facts: &[&Fact],
        parties: &[Option<Party>],
        into: &mut Vec<Statement>,
    ) -> Result<(), SlotError> {
        // An erasure comes alone.
        if let Some(erasure) = facts.first().and_then(|fact| erasure(fact)) {
            self.part.forget_person(read, &erasure, into).await?;
        }
        self.part.load(read, facts).await?;
        for (fact, party) in facts.iter().zip(parties) {
            let party = party.as_ref();
            self.part.apply(&Input { fact, party })?;
        }
        self.part.collect(into);
        Ok(())
    }
}
