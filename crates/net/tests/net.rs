//! Scenarios for the socket table, one module for each family.

mod net {
    mod datagrams;
    mod faults;
    pub mod help;
    mod judged;
    mod kernel;
    mod links;
    mod names;
    mod streams;
    mod walk;
}
