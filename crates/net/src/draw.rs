//! Draws from distributions, with whole numbers only.
//!
//! Floating point would do as well but for one thing: a guest may set the processor's rounding mode, and the layer runs with
//! what the guest has set. Whole numbers have no mode, and cost the layer no register that it would have to keep.

use crate::rng::Rng;
use snowglobe_abi::spec::{Chance, Latency};

/// One, with 32 binary places.
const ONE: u64 = 1 << 32;
/// ln 2, with 64 binary places.
const LN2: u128 = 0xb172_17f7_d1cf_79ac;
/// What no drawn time exceeds, in nanoseconds: more than two years, and far from what a sum of times can hold.
const LONGEST: u64 = 1 << 56;

/// Square roots of roots of two, `2^(1/2)`, `2^(1/4)` and so on, with 62 binary places.
const ROOTS: [u64; 32] = roots();

const fn roots() -> [u64; 32] {
    let mut out = [0; 32];
    let mut last = 2u128 << 62;
    let mut i = 0;
    while i < 32 {
        last = (last << 62).isqrt();
        out[i] = last as u64;
        i += 1;
    }
    out
}

/// `-log2(v / 2^64)` with 32 binary places; `v` is not 0.
fn log2_below_one(v: u64) -> u64 {
    let zeros = v.leading_zeros();
    // 1 <= x < 2, with 63 places; each squaring tells one place of its logarithm.
    let mut x = v << zeros;
    let mut places = 0u64;
    for _ in 0..32 {
        let square = u128::from(x) * u128::from(x);
        let two = square >> 127 != 0;
        x = (square >> if two { 64 } else { 63 }) as u64;
        places = places << 1 | u64::from(two);
    }
    (u64::from(zeros + 1) << 32) - places
}

/// `-ln(v / 2^64)` with 32 binary places; `v` is not 0.
fn ln_below_one(v: u64) -> u64 {
    ((u128::from(log2_below_one(v)) * LN2) >> 64) as u64
}

/// `2^e` with 32 binary places, for an `e` with as many; what does not fit is cut.
fn exp2(e: u64) -> u128 {
    let whole = e >> 32;
    if whole >= 64 {
        return u128::MAX >> 32;
    }
    let mut out = 1u128 << 62;
    for (i, root) in ROOTS.iter().enumerate() {
        if e << (32 + i) >> 63 != 0 {
            out = (out * u128::from(*root)) >> 62;
        }
    }
    (out << whole) >> 30
}

impl Rng {
    /// Whether a chance comes true. What is certain either way draws nothing.
    pub(crate) fn hits(&mut self, chance: Chance) -> bool {
        match chance {
            Chance::NEVER => false,
            chance if chance >= Chance::SURE => true,
            Chance(parts) => self.below(Chance::SURE.0) < parts,
        }
    }

    /// A number from 0 to `most`.
    pub(crate) fn up_to(&mut self, most: u64) -> u64 {
        ((u128::from(self.next()) * (u128::from(most) + 1)) >> 64) as u64
    }

    /// A number from the standard normal distribution, with 32 binary places (Marsaglia's polar method).
    fn normal(&mut self) -> i64 {
        loop {
            // A point in a square of side two, with 31 places, until it lies in the circle.
            let a = (self.next() as i64) >> 32;
            let b = (self.next() as i64) >> 32;
            let square = (a * a + b * b) as u64;
            // The middle itself is left out too: it would need more places than there are.
            if !(1 << 20..1 << 62).contains(&square) {
                continue;
            }
            let length = u128::from(ln_below_one(square << 2)) * 2;
            let scale = (((length << 62) / u128::from(square)) << 32).isqrt();
            return ((i128::from(a) * scale as i128) >> 31) as i64;
        }
    }

    /// A number from the exponential distribution of this mean.
    fn exponential(&mut self, mean: u64) -> u64 {
        let drawn = u128::from(ln_below_one(self.next() | 1)) * u128::from(mean);
        ((drawn >> 32) as u64).min(LONGEST)
    }

    /// How long a packet takes, in nanoseconds.
    pub(crate) fn latency(&mut self, of: Latency) -> u64 {
        match of {
            Latency::Constant(time) => time,
            Latency::Uniform { min, max } => min + self.up_to(max.saturating_sub(min)),
            Latency::Normal { mean, deviation, min } => {
                let off = (i128::from(self.normal()) * i128::from(deviation)) >> 32;
                (i128::from(mean) + off).clamp(i128::from(min), i128::from(LONGEST.max(min))) as u64
            }
            Latency::Exponential { min, mean } => min.saturating_add(self.exponential(mean.saturating_sub(min))),
            Latency::Pareto { min, shape, max } => {
                let exponent = u128::from(log2_below_one(self.next() | 1)) * 1000 / u128::from(shape.max(1));
                let factor = exp2(exponent.min(64 << 32) as u64);
                let drawn = factor.saturating_mul(u128::from(min)) / u128::from(ONE);
                (drawn.min(u128::from(LONGEST)) as u64).clamp(min, max.max(min))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use alloc::vec::Vec;
    use std::prelude::rust_2024::*;

    const MS: u64 = 1_000_000;

    /// Sorted draws, their mean and their standard deviation.
    fn sample(of: Latency) -> (Vec<u64>, f64, f64) {
        let mut rng = Rng::new(42);
        let mut draws: Vec<u64> = (0..100_000).map(|_| rng.latency(of)).collect();
        let n = draws.len() as f64;
        let mean = draws.iter().map(|&d| d as f64).sum::<f64>() / n;
        let variance = draws.iter().map(|&d| (d as f64 - mean).powi(2)).sum::<f64>() / n;
        draws.sort_unstable();
        (draws, mean, variance.sqrt())
    }

    #[track_caller]
    fn near(got: f64, want: f64, part: f64) {
        assert!((got - want).abs() <= want.abs() * part, "{got} is not near {want}");
    }

    #[test]
    fn logarithms_and_powers_agree_with_floating_point() {
        let mut rng = Rng::new(1);
        for v in (0..10_000).map(|_| rng.next()).chain([1, 2, 3, u64::MAX, 1 << 63, (1 << 63) - 1]) {
            let want = 64.0 - (v as f64).log2();
            assert!((log2_below_one(v) as f64 / ONE as f64 - want).abs() < 1e-9, "{v}");
            assert!((ln_below_one(v) as f64 / ONE as f64 - want * std::f64::consts::LN_2).abs() < 1e-8, "{v}");
            let e = v >> 27;
            let want = (e as f64 / ONE as f64).exp2();
            assert!((exp2(e) as f64 / ONE as f64 / want - 1.0).abs() < 1e-8, "{e}");
        }
    }

    #[test]
    fn a_uniform_latency_is_even_between_its_ends() {
        let (draws, mean, deviation) = sample(Latency::Uniform { min: 10 * MS, max: 30 * MS });
        assert!(draws[0] >= 10 * MS && *draws.last().unwrap() <= 30 * MS);
        near(mean, 20.0 * MS as f64, 0.005);
        near(deviation, 20.0 * MS as f64 / 12f64.sqrt(), 0.01);
    }

    #[test]
    fn a_normal_latency_has_its_mean_its_deviation_and_its_tails() {
        let (draws, mean, deviation) = sample(Latency::Normal { mean: 40 * MS, deviation: 4 * MS, min: 0 });
        near(mean, 40.0 * MS as f64, 0.001);
        near(deviation, 4.0 * MS as f64, 0.01);
        let beyond = |low: u64, high: u64| draws.iter().filter(|&&d| d < low || d > high).count() as f64;
        near(beyond(36 * MS, 44 * MS), 31_731.0, 0.03);
        near(beyond(32 * MS, 48 * MS), 4_550.0, 0.06);
        near(beyond(28 * MS, 52 * MS), 270.0, 0.3);
        let (draws, ..) = sample(Latency::Normal { mean: 2 * MS, deviation: 4 * MS, min: MS });
        assert_eq!(draws[0], MS, "the least cuts it");
    }

    #[test]
    fn an_exponential_latency_has_its_mean_and_forgets() {
        let (draws, mean, deviation) = sample(Latency::Exponential { min: 5 * MS, mean: 15 * MS });
        assert!(draws[0] >= 5 * MS);
        near(mean, 15.0 * MS as f64, 0.01);
        near(deviation, 10.0 * MS as f64, 0.02);
        let median = draws[draws.len() / 2] as f64;
        near(median, 5.0 * MS as f64 + 10.0 * MS as f64 * std::f64::consts::LN_2, 0.02);
    }

    #[test]
    fn a_pareto_latency_has_its_tail() {
        let (draws, mean, _) = sample(Latency::Pareto { min: 10 * MS, shape: 3000, max: u64::MAX });
        assert!(draws[0] >= 10 * MS);
        near(mean, 15.0 * MS as f64, 0.01);
        for part in [0.5f64, 0.9, 0.99, 0.999] {
            let at = draws[(draws.len() as f64 * part) as usize] as f64;
            near(at, 10.0 * MS as f64 * (1.0 - part).powf(-1.0 / 3.0), 0.05);
        }
        let (draws, ..) = sample(Latency::Pareto { min: 10 * MS, shape: 1, max: 70 * MS });
        assert_eq!(*draws.last().unwrap(), 70 * MS, "the longest cuts it");
    }

    #[test]
    fn chances_come_true_as_often_as_they_say() {
        let mut rng = Rng::new(3);
        let hits = (0..1_000_000).filter(|_| rng.hits(Chance(10_000_000))).count();
        near(hits as f64, 10_000.0, 0.04);
        assert!((0..1000).all(|_| rng.hits(Chance::SURE) && !rng.hits(Chance::NEVER)));
    }
}
