//! Ringledger's SIP adapter: sockets and translation. Network activity becomes
//! commands; committed events become requests and responses.
//!
//! It must not know: policy (that is `domain`), other adapters, read models.
//! Start with `driver`, then `stack`.

pub mod address;
pub mod auth;
pub mod boundary;
pub mod ingress;
pub mod message;
pub mod registrar;
pub mod sdp;
pub mod stack;
pub mod status;
pub mod transport;
