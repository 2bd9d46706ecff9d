//! Lanes: the few calls that a violation needs, drawn as they overlapped.

use super::call::{Call, Kind, Outcome, Value};
use super::reduce::Reduced;
use crate::conformance::program::Time;

/// The columns of a drawing, behind the names of the clients.
const WIDTH: usize = 92;

impl Reduced {
    /// The calls as lanes, a client a line, in the order in which they were invoked and returned.
    /// `name` says how a value is called. What does not fit is drawn below.
    pub fn draw(&self, name: &dyn Fn(Value) -> String) -> String {
        let all = self.drawn();
        let labels = all.iter().map(|call| label(call, name).chars().collect());
        let labels: Vec<Vec<char>> = labels.collect();
        let (segments, end) = segments(&all, &labels);
        let clients = self.clients();
        let margin = format!("c{} ", clients.len()).len();
        let mut bands = Vec::new();
        for band in (0..end).step_by(WIDTH) {
            let mut lines = String::new();
            for (number, client) in (1..).zip(&clients) {
                let mut lane = vec![' '; end];
                let calls = all.iter().zip(&labels).zip(&segments);
                let theirs = calls.filter(|((call, _), _)| call.client == *client);
                // What was cancelled may go on beside the next calls of its client.
                for ((call, label), (from, to)) in theirs {
                    lane[*from..*to].fill('-');
                    lane[*from] = '[';
                    lane[from + 3..][..label.len()].copy_from_slice(label);
                    if call.returned != u64::MAX {
                        lane[to - 1] = ']';
                    }
                }
                let lane: String = lane[band..end.min(band + WIDTH)].iter().collect();
                let line = format!("{:margin$}{lane}", format!("c{number}"));
                lines.push_str(line.trim_end());
                lines.push('\n');
            }
            bands.push(lines);
        }
        bands.join("\n")
    }

    /// How a client is called.
    pub fn client(&self, call: &Call) -> String {
        let clients = self.clients();
        let place = clients.iter().position(|client| *client == call.client);
        format!("c{}", place.map_or(0, |place| place + 1))
    }

    /// The clients, in the order in which they first called.
    fn clients(&self) -> Vec<u32> {
        let mut clients = Vec::new();
        for call in self.drawn() {
            if !clients.contains(&call.client) {
                clients.push(call.client);
            }
        }
        clients
    }

    /// The calls that are drawn, in the order in which they were invoked.
    fn drawn(&self) -> Vec<Call> {
        let mut all: Vec<Call> = self.calls.iter().chain(&self.beside).copied().collect();
        all.sort_by_key(|call| call.invoked);
        all
    }
}

/// From and to which column each call is drawn, and where the drawing ends.
fn segments(calls: &[Call], labels: &[Vec<char>]) -> (Vec<(usize, usize)>, usize) {
    let invoked = calls.iter().map(|call| call.invoked).zip(0..);
    let returned = calls.iter().map(|call| call.returned).zip(0..);
    let mut events: Vec<(u64, usize, bool)> = invoked
        .map(|(at, call)| (at, call, false))
        .chain(returned.map(|(at, call)| (at, call, true)))
        .collect();
    events.sort_unstable();
    let mut segments = vec![(0, 0); labels.len()];
    let mut column = 0;
    for (_, call, is_return) in events {
        let length = labels[call].len() + 6;
        if is_return {
            column = column.max(segments[call].0 + length);
            segments[call].1 = column;
        } else {
            // It does not cover the label of a call before it, by the same client.
            let client = calls[call].client;
            let theirs = (0..call).filter(|one| calls[*one].client == client);
            let labelled = theirs.map(|one| segments[one].0 + labels[one].len() + 6);
            column = column.max(labelled.max().unwrap_or(0));
            // A label is not broken.
            if column % WIDTH + length > WIDTH {
                column = column.next_multiple_of(WIDTH);
            }
            segments[call].0 = column;
        }
        column += 1;
    }
    (segments, column)
}
fn label(call: &Call, name: &dyn Fn(Value) -> String) -> String {
    let label = match call.kind {
        Kind::Found(value) => format!("prepare {}", name(value)),
        Kind::Nothing => "prepare nothing".to_owned(),
        Kind::Commit { value, ttl } => format!("commit {} ttl {}", name(value), Time(ttl)),
        Kind::Drop => "drop".to_owned(),
    };
    match call.outcome {
        Outcome::Certain => label,
        Outcome::Unknown => format!("{label} ?"),
    }
}
