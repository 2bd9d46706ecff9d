//! The store trait: through pointers and trait objects, its futures and its errors.

mod block_on;

use block_on::block_on;
use session_spec::store::BoxFuture;
use session_spec::{
    Constraint, Data, DecodeError, DynStore, ManualClock, MemStore, Snapshot, Store, StoreError,
};
use std::error::Error;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

const TTL: Duration = Duration::from_secs(60);

fn memstore() -> MemStore<ManualClock> {
    MemStore::with_clock(ManualClock::new())
}

fn snapshot(id: &str) -> Snapshot {
    Snapshot::new(id, "csrf", None, Data::default())
}

/// Takes any store, as an application does, and passes every call on to it.
fn commits_prepares_and_drops(store: impl Store) -> bool {
    let resolves = || block_on(store.prepare("id")).unwrap();
    block_on(store.commit(&snapshot("id"), TTL)).unwrap();
    let found = resolves();
    block_on(store.drop("id")).unwrap();
    found == Some(snapshot("id")) && resolves().is_none()
}

#[test]
#[expect(
    clippy::needless_borrows_for_generic_args,
    reason = "the reference is the subject"
)]
fn a_reference_to_a_store_is_a_store() {
    assert!(commits_prepares_and_drops(&memstore()));
}

#[test]
fn an_arc_of_a_store_is_a_store() {
    assert!(commits_prepares_and_drops(Arc::new(memstore())));
}

#[test]
fn a_box_of_a_store_is_a_store() {
    assert!(commits_prepares_and_drops(Box::new(memstore())));
}

#[test]
fn pointers_to_pointers_are_stores() {
    assert!(commits_prepares_and_drops(Arc::new(Box::new(memstore()))));
}

#[test]
fn a_shared_trait_object_is_a_store() {
    let store: Arc<dyn DynStore> = Arc::new(memstore());
    assert!(commits_prepares_and_drops(store));
}

#[test]
fn an_owned_trait_object_is_a_store() {
    let store: Box<dyn DynStore> = Box::new(memstore());
    assert!(commits_prepares_and_drops(store));
}

#[test]
fn a_trait_object_may_borrow() {
    let memstore = memstore();
    let store: &dyn DynStore = &&memstore;
    assert!(commits_prepares_and_drops(store));
}

/// Its methods go by other names, so they do not shadow the store's.
#[test]
fn a_trait_object_of_a_trait_object_is_a_store() {
    let inner: Arc<dyn DynStore> = Arc::new(memstore());
    let outer: Box<dyn DynStore> = Box::new(inner);
    assert!(commits_prepares_and_drops(outer));
}

#[test]
fn a_trait_object_answers_as_the_store_behind_it() {
    let store: Box<dyn DynStore> = Box::new(memstore());
    let refused = block_on(store.commit(&snapshot(""), TTL)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "memstore: snapshot id must be non-empty"
    );
}

#[test]
fn clones_of_an_arc_are_one_store() {
    let store = Arc::new(memstore());
    block_on(Arc::clone(&store).commit(&snapshot("id"), TTL)).unwrap();
    assert_eq!(block_on(store.prepare("id")).unwrap(), Some(snapshot("id")));
}

/// `store.drop(id)` would mean `Drop::drop` here.
#[test]
fn a_store_behind_another_pointer_drops_by_its_full_name() {
    static STORE: LazyLock<MemStore> = LazyLock::new(MemStore::new);
    block_on(STORE.commit(&snapshot("id"), TTL)).unwrap();
    block_on(Store::drop(&*STORE, "id")).unwrap();
    assert!(STORE.is_empty());
}

#[test]
fn con_1_a_stores_futures_can_move_between_threads() {
    fn is_send<T: Send>(future: T) -> T {
        future
    }
    fn check<S: Store + ?Sized>(store: &S) {
        drop(is_send(store.prepare("id")));
        drop(is_send(store.commit(&snapshot("id"), TTL)));
        drop(is_send(Store::drop(store, "id")));
    }
    let store = memstore();
    check(&store);
    check::<dyn DynStore>(&store);
    let boxed: BoxFuture<'_, _> = store.prepare_boxed("id");
    drop(is_send(boxed));
}

#[test]
fn con_1_a_store_and_its_trait_object_can_be_shared_between_threads() {
    fn is_shareable<T: Send + Sync + ?Sized>() {}
    is_shareable::<MemStore>();
    is_shareable::<dyn DynStore>();
    is_shareable::<StoreError>();
}

/// An error's text, then that of each cause beneath it.
fn chain(error: &dyn Error) -> Vec<String> {
    let below = error.source().map(chain).unwrap_or_default();
    [error.to_string()].into_iter().chain(below).collect()
}

#[test]
fn a_refusal_names_store_and_constraint_and_has_no_cause() {
    let refused = StoreError::Refused {
        store: "redis",
        constraint: Constraint::UnsupportedId,
    };
    assert_eq!(
        chain(&refused),
        ["redis: snapshot id is not one this store can hold"]
    );
}

#[test]
fn every_constraint_has_its_own_words() {
    let refused = |constraint| StoreError::Refused {
        store: "s",
        constraint,
    };
    let texts = [
        Constraint::NilSnapshot,
        Constraint::EmptyId,
        Constraint::TtlNotPositive,
        Constraint::UnsupportedId,
    ]
    .map(|constraint| refused(constraint).to_string());
    assert_eq!(
        texts,
        [
            "s: snapshot must be non-nil",
            "s: snapshot id must be non-empty",
            "s: ttl must be positive",
            "s: snapshot id is not one this store can hold",
        ]
    );
}

/// The backend's own words may quote anything, so they are in the cause alone.
#[test]
fn a_backend_failure_has_the_backends_error_as_its_cause() {
    let failed = StoreError::Backend {
        store: "redis",
        source: "connection reset".into(),
    };
    assert_eq!(
        chain(&failed),
        ["redis: backend failed", "connection reset"]
    );
}

#[test]
fn snp_5_undecodable_bytes_have_the_decoders_error_as_their_cause() {
    let undecodable = StoreError::Undecodable {
        store: "redis",
        source: Snapshot::decode("id", b"{").unwrap_err(),
    };
    let cause = chain(&undecodable).pop();
    assert_eq!(
        cause.as_deref(),
        Some("not a snapshot: premature end at line 1 column 1")
    );
}

#[test]
fn an_undecodable_entrys_cause_can_be_matched_on() {
    let undecodable = StoreError::Undecodable {
        store: "redis",
        source: DecodeError::OtherId,
    };
    let cause = undecodable.source().and_then(|cause| cause.downcast_ref());
    assert_eq!(cause, Some(&DecodeError::OtherId));
}
