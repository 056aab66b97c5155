//! How often something fails, how sure that is, and how many runs it takes to say that it does no more.

use statrs::function::beta::inv_beta_reg;

/// The confidence that is meant when nothing else is said.
pub const CONFIDENCE: f64 = 0.95;

/// An interval of a rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lowest rate that what was seen does not speak against.
    pub low: f64,
    /// The highest.
    pub high: f64,
}

/// The exact interval of a rate of which `hits` in `runs` were seen (Clopper and Pearson, Biometrika 26, 1934). It is never
/// narrower than its confidence says, also where little was seen: that is what a retest builds on.
pub fn interval(hits: u64, runs: u64, confidence: f64) -> Interval {
    if runs == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let hits = hits.min(runs);
    let tail = (1.0 - confidence) / 2.0;
    let (k, n) = (hits as f64, runs as f64);
    let low = if hits == 0 { 0.0 } else { inv_beta_reg(k, n - k + 1.0, tail) };
    let high = if hits == runs { 1.0 } else { inv_beta_reg(k + 1.0, n - k, 1.0 - tail) };
    Interval { low, high }
}

/// How many runs without a failure it takes to say with this confidence that something with at least this rate is gone:
/// the least n with (1 - rate)^n <= 1 - confidence. `None` when the rate gives no number.
pub fn runs_to_say_gone(rate: f64, confidence: f64) -> Option<u64> {
    if !(rate > 0.0 && confidence > 0.0 && confidence < 1.0) {
        return None;
    }
    if rate >= 1.0 {
        return Some(1);
    }
    let runs = ((1.0 - confidence).ln() / (-rate).ln_1p()).ceil();
    (runs.is_finite() && runs < 1e15).then_some((runs as u64).max(1))
}

/// The confidence with which so many runs without a failure say that something with at least this rate is gone.
pub fn confidence_of(rate: f64, runs: u64) -> f64 {
    -(runs as f64 * (-rate.clamp(0.0, 1.0)).ln_1p()).exp_m1()
}

/// A rate as people say it: `1 in 46 seeds (95 %: 1 in 31 to 1 in 70)`.
pub fn one_in(hits: u64, runs: u64) -> String {
    let found = interval(hits, runs, CONFIDENCE);
    if hits == 0 {
        return format!("none of {runs} seeds (95 %: at most {})", part(found.high));
    }
    let rate = hits as f64 / runs as f64;
    if rate > 0.5 {
        return format!("{hits} of {runs} seeds (95 %: {} to {})", percent(found.low), percent(found.high));
    }
    format!("{} seeds (95 %: {} to {})", part(rate), part(found.high), part(found.low))
}

/// A rate of seeds, by itself: `1 in 46`, or `70 % of`.
pub fn share(rate: f64) -> String {
    if rate > 0.5 { format!("{} of", percent(rate)) } else { part(rate) }
}

fn percent(rate: f64) -> String {
    format!("{:.0} %", rate * 100.0)
}

/// `1 in N`.
fn part(rate: f64) -> String {
    let n = 1.0 / rate;
    if n < 9.95 { format!("1 in {n:.1}").replace(".0", "") } else { format!("1 in {n:.0}") }
}

/// The middle of some numbers; of the two middle ones, the lower.
pub fn median(numbers: &mut [u64]) -> Option<u64> {
    numbers.sort_unstable();
    numbers.get(numbers.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn near(found: Interval, low: f64, high: f64) {
        assert!((found.low - low).abs() < 5e-5 && (found.high - high).abs() < 5e-5, "{found:?}, not {low}..{high}");
    }

    /// Values of R's `binom.test(k, n)`.
    #[test]
    fn the_interval_is_the_one_of_the_tables() {
        near(interval(0, 20, 0.95), 0.0, 0.168_43);
        near(interval(1, 100, 0.95), 0.000_253_1, 0.054_459);
        near(interval(10, 100, 0.95), 0.049_005, 0.176_22);
        near(interval(50, 100, 0.95), 0.398_32, 0.601_68);
        near(interval(20, 20, 0.95), 0.831_57, 1.0);
        near(interval(3, 0, 0.95), 0.0, 1.0);
    }

    #[test]
    fn gone_takes_the_rule_of_three() {
        assert_eq!(runs_to_say_gone(0.01, 0.95), Some(299));
        assert_eq!(runs_to_say_gone(1.0 / 70.0, 0.95), Some(209));
        assert_eq!(runs_to_say_gone(0.5, 0.95), Some(5));
        assert_eq!(runs_to_say_gone(1.0, 0.95), Some(1));
        assert_eq!(runs_to_say_gone(0.0, 0.95), None);
        assert_eq!(runs_to_say_gone(f64::NAN, 0.95), None);
        assert!((confidence_of(0.01, 299) - 0.95).abs() < 0.001);
    }

    #[test]
    fn a_rate_is_said_as_people_say_it() {
        assert_eq!(one_in(100, 4600), "1 in 46 seeds (95 %: 1 in 38 to 1 in 56)");
        assert_eq!(one_in(1, 3), "1 in 3 seeds (95 %: 1 in 1.1 to 1 in 119)");
        assert_eq!(one_in(9, 10), "9 of 10 seeds (95 %: 55 % to 100 %)");
        assert_eq!(one_in(0, 300), "none of 300 seeds (95 %: at most 1 in 82)");
        assert_eq!((share(0.0213), share(0.7016)), ("1 in 47".into(), "70 % of".into()));
    }

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(&mut [5, 1, 9]), Some(5));
        assert_eq!(median(&mut [4, 1, 9, 2]), Some(2));
        assert_eq!(median(&mut []), None);
    }

    proptest! {
        #[test]
        fn an_interval_holds_what_was_seen(hits in 0u64..2000, more in 0u64..20_000) {
            let runs = hits + more;
            let found = interval(hits, runs, 0.95);
            prop_assert!((0.0..=1.0).contains(&found.low) && (0.0..=1.0).contains(&found.high));
            if runs > 0 {
                let rate = hits as f64 / runs as f64;
                prop_assert!(found.low <= rate && rate <= found.high, "{:?}", found);
            }
        }

        #[test]
        fn so_many_runs_and_no_fewer_say_gone(rate in 1e-6f64..0.99, confidence in 0.5f64..0.999) {
            let runs = runs_to_say_gone(rate, confidence).unwrap();
            prop_assert!(confidence_of(rate, runs) >= confidence - 1e-9);
            prop_assert!(runs == 1 || confidence_of(rate, runs - 1) < confidence + 1e-9);
        }
    }
}
