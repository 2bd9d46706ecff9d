//! Argument: why the expected reply is right, and what the store did instead.

use crate::clause::Clause;
use crate::conformance::judge::failure::{Failing, Mistake};
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::{Id, Payload, Time};
use crate::model::{Model, Op, Reply};

/// From clause to clause. The broken clause is not always among them.
pub(super) fn why_expected(failing: &Failing) -> String {
    let Some(last) = failing.ops.last() else {
        return "making the store and dropping it again must not fail (ERR-1)".to_owned();
    };
    let decided = failing.failure.expected.clause;
    let argument = match (&failing.failure.expected.reply, last) {
        (Reply::Refused(constraint), _) => {
            format!("{constraint} ({decided}), so the commit must be refused")
        }
        (_, Op::Prepare { id }) => why_there_or_not(failing, id),
        (_, Op::Commit { .. }) => {
            "the id is not empty and the ttl is positive, so the commit must succeed".to_owned()
        }
        (_, Op::Drop { .. }) => format!("a drop succeeds, whatever is there ({decided})"),
        (_, Op::Advance { .. }) => format!("time only passes ({decided})"),
        (_, Op::Restart) => format!("the store must come up again with what it has ({decided})"),
    };
    let argument = match failing.failure.measured {
        Some(at) => format!(
            "{argument}; this call was made at {} by the clock",
            Time(at)
        ),
        None => argument,
    };
    let must_refuse = matches!(failing.failure.expected.reply, Reply::Refused(_));
    match &failing.failure.outcome {
        Outcome::Panicked(_) => format!("{argument}; no input may make a store panic (ERR-1)"),
        Outcome::Hung(_) => format!("{argument}; no input may make a store hang (ERR-1)"),
        Outcome::Died(_) => {
            format!("{argument}; no input may make a store end its process (ERR-1)")
        }
        Outcome::Failed(_) => format!("{argument}; the store answered with an error"),
        Outcome::Replied(Reply::Refused(constraint)) if must_refuse => {
            format!("{argument} for that, and not because \"{constraint}\"")
        }
        Outcome::Replied(Reply::Refused(constraint)) => {
            format!("{argument}; the store refused it: \"{constraint}\"")
        }
        Outcome::Replied(_) => argument,
    }
}

/// What there should be under `id` at the end of a program, and why.
fn why_there_or_not(failing: &Failing, id: &str) -> String {
    let (ops, failure) = (failing.counted(), &failing.failure);
    let mut model = Model::default();
    let mut commit = None;
    let mut dropped = None;
    let mut restarted = false;
    for op in &ops {
        let expected = model.step(op);
        restarted |= *op == Op::Restart;
        if op.id() != Some(id) || expected.reply != Reply::Done {
            continue;
        }
        restarted = false;
        match op {
            Op::Commit { snapshot, ttl } => {
                commit = snapshot.as_ref().map(|s| (s, model.now(), *ttl));
                dropped = None;
            }
            Op::Drop { .. } => dropped = Some(model.now()),
            _ => {}
        }
    }
    let name = Id(id);
    let Some((snapshot, at, ttl)) = commit else {
        return match id {
            "" => "the empty id is nobody's (PRE-2)".to_owned(),
            _ if !failing.failure.refused_ids.is_empty()
                && failing.ops.iter().any(|op| is_commit_under(op, id)) =>
            {
                format!("the commit of {name} was refused, so there is nothing under it (IDN-2)")
            }
            _ => format!("{name} was never committed (PRE-1)"),
        };
    };
    let payload = Payload(snapshot).to_string();
    let what = if payload.len() > 60 {
        "it".to_owned()
    } else {
        payload
    };
    let committed = format!("{what} was committed at {} for {}", Time(at), Time(ttl));
    let deadline = Time(at.saturating_add(ttl));
    if let Some(dropped) = dropped {
        let dropped = Time(dropped);
        return match restarted {
            true => format!(
                "{name} was dropped at {dropped} and not committed since, and a restart does not \
                 bring it back (DUR-1)"
            ),
            false => format!("{name} was dropped at {dropped} and not committed since (DRP-1)"),
        };
    }
    let nothing = failure.expected.reply == Reply::Nothing;
    let lost = failure.mistake() == Mistake::Lost;
    match failure.expected.clause {
        Clause::Ttl2 if restarted => format!(
            "{committed}, so it is gone from {deadline} on (TTL-2), and a restart adds nothing to its \
             life (DUR-1)"
        ),
        Clause::Ttl2 => format!("{committed}, so it is gone from {deadline} on (TTL-2)"),
        Clause::Ttl1 => format!("{committed}, so it is live until {deadline} (TTL-1)"),
        Clause::Ttl4 => {
            format!("{name} was found gone and not committed since, so it stays gone (TTL-4)")
        }
        _ if nothing => format!(
            "the entry committed last was let go of, and {name}, which is older and was not used \
             since, must have gone before it (COM-5)"
        ),
        Clause::Dur1 if lost => format!(
            "{committed}, so it is live until {deadline} (TTL-1), and a restart changes nothing of \
             that (DUR-1)"
        ),
        Clause::Dur1 => {
            format!(
                "{committed}, and a restart brings back no other snapshot than the last (DUR-1)"
            )
        }
        decided => format!("{committed}, and is live ({decided})"),
    }
}

fn is_commit_under(op: &Op, id: &str) -> bool {
    matches!(op, Op::Commit { .. }) && op.id() == Some(id)
}
