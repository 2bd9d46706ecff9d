//! Sessions, clause by clause.

mod block_on;
mod faulty;

use block_on::block_on;
use faulty::Faulty;
use session_spec::session_model::Fault;
use session_spec::{
    Data, DataError, DecodeError, ManualClock, MemStore, Model, Op, Session, Snapshot, Store,
    StoreError, User, token,
};
use std::fmt::{Debug, Display};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

const TTL: Duration = Duration::from_secs(60);

fn memstore() -> MemStore<ManualClock> {
    MemStore::with_clock(ManualClock::new())
}

fn alice() -> User {
    User::new("alice@example.com")
}

fn with_data() -> Session {
    let mut session = Session::new();
    session.set("cart", [3, 5]).unwrap();
    session
}

/// Both tokens.
fn tokens(session: &Session) -> [String; 2] {
    [session.id(), session.csrf_token()].map(str::to_owned)
}

/// Whether none of `after` is one of `before`.
fn fresh(before: &[String; 2], after: &[String; 2]) -> bool {
    after.iter().all(|token| !before.contains(token)) && after[0] != after[1]
}

fn resolves(store: &impl Store, id: &str) -> bool {
    block_on(store.prepare(id)).unwrap().is_some()
}

fn save(session: &mut Session, store: &impl Store) -> Result<(), StoreError> {
    block_on(session.save(store, TTL))
}

#[test]
fn ses_1_a_new_session_is_nobodys_and_empty() {
    let session = Session::new();
    assert_eq!(session.user(), None);
    assert!(!session.is_authenticated());
    assert!(session.data().is_empty());
}

#[test]
fn ses_1_a_new_session_has_tokens_of_its_own() {
    let (one, other) = (tokens(&Session::new()), tokens(&Session::default()));
    assert!(fresh(&one, &other));
    assert!(one.iter().all(|token| token::is_token(token)));
}

#[test]
fn ses_2_setting_the_first_user_attaches_the_user() {
    let mut session = Session::new();
    session.set_user(alice());
    assert_eq!(session.user(), Some(&alice()));
    assert!(session.is_authenticated());
}

#[test]
fn ses_2_setting_the_first_user_gives_fresh_tokens() {
    let mut session = Session::new();
    let before = tokens(&session);
    session.set_user(alice());
    assert!(fresh(&before, &tokens(&session)));
}

#[test]
fn ses_2_setting_the_first_user_keeps_the_data() {
    let mut session = with_data();
    session.set_user(alice());
    assert_eq!(session.data(), with_data().data());
}

#[test]
fn ses_3_setting_another_user_replaces_the_user() {
    let mut session = Session::new();
    session.set_user(alice());
    session.set_user(User::new("bob@example.com"));
    assert_eq!(session.user(), Some(&User::new("bob@example.com")));
}

#[test]
fn ses_3_setting_another_user_keeps_the_tokens() {
    let mut session = Session::new();
    session.set_user(alice());
    let before = tokens(&session);
    session.set_user(User::new("bob@example.com"));
    assert_eq!(tokens(&session), before);
}

#[test]
fn ses_4_rotating_gives_fresh_tokens() {
    let mut session = Session::new();
    let before = tokens(&session);
    session.rotate();
    assert!(fresh(&before, &tokens(&session)));
}

#[test]
fn ses_4_rotating_keeps_user_and_data() {
    let mut session = with_data();
    session.set_user(alice());
    session.rotate();
    assert_eq!(session.user(), Some(&alice()));
    assert_eq!(session.data(), with_data().data());
}

#[test]
fn ses_5_set_replaces_and_get_returns_the_last() {
    let mut session = Session::new();
    session.set("k", "first").unwrap();
    session.set("k", 2).unwrap();
    assert_eq!(session.get("k"), Ok(Some(2)));
}

#[test]
fn ses_5_delete_removes() {
    let mut session = with_data();
    assert!(session.delete("cart"));
    assert_eq!(session.get::<Vec<u8>>("cart"), Ok(None));
}

#[test]
fn ses_5_an_absent_key_reads_as_nothing_and_deletes_as_a_no_op() {
    let mut session = with_data();
    assert_eq!(session.get::<u8>("absent"), Ok(None));
    assert!(!session.delete("absent"));
    assert_eq!(session.data(), with_data().data());
}

#[test]
fn ses_5_a_value_read_as_the_wrong_type_is_an_error_and_stays() {
    let session = with_data();
    let wrong = session.get::<String>("cart");
    assert!(matches!(wrong, Err(DataError::WrongType { .. })));
    assert_eq!(session.get("cart"), Ok(Some([3, 5])));
}

#[test]
fn ses_5_a_refused_value_leaves_the_old_one() {
    let mut session = with_data();
    assert!(session.set("cart", f64::NAN).is_err());
    assert_eq!(session.data(), with_data().data());
}

#[test]
fn ses_6_reading_changes_nothing() {
    let session = with_data();
    let before = session.snapshot();
    let _ = session.user();
    let _ = session.is_authenticated();
    let _ = session.get::<String>("cart");
    let _ = session.get::<String>("absent");
    let _ = session.verify_csrf_token("guess");
    assert!(session.snapshot().shares_with(&before));
}

/// That they cannot write to it is the `compile_fail` example of `Session`.
#[test]
fn ses_7_a_shared_session_is_read_by_many() {
    let session = &with_data();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(move || assert_eq!(session.get("cart"), Ok(Some([3, 5]))));
        }
    });
}

/// Every type of the crate that can hold a real session's tokens, or an error about one.
#[test]
fn ses_8_no_debug_output_shows_a_token() {
    let session = with_data();
    let snapshot = session.snapshot();
    let id = || session.id().to_owned();
    let prepare = Op::Prepare { id: id() };
    let commit = Op::Commit {
        snapshot: Some(snapshot.clone()),
        ttl: 1,
    };
    let store = memstore();
    block_on(store.commit(&snapshot, TTL)).unwrap();
    let mut model = Model::default();
    model.step(&commit);
    let found = model.step(&prepare);

    let shown: [&dyn Debug; 10] = [
        &session,
        &snapshot,
        &prepare,
        &commit,
        &Op::Drop { id: id() },
        &found.reply,
        &found,
        &model,
        &store,
        &block_on(store.prepare(session.id())),
    ];
    for (nth, debug) in shown.into_iter().enumerate() {
        for text in [format!("{debug:?}"), format!("{debug:#?}")] {
            assert!(shows_no_token(&text, &session), "number {nth}: {text}");
        }
    }
}

#[test]
fn ses_8_no_error_text_shows_a_token() {
    let mut session = with_data();
    let wire = session.snapshot().encode();
    let (whole, half) = (&wire[..], &wire[..wire.len() / 2]);
    // A number where a string has to be, right after the id.
    let wrong = String::from_utf8_lossy(whole).replace(r#""csrf_token":""#, r#""csrf_token":1,""#);
    let id = session.id().to_owned();
    let token_as_value = {
        let mut data = Data::default();
        data.set("k", &id).unwrap();
        data.get::<u8>("k").unwrap_err()
    };

    shows_nothing_of(&session, &Snapshot::decode("another", whole).unwrap_err());
    shows_nothing_of(&session, &Snapshot::decode(&id, half).unwrap_err());
    shows_nothing_of(
        &session,
        &Snapshot::decode(&id, wrong.as_bytes()).unwrap_err(),
    );
    shows_nothing_of(&session, &token_as_value);
    let snapshot = session.snapshot();
    let confused = Answering(move || Ok(Some(snapshot.clone())));
    let loaded = block_on(Session::load(&confused, "another")).unwrap_err();
    shows_nothing_of(&session, &loaded);
    let refused = block_on(session.save(&memstore(), Duration::ZERO)).unwrap_err();
    shows_nothing_of(&session, &refused);
    let failing = Faulty::new(memstore());
    failing.plan(Some(Fault::CallLost), []);
    let failed = save(&mut session, &failing).unwrap_err();
    shows_nothing_of(&session, &failed);
}

fn shows_nothing_of(session: &Session, error: &(impl Debug + Display)) {
    for text in [
        format!("{error}"),
        format!("{error:#}"),
        format!("{error:?}"),
        format!("{error:#?}"),
    ] {
        assert!(shows_no_token(&text, session), "{text}");
    }
}

/// Not even a part of one: no eight characters in a row.
fn shows_no_token(text: &str, session: &Session) -> bool {
    let shown = |part: &[u8]| text.contains(std::str::from_utf8(part).unwrap());
    let tokens = tokens(session);
    !tokens
        .iter()
        .any(|token| token.as_bytes().windows(8).any(shown))
}

#[test]
fn ses_9_the_csrf_token_verifies() {
    let session = Session::new();
    assert!(session.verify_csrf_token(session.csrf_token()));
}

#[test]
fn ses_9_nothing_but_the_csrf_token_verifies() {
    let session = Session::new();
    let token = session.csrf_token();
    let changed = |at: usize| {
        let other = if token.as_bytes()[at] == b'A' {
            "B"
        } else {
            "A"
        };
        format!("{}{other}{}", &token[..at], &token[at + 1..])
    };
    for wrong in [
        "",
        session.id(),
        &token[..31],
        &token[1..],
        &format!("{token}A"),
        &format!("{token}\0"),
        &changed(0),
        &changed(31),
    ] {
        assert!(!session.verify_csrf_token(wrong), "{wrong:?}");
    }
}

/// Or a visitor without a token would pass, once a foreign writer has left a session without one.
#[test]
fn ses_9_an_empty_csrf_token_verifies_nothing() {
    let session = Session::from_snapshot(Snapshot::new("id", "", None, Data::default()));
    assert!(!session.verify_csrf_token(""));
}

#[test]
fn ses_9_after_a_rotation_the_old_csrf_token_does_not_verify() {
    let mut session = Session::new();
    let old = session.csrf_token().to_owned();
    session.rotate();
    assert!(!session.verify_csrf_token(&old));
}

#[test]
fn snp_1_a_session_made_from_a_sessions_snapshot_is_that_session() {
    let mut session = with_data();
    session.set_user(alice());
    let copy = Session::from_snapshot(session.snapshot());
    assert_eq!(copy.snapshot(), session.snapshot());
}

#[test]
fn snp_2_taking_a_snapshot_copies_nothing() {
    let session = with_data();
    assert!(session.snapshot().shares_with(&session.snapshot()));
}

#[test]
fn snp_2_writing_to_a_session_leaves_its_snapshot_alone() {
    let mut session = with_data();
    let snapshot = session.snapshot();
    session.set("cart", [7]).unwrap();
    session.set_user(alice());
    assert_eq!(snapshot.data(), with_data().data());
    assert_eq!(snapshot.user(), None);
}

/// The state's other parts do not cost a copy of the data.
#[test]
fn snp_2_rotating_and_logging_in_share_the_data() {
    let mut session = with_data();
    let before = session.snapshot();
    session.rotate();
    session.set_user(alice());
    assert!(session.data().shares_with(before.data()));
}

/// Answers every prepare in the same way, and takes nothing.
struct Answering<F>(F);

impl<F> Store for Answering<F>
where
    F: Fn() -> Result<Option<Snapshot>, StoreError> + Send + Sync,
{
    async fn prepare(&self, _: &str) -> Result<Option<Snapshot>, StoreError> {
        self.0()
    }

    async fn commit(&self, _: &Snapshot, _: Duration) -> Result<(), StoreError> {
        Ok(())
    }

    async fn drop(&self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }
}

#[test]
fn snp_5_another_ids_snapshot_does_not_load() {
    let confused = Answering(|| Ok(Some(Session::new().snapshot())));
    assert!(matches!(
        block_on(Session::load(&confused, "another")),
        Err(StoreError::Undecodable {
            source: DecodeError::OtherId,
            ..
        })
    ));
}

#[test]
fn err_2_a_store_that_cannot_answer_loads_no_fresh_session() {
    let down = Answering(|| {
        Err(StoreError::Backend {
            store: "down",
            source: "no route to host".into(),
        })
    });
    let loaded = block_on(Session::load(&down, "id"));
    assert!(matches!(loaded, Err(StoreError::Backend { .. })));
}

#[test]
fn a_live_id_loads_its_session() {
    let store = memstore();
    let mut session = with_data();
    session.set_user(alice());
    save(&mut session, &store).unwrap();
    let loaded = block_on(Session::load(&store, session.id())).unwrap();
    assert_eq!(loaded.snapshot(), session.snapshot());
}

/// Else whoever plants an id in a visitor's browser knows the id of the session to come.
#[test]
fn an_id_that_gives_nothing_is_not_taken_over() {
    let clock = ManualClock::new();
    let store = MemStore::with_clock(clock.clone());
    let mut session = with_data();
    save(&mut session, &store).unwrap();
    clock.advance(TTL);
    for id in ["", "planted", session.id()] {
        let loaded = block_on(Session::load(&store, id)).unwrap();
        assert!(loaded.id() != id && token::is_token(loaded.id()));
        assert!(loaded.data().is_empty());
    }
}

#[test]
fn flo_1_a_save_commits_the_session_under_its_id() {
    let store = memstore();
    let mut session = with_data();
    save(&mut session, &store).unwrap();
    let stored = block_on(store.prepare(session.id())).unwrap();
    assert_eq!(stored, Some(session.snapshot()));
}

#[test]
fn flo_1_a_save_honours_the_time_to_live() {
    let clock = ManualClock::new();
    let store = MemStore::with_clock(clock.clone());
    let mut session = Session::new();
    let tick = Duration::from_nanos(1);
    block_on(session.save(&store, 2 * tick)).unwrap();
    clock.advance(tick);
    assert!(resolves(&store, session.id()));
    clock.advance(tick);
    assert!(!resolves(&store, session.id()));
}

#[test]
fn flo_1_a_save_drops_the_id_that_the_session_was_loaded_under() {
    let store = memstore();
    let snapshot = Session::new().snapshot();
    block_on(store.commit(&snapshot, TTL)).unwrap();
    let mut session = block_on(Session::load(&store, snapshot.id())).unwrap();
    session.rotate();
    save(&mut session, &store).unwrap();
    assert!(!resolves(&store, snapshot.id()));
}

#[test]
fn flo_1_a_save_drops_the_id_that_the_session_was_built_under() {
    let store = memstore();
    let snapshot = Session::new().snapshot();
    block_on(store.commit(&snapshot, TTL)).unwrap();
    let mut session = Session::from_snapshot(snapshot.clone());
    session.rotate();
    save(&mut session, &store).unwrap();
    assert!(!resolves(&store, snapshot.id()));
}

#[test]
fn flo_1_a_save_drops_the_id_that_the_session_was_saved_under() {
    let store = memstore();
    let mut session = Session::new();
    save(&mut session, &store).unwrap();
    let saved = session.id().to_owned();
    session.rotate();
    save(&mut session, &store).unwrap();
    assert!(!resolves(&store, &saved));
}

/// Its commit failed, but may have taken effect.
#[test]
fn flo_1_a_save_drops_the_id_that_a_save_was_tried_under() {
    let store = Faulty::new(memstore());
    let mut session = Session::new();
    store.plan(Some(Fault::ReplyLost), []);
    save(&mut session, &store).unwrap_err();
    let tried = session.id().to_owned();
    session.rotate();
    store.plan(None, []);
    save(&mut session, &store).unwrap();
    assert!(!resolves(&store, &tried));
}

#[test]
fn flo_1_a_save_leaves_other_ids_alone() {
    let store = memstore();
    let mut other = Session::new();
    save(&mut other, &store).unwrap();
    let mut session = Session::new();
    save(&mut session, &store).unwrap();
    session.rotate();
    save(&mut session, &store).unwrap();
    assert!(resolves(&store, other.id()));
}

/// Somebody else has committed it again since (COM-8), and that is not this session's to undo.
#[test]
fn flo_1_an_id_once_dropped_is_left_alone() {
    let store = memstore();
    let mut session = Session::new();
    let first = session.snapshot();
    for _ in 0..2 {
        save(&mut session, &store).unwrap();
        session.rotate();
    }
    block_on(store.commit(&first, TTL)).unwrap();
    save(&mut session, &store).unwrap();
    assert!(resolves(&store, first.id()));
}

/// A session under a third id, over a store where two earlier ones still resolve.
fn owing(store: &Faulty<impl Store>) -> (Session, [String; 2]) {
    let mut session = with_data();
    save(&mut session, store).unwrap();
    let first = session.id().to_owned();
    session.rotate();
    store.plan(Some(Fault::ReplyLost), []);
    save(&mut session, store).unwrap_err();
    store.plan(None, []);
    let second = session.id().to_owned();
    session.rotate();
    (session, [first, second])
}

#[test]
fn flo_1_one_failing_drop_does_not_keep_the_others_from_being_tried() {
    for nth in 0..2 {
        let store = Faulty::new(memstore());
        let (mut session, earlier) = owing(&store);
        store.plan(None, [(earlier[nth].clone(), Fault::CallLost)]);
        save(&mut session, &store).unwrap_err();
        assert!(!resolves(&store, &earlier[1 - nth]), "failing: {nth}");
    }
}

#[test]
fn flo_1_a_failed_drop_stays_owed() {
    let store = Faulty::new(memstore());
    let (mut session, earlier) = owing(&store);
    store.plan(None, earlier.clone().map(|id| (id, Fault::CallLost)));
    save(&mut session, &store).unwrap_err();
    store.plan(None, []);
    save(&mut session, &store).unwrap();
    assert!(!earlier.iter().any(|id| resolves(&store, id)));
}

#[test]
fn flo_2_after_a_login_is_saved_the_old_id_gives_nothing() {
    let store = memstore();
    let mut session = Session::new();
    save(&mut session, &store).unwrap();
    let known_before = session.id().to_owned();
    session.set_user(alice());
    save(&mut session, &store).unwrap();
    assert!(!resolves(&store, &known_before));
}

/// Whatever fails on the way.
#[test]
fn flo_2_an_id_known_before_a_login_never_gives_what_was_saved_after_it() {
    let faults = [None, Some(Fault::CallLost), Some(Fault::ReplyLost)];
    for (commit, drop) in faults.iter().flat_map(|c| faults.map(|d| (*c, d))) {
        let store = Faulty::new(memstore());
        let mut session = Session::new();
        save(&mut session, &store).unwrap();
        let known_before = session.id().to_owned();
        session.set_user(alice());
        store.plan(commit, drop.map(|fault| (known_before.clone(), fault)));
        let _ = save(&mut session, &store);
        let stored = block_on(store.prepare(&known_before)).unwrap();
        let user = stored.as_ref().and_then(Snapshot::user);
        assert_eq!(user, None, "commit {commit:?}, drop {drop:?}");
    }
}

#[test]
fn flo_3_a_failed_commit_leaves_the_session_under_its_old_id() {
    let store = Faulty::new(memstore());
    let mut session = Session::new();
    save(&mut session, &store).unwrap();
    let saved = session.id().to_owned();
    session.rotate();
    store.plan(Some(Fault::CallLost), []);
    save(&mut session, &store).unwrap_err();
    assert!(resolves(&store, &saved));
}

#[test]
fn flo_3_a_refused_commit_leaves_the_session_under_its_old_id() {
    let store = memstore();
    let mut session = Session::new();
    save(&mut session, &store).unwrap();
    let saved = session.id().to_owned();
    session.rotate();
    block_on(session.save(&store, Duration::ZERO)).unwrap_err();
    assert!(resolves(&store, &saved));
}

#[test]
fn flo_3_a_failed_drop_leaves_the_session_under_its_new_id() {
    let store = Faulty::new(memstore());
    let (mut session, earlier) = owing(&store);
    store.plan(None, earlier.map(|id| (id, Fault::CallLost)));
    save(&mut session, &store).unwrap_err();
    assert!(resolves(&store, session.id()));
}

#[test]
fn flo_3_a_save_whose_drop_failed_is_no_success() {
    for nth in 0..2 {
        let store = Faulty::new(memstore());
        let (mut session, earlier) = owing(&store);
        store.plan(None, [(earlier[nth].clone(), Fault::CallLost)]);
        assert!(save(&mut session, &store).is_err(), "failing: {nth}");
    }
}

/// A store whose every call pends once before it takes effect, and once after.
struct Slow<S>(S);

async fn pend_once() {
    let mut polled = false;
    std::future::poll_fn(|_| {
        if std::mem::replace(&mut polled, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

impl<S: Store> Store for Slow<S> {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        self.0.prepare(id).await
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        pend_once().await;
        let answer = self.0.commit(snapshot, ttl).await;
        pend_once().await;
        answer
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        pend_once().await;
        let answer = self.0.drop(id).await;
        pend_once().await;
        answer
    }
}

/// Begins a save and drops its future after so many polls; whether it was finished by then.
fn save_for(polls: usize, session: &mut Session, store: &impl Store) -> bool {
    let mut saving = pin!(session.save(store, TTL));
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).any(|_| saving.as_mut().poll(&mut context).is_ready())
}

/// A commit and two drops, each of them pending twice.
const POLLS: usize = 3 * 2 + 1;

#[test]
fn a_save_that_is_not_cancelled_takes_as_many_polls_as_it_pends() {
    let store = Faulty::new(memstore());
    let finished = |polls| save_for(polls, &mut owing(&store).0, &Slow(&store));
    assert!(!finished(POLLS - 1) && finished(POLLS));
}

#[test]
fn flo_1_what_a_cancelled_save_owed_is_dropped_by_the_next() {
    for polls in 0..POLLS {
        let store = Faulty::new(memstore());
        let (mut session, earlier) = owing(&store);
        save_for(polls, &mut session, &Slow(&store));
        save(&mut session, &store).unwrap();
        let left = earlier.iter().any(|id| resolves(&store, id));
        assert!(!left, "cancelled after {polls} polls");
    }
}

#[test]
fn flo_1_the_id_of_a_cancelled_save_is_dropped_by_the_next() {
    for polls in 0..POLLS {
        let store = Faulty::new(memstore());
        let (mut session, _) = owing(&store);
        save_for(polls, &mut session, &Slow(&store));
        let tried = session.id().to_owned();
        session.rotate();
        save(&mut session, &store).unwrap();
        assert!(!resolves(&store, &tried), "cancelled after {polls} polls");
    }
}

#[test]
fn flo_3_a_cancelled_save_loses_nothing() {
    for polls in 0..POLLS {
        let store = Faulty::new(memstore());
        let (mut session, earlier) = owing(&store);
        save_for(polls, &mut session, &Slow(&store));
        let mut ids = earlier.iter().map(String::as_str).chain([session.id()]);
        assert!(
            ids.any(|id| resolves(&store, id)),
            "cancelled after {polls} polls"
        );
    }
}

#[test]
fn loading_and_saving_can_move_between_threads() {
    fn is_send<T: Send>(future: T) -> T {
        future
    }
    let store = memstore();
    drop(is_send(Session::load(&store, "id")));
    drop(is_send(Session::new().save(&store, TTL)));
}
