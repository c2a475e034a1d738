//! The real binary, real sockets, real phones: what a user of the product
//! would see, and what survives its sudden end.

mod five_callers;
mod kill;
