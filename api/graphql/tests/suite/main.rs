//! The API from outside: a real server on a loopback port, real HTTP and
//! WebSocket clients, everything in memory behind it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests are tests too"
)]

mod asked_wrongly;
mod auth;
mod balance;
mod billing;
mod change;
mod client;
mod deck_import;
mod endpoints;
mod fcr;
mod fence;
mod first_answer;
mod follow;
mod limits;
mod money_scopes;
mod order;
mod owning;
mod parts;
mod past;
mod read;
mod reports;
mod schedules;
mod socket;
mod supervision;
mod tags;
mod transfer;
mod views;
mod voicemails;
mod world;
