//! Cancel: calls whose futures are dropped, after every number of polls (CAN-1).

mod broken;
mod program;

use super::Searcher;
use super::concurrent::{self, Concurrent, LONGEST};
use super::plan::Plan;
use super::scenario::Scenario;
use crate::clause::Clause;
use crate::clock::{Clock as _, SystemClock};
use crate::conformance::judge::history::{Course, History, Record};
use crate::conformance::judge::nonlinearizable::{self, Anomaly, Verdict};
use crate::conformance::program::dice::Dice;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::payload;
use crate::conformance::program::time;
use crate::conformance::subject::Passing;
use crate::conformance::subject::panics;
use crate::conformance::subject::watch;
use crate::conformance::subject::workers;
use crate::model::{Nanos, Op};
use crate::store::BoxError;
use std::sync::Arc;

pub(crate) use program::Cancelled;

/// A call is cancelled after no more polls than this.
const MOST_POLLS: usize = 32;

/// What a pool has ten of, or a hundred, takes as many cancelled calls to use up.
const TIMES: [usize; 19] = [
    2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 24, 32, 64, 128,
];

/// Programs after which a store fails with errors: more would show the same.
const PLENTY_BROKEN: usize = 4;

/// Schedules in which a plan is tried without cancelling anything.
const TRIES: usize = 64;

impl Searcher<'_> {
    /// Small programs in which one call is cancelled, each after every number of polls up to where it
    /// returns. Of a store whose calls wait, also calls that are cancelled many times, and while others
    /// are under way: in `short` histories.
    pub(crate) fn cancelled(
        &self,
        short: usize,
        clients: usize,
        sure: usize,
        seed: u64,
    ) -> Result<Concurrent, String> {
        let mut found = Concurrent::default();
        let waits = self.cancel_each(&self.programs_to_cancel(), &mut found)?;
        if waits {
            self.cancel_each(&self.programs_to_cancel_often(), &mut found)?;
            self.cancel_among_others(short, clients, sure, seed, &mut found)?;
        }
        Ok(found)
    }

    /// Runs each program with every number of polls. Says whether any call waited.
    fn cancel_each(&self, programs: &[Cancelled], found: &mut Concurrent) -> Result<bool, String> {
        let is_advance = |op: &Op| matches!(op, Op::Advance { .. });
        let runs = workers::each(programs.len(), |index| {
            let program = &programs[index];
            let mut histories = Vec::new();
            if self.subject.passing() == Passing::Waiting && program.ops.iter().any(is_advance) {
                return Ok(histories);
            }
            for polls in 0..=MOST_POLLS {
                let records = self.run_cancelled(program, polls)?;
                let returned = records.iter().all(|record| record.outcome.is_some());
                histories.push(records);
                if returned {
                    break;
                }
            }
            Ok::<_, BoxError>(histories)
        });
        let (mut waits, mut broken) = (false, 0);
        for (program, histories) in programs.iter().zip(runs) {
            let histories = histories.map_err(|error| concurrent::lost(&*error))?;
            waits |= histories.len() > 2;
            for (polls, records) in histories.into_iter().enumerate() {
                if broken < PLENTY_BROKEN {
                    let anomaly = panics::silently(|| self.broken(program, polls, &records));
                    let anomaly = anomaly.map_err(|error| concurrent::lost(&*error))?;
                    broken += usize::from(anomaly.is_some());
                    let after = found.tally.programs + 1;
                    let anomaly = anomaly.map(|anomaly| Anomaly { after, ..anomaly });
                    found.anomalies.extend(anomaly);
                }
                self.judge_cancelled(program, polls, records, found);
            }
        }
        Ok(waits)
    }

    /// Judges what came of a program whose call was cancelled after so many polls.
    pub(crate) fn judge_cancelled(
        &self,
        program: &Cancelled,
        polls: usize,
        records: Vec<Record>,
        found: &mut Concurrent,
    ) {
        let before = found.anomalies.len();
        let one = |history: &History, after| self.one_at_a_time(history, after);
        self.judge(records, Clause::Can1, found, one);
        for anomaly in &mut found.anomalies[before..] {
            anomaly.scenario = Some(Box::new(Scenario::Cancelled(program.clone(), polls)));
        }
    }

    /// Clients that are tasks, with a call or two of theirs cancelled.
    fn cancel_among_others(
        &self,
        short: usize,
        clients: usize,
        sure: usize,
        seed: u64,
        found: &mut Concurrent,
    ) -> Result<(), String> {
        let (clock, clients) = (SystemClock::new(), clients.clamp(2, 3));
        let runs = workers::each(short, |number| {
            if number >= sure && clock.now() > LONGEST {
                return None;
            }
            let mut dice = Dice::new(!seed, number as u64);
            let clients = 2 + number % (clients - 1);
            let calls = if number < short / 4 { 1 } else { 2 };
            let plan = Plan::short(self, clients, calls, &mut dice);
            let plan = plan.cancelling(&mut dice);
            let records = plan.as_tasks(self.subject, &mut dice);
            Some((plan, records))
        });
        let mut races = 0;
        for (plan, records) in runs.into_iter().flatten() {
            if found.is_plenty() {
                break;
            }
            let records = records.map_err(|error| concurrent::lost(&*error))?;
            let before = found.anomalies.len();
            self.judge_short(&plan, Scenario::Tasks, records, Clause::Can1, found);
            // What goes wrong without cancelling as well, is none of its doing.
            if found.anomalies.len() > before
                && (races > 8 || panics::silently(|| self.races(&plan))?)
            {
                found.anomalies.truncate(before);
                races += 1;
            }
        }
        Ok(())
    }

    /// Whether clients that do all of this, or only what is not cancelled, go wrong.
    fn races(&self, plan: &Plan) -> Result<bool, String> {
        for plan in [plan.without_cancelling(), plan.without_cancelled()] {
            for number in 0..TRIES {
                let mut dice = Dice::new(0, number as u64);
                let records = plan.as_tasks(self.subject, &mut dice);
                let records = records.map_err(|error| concurrent::lost(&*error))?;
                let history = History::new(records);
                let verdict = nonlinearizable::judge(&history, self.profile, Clause::Con1);
                if matches!(verdict, Verdict::Wrong(_)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    pub(crate) fn run_cancelled(
        &self,
        program: &Cancelled,
        polls: usize,
    ) -> Result<Vec<Record>, BoxError> {
        watch::running(Arc::new(Scenario::Cancelled(program.clone(), polls)));
        let run = panics::catching(|| {
            self.subject.block_on(async {
                let instance = self.subject.fresh().await?;
                let course = Course::of(self.subject.passing());
                let mut records = Vec::new();
                for (at, op) in program.ops.iter().enumerate() {
                    if let Op::Advance { by } = op {
                        let by = time::duration(*by).unwrap_or_default();
                        course.advance(&*instance, by).await?;
                        continue;
                    }
                    let (polls, times) = match at == program.at {
                        true => (polls, program.times),
                        false => (usize::MAX, 1),
                    };
                    for _ in 0..times {
                        let record = course.call_until(0, &*instance, op, polls).await;
                        let panicked = matches!(record.outcome, Some(Outcome::Panicked(_)));
                        records.push(record);
                        if panicked {
                            return Ok(records);
                        }
                    }
                }
                Ok(records)
            })
        });
        run.unwrap_or_else(|_| Ok(Vec::new()))
    }

    /// Every way to come to the call, every call, and every way to go on.
    fn programs_to_cancel(&self) -> Vec<Cancelled> {
        let [a, b] = self.profile.supported.two_ids();
        let ticks = |ticks: Nanos| ticks * self.tick;
        let prepare = || Op::Prepare { id: a.clone() };
        let drop = || Op::Drop { id: a.clone() };
        let advance = |by| Op::Advance { by: ticks(by) };
        let commit_under = |id: &str, number, ttl| Op::Commit {
            snapshot: Some(payload::numbered(number, id)),
            ttl: ticks(ttl),
        };
        let commit = |number, ttl| commit_under(&a, number, ttl);
        let before = [
            vec![],
            vec![commit(1, 20)],
            vec![commit(1, 2), advance(1)],
            vec![commit(1, 1), advance(1)],
            vec![commit(1, 20), drop()],
        ];
        let refused = commit(2, 0);
        let calls = [prepare(), commit(2, 2), commit(2, 40), drop(), refused];
        let after = [
            vec![],
            vec![drop()],
            vec![commit(3, 10)],
            vec![advance(1)],
            vec![prepare(), advance(1)],
            // Whoever comes next may do what was left undone.
            vec![prepare(), commit_under(&b, 8, 1_000)],
            vec![prepare(), Op::Drop { id: b.clone() }],
            vec![advance(2)],
            vec![prepare(), advance(19)],
            vec![advance(20)],
        ];
        // What hangs ends the check, so the shortest come first.
        let next = [prepare(), commit(3, 10), drop()];
        let pairs = calls.iter().flat_map(|call| {
            next.iter()
                .map(move |next| vec![call.clone(), next.clone()])
        });
        let mut programs: Vec<Cancelled> = pairs
            .map(|ops| Cancelled {
                ops,
                at: 0,
                times: 1,
            })
            .collect();
        for before in &before {
            for call in &calls {
                for after in &after {
                    // Somebody else's entry, which is to stay as it is.
                    let mut ops = vec![commit_under(&b, 9, 1_000)];
                    ops.extend(before.iter().cloned());
                    let at = ops.len();
                    ops.push(call.clone());
                    ops.extend(after.iter().cloned());
                    ops.extend([prepare(), prepare(), Op::Prepare { id: b.clone() }]);
                    programs.push(Cancelled { ops, at, times: 1 });
                }
            }
        }
        programs
    }

    /// A call that is cancelled again and again, and then one of each kind.
    fn programs_to_cancel_often(&self) -> Vec<Cancelled> {
        let [a, _] = self.profile.supported.two_ids();
        let prepare = || Op::Prepare { id: a.clone() };
        let drop = || Op::Drop { id: a.clone() };
        let commit = |number| Op::Commit {
            snapshot: Some(payload::numbered(number, &a)),
            ttl: 1_000 * self.tick,
        };
        let mut calls = vec![prepare()];
        // Each write that may still take effect at any later time doubles what may be the case.
        if !self.profile.remote {
            calls.extend([commit(2), drop()]);
        }
        let program = |(call, times): (&Op, usize)| Cancelled {
            ops: vec![
                commit(1),
                call.clone(),
                prepare(),
                commit(3),
                prepare(),
                drop(),
                prepare(),
            ],
            at: 1,
            times,
        };
        let often = TIMES
            .iter()
            .flat_map(|times| calls.iter().map(|call| (call, *times)));
        often.map(program).collect()
    }
}
