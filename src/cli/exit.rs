//! Exit codes that mean something, and refusals that say why.

use crate::store::StoreError;

/// How the command line ends (product.md, Faces; scheduler.md, End).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// 0: what was asked is done.
    Done,
    /// 1: a node failed.
    Failed,
    /// 2: refused, or bad input; nothing was done.
    Refused,
    /// 130: stopped.
    Stopped,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(match code {
            ExitCode::Done => 0,
            ExitCode::Failed => 1,
            ExitCode::Refused => 2,
            ExitCode::Stopped => 130,
        })
    }
}

/// Why nothing was done: one sentence, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What is wrong, and where.
    pub what: String,
    /// The remedy; empty when there is none to give.
    pub hint: String,
}

impl Refused {
    /// A refusal with its remedy.
    pub fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            hint: hint.into(),
        }
    }
}

impl From<StoreError> for Refused {
    fn from(why: StoreError) -> Self {
        // A reason why a file is no workfile says itself what to do.
        let hint = match why {
            StoreError::NotAWorkfile { .. } => "",
            _ => why.hint(),
        };
        Self::new(format!("failed to {why}"), hint)
    }
}
