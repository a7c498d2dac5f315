//! Frames of a merge.

use std::collections::{HashMap, HashSet};

use super::{Merger, Side, numbered, takes_theirs};
use crate::model::change::{near_rect, of_frame};
use crate::model::fields::OF_FRAME;
use crate::model::{Flow, Frame, FrameId};

impl<'a> Merger<'a> {
    /// The frames of both, back to front.
    pub(super) fn frames(&mut self) -> Vec<Frame> {
        let (base, ours, theirs) = (self.base, self.ours, self.theirs);
        let in_theirs = by_id(&theirs.frames);
        let (in_base, in_ours) = (by_id(&base.frames), by_id(&ours.frames));
        let ids = |flow: &'a Flow| flow.frames.iter().map(|frame| &frame.id);
        // Back to front is theirs, unless they left it alone.
        let order: Vec<&FrameId> = if ids(theirs).eq(ids(base)) {
            ids(ours).chain(ids(theirs)).collect()
        } else {
            ids(theirs).chain(ids(ours)).collect()
        };
        let mut seen = HashSet::new();
        let mut frames: Vec<Frame> = Vec::new();
        let mut late = Vec::new();
        for id in order {
            if !seen.insert(id) {
                continue;
            }
            let three = (in_base.get(id), in_ours.get(id), in_theirs.get(id));
            let text = |frame: &Frame| Some(format!("{} {}", frame.title, frame.text));
            let what = ("frame", id.0.as_str(), "");
            let frame = match three {
                (Some(old), Some(our), Some(their)) => Some(self.frame(old, our, their)),
                (None, Some(one), None) | (None, None, Some(one)) => Some((*one).clone()),
                (None, Some(our), Some(their)) => {
                    if !same_frame(our, their) {
                        late.push(*our);
                        Some((*their).clone())
                    } else {
                        Some((*our).clone())
                    }
                }
                (Some(old), Some(our), None) => {
                    let keep = !same_frame(old, our)
                        && self.conflict(what, of_frame(our), (text(our), None), Side::Ours)
                            == Side::Ours;
                    keep.then(|| (*our).clone())
                }
                (Some(old), None, Some(their)) => {
                    let keep = !same_frame(old, their)
                        && self.conflict(what, of_frame(their), (None, text(their)), Side::Theirs)
                            == Side::Theirs;
                    keep.then(|| (*their).clone())
                }
                (_, None, None) => None,
            };
            frames.extend(frame);
        }
        let mut named = HashSet::new();
        for our in late {
            let is_free = |id: &FrameId| {
                let known = [&in_base, &in_ours, &in_theirs];
                !known.iter().any(|frames| frames.contains_key(id)) && !named.contains(id)
            };
            let Some(id) = numbered(&our.id.0).map(FrameId).find(is_free) else {
                continue;
            };
            named.insert(id.clone());
            self.note_rename(&our.id.0, &id.0);
            frames.push(Frame { id, ..our.clone() });
        }
        frames
    }

    fn frame(&mut self, base: &Frame, ours: &Frame, theirs: &Frame) -> Frame {
        let mut frame = ours.clone();
        let what = ("frame", theirs.id.0.as_str());
        let subject = || of_frame(ours);
        self.fields(OF_FRAME, (base, ours, theirs), &mut frame, what, subject);
        if takes_theirs(&base.rect, &ours.rect, &theirs.rect, |a, b| {
            near_rect(*a, *b)
        }) {
            frame.rect = theirs.rect;
        }
        frame
    }
}

fn same_frame(a: &Frame, b: &Frame) -> bool {
    OF_FRAME.iter().all(|field| (field.same)(a, b))
}

fn by_id(frames: &[Frame]) -> HashMap<&FrameId, &Frame> {
    frames.iter().map(|frame| (&frame.id, frame)).collect()
}
