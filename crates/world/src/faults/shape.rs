//! Shapes of partitions that the seed fills with hosts.

use snowglobe_kernel::rng::Rng;

use crate::problem::suggestion;

/// How hosts are parted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One from all others.
    One,
    /// In two halves.
    Halves,
    /// A majority of random size, and the rest.
    Majority,
    /// Each hears a majority, and no two the same one (Jepsen's `majorities-ring`).
    Ring,
}

/// Reads a shape.
///
/// # Errors
/// What to write instead.
pub fn read(text: &str) -> Result<Shape, String> {
    match text {
        "one" => Ok(Shape::One),
        "halves" => Ok(Shape::Halves),
        "majority" => Ok(Shape::Majority),
        "ring" => Ok(Shape::Ring),
        _ => Err(format!(
            "{}; or write groups of hosts, `[[n1], [n2, n3]]`",
            suggestion(text, ["one", "halves", "majority", "ring"])
        )),
    }
}

impl Shape {
    /// The groups of a partition of these hosts; fewer than two when there are too few hosts.
    pub fn groups(self, hosts: &[u32], rng: &mut Rng) -> Vec<Vec<u32>> {
        let mut order = hosts.to_vec();
        for i in (1..order.len()).rev() {
            order.swap(i, rng.below(i as u64 + 1) as usize);
        }
        let n = order.len();
        if n < 2 {
            return Vec::new();
        }
        let first = match self {
            Shape::One => 1,
            Shape::Halves => n / 2,
            Shape::Majority => {
                let (least, most) = (n / 2 + 1, n - 1);
                least.min(most) + rng.below((most.max(least) - least + 1) as u64) as usize
            }
            Shape::Ring => return ring(&order),
        };
        let (a, b) = order.split_at(first.min(n - 1));
        let sorted = |list: &[u32]| {
            let mut list = list.to_vec();
            list.sort_unstable();
            list
        };
        vec![sorted(a), sorted(b)]
    }
}

/// Each host hears the nearest ones on both sides of a ring, so many that they are a majority with itself. Groups are runs of
/// neighbours that all hear each other.
fn ring(order: &[u32]) -> Vec<Vec<u32>> {
    let n = order.len();
    let reach = (n / 2).div_ceil(2);
    // In a smaller ring all would hear all.
    if 2 * reach + 1 >= n {
        return Vec::new();
    }
    let group = |at: usize| {
        let mut group: Vec<u32> = (0..=reach).map(|step| order[(at + step) % n]).collect();
        group.sort_unstable();
        group
    };
    (0..n).map(group).collect()
}
