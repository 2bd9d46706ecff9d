use super::*;
use crate::conformance::program::{Program, payload};
use crate::token;
use std::iter;

const SECOND: Duration = Duration::from_secs(1);

/// A journal, and the time that its calls are made at.
#[derive(Default)]
struct Book {
    journal: Journal,
    now: Duration,
}

impl Book {
    fn claiming(profile: Profile) -> Self {
        let mut book = Self::default();
        book.journal.claim(profile);
        book
    }

    fn begin(&mut self, call: &str) -> Begun {
        let program: Program = call.parse().unwrap();
        self.journal.begin(program.ops()[0].clone(), self.now)
    }

    fn end(&mut self, begun: &Begun, reply: Option<Reply>) -> Option<Clause> {
        let returned = self.journal.returned();
        let wrong = self.journal.end(begun, reply, returned, self.now);
        wrong.map(|wrong| wrong.clause)
    }

    fn call(&mut self, call: &str, reply: Option<Reply>) -> Option<Clause> {
        let begun = self.begin(call);
        self.end(&begun, reply)
    }

    fn cancel(&mut self, call: &str) {
        let begun = self.begin(call);
        let returned = self.journal.returned();
        self.journal.cancel(&begun, returned, self.now);
    }

    /// A commit that is done; of a payload with this number.
    fn commit(&mut self, number: usize) {
        let call = format!("commit A v{number} ttl 1000s");
        assert_eq!(self.call(&call, Some(Reply::Done)), None);
    }

    /// How many calls are remembered, of all ids.
    fn remembered(&self) -> usize {
        self.journal.calls.values().map(Vec::len).sum()
    }
}

fn found(id: &str, number: u64) -> Reply {
    Reply::Found(payload::numbered(number, id))
}

/// What is found under A.
fn a(number: u64) -> Reply {
    found(&"A".repeat(token::LEN), number)
}

#[test]
fn what_is_wrong_whatever_was_called_before() {
    let wrong = |call: &str, reply: Reply| Book::default().call(call, Some(reply));
    let refused = |constraint| Reply::Refused(constraint);
    let cases = [
        (r#"prepare """#, found("", 1), Some(Clause::Pre2)),
        (r#"prepare "x""#, found("y", 1), Some(Clause::Idn1)),
        (r#"prepare "x""#, found("x", 1), None),
        (r#"commit "" v1 ttl 1s"#, Reply::Done, Some(Clause::Com2)),
        ("commit A v1 ttl 0s", Reply::Done, Some(Clause::Com3)),
        ("commit A v1 ttl 1s", Reply::Done, None),
        (r#"drop """#, Reply::Done, None),
        ("drop A", Reply::Done, None),
    ];
    for (call, reply, expected) in cases {
        assert_eq!(wrong(call, reply.clone()), expected, "{call}: {reply:?}");
    }
    let refusals = [
        (r#"commit "" v1 ttl 1s"#, Constraint::EmptyId, true),
        ("commit A v1 ttl 1s", Constraint::EmptyId, false),
        (r#"drop """#, Constraint::EmptyId, false),
        ("commit A v1 ttl 0s", Constraint::TtlNotPositive, true),
        ("commit A v1 ttl 1s", Constraint::TtlNotPositive, false),
        ("drop A", Constraint::TtlNotPositive, false),
        (r#"commit "x" v1 ttl 1s"#, Constraint::UnsupportedId, true),
        ("commit A v1 ttl 1s", Constraint::UnsupportedId, false),
        (r#"drop "x""#, Constraint::UnsupportedId, false),
        ("commit A v1 ttl 1s", Constraint::NilSnapshot, false),
    ];
    for (call, constraint, is_right) in refusals {
        let expected = (!is_right).then_some(Clause::Com5);
        assert_eq!(
            wrong(call, refused(constraint)),
            expected,
            "{call}: {constraint:?}"
        );
    }
}

/// What a store claims to hold, it may not refuse.
#[test]
fn val_1_what_is_claimed_decides() {
    let refused = Reply::Refused(Constraint::UnsupportedValue);
    let call = |mut book: Book, call: &str| book.call(call, Some(refused.clone()));
    let deep = r#"commit A {"csrf_token":"","data":{"a":[1]}} ttl 1s"#;
    let flat = || Book::claiming(Profile::default().depth(0));
    assert_eq!(call(Book::default(), deep), Some(Clause::Val1));
    assert_eq!(call(flat(), deep), None);
    assert_eq!(call(flat(), "commit A v1 ttl 1s"), Some(Clause::Val1));
    assert_eq!(call(flat(), "drop A"), Some(Clause::Com5));
}

/// What a store that names its ids supports, it may not refuse.
#[test]
fn idn_2_what_is_claimed_decides() {
    let ids = |number: u64| [format!("x{number}"), format!("y{number}")];
    let mut book = Book::claiming(Profile::default().ids(ids));
    let refused = Reply::Refused(Constraint::UnsupportedId);
    let wrong = book.call(r#"commit "x0" v1 ttl 1s"#, Some(refused));
    assert_eq!(wrong, Some(Clause::Com5));
    let lost = |mut book: Book| {
        book.commit(1);
        book.call("prepare A", Some(Reply::Nothing))
    };
    assert_eq!(lost(Book::default()), Some(Clause::Ttl1));
    assert_eq!(lost(Book::claiming(Profile::default().may_evict())), None);
}

#[test]
fn com_4_a_refused_commit_did_not_happen() {
    let mut book = Book::default();
    book.commit(1);
    let refused = Reply::Refused(Constraint::TtlNotPositive);
    assert_eq!(book.call("commit A v2 ttl 0s", Some(refused.clone())), None);
    assert_eq!(book.call("prepare A", Some(a(1))), None);
    assert_eq!(book.call("commit A v3 ttl 0s", Some(refused)), None);
    assert_eq!(book.call("prepare A", Some(a(3))), Some(Clause::Pre3));
}

#[test]
fn what_can_no_longer_matter_is_forgotten() {
    let mut book = Book::default();
    for number in 1..100 {
        book.commit(number);
        assert_eq!(book.call("prepare A", Some(a(number as u64))), None);
        assert!(book.remembered() <= 4, "{}", book.remembered());
    }
    // The last two writes, and what came after the first of these.
    assert_eq!(book.remembered(), 4);
    for _ in 0..100 {
        book.call("prepare A", Some(a(99)));
    }
    assert_eq!(book.remembered(), 2 + REMEMBERED);
    // Each of them may still show what is wrong.
    assert_eq!(book.call("prepare A", Some(a(98))), Some(Clause::Com6));
    assert_eq!(book.remembered(), 0);
}

#[test]
fn what_a_prepare_under_way_may_give_is_not_forgotten() {
    let mut book = Book::default();
    book.commit(1);
    let slow = book.begin("prepare A");
    for number in 2..50 {
        book.commit(number);
    }
    assert_eq!(book.remembered(), 50);
    assert_eq!(book.end(&slow, Some(a(1))), None);
    // It began before what is remembered now had returned.
    book.commit(50);
    assert_eq!(book.remembered(), 2);
}

#[test]
fn a_prepare_that_is_under_way_for_too_long_is_not_judged() {
    let mut book = Book::default();
    let _writing = book.begin("commit A v2000 ttl 1000s");
    book.commit(1);
    let slow = book.begin("prepare A");
    for number in 2..MOST - 1 {
        book.commit(number);
    }
    assert_eq!(book.remembered(), MOST);
    let slower = book.begin("prepare A");
    book.commit(MOST);
    assert_eq!(book.remembered(), 5, "the second one is still judged");
    assert_eq!(book.end(&slow, Some(a(1_000))), None);
    assert_eq!(book.call("prepare A", Some(a(2_000))), None);
    assert_eq!(book.end(&slower, Some(a(1_000))), Some(Clause::Pre3));
}

#[test]
fn err_3_what_failed_may_come_at_any_time() {
    let mut book = Book::default();
    assert_eq!(book.call("commit A v1 ttl 1000s", None), None);
    for number in 2..10 {
        book.commit(number);
    }
    assert_eq!(book.remembered(), 3);
    assert_eq!(book.call("prepare A", Some(a(1))), None);
    assert_eq!(book.call("prepare A", Some(a(9))), Some(Clause::Con1));
    // That it came is as sure as that it did not: it may come again for all that is known.
    assert_eq!(book.remembered(), 1);
}

#[test]
fn can_1_what_was_cancelled_may_come_later_only_of_what_is_remote() {
    let late = |profile: Profile| {
        let mut book = Book::claiming(profile);
        book.cancel("commit A v1 ttl 1000s");
        book.commit(2);
        book.commit(3);
        book.commit(4);
        (book.remembered(), book.call("prepare A", Some(a(1))))
    };
    assert_eq!(late(Profile::default()).0, 2);
    assert!(late(Profile::default()).1.is_some());
    assert_eq!(late(Profile::default().remote()), (3, None));
}

#[test]
fn calls_that_were_cancelled_or_refused_leave_their_lanes() {
    let mut book = Book::default();
    book.cancel("prepare A");
    book.call(
        "commit A v1 ttl 0s",
        Some(Reply::Refused(Constraint::TtlNotPositive)),
    );
    let lanes: Vec<u32> = iter::repeat_with(|| book.begin("prepare A").client)
        .take(3)
        .collect();
    assert_eq!(lanes, [0, 1, 2]);
}

#[test]
fn ttl_2_time_is_read_before_and_after_a_call() {
    let mut book = Book::default();
    let call = book.begin("commit A v1 ttl 2s");
    book.now += SECOND;
    assert_eq!(book.end(&call, Some(Reply::Done)), None);
    book.now += SECOND;
    // Its commit may have read 0 s or 1 s.
    assert_eq!(book.call("prepare A", Some(Reply::Nothing)), None);
    let mut other = Book::default();
    other.call("commit A v1 ttl 2s", Some(Reply::Done));
    other.now += 2 * SECOND;
    assert_eq!(other.call("prepare A", Some(a(1))), Some(Clause::Ttl2));
}
