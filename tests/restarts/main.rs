//! DUR-1: what a store must still have after a restart, and what it may not bring back.

mod keeper;
mod keepers;

use keeper::{DURABLE, Keeper};
use keepers::{KEEPS_NO_DEADLINES, RIGHT, ROUNDS_ON_DISK, WRONG};
use session_spec::conformance::{
    Profile, Program, Report, Status, Subject, Verdict, Violation, Waiting, check, check_subject,
};
use session_spec::store::BoxError;
use session_spec::{Clause, ManualClock, MemStore, Snapshot, Store, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// A small budget, and more for those that it does not catch.
fn judged(keeper: Keeper) -> Report {
    let budgets = [(2, 0), (0, 300), (4, 1_000)];
    let mut reports = budgets.into_iter().map(|(depth, sequences)| {
        let check = check_subject(keeper).seed(1).clients(1);
        check.depth(depth).sequences(sequences).run()
    });
    let caught = |report: &Report| report.verdict == Verdict::Violated;
    let first = reports.find(caught);
    first.unwrap_or_else(|| panic!("{} is not caught", keeper.name))
}

fn status(report: &Report, clause: Clause) -> Status {
    let mut findings = report.clauses.iter();
    let finding = findings.find(|finding| finding.clause == clause);
    finding.expect("it is a clause of stores").status
}

/// Programs with one operation less that break the same clause.
fn smaller(keeper: Keeper, violation: &Violation) -> Vec<Program> {
    let ops = violation.program.ops();
    let shorter = (0..ops.len()).map(|at| Program::from([&ops[..at], &ops[at + 1..]].concat()));
    let breaks = |program: &Program| {
        let report = check_subject(keeper).replay(&program.to_string()).run();
        let mut clauses = report.violations.iter().map(|found| found.clause);
        clauses.any(|clause| clause == violation.clause)
    };
    shorter.filter(breaks).collect()
}

/// Prints a table: `cargo test --all-features --test restarts -- --nocapture`.
#[test]
fn dur_1_every_wrong_keeper_is_caught_by_a_minimal_program_and_under_no_other_clause() {
    let mut missed = Vec::new();
    for keeper in WRONG {
        let clause = keeper.clause.expect("a wrong keeper has a clause");
        let report = judged(*keeper);
        let [violation] = &report.violations[..] else {
            missed.push(format!("{} ({clause}):\n{report}", keeper.name));
            continue;
        };
        println!("{:<56} {}", keeper.name, violation.program);
        if violation.clause != clause || !violation.program.has_restart() {
            missed.push(format!("{} ({clause}):\n{report}", keeper.name));
        }
        if let Some(smaller) = smaller(*keeper, violation).first() {
            missed.push(format!("{}: not minimal\n  {smaller}", keeper.name));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn dur_1_right_keepers_conform_durable_or_not() {
    for keeper in RIGHT {
        let check = check_subject(*keeper).depth(3).sequences(200);
        let report = check.clients(1).run();
        assert_eq!(report.violations, [], "{}\n{report}", keeper.name);
        assert_eq!(status(&report, Clause::Dur1), Status::Kept);
    }
}

mod durable {
    session_spec::conformance_tests!(
        subject: super::DURABLE,
        restarts,
        |check| check.depth(2).sequences(200),
    );
}

/// `MemStore`, on a clock of its own and alive all the time.
struct AlwaysUp;

impl Subject for AlwaysUp {
    type Store = Arc<MemStore>;
    type Clock = Waiting;

    async fn fresh(&self) -> Result<(Self::Store, Waiting), BoxError> {
        Ok((Arc::default(), Waiting))
    }

    async fn restart(
        &self,
        store: Self::Store,
        clock: Waiting,
    ) -> Result<(Self::Store, Waiting), BoxError> {
        Ok((store, clock))
    }

    fn profile(&self) -> Profile {
        Profile::default().durable()
    }
}

#[test]
fn dur_1_is_kept_by_a_store_whose_clock_is_waited_for() {
    let check = check_subject(AlwaysUp).only(Clause::Dur1);
    let report = check.depth(2).sequences(200).run();
    assert_eq!(report.verdict, Verdict::Conforms, "{report}");
    assert_eq!(status(&report, Clause::Dur1), Status::Kept);
}

#[test]
fn the_verdict_names_durability() {
    let report = check_subject(DURABLE)
        .only(Clause::Dur1)
        .depth(1)
        .sequences(9)
        .run();
    let text = report.to_string();
    assert!(text.contains("Profile: durable."), "{text}");
}

/// A subject whose store cannot be restarted.
struct Once;

impl Subject for Once {
    type Store = MemStore<ManualClock>;
    type Clock = ManualClock;

    async fn fresh(&self) -> Result<(Self::Store, ManualClock), BoxError> {
        let clock = ManualClock::new();
        Ok((MemStore::with_clock(clock.clone()), clock))
    }
}

#[test]
fn without_a_restart_dur_1_is_not_checked_and_undecided_only_when_asked_for() {
    let check = || check_subject(Once).depth(3).sequences(200);
    let report = check().clients(1).run();
    let is_undecided = matches!(&report.verdict, Verdict::Undecided(why) if why.contains("DUR-1"));
    assert!(!is_undecided, "{report}");
    assert_eq!(status(&report, Clause::Dur1), Status::NotChecked);
    let asked = check().only(Clause::Dur1).run();
    let undecided = matches!(&asked.verdict, Verdict::Undecided(why) if why.ends_with("DUR-1"));
    assert!(undecided, "{asked}");
}

#[test]
fn a_program_with_a_restart_is_misuse_where_there_is_none() {
    let program = "s1: commit A v1 ttl 1s; restart; prepare A";
    let reports = [
        check_subject(Once).replay(program).run(),
        check(MemStore::with_clock).replay(program).run(),
    ];
    for report in reports {
        let why = "this subject cannot restart its store";
        let told = matches!(&report.verdict, Verdict::Misused(reason) if reason.starts_with(why));
        assert!(told, "{report}");
    }
}

#[test]
fn a_store_that_does_not_come_up_empty_is_told_and_not_convicted() {
    let never = Keeper {
        open: |disk, _| match disk.opened {
            1 => Ok(keeper::Entries::new()),
            _ => Err("port in use".into()),
        },
        ..DURABLE
    };
    let report = check_subject(never).run();
    let reason = "the store could not be restarted: port in use".to_owned();
    assert_eq!(report.verdict, Verdict::Misused(reason));
}

#[test]
fn dur_1_whether_a_restart_may_lose_an_entry_is_for_the_profile_to_say() {
    let keeps = Keeper {
        claims: Profile::default,
        ..DURABLE
    };
    let lossy = Keeper {
        open: |_, _| Ok(keeper::Entries::new()),
        ..keeps
    };
    let program = "s1: commit A v1 ttl 3s; restart; prepare A; drop A; restart; prepare A";
    for keeper in [keeps, lossy] {
        let report = check_subject(keeper).replay(program).run();
        assert_eq!(report.verdict, Verdict::Conforms, "{report}");
    }
    let claiming = Keeper {
        claims: DURABLE.claims,
        ..lossy
    };
    let report = check_subject(claiming).replay(program).run();
    assert_eq!(report.verdict, Verdict::Violated, "{report}");
}

#[test]
fn dur_1_what_was_seen_gone_does_not_come_back_within_the_resolution() {
    let program = "s1: commit A v1 ttl 500ms; advance 600ms; prepare A; restart; prepare A";
    let report = check_subject(ROUNDS_ON_DISK).replay(program).run();
    let violated: Vec<Clause> = report.violations.iter().map(|found| found.clause).collect();
    assert_eq!(violated, [Clause::Dur1], "{report}");
}

#[test]
fn dur_1_does_not_hide_behind_a_clause_that_is_broken_without_a_restart() {
    let both = Keeper {
        is_live: |now, deadline| now <= deadline,
        ..KEEPS_NO_DEADLINES
    };
    let check = check_subject(both).depth(4).sequences(0).clients(1);
    let report = check.only(Clause::Ttl2).only(Clause::Dur1).run();
    let violated: Vec<Clause> = report.violations.iter().map(|found| found.clause).collect();
    assert_eq!(violated, [Clause::Ttl2, Clause::Dur1], "{report}");
}

#[test]
#[ignore = "a hundred checks of every right keeper take minutes: run it with --release"]
fn dur_1_no_right_keeper_is_accused_by_a_hundred_checks() {
    for keeper in RIGHT {
        for seed in 0..100 {
            let check = check_subject(*keeper).depth(2).sequences(1_000).clients(1);
            let report = check.seed(seed).run();
            assert_eq!(report.violations, [], "{}\n{report}", keeper.name);
        }
    }
}

/// It takes a life of nothing, and then has nothing; and what is not there cannot be dropped.
struct Careless(MemStore<ManualClock>);

impl Store for Careless {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        self.0.prepare(id).await
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        match ttl.is_zero() && !snapshot.id().is_empty() {
            true => Store::drop(&self.0, snapshot.id()).await,
            false => self.0.commit(snapshot, ttl).await,
        }
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        match self.0.prepare(id).await? {
            None if !id.is_empty() => Err(StoreError::Backend {
                store: "careless",
                source: "no such session".into(),
            }),
            _ => Store::drop(&self.0, id).await,
        }
    }
}

/// Its restart leaves nothing.
struct Forgets;

impl Subject for Forgets {
    type Store = Careless;
    type Clock = ManualClock;

    async fn fresh(&self) -> Result<(Careless, ManualClock), BoxError> {
        let clock = ManualClock::new();
        Ok((Careless(MemStore::with_clock(clock.clone())), clock))
    }

    async fn restart(
        &self,
        _: Careless,
        clock: ManualClock,
    ) -> Result<(Careless, ManualClock), BoxError> {
        Ok((Careless(MemStore::with_clock(clock.clone())), clock))
    }
}

#[test]
fn what_is_wrong_without_a_restart_too_is_not_blamed_on_one() {
    let check = check_subject(Forgets).clients(1).seed(1);
    let report = check.depth(3).sequences(300).run();
    let found: Vec<Clause> = report.violations.iter().map(|found| found.clause).collect();
    assert_eq!(
        found,
        [Clause::Com3, Clause::Com4, Clause::Drp2],
        "{report}"
    );
}
