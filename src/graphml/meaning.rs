//! What a file can say of a flow, and so when two flows say the same.

use super::number::rounded;
use crate::model::{Flow, Point, Rect, Wrapper};

/// True when two flows say the same as far as a file can: positions to two decimals, and no
/// wrapper, an empty one and `{}` being one thing.
pub fn same_meaning(a: &Flow, b: &Flow) -> bool {
    plain(a) == plain(b)
}

fn plain(flow: &Flow) -> Flow {
    let point = |p: Point| Point {
        x: rounded(p.x),
        y: rounded(p.y),
    };
    let mut out = flow.clone();
    out.wrapper = template(flow).map(Wrapper::new);
    for frame in &mut out.frames {
        let Rect { x, y, w, h } = frame.rect;
        let [x, y, w, h] = [x, y, w, h].map(rounded);
        frame.rect = Rect { x, y, w, h };
    }
    for node in flow.graph.nodes() {
        if let Ok(node) = out.graph.node_mut(&node.id) {
            node.pos = point(node.pos);
            node.timeout = node.timeout.filter(|t| !t.is_zero());
        }
    }
    out
}

/// The text of the flow's wrapper: none, an empty one and `{}` are one thing.
pub(super) fn template(flow: &Flow) -> Option<&str> {
    let template = flow.wrapper.as_ref().map(Wrapper::template);
    template.filter(|text| says_something(text))
}

/// The wrapper of a text; the same holds.
pub(super) fn wrapper_of(template: &str) -> Option<Wrapper> {
    says_something(template).then(|| Wrapper::new(template))
}

fn says_something(template: &str) -> bool {
    !matches!(template, "" | "{}")
}
