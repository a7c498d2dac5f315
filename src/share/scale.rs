//! The limits of control in this process: the real ones, or shorter ones for tests.

use crate::lease::limits::{Limits, SCALE_MAX};

/// Divides the limits of control. For tests only, and so not in any help: all machines of a folder must have the same.
const SCALE: &str = "HANDMILL_CONTROL_SCALE";

/// The limits of control: those of the protocol, or, where `HANDMILL_CONTROL_SCALE` says so, so many times shorter. For
/// tests: all machines of a folder must have the same, and those that have not refuse each other.
///
/// # Errors
///
/// A sentence, when the variable is set and is no scale. Nothing may have control by it then.
pub fn control_limits() -> Result<Limits, String> {
    limits_of(std::env::var_os(SCALE).map(|text| text.to_string_lossy().into_owned()))
}

fn limits_of(scale: Option<String>) -> Result<Limits, String> {
    let Some(text) = scale else {
        return Ok(Limits::REAL);
    };
    let limits = text.parse().ok().and_then(Limits::divided_by);
    limits.ok_or_else(|| format!("{SCALE} is a whole number from 1 to {SCALE_MAX}, not {text:?}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_the_real_ones_unless_a_scale_is_told() {
        assert_eq!(limits_of(None), Ok(Limits::REAL));
        assert_eq!(limits_of(Some("1".to_owned())), Ok(Limits::REAL));
        let limits = limits_of(Some("30".to_owned())).expect("a scale");
        assert_eq!((limits.scale, limits.take.as_millis()), (30, 3_000));
        for text in ["", "0", "61", "-1", "2.5", "ninety"] {
            let told = limits_of(Some(text.to_owned())).expect_err("refused");
            let wanted =
                format!("HANDMILL_CONTROL_SCALE is a whole number from 1 to 60, not {text:?}.");
            assert_eq!(told, wanted);
        }
    }
}
