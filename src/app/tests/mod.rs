//! Journeys through the window as a person goes, by accessible label, with false ports.

mod access;
mod buttons;
mod catalog;
mod control;
mod desks;
mod fakes;
mod files;
mod journeys;
mod live;
mod panes;
mod past;
mod safety;
mod settings;
