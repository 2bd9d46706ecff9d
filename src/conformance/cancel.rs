//! Cancel: calls whose futures are dropped, after every number of polls (CAN-1).

use super::concurrent::{self, Concurrent};
use super::exec::{self, Outcome};
use super::history::{Course, Record};
use super::payload;
use super::program::Operation;
use super::search::Searcher;
use super::subject::{Passing, Subject};
use super::watch::{self, Running};
use super::workers;
use crate::clause::Clause;
use crate::model::{Nanos, Op};
use crate::store::BoxError;
use crate::token;
use std::sync::Arc;

/// A call is cancelled after no more polls than this.
const MOST_POLLS: usize = 32;

/// A program one of whose calls is cancelled.
#[derive(Clone)]
struct Cancelled {
    ops: Vec<Op>,
    /// Which.
    at: usize,
}

/// One of its runs.
struct UnderWay {
    program: Cancelled,
    polls: usize,
}

impl Running for UnderWay {
    fn ops(&self, _: u64) -> Vec<Op> {
        self.program.ops.clone()
    }

    fn history(&self) -> Option<String> {
        let mut text = String::new();
        for (at, op) in self.program.ops.iter().enumerate() {
            let cancelled = match at == self.program.at {
                true => format!("   cancelled after {} polls", self.polls),
                false => String::new(),
            };
            text += &format!("{}{cancelled}\n", Operation(op));
        }
        Some(text)
    }
}

impl<S: Subject> Searcher<'_, S> {
    /// Small programs in which one call is cancelled, each after every number of polls up to where it
    /// returns.
    pub(super) fn cancelled(&self) -> Result<Concurrent, String> {
        let programs: Vec<Cancelled> = self
            .programs_to_cancel()
            .into_iter()
            .filter(|program| {
                let advances = program
                    .ops
                    .iter()
                    .any(|op| matches!(op, Op::Advance { .. }));
                Self::PASSING != Passing::Waiting || !advances
            })
            .collect();
        let runs = workers::each(programs.len(), |index| {
            let program = &programs[index];
            let mut histories = Vec::new();
            for polls in 0..=MOST_POLLS {
                watch::running(Arc::new(UnderWay {
                    program: program.clone(),
                    polls,
                }));
                let records = self.run_cancelled(program, polls)?;
                let returned = records.iter().all(|record| record.outcome.is_some());
                histories.push(records);
                if returned {
                    break;
                }
            }
            Ok::<_, BoxError>(histories)
        });
        let mut found = Concurrent::default();
        for histories in runs {
            for records in histories.map_err(|error| concurrent::lost(&*error))? {
                self.judge(records, Clause::Can1, &mut found);
            }
        }
        Ok(found)
    }

    fn run_cancelled(&self, program: &Cancelled, polls: usize) -> Result<Vec<Record>, BoxError> {
        let run = exec::catching(|| {
            self.subject.block_on(async {
                let (store, clockwork) = self.subject.fresh().await?;
                let course = Course::of::<S>();
                let mut records = Vec::new();
                for (at, op) in program.ops.iter().enumerate() {
                    if let Op::Advance { by } = op {
                        let by = exec::duration(*by).unwrap_or_default();
                        course.advance(&store, &clockwork, by).await?;
                        continue;
                    }
                    let polls = if at == program.at { polls } else { usize::MAX };
                    let record = course.call_until::<S>(0, &store, op, polls).await;
                    let panicked = matches!(record.outcome, Some(Outcome::Panicked(_)));
                    records.push(record);
                    if panicked {
                        break;
                    }
                }
                Ok(records)
            })
        });
        run.unwrap_or_else(|_| Ok(Vec::new()))
    }

    /// Every way to come to the call, every call, and every way to go on.
    fn programs_to_cancel(&self) -> Vec<Cancelled> {
        let [a, b] = match &self.profile.ids {
            None => ["A", "B"].map(|letter| letter.repeat(token::LEN)),
            Some(pair) => pair(0),
        };
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
            vec![commit(1, 1), advance(1)],
            vec![commit(1, 20), drop()],
        ];
        let calls = [prepare(), commit(2, 2), commit(2, 40), drop()];
        let after = [
            vec![],
            vec![drop()],
            vec![commit(3, 10)],
            vec![advance(2)],
            vec![advance(20)],
        ];
        let mut programs = Vec::new();
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
                    programs.push(Cancelled { ops, at });
                }
            }
        }
        programs
    }
}
