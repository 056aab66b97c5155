//! Durations, sizes, times, bandwidths and chances as people write them.

use jiff::{SignedDuration, Span as JiffSpan, SpanRelativeTo, Timestamp};
use snowglobe_abi::signal as names;
use snowglobe_abi::spec::{Chance, Nanos};

/// Reads `100 ms`, `1m30s`, `60s`, `1.5h`, `2 days`.
///
/// # Errors
/// What to write instead.
pub fn duration(text: &str) -> Result<Nanos, String> {
    const ADVICE: &str = "write a number and a unit, such as `100 ms`, `60s` or `1m30s`";
    let text = text.trim();
    if text == "0" {
        return Ok(0);
    }
    if text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() {
        return Err(format!("a duration needs a unit: `{text}s`, `{text}ms`"));
    }
    let parsed: SignedDuration = match text.parse::<SignedDuration>() {
        Ok(parsed) => parsed,
        // Days and weeks are calendar units to the library; a world has no time zone that makes them differ.
        Err(_) => text
            .parse::<JiffSpan>()
            .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
            .map_err(|_| ADVICE.to_owned())?,
    };
    if parsed.is_negative() {
        return Err("a duration cannot be negative".to_owned());
    }
    // Two and a half centuries: every sum of two such times still fits.
    u64::try_from(parsed.as_nanos())
        .ok()
        .filter(|ns| *ns <= u64::MAX / 2)
        .ok_or_else(|| "longer than 292 years".to_owned())
}

/// Writes a duration so that [`duration`] reads the same one: whole hours or minutes, or the largest unit of seconds that it
/// has, with a fraction.
pub fn show_duration(ns: Nanos) -> String {
    const WHOLE: [(u64, &str); 2] = [(3_600_000_000_000, "h"), (60_000_000_000, "m")];
    const UNITS: [(u64, usize, &str); 4] =
        [(1_000_000_000, 9, "s"), (1_000_000, 6, "ms"), (1_000, 3, "us"), (1, 0, "ns")];
    if ns == 0 {
        return "0s".to_owned();
    }
    if let Some((unit, name)) = WHOLE.iter().find(|(unit, _)| ns.is_multiple_of(*unit)) {
        return format!("{}{name}", ns / unit);
    }
    let (unit, digits, name) = UNITS.into_iter().find(|(unit, ..)| ns >= *unit).expect("a nanosecond is the last");
    match ns % unit {
        0 => format!("{}{name}", ns / unit),
        rest => format!("{}.{}{name}", ns / unit, format!("{rest:0digits$}").trim_end_matches('0')),
    }
}

/// Reads `64M`, `1.5 GiB`, `512kb`, `4096`. As in Compose, all multiples are of 1024.
///
/// # Errors
/// What to write instead.
pub fn size(text: &str) -> Result<u64, String> {
    const ADVICE: &str = "write a number and a unit, such as `64M` or `4G`";
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = (&text[..split], text[split..].trim().to_ascii_lowercase());
    let shift = match unit.as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err(ADVICE.to_owned()),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole: u64 = whole.parse().map_err(|_| ADVICE.to_owned())?;
    let mut bytes = u128::from(whole) << shift;
    if !fraction.is_empty() {
        if fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ADVICE.to_owned());
        }
        let digits: u128 = fraction.parse().map_err(|_| ADVICE.to_owned())?;
        bytes += (digits << shift) / 10u128.pow(fraction.len() as u32);
    }
    u64::try_from(bytes).map_err(|_| "more than 16 EiB".to_owned())
}

/// Writes a size so that [`size`] reads the same one.
pub fn show_size(bytes: u64) -> String {
    const UNITS: [(u32, &str); 4] = [(40, "T"), (30, "G"), (20, "M"), (10, "k")];
    match UNITS.iter().find(|(shift, _)| bytes != 0 && bytes.trailing_zeros() >= *shift) {
        Some((shift, name)) => format!("{}{name}", bytes >> shift),
        None => bytes.to_string(),
    }
}

/// Reads a number with at most `places` digits behind its point, as a multiple of the last of them.
fn decimal(number: &str, places: u32) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let fits = fraction.len() <= places as usize && (fraction.is_empty() && !number.contains('.') || digits(fraction));
    if !digits(whole) || !fits {
        return None;
    }
    let scale = 10u64.pow(places);
    let part =
        if fraction.is_empty() { 0 } else { fraction.parse::<u64>().ok()? * 10u64.pow(places - fraction.len() as u32) };
    whole.parse::<u64>().ok()?.checked_mul(scale)?.checked_add(part)
}

/// Reads `1 %`, `0.01%` or `0.0001`.
///
/// # Errors
/// What to write instead.
pub fn chance(text: &str) -> Result<Chance, String> {
    let text = text.trim();
    let (number, places) = match text.strip_suffix('%') {
        Some(number) => (number.trim_end(), 7),
        None => (text, 9),
    };
    let advice = || "write a share such as `1 %`, `0.05 %` or `0.0005`, with at most nine places in all".to_owned();
    if number.starts_with('-') {
        return Err("a chance cannot be negative".to_owned());
    }
    let parts = decimal(number, places).ok_or_else(advice)?;
    match u32::try_from(parts).ok().map(Chance).filter(|chance| *chance <= Chance::SURE) {
        Some(chance) => Ok(chance),
        None if places == 9 && parts <= 100 * u64::from(Chance::SURE.0) => {
            Err(format!("a chance is at most 1, which is 100 %: did you mean `{number} %`?"))
        }
        None => Err("a chance is at most 100 %".to_owned()),
    }
}

/// Writes a chance so that [`chance`] reads the same one.
pub fn show_chance(chance: Chance) -> String {
    let (whole, part) = (chance.0 / 10_000_000, chance.0 % 10_000_000);
    match part {
        0 => format!("{whole}%"),
        part => format!("{whole}.{}%", format!("{part:07}").trim_end_matches('0')),
    }
}

/// Reads a number such as `2.5` in thousandths.
///
/// # Errors
/// What to write instead.
pub fn thousandths(text: &str) -> Result<u32, String> {
    let parts = decimal(text.trim(), 3).and_then(|parts| u32::try_from(parts).ok());
    parts.ok_or_else(|| "write a number such as `2.5`, with at most three digits behind the point".to_owned())
}

/// Reads `5 Mbit`, `1.5 Gbit/s`, `56 kbps`, as bits per second, multiples being of 1000; 0 for `unlimited`.
///
/// # Errors
/// What to write instead.
pub fn bandwidth(text: &str) -> Result<u64, String> {
    const ADVICE: &str = "write bits per second, such as `5 Mbit` or `1 Gbit`, or `unlimited`";
    let text = text.trim();
    if text == "unlimited" {
        return Ok(0);
    }
    if text.starts_with('-') {
        return Err("a bandwidth cannot be negative".to_owned());
    }
    if text.contains('B') {
        return Err("write it in bits: 1 MB/s is `8 Mbit`".to_owned());
    }
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = (&text[..split], text[split..].trim().to_ascii_lowercase());
    let unit =
        unit.strip_suffix("/s").or_else(|| unit.strip_suffix("ps").filter(|u| u.ends_with('b'))).unwrap_or(&unit);
    let places = match unit.strip_suffix("bit").or_else(|| unit.strip_suffix('b')).unwrap_or("?") {
        "" => 0,
        "k" => 3,
        "m" => 6,
        "g" => 9,
        "t" => 12,
        _ => return Err(ADVICE.to_owned()),
    };
    match decimal(number, places) {
        None => Err(ADVICE.to_owned()),
        Some(0) => Err("a bandwidth of nothing carries nothing: write `cut: true`, or `unlimited`".to_owned()),
        Some(bits) => Ok(bits),
    }
}

/// Writes a bandwidth so that [`bandwidth`] reads the same one.
pub fn show_bandwidth(bits: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(1_000_000_000_000, "T"), (1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    match UNITS.iter().find(|(unit, _)| bits.is_multiple_of(*unit)) {
        _ if bits == 0 => "unlimited".to_owned(),
        Some((unit, name)) => format!("{}{name}bit", bits / unit),
        None => format!("{bits}bit"),
    }
}

/// Reads an RFC 3339 time, `2027-01-01T00:00:00Z`, as nanoseconds since 1970.
///
/// # Errors
/// What to write instead.
pub fn time(text: &str) -> Result<Nanos, String> {
    let parsed: Timestamp =
        text.trim().parse().map_err(|_| "write a time such as `2027-01-01T00:00:00Z`".to_owned())?;
    u64::try_from(parsed.as_nanosecond())
        .ok()
        .filter(|ns| *ns <= u64::MAX / 2)
        .ok_or_else(|| "a world's clock begins between 1970 and 2262".to_owned())
}

/// Writes a time so that [`time`] reads the same one.
pub fn show_time(ns: Nanos) -> String {
    Timestamp::from_nanosecond(i128::from(ns)).map_or_else(|_| ns.to_string(), |t| t.to_string())
}

/// Reads a yes or no.
///
/// # Errors
/// What to write instead.
pub fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "true" | "yes" | "on" => Ok(true),
        "false" | "no" | "off" => Ok(false),
        _ => Err("write `true` or `false`".to_owned()),
    }
}

/// Reads `SIGTERM`, `TERM`, `15`, `SIGRTMIN+3`.
///
/// # Errors
/// What to write instead.
pub fn signal(text: &str) -> Result<u8, String> {
    const ADVICE: &str = "write a signal's name or number, such as `SIGTERM` or `15`";
    if let Ok(number) = text.parse::<u8>() {
        return if (1..=64).contains(&number) { Ok(number) } else { Err(ADVICE.to_owned()) };
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    if let Some(rest) = name.strip_prefix("RTMIN") {
        let offset = if rest.is_empty() { Some(0) } else { rest.strip_prefix('+').and_then(|n| n.parse::<u8>().ok()) };
        return offset.filter(|n| *n <= 30).map(|n| 34 + n).ok_or_else(|| ADVICE.to_owned());
    }
    names::number(name).ok_or_else(|| ADVICE.to_owned())
}

/// The name of a signal, `SIGTERM`, or its number where it has none.
pub fn signal_name(number: u8) -> String {
    names::name(u32::from(number)).map_or_else(|| number.to_string(), |name| format!("SIG{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, want) in [
            ("100 ms", 100_000_000),
            ("1m30s", 90_000_000_000),
            ("60s", 60_000_000_000),
            ("0", 0),
            ("500ns", 500),
            ("1.5s", 1_500_000_000),
            ("2 days", 172_800_000_000_000),
            ("10us", 10_000),
        ] {
            assert_eq!(duration(text), Ok(want), "{text}");
        }
        for text in ["", "5", "-1s", "1 parsec", "s", "1e9s", "9999999999999h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_shown_so_that_they_are_read_again() {
        for (ns, text) in [
            (0, "0s"),
            (500, "500ns"),
            (1_050, "1.05us"),
            (300_000_000, "300ms"),
            (18_358_788_340, "18.35878834s"),
            (90_000_000_000, "90s"),
            (120_000_000_000, "2m"),
            (u64::MAX / 2, "9223372036.854775807s"),
        ] {
            assert_eq!(show_duration(ns), text);
            assert_eq!(duration(text), Ok(ns), "{text}");
        }
    }

    #[test]
    fn sizes_are_read_as_compose_reads_them() {
        for (text, want) in [("64M", 64 << 20), ("1.5 GiB", 3 << 29), ("512kb", 512 << 10), ("4096", 4096), ("0", 0)] {
            assert_eq!(size(text), Ok(want), "{text}");
        }
        for text in ["", "M", "1.2.3M", "-1", "5 bananas", "99999999999T", "1.M.", "."] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn chances_are_shares_with_or_without_a_percent_sign() {
        for (text, want) in [
            ("1 %", 10_000_000),
            ("0.01%", 100_000),
            ("100%", 1_000_000_000),
            ("0.25", 250_000_000),
            ("1", 1_000_000_000),
            ("0", 0),
        ] {
            assert_eq!(chance(text), Ok(Chance(want)), "{text}");
        }
        assert!(chance("2").unwrap_err().contains("did you mean `2 %`?"));
        for text in ["", "%", "-1%", "101%", "1.5", "5000", "often", "1e-3", "1.", ".5", "0.0000000001"] {
            assert!(chance(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bandwidths_are_bits_per_second() {
        for (text, want) in [
            ("5 Mbit", 5_000_000),
            ("1.5Gbit/s", 1_500_000_000),
            ("56 kbps", 56_000),
            ("9600 bit", 9600),
            ("unlimited", 0),
        ] {
            assert_eq!(bandwidth(text), Ok(want), "{text}");
        }
        for text in ["", "5", "5 MB/s", "-5 Mbit", "0 Mbit", "5 bananas", "5 ps", "1.2345 kbit", "99999999999 Tbit"] {
            assert!(bandwidth(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_shown_reads_back() {
        for parts in [0, 1, 10, 1_234_567, 10_000_000, 123_456_789, 1_000_000_000] {
            assert_eq!(chance(&show_chance(Chance(parts))), Ok(Chance(parts)));
        }
        for bits in [0, 1, 999, 1_000, 1_500, 5_000_000, 10_000_000_000, 12_345_678_901] {
            assert_eq!(bandwidth(&show_bandwidth(bits)), Ok(bits));
        }
        for ns in [0, 1, 999, 1_000, 60_000_000_000, 90_000_000_000, 86_400_000_000_000, 1_234_567_891] {
            assert_eq!(duration(&show_duration(ns)), Ok(ns));
            assert_eq!(time(&show_time(ns)), Ok(ns));
        }
        for bytes in [0, 1, 1000, 1024, 4 << 30, (4 << 30) + 1] {
            assert_eq!(size(&show_size(bytes)), Ok(bytes));
        }
        for number in 1..=64 {
            assert_eq!(signal(&signal_name(number)), Ok(number));
        }
    }

    #[test]
    fn signals_have_names_and_numbers() {
        assert_eq!(signal("SIGTERM"), Ok(15));
        assert_eq!(signal("usr1"), Ok(10));
        assert_eq!(signal("SIGRTMIN+3"), Ok(37));
        assert!(signal("SIGNOPE").is_err());
        assert!(signal("0").is_err());
    }
}
