//! Notorious: values and pairs of ids that some store is known to take for others, to cut or to lose.
//! Random ones hit them with luck; here each has a program of its own.

mod values;

pub(crate) use values::snapshots;

use super::Program;
use super::hostile;
use super::payload;
use super::values::{fits, fits_in};
use crate::conformance::subject::profile::Profile;
use crate::data::{Data, MAX_DEPTH};
use crate::model::{Nanos, Op};
use crate::snapshot::Snapshot;

/// A program for each that the profile supports, with values of no more than `deepest` levels.
pub(crate) fn programs(profile: &Profile, tick: Nanos, deepest: Option<usize>) -> Vec<Program> {
    let depth = profile.depth.unwrap_or(MAX_DEPTH).min(MAX_DEPTH);
    let depth = deepest.map_or(depth, |deepest| depth.min(deepest));
    let [token, _] = profile.two_ids();
    let snapshots = snapshots(depth).into_iter();
    let snapshots = snapshots.map(|snapshot| snapshot.with_id(&*token));
    let snapshots = snapshots.chain(largest(profile, &token));
    let snapshots = snapshots.filter(|snapshot| fits(snapshot, profile));
    let values = snapshots.map(|snapshot| vec![commit(snapshot, tick), prepare(&token)]);
    let pairs = hostile::pairs().filter(|_| profile.ids.is_none());
    let pairs = pairs.filter(|pair| pair.iter().all(|id| fits_in(id, profile)));
    let pairs = pairs.map(|[one, other]| told_apart(&one, &other, tick));
    values.chain(pairs).map(Program::from).collect()
}

/// One as large as the store supports; unless that is told, larger than the mebibyte at which caches end.
fn largest(profile: &Profile, id: &str) -> Option<Snapshot> {
    const MEBIBYTE: usize = 1 << 20;
    let of_text = |length: usize| {
        let mut data = Data::default();
        let set = data.set("", "x".repeat(length));
        set.is_ok().then(|| Snapshot::new(id, "", None, data))
    };
    let length = match profile.size {
        Some(size) => size.checked_sub(of_text(0)?.encode().len())?,
        None => MEBIBYTE + 1,
    };
    of_text(length)
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
