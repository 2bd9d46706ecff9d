//! Budget: how much a check searches.

use super::settings::Settings;
use crate::clause::Clause;
use crate::clock::{Clock as _, SystemClock};
use crate::conformance::judge::runner::Runner;
use crate::conformance::program::Program;
use crate::conformance::report::thousands;
use crate::conformance::search::context::Budget;
use crate::conformance::search::exhaustive;
use crate::conformance::subject::{Passing, workers};
use std::time::Duration;

/// The most random programs that one check runs.
const MOST_SEQUENCES: usize = 1_000_000_000;

/// How many clients use the store at once, unless told; and the most that can.
const CLIENTS: usize = 4;
const MOST_CLIENTS: usize = 32;

/// The most operations that a random program can have.
const LONGEST: usize = 100_000;

/// What was set, and the default for the rest.
pub(crate) fn of(settings: &Settings, runner: &Runner<'_>) -> Budget {
    let (depth, sequences, length) = match runner.subject.passing() {
        _ if runner.is_in_lockstep() => (5, 10_000, 40),
        Passing::Waiting => (3, 1_000, 12),
        _ => (4, 2_000, 40),
    };
    let usual_depth = settings.usual_depth.unwrap_or(depth);
    Budget {
        depth: settings.depth.unwrap_or(usual_depth),
        sequences: settings.sequences.unwrap_or(sequences),
        is_asked_for: settings.sequences.is_some(),
        clients: settings.clients.unwrap_or(CLIENTS),
        length: settings.length.unwrap_or(length),
    }
}

/// Less of what was not set, where programs take so long that a search would take longer than
/// [`LONG`]; and then, how long. Where time is waited for, that is known beforehand.
pub(crate) fn adapt(
    budget: &mut Budget,
    settings: &Settings,
    runner: &Runner<'_>,
) -> Option<Duration> {
    let is_set = settings.depth.is_some() && settings.sequences.is_some();
    if is_set || runner.subject.passing() == Passing::Waiting {
        return None;
    }
    let pace = pace(runner);
    let (depth, sequences) = (budget.depth, budget.sequences);
    if settings.depth.is_none() {
        budget.depth = deepest(depth, pace);
    }
    if settings.sequences.is_none() {
        budget.sequences = most(sequences, pace);
    }
    (depth > budget.depth || sequences > budget.sequences).then_some(pace)
}

/// Whether this can be run.
pub(crate) fn validate(budget: &Budget, check: &Settings) -> Result<(), String> {
    if let Some(clause) = check
        .only
        .iter()
        .find(|clause| !Clause::STORE.contains(clause))
    {
        let known: Vec<_> = Clause::STORE.iter().map(|clause| clause.id()).collect();
        return Err(format!(
            "{clause} is no clause of the store contract; those are {}",
            known.join(" ")
        ));
    }
    if budget.depth > exhaustive::DEEPEST {
        return Err(format!(
            "depth {} is beyond what can be searched; the deepest is {}, with {} programs",
            budget.depth,
            exhaustive::DEEPEST,
            thousands(exhaustive::programs_up_to(exhaustive::DEEPEST))
        ));
    }
    if budget.sequences > MOST_SEQUENCES {
        return Err(format!(
            "{} random programs would take days; the most is {}",
            thousands(budget.sequences as u64),
            thousands(MOST_SEQUENCES as u64)
        ));
    }
    if budget.sequences > 0 && !(1..=LONGEST).contains(&budget.length) {
        return Err(format!("random programs have a length of 1 to {LONGEST}"));
    }
    if budget.clients > MOST_CLIENTS {
        return Err(format!("the most clients at once are {MOST_CLIENTS}"));
    }
    let nothing = budget.depth == 0 && budget.sequences == 0;
    if nothing && check.replay.is_none() && check.regressions.is_none() {
        return Err("a depth and a number of sequences of 0 leave nothing to search".to_owned());
    }
    Ok(())
}

/// What takes longer is cut down, unless it was asked for.
const LONG: Duration = Duration::from_secs(15);

/// A random program, with all else that is run for each, takes as long as so many usual ones.
const RANDOM: u32 = 9;

/// How long the store takes for a usual program, as far as others on the machine do not hold it up.
fn pace(runner: &Runner<'_>) -> Duration {
    let usual = "commit A v1 ttl 1s; prepare A; commit B v2 ttl 2s; drop A; prepare A; prepare B; prepare C";
    let program: Program = usual.parse().expect("it is a program");
    let run = runner.probe(program.ops());
    let clock = SystemClock::new();
    let times = (0..5).map(|_| {
        let begin = clock.now();
        run(program.ops());
        clock.now().saturating_sub(begin)
    });
    times.min().unwrap_or_default()
}

fn deepest(depth: usize, pace: Duration) -> usize {
    let takes = |depth| {
        let programs = u32::try_from(exhaustive::programs_up_to(depth)).unwrap_or(u32::MAX);
        pace.saturating_mul(programs) / workers::cores()
    };
    let mut depths = (2..=depth).rev();
    depths
        .find(|depth| takes(*depth) <= LONG)
        .unwrap_or(depth.min(2))
}

fn most(sequences: usize, pace: Duration) -> usize {
    let fit = LONG.as_nanos() * u128::from(workers::cores()) / (pace * RANDOM).as_nanos().max(1);
    let fit = usize::try_from(fit).unwrap_or(usize::MAX);
    sequences.min(fit.max(100))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::conformance::subject::Factory;
    use crate::conformance::subject::profile::Profile;
    use crate::{MemStore, Snapshot, Store, StoreError};
    use std::sync::Arc;

    /// A call on another machine takes its time.
    struct Far(MemStore<ManualClock>);

    const FAR: Duration = Duration::from_millis(2);

    fn travel() {
        let clock = SystemClock::new();
        while clock.now() < FAR {
            std::hint::spin_loop();
        }
    }

    impl Store for Far {
        async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
            travel();
            self.0.prepare(id).await
        }

        async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
            travel();
            self.0.commit(snapshot, ttl).await
        }

        async fn drop(&self, id: &str) -> Result<(), StoreError> {
            travel();
            self.0.drop(id).await
        }
    }

    #[test]
    fn what_was_set_is_kept_and_of_the_rest_less_is_searched_where_calls_are_slow() {
        let subject = Arc::new(Factory(|clock| Far(MemStore::with_clock(clock))));
        let profile = Profile::default();
        let runner = Runner::new(&subject, &profile, None);
        let adapted = |depth, sequences| {
            let settings = Settings {
                sequences,
                depth,
                ..Settings::default()
            };
            let mut budget = of(&settings, &runner);
            let pace = adapt(&mut budget, &settings, &runner);
            assert!(pace.is_none_or(|pace| pace >= 7 * FAR), "{pace:?}");
            (budget.depth, budget.sequences, pace.is_some())
        };
        let (depth, sequences, is_slow) = adapted(None, None);
        assert!(depth < 5 && sequences < 10_000 && is_slow);
        let (depth, sequences, is_slow) = adapted(Some(5), None);
        assert!(depth == 5 && sequences < 10_000 && is_slow);
        let (depth, sequences, is_slow) = adapted(None, Some(10_000));
        assert!(depth < 5 && sequences == 10_000 && is_slow);
        assert_eq!(adapted(Some(5), Some(10_000)), (5, 10_000, false));
    }

    #[test]
    fn of_slow_stores_less_is_searched_but_never_nothing() {
        let micros = |micros| Duration::from_micros(micros) * workers::cores();
        let budget = |pace| (deepest(5, pace), most(10_000, pace));
        assert_eq!(budget(Duration::ZERO), (5, 10_000));
        assert_eq!(budget(micros(10)), (5, 10_000));
        assert_eq!(budget(micros(100)), (4, 10_000));
        assert_eq!(budget(micros(1_000)), (3, 1_666));
        assert_eq!(budget(micros(1_000_000)), (2, 100));
        assert_eq!(deepest(1, micros(1_000_000)), 1);
        assert_eq!(most(50, micros(1_000_000)), 50);
    }
}
