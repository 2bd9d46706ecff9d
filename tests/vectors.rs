//! Vectors: what `session-spec vectors` writes, read and run as somebody without this crate would.

mod block_on;

use serde_json::{Value, json};
use session_spec::conformance::Vectors;
use session_spec::{Constraint, ManualClock, MemStore, Snapshot, Store as _, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::Duration;

/// A runner: the first reply of a store that is not right.
fn run(program: &Value, mut store: impl FnMut(&Value) -> Option<Value>) -> Result<(), String> {
    let mut refused = BTreeSet::new();
    for step in program["steps"].as_array().expect("a program has steps") {
        let Some(reply) = store(step) else { continue };
        let id = step["id"].as_str().or(step["snapshot"]["id"].as_str());
        let id = id.unwrap_or_default();
        let is_right = match step["op"].as_str() {
            Some("advance") => true,
            Some("prepare") if refused.contains(id) => reply == json!({"reply": "nothing"}),
            Some("drop") if refused.contains(id) => reply == json!({"reply": "done"}),
            Some("commit") if refused.contains(id) => reply["reply"] == "refused",
            _ => admits(step).contains(&reply),
        };
        if !is_right {
            let clause = step["clause"].as_str().unwrap_or_default();
            return Err(format!(
                "{clause}: {} at {step}: {reply}",
                program["program"]
            ));
        }
        if reply["constraint"] == "unsupported-id" {
            refused.insert(id);
        }
    }
    Ok(())
}

fn admits(step: &Value) -> &[Value] {
    step["admits"].as_array().map_or(&[], Vec::as_slice)
}

/// The default vectors: their header, and the programs.
static VECTORS: LazyLock<(Value, Vec<Value>)> = LazyLock::new(|| {
    let lines = Vectors::new(3, 300, 1).lines();
    let mut values = lines.map(|line| serde_json::from_str(&line).expect("a line is JSON"));
    (values.next().expect("there is a header"), values.collect())
});

/// A store in another language: JSON in, JSON out, with nil snapshots and negative times.
#[derive(Default)]
struct Shelf {
    now: i64,
    entries: BTreeMap<String, Entry>,
    wrong: Option<Wrong>,
}

struct Entry {
    snapshot: Value,
    deadline: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    KeepsNil,
    TakesNegativeAsForEver,
    NamesAnotherConstraint,
    ExpiresLate,
    KeepsTheFirstLife,
    KeepsWhatIsDropped,
    DropsWhatBeginsAlike,
    IgnoresCase,
    OverflowsItsClock,
    ReadsNumbersAsDoubles,
    RefusesAnIdAndFilesIt,
}

impl Shelf {
    fn reply(&mut self, step: &Value) -> Value {
        let nanos = |name: &str| -> i64 {
            let text = step[name].as_str().expect("a time is a string");
            text.parse().expect("a time fits into 64 bits")
        };
        let id = step["id"].as_str().or(step["snapshot"]["id"].as_str());
        let id = match self.wrong {
            Some(Wrong::IgnoresCase) => id.unwrap_or_default().to_lowercase(),
            _ => id.unwrap_or_default().to_owned(),
        };
        match step["op"].as_str().expect("a step has an operation") {
            "prepare" => match self.entries.get(&id) {
                Some(entry) if self.is_live(entry) => {
                    json!({"reply": "found", "snapshot": entry.snapshot})
                }
                _ => json!({"reply": "nothing"}),
            },
            "commit" => self.commit(id, &step["snapshot"], nanos("ttl_ns")),
            "drop" => {
                self.drop(&id);
                json!({"reply": "done"})
            }
            "advance" => {
                self.now += nanos("by_ns");
                Value::Null
            }
            other => panic!("no operation {other}"),
        }
    }

    fn is_live(&self, entry: &Entry) -> bool {
        let late = i64::from(self.wrong == Some(Wrong::ExpiresLate));
        self.now < entry.deadline.saturating_add(late)
    }

    fn commit(&mut self, id: String, snapshot: &Value, ttl: i64) -> Value {
        let refused = |constraint| json!({"reply": "refused", "constraint": constraint});
        let mut deadline = self.now.saturating_add(ttl);
        match self.wrong {
            Some(Wrong::KeepsNil) if snapshot.is_null() => return json!({"reply": "done"}),
            Some(Wrong::TakesNegativeAsForEver) if ttl < 0 => deadline = i64::MAX,
            Some(Wrong::NamesAnotherConstraint) if ttl <= 0 => return refused("unsupported-id"),
            _ if snapshot.is_null() => return refused("nil-snapshot"),
            _ if id.is_empty() => return refused("empty-id"),
            _ if ttl <= 0 => return refused("ttl-not-positive"),
            Some(Wrong::OverflowsItsClock) => deadline = self.now.wrapping_add(ttl),
            Some(Wrong::KeepsTheFirstLife) => {
                let first = self.entries.get(&id).filter(|entry| self.is_live(entry));
                deadline = first.map_or(deadline, |entry| entry.deadline);
            }
            _ => {}
        }
        let snapshot = match self.wrong {
            Some(Wrong::ReadsNumbersAsDoubles) => doubles(snapshot.clone()),
            _ => snapshot.clone(),
        };
        let is_foreign = id.len() != 32;
        self.entries.insert(id, Entry { snapshot, deadline });
        match self.wrong {
            Some(Wrong::RefusesAnIdAndFilesIt) if is_foreign => refused("unsupported-id"),
            _ => json!({"reply": "done"}),
        }
    }

    fn drop(&mut self, id: &str) {
        match self.wrong {
            Some(Wrong::KeepsWhatIsDropped) => {}
            Some(Wrong::DropsWhatBeginsAlike) => {
                self.entries.retain(|other, _| !other.starts_with(id));
            }
            _ => {
                self.entries.remove(id);
            }
        }
    }
}

/// Numbers as a language reads them that has only doubles.
fn doubles(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::Array(values) => values.into_iter().map(doubles).collect(),
        Value::Object(entries) => {
            let read = entries
                .into_iter()
                .map(|(key, value)| (key, doubles(value)));
            Value::Object(read.collect())
        }
        other => other,
    }
}

/// The clauses under which the vectors find a store wrong.
fn broken(wrong: Option<Wrong>, programs: &[Value]) -> BTreeSet<String> {
    let run = |program| {
        let mut store = Shelf {
            wrong,
            ..Shelf::default()
        };
        run(program, |step| Some(store.reply(step))).err()
    };
    let disagreements = programs.iter().filter_map(run);
    let clause = |text: String| text.split(':').next().unwrap_or_default().to_owned();
    disagreements.map(clause).collect()
}

#[test]
fn a_right_store_in_another_language_is_found_right_and_wrong_ones_wrong() {
    let (_, programs) = &*VECTORS;
    assert_eq!(broken(None, programs), BTreeSet::new());
    for (wrong, clause) in [
        (Wrong::KeepsNil, "COM-1"),
        (Wrong::TakesNegativeAsForEver, "COM-3"),
        (Wrong::NamesAnotherConstraint, "COM-3"),
        (Wrong::ExpiresLate, "TTL-2"),
        (Wrong::KeepsTheFirstLife, "TTL-1"),
        (Wrong::KeepsWhatIsDropped, "DRP-1"),
        (Wrong::DropsWhatBeginsAlike, "COM-5"),
        (Wrong::IgnoresCase, "PRE-1"),
        (Wrong::OverflowsItsClock, "COM-5"),
        (Wrong::ReadsNumbersAsDoubles, "COM-5"),
        (Wrong::RefusesAnIdAndFilesIt, "COM-5"),
    ] {
        let broken = broken(Some(wrong), programs);
        assert!(broken.contains(clause), "{wrong:?}: {broken:?}");
    }
}

/// What `MemStore` replies; nothing to what a Rust store cannot be handed.
fn ask(store: &MemStore<ManualClock>, clock: &ManualClock, step: &Value) -> Option<Value> {
    let nanos = |name: &str| -> Option<Duration> {
        let nanos = step[name].as_str()?.parse().ok()?;
        Some(Duration::from_nanos(nanos))
    };
    let id = step["id"].as_str().unwrap_or_default();
    let replied = match step["op"].as_str()? {
        "prepare" => block_on::block_on(store.prepare(id)),
        "commit" => {
            let bytes = step["snapshot"].to_string();
            let snapshot = Snapshot::decode(step["snapshot"]["id"].as_str()?, bytes.as_bytes());
            let snapshot = snapshot.expect("it is the wire form");
            block_on::block_on(store.commit(&snapshot, nanos("ttl_ns")?)).map(|()| None)
        }
        "drop" => block_on::block_on(store.drop(id)).map(|()| None),
        _ => {
            clock.advance(nanos("by_ns")?);
            Ok(None)
        }
    };
    Some(match (replied, step["op"] == "prepare") {
        (Ok(Some(found)), _) => {
            let snapshot: Value = serde_json::from_slice(&found.encode()).expect("it is JSON");
            json!({"reply": "found", "snapshot": snapshot})
        }
        (Ok(None), true) => json!({"reply": "nothing"}),
        (Ok(None), false) => json!({"reply": "done"}),
        (Err(StoreError::Refused { constraint, .. }), _) => {
            json!({"reply": "refused", "constraint": constraint})
        }
        (Err(error), _) => json!({"reply": error.to_string()}),
    })
}

#[test]
fn memstore_replies_as_the_vectors_admit() {
    let (_, programs) = &*VECTORS;
    for program in programs {
        let clock = ManualClock::new();
        let store = MemStore::with_clock(clock.clone());
        let wrong = run(program, |step| ask(&store, &clock, step));
        assert_eq!(wrong, Ok(()));
    }
}

#[test]
fn every_clause_that_decides_a_reply_comes_up_many_times() {
    let (_, programs) = &*VECTORS;
    let mut counts = BTreeMap::<&str, usize>::new();
    for program in programs {
        for step in program["steps"].as_array().expect("a program has steps") {
            *counts
                .entry(step["clause"].as_str().unwrap_or_default())
                .or_default() += 1;
        }
    }
    let decisive = [
        "PRE-1", "PRE-2", "COM-1", "COM-2", "COM-3", "COM-5", "COM-6", "COM-8", "DRP-1", "DRP-2",
        "DRP-3", "TTL-1", "TTL-2",
    ];
    for clause in decisive {
        assert!(counts.get(clause) >= Some(&10), "{clause}: {counts:?}");
    }
}

#[test]
fn an_id_that_is_no_token_may_be_refused_and_no_other() {
    let (_, programs) = &*VECTORS;
    let steps = programs
        .iter()
        .filter_map(|program| program["steps"].as_array());
    let refusal = json!({"reply": "refused", "constraint": Constraint::UnsupportedId});
    let mut refusable = 0;
    for step in steps.flatten().filter(|step| step["op"] == "commit") {
        let id = step["snapshot"]["id"].as_str().unwrap_or_default();
        let is_foreign = !id.is_empty() && !session_spec::token::is_token(id);
        assert_eq!(admits(step).contains(&refusal), is_foreign, "{step}");
        refusable += usize::from(is_foreign);
    }
    assert!(refusable > 100, "only {refusable}");
}

#[test]
fn the_header_counts_the_programs() {
    let (header, programs) = &*VECTORS;
    assert_eq!(header["programs"], programs.len());
    assert_eq!(header["version"], 1);
}

#[test]
fn the_same_seed_gives_the_same_lines_of_ascii() {
    let lines = |seed| Vectors::new(1, 200, seed).lines().collect::<Vec<_>>();
    assert_eq!(lines(1), lines(1));
    assert_ne!(lines(1), lines(2));
    for line in lines(3) {
        assert!(
            line.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{line}"
        );
    }
}

#[test]
fn the_first_lines() {
    let lines: Vec<String> = Vectors::new(1, 0, 1).lines().take(4).collect();
    let text = lines
        .join("\n")
        .replace(env!("CARGO_PKG_VERSION"), "VERSION");
    insta::assert_snapshot!(text);
}
