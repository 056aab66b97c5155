//! Scenarios for the socket table, one module for each family.

mod net {
    mod datagrams;
    pub mod help;
    mod judged;
    mod kernel;
    mod names;
    mod streams;
    mod walk;
}
