//! Standing: whether a thread that another waits for stands still itself.
//!
//! On Linux that is to be seen: it sleeps, and has not been switched to between two looks. One that is only
//! not scheduled, as the machine is busy with others, is ready to run. Elsewhere nobody knows.

use std::time::Duration;

/// A thread, to be looked at by others.
pub(super) struct Thread {
    #[cfg(target_os = "linux")]
    status: Option<std::fs::File>,
}

/// What a look sees: that it sleeps, and how often it has been switched to or away.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Asleep {
    switches: u64,
}

impl Thread {
    /// The thread that asks.
    #[cfg(target_os = "linux")]
    pub(super) fn current() -> Self {
        let here = std::fs::read_link("/proc/thread-self").ok();
        let status = here.and_then(|here| {
            let thread = here.file_name()?.to_owned();
            let all = std::path::Path::new("/proc/self/task");
            std::fs::File::open(all.join(thread).join("status")).ok()
        });
        Self { status }
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn current() -> Self {
        Self {}
    }

    #[cfg(target_os = "linux")]
    fn look(&self) -> Option<Asleep> {
        use std::os::unix::fs::FileExt as _;
        let mut status = [0; 4_096];
        let read = self.status.as_ref()?.read_at(&mut status, 0).ok()?;
        asleep(&String::from_utf8_lossy(&status[..read]))
    }

    #[cfg(not(target_os = "linux"))]
    fn look(&self) -> Option<Asleep> {
        None
    }
}

/// As it stands in `/proc/self/task/TID/status`; nothing of a thread that does not sleep.
#[cfg(any(target_os = "linux", test))]
fn asleep(status: &str) -> Option<Asleep> {
    let mut fields = status.lines().filter_map(|line| line.split_once(':'));
    let (_, state) = fields.find(|(name, _)| *name == "State")?;
    if !state.trim_start().starts_with('S') {
        return None;
    }
    let switches = fields.filter(|(name, _)| name.ends_with("ctxt_switches"));
    let switches: Option<Vec<u64>> = switches
        .map(|(_, number)| number.trim().parse().ok())
        .collect();
    let switches = switches.filter(|switches| switches.len() == 2)?;
    Some(Asleep {
        switches: switches.iter().sum(),
    })
}

/// Where nobody sees that a thread stands still, it is waited for no longer than this: it may spin, or wait
/// for a disk. Of a look that comes late, when the machine was busy with others, no more counts than `LOOK`.
const LONGEST: Duration = Duration::from_millis(100);
const LOOK: Duration = Duration::from_millis(1);

/// The looks at one thread.
#[derive(Default)]
pub(super) struct Looks {
    last: Option<Asleep>,
    passed: Duration,
}

impl Looks {
    /// Looks again, after so long. Says whether the thread stands still.
    pub(super) fn again(&mut self, thread: &Thread, after: Duration) -> bool {
        let seen = thread.look();
        let before = std::mem::replace(&mut self.last, seen);
        self.passed += after.min(LOOK);
        seen.is_some() && seen == before || self.passed > LONGEST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Name:\tclient\nState:\tS (sleeping)\nThreads:\t3\n\
                          voluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t3\n";

    #[test]
    fn only_a_thread_that_sleeps_may_stand_still() {
        let switches = |status: &str| asleep(status).map(|asleep| asleep.switches);
        assert_eq!(switches(STATUS), Some(15));
        assert_eq!(
            switches(&STATUS.replace("S (sleeping)", "R (running)")),
            None
        );
        assert_eq!(
            switches(&STATUS.replace("S (sleeping)", "D (disk sleep)")),
            None
        );
        assert_eq!(switches("State:\tS (sleeping)\n"), None);
    }

    #[test]
    fn one_that_nobody_can_look_into_is_waited_for_for_a_while() {
        let thread = std::thread::spawn(Thread::current)
            .join()
            .expect("it returns");
        let mut looks = Looks::default();
        let late = Duration::from_secs(1);
        let many = (0..1_000).position(|_| looks.again(&thread, late));
        assert_eq!(many, Some(100));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_thread_that_waits_for_a_lock_stands_still_and_one_that_runs_does_not() {
        use std::sync::Mutex;
        use std::sync::mpsc;
        let lock = Mutex::new(());
        std::thread::scope(|scope| {
            let held = lock.lock().unwrap();
            let (send, receive) = mpsc::channel();
            scope.spawn(|| {
                let _ = send.send(Thread::current());
                drop(send);
                drop(lock.lock());
            });
            let thread = receive.recv().unwrap();
            let mut looks = Looks::default();
            while !looks.again(&thread, Duration::ZERO) {}
            drop(held);
        });
        let mut looks = Looks::default();
        let this = Thread::current();
        assert!((0..100).all(|_| !looks.again(&this, Duration::ZERO)));
    }
}
