//! Programs of every shape, drawn at random.

use crate::conformance::program::payload::numbered;
use crate::conformance::program::shape::{Call, Cancel, Hold, Place, Poll, Schedule, is_call};
use crate::conformance::program::{Program, StatedReply};
use crate::constraint::Constraint;
use crate::model::{Nanos, Op, Reply};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// What comes next: one call, or several clients.
#[derive(Clone, Debug)]
enum Item {
    One(Call),
    Together(Vec<Vec<Call>>, Schedule, Nanos),
}

fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just("A".repeat(32)),
        2 => Just("B".repeat(32)),
        1 => Just("a; } | # {".to_owned()),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        id().prop_map(|id| Op::Prepare { id }),
        id().prop_map(|id| Op::Drop { id }),
        (id(), 0..3_u64, 1..3_i128).prop_map(|(id, number, ttl)| Op::Commit {
            snapshot: Some(numbered(number, &id)),
            ttl,
        }),
        (0..2_i128).prop_map(|by| Op::Advance { by }),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    let cancel = (0..4_usize, 1..3_usize).prop_map(|(polls, times)| Cancel { polls, times });
    (op(), option::weighted(0.2, cancel)).prop_map(|(op, cancel)| {
        let cancel = cancel.filter(|_| is_call(&op));
        Call { op, cancel }
    })
}

fn schedule() -> impl Strategy<Value = Schedule> {
    let poll = prop_oneof![
        (0..2_usize).prop_map(Poll::Woken),
        (0..2_usize).prop_map(Poll::Unwoken),
        Just(Poll::Yield),
    ];
    let place = select(&Place::ALL);
    let hold = (0..2_usize, place, 1..9_u32).prop_map(|(client, place, number)| Hold {
        client,
        place,
        number,
    });
    prop_oneof![
        Just(Schedule::Drawn),
        vec(poll, 0..6).prop_map(Schedule::Polls),
        vec(hold, 0..3).prop_map(Schedule::Threads),
    ]
}

fn item() -> impl Strategy<Value = Item> {
    let restart = Call {
        op: Op::Restart,
        cancel: None,
    };
    let pause = prop_oneof![Just(0), 1..3_000_000_i128];
    prop_oneof![
        4 => call().prop_map(Item::One),
        1 => Just(Item::One(restart)),
        2 => (vec(vec(call(), 1..3), 2..4), schedule(), pause)
            .prop_map(|(clients, schedule, pause)| Item::Together(clients, schedule, pause)),
    ]
}

/// Any program of no more than so many steps that states nothing.
pub(in crate::conformance::program) fn shaped(steps: usize) -> impl Strategy<Value = Program> {
    vec(item(), 0..=steps).prop_map(|items| {
        let mut program = Program::default();
        for item in items {
            match item {
                Item::One(call) => program.push(call),
                Item::Together(clients, schedule, pause) => {
                    program.push_together(clients, schedule, pause);
                }
            }
        }
        program
    })
}

/// The same with something stated of some replies.
pub(in crate::conformance::program) fn stating(steps: usize) -> impl Strategy<Value = Program> {
    (shaped(steps), vec(0..12_usize, 64)).prop_map(|(mut program, choices)| {
        for (at, choice) in (0..program.ops.len()).zip(choices) {
            let reply = match &program.ops[at] {
                _ if program.cancel(at).is_some() => continue,
                Op::Prepare { id } if choice % 2 == 0 => Reply::Found(numbered(1, id)),
                Op::Prepare { .. } => Reply::Nothing,
                _ => Reply::Done,
            };
            let reply = StatedReply::Reply(reply);
            let refused = StatedReply::Reply(Reply::Refused(Constraint::EmptyId));
            let stated = match choice / 2 {
                0 => reply,
                1 => StatedReply::AnyRefusal,
                2 => StatedReply::OneOf(vec![reply, refused]),
                3 => StatedReply::OneOf(vec![StatedReply::AnyRefusal, refused, reply]),
                _ => continue,
            };
            program.stated.push((at, stated));
        }
        program
    })
}
