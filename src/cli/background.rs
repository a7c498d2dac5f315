//! The hidden verbs: processes of ours that no person starts.

use std::time::Duration;

use crate::runtime::{self, Manner};
use crate::store::{Home, Settings};

use super::ExitCode;
use super::exit::Refused;

/// Carries out `__sitter`.
pub fn sit(home: &Home) -> Result<ExitCode, Refused> {
    runtime::sit(home).map_err(|why| Refused::new(format!("failed to {why}"), ""))?;
    Ok(ExitCode::Done)
}

/// Carries out `__warden`.
pub fn stand_by() -> Result<ExitCode, Refused> {
    runtime::stand_by().map_err(|why| Refused::new(format!("failed to {why}"), ""))?;
    Ok(ExitCode::Done)
}

/// Carries out `__background`.
pub fn carry_on(home: &Home) -> Result<ExitCode, Refused> {
    let settings = Settings::load(home).settings;
    let manner = Manner {
        slots: settings.slots,
        grace: Duration::from_secs(settings.grace_seconds.into()),
        retention: settings.retention(),
        keep_results: settings.keep_results,
        shell: settings.shell,
    };
    let binary = std::env::current_exe()
        .map_err(|why| Refused::new(format!("failed to find this program: {why}"), ""))?;
    runtime::carry_on(home, manner, binary)
        .map_err(|why| Refused::new(format!("failed to {why}"), ""))?;
    Ok(ExitCode::Done)
}
