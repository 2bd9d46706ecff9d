//! Overlapping: random programs of several clients at once.

use super::rng::Rng;
use super::shape::{Call, Cancel, Schedule};
use super::supported::Supported;
use super::{Program, payload};
use crate::model::{Nanos, Op};
use crate::token;

/// What overlapping programs are drawn for.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) supported: &'a Supported,
    /// The unit of times.
    pub(crate) tick: Nanos,
    /// Whether time can be made to pass.
    pub(crate) at_will: bool,
    /// Whether clients are threads: otherwise they are tasks.
    pub(crate) threads: bool,
}

/// The size of long programs.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) clients: usize,
    /// Calls of each.
    pub(crate) calls: usize,
    /// Ids that they all use: the fewer, the more they meet.
    pub(crate) ids: usize,
}

impl Scene<'_> {
    /// A long program. No two commits are of the same payload.
    pub(crate) fn long(self, size: Size, rng: &mut Rng) -> Program {
        let lives: &[Nanos] = match rng.below(2) {
            0 => &[1, 1, 2, 1_000],
            _ => &[2, 1_000, 1_000, 1_000],
        };
        let mut draws = Draws::new(self, size.ids, lives);
        draws.renews = false;
        let mut client = |_| (0..size.calls).map(|_| draws.call(rng)).collect();
        let clients = (0..size.clients).map(&mut client).collect();
        self.program(Vec::new(), clients, Vec::new())
    }

    /// A short program: up to `calls` calls by each client, and then a look at what is there.
    ///
    /// Two calls that meet are all that most races need. Between few calls nothing else happens that
    /// would mask it, least of all what one client at a time shows too.
    pub(crate) fn short(self, clients: usize, calls: usize, rng: &mut Rng) -> Program {
        let ids = 1 + rng.below(3) / 2;
        let mut draws = Draws::new(self, ids, &[1, 2, 1_000, 1_000]);
        let mut opening = Vec::new();
        match rng.below(4) {
            0 => {}
            1 if self.at_will => {
                opening.push(draws.commit(0, 1));
                opening.push(draws.advance());
            }
            _ => opening.extend((0..ids).map(|id| draws.commit(id, 1_000))),
        }
        let mut client = |_| {
            let calls = 1 + rng.below(calls);
            (0..calls).map(|_| draws.call(rng)).collect()
        };
        let clients = (0..clients).map(&mut client).collect();
        let waits = self.at_will && rng.below(2) == 0;
        self.program(opening, clients, draws.look(waits))
    }

    /// A short program with one call by each client: any call on two ids, each of which is live, expired
    /// or unknown, is as likely to meet any other.
    pub(crate) fn meeting(self, clients: usize, rng: &mut Rng) -> Program {
        self.meeting_with(clients, 0, rng)
    }

    /// The same with some time before each call, for what a store does on threads of its own.
    pub(crate) fn lingering(self, clients: usize, rng: &mut Rng) -> Program {
        const MICROS: [Nanos; 4] = [100, 300, 1_000, 2_000];
        let pause = 1_000 * MICROS[rng.below(MICROS.len())];
        self.meeting_with(clients, pause, rng)
    }

    fn meeting_with(self, clients: usize, pause: Nanos, rng: &mut Rng) -> Program {
        let mut draws = Draws::new(self, 2, &[1, 1_000]);
        let (mut opening, mut expiring) = (Vec::new(), Vec::new());
        for id in 0..2 {
            match rng.below(3) {
                0 => {}
                1 if self.at_will => expiring.push(draws.commit(id, 1)),
                _ => opening.push(draws.commit(id, 1_000)),
            }
        }
        if !expiring.is_empty() {
            opening.extend(expiring);
            opening.push(draws.advance());
        }
        let clients = (0..clients).map(|_| vec![draws.any(rng)]).collect();
        let closing = draws.look(self.at_will);
        if pause == 0 {
            return self.program(opening, clients, closing);
        }
        let mut program = self.program(opening, Vec::new(), Vec::new());
        program.push_together(whole(clients), self.schedule(), pause);
        program.push_together(whole(vec![closing]), Schedule::Drawn, pause);
        program
    }

    fn schedule(self) -> Schedule {
        match self.threads {
            true => Schedule::Threads(Vec::new()),
            false => Schedule::Drawn,
        }
    }

    /// What is done before, at once, and then.
    fn program(self, opening: Vec<Op>, clients: Vec<Vec<Op>>, closing: Vec<Op>) -> Program {
        let mut program = Program::from(opening);
        program.push_together(whole(clients), self.schedule(), 0);
        for op in closing {
            program.push(Call { op, cancel: None });
        }
        program
    }
}

/// Calls that are made to their end.
fn whole(clients: Vec<Vec<Op>>) -> Vec<Vec<Call>> {
    let whole = |op| Call { op, cancel: None };
    let client = |ops: Vec<Op>| ops.into_iter().map(whole).collect();
    clients.into_iter().map(client).collect()
}

/// With one or two of the clients' calls cancelled, after few polls.
pub(crate) fn cancelling(mut program: Program, rng: &mut Rng) -> Program {
    for _ in 0..=rng.below(2) {
        let clients: Vec<_> = program
            .together()
            .iter()
            .flat_map(super::shape::Together::places_by_client)
            .collect();
        let client = clients[rng.below(clients.len())].clone();
        let at = client.start + rng.below(client.len());
        let cancel = Cancel {
            polls: 1 + rng.below(4),
            times: 1,
        };
        program = program.with_cancel(at, Some(cancel));
    }
    program
}

/// What calls are drawn from.
struct Draws<'a> {
    ids: Vec<String>,
    /// In ticks.
    lives: &'a [Nanos],
    tick: Nanos,
    /// Whether time can be made to pass.
    at_will: bool,
    commits: u64,
    /// The payloads committed so far, by id.
    payloads: Vec<Vec<u64>>,
    /// Whether some are committed again, as applications do to prolong a life.
    renews: bool,
}

impl<'a> Draws<'a> {
    fn new(scene: Scene<'_>, ids: usize, lives: &'a [Nanos]) -> Self {
        Self {
            ids: first_ids(ids, scene.supported),
            lives,
            tick: scene.tick,
            at_will: scene.at_will,
            commits: 0,
            payloads: vec![Vec::new(); ids],
            renews: true,
        }
    }

    fn id(&self, number: usize) -> String {
        self.ids[number % self.ids.len()].clone()
    }

    fn prepare(&self, id: usize) -> Op {
        Op::Prepare { id: self.id(id) }
    }

    /// What is there, and if it `waits`, what is left of that when short lives have ended.
    fn look(&self, waits: bool) -> Vec<Op> {
        let look = || (0..self.ids.len()).map(|id| self.prepare(id));
        let later = [self.advance(), self.advance()].into_iter().chain(look());
        let later = later.filter(|_| waits);
        look().chain(later).collect()
    }

    fn advance(&self) -> Op {
        Op::Advance { by: self.tick }
    }

    fn commit(&mut self, id: usize, life: Nanos) -> Op {
        self.commits += 1;
        self.payloads[id].push(self.commits);
        self.commit_of(self.commits, id, life)
    }

    /// A commit of what was committed before, if anything was.
    fn renew(&mut self, id: usize, life: Nanos, rng: &mut Rng) -> Op {
        let known = &self.payloads[id];
        match known.get(rng.below(known.len().max(1))) {
            Some(number) => self.commit_of(*number, id, life),
            None => self.commit(id, life),
        }
    }

    fn commit_of(&self, number: u64, id: usize, life: Nanos) -> Op {
        Op::Commit {
            snapshot: Some(payload::numbered(number, &self.id(id))),
            ttl: life * self.tick,
        }
    }

    /// A call as applications make them.
    fn call(&mut self, rng: &mut Rng) -> Op {
        let id = rng.below(self.ids.len());
        match rng.below(16) {
            0..7 => self.prepare(id),
            7..10 => Op::Drop { id: self.id(id) },
            10..14 => {
                let life = self.lives[rng.below(self.lives.len())];
                match self.renews && rng.below(3) == 0 {
                    true => self.renew(id, life, rng),
                    false => self.commit(id, life),
                }
            }
            _ if self.at_will => self.advance(),
            _ => self.prepare(id),
        }
    }

    /// A call of any kind, as likely as of any other.
    fn any(&mut self, rng: &mut Rng) -> Op {
        let id = rng.below(self.ids.len());
        let life = self.lives[rng.below(self.lives.len())];
        match rng.below(7) {
            0 | 1 => self.commit(id, life),
            2 | 3 => self.renew(id, life, rng),
            4 => Op::Drop { id: self.id(id) },
            5 if self.at_will => self.advance(),
            _ => self.prepare(id),
        }
    }
}

/// Tokens, or the first of those that are supported.
pub(super) fn first_ids(count: usize, supported: &Supported) -> Vec<String> {
    let ids = match &supported.ids {
        None => ["A", "B", "C", "D"]
            .map(|letter| letter.repeat(token::LEN))
            .to_vec(),
        Some(pair) => pair(0).to_vec(),
    };
    ids.into_iter().take(count).collect()
}
