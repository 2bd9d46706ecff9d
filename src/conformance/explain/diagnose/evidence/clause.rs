//! Clause: which one the evidence points to.

use super::{Evidence, HUGE};
use crate::clause::Clause;
use crate::conformance::explain::diagnose::irreducible::{is_foreign, is_plain_ttl};
use crate::conformance::judge::failure::{Failing, Mistake, Whose};
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::{ids, payload};
use crate::constraint::Constraint;
use crate::model::{Op, Reply};
use crate::snapshot::Snapshot;

impl Evidence<'_> {
    /// Of a prepare that should have been answered otherwise.
    pub(in super::super) fn clause_of_prepare(
        &self,
        failing: &Failing,
        outcome: &Outcome,
    ) -> Clause {
        let expected = &failing.failure.expected;
        match (&expected.reply, outcome) {
            (Reply::Nothing, Outcome::Replied(Reply::Found(_))) => {
                self.clause_of_revived(failing, expected.clause)
            }
            (Reply::Found(_), Outcome::Replied(Reply::Nothing)) => self.clause_of_lost(failing),
            (Reply::Found(_), Outcome::Replied(Reply::Found(found))) => {
                self.clause_of_changed(failing, found)
            }
            (Reply::Nothing, _) => self.clause_of_failed_for_nothing(expected.clause),
            // What cannot be read is as good as lost.
            (_, _) => match self.clause_of_lost(failing) {
                Clause::Com5 => Clause::Pre3,
                clause => clause,
            },
        }
    }

    /// Nothing should be there, but to say so the store fails.
    fn clause_of_failed_for_nothing(&self, decided: Clause) -> Clause {
        match decided {
            _ if self.refused => Clause::Com4,
            _ if self.has_confusable_ids => Clause::Idn2,
            _ if self.was_found_gone => Clause::Ttl4,
            _ if self.dropped_when_gone || self.dropped_before_commit => Clause::Drp2,
            _ if self.dropped_other => Clause::Drp4,
            _ if self.prepared || self.prepared_other => Clause::Pre4,
            _ => decided,
        }
    }

    /// Nothing should be there, but something is.
    fn clause_of_revived(&self, failing: &Failing, decided: Clause) -> Clause {
        let is_of_another = failing.failure.found == Some(Whose::Others);
        if let Some(clause) = self.refused_by {
            return clause;
        }
        match decided {
            _ if is_of_another && (self.has_confusable_ids || self.has_particular_tokens) => {
                Clause::Idn1
            }
            Clause::Pre1 | Clause::Pre2 if self.prepared => Clause::Pre4,
            Clause::Pre1 | Clause::Pre2 if is_of_another && self.prepared_other => Clause::Pre4,
            Clause::Drp1 | Clause::Ttl2 | Clause::Ttl4 if is_of_another => {
                self.clause_of_exchanged()
            }
            Clause::Pre2 if !self.has_confusable_ids => Clause::Pre2,
            _ if self.refused => Clause::Com4,
            // Of a store that may evict: it outlived the entry committed last, or came back.
            Clause::Com5 | Clause::Ttl4 => decided,
            Clause::Pre1 | Clause::Pre2
                if self.has_confusable_ids || self.has_particular_tokens =>
            {
                Clause::Idn1
            }
            _ if self.dropped_other && !self.are_ids_confused() => Clause::Drp4,
            Clause::Pre1 => Clause::Pre1,
            _ if self.was_found_gone && self.prepared_other => Clause::Pre4,
            _ if self.was_found_gone => Clause::Ttl4,
            _ if self.dropped_when_gone || self.dropped_before_commit => Clause::Drp2,
            _ if self.prepared || self.prepared_other => Clause::Pre4,
            Clause::Drp1 => Clause::Drp1,
            _ if self.decided_by == Some(Clause::Com6) && self.does_the_replaced_entry_matter() => {
                Clause::Com6
            }
            _ if self.has_huge_ttl() => Clause::Com7,
            _ if self.are_ids_confused() => Clause::Idn1,
            _ if self.do_other_ids_matter() => Clause::Ttl3,
            _ if self.decided_by == Some(Clause::Com8) => Clause::Com8,
            _ if self.does_the_ttl_matter() && self.never_expires(failing) => Clause::Com7,
            _ => Clause::Ttl2,
        }
    }

    /// Another id's entry is there.
    fn clause_of_exchanged(&self) -> Clause {
        match self.prepared || self.prepared_other {
            true => Clause::Pre4,
            false => Clause::Idn1,
        }
    }

    /// A refused commit has changed something: one that was refused for a value, unless any refused one does.
    fn clause_of_refusal(&self, failing: &Failing) -> Clause {
        let of_a_value = self.refused_by == Some(Clause::Val1) && !self.refused;
        match of_a_value && !self.fails_alike_with_another_refusal(failing) {
            true => Clause::Val1,
            false => Clause::Com4,
        }
    }

    /// It should be there, but nothing is.
    fn clause_of_lost(&self, failing: &Failing) -> Clause {
        match self.decided_by {
            _ if self.refused || self.refused_by.is_some() => self.clause_of_refusal(failing),
            _ if self.has_confusable_ids && ids::ids(self.ops).len() == 1 => Clause::Idn2,
            _ if self.are_ids_confused() || self.finds_what_replaces_a_drop() => Clause::Idn1,
            _ if self.dropped_other => Clause::Drp4,
            // Tokens would not do.
            _ if self.dropped_empty && self.has_confusable_ids => Clause::Idn1,
            _ if self.dropped_empty => Clause::Drp3,
            _ if self.dropped_before_commit => Clause::Drp2,
            _ if self.prepared || self.prepared_other => Clause::Pre4,
            Some(Clause::Com6) if self.does_the_replaced_entry_matter() => Clause::Com6,
            Some(Clause::Com8) => Clause::Com8,
            _ if self.does_the_ttl_matter() || self.now > HUGE => Clause::Com7,
            _ if self.now > 0 && self.do_other_ids_matter() => Clause::Ttl3,
            _ if self.now > 0 => Clause::Ttl1,
            _ if self.was_found_live => Clause::Pre3,
            _ if self.do_other_ids_matter() && !self.committed_other_since => Clause::Com5,
            _ if self.do_other_ids_matter() && self.is_kept_with_long_ttls() => Clause::Ttl3,
            // Many push it out; one, most likely, for what it shares with it.
            _ if self.committed_other.len() > 1 => Clause::Ttl1,
            _ if self.do_other_ids_matter() => Clause::Pre3,
            _ if self.has_particular_payload() => Clause::Snp4,
            _ => Clause::Com5,
        }
    }

    /// Something else is there.
    fn clause_of_changed(&self, failing: &Failing, found: &Snapshot) -> Clause {
        let of_other = || {
            let mut others = self.committed_other.iter();
            others.any(|other| other.with_id("") == found.with_id(""))
        };
        match self.decided_by {
            _ if self.refused || self.refused_by.is_some() => self.clause_of_refusal(failing),
            _ if (self.has_confusable_ids || self.has_particular_tokens) && of_other()
                || self.are_ids_confused() =>
            {
                Clause::Idn1
            }
            _ if failing.failure.found == Some(Whose::Others)
                && (self.prepared || !self.has_particular_payload()) =>
            {
                self.clause_of_exchanged()
            }
            _ if self.dropped_other => Clause::Drp4,
            _ if self.dropped_empty => Clause::Drp3,
            _ if self.prepared_other => Clause::Pre4,
            Some(Clause::Com6)
                if !self.prepared
                    && self.is_replaced(found)
                    && self.does_the_replaced_entry_matter() =>
            {
                Clause::Com6
            }
            _ if !self.committed_other.is_empty() => Clause::Pre3,
            _ if self.prepared => Clause::Pre4,
            Some(Clause::Com6) => Clause::Com6,
            Some(Clause::Com8) => Clause::Com8,
            _ if self.has_particular_payload() => Clause::Snp4,
            _ => Clause::Pre3,
        }
    }

    /// A commit or a drop that should have been answered otherwise.
    pub(in super::super) fn clause_of_write(&self, failing: &Failing, op: &Op) -> Clause {
        let decided = failing.failure.expected.clause;
        let has_foreign_id =
            op.id().is_some_and(is_foreign) && !self.fails_alike_under_a_token(failing);
        match (op, failing.failure.mistake()) {
            // For the right reason or not, it was not taken.
            (_, Mistake::Refused | Mistake::Failed) if has_foreign_id => Clause::Idn2,
            _ if failing.failure.expected.reply != Reply::Done => decided,
            _ if failing.failure.outcome == unsupported_value() => Clause::Val1,
            _ if self.refused => Clause::Com4,
            _ if self.dropped_other => Clause::Drp4,
            _ if self.dropped_empty => Clause::Drp3,
            _ if self.prepared || self.prepared_other => Clause::Pre4,
            (
                Op::Commit {
                    snapshot: Some(snapshot),
                    ..
                },
                _,
            ) if payload::number_of(snapshot).is_none() => Clause::Val1,
            (Op::Commit { ttl, .. }, _) if !is_plain_ttl(*ttl, self.tick) => Clause::Com7,
            _ => decided,
        }
    }

    /// Whether it was committed under the same id before the last commit, and not again.
    fn is_replaced(&self, found: &Snapshot) -> bool {
        let is_found =
            |op: &Op| matches!(op, Op::Commit { snapshot: Some(one), .. } if one == found);
        self.ops.iter().any(is_found) && self.deciding_commit.is_some_and(|(last, _)| last != found)
    }

    fn do_other_ids_matter(&self) -> bool {
        self.dropped_other
            || self.written_other
            || !self.committed_other.is_empty()
            || self.prepared_other
    }

    fn has_huge_ttl(&self) -> bool {
        self.deciding_commit.is_some_and(|(_, ttl)| ttl > HUGE)
    }

    /// A payload that an ordinary one could not replace. One without user and data is not ordinary.
    fn has_particular_payload(&self) -> bool {
        let number = |snapshot| payload::number_of(snapshot).unwrap_or(0);
        self.deciding_commit
            .is_some_and(|(snapshot, _)| number(snapshot) == 0)
    }
}

fn unsupported_value() -> Outcome {
    Outcome::Replied(Reply::Refused(Constraint::UnsupportedValue))
}
