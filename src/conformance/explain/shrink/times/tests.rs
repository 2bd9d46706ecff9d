//! What each pass makes of times, and what it tries on the way. The tick is ten nanoseconds.

use super::*;
use crate::conformance::program::payload;
use std::cell::RefCell;
use std::rc::Rc;

const PLAIN: Plain = Plain([10, 20, 30]);

type Accept = Box<dyn FnMut(&Program) -> Option<Program>>;
type Pass = fn(&mut Shrinker<Accept>) -> bool;

/// Commits and advances in turn, of these times.
fn ops(times: &[Nanos]) -> Vec<Op> {
    let op = |(at, time): (usize, &Nanos)| match at % 2 {
        0 => Op::Commit {
            snapshot: Some(payload::numbered(1, "A")),
            ttl: *time,
        },
        _ => Op::Advance { by: *time },
    };
    times.iter().enumerate().map(op).collect()
}

fn times(ops: &[Op]) -> Vec<Nanos> {
    let time = |op: &Op| match op {
        Op::Commit { ttl: time, .. } | Op::Advance { by: time } => *time,
        _ => unreachable!("there are only these"),
    };
    ops.iter().map(time).collect()
}

/// What is left when a pass has been taken as often as it does something, and all that was tried.
fn passed(
    pass: Pass,
    first: &[Nanos],
    fails: impl Fn(&[Nanos]) -> bool + 'static,
) -> (Vec<Nanos>, Vec<Vec<Nanos>>) {
    let (first, tried) = (ops(first), Rc::<RefCell<Vec<Vec<Nanos>>>>::default());
    let accept = {
        let tried = Rc::clone(&tried);
        move |program: &Program| {
            tried.borrow_mut().push(times(program.ops()));
            assert!(tried.borrow().len() < 10_000, "it does not end");
            fails(&times(program.ops())).then(|| program.clone())
        }
    };
    let mut shrinker = Shrinker::new(first.into(), 10, Box::new(accept) as Accept);
    shrinker.exhaust(pass);
    (times(shrinker.best.ops()), tried.take())
}

#[test]
fn plain_times_are_the_simplest_then_short_ones() {
    let ranks = [10, 20, 30, 7, 40].map(|time| PLAIN.rank(time));
    assert_eq!(ranks, [0, 1, 2, 10, 43]);
}

#[test]
fn simpler_are_plain_times_whole_ticks_those_on_the_way_by_halving_and_turns_of_a_wheel() {
    let simpler = |time| PLAIN.simpler(time).collect::<Vec<_>>();
    assert_eq!(simpler(45), [10, 20, 30, 40, 23, 34, 40, 43, 44, 5, 25, 35]);
    // Three turns of eight bits, and seven.
    assert!(simpler(3 * 256 + 7).contains(&(256 + 7)));
    assert_eq!(simpler(7), [10, 20, 30, 4, 6]);
    assert_eq!(simpler(1), [10, 20, 30]);
    assert_eq!(simpler(20), [10, 10, 10]);
    assert_eq!(simpler(10), []);
}

#[test]
fn few_times_become_plain_together() {
    let pass: Pass = Shrinker::make_all_plain;
    let (left, tried) = passed(pass, &[40, 50], |times| times == [10, 20]);
    assert_eq!(left, [10, 20]);
    assert_eq!(tried, [[10, 10], [20, 10], [30, 10], [10, 20]]);
    let (_, tried) = passed(pass, &[40, 50, 60, 70], |_| false);
    assert_eq!(tried.len(), 81);
    // No time is no time still.
    let (_, tried) = passed(pass, &[0, 10, 30, 50], |_| false);
    assert_eq!(tried.len(), 27);
    assert!(tried.iter().all(|times| times[0] == 0));
    for enough in [&[40][..], &[40; 5], &[10, 20, 30]] {
        let (_, tried) = passed(pass, enough, |_| false);
        assert_eq!(tried, [] as [Vec<Nanos>; 0]);
    }
}

#[test]
fn one_time_becomes_plain_wherever_it_is() {
    let pass: Pass = |shrinker| shrinker.make_alike_plain(&shrinker.distinct_times());
    let fails = |times: &[Nanos]| times[0] == times[1] && times[0] > 10 && times[2] == 50;
    let (left, tried) = passed(pass, &[40, 40, 50], fails);
    assert_eq!(left, [20, 20, 50]);
    // Of what is plain already only what is plainer.
    let again = [[10, 10, 50], [20, 20, 10], [20, 20, 20], [20, 20, 30]];
    assert_eq!(tried, [&[[10, 10, 50], [20, 20, 50]][..], &again].concat());
}

#[test]
fn one_time_becomes_simpler_wherever_it_is() {
    let pass: Pass = |shrinker| shrinker.change_alike(&shrinker.distinct_times());
    let fails = |times: &[Nanos]| times[0] == times[1] && times[0] >= 42;
    let (left, tried) = passed(pass, &[45, 45], fails);
    assert_eq!(left, [42, 42]);
    assert!(tried.iter().all(|times| times[0] == times[1]));
}

#[test]
fn one_time_becomes_simpler_in_one_place() {
    let pass: Pass = Shrinker::change_one;
    let (left, _) = passed(pass, &[45, 45], |times| times[0] == 45 && times[1] >= 42);
    assert_eq!(left, [45, 42]);
    let (_, tried) = passed(pass, &[0, 7, 11], |_| false);
    let first = [10, 20, 30, 4, 6].map(|time| [0, time, 11]);
    let second = [10, 20, 30, 10, 6, 9, 10, 1].map(|time| [0, 7, time]);
    assert_eq!(tried, [&first[..], &second].concat());
}

#[test]
fn two_times_become_plain_each_wherever_it_is() {
    let pass: Pass = |shrinker| shrinker.make_two_plain(&shrinker.distinct_times());
    let (left, tried) = passed(pass, &[50, 40, 50], |times| times == [30, 20, 30]);
    assert_eq!(left, [30, 20, 30]);
    let plain = [[20, 10, 20], [30, 10, 30], [30, 20, 30]];
    // From there on two plainer ones.
    assert_eq!(tried, [&plain[..], &plain[..2]].concat());
    // A third time stays as it is.
    let (left, _) = passed(pass, &[50, 40, 60], |times| times == [20, 10, 60]);
    assert_eq!(left, [20, 10, 60]);
}

#[test]
fn two_times_shift_until_one_is_plain() {
    let fails = |times: &[Nanos]| times[1] - times[0] == 5;
    let (left, tried) = passed(Shrinker::shift_two, &[40, 45], fails);
    assert_eq!(left, [5, 10]);
    assert_eq!(tried, [[10, 15], [5, 10]]);
    // A third time stays as it is.
    let (left, _) = passed(Shrinker::shift_two, &[40, 45, 7], move |times| {
        fails(times) && times[2] == 7
    });
    assert_eq!(left, [5, 10, 7]);
    // Never to nothing, nor to what is no plainer.
    let (_, tried) = passed(Shrinker::shift_two, &[25, 35], |_| false);
    let of_the_first = [[10, 20], [20, 30], [30, 40]];
    let of_the_second = [[10, 20], [20, 30]];
    assert_eq!(tried, [&of_the_first[..], &of_the_second].concat());
}

/// As in 16 bits, that count days.
#[test]
fn a_time_comes_down_to_one_turn_of_a_narrow_number() {
    const DAY: Nanos = 86_400 * SECOND;
    let fails = |times: &[Nanos]| times[0] > 60_000 * DAY && times[0] / DAY % 65_536 < 3;
    let far = (213_503_974 - 213_503_974 % 65_536 + 2) * DAY + SECOND;
    let (left, _) = passed(Shrinker::change_one, &[far], fails);
    assert!(left[0] / DAY <= 65_536 + 2, "{left:?}");
}

/// Where only whole quarters of an hour will do.
#[test]
fn two_times_shift_until_one_is_usual() {
    let fails = |times: &[Nanos]| times[1] - times[0] == 1 && times[0] % (900 * SECOND) == 0;
    let first = [83_700 * SECOND, 83_700 * SECOND + 1];
    let (left, _) = passed(Shrinker::shift_two, &first, fails);
    assert_eq!(left, [900 * SECOND, 900 * SECOND + 1]);
}

#[test]
fn two_long_times_come_down_together() {
    let fails = |times: &[Nanos]| times[1] - times[0] == 100 && times[0] > 60;
    let (left, _) = passed(Shrinker::lower_two, &[100, 200], fails);
    assert_eq!(left, [61, 161]);
    let (_, tried) = passed(Shrinker::lower_two, &[40, 0, 31, 70], |_| false);
    let lowered = |first: bool, second: bool, third: bool| {
        move |by: Nanos| {
            let by = |is: bool| Nanos::from(is) * by;
            [40 - by(first), 0, 31 - by(second), 70 - by(third)]
        }
    };
    let halves = [15, 7, 3, 1];
    let expected = [
        &halves.map(lowered(true, true, false))[..],
        &[20, 10, 5, 2, 1].map(lowered(true, false, true)),
        &halves.map(lowered(false, true, true)),
    ];
    assert_eq!(tried, expected.concat());
}

#[test]
fn plain_times_do_not_come_down() {
    let (_, tried) = passed(Shrinker::lower_two, &[30, 100], |_| false);
    assert_eq!(tried, [] as [Vec<Nanos>; 0]);
}

/// Of each of these only one pass makes something.
#[test]
fn every_pass_is_taken() {
    let left = |first: &[Nanos], fails: fn(&[Nanos]) -> bool| {
        passed(Shrinker::simplify_times, first, fails).0
    };
    let apart = left(&[100, 200], |times| {
        times[1] - times[0] == 100 && times[0] > 60
    });
    assert_eq!(apart, [61, 161]);
    let alike = left(&[25, 25], |times| {
        times[0] == times[1] && (22..=25).contains(&times[0])
    });
    assert_eq!(alike, [22, 22]);
    let in_turn = left(&[50, 40, 50, 40, 50], |times| times == [30, 20, 30, 20, 30]);
    assert_eq!(in_turn, [30, 20, 30, 20, 30]);
    let second = left(&[25, 25], |times| {
        times[0] == 25 && (22..=25).contains(&times[1])
    });
    assert_eq!(second, [25, 22]);
    assert_eq!(left(&[21, 26], |times| times[1] - times[0] == 5), [5, 10]);
    assert_eq!(left(&[40, 40], |times| times == [10, 20]), [10, 20]);
}

#[test]
fn nothing_is_tried_when_enough_was() {
    let pass: Pass = |shrinker| {
        shrinker.tries_left = 0;
        shrinker.simplify_times()
    };
    assert_eq!(passed(pass, &[40, 50], |_| true), (vec![40, 50], vec![]));
}
