//! Plans: two or three clients with a call or two each, after every state of the ids, as programs with a schedule
//! to choose.
//!
//! Plans are equal only up to renaming clients and ids; nothing is taken to commute.

use super::overlapping::{Scene, first_ids};
use super::shape::{Call, Schedule};
use super::{Program, payload};
use crate::model::{Nanos, Op};
use std::collections::BTreeSet;

/// What is under an id when the clients meet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Live,
    /// Live, and prepared before: a cache knows it.
    Read,
    Unknown,
    /// Its deadline is now.
    Expired,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Prepare,
    Commit,
    /// A commit of what was committed before.
    Renew,
    Drop,
    /// A commit that must be refused.
    Refused,
}

use Kind::{Commit, Drop, Prepare, Refused, Renew};
use State::{Expired, Live, Read, Unknown};

const STATES: [State; 3] = [Live, Unknown, Expired];
const KINDS: [Kind; 5] = [Prepare, Commit, Drop, Renew, Refused];

/// A call, with the place of its id.
type Planned = (Kind, usize);

/// Every plan of a call against another: on the one id that there is, on two, and on one beside another.
pub(crate) fn of_one_call_each(scene: Scene<'_>) -> Vec<Program> {
    let calls = || {
        [0, 1]
            .into_iter()
            .flat_map(|id| KINDS.map(|kind| (kind, id)))
    };
    let pairs = || calls().flat_map(|one| calls().map(move |other| [one, other]));
    let states = || STATES.into_iter().flat_map(|a| STATES.map(|b| [a, b]));
    let plans = states().flat_map(|states| pairs().map(move |pair| (states, pair)));
    let mut known = BTreeSet::new();
    let mut plans: Vec<_> = plans
        .filter(|(states, pair)| {
            let swapped = |[one, other]: [Planned; 2]| [other, one];
            let renamed = pair.map(|(kind, id)| (kind, 1 - id));
            let [a, b] = *states;
            let alike = [
                ([a, b], *pair),
                ([a, b], swapped(*pair)),
                ([b, a], renamed),
                ([b, a], swapped(renamed)),
            ];
            alike
                .into_iter()
                .min()
                .is_some_and(|least| known.insert(least))
        })
        .collect();
    let on_one = |[(_, one), (_, other)]: &[Planned; 2]| one == other;
    let alone = |([a, b], pair): &([State; 2], [Planned; 2])| match pair {
        [(_, 0), (_, 0)] => *b == Unknown,
        _ => on_one(pair) && *a == Unknown,
    };
    let is_live = |plan: &&([State; 2], [Planned; 2])| alone(plan) && plan.0[0] == Live;
    let read = plans
        .iter()
        .filter(is_live)
        .map(|(_, pair)| ([Read, Unknown], *pair));
    plans.extend(read.collect::<Vec<_>>());
    plans.sort_by_key(|plan| (!alone(plan), on_one(&plan.1)));
    let plans = plans.into_iter();
    let programs =
        plans.filter_map(|(states, [one, other])| scene.planned(&states, &[&[one], &[other]]));
    programs.collect()
}

/// Every plan of one call against two, of one against one and one, and then of two against two, on one id.
pub(crate) fn of_more_calls(scene: Scene<'_>) -> Vec<Program> {
    let kinds = || KINDS.into_iter().filter(|kind| *kind != Refused);
    let one = || kinds().map(|kind| vec![(kind, 0)]);
    let two =
        || kinds().flat_map(move |first| kinds().map(move |second| vec![(first, 0), (second, 0)]));
    let uneven = one().flat_map(|one| two().map(move |other| vec![one.clone(), other]));
    let three = one().flat_map(|first| {
        one().flat_map(move |second| {
            let first = first.clone();
            one().map(move |third| vec![first.clone(), second.clone(), third])
        })
    });
    let even = two().flat_map(|one| two().map(move |other| vec![one.clone(), other]));
    let plans = uneven.chain(three.chain(even).filter(|clients| clients.is_sorted()));
    let plans = plans.flat_map(|plan| STATES.map(|state| (state, plan.clone())));
    let programs = plans.filter_map(|(state, clients)| {
        let clients: Vec<&[Planned]> = clients.iter().map(Vec::as_slice).collect();
        scene.planned(&[state], &clients)
    });
    programs.collect()
}

impl Scene<'_> {
    /// A plan as a program: the states, the clients' calls, and a look at what is there then, a tick later, and
    /// another. New entries live for a tick, renewed ones for two, and the others for long.
    /// Nothing, where it cannot be brought about.
    fn planned(self, states: &[State], clients: &[&[Planned]]) -> Option<Program> {
        let ids = first_ids(states.len(), self.supported);
        let mut commits = 0;
        let mut commit = |id: usize, ticks: Nanos| {
            commits += 1;
            Op::Commit {
                snapshot: Some(payload::numbered(commits, &ids[id])),
                ttl: ticks * self.tick,
            }
        };
        let advance = || Op::Advance { by: self.tick };
        let opening = |wanted: State| {
            let places = states.iter().enumerate();
            let such = places.filter(move |(_, state)| **state == wanted);
            such.map(|(place, _)| place).collect::<Vec<_>>()
        };
        let expired = opening(Expired);
        if !self.at_will && !expired.is_empty() {
            return None;
        }
        let mut program = Program::default();
        for place in opening(Live) {
            program.push(whole(commit(place, LONG)));
        }
        for place in opening(Read) {
            program.push(whole(commit(place, LONG)));
            program.push(whole(prepare(&ids[place])));
        }
        for place in &expired {
            program.push(whole(commit(*place, 1)));
        }
        if !expired.is_empty() {
            program.push(whole(advance()));
        }
        let before: Vec<Op> = program.ops().to_vec();
        let mut planned = |(kind, id): Planned| {
            Some(whole(match kind {
                Prepare => prepare(&ids[id]),
                Drop => Op::Drop {
                    id: ids[id].clone(),
                },
                Commit => commit(id, if self.at_will { 1 } else { LONG }),
                Refused => commit(id, 0),
                Renew => {
                    let is_its =
                        |op: &&Op| matches!(op, Op::Commit { .. }) && op.id() == Some(&ids[id]);
                    let mut renewed = before.iter().find(is_its)?.clone();
                    if let Op::Commit { ttl, .. } = &mut renewed {
                        *ttl = self.tick * if self.at_will { 2 } else { LONG };
                    }
                    renewed
                }
            }))
        };
        let clients = clients
            .iter()
            .map(|calls| calls.iter().map(|call| planned(*call)).collect());
        let clients: Option<Vec<Vec<Call>>> = clients.collect();
        program.push_together(clients?, Schedule::Drawn, 0);
        let look = || ids.iter().map(|id| prepare(id));
        let later = || std::iter::once(advance()).chain(look());
        let later = later().chain(later()).filter(|_| self.at_will);
        for op in look().chain(later) {
            program.push(whole(op));
        }
        Some(program)
    }
}

/// In ticks: longer than a plan takes.
const LONG: Nanos = 1_000;

fn prepare(id: &str) -> Op {
    Op::Prepare { id: id.to_owned() }
}

fn whole(op: Op) -> Call {
    Call { op, cancel: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::program::supported::Supported;

    const SECOND: Nanos = 1_000_000_000;

    fn texts(plans: fn(Scene<'_>) -> Vec<Program>, at_will: bool) -> Vec<String> {
        let supported = Supported::default();
        let scene = Scene {
            supported: &supported,
            tick: SECOND,
            at_will,
            threads: false,
        };
        plans(scene).iter().map(Program::to_string).collect()
    }

    #[test]
    fn plans_are_all_different_and_those_on_one_id_come_first() {
        for (plans, many) in [
            (of_one_call_each as fn(Scene<'_>) -> _, 240),
            (of_more_calls, 522),
        ] {
            let texts = texts(plans, true);
            let different: BTreeSet<&String> = texts.iter().collect();
            assert_eq!((texts.len(), different.len()), (many, many));
        }
        let plans = texts(of_one_call_each, true);
        insta::assert_snapshot!(plans[..3].join("\n"), @"
        s2: commit A v1 ttl 1000s; together { prepare A | prepare A }; prepare A; prepare B; advance 1s; prepare A; prepare B; advance 1s; prepare A; prepare B
        s2: commit A v1 ttl 1000s; together { prepare A | commit A v2 ttl 1s }; prepare A; prepare B; advance 1s; prepare A; prepare B; advance 1s; prepare A; prepare B
        s2: commit A v1 ttl 1000s; together { prepare A | drop A }; prepare A; prepare B; advance 1s; prepare A; prepare B; advance 1s; prepare A; prepare B
        ");
        insta::assert_snapshot!(plans.last().unwrap(), @"s2: commit A v1 ttl 1s; commit B v2 ttl 1s; advance 1s; together { commit A v3 ttl 0s | commit A v4 ttl 0s }; prepare A; prepare B; advance 1s; prepare A; prepare B; advance 1s; prepare A; prepare B");
        insta::assert_snapshot!(texts(of_more_calls, true).last().unwrap(), @"s2: commit A v1 ttl 1s; advance 1s; together { commit A v1 ttl 2s; commit A v1 ttl 2s | commit A v1 ttl 2s; commit A v1 ttl 2s }; prepare A; advance 1s; prepare A; advance 1s; prepare A");
    }

    #[test]
    fn what_has_to_be_waited_for_is_in_no_plan() {
        for plans in [of_one_call_each as fn(Scene<'_>) -> _, of_more_calls] {
            let texts = texts(plans, false);
            assert!(!texts.is_empty() && !texts.iter().any(|it| it.contains("advance")));
        }
    }
}
