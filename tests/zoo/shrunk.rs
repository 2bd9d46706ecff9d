//! Shrunk: what becomes of programs that have much in them which does not matter. No search is run, so
//! this is quick, and any change in how programs are shrunk is seen.

use super::said;
use super::wrong::wrong;
use super::{broken_by, checked, shrunk_of};
use serde_json::json;
use session_spec::conformance::Program;
use session_spec::{Data, Op, Snapshot, User};
use std::fmt::Write as _;
use std::thread;

type Disguise = fn(&[Op]) -> Vec<Op>;

/// What is done to the shortest program of every store.
const DISGUISES: [(&str, Disguise); 4] = [
    ("padded", padded),
    ("renamed", renamed),
    ("rich", rich),
    ("odd times", with_odd_times),
];

const SECOND: i128 = 1_000_000_000;

/// Calls on another id between all of its own, and looks at its own behind them.
fn padded(ops: &[Op]) -> Vec<Op> {
    let other = "W".repeat(32);
    let commit = |number: usize| Op::Commit {
        snapshot: Some(Snapshot::new(
            other.as_str(),
            format!("c{number}"),
            None,
            Data::default(),
        )),
        ttl: 5_000 * SECOND,
    };
    let prepare = || Op::Prepare { id: other.clone() };
    let padding = |at: usize| match at % 3 {
        0 => vec![commit(at), prepare()],
        1 => vec![prepare(), Op::Advance { by: 0 }],
        _ => vec![Op::Drop { id: other.clone() }, commit(at)],
    };
    let padded = ops.iter().enumerate();
    padded
        .flat_map(|(at, op)| [padding(at), vec![op.clone()]].concat())
        .collect()
}

/// Other tokens, and more before those that are none.
fn renamed(ops: &[Op]) -> Vec<Op> {
    let new = |id: &str| match id {
        "" => String::new(),
        _ if id.len() == 32 && id.bytes().all(|byte| byte == id.as_bytes()[0]) => {
            format!("{}{}", "3xY".repeat(10), &id[..2])
        }
        _ => format!("before {id}"),
    };
    let renamed = ops.iter().map(|op| match op {
        Op::Prepare { id } => Op::Prepare { id: new(id) },
        Op::Drop { id } => Op::Drop { id: new(id) },
        Op::Commit { snapshot, ttl } => Op::Commit {
            snapshot: snapshot.as_ref().map(|s| s.with_id(new(s.id()))),
            ttl: *ttl,
        },
        other => other.clone(),
    });
    renamed.collect()
}

/// More of everything in every snapshot.
fn rich(ops: &[Op]) -> Vec<Op> {
    let richer = |snapshot: &Snapshot| {
        let mut data = snapshot.data().clone();
        let more = json!({"deep": [1, "two", {"three": 3.5}], "flag": true, "none": null});
        data.set("more", more).expect("it is JSON");
        let email = snapshot.user().map_or("who@example.com", User::email);
        let mut attributes = snapshot
            .user()
            .map(|user| user.attributes().clone())
            .unwrap_or_default();
        attributes
            .set("roles", ["admin", "editor"])
            .expect("it is JSON");
        let user = User::with_attributes(email, attributes).expect("they are not too deep");
        Snapshot::new(snapshot.id(), snapshot.csrf_token(), user, data)
    };
    let rich = ops.iter().map(|op| match op {
        Op::Commit { snapshot, ttl } => Op::Commit {
            snapshot: snapshot.as_ref().map(richer),
            ttl: *ttl,
        },
        other => other.clone(),
    });
    rich.collect()
}

/// Each a little more than seven times as long, and advances in two.
fn with_odd_times(ops: &[Op]) -> Vec<Op> {
    let odd = |time: i128| time * 7 + time / 1_000;
    let odd = ops.iter().flat_map(|op| match op {
        Op::Advance { by } => {
            let first = odd(*by) / 3;
            vec![
                Op::Advance { by: first },
                Op::Advance {
                    by: odd(*by) - first,
                },
            ]
        }
        Op::Commit { snapshot, ttl } => vec![Op::Commit {
            snapshot: snapshot.clone(),
            ttl: odd(*ttl),
        }],
        other => vec![other.clone()],
    });
    odd.collect()
}

/// Of what is not shrunk to the shortest program known: what it is shrunk to, or that it does not fail.
fn shrunk(name: &str, disguise: Disguise) -> String {
    let mut text = String::new();
    for animal in wrong() {
        let shortest: Program = said::shortest(animal).parse().expect("it is a program");
        let disguised = Program::from(disguise(shortest.ops()));
        let report = shrunk_of(checked(*animal), &disguised.to_string());
        if report.violations.is_empty() {
            let _ = writeln!(text, "{}, {name}: does not fail", animal.name);
        }
        for found in &report.violations {
            let program = &found.program;
            assert!(
                broken_by(animal).contains(&found.clause),
                "{disguised}\n{report}"
            );
            assert!(program.ops().len() <= shortest.ops().len(), "{report}");
            if program.to_string() != shortest.to_string() {
                let _ = writeln!(
                    text,
                    "{}, {name}\n    {program}\n    {shortest}",
                    animal.name
                );
            }
        }
    }
    text
}

#[test]
fn what_disguised_programs_are_shrunk_to() {
    let texts: Vec<String> = thread::scope(|scope| {
        let all = DISGUISES.map(|(name, disguise)| scope.spawn(move || shrunk(name, disguise)));
        let texts = all.into_iter().map(thread::ScopedJoinHandle::join);
        texts.collect::<Result<_, _>>().expect("each is shrunk")
    });
    insta::assert_snapshot!(texts.join("\n"));
}
