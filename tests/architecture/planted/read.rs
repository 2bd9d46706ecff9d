//! Every path is read and leads to the right file, and what does not count is passed over.

use super::{arrows, between};

/// The arrows from `judge.rs` with this text: where they lead, and by which line and path.
fn judge(text: &str) -> Vec<String> {
    let inner = ("conformance/judge/inner.rs", "pub(crate) struct Inner;");
    let arrows = arrows(&[("conformance/judge.rs", text), inner]);
    let here = arrows
        .iter()
        .filter(|arrow| arrow.from == "conformance/judge.rs");
    here.map(|arrow| format!("{} {} {}", arrow.to, arrow.line, arrow.path))
        .collect()
}

#[test]
fn every_branch_of_a_use_is_read() {
    assert_eq!(
        judge(
            "use super::{\n    program::{self, Program as Text},\n    check::{self as top, *},\n};"
        ),
        [
            "conformance/program.rs 2 super::program",
            "conformance/program.rs 2 super::program::Program",
            "conformance/check.rs 3 super::check",
            "conformance/check.rs 3 super::check::*",
        ]
    );
}

#[test]
fn a_use_in_a_function_is_read() {
    assert_eq!(
        judge("fn f() {\n    use super::check::Check;\n}"),
        ["conformance/check.rs 2 super::check::Check"]
    );
}

#[test]
fn inline_paths_are_read_wherever_they_stand() {
    assert_eq!(
        judge(
            "#[derive(super::check::Macro)]
            struct S(pub (super::check::Field, u8));
            fn f() -> Vec<<super::check::Typed as Kind>::Out> {
                for _ in 0..super::check::MOST {}
                matches!(x, self::super::check::Some(_))
            }
            const fn g(x: *const super::check::Raw) {}"
        ),
        [
            "conformance/check.rs 1 super::check::Macro",
            "conformance/check.rs 2 super::check::Field",
            "conformance/check.rs 3 super::check::Typed",
            "conformance/check.rs 4 super::check::MOST",
            "conformance/check.rs 5 self::super::check::Some",
            "conformance/check.rs 7 super::check::Raw",
        ]
    );
}

#[test]
fn a_path_in_a_macro_of_ours_is_read_but_not_what_its_caller_writes() {
    assert_eq!(
        judge(
            "macro_rules! all {
                ($x:ident) => { super::check::all($x::check::y, $crate::conformance::check::z) };
            }"
        ),
        ["conformance/check.rs 2 super::check::all"]
    );
}

#[test]
fn a_module_inside_a_file_counts_as_the_file() {
    assert_eq!(
        judge(
            "mod own { use super::super::check::Check; }
            fn f() { mod own { use super::Judge; } }
            macro_rules! all { () => { mod own { use super::super::check::All; } } }"
        ),
        [
            "conformance/check.rs 1 super::super::check::Check",
            "conformance/check.rs 3 super::super::check::All",
        ]
    );
}

#[test]
fn a_path_may_begin_with_a_child_or_an_imported_module() {
    assert_eq!(
        judge(
            "mod inner;
            use super::check;
            use super::program::Program;
            fn f(x: inner::Inner) -> check::Check { Program::new() }"
        ),
        [
            "conformance/check.rs 2 super::check",
            "conformance/program.rs 3 super::program::Program",
            "conformance/judge/inner.rs 4 inner::Inner",
            "conformance/check.rs 4 check::Check",
        ],
        "what begins with an item counts by its `use`"
    );
}

#[test]
fn a_reexport_leads_to_the_file_that_defines() {
    assert_eq!(
        judge(
            "use crate::Clock;
            use crate::conformance::{Check, check::Judge as Own};
            struct Judge;"
        ),
        [
            "clock.rs 1 crate::Clock",
            "conformance/check.rs 2 crate::conformance::Check",
        ],
        "and judge.rs itself is no arrow"
    );
}

#[test]
fn what_a_file_has_itself_goes_before_what_it_hands_on() {
    let files = [
        (
            "store.rs",
            "pub use crate::memstore::*; pub use crate::clock::tick;
            pub const fn ours() {}
            impl S { fn tick() {} }",
        ),
        (
            "memstore.rs",
            "pub fn ours() {} pub struct MemStore; pub use std::sync::Mutex;",
        ),
        (
            "model.rs",
            "use crate::store::{ours, tick, MemStore, Mutex, Unknown};",
        ),
    ];
    let to: Vec<(String, String)> = arrows(&files)
        .into_iter()
        .filter(|arrow| arrow.from == "model.rs")
        .map(|arrow| (arrow.path, arrow.to))
        .collect();
    let expected = [
        ("crate::store::ours", "store.rs"),
        ("crate::store::tick", "clock.rs"),
        ("crate::store::MemStore", "memstore.rs"),
        // From another crate: it is of the file that took it in.
        ("crate::store::Mutex", "memstore.rs"),
        // A macro may have made it.
        ("crate::store::Unknown", "store.rs"),
    ];
    assert_eq!(
        to,
        expected.map(|(path, file)| (path.to_owned(), file.to_owned()))
    );
}

#[test]
fn what_is_for_tests_does_not_count() {
    assert_eq!(
        judge(
            "#[cfg(test)]
            use super::check::Check;
            #[cfg(test)]
            #[allow(dead_code)]
            pub(crate) fn f<A, B>() { super::check::all() }
            #[cfg(test)]
            mod own { use super::super::check::Check; }
            #[cfg(test)]
            mod tests;
            struct S {
                #[cfg(test)]
                check: super::check::Check,
                #[cfg(not(test))]
                all: super::check::All,
            }"
        ),
        ["conformance/check.rs 14 super::check::All"]
    );
}

#[test]
fn modules_documentation_and_visibilities_do_not_count() {
    assert_eq!(
        judge(
            "//! See [`crate::conformance::check`].
            /// See [`super::check::Check`].
            mod inner;
            pub(in crate::conformance) struct S;
            use super::check::Check;"
        ),
        ["conformance/check.rs 5 super::check::Check"]
    );
}

#[test]
fn other_crates_and_exported_macros_do_not_count() {
    assert_eq!(
        judge(
            "mod inner;
            use ::inner::Inner; use std::fmt;
            fn f(x: X) -> impl Y + use<'_> { ::inner::all(); x.inner::<u8>(); fmt::write() }
            fn g() { crate::exported_macro!() }
            use super::check::Check;"
        ),
        ["conformance/check.rs 5 super::check::Check"]
    );
}

#[test]
fn names_that_lead_to_themselves_are_read_to_an_end() {
    let files = [
        ("store.rs", "pub use crate::memstore::*;"),
        ("memstore.rs", "pub use crate::store::*; use sha2::sha2;"),
        ("model.rs", "use crate::store::Lost;"),
    ];
    assert_eq!(
        between(&arrows(&files), "model", "store"),
        ["model.rs -> store.rs (line 1: crate::store::Lost)"]
    );
}
