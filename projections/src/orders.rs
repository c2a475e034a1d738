//! What an operator may ask of the projections while they run.

use crate::{
    changed::View,
    followed::Followed,
    views::{ViewError, Views},
};
use tokio::sync::{mpsc, oneshot};

/// Orders waiting at most.
pub(crate) const ORDERS_MAX: usize = 64;

/// Why an order is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Another node writes the read models.
    #[error("another node has the lead")]
    Standby,
    /// That was ordered before and is not done.
    #[error("rows are being built already")]
    AlreadyBuilding,
    /// There is nothing to switch to.
    #[error("no rows were built beside the live ones")]
    NotBuilt,
    /// The rows that are built are not yet where the live ones are.
    #[error("rows are built up to position {position}, the record goes to {head}")]
    NotReady {
        /// How far they are.
        position: u64,
        /// Where the record ends.
        head: u64,
    },
    /// It is not parked.
    #[error("projection is not parked")]
    NotParked,
}

impl Refused {
    /// Stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Standby => "projection.standby",
            Self::AlreadyBuilding => "projection.already_building",
            Self::NotBuilt => "projection.not_built",
            Self::NotReady { .. } => "projection.not_ready",
            Self::NotParked => "projection.not_parked",
        }
    }
}

pub(crate) type Reply = oneshot::Sender<Result<(), Refused>>;

/// What is asked of whoever runs the projections.
pub(crate) enum Order {
    /// Build the rows anew beside the live ones; then switch, if so ordered.
    Rebuild(View, bool, Reply),
    /// Put the rows that were built in the place of the live ones.
    Switch(View, Reply),
    /// Try again what was parked.
    Retry(View, Reply),
    /// Rows that were built in the background are near the head.
    Arrived(Box<Followed>),
}

impl Views {
    async fn order(
        &self,
        order: impl FnOnce(Reply) -> Order,
    ) -> Result<Result<(), Refused>, ViewError> {
        let gone = || ViewError::Unavailable("projections have stopped".into());
        let (reply, answer) = oneshot::channel();
        let sent = self.orders().send(order(reply)).await;
        sent.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())
    }

    /// Begins to build the rows of a view anew, from the first event on and
    /// beside the live ones, which go on. With `then_switch` they take the
    /// place of the live ones as soon as they are as far.
    ///
    /// # Errors
    /// [`ViewError::Unavailable`] when the projections have stopped; the inner
    /// result is why it was refused.
    pub async fn rebuild(
        &self,
        view: View,
        then_switch: bool,
    ) -> Result<Result<(), Refused>, ViewError> {
        self.order(|reply| Order::Rebuild(view, then_switch, reply))
            .await
    }

    /// Puts the rows that were built in the place of the live ones. Returns
    /// when readers see them.
    ///
    /// # Errors
    /// See [`Self::rebuild`].
    pub async fn switch(&self, view: View) -> Result<Result<(), Refused>, ViewError> {
        self.order(|reply| Order::Switch(view, reply)).await
    }

    /// Lets a parked view try its event again.
    ///
    /// # Errors
    /// See [`Self::rebuild`].
    pub async fn retry(&self, view: View) -> Result<Result<(), Refused>, ViewError> {
        self.order(|reply| Order::Retry(view, reply)).await
    }
}

/// The way for orders.
pub(crate) type Orders = mpsc::Sender<Order>;
