//! Journeys through the window as a person goes, by accessible label, with false ports.

mod control;
mod desks;
mod fakes;
mod journeys;
mod safety;
mod settings;
