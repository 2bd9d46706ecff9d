//! Text: a report as people read it.

use super::{Report, Searched, Status, Verdict, Violation};
use crate::clause::Clause;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::trace::Trace;
use crate::conformance::program::{Id, OutcomeText, ReplyText};
use crate::model::{Op, Reply};
use std::fmt::{self, Display, Formatter};

/// Columns of a line of text.
const WIDTH: usize = 100;

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Verdict::Misused(reason) = &self.verdict {
            return write!(f, "{reason}");
        }
        writeln!(f, "searched")?;
        for search in &self.searches {
            search.fmt(f)?;
        }
        self.table(f)?;
        for violation in &self.violations {
            write!(f, "\n{violation}")?;
        }
        for note in &self.notes {
            writeln!(f)?;
            wrapped(f, "note: ", note)?;
        }
        write!(f, "\n{}", self.verdict_line())
    }
}

impl Report {
    /// One clause a line; where nothing was searched, only those that the given programs exercise.
    fn table(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let shown = self.clauses.iter().filter(|finding| match finding.status {
            Status::Kept | Status::Violated | Status::Cited => true,
            _ => self.has_searched(),
        });
        writeln!(
            f,
            "\nclause status          exercised  (programs in which a reply depended on it)"
        )?;
        for finding in shown {
            let exercised = match finding.status {
                Status::Kept | Status::Violated | Status::Cited if finding.exercised > 0 => {
                    thousands(finding.exercised)
                }
                _ => "-".to_owned(),
            };
            let status = match finding.see {
                Some(clause) => format!("see {clause}"),
                None => finding.status.to_string(),
            };
            let head = format!("{:<6} {status:<15} {exercised:>9}  ", finding.clause);
            let room = WIDTH - head.chars().count();
            writeln!(f, "{head}{}", cut(finding.clause.statement(), room))?;
        }
        Ok(())
    }

    pub(crate) fn verdict_line(&self) -> String {
        if self.verdict == Verdict::Conforms && !self.has_searched() {
            return format!("{} answers as the contract says.", self.store);
        }
        let counts: Vec<String> = [
            (Status::Violated, "violated"),
            (Status::Cited, "cited"),
            (Status::Kept, "kept"),
            (Status::Vacuous, "vacuous"),
            (Status::Undecided, "undecided"),
            (Status::NotClaimed, "not claimed"),
            (Status::ByConstruction, "by construction"),
            (Status::NotChecked, "not checked"),
        ]
        .into_iter()
        .map(|(status, name)| (self.count(status), name))
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
        let conclusion = match &self.verdict {
            Verdict::Conforms => "conforms".to_owned(),
            Verdict::Violated => "breaks the contract".to_owned(),
            Verdict::Undecided(reason) => format!("is undecided: {reason}"),
            Verdict::Misused(reason) => reason.clone(),
        };
        format!(
            "{} {conclusion}. Clauses: {}. Profile: {}. Seed {}.",
            self.store,
            counts.join(", "),
            self.profile,
            self.seed
        )
    }
}

impl Display for Searched {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let head = format!("  {:<11} ", self.name);
        let claim = self.claim.replace("{programs}", &thousands(self.programs));
        let text = format!("{claim} ({} steps)", thousands(self.steps));
        wrapped(f, &head, &text)
    }
}

/// The counterexample: a timeline, the argument, and how to run it again.
impl Display for Violation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let ops = self.program.ops();
        let title = format!("{} violated: ", self.clause);
        wrapped(f, &title, self.clause.statement())?;
        if let Some(history) = &self.history {
            return self.of_a_history(history, f);
        }
        let got = ops
            .last()
            .map(|op| described(&self.got, op))
            .unwrap_or_default();
        let expected = self.expected.as_ref();
        let expected = expected.map(|reply| format!("{:#}", ReplyText(reply)));
        let last = format!("{got}   <- expected {}", expected.unwrap_or_default());
        let trace = Trace::refusing(&self.refusals, &self.program)
            .answering(&self.otherwise)
            .at(&self.times);
        let id = ops.last().and_then(Op::id);
        let is_write = |at: usize| !matches!(ops[at], Op::Prepare { .. }) && ops[at].id().is_some();
        let trace = trace.ending_with(last);
        let trace = trace.abridged(&self.program, |at| is_write(at) && ops[at].id() == id);
        write!(f, "{trace}")?;
        wrapped(f, "because  ", &format!("{}.", self.because))?;
        if let Some(near_miss) = &self.near_miss {
            let end = if near_miss.ends_with('?') { "" } else { "." };
            wrapped(f, "near     ", &format!("{near_miss}{end}"))?;
        }
        if !self.cited.is_empty() {
            let broken: Vec<_> = self.broken().map(Clause::id).collect();
            let all = format!("{}; to skip this, skip them all", broken.join(" "));
            wrapped(f, "breaks   ", &all)?;
        }
        let operations = if ops.len() == 1 {
            "operation"
        } else {
            "operations"
        };
        let shrunk = match (self.repeats, self.is_cut_short) {
            (true, false) => "after shrinking",
            (true, true) => "after shrinking for as long as there was time",
            (false, false) => "as found: it did not fail again, so it could not be shrunk",
            (false, true) => "as found: there was no time left to shrink it",
        };
        let place = match self.after {
            0 => String::new(),
            after => format!(", program {}", thousands(after)),
        };
        writeln!(
            f,
            "found    by {} search{place}; {} {operations} {shrunk}",
            self.search,
            ops.len()
        )?;
        self.again(f)
    }
}

impl Violation {
    /// How to run it again.
    fn again(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let program = self.program.to_string();
        let quoted = program.replace('\'', r"'\''");
        writeln!(f, "replay   session-spec replay '{quoted}'")?;
        if let Some(luck) = &self.luck {
            wrapped(f, "         ", &format!("which goes by luck: {luck}"))?;
        }
        writeln!(f, "test     check(..).replay({program:?}).assert();")
    }

    /// Calls that overlap, or of which one was cancelled.
    fn of_a_history(&self, history: &str, f: &mut Formatter<'_>) -> fmt::Result {
        for line in history.lines() {
            writeln!(f, "    {line}")?;
        }
        wrapped(f, "because  ", &format!("{}.", self.because))?;
        let place = match self.after {
            0 => String::new(),
            after => format!(", history {}", thousands(after)),
        };
        let found = format!("by {} search{place}", self.search);
        wrapped(f, "found    ", &found)?;
        self.again(f)
    }
}

/// What came back from `op`; of a snapshot under another id, that too.
fn described(outcome: &Outcome, op: &Op) -> String {
    let text = format!("{:#}", OutcomeText(outcome));
    match outcome {
        Outcome::Replied(Reply::Found(found)) if op.id() != Some(found.id()) => {
            format!("{text} of {}", Id(found.id()))
        }
        _ => text,
    }
}

/// `text` behind `head`, in lines of [`WIDTH`] that begin below the text.
fn wrapped(f: &mut Formatter<'_>, head: &str, text: &str) -> fmt::Result {
    let indent = head.chars().count();
    let mut used = indent;
    write!(f, "{head}")?;
    for (index, word) in text.split(' ').enumerate() {
        let length = word.chars().count();
        if index > 0 && used + 1 + length > WIDTH {
            write!(f, "\n{:indent$}", "")?;
            used = indent;
        } else if index > 0 {
            write!(f, " ")?;
            used += 1;
        }
        write!(f, "{word}")?;
        used += length;
    }
    writeln!(f)
}

/// `text` in at most `room` characters.
fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(room - 2).collect();
    cut.truncate(cut.rfind(' ').unwrap_or(cut.len()));
    cut + " .."
}

/// 1234567 as 1,234,567.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
