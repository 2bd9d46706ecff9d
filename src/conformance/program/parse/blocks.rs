//! Blocks: what several clients do together, and calls that are cancelled.

use super::cursor::{Cursor, Wrong, wrong};
use crate::conformance::program::shape::{Call, Cancel, Hold, Place, Poll, Schedule};
use crate::conformance::program::{Program, StatedReply};
use crate::model::Nanos;

/// The clients of a block and what is stated of their replies, by the place in the block.
#[derive(Default)]
struct Clients {
    calls: Vec<Vec<Call>>,
    stated: Vec<(usize, StatedReply)>,
}

/// A client that is named before the clients stand there, and where: from 0.
type Named = (usize, usize);

/// What is accepted inside `cancel`.
const CANCELLABLE: &str = "calls that can be cancelled are `prepare ID`, `commit ID PAYLOAD ttl TIME` and \
                           `drop ID`";

/// What is accepted of a client.
const OF_CLIENTS: &str = "operations of clients are `prepare ID`, `commit ID PAYLOAD ttl TIME`, `drop ID`, \
                          `advance TIME` and `cancel after NUMBER polls { CALL }`";

impl Cursor<'_> {
    /// `cancel after 2 polls, 3 times { CALL }`.
    pub(super) fn cancelled(&mut self) -> Result<Call, Wrong> {
        let (at, _) = self.word();
        self.needs_s2(at, "cancel")?;
        if !self.eat_word("after") {
            return wrong(self.at, "expected `after NUMBER polls` here");
        }
        let polls = self.number("how many polls", 0)? as usize;
        if !self.eat_word("polls") && !self.eat_word("poll") {
            return wrong(self.at, "expected `polls` here");
        }
        let mut times = 1;
        self.skip_blanks();
        if self.eat(",") {
            times = self.number("how many times", 1)? as usize;
            if !self.eat_word("times") && !self.eat_word("time") {
                return wrong(self.at, "expected `times` here");
            }
            self.skip_blanks();
        }
        if !self.eat("{") {
            let expected = match times {
                1 => "expected `, NUMBER times` or `{ CALL }` here",
                _ => "expected `{ CALL }` here",
            };
            return wrong(self.at, expected);
        }
        self.skip_separators();
        if let word @ ("advance" | "restart" | "cancel" | "together") = self.next_word() {
            let message = format!("`{word}` has no place inside `cancel`; {CANCELLABLE}");
            return wrong(self.at, message);
        }
        let op = self.op(CANCELLABLE)?;
        self.skip_blanks();
        if self.rest().starts_with("->") {
            return wrong(
                self.at,
                "a cancelled call has no reply that could be stated",
            );
        }
        self.skip_separators();
        if !self.eat("}") {
            return wrong(self.at, "expected `}` here: one call is cancelled");
        }
        let cancel = Some(Cancel { polls, times });
        Ok(Call { op, cancel })
    }

    /// `together SCHEDULE pause TIME { CALLS | CALLS .. }`, at the end of `program`.
    pub(super) fn together(&mut self, program: &mut Program) -> Result<(), Wrong> {
        let (at, _) = self.word();
        self.needs_s2(at, "together")?;
        let (schedule, named, more) = self.schedule()?;
        let pause = self.pause()?;
        if !self.eat("{") {
            let expected = match pause {
                Some(_) => "expected `{` here".to_owned(),
                None => format!("expected {more}`pause TIME` or `{{ CALLS | CALLS .. }}` here"),
            };
            return wrong(self.at, expected);
        }
        let Clients { calls, stated } = self.clients()?;
        let is_there = |client| client < calls.len();
        if let Some((at, client)) = named.into_iter().find(|(_, client)| !is_there(*client)) {
            let (client, last) = (client + 1, calls.len());
            return wrong(
                at,
                format!("no client {client}; clients are numbered from 1 to {last} here"),
            );
        }
        let from = program.ops.len();
        program.push_together(calls, schedule, pause.unwrap_or(0));
        let stated = stated.into_iter().map(|(at, stated)| (from + at, stated));
        program.stated.extend(stated);
        Ok(())
    }

    /// Who runs when, which clients it names, and what else is accepted behind it.
    fn schedule(&mut self) -> Result<(Schedule, Vec<Named>, &'static str), Wrong> {
        if self.eat_word("threads") {
            let (mut holds, mut named) = (Vec::new(), Vec::new());
            while self.eat_word("hold") {
                let (hold, client) = self.hold()?;
                holds.push(hold);
                named.push(client);
            }
            let more = "`hold CLIENT at PLACE NUMBER`, ";
            return Ok((Schedule::Threads(holds), named, more));
        }
        if self.eat_word("polls") {
            let (polls, named) = self.polls()?;
            let more = "a poll (`1` of a client once it is awake, `1!` of one that nobody woke, or `-` \
                        for whatever else is run), ";
            return Ok((Schedule::Polls(polls), named, more));
        }
        Ok((Schedule::Drawn, Vec::new(), "`threads`, `polls`, "))
    }

    /// `2 at clock 1`.
    fn hold(&mut self) -> Result<(Hold, Named), Wrong> {
        self.skip_blanks();
        let at = self.at;
        let client = self.number("a client", 1)? as usize - 1;
        if !self.eat_word("at") {
            return wrong(self.at, "expected `at PLACE NUMBER` here");
        }
        let word = self.next_word();
        let Some(place) = Place::ALL
            .into_iter()
            .find(|place| place.to_string() == word)
        else {
            let places = Place::ALL.map(|place| format!("`{place}`"));
            let message = format!(
                "no place {word:?}; a client is held at {}",
                places.join(", ")
            );
            return wrong(self.at, message);
        };
        self.eat_word(word);
        let number = self.number("which time the client comes there", 1)?;
        let hold = Hold {
            client,
            place,
            number,
        };
        Ok((hold, (at, client)))
    }

    /// `1 2 2! -`.
    fn polls(&mut self) -> Result<(Vec<Poll>, Vec<Named>), Wrong> {
        let (mut polls, mut named) = (Vec::new(), Vec::new());
        loop {
            let word = self.next_word();
            let (number, poll): (_, fn(usize) -> Poll) = match word.strip_suffix('!') {
                Some(number) => (number, Poll::Unwoken),
                None => (word, Poll::Woken),
            };
            let at = self.at;
            if self.eat_word("-") {
                polls.push(Poll::Yield);
                continue;
            }
            if !number.starts_with(|c: char| c.is_ascii_digit()) {
                return Ok((polls, named));
            }
            let client = match number.parse::<u32>() {
                Ok(number) if number > 0 => number as usize - 1,
                _ => {
                    let message = format!("no poll {word:?}; clients are numbered from 1");
                    return wrong(at, message);
                }
            };
            self.at += word.len();
            polls.push(poll(client));
            named.push((at, client));
        }
    }

    fn pause(&mut self) -> Result<Option<Nanos>, Wrong> {
        if !self.eat_word("pause") {
            return Ok(None);
        }
        self.skip_blanks();
        let at = self.at;
        let pause = match self.time()? {
            pause if pause < 0 => wrong(at, "time does not run backwards"),
            pause => Ok(Some(pause)),
        };
        self.skip_blanks();
        pause
    }

    /// `CALLS | CALLS .. }`.
    fn clients(&mut self) -> Result<Clients, Wrong> {
        let mut clients = Clients::default();
        let mut place = 0;
        loop {
            let mut calls = Vec::new();
            self.skip_separators();
            while !self.rest().starts_with(['|', '}']) {
                let (call, stated) = self.clients_call()?;
                clients.stated.extend(stated.map(|stated| (place, stated)));
                calls.push(call);
                place += 1;
                let is_separated = self.skip_separators();
                if !is_separated && !self.rest().starts_with(['|', '}']) {
                    return wrong(
                        self.at,
                        "expected `;`, a new line, `-> REPLY`, `|` or `}` here",
                    );
                }
            }
            if calls.is_empty() {
                return wrong(self.at, "expected a call here: every client makes one");
            }
            clients.calls.push(calls);
            if self.eat("}") {
                return Ok(clients);
            }
            self.eat("|");
        }
    }

    fn clients_call(&mut self) -> Result<(Call, Option<StatedReply>), Wrong> {
        match self.next_word() {
            "cancel" => Ok((self.cancelled()?, None)),
            "together" => wrong(
                self.at,
                "`together` has no place inside `together`: all clients stand in one",
            ),
            "restart" => wrong(
                self.at,
                "`restart` has no place inside `together`: the clients share one store",
            ),
            "" if self.rest().is_empty() => wrong(self.at, "expected a call, `|` or `}` here"),
            _ => {
                let op = self.op(OF_CLIENTS)?;
                let stated = self.stated(&op)?;
                Ok((Call { op, cancel: None }, stated))
            }
        }
    }
}
