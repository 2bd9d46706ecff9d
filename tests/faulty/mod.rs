//! A store whose commits and drops fail with an unknown outcome when told to.

use session_spec::session_model::Fault;
use session_spec::{Snapshot, Store, StoreError};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

pub(crate) struct Faulty<S> {
    store: S,
    plan: Mutex<Plan>,
}

#[derive(Default)]
struct Plan {
    commit: Option<Fault>,
    drops: HashMap<String, Fault>,
}

impl<S: Store> Faulty<S> {
    /// `store`, without faults.
    pub(crate) fn new(store: S) -> Self {
        Self {
            store,
            plan: Mutex::default(),
        }
    }

    /// From here on commits fail in this way, and the drops of these ids.
    pub(crate) fn plan(
        &self,
        commit: Option<Fault>,
        drops: impl IntoIterator<Item = (String, Fault)>,
    ) {
        *self.plan.lock().unwrap() = Plan {
            commit,
            drops: drops.into_iter().collect(),
        };
    }

    async fn call(
        fault: Option<Fault>,
        call: impl Future<Output = Result<(), StoreError>>,
    ) -> Result<(), StoreError> {
        if fault != Some(Fault::CallLost) {
            let answer = call.await;
            if fault.is_none() {
                return answer;
            }
        }
        Err(StoreError::Backend {
            store: "faulty",
            source: "no answer".into(),
        })
    }
}

impl<S: Store> Store for Faulty<S> {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        self.store.prepare(id).await
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        let fault = self.plan.lock().unwrap().commit;
        Self::call(fault, self.store.commit(snapshot, ttl)).await
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        let fault = self.plan.lock().unwrap().drops.get(id).copied();
        Self::call(fault, self.store.drop(id)).await
    }
}
