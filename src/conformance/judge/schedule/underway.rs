//! Under way: a program that is being made, and the schedule so far.

use super::execution::Luck;
use crate::conformance::program::Program;
use crate::conformance::program::shape::{Hold, Poll, Schedule};
use crate::conformance::subject::watch::Running;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(super) struct Underway {
    program: Program,
    /// How the clients that have met so far were scheduled, in the order of the program.
    schedules: Mutex<Vec<Schedule>>,
    is_woken: AtomicBool,
    /// Where threads that ran one at a time came to, and that one had to be let go.
    came: Mutex<Vec<Hold>>,
    is_let_go: AtomicBool,
}

impl Underway {
    pub(super) fn new(program: &Program) -> Self {
        Self {
            program: program.clone(),
            schedules: Mutex::default(),
            is_woken: AtomicBool::new(false),
            came: Mutex::default(),
            is_let_go: AtomicBool::new(false),
        }
    }

    fn schedules(&self) -> MutexGuard<'_, Vec<Schedule>> {
        self.schedules
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that clients meet, in a schedule that is known so far.
    pub(super) fn meet(&self, schedule: Schedule) {
        self.schedules().push(schedule);
    }

    /// Notes a turn of the tasks that met last.
    pub(super) fn turn(&self, poll: Poll) {
        if let Some(Schedule::Polls(polls)) = self.schedules().last_mut() {
            polls.push(poll);
        }
    }

    /// Notes that something which is not of the run wakes a call, or has to, as all sleep.
    pub(super) fn woken_from_outside(&self) {
        self.is_woken.store(true, Ordering::Relaxed);
    }

    /// Notes where the threads that met last came to, and whether they ran one at a time to their ends.
    pub(super) fn held(&self, came: Vec<Hold>, to_the_end: bool) {
        *self.came.lock().unwrap_or_else(PoisonError::into_inner) = came;
        self.is_let_go.fetch_or(!to_the_end, Ordering::Relaxed);
    }

    pub(super) fn came(&self) -> Vec<Hold> {
        let came = self.came.lock().unwrap_or_else(PoisonError::into_inner);
        came.clone()
    }

    /// The program with the schedule as far as it was made.
    pub(super) fn as_run(&self) -> Program {
        let together = self.program.together().iter();
        let mut schedules: Vec<_> = together.map(|one| one.schedule.clone()).collect();
        for (schedule, made) in schedules.iter_mut().zip(self.schedules().iter()) {
            schedule.clone_from(made);
        }
        self.program.with_schedules(schedules)
    }

    pub(super) fn luck(&self) -> Option<Luck> {
        let at_once = |schedule: &Schedule| *schedule == Schedule::Threads(Vec::new());
        if self.is_let_go.load(Ordering::Relaxed) || self.schedules().iter().any(at_once) {
            return Some(Luck::Threads);
        }
        self.is_woken.load(Ordering::Relaxed).then_some(Luck::Woken)
    }
}

impl Running for Underway {
    fn program(&self, _: u64) -> Program {
        self.as_run()
    }
}
