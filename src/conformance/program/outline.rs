//! Outline: a program whose calls overlap or are cancelled, in a few lines for people.

use super::Program;
use super::shape::{Cancel, Step};
use super::write::{Operation, Time};
use std::ops::Range;

/// Calls of clients that are told one by one.
const MOST_TOLD: usize = 12;

/// Of one client an operation a line, with what `came_of` says of the operation at a place; of several,
/// a line for each time: before, at once, and then. Of a long program, how many calls there are. Clients
/// have no numbers here, since those that are drawn are numbered as they come.
pub(crate) fn outline(program: &Program, came_of: impl Fn(usize) -> String) -> String {
    if !program.overlaps() {
        return of_one_client(program, came_of);
    }
    let calls: usize = program
        .together()
        .iter()
        .map(|together| together.places().len())
        .sum();
    if calls > MOST_TOLD {
        let clients = program
            .together()
            .iter()
            .map(super::shape::Together::clients);
        let clients = clients.max().unwrap_or(0);
        return format!("{clients} clients at once, with {calls} calls\n");
    }
    let mut lines: Vec<(&str, Vec<String>)> = Vec::new();
    for step in program.steps() {
        let has_met = lines.iter().any(|(when, _)| *when == "at once");
        match step {
            Step::One { at } => {
                let when = if has_met { "then" } else { "first" };
                let call = described(program, at);
                match lines.last_mut().filter(|(last, _)| *last == when) {
                    Some((_, calls)) => calls.push(call),
                    None => lines.push((when, vec![call])),
                }
            }
            Step::Together { clients, together } => {
                let client = |places: Range<usize>| {
                    let calls: Vec<String> = places.map(|at| described(program, at)).collect();
                    calls.join("; ")
                };
                let clients: Vec<String> = clients.into_iter().map(client).collect();
                let pause = match together.pause {
                    0 => String::new(),
                    pause => format!(", with {} before each", Time(pause)),
                };
                lines.push(("at once", vec![clients.join(" | ") + &pause]));
            }
        }
    }
    let lines = lines.iter();
    let lines = lines.map(|(when, calls)| format!("{when:<8} {}\n", calls.join("; ")));
    lines.collect()
}

fn of_one_client(program: &Program, came_of: impl Fn(usize) -> String) -> String {
    let line = |at: usize| {
        let call = Operation(&program.ops()[at]);
        match program.cancel(at) {
            Some(cancel) => format!("{call:#}   {}\n", cancelled(cancel)),
            None => format!("{call:#}{}\n", came_of(at)),
        }
    };
    (0..program.ops().len()).map(line).collect()
}

/// An operation, and how it is cancelled, if it is.
fn described(program: &Program, at: usize) -> String {
    let call = Operation(&program.ops()[at]);
    match program.cancel(at) {
        Some(cancel) => format!("{call:#} ({})", cancelled(cancel)),
        None => format!("{call:#}"),
    }
}

fn cancelled(Cancel { polls, times }: Cancel) -> String {
    let polls = format!("{polls} poll{}", if polls == 1 { "" } else { "s" });
    match times {
        1 => format!("cancelled after {polls}"),
        times => format!("cancelled after {polls}, {times} times"),
    }
}
