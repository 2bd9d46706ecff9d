//! Write: operations and replies as text.

use super::payload;
use super::{CONSTRAINTS, LETTER_REPEATS, MAX, Program, Stated, UNITS, VERSION};
use crate::conformance::program::outcome;
use crate::model::{Nanos, Op, Reply};
use crate::snapshot::Snapshot;
use crate::token;
use serde_json::Value;
use std::fmt::{self, Display, Formatter};

/// On one line, with the version in front.
impl Display for Program {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION}:")?;
        for (index, op) in self.ops.iter().enumerate() {
            let separator = if index == 0 { " " } else { "; " };
            write!(f, "{separator}{}", Operation(op))?;
            if let Some(stated) = self.stated(index) {
                write!(f, " -> {stated}")?;
            }
        }
        Ok(())
    }
}

/// As it stands behind the arrow.
impl Display for Stated {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::AnyRefusal => f.write_str("refused"),
            Self::Reply(reply) => ReplyText(reply).fmt(f),
        }
    }
}

/// An operation, without a separator.
pub(crate) struct Operation<'a>(pub &'a Op);

impl Display for Operation<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Op::Prepare { id } => write!(f, "prepare {}", Id(id)),
            Op::Commit {
                snapshot: None,
                ttl,
            } => write!(f, "commit nil ttl {}", Time(*ttl)),
            Op::Commit {
                snapshot: Some(snapshot),
                ttl,
            } => write!(
                f,
                "commit {} {} ttl {}",
                Id(snapshot.id()),
                Payload(snapshot),
                Time(*ttl)
            ),
            Op::Drop { id } => write!(f, "drop {}", Id(id)),
            Op::Advance { by } => write!(f, "advance {}", Time(*by)),
            Op::Restart => f.write_str("restart"),
        }
    }
}

/// An id: a letter where it is a token of one, otherwise JSON strings, long runs shortened.
pub(crate) struct Id<'a>(pub &'a str);

impl Display for Id<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let id = self.0;
        if let Some(letter) = id.get(..1)
            && token::is_token(id)
            && *id == *letter.repeat(LETTER_REPEATS)
        {
            return f.write_str(letter);
        }
        f.write_str(&text(id))
    }
}

/// JSON strings joined by `+`, long runs of one character counted instead of written.
fn text(text: &str) -> String {
    /// Repeats from which on they are counted.
    const RUN: usize = 24;
    let chars: Vec<char> = text.chars().collect();
    let mut parts = Vec::new();
    let mut plain = String::new();
    for run in chars.chunk_by(|a, b| a == b) {
        if run.len() < RUN {
            plain.extend(run);
            continue;
        }
        if !plain.is_empty() {
            parts.push(json_string(&std::mem::take(&mut plain)));
        }
        parts.push(format!(
            "{}*{}",
            json_string(&run[0].to_string()),
            run.len()
        ));
    }
    if !plain.is_empty() || parts.is_empty() {
        parts.push(json_string(&plain));
    }
    parts.join("+")
}

fn json_string(text: &str) -> String {
    ascii(&Value::from(text).to_string())
}

/// JSON with everything beyond ASCII escaped, so that what looks alike or like nothing can be told
/// apart.
pub(crate) fn ascii(json: &str) -> String {
    let mut ascii = String::with_capacity(json.len());
    for character in json.chars() {
        if matches!(character, ' '..='~') {
            ascii.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            ascii += &format!("\\u{unit:04x}");
        }
    }
    ascii
}

/// A snapshot without its id: its number, or its wire form.
pub(crate) struct Payload<'a>(pub &'a Snapshot);

impl Display for Payload<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(number) = payload::number_of(self.0) {
            return write!(f, "v{number}");
        }
        // With an empty id, the wire form begins in the same bytes whatever the rest is.
        let wire = self.0.with_id("").encode();
        let wire = String::from_utf8_lossy(&wire);
        let parts = wire.strip_prefix(r#"{"id":"","#).unwrap_or(&wire);
        write!(f, "{{{}", with_texts(parts))
    }
}

/// JSON with its strings written as [`text`]; outside of them there is nothing to escape.
fn with_texts(json: &str) -> String {
    let (mut written, mut rest) = (String::new(), json);
    while let Some(quote) = rest.find('"') {
        written += &rest[..quote];
        rest = &rest[quote..];
        let mut strings = serde_json::Deserializer::from_str(rest).into_iter::<String>();
        let Some(Ok(string)) = strings.next() else {
            break;
        };
        written += &text(&string);
        rest = &rest[strings.byte_offset()..];
    }
    written + rest
}

/// Model time in the longest unit it fills, exactly.
pub(crate) struct Time(pub Nanos);

impl Display for Time {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let nanos = self.0;
        if nanos == MAX {
            return f.write_str("max");
        }
        if nanos == 0 {
            return f.write_str("0s");
        }
        let size = nanos.unsigned_abs();
        let sign = if nanos < 0 { "-" } else { "" };
        let (name, unit) = UNITS
            .map(|(name, unit)| (name, unit.unsigned_abs()))
            .into_iter()
            .find(|(_, unit)| size >= *unit)
            .unwrap_or(("ns", 1));
        let (whole, part) = (size / unit, size % unit);
        if part == 0 {
            return write!(f, "{sign}{whole}{name}");
        }
        let places = unit.ilog10() as usize;
        let fraction = format!("{part:0places$}");
        write!(f, "{sign}{whole}.{}{name}", fraction.trim_end_matches('0'))
    }
}

/// A reply, as a program states it.
pub(crate) struct ReplyText<'a>(pub &'a Reply);

impl Display for ReplyText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Reply::Found(snapshot) => write!(f, "{}", Payload(snapshot)),
            Reply::Nothing => f.write_str("nothing"),
            Reply::Done => f.write_str("done"),
            Reply::Refused(constraint) => {
                let name = CONSTRAINTS.iter().find(|(_, known)| known == constraint);
                write!(f, "refused {}", name.map_or("", |(name, _)| *name))
            }
        }
    }
}

/// What a store did, for reports.
pub(crate) struct Outcome<'a>(pub &'a outcome::Outcome);

impl Display for Outcome<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            outcome::Outcome::Replied(reply) => write!(f, "{}", ReplyText(reply)),
            outcome::Outcome::Failed(error) => write!(f, "error: {error}"),
            outcome::Outcome::Panicked(message) => write!(f, "panic: {message}"),
            outcome::Outcome::Died(how) => write!(f, "the process ended: {how}"),
            outcome::Outcome::Hung(patience) => {
                write!(
                    f,
                    "no reply within {}",
                    Time(patience.as_nanos().cast_signed())
                )
            }
        }
    }
}
