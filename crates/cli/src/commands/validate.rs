//! `snowglobe validate`.

use serde_json::{Value, json};
use snowglobe_abi::spec::WorldSpec;
use snowglobe_world::{Problem, load, resolved};

use crate::args::ValidateArgs;
use crate::commands::{print, print_json};
use crate::conduct;
use crate::exit::{self, Failure};
use crate::text::{many, table};

/// Runs it.
pub fn run(args: &ValidateArgs) -> Result<u8, Failure> {
    let loaded = match load(&args.world, &conduct::options(None, None)) {
        Ok(loaded) => loaded,
        Err(error) => {
            if args.json {
                let problems: Vec<Value> = error.problems.iter().map(object).collect();
                print_json(&json!({"valid": false, "problems": problems, "warnings": []}))?;
            }
            return Err(error.into());
        }
    };
    loaded.warnings.iter().for_each(exit::tell);
    if args.json {
        let warnings: Vec<Value> = loaded.warnings.iter().map(object).collect();
        let spec = &loaded.spec;
        let hosts: Vec<&str> = spec.hosts.iter().map(|host| host.name.as_str()).collect();
        print_json(&json!({"valid": true, "problems": [], "warnings": warnings, "seed": spec.seed, "hosts": hosts}))?;
    } else if args.resolved {
        print(&resolved::to_yaml(&loaded.spec))?;
    } else {
        print(&render(&loaded.spec))?;
    }
    Ok(exit::status::PASSED)
}

fn object(problem: &Problem) -> Value {
    let place = problem.place();
    json!({
        "message": problem.message(),
        "help": problem.advice(),
        "file": place.as_ref().map(|place| place.file.clone()),
        "line": place.as_ref().map(|place| place.line),
        "column": place.as_ref().map(|place| place.column),
    })
}

fn render(spec: &WorldSpec) -> String {
    let mut rows = vec![["HOST", "ADDRESSES", "RUNS"].map(str::to_owned).to_vec()];
    for host in &spec.hosts {
        let addresses: Vec<String> =
            host.interfaces.iter().map(|i| std::net::Ipv4Addr::from(i.address).to_string()).collect();
        let runs = match &host.service {
            None => "nothing".to_owned(),
            Some(service) => {
                let check = if service.check { "  (judges the run)" } else { "" };
                let line = service.argv.join(" ").replace('\n', " ");
                let short: String = line.chars().take(60).collect();
                format!("{short}{}{check}", if short.len() < line.len() { ".." } else { "" })
            }
        };
        rows.push(vec![host.name.clone(), addresses.join(" "), runs]);
    }
    format!("{}the world is valid: {}, seed {}\n", table(&rows), many(spec.hosts.len(), "host"), spec.seed)
}
