//! Turns: clients that are threads and run one at a time, from one place at which one of them is held to the
//! next.
//!
//! They begin in the order in which they are held, and then by their numbers. Where a client comes to the
//! place at which it is to be held, or to its end, the next one goes on: first those that have not begun, then
//! those that are held, in the order in which they came there. Where it stands still, since it waits for a lock
//! of one that is held, all go on at once.

use super::signal::Signal;
use super::standing::{Looks, Thread};
use crate::clock::{Clock as _, SystemClock};
use crate::conformance::program::shape::{Hold, Place};
use crate::conformance::subject::watch;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// Whose turn it is.
pub(super) struct Turns {
    state: Mutex<State>,
    /// The client that has the turn, or [`ALL`].
    turn: AtomicUsize,
    /// It knows.
    is_taken: AtomicBool,
    signal: Signal,
    threads: Vec<OnceLock<Thread>>,
    /// The time between two looks at whoever has the turn.
    apart: Duration,
}

const ALL: usize = usize::MAX;

/// Whoever is held spins for so many turns, and then looks at the one that has the turn.
const SPINS: u32 = 100;

struct State {
    holds: Vec<Hold>,
    waiting: VecDeque<usize>,
    /// Where the clients came, in that order.
    came: Vec<Hold>,
}

impl Turns {
    pub(super) fn new(holds: &[Hold], clients: usize, apart: Duration) -> Self {
        let mut waiting = VecDeque::new();
        let held = holds.iter().map(|hold| hold.client);
        for client in held.chain(0..clients) {
            if client < clients && !waiting.contains(&client) {
                waiting.push_back(client);
            }
        }
        let first = waiting.pop_front();
        Self {
            state: Mutex::new(State {
                holds: holds.to_vec(),
                waiting,
                came: Vec::new(),
            }),
            turn: AtomicUsize::new(first.unwrap_or(ALL)),
            is_taken: AtomicBool::new(false),
            signal: Signal::default(),
            threads: (0..clients).map(|_| OnceLock::new()).collect(),
            apart,
        }
    }

    /// Waits for the first turn of the client that this thread is.
    pub(super) fn begin(&self, client: usize) {
        self.threads[client].get_or_init(Thread::current);
        self.signal
            .wait_until(|| self.has_turn(client) || watch::is_stopped());
        self.is_taken.store(true, Ordering::SeqCst);
    }

    /// The client, which has the turn, has come to this place: it may be held there.
    pub(super) fn come_to(&self, client: usize, place: Place) {
        if self.is_for_all() {
            return;
        }
        let mut state = self.state();
        let visits = state.came.iter();
        let before = visits.filter(|it| it.client == client && it.place == place);
        let here = Hold {
            client,
            place,
            number: 1 + u32::try_from(before.count()).unwrap_or(u32::MAX - 1),
        };
        state.came.push(here);
        let its_next = state.holds.iter().position(|hold| hold.client == client);
        let Some(at) = its_next.filter(|at| state.holds[*at] == here) else {
            return;
        };
        state.holds.remove(at);
        if state.waiting.is_empty() {
            return;
        }
        state.waiting.push_back(client);
        self.next(state);
        watch::held(|| self.wait_watching(client));
        self.is_taken.store(true, Ordering::SeqCst);
    }

    /// All calls of the client have returned.
    pub(super) fn end(&self) {
        self.next(self.state());
    }

    /// Where the clients came to, until one had to be let go.
    pub(super) fn came(&self) -> Vec<Hold> {
        self.state().came.clone()
    }

    /// Whether one had to be let go, as another stood still.
    pub(super) fn is_for_all(&self) -> bool {
        self.turn.load(Ordering::SeqCst) == ALL
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_turn(&self, client: usize) -> bool {
        [client, ALL].contains(&self.turn.load(Ordering::SeqCst))
    }

    /// Gives the turn to the next client, if there is one.
    fn next(&self, mut state: MutexGuard<'_, State>) {
        if self.is_for_all() {
            return;
        }
        if let Some(next) = state.waiting.pop_front() {
            self.is_taken.store(false, Ordering::SeqCst);
            self.turn.store(next, Ordering::SeqCst);
            drop(state);
            self.signal.give();
        }
    }

    /// Waits for the client's turn, and looks whether the one that has it stands still.
    fn wait_watching(&self, client: usize) {
        let (clock, mut looked, mut looks, mut runner) =
            (SystemClock::new(), Duration::ZERO, Looks::default(), client);
        while !self
            .signal
            .wait_for(self.apart, SPINS, || self.has_turn(client))
        {
            let turn = self.turn.load(Ordering::SeqCst);
            let thread = self.threads.get(turn).and_then(OnceLock::get);
            let now = clock.now();
            let passed = now.saturating_sub(looked);
            looked = now;
            if turn != runner {
                (looks, runner) = (Looks::default(), turn);
            }
            // Whoever has not taken its turn yet may sleep until it is told.
            let thread = thread.filter(|_| self.is_taken.load(Ordering::SeqCst));
            let stands_still = thread.is_some_and(|thread| looks.again(thread, passed));
            if stands_still || watch::is_stopped() {
                let _state = self.state();
                self.turn.store(ALL, Ordering::SeqCst);
                self.signal.give();
                return;
            }
        }
    }
}
