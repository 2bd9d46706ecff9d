//! Counting: failures for which only the number of calls of some kind matters. A store that loses every
//! 24th commit shows that under as many clauses as there are ways to make a 24th commit, and it is one
//! defect.

use super::evidence::unused_id;
use crate::conformance::judge::failure::{CallKind, Failing, Failure, Mistake, Probe};
use crate::conformance::program::payload;
use crate::model::{Nanos, Op, Reply};

/// The call that goes wrong is so manieth of its kind, whatever those before it were on.
#[derive(Clone, Copy)]
pub(super) struct Counting {
    pub(super) kind: CallKind,
    number: usize,
    /// It takes so many, wherever the one that decides stands among them.
    is_total: bool,
}

/// Of fewer calls it is more likely that each has a part of its own.
const FEWEST: usize = 4;

/// Tells whether calls of one kind, all on an id that does not occur, do as well as those before the call
/// that decides.
pub(super) fn counting(failing: &Failing, tick: Nanos, probe: Probe<'_>) -> Option<Counting> {
    let ops = &failing.ops;
    let last = ops.len().checked_sub(1)?;
    let Op::Prepare { id } = &ops[last] else {
        return None;
    };
    let unused = unused_id(ops)?;
    // A prepare counts itself; a commit or a drop is the last one of its id.
    let last_own = |kind| {
        let is_own = |op: &Op| CallKind::of(op) == kind && op.id() == Some(id.as_str());
        ops[..last].iter().rposition(is_own)
    };
    let commit = last_own(CallKind::Commit)?;
    [CallKind::Commit, CallKind::Prepare, CallKind::Drop]
        .into_iter()
        .find_map(|kind| {
            let deciding = match kind {
                CallKind::Drop => last_own(kind).filter(|drop| *drop > commit),
                _ => Some(commit),
            };
            let is_other = |at: usize| Some(at) != deciding && CallKind::of(&ops[at]) == kind;
            let others = (0..last).filter(|at| is_other(*at)).count();
            let mut replaced = ops.clone();
            for at in (0..last).filter(|at| is_other(*at)) {
                replaced[at] = of_kind(kind, &unused, tick)?;
            }
            let counts = deciding
                .filter(|_| kind != CallKind::Prepare)
                .unwrap_or(last);
            let is_total = (counts..last).any(is_other);
            let number = 1 + others;
            let fails_alike = || {
                probe(&replaced).is_some_and(|failure| {
                    let is_alike = failure.mistake() == failing.failure.mistake();
                    failure.at == last && (is_alike || is_lost_commit(kind, failing, &failure))
                })
            };
            (others >= FEWEST && fails_alike()).then_some(Counting {
                kind,
                number,
                is_total,
            })
        })
}

/// A commit that is lost shows as nothing where nothing was before, and as what was before elsewhere.
fn is_lost_commit(kind: CallKind, failing: &Failing, failure: &Failure) -> bool {
    let is_expected = matches!(failing.failure.expected.reply, Reply::Found(_));
    kind == CallKind::Commit && is_expected && failure.mistake() == Mistake::Lost
}

fn of_kind(kind: CallKind, id: &str, tick: Nanos) -> Option<Op> {
    let id = id.to_owned();
    match kind {
        CallKind::Prepare => Some(Op::Prepare { id }),
        CallKind::Drop => Some(Op::Drop { id }),
        CallKind::Commit => Some(Op::Commit {
            snapshot: Some(payload::numbered(999_999, &id)),
            ttl: 1_000 * tick,
        }),
        CallKind::Advance | CallKind::Restart => None,
    }
}

impl Counting {
    /// As a sentence.
    pub(super) fn told(self) -> String {
        let Self {
            kind,
            number,
            is_total,
        } = self;
        let kind = match kind {
            CallKind::Commit => "commit",
            CallKind::Prepare => "prepare",
            _ => "drop",
        };
        let before = number - 1;
        if is_total {
            return format!(
                "any {before} other {kind}s do as well, on whatever id: it takes {number} {kind}s"
            );
        }
        format!(
            "any {before} {kind}s before it do as well, on whatever id: it takes the {}{} {kind}",
            number,
            ordinal(number)
        )
    }
}

fn ordinal(number: usize) -> &'static str {
    match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    }
}
