//! Minimal: no single simplification of a counterexample still breaks its clause. This knows nothing
//! of how the kit shrinks.

use super::animal::{Animal, Cage};
use session_spec::conformance::{Outcome, Program, Violation, check};
use session_spec::{Data, Op, Reply, Snapshot};

const TICK: i128 = 1_000_000_000;

/// Simpler programs that break the same clause, by the same kind of answer.
pub(crate) fn simpler(animal: Animal, violation: &Violation) -> Vec<Program> {
    let mut programs = simplifications(violation.program.ops());
    programs.retain(|program| {
        let check = check(move |clock| Cage::new(animal, clock));
        let report = check.replay(&program.to_string()).run();
        let mut found = report.violations.iter();
        found.any(|found| {
            found.clause == violation.clause && was_committed(found) == was_committed(violation)
        })
    });
    programs
}

/// Whether what came back was committed before, if something came back.
fn was_committed(violation: &Violation) -> Option<bool> {
    let Outcome::Replied(Reply::Found(found)) = &violation.got else {
        return None;
    };
    let mut ops = violation.program.ops().iter();
    Some(ops.any(|op| match op {
        Op::Commit { snapshot, .. } => {
            let snapshot = snapshot.as_ref().map(|it| it.with_id(found.id()));
            snapshot.as_ref() == Some(found)
        }
        _ => false,
    }))
}

fn simplifications(ops: &[Op]) -> Vec<Program> {
    let all = [
        without_an_operation(ops),
        with_merged_advances(ops),
        with_plainer_times(ops),
        with_other_ids(ops),
        with_plainer_payloads(ops),
    ];
    let all = all.into_iter().flatten().filter(|simpler| simpler != ops);
    all.map(Program::from).collect()
}

fn without_an_operation(ops: &[Op]) -> Vec<Vec<Op>> {
    (0..ops.len()).map(|at| without(ops, at)).collect()
}

fn without(ops: &[Op], at: usize) -> Vec<Op> {
    [&ops[..at], &ops[at + 1..]].concat()
}

fn with(ops: &[Op], at: usize, op: Op) -> Vec<Op> {
    let mut ops = ops.to_vec();
    ops[at] = op;
    ops
}

fn with_merged_advances(ops: &[Op]) -> Vec<Vec<Op>> {
    let advances = || {
        ops.iter().enumerate().filter_map(|(at, op)| match op {
            Op::Advance { by } => Some((at, *by)),
            _ => None,
        })
    };
    let pairs = advances().flat_map(|one| advances().map(move |other| (one, other)));
    pairs
        .filter(|(one, other)| one.0 != other.0)
        .map(|((kept, one), (gone, other))| {
            without(&with(ops, kept, Op::Advance { by: one + other }), gone)
        })
        .collect()
}

/// One time as 1, 2 or 3 ticks, unless it is fewer already.
fn with_plainer_times(ops: &[Op]) -> Vec<Vec<Op>> {
    let plainer = |time: i128| {
        let is_plain = time % TICK == 0 && time <= 3 * TICK;
        let plain = [1, 2, 3].map(|ticks| ticks * TICK).into_iter();
        plain.filter(move |plain| time > 0 && (!is_plain || *plain < time))
    };
    let of = |(at, op): (usize, &Op)| -> Vec<Vec<Op>> {
        match op.clone() {
            Op::Advance { by } => plainer(by)
                .map(|by| with(ops, at, Op::Advance { by }))
                .collect(),
            Op::Commit { snapshot, ttl } => plainer(ttl)
                .map(|ttl| {
                    let snapshot = snapshot.clone();
                    with(ops, at, Op::Commit { snapshot, ttl })
                })
                .collect(),
            _ => Vec::new(),
        }
    };
    ops.iter().enumerate().flat_map(of).collect()
}

fn id_of(op: &Op) -> Option<&str> {
    match op {
        Op::Prepare { id } | Op::Drop { id } => Some(id),
        Op::Commit { snapshot, .. } => snapshot.as_ref().map(Snapshot::id),
        _ => None,
    }
}

/// One id everywhere as another of the program, as a plain letter, or a character shorter.
fn with_other_ids(ops: &[Op]) -> Vec<Vec<Op>> {
    let letters = ["A", "B", "C"].map(|letter| letter.repeat(32));
    let is_plain = |id: &str| id.len() == 32 && id.bytes().all(|b| b == id.as_bytes()[0]);
    let mut ids: Vec<&str> = ops.iter().filter_map(id_of).collect();
    ids.retain(|id| !id.is_empty());
    ids.sort_unstable();
    ids.dedup();
    let new_names = |old: &str| -> Vec<String> {
        let others = ids.iter().map(|id| (*id).to_owned());
        let others = others.filter(|other| other != old);
        if is_plain(old) {
            let earlier = letters.iter().filter(|letter| letter.as_str() < old);
            return others.chain(earlier.cloned()).collect();
        }
        let chars: Vec<char> = old.chars().collect();
        let shorter = (0..chars.len().min(40)).map(|at| {
            let kept = chars[..at].iter().chain(&chars[at + 1..]);
            kept.collect::<String>()
        });
        let shorter = shorter.filter(|id| !id.is_empty());
        others.chain(letters.clone()).chain(shorter).collect()
    };
    let renamed = |old: &str, new: &str| -> Vec<Op> {
        let name = |id: &str| if id == old { new } else { id }.to_owned();
        ops.iter()
            .map(|op| match op {
                Op::Prepare { id } => Op::Prepare { id: name(id) },
                Op::Drop { id } => Op::Drop { id: name(id) },
                Op::Commit { snapshot, ttl } => Op::Commit {
                    snapshot: snapshot.as_ref().map(|s| s.with_id(name(s.id()))),
                    ttl: *ttl,
                },
                other => other.clone(),
            })
            .collect()
    };
    ids.iter()
        .flat_map(|old| new_names(old).into_iter().map(|new| renamed(old, &new)))
        .collect()
}

/// One payload as a small one, unless it is one already, or with a key less.
fn with_plainer_payloads(ops: &[Op]) -> Vec<Vec<Op>> {
    let of = |(at, op): (usize, &Op)| -> Vec<Vec<Op>> {
        let Op::Commit {
            snapshot: Some(snapshot),
            ttl,
        } = op
        else {
            return Vec::new();
        };
        let small: Vec<Snapshot> = (0..=ops.len() as u64)
            .map(|number| numbered(number, snapshot.id()))
            .collect();
        if small.contains(snapshot) {
            return Vec::new();
        }
        let keys = snapshot.data().iter().map(|(key, _)| {
            let mut data = Data::default();
            for (other, value) in snapshot.data().iter().filter(|(other, _)| *other != key) {
                data.set(other, value).expect("it was set before");
            }
            let (id, csrf) = (snapshot.id(), snapshot.csrf_token());
            Snapshot::new(id, csrf, snapshot.user().cloned(), data)
        });
        let simpler = keys.chain(small.clone());
        let commit = |snapshot| Op::Commit {
            snapshot: Some(snapshot),
            ttl: *ttl,
        };
        simpler
            .map(|simpler| with(ops, at, commit(simpler)))
            .collect()
    };
    ops.iter().enumerate().flat_map(of).collect()
}

/// What `v<number>` stands for.
fn numbered(number: u64, id: &str) -> Snapshot {
    let text = format!("commit A v{number} ttl 1s");
    let program: Program = text.parse().expect("it is a program");
    match &program.ops()[0] {
        Op::Commit {
            snapshot: Some(snapshot),
            ..
        } => snapshot.with_id(id),
        _ => unreachable!("the program is a commit"),
    }
}
