//! Executor: runs one future to its end, on the thread that asks for it.

use super::watch;
use std::panic;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// Runs `future` to its end on this thread.
///
/// Most stores under test never wait, so the first poll goes without a waker that could wake
/// anybody; a future may be polled again at any time.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let mut future = pin!(future);
    if let Poll::Ready(output) = future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        return output;
    }
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            // A call that wakes itself again and again would keep this core for ever.
            Poll::Pending if watch::is_stopped() => {
                panic::resume_unwind(Box::new("the check has ended"))
            }
            Poll::Pending => thread::park(),
        }
    }
}
