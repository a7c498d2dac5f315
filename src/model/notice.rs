//! One sentence for the operator.

use std::sync::Arc;

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something done that the operator may want to know.
    Info,
    /// Something that went on, but not as asked.
    Warning,
    /// Something that was asked and did not happen.
    Error,
}

/// What happened, then what to do. Shown once, kept until dismissed when it is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How much it matters.
    pub level: Level,
    /// What happened, as one sentence.
    pub what: Arc<str>,
    /// What to do about it; empty when there is nothing.
    pub hint: Arc<str>,
}

impl Notice {
    /// A notice with a hint.
    pub fn new(level: Level, what: impl Into<Arc<str>>, hint: impl Into<Arc<str>>) -> Self {
        Self {
            level,
            what: what.into(),
            hint: hint.into(),
        }
    }

    /// An error that names its remedy.
    pub fn error(what: impl Into<Arc<str>>, hint: impl Into<Arc<str>>) -> Self {
        Self::new(Level::Error, what, hint)
    }

    /// Something to know of, with what can be done about it.
    pub fn warning(what: impl Into<Arc<str>>, hint: impl Into<Arc<str>>) -> Self {
        Self::new(Level::Warning, what, hint)
    }

    /// A plain piece of news.
    pub fn info(what: impl Into<Arc<str>>) -> Self {
        Self::new(Level::Info, what, "")
    }
}
