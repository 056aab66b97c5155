//! A world's plan of faults as a person reads it: in the words of world files.

use snowglobe_abi::fault::FaultPlan;
use snowglobe_abi::spec::WorldSpec;
use snowglobe_world::faults::{Scope, show};

/// What goes wrong in a world, a line for each fault, then how threads take turns and when it is quiet; none where nothing is wrong.
pub fn lines(world: &WorldSpec) -> Vec<String> {
    let scope = Scope::of(world, |_| None);
    let mut out: Vec<String> = show::timeline(&world.faults, &scope).lines().map(str::to_owned).collect();
    let rest = FaultPlan { timeline: Vec::new(), ..world.faults.clone() };
    out.extend(show::plan(&rest, &scope).map(|tree| tree.line()));
    out
}
