//! A read store that fails as it is told.

use async_trait::async_trait;
use commands::ports::{ReadStore, Statement, StoreError, Value};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

/// What becomes of one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing is wrong.
    None,
    /// It is not stored.
    Lost,
    /// It is stored, and the answer is lost.
    AnswerLost,
}

pub(crate) struct Faulty {
    inner: Arc<dyn ReadStore>,
    plan: Mutex<VecDeque<Fault>>,
}

impl Faulty {
    pub(crate) fn new(inner: Arc<dyn ReadStore>) -> Self {
        Self {
            inner,
            plan: Mutex::default(),
        }
    }

    /// The next transactions go like this; those after them go well.
    pub(crate) fn plan(&self, faults: impl IntoIterator<Item = Fault>) {
        self.plan.lock().unwrap().extend(faults);
    }
}

#[async_trait]
impl ReadStore for Faulty {
    async fn transact(&self, statements: Vec<Statement>) -> Result<(), StoreError> {
        let fault = self.plan.lock().unwrap().pop_front();
        let away = || StoreError::Unavailable("planned".into());
        match fault.unwrap_or(Fault::None) {
            Fault::None => self.inner.transact(statements).await,
            Fault::Lost => Err(away()),
            Fault::AnswerLost => {
                self.inner.transact(statements).await?;
                Err(away())
            }
        }
    }

    async fn query(
        &self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        self.inner.query(sql, parameters).await
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        self.inner.scrub().await
    }
}
