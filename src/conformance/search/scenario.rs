//! Scenario: calls that overlap or are cancelled, in a form that can be made again, and made smaller.

use super::Searcher;
use super::cancel::Cancelled;
use super::plan::{Plan, Step};
use crate::clock::{Clock as _, SystemClock};
use crate::conformance::judge::history::Record;
use crate::conformance::program::OutcomeText;
use crate::conformance::program::cuts;
use crate::conformance::program::rng::Rng;
use crate::conformance::program::ids;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::payload;
use crate::conformance::subject::watch::Running;
use crate::model::{Nanos, Op};
use crate::snapshot::Snapshot;
use crate::store::BoxError;
use crate::token;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Clone)]
pub(crate) enum Scenario {
    /// Clients that are tasks.
    Tasks(Plan),
    /// Clients that are threads.
    Threads(Plan),
    /// One client, of whose calls one is cancelled when it has been polled so often.
    Cancelled(Cancelled, usize),
}

/// Clients meet by luck: they try so often, after a few for no longer than this.
const TRIES: u32 = 256;
const FEW: u32 = 8;
const LONGEST: Duration = Duration::from_millis(50);

impl Running for Scenario {
    fn ops(&self, _: u64) -> Vec<Op> {
        match self {
            Self::Tasks(plan) | Self::Threads(plan) => plan.ops().cloned().collect(),
            Self::Cancelled(program, _) => program.ops.clone(),
        }
    }

    fn scenario(&self) -> Option<Scenario> {
        Some(self.clone())
    }
}

impl Scenario {
    /// What comes of the calls; of those of several clients again and again, in other orders. What that
    /// takes is added to `spent`, as far as others on the machine do not hold it up: every try counts as
    /// much as the quickest. So it is not for how busy the machine is to say how many there are.
    pub(crate) fn tries(
        &self,
        searcher: &Searcher<'_>,
        spent: &Cell<Duration>,
    ) -> impl Iterator<Item = Result<Vec<Record>, BoxError>> {
        let (clock, mut began, mut quickest) = (SystemClock::new(), None, Duration::MAX);
        let most = match self {
            Self::Tasks(_) | Self::Threads(_) => TRIES,
            Self::Cancelled(..) => 1,
        };
        let numbers = (0..most).take_while(move |number| {
            let now = clock.now();
            if let Some(began) = began.replace(now) {
                quickest = quickest.min(now.saturating_sub(began));
                spent.set(spent.get().saturating_add(quickest));
            }
            *number < FEW || quickest.saturating_mul(*number) < LONGEST
        });
        numbers.map(move |number| match self {
            Self::Tasks(plan) => plan.as_tasks(searcher.subject, &mut Rng::new(0, number.into())),
            Self::Threads(plan) => plan.as_threads(searcher.subject, Rng::new(0, number.into())),
            Self::Cancelled(program, polls) => searcher.run_cancelled(program, *polls),
        })
    }

    pub(crate) fn is_cancelling(&self) -> bool {
        match self {
            Self::Tasks(plan) | Self::Threads(plan) => plan.is_cancelling(),
            Self::Cancelled(..) => true,
        }
    }

    /// The plan of several clients.
    pub(crate) fn plan(&self) -> Option<&Plan> {
        match self {
            Self::Tasks(plan) | Self::Threads(plan) => Some(plan),
            Self::Cancelled(..) => None,
        }
    }

    /// The simplest one found from this one for which something holds, unless it `is_late` before.
    pub(crate) fn simplest(
        self,
        tick: Nanos,
        is_late: impl Fn() -> bool,
        mut holds: impl FnMut(&Self) -> bool,
    ) -> Self {
        let mut best = self;
        let mut simpler = best.simpler(tick);
        // From where the last one was found: what is simpler in the ways before was tried.
        let (mut place, mut in_vain) = (0, 0);
        while in_vain < simpler.len() && !is_late() {
            place %= simpler.len();
            if holds(&simpler[place]) {
                best = simpler.swap_remove(place);
                simpler = best.simpler(tick);
                in_vain = 0;
            } else {
                (place, in_vain) = (place + 1, in_vain + 1);
            }
        }
        best
    }

    /// What is called; of a single client a line for each call, and `last` came of the last.
    pub(crate) fn lines(&self, last: Option<&Outcome>) -> String {
        match self {
            Self::Tasks(plan) | Self::Threads(plan) => plan.told(),
            Self::Cancelled(program, polls) => program.lines(*polls, |at| match last {
                Some(outcome) if at + 1 == program.ops.len() => {
                    format!("   {}", OutcomeText(outcome))
                }
                _ => String::new(),
            }),
        }
    }

    /// Simpler ones: with less in them first, then with plainer ids, payloads and times.
    pub(crate) fn simpler(&self, tick: Nanos) -> Vec<Self> {
        let mut simpler: Vec<Self> = match self {
            Self::Tasks(plan) => simpler_plans(plan).into_iter().map(Self::Tasks).collect(),
            Self::Threads(plan) => simpler_plans(plan).into_iter().map(Self::Threads).collect(),
            Self::Cancelled(program, polls) => {
                let programs = program.simpler().into_iter();
                let simpler = programs.map(|program| Self::Cancelled(program, *polls));
                let sooner = (0..*polls).map(|polls| Self::Cancelled(program.clone(), polls));
                simpler.chain(sooner).collect()
            }
        };
        let plainer = [
            self.with_one_id(),
            self.with_clients_in_order(),
            self.with_own_payloads(),
            self.with_plain_payloads(),
            self.with_plain_lives(tick),
        ];
        simpler.extend(plainer.into_iter().flatten());
        simpler
    }

    /// In the order in which they are told.
    fn ops_mut(&mut self) -> Box<dyn Iterator<Item = &mut Op> + '_> {
        match self {
            Self::Tasks(plan) | Self::Threads(plan) => Box::new(plan.ops_mut()),
            Self::Cancelled(program, _) => Box::new(program.ops.iter_mut()),
        }
    }

    /// The plainest token, or of other ids the first.
    fn with_one_id(&self) -> Option<Self> {
        let mut ids = self.ops(0).into_iter();
        let first = ids.find_map(|op| op.id().map(str::to_owned))?;
        let one = match token::is_token(&first) {
            true => ids::simplest(1).swap_remove(0),
            false => first,
        };
        self.changed(|op| {
            let other = op.id().filter(|id| *id != one)?.to_owned();
            Some(ids::renamed(op, &[(&other, &one)]))
        })
    }

    /// Those that commit first, and those that read last.
    fn with_clients_in_order(&self) -> Option<Self> {
        let rank = |step: &Step| match &step.op {
            Op::Commit { ttl, .. } => (0, *ttl),
            Op::Drop { .. } => (1, 0),
            Op::Advance { by } => (2, *by),
            Op::Prepare { .. } | Op::Restart => (3, 0),
        };
        let order = |steps: &Vec<Step>| steps.iter().map(rank).collect::<Vec<_>>();
        let mut ordered = self.clone();
        let (Self::Tasks(plan) | Self::Threads(plan)) = &mut ordered else {
            return None;
        };
        let is_ordered = plan.clients.is_sorted_by_key(order);
        plan.clients.sort_by_key(order);
        (!is_ordered).then_some(ordered)
    }

    /// For every commit another: v1, v2, ..
    fn with_own_payloads(&self) -> Option<Self> {
        let mut numbers = 1..;
        self.changed(|op| {
            let (snapshot, ttl) = committed(op)?;
            let (old, new) = (payload::number_of(snapshot)?, numbers.next()?);
            (new != old).then(|| Op::Commit {
                snapshot: Some(payload::numbered(new, snapshot.id())),
                ttl,
            })
        })
    }

    /// v1, v2, ..: in the order in which they are told.
    fn with_plain_payloads(&self) -> Option<Self> {
        let mut numbers = BTreeMap::new();
        self.changed(|op| {
            let (snapshot, ttl) = committed(op)?;
            let old = payload::number_of(snapshot)?;
            let next = numbers.len() as u64 + 1;
            let new = *numbers.entry(old).or_insert(next);
            (new != old).then(|| Op::Commit {
                snapshot: Some(payload::numbered(new, snapshot.id())),
                ttl,
            })
        })
    }

    fn with_plain_lives(&self, tick: Nanos) -> Option<Self> {
        self.changed(|op| {
            let (snapshot, ttl) = committed(op)?;
            (ttl > tick).then(|| Op::Commit {
                snapshot: Some(snapshot.clone()),
                ttl: tick,
            })
        })
    }

    /// The same with other operations for some; nothing where no other is given.
    fn changed(&self, mut other: impl FnMut(&Op) -> Option<Op>) -> Option<Self> {
        let (mut scenario, mut has_changed) = (self.clone(), false);
        for op in scenario.ops_mut() {
            if let Some(other) = other(op) {
                *op = other;
                has_changed = true;
            }
        }
        has_changed.then_some(scenario)
    }
}

fn committed(op: &Op) -> Option<(&Snapshot, Nanos)> {
    match op {
        Op::Commit { snapshot, ttl } => Some((snapshot.as_ref()?, *ttl)),
        _ => None,
    }
}

/// Plans with fewer operations, or fewer that are cancelled.
fn simpler_plans(plan: &Plan) -> Vec<Plan> {
    let mut plans = Vec::new();
    let mut push = |change: &dyn Fn(&mut Plan)| {
        let mut simpler = plan.clone();
        change(&mut simpler);
        simpler.clients.retain(|steps| !steps.is_empty());
        if !simpler.clients.is_empty() {
            plans.push(simpler);
        }
    };
    if !plan.linger.is_zero() {
        push(&|plan| plan.linger = Duration::ZERO);
    }
    for (start, end) in stretches(plan.closing.len()) {
        push(&|plan| drop(plan.closing.drain(start..end)));
    }
    for (start, end) in stretches(plan.opening.len()) {
        push(&|plan| drop(plan.opening.drain(start..end)));
    }
    for (client, steps) in plan.clients.iter().enumerate() {
        for (start, end) in stretches(steps.len()) {
            push(&|plan| drop(plan.clients[client].drain(start..end)));
        }
    }
    for (client, steps) in plan.clients.iter().enumerate() {
        for (at, Step { polls, .. }) in steps.iter().enumerate() {
            if *polls != usize::MAX {
                push(&|plan| plan.clients[client][at].polls = usize::MAX);
            }
        }
    }
    plans
}

/// All, then shorter stretches.
fn stretches(len: usize) -> Vec<(usize, usize)> {
    let all = (len > 1).then_some((0, len));
    all.into_iter().chain(cuts::cuts(len)).collect()
}
