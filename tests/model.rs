//! What the model admits, and what it shows of itself.

use session_spec::{Constraint, Data, Model, Op, Reply, Snapshot};

fn nameless() -> Snapshot {
    Snapshot::new("", "", None, Data::default())
}

#[test]
fn a_refusal_is_admitted_for_what_was_broken_and_for_nothing_else() {
    let nothing_holds = Op::Commit {
        snapshot: Some(nameless()),
        ttl: 0,
    };
    let expected = Model::default().step(&nothing_holds);
    let admits = |constraint| expected.admits(&Reply::Refused(constraint));
    assert!(admits(Constraint::EmptyId) && admits(Constraint::TtlNotPositive));
    assert!(!admits(Constraint::NilSnapshot) && !admits(Constraint::UnsupportedId));
    assert!(!expected.admits(&Reply::Done));
}

#[test]
fn ses_8_the_debug_form_of_a_model_shows_no_id() {
    let mut model = Model::default();
    model.step(&Op::Commit {
        snapshot: Some(nameless().with_id("secret")),
        ttl: 1,
    });
    assert_eq!(format!("{model:?}"), "Model { now: 0, entries: 1 }");
}
