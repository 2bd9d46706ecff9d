//! Calendar: lives that end, or begin, around the edges of clocks and calendars. Stores round to them, write
//! dates as texts that sort in another order there, or compare local times.

use super::context::Context;
use super::definition::{Search, Takes};
use super::found::Found;
use super::given;
use crate::conformance::program::calendar::EDGES;
use crate::conformance::program::time::nanos;
use crate::conformance::program::{Program, payload};
use crate::model::{Nanos, Op};

/// Short programs, the same with every seed.
pub(crate) const SEARCH: Search = Search {
    name: "calendar",
    runs: "lives that end or begin around whole seconds, midnight, the changes of summer time and 2038, as \
           far as time can be moved",
    takes: Takes::Programs,
    shows: Takes::is_of_programs,
    fits: |context| context.may_draw(),
    share: |budget| budget.sequences,
    weight: 1,
    run,
};

const MILLISECOND: Nanos = 1_000_000;
const SECOND: Nanos = 1_000 * MILLISECOND;
const HOUR: Nanos = 3_600 * SECOND;

/// Longer ones are not waited for.
const LONGEST_WAIT: Nanos = 4 * SECOND;

fn run(context: &Context<'_>) -> Result<Found, String> {
    let (runner, profile) = (&context.runner, context.runner.profile);
    let resolution = nanos(profile.resolution);
    let id = &profile.supported.two_ids()[0];
    let mut programs = Vec::new();
    let mut notes = Vec::new();
    if runner.is_exact() {
        let beyond = profile.horizon.map_or(Nanos::MAX, nanos);
        for edge in EDGES {
            for life in [SECOND, 3 * SECOND / 2, 2 * HOUR] {
                if edge >= life && life < beyond {
                    programs.extend(around(edge, life, resolution, id));
                }
            }
        }
    } else {
        notes.push(
            "lives around midnight, the changes of summer time and 2038 were left out, since the store's \
             time cannot be moved there"
                .to_owned(),
        );
    }
    if resolution > 0 {
        // Shorter steps than the clock can be told to within say nothing.
        let early = match runner.is_exact() {
            true => 1,
            false => 2 * nanos(profile.uncertainty) + runner.tick / 10,
        };
        let life = 3 * resolution / 2;
        if early < resolution / 2 && (runner.is_exact() || life < LONGEST_WAIT) {
            programs.extend(of_steps(life, resolution, early, id));
        }
    }
    let programs: Vec<Program> = programs.into_iter().map(Program::from).collect();
    Ok(Found {
        claim: match (programs.is_empty(), runner.is_exact()) {
            (true, _) => String::new(),
            (false, true) => format!(
                "{{programs}} programs in which a life ends or begins around one of {} edges of clocks and \
                 calendars",
                EDGES.len()
            ),
            (false, false) => {
                "{programs} programs in which a life lasts one and a half steps of the clock"
                    .to_owned()
            }
        },
        notes,
        ..given::run(context, SEARCH.name, context.runner.times_each(), &programs)?
    })
}

/// Lives that end on the edge, begin on it, and have it in their midst, each a moment before and after too;
/// looked at before they end, when they do, and later.
fn around(edge: Nanos, life: Nanos, resolution: Nanos, id: &str) -> Vec<Vec<Op>> {
    let middle = edge - life / 2;
    let begins = [edge - life, edge, middle];
    let begins = begins
        .into_iter()
        .flat_map(|begin| [begin - 1, begin, begin + 1]);
    let begins = begins.filter(|begin| *begin >= 0);
    let programs = begins.map(|begin| {
        let looks = [
            life / 2,
            life - 1,
            life + resolution,
            life + resolution + SECOND / 2,
        ];
        let mut ops = vec![Op::Advance { by: begin }, commit(id, life)];
        let mut now = 0;
        for look in looks.into_iter().chain([2 * life + resolution + HOUR]) {
            ops.push(Op::Advance { by: look - now });
            ops.push(Op::Prepare { id: id.to_owned() });
            now = look;
        }
        ops
    });
    programs.collect()
}

/// A life of one and a half steps of the clock, begun at several places of a step and looked at just before
/// its end: one that is rounded down is over by then.
fn of_steps(life: Nanos, step: Nanos, early: Nanos, id: &str) -> impl Iterator<Item = Vec<Op>> {
    let begins = [0, step / 4, step / 2, 3 * step / 4].into_iter();
    begins.map(move |begin| {
        vec![
            Op::Advance { by: begin },
            commit(id, life),
            Op::Advance { by: life - early },
            Op::Prepare { id: id.to_owned() },
        ]
    })
}

fn commit(id: &str, ttl: Nanos) -> Op {
    Op::Commit {
        snapshot: Some(payload::numbered(1, id)),
        ttl,
    }
}
