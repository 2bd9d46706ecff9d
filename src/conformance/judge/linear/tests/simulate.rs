//! Simulate: histories of a right store, under many clients at once.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers are drawn below small ends"
)]

use super::{Call, Kind, Nanos, Outcome, Rules, Span, Start, Value};

/// A sequence of numbers that look random (splitmix64, S. Vigna).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to, but not, `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// What is simulated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene {
    pub(crate) rules: Rules,
    pub(crate) clients: u32,
    pub(crate) calls: usize,
    /// Times to live are from 1 to this.
    pub(crate) ttl: u64,
    /// The clock moves on by at most this, in one of so many steps.
    pub(crate) tick: u64,
    pub(crate) ticks: u64,
    /// When the clock stops.
    pub(crate) end: Nanos,
    /// As many values are committed again and again; each is committed once if there are none.
    pub(crate) values: u32,
    /// One in so many calls is of unknown outcome; none is if this is 0.
    pub(crate) unknown: u64,
    /// The clock is read up to this long before and after a call.
    pub(crate) slack: u64,
    /// How many turns a client lets pass between its calls on average.
    pub(crate) idle: u64,
    /// What the store gets wrong, now and then.
    pub(crate) mistake: Option<Mistake>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// A prepare gives what the last write replaced.
    StaleRead,
    /// A commit does nothing.
    LostUpdate,
    /// What was dropped comes back.
    Revival,
    /// An entry is gone as soon as it is prepared again.
    EarlyExpiry,
}

struct UnderWay {
    index: usize,
    took_effect: bool,
    /// Nobody waits for it any more, but it may take effect still.
    is_left: bool,
}

struct Simulation<'a> {
    scene: &'a Scene,
    chance: &'a mut Chance,
    now: Nanos,
    counter: u64,
    /// The live entry, its deadline, and how long after it may still be found.
    entry: Option<(Value, Nanos, Nanos)>,
    /// What the last write replaced.
    replaced: Option<(Value, Nanos, Nanos)>,
    calls: Vec<Call>,
    under_way: Vec<Option<UnderWay>>,
    left: Vec<UnderWay>,
}

impl Scene {
    /// One history of a right store.
    pub(crate) fn play(&self, chance: &mut Chance) -> Vec<Call> {
        let entry = match self.rules.start {
            Start::Unknown if chance.one_in(2) => {
                let deadline = chance.below(2 * self.ttl);
                Some((
                    chance.below(u64::from(self.values.max(1))) as Value,
                    deadline.into(),
                    self.rules.resolution,
                ))
            }
            _ => None,
        };
        let mut simulation = Simulation {
            scene: self,
            chance,
            now: 1,
            counter: 0,
            entry,
            replaced: None,
            calls: Vec::with_capacity(self.calls),
            under_way: (0..self.clients).map(|_| None).collect(),
            left: Vec::new(),
        };
        while simulation.goes_on() {}
        simulation.calls
    }
}

impl Simulation<'_> {
    fn goes_on(&mut self) -> bool {
        if self.scene.tick > 0 && self.chance.one_in(self.scene.ticks) {
            let by = Nanos::from(self.chance.below(self.scene.tick + 1));
            self.now = self.scene.end.min(self.now + by);
        }
        if !self.left.is_empty() && self.chance.one_in(8) {
            let mut call = self.left.swap_remove(0);
            self.take_effect(&mut call);
        }
        let client = self.chance.below(self.scene.clients.into()) as usize;
        match self.under_way[client].take() {
            Some(call) => self.move_on(client, call),
            None if self.calls.len() < self.scene.calls => {
                if self.chance.one_in(self.scene.idle.max(1)) {
                    self.invoke(client);
                }
            }
            None => return self.under_way.iter().any(Option::is_some),
        }
        true
    }

    fn draw(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    fn slack(&mut self) -> Nanos {
        self.chance.below(self.scene.slack + 1).into()
    }

    fn invoke(&mut self, client: usize) {
        let from = self.now - self.slack();
        let kind = match self.chance.below(6) {
            0 => Kind::Drop,
            1 | 2 => Kind::Commit {
                value: match self.scene.values {
                    0 => self.calls.len() as Value,
                    values => self.chance.below(values.into()) as Value,
                },
                ttl: (1 + self.chance.below(self.scene.ttl)).into(),
            },
            _ => Kind::Nothing,
        };
        let call = Call {
            client: client as u32,
            kind,
            invoked: self.draw(),
            returned: u64::MAX,
            clock: Span {
                from,
                to: Nanos::MAX,
            },
            outcome: Outcome::Certain,
        };
        self.calls.push(call);
        self.under_way[client] = Some(UnderWay {
            index: self.calls.len() - 1,
            took_effect: false,
            is_left: false,
        });
    }

    fn move_on(&mut self, client: usize, mut call: UnderWay) {
        let is_write = !matches!(self.calls[call.index].kind, Kind::Found(_) | Kind::Nothing);
        if is_write && self.scene.unknown > 0 && self.chance.one_in(2 * self.scene.unknown) {
            self.calls[call.index].outcome = Outcome::Unknown;
            if self.chance.one_in(2) {
                self.give_back(call.index);
            } else {
                call.is_left = true;
                if !call.took_effect {
                    self.left.push(call);
                }
            }
        } else if call.took_effect {
            self.give_back(call.index);
            if self.scene.idle == 0 && self.calls.len() < self.scene.calls {
                self.invoke(client);
            }
        } else {
            self.take_effect(&mut call);
            self.under_way[client] = Some(call);
        }
    }

    fn give_back(&mut self, index: usize) {
        let to = self.now + self.slack();
        self.calls[index].returned = self.draw();
        self.calls[index].clock.to = to;
    }

    /// The clock of the store.
    fn read(&mut self) -> Nanos {
        let uncertainty = self.scene.rules.uncertainty;
        let off = self.chance.below(2 * uncertainty as u64 + 1);
        self.now - uncertainty + Nanos::from(off)
    }

    fn take_effect(&mut self, call: &mut UnderWay) {
        call.took_effect = true;
        let kind = self.calls[call.index].kind;
        let is_read = matches!(kind, Kind::Found(_) | Kind::Nothing);
        match self.scene.mistake.filter(|_| self.chance.one_in(20)) {
            Some(Mistake::LostUpdate) if matches!(kind, Kind::Commit { .. }) => return,
            Some(Mistake::StaleRead | Mistake::Revival) if is_read && self.replaced.is_some() => {
                let entry = std::mem::replace(&mut self.entry, self.replaced);
                self.answer(call.index);
                if self.scene.mistake == Some(Mistake::StaleRead) {
                    self.entry = entry;
                }
                return;
            }
            Some(Mistake::EarlyExpiry) if is_read => self.entry = None,
            _ => {}
        }
        if is_read {
            self.answer(call.index);
        } else {
            self.replaced = self.entry;
            self.write(kind);
        }
    }

    fn write(&mut self, kind: Kind) {
        let read = self.read();
        let rules = self.scene.rules;
        self.entry = match kind {
            Kind::Commit { value, ttl } => {
                let is_long = rules.horizon.is_some_and(|horizon| ttl > horizon);
                let life = rules.horizon.map_or(ttl, |horizon| ttl.min(horizon));
                let latest = match is_long {
                    true => self.scene.ttl,
                    false => rules.resolution as u64 + 1,
                };
                let late = self.chance.below(latest).into();
                Some((value, read + life, late))
            }
            _ => None,
        };
    }

    fn answer(&mut self, index: usize) {
        let read = self.read();
        let is_evicted = self.scene.rules.may_evict && self.chance.one_in(4);
        // Some stores sweep now and then.
        let is_late = self.entry.is_some_and(|(.., late)| late > 0);
        let is_swept = is_late && self.chance.one_in(4);
        self.entry = self.entry.filter(|(_, deadline, late)| {
            let until = if is_swept { *deadline } else { deadline + late };
            read < until && !is_evicted
        });
        if let Some((value, ..)) = self.entry {
            self.calls[index].kind = Kind::Found(value);
        }
    }
}
