//! Reduce: the calls that a violation needs.

use super::call::{Call, Judgement, Kind, Outcome, Rules, Value};
use super::check;
use super::search::Search;
use super::timeline::Timeline;
use std::collections::BTreeSet;

/// The calls of a history that no order explains, without those that make no difference.
///
/// What is wrong with these is wrong with the whole history. A prepare can always be left out: it
/// only asks for more. A write is left out only if the calls are as wrong should it never have taken
/// effect, and no prepare needs it for what it returned. No further call can be left out on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reduced {
    /// The calls. Their clocks are as exact as the whole history made them.
    pub calls: Vec<Call>,
    /// The place of each in the whole history.
    pub places: Vec<usize>,
    /// Calls that are drawn with them: what is needed to see that a history is wrong need not be what made
    /// it so.
    pub beside: Vec<Call>,
    /// What the store may do.
    pub rules: Rules,
}

/// The calls that are needed for what is wrong with a history; nothing if it is not wrong.
pub fn reduce(calls: &[Call], rules: &Rules) -> Option<Reduced> {
    let Judgement::Wrong { at } = check(calls, rules) else {
        return None;
    };
    let mut parts = parts(calls, rules, at);
    let mut index = 0;
    while let Some(part) = parts.get(index) {
        let mut fewer = parts.clone();
        fewer.remove(index);
        // Who wrote what they found belongs to the argument, and so does what explains the others.
        let is_found = part
            .value()
            .is_some_and(|value| found(&parts).contains(&value));
        match part.is_relaxed && !is_found && is_wrong_at(&fewer, rules, at) {
            true => parts = fewer,
            false => index += 1,
        }
    }
    Some(Reduced {
        calls: parts.iter().map(|part| part.call).collect(),
        places: parts.iter().map(|part| part.place).collect(),
        beside: Vec::new(),
        rules: *rules,
    })
}

/// Whether this is the first call by whose return the calls are wrong.
fn is_wrong_at(parts: &[Part], rules: &Rules, at: usize) -> bool {
    let calls: Vec<Call> = parts.iter().map(|part| part.call).collect();
    match check(&calls, rules) {
        Judgement::Wrong { at: index } => parts[index].place == at,
        _ => false,
    }
}

/// A call that may be needed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) place: usize,
    pub(super) call: Call,
    /// A write that may never have taken effect.
    pub(super) is_relaxed: bool,
    /// It had not returned when the history was wrong.
    is_pending: bool,
}

impl Part {
    fn is_read(&self) -> bool {
        matches!(self.call.kind, Kind::Found(_) | Kind::Nothing)
    }

    /// What it commits.
    fn value(&self) -> Option<Value> {
        match self.call.kind {
            Kind::Commit { value, .. } => Some(value),
            _ => None,
        }
    }

    /// The call as it is judged.
    fn judged(&self) -> Call {
        let outcome = match self.is_relaxed || self.is_pending {
            true => Outcome::Unknown,
            false => self.call.outcome,
        };
        Call {
            outcome,
            ..self.call
        }
    }
}

/// The calls that are needed, and the writes that may never have taken effect.
pub(super) fn parts(calls: &[Call], rules: &Rules, at: usize) -> Vec<Part> {
    let mut parts = cut(past(calls, rules, at), rules);
    let mut stretch = parts.len().next_power_of_two();
    while stretch > 0 {
        let mut end = 0;
        while end < parts.len() {
            let start = end;
            end = parts.len().min(start + stretch);
            if parts[start..end].iter().all(|part| part.is_relaxed) {
                continue;
            }
            let fewer = without(&parts, start..end);
            if is_wrong(&fewer, rules) {
                end -= parts.len() - fewer.len();
                parts = fewer;
            }
        }
        stretch /= 2;
    }
    parts
}

/// The calls that had been invoked when `at` returned.
fn past(calls: &[Call], rules: &Rules, at: usize) -> Vec<Part> {
    let timeline = Timeline::new(calls, rules);
    let end = calls[at].returned;
    let invoked = (0u32..)
        .zip(calls)
        .take_while(|(_, call)| call.invoked < end);
    let parts = invoked.map(|(index, call)| Part {
        place: index as usize,
        call: Call {
            clock: timeline.span(index),
            ..*call
        },
        is_relaxed: false,
        is_pending: call.returned > end,
    });
    parts
        .filter(|part| !(part.is_read() && part.is_pending))
        .collect()
}

/// Cuts off what came before some write, if the calls are still wrong.
///
/// Whatever returned before that write was invoked, comes before it in any order. Then it makes no
/// difference to the prepares that were invoked after it had returned, and only these are kept.
fn cut(parts: Vec<Part>, rules: &Rules) -> Vec<Part> {
    let writes: Vec<Call> = parts
        .iter()
        .filter(|part| !part.is_read() && !part.is_pending)
        .filter(|part| part.call.outcome == Outcome::Certain)
        .map(|part| part.call)
        .collect();
    let mut back = 1;
    while let Some(first) = writes.len().checked_sub(back) {
        let write = writes[first];
        let is_after = |part: &Part| match part.is_read() {
            true => part.call.invoked > write.returned,
            false => part.call.returned >= write.invoked,
        };
        let after: Vec<Part> = parts
            .iter()
            .filter(|part| is_after(part))
            .copied()
            .collect();
        // Who wrote what they found belongs to the argument.
        let found = found(&after);
        let is_found = |part: &Part| part.value().is_some_and(|value| found.contains(&value));
        let kept: Vec<Part> = parts
            .iter()
            .filter(|part| is_after(part) || is_found(part))
            .copied()
            .collect();
        if is_wrong(&kept, rules) {
            return kept;
        }
        back *= 2;
    }
    parts
}

/// What the prepares found.
fn found(parts: &[Part]) -> BTreeSet<Value> {
    let found = parts.iter().filter_map(|part| match part.call.kind {
        Kind::Found(value) => Some(value),
        _ => None,
    });
    found.collect()
}

/// The parts with a range of them left out: the prepares gone, the writes relaxed.
pub(super) fn without(parts: &[Part], range: std::ops::Range<usize>) -> Vec<Part> {
    let each = parts.iter().enumerate();
    let kept = each.filter_map(|(index, part)| match range.contains(&index) {
        true if part.is_read() => None,
        true => Some(Part {
            is_relaxed: true,
            ..*part
        }),
        false => Some(*part),
    });
    kept.collect()
}

pub(super) fn is_wrong(parts: &[Part], rules: &Rules) -> bool {
    let calls: Vec<Call> = parts.iter().map(Part::judged).collect();
    let judgement = Search::new(&Timeline::new(&calls, rules)).run();
    matches!(judgement, Judgement::Wrong { .. })
}
