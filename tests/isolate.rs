//! Stores that end the process they run in: a finding, and not the end of the check.

use serde_json::Value;
use session_spec::conformance::{Check, Outcome, Profile, Report, Subject, Verdict, check};
use session_spec::{Clause, ManualClock, MemStore, Snapshot, Store, StoreError};
use std::hint::black_box;
use std::process;
use std::time::Duration;

/// `MemStore`, but for what it does with a snapshot before it commits it, and with an id before it
/// prepares it.
struct Deadly {
    store: MemStore<ManualClock>,
    commit: fn(&Snapshot),
    prepare: fn(&str),
}

impl Store for Deadly {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        (self.prepare)(id);
        self.store.prepare(id).await
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        (self.commit)(snapshot);
        self.store.commit(snapshot, ttl).await
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        Store::drop(&self.store, id).await
    }
}

fn deadly(commit: fn(&Snapshot), prepare: fn(&str)) -> Check<impl Subject> {
    let make = move |clock| Deadly {
        store: MemStore::with_clock(clock),
        commit,
        prepare,
    };
    check(make).depth(2).sequences(300).seed(1)
}

/// Goes down into lists, with 16 KiB on the stack for each.
fn descend(value: &Value) -> usize {
    let page = black_box([0_u8; 1 << 14]);
    let inside = match value {
        Value::Array(items) => items.iter().map(descend).max().unwrap_or(0),
        _ => 0,
    };
    inside + black_box(page).len()
}

fn descend_all(snapshot: &Snapshot) {
    for (_, value) in snapshot.data().iter() {
        black_box(descend(value));
    }
}

fn nothing(_: &str) {}

/// The violation, with one list for however many: that depends on how large frames are, and so does
/// which program was the first.
fn without_depth(report: &Report) -> String {
    let [violation] = &report.violations[..] else {
        panic!("{report}");
    };
    let mut text = violation.to_string();
    while text.contains("[[") {
        text = text.replace("[[", "[").replace("]]", "]");
    }
    let is_same = |line: &&str| !line.starts_with("found") && !line.starts_with("near");
    let lines = text.lines().filter(is_same);
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn err_1_an_overflow_of_the_stack_is_a_finding() {
    let report = deadly(descend_all, nothing).run();
    let violation = &report.violations[0];
    assert_eq!(violation.clause, Clause::Err1, "{report}");
    assert_eq!(violation.got, Outcome::Died("stack overflow".to_owned()));
    insta::assert_snapshot!(without_depth(&report));
    // The rest was searched all the same, with values that are not as deep.
    let searches: Vec<&str> = report.searches.iter().map(|search| search.name).collect();
    let all = [
        "isolated",
        "scenarios",
        "exhaustive",
        "notorious",
        "calendar",
        "repeated",
        "random",
        "schedules",
        "held",
        "concurrent",
        "cancelled",
    ];
    assert_eq!(searches, all);
    assert!(
        report.searches[6]
            .claim
            .contains("any supported JSON value")
    );
}

#[test]
fn err_1_a_program_that_ends_its_process_is_shrunk() {
    let report = deadly(descend_all, nothing).run();
    let program = report.violations[0].program.to_string();
    assert_eq!(report.violations[0].program.ops().len(), 1, "{program}");
    let near = report.violations[0].near_miss.as_deref();
    assert!(near.is_some_and(|near| near.ends_with("with one level less the process goes on")));
    // A thread has room for no more than 128 times 16 KiB.
    let depth = program.matches('[').count();
    assert!((8..=124).contains(&depth), "{program}");
}

/// A depth that the store does not claim it may refuse, and that is all.
#[test]
fn err_1_a_value_that_is_not_claimed_ends_no_process_either() {
    fn depth(value: &Value) -> usize {
        match value {
            Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
            Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
            _ => 0,
        }
    }
    let exits = |snapshot: &Snapshot| {
        if snapshot.data().iter().any(|(_, value)| depth(value) > 6) {
            process::exit(3);
        }
    };
    let profile = Profile::default().depth(4);
    let report = deadly(exits, nothing).profile(profile).run();
    let [violation] = &report.violations[..] else {
        panic!("{report}");
    };
    assert_eq!(violation.clause, Clause::Err1, "{report}");
    assert_eq!(violation.program.to_string().matches('[').count(), 7);
    // What is not as deep was run in this process, in two programs each.
    let mut searches = report.searches.iter();
    let beyond = searches.find(|search| search.name == "unsupported");
    assert_eq!(beyond.map(|search| search.programs), Some(6), "{report}");
}

#[test]
fn err_1_an_abort_at_some_ids_is_a_finding() {
    let aborts = |id: &str| {
        if id.contains('%') {
            process::abort();
        }
    };
    let report = deadly(|_| {}, aborts).run();
    assert_eq!(report.violations[0].clause, Clause::Err1, "{report}");
    let program = report.violations[0].program.to_string();
    assert_eq!(program, r#"s1: prepare "%""#);
    // Random programs have such ids.
    assert!(report.searches.iter().all(|search| search.name != "random"));
    assert!(
        report.notes[0].starts_with("no random programs were run"),
        "{report}"
    );
}

#[test]
fn err_1_a_store_that_always_ends_its_process_does_not_end_the_check() {
    let report = deadly(|_| process::exit(3), nothing).run();
    assert_eq!(report.violations.len(), 1, "{report}");
    let violation = &report.violations[0];
    assert_eq!(violation.program.to_string(), "s1: commit A v1 ttl 1s");
    assert_eq!(violation.got, Outcome::Died("exit status: 3".to_owned()));
    assert!(
        report.notes[0].starts_with("nothing else was run"),
        "{report}"
    );
}

#[test]
fn a_program_that_ends_its_process_can_be_replayed() {
    let exits = || deadly(|_| process::exit(3), nothing);
    let report = exits().replay("s1: commit A v1 ttl 1s; prepare A").run();
    assert_eq!(report.verdict, Verdict::Violated, "{report}");
    assert_eq!(report.violations[0].program.ops().len(), 1);
}

#[test]
fn the_second_check_of_a_test_has_a_process_of_its_own_too() {
    check(MemStore::with_clock)
        .depth(1)
        .sequences(10)
        .seed(1)
        .assert();
    let report = deadly(|_| process::exit(3), nothing).run();
    assert_eq!(report.verdict, Verdict::Violated, "{report}");
    // But not a third: in the second process, the second check has not failed.
    let report = check(MemStore::with_clock)
        .depth(1)
        .sequences(10)
        .seed(1)
        .run();
    assert!(
        report.notes[0].starts_with("values nested deeply"),
        "{report}"
    );
}

/// Each process comes to all the checks before, so that hundreds would take minutes.
#[test]
fn no_more_than_eight_checks_of_a_test_have_processes_of_their_own() {
    let searched = || {
        let report = check(MemStore::with_clock)
            .depth(1)
            .sequences(10)
            .seed(1)
            .run();
        report.searches.first().map(|search| search.name)
    };
    let searched: Vec<_> = (0..9).map(|_| searched()).collect();
    assert_eq!(searched[..8], [Some("isolated"); 8]);
    assert_eq!(searched[8], Some("scenarios"));
}

#[test]
fn a_check_that_is_told_not_to_start_a_process_says_what_that_means() {
    let report = check(MemStore::with_clock).isolate(false).depth(1).run();
    assert!(
        report.notes[0].starts_with("values nested deeply"),
        "{report}"
    );
    assert_eq!(report.verdict, Verdict::Conforms);
}
