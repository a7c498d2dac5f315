//! What faces ask about control. Part of the [`Dispatcher`].

use super::super::dispatcher::Dispatcher;
use super::super::order::Order;

impl Dispatcher {
    /// An order about control of a workspace. Until there is a keeper no workspace is controlled, and none is on the
    /// board.
    pub(in super::super) fn control_order(&mut self, order: Order) {
        debug_assert!(self.picture.work.control.is_empty(), "{order:?}");
    }
}
