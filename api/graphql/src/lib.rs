//! The GraphQL API: queries, mutations and subscriptions over HTTP and
//! WebSocket, for boards, agents' desktops and provisioning.
//!
//! It knows the gateway, the directory and the read models; it must not know
//! SQL, the event store or an adapter. A mutation builds one envelope and goes
//! through the gateway; a read comes from committed rows. Start at
//! [`router()`], then `schema.rs`; `limits` and `auth` stand before both.

pub mod auth;
mod download;
mod error;
mod execute;
mod http;
mod id;
mod limits;
mod loader;
mod mutation;
mod options;
mod paging;
mod papers;
mod query;
mod rate;
mod router;
mod scalar;
mod schema;
mod services;
mod subscription;
mod types;
mod voicemails;
mod ws;

pub use id::call_id;
pub use options::Options;
pub use router::router;
pub use schema::sdl;
pub use services::{
    Check, PauseWord, Probes, Reload, Reloaded, Services, Settings, Webhook, Words,
};
