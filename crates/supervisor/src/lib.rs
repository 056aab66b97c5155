//! Starts a world, drains its trace, watches it, ends it.
//!
//! | Module | Content |
//! |---|---|
//! | [`world`] | one world from start to end |
//! | [`arena`] | the memory shared with the layer |
//! | [`seat`] | which core it runs on |
//!
//! This is the process that a user sees; it never runs a guest's code.

pub mod arena;
pub mod seat;
pub mod world;

pub use world::{Ended, Failure, Hooks, run};

/// The layer's image.
pub static LAYER: &[u8] = include_bytes!(env!("SNOWGLOBE_LAYER"));

#[cfg(test)]
mod tests {
    use snowglobe_abi::filter::{ALLOW, TRAP, X86_64, program, verdict};
    use snowglobe_abi::map::LAYER_BASE;

    fn number<const N: usize>(at: usize) -> [u8; N] {
        super::LAYER[at..at + N].try_into().expect("the image holds it")
    }

    /// Where the image's executable segments begin and end.
    fn text() -> Vec<(u64, u64)> {
        let headers = u64::from_le_bytes(number(32)) as usize;
        let (size, count) = (u16::from_le_bytes(number(54)), u16::from_le_bytes(number(56)));
        let each = (0..usize::from(count)).map(|i| headers + i * usize::from(size));
        let (load, executable) = (1, 1);
        each.filter(|at| {
            u32::from_le_bytes(number(*at)) == load && u32::from_le_bytes(number(at + 4)) & executable != 0
        })
        .map(|at| {
            let begin = u64::from_le_bytes(number(at + 16));
            (begin, begin + u64::from_le_bytes(number(at + 40)))
        })
        .collect()
    }

    #[test]
    fn the_filter_lets_calls_through_from_the_text_of_this_image_alone() {
        let text = text();
        let &[(begin, end)] = text.as_slice() else { panic!("one executable segment: {text:x?}") };
        assert_eq!(begin, LAYER_BASE);
        let filter = program(end);
        for nr in (0..=1024).chain([0x4000_0000, 0x4000_0027, u32::MAX]) {
            let at = |addr| verdict(&filter, nr, X86_64, addr);
            assert_eq!([at(begin), at(end - 1)], [Some(ALLOW); 2], "{nr:#x}");
            assert_eq!(
                [at(begin - 1), at(end), at(end + 4096), at(0x40_0000), at(u64::MAX)],
                [Some(TRAP); 5],
                "{nr:#x}"
            );
        }
    }
}
