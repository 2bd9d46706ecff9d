//! What breaks a rule is seen, also where a path comes to it by a detour.

mod read;

use super::rules::{between, by_the_door, circles, upward};
use super::tree::{Arrow, Tree};
use std::collections::BTreeMap;

/// A small house in order. What is planted takes the place of its files.
const HOUSE: [(&str, &str); 9] = [
    (
        "lib.rs",
        "pub mod clock; pub mod conformance; pub mod memstore; pub mod model; pub mod store;
         pub use clock::Clock;",
    ),
    ("clock.rs", "pub trait Clock {}"),
    ("memstore.rs", "pub struct MemStore;"),
    ("model.rs", "pub struct Model;"),
    ("store.rs", "pub trait Store {}"),
    (
        "conformance.rs",
        "pub(crate) mod check; pub(crate) mod judge; pub(crate) mod program;
         pub use check::Check;
         pub use program::Program;
         pub fn check() -> Check {}",
    ),
    (
        "conformance/check.rs",
        "use super::judge::Judge; pub struct Check;",
    ),
    ("conformance/judge.rs", "pub(crate) struct Judge;"),
    ("conformance/program.rs", "pub struct Program;"),
];

fn arrows(planted: &[(&str, &str)]) -> Vec<Arrow> {
    let files = HOUSE.iter().chain(planted);
    let texts: BTreeMap<String, String> = files
        .map(|(file, text)| ((*file).to_owned(), (*text).to_owned()))
        .collect();
    Tree::read(&texts).arrows()
}

const NONE: [&str; 0] = [];

#[test]
fn the_house_is_in_order() {
    let arrows = arrows(&[]);
    assert_eq!(upward(&arrows), NONE);
    assert_eq!(by_the_door(&arrows), NONE);
    assert_eq!(circles(&arrows), NONE);
}

#[test]
fn a_path_that_runs_up_breaks_the_rule() {
    let judge = "use super::program::Program;\nuse super::check::Check;\nuse super::check::Other;";
    assert_eq!(
        upward(&arrows(&[("conformance/judge.rs", judge)])),
        ["conformance/judge.rs -> conformance/check.rs (line 2: super::check::Check)"]
    );
}

#[test]
fn an_inline_path_that_runs_up_in_a_macro_breaks_the_rule() {
    let parse =
        "fn name() -> String {\n    format!(\"{}\", vec![crate::conformance::judge::NAME][0])\n}";
    let files = [
        ("conformance/program.rs", "mod parse;"),
        ("conformance/program/parse.rs", parse),
    ];
    assert_eq!(
        upward(&arrows(&files)),
        ["conformance/program/parse.rs -> conformance/judge.rs \
          (line 2: crate::conformance::judge::NAME)"]
    );
}

#[test]
fn a_reexport_from_above_breaks_the_rule() {
    let judge = "pub(crate) use super::check::Check;";
    assert_eq!(
        upward(&arrows(&[("conformance/judge.rs", judge)])),
        ["conformance/judge.rs -> conformance/check.rs (line 1: super::check::Check)"]
    );
}

#[test]
fn a_path_that_runs_up_by_a_reexport_below_breaks_the_rule() {
    let files = [
        ("conformance/judge.rs", "use super::program::Top;"),
        (
            "conformance/program.rs",
            "pub(crate) use super::check::Check as Top;",
        ),
    ];
    assert_eq!(
        upward(&arrows(&files)),
        [
            "conformance/judge.rs -> conformance/check.rs (line 1: super::program::Top)",
            "conformance/program.rs -> conformance/check.rs (line 1: super::check::Check)",
        ]
    );
}

#[test]
fn a_path_by_the_door_breaks_the_rule() {
    let check = "use crate::conformance::Program;\nuse super::program::Program as Same;";
    assert_eq!(
        by_the_door(&arrows(&[("conformance/check.rs", check)])),
        ["conformance/check.rs -> conformance/program.rs (line 1: crate::conformance::Program)"]
    );
    let check = "use super::*;";
    assert_eq!(
        by_the_door(&arrows(&[("conformance/check.rs", check)])),
        ["conformance/check.rs -> conformance.rs (line 1: super::*)"]
    );
}

#[test]
fn a_path_by_a_module_that_the_door_hands_on_breaks_the_rule() {
    let files = [
        (
            "conformance.rs",
            "mod check; mod judge; pub use judge::inner;",
        ),
        ("conformance/judge.rs", "pub(crate) mod inner;"),
        ("conformance/judge/inner.rs", "pub struct Inner;"),
        (
            "conformance/check.rs",
            "use crate::conformance::inner::Inner;",
        ),
    ];
    assert_eq!(
        by_the_door(&arrows(&files)),
        ["conformance/check.rs -> conformance/judge/inner.rs \
             (line 1: crate::conformance::inner::Inner)"]
    );
}

#[test]
fn a_circle_is_shown_from_file_to_file() {
    let files = [
        ("clock.rs", "use crate::store::Store;"),
        ("store.rs", "fn f() {\n    crate::memstore::f();\n}"),
        ("memstore.rs", "use crate::clock::Clock;"),
        ("model.rs", "use crate::clock::Clock;"),
    ];
    assert_eq!(
        circles(&arrows(&files)),
        ["clock.rs -> store.rs -> memstore.rs -> clock.rs
    clock.rs -> store.rs (line 1: crate::store::Store)
    store.rs -> memstore.rs (line 2: crate::memstore::f)
    memstore.rs -> clock.rs (line 1: crate::clock::Clock)"]
    );
}

#[test]
fn a_circle_by_a_reexport_is_seen() {
    let files = [
        ("memstore.rs", "use crate::Clock;"),
        ("clock.rs", "use crate::store::Handed;"),
        ("store.rs", "pub use crate::memstore::MemStore as Handed;"),
    ];
    assert_eq!(
        circles(&arrows(&files)),
        ["clock.rs -> memstore.rs -> clock.rs
    clock.rs -> memstore.rs (line 1: crate::store::Handed)
    memstore.rs -> clock.rs (line 1: crate::Clock)"]
    );
}

#[test]
fn a_circle_of_a_file_and_its_child_is_seen() {
    let files = [
        ("store.rs", "mod rows;\nfn f() -> rows::Row {}"),
        ("store/rows.rs", "use super::Store;"),
    ];
    assert_eq!(
        circles(&arrows(&files)),
        ["store.rs -> store/rows.rs -> store.rs
    store.rs -> store/rows.rs (line 2: rows::Row)
    store/rows.rs -> store.rs (line 1: super::Store)"]
    );
}

#[test]
fn a_reexport_makes_a_circle_only_if_its_file_has_a_use_for_it() {
    let of_store = |text: &str| {
        let index = format!("mod rows; pub use rows::{{Row, row}}; pub trait Store {{}}\n{text}");
        let rows = "use super::Store; pub fn row() {} pub struct Row;";
        circles(&arrows(&[
            ("store.rs", index.as_str()),
            ("store/rows.rs", rows),
        ]))
    };
    assert_eq!(
        of_store("fn f(row: u8) { self.row(); S { row: row } }"),
        NONE
    );
    let circle = |name| {
        format!(
            "store.rs -> store/rows.rs -> store.rs
    store.rs -> store/rows.rs (line 1: rows::{name})
    store/rows.rs -> store.rs (line 1: super::Store)"
        )
    };
    assert_eq!(of_store("struct S { row: Row }"), [circle("Row")]);
    assert_eq!(of_store("fn f() { row() }"), [circle("row")]);
}

#[test]
fn what_the_model_knows_is_seen() {
    let files = [
        ("model.rs", "mod rows; use crate::Clock;"),
        ("model/rows.rs", "use crate::store::Hidden;"),
        ("store.rs", "pub use crate::memstore::MemStore as Hidden;"),
    ];
    let arrows = arrows(&files);
    assert_eq!(
        between(&arrows, "model", "clock"),
        ["model.rs -> clock.rs (line 1: crate::Clock)"]
    );
    let hidden = ["model/rows.rs -> memstore.rs (line 1: crate::store::Hidden)"];
    assert_eq!(between(&arrows, "model", "store"), hidden);
    assert_eq!(between(&arrows, "model", "memstore"), hidden);
    assert_eq!(between(&arrows, "memstore", "model"), NONE);
}
