//! Single situations, as a person would tell them: one lease, a folder played by the test, and what is seen. Items are
//! those of the conformance list for shared workspaces.

mod claims;
mod deadlines;
mod hand_over;
mod others;
mod rig;
mod shown;
mod together;
