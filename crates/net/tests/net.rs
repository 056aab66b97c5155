//! Scenarios for the socket table, one module for each family.

mod net {
    mod datagrams;
    pub mod help;
    mod judged;
    mod names;
    mod streams;
    mod walk;
}
