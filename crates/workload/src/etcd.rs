//! etcd, by the JSON gateway of its version 3 interface (<https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/>).

use std::collections::BTreeMap;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::client::{Client, Failure, Micro, Outcome, Seen, apply, parse_list, parse_number, show_list};
use crate::wire::{Nodes, Wire};
use crate::{Args, Workload};

const PORT: u16 = 2379;

/// A client.
pub struct Etcd {
    nodes: Nodes,
    login: Option<(String, String)>,
    token: Option<String>,
    local_reads: bool,
    wire: Option<Wire>,
}

/// A key's value, and the revision at which it was last written: 0 when it is not there.
#[derive(Clone, Debug, Default)]
struct Entry {
    text: Option<String>,
    revision: String,
}

fn encoded(text: &str) -> String {
    BASE64.encode(text)
}

fn decoded(value: &Value) -> Outcome<String> {
    let bytes = BASE64.decode(value.as_str().unwrap_or("")).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    bytes.ok_or_else(|| Failure::Unknown(format!("{value} is not base64 of text")))
}

/// The end of the range of all keys that begin so.
fn prefix_end(prefix: &str) -> String {
    let mut bytes = prefix.as_bytes().to_vec();
    if let Some(last) = bytes.last_mut() {
        *last += 1;
    }
    BASE64.encode(bytes)
}

/// A field by either of the names that gateways give it.
fn field<'a>(value: &'a Value, snake: &str, camel: &str) -> &'a Value {
    if value[snake].is_null() { &value[camel] } else { &value[snake] }
}

fn entry(range: &Value) -> Outcome<Entry> {
    let Some(kv) = range["kvs"].get(0) else { return Ok(Entry { text: None, revision: "0".into() }) };
    let revision = field(kv, "mod_revision", "modRevision").as_str().unwrap_or("0").to_owned();
    Ok(Entry { text: Some(decoded(&kv["value"])?), revision })
}

fn put(key: &str, value: &str) -> Value {
    json!({"request_put": {"key": encoded(key), "value": encoded(value)}})
}

fn range(key: &str) -> Value {
    json!({"request_range": {"key": encoded(key)}})
}

fn unchanged(key: &str, entry: &Entry) -> Value {
    json!({"key": encoded(key), "target": "MOD", "result": "EQUAL", "mod_revision": entry.revision})
}

/// What an error of the server's means: only what is refused before it is proposed has certainly not happened.
fn refused(status: &str, body: &Value) -> Failure {
    let text = body["error"].as_str().or(body["message"].as_str()).unwrap_or(status).to_owned();
    let code = body["code"].as_u64().or(body["grpc_code"].as_u64()).unwrap_or(0);
    // Invalid argument, not found, already exists, permission denied, unimplemented, unauthenticated.
    let certain = matches!(code, 3 | 5 | 6 | 7 | 12 | 16)
        || text.contains("too many requests")
        || text.contains("database space exceeded");
    if certain { Failure::Not(text) } else { Failure::Unknown(text) }
}

impl Etcd {
    /// It connects when it is first used.
    pub fn new(args: &Args, index: u32) -> Etcd {
        let password = args.password.clone().or_else(|| std::env::var("PASSWORD").ok());
        Etcd {
            nodes: Nodes::new(&args.nodes, index),
            login: args.user.clone().zip(password),
            token: None,
            local_reads: args.local_reads,
            wire: None,
        }
    }

    /// One request.
    fn post(&mut self, path: &str, body: &Value, deadline: Instant) -> Outcome<Value> {
        if self.wire.is_none() {
            self.wire = Some(Wire::connect(self.nodes.now(), PORT, deadline)?);
            self.token = None;
        }
        if let (Some((name, password)), None) = (&self.login, &self.token)
            && path != "/v3/auth/authenticate"
        {
            let ask = json!({"name": name, "password": password});
            let answer = self.post("/v3/auth/authenticate", &ask, deadline).map_err(Failure::harmless)?;
            self.token = answer["token"].as_str().map(str::to_owned);
        }
        let wire = self.wire.as_mut().expect("it was made above");
        let body = body.to_string();
        let token = self.token.as_ref().map_or_else(String::new, |token| format!("Authorization: {token}\r\n"));
        let (host, length) = (self.nodes.now(), body.len());
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{token}Content-Length: {length}\r\n\r\n"
        );
        wire.send(&[head.as_bytes(), body.as_bytes()].concat(), deadline)?;
        let (status, answer) = answer(wire, deadline)?;
        let answer: Value = serde_json::from_slice(&answer)
            .map_err(|_| Failure::Unknown(format!("{status}: {}", String::from_utf8_lossy(&answer))))?;
        if status.split(' ').nth(1) == Some("200") { Ok(answer) } else { Err(refused(&status, &answer)) }
    }

    fn get(&mut self, key: &str, deadline: Instant) -> Outcome<Entry> {
        let ask = json!({"key": encoded(key), "serializable": self.local_reads});
        entry(&self.post("/v3/kv/range", &ask, deadline)?)
    }

    fn prefix(&mut self, prefix: &str, first: bool, deadline: Instant) -> Outcome<Vec<Value>> {
        let mut ask = json!({"key": encoded(prefix), "range_end": prefix_end(prefix)});
        if first {
            ask["sort_order"] = "ASCEND".into();
            ask["sort_target"] = "CREATE".into();
            ask["limit"] = "1".into();
        } else {
            ask["serializable"] = self.local_reads.into();
        }
        let answer = self.post("/v3/kv/range", &ask, deadline)?;
        Ok(answer["kvs"].as_array().cloned().unwrap_or_default())
    }

    /// Whether the comparisons held; and what came of the operations if so.
    fn txn(&mut self, compare: &[Value], success: &[Value], deadline: Instant) -> Outcome<Option<Vec<Value>>> {
        let answer = self.post("/v3/kv/txn", &json!({"compare": compare, "success": success}), deadline)?;
        if answer["succeeded"].as_bool() != Some(true) {
            return Ok(None);
        }
        Ok(Some(answer["responses"].as_array().cloned().unwrap_or_default()))
    }

    /// Reads entries, and writes what `change` makes of them if they are still the same then; tries again if not. What
    /// `change` answers is answered; it writes nothing when it answers an error.
    fn optimistic<T>(
        &mut self,
        keys: &[String],
        deadline: Instant,
        mut change: impl FnMut(&mut BTreeMap<String, Entry>) -> Outcome<T>,
    ) -> Outcome<T> {
        loop {
            let mut entries = BTreeMap::new();
            for key in keys {
                entries.insert(key.clone(), self.get(key, deadline).map_err(Failure::harmless)?);
            }
            let before = entries.clone();
            let result = change(&mut entries)?;
            let compare: Vec<Value> = before.iter().map(|(key, entry)| unchanged(key, entry)).collect();
            let changed = entries.iter().filter(|(key, entry)| before[*key].text != entry.text);
            let puts: Vec<Value> =
                changed.map(|(key, entry)| put(key, entry.text.as_deref().unwrap_or_default())).collect();
            if self.txn(&compare, &puts, deadline)?.is_some() {
                return Ok(result);
            }
        }
    }
}

/// Status line and body of an answer.
fn answer(wire: &mut Wire, deadline: Instant) -> Outcome<(String, Vec<u8>)> {
    let status = wire.line(deadline)?;
    let (mut length, mut chunked) = (0, false);
    loop {
        let line = wire.line(deadline)?.to_ascii_lowercase();
        match line.split_once(':').map(|(name, value)| (name, value.trim())) {
            Some(("content-length", value)) => length = parse_number(value)?,
            Some(("transfer-encoding", value)) => chunked = value == "chunked",
            Some(_) => {}
            None if line.is_empty() => break,
            None => return Err(Failure::Unknown(format!("`{line}` is no header"))),
        }
    }
    if !chunked {
        return Ok((status, wire.take(usize::try_from(length).unwrap_or(0), deadline)?));
    }
    let mut body = Vec::new();
    loop {
        let line = wire.line(deadline)?;
        let size = usize::from_str_radix(line.split(';').next().unwrap_or("").trim(), 16);
        let size = size.map_err(|_| Failure::Unknown(format!("`{line}` is no size of a chunk")))?;
        body.extend(wire.take(size, deadline)?);
        wire.line(deadline)?;
        if size == 0 {
            return Ok((status, body));
        }
    }
}

fn optional(entry: &Entry) -> Outcome<Option<i64>> {
    entry.text.as_deref().map(parse_number).transpose()
}

fn account(number: u32) -> String {
    format!("account-{number}")
}

impl Client for Etcd {
    fn prepare(&mut self, workload: Workload, accounts: u32, balance: i64, deadline: Instant) -> Outcome<()> {
        if workload != Workload::Bank {
            return self.get("snowglobe", deadline).map(|_| ());
        }
        for number in 0..accounts {
            let missing = unchanged(&account(number), &Entry { text: None, revision: "0".into() });
            self.txn(&[missing], &[put(&account(number), &balance.to_string())], deadline)?;
        }
        Ok(())
    }

    fn forget(&mut self) {
        self.wire = None;
        self.nodes.next();
    }

    fn read(&mut self, key: &str, deadline: Instant) -> Outcome<Option<i64>> {
        optional(&self.get(key, deadline)?)
    }

    fn write(&mut self, key: &str, value: i64, deadline: Instant) -> Outcome<()> {
        let ask = json!({"key": encoded(key), "value": encoded(&value.to_string())});
        self.post("/v3/kv/put", &ask, deadline).map(|_| ())
    }

    fn cas(&mut self, key: &str, old: i64, new: i64, deadline: Instant) -> Outcome<bool> {
        let compare =
            json!({"key": encoded(key), "target": "VALUE", "result": "EQUAL", "value": encoded(&old.to_string())});
        self.txn(&[compare], &[put(key, &new.to_string())], deadline).map(|done| done.is_some())
    }

    fn add(&mut self, key: &str, value: i64, deadline: Instant) -> Outcome<()> {
        self.write(&format!("{key}/{value}"), value, deadline)
    }

    fn members(&mut self, key: &str, deadline: Instant) -> Outcome<Vec<i64>> {
        let entries = self.prefix(&format!("{key}/"), false, deadline)?;
        entries.iter().map(|kv| parse_number(&decoded(&kv["value"])?)).collect()
    }

    fn enqueue(&mut self, key: &str, value: i64, deadline: Instant) -> Outcome<()> {
        self.add(key, value, deadline)
    }

    fn dequeue(&mut self, key: &str, deadline: Instant) -> Outcome<Option<i64>> {
        loop {
            let found = self.prefix(&format!("{key}/"), true, deadline).map_err(Failure::harmless)?;
            let Some(kv) = found.first() else { return Ok(None) };
            let value = parse_number(&decoded(&kv["value"])?).map_err(Failure::harmless)?;
            let revision = field(kv, "mod_revision", "modRevision");
            let compare = json!({"key": kv["key"], "target": "MOD", "result": "EQUAL", "mod_revision": revision});
            let delete = json!({"request_delete_range": {"key": kv["key"]}});
            if self.txn(&[compare], &[delete], deadline)?.is_some() {
                return Ok(Some(value));
            }
        }
    }

    fn increase(&mut self, key: &str, by: i64, deadline: Instant) -> Outcome<()> {
        self.optimistic(&[key.to_owned()], deadline, |entries| {
            for entry in entries.values_mut() {
                entry.text = Some((optional(entry)?.unwrap_or(0) + by).to_string());
            }
            Ok(())
        })
    }

    fn count(&mut self, key: &str, deadline: Instant) -> Outcome<i64> {
        Ok(self.read(key, deadline)?.unwrap_or(0))
    }

    fn transact(&mut self, micros: &[Micro], deadline: Instant) -> Outcome<Vec<Seen>> {
        if micros.iter().all(|micro| matches!(micro, Micro::Read(_))) {
            let ops: Vec<Value> = micros.iter().map(|micro| range(micro.key())).collect();
            let answers = self.txn(&[], &ops, deadline)?.unwrap_or_default();
            let lists = answers.iter().map(|answer| {
                let entry = entry(field(answer, "response_range", "responseRange"))?;
                parse_list(entry.text.as_deref().unwrap_or("")).map(Seen::List)
            });
            return lists.collect();
        }
        let keys: std::collections::BTreeSet<String> = micros.iter().map(|micro| micro.key().to_owned()).collect();
        let keys: Vec<String> = keys.into_iter().collect();
        self.optimistic(&keys, deadline, |entries| {
            let mut lists = BTreeMap::new();
            for (key, entry) in entries.iter() {
                lists.insert(key.clone(), parse_list(entry.text.as_deref().unwrap_or("")).map_err(Failure::harmless)?);
            }
            let seen = apply(micros, &mut lists);
            for (key, entry) in entries.iter_mut() {
                if !lists[key].is_empty() {
                    entry.text = Some(show_list(&lists[key]));
                }
            }
            Ok(seen)
        })
    }

    fn transfer(&mut self, from: u32, to: u32, amount: i64, deadline: Instant) -> Outcome<bool> {
        let (from, to) = (account(from), account(to));
        self.optimistic(&[from.clone(), to.clone()], deadline, |entries| {
            let balance = |entry: &Entry| Ok(optional(entry)?.unwrap_or(0));
            let (has, gets) = (balance(&entries[&from])?, balance(&entries[&to])?);
            if has < amount {
                return Ok(false);
            }
            entries.entry(from.clone()).or_default().text = Some((has - amount).to_string());
            entries.entry(to.clone()).or_default().text = Some((gets + amount).to_string());
            Ok(true)
        })
    }

    fn balances(&mut self, accounts: u32, deadline: Instant) -> Outcome<Vec<i64>> {
        let ops: Vec<Value> = (0..accounts).map(|number| range(&account(number))).collect();
        let answers = self.txn(&[], &ops, deadline)?.unwrap_or_default();
        let balance = |answer: &Value| -> Outcome<i64> {
            Ok(optional(&entry(field(answer, "response_range", "responseRange"))?)?.unwrap_or(0))
        };
        answers.iter().map(balance).collect()
    }
}
