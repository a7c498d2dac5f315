//! A step from one flow to another, worked out on whatever thread: taking it moves pointers only.

use std::sync::Arc;

use crate::model::{Edit, Flow};

use super::difference;

/// What leads from one flow to another, and back.
#[derive(Clone, Debug)]
pub struct Step {
    /// From the one to the other.
    pub(super) done: Edit,
    /// From the other to the one; `None` when that could not be found, which would be an error of ours.
    pub(super) back: Option<Edit>,
    /// The other.
    pub(super) flow: Arc<Flow>,
}

impl Step {
    /// The step from one flow to another; `None` when they are equal.
    pub fn between(from: &Flow, to: &Flow) -> Option<Self> {
        let done = difference(from, to);
        if done == Edit::Batch(Vec::new()) {
            return None;
        }
        let mut flow = from.clone();
        match done.clone().apply(&mut flow) {
            Ok(back) => Some(Self {
                done,
                back: Some(back),
                flow: Arc::new(flow),
            }),
            Err(why) => {
                debug_assert!(false, "the difference of two flows must apply: {why}");
                Some(Self {
                    done,
                    back: None,
                    flow: Arc::new(to.clone()),
                })
            }
        }
    }
}
