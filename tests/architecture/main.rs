//! How `src/` is built: arrows between its files only run down.
//!
//! Every path counts, of a `use` or inline or in the body of a macro, and leads to the file that
//! defines what it names. What is only there for tests does not count, and neither do `mod` and
//! strings in attributes. `main.rs` is a crate of its own.

mod planted;
mod rules;
mod source;
mod token;
mod tree;

use rules::{between, by_the_door, circles, floor, upward};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use tree::{Arrow, Tree};

static TEXTS: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let mut texts = BTreeMap::new();
    collect(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        "",
        &mut texts,
    );
    texts
});

static TREE: LazyLock<Tree> = LazyLock::new(|| Tree::read(&TEXTS));

static ARROWS: LazyLock<Vec<Arrow>> = LazyLock::new(|| TREE.arrows());

/// The texts of a folder's files of Rust, by their paths.
fn collect(folder: &Path, prefix: &str, texts: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let inside = format!("{prefix}{name}");
        if path.is_dir() {
            collect(&path, &format!("{inside}/"), texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            texts.insert(inside, fs::read_to_string(&path).unwrap());
        }
    }
}

#[track_caller]
fn none(wrong: &[String]) {
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_file_is_read_but_those_for_tests() {
    let tests: Vec<String> = TREE.tests().collect();
    let is_for_tests = |file: &str| {
        let mut parts = tests
            .iter()
            .filter_map(|test| file.strip_prefix(test.as_str()));
        parts.any(|rest| rest.starts_with(['.', '/']))
    };
    let files = TEXTS.keys().map(String::as_str);
    let expected: Vec<&str> = files
        .filter(|file| *file != "main.rs" && !is_for_tests(file))
        .collect();
    assert_eq!(TREE.files().collect::<Vec<_>>(), expected);
}

#[test]
fn every_file_of_the_kit_is_in_a_wing() {
    let files = TEXTS.keys().filter(|file| file.starts_with("conformance/"));
    let outside: Vec<String> = files
        .filter(|file| floor(file).is_none())
        .cloned()
        .collect();
    none(&outside);
}

#[test]
fn no_arrow_runs_up_between_the_wings() {
    none(&upward(&ARROWS));
}

#[test]
fn nothing_in_the_kit_goes_by_its_door() {
    none(&by_the_door(&ARROWS));
}

#[test]
fn no_files_are_in_a_circle() {
    none(&circles(&ARROWS));
}

#[test]
fn the_model_and_the_store_do_not_know_each_other() {
    none(&between(&ARROWS, "model", "memstore"));
    none(&between(&ARROWS, "memstore", "model"));
}

#[test]
fn the_model_knows_neither_a_clock_nor_the_store_trait() {
    none(&between(&ARROWS, "model", "clock"));
    none(&between(&ARROWS, "model", "store"));
}
