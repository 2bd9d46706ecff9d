//! `AsSessionStore`: a tower-sessions store on one of ours.

use super::shelf::now;
use serde_json::{Value, json};
use session_spec::tower::{DATA_KEY, EXPIRY_KEY, HORIZON, SNAPSHOT_KEY};
use session_spec::{
    AsSessionStore, Constraint, Data, DecodeError, ManualClock, MemStore, Snapshot, Store,
    StoreError,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::Error;

const SECOND: Duration = Duration::from_secs(1);
const NANOSECOND: Duration = Duration::from_nanos(1);

type Ours = Arc<MemStore<ManualClock>>;

/// One of our stores, and the bridge over it.
fn over(clock: &ManualClock) -> (Ours, AsSessionStore<Ours, ManualClock>) {
    let ours = Arc::new(MemStore::with_clock(clock.clone()));
    let store = AsSessionStore::with_clock(ours.clone(), clock.clone());
    (ours, store)
}

fn record(data: impl Into<HashMap<String, Value>>, expiry_date: OffsetDateTime) -> Record {
    Record {
        id: Id::default(),
        data: data.into(),
        expiry_date,
    }
}

fn empty(expiry_date: OffsetDateTime) -> Record {
    record([], expiry_date)
}

#[tokio::test]
async fn a_record_comes_back_equal() {
    let clock = ManualClock::new();
    let (_, store) = over(&clock);
    let deep = (0..124).fold(json!(-0.0), |inside, _| json!([inside]));
    let data = [
        ("numbers", json!([i64::MIN, u64::MAX, -0.0, 5e-324, 1.0, 1])),
        ("text", json!({"": null, "\0": "\u{0}\u{1f980}\u{ffff}\""})),
        ("deep", deep),
        ("", json!(null)),
        (DATA_KEY, json!({ EXPIRY_KEY: 1 })),
        (EXPIRY_KEY, json!("never")),
        (SNAPSHOT_KEY, json!([])),
    ];
    let data = HashMap::from(data.map(|(key, value)| (key.to_owned(), value)));
    for expiry_date in [now(&clock) + NANOSECOND, now(&clock) + SECOND * 7, HORIZON] {
        for data in [&data, &HashMap::new()] {
            let record = record(data.clone(), expiry_date);
            store.save(&record).await.unwrap();
            let loaded = store.load(&record.id).await.unwrap().unwrap();
            assert_eq!(loaded, record);
            assert_eq!(
                format!("{:?}", loaded.data.get("numbers")),
                format!("{:?}", record.data.get("numbers"))
            );
        }
    }
}

#[tokio::test]
async fn the_snapshot_is_nobodys_and_verifies_no_csrf_token() {
    let clock = ManualClock::new();
    let (ours, store) = over(&clock);
    let record = empty(now(&clock) + SECOND);
    store.save(&record).await.unwrap();
    let snapshot = ours.prepare(&record.id.to_string()).await.unwrap().unwrap();
    assert_eq!((snapshot.user(), snapshot.csrf_token()), (None, ""));
    assert!(!session_spec::Session::from_snapshot(snapshot).verify_csrf_token(""));
}

#[tokio::test]
async fn a_record_is_live_until_its_expiry_date() {
    for left in [NANOSECOND, SECOND, SECOND * 86_400 * 365 * 400] {
        let clock = ManualClock::new();
        let (_, store) = over(&clock);
        let record = empty(now(&clock) + left);
        store.save(&record).await.unwrap();
        clock.advance(left.saturating_sub(NANOSECOND));
        assert!(store.load(&record.id).await.unwrap().is_some(), "{left:?}");
        clock.advance(NANOSECOND);
        assert!(store.load(&record.id).await.unwrap().is_none(), "{left:?}");
    }
}

#[tokio::test]
async fn a_past_expiry_date_drops() {
    let clock = ManualClock::new();
    clock.advance(SECOND * 9);
    let (ours, store) = over(&clock);
    for past in [Duration::ZERO, NANOSECOND, SECOND * 86_400 * 365 * 4_000] {
        let mut record = empty(now(&clock) + SECOND);
        store.save(&record).await.unwrap();
        assert_eq!(ours.len(), 1);
        record.expiry_date = now(&clock) - past;
        store.save(&record).await.unwrap();
        assert_eq!(ours.len(), 0, "{past:?}");
        store.create(&mut record).await.unwrap();
        assert_eq!(ours.len(), 0, "{past:?}");
    }
}

#[tokio::test]
async fn a_record_ends_at_its_date_also_where_the_stores_own_clock_stands_still() {
    let (calendar, still) = (ManualClock::new(), ManualClock::new());
    let ours = MemStore::with_clock(still);
    let store = AsSessionStore::with_clock(ours, calendar.clone());
    let record = empty(now(&calendar) + SECOND);
    store.save(&record).await.unwrap();
    calendar.advance(SECOND);
    assert_eq!(store.load(&record.id).await.unwrap(), None);
}

#[tokio::test]
async fn create_takes_a_fresh_id_when_the_records_own_is_taken() {
    let clock = ManualClock::new();
    let (ours, store) = over(&clock);
    let mut first = record([("n".to_owned(), json!(1))], now(&clock) + SECOND);
    let mut second = record([("n".to_owned(), json!(2))], now(&clock) + SECOND);
    second.id = first.id;
    store.create(&mut first).await.unwrap();
    store.create(&mut second).await.unwrap();
    assert_ne!(first.id, second.id);
    assert_eq!(ours.len(), 2);
    for record in [first, second] {
        assert_eq!(store.load(&record.id).await.unwrap(), Some(record));
    }
}

#[tokio::test]
async fn create_keeps_an_id_whose_record_has_expired() {
    let clock = ManualClock::new();
    let (_, store) = over(&clock);
    let first = empty(now(&clock) + SECOND);
    store.save(&first).await.unwrap();
    clock.advance(SECOND);
    let mut second = Record {
        expiry_date: now(&clock) + SECOND,
        ..first.clone()
    };
    store.create(&mut second).await.unwrap();
    assert_eq!(second.id, first.id);
}

#[tokio::test]
async fn delete_ends_a_record_and_is_no_error_for_an_unknown_one() {
    let clock = ManualClock::new();
    let (_, store) = over(&clock);
    let record = empty(now(&clock) + SECOND);
    store.save(&record).await.unwrap();
    for _ in 0..2 {
        store.delete(&record.id).await.unwrap();
        assert_eq!(store.load(&record.id).await.unwrap(), None);
    }
}

#[tokio::test]
async fn snp_4_a_value_that_nests_too_deep_is_refused_and_nothing_is_stored() {
    let clock = ManualClock::new();
    let (ours, store) = over(&clock);
    let deep = (0..125).fold(json!("secret"), |inside, _| json!([inside]));
    let record = record([("deep".to_owned(), deep)], now(&clock) + SECOND);
    let error = store.save(&record).await.unwrap_err();
    assert!(matches!(error, Error::Encode(_)), "{error:?}");
    assert!(!error.to_string().contains("secret"));
    assert!(ours.is_empty());
}

#[tokio::test]
async fn a_snapshot_that_is_no_record_is_a_decode_error() {
    let clock = ManualClock::new();
    let (ours, store) = over(&clock);
    let id = Id::default();
    for (data, expiry) in [
        (json!({}), json!(null)),
        (json!({}), json!([0, 1_000_000_000])),
        (json!({}), json!([i64::MAX, 0])),
        (json!([]), json!([0, 0])),
    ] {
        let mut both = Data::default();
        both.set(DATA_KEY, data).unwrap();
        both.set(EXPIRY_KEY, expiry).unwrap();
        ours.commit(&Snapshot::new(id.to_string(), "", None, both), SECOND)
            .await
            .unwrap();
        let error = store.load(&id).await.unwrap_err();
        assert!(matches!(error, Error::Decode(_)), "{error:?}");
    }
}

/// A store with one answer to everything.
struct Answering(fn() -> Result<Option<Snapshot>, StoreError>);

impl Store for Answering {
    async fn prepare(&self, _: &str) -> Result<Option<Snapshot>, StoreError> {
        (self.0)()
    }

    async fn commit(&self, _: &Snapshot, _: Duration) -> Result<(), StoreError> {
        (self.0)().map(drop)
    }

    async fn drop(&self, _: &str) -> Result<(), StoreError> {
        (self.0)().map(drop)
    }
}

#[tokio::test]
async fn create_gives_up_where_every_id_is_taken() {
    let taken = || Ok(Some(Snapshot::new("id", "", None, Data::default())));
    let store = AsSessionStore::new(Answering(taken));
    let error = store.create(&mut empty(HORIZON)).await.unwrap_err();
    assert_eq!(error.to_string(), "every fresh id is taken");
}

#[tokio::test]
async fn err_2_errors_stay_errors_with_their_whole_text() {
    let refused = || {
        let constraint = Constraint::UnsupportedId;
        Err(StoreError::Refused {
            store: "ours",
            constraint,
        })
    };
    let undecodable = || {
        let source = DecodeError::OtherId;
        Err(StoreError::Undecodable {
            store: "ours",
            source,
        })
    };
    let away = || {
        let source = std::io::Error::other("connection refused").into();
        Err(StoreError::Backend {
            store: "ours",
            source,
        })
    };
    let expected = [
        (
            Answering(refused),
            "Backend(\"ours: snapshot id is not one this store can hold\")",
        ),
        (
            Answering(undecodable),
            "Decode(\"ours: entry cannot be decoded: snapshot has another id than the key it was read under\")",
        ),
        (
            Answering(away),
            "Backend(\"ours: backend failed: connection refused\")",
        ),
    ];
    for (answering, text) in expected {
        let store = AsSessionStore::new(answering);
        let mut record = empty(HORIZON);
        let errors = [
            store.load(&record.id).await.unwrap_err(),
            store.save(&record).await.unwrap_err(),
            store.create(&mut record).await.unwrap_err(),
            store.delete(&record.id).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(format!("{error:?}"), text);
        }
    }
}

#[test]
fn ses_8_the_debug_form_shows_nothing() {
    let (_, store) = over(&ManualClock::new());
    assert_eq!(format!("{store:?}"), "AsSessionStore { .. }");
}
