//! Redis, by its protocol RESP 2 (<https://redis.io/docs/latest/develop/reference/protocol-spec/>).

use std::time::Instant;

use crate::client::{Client, Failure, Micro, Outcome, Seen, parse_number};
use crate::wire::{Nodes, Wire};
use crate::{Args, Workload};

const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// A client.
pub struct Redis {
    nodes: Nodes,
    sentinels: Option<(Nodes, String)>,
    login: Option<Vec<String>>,
    wait: u32,
    timeout_ms: u128,
    read_modify_write: bool,
    wire: Option<Wire>,
}

/// What the server answers.
#[derive(Debug, PartialEq, Eq)]
enum Reply {
    Nil,
    Number(i64),
    Text(String),
    List(Vec<Reply>),
    Error(String),
}

impl Redis {
    /// It connects when it is first used.
    pub fn new(args: &Args, index: u32) -> Redis {
        let password = args.password.clone().or_else(|| std::env::var("PASSWORD").ok());
        Redis {
            nodes: Nodes::new(&args.nodes, index),
            sentinels: (!args.sentinels.is_empty()).then(|| (Nodes::new(&args.sentinels, index), args.master.clone())),
            login: password.map(|password| {
                let user = args.user.iter().cloned();
                ["AUTH".to_owned()].into_iter().chain(user).chain([password]).collect()
            }),
            wait: args.wait_replicas,
            timeout_ms: args.timeout.as_millis() / 2,
            read_modify_write: args.read_modify_write,
            wire: None,
        }
    }

    /// The primary, where sentinels know it.
    fn ask_sentinels(&mut self, deadline: Instant) -> Outcome<Option<String>> {
        let Some((nodes, master)) = &mut self.sentinels else { return Ok(None) };
        let mut why = Failure::Not("no sentinel answers".to_owned());
        for _ in 0..nodes.len() {
            let ask = || {
                let mut wire = Wire::connect(nodes.now(), SENTINEL_PORT, deadline)?;
                wire.send(&command(&["SENTINEL", "get-master-addr-by-name", master]), deadline)?;
                reply(&mut wire, deadline, 0)
            };
            match ask() {
                Ok(Reply::List(list)) => {
                    if let [Reply::Text(host), Reply::Text(port)] = &list[..] {
                        return Ok(Some(format!("{host}:{port}")));
                    }
                }
                Ok(other) => why = Failure::Not(format!("a sentinel knows no {master}: {other:?}")),
                Err(failure) => why = failure.harmless(),
            }
            nodes.next();
        }
        Err(why)
    }

    fn connected(&mut self, deadline: Instant) -> Outcome<&mut Wire> {
        if self.wire.is_none() {
            let node = match self.ask_sentinels(deadline)? {
                Some(node) => node,
                None => self.nodes.now().to_owned(),
            };
            let mut wire = Wire::connect(&node, PORT, deadline)?;
            if let Some(login) = &self.login {
                let words: Vec<&str> = login.iter().map(String::as_str).collect();
                wire.send(&command(&words), deadline).map_err(Failure::harmless)?;
                if let Reply::Error(why) = reply(&mut wire, deadline, 0).map_err(Failure::harmless)? {
                    return Err(Failure::Not(why));
                }
            }
            self.wire = Some(wire);
        }
        Ok(self.wire.as_mut().expect("it was made above"))
    }

    /// Sends commands at once and takes their answers.
    fn ask(&mut self, commands: &[&[&str]], deadline: Instant) -> Outcome<Vec<Reply>> {
        let wire = self.connected(deadline)?;
        let bytes: Vec<u8> = commands.iter().flat_map(|words| command(words)).collect();
        wire.send(&bytes, deadline)?;
        commands.iter().map(|_| reply(wire, deadline, 0)).collect()
    }

    /// One command. An error of the server's says that it did nothing: Redis looks at a command before it carries it out.
    fn one(&mut self, words: &[&str], deadline: Instant) -> Outcome<Reply> {
        match self.ask(&[words], deadline)?.pop() {
            Some(Reply::Error(why)) => Err(Failure::Not(why)),
            Some(reply) => Ok(reply),
            None => Err(Failure::Unknown("no answer".to_owned())),
        }
    }

    /// A command that writes.
    fn change(&mut self, words: &[&str], deadline: Instant) -> Outcome<Reply> {
        let reply = self.one(words, deadline)?;
        self.replicated(deadline)?;
        Ok(reply)
    }

    /// Waits for replicas, where that was asked for.
    fn replicated(&mut self, deadline: Instant) -> Outcome<()> {
        if self.wait == 0 {
            return Ok(());
        }
        let (wait, timeout) = (self.wait.to_string(), self.timeout_ms.max(1).to_string());
        let got = self.one(&["WAIT", &wait, &timeout], deadline);
        match got.map_err(|failure| Failure::Unknown(format!("{failure:?}")))? {
            Reply::Number(n) if n >= i64::from(self.wait) => Ok(()),
            other => Err(Failure::Unknown(format!("{other:?} replicas have it"))),
        }
    }

    /// A transaction; nothing when what was watched has changed.
    fn multi(&mut self, commands: &[Vec<String>], deadline: Instant) -> Outcome<Option<Vec<Reply>>> {
        let mut all: Vec<Vec<&str>> = vec![vec!["MULTI"]];
        all.extend(commands.iter().map(|words| words.iter().map(String::as_str).collect()));
        all.push(vec!["EXEC"]);
        let all: Vec<&[&str]> = all.iter().map(Vec::as_slice).collect();
        let replies = self.ask(&all, deadline)?;
        match replies.into_iter().next_back() {
            Some(Reply::List(list)) => Ok(Some(list)),
            Some(Reply::Nil) => Ok(None),
            Some(Reply::Error(why)) => Err(Failure::Not(why)),
            other => Err(odd(&other)),
        }
    }

    fn list_of(&mut self, key: &str, deadline: Instant) -> Outcome<Vec<i64>> {
        numbers(self.one(&["LRANGE", key, "0", "-1"], deadline)?)
    }

    /// Reads the lists, and writes them back as they are then: safe since they are watched.
    fn rewrite(&mut self, micros: &[Micro], deadline: Instant) -> Outcome<Vec<Seen>> {
        let keys: std::collections::BTreeSet<&str> = micros.iter().map(Micro::key).collect();
        let mut watch = vec!["WATCH"];
        watch.extend(&keys);
        self.one(&watch, deadline).map_err(Failure::harmless)?;
        let mut lists = std::collections::BTreeMap::new();
        for key in keys {
            lists.insert(key.to_owned(), self.list_of(key, deadline).map_err(Failure::harmless)?);
        }
        let seen = crate::client::apply(micros, &mut lists);
        let mut commands = Vec::new();
        for (key, list) in &lists {
            if micros.iter().any(|micro| matches!(micro, Micro::Append(at, _) if at == key)) {
                commands.push(vec!["DEL".to_owned(), key.clone()]);
                let mut push = vec!["RPUSH".to_owned(), key.clone()];
                push.extend(list.iter().map(i64::to_string));
                commands.push(push);
            }
        }
        match self.multi(&commands, deadline)? {
            Some(_) => self.replicated(deadline).map(|()| seen),
            None => Err(Failure::Not("somebody else was faster".to_owned())),
        }
    }
}

fn odd(reply: &dyn std::fmt::Debug) -> Failure {
    Failure::Unknown(format!("an answer that does not fit: {reply:?}"))
}

fn numbers(reply: Reply) -> Outcome<Vec<i64>> {
    let Reply::List(list) = reply else { return Err(odd(&reply)) };
    list.into_iter().map(number).collect()
}

fn number(reply: Reply) -> Outcome<i64> {
    match reply {
        Reply::Number(n) => Ok(n),
        Reply::Text(text) => parse_number(&text),
        Reply::Error(why) => Err(Failure::Not(why)),
        other => Err(odd(&other)),
    }
}

fn optional(reply: Reply) -> Outcome<Option<i64>> {
    if reply == Reply::Nil { Ok(None) } else { number(reply).map(Some) }
}

/// A command as the server reads it.
fn command(words: &[&str]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", words.len());
    for word in words {
        out += &format!("${}\r\n{word}\r\n", word.len());
    }
    out.into_bytes()
}

/// One answer.
fn reply(wire: &mut Wire, deadline: Instant, depth: u32) -> Outcome<Reply> {
    let line = wire.line(deadline)?;
    let rest = line.get(1..).unwrap_or("");
    Ok(match line.as_bytes().first() {
        Some(b'+') => Reply::Text(rest.to_owned()),
        Some(b'-') => Reply::Error(rest.to_owned()),
        Some(b':') => Reply::Number(parse_number(rest)?),
        Some(b'$') => match usize::try_from(parse_number(rest)?) {
            Ok(length) => {
                let mut bytes = wire.take(length.saturating_add(2), deadline)?;
                bytes.truncate(length);
                Reply::Text(String::from_utf8_lossy(&bytes).into_owned())
            }
            Err(_) => Reply::Nil,
        },
        Some(b'*') if depth < 8 => match usize::try_from(parse_number(rest)?) {
            Ok(length) => Reply::List((0..length).map(|_| reply(wire, deadline, depth + 1)).collect::<Outcome<_>>()?),
            Err(_) => Reply::Nil,
        },
        _ => return Err(odd(&line)),
    })
}

/// Sets KEY to NEW if it is OLD.
const CAS: &str =
    "if redis.call('GET',KEYS[1])==ARGV[1] then redis.call('SET',KEYS[1],ARGV[2]) return 1 else return 0 end";
/// Moves money if there is enough.
const TRANSFER: &str = "if tonumber(redis.call('GET',KEYS[1]))<tonumber(ARGV[1]) then return 0 end \
redis.call('DECRBY',KEYS[1],ARGV[1]) redis.call('INCRBY',KEYS[2],ARGV[1]) return 1";

fn account(number: u32) -> String {
    format!("account-{number}")
}

impl Client for Redis {
    fn prepare(&mut self, workload: Workload, accounts: u32, balance: i64, deadline: Instant) -> Outcome<()> {
        if workload != Workload::Bank {
            return self.one(&["PING"], deadline).map(|_| ());
        }
        for number in 0..accounts {
            self.change(&["SETNX", &account(number), &balance.to_string()], deadline)?;
        }
        Ok(())
    }

    fn forget(&mut self) {
        self.wire = None;
        self.nodes.next();
    }

    fn read(&mut self, key: &str, deadline: Instant) -> Outcome<Option<i64>> {
        optional(self.one(&["GET", key], deadline)?)
    }

    fn write(&mut self, key: &str, value: i64, deadline: Instant) -> Outcome<()> {
        self.change(&["SET", key, &value.to_string()], deadline).map(|_| ())
    }

    fn cas(&mut self, key: &str, old: i64, new: i64, deadline: Instant) -> Outcome<bool> {
        let reply = self.change(&["EVAL", CAS, "1", key, &old.to_string(), &new.to_string()], deadline)?;
        number(reply).map(|n| n == 1)
    }

    fn add(&mut self, key: &str, value: i64, deadline: Instant) -> Outcome<()> {
        self.change(&["SADD", key, &value.to_string()], deadline).map(|_| ())
    }

    fn members(&mut self, key: &str, deadline: Instant) -> Outcome<Vec<i64>> {
        let mut list = numbers(self.one(&["SMEMBERS", key], deadline)?)?;
        list.sort_unstable();
        Ok(list)
    }

    fn enqueue(&mut self, key: &str, value: i64, deadline: Instant) -> Outcome<()> {
        self.change(&["RPUSH", key, &value.to_string()], deadline).map(|_| ())
    }

    fn dequeue(&mut self, key: &str, deadline: Instant) -> Outcome<Option<i64>> {
        optional(self.change(&["LPOP", key], deadline)?)
    }

    fn increase(&mut self, key: &str, by: i64, deadline: Instant) -> Outcome<()> {
        self.change(&["INCRBY", key, &by.to_string()], deadline).map(|_| ())
    }

    fn count(&mut self, key: &str, deadline: Instant) -> Outcome<i64> {
        Ok(optional(self.one(&["GET", key], deadline)?)?.unwrap_or(0))
    }

    fn transact(&mut self, micros: &[Micro], deadline: Instant) -> Outcome<Vec<Seen>> {
        if self.read_modify_write {
            return self.rewrite(micros, deadline);
        }
        let commands: Vec<Vec<String>> = micros
            .iter()
            .map(|micro| match micro {
                Micro::Append(key, value) => vec!["RPUSH".into(), key.clone(), value.to_string()],
                Micro::Read(key) => vec!["LRANGE".into(), key.clone(), "0".into(), "-1".into()],
            })
            .collect();
        let replies = self.multi(&commands, deadline)?.ok_or_else(|| Failure::Not("aborted".to_owned()))?;
        self.replicated(deadline)?;
        let seen = micros.iter().zip(replies).map(|(micro, reply)| match micro {
            Micro::Append(..) => number(reply).map(|_| Seen::Appended),
            Micro::Read(_) => numbers(reply).map(Seen::List),
        });
        // An error of one command of a transaction leaves the others done.
        let seen: Outcome<Vec<Seen>> = seen.collect();
        seen.map_err(|failure| Failure::Unknown(format!("{failure:?}")))
    }

    fn transfer(&mut self, from: u32, to: u32, amount: i64, deadline: Instant) -> Outcome<bool> {
        let (from, to) = (account(from), account(to));
        let reply = self.change(&["EVAL", TRANSFER, "2", &from, &to, &amount.to_string()], deadline)?;
        number(reply).map(|n| n == 1)
    }

    fn balances(&mut self, accounts: u32, deadline: Instant) -> Outcome<Vec<i64>> {
        let names: Vec<String> = (0..accounts).map(account).collect();
        let mut words = vec!["MGET"];
        words.extend(names.iter().map(String::as_str));
        numbers(self.one(&words, deadline)?)
    }
}
