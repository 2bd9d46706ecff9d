use super::*;
use crate::conformance::program::{Program, payload};
use crate::model::Model;

/// How each reply of a program is judged: right, wrong by a clause, or open.
fn judged(is_late: bool, program: &str, replies: &[&str]) -> Vec<String> {
    let program: Program = program.parse().unwrap();
    let mut worlds = Worlds::new(Model::default()).late(is_late);
    let ops = program.ops().iter().zip(replies);
    let judged = ops.map(|(op, reply)| {
        let outcome = match *reply {
            "error" => Outcome::Failed(String::new()),
            "done" => Outcome::Replied(Reply::Done),
            "nothing" => Outcome::Replied(Reply::Nothing),
            found => {
                let number = found.strip_prefix('v').and_then(|it| it.parse().ok());
                let id = op.id().unwrap();
                Outcome::Replied(Reply::Found(payload::numbered(number.unwrap(), id)))
            }
        };
        match worlds.judge(op, &outcome, |model| model.step(op)) {
            Judged::Right(_) => "right".to_owned(),
            Judged::Wrong(expected) => expected.clause.to_string(),
            Judged::Open(_) => "open".to_owned(),
        }
    });
    judged.collect()
}

#[test]
fn what_had_to_be_refused_and_was_done_counts_as_refused() {
    let program = "commit A v1 ttl 1s; commit A v2 ttl 0s; prepare A; prepare A";
    let judged = judged(false, program, &["done", "done", "v1", "nothing"]);
    assert_eq!(judged, ["right", "COM-3", "right", "COM-5"]);
}

#[test]
fn after_a_wrong_reply_its_id_is_open_until_an_acknowledged_write_and_others_are_judged() {
    let program =
        "commit A v1 ttl 1s; prepare A; prepare A; prepare B; commit A v2 ttl 1s; prepare A";
    let replies = ["done", "nothing", "nothing", "v9", "done", "v1"];
    let expected = ["right", "COM-5", "open", "PRE-1", "right", "COM-6"];
    assert_eq!(judged(false, program, &replies), expected);
    let dropped = "commit A v1 ttl 1s; prepare A; drop A; prepare A";
    let judged = judged(false, dropped, &["done", "nothing", "done", "v1"]);
    assert_eq!(judged, ["right", "COM-5", "right", "DRP-1"]);
}

#[test]
fn err_3_an_error_leaves_two_worlds_open_until_a_reply_tells_which_it_is() {
    let program = "commit A v1 ttl 1s; commit A v2 ttl 1s; prepare A; prepare A";
    let of = |first, second| judged(false, program, &["done", "error", first, second]);
    assert_eq!(of("v1", "v1"), ["right", "COM-6", "right", "right"]);
    assert_eq!(of("v2", "v2"), ["right", "COM-6", "right", "right"]);
    assert_eq!(of("v1", "v2"), ["right", "COM-6", "right", "ERR-3"]);
    assert_eq!(of("v3", "v1"), ["right", "COM-6", "ERR-3", "open"]);
    assert_eq!(of("nothing", "v1"), ["right", "COM-6", "ERR-3", "open"]);
}

#[test]
fn a_call_that_failed_in_a_remote_store_may_take_effect_later_until_the_next_write() {
    let program = "commit A v1 ttl 1s; commit A v2 ttl 1s; prepare A; prepare A; drop A; prepare A";
    let of = |last| judged(true, program, &["done", "error", "v1", "v2", "done", last]);
    assert_eq!(
        of("nothing"),
        ["right", "COM-6", "right", "right", "right", "right"]
    );
    assert_eq!(of("v2").last().map(String::as_str), Some("DRP-1"));
}

#[test]
fn a_drop_that_failed_has_happened_or_not() {
    let program = "commit A v1 ttl 1s; drop A; prepare A";
    for found in ["v1", "nothing"] {
        let judged = judged(false, program, &["done", "error", found]);
        assert_eq!(judged, ["right", "DRP-1", "right"]);
    }
}

/// More worlds than anybody keeps.
#[test]
fn where_too_much_is_open_the_id_is_not_judged() {
    let errors = 2 * MOST;
    let program = "commit A v1 ttl 1s; ".repeat(errors) + "prepare A";
    let replies: Vec<&str> = std::iter::repeat_n("error", errors).chain(["v9"]).collect();
    let judged = judged(false, &program, &replies);
    assert_eq!(judged.last().map(String::as_str), Some("open"));
}
