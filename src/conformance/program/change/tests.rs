use crate::conformance::program::Program;
use crate::conformance::program::shape::{Call, Cancel, Schedule};
use crate::conformance::program::tests::drawn::{shaped, stating};
use crate::model::Op;
use proptest::prelude::*;

fn program(text: &str) -> Program {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

const FULL: &str = "s2: commit A v1 ttl 1s; \
                    together polls 1 2 { drop A | cancel after 1 poll { drop B }; drop C }; \
                    together threads hold 2 at clock 3 pause 1ms { prepare A | prepare B -> nothing }; \
                    prepare A";

#[test]
fn without_operations_the_rest_keeps_its_shape() {
    for (places, left) in [
        (0..0, FULL.replace(" -> nothing", "")),
        (
            0..1,
            FULL.replace("commit A v1 ttl 1s; ", "")
                .replace(" -> nothing", ""),
        ),
        (
            1..2,
            "s2: commit A v1 ttl 1s; together polls 1 { cancel after 1 poll { drop B }; drop C }; \
             together threads hold 2 at clock 3 pause 1ms { prepare A | prepare B }; prepare A"
                .to_owned(),
        ),
        (
            2..3,
            "s2: commit A v1 ttl 1s; together polls 1 2 { drop A | drop C }; \
             together threads hold 2 at clock 3 pause 1ms { prepare A | prepare B }; prepare A"
                .to_owned(),
        ),
        (
            0..5,
            "s2: together threads hold 1 at clock 3 pause 1ms { prepare B }; prepare A".to_owned(),
        ),
        (
            3..6,
            "s2: commit A v1 ttl 1s; together polls 1 2 { drop A | cancel after 1 poll { drop B } }; prepare A"
                .to_owned(),
        ),
        (
            5..99,
            "s2: commit A v1 ttl 1s; \
             together polls 1 2 { drop A | cancel after 1 poll { drop B }; drop C }; \
             together threads pause 1ms { prepare A }"
                .to_owned(),
        ),
        (1..6, "s1: commit A v1 ttl 1s; prepare A".to_owned()),
    ] {
        assert_eq!(program(FULL).without(places.clone()).to_string(), left, "{places:?}");
    }
}

#[test]
fn clients_in_another_order_do_the_same() {
    let order = program(FULL).with_client_order(0, &[1, 0]);
    assert_eq!(
        order.to_string(),
        FULL.replace(
            "polls 1 2 { drop A | cancel after 1 poll { drop B }; drop C }",
            "polls 2 1 { cancel after 1 poll { drop B }; drop C | drop A }"
        )
    );
    let order = program(FULL).with_client_order(1, &[1, 0]);
    assert_eq!(
        order.to_string(),
        FULL.replace("hold 2", "hold 1").replace(
            "prepare A | prepare B -> nothing",
            "prepare B -> nothing | prepare A"
        )
    );
}

#[test]
fn other_operations_stand_in_the_same_places() {
    let before = program("cancel after 1 poll { drop A }; together { drop A | drop B -> done }");
    let mut ops = before.ops().to_vec();
    ops.rotate_right(1);
    assert_eq!(
        before.with_ops(ops).to_string(),
        "s2: cancel after 1 poll { drop B }; together { drop A | drop A }"
    );
}

#[test]
fn time_is_not_cancelled() {
    let before = program("cancel after 1 poll { drop A }");
    let advance = Op::Advance { by: 1 };
    assert_eq!(
        before.with_ops(vec![advance.clone()]).to_string(),
        "s1: advance 1ns"
    );
    let cancel = Some(Cancel { polls: 1, times: 1 });
    let mut pushed = Program::default();
    pushed.push(Call {
        op: advance,
        cancel,
    });
    assert_eq!(pushed.with_cancel(0, cancel).to_string(), "s1: advance 1ns");
}

#[test]
fn calls_become_cancelled_and_are_made_to_their_end() {
    let before = program("drop A; cancel after 1 poll { drop B }; drop C -> done");
    let cancel = Some(Cancel { polls: 2, times: 3 });
    assert_eq!(
        before
            .with_cancel(0, cancel)
            .with_cancel(1, None)
            .to_string(),
        "s2: cancel after 2 polls, 3 times { drop A }; drop B; drop C"
    );
    assert_eq!(before.without_cancelled().to_string(), "s1: drop A; drop C");
    assert_eq!(
        before.without_cancelling().to_string(),
        "s1: drop A; drop B; drop C"
    );
}

#[test]
fn schedules_and_pauses_are_replaced() {
    let before = program("together { drop A }; together threads pause 1s { drop A -> done }");
    let schedules = vec![Schedule::Threads(Vec::new()), Schedule::Drawn];
    assert_eq!(
        before
            .with_schedules(schedules)
            .without_pauses()
            .to_string(),
        "s2: together threads { drop A }; together { drop A -> done }"
    );
}

#[test]
fn clients_without_calls_are_left_out() {
    let call = |text| Call {
        op: program(text).ops()[0].clone(),
        cancel: None,
    };
    let schedule = program("together polls 1 3 - { drop A | drop A | drop A }").together()[0]
        .schedule
        .clone();
    let clients = vec![vec![call("drop A")], vec![], vec![call("drop B")]];
    let mut pushed = Program::default();
    pushed.push_together(clients, schedule, 0);
    pushed.push_together(vec![vec![]], Schedule::Drawn, 0);
    assert_eq!(
        pushed.to_string(),
        "s2: together polls 1 2 - { drop A | drop B }"
    );
}

#[test]
fn in_turn_every_call_comes_once_and_clients_keep_their_order() {
    let text =
        "drop A; together { drop B; drop C | cancel after 1 poll, 2 times { drop D } }; drop E";
    let mut asked = Vec::new();
    let ops = program(text).in_turn(|left| {
        asked.push(left.to_vec());
        *left.last().unwrap()
    });
    assert_eq!(
        Program::from(ops).to_string(),
        "s1: drop A; drop D; drop B; drop C; drop E"
    );
    assert_eq!(asked, [vec![0, 1], vec![0], vec![0]]);
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
    fn what_is_left_of_a_program_is_a_program(program in stating(6), from in 0..12_usize, len in 0..6_usize) {
        let left = program.without(from..from + len);
        let gone = program.ops().len().saturating_sub(from).min(len);
        prop_assert_eq!(left.ops().len(), program.ops().len() - gone);
        prop_assert_eq!(&left.to_string().parse::<Program>().unwrap(), &left);
    }

    #[test]
    fn a_program_with_its_clients_in_order_again_is_the_same(program in stating(6)) {
        for (block, together) in program.together().iter().enumerate() {
            let last = together.clients() - 1;
            let around: Vec<_> = (1..=last).chain([0]).collect();
            let back: Vec<_> = [last].into_iter().chain(0..last).collect();
            let moved = program.with_client_order(block, &around);
            prop_assert_eq!(&moved.to_string().parse::<Program>().unwrap(), &moved);
            prop_assert_eq!(&moved.with_client_order(block, &back), &program);
        }
    }

    #[test]
    fn the_same_operations_make_the_same_program(program in shaped(6)) {
        prop_assert_eq!(&program.with_ops(program.ops().to_vec()), &program);
    }
}
