//! Scenarios for the kernel on a machine that is nothing but memory, one module for each family of calls.

mod kernel {
    mod disk;
    mod disk_faults;
    mod disk_model;
    mod faults;
    mod files;
    mod help;
    mod memory;
    mod messages;
    mod programs;
    mod show;
    mod sockets;
    mod table;
    mod waits;
}
