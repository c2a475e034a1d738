//! What the tests of this crate share: a world whose deciders write a true
//! record, a reader of rows, and stores that fail.

mod billing;
mod dump;
mod faults;
mod random;
mod show;
mod story;
mod supervised;
mod transferred;
mod world;

pub(crate) use dump::{dump, dump_all};
pub(crate) use faults::{Fault, Faulty};
pub(crate) use random::{Action, actions, has_a_stay_twice, play};
pub(crate) use show::{fold_all, show};
pub(crate) use story::{Side, login, rules};
pub(crate) use world::{START, World, agent, call, mailbox, message, metadata, queue, visit};
