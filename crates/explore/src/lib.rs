//! Many runs of a world: which seeds, what failed and how often, the least that still fails, and whether it is gone.
//!
//! | Looking for | Module |
//! |---|---|
//! | ranges and shards of seeds, which runs are run again | [`seeds`] |
//! | rates, their intervals, how many runs say "gone" | [`stats`] |
//! | what is run next and what an answer means | [`director`] |
//! | an exploration from its first run to its last | [`explorer`] |
//! | delta debugging | [`ddmin`] |
//! | what can be left out of a world | [`reduce`] |
//! | the search for the least world that fails | [`shrink`] |
//! | whether a failure is gone | [`retest`] |
//! | a plan of faults as a person reads it | [`timeline`] |
//! | what identifies a campaign | [`identity`] |
//! | the table of runs | [`database`] |
//! | what explorers and workers say to each other | [`job`] |
//! | workers | [`pool`] |
//! | what cannot be done, and whose it is to mend | [`trouble`] |
//!
//! Only [`pool`], [`database`] and [`identity`] touch the machine; [`explorer`] and [`shrink`] look at its clock for their budgets. What a world
//! does is none of this crate's business: workers are handed in as commands.
#![forbid(unsafe_code)]

pub mod database;
pub mod ddmin;
pub mod director;
pub mod explorer;
pub mod identity;
pub mod job;
pub mod pool;
pub mod reduce;
pub mod retest;
pub mod seeds;
pub mod shrink;
pub mod stats;
pub mod timeline;
pub mod trouble;
