//! Suite: one `#[test]` a clause, for the tests of a store.

use super::Check;
use super::isolate;
use super::shared::{self, Failures, Known};
use crate::clause::Clause;
use crate::conformance::report::{Report, Status, Verdict};
use crate::conformance::subject::{Clockwork, Passing, Subject};
use std::env;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::OnceLock;

/// Makes one `#[test]` of every clause that a store can break, named by it: `com_6` fails when
/// COM-6 is broken, with the counterexample, and also when nothing could have shown it broken.
///
/// It takes what [`check`](crate::conformance::check()) takes, a way to make the store on a clock
/// that the test moves; or, behind `subject:`, what
/// [`check_subject`](crate::conformance::check_subject) takes.
///
/// ```
/// # use session_spec::MemStore as MyStore;
/// session_spec::conformance_tests!(MyStore::with_clock);
/// # fn main() {}
/// ```
///
/// Behind that, a function that configures the [`Check`], and the clauses that the store does not
/// claim, each with the reason. Their tests are ignored, and stand in a module `not_claimed`; run
/// with `--ignored`, they say what the store makes of the clause all the same.
///
/// ```
/// # use session_spec::MemStore as MyStore;
/// session_spec::conformance_tests!(
///     MyStore::with_clock,
///     |check| check.regressions("proptest-regressions/mystore.txt"),
///     skip(
///         IDN-1: "the column of ids ignores case",
///         COM-4: "the backend deletes before it validates",
///     ),
/// );
/// # fn main() {}
/// ```
///
/// A subject that says how to [restart](crate::conformance::Subject::restart) its store gets a test of
/// DUR-1 as well, if `restarts` stands behind it:
///
/// ```
/// # use session_spec::{ManualClock, MemStore, store::BoxError};
/// # use session_spec::conformance::Subject;
/// # struct OnFile;
/// # impl Subject for OnFile {
/// #     type Store = MemStore<ManualClock>;
/// #     type Clock = ManualClock;
/// #     async fn fresh(&self) -> Result<(Self::Store, ManualClock), BoxError> {
/// #         let clock = ManualClock::new();
/// #         Ok((MemStore::with_clock(clock.clone()), clock))
/// #     }
/// # }
/// session_spec::conformance_tests!(subject: OnFile, restarts);
/// # fn main() {}
/// ```
///
/// Clauses that cannot be broken in Rust, or that this version has no search for, have no test, and
/// to skip one does not compile:
///
/// ```compile_fail
/// session_spec::conformance_tests!(session_spec::MemStore::with_clock, skip(COM-1: "no nil"));
/// # fn main() {}
/// ```
///
/// The tests share one search: the one of `check`, but for a depth of 4, so that it takes seconds in a
/// debug build. Under nextest, where each test is a process of its own, the first of a run makes it, and
/// leaves what it comes to in the folder for temporary files, where the others wait for it. If that cannot
/// be written to, each makes a smaller search for its own clause, with a seed that it shares with the others
/// of the run. A function that configures the check has the last word on all of this.
///
/// The tests of a second store stand in a module of their own.
#[macro_export]
macro_rules! conformance_tests {
    (subject: $subject:expr, restarts $(, $($rest:tt)*)?) => {
        $crate::__conformance_suite! {
            [$crate::conformance::check_subject($subject)] [] $($($rest)*)?
        }
    };
    (subject: $subject:expr $(, $($rest:tt)*)?) => {
        $crate::__conformance_suite! {
            [$crate::conformance::check_subject($subject)] [DUR 1] $($($rest)*)?
        }
    };
    ($make:expr $(, $($rest:tt)*)?) => {
        $crate::__conformance_suite! {
            [$crate::conformance::check($make)] [DUR 1] $($($rest)*)?
        }
    };
}

/// What the forms of `conformance_tests` have in common: behind the check, the clauses that have no
/// test.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_suite {
    ([$check:expr] $untested:tt $(skip($($skips:tt)*) $(,)?)?) => {
        $crate::__conformance_suite! {
            @ [$check] $untested [::std::convert::identity] [$($($skips)*)?]
        }
    };
    ([$check:expr] $untested:tt $configure:expr $(, skip($($skips:tt)*))? $(,)?) => {
        $crate::__conformance_suite! { @ [$check] $untested [$configure] [$($($skips)*)?] }
    };
    (@ [$check:expr] [$($untested:tt)*] [$configure:expr]
        [$($family:ident - $number:tt: $why:literal),* $(,)?]) => {
        #[cfg(test)]
        #[track_caller]
        fn conformance_suite(clause: $crate::Clause) {
            static SUITE: $crate::conformance::Suite = $crate::conformance::Suite::new(module_path!(), &[
                $((concat!(stringify!($family), "-", stringify!($number)), $why)),*
            ]);
            SUITE.assert(clause, || $check, $configure);
        }
        $crate::__conformance_tests! { @claimed [$($family $number)* $($untested)*] }
        $crate::__conformance_tests! { @not_claimed $($family $number $why)* }
    };
    (@ [$check:expr] $untested:tt [$configure:expr] [$($skips:tt)*]) => {
        compile_error!(concat!(
            "skip(", stringify!($($skips)*), ") is not a list of clauses, each with the reason why it is \
             not claimed, such as skip(IDN-1: \"the column ignores case\", CAN-1: \"no task is cancelled\")"
        ));
    };
}

/// From the one list of tests: the clauses that have one, and the macro that makes them.
macro_rules! tests {
    ($d:tt $($test:ident $clause:ident $family:ident-$number:tt)*) => {
        /// Every test: its name, the clause's id as the macro has it, and the clause.
        const TESTS: &[(&str, &str, Clause)] = &[$((
            stringify!($test),
            concat!(stringify!($family), "-", stringify!($number)),
            Clause::$clause,
        )),*];

        #[doc(hidden)]
        #[macro_export]
        macro_rules! __conformance_tests {
            (@claimed $d skips:tt) => {
                $($d crate::__conformance_tests! { @ $test $clause $family $number $d skips })*
            };
            // A test is made unless the clause stands among the skips.
            $((@ $test $clause $family $number [$family $number $d($d rest:tt)*]) => {};)*
            (@ $d test:ident $d clause:ident $d family:ident $d number:tt
                [$d _other:ident $d _one:tt $d($d rest:tt)*]) => {
                $d crate::__conformance_tests! {
                    @ $d test $d clause $d family $d number [$d($d rest)*]
                }
            };
            (@ $d test:ident $d clause:ident $d family:ident $d number:tt []) => {
                #[test]
                fn $d test() {
                    conformance_suite($d crate::Clause::$d clause);
                }
            };
            (@not_claimed) => {};
            (@not_claimed $d($d family:ident $d number:tt $d why:literal)+) => {
                mod not_claimed {
                    $d($d crate::__conformance_tests! { $d family $d number $d why })+
                }
            };
            $(($family $number $d why:literal) => {
                #[test]
                #[ignore = $d why]
                fn $test() {
                    super::conformance_suite($d crate::Clause::$clause);
                }
            };)*
            ($d family:ident $d number:tt $d why:literal) => {
                compile_error!(concat!(
                    "there is no test of ", stringify!($d family), "-", stringify!($d number), " to skip"
                ));
            };
        }
    };
}

tests! { $
    snp_4 Snp4 SNP-4
    pre_1 Pre1 PRE-1
    pre_2 Pre2 PRE-2
    pre_3 Pre3 PRE-3
    pre_4 Pre4 PRE-4
    com_2 Com2 COM-2
    com_3 Com3 COM-3
    com_4 Com4 COM-4
    com_5 Com5 COM-5
    com_6 Com6 COM-6
    com_7 Com7 COM-7
    com_8 Com8 COM-8
    drp_1 Drp1 DRP-1
    drp_2 Drp2 DRP-2
    drp_3 Drp3 DRP-3
    drp_4 Drp4 DRP-4
    ttl_1 Ttl1 TTL-1
    ttl_2 Ttl2 TTL-2
    ttl_3 Ttl3 TTL-3
    ttl_4 Ttl4 TTL-4
    idn_1 Idn1 IDN-1
    idn_2 Idn2 IDN-2
    val_1 Val1 VAL-1
    con_1 Con1 CON-1
    con_2 Con2 CON-2
    can_1 Can1 CAN-1
    err_1 Err1 ERR-1
    dur_1 Dur1 DUR-1
}

/// The tests that one use of [`conformance_tests`](crate::conformance_tests) makes, and what they
/// share: what they come to, and the clauses that the store does not claim.
#[doc(hidden)]
#[derive(Debug)]
pub struct Suite {
    /// The module that it stands in.
    name: &'static str,
    skipped: &'static [(&'static str, &'static str)],
    failures: OnceLock<Failures>,
}

impl Suite {
    /// In this module, with the ids of the clauses that are not claimed, and why.
    pub const fn new(name: &'static str, skipped: &'static [(&'static str, &'static str)]) -> Self {
        Self {
            name,
            skipped,
            failures: OnceLock::new(),
        }
    }

    /// The test of `clause`.
    ///
    /// # Panics
    /// When the clause is broken, when nothing was decided, and when the check was misused.
    #[track_caller]
    pub fn assert<S: Subject>(
        &self,
        clause: Clause,
        check: impl FnOnce() -> Check<S>,
        configure: impl FnOnce(Check<S>) -> Check<S>,
    ) {
        let others = self.skipped.iter().filter(|(id, _)| *id != clause.id());
        let prepared = |make: fn(Check<S>) -> Check<S>| {
            others.fold(configure(make(check())), |check, (id, why)| {
                check.not_claiming(id.parse().expect("the macro knows the clause"), why)
            })
        };
        let all = |report: &Report| -> Failures {
            let tests = TESTS.iter().map(|(.., clause)| *clause);
            let failures = tests.filter_map(|clause| Some((clause, failure(report, clause)?)));
            failures.collect()
        };
        // A second process of a test is there for that test alone.
        let run = shared::run_id().filter(|_| !isolate::is_errand());
        let is_skipped = self.skipped.iter().any(|(id, _)| *id == clause.id());
        let found = match run {
            _ if is_skipped => failure(&prepared(usual).only(clause).run(), clause),
            None => {
                let failures = self.failures.get_or_init(|| all(&prepared(usual).run()));
                failures.get(&clause).cloned()
            }
            Some(run) => match shared::enter(&run, self.name) {
                Ok(Known::All(mut failures)) => failures.remove(&clause),
                Ok(Known::Nothing(turn)) => {
                    let mut failures = all(&prepared(usual).run());
                    turn.leave(&failures);
                    failures.remove(&clause)
                }
                Err(_) => failure(&prepared(small).only(clause).run(), clause),
            },
        };
        if let Some(failure) = found {
            panic!("{failure}");
        }
    }
}

/// A search that takes seconds in a debug build.
fn usual<S: Subject>(check: Check<S>) -> Check<S> {
    match <S::Clock as Clockwork<S::Store>>::PASSING {
        Passing::Waiting => check,
        _ => check.usual_depth(4),
    }
}

/// One of about half a second, for a test that has to make its own.
fn small<S: Subject>(check: Check<S>) -> Check<S> {
    let check = check.seed(seed_of_the_run());
    match <S::Clock as Clockwork<S::Store>>::PASSING {
        Passing::Waiting => check.depth(2).sequences(200),
        _ => check.depth(3).sequences(1_000),
    }
}

/// Every process of a run of nextest searches the same programs: what one of them finds and leaves
/// to the test of another clause, that test finds too.
fn seed_of_the_run() -> u64 {
    let mut hasher = DefaultHasher::new();
    env::var_os("NEXTEST_RUN_ID").hash(&mut hasher);
    hasher.finish() >> 32
}

/// Why the test of `clause` fails, if it does.
fn failure(report: &Report, clause: Clause) -> Option<String> {
    if let Verdict::Misused(reason) = &report.verdict {
        return Some(reason.clone());
    }
    let finding = report
        .clauses
        .iter()
        .find(|finding| finding.clause == clause);
    let status = finding.map_or(Status::NotChecked, |finding| finding.status);
    let reason = match status {
        Status::Kept => return None,
        Status::Violated | Status::Cited => {
            let shown = report
                .violations
                .iter()
                .filter(|violation| violation.broken().any(|broken| broken == clause));
            let shown: String = shown.map(ToString::to_string).collect();
            return Some(format!("{shown}\n{}", report.verdict_line()));
        }
        Status::Vacuous => "nothing that was run could show it broken".to_owned(),
        Status::NotChecked => "the subject does not say how to restart its store".to_owned(),
        Status::Undecided => "the search for an order of overlapping calls was given up".to_owned(),
        _ => format!("say skip({clause}: \"why\") to have its test ignored"),
    };
    Some(format!(
        "{clause} is {status}: {reason}\n{}",
        clause.statement()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clause_that_is_searched_for_has_a_test() {
        let untested = [Clause::BY_CONSTRUCTION, Clause::NOT_CHECKED].concat();
        let mut searched = Clause::STORE.to_vec();
        searched.retain(|clause| !untested.contains(clause));
        let tested: Vec<Clause> = TESTS.iter().map(|(.., clause)| *clause).collect();
        assert_eq!(tested, searched);
    }

    #[test]
    fn every_test_is_named_by_its_clause() {
        for (test, id, clause) in TESTS {
            assert_eq!(*id, clause.id());
            assert_eq!(*test, id.to_lowercase().replace('-', "_"));
        }
    }
}
