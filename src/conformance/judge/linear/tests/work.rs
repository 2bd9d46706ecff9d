//! Work: how many states the search looks at.
//!
//! Most of the search is there to look at few. An answer would be as right without that, but later, or
//! never. The numbers are what it takes, not what it may cost: whoever needs fewer lowers them.

use super::search::LOOKED_AT;
use super::*;

/// Histories in which much overlaps, and how many states are looked at for all of them.
fn looked_at(scene: impl Fn(&mut Chance) -> Scene, histories: u32) -> u64 {
    let mut chance = Chance(0x5e55_10f5);
    LOOKED_AT.set(0);
    for number in 0..histories {
        let scene = scene(&mut chance);
        let mut calls = scene.play(&mut chance);
        if number % 2 == 1 {
            mutate(&mut calls, &mut chance);
        }
        check(&calls, &scene.rules);
    }
    LOOKED_AT.get()
}

/// Six clients that never rest.
fn crowded(scene: Scene) -> Scene {
    Scene {
        clients: 6,
        calls: 60,
        ttl: 12,
        end: Nanos::MAX,
        idle: 0,
        ..scene
    }
}

#[test]
fn few_states_are_looked_at_where_time_is_exact() {
    let states = looked_at(|chance| crowded(small(chance, true)), 1_000);
    assert!(states <= 158_042, "{states} states");
}

#[test]
fn few_states_are_looked_at_whatever_the_store_may_do() {
    let states = looked_at(|chance| crowded(small(chance, false)), 300);
    assert!(states <= 270_739, "{states} states");
}

#[test]
fn few_states_are_looked_at_where_values_come_back() {
    let scene = |chance: &mut Chance| Scene {
        values: 3,
        unknown: 6,
        ..crowded(small(chance, true))
    };
    let states = looked_at(scene, 200);
    assert!(states <= 171_302, "{states} states");
}
