//! The kit's door: what a store author calls, and what they are shown.

use session_spec::conformance::{Profile, Report, Status, Verdict, check};
use session_spec::{
    Clause, Clock, Constraint, ManualClock, MemStore, Snapshot, Store, StoreError, SystemClock,
};
use std::collections::HashMap;
use std::fs;
use std::future::poll_fn;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

/// A store as somebody might write it first: the life of an entry starts at its first commit.
struct MyStore {
    clock: ManualClock,
    entries: Mutex<HashMap<String, (Snapshot, Duration)>>,
}

impl MyStore {
    fn with_clock(clock: ManualClock) -> Self {
        let entries = Mutex::default();
        Self { clock, entries }
    }
}

impl Store for MyStore {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        let entries = self.entries.lock().unwrap();
        let live = entries
            .get(id)
            .filter(|(_, deadline)| self.clock.now() < *deadline);
        Ok(live.map(|(snapshot, _)| snapshot.clone()))
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        let refused = |constraint| StoreError::Refused {
            store: "mystore",
            constraint,
        };
        if snapshot.id().is_empty() {
            return Err(refused(Constraint::EmptyId));
        }
        if ttl.is_zero() {
            return Err(refused(Constraint::TtlNotPositive));
        }
        let now = self.clock.now();
        let mut entries = self.entries.lock().unwrap();
        let deadline = match entries.get(snapshot.id()) {
            Some((_, deadline)) if now < *deadline => *deadline,
            _ => now.saturating_add(ttl),
        };
        entries.insert(snapshot.id().to_owned(), (snapshot.clone(), deadline));
        Ok(())
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        self.entries.lock().unwrap().remove(id);
        Ok(())
    }
}

/// A store that panics when it is asked for what it has.
struct Panicking(MemStore<ManualClock>);

impl Store for Panicking {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        let found = self.0.prepare(id).await?;
        assert!(found.is_none(), "the shelf fell down");
        Ok(found)
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        self.0.commit(snapshot, ttl).await
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        Store::drop(&self.0, id).await
    }
}

fn of_my_store() -> Report {
    check(MyStore::with_clock)
        .depth(4)
        .sequences(500)
        .seed(1)
        .run()
}

/// A path in a folder of this test's own.
fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    folder.join("kept.txt")
}

#[test]
fn memstore_conforms() {
    check(MemStore::with_clock)
        .regressions("proptest-regressions/memstore.txt")
        .assert();
}

#[test]
fn a_broken_clause_is_reported_once_with_its_minimal_program() {
    let report = of_my_store();
    assert_eq!(report.verdict, Verdict::Violated);
    let [violation] = &report.violations[..] else {
        panic!("{report}");
    };
    assert_eq!(violation.clause, Clause::Com6);
    assert_eq!(
        violation.program.to_string(),
        "s1: commit A v1 ttl 1s; commit A v2 ttl 2s; advance 1s; prepare A"
    );
}

/// The report without the counts that another random generator, or other threads, would change.
fn without_counts(report: &Report) -> String {
    let is_digit = |b: u8| b.is_ascii_digit() || b == b',' || b == b'(';
    let is_number = |word: &str| word.bytes().all(is_digit);
    let is_count = |word: &str| word.len() > 2 && is_number(word);
    let lines = report.to_string();
    let mut is_luck = false;
    let lines = lines.lines().map(|line| {
        let goes_on = line.starts_with("              ") && is_luck;
        let starts = |with: &&str| line.trim_start().starts_with(with);
        is_luck = goes_on || ["CON-", "held ", "concurrent "].iter().any(starts);
        if is_luck {
            // How often threads meet, or seem to stand still, is a matter of luck.
            let words = line.split_whitespace();
            let words = words.map(|word| if is_number(word) { "(a count)" } else { word });
            return words.collect::<Vec<_>>().join(" ");
        }
        let counted =
            line.contains(" kept ") || line.contains(" VIOLATED ") || line.contains(" steps)");
        let words = line.split_inclusive([' ', '(']);
        let word = |word: &str| match is_count(word.trim_end_matches([' ', '('])) && counted {
            true => "(a count) ".to_owned(),
            false => word.to_owned(),
        };
        words.map(word).collect::<String>()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_report_of_a_broken_store_reads_well() {
    insta::assert_snapshot!(without_counts(&of_my_store()));
}

#[test]
fn the_report_of_a_right_store_reads_well() {
    let report = check(MemStore::with_clock)
        .depth(3)
        .sequences(2_000)
        .seed(1)
        .run();
    insta::assert_snapshot!(without_counts(&report));
}

#[test]
fn the_report_serializes() {
    let json = serde_json::to_value(of_my_store()).unwrap();
    assert_eq!(json["verdict"], "violated");
    insta::assert_snapshot!(serde_json::to_string_pretty(&json["violations"]).unwrap());
}

#[test]
fn the_same_seed_finds_the_same() {
    let run = |seed| {
        let check = check(|clock| Panicking(MemStore::with_clock(clock)));
        // Threads are not decided by a seed.
        let check = check.depth(0).sequences(2_000).clients(1).isolate(false);
        serde_json::to_string(&check.seed(seed).run()).unwrap()
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}

#[test]
fn err_1_a_panic_is_a_finding_and_silent() {
    let report = check(|clock| Panicking(MemStore::with_clock(clock)))
        .depth(2)
        .sequences(0)
        .run();
    let [violation] = &report.violations[..] else {
        panic!("{report}");
    };
    assert_eq!(violation.clause, Clause::Err1);
    assert!(
        report.to_string().contains("panic: the shelf fell down"),
        "{report}"
    );
}

/// The lines that say how to run a program again.
fn again(program: &str) -> String {
    format!(
        "replay   session-spec replay '{program}'\ntest     check(..).replay({program:?}).assert();\n"
    )
}

#[test]
fn err_1_a_panic_says_how_to_run_its_program_again() {
    let check = check(|clock| Panicking(MemStore::with_clock(clock)));
    let report = check.depth(2).sequences(0).run();
    let again = again("s1: commit A v1 ttl 1s; prepare A");
    assert!(report.to_string().contains(&again), "{again}\n{report}");
}

#[test]
#[should_panic(expected = "COM-6 violated")]
fn assert_panics_with_the_report() {
    check(MyStore::with_clock).depth(4).sequences(0).assert();
}

#[test]
fn a_replay_runs_just_that_program() {
    let check = || check(MyStore::with_clock);
    let right = check().replay("s1: commit A v1 ttl 1s; prepare A").run();
    assert_eq!(right.verdict, Verdict::Conforms);
    assert_eq!(
        right
            .searches
            .iter()
            .map(|search| search.programs)
            .sum::<u64>(),
        1
    );
    let wrong = check()
        .replay("commit A v1 ttl 1s; commit A v2 ttl 3s; advance 1s; prepare A")
        .run();
    assert_eq!(wrong.verdict, Verdict::Violated);
}

const OVERLAPPING: &str = "s2: together { commit A v1 ttl 1s | prepare A }; prepare A";

#[test]
fn con_1_a_replay_runs_calls_that_overlap() {
    let report = check(MemStore::with_clock).replay(OVERLAPPING).run();
    assert_eq!(report.verdict, Verdict::Conforms, "{report}");
}

/// What a check says that cannot run the program that it was given.
fn refusal(report: &Report) -> &str {
    match &report.verdict {
        Verdict::Misused(reason) => reason,
        _ => panic!("{report}"),
    }
}

#[test]
fn con_1_calls_that_overlap_are_refused_of_a_check_for_one_client() {
    let report = check(MemStore::with_clock)
        .clients(1)
        .replay(OVERLAPPING)
        .run();
    assert_eq!(
        refusal(&report),
        format!(
            "calls of this program overlap, and the check is for one client: see Check::clients\n  \
             {OVERLAPPING}"
        )
    );
}

#[test]
fn con_1_calls_that_overlap_are_refused_of_a_store_for_one_client() {
    let profile = Profile::default().one_client();
    let check = check(MemStore::with_clock).profile(profile);
    let report = check.replay(OVERLAPPING).run();
    assert_eq!(
        refusal(&report),
        format!(
            "the store is for one client at a time (Profile::one_client), and calls of this program \
             overlap\n  {OVERLAPPING}"
        )
    );
}

#[test]
fn dur_1_a_restart_is_refused_of_a_store_that_cannot_restart() {
    let report = check(MemStore::with_clock)
        .replay("s1: restart; prepare A")
        .run();
    assert!(
        refusal(&report).ends_with(", as this program wants\n  s1: restart; prepare A"),
        "{report}"
    );
}

#[test]
fn dur_1_a_restart_is_refused_in_a_program_whose_calls_overlap() {
    let program = format!("{OVERLAPPING}; restart");
    let report = check(MemStore::with_clock).replay(&program).run();
    assert_eq!(
        refusal(&report),
        format!(
            "a store cannot be restarted in a program whose calls overlap or are cancelled\n  {program}"
        )
    );
}

#[test]
fn only_the_clauses_asked_for_are_looked_for() {
    let check = || check(MyStore::with_clock).depth(4).sequences(0);
    let other = check().only(Clause::Drp1).run();
    assert_eq!(other.verdict, Verdict::Conforms, "{other}");
    assert_eq!(other.clauses.len(), 1);
    assert_eq!(check().only(Clause::Com6).run().verdict, Verdict::Violated);
}

#[test]
fn what_nothing_exercised_is_vacuous_and_undecided() {
    let report = check(MemStore::with_clock).depth(1).sequences(0).run();
    let ttl_4 = report
        .clauses
        .iter()
        .find(|finding| finding.clause == Clause::Ttl4)
        .unwrap();
    assert_eq!(ttl_4.status, Status::Vacuous);
    assert!(
        matches!(&report.verdict, Verdict::Undecided(reason) if reason.contains("TTL-4")),
        "{report}"
    );
}

#[test]
fn a_clause_without_a_search_is_undecided_when_asked_for() {
    let report = check(MemStore::with_clock)
        .depth(1)
        .sequences(0)
        .only(Clause::Con1)
        .run();
    assert!(matches!(report.verdict, Verdict::Undecided(_)), "{report}");
}

/// A store whose line breaks once, of all calls that are made: at a prepare, whose error is always seen, and
/// among those of the exhaustive search, however often clients met before.
struct Flaky(MemStore<ManualClock>, Arc<AtomicU64>);

impl Store for Flaky {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        if !id.is_empty() && self.1.fetch_add(1, Ordering::SeqCst) == 6_000 {
            return Err(StoreError::Backend {
                store: "flaky",
                source: "the line broke".into(),
            });
        }
        self.0.prepare(id).await
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        self.0.commit(snapshot, ttl).await
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        Store::drop(&self.0, id).await
    }
}

#[test]
fn err_2_an_error_that_does_not_come_again_is_no_violation() {
    let calls = Arc::<AtomicU64>::default();
    let make = move |clock| Flaky(MemStore::with_clock(clock), Arc::clone(&calls));
    let report = check(make).depth(3).sequences(1_000).seed(1).run();
    assert_eq!(report.verdict, Verdict::Conforms, "{report}");
    let mut notes = report.notes.iter();
    assert!(
        notes.any(|note| note.contains("did not come again")),
        "{report}"
    );
}

#[test]
fn misuse_is_told_and_nothing_runs() {
    let check = || check(MyStore::with_clock);
    for (misused, words) in [
        (
            check().only(Clause::Tok1),
            "TOK-1 is no clause of the store contract; those are SNP-4 PRE-1",
        ),
        (
            check().depth(8),
            "depth 8 is beyond what can be searched; the deepest is 7",
        ),
        (check().depth(0).sequences(0), "leave nothing to search"),
        (check().length(0), "a length of 1 to 100000"),
        (check().length(usize::MAX), "a length of 1 to 100000"),
        (check().sequences(usize::MAX), "would take days"),
        (
            check().replay("fetch A"),
            "line 1 column 1: no operation \"fetch\"",
        ),
        (
            check().replay("s2: together polls 1 3 { prepare A | drop A }"),
            "line 1 column 22: no client 3; clients are numbered from 1 to 2 here",
        ),
        (
            check().replay("commit nil ttl 1s"),
            "cannot be handed this program",
        ),
        (
            check().regressions("Cargo.toml"),
            "Cargo.toml:1: line 1 column 1",
        ),
        (check().regressions("src"), "cannot read"),
    ] {
        let report = misused.run();
        assert!(
            matches!(&report.verdict, Verdict::Misused(reason) if reason.contains(words)),
            "{words}\n{report}"
        );
        assert!(report.searches.is_empty());
    }
}

#[test]
fn a_setting_or_a_claim_that_cannot_be_is_named_with_its_value_and_what_is_accepted() {
    let claiming = |profile| check(MyStore::with_clock).profile(profile);
    let claims = Profile::default;
    for (misused, words) in [
        (
            check(MyStore::with_clock).patience(Duration::ZERO),
            "Check::patience is 0s; it is at least 1ns and at most max",
        ),
        (
            check(MyStore::with_clock).tick(Duration::MAX),
            "Check::tick is max; it is at least 1ns and at most 2592000s",
        ),
        (
            check(MyStore::with_clock).tick(Duration::ZERO),
            "Check::tick is 0s; it is at least 1ns",
        ),
        (
            claiming(claims().resolution(Duration::MAX)),
            "Profile::resolution is max; it is at least 0s and at most 1296000s",
        ),
        (
            claiming(claims().uncertainty(Duration::MAX)),
            "Profile::uncertainty is max",
        ),
        (
            claiming(claims().horizon(Duration::ZERO)),
            "Profile::horizon is 0s; it is at least 1ns",
        ),
        (
            claiming(claims().depth(1_000)),
            "Profile::depth is 1000; values nest no deeper than 125 levels",
        ),
        (
            claiming(claims().size(1)),
            "Profile::size is 1; small snapshots",
        ),
        (
            claiming(claims().refuses_characters("\0v")),
            "Profile::refuses_characters has 'v'; it has no letters and digits of ASCII, '@' or '.'",
        ),
        (
            claiming(claims().ids(|_| ["a", "b"].map(str::to_owned))),
            "Profile::ids gives 2 different ids for all numbers below 256; programs need 4",
        ),
        (
            claiming(claims().ids(|number| [number, number].map(|id| id.to_string()))),
            "Profile::ids gives \"0\" and \"0\" for 0; the ids of a pair differ",
        ),
        (
            claiming(claims().ids(|_| panic!("no ids today"))),
            "Profile::ids panicked for 0: no ids today",
        ),
    ] {
        let report = misused.run();
        let Verdict::Misused(reason) = &report.verdict else {
            panic!("{words}\n{report}");
        };
        assert!(reason.starts_with(words), "{words}\n{reason}");
        assert!(report.searches.is_empty());
    }
}

/// What Rust's types rule out is not checked, and neither is what is not claimed.
#[test]
fn a_clause_that_was_asked_for_and_not_checked_is_undecided() {
    let only = |clause, profile| {
        let check = check(MemStore::with_clock).profile(profile);
        check.depth(2).sequences(100).only(clause).run().verdict
    };
    let unclaimed = Profile::default().unclaimed(Clause::Com4, "it deletes first");
    for (clause, profile) in [
        (Clause::Com1, Profile::default()),
        (Clause::Com4, unclaimed),
    ] {
        let verdict = only(clause, profile);
        let is_named = |why: &String| why.ends_with(clause.id());
        assert!(
            matches!(&verdict, Verdict::Undecided(why) if is_named(why)),
            "{verdict:?}"
        );
    }
    assert_eq!(only(Clause::Com4, Profile::default()), Verdict::Conforms);
}

#[test]
fn a_store_that_cannot_be_made_is_no_finding_and_says_why() {
    let unable = |_: ManualClock| -> MemStore { panic!("DATABASE_URL must be set") };
    let report = check(unable).run();
    let why = "there is no store to check: making one panicked: DATABASE_URL must be set";
    assert!(
        matches!(&report.verdict, Verdict::Misused(reason) if reason.starts_with(why)),
        "{report}"
    );
}

/// What panics is not the store, so none of its clauses is broken.
#[test]
fn a_panic_of_the_users_own_code_is_told_and_ends_the_check() {
    let made = AtomicU64::new(0);
    let unable = move |clock| -> MemStore<ManualClock> {
        match made.fetch_add(1, Ordering::SeqCst) {
            500.. => panic!("no more memory"),
            _ => MemStore::with_clock(clock),
        }
    };
    let listening = check(MemStore::with_clock).on_progress(|_| panic!("the terminal is gone"));
    for (report, why) in [
        (
            check(unable).run(),
            "there is no store to check: making one panicked: no more memory",
        ),
        (
            listening.run(),
            "Check::on_progress panicked: the terminal is gone",
        ),
    ] {
        let Verdict::Misused(reason) = &report.verdict else {
            panic!("{why}\n{report}");
        };
        assert!(reason.starts_with(why), "{reason}");
    }
}

/// A store that cannot be let go of.
struct Clinging(MemStore<ManualClock>);

impl Drop for Clinging {
    fn drop(&mut self) {
        panic!("it clings");
    }
}

impl Store for Clinging {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        self.0.prepare(id).await
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        self.0.commit(snapshot, ttl).await
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        Store::drop(&self.0, id).await
    }
}

#[test]
fn err_1_a_store_that_panics_when_it_goes_is_a_finding() {
    let report = check(|clock| Clinging(MemStore::with_clock(clock)))
        .depth(2)
        .sequences(500)
        .run();
    let [violation] = &report.violations[..] else {
        panic!("{report}");
    };
    assert_eq!(violation.clause, Clause::Err1);
    assert!(report.to_string().contains("panic: it clings"), "{report}");
}

/// A store that needs a runtime which `check` does not have.
struct Networked(MemStore<ManualClock>);

impl Store for Networked {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        tokio::time::sleep(Duration::ZERO).await;
        self.0.prepare(id).await
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        self.0.commit(snapshot, ttl).await
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        Store::drop(&self.0, id).await
    }
}

#[test]
fn a_store_that_needs_a_runtime_is_no_finding_and_told_how_to_have_one() {
    let make = |clock| Networked(MemStore::with_clock(clock));
    let report = check(make).depth(2).sequences(100).run();
    let Verdict::Misused(reason) = &report.verdict else {
        panic!("{report}");
    };
    assert!(
        reason.starts_with("the store needs a Tokio runtime") && reason.contains("`check_subject`"),
        "{reason}"
    );
}

#[test]
fn a_failing_program_is_kept_once_and_replayed_first() {
    let file = scratch("kept");
    let check = || check(MyStore::with_clock).seed(1).regressions(&file);
    check().depth(4).sequences(0).run();
    let kept = fs::read_to_string(&file).unwrap();
    let program = "s1: commit A v1 ttl 1s; commit A v2 ttl 2s; advance 1s; prepare A";
    assert_eq!(
        kept.lines().filter(|line| *line == program).count(),
        1,
        "{kept}"
    );
    assert!(kept.contains("# COM-6 broken, seed 1"), "{kept}");

    let again = check().depth(4).sequences(0).run();
    assert_eq!(again.violations[0].search, "regressions");
    assert_eq!(fs::read_to_string(&file).unwrap(), kept);
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_that_cannot_be_written_does_not_hide_what_was_found() {
    let nowhere = "/proc/session-spec/kept.txt";
    let report = check(MyStore::with_clock)
        .depth(4)
        .sequences(0)
        .regressions(nowhere)
        .run();
    assert_eq!(report.verdict, Verdict::Violated);
    assert!(report.notes[0].starts_with("cannot write /proc/session-spec/kept.txt: "));
}

#[test]
fn a_store_that_conforms_writes_nothing() {
    let file = scratch("clean");
    check(MemStore::with_clock)
        .depth(3)
        .sequences(500)
        .regressions(&file)
        .assert();
    assert!(!file.exists());
}

/// A store whose prepare wakes itself again and again.
struct Spins {
    store: MemStore<ManualClock>,
    /// Counts the stores that are not dropped yet.
    _alive: Arc<()>,
}

impl Store for Spins {
    async fn prepare(&self, _: &str) -> Result<Option<Snapshot>, StoreError> {
        poll_fn(|context| {
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        self.store.commit(snapshot, ttl).await
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        Store::drop(&self.store, id).await
    }
}

/// So it keeps no core from what comes after the check: the threads let go of their stores.
#[test]
fn err_1_a_call_that_never_sleeps_ends_with_its_check() {
    const LONG: Duration = Duration::from_secs(60);
    let stores = Arc::<()>::default();
    let all = Arc::clone(&stores);
    let make = move |clock| Spins {
        store: MemStore::with_clock(clock),
        _alive: Arc::clone(&all),
    };
    let patience = Duration::from_millis(200);
    let report = check(make).depth(2).patience(patience).isolate(false).run();
    assert_eq!(report.verdict, Verdict::Violated, "{report}");
    let clock = SystemClock::new();
    // The one of the function that makes them is gone with the check.
    while Arc::strong_count(&stores) > 1 {
        assert!(clock.now() < LONG, "some go on");
        std::thread::yield_now();
    }
}

/// It is not the store's fault, nor the kit's.
#[test]
fn ids_that_panic_after_thousands_are_misuse() {
    let profile = Profile::default().ids(|number| {
        assert!(number < 3_000, "no more ids");
        ["a", "b"].map(|letter| format!("{letter}{number}"))
    });
    let report = check(MemStore::with_clock).profile(profile).run();
    match &report.verdict {
        Verdict::Misused(reason) => {
            assert!(reason.starts_with("Profile::ids panicked for "), "{reason}");
            assert!(reason.ends_with(": no more ids"), "{reason}");
        }
        other => panic!("{other:?}\n{report}"),
    }
}

#[test]
fn progress_is_told_of_both_searches() {
    static TOLD: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];
    let check = check(MemStore::with_clock)
        .depth(3)
        .sequences(500)
        .on_progress(|progress| {
            let which = usize::from(progress.search == "random");
            TOLD[which].fetch_max(progress.done, Ordering::Relaxed);
            assert!(progress.done <= progress.total);
            assert_eq!(progress.left.is_some(), progress.done > 0);
        });
    check.assert();
    assert_eq!(TOLD[1].load(Ordering::Relaxed), 500);
    assert!(TOLD[0].load(Ordering::Relaxed) > 0);
}

#[test]
fn the_readme_shows_a_counterexample_as_it_is_printed() {
    let readme = include_str!("../README.md");
    let violation = check(MyStore::with_clock)
        .depth(4)
        .sequences(0)
        .run()
        .violations[0]
        .to_string();
    assert!(
        readme.contains(&violation),
        "README.md does not have\n{violation}"
    );
}

/// A store that never returns when an entry is dropped for the second time.
struct Hanging {
    store: MemStore<ManualClock>,
    dropped: Mutex<Vec<String>>,
    /// Whether it blocks its thread, and not only its task.
    blocks: bool,
}

impl Hanging {
    fn check(blocks: bool) -> Report {
        let make = move |clock| Self {
            store: MemStore::with_clock(clock),
            dropped: Mutex::default(),
            blocks,
        };
        check(make)
            .depth(3)
            .patience(Duration::from_secs(2))
            .seed(1)
            .run()
    }

    fn is_again(&self, id: &str) -> bool {
        let mut dropped = self.dropped.lock().unwrap();
        let again = dropped.iter().any(|known| known == id);
        dropped.push(id.to_owned());
        again
    }
}

impl Store for Hanging {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        self.store.prepare(id).await
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        self.store.commit(snapshot, ttl).await
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        let again = self.is_again(id);
        if again && self.blocks {
            loop {
                std::thread::park();
            }
        } else if again {
            std::future::pending::<()>().await;
        }
        Store::drop(&self.store, id).await
    }
}

#[test]
fn err_1_a_store_that_hangs_is_reported_with_the_call_it_hung_in() {
    for blocks in [false, true] {
        let report = Hanging::check(blocks);
        let [violation] = &report.violations[..] else {
            panic!("{report}");
        };
        assert_eq!(violation.clause, Clause::Err1);
        assert_eq!(violation.program.to_string(), "s1: drop A; drop A");
        let text = report.to_string();
        assert!(
            text.contains("no reply within 2s   <- expected done"),
            "{text}"
        );
        assert!(text.contains("the check ended at that call, in the scenarios search"));
    }
}

#[test]
fn err_1_a_hang_says_how_to_run_its_program_again() {
    let report = Hanging::check(true);
    let again = again("s1: drop A; drop A");
    assert!(report.to_string().contains(&again), "{again}\n{report}");
}
