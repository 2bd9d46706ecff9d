//! Subjects: stores whose clock cannot be injected, or that claim less than everything.

mod yielding;

use session_spec::conformance::{
    Clockwork, Passing, Profile, Report, Status, Subject, Verdict, Waiting, check, check_subject,
};
use session_spec::store::BoxError;
use session_spec::{
    Clause, Clock, Constraint, ManualClock, MemStore, Snapshot, Store, StoreError, token,
};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use yielding::Yielding;

/// A store that keeps deadlines as a time since 1970, in steps.
struct Stepped<C> {
    now: C,
    /// From the commit's time and the time to live to the deadline.
    deadline: fn(Duration, Duration) -> Duration,
    /// When an entry counts as over.
    is_over: fn(Duration, Duration) -> bool,
    entries: Mutex<BTreeMap<String, (Snapshot, Duration)>>,
}

impl<C: Fn() -> Duration + Send + Sync> Stepped<C> {
    fn new(
        now: C,
        deadline: fn(Duration, Duration) -> Duration,
        is_over: fn(Duration, Duration) -> bool,
    ) -> Self {
        Self {
            now,
            deadline,
            is_over,
            entries: Mutex::default(),
        }
    }
}

impl<C: Fn() -> Duration + Send + Sync> Store for Stepped<C> {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let live = entries
            .get(id)
            .filter(|(_, deadline)| !(self.is_over)((self.now)(), *deadline));
        Ok(live.map(|(snapshot, _)| snapshot.clone()))
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        let refused = |constraint| StoreError::Refused {
            store: "stepped",
            constraint,
        };
        if snapshot.id().is_empty() {
            return Err(refused(Constraint::EmptyId));
        }
        if ttl.is_zero() {
            return Err(refused(Constraint::TtlNotPositive));
        }
        let deadline = (self.deadline)((self.now)(), ttl);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.insert(snapshot.id().to_owned(), (snapshot.clone(), deadline));
        Ok(())
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(id);
        Ok(())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "these stores read the machine's clock"
)]
fn wall() -> Duration {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("it is later than 1970")
}

fn on_manual_clock(clock: &ManualClock) -> Duration {
    clock
        .system_time()
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("it is later than 1970")
}

const EXACT: fn(Duration, Duration) -> Duration = |now, ttl| now.saturating_add(ttl);
const OVER_AT: fn(Duration, Duration) -> bool = |now, deadline| now >= deadline;

/// Whole milliseconds, rounded up.
fn milliseconds_up(now: Duration, ttl: Duration) -> Duration {
    let deadline = now.saturating_add(ttl);
    match deadline.subsec_nanos() % 1_000_000 {
        0 => deadline,
        over => deadline.saturating_add(Duration::from_nanos(u64::from(1_000_000 - over))),
    }
}

/// Whole seconds since 1970, rounded down.
fn seconds_down(now: Duration, ttl: Duration) -> Duration {
    Duration::from_secs(now.saturating_add(ttl).as_secs())
}

/// A subject that is waited for.
struct OnWallClock {
    deadline: fn(Duration, Duration) -> Duration,
    is_over: fn(Duration, Duration) -> bool,
}

impl Subject for OnWallClock {
    type Store = Stepped<fn() -> Duration>;
    type Clock = Waiting;

    async fn fresh(&self) -> Result<(Self::Store, Waiting), BoxError> {
        Ok((Stepped::new(wall, self.deadline, self.is_over), Waiting))
    }
}

struct Production;

impl Subject for Production {
    type Store = Yielding<MemStore>;
    type Clock = Waiting;

    async fn fresh(&self) -> Result<(Self::Store, Waiting), BoxError> {
        Ok((Yielding(MemStore::new()), Waiting))
    }
}

fn violated(report: &Report) -> Vec<Clause> {
    report
        .violations
        .iter()
        .map(|violation| violation.clause)
        .collect()
}

fn status(report: &Report, clause: Clause) -> Status {
    let finding = report
        .clauses
        .iter()
        .find(|finding| finding.clause == clause);
    finding.expect("it is a clause of stores").status
}

#[test]
fn a_right_store_whose_clock_can_only_be_waited_for_conforms() {
    let report = check_subject(Production).run();
    assert_eq!(report.verdict, Verdict::Conforms, "{report}");
    assert_eq!(status(&report, Clause::Ttl1), Status::Kept);
    assert_eq!(status(&report, Clause::Ttl2), Status::Kept);
    let waited = report
        .notes
        .iter()
        .any(|note| note.contains("the very instant of a deadline was not hit"));
    assert!(waited, "{report}");
}

#[test]
fn a_store_that_is_waited_for_and_rounds_down_is_caught() {
    let rounds = OnWallClock {
        deadline: seconds_down,
        is_over: OVER_AT,
    };
    let report = check_subject(rounds).depth(2).sequences(0).run();
    assert_eq!(violated(&report), [Clause::Com7], "{report}");
    let near_miss = report.violations[0].near_miss.as_deref();
    assert!(
        near_miss.is_some_and(|near| near.starts_with("longer lives are kept")),
        "{report}"
    );
}

/// What one client sees, at some phase of the clock, is no matter of concurrency or of cancelled calls.
#[test]
fn com_7_a_remote_store_that_cuts_its_lives_breaks_no_clause_of_several_clients() {
    struct Remote(OnWallClock);

    impl Subject for Remote {
        type Store = Yielding<Stepped<fn() -> Duration>>;
        type Clock = Waiting;

        async fn fresh(&self) -> Result<(Self::Store, Waiting), BoxError> {
            let (store, clock) = self.0.fresh().await?;
            Ok((Yielding(store), clock))
        }

        fn profile(&self) -> Profile {
            Profile::default().remote()
        }
    }

    let remote = Remote(OnWallClock {
        deadline: |now, ttl| now.saturating_add(Duration::from_secs(ttl.as_secs())),
        is_over: OVER_AT,
    });
    let report = check_subject(remote).depth(2).sequences(200).seed(1).run();
    assert_eq!(violated(&report), [Clause::Com7], "{report}");
}

/// In place of a call that is left out, as much time is waited as it took: a clock that is late shows that only
/// while time passes.
#[test]
fn ttl_2_a_clock_that_is_late_is_blamed_for_that_and_for_no_call() {
    fn late() -> Duration {
        wall().saturating_sub(Duration::from_millis(20))
    }

    struct Late;

    impl Subject for Late {
        type Store = Stepped<fn() -> Duration>;
        type Clock = Waiting;

        async fn fresh(&self) -> Result<(Self::Store, Waiting), BoxError> {
            let store: Self::Store = Stepped::new(late, EXACT, |_, _| false);
            Ok((
                Stepped {
                    is_over: |now, deadline| {
                        now >= deadline.saturating_add(Duration::from_millis(20))
                    },
                    ..store
                },
                Waiting,
            ))
        }
    }

    let report = check_subject(Late).depth(2).sequences(100).seed(1).run();
    assert_eq!(violated(&report), [Clause::Ttl2], "{report}");
}

#[test]
fn a_store_that_is_waited_for_and_never_forgets_is_caught() {
    let forever = OnWallClock {
        deadline: EXACT,
        is_over: |_, _| false,
    };
    let report = check_subject(forever).depth(2).sequences(0).run();
    assert_eq!(violated(&report), [Clause::Ttl2], "{report}");
}

/// The store's own clock, and what has been moved.
struct Shifted {
    deadlines_moved: bool,
}

struct Shift {
    deadlines_moved: bool,
}

impl Clockwork<Yielding<Stepped<fn() -> Duration>>> for Shift {
    const PASSING: Passing = Passing::Shifting;

    async fn advance(
        &self,
        store: &Yielding<Stepped<fn() -> Duration>>,
        by: Duration,
    ) -> Result<(), BoxError> {
        let mut entries = store
            .0
            .entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for (_, deadline) in entries.values_mut() {
            if self.deadlines_moved {
                *deadline = deadline.saturating_sub(by);
            }
        }
        Ok(())
    }
}

impl Subject for Shifted {
    type Store = Yielding<Stepped<fn() -> Duration>>;
    type Clock = Shift;

    async fn fresh(&self) -> Result<(Self::Store, Shift), BoxError> {
        let deadlines_moved = self.deadlines_moved;
        Ok((
            Yielding(Stepped::new(wall, EXACT, OVER_AT)),
            Shift { deadlines_moved },
        ))
    }
}

#[test]
fn a_right_store_whose_deadlines_are_shifted_conforms() {
    let report = check_subject(Shifted {
        deadlines_moved: true,
    })
    .depth(3)
    .sequences(500)
    .run();
    assert_eq!(report.verdict, Verdict::Conforms, "{report}");
}

#[test]
fn a_store_whose_deadlines_do_not_come_nearer_is_caught() {
    let report = check_subject(Shifted {
        deadlines_moved: false,
    })
    .depth(2)
    .sequences(0)
    .run();
    assert_eq!(violated(&report), [Clause::Ttl2], "{report}");
}

#[test]
fn ttl_2_a_coarse_clock_is_right_when_it_is_declared_and_wrong_when_not() {
    let make = |clock: ManualClock| {
        Stepped::new(move || on_manual_clock(&clock), milliseconds_up, OVER_AT)
    };
    let undeclared = check(make).depth(2).sequences(3_000).seed(1).run();
    assert_eq!(violated(&undeclared), [Clause::Ttl2], "{undeclared}");

    let declared = Profile::default().resolution(Duration::from_millis(1));
    let report = check(make).profile(declared).run();
    assert_eq!(report.verdict, Verdict::Conforms, "{report}");
}

#[test]
fn com_7_a_clock_that_rounds_down_is_wrong_even_when_it_is_declared_coarse() {
    let make =
        |clock: ManualClock| Stepped::new(move || on_manual_clock(&clock), seconds_down, OVER_AT);
    let declared = Profile::default().resolution(Duration::from_secs(1));
    let report = check(make).profile(declared).seed(1).run();
    assert_eq!(report.verdict, Verdict::Violated, "{report}");
}

/// Whole seconds of time to live, rounded down, are no more than a second too few.
#[test]
fn ttl_1_a_store_that_is_early_is_right_when_it_says_so_and_wrong_when_not() {
    let make = |clock: ManualClock| {
        let whole =
            |now: Duration, ttl: Duration| now.saturating_add(Duration::from_secs(ttl.as_secs()));
        Stepped::new(move || on_manual_clock(&clock), whole, OVER_AT)
    };
    let check = || check(make).depth(2).sequences(2_000).seed(1);
    let undeclared = check().run();
    assert_eq!(violated(&undeclared), [Clause::Com7], "{undeclared}");
    let declared = |early| check().profile(Profile::default().early(Duration::from_millis(early)));
    let report = declared(1_000).run();
    assert_eq!(report.violations, [], "{report}");
    assert!(
        report.profile.contains("up to 1s early"),
        "{}",
        report.profile
    );
    let report = declared(500).run();
    assert_eq!(violated(&report).len(), 1, "{report}");
    let report = declared(1_000).tick(Duration::from_secs(1)).run();
    let Verdict::Misused(reason) = &report.verdict else {
        panic!("{report}");
    };
    assert!(reason.starts_with("Profile::early is 1s; "), "{reason}");
}

#[test]
fn com_7_a_horizon_is_right_when_it_is_declared_and_wrong_when_not() {
    const MONTH: Duration = Duration::from_secs(30 * 86_400);
    let capped: fn(Duration, Duration) -> Duration = |now, ttl| now.saturating_add(ttl.min(MONTH));
    let make =
        move |clock: ManualClock| Stepped::new(move || on_manual_clock(&clock), capped, OVER_AT);
    let undeclared = check(make).depth(2).sequences(5_000).seed(1).run();
    assert_eq!(violated(&undeclared), [Clause::Com7], "{undeclared}");

    let report = check(make).profile(Profile::default().horizon(MONTH)).run();
    assert_eq!(report.verdict, Verdict::Conforms, "{report}");
}

/// MemStore for ids of exactly eight hexadecimal digits.
struct Hexadecimal(MemStore<ManualClock>);

impl Store for Hexadecimal {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        self.0.prepare(id).await
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        let id = snapshot.id();
        if id.is_empty() || id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return self.0.commit(snapshot, ttl).await;
        }
        Err(StoreError::Refused {
            store: "hexadecimal",
            constraint: Constraint::UnsupportedId,
        })
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        Store::drop(&self.0, id).await
    }
}

#[test]
fn idn_2_a_store_that_refuses_tokens_conforms_only_for_the_ids_it_claims() {
    let make = |clock| Hexadecimal(MemStore::with_clock(clock));
    assert!(!token::is_token("0123abcd"));
    assert_eq!(
        check(make).depth(2).sequences(0).run().verdict,
        Verdict::Violated
    );

    let pairs = |number: u64| {
        let low = number % (1 << 31);
        [low, low + (1 << 31)].map(|number| format!("{number:08x}"))
    };
    let report = check(make).profile(Profile::default().ids(pairs)).run();
    let claimed = report
        .clauses
        .iter()
        .filter(|finding| finding.status == Status::Kept);
    assert!(
        violated(&report).is_empty() && claimed.count() >= 20,
        "{report}"
    );
}

#[test]
fn a_clause_that_is_not_claimed_is_printed_as_such_and_not_convicted() {
    let forgetful = |clock: ManualClock| Stepped::new(move || clock.now(), EXACT, |_, _| true);
    let profile = [
        Clause::Com5,
        Clause::Com6,
        Clause::Com8,
        Clause::Ttl1,
        Clause::Pre3,
    ]
    .into_iter()
    .fold(Profile::default(), |profile, clause| {
        profile.unclaimed(clause, "it keeps nothing")
    });
    let report = check(forgetful)
        .profile(profile)
        .depth(3)
        .sequences(0)
        .run();
    assert_eq!(status(&report, Clause::Com5), Status::NotClaimed);
    assert!(
        report
            .violations
            .iter()
            .all(|violation| violation.clause != Clause::Com5),
        "{report}"
    );
    assert!(
        report
            .to_string()
            .contains("COM-5 is not claimed: it keeps nothing"),
        "{report}"
    );
}

struct Unreachable;

impl Subject for Unreachable {
    type Store = MemStore;
    type Clock = Waiting;

    async fn fresh(&self) -> Result<(MemStore, Waiting), BoxError> {
        Err("connection refused".into())
    }
}

#[test]
fn a_store_that_is_not_to_be_had_is_told_and_not_convicted() {
    let report = check_subject(Unreachable).run();
    let reason = "there is no store to check: connection refused".to_owned();
    assert_eq!(report.verdict, Verdict::Misused(reason));
}

/// One after another, the waits of these would take minutes.
#[test]
fn thousands_of_programs_wait_at_once() {
    let report = check_subject(Production)
        .depth(0)
        .sequences(5_000)
        .length(6)
        .run();
    assert_ne!(report.verdict, Verdict::Violated, "{report}");
}
