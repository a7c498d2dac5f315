//! Planted defects: the tests break the protocol in one place and must notice. Outside of tests none exists.

/// True in a test that planted this defect, and a constant `false` in every build that is not a test.
macro_rules! planted {
    ($name:ident) => {{
        #[cfg(test)]
        {
            $crate::lease::defect::is_planted($crate::lease::defect::Defect::$name)
        }
        #[cfg(not(test))]
        {
            false
        }
    }};
}
pub(super) use planted;
#[cfg(test)]
pub(super) use switch::{Defect, is_planted, plant};

#[cfg(test)]
mod switch {
    use std::cell::Cell;

    /// What can be broken.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(in crate::lease) enum Defect {
        /// The file server lets a page out of a pen that was removed: a token is checked, and nothing fences.
        NoPen,
        /// Silence is the age of the owner's time stamp on our wall clock.
        WallClock,
        /// A claim begins without a fresh look.
        NoFreshLook,
        /// A checkpoint that comes after the deadline renews it.
        RenewAfterExpiry,
        /// Frozen children go on before control is certain.
        ThawEarly,
        /// Whoever finds its number taken believes that it took it.
        NoTokenCheck,
        /// The release frees whatever epoch is the highest.
        ReleaseByName,
        /// The older pens are removed after the first row.
        FenceLate,
        /// The row is published before the tables.
        RowFirst,
        /// The epoch's folder is empty when it gets its number.
        EmptyMarker,
        /// A released epoch's folder is removed and its number given again.
        EpochReuse,
        /// Nobody but the program itself watches the deadline.
        NoSitter,
        /// Children are not frozen before the machine sleeps, and get their grace when it wakes.
        NoFreeze,
        /// A claim is made beside the epochs and not inside the one below.
        DraftBeside,
        /// The pen is moved away instead of removed: an old handle still leads into it.
        FenceByMove,
    }

    thread_local! {
        static PLANTED: Cell<Option<Defect>> = const { Cell::new(None) };
    }

    /// Plants a defect in this thread, or none.
    pub(in crate::lease) fn plant(defect: Option<Defect>) {
        PLANTED.set(defect);
    }

    pub(in crate::lease) fn is_planted(defect: Defect) -> bool {
        PLANTED.get() == Some(defect)
    }
}
