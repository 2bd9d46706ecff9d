//! The real `Session`, over a store that fails, against `SessionModel`.

mod block_on;
mod faulty;

use block_on::block_on;
use faulty::Faulty;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::{Value, json};
use session_spec::session_model::{
    Fault, Faults, Name, SessionExpected, SessionModel, SessionOp, SessionReply,
};
use session_spec::{Clause, ManualClock, MemStore, Session, Snapshot, Store, StoreError, User};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A session and its model, side by side.
struct Pair {
    model: SessionModel,
    session: Session,
    store: Faulty<MemStore<ManualClock>>,
    clock: ManualClock,
    /// The real session's id and CSRF token of every name that the model has drawn.
    real: BTreeMap<Name, [String; 2]>,
}

impl Pair {
    fn new() -> Self {
        let clock = ManualClock::new();
        let mut pair = Self {
            model: SessionModel::default(),
            session: Session::new(),
            store: Faulty::new(MemStore::with_clock(clock.clone())),
            clock,
            real: BTreeMap::new(),
        };
        pair.learn();
        pair
    }

    /// What `step` means here.
    fn op(&self, step: &Step) -> SessionOp {
        let latest = self.model.names().last().unwrap();
        // Beyond the first one there is a name that is never drawn.
        let name = |back: u32| Name(latest.0.checked_sub(back).unwrap_or(u32::MAX));
        match step {
            Step::Plain(op) => op.clone(),
            Step::Load { back } => SessionOp::Load {
                id: Some(name(*back)),
            },
            Step::Save {
                ttl,
                commit,
                drops_back,
            } => {
                let drops = drops_back.iter();
                SessionOp::Save {
                    ttl: *ttl,
                    faults: Faults {
                        commit: *commit,
                        drops: drops.map(|(back, fault)| (name(*back), *fault)).collect(),
                    },
                }
            }
        }
    }

    /// Lets both do `op`: how it ended, and how it had to.
    fn step(&mut self, op: &SessionOp) -> (SessionReply, SessionExpected) {
        let reply = self.act(op);
        let expected = self.model.step(op);
        self.learn();
        (reply, expected)
    }

    fn act(&mut self, op: &SessionOp) -> SessionReply {
        match op {
            SessionOp::New => self.session = Session::new(),
            SessionOp::Load { id } => {
                let id = id.map(|name| self.id(name)).unwrap_or_default();
                self.session = block_on(Session::load(&self.store, &id)).unwrap();
            }
            SessionOp::SetUser(user) => self.session.set_user(user.clone()),
            SessionOp::Rotate => self.session.rotate(),
            SessionOp::Set { key, value } => {
                if let Err(error) = self.session.set(key, value) {
                    return SessionReply::Invalid(error);
                }
            }
            SessionOp::Delete { key } => {
                if !self.session.delete(key) {
                    return SessionReply::Absent;
                }
            }
            SessionOp::Save { ttl, faults } => {
                let drops = faults.drops.iter();
                self.store.plan(
                    faults.commit,
                    drops.map(|(name, fault)| (self.id(*name), *fault)),
                );
                let ttl = Duration::from_nanos(u64::try_from(*ttl).unwrap());
                return match block_on(self.session.save(&self.store, ttl)) {
                    Ok(()) => SessionReply::Done,
                    Err(StoreError::Refused { constraint, .. }) => {
                        SessionReply::Refused(constraint)
                    }
                    Err(_) => SessionReply::Failed,
                };
            }
            SessionOp::Advance { by } => {
                let by = u64::try_from(*by).unwrap();
                self.clock.advance(Duration::from_nanos(by));
            }
            _ => unreachable!("not generated"),
        }
        SessionReply::Done
    }

    /// A name that the model draws is from then on that of the tokens which the session has now.
    fn learn(&mut self) {
        let tokens = [self.session.id(), self.session.csrf_token()];
        let name = self.model.name();
        self.real
            .entry(name)
            .or_insert_with(|| tokens.map(str::to_owned));
    }

    /// The real id of `name`; of a name not drawn yet, an id that nobody has.
    fn id(&self, name: Name) -> String {
        self.real
            .get(&name)
            .map_or_else(|| name.id(), |[id, _]| id.clone())
    }

    /// A snapshot of the model as it is in reality.
    fn rename(&self, snapshot: &Snapshot) -> Snapshot {
        let named = |(name, _): &(&Name, _)| name.id() == snapshot.id();
        let (_, [id, csrf_token]) = self.real.iter().find(named).unwrap();
        let user = snapshot.user().cloned();
        Snapshot::new(&**id, &**csrf_token, user, snapshot.data().clone())
    }

    /// What the real store has live under `id`.
    fn resolve(&self, id: &str) -> Option<Snapshot> {
        block_on(self.store.prepare(id)).unwrap()
    }
}

/// A session's operation whose names count back from the latest one, so that a program still means
/// the same when steps before it are left out.
#[derive(Clone, Debug)]
enum Step {
    Plain(SessionOp),
    Load {
        back: u32,
    },
    Save {
        ttl: i128,
        commit: Option<Fault>,
        drops_back: BTreeMap<u32, Fault>,
    },
}

fn key() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "a", "b"]).prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![json!(null), json!(1), json!(["x", {"y": 2.5}])])
}

fn user() -> impl Strategy<Value = User> {
    (prop::sample::select(vec!["alice", "bob"]), any::<bool>()).prop_map(|(email, is_admin)| {
        let mut user = User::new(email);
        if is_admin {
            user.set("role", "admin").unwrap();
        }
        user
    })
}

fn fault() -> impl Strategy<Value = Fault> {
    prop::sample::select(vec![Fault::CallLost, Fault::ReplyLost])
}

/// Mostly long; else so short that the clock's small steps end on the deadline and beside it.
fn ttl() -> impl Strategy<Value = i128> {
    prop_oneof![3 => Just(1_000), 2 => 1..=3_i128, 1 => Just(0)]
}

fn save() -> impl Strategy<Value = Step> {
    let commit = prop::option::weighted(0.2, fault());
    let drops = btree_map(1..=4_u32, fault(), 0..=2);
    (ttl(), commit, drops).prop_map(|(ttl, commit, drops_back)| Step::Save {
        ttl,
        commit,
        drops_back,
    })
}

fn plain() -> impl Strategy<Value = SessionOp> {
    prop_oneof![
        6 => Just(SessionOp::Rotate),
        4 => user().prop_map(SessionOp::SetUser),
        4 => (key(), value()).prop_map(|(key, value)| SessionOp::Set { key, value }),
        2 => key().prop_map(|key| SessionOp::Delete { key }),
        4 => (1..=3_i128).prop_map(|by| SessionOp::Advance { by }),
        1 => Just(SessionOp::Load { id: None }),
        1 => Just(SessionOp::New),
    ]
}

fn program() -> impl Strategy<Value = Vec<Step>> {
    let load = (0..=6_u32).prop_map(|back| Step::Load { back });
    let step = prop_oneof![11 => plain().prop_map(Step::Plain), 2 => load, 6 => save()];
    vec(step, 1..=24)
}

fn config() -> ProptestConfig {
    const SEEDS: &str = "proptest-regressions/session_model.txt";
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(SEEDS))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_session_ends_every_operation_as_its_model(program in program()) {
        let mut pair = Pair::new();
        for step in program {
            let op = pair.op(&step);
            let (reply, expected) = pair.step(&op);
            prop_assert_eq!(reply, expected.reply, "{} decides {:?}", expected.clause, op);
        }
    }

    #[test]
    fn a_session_has_the_state_of_its_model(program in program()) {
        let mut pair = Pair::new();
        for step in program {
            let op = pair.op(&step);
            let (_, expected) = pair.step(&op);
            let state = pair.model.snapshot();
            let clause = expected.clause;
            let [id, csrf_token] = &pair.real[&pair.model.name()];
            prop_assert!(pair.session.id() == id, "{}: the id after {:?}", clause, op);
            prop_assert!(
                pair.session.csrf_token() == csrf_token,
                "{}: the CSRF token after {:?}", clause, op
            );
            prop_assert_eq!(pair.session.user(), state.user(), "{} after {:?}", clause, op);
            prop_assert_eq!(pair.session.data(), state.data(), "{} after {:?}", clause, op);
        }
    }

    #[test]
    fn a_session_leaves_in_the_store_what_its_model_does(program in program()) {
        let mut pair = Pair::new();
        for step in program {
            let op = pair.op(&step);
            let (_, expected) = pair.step(&op);
            if !matches!(op, SessionOp::Save { .. }) {
                continue;
            }
            for name in pair.model.names() {
                prop_assert_eq!(
                    pair.resolve(&pair.id(name)),
                    pair.model.resolve(name).map(|found| pair.rename(&found)),
                    "{}: {} after {:?}", expected.clause, name.id(), op
                );
            }
        }
    }

    #[test]
    fn ses_1_2_4_tokens_that_are_to_be_fresh_are_new(program in program()) {
        let mut pair = Pair::new();
        for step in program {
            pair.step(&pair.op(&step));
        }
        let tokens: BTreeSet<_> = pair.real.values().flatten().collect();
        prop_assert_eq!(pair.real.len(), pair.model.names().count());
        prop_assert_eq!(tokens.len(), 2 * pair.real.len());
    }

    /// Without the model's judgement.
    #[test]
    fn flo_2_after_a_successful_save_no_earlier_id_resolves(program in program()) {
        let mut pair = Pair::new();
        let mut had = BTreeSet::new();
        for step in program {
            let op = pair.op(&step);
            had.insert(pair.session.id().to_owned());
            let (reply, _) = pair.step(&op);
            match op {
                SessionOp::New | SessionOp::Load { .. } => had.clear(),
                SessionOp::Save { .. } if reply == SessionReply::Done => {
                    let current = pair.session.id();
                    let left = had.iter().find(|id| *id != current && pair.resolve(id).is_some());
                    prop_assert!(left.is_none(), "an earlier id resolves after {:?}", op);
                }
                _ => {}
            }
        }
    }

    /// Without the model's judgement.
    #[test]
    fn flo_3_a_save_never_loses_a_session_that_the_store_had(program in program()) {
        let mut pair = Pair::new();
        let mut had = BTreeSet::new();
        for step in program {
            let op = pair.op(&step);
            had.insert(pair.session.id().to_owned());
            let resolves = |pair: &Pair| had.iter().any(|id| pair.resolve(id).is_some());
            let was_there = resolves(&pair);
            let (reply, _) = pair.step(&op);
            match op {
                SessionOp::New | SessionOp::Load { .. } => had.clear(),
                SessionOp::Save { .. } if was_there || reply == SessionReply::Done => {
                    prop_assert!(resolves(&pair), "the session is gone after {:?}", op);
                }
                _ => {}
            }
        }
    }
}

/// Too deep for the random programs, whose counterexamples are to be read.
#[test]
fn snp_4_a_value_that_json_cannot_carry_is_set_in_neither() {
    let value = (0..126).fold(json!(1), |inside, _| json!([inside]));
    let key = "k".to_owned();
    let mut pair = Pair::new();
    let (reply, expected) = pair.step(&SessionOp::Set { key, value });
    assert_eq!(reply, expected.reply);
    assert_eq!(expected.clause, Clause::Snp4);
    assert!(pair.session.data().is_empty() && pair.model.snapshot().data().is_empty());
}
