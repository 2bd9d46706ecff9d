//! `TowerStore`: what the bridge adds to a tower-sessions store, and what it hands through.

use super::shelf::{Fault, Faulty, Manner, Shelf, now, record_of};
use serde_json::json;
use session_spec::tower::{HORIZON, SNAPSHOT_KEY, record_id};
use session_spec::{
    Constraint, Data, DecodeError, ManualClock, Snapshot, Store, StoreError, TowerStore, User,
    WallClock,
};
use std::task::{Context, Waker};
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;
use tower_sessions::session_store::Error;

const SECOND: Duration = Duration::from_secs(1);
const NANOSECOND: Duration = Duration::from_nanos(1);
const MANNERS: [Manner; 3] = [Manner::Upsert, Manner::UpdateOnly, Manner::CreateFails];

/// A shelf, and the bridge over it.
fn over(clock: &ManualClock, manner: Manner) -> (Shelf, TowerStore<Shelf, ManualClock>) {
    let shelf = Shelf::new(clock.clone(), manner);
    let store = TowerStore::with_clock(shelf.clone(), clock.clone());
    (shelf, store)
}

fn over_faulty(fault: Fault, manner: Manner) -> (Shelf, TowerStore<Faulty, ManualClock>) {
    let clock = ManualClock::new();
    let shelf = Shelf::new(clock.clone(), manner);
    let store = TowerStore::with_clock(Faulty(fault, shelf.clone()), clock);
    (shelf, store)
}

fn snapshot(id: &str, value: impl serde::Serialize) -> Snapshot {
    let mut data = Data::default();
    data.set("v", value).unwrap();
    Snapshot::new(id, "csrf", User::new("alice@example.com"), data)
}

#[tokio::test]
async fn snp_4_rich_values_under_hostile_ids_come_back_equal() {
    let (_, store) = over(&ManualClock::new(), Manner::Upsert);
    let deep = (0..session_spec::data::MAX_DEPTH).fold(json!(-0.0), |inside, _| json!([inside]));
    let values = [
        json!([i64::MIN, u64::MAX, -0.0, 5e-324, 1.0, 1]),
        json!({"": null, "session_spec_snapshot": "x", "\0": "\u{0}\u{1f980}\u{ffff}\""}),
        deep,
    ];
    let ids = [
        "a",
        "A",
        "a ",
        "\0",
        "é",
        "e\u{301}",
        "../x",
        "*",
        "%",
        "'--",
        &"x".repeat(65_536),
    ];
    for value in &values {
        for id in ids {
            store.commit(&snapshot(id, value), SECOND).await.unwrap();
        }
        for id in ids {
            let found = store.prepare(id).await.unwrap();
            assert!(found == Some(snapshot(id, value)), "{:?}", id.get(..8));
        }
    }
}

#[tokio::test]
async fn com_7_the_expiry_date_is_now_and_the_time_to_live_to_the_nanosecond() {
    let clock = ManualClock::new();
    let (shelf, store) = over(&clock, Manner::Upsert);
    clock.advance(Duration::from_nanos(123_456_789));
    for ttl in [
        NANOSECOND,
        Duration::from_nanos(999_999_999),
        SECOND * 86_400,
    ] {
        store.commit(&snapshot("id", 1), ttl).await.unwrap();
        let expiry_date = shelf.record(record_id("id")).expiry_date;
        assert_eq!(expiry_date, now(&clock) + ttl);
    }
}

#[tokio::test]
async fn com_7_a_deadline_beyond_the_horizon_is_the_horizon() {
    let clock = ManualClock::new();
    let (shelf, store) = over(&clock, Manner::Upsert);
    store
        .commit(&snapshot("id", 1), Duration::MAX)
        .await
        .unwrap();
    assert_eq!(shelf.record(record_id("id")).expiry_date, HORIZON);
    clock.advance(SECOND * 3_600 * 24 * 365 * 7_900);
    assert!(store.prepare("id").await.unwrap().is_some());
}

#[tokio::test]
async fn err_1_a_clock_beyond_all_dates_does_not_panic() {
    let clock = ManualClock::new();
    let (shelf, store) = over(&clock, Manner::Upsert);
    clock.advance(Duration::MAX);
    for ttl in [NANOSECOND, Duration::MAX] {
        store.commit(&snapshot("id", 1), ttl).await.unwrap();
        assert_eq!(shelf.record(record_id("id")).expiry_date, HORIZON);
    }
}

#[tokio::test]
async fn a_clock_before_1970_gives_dates_before_1970() {
    struct Unset;
    impl WallClock for Unset {
        fn system_time(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH - SECOND
        }
    }
    let shelf = Shelf::new(ManualClock::new(), Manner::Upsert);
    let store = TowerStore::with_clock(shelf.clone(), Unset);
    store.commit(&snapshot("id", 1), NANOSECOND).await.unwrap();
    let expiry_date = shelf.record(record_id("id")).expiry_date;
    assert_eq!(
        expiry_date,
        OffsetDateTime::UNIX_EPOCH - SECOND + NANOSECOND
    );
}

#[tokio::test]
async fn the_machines_clock_is_the_calendar() {
    let shelf = Shelf::new(ManualClock::new(), Manner::Upsert);
    let store = TowerStore::new(shelf.clone());
    store.commit(&snapshot("id", 1), SECOND).await.unwrap();
    // 2020, when the manual clock begins, is past by now.
    assert!(shelf.record(record_id("id")).expiry_date > now(&ManualClock::new()) + SECOND);
}

#[tokio::test]
async fn com_8_a_commit_over_an_expired_record_writes_it_and_nothing_else() {
    for manner in MANNERS {
        let clock = ManualClock::new();
        let (shelf, store) = over(&clock, manner);
        store.commit(&snapshot("id", 1), SECOND).await.unwrap();
        clock.advance(SECOND);
        assert_eq!(store.prepare("id").await.unwrap(), None);
        store.commit(&snapshot("id", 2), SECOND).await.unwrap();
        assert_eq!(
            store.prepare("id").await.unwrap(),
            Some(snapshot("id", 2)),
            "{manner:?}"
        );
        assert_eq!(shelf.len(), 1, "{manner:?}");
    }
}

#[tokio::test]
async fn com_6_a_commit_replaces_what_cannot_be_read() {
    for manner in MANNERS {
        let (shelf, store) = over(&ManualClock::new(), manner);
        shelf.put(record_id("id"), "{}");
        store.commit(&snapshot("id", 1), SECOND).await.unwrap();
        assert_eq!(
            store.prepare("id").await.unwrap(),
            Some(snapshot("id", 1)),
            "{manner:?}"
        );
    }
}

#[tokio::test]
async fn the_store_is_not_asked_about_what_the_contract_refuses() {
    let (_, store) = over_faulty(|call| panic!("{call}"), Manner::Upsert);
    assert!(store.prepare("").await.unwrap().is_none());
    store.drop("").await.unwrap();
    for (id, ttl, expected) in [
        ("", SECOND, Constraint::EmptyId),
        ("id", Duration::ZERO, Constraint::TtlNotPositive),
    ] {
        let refusal = store.commit(&snapshot(id, 1), ttl).await.unwrap_err();
        assert!(
            matches!(refusal, StoreError::Refused { constraint, .. } if constraint == expected),
            "{refusal:?}"
        );
        assert_eq!(refusal.to_string(), format!("tower-sessions: {expected}"));
    }
}

#[tokio::test]
async fn snp_5_a_record_with_another_ids_snapshot_is_undecodable() {
    let (shelf, store) = over(&ManualClock::new(), Manner::Upsert);
    let id = record_id("mine");
    shelf.put(id, record_of(id, &snapshot("theirs", 1)));
    let error = store.prepare("mine").await.unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Undecodable {
                source: DecodeError::OtherId,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn snp_5_a_record_without_a_snapshot_is_undecodable_and_not_quoted() {
    let (shelf, store) = over(&ManualClock::new(), Manner::Upsert);
    let id = record_id("id");
    let whole = record_of(id, &snapshot("id", 1));
    for broken in [
        whole.replace(SNAPSHOT_KEY, "secret"),
        whole.replace("\\\"csrf_token\\\"", "secret"),
        whole.replace("\"{", "[\"{").replace("}\"", "}\"]"),
        "\"secret\"".to_owned(),
    ] {
        assert_ne!(broken, whole);
        shelf.put(id, broken);
        let error = store.prepare("id").await.unwrap_err();
        assert!(matches!(error, StoreError::Undecodable { .. }), "{error:?}");
        assert!(
            !format!("{error} {error:?}").contains("secret"),
            "{error:?}"
        );
    }
}

/// The text of an error and of its sources, and their debug form.
fn all_of(error: &StoreError) -> String {
    let source = std::error::Error::source(error);
    format!(
        "{error} {error:?} {source:?} {}",
        source.map(ToString::to_string).unwrap_or_default()
    )
}

#[tokio::test]
async fn err_2_a_store_that_fails_is_an_error_and_its_codec_is_not_quoted() {
    let faults: [(Fault, &str); 3] = [
        (|_| Err(Error::Backend("away".to_owned())), "away"),
        (
            |_| Err(Error::Encode("secret".to_owned())),
            "could not be encoded",
        ),
        (
            |_| Err(Error::Decode("secret".to_owned())),
            "could not be decoded",
        ),
    ];
    for (fault, words) in faults {
        let (_, store) = over_faulty(fault, Manner::Upsert);
        let calls = [
            store.commit(&snapshot("id", 1), SECOND).await,
            store.drop("id").await,
        ];
        for error in calls.map(Result::unwrap_err) {
            assert!(matches!(error, StoreError::Backend { .. }), "{error:?}");
            let text = all_of(&error);
            assert!(text.contains(words) && !text.contains("secret"), "{text}");
        }
        let text = all_of(&store.prepare("id").await.unwrap_err());
        assert!(!text.contains("secret"), "{text}");
    }
}

#[tokio::test]
async fn err_2_a_commit_is_not_done_because_a_save_says_nothing() {
    fn create_fails(call: &str) -> Result<(), Error> {
        match call {
            "create" => Err(Error::Backend("away".to_owned())),
            _ => Ok(()),
        }
    }
    let (shelf, store) = over_faulty(create_fails, Manner::UpdateOnly);
    let error = store.commit(&snapshot("id", 1), SECOND).await.unwrap_err();
    assert!(matches!(error, StoreError::Backend { .. }), "{error:?}");
    assert_eq!(shelf.len(), 0);

    let (_, store) = over_faulty(create_fails, Manner::Upsert);
    store.commit(&snapshot("id", 1), SECOND).await.unwrap();
    assert_eq!(store.prepare("id").await.unwrap(), Some(snapshot("id", 1)));
}

#[tokio::test]
async fn con_1_two_first_commits_at_once_leave_one_of_them_and_no_copy() {
    for manner in MANNERS {
        let (shelf, store) = over_faulty(|_| Ok(()), manner);
        let both = [snapshot("id", 1), snapshot("id", 2)];
        let (one, other) = tokio::join!(
            store.commit(&both[0], SECOND),
            store.commit(&both[1], SECOND)
        );
        one.and(other).unwrap();
        let found = store.prepare("id").await.unwrap().unwrap();
        assert!(both.contains(&found), "{manner:?}");
        assert_eq!(shelf.len(), 1, "{manner:?}");
    }
}

/// Cancelled after each number of polls, over nothing and over an expired record.
#[tokio::test]
async fn can_1_a_cancelled_commit_took_effect_wholly_or_not_at_all_and_later_ones_work() {
    for manner in MANNERS {
        for (polls, over_expired) in (0..8).flat_map(|polls| [(polls, false), (polls, true)]) {
            let (_, store) = over_faulty(|_| Ok(()), manner);
            if over_expired {
                store.commit(&snapshot("id", 1), NANOSECOND).await.unwrap();
                store.get_ref().1.clock().advance(NANOSECOND);
            }
            let second = snapshot("id", 2);
            let mut commit = Box::pin(store.commit(&second, SECOND));
            for _ in 0..polls {
                let mut context = Context::from_waker(Waker::noop());
                if commit.as_mut().poll(&mut context).is_ready() {
                    break;
                }
            }
            drop(commit);
            let found = store.prepare("id").await.unwrap();
            assert!(
                found.is_none() || found == Some(second),
                "{manner:?} {polls}"
            );
            store.commit(&snapshot("id", 3), SECOND).await.unwrap();
            let found = store.prepare("id").await.unwrap();
            assert_eq!(found, Some(snapshot("id", 3)), "{manner:?} {polls}");
        }
    }
}

/// Stored sessions hang on this: changed, nobody finds theirs any more.
#[test]
fn record_ids_do_not_change_between_versions() {
    assert_eq!(record_id("A").to_string(), "_5fyxj4AxcC0Hnxulfv9vA");
    assert_ne!(record_id("A"), record_id("a"));
}

#[tokio::test]
async fn ses_8_the_debug_form_shows_no_session() {
    let (shelf, store) = over(&ManualClock::new(), Manner::Upsert);
    store.commit(&snapshot("secret", 1), SECOND).await.unwrap();
    assert!(format!("{shelf:?}").contains("secret"));
    assert_eq!(format!("{store:?}"), "TowerStore { .. }");
    assert_eq!(store.get_ref().len(), 1);
}
