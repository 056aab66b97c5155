//! Yield points: how loops that spin are learned, and when those in code that programs make are put in place.
//!
//! A file's code is the same in every run of a program, so that a point in it is its offset there. Code that a program makes (a
//! just-in-time compiler's) is at its address from some moment on. A run that begins with the same inputs goes the
//! same way up to that moment: the point is a moment, an address and the bytes that are there.

use crate::machine::Machine;
use crate::mm::Source;
use crate::{Kernel, mem};
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use snowglobe_abi::spec::{Moment, YieldPoint};

/// The points in code that programs make, the next first.
pub struct Made {
    points: VecDeque<(Moment, u64)>,
    /// Entries to the layer that were no calls.
    others: u64,
    /// At which call the next point's moment has come.
    pub at_call: u64,
}

impl Made {
    /// Points of earlier runs: moments and addresses.
    pub fn new(mut points: Vec<(Moment, u64)>) -> Made {
        points.sort();
        let mut made = Made { points: points.into(), others: 0, at_call: 0 };
        made.look_ahead();
        made
    }

    fn look_ahead(&mut self) {
        self.at_call = self.points.front().map_or(u64::MAX, |(moment, _)| moment.entries.saturating_sub(self.others));
    }

    /// The layer has been entered, not by a call.
    pub fn entered(&mut self) {
        self.others += 1;
        self.look_ahead();
    }

    /// The next point of this moment and task; those whose moment has passed are dropped.
    fn take(&mut self, entries: u64, task: u32) -> Option<(Moment, u64)> {
        while self.points.front().is_some_and(|(moment, _)| moment.entries < entries) {
            self.points.pop_front();
        }
        let is_due = |(moment, _): &(Moment, u64)| moment.entries == entries && moment.task == task;
        let place = self.points.iter().take_while(|(moment, _)| moment.entries == entries).position(is_due);
        let point = place.and_then(|i| self.points.remove(i));
        self.look_ahead();
        point
    }
}

impl Kernel {
    /// The layer has been entered, not by a call.
    pub fn note_entry(&mut self) {
        self.made.entered();
    }

    /// The current task goes back to its program: what was learned of code that it has now made becomes true.
    pub(crate) fn apply_made(&mut self, m: &mut dyn Machine) {
        let entries = self.calls + self.made.others;
        while let Some((moment, at)) = self.made.take(entries, self.current.0) {
            let mut code = moment.code.clone();
            // Other code than that which was learned from is none of ours.
            if m.read(at, &mut code).is_ok() && code == moment.code {
                m.yield_point_made(at);
            }
        }
    }

    /// A loop of the current task never calls: its branch, whose bytes are given, becomes a yield point, and the world is to be run
    /// again with it. Returns false for what is a yield point already.
    pub fn learn(&mut self, at: u64, code: &[u8]) -> bool {
        let Some((start, vma)) = self.space_of(self.current).find(at) else { return false };
        let point = match &vma.source {
            Source::File { offset, path, .. } if !vma.shared => {
                YieldPoint { file: mem::text(path), offset: offset + (at - start), made: None }
            }
            _ => {
                let entries = self.calls + self.made.others;
                let moment = Moment { entries, task: self.current.0, code: code.to_vec() };
                YieldPoint { file: String::new(), offset: at, made: Some(moment) }
            }
        };
        let known = |p: &YieldPoint| match &point.made {
            None => *p == point,
            // At the same place with the same bytes it was put in place, or could not be.
            Some(_) => p.offset == point.offset && p.made.as_ref().is_some_and(|made| made.code == code),
        };
        if self.spec.yield_points.iter().any(known) {
            return false;
        }
        self.report.learned.push(point);
        self.stop_asked = true;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(entries: u64, task: u32, at: u64) -> (Moment, u64) {
        (Moment { entries, task, code: Vec::new() }, at)
    }

    #[test]
    fn a_point_is_given_at_its_moment_to_its_task_alone() {
        let mut made = Made::new(alloc::vec![point(20, 1, 4), point(10, 2, 3), point(10, 1, 2), point(5, 1, 1)]);
        assert_eq!(made.at_call, 5);
        // The first one's moment passes without its task.
        assert_eq!(made.take(10, 2), Some(point(10, 2, 3)));
        assert_eq!(made.take(10, 3), None);
        assert_eq!(made.take(10, 1), Some(point(10, 1, 2)));
        assert_eq!(made.take(10, 1), None);
        assert_eq!(made.at_call, 20);
        made.entered();
        assert_eq!(made.at_call, 19);
        assert_eq!(made.take(21, 1), None);
        assert_eq!(made.at_call, u64::MAX);
    }
}
