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
    /// The store can not hold a value of it.
    Refused,
}

pub(crate) struct Faulty {
    inner: Arc<dyn ReadStore>,
    plan: Mutex<VecDeque<Fault>>,
    /// Queries that still go well.
    queries: Mutex<usize>,
}

impl Faulty {
    pub(crate) fn new(inner: Arc<dyn ReadStore>) -> Self {
        Self {
            inner,
            plan: Mutex::default(),
            queries: Mutex::new(usize::MAX),
        }
    }

    /// The next transactions go like this; those after them go well.
    pub(crate) fn plan(&self, faults: impl IntoIterator<Item = Fault>) {
        self.plan.lock().unwrap().extend(faults);
    }

    /// After so many more every query fails, until this is called again.
    pub(crate) fn fail_queries_after(&self, count: usize) {
        *self.queries.lock().unwrap() = count;
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
            Fault::Refused => Err(StoreError::Refused("planned".into())),
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
        let is_well = {
            let mut left = self.queries.lock().unwrap();
            let is_well = *left > 0;
            *left = left.saturating_sub(usize::from(*left < usize::MAX));
            is_well
        };
        match is_well {
            true => self.inner.query(sql, parameters).await,
            false => Err(StoreError::Unavailable("planned".into())),
        }
    }

    async fn twin(&self, table: &'static str, twin: &'static str) -> Result<(), StoreError> {
        self.inner.twin(table, twin).await
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        self.inner.scrub().await
    }
}
