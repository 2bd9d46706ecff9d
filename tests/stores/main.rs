//! Real stores of the tower-sessions ecosystem, behind the bridge, against the contract. What they
//! break is pinned here and listed in the README.
//!
//! The bridge's own header ([`session_spec::tower`]) says how it maps the contract and what it
//! cannot show. Nobody can move the clock of these stores, so the kit waits for it.

mod older_core;
#[path = "../yielding/mod.rs"]
mod yielding;

use older_core::OnOlderCore;
use session_spec::conformance::{Profile, Report, Subject, Verdict, Waiting, check_subject};
use session_spec::store::BoxError;
use session_spec::{Clause, SystemClock, TowerStore, WallClock};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use std::{fs, process};
use tokio::runtime::{Builder, Runtime};
use tower_sessions_memory_store::MemoryStore;
use tower_sessions_moka_store::MokaStore;
use tower_sessions_sqlx_store::SqliteStore;
use yielding::Yielding;

fn violated(report: &Report) -> Vec<Clause> {
    report
        .violations
        .iter()
        .map(|violation| violation.clause)
        .collect()
}

struct Memory;

impl Subject for Memory {
    type Store = Yielding<TowerStore<MemoryStore>>;
    type Clock = Waiting;

    async fn fresh(&self) -> Result<(Self::Store, Waiting), BoxError> {
        let store = TowerStore::new(MemoryStore::default());
        Ok((Yielding(store), Waiting))
    }
}

#[test]
fn tower_sessions_memory_store_0_15_0_conforms() {
    let report = check_subject(Memory).run();
    assert_eq!(report.verdict, Verdict::Conforms, "{report}");
}

struct Moka;

impl Subject for Moka {
    type Store = Yielding<TowerStore<OnOlderCore<MokaStore>>>;
    type Clock = Waiting;

    async fn fresh(&self) -> Result<(Self::Store, Waiting), BoxError> {
        let store = TowerStore::new(OnOlderCore(MokaStore::new(None)));
        Ok((Yielding(store), Waiting))
    }
}

/// On insertion the store turns the expiry date into a duration from now, and moka counts that from a
/// reading of its clock just before: an entry expires early by as long as the thread stood still
/// between the two. So what it keeps, it keeps up to such a stall. (`MokaStore`:
/// `expiry_date_to_duration`, called by moka with `created_at`.)
#[test]
fn tower_sessions_moka_store_0_15_0_conforms_up_to_a_stall_between_two_readings_of_the_clock() {
    let stall = Duration::from_millis(400);
    let report = check_subject(Moka)
        .profile(Profile::default().uncertainty(stall))
        .tick(4 * stall)
        .depth(2)
        .sequences(200)
        .length(8)
        .run();
    assert_eq!(report.verdict, Verdict::Conforms, "{report}");
}

/// One database; every program has a table of its own in it. It is a file, since a cancelled call may
/// close its connection, and a database in memory goes with that.
struct Sqlite<C> {
    runtime: Runtime,
    pool: SqlitePool,
    file: PathBuf,
    tables: AtomicU64,
    clock: C,
    profile: Profile,
}

/// How many databases there are.
static FILES: AtomicU64 = AtomicU64::new(0);

impl<C> Sqlite<C> {
    fn new(clock: C, profile: Profile) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime starts");
        let number = FILES.fetch_add(1, Ordering::Relaxed);
        let name = format!("session-spec-{}-{number}.sqlite", process::id());
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let options = SqliteConnectOptions::new()
            .filename(&file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Memory)
            .synchronous(SqliteSynchronous::Off);
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options);
        let pool = runtime
            .block_on(pool)
            .expect("SQLite opens a database in a file");
        Self {
            runtime,
            pool,
            file,
            tables: AtomicU64::new(0),
            clock,
            profile,
        }
    }
}

impl<C> Drop for Sqlite<C> {
    fn drop(&mut self) {
        self.runtime.block_on(self.pool.close());
        let _ = fs::remove_file(&self.file);
    }
}

impl<C: WallClock + Clone + 'static> Subject for Sqlite<C> {
    type Store = TowerStore<OnOlderCore<SqliteStore>, C>;
    type Clock = Waiting;

    async fn fresh(&self) -> Result<(Self::Store, Waiting), BoxError> {
        let number = self.tables.fetch_add(1, Ordering::Relaxed);
        let store =
            SqliteStore::new(self.pool.clone()).with_table_name(format!("sessions_{number}"))?;
        store.migrate().await?;
        Ok((
            TowerStore::with_clock(OnOlderCore(store), self.clock.clone()),
            Waiting,
        ))
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    fn profile(&self) -> Profile {
        self.profile.clone()
    }
}

#[test]
fn tower_sessions_sqlx_store_0_15_0_on_sqlite_conforms_for_deadlines_in_nanoseconds() {
    let sqlite = Sqlite::new(SystemClock::new(), Profile::default());
    let report = check_subject(sqlite).depth(1).sequences(200).seed(1).run();
    println!("{report}");
    assert_eq!(report.verdict, Verdict::Conforms, "{report}");
}

/// The calendar in whole steps, as an application has it that keeps its deadlines in seconds.
#[derive(Clone, Copy)]
struct Steps(Duration);

impl WallClock for Steps {
    fn system_time(&self) -> SystemTime {
        let since = SystemClock::new()
            .system_time()
            .duration_since(SystemTime::UNIX_EPOCH);
        let since = since.expect("it is later than 1970");
        let over = since.as_nanos() % self.0.as_nanos();
        let over = Duration::from_nanos(u64::try_from(over).expect("it is below a step"));
        SystemTime::UNIX_EPOCH + since.saturating_sub(over)
    }
}

/// The store compares dates as text, in RFC 3339. There a whole second ends in `20Z` and a later
/// moment of that second in `20.5Z`, which sorts before it: `Z` comes after `.`. The same happens
/// between a date in tenths and a finer one. (`SqliteStore::load`: `expiry_date > ?`, both text.)
#[test]
fn ttl_2_sqlx_store_0_15_0_on_sqlite_keeps_what_expires_on_a_whole_second_for_up_to_one_more() {
    let step = Duration::from_millis(100);
    let sqlite = Sqlite::new(Steps(step), Profile::default().uncertainty(step));
    let report = check_subject(sqlite)
        .tick(Duration::from_millis(400))
        .replay("s1: commit A v1 ttl 400ms; advance 800ms; prepare A")
        .run();
    assert_eq!(violated(&report), [Clause::Ttl2], "{report}");
}
