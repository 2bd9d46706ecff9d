use super::{MOST, admitted};
use crate::conformance::Trace;
use crate::conformance::program::Program;
use crate::conformance::program::shape::{Call, Cancel};
use crate::conformance::program::tests::drawn::shaped;
use crate::model::{Model, Op, Reply};
use proptest::prelude::*;

fn trace(text: &str) -> Trace {
    Trace::of(&text.parse().unwrap_or_else(|error| panic!("{error}")))
}

#[test]
fn what_overlaps_shows_every_reply_that_some_order_gives() {
    let text =
        "commit A v1 ttl 1s; together { prepare A | commit A v2 ttl 1s; prepare A }; prepare A";
    assert_eq!(
        trace(text).to_string(),
        "    t=0s  commit A v1 ttl 1s  done      COM-5\n    \
             c1    prepare A           v1 or v2  CON-1\n    \
             c2    commit A v2 ttl 1s  done      COM-6\n    \
             c2    prepare A           v2        COM-6\n    \
             t=0s  prepare A           v2        COM-6\n"
    );
}

#[test]
fn what_is_cancelled_takes_effect_or_not() {
    let text = "commit A v1 ttl 1s; advance 1ms; cancel after 2 polls { drop A }; prepare A";
    assert_eq!(
        trace(text).to_string(),
        "    t=0s   commit A v1 ttl 1s  done           COM-5\n    \
             t=0s   advance 1ms                        TTL-3\n    \
             t=1ms  drop A              cancelled      CAN-1\n    \
             t=1ms  prepare A           v1 or nothing  CAN-1\n"
    );
}

#[test]
fn the_order_and_not_what_is_cancelled_makes_the_difference() {
    let text =
        "commit A v1 ttl 1s; together { drop A; cancel after 1 poll { drop A } | prepare A }";
    let shown = trace(text).to_string();
    assert!(
        shown.ends_with("c2    prepare A           v1 or nothing  CON-1\n"),
        "{shown}"
    );
}

#[test]
fn a_call_that_is_cancelled_many_times_takes_effect_between_any_others() {
    let text = "together { cancel after 1 poll, 1000000 times { drop A } \
                | commit A v1 ttl 1s; prepare A; commit A v2 ttl 1s; prepare A }";
    let shown = trace(text).to_string();
    for replies in ["v1 or nothing", "v2 or nothing"] {
        assert!(shown.contains(replies), "{replies}\n{shown}");
    }
}

#[test]
fn time_that_a_client_lets_pass_is_the_same_for_all() {
    let text = "commit A v1 ttl 1s; together { advance 1s | prepare A }; prepare A";
    assert_eq!(
        trace(text).to_string(),
        "    t=0s  commit A v1 ttl 1s  done           COM-5\n    \
             c1    advance 1s                         TTL-3\n    \
             c2    prepare A           v1 or nothing  CON-1\n    \
             t=1s  prepare A           nothing        TTL-2\n"
    );
}

#[test]
fn what_is_stated_is_disputed_where_no_order_gives_it() {
    for (text, disputed) in [
        (
            "together { drop A | commit A v1 ttl 1s }; prepare A -> v1",
            false,
        ),
        (
            "together { drop A | commit A v1 ttl 1s }; prepare A -> v1 or nothing",
            false,
        ),
        (
            "together { drop A | commit A v1 ttl 1s }; prepare A -> v1 or v2",
            true,
        ),
        (
            "together { drop A | commit A v1 ttl 1s }; prepare A -> v2",
            true,
        ),
        ("together { commit A v1 ttl 0s -> refused }", false),
        ("prepare A -> v1 or nothing", true),
        (
            "commit nil ttl 0s -> refused nil-snapshot or refused ttl-not-positive",
            false,
        ),
    ] {
        assert_eq!(trace(text).is_disputed(), disputed, "{text}");
    }
}

#[test]
fn too_many_orders_are_not_tried() {
    let client = |id| {
        let commits = (0..9).map(|number| format!("commit {id} v{number} ttl 1s"));
        commits.collect::<Vec<_>>().join("; ")
    };
    let clients = ["A", "B", "C", "D", "E", "F"].map(client).join(" | ");
    let text = format!("together {{ {clients} }}; prepare A -> v1; advance 1s; drop A");
    let trace = trace(&text);
    let shown = trace.to_string();
    assert!(
        shown.contains("t=0s  prepare A           too many orders\n"),
        "{MOST}\n{shown}"
    );
    assert!(
        shown.ends_with("t=1s  drop A              too many orders\n"),
        "{shown}"
    );
    assert!(!trace.is_disputed(), "{shown}");
}

/// What the last operation may reply, by trying every order of the calls one at a time.
fn last_replies(program: &Program) -> Vec<Reply> {
    let Some(at) = (0..program.ops().len()).find(|at| program.cancel(*at).is_some()) else {
        return last_replies_in_turn(program);
    };
    // Without it, and with it made to its end.
    let mut replies = last_replies(&program.without(at..at + 1));
    replies.extend(last_replies(&program.with_cancel(at, None)));
    replies
}

fn last_replies_in_turn(program: &Program) -> Vec<Reply> {
    let mut replies = Vec::new();
    // The turns taken, of how many that could be: counted up like the digits of a number.
    let mut turns: Vec<(usize, usize)> = Vec::new();
    loop {
        let mut number = 0;
        let ops = program.in_turn(|left| {
            if number == turns.len() {
                turns.push((0, left.len()));
            }
            number += 1;
            left[turns[number - 1].0]
        });
        let mut model = Model::default();
        replies.extend(ops.iter().map(|op| model.step(op).reply).last());
        while turns.pop_if(|(turn, of)| *turn + 1 == *of).is_some() {}
        match turns.last_mut() {
            Some((turn, _)) => *turn += 1,
            None => return replies,
        }
    }
}

fn sorted(replies: &[Reply]) -> Vec<String> {
    let mut texts: Vec<_> = replies.iter().map(|reply| format!("{reply:?}")).collect();
    texts.sort_unstable();
    texts.dedup();
    texts
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: Some(Box::new(
            proptest::test_runner::FileFailurePersistence::Direct("proptest-regressions/program.txt"),
        )),
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_admitted_is_what_some_order_gives(mut program in shaped(3), id in 0..2_usize) {
        for at in 0..program.ops().len() {
            let once = program.cancel(at).map(|cancel| Cancel { times: 1, ..cancel });
            program = program.with_cancel(at, once);
        }
        let id = ["A", "B"][id].repeat(32);
        let op = Op::Prepare { id };
        program.push(Call { op, cancel: None });
        let all = admitted(&program).expect("there are few");
        prop_assert_eq!(sorted(all.last().unwrap()), sorted(&last_replies(&program)), "{}", program);
    }
}
