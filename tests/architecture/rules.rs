//! What no arrow may do. Each rule gives a text for whatever breaks it.

use super::tree::Arrow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The wings of `conformance/`, from the roof down.
const WINGS: [&str; 7] = [
    "check", "explain", "search", "report", "judge", "subject", "program",
];

const DOOR: &str = "conformance.rs";

pub(crate) fn upward(arrows: &[Arrow]) -> Vec<String> {
    let runs_up = |arrow: &Arrow| {
        let floors = floor(&arrow.from).zip(floor(&arrow.to));
        floors.is_some_and(|(from, to)| to < from)
    };
    lines(arrows, runs_up)
}

pub(crate) fn by_the_door(arrows: &[Arrow]) -> Vec<String> {
    let is_of_the_door = |file: &String| file == DOOR;
    lines(arrows, |arrow| {
        floor(&arrow.from).is_some()
            && (is_of_the_door(&arrow.to) || arrow.through.iter().any(is_of_the_door))
    })
}

/// The arrows from one part of `src/` to another or through it.
pub(crate) fn between(arrows: &[Arrow], from: &str, to: &str) -> Vec<String> {
    lines(arrows, |arrow| {
        let mut files = arrow.through.iter().chain([&arrow.to]);
        part(&arrow.from) == from && files.any(|file| part(file) == to)
    })
}

/// For each file that is in a circle, the shortest one; the files in order, then the arrows.
pub(crate) fn circles(arrows: &[Arrow]) -> Vec<String> {
    let mut from = BTreeMap::<&str, Vec<&Arrow>>::new();
    for arrow in arrows.iter().filter(|arrow| !arrow.only_hands_on) {
        from.entry(&arrow.from).or_default().push(arrow);
    }
    let circles = from.keys().filter_map(|file| shortest(file, &from));
    let mut seen = BTreeSet::new();
    let new = circles.filter(|circle| {
        let mut files: Vec<&str> = circle.iter().map(|arrow| arrow.from.as_str()).collect();
        files.sort_unstable();
        seen.insert(files)
    });
    new.map(|circle| round(&circle)).collect()
}

/// How far below the roof a file of the wings is.
pub(crate) fn floor(file: &str) -> Option<usize> {
    let wing = part(file.strip_prefix("conformance/")?);
    WINGS.iter().position(|name| *name == wing)
}

/// The name that a file and the folder beside it share.
fn part(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap_or(file)
}

/// The first of the wrong ones between any two files.
fn lines(arrows: &[Arrow], is_wrong: impl Fn(&Arrow) -> bool) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let wrong = arrows.iter().filter(|arrow| is_wrong(arrow));
    let first = wrong.filter(|arrow| seen.insert((&arrow.from, &arrow.to)));
    first.map(Arrow::to_string).collect()
}

fn shortest<'a>(start: &str, from: &BTreeMap<&'a str, Vec<&'a Arrow>>) -> Option<Vec<&'a Arrow>> {
    let mut came_by = BTreeMap::<&str, &Arrow>::new();
    let mut queue = VecDeque::from([start]);
    while let Some(file) = queue.pop_front() {
        for arrow in from.get(file).into_iter().flatten().copied() {
            if came_by.contains_key(arrow.to.as_str()) {
                continue;
            }
            came_by.insert(&arrow.to, arrow);
            if arrow.to == start {
                return Some(back(arrow, &came_by));
            }
            queue.push_back(&arrow.to);
        }
    }
    None
}

/// The arrows of a circle in order, from the one that closes it.
fn back<'a>(last: &'a Arrow, came_by: &BTreeMap<&str, &'a Arrow>) -> Vec<&'a Arrow> {
    let mut circle = vec![last];
    let mut at = last;
    while at.from != last.to {
        at = came_by[at.from.as_str()];
        circle.push(at);
    }
    circle.reverse();
    circle
}

fn round(circle: &[&Arrow]) -> String {
    let files = circle.iter().map(|arrow| arrow.from.as_str());
    let files: Vec<&str> = files.chain([circle[0].from.as_str()]).collect();
    let arrows: Vec<String> = circle.iter().map(ToString::to_string).collect();
    format!("{}\n    {}", files.join(" -> "), arrows.join("\n    "))
}
