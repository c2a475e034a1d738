//! The real binary, real sockets, real phones: what a user of the product
//! would see, and what survives its sudden end.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one event among all"
)]

mod accounts;
mod acd;
mod annex;
mod announcement;
mod api;
mod approval;
mod assigned;
mod audit;
mod backup;
mod bad_input;
mod bands;
mod billing;
mod billing_contact;
mod boards;
mod by_hand;
mod callback;
mod carrier;
mod config;
mod currencies;
mod deleted;
mod demo;
mod desk;
mod discarded;
mod doors;
mod drain;
mod dunning;
mod endings;
mod erasure;
mod erasure_room;
mod exports;
mod five_callers;
mod flood;
mod full_disk;
mod given_back;
mod heard;
mod invoice;
mod invoice_log;
mod kill;
mod long_invoice;
mod moved;
mod nodes;
mod nodes_lost;
mod notes;
mod offers;
mod papers;
mod past;
mod paused;
mod personal;
mod plan_changed;
mod power;
mod prepaid;
mod prepaid_agents;
mod prepaid_nodes;
mod priced;
mod priced_then;
mod projections;
mod provisioning;
mod recovery;
mod refund;
mod refusals;
mod registers;
mod reload;
mod reports;
mod rerate_filter;
mod rerated;
mod ring_all;
mod sides;
mod sipp;
mod socket;
mod subscriptions;
mod supervised;
mod support;
mod tags;
mod taxes;
mod torture;
mod usage;
mod voicemail;
mod waits;
mod webhooks;
mod websockets;
