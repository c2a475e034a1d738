//! What commands do, one by one.
