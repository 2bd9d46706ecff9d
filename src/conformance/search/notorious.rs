//! Notorious: values and pairs of ids that some store is known to take for others, to cut or to lose.
//! Random ones hit them with luck; here each has a program of its own.

use super::context::Context;
use super::definition::{Search, Takes};
use super::found::Found;
use super::given;
use crate::conformance::program::supported::Supported;
use crate::conformance::program::value_claims::ValueClaims;
use crate::conformance::program::{Program, alike, corpus, hostile, payload};
use crate::data::Data;
use crate::model::{Nanos, Op};
use crate::snapshot::Snapshot;

/// Values and ids that are known to go wrong.
pub(crate) const SEARCH: Search = Search {
    name: "notorious",
    runs: "one program for each value and each pair of ids that stores are known to take for another, to \
           cut or to lose",
    takes: Takes::Programs,
    shows: Takes::is_of_programs,
    fits: |context| context.may_draw(),
    share: |budget| budget.sequences,
    weight: 2,
    run,
};

fn run(context: &Context<'_>) -> Result<Found, String> {
    let runner = &context.runner;
    // Time has no part in them.
    let life = match runner.is_exact() {
        true => runner.tick,
        false => 1_000 * runner.tick,
    };
    let mut programs = programs(&runner.profile.supported, life, context.deepest());
    let most = 2 * context.budget.sequences;
    let mut left_out = 0;
    if !runner.is_exact() && programs.len() > most {
        // Some of every kind: where stores take long to make, so do all of them.
        let step = programs.len().div_ceil(most);
        let first = usize::try_from(context.seed % step as u64).unwrap_or(0);
        let all = programs.len();
        programs = programs.into_iter().skip(first).step_by(step).collect();
        left_out = (all - programs.len()) as u64;
    }
    let claim = "{programs} programs, one for each value and each pair of ids that stores are known to \
                 take for another, to cut or to lose";
    let found = given::run(context, SEARCH.name, 1, &programs)?;
    Ok(Found {
        claim: claim.to_owned(),
        left_out: found.left_out + left_out,
        ..found
    })
}

/// A program for each that is supported, with values of no more than `deepest` levels.
fn programs(supported: &Supported, tick: Nanos, deepest: Option<usize>) -> Vec<Program> {
    let claims = &supported.values.clone().no_deeper(deepest);
    let [token, _] = supported.two_ids();
    let snapshots = corpus::snapshots(claims.levels()).into_iter();
    let snapshots = snapshots.map(|snapshot| snapshot.with_id(&*token));
    let snapshots = snapshots.chain(largest(claims, &token));
    let snapshots = snapshots.chain(of_chunks(&token));
    let snapshots = snapshots.map(|snapshot| claims.nearest(&snapshot));
    let snapshots = snapshots.filter(|snapshot| claims.has(snapshot));
    let values = snapshots.map(|snapshot| vec![commit(snapshot, tick), prepare(&token)]);
    let alike = alike::pairs(&token).into_iter();
    let alike = alike.filter(|pair| pair.iter().all(|snapshot| claims.has(snapshot)));
    let alike =
        alike.map(|[one, other]| vec![commit(one, tick), commit(other, tick), prepare(&token)]);
    let pairs = hostile::pairs().chain(hostile::marks_for_marks());
    let pairs: Vec<[String; 2]> = match &supported.ids {
        None => pairs.collect(),
        Some(pair) => (0..SUPPORTED_PAIRS).map(|number| pair(number)).collect(),
    };
    let pairs = pairs.into_iter();
    let pairs = pairs.filter(|pair| pair.iter().all(|id| supported.fits_in(id)));
    let pairs = pairs.map(|[one, other]| told_apart(&one, &other, tick));
    let all = values.chain(alike).chain(pairs);
    all.map(Program::from).collect()
}

/// So many of the pairs of ids that a store supports.
const SUPPORTED_PAIRS: u64 = 400;

/// Those whose wire forms end where chunks do, a byte before, and a byte after.
fn of_chunks(id: &str) -> impl Iterator<Item = Snapshot> {
    const CHUNKS: [usize; 12] = [
        250, 255, 256, 500, 512, 1_000, 1_024, 2_048, 4_096, 8_192, 16_384, 65_536,
    ];
    let lengths = CHUNKS.into_iter();
    let lengths = lengths.flat_map(|chunk| [chunk - 1, chunk, chunk + 1, 2 * chunk]);
    lengths.filter_map(move |length| of_wire_length(id, length))
}

/// A snapshot whose wire form has so many bytes.
fn of_wire_length(id: &str, length: usize) -> Option<Snapshot> {
    let of_text = |length: usize| {
        let mut data = Data::default();
        let set = data.set("", "x".repeat(length));
        set.is_ok().then(|| Snapshot::new(id, "", None, data))
    };
    let around = of_text(0)?.encode().len();
    of_text(length.checked_sub(around)?)
}

/// One as large as the store supports; unless that is told, larger than the mebibyte at which caches end.
fn largest(claims: &ValueClaims, id: &str) -> Option<Snapshot> {
    const MEBIBYTE: usize = 1 << 20;
    of_wire_length(id, claims.size.unwrap_or(MEBIBYTE + 1))
}

/// Whether two ids are two: what is done under one is not seen under the other.
fn told_apart(one: &str, other: &str, tick: Nanos) -> Vec<Op> {
    let drop = |id: &str| Op::Drop { id: id.to_owned() };
    vec![
        commit(payload::numbered(1, one), tick),
        prepare(other),
        commit(payload::numbered(2, other), tick),
        prepare(one),
        drop(one),
        prepare(other),
        drop(other),
        commit(payload::numbered(3, one), tick),
        prepare(other),
        prepare(one),
    ]
}

fn commit(snapshot: Snapshot, ttl: Nanos) -> Op {
    Op::Commit {
        snapshot: Some(snapshot),
        ttl,
    }
}

fn prepare(id: &str) -> Op {
    Op::Prepare { id: id.to_owned() }
}
