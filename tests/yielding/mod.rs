//! Stores whose calls let others go first, once: so their clients meet as tasks, and need not as threads,
//! which is a matter of luck on a busy machine.

use session_spec::{Snapshot, Store, StoreError};
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

pub(crate) struct Yielding<S>(pub(crate) S);

async fn step_back() {
    let mut waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl<S: Store> Store for Yielding<S> {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        step_back().await;
        self.0.prepare(id).await
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        step_back().await;
        self.0.commit(snapshot, ttl).await
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        step_back().await;
        self.0.drop(id).await
    }
}
