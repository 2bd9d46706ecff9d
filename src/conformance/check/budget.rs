//! Budget: how much a check searches.

use super::settings::Settings;
use crate::clause::Clause;
use crate::clock::{Clock as _, SystemClock};
use crate::conformance::judge::lockstep;
use crate::conformance::judge::runner::Runner;
use crate::conformance::report::thousands;
use crate::conformance::search::context::Budget;
use crate::conformance::search::definition::Search;
use crate::conformance::search::exhaustive;
use crate::conformance::subject::{Passing, watch};
use crate::model::Op;
use std::sync::Arc;
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

/// How long a check may take, unless told: of stores whose calls take long, or of which time is not a manual
/// clock's. Of others, counts decide.
pub(crate) const USUAL: Duration = Duration::from_secs(60);

/// How long the check may take, if there is an end.
pub(crate) fn time(settings: &Settings, runner: &Runner<'_>) -> Option<Duration> {
    let is_quick = || runner.is_in_lockstep() && is_quick(runner);
    settings.budget.or_else(|| (!is_quick()).then_some(USUAL))
}

/// Whether a search is as long as was asked for, however long it takes: what its share is made of was set.
pub(crate) fn is_asked_for(search: &Search, settings: &Settings, budget: Budget) -> bool {
    let depends_on = |without: Budget| (search.share)(&without) != (search.share)(&budget);
    let by_depth = settings.depth.is_some() && depends_on(Budget { depth: 0, ..budget });
    let by_sequences = settings.sequences.is_some()
        && depends_on(Budget {
            sequences: 0,
            ..budget
        });
    settings.budget.is_none() && (by_depth || by_sequences)
}

/// Whether calls are as quick as those of a store in this process, also on a slow machine.
fn is_quick(runner: &Runner<'_>) -> bool {
    const QUICK: Duration = Duration::from_millis(2);
    const SLOW: Duration = Duration::from_millis(20);
    let ops = [Op::Prepare {
        id: runner.profile.supported.two_ids()[0].clone(),
    }];
    let Some(make) = runner.subject.make() else {
        return false;
    };
    let clock = SystemClock::new();
    let mut times = (0..5).map(|_| {
        let begin = clock.now();
        watch::running(Arc::new(ops.to_vec()));
        lockstep::run(&*make, &ops, &runner.profile.supported, |_, _| {});
        clock.now().saturating_sub(begin)
    });
    let decided = times.find(|time| *time < QUICK || *time > SLOW);
    decided.is_some_and(|time| time < QUICK)
}

/// The depth for a store in lockstep that takes long to make, as of one with a thread of its own: each of a
/// million programs is run on a new one.
pub(crate) fn depth_of_heavy(settings: &Settings, runner: &Runner<'_>) -> Option<usize> {
    const DEPTH: usize = 4;
    const LONG: Duration = Duration::from_micros(10);
    let is_deeper = settings.usual_depth.is_none_or(|usual| usual > DEPTH);
    if settings.depth.is_some() || !is_deeper || !runner.profile.is_plain() {
        return None;
    }
    let make = runner.subject.make()?;
    let clock = SystemClock::new();
    // The quickest of some: the machine may be busy.
    let is_light = (0..16).any(|_| {
        let begin = clock.now();
        watch::running(Arc::new(Vec::<Op>::new()));
        lockstep::run(&*make, &[], &runner.profile.supported, |_, _| {});
        clock.now().saturating_sub(begin) < LONG
    });
    (!is_light).then_some(DEPTH)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::conformance::search::{random, restarted};
    use crate::conformance::subject::Factory;
    use crate::conformance::subject::profile::Profile;
    use crate::{MemStore, Snapshot, Store, StoreError};

    /// A call on another machine takes its time.
    struct Far(MemStore<ManualClock>);

    const FAR: Duration = Duration::from_millis(25);

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
    fn quick_stores_have_all_the_time_they_need_and_others_a_minute() {
        let profile = Profile::default();
        let far = Arc::new(Factory(|clock| Far(MemStore::with_clock(clock))));
        let near = Arc::new(Factory(MemStore::with_clock));
        let settings = Settings::default();
        let far = Runner::new(&far, &profile, None);
        assert_eq!(time(&settings, &far), Some(USUAL));
        let near = Runner::new(&near, &profile, None);
        assert_eq!(time(&settings, &near), None);
        let hour = Some(Duration::from_secs(3_600));
        let settings = Settings {
            budget: hour,
            ..settings
        };
        assert_eq!(
            [&far, &near].map(|runner| time(&settings, runner)),
            [hour; 2]
        );
    }

    /// It starts a thread of its own when it is made, or takes as long.
    #[test]
    fn a_store_that_takes_long_to_make_is_searched_less_deep_unless_told() {
        let heavy = Arc::new(Factory(|clock| {
            let began = SystemClock::new();
            while began.now() < Duration::from_micros(40) {
                std::hint::spin_loop();
            }
            MemStore::with_clock(clock)
        }));
        let light = Arc::new(Factory(MemStore::with_clock));
        let profile = Profile::default();
        let [heavy, light] = [
            Runner::new(&heavy, &profile, None),
            Runner::new(&light, &profile, None),
        ];
        let settings = Settings::default();
        assert_eq!(depth_of_heavy(&settings, &heavy), Some(4));
        assert_eq!(depth_of_heavy(&settings, &light), None);
        let told = Settings {
            depth: Some(5),
            ..settings
        };
        assert_eq!(depth_of_heavy(&told, &heavy), None);
    }

    #[test]
    fn what_was_set_has_all_the_time_it_needs_unless_the_time_was_set_too() {
        let subject = Arc::new(Factory(MemStore::with_clock));
        let profile = Profile::default();
        let runner = Runner::new(&subject, &profile, None);
        let asked_for = |settings: &Settings| {
            let searches = [exhaustive::SEARCH, random::SEARCH, restarted::SEARCH];
            searches.map(|search| is_asked_for(&search, settings, of(settings, &runner)))
        };
        let depth = Settings {
            depth: Some(3),
            ..Settings::default()
        };
        assert_eq!(asked_for(&depth), [true, false, true]);
        let sequences = Settings {
            sequences: Some(9),
            ..Settings::default()
        };
        assert_eq!(asked_for(&sequences), [false, true, true]);
        let both = Settings {
            budget: Some(USUAL),
            ..depth
        };
        assert_eq!(asked_for(&both), [false; 3]);
    }
}
