//! The licence of every dependency against a list.

use crate::project::{self, Package};
use anyhow::{Result, bail};
use spdx::{Expression, LicenseReq, ParseMode};

/// Licences that let the project be given away under its own two.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// An exception only ever permits more than the licence that it is joined to.
const ALLOWED_EXCEPTIONS: &[&str] = &["LLVM-exception"];

/// Checks all packages and names every one that fails.
pub fn run() -> Result<()> {
    let packages = project::metadata(true)?.packages;
    let faults: Vec<String> = packages.iter().filter_map(fault).collect();
    if !faults.is_empty() {
        bail!("licences:\n  {}", faults.join("\n  "));
    }
    let foreign = packages.iter().filter(|package| package.source.is_some()).count();
    println!("licences: {foreign} dependencies, all permitted");
    Ok(())
}

fn fault(package: &Package) -> Option<String> {
    let named = |what: &str| Some(format!("{} {}: {what}", package.name, package.version));
    let Some(text) = &package.license else { return named("gives no licence expression") };
    match is_permitted(text) {
        Ok(true) => None,
        Ok(false) => named(&format!("{text} is not on the list of permitted licences")),
        Err(error) => named(&format!("{text:?} is no licence expression: {error}")),
    }
}

fn is_permitted(text: &str) -> Result<bool, spdx::ParseError> {
    // Old packages write "MIT/Apache-2.0"; the lax mode reads the slash as OR.
    Ok(Expression::parse_mode(text, ParseMode::LAX)?.evaluate(is_allowed))
}

fn is_allowed(requirement: &LicenseReq) -> bool {
    let licence = requirement.license.id().is_some_and(|id| ALLOWED.contains(&id.name));
    let exception = match &requirement.addition {
        None => true,
        Some(addition) => addition.id().is_some_and(|id| ALLOWED_EXCEPTIONS.contains(&id.name)),
    };
    licence && exception
}

#[cfg(test)]
mod tests {
    use super::is_permitted;

    #[test]
    fn one_permitted_choice_is_enough() {
        assert!(is_permitted("GPL-2.0-only OR MIT").unwrap());
        assert!(is_permitted("MIT/Apache-2.0").unwrap());
        assert!(is_permitted("(MIT OR Apache-2.0) AND Unicode-3.0").unwrap());
        assert!(is_permitted("Apache-2.0 WITH LLVM-exception").unwrap());
    }

    #[test]
    fn all_that_are_demanded_must_be_permitted() {
        assert!(!is_permitted("MIT AND GPL-3.0-or-later").unwrap());
        assert!(!is_permitted("MPL-2.0").unwrap());
        assert!(is_permitted("My own words").is_err());
    }
}
