//! A workload without a driver of one's own: clients that work on Redis, etcd or PostgreSQL and write down what they see.
//!
//! - [`plan`]: which operations the clients of a workload make.
//! - [`client`]: what a store must be able to do, and what may come of an operation.
//! - [`redis`], [`etcd`], [`postgres`]: the stores.
//! - [`wire`]: connections on which nothing takes longer than its deadline.
//! - [`history`]: the file that judges read.
//!
//! Each client is one thread with one connection. It makes one operation at a time; when the outcome of one is unknown, it goes on
//! as another process, since a process of a history has one operation at a time. All choices come from `getrandom`.

#![forbid(unsafe_code)]

mod client;
mod etcd;
mod history;
mod plan;
mod postgres;
mod redis;
mod wire;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};

use client::{Client, Failure};
use history::History;

/// Runs clients against a store and writes a history of what they did and saw.
#[derive(Parser, Debug)]
#[command(version, about)]
pub struct Args {
    /// The store.
    #[arg(value_enum)]
    store: Store,
    /// What the clients do.
    #[arg(value_enum)]
    workload: Workload,
    /// Where the store is: `HOST[:PORT]`, more than one with commas. Clients are spread over them, and go to the next one when
    /// one fails.
    #[arg(long, value_delimiter = ',', required_unless_present = "sentinels")]
    nodes: Vec<String>,
    /// Redis only: sentinels that are asked for the primary, `HOST[:PORT]` with commas.
    #[arg(long, value_delimiter = ',')]
    sentinels: Vec<String>,
    /// Redis only: the name that the sentinels know the primary by.
    #[arg(long, default_value = "mymaster")]
    master: String,
    /// Redis only: writes wait for so many replicas (`WAIT`), and their outcome is unknown when fewer answer in time.
    #[arg(long, default_value_t = 0)]
    wait_replicas: u32,
    /// How many clients.
    #[arg(long, default_value_t = 4)]
    clients: u32,
    /// How many keys are worked on at a time.
    #[arg(long, default_value_t = 3)]
    keys: u32,
    /// A key is left for a new one after so many writes (register, append).
    #[arg(long, default_value_t = 64)]
    writes_per_key: u64,
    /// For how long, such as `30s`.
    #[arg(long, default_value = "30s", value_parser = duration)]
    time: Duration,
    /// Operations in all; the time ends them too.
    #[arg(long)]
    operations: Option<u64>,
    /// Mean time between two operations of one client.
    #[arg(long, default_value = "20ms", value_parser = duration)]
    pause: Duration,
    /// What one operation may take; its outcome is unknown then.
    #[arg(long, default_value = "2s", value_parser = duration)]
    timeout: Duration,
    /// How long to wait for the store at the beginning.
    #[arg(long, default_value = "60s", value_parser = duration)]
    patience: Duration,
    /// How long to try the reads at the end.
    #[arg(long, default_value = "60s", value_parser = duration)]
    final_patience: Duration,
    /// Time between the last operation and the reads at the end.
    #[arg(long, default_value = "1s", value_parser = duration)]
    settle: Duration,
    /// Share of operations that read, in percent; each workload has its own otherwise.
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=100))]
    reads: Option<u32>,
    /// Operations of a transaction (append).
    #[arg(long, default_value_t = 4)]
    transaction: u32,
    /// Accounts (bank).
    #[arg(long, default_value_t = 8)]
    accounts: u32,
    /// What an account has at the beginning (bank).
    #[arg(long, default_value_t = 100)]
    balance: i64,
    /// Appends and transfers read what is there and write what it makes, as programs often do, in one transaction.
    #[arg(long)]
    read_modify_write: bool,
    /// etcd only: reads ask the node that answers only (`serializable`), and may be stale.
    #[arg(long)]
    local_reads: bool,
    /// PostgreSQL only: the isolation level.
    #[arg(long, value_enum)]
    isolation: Option<Isolation>,
    /// User, for stores that have them.
    #[arg(long)]
    user: Option<String>,
    /// Password; the variable PASSWORD has it otherwise.
    #[arg(long)]
    password: Option<String>,
    /// Database (PostgreSQL).
    #[arg(long)]
    database: Option<String>,
    /// A number that no other workload program on the same store has: values and processes of this one begin with it. The number
    /// at the end of the host's name without it.
    #[arg(long)]
    id: Option<u64>,
    /// Where the history goes; the variable SNOWGLOBE_HISTORY says it otherwise, and standard output is the last resort.
    #[arg(long)]
    history: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Store {
    Redis,
    Etcd,
    Postgres,
}

/// What the clients do; it is also the model of the history.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Workload {
    /// Add elements that are all different, and read the whole set.
    Set,
    /// Read, write, and compare and set.
    Register,
    /// Transactions that append to lists and read lists.
    Append,
    /// Transfers between accounts, and snapshots of all.
    Bank,
    /// Add to a number, and read it.
    Counter,
    /// Put elements in, and take them out.
    Queue,
}

impl Workload {
    fn model(self) -> &'static str {
        match self {
            Workload::Set => "set",
            Workload::Register => "register",
            Workload::Append => "append",
            Workload::Bank => "bank",
            Workload::Counter => "counter",
            Workload::Queue => "queue",
        }
    }
}

/// PostgreSQL's isolation levels.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Isolation {
    /// Statements see what was committed before them.
    ReadCommitted,
    /// Transactions see what was committed before them.
    RepeatableRead,
    /// As if one after the other.
    Serializable,
}

fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text.parse().map_err(|e| format!("{e}; write it like `1500ms` or `30s`"))?;
    Duration::try_from(span).map_err(|_| "a time cannot be negative".to_owned())
}

fn main() -> ExitCode {
    let args = Arc::new(Args::parse());
    match run(&args) {
        Ok(0) => {
            eprintln!("snowglobe-workload: no operation succeeded");
            ExitCode::from(1)
        }
        Ok(done) => {
            eprintln!("snowglobe-workload: {done} operations succeeded");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("snowglobe-workload: {why}");
            ExitCode::from(1)
        }
    }
}

/// How many operations succeeded.
fn run(args: &Arc<Args>) -> Result<u64, String> {
    let history = Arc::new(History::open(args.history.as_deref(), args.workload.model())?);
    let id = args.id.unwrap_or_else(own_number);
    prepare(args)?;
    let plan = Arc::new(plan::Plan::new(args, id));
    let threads: Vec<_> = (0..args.clients)
        .map(|index| {
            let (args, plan, history) = (args.clone(), plan.clone(), history.clone());
            std::thread::spawn(move || plan::work(&args, &plan, &history, index))
        })
        .collect();
    let mut done = 0;
    for thread in threads {
        done += thread.join().map_err(|_| "a client panicked")?;
    }
    std::thread::sleep(args.settle);
    done += plan::last_reads(args, &plan, &history);
    Ok(done)
}

/// The number at the end of the host's name: replicas have different ones.
fn own_number() -> u64 {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    name[name.len() - digits..].parse().unwrap_or(0)
}

/// A client of its own for the thread with this index.
fn connect_later(args: &Args, index: u32) -> Box<dyn Client> {
    match args.store {
        Store::Redis => Box::new(redis::Redis::new(args, index)),
        Store::Etcd => Box::new(etcd::Etcd::new(args, index)),
        Store::Postgres => Box::new(postgres::Postgres::new(args, index)),
    }
}

/// Waits until the store answers, and makes what the workload needs there.
fn prepare(args: &Args) -> Result<(), String> {
    let mut client = connect_later(args, 0);
    let end = Instant::now() + args.patience;
    loop {
        let result = client.prepare(args.workload, args.accounts, args.balance, Instant::now() + args.timeout);
        match result {
            Ok(()) => return Ok(()),
            Err(Failure::Not(why) | Failure::Unknown(why)) if Instant::now() >= end => {
                return Err(format!("the store is not ready: {why}"));
            }
            Err(_) => {
                client.forget();
                std::thread::sleep(Duration::from_millis(200));
            }
        }
    }
}
