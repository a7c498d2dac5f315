//! Why a keyring did not do what it was asked for.

use crate::model::ResourceName;

/// What a keyring cannot do, as a fragment that follows "failed to".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// Nothing on this machine can be asked for a keyring.
    #[error("reach a keyring: there is no D-Bus session")]
    NoBus,
    /// There is a session, and no keyring in it.
    #[error("reach a keyring: no program of this session provides one")]
    NoService,
    /// Handmill knows no keyring on this system.
    #[error("reach a keyring: Handmill knows none on this system")]
    Unsupported,
    /// It is locked, and nobody was or could be asked for its password.
    #[error("open the keyring: it is locked")]
    Locked,
    /// Its password was asked for and not given.
    #[error("open the keyring: its password was not given")]
    Dismissed,
    /// Nothing was heard of it.
    #[error("hear from the keyring within {0} s")]
    Silent(u64),
    /// What it keeps is no value of a resource.
    #[error("use what the keyring keeps as {0}: {1}")]
    BadValue(ResourceName, &'static str),
    /// Anything else, in its own words.
    #[error("use the keyring: {0}")]
    Other(String),
}

impl KeyringError {
    /// What to do about it, as one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoBus => {
                "Give the value in an environment variable of the same name, or start Handmill within a desktop session."
            }
            Self::NoService => {
                "Start one (GNOME Keyring, KWallet, or KeePassXC with its Secret Service), or give the value in an \
                 environment variable of the same name."
            }
            Self::Unsupported => "Give the value in an environment variable of the same name.",
            Self::Locked => "Unlock it with your desktop's password manager, then try again.",
            Self::Dismissed => "Try again, and give the password when the keyring asks for it.",
            Self::Silent(_) => {
                "It may be waiting for its password: look for its window, then try again."
            }
            Self::BadValue(..) => "Replace it: `handmill resource set`, or Settings, Resources.",
            Self::Other(_) => {
                "Look at it with your desktop's password manager, or give the value in an environment variable of the \
                 same name."
            }
        }
    }

    /// What is kept under a name cannot be used; `why` is a sentence.
    pub(super) fn bad_value(name: &ResourceName, why: &'static str) -> Self {
        Self::BadValue(name.clone(), why.trim_end_matches('.'))
    }

    /// True when there is no keyring here at all.
    pub fn is_absence(&self) -> bool {
        matches!(self, Self::NoBus | Self::NoService | Self::Unsupported)
    }
}
