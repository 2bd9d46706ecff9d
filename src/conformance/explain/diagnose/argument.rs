//! Argument: why the expected reply is right, and what the store did instead.

use crate::clause::Clause;
use crate::conformance::judge::failure::{Failing, Mistake};
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::{Id, Payload, Time, unsupported};
use crate::model::{Model, Op, Reply};

/// From clause to clause, with those that the reply contradicts, whatever the reason. The broken clause is
/// not always among them.
pub(super) struct Argument {
    pub(super) text: String,
    pub(super) contradicted: Vec<Clause>,
}

impl Argument {
    fn new(text: String, contradicted: &[Clause]) -> Self {
        Self {
            text,
            contradicted: contradicted.to_vec(),
        }
    }

    /// With more behind it.
    pub(super) fn and(self, more: &str) -> Self {
        Self {
            text: self.text + more,
            ..self
        }
    }
}

pub(super) fn why_expected(failing: &Failing) -> Argument {
    let Some(last) = failing.ops.last() else {
        let text = "making the store and dropping it again must not fail (ERR-1)";
        return Argument::new(text.to_owned(), &[]);
    };
    let decided = failing.failure.expected.clause;
    let by = |text: String| Argument::new(format!("{text} ({decided})"), &[decided]);
    let argument = match (&failing.failure.expected.reply, last) {
        _ if decided == Clause::Err3 => by(
            "after an error the entry is as before that call or as it asked for, and nothing else"
                .to_owned(),
        ),
        (Reply::Refused(constraint), _) => {
            by(constraint.to_string()).and(", so the commit must be refused")
        }
        (_, Op::Prepare { id }) => why_there_or_not(failing, id),
        (_, Op::Commit { .. }) => Argument::new(
            "the id is not empty and the ttl is positive, so the commit must succeed".to_owned(),
            &[],
        ),
        (_, Op::Drop { .. }) => by("a drop succeeds, whatever is there".to_owned()),
        (_, Op::Advance { .. }) => by("time only passes".to_owned()),
        (_, Op::Restart) => by("the store must come up again with what it has".to_owned()),
    };
    let argument = match failing.failure.times.last() {
        Some(at) => argument.and(&format!(
            "; this call was made at {} by the clock",
            Time(*at)
        )),
        None => argument,
    };
    let must_refuse = matches!(failing.failure.expected.reply, Reply::Refused(_));
    // No reply came that could contradict what was argued.
    let no_input_may = |what: &str| {
        let text = format!(
            "{}; no input may make a store {what} (ERR-1)",
            argument.text
        );
        Argument::new(text, &[])
    };
    match &failing.failure.outcome {
        Outcome::Panicked(_) => no_input_may("panic"),
        Outcome::Hung(_) => no_input_may("hang"),
        Outcome::Died(_) => no_input_may("end its process"),
        Outcome::Failed(_) => argument.and("; the store answered with an error"),
        Outcome::Replied(Reply::Refused(constraint)) if must_refuse => {
            argument.and(&format!(" for that, and not because \"{constraint}\""))
        }
        Outcome::Replied(Reply::Refused(constraint)) => {
            argument.and(&format!("; the store refused it: \"{constraint}\""))
        }
        Outcome::Replied(_) => argument,
    }
}

/// What there should be under `id` at the end of a program, and why.
fn why_there_or_not(failing: &Failing, id: &str) -> Argument {
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
            "" => Argument::new(
                "the empty id is nobody's (PRE-2)".to_owned(),
                &[Clause::Pre2],
            ),
            _ => match refused_by(failing, id) {
                Some(clause) => by_clause(
                    &format!("the commit of {name} was refused, so there is nothing under it"),
                    clause,
                ),
                None => by_clause(&format!("{name} was never committed"), Clause::Pre1),
            },
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
        let text = format!("{name} was dropped at {dropped} and not committed since");
        return match restarted {
            true => Argument::new(
                format!("{text}, and a restart does not bring it back (DUR-1)"),
                &[Clause::Dur1],
            ),
            false => Argument::new(format!("{text} (DRP-1)"), &[Clause::Drp1]),
        };
    }
    let nothing = failure.expected.reply == Reply::Nothing;
    let lost = failure.mistake() == Mistake::Lost;
    let expired = format!("{committed}, so it is gone from {deadline} on (TTL-2)");
    let live = format!("{committed}, so it is live until {deadline} (TTL-1)");
    match failure.expected.clause {
        Clause::Ttl2 if restarted => Argument::new(
            format!("{expired}, and a restart adds nothing to its life (DUR-1)"),
            &[Clause::Ttl2, Clause::Dur1],
        ),
        Clause::Ttl2 => Argument::new(expired, &[Clause::Ttl2]),
        Clause::Ttl1 if lost => Argument::new(live, &[Clause::Ttl1]),
        // It lives, and is another.
        Clause::Ttl1 => Argument::new(live, &[]),
        Clause::Ttl4 => Argument::new(
            format!("{name} was found gone and not committed since, so it stays gone (TTL-4)"),
            &[Clause::Ttl4],
        ),
        _ if nothing => Argument::new(
            format!(
                "the entry committed last was let go of, and {name}, which is older and was not \
                 used since, must have gone before it (COM-5)"
            ),
            &[Clause::Com5],
        ),
        Clause::Dur1 if lost => Argument::new(
            format!("{live}, and a restart changes nothing of that (DUR-1)"),
            &[Clause::Ttl1, Clause::Dur1],
        ),
        Clause::Dur1 => Argument::new(
            format!(
                "{committed}, and a restart brings back no other snapshot than the last (DUR-1)"
            ),
            &[Clause::Dur1],
        ),
        decided => Argument::new(format!("{committed}, and is live ({decided})"), &[decided]),
    }
}

/// With the clause behind it, which it contradicts.
fn by_clause(text: &str, clause: Clause) -> Argument {
    Argument::new(format!("{text} ({clause})"), &[clause])
}

/// The clause by which the last commit of this id was refused as unsupported, if one was.
fn refused_by(failing: &Failing, id: &str) -> Option<Clause> {
    let mut refusals = failing.failure.refusals.iter().rev();
    let last = refusals.find(|(at, _)| failing.ops[**at].id() == Some(id));
    last.map(|(_, constraint)| unsupported::clause(*constraint))
}
