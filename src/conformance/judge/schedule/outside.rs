//! Outside: threads that are not of the run, and wake calls of it when they like.

use super::underway::Underway;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};
use std::thread::{self, ThreadId};

/// Runs `future`, and notes where another thread than this one wakes it.
pub(super) async fn noted<F: Future>(future: F, underway: &Arc<Underway>) -> F::Output {
    let mut future = pin!(future);
    let door = Arc::new(Door {
        home: thread::current().id(),
        underway: Arc::clone(underway),
        inside: Mutex::new(Waker::noop().clone()),
    });
    let waker = Waker::from(Arc::clone(&door));
    poll_fn(|context| {
        let mut inside = door.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.clone_from(context.waker());
        drop(inside);
        future.as_mut().poll(&mut Context::from_waker(&waker))
    })
    .await
}

/// A waker that sees who comes.
struct Door {
    home: ThreadId,
    underway: Arc<Underway>,
    inside: Mutex<Waker>,
}

impl Wake for Door {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if thread::current().id() != self.home {
            self.underway.woken_from_outside();
        }
        let inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.wake_by_ref();
    }
}
