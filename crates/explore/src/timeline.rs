//! A world's plan of faults as a person reads it: in the words of its world file.

use snowglobe_abi::spec::WorldSpec;
use snowglobe_world::resolved;

/// The lines of what goes wrong in a world; none where nothing does.
pub fn lines(world: &WorldSpec) -> Vec<String> {
    let text = resolved::to_yaml(world);
    let section = text.lines().skip_while(|line| *line != "faults:").skip(1);
    section.take_while(|line| line.starts_with([' ', '-'])).map(str::to_owned).collect()
}
