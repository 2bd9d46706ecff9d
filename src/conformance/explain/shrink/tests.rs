//! How much is tried, and what counts as the same failure.

use super::*;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::{Program, ids, payload};
use crate::model::{Model, Reply};
use std::cell::Cell;

const SECOND: Nanos = 1_000_000_000;

pub(super) fn ops(program: &str) -> Vec<Op> {
    program.parse::<Program>().unwrap().ops().to_vec()
}

fn panicked() -> Outcome {
    Outcome::Panicked(String::new())
}

/// How many programs are run of one that would come down a nanosecond at a time.
fn tries(program: &str) -> usize {
    let whole = ops(program);
    let (tries, shortest) = (Cell::new(0), Cell::new(Nanos::MAX));
    let run = |ops: &[Op]| {
        tries.set(tries.get() + 1);
        assert!(tries.get() <= 2 * MOST_TRIES, "it does not end");
        let ttls = ops.iter().filter_map(|op| match op {
            Op::Commit { ttl, .. } => Some(*ttl),
            _ => None,
        });
        let ttl = ttls.max()?;
        let is_next = ttl == shortest.get() - 1 || shortest.get() == Nanos::MAX;
        (ops.len() == whole.len() && is_next).then(|| {
            shortest.set(ttl);
            Failure::of_last(ops, panicked())
        })
    };
    shrink(&whole, SECOND, run);
    tries.get()
}

#[test]
fn so_much_is_tried_and_no_more() {
    let long_life = "commit A v1 ttl 1000000s; prepare A";
    // The program itself is run before.
    assert_eq!(tries(long_life), 1 + MOST_TRIES);
}

#[test]
fn what_is_long_costs_more_tries() {
    let program = format!("{}commit A v1 ttl 1000000s", "prepare A; ".repeat(127));
    let tries = tries(&program);
    // Shorter ones cost as much as they are long.
    assert!((MOST_TRIES / 3..=MOST_TRIES).contains(&tries), "{tries}");
}

#[test]
fn another_failure_is_not_taken_for_this_one() {
    let all = ops("commit A v1 ttl 1s; prepare A");
    let run = |ops: &[Op]| {
        let outcome = match ops.len() {
            0 => return None,
            1 => panicked(),
            _ => Outcome::Replied(Reply::Nothing),
        };
        Some(Failure::of_last(ops, outcome))
    };
    let shrunk = shrink(&all, SECOND, run).expect("it fails");
    assert_eq!(shrunk.ops, all);
}

/// What a program is shrunk to where it fails whenever its operations are such.
pub(super) fn shrunk(program: &str, fails: impl Fn(&[Op]) -> bool) -> Vec<Op> {
    let run = |ops: &[Op]| fails(ops).then(|| Failure::of_last(ops, panicked()));
    shrink(&ops(program), SECOND, run).expect("it fails").ops
}

#[test]
fn two_operations_that_only_go_together_go() {
    let (first, second) = (ops("prepare B"), ops("drop B"));
    let needed = ops(&"drop C; commit A v1 ttl 1s; ".repeat(4));
    let fails = |ops: &[Op]| {
        let has = |op: &[Op]| ops.contains(&op[0]);
        let mut rest = ops.to_vec();
        rest.retain(|op| *op != first[0] && *op != second[0]);
        rest.len() == needed.len() && has(&first) == has(&second)
    };
    let apart = format!(
        "prepare B; {}drop B",
        "drop C; commit A v1 ttl 1s; ".repeat(4)
    );
    let apart = format!("{apart}; drop C");
    let fails_before_the_end = |ops: &[Op]| ops.split_last().is_some_and(|(_, rest)| fails(rest));
    assert_eq!(shrunk(&apart, fails_before_the_end).len(), needed.len() + 1);
}

#[test]
fn of_a_long_program_only_two_that_are_near_are_tried_together() {
    let program = "drop A; ".repeat(300);
    let tries = Cell::new(0);
    shrunk(&program, |ops| {
        tries.set(tries.get() + 1);
        ops.len() == 300
    });
    assert!((2_000..5_000).contains(&tries.get()), "{}", tries.get());
}

/// What is called between them would come too early if the first advance went into the second.
#[test]
fn an_advance_is_merged_into_an_earlier_one() {
    let time = |ops: &[Op]| {
        let advances = ops.iter().map(|op| match op {
            Op::Advance { by } => *by,
            _ => 0,
        });
        advances.sum::<Nanos>()
    };
    let program = "advance 1s; drop C; advance 2s; prepare A";
    let fails = |ops: &[Op]| {
        let drop = ops.iter().position(|op| matches!(op, Op::Drop { .. }));
        let is_late = drop.is_some_and(|at| time(&ops[..at]) > 0);
        let is_last = matches!(ops.last(), Some(Op::Prepare { .. }));
        is_late && is_last && time(ops) == 3 * SECOND
    };
    let expected = ops("advance 3s; drop A; prepare A");
    assert_eq!(shrunk(program, fails), expected);
}

/// A deadline that is right only at three seconds: the first advance goes, and what ends later ends then.
#[test]
fn an_advance_goes_into_the_lives_that_begin_after_it() {
    let fails = |ops: &[Op]| {
        let (begin, ops) = match ops {
            [Op::Advance { by }, rest @ ..] => (*by, rest),
            _ => (0, ops),
        };
        let [
            Op::Commit { ttl: none, .. },
            Op::Commit { ttl: first, .. },
            Op::Advance { by: long },
            Op::Commit { ttl: second, .. },
            Op::Advance { by: short },
            Op::Prepare { .. },
        ] = ops
        else {
            return false;
        };
        let ends = [begin + first, begin + long, begin + first];
        *none == 0 && ends == [3 * SECOND; 3] && [*second, *short] == [SECOND; 2]
    };
    let rest = "commit A v1 ttl 0s; commit A v2 ttl";
    let program =
        format!("advance 1s; {rest} 2s; advance 2s; commit A v3 ttl 1s; advance 1s; prepare A");
    let expected = format!("{rest} 3s; advance 3s; commit A v3 ttl 1s; advance 1s; prepare A");
    assert_eq!(shrunk(&program, fails), ops(&expected));
}

#[test]
fn an_id_becomes_the_plainest_that_will_do() {
    let id = |ops: &[Op]| ids::ids(ops).concat();
    let a = "A".repeat(crate::token::LEN);
    assert_eq!(
        shrunk("prepare Z", |ops| ops.len() == 1 && id(ops) != a),
        ops("prepare B")
    );
    let is_foreign = |ops: &[Op]| ops.len() == 1 && !crate::token::is_token(&id(ops));
    assert_eq!(shrunk("drop \"abc\"", is_foreign), ops("drop \"x\""));
}

#[test]
fn two_ids_are_named_in_the_order_of_their_first_use() {
    let fails = |ops: &[Op]| ops.len() == 2 && ids::ids(ops).len() == 2;
    let expected = ops("prepare A; prepare B");
    assert_eq!(shrunk("prepare B; prepare A", fails), expected);
}

/// One id, in the order of all, between two others that are plain.
#[test]
fn an_id_takes_the_place_of_a_plain_one_where_their_order_matters() {
    let fails = |ops: &[Op]| match ids::ids(ops)[..] {
        [middle, first, last] => first < middle && middle < last,
        _ => false,
    };
    let program = "prepare \"AB\"; prepare A; prepare B";
    assert_eq!(
        shrunk(program, fails),
        ops("prepare B; prepare A; prepare C")
    );
}

#[test]
fn two_ids_that_differ_in_case_become_the_plainest_such() {
    let fails = |ops: &[Op]| match ids::ids(ops)[..] {
        [one, other] => one != other && one.eq_ignore_ascii_case(other),
        _ => false,
    };
    let (one, other) = ("Zz".repeat(16), "zZ".repeat(16));
    let program = format!("prepare \"{one}\"; prepare \"{other}\"");
    assert_eq!(shrunk(&program, fails), ops("prepare a; prepare A"));
}

#[test]
fn two_ids_lose_what_they_begin_or_end_with_alike() {
    let fails = |ops: &[Op]| match ids::ids(ops)[..] {
        [one, other] => {
            let is_as_long = one.len() == other.len() + 1;
            let [one, other] = [one, other].map(|id| id.trim_matches('-'));
            is_as_long && one == "ab" && other == "c"
        }
        _ => false,
    };
    let program = "prepare \"--ab---\"; prepare \"--c---\"";
    assert_eq!(shrunk(program, fails), ops("prepare \"ab\"; prepare \"c\""));
}

#[test]
fn a_long_id_becomes_data_as_long_where_only_the_length_of_both_matters() {
    let length = |op: &Op| {
        crate::conformance::program::payload::committed(op).map_or(0, |s| s.encode().len())
    };
    let program = r#"commit "é"*300 v1 ttl 1s; prepare "é"*300"#;
    let fails = |ops: &[Op]| ops.len() == 2 && length(&ops[0]) > 500;
    let least = shrunk(program, fails);
    assert_eq!((length(&least[0]), &least[1]), (501, &ops("prepare A")[0]));

    let fails = |ops: &[Op]| ops.len() == 2 && ids::ids(ops)[0].len() > 500;
    let expected = r#"commit "x"*501 v1 ttl 1s; prepare "x"*501"#;
    assert_eq!(shrunk(program, fails), ops(expected));
}

/// What a wheel of eight seconds shows alike, or a limit of a quarter of an hour.
#[test]
fn times_come_down_by_turns_and_to_usual_ones() {
    let ttl = |ops: &[Op]| match ops {
        [Op::Commit { ttl, .. }, Op::Prepare { .. }] => *ttl,
        _ => 0,
    };
    let on_a_wheel = |ops: &[Op]| ttl(ops) > 8 * SECOND && ttl(ops) % (8 * SECOND) == 1;
    let program = "commit A v1 ttl 1464.000000001s; prepare A";
    let expected = ops("commit A v1 ttl 8.000000001s; prepare A");
    assert_eq!(shrunk(program, on_a_wheel), expected);
    let by_the_quarter = |ops: &[Op]| ttl(ops) > 900 * SECOND && ttl(ops) % (900 * SECOND) == 1;
    let program = "commit A v1 ttl 83700.000000001s; prepare A";
    let expected = ops("commit A v1 ttl 900.000000001s; prepare A");
    assert_eq!(shrunk(program, by_the_quarter), expected);
}

/// Every call takes five nanoseconds, and an entry is found though six have gone by since its commit.
fn found_late(ops: &[Op]) -> Option<Failure> {
    let mut now = 0;
    let begins = ops.iter().map(|op| {
        let begin = now;
        now += match op {
            Op::Advance { by } => *by,
            _ => 5,
        };
        begin
    });
    let times: Vec<Nanos> = begins.collect();
    let commit = ops.iter().position(|op| matches!(op, Op::Commit { .. }))?;
    let last = ops.len().checked_sub(1)?;
    let is_late = times[last] - times[commit] >= 6 && matches!(ops[last], Op::Prepare { .. });
    let found = payload::committed(&ops[commit])?.clone();
    let mut model = Model::default();
    model.step(&ops[commit]);
    model.step(&Op::Advance { by: 6 });
    is_late.then(|| Failure {
        times,
        ..Failure::of(
            ops.iter(),
            model.step(&ops[last]),
            Outcome::Replied(Reply::Found(found)),
        )
    })
}

/// Its clock is late: it takes time to see that, and no call.
#[test]
fn in_place_of_a_call_as_much_time_is_waited_where_time_goes_on_by_itself() {
    let all = ops("commit A v1 ttl 1ns; prepare B; drop C; prepare A");
    let shrunk = shrink(&all, SECOND, found_late).unwrap();
    let program = Program::from(shrunk.ops).to_string();
    assert_eq!(program, "s1: commit A v1 ttl 1ns; advance 1s; prepare A");
}
