//! The domain: what a call centre is, as pure functions.
//!
//! Each aggregate is a folder of the same files: `command`, `event`, `state`,
//! `decide`, `evolve`, `error`. `decide` holds the rules, `evolve` folds, and
//! the processes under [`process`] say what follows from a fact.
//!
//! It must not know: the time, chance, sockets, files, stores, other crates of
//! ours. Those are inputs. Start reading at [`decider`], then [`call`].

pub mod agent;
pub mod any;
pub mod billing;
pub mod calendar;
pub mod call;
pub mod callback;
pub mod cause;
pub mod decider;
pub mod device;
pub mod e164;
pub mod event_types;
pub mod formula;
pub mod id;
pub mod line;
pub mod mailbox;
pub mod money;
pub mod name;
pub mod person;
pub mod process;
pub mod q850;
pub mod queue;
pub mod rating;
pub mod refusals;
pub mod schedule;
pub mod sealed;
pub mod session;
mod subject;
#[cfg(test)]
mod testing;
pub mod time;
pub mod trunk;
