//! Environment: what variables say of checks that were not told.

use super::settings::Settings;
use crate::conformance::program::time;
use std::env::{self, VarError};
use std::time::Duration;

const BUDGET: &str = "SESSION_SPEC_BUDGET";
const SEED: &str = "SESSION_SPEC_SEED";

/// The settings, with what the environment says where nothing was set.
///
/// # Errors
/// When a variable says nothing that can be understood.
pub(super) fn fill(settings: &Settings) -> Result<Settings, String> {
    filled(settings, |name| match env::var(name) {
        Ok(value) => Some(value),
        Err(VarError::NotPresent) => None,
        Err(VarError::NotUnicode(value)) => Some(value.to_string_lossy().into_owned()),
    })
}

fn filled(
    settings: &Settings,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Settings, String> {
    let mut settings = settings.clone();
    if let Some(text) = variable(BUDGET) {
        let budget =
            parse_budget(&text).map_err(|reason| format!("{BUDGET} is {text:?}; {reason}"))?;
        settings.budget = settings.budget.or(Some(budget));
    }
    if let Some(text) = variable(SEED) {
        let seed = text.parse::<u64>();
        let seed =
            seed.map_err(|_| format!("{SEED} is {text:?}; it is a whole number below 2^64"))?;
        settings.seed = settings.seed.or(Some(seed));
    }
    Ok(settings)
}

/// A time such as `30s`.
///
/// # Errors
/// When it is none, or nothing.
pub fn parse_budget(text: &str) -> Result<Duration, String> {
    let time = time::parse(text).filter(|time| *time > 0);
    time.and_then(time::duration)
        .ok_or_else(|| "a budget is a number and ns, us, ms or s, and more than nothing".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: &'static str) -> Result<Settings, String> {
        filled(&Settings::default(), |asked| {
            (asked == name).then(|| value.to_owned())
        })
    }

    #[test]
    fn what_was_set_comes_before_what_the_environment_says() {
        let set = Settings {
            seed: Some(1),
            ..Settings::default()
        };
        let says = |_: &str| Some("2".to_owned());
        let one = |name: &str| (name == SEED).then(|| says(name)).flatten();
        assert_eq!(filled(&set, one).map(|it| it.seed), Ok(Some(1)));
        assert_eq!(with(SEED, "2").map(|it| it.seed), Ok(Some(2)));
        let half = Some(Duration::from_millis(500));
        assert_eq!(with(BUDGET, "500ms").map(|it| it.budget), Ok(half));
    }

    #[test]
    fn what_cannot_be_understood_is_told_with_the_name_of_its_variable() {
        for (name, value) in [
            (BUDGET, "soon"),
            (BUDGET, "0s"),
            (BUDGET, "-1s"),
            (SEED, "x"),
            (SEED, ""),
        ] {
            let reason = with(name, value).err().unwrap_or_default();
            assert!(
                reason.starts_with(&format!("{name} is {value:?}; ")),
                "{reason}"
            );
        }
    }
}
