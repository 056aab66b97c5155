//! Which operations the clients make.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Client, Failure, Micro, Outcome, Seen};
use crate::history::History;
use crate::{Args, Workload, connect_later};

/// Processes and values that one program may have before they would meet another's.
const SHARE: u64 = 1_000_000;

/// What all clients share.
pub struct Plan {
    /// The first of this program's values and processes.
    base: u64,
    values: AtomicU64,
    processes: AtomicU64,
    operations: AtomicU64,
    end: Instant,
}

impl Plan {
    /// A plan for the program with this number.
    pub fn new(args: &Args, id: u64) -> Plan {
        Plan {
            base: id.saturating_mul(SHARE),
            values: AtomicU64::new(0),
            processes: AtomicU64::new(0),
            operations: AtomicU64::new(0),
            end: Instant::now() + args.time,
        }
    }

    fn value(&self) -> i64 {
        i64::try_from(self.base + 1 + self.values.fetch_add(1, Relaxed)).unwrap_or(i64::MAX)
    }

    fn process(&self) -> u64 {
        self.base + self.processes.fetch_add(1, Relaxed)
    }

    fn goes_on(&self, args: &Args) -> bool {
        let more = args.operations.is_none_or(|all| self.operations.fetch_add(1, Relaxed) < all);
        more && Instant::now() < self.end
    }
}

/// One operation, with what a history calls it.
#[derive(Clone, Debug)]
enum Operation {
    Read(String),
    Write(String, i64),
    Cas(String, i64, i64),
    Add(String, i64),
    Members(String),
    Enqueue(String, i64),
    Dequeue(String),
    Increase(String, i64),
    Count(String),
    Transact(Vec<Micro>),
    Transfer { from: u32, to: u32, amount: i64 },
    Balances,
}

impl Operation {
    /// `f`, key and value of its invocation.
    fn words(&self) -> (&'static str, Option<&str>, Value) {
        match self {
            Operation::Read(key) | Operation::Members(key) | Operation::Count(key) => ("read", Some(key), Value::Null),
            Operation::Write(key, value) => ("write", Some(key), json!(value)),
            Operation::Cas(key, old, new) => ("cas", Some(key), json!([old, new])),
            Operation::Add(key, value) | Operation::Increase(key, value) => ("add", Some(key), json!(value)),
            Operation::Enqueue(key, value) => ("enqueue", Some(key), json!(value)),
            Operation::Dequeue(key) => ("dequeue", Some(key), Value::Null),
            Operation::Transact(micros) => {
                ("txn", None, micros.iter().map(|micro| shown(micro, &Value::Null)).collect())
            }
            Operation::Transfer { from, to, amount } => {
                ("transfer", None, json!({"from": from, "to": to, "amount": amount}))
            }
            Operation::Balances => ("read", None, Value::Null),
        }
    }

    /// Whether it changes nothing, so that it has not happened when its answer is not known.
    fn is_read(&self) -> bool {
        match self {
            Operation::Read(_) | Operation::Members(_) | Operation::Count(_) | Operation::Balances => true,
            Operation::Transact(micros) => micros.iter().all(|micro| matches!(micro, Micro::Read(_))),
            _ => false,
        }
    }

    /// Carries it out: the value of its completion.
    fn carry_out(&self, client: &mut dyn Client, args: &Args) -> Outcome<Value> {
        let at = Instant::now() + args.timeout;
        let sent = self.words().2;
        match self {
            Operation::Read(key) => client.read(key, at).map(|value| json!(value)),
            Operation::Write(key, value) => client.write(key, *value, at).map(|()| sent),
            Operation::Cas(key, old, new) => held(client.cas(key, *old, *new, at)?, sent),
            Operation::Add(key, value) => client.add(key, *value, at).map(|()| sent),
            Operation::Members(key) => client.members(key, at).map(|list| json!(list)),
            Operation::Enqueue(key, value) => client.enqueue(key, *value, at).map(|()| sent),
            Operation::Dequeue(key) => client.dequeue(key, at).map(|value| json!(value)),
            Operation::Increase(key, by) => client.increase(key, *by, at).map(|()| sent),
            Operation::Count(key) => client.count(key, at).map(|value| json!(value)),
            Operation::Transact(micros) => {
                let seen = client.transact(micros, at)?;
                let value = |seen: &Seen| match seen {
                    Seen::Appended => Value::Null,
                    Seen::List(list) => json!(list),
                };
                Ok(micros.iter().zip(&seen).map(|(micro, seen)| shown(micro, &value(seen))).collect())
            }
            Operation::Transfer { from, to, amount } => held(client.transfer(*from, *to, *amount, at)?, sent),
            Operation::Balances => {
                let list = client.balances(args.accounts, at)?;
                Ok(list.iter().enumerate().map(|(id, value)| (id.to_string(), json!(value))).collect())
            }
        }
    }
}

/// An operation on a condition that did not hold has not happened.
fn held(holds: bool, value: Value) -> Outcome<Value> {
    if holds { Ok(value) } else { Err(Failure::Not("the condition did not hold".to_owned())) }
}

fn shown(micro: &Micro, seen: &Value) -> Value {
    match micro {
        Micro::Append(key, value) => json!(["append", key, value]),
        Micro::Read(key) => json!(["r", key, seen]),
    }
}

/// Random numbers of the operating system, which a world draws from its seed.
struct Dice;

impl Dice {
    fn draw(&self) -> u64 {
        getrandom::u64().expect("the system has random numbers")
    }

    fn below(&self, n: u64) -> u64 {
        self.draw() % n.max(1)
    }

    fn percent(&self, share: u32) -> bool {
        self.below(100) < u64::from(share)
    }

    /// Exponential about a mean, so that clients do not fall in step.
    fn pause(&self, mean: Duration) -> Duration {
        let share = (self.draw() >> 11) as f64 / (1_u64 << 53) as f64;
        mean.mul_f64((-(1.0 - share).ln()).min(10.0))
    }
}

fn next_operation(args: &Args, plan: &Plan, dice: &Dice, last: &std::collections::BTreeMap<String, i64>) -> Operation {
    let reads = |usual| dice.percent(args.reads.unwrap_or(usual));
    // Keys are left for new ones, so that what one failed operation makes hard to judge ends.
    let written = plan.values.load(Relaxed);
    let round = written / (u64::from(args.keys) * args.writes_per_key).max(1);
    let fresh = |prefix: &str| format!("{prefix}{}", round * u64::from(args.keys) + dice.below(u64::from(args.keys)));
    match args.workload {
        Workload::Set if reads(5) => Operation::Members("set".into()),
        Workload::Set => Operation::Add("set".into(), plan.value()),
        Workload::Register => {
            let key = fresh("register-");
            match (reads(50), last.get(&key)) {
                (true, _) => Operation::Read(key),
                (false, Some(seen)) if dice.percent(50) => Operation::Cas(key, *seen, plan.value()),
                (false, _) => Operation::Write(key, plan.value()),
            }
        }
        Workload::Append => {
            let length = 1 + dice.below(u64::from(args.transaction.max(1)));
            let micro =
                |_| if reads(50) { Micro::Read(fresh("list-")) } else { Micro::Append(fresh("list-"), plan.value()) };
            let mut micros: Vec<Micro> = (0..length).map(micro).collect();
            // Keys in one order: rows are then locked in one order, and few transactions wait for a deadlock to be found.
            micros.sort_by(|a, b| a.key().cmp(b.key()));
            Operation::Transact(micros)
        }
        Workload::Bank if reads(50) || args.accounts < 2 => Operation::Balances,
        Workload::Bank => {
            let from = dice.below(args.accounts.into()) as u32;
            let to = (from + 1 + dice.below((args.accounts - 1).into()) as u32) % args.accounts;
            Operation::Transfer { from, to, amount: 1 + dice.below(10) as i64 }
        }
        Workload::Counter if reads(30) => Operation::Count("counter".into()),
        Workload::Counter => Operation::Increase("counter".into(), 1 + dice.below(5) as i64),
        Workload::Queue if reads(50) => Operation::Dequeue("queue".into()),
        Workload::Queue => Operation::Enqueue("queue".into(), plan.value()),
    }
}

/// Makes one operation and writes down what came of it. Its value, or whether the process is spent.
fn perform(
    operation: &Operation,
    client: &mut dyn Client,
    process: u64,
    args: &Args,
    history: &History,
) -> Result<Value, bool> {
    let (f, key, sent) = operation.words();
    history.event("invoke", process, f, key, sent.clone(), None);
    let outcome = operation.carry_out(client, args);
    match outcome {
        Ok(value) => {
            history.event("ok", process, f, key, value.clone(), None);
            Ok(value)
        }
        Err(Failure::Not(why)) => {
            let expected = why.starts_with("the condition");
            history.event("fail", process, f, key, sent, Some(&why));
            if !expected {
                client.forget();
            }
            Err(false)
        }
        Err(Failure::Unknown(why)) => {
            client.forget();
            let kind = if operation.is_read() { "fail" } else { "info" };
            history.event(kind, process, f, key, sent, Some(&why));
            Err(!operation.is_read())
        }
    }
}

/// One client's work. How many operations succeeded.
pub fn work(args: &Args, plan: &Plan, history: &History, index: u32) -> u64 {
    let mut client = connect_later(args, index);
    let (mut process, mut done) = (plan.process(), 0);
    let mut last = std::collections::BTreeMap::new();
    let dice = Dice;
    while plan.goes_on(args) {
        std::thread::sleep(dice.pause(args.pause));
        let operation = next_operation(args, plan, &dice, &last);
        match perform(&operation, client.as_mut(), process, args, history) {
            Ok(value) => {
                done += 1;
                if let (Operation::Read(key), Some(value)) = (&operation, value.as_i64()) {
                    last.insert(key.clone(), value);
                }
            }
            Err(true) => process = plan.process(),
            Err(false) => {}
        }
    }
    done
}

/// What is read at the end, when all else is over: the sets, the balances, the rest of the queue. How many reads succeeded.
pub fn last_reads(args: &Args, plan: &Plan, history: &History) -> u64 {
    let mut client = connect_later(args, 0);
    let (mut process, mut done) = (plan.process(), 0);
    let end = Instant::now() + args.final_patience;
    let operation = match args.workload {
        Workload::Set => Operation::Members("set".into()),
        Workload::Bank => Operation::Balances,
        Workload::Counter => Operation::Count("counter".into()),
        Workload::Queue => Operation::Dequeue("queue".into()),
        // Every list and register was read on the way.
        Workload::Register | Workload::Append => return 0,
    };
    while Instant::now() < end {
        match perform(&operation, client.as_mut(), process, args, history) {
            Ok(value) => {
                done += 1;
                if value.is_null() || !matches!(operation, Operation::Dequeue(_)) {
                    break;
                }
                continue;
            }
            Err(true) => process = plan.process(),
            Err(false) => {}
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    done
}
