//! The scene of a flow and how it stands, kept in step with the document and the board.
//!
//! Of a small flow both are worked out at once. Of a large one that is done beside the window's thread,
//! and until it is there the canvas shows what was; only what is in view near by is looked up at once, so
//! that no status is read that is not true. Called by `state`; unaware of painting.

use std::sync::Arc;

use egui::Context;

use crate::model::Flow;
use crate::runtime::FlowBoard;

use super::scene::{Scene, Visible};
use super::standing::{Standing, Told};
use crate::app::aside::{Aside, let_go};

/// Nodes and edges of a flow that is worked out at once: some 4 ms.
const AT_ONCE_MAX: usize = 10_000;
/// Nodes and edges in view that are looked up at once while the whole is worked out.
const SEEN_MAX: usize = 5_000;

/// What stands on the canvas, and how.
#[derive(Default)]
pub struct Stage {
    /// Boxes and curves.
    pub scene: Arc<Scene>,
    /// Their statuses.
    pub standing: Arc<Standing>,
    /// Counts scenes.
    pub generation: u64,
    /// The document and the revision of it that the scene is of.
    of: Option<(u64, u64)>,
    /// Those that it is to be of.
    wanted: Option<(u64, u64)>,
    aside: Aside<Made>,
}

/// What was worked out beside.
struct Made {
    of: (u64, u64),
    scene: Arc<Scene>,
    standing: Standing,
}

impl Stage {
    /// True when the scene is the document as it is now.
    pub fn is_current(&self) -> bool {
        self.of.is_some() && self.of == self.wanted
    }

    /// Follows the document and the board; true when the scene is another. `revision` counts the edits of the
    /// document that `doc` names.
    pub fn follow(
        &mut self,
        ctx: &Context,
        (doc, flow, revision): (u64, &Arc<Flow>, u64),
        board: Option<&FlowBoard>,
    ) -> bool {
        let wanted = (doc, revision);
        self.wanted = Some(wanted);
        let told = Told::by(board);
        let mut is_other = false;
        if let Some(made) = self.aside.take()
            && made.of.0 == doc
        {
            is_other = self.take(made);
        }
        if self.of != Some(wanted) {
            if self.of.is_some_and(|(of, _)| of != doc) {
                // Nothing of another document is ever shown.
                *self = Self {
                    generation: self.generation + 1,
                    wanted: self.wanted,
                    ..Self::default()
                };
                is_other = true;
            }
            if flow.graph.n_nodes() + flow.graph.n_edges() <= AT_ONCE_MAX {
                self.aside = Aside::default();
                let scene = Arc::new(Scene::new(flow));
                let standing = Standing::new(&scene, told);
                is_other |= self.take(Made {
                    of: wanted,
                    scene,
                    standing,
                });
            } else if !self.aside.is_busy() {
                let flow = flow.clone();
                self.aside.begin(ctx, "handmill-scene", move || {
                    let scene = Arc::new(Scene::new(&flow));
                    let standing = Standing::new(&scene, told);
                    Made {
                        of: wanted,
                        scene,
                        standing,
                    }
                });
            }
        } else if !self.standing.is_of(&told) {
            if !self.is_large() {
                Arc::make_mut(&mut self.standing).look_up(&self.scene, told);
            } else if !self.aside.is_busy() {
                let scene = self.scene.clone();
                self.aside.begin(ctx, "handmill-standing", move || Made {
                    of: wanted,
                    standing: Standing::new(&scene, told),
                    scene,
                });
            }
        }
        is_other
    }

    /// Sees to it that what is in view stands as the board says, whatever is still worked out.
    pub fn look_up_seen(&mut self, board: Option<&FlowBoard>, seen: &Visible) {
        if !self.is_large() || seen.nodes.len() + seen.edges.len() > SEEN_MAX {
            return;
        }
        let told = Told::by(board);
        if !self.standing.is_of(&told) {
            Arc::make_mut(&mut self.standing).look_up_seen(&self.scene, &told, seen);
        }
    }

    fn is_large(&self) -> bool {
        self.scene.nodes.len() + self.scene.edges.len() > AT_ONCE_MAX
    }

    /// Takes up what was worked out; true when the scene is another.
    fn take(&mut self, made: Made) -> bool {
        let (was_large, is_other) = (self.is_large(), !Arc::ptr_eq(&self.scene, &made.scene));
        let old = (
            std::mem::replace(&mut self.scene, made.scene),
            std::mem::take(&mut self.standing),
        );
        let mut standing = made.standing;
        standing.generation = old.1.generation + 1;
        self.standing = Arc::new(standing);
        self.generation += u64::from(is_other);
        self.of = Some(made.of);
        if was_large {
            let_go(old);
        }
        is_other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::canvas::scene::tests::{chain, flow};
    use crate::model::{NodeState, NodeStatus};
    use std::collections::HashMap;
    use std::time::{Duration, Instant};

    /// Follows until what is wanted is there.
    fn settle(stage: &mut Stage, flow: &Arc<Flow>, revision: u64, board: Option<&FlowBoard>) {
        let ctx = Context::default();
        let limit = Instant::now() + Duration::from_secs(60);
        loop {
            stage.follow(&ctx, (1, flow, revision), board);
            if stage.is_current() && stage.standing.is_of(&Told::by(board)) {
                return;
            }
            assert!(Instant::now() < limit, "never worked out");
            std::thread::yield_now();
        }
    }

    fn board(status: NodeStatus) -> FlowBoard {
        let state = NodeState {
            status,
            ..NodeState::default()
        };
        FlowBoard {
            loaded: true,
            nodes: Arc::new(HashMap::from([("n0".into(), state)])),
            ..FlowBoard::default()
        }
    }

    #[test]
    fn a_small_flow_is_there_at_once() {
        let mut stage = Stage::default();
        let flow = Arc::new(flow(&[("a", 0.0, 0.0)], &[]));
        assert!(stage.follow(&Context::default(), (1, &flow, 0), None));
        assert!(stage.is_current());
        assert_eq!(stage.scene.nodes.len(), 1);
        assert_eq!(stage.standing.nodes.len(), 1);
    }

    #[test]
    fn of_a_large_flow_the_old_scene_stays_until_the_new_one_is_there() {
        let mut stage = Stage::default();
        let large = Arc::new(chain(AT_ONCE_MAX));
        stage.follow(&Context::default(), (1, &large, 0), None);
        assert!(!stage.is_current());
        assert!(stage.scene.nodes.is_empty());
        settle(&mut stage, &large, 0, None);
        let generation = stage.generation;

        let larger = Arc::new(chain(AT_ONCE_MAX + 1));
        assert!(!stage.follow(&Context::default(), (1, &larger, 1), None));
        assert!(!stage.is_current());
        assert_eq!(stage.scene.nodes.len(), AT_ONCE_MAX);
        settle(&mut stage, &larger, 1, None);
        assert_eq!(stage.scene.nodes.len(), AT_ONCE_MAX + 1);
        assert_eq!(stage.standing.nodes.len(), AT_ONCE_MAX + 1);
        assert!(stage.generation > generation);

        let none = Arc::new(Flow::default());
        assert!(stage.follow(&Context::default(), (1, &none, 2), None));
        assert!(stage.is_current() && stage.scene.nodes.is_empty());
    }

    #[test]
    fn of_a_large_flow_what_is_in_view_is_true_before_the_rest_is() {
        let mut stage = Stage::default();
        let large = Arc::new(chain(AT_ONCE_MAX));
        let (before, after) = (board(NodeStatus::Running), board(NodeStatus::Failed));
        settle(&mut stage, &large, 0, Some(&before));
        assert_eq!(stage.standing.nodes[0], Some(NodeStatus::Running));
        let generation = stage.standing.generation;
        stage.follow(&Context::default(), (1, &large, 0), Some(&after));
        let seen = Visible {
            nodes: vec![0],
            edges: vec![],
        };
        stage.look_up_seen(Some(&after), &seen);
        assert_eq!(stage.standing.nodes[0], Some(NodeStatus::Failed));
        assert!(stage.standing.generation > generation);
        settle(&mut stage, &large, 0, Some(&after));
        assert_eq!(stage.standing.nodes[0], Some(NodeStatus::Failed));
    }

    #[test]
    fn nothing_of_another_document_is_shown() {
        let mut stage = Stage::default();
        let flow = Arc::new(flow(&[("a", 0.0, 0.0)], &[]));
        stage.follow(&Context::default(), (1, &flow, 0), None);
        let large = Arc::new(chain(AT_ONCE_MAX));
        assert!(stage.follow(&Context::default(), (2, &large, 0), None));
        assert!(stage.scene.nodes.is_empty());
    }
}
