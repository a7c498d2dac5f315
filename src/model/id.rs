//! Names of things, each a type of its own so that a node never meets a run.

use std::fmt;
use std::sync::Arc;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the text as it stands; no normalisation.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

text_id!(
    /// A node, by the id its workfile gives it. Any text; never used as a path.
    NodeId
);
text_id!(
    /// An edge, by the id its workfile gives it, else one made from its ends (`a->b`, `a->b#2`).
    EdgeId
);
text_id!(
    /// A run: sortable by start, unique on this machine (`20261121-051234.567-1a2b`).
    RunId
);
text_id!(
    /// A workspace on this machine: its folder name and a hash of its path, safe as a folder name.
    WorkspaceId
);
