//! Repeated: the same few operations again and again, on the same ids or on one after another. They show
//! what a store numbers in too few bits, keeps only so many of, or does every so many times.

use super::context::Context;
use super::definition::{Search, Takes};
use super::found::Found;
use super::given;
use crate::conformance::program::rng::Rng;
use crate::conformance::program::time::nanos;
use crate::conformance::program::{Program, ids, payload};
use crate::conformance::subject::profile::Profile;
use crate::model::{Nanos, Op};
use crate::token;

/// How often one operation is repeated: some times, and as often as a number of so many bits counts, and
/// once more.
const ONE: [usize; 16] = [
    5, 6, 7, 8, 9, 10, 16, 17, 32, 33, 64, 65, 128, 129, 256, 257,
];

/// The same of two in turn. Three are repeated often enough for what comes every ten times.
const TWO: [usize; 9] = [3, 4, 5, 6, 7, 8, 10, 16, 17];
const THREE: usize = 12;

/// So many ids at once that some of them have the same hash of sixteen bits.
const CROWD: usize = 2_048;

/// So many of them are read often, for caches of different sizes.
const POPULAR: [usize; 3] = [32, 256, CROWD];

/// So many payloads one after another that two in a row have, most likely, the same hash of twelve bits.
const PAYLOADS: usize = 20_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// A commit of A with a payload of its own, or always the same.
    Commit,
    Recommit,
    Prepare,
    Drop,
    Advance,
    CommitOther,
    PrepareOther,
    DropOther,
    /// Of an id that is another one in every round.
    CommitNext,
    PrepareNext,
    DropNext,
}

use Step::{
    Advance, Commit, CommitNext, CommitOther, Drop, DropNext, DropOther, Prepare, PrepareNext,
    PrepareOther, Recommit,
};

const STEPS: [Step; 8] = [
    Commit,
    Recommit,
    Prepare,
    Drop,
    Advance,
    CommitOther,
    PrepareOther,
    DropOther,
];

/// What came before.
const BEFORE: [&[Step]; 5] = [
    &[],
    &[Commit],
    &[Commit, Drop],
    &[Commit, Prepare],
    &[Commit, CommitOther],
];

/// Rounds on one id after another.
const NEXT: [&[Step]; 8] = [
    &[CommitNext],
    &[PrepareNext],
    &[DropNext],
    &[CommitNext, PrepareNext],
    &[CommitNext, DropNext],
    &[CommitNext, Prepare],
    &[CommitNext, DropNext, PrepareNext],
    &[CommitNext, Advance],
];

/// Few calls, again and again.
pub(crate) const SEARCH: Search = Search {
    name: "repeated",
    runs: "the same one, two or three calls up to 257 times, on the same ids or on one after another",
    takes: Takes::Programs,
    shows: Takes::is_of_programs,
    fits: |context| context.may_draw(),
    // For each random program so many operations: fewer than it has.
    share: |budget| 28 * budget.sequences,
    weight: 2,
    run,
};

fn run(context: &Context<'_>) -> Result<Found, String> {
    let most = (SEARCH.share)(&context.budget);
    let programs = programs(context.runner.profile, context.runner.tick, most);
    let longest = programs.iter().map(|program| program.ops().len()).max();
    let claim = format!(
        "{{programs}} programs of up to {} operations, of which one, two or three are done again and \
         again, on the same ids or on others",
        longest.unwrap_or(0)
    );
    Ok(Found {
        claim,
        ..given::run(context, SEARCH.name, 1, &programs)?
    })
}

/// Every round of one, two or three operations, the short programs first, until they have so many
/// operations together.
fn programs(profile: &Profile, tick: Nanos, most: usize) -> Vec<Program> {
    let script = Script {
        ids: profile.supported.two_ids(),
        others: others(profile),
        tick,
        // Within a resolution something may add up that is right each time.
        advance: match nanos(profile.resolution) / 2 {
            0 => tick,
            half => half,
        },
    };
    let mut rounds: Vec<(&[Step], Vec<Step>, usize)> = Vec::new();
    let mut repeat = |round: &[Step], before: &[&'static [Step]], times: &[usize]| {
        for before in before {
            rounds.extend(times.iter().map(|times| (*before, round.to_vec(), *times)));
        }
    };
    for one in STEPS {
        repeat(&[one], &BEFORE, &ONE);
    }
    for round in NEXT {
        repeat(round, &BEFORE, &ONE);
    }
    let pairs = || {
        STEPS
            .into_iter()
            .flat_map(|one| STEPS.map(|two| [one, two]))
    };
    let pairs = || pairs().filter(|[one, two]| one != two);
    for pair in pairs() {
        repeat(&pair, &BEFORE, &TWO);
    }
    for [one, two] in pairs() {
        for three in STEPS
            .into_iter()
            .filter(|three| ![one, two].contains(three))
        {
            repeat(&[one, two, three], &BEFORE[..2], &[THREE]);
        }
    }
    rounds.sort_by_key(|(before, round, times)| before.len() + round.len() * times);
    let rounds = rounds.iter();
    let rounds = rounds.map(|(before, round, times)| script.of(before, round, *times));
    let crowds = [2, 1].into_iter().map(|every| script.crowd(every));
    let popular = POPULAR
        .into_iter()
        .filter(|_| profile.may_evict)
        .map(|many| script.popular(many));
    let mut left = most;
    let programs = popular.chain(rounds).chain(crowds);
    let programs = programs.chain([script.payloads()]).take_while(|ops| {
        let enough = left.checked_sub(ops.len());
        left = enough.unwrap_or(0);
        enough.is_some()
    });
    programs.map(Program::from).collect()
}

/// Ids that the store supports, all different and neither of the two plainest.
fn others(profile: &Profile) -> Vec<String> {
    let tokens = ids::simplest(58);
    let letter = |number: usize| &tokens[number % tokens.len()][..1];
    let token = |number: usize| {
        // The first letter changes slowest.
        let high = letter(2 + number / tokens.len()).to_owned();
        high + &letter(number).repeat(token::LEN - 1)
    };
    match &profile.supported.ids {
        None => {
            // Of ids that are all built alike, a checksum may tell all apart.
            let mut rng = Rng::new(0, CROWD as u64);
            let mut drawn = |_| (0..token::LEN).map(|_| letter(rng.below(58))).collect();
            let half = CROWD / 2;
            (0..half)
                .map(token)
                .chain((0..half).map(&mut drawn))
                .collect()
        }
        Some(pair) => {
            let two = pair(0);
            let all = (1..=CROWD as u64).flat_map(|number| pair(number));
            let mut all: Vec<String> = all.filter(|id| !two.contains(id)).collect();
            all.sort();
            all.dedup();
            all
        }
    }
}

/// What steps are about.
struct Script {
    /// A and B.
    ids: [String; 2],
    others: Vec<String>,
    tick: Nanos,
    advance: Nanos,
}

impl Script {
    /// The round so many times, and a look at both ids in the end.
    fn of(&self, before: &[Step], round: &[Step], times: usize) -> Vec<Op> {
        // Long enough to see the end, unless time passes.
        let ttl = match round.contains(&Advance) {
            true => 2 * self.advance,
            false => 1_000 * self.tick,
        };
        let rounds = (0..times).flat_map(|number| round.iter().map(move |step| (number, step)));
        let steps = before.iter().map(|step| (0, step)).chain(rounds);
        let op =
            |(index, (number, step)): (usize, (usize, &Step))| self.op(*step, number, index, ttl);
        let mut ops: Vec<Op> = steps.enumerate().map(op).collect();
        ops.extend([PrepareOther, Prepare].map(|step| self.op(step, 0, 0, ttl)));
        ops
    }

    /// A step of the round of this number.
    fn op(&self, step: Step, number: usize, index: usize, ttl: Nanos) -> Op {
        let [a, b] = &self.ids;
        let id = match step {
            Commit | Recommit | Prepare | Drop | Advance => a,
            CommitOther | PrepareOther | DropOther => b,
            CommitNext | PrepareNext | DropNext => {
                let others = self.others.get(number % self.others.len().max(1));
                others.unwrap_or(b)
            }
        };
        match step {
            Advance => Op::Advance { by: self.advance },
            Prepare | PrepareOther | PrepareNext => prepare(id),
            Drop | DropOther | DropNext => Op::Drop { id: id.clone() },
            Recommit => commit(1, id, ttl),
            // The first number is that of the payload that is always the same.
            Commit | CommitOther | CommitNext => commit(index + 2, id, ttl),
        }
    }

    /// One id, under which something else is committed again and again.
    fn payloads(&self) -> Vec<Op> {
        let ttl = 1_000 * self.tick;
        let [id, _] = &self.ids;
        let payloads = 1..=PAYLOADS;
        payloads
            .flat_map(|number| [commit(number, id, ttl), prepare(id)])
            .collect()
    }

    /// So many ids, all read often before another one is committed: of a cache that has no room for all, which
    /// one goes, once it had time to tidy up?
    fn popular(&self, many: usize) -> Vec<Op> {
        let ttl = 1_000 * self.tick;
        let others = || self.others.iter().take(many);
        let commits = (2..)
            .zip(others())
            .map(|(number, id)| commit(number, id, ttl));
        let reads = || others().map(|id| prepare(id));
        let [newest, _] = &self.ids;
        let newest = [
            commit(1, newest, ttl),
            Op::Advance { by: self.tick },
            prepare(newest),
        ];
        let read = reads().chain(reads()).chain(reads());
        commits.chain(read).chain(newest).chain(reads()).collect()
    }

    /// Very many ids, of which every so many is committed: it is found after all of them, and no other.
    fn crowd(&self, every: usize) -> Vec<Op> {
        let ttl = 1_000 * self.tick;
        let committed = self.others.iter().enumerate().step_by(every);
        let commits = committed.map(|(number, id)| commit(number + 2, id, ttl));
        commits
            .chain(self.others.iter().map(|id| prepare(id)))
            .collect()
    }
}

fn commit(number: usize, id: &str, ttl: Nanos) -> Op {
    Op::Commit {
        snapshot: Some(payload::numbered(number as u64, id)),
        ttl,
    }
}

fn prepare(id: &str) -> Op {
    Op::Prepare { id: id.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// CRC-16 of the kind that Redis takes for the slots of its keys.
    fn crc_16(text: &str) -> u16 {
        text.bytes().fold(0, |crc: u16, byte| {
            (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| match crc >> 15 {
                1 => crc << 1 ^ 0x1021,
                _ => crc << 1,
            })
        })
    }

    #[test]
    fn some_of_a_crowd_have_one_checksum_of_sixteen_bits() {
        assert_eq!(crc_16("123456789"), 0x31c3);
        let ids = others(&Profile::default());
        let different: HashSet<&String> = ids.iter().collect();
        let sums: HashSet<u16> = ids.iter().map(|id| crc_16(id)).collect();
        assert_eq!((ids.len(), different.len()), (CROWD, CROWD));
        assert!(sums.len() < CROWD, "{}", sums.len());
    }
}
