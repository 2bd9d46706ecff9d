//! Plan: what each of several clients does.

use super::Searcher;
use crate::conformance::program::dice::Dice;
use crate::conformance::program::payload;
use crate::conformance::program::time::nanos;
use crate::conformance::program::{Operation, Program, Time};
use crate::conformance::subject::Passing;
use crate::conformance::subject::profile::Profile;
use crate::model::{Nanos, Op};
use crate::token;
use std::collections::HashSet;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// What several clients do at once, what is called before that, and what after.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) opening: Vec<Op>,
    /// By client: one call after another.
    pub(crate) clients: Vec<Vec<Step>>,
    pub(crate) closing: Vec<Op>,
    /// How long it is before each call.
    pub(crate) linger: Duration,
}

#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) op: Op,
    /// It is cancelled when it has been polled so often and has not returned.
    pub(crate) polls: usize,
}

/// The size of long plans.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) clients: usize,
    /// Calls of each.
    pub(crate) calls: usize,
    /// Ids that they all use: the fewer, the more they meet.
    pub(crate) ids: usize,
}

/// A short plan has no more serial orders than this looked at.
const MOST_ORDERS: usize = 128;

/// Calls of the clients that are told one by one.
const MOST_TOLD: usize = 12;

impl Step {
    /// Not cancelled.
    fn whole(op: Op) -> Self {
        let polls = usize::MAX;
        Self { op, polls }
    }
}

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Operation(&self.op))?;
        match self.polls {
            usize::MAX => Ok(()),
            1 => f.write_str(" (cancelled after 1 poll)"),
            polls => write!(f, " (cancelled after {polls} polls)"),
        }
    }
}

impl Plan {
    /// A long plan. No two commits are of the same payload.
    pub(crate) fn long(searcher: &Searcher<'_>, size: Size, dice: &mut Dice) -> Self {
        let lives: &[Nanos] = match dice.below(2) {
            0 => &[1, 1, 2, 1_000],
            _ => &[2, 1_000, 1_000, 1_000],
        };
        let mut draws = Draws::new(searcher, size.ids, lives);
        draws.renews = false;
        let mut client = |_| (0..size.calls).map(|_| draws.step(dice)).collect();
        Self {
            opening: Vec::new(),
            clients: (0..size.clients).map(&mut client).collect(),
            closing: Vec::new(),
            linger: Duration::ZERO,
        }
    }

    /// A short plan: up to `calls` calls by each client, and then a look at what is there.
    ///
    /// Two calls that meet are all that most races need. Between few calls nothing else happens that
    /// would hide it, least of all what one client at a time shows too.
    pub(crate) fn short(
        searcher: &Searcher<'_>,
        clients: usize,
        calls: usize,
        dice: &mut Dice,
    ) -> Self {
        let ids = 1 + dice.below(3) / 2;
        let mut draws = Draws::new(searcher, ids, &[1, 2, 1_000, 1_000]);
        let mut opening = Vec::new();
        match dice.below(4) {
            0 => {}
            1 if draws.at_will => {
                opening.push(draws.commit(0, 1));
                opening.push(draws.advance());
            }
            _ => opening.extend((0..ids).map(|id| draws.commit(id, 1_000))),
        }
        let mut client = |_| {
            let calls = 1 + dice.below(calls);
            (0..calls).map(|_| draws.step(dice)).collect()
        };
        let clients = (0..clients).map(&mut client).collect();
        let waits = draws.at_will && dice.below(2) == 0;
        Self {
            opening,
            clients,
            closing: draws.look(waits),
            linger: Duration::ZERO,
        }
    }

    /// A short plan with one call by each client: any call on two ids, each of which is live, expired or
    /// unknown, is as likely to meet any other.
    pub(crate) fn meeting(searcher: &Searcher<'_>, clients: usize, dice: &mut Dice) -> Self {
        let mut draws = Draws::new(searcher, 2, &[1, 1_000]);
        let (mut opening, mut expiring) = (Vec::new(), Vec::new());
        for id in 0..2 {
            match dice.below(3) {
                0 => {}
                1 if draws.at_will => expiring.push(draws.commit(id, 1)),
                _ => opening.push(draws.commit(id, 1_000)),
            }
        }
        if !expiring.is_empty() {
            opening.extend(expiring);
            opening.push(draws.advance());
        }
        let clients = (0..clients).map(|_| vec![draws.any(dice)]).collect();
        Self {
            opening,
            clients,
            closing: draws.look(draws.at_will),
            linger: Duration::ZERO,
        }
    }

    /// With some time before each call, for what a store does on threads of its own.
    pub(crate) fn lingering(mut self, dice: &mut Dice) -> Self {
        const MICROS: [u64; 4] = [100, 300, 1_000, 2_000];
        self.linger = Duration::from_micros(MICROS[dice.below(MICROS.len())]);
        self
    }

    /// One or two of the calls are cancelled, after few polls.
    pub(crate) fn cancelling(mut self, dice: &mut Dice) -> Self {
        for _ in 0..=dice.below(2) {
            let client = dice.below(self.clients.len());
            let steps = &mut self.clients[client];
            let at = dice.below(steps.len());
            steps[at].polls = 1 + dice.below(4);
        }
        self
    }

    /// The calls one at a time: `turn` says whose is next, of the clients that have calls left.
    fn in_turn(&self, mut turn: impl FnMut(&[usize]) -> usize) -> Vec<Op> {
        let mut ops = self.opening.clone();
        let mut places = vec![0; self.clients.len()];
        loop {
            let has_left = |client: &usize| places[*client] < self.clients[*client].len();
            let left: Vec<usize> = (0..self.clients.len()).filter(has_left).collect();
            if left.is_empty() {
                break;
            }
            let client = turn(&left);
            ops.push(self.clients[client][places[client]].op.clone());
            places[client] += 1;
        }
        ops.extend(self.closing.iter().cloned());
        ops
    }

    /// The same, where dice say whose is next.
    pub(crate) fn in_some_turn(&self, dice: &mut Dice) -> Vec<Op> {
        self.in_turn(|left| left[dice.below(left.len())])
    }

    /// The calls of a short plan one at a time, in many orders that keep those of each client, with
    /// the cancelled ones and without.
    pub(crate) fn orders(&self, mut dice: Dice) -> impl Iterator<Item = Vec<Op>> {
        let mut plans = vec![self.clone(), self.without_cancelled()];
        plans.dedup_by_key(|plan| plan.calls());
        let orders = (0..MOST_ORDERS).flat_map(move |_| {
            let in_turn = |plan: &Self| plan.in_some_turn(&mut dice);
            plans.iter().map(in_turn).collect::<Vec<_>>()
        });
        let mut known = HashSet::new();
        orders.filter(move |order| known.insert(Program::from(order.clone()).to_string()))
    }

    /// With what is cancelled left out.
    pub(crate) fn without_cancelled(&self) -> Self {
        let mut plan = self.clone();
        for steps in &mut plan.clients {
            steps.retain(|step| step.polls == usize::MAX);
        }
        plan
    }

    /// With what is cancelled made to its end.
    pub(crate) fn without_cancelling(&self) -> Self {
        let mut plan = self.clone();
        for step in plan.clients.iter_mut().flatten() {
            step.polls = usize::MAX;
        }
        plan
    }

    /// The calls, in a line for each time: before, at once, and then; of a long plan, how many. Clients
    /// have no numbers here, since those that are drawn are numbered as they come.
    pub(crate) fn told(&self) -> String {
        if self.calls() > MOST_TOLD {
            let (clients, calls) = (self.clients.len(), self.calls());
            return format!("{clients} clients at once, with {calls} calls\n");
        }
        let listed = |ops: &mut dyn Iterator<Item = String>| ops.collect::<Vec<_>>().join("; ");
        let alone = |ops: &[Op]| listed(&mut ops.iter().map(|op| Operation(op).to_string()));
        let clients = self.clients.iter();
        let clients = clients.map(|steps| listed(&mut steps.iter().map(Step::to_string)));
        let linger = match self.linger {
            Duration::ZERO => String::new(),
            linger => format!("{} before each", Time(nanos(linger))),
        };
        let lines = [
            ("first", alone(&self.opening)),
            ("at once", clients.collect::<Vec<_>>().join(" | ")),
            ("then", alone(&self.closing)),
            ("with", linger),
        ];
        let lines = lines.iter().filter(|(_, calls)| !calls.is_empty());
        let lines = lines.map(|(when, calls)| format!("{when:<8} {calls}"));
        lines.collect::<Vec<_>>().join("\n") + "\n"
    }

    /// Whether any call is cancelled.
    pub(crate) fn is_cancelling(&self) -> bool {
        let mut steps = self.clients.iter().flatten();
        steps.any(|step| step.polls != usize::MAX)
    }

    /// In the order in which they are told.
    pub(crate) fn ops(&self) -> impl Iterator<Item = &Op> {
        let steps = self.clients.iter().flatten().map(|step| &step.op);
        self.opening.iter().chain(steps).chain(&self.closing)
    }

    /// The same.
    pub(crate) fn ops_mut(&mut self) -> impl Iterator<Item = &mut Op> {
        let steps = self.clients.iter_mut().flatten();
        let steps = steps.map(|step| &mut step.op);
        self.opening
            .iter_mut()
            .chain(steps)
            .chain(&mut self.closing)
    }

    pub(crate) fn calls(&self) -> usize {
        self.clients.iter().map(Vec::len).sum()
    }
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
    fn new(searcher: &Searcher<'_>, ids: usize, lives: &'a [Nanos]) -> Self {
        let &Searcher { profile, tick, .. } = searcher;
        let at_will = searcher.subject.passing() != Passing::Waiting;
        Self {
            ids: first_ids(ids, profile),
            lives,
            // Where time must be waited for, lives are to end while the clients are still at it.
            tick: match at_will {
                true => tick,
                false => (2 * nanos(profile.resolution)).max(2_000_000),
            },
            at_will,
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
    fn renew(&mut self, id: usize, life: Nanos, dice: &mut Dice) -> Op {
        let known = &self.payloads[id];
        match known.get(dice.below(known.len().max(1))) {
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
    fn step(&mut self, dice: &mut Dice) -> Step {
        let id = dice.below(self.ids.len());
        let op = match dice.below(16) {
            0..7 => self.prepare(id),
            7..10 => Op::Drop { id: self.id(id) },
            10..14 => {
                let life = self.lives[dice.below(self.lives.len())];
                match self.renews && dice.below(3) == 0 {
                    true => self.renew(id, life, dice),
                    false => self.commit(id, life),
                }
            }
            _ if self.at_will => self.advance(),
            _ => self.prepare(id),
        };
        Step::whole(op)
    }

    /// A call of any kind, as likely as of any other.
    fn any(&mut self, dice: &mut Dice) -> Step {
        let id = dice.below(self.ids.len());
        let life = self.lives[dice.below(self.lives.len())];
        Step::whole(match dice.below(7) {
            0 | 1 => self.commit(id, life),
            2 | 3 => self.renew(id, life, dice),
            4 => Op::Drop { id: self.id(id) },
            5 if self.at_will => self.advance(),
            _ => self.prepare(id),
        })
    }
}

/// Tokens, or the first of the profile's.
fn first_ids(count: usize, profile: &Profile) -> Vec<String> {
    let ids = match &profile.supported.ids {
        None => ["A", "B", "C", "D"]
            .map(|letter| letter.repeat(token::LEN))
            .to_vec(),
        Some(pair) => pair(0).to_vec(),
    };
    ids.into_iter().take(count).collect()
}
