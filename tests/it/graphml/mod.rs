//! Workfiles of every generation, hostile ones, and what NetworkX makes of ours.

mod edits;
mod files;
mod generations;
mod hostile;
mod networkx;
mod random_edit;
