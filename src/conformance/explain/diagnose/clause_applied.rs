//! Clause applied: what the broken clause says of this very program, where the argument for the reply does
//! not name it.

use crate::clause::Clause;
use crate::conformance::judge::failure::Failing;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::{Id, Payload, Time};
use crate::constraint::Constraint;
use crate::model::{Model, Op, Reply};
use crate::snapshot::Snapshot;
use std::fmt::Display;

/// In half a sentence, which follows on what should have been answered and why.
pub(super) fn clause_applied(failing: &Failing, clause: Clause) -> Option<String> {
    let particulars = Particulars::of(&failing.ops)?;
    let sentence = match clause {
        Clause::Com4 => format!(
            "the commit {} {}",
            particulars.refused?,
            match failing.failure.otherwise.is_empty() {
                true => "was refused, so it changed nothing",
                false => "had to be refused, and so to change nothing",
            }
        ),
        Clause::Drp4 => format!(
            "the drop of {} touches no other id",
            particulars.dropped_other?
        ),
        Clause::Drp3 => "a drop of the empty id does nothing".to_owned(),
        Clause::Drp2 => "a drop of what is gone does nothing".to_owned(),
        Clause::Idn1 => format!("{} is another id", particulars.other?),
        Clause::Idn2 => match failing.failure.outcome {
            Outcome::Replied(Reply::Refused(Constraint::UnsupportedId))
                if particulars.ends_with_commit =>
            {
                "an id that it has taken before is one that it can hold".to_owned()
            }
            _ => "an id is held as it is, or refused as one that is not supported".to_owned(),
        },
        Clause::Val1 => match failing.failure.outcome {
            Outcome::Replied(Reply::Refused(Constraint::UnsupportedValue)) => {
                "a value that is claimed is one that it can hold".to_owned()
            }
            _ if !failing.failure.refusals.is_empty() => {
                "what is refused for a value changes nothing".to_owned()
            }
            _ => "a value is held as it is, or refused as one that is not supported".to_owned(),
        },
        Clause::Pre4 => "a prepare changes nothing".to_owned(),
        Clause::Com6 if particulars.ends_with_commit => {
            "it replaces what is live, and that is no error".to_owned()
        }
        Clause::Com6 => format!("its commit replaced {} and its life", particulars.replaced?),
        Clause::Com7 => format!(
            "a ttl of {} is positive, so it is honoured",
            particulars.ttl?
        ),
        Clause::Com8 => "its commit created the entry again".to_owned(),
        Clause::Ttl1 => "no life ends before its deadline".to_owned(),
        Clause::Ttl3 => {
            "no other entry's life, and no other call, ends or prolongs its own".to_owned()
        }
        Clause::Ttl4 => "it was found gone and not committed since, so it stays gone".to_owned(),
        Clause::Snp4 => "it comes back as it was, in every value".to_owned(),
        Clause::Com5 if particulars.ends_with_commit => {
            "a commit that may not be refused takes effect".to_owned()
        }
        Clause::Pre3 | Clause::Com5 => "that is what a prepare gives".to_owned(),
        _ => return None,
    };
    Some(format!("{sentence} ({clause})"))
}

/// What the sentences of clauses name, in a program that ends with a call on some id.
#[derive(Default)]
struct Particulars {
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

impl Particulars {
    fn of(ops: &[Op]) -> Option<Self> {
        let last = ops.last()?;
        let id = last.id()?;
        let mut particulars = Self {
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
                    let of = |what: &dyn Display| format!("of {what:#} for {}", Time(*ttl));
                    particulars.refused = Some(match snapshot.id() {
                        "" => of(&Id("")),
                        _ => of(&Payload(snapshot)),
                    });
                }
                Op::Commit {
                    snapshot: Some(snapshot),
                    ttl,
                } if snapshot.id() == id => {
                    particulars.replaced = live.map(|live| format!("{:#}", Payload(live)));
                    particulars.ttl = Some(Time(*ttl).to_string());
                    live = Some(snapshot);
                }
                Op::Commit {
                    snapshot: Some(snapshot),
                    ..
                } => particulars.other = named(snapshot.id()),
                Op::Drop { id: dropped } if dropped == id => live = None,
                Op::Drop { id: dropped } => {
                    particulars.dropped_other = named(dropped);
                    particulars.other = particulars.other.or_else(|| named(dropped));
                }
                _ => {}
            }
        }
        Some(particulars)
    }
}
