//! The server: the only crate that sees adapters and API together.
//!
//! What it does: reads the configuration, builds every part and connects them
//! ([`compose`], read this first), and offers the commands of the binary
//! ([`cli`]). It holds no rules of its own.

pub mod audit;
pub mod back_office;
pub mod backup;
pub mod bench;
pub mod cli;
pub mod compose;
pub mod config;
pub mod deck;
pub mod demo;
pub mod erlang;
pub mod export;
mod figures;
pub mod http;
pub mod invoice;
pub mod invoice_show;
pub mod keeper;
pub mod leader;
pub mod media_port;
pub mod not_ready;
pub mod progress;
pub mod projections_command;
pub mod provision;
pub mod rebuild;
mod recordings;
pub mod recovery;
pub mod reload;
pub mod shutdown;
pub mod simulate;
pub mod telemetry;
pub mod token;
pub mod whatif;
mod whole_file;
