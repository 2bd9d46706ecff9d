//! One at a time: the calls of several clients made by one. What goes wrong then too is no matter of
//! order.

use super::context::Context;
use super::found::Caught;
use crate::conformance::judge::flaky;
use crate::conformance::judge::history::{History, Record};
use crate::conformance::judge::timed::Begin;
use crate::conformance::subject::{Passing, panics};
use crate::model::{Nanos, Op};
use std::iter::repeat_n;

/// The calls one after another, with the cancelled ones or without, if the store answers wrong then
/// too: what one client can show is no matter of order.
pub(crate) fn one_at_a_time(
    context: &Context<'_>,
    history: &History,
    after: u64,
) -> Option<Caught> {
    let records: Vec<&Record> = history.records().iter().collect();
    let mut by_return = records.clone();
    by_return.sort_by_key(|record| record.returned);
    let [mut first, mut second] = [by_return.clone(), records.clone()];
    first.retain(|record| record.outcome.is_some());
    second.retain(|record| record.outcome.is_some());
    let orders = [first, second, by_return, records];
    let orders = orders.iter().map(Vec::as_slice);
    some_alone(context, orders, after)
}

/// What one client shows that makes these calls in one of these orders: as soon as it can, or where time
/// goes on by itself, at some phase of the clock.
fn some_alone<'a>(
    context: &Context<'_>,
    orders: impl Iterator<Item = &'a [&'a Record]>,
    after: u64,
) -> Option<Caught> {
    let orders: Vec<_> = orders.collect();
    let programs = MOMENTS.into_iter().flat_map(|moment| {
        let orders = orders.iter();
        orders.map(move |records| as_program(context, records, moment))
    });
    let mut programs: Vec<Vec<Op>> = programs.collect();
    programs.dedup();
    let mut at_once = programs.iter();
    at_once
        .find_map(|ops| alone(context, ops.clone(), after))
        .or_else(|| at_some_phase(context, programs, after))
}

/// The same, each begun at every phase of a clock that goes on by itself.
fn at_some_phase(context: &Context<'_>, programs: Vec<Vec<Op>>, after: u64) -> Option<Caught> {
    let times = context.runner.times_each();
    if times == 1 {
        return None;
    }
    let each = programs.into_iter().flat_map(|ops| repeat_n(ops, times));
    let each: Vec<Vec<Op>> = each.collect();
    let ran = panics::silently(|| context.runner.timed().run_all(&each));
    let (ran, _) = ran.ok()?;
    let mut failed = each.into_iter().zip(ran);
    failed.find_map(|(ops, ran)| {
        let failure = ran.failures.into_iter().next()?;
        Some(Caught::new(ops, failure, after))
    })
}

/// The same of a few calls, in every order that their spans allow.
pub(crate) fn in_some_order(
    context: &Context<'_>,
    records: &[Record],
    after: u64,
) -> Option<Caught> {
    const MOST: usize = 24;
    let mut orders = Vec::new();
    let all: Vec<&Record> = records.iter().collect();
    in_orders(&all, &mut Vec::new(), &mut |order| {
        orders.push(order.to_vec());
        orders.len() < MOST
    });
    some_alone(context, orders.iter().map(Vec::as_slice), after)
}

/// What one client shows that makes these calls; whenever it makes them, where none has shown anything
/// before: a store with a thread of its own may race with that.
pub(crate) fn alone(context: &Context<'_>, ops: Vec<Op>, after: u64) -> Option<Caught> {
    let failure = panics::silently(|| match context.runner.subject.passing() {
        Passing::Injected => {
            let run = context.runner.probe(&ops);
            let times = if context.is_flaky { flaky::TIMES } else { 1 };
            let failure = (0..times).find_map(|_| run(&ops));
            failure.filter(|_| context.fails_alone || flaky::comes_again(&ops, &run))
        }
        // The clients did not wait for a phase of the clock either.
        _ => context
            .runner
            .timed()
            .run(&ops, Begin::Now)
            .into_iter()
            .next(),
    })?;
    Some(Caught::new(ops, failure, after))
}

/// The calls with the time between them, each made at its `moment`.
fn as_program(context: &Context<'_>, records: &[&Record], moment: fn(&Record) -> Nanos) -> Vec<Op> {
    // Where time goes on by itself, it is waited for, but for what the calls take anyway.
    let (mut now, least) = match context.runner.subject.passing() {
        Passing::Injected => (0, 1),
        _ => (records.first().map_or(0, |record| moment(record)), 100_000),
    };
    let mut ops = Vec::new();
    for record in records {
        let moment = moment(record);
        if moment - now >= least {
            let by = moment - now;
            ops.push(Op::Advance { by });
            now = moment;
        }
        ops.push(record.op.clone());
    }
    ops
}

/// When the calls may have read the clock.
const MOMENTS: [fn(&Record) -> Nanos; 2] = [early, late];

/// When a call may have read the clock at the earliest.
fn early(record: &Record) -> Nanos {
    record.clock.from
}

/// And at the latest.
fn late(record: &Record) -> Nanos {
    match record.clock.to {
        Nanos::MAX => record.clock.from,
        to => to,
    }
}

/// Shows `show` every order of `left` in which none comes before one that had returned when it was
/// invoked, until that has enough.
fn in_orders<'a>(
    left: &[&'a Record],
    order: &mut Vec<&'a Record>,
    show: &mut impl FnMut(&[&'a Record]) -> bool,
) -> bool {
    if left.is_empty() {
        return show(order);
    }
    (0..left.len()).all(|at| {
        let next = left[at];
        if left.iter().any(|other| other.returned < next.invoked) {
            return true;
        }
        let mut others = left.to_vec();
        others.remove(at);
        order.push(next);
        let go_on = in_orders(&others, order, show);
        order.pop();
        go_on
    })
}

#[cfg(test)]
mod tests;
