//! Operation: one call with all that stands in it, and what is stated of its reply.

use super::cursor::{Cursor, Wrong, wrong};
use crate::conformance::program::payload::numbered;
use crate::conformance::program::{CONSTRAINTS, LETTER_REPEATS, MAX, StatedReply, time};
use crate::model::{Nanos, Op, Reply};
use crate::snapshot::Snapshot;
use crate::token;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

impl Cursor<'_> {
    /// An operation, where what is `accepted` stands.
    pub(super) fn op(&mut self, accepted: &str) -> Result<Op, Wrong> {
        let (at, word) = self.word();
        match word {
            "prepare" => Ok(Op::Prepare { id: self.id()? }),
            "drop" => Ok(Op::Drop { id: self.id()? }),
            "restart" => Ok(Op::Restart),
            "advance" => {
                let at = self.at;
                match self.time()? {
                    by if by < 0 => wrong(at, "time does not run backwards"),
                    by => Ok(Op::Advance { by }),
                }
            }
            "commit" => {
                let snapshot = self.snapshot()?;
                match self.word() {
                    (_, "ttl") => Ok(Op::Commit {
                        snapshot,
                        ttl: self.time()?,
                    }),
                    (at, _) => wrong(at, "expected `ttl TIME` here"),
                }
            }
            _ => wrong(at, format!("no operation {word:?}; {accepted}")),
        }
    }

    /// `nil`, or an id and a payload.
    fn snapshot(&mut self) -> Result<Option<Snapshot>, Wrong> {
        let start = self.at;
        if let (_, "nil") = self.word() {
            return Ok(None);
        }
        self.at = start;
        let id = self.id()?;
        self.payload(&id).map(Some)
    }

    /// What is stated of a reply, behind `->`.
    pub(super) fn stated(&mut self, op: &Op) -> Result<Option<StatedReply>, Wrong> {
        self.skip_blanks();
        if !self.eat("->") {
            return Ok(None);
        }
        let first = self.reply(op)?;
        let mut replies = vec![first];
        while self.next_word() == "or" {
            self.needs_s2(self.at, "or")?;
            self.eat_word("or");
            replies.push(self.reply(op)?);
        }
        Ok(match replies.len() {
            1 => replies.pop(),
            _ => Some(StatedReply::OneOf(replies)),
        })
    }

    fn reply(&mut self, op: &Op) -> Result<StatedReply, Wrong> {
        let (at, word) = self.word();
        let reply = match word {
            "nothing" => Reply::Nothing,
            "done" => Reply::Done,
            "refused" => return self.refusal(),
            _ => {
                let Op::Prepare { id } = op else {
                    return wrong(at, "expected `done` or `refused` here");
                };
                self.at = at;
                Reply::Found(self.payload(id)?)
            }
        };
        Ok(StatedReply::Reply(reply))
    }

    fn refusal(&mut self) -> Result<StatedReply, Wrong> {
        if matches!(self.next_word(), "" | "or") {
            return Ok(StatedReply::AnyRefusal);
        }
        let (at, name) = self.word();
        match CONSTRAINTS.iter().find(|(known, _)| *known == name) {
            Some((_, constraint)) => Ok(StatedReply::Reply(Reply::Refused(*constraint))),
            None => wrong(
                at,
                format!(
                    "no constraint {name:?}; constraints are {}",
                    CONSTRAINTS.map(|(known, _)| known).join(", ")
                ),
            ),
        }
    }

    /// Parts joined by `+`.
    fn id(&mut self) -> Result<String, Wrong> {
        let mut id = self.part()?;
        while self.eat("+") {
            id += &self.part()?;
        }
        Ok(id)
    }

    /// A letter or a JSON string, perhaps repeated.
    fn part(&mut self) -> Result<String, Wrong> {
        /// The longest that a program may spell out, in bytes.
        const LONGEST: usize = 1 << 24;
        self.skip_blanks();
        let start = self.at;
        let part = if self.rest().starts_with('"') {
            self.json::<String>("an id")?
        } else {
            let (at, word) = self.word();
            let token = word.repeat(LETTER_REPEATS);
            if word.len() != 1 || !token::is_token(&token) {
                return wrong(
                    at,
                    format!(
                        "no id {word:?}; an id is a base58 letter (A stands for a token of 32 times A) \
                         or a JSON string, such as \"\" or \"a b\""
                    ),
                );
            }
            token
        };
        if !self.eat("*") {
            return Ok(part);
        }
        let (at, rest) = (self.at, self.rest());
        let times =
            &rest[..rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len()];
        self.at += times.len();
        match times.parse::<usize>() {
            Ok(times) if part.len().saturating_mul(times) <= LONGEST => Ok(part.repeat(times)),
            Ok(_) => wrong(start, format!("a text has at most {LONGEST} bytes")),
            Err(_) => wrong(at, "expected how often to repeat, a whole number"),
        }
    }

    fn payload(&mut self, id: &str) -> Result<Snapshot, Wrong> {
        self.skip_blanks();
        let start = self.at;
        if self.rest().starts_with('{') {
            let mut parts = self.payload_json()?;
            if parts.contains_key("id") {
                return wrong(
                    start,
                    "a payload has no id: it goes under the one before it",
                );
            }
            parts.insert("id".to_owned(), id.into());
            let wire = Value::Object(parts).to_string();
            return Snapshot::decode(id, wire.as_bytes()).or_else(|_| {
                wrong(
                    start,
                    "not a payload: it has `csrf_token`, and may have `user` (with `email`) and `data`",
                )
            });
        }
        let (at, word) = self.word();
        match word.strip_prefix('v').map(str::parse) {
            Some(Ok(number)) => Ok(numbered(number, id)),
            _ => wrong(
                at,
                format!("no payload {word:?}; a payload is v0, v1, .. or a JSON object"),
            ),
        }
    }

    /// The JSON object that starts here, in which strings may be repeated and joined as ids are.
    fn payload_json(&mut self) -> Result<Map<String, Value>, Wrong> {
        let (start, mut depth, mut json) = (self.at, 0_usize, String::new());
        while let Some(character) = self.rest().chars().next() {
            if character == '"' {
                json += &Value::from(self.id()?).to_string();
                continue;
            }
            json.push(character);
            self.at += character.len_utf8();
            match character {
                '{' | '[' => depth += 1,
                '}' | ']' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        serde_json::from_str(&json)
            .or_else(|_| wrong(start, "a payload in JSON does not parse here"))
    }

    /// The JSON value that starts here.
    fn json<T: DeserializeOwned>(&mut self, what: &str) -> Result<T, Wrong> {
        let mut values = serde_json::Deserializer::from_str(self.rest()).into_iter();
        match values.next() {
            Some(Ok(value)) => {
                self.at += values.byte_offset();
                Ok(value)
            }
            _ => wrong(self.at, format!("{what} in JSON does not parse here")),
        }
    }

    pub(super) fn time(&mut self) -> Result<Nanos, Wrong> {
        let (at, word) = self.word();
        if word == "max" {
            return Ok(MAX);
        }
        let nanos = time::parse(word).ok_or(())
            .or_else(|()| wrong(
                at,
                format!(
                    "no time {word:?}; a time is a number and ns, us, ms or s, such as 1.5ms, or max; \
                     it is a whole number of nanoseconds"
                ),
            ))?;
        Ok(nanos)
    }
}
