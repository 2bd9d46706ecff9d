//! Which orders of polls are made, and which first.

use super::*;

/// The orders of polls of a program on a store whose calls step back twice, with what is left out.
fn enumerated(program: &str, bounds: Bounds) -> (Vec<Vec<Turn>>, bool) {
    let (subject, program) = (Arc::new(Factory(STEPS_BACK)), program.parse().unwrap());
    let mut all = Schedules::new(&subject, &program, bounds);
    let orders = all.by_ref().map(|execution| {
        match schedules(&execution.expect("there is a store")).remove(0) {
            Schedule::Polls(turns) => turns,
            other => panic!("{other}"),
        }
    });
    (orders.collect(), all.is_cut())
}

const EVERY: Bounds = Bounds {
    polls: usize::MAX,
    preemptions: usize::MAX,
    schedules: usize::MAX,
};

/// Turns of another client while the one before, which has three a call, has some left.
fn preemptions(turns: &[Turn]) -> usize {
    let had = |client, turns: &[Turn]| {
        turns
            .iter()
            .filter(|turn| **turn == Turn::Woken(client))
            .count()
    };
    let places = 1..turns.len();
    let preempted = places.filter(|at| match (turns[at - 1], turns[*at]) {
        (Turn::Woken(last), Turn::Woken(next)) => last != next && had(last, &turns[..*at]) < 3,
        _ => panic!("all of them are woken"),
    });
    preempted.count()
}

const ONE_EACH: &str = "s2: together { commit A v1 ttl 1s | commit A v2 ttl 1s }";

#[test]
fn every_order_of_polls_is_made_once_those_with_the_fewest_preemptions_first() {
    let (orders, is_cut) = enumerated(ONE_EACH, EVERY);
    // Three polls of six are the first client's.
    assert_eq!((orders.len(), is_cut), (20, false));
    let different: BTreeSet<String> = orders.iter().map(|turns| format!("{turns:?}")).collect();
    assert_eq!(different.len(), 20);
    let counts: Vec<usize> = orders.iter().map(|turns| preemptions(turns)).collect();
    assert!(counts.is_sorted(), "{counts:?}");
    assert_eq!((counts[0], counts[19]), (0, 4));
}

#[test]
fn of_three_clients_every_order_is_made_too() {
    let three = "s2: together { prepare A | prepare A | prepare A }";
    let (orders, is_cut) = enumerated(three, EVERY);
    // 9! / (3! * 3! * 3!)
    assert_eq!((orders.len(), is_cut), (1_680, false));
}

#[test]
fn bounds_leave_out_the_rest_and_say_so_but_for_preemptions() {
    let of = |bounds| {
        let (orders, is_cut) = enumerated(ONE_EACH, bounds);
        (
            orders.iter().map(|turns| preemptions(turns)).max(),
            orders.len(),
            is_cut,
        )
    };
    let few = Bounds {
        preemptions: 1,
        ..EVERY
    };
    assert_eq!(of(few), (Some(1), 6, false));
    let some = Bounds {
        schedules: 5,
        ..EVERY
    };
    assert_eq!(of(some), (Some(1), 5, true));
    let short = Bounds { polls: 2, ..EVERY };
    assert_eq!(of(short), (Some(1), 4, true));
}

/// Whoever is woken from outside comes when it likes.
#[test]
fn what_sleeps_until_a_thread_wakes_it_is_made_once() {
    let (subject, program) = (Arc::new(Factory(SLEEPS)), ONE_EACH.parse().unwrap());
    let mut all = Schedules::new(&subject, &program, EVERY);
    assert_eq!((all.by_ref().count(), all.is_cut()), (1, true));
}

/// A client that asks again and again whether another is done lets it go on.
#[test]
fn a_client_that_never_sleeps_gives_way_in_time() {
    fn until_both_are_there() -> Wait {
        static THERE: Mutex<usize> = Mutex::new(0);
        let mut has_come = false;
        Box::pin(poll_fn(move |context| {
            let mut there = THERE.lock().unwrap();
            if !mem::replace(&mut has_come, true) {
                *there += 1;
            }
            if *there >= 2 {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        }))
    }
    let make: Make = |clock| {
        Box::new(Waits {
            store: MemStore::with_clock(clock),
            wait: until_both_are_there,
        })
    };
    let (subject, program) = (Arc::new(Factory(make)), ONE_EACH.parse().unwrap());
    let few = Bounds {
        schedules: 1,
        ..EVERY
    };
    let mut all = Schedules::new(&subject, &program, few);
    let execution = all.next().expect("there is one").expect("there is a store");
    assert!(
        execution
            .records
            .iter()
            .all(|record| record.outcome.is_some())
    );
}
