//! Write: operations and replies as text.

use super::shape::{Cancel, Hold, Place, Poll, Schedule, Step, Together};
use super::time::UNITS;
use super::{CONSTRAINTS, LETTER_REPEATS, MAX, Program, StatedReply, VERSIONS, payload};
use crate::conformance::program::outcome;
use crate::model::{Nanos, Op, Reply};
use crate::snapshot::Snapshot;
use crate::token;
use serde_json::Value;
use std::fmt::{self, Display, Formatter};

/// On one line, with the first version in front that can say it.
impl Display for Program {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let [s1, s2] = VERSIONS;
        let has_alternatives = |(_, stated): &_| matches!(stated, StatedReply::OneOf(_));
        let is_s1 = self.is_sequential() && !self.stated.iter().any(has_alternatives);
        write!(f, "{}:", if is_s1 { s1 } else { s2 })?;
        let mut separator = " ";
        for step in self.steps() {
            f.write_str(separator)?;
            separator = "; ";
            match step {
                Step::One { at } => CallText(self, at).fmt(f)?,
                Step::Together { clients, together } => {
                    write!(f, "together {together}{{ ")?;
                    for (client, calls) in clients.into_iter().enumerate() {
                        let separators = std::iter::once(if client == 0 { "" } else { " | " });
                        let separators = separators.chain(std::iter::repeat("; "));
                        for (at, separator) in calls.zip(separators) {
                            write!(f, "{separator}{}", CallText(self, at))?;
                        }
                    }
                    f.write_str(" }")?;
                }
            }
        }
        Ok(())
    }
}

/// The operation of a program at a place, with all that stands around it.
struct CallText<'a>(&'a Program, usize);

impl Display for CallText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(program, at) = *self;
        let op = Operation(&program.ops[at]);
        if let Some(cancel) = program.cancel(at) {
            return write!(f, "cancel {cancel} {{ {op} }}");
        }
        match program.stated(at) {
            Some(stated) => write!(f, "{op} -> {stated}"),
            None => write!(f, "{op}"),
        }
    }
}

/// `after 2 polls, 3 times`.
impl Display for Cancel {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { polls, times } = *self;
        write!(f, "after {polls} poll{}", if polls == 1 { "" } else { "s" })?;
        match times {
            1 => Ok(()),
            times => write!(f, ", {times} times"),
        }
    }
}

/// How it is done together, if there is anything to say: each part with a space behind it.
impl Display for Together {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.schedule.fmt(f)?;
        match self.pause {
            0 => Ok(()),
            pause => write!(f, "pause {} ", Time(pause)),
        }
    }
}

impl Display for Schedule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drawn => Ok(()),
            Self::Polls(polls) => {
                f.write_str("polls ")?;
                polls.iter().try_for_each(|poll| write!(f, "{poll} "))
            }
            Self::Threads(holds) => {
                f.write_str("threads ")?;
                holds.iter().try_for_each(|hold| write!(f, "{hold} "))
            }
        }
    }
}

impl Display for Poll {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Woken(client) => write!(f, "{}", client + 1),
            Self::Unwoken(client) => write!(f, "{}!", client + 1),
            Self::Yield => f.write_str("-"),
        }
    }
}

impl Display for Hold {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Hold {
            client,
            place,
            number,
        } = self;
        write!(f, "hold {} at {place} {number}", client + 1)
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clock => "clock",
            Self::Clone => "clone",
            Self::Id => "id",
            Self::Compare => "compare",
            Self::Encode => "encode",
            Self::Decode => "decode",
            Self::Release => "release",
            Self::Return => "return",
        })
    }
}

/// As it stands behind the arrow.
impl Display for StatedReply {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::AnyRefusal => f.write_str("refused"),
            Self::Reply(reply) => ReplyText(reply).fmt(f),
            Self::OneOf(replies) => {
                let texts: Vec<String> = replies.iter().map(ToString::to_string).collect();
                f.write_str(&texts.join(" or "))
            }
        }
    }
}

/// An operation, without a separator; with `#`, for people, a large value by its shape.
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
            } => {
                write!(f, "commit {} ", Id(snapshot.id()))?;
                Payload(snapshot).fmt(f)?;
                write!(f, " ttl {}", Time(*ttl))
            }
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

/// A snapshot without its id: its number, or its wire form; with `#`, for people, of a long one both ends, with its
/// shape.
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
        let text = format!("{{{}", with_texts(parts));
        match f.alternate() && text.len() > LONG {
            true => {
                let (begin, end) = (&text[..LONG / 2], &text[text.len() - LONG / 8..]);
                write!(f, "{begin} .. {end} ({})", shape(self.0))
            }
            false => f.write_str(&text),
        }
    }
}

/// A longer payload is not read, so people are told its shape. It is ASCII.
const LONG: usize = 160;

/// How large a snapshot is, and how deep if that may matter.
fn shape(snapshot: &Snapshot) -> String {
    const DEEP: usize = 8;
    let levels = payload::depth(snapshot);
    let bytes = snapshot.encode().len();
    match levels > DEEP {
        true => format!("{bytes} bytes, {levels} levels deep"),
        false => format!("{bytes} bytes"),
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
            Reply::Found(snapshot) => Payload(snapshot).fmt(f),
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
            outcome::Outcome::Replied(reply) => ReplyText(reply).fmt(f),
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
