//! Single words of a plan of faults. Each reader's error says what to write instead.

use snowglobe_abi::Errno;

use super::draw::{Cap, Range};
use crate::compose::{number, positive_duration};

/// Most parts in a million that a clock may gain or lose: half as fast again.
const MAX_DRIFT: i32 = 500_000;

/// Reads how many hosts may be damaged.
pub fn cap(text: &str) -> Result<Cap, String> {
    match text {
        "majority" => Ok(Cap::Majority),
        "none" => Ok(Cap::None),
        _ => number(0, 10_000)(text)
            .map(Cap::Hosts)
            .map_err(|_| "write `majority`, `none` or a number of hosts".to_owned()),
    }
}

/// Reads `2s to 20s`, or one time.
pub fn times(text: &str) -> Result<Range, String> {
    let (min, max) = text.split_once(" to ").unwrap_or((text, text));
    match (positive_duration(min)?, positive_duration(max)?) {
        (min, max) if min > max => Err("the first is the longer one: exchange them".to_owned()),
        (min, max) => Ok(Range { min, max }),
    }
}

/// Reads a duration that may go back, `-5s`.
pub fn signed_duration(text: &str) -> Result<i64, String> {
    let (back, rest) = match text.trim().strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.trim().trim_start_matches('+')),
    };
    let ns = i64::try_from(positive_duration(rest)?).map_err(|_| "longer than 292 years".to_owned())?;
    Ok(if back { -ns } else { ns })
}

/// Reads `500ppm` or `-0.1 %`.
pub fn parts_per_million(text: &str) -> Result<i32, String> {
    const ADVICE: &str = "write parts in a million such as `500 ppm`, with `-` for a clock that is late";
    let text = text.trim();
    let number = text.strip_suffix("ppm").ok_or_else(|| ADVICE.to_owned())?;
    let parts: i32 = number.trim().parse().map_err(|_| ADVICE.to_owned())?;
    if parts == 0 || !(-MAX_DRIFT..=MAX_DRIFT).contains(&parts) {
        return Err(format!("{ADVICE}; at most {MAX_DRIFT}, and not 0"));
    }
    Ok(parts)
}

/// Reads what a leap second does.
pub fn leap(text: &str) -> Result<i8, String> {
    match text {
        "insert" => Ok(1),
        "delete" => Ok(-1),
        _ => Err("write `insert` (one second is shown twice) or `delete` (one is left out)".to_owned()),
    }
}

/// Reads whether no more memory is promised than there is.
pub fn overcommit(text: &str) -> Result<bool, String> {
    match text {
        "never" => Ok(true),
        "heuristic" => Ok(false),
        _ => Err("write `never` (calls fail) or `heuristic` (the largest process is killed)".to_owned()),
    }
}

/// Reads an error number by its name.
pub fn errno(text: &str) -> Result<u16, String> {
    let all = || (1..=133u16).map(Errno);
    match all().find(|errno| errno.name() == text) {
        Some(errno) => Ok(errno.0),
        None => {
            let names: Vec<&str> = all().map(Errno::name).collect();
            Err(match crate::problem::nearest(text, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write an error's name as in errno(3), such as `EIO`".to_owned(),
            })
        }
    }
}
