//! Unsupported: stores that hold some values only, wrong and right in what they make of the others (VAL-1).

mod values;

use super::animal::{Animal, RIGHT, Reply, Shelf, failed, refused, validate};
use super::{checked, shrunk_of};
use serde_json::{Value, json};
use session_spec::conformance::{Profile, Report, Verdict};
use session_spec::{Clause, Constraint, Data, Snapshot};
use std::time::Duration;
use values::{changed, has_nul, is_deeper, is_larger, through_a_double, without_nul};

/// What is said of it, within the budget of a test.
fn said_of(animal: Animal, profile: Profile) -> Report {
    let check = checked(animal).profile(profile).clients(1);
    check.depth(3).sequences(1_000).run()
}

/// Whether these clauses, and no others, are what it is charged with.
fn is_charged_with(animal: Animal, profile: Profile, expected: &[Clause]) -> Report {
    let report = said_of(animal, profile);
    let found: Vec<Clause> = report.violations.iter().map(|found| found.clause).collect();
    assert_eq!(found, expected, "{}\n{report}", animal.name);
    report
}

fn put(shelf: &mut Shelf, now: u128, snapshot: &Snapshot, ttl: Duration) -> Reply<()> {
    (RIGHT.commit)(shelf, now, snapshot, ttl)
}

const BY_DOUBLES: Animal = Animal {
    name: "numbers go through doubles",
    commit: |shelf, now, snapshot, ttl| put(shelf, now, &changed(snapshot, &through_a_double), ttl),
    ..RIGHT
};

const DROPS_NUL: Animal = Animal {
    name: "drops NUL",
    commit: |shelf, now, snapshot, ttl| put(shelf, now, &changed(snapshot, &without_nul), ttl),
    ..RIGHT
};

fn no_nul() -> Profile {
    Profile::default().refuses_characters("\0")
}

#[test]
fn val_1_another_value_in_its_place_is_no_refusal() {
    let truncates = Animal {
        name: "keeps no data in rows of more than 300 bytes",
        commit: |shelf, now, snapshot, ttl| {
            let user = snapshot.user().cloned();
            let bare = Snapshot::new(snapshot.id(), snapshot.csrf_token(), user, Data::default());
            match is_larger(snapshot, 300) {
                true => put(shelf, now, &bare, ttl),
                false => put(shelf, now, snapshot, ttl),
            }
        },
        ..RIGHT
    };
    for (animal, profile) in [
        (BY_DOUBLES, Profile::default().doubles_only()),
        (DROPS_NUL, no_nul()),
        (truncates, Profile::default().size(300)),
    ] {
        is_charged_with(animal, profile, &[Clause::Val1]);
    }
}

/// Nothing is beyond what is claimed then.
#[test]
fn snp_4_what_is_claimed_comes_back_as_it_was() {
    for animal in [BY_DOUBLES, DROPS_NUL] {
        is_charged_with(animal, Profile::default(), &[Clause::Snp4]);
    }
}

#[test]
fn val_1_done_is_no_refusal() {
    let lost = Animal {
        name: "a deep value is done, and nothing",
        commit: |shelf, now, snapshot, ttl| match is_deeper(snapshot, 4) {
            true => validate(snapshot, ttl),
            false => put(shelf, now, snapshot, ttl),
        },
        ..RIGHT
    };
    is_charged_with(lost, Profile::default().depth(4), &[Clause::Val1]);
}

#[test]
fn val_1_an_error_is_no_refusal() {
    let deep = Animal {
        name: "a deep value is an error",
        commit: |shelf, now, snapshot, ttl| match is_deeper(snapshot, 4) {
            true => failed("too deep"),
            false => put(shelf, now, snapshot, ttl),
        },
        ..RIGHT
    };
    let large = Animal {
        name: "a large row is an error",
        commit: |shelf, now, snapshot, ttl| match is_larger(snapshot, 300) {
            true => failed("too long"),
            false => put(shelf, now, snapshot, ttl),
        },
        ..RIGHT
    };
    is_charged_with(deep, Profile::default().depth(4), &[Clause::Val1]);
    let coarse = Profile::default().resolution(Duration::from_millis(1));
    is_charged_with(deep, coarse.depth(4), &[Clause::Val1]);
    is_charged_with(deep, Profile::default(), &[Clause::Val1]);
    is_charged_with(large, Profile::default().size(300), &[Clause::Val1]);
}

#[test]
fn val_1_a_refused_value_changes_nothing() {
    let removes = Animal {
        name: "a deep value is refused, and the entry is gone",
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            shelf.entries.remove(snapshot.id());
            match is_deeper(snapshot, 4) {
                true => refused(Constraint::UnsupportedValue),
                false => put(shelf, now, snapshot, ttl),
            }
        },
        ..RIGHT
    };
    let prolongs = Animal {
        name: "a deep value is refused, and the entry lives longer",
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            if !is_deeper(snapshot, 4) {
                return put(shelf, now, snapshot, ttl);
            }
            if let Some(entry) = shelf.live(now, snapshot.id()).cloned() {
                shelf.put(now, &entry.snapshot, ttl);
            }
            refused(Constraint::UnsupportedValue)
        },
        ..RIGHT
    };
    let files = Animal {
        name: "a deep value is refused, and filed",
        commit: |shelf, now, snapshot, ttl| {
            put(shelf, now, snapshot, ttl)?;
            match is_deeper(snapshot, 4) {
                true => refused(Constraint::UnsupportedValue),
                false => Ok(()),
            }
        },
        ..RIGHT
    };
    for animal in [removes, prolongs, files] {
        let report = is_charged_with(animal, Profile::default().depth(4), &[Clause::Val1]);
        assert!(
            report.violations[0].cited.contains(&Clause::Com4),
            "{report}"
        );
    }
}

#[test]
fn com_4_a_refusal_for_whatever_reason_changes_nothing() {
    let removes = Animal {
        name: "removes before it looks",
        commit: |shelf, now, snapshot, ttl| {
            shelf.entries.remove(snapshot.id());
            match is_deeper(snapshot, 4) {
                true => refused(Constraint::UnsupportedValue),
                false => put(shelf, now, snapshot, ttl),
            }
        },
        ..RIGHT
    };
    is_charged_with(removes, Profile::default().depth(4), &[Clause::Com4]);
}

#[test]
fn val_1_a_claimed_value_is_not_refused() {
    let no_nul = Animal {
        name: "refuses NUL",
        commit: |shelf, now, snapshot, ttl| match has_nul(snapshot) {
            true => refused(Constraint::UnsupportedValue),
            false => put(shelf, now, snapshot, ttl),
        },
        ..RIGHT
    };
    let shallow = Animal {
        name: "refuses a level that it claims",
        commit: |shelf, now, snapshot, ttl| match is_deeper(snapshot, 3) {
            true => refused(Constraint::UnsupportedValue),
            false => put(shelf, now, snapshot, ttl),
        },
        ..RIGHT
    };
    let report = is_charged_with(no_nul, Profile::default(), &[Clause::Val1]);
    let near_miss = report.violations[0].near_miss.as_deref();
    assert!(
        near_miss.is_some_and(|hint| hint.contains("`refuses_characters`")),
        "{report}"
    );
    is_charged_with(shallow, Profile::default().depth(4), &[Clause::Val1]);
}

/// Whatever else is wrong with the commit, and whatever is in it.
#[test]
fn a_wrong_name_of_a_refusal_is_one_finding() {
    let of_an_id = Animal {
        name: "takes a value for an id that it cannot hold",
        commit: |shelf, now, snapshot, ttl| match has_nul(snapshot) {
            true => refused(Constraint::UnsupportedId),
            false => put(shelf, now, snapshot, ttl),
        },
        ..RIGHT
    };
    is_charged_with(of_an_id, Profile::default(), &[Clause::Val1]);
    is_charged_with(of_an_id, no_nul(), &[Clause::Val1]);
    let everything = Animal {
        name: "holds no value at all",
        commit: |_, _, _, _| refused(Constraint::UnsupportedValue),
        ..RIGHT
    };
    is_charged_with(everything, Profile::default(), &[Clause::Val1]);
    let every_id = Animal {
        name: "holds no id at all",
        commit: |_, _, _, _| refused(Constraint::UnsupportedId),
        ..RIGHT
    };
    is_charged_with(every_id, Profile::default(), &[Clause::Com5]);
    let of_a_value = Animal {
        name: "takes an id for a value that it cannot hold",
        commit: |shelf, now, snapshot, ttl| match snapshot.id().is_ascii() {
            true => put(shelf, now, snapshot, ttl),
            false => refused(Constraint::UnsupportedValue),
        },
        ..RIGHT
    };
    is_charged_with(of_a_value, Profile::default(), &[Clause::Idn2]);
    let of_a_ttl = Animal {
        name: "takes a ttl for a value that it cannot hold",
        commit: |shelf, now, snapshot, ttl| match ttl.is_zero() && !snapshot.id().is_empty() {
            true => refused(Constraint::UnsupportedValue),
            false => put(shelf, now, snapshot, ttl),
        },
        ..RIGHT
    };
    is_charged_with(of_a_ttl, Profile::default(), &[Clause::Com3]);
}

/// Refuses what it does not claim, before or after anything else.
fn exact() -> Vec<(Animal, Profile)> {
    let deep = Animal {
        name: "refuses values of more than four levels",
        commit: |shelf, now, snapshot, ttl| match is_deeper(snapshot, 4) {
            true => refused(Constraint::UnsupportedValue),
            false => put(shelf, now, snapshot, ttl),
        },
        ..RIGHT
    };
    let large = Animal {
        name: "refuses rows of more than 300 bytes",
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            match is_larger(snapshot, 300) {
                true => refused(Constraint::UnsupportedValue),
                false => put(shelf, now, snapshot, ttl),
            }
        },
        ..RIGHT
    };
    let doubles = Animal {
        name: "refuses what a double does not hold",
        commit: |shelf, now, snapshot, ttl| match changed(snapshot, &through_a_double) == *snapshot
        {
            true => put(shelf, now, snapshot, ttl),
            false => refused(Constraint::UnsupportedValue),
        },
        ..RIGHT
    };
    let nul = Animal {
        name: "refuses NUL",
        commit: |shelf, now, snapshot, ttl| match has_nul(snapshot) {
            true => refused(Constraint::UnsupportedValue),
            false => put(shelf, now, snapshot, ttl),
        },
        ..RIGHT
    };
    vec![
        (deep, Profile::default().depth(4)),
        (large, Profile::default().size(300)),
        (doubles, Profile::default().doubles_only()),
        (nul, no_nul()),
    ]
}

#[test]
fn stores_that_refuse_what_they_do_not_claim_are_left_in_peace() {
    let coarse = |profile: Profile| profile.resolution(Duration::from_millis(1));
    let in_lockstep = exact().into_iter();
    let by_times = exact().into_iter().map(|(animal, it)| (animal, coarse(it)));
    for (animal, profile) in in_lockstep.chain(by_times) {
        let report = said_of(animal, profile);
        assert_eq!(report.violations, [], "{}\n{report}", animal.name);
        let said = "commits of values that it does not claim to hold, as VAL-1 allows";
        let is_noted = report.notes.iter().any(|note| note.ends_with(said));
        assert!(is_noted, "{report}");
    }
}

#[test]
fn stores_that_hold_more_than_they_claim_are_left_in_peace() {
    let profiles = exact().into_iter().map(|(_, profile)| profile);
    let all = Profile::default().depth(2).size(400).doubles_only();
    let all = all.refuses_characters("\0é\u{fffd}");
    for profile in profiles.chain([all]) {
        let check = checked(RIGHT).profile(profile).depth(3).sequences(200);
        let report = check.run();
        assert_eq!(report.verdict, Verdict::Conforms, "{report}");
        let mut searches = report.searches.iter();
        assert!(
            searches.any(|search| search.name == "unsupported"),
            "{report}"
        );
    }
}

/// Of no search but that for VAL-1 anything is refused.
#[test]
fn programs_stay_within_the_values_that_are_claimed() {
    for (animal, profile) in exact() {
        let check = checked(animal).profile(profile).only(Clause::Snp4);
        let report = check.depth(3).sequences(1_000).run();
        assert!(report.searches.len() > 3, "{report}");
        let is_noted = report.notes.iter().any(|note| note.contains("VAL-1"));
        assert!(!is_noted, "{}\n{report}", animal.name);
    }
}

/// The whole part of a double is not claimed.
#[test]
fn programs_stay_within_the_values_that_are_claimed_while_they_are_made_smaller() {
    fn one_more(value: &Value) -> Value {
        let double = value.as_f64().filter(|_| value.is_f64());
        match double.filter(|double| (2.0..1e15).contains(&double.abs())) {
            Some(double) => (double + 1.0).into(),
            None => value.clone(),
        }
    }
    let counts = Animal {
        name: "adds one to some doubles",
        commit: |shelf, now, snapshot, ttl| put(shelf, now, &changed(snapshot, &one_more), ttl),
        ..RIGHT
    };
    let program = r#"s1: commit A {"csrf_token":"c","data":{"k":[1234.5]}} ttl 1s; prepare A"#;
    let check = checked(counts).profile(Profile::default().doubles_only());
    let report = shrunk_of(check.only(Clause::Snp4).only(Clause::Val1), program);
    let found: Vec<Clause> = report.violations.iter().map(|found| found.clause).collect();
    assert_eq!(found, [Clause::Snp4], "{report}");
    let smallest = report.violations[0].program.to_string();
    assert!(smallest.contains(".5"), "{report}");
}

#[test]
fn of_a_default_profile_nothing_is_beyond() {
    let report = checked(RIGHT).depth(1).sequences(10).run();
    let mut searches = report.searches.iter();
    assert!(
        searches.all(|search| search.name != "unsupported"),
        "{report}"
    );
    let json = serde_json::to_value(&report).expect("it has a JSON form");
    let clauses = json["clauses"].as_array().expect("they are listed");
    let val_1 = clauses
        .iter()
        .find(|finding| finding["clause"] == json!("VAL-1"));
    assert_eq!(val_1.expect("it is among them")["status"], json!("kept"));
}

#[test]
fn a_profile_is_told_with_its_values() {
    let profile = Profile::default().depth(2).size(400).doubles_only();
    let profile = profile.refuses_characters("\0é");
    let told = "values of 2 levels, snapshots of 400 bytes, numbers as doubles, no U+0000 U+00E9";
    assert_eq!(profile.to_string(), told);
    let controls: String = (0..32).map(char::from).collect();
    let profile = Profile::default().refuses_characters(&controls);
    assert_eq!(
        profile.to_string(),
        "no U+0000 U+0001 U+0002 U+0003 and 28 more"
    );
}
