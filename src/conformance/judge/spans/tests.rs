use super::*;
use crate::conformance::programs;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

/// A right store in a world of its own: it reads its clock at some moment of each call, some way
/// off, rounds deadlines up by some amount below its resolution, and cuts them at its horizon.
struct World {
    profile: Profile,
    /// What is left to chance, drawn in advance.
    chances: Vec<u64>,
    entries: BTreeMap<String, (Snapshot, Nanos)>,
    read: Nanos,
}

impl World {
    /// A number from 0 to `end`.
    fn chance(&mut self, end: Nanos) -> Nanos {
        let drawn = self.chances.pop().unwrap_or(0);
        Nanos::from(drawn) * end / Nanos::from(u64::MAX)
    }

    fn call(&mut self, op: &Op, span: Span, model: &mut Model) -> Reply {
        let uncertainty = nanos(self.profile.uncertainty);
        let width = span.to - span.from + 2 * uncertainty;
        let read = span.from - uncertainty + self.chance(width);
        // A clock does not run backwards.
        self.read = self.read.max(read);
        let expected = model.step(op);
        match op {
            Op::Restart => {
                for id in self.entries.keys().cloned().collect::<Vec<_>>() {
                    if !self.profile.durable && self.chance(2) == 0 {
                        self.entries.remove(&id);
                    }
                }
                Reply::Done
            }
            Op::Prepare { id } => match self.entries.get(id) {
                Some((snapshot, deadline)) if self.read < *deadline => {
                    Reply::Found(snapshot.clone())
                }
                _ => Reply::Nothing,
            },
            Op::Commit {
                snapshot: Some(snapshot),
                ttl,
            } if expected.reply == Reply::Done => {
                let resolution = nanos(self.profile.resolution);
                let rounding = self.chance((resolution - 1).max(0));
                let mut deadline = self.read + ttl + rounding;
                if let Some(horizon) = self.profile.horizon {
                    deadline = deadline.min(self.read + nanos(horizon));
                }
                self.entries
                    .insert(snapshot.id().to_owned(), (snapshot.clone(), deadline));
                Reply::Done
            }
            Op::Drop { id } => {
                self.entries.remove(id);
                Reply::Done
            }
            _ => expected.reply,
        }
    }
}

fn profiles() -> impl Strategy<Value = Profile> {
    let some = || prop_oneof![Just(0), 1..3_000_000_000_u64];
    (some(), some(), some(), any::<bool>()).prop_map(
        |(resolution, uncertainty, horizon, durable)| {
            let mut profile = Profile::default()
                .resolution(Duration::from_nanos(resolution))
                .uncertainty(Duration::from_nanos(uncertainty));
            profile.durable = durable;
            match horizon {
                0 => profile,
                horizon => profile.horizon(Duration::from_nanos(horizon)),
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        failure_persistence: Some(Box::new(
            proptest::test_runner::FileFailurePersistence::Direct("proptest-regressions/judge.txt"),
        )),
        ..ProptestConfig::default()
    })]

    /// With exact times and the default profile, the judge is the model.
    #[test]
    fn without_uncertainty_the_judge_is_the_model(program in programs(40)) {
        let mut model = Model::default();
        let mut judge = Judge::new(&Profile::default());
        for op in program.ops() {
            let now = model.now();
            let expected = model.step(op);
            if let Op::Advance { .. } = op {
                continue;
            }
            let admitted = judge.step(op, Span { from: now, to: now });
            prop_assert_eq!(&admitted.expected.reply, &expected.reply);
            prop_assert_eq!(admitted.or, None);
            judge.observe(op, &expected.reply);
        }
    }

    /// Whatever the world, a right store in it is never convicted.
    #[test]
    fn no_right_store_is_convicted_in_any_world(
        program in programs(40),
        profile in profiles(),
        chances in proptest::collection::vec(any::<u64>(), 200),
        widths in proptest::collection::vec(0..2_000_000_000_i128, 40),
        restarts in proptest::collection::vec(0..40_usize, 0..3),
    ) {
        let mut judge = Judge::new(&profile);
        let mut world = World { profile, chances, entries: BTreeMap::new(), read: Nanos::MIN };
        let mut model = Model::default();
        let mut from = 0;
        for (index, (op, width)) in program.ops().iter().zip(widths).enumerate() {
            if restarts.contains(&index) {
                world.call(&Op::Restart, Span { from, to: from }, &mut model);
                judge.restart();
            }
            if let Op::Advance { by } = op {
                from += by.min(&4_000_000_000);
                continue;
            }
            let span = Span { from, to: from + width };
            let reply = world.call(op, span, &mut model);
            let admitted = judge.step(op, span);
            prop_assert!(admitted.admits(&reply), "{:?} for {:?}, {:?} was admitted", reply, op, admitted);
            judge.observe(op, &reply);
            from = span.to;
        }
    }
}

const SECOND: Nanos = 1_000_000_000;

/// What may be answered to a prepare at `at`, after a commit at 0 for one second.
fn after_a_second(profile: &Profile, at: Nanos) -> (bool, bool) {
    let mut judge = Judge::new(profile);
    let snapshot = Snapshot::new("a", "", None, crate::Data::default());
    let commit = Op::Commit {
        snapshot: Some(snapshot.clone()),
        ttl: SECOND,
    };
    judge.step(&commit, Span { from: 0, to: 0 });
    let admitted = judge.step(&Op::Prepare { id: "a".into() }, Span { from: at, to: at });
    (
        admitted.admits(&Reply::Found(snapshot)),
        admitted.admits(&Reply::Nothing),
    )
}

const MUST_LIVE: (bool, bool) = (true, false);
const EITHER: (bool, bool) = (true, true);
const MUST_BE_GONE: (bool, bool) = (false, true);

#[test]
fn ttl_2_either_answer_is_right_within_the_resolution_and_no_longer() {
    let profile = Profile::default().resolution(Duration::from_secs(1));
    assert_eq!(after_a_second(&profile, SECOND - 1), MUST_LIVE);
    assert_eq!(after_a_second(&profile, SECOND), EITHER);
    assert_eq!(after_a_second(&profile, 2 * SECOND - 1), EITHER);
    assert_eq!(after_a_second(&profile, 2 * SECOND), MUST_BE_GONE);
}

#[test]
fn com_7_beyond_the_horizon_either_answer_is_right() {
    let profile = Profile::default().horizon(Duration::from_millis(500));
    assert_eq!(after_a_second(&profile, SECOND / 2 - 1), MUST_LIVE);
    assert_eq!(after_a_second(&profile, SECOND / 2), EITHER);
    assert_eq!(after_a_second(&profile, 1_000 * SECOND), EITHER);
}

#[test]
fn an_uncertain_clock_is_believed_on_both_ends() {
    let profile = Profile::default().uncertainty(Duration::from_millis(100));
    let tenth = SECOND / 10;
    assert_eq!(after_a_second(&profile, SECOND - 2 * tenth - 1), MUST_LIVE);
    assert_eq!(after_a_second(&profile, SECOND - 2 * tenth), EITHER);
    assert_eq!(after_a_second(&profile, SECOND + 2 * tenth - 1), EITHER);
    assert_eq!(after_a_second(&profile, SECOND + 2 * tenth), MUST_BE_GONE);
}

#[test]
fn ttl_4_once_seen_gone_it_stays_gone() {
    let profile = Profile::default().resolution(Duration::from_secs(1));
    let mut judge = Judge::new(&profile);
    let snapshot = Snapshot::new("a", "", None, crate::Data::default());
    let commit = Op::Commit {
        snapshot: Some(snapshot.clone()),
        ttl: SECOND,
    };
    let prepare = Op::Prepare { id: "a".into() };
    let at = |at| Span { from: at, to: at };
    judge.step(&commit, at(0));
    judge.step(&prepare, at(SECOND));
    judge.observe(&prepare, &Reply::Nothing);
    let again = judge.step(&prepare, at(SECOND + 1));
    assert_eq!((again.expected.clause, again.or), (Clause::Ttl4, None));
    assert!(!again.expected.admits(&Reply::Found(snapshot)));
    judge.step(&commit, at(SECOND + 2));
    let recommitted = judge.step(&prepare, at(SECOND + 3));
    assert_eq!(recommitted.expected.clause, Clause::Com8);
    judge.advance();
    let aged = judge.step(&prepare, at(SECOND + 4));
    assert_eq!(aged.expected.clause, Clause::Ttl1);
}

#[test]
fn a_store_that_may_evict_may_lose_an_entry_but_neither_change_nor_revive_it() {
    let mut judge = Judge::new(&Profile::default().may_evict());
    let at = |time| Span {
        from: time,
        to: time,
    };
    let commit = |id: &str, number| Op::Commit {
        snapshot: Some(crate::conformance::program::payload::numbered(number, id)),
        ttl: 10,
    };
    let prepare = |id: &str| Op::Prepare { id: id.to_owned() };
    let found =
        |number, id| Reply::Found(crate::conformance::program::payload::numbered(number, id));
    judge.step(&commit("a", 1), at(0));
    judge.step(&commit("b", 2), at(0));
    let admitted = judge.step(&prepare("a"), at(1));
    assert!(admitted.admits(&Reply::Nothing) && admitted.admits(&found(1, "a")));
    assert!(!admitted.admits(&found(2, "a")));
    judge.observe(&prepare("a"), &Reply::Nothing);
    assert!(!judge.step(&prepare("a"), at(2)).admits(&found(1, "a")));
    assert!(!judge.step(&prepare("b"), at(10)).admits(&found(2, "b")));

    // The newest may go only if what is older has gone.
    judge.step(&commit("a", 3), at(11));
    judge.step(&commit("b", 4), at(11));
    assert!(judge.step(&prepare("b"), at(12)).admits(&Reply::Nothing));
    judge.observe(&prepare("b"), &Reply::Nothing);
    let older = judge.step(&prepare("a"), at(12));
    assert_eq!(older.expected.clause, Clause::Com5);
    assert!(!older.admits(&found(3, "a")));
}

/// A judge of `profile` and what it admits to a prepare of `a`: the snapshots by number, nothing as 0.
struct Seen(Judge);

impl Seen {
    fn new(profile: &Profile) -> Self {
        Self(Judge::new(profile))
    }

    fn commit(&mut self, id: &str, number: u64) {
        let snapshot = Some(crate::conformance::program::payload::numbered(number, id));
        let commit = Op::Commit { snapshot, ttl: 10 };
        self.0.step(&commit, Span { from: 0, to: 0 });
    }

    fn drop(&mut self, id: &str) {
        let id = id.to_owned();
        self.0.step(&Op::Drop { id }, Span { from: 0, to: 0 });
    }

    fn admitted(&mut self, id: &str) -> Vec<u64> {
        let id = id.to_owned();
        let admitted = self
            .0
            .step(&Op::Prepare { id: id.clone() }, Span { from: 0, to: 0 });
        let reply = |number| match number {
            0 => Reply::Nothing,
            number => Reply::Found(crate::conformance::program::payload::numbered(number, &id)),
        };
        (0..9)
            .filter(|number| admitted.admits(&reply(*number)))
            .collect()
    }

    fn sees(&mut self, id: &str, number: u64) {
        assert!(self.admitted(id).contains(&number), "{id} {number}");
        let reply = match number {
            0 => Reply::Nothing,
            number => Reply::Found(crate::conformance::program::payload::numbered(number, id)),
        };
        self.0.observe(&Op::Prepare { id: id.to_owned() }, &reply);
    }
}

#[test]
fn dur_1_what_a_durable_store_acknowledged_is_there_after_a_restart() {
    let mut seen = Seen::new(&Profile::default().durable());
    seen.commit("a", 1);
    seen.commit("a", 2);
    seen.commit("b", 3);
    seen.drop("b");
    seen.0.restart();
    assert_eq!(seen.admitted("a"), [2]);
    assert_eq!(seen.admitted("b"), [0]);
}

#[test]
fn dur_1_without_a_claim_a_restart_may_lose_an_entry_but_not_bring_back_an_older_one() {
    let mut seen = Seen::new(&Profile::default());
    seen.commit("a", 1);
    seen.commit("a", 2);
    seen.commit("b", 3);
    seen.drop("b");
    seen.0.restart();
    assert_eq!(seen.admitted("a"), [0, 2]);
    assert_eq!(seen.admitted("b"), [0]);
}

#[test]
fn dur_1_what_was_seen_after_a_restart_is_no_longer_lost_to_it() {
    let mut seen = Seen::new(&Profile::default());
    seen.commit("a", 1);
    seen.commit("b", 2);
    seen.0.restart();
    seen.sees("a", 1);
    seen.sees("b", 0);
    assert_eq!(seen.admitted("a"), [1]);
    seen.0.restart();
    assert_eq!(seen.admitted("a"), [0, 1]);
    assert_eq!(seen.admitted("b"), [0], "gone is gone (TTL-4)");
}

#[test]
fn dur_1_a_restart_is_no_eviction() {
    let mut seen = Seen::new(&Profile::default().may_evict());
    seen.commit("a", 1);
    seen.commit("b", 2);
    seen.0.restart();
    seen.sees("b", 0);
    assert_eq!(seen.admitted("a"), [0, 1]);
}

#[test]
fn com_5_an_entry_that_was_read_since_is_not_idle() {
    let mut seen = Seen::new(&Profile::default().may_evict());
    seen.commit("a", 1);
    seen.commit("b", 2);
    seen.commit("c", 3);
    // What was read last goes last; so may an entry that was just committed before it.
    seen.sees("a", 1);
    seen.sees("c", 0);
    assert_eq!(seen.admitted("a"), [0, 1]);
    assert_eq!(
        seen.admitted("b"),
        [0],
        "it was idle, and outlived a newer one"
    );
}

#[test]
fn ttl_1_what_may_go_early_goes_no_earlier_than_that_and_no_later_than_its_deadline() {
    let early = Profile::default().early(Duration::from_millis(100));
    let before = SECOND - SECOND / 10 - 1;
    assert_eq!(after_a_second(&early, before), MUST_LIVE);
    assert_eq!(after_a_second(&early, before + 1), EITHER);
    assert_eq!(after_a_second(&early, SECOND - 1), EITHER);
    assert_eq!(after_a_second(&early, SECOND), MUST_BE_GONE);
}
