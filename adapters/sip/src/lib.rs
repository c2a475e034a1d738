//! Ringledger's SIP adapter: sockets and translation. Network activity becomes
//! commands; committed events become requests and responses.
//!
//! It must not know: policy (that is `domain`), other adapters, read models.
//! Start with `driver`, then `stack`.

pub mod address;
pub mod admission;
pub mod auth;
pub mod bindings;
pub mod boundary;
pub mod buckets;
pub mod dialog;
pub mod driver;
pub mod edge;
pub mod inbound;
pub mod ingress;
pub mod legs;
pub mod media;
pub mod message;
pub mod options;
pub mod outbound;
pub mod registrar;
pub mod sdp;
pub mod stack;
pub mod status;
pub mod transport;

pub use driver::{Handle, Parts, StartError, start};
pub use options::Options;
