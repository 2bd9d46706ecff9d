//! Rule: what the broken clause says of this very program, where the argument for the reply does not
//! name it.

use crate::clause::Clause;
use crate::conformance::judge::failure::Failing;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::{Id, Payload, Time};
use crate::constraint::Constraint;
use crate::model::{Model, Op, Reply};
use crate::snapshot::Snapshot;
use std::fmt::Display;

/// In half a sentence, which follows on what should have been answered and why.
pub(super) fn rule(failing: &Failing, clause: Clause) -> Option<String> {
    let cast = Cast::of(&failing.ops)?;
    let said = match clause {
        Clause::Com4 => format!(
            "the commit {} was refused, so it changed nothing",
            cast.refused?
        ),
        Clause::Drp4 => format!("the drop of {} touches no other id", cast.dropped_other?),
        Clause::Drp3 => "a drop of the empty id does nothing".to_owned(),
        Clause::Drp2 => "a drop of what is gone does nothing".to_owned(),
        Clause::Idn1 => format!("{} is another id", cast.other?),
        Clause::Idn2 => match failing.failure.outcome {
            Outcome::Replied(Reply::Refused(Constraint::UnsupportedId))
                if cast.ends_with_commit =>
            {
                "an id that it has taken before is one that it can hold".to_owned()
            }
            _ => "an id is held as it is, or refused as one that is not supported".to_owned(),
        },
        Clause::Pre4 => "a prepare changes nothing".to_owned(),
        Clause::Com6 if cast.ends_with_commit => {
            "it replaces what is live, and that is no error".to_owned()
        }
        Clause::Com6 => format!("its commit replaced {} and its life", cast.replaced?),
        Clause::Com7 => format!("a ttl of {} is positive, so it is honoured", cast.ttl?),
        Clause::Com8 => "its commit created the entry again".to_owned(),
        Clause::Ttl1 => "no life ends before its deadline".to_owned(),
        Clause::Ttl3 => {
            "no other entry's life, and no other call, ends or prolongs its own".to_owned()
        }
        Clause::Ttl4 => "it was found gone and not committed since, so it stays gone".to_owned(),
        Clause::Snp4 => "it comes back as it was, in every value".to_owned(),
        Clause::Com5 if cast.ends_with_commit => {
            "a commit that may not be refused takes effect".to_owned()
        }
        Clause::Pre3 | Clause::Com5 => "that is what a prepare gives".to_owned(),
        _ => return None,
    };
    Some(format!("{said} ({clause})"))
}

/// What the clauses speak of, in a program that ends with a call on some id.
#[derive(Default)]
struct Cast {
    /// The last commit that was refused.
    refused: Option<String>,
    dropped_other: Option<String>,
    /// Another id that was committed, or else dropped.
    other: Option<String>,
    /// What stood under the id when it was last committed.
    replaced: Option<String>,
    /// Of the last commit under the id.
    ttl: Option<String>,
    ends_with_commit: bool,
}

impl Cast {
    fn of(ops: &[Op]) -> Option<Self> {
        let last = ops.last()?;
        let id = last.id()?;
        let mut cast = Self {
            ends_with_commit: matches!(last, Op::Commit { .. }),
            ..Self::default()
        };
        let mut model = Model::default();
        let mut live: Option<&Snapshot> = None;
        for op in ops {
            let reply = model.step(op).reply;
            let named = |id: &str| Some(Id(id).to_string());
            match op {
                Op::Commit {
                    snapshot: Some(snapshot),
                    ttl,
                } if reply != Reply::Done => {
                    let of = |what: &dyn Display| format!("of {what} for {}", Time(*ttl));
                    cast.refused = Some(match snapshot.id() {
                        "" => of(&Id("")),
                        _ => of(&Payload(snapshot)),
                    });
                }
                Op::Commit {
                    snapshot: Some(snapshot),
                    ttl,
                } if snapshot.id() == id => {
                    cast.replaced = live.map(|live| Payload(live).to_string());
                    cast.ttl = Some(Time(*ttl).to_string());
                    live = Some(snapshot);
                }
                Op::Commit {
                    snapshot: Some(snapshot),
                    ..
                } => cast.other = named(snapshot.id()),
                Op::Drop { id: dropped } if dropped == id => live = None,
                Op::Drop { id: dropped } => {
                    cast.dropped_other = named(dropped);
                    cast.other = cast.other.or_else(|| named(dropped));
                }
                _ => {}
            }
        }
        Some(cast)
    }
}
