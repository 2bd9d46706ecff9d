//! Threads that are held at a place.

use super::*;
use crate::conformance::program::shape::Hold;

#[test]
fn a_thread_is_held_between_a_look_and_a_write_until_the_others_have_returned() {
    let text =
        "commit A v1 ttl 9s; together threads hold 1 at clock 1 { prepare A | drop A }; prepare A";
    for _ in 0..20 {
        assert_eq!(last(&run_text(TOUCHES, text, 0)), Some(found(1)));
    }
}

#[test]
fn a_thread_that_is_to_be_held_where_it_never_comes_is_not_held() {
    let text = "s2: commit A v1 ttl 9s; together threads hold 1 at clock 7 { prepare A | drop A }; prepare A";
    let execution = run_text(TOUCHES, text, 0);
    assert_eq!(execution.program.to_string(), text);
    assert_eq!(last(&execution), Some(Outcome::Replied(Reply::Nothing)));
}

#[test]
fn threads_go_by_luck_at_once_or_where_the_others_wait_for_a_lock() {
    let at_once = "together threads { prepare A | drop A }";
    assert_eq!(run_text(TOUCHES, at_once, 0).luck, Some(Luck::Threads));
    let held = "commit A v1 ttl 1s; together threads hold 2 at clock 1 { drop A | prepare A }";
    assert_eq!(run_text(TOUCHES, held, 0).luck, None);
    assert_eq!(run_text(LOCKS, held, 0).luck, Some(Luck::Threads));
}

#[test]
fn two_threads_are_held_in_turn() {
    let text = "commit A v1 ttl 9s; \
                together threads hold 1 at clock 1 hold 2 at clock 1 { prepare A | prepare A; drop A }; prepare A";
    // The second drops it after the first has written it back.
    let execution = run_text(TOUCHES, text, 0);
    assert_eq!(last(&execution), Some(Outcome::Replied(Reply::Nothing)));
    let client = |place: &Hold| place.client;
    let order: Vec<usize> = execution.came.iter().map(client).collect();
    let [first, .., last] = &order[..] else {
        panic!("{order:?}");
    };
    assert_eq!((*first, *last), (0, 1));
    assert_eq!(order.chunk_by(PartialEq::eq).count(), 4, "{order:?}");
}

#[test]
fn a_thread_is_held_between_two_of_its_calls() {
    let text = "together threads hold 1 at return 1 { commit A v1 ttl 9s; prepare A | drop A }";
    for _ in 0..20 {
        let execution = run_text(TOUCHES, text, 0);
        let of_first = execution.records.iter().rfind(|it| it.client == 0);
        let outcome = of_first.and_then(|it| it.outcome.clone());
        assert_eq!(outcome, Some(Outcome::Replied(Reply::Nothing)));
    }
}

#[test]
fn every_place_of_a_call_is_held_at_with_one_hold_and_with_two() {
    let subject = Arc::new(Factory(TOUCHES));
    let program = "commit A v1 ttl 9s; together { prepare A | prepare A }; prepare A";
    let made = |fewest, holds| {
        let mut texts = Vec::new();
        let bounds = holds::Bounds {
            fewest,
            holds,
            schedules: usize::MAX,
        };
        let take = |execution: Execution| {
            let what = match execution.luck {
                None => "",
                Some(_) => "(the other stands still)",
            };
            let schedule = &execution.program.together()[0].schedule;
            texts.push(format!("{schedule}{what}").trim_end().to_owned());
            true
        };
        let made = holds::each(&subject, &program.parse().unwrap(), bounds, take).unwrap();
        let still = texts.iter().filter(|text| text.contains("still")).count();
        assert_eq!(made.whole + made.let_go, texts.len() as u64);
        assert_eq!((made.let_go, made.without_place), (still as u64, 0));
        assert!(!made.is_cut);
        texts
    };
    let one = made(0, 1);
    insta::assert_snapshot!(one.join("\n"), @"
    threads hold 1 at return 1
    threads hold 2 at return 1
    threads hold 1 at clone 1 (the other stands still)
    threads hold 1 at clock 1
    threads hold 1 at clone 2 (the other stands still)
    threads hold 1 at release 1 (the other stands still)
    threads hold 2 at clone 1 (the other stands still)
    threads hold 2 at clock 1
    threads hold 2 at clone 2 (the other stands still)
    threads hold 2 at release 1 (the other stands still)
    ");
    let two = made(2, 2);
    assert_eq!(made(0, 2)[one.len()..], two);
    insta::assert_snapshot!(two.join("\n"), @"
    threads hold 1 at clock 1 hold 2 at clock 1
    threads hold 2 at clock 1 hold 1 at clock 1
    ");
}
