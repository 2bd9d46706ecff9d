//! Probe: what runs a program and gives a failure of it, if it has one that matters.

use crate::conformance::judge::failure::{Failing, Failure, Symptom};
use crate::model::Op;

/// What runs a program and gives its failures.
pub(crate) type Runs<'a> = &'a dyn Fn(&[Op]) -> Vec<Failure>;

/// Gives the failure with this symptom.
pub(crate) fn of_symptom(
    symptom: Symptom,
    runs: Runs<'_>,
) -> impl Fn(&[Op]) -> Option<Failure> + use<'_> {
    move |ops| {
        let mut failures = runs(ops).into_iter();
        failures.find(|failure| symptom.may_become(failure.symptom()))
    }
}

/// Gives the first failure that has no symptom of those that a program shows before its last operation.
pub(crate) fn beside<'a>(
    failing: &Failing,
    runs: Runs<'a>,
) -> impl Fn(&[Op]) -> Option<Failure> + use<'a> {
    let own = failing.failure.symptom();
    let is_wrong_before = !failing.failure.otherwise.is_empty();
    let failures = if is_wrong_before {
        runs(&failing.ops)
    } else {
        Vec::new()
    };
    let symptoms = failures.into_iter().map(|failure| failure.symptom());
    let known: Vec<Symptom> = symptoms.filter(|symptom| *symptom != own).collect();
    move |ops| {
        let mut failures = runs(ops).into_iter();
        failures.find(|failure| !known.contains(&failure.symptom()))
    }
}
