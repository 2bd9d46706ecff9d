//! Act: clients that are threads and meet.

use super::scene::Scene;
use super::turns::Turns;
use crate::clock::{Clock as _, SystemClock};
use crate::conformance::program::rng::Rng;
use crate::conformance::program::shape::Together;
use crate::conformance::subject::erased::ErasedSubject;
use crate::conformance::subject::{panics, watch};
use crate::places;
use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{hint, thread};

/// Clients that meet.
pub(super) struct Act {
    pub(super) scene: Arc<Scene>,
    pub(super) clients: Vec<Range<usize>>,
    together: Together,
    seed: u64,
    pub(super) order: Order,
    arrived: AtomicUsize,
    /// Clients whose calls have returned.
    ended: Arc<AtomicUsize>,
}

/// Who runs when.
pub(super) enum Order {
    /// All at once; this one may be held briefly, when it comes to so many places.
    AtOnce(Option<(usize, usize)>),
    /// One at a time.
    Held(Arc<Turns>),
}

/// Where nobody says who is held, one may be at one of its first places, for no longer than this: some
/// hundred calls.
const FIRST: usize = 8;
const BRIEFLY: Duration = Duration::from_micros(50);

impl Order {
    /// One that was drawn is held briefly, and that it mattered is not known.
    pub(super) fn drawn(clients: usize, rng: &mut Rng) -> Self {
        let is_held = rng.below(2) == 0;
        let held = (rng.below(clients), 1 + rng.below(FIRST));
        Self::AtOnce(is_held.then_some(held))
    }
}

impl Act {
    pub(super) fn new(
        scene: &Arc<Scene>,
        clients: Vec<Range<usize>>,
        together: &Together,
        order: Order,
        seed: u64,
    ) -> Self {
        Self {
            scene: Arc::clone(scene),
            clients,
            together: together.clone(),
            seed,
            order,
            arrived: AtomicUsize::new(0),
            ended: Arc::default(),
        }
    }

    /// One client's calls, once all are there or it has the turn.
    pub(super) fn play(&self, client: usize, subject: &dyn ErasedSubject) {
        watch::running(Arc::clone(&self.scene.underway) as _);
        let number = u32::try_from(client).unwrap_or(u32::MAX);
        let places = self.clients[client].clone();
        let pause = self.together.pause;
        let world = self.scene.world();
        let calls = || panics::catching(|| subject.block_on(world.client(number, places, pause)));
        let run = match &self.order {
            Order::AtOnce(held) => {
                self.arrived.fetch_add(1, Ordering::SeqCst);
                wait_until(|| self.arrived.load(Ordering::SeqCst) >= self.clients.len());
                self.be_late(client);
                match held {
                    Some((held, place)) if *held == client => {
                        places::visiting(self.hold_briefly(*place), calls)
                    }
                    _ => calls(),
                }
            }
            Order::Held(turns) => {
                turns.begin(client);
                let here = Arc::clone(turns);
                let run = places::visiting(move |place| here.come_to(client, place), calls);
                turns.end();
                run
            }
        };
        self.ended.fetch_add(1, Ordering::SeqCst);
        self.scene.note(run);
    }

    /// All at once, or one a little later than another: a barrier would wake them one by one.
    fn be_late(&self, client: usize) {
        let mut rng = Rng::new(self.seed, client as u64);
        let most = 1 << rng.below(12);
        for step in 0..rng.below(most) {
            // About a nanosecond; a call takes some hundred.
            hint::black_box(step);
        }
    }

    /// What lets the others end their calls first, at the place with this number.
    fn hold_briefly(&self, place: usize) -> impl Fn(places::Place) + 'static {
        let (ended, others) = (Arc::clone(&self.ended), self.clients.len() - 1);
        let come = Cell::new(0);
        move |_| {
            come.set(come.get() + 1);
            if come.get() == place {
                let clock = SystemClock::new();
                let is_over = || ended.load(Ordering::SeqCst) >= others || clock.now() > BRIEFLY;
                watch::held(|| wait_until(is_over));
            }
        }
    }
}

/// Spins for as long as another core may be about to do it, then lets others have this one.
fn wait_until(is_so: impl Fn() -> bool) {
    let mut turns = 0;
    while !is_so() {
        turns += 1;
        match turns < 200 {
            true => hint::spin_loop(),
            false => thread::yield_now(),
        }
    }
}
