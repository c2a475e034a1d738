//! The simulator: a call centre from one seed. Real deciders, real processes
//! and real read models over one log in memory, on a virtual clock; callers,
//! agents and phones that misbehave; a store that is away, processes that
//! crash, clocks that are set, two nodes that both think a queue is theirs.
//! Checkers look at every single fact, and at the whole whenever nothing is
//! under way.
//!
//! It must not know: sockets, files, threads, the time, floating point. Start
//! reading at [`World`].

mod action;
mod calendar;
mod chance;
mod in_vain;
mod ledger;
mod log;
mod mutant;
mod options;
mod order;
mod people;
mod readers;
mod runner;
mod small;
mod streams;
mod violation;
pub mod whatif;
mod world;

pub use mutant::{Found, Mutant};
pub use options::Options;
pub use small::{Story, Visited, every_story};
pub use violation::{Failure, Violation};
pub use world::{Summary, World};
