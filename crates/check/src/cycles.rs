//! Cycles among transactions, by their names (Adya's, as Elle has them).
//!
//! | Name | A cycle of |
//! |---|---|
//! | G0 | writes after writes |
//! | G1c | those, and reads of what was written |
//! | G-single | those, and one write after a read that did not see it |
//! | G-nonadjacent | those, and more of such, never two in a row |
//! | G2 | any of these |
//!
//! With `-realtime` behind the name, the cycle needs the order of time too.

use std::collections::VecDeque;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;

/// Why one came before the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The other wrote the next version.
    Ww,
    /// The other read what it wrote.
    Wr,
    /// The other wrote the next version of what it read.
    Rw,
    /// The other began after it had ended.
    Time,
}

impl Why {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Why::Ww => "ww",
            Why::Wr => "wr",
            Why::Rw => "rw",
            Why::Time => "realtime",
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

const WW: u8 = 1;
const WR: u8 = 2;
const RW: u8 = 4;
const TIME: u8 = 8;

/// An edge, with the key and the value that it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Who came later.
    pub to: u32,
    /// Why.
    pub why: Why,
    /// Of which key.
    pub key: u32,
    /// By which value.
    pub value: u32,
}

/// Who came before whom.
pub struct Graph {
    edges: Vec<Vec<Edge>>,
}

/// A cycle with a name.
pub struct Cycle {
    /// Its name.
    pub name: &'static str,
    /// Each one and the edge that leads on.
    pub edges: Vec<(u32, Edge)>,
}

impl Graph {
    /// Without edges.
    pub fn new(nodes: usize) -> Graph {
        Graph { edges: vec![Vec::new(); nodes] }
    }

    /// Adds an edge. Nobody comes before himself.
    pub fn add(&mut self, from: u32, edge: Edge) {
        if from != edge.to && !self.edges[from as usize].iter().any(|e| e.to == edge.to && e.why == edge.why) {
            self.edges[from as usize].push(edge);
        }
    }

    /// For each node which strongly connected part it is in, by edges of these kinds; 0 when it is alone.
    fn parts(&self, kinds: u8) -> Vec<u32> {
        let mut graph = DiGraph::<(), (), u32>::with_capacity(self.edges.len(), 0);
        for _ in &self.edges {
            graph.add_node(());
        }
        for (from, edges) in self.edges.iter().enumerate() {
            for edge in edges.iter().filter(|edge| edge.why.bit() & kinds != 0) {
                graph.add_edge((from as u32).into(), edge.to.into(), ());
            }
        }
        let mut part = vec![0; self.edges.len()];
        for (number, nodes) in kosaraju_scc(&graph).into_iter().filter(|nodes| nodes.len() > 1).enumerate() {
            for node in nodes {
                part[node.index()] = number as u32 + 1;
            }
        }
        part
    }
}

/// What a way from the end of an edge back to its beginning may be made of.
#[derive(Clone, Copy)]
struct Way {
    /// Kinds of edges.
    kinds: u8,
    /// No two reads' edges in a row, the first one counted.
    apart: bool,
    /// It needs an edge of time.
    needs_time: bool,
}

/// The forbidden cycles: names, the edge that each has, the way back, and the same with time.
const CLASSES: [(&str, &str, u8, u8, bool); 5] = [
    ("G0", "G0-realtime", WW, WW, false),
    ("G1c", "G1c-realtime", WR, WW | WR, false),
    ("G-single", "G-single-realtime", RW, WW | WR, false),
    ("G-nonadjacent", "G-nonadjacent-realtime", RW, WW | WR | RW, true),
    ("G2", "G2-realtime", RW, WW | WR | RW, false),
];

/// The shortest cycle of each name, with at most so many steps of search. What has another name by fewer kinds of edges is not
/// told again as one of more.
pub fn anomalies(graph: &Graph, steps: u64, cut: &mut bool) -> Vec<Cycle> {
    let mut left = steps;
    let mut out: Vec<Cycle> = Vec::new();
    for time in [false, true] {
        let extra = if time { TIME } else { 0 };
        for (plain, timed, first, kinds, apart) in CLASSES {
            // What needs two such edges is more than what needs one: it is told only when there is none of those.
            if matches!(plain, "G-nonadjacent" | "G2") && out.iter().any(|c| is_less(c.name, plain)) {
                continue;
            }
            let part = graph.parts(kinds | first | extra);
            if part.iter().all(|part| *part == 0) {
                continue;
            }
            let way = Way { kinds: kinds | extra, apart, needs_time: time };
            let name = if time { timed } else { plain };
            if let Some(edges) = shortest(graph, &part, first, way, &mut left) {
                out.push(Cycle { name, edges });
            }
            if left == 0 {
                *cut = true;
                return out;
            }
        }
    }
    out
}

/// Whether a cycle of one name makes one of the other no news.
fn is_less(found: &str, name: &str) -> bool {
    let plain = found.trim_end_matches("-realtime");
    plain == "G-single" || plain == "G-nonadjacent" && name == "G2" || plain == name
}

/// The shortest cycle that has an edge of kind `first` and the way back.
fn shortest(graph: &Graph, part: &[u32], first: u8, way: Way, left: &mut u64) -> Option<Vec<(u32, Edge)>> {
    let mut best: Option<Vec<(u32, Edge)>> = None;
    let mut search = Search::new(graph.edges.len());
    for (from, edges) in graph.edges.iter().enumerate() {
        for edge in edges {
            let same = part[from] != 0 && part[from] == part[edge.to as usize];
            if !same || edge.why.bit() & first == 0 {
                continue;
            }
            let most = best.as_ref().map_or(usize::MAX, Vec::len);
            if let Some(back) = search.back(graph, part, edge.to, from as u32, way, most, left) {
                let mut cycle = vec![(from as u32, *edge)];
                cycle.extend(back);
                best = Some(cycle);
            }
            if *left == 0 || best.as_ref().is_some_and(|best| best.len() == 2) {
                return best;
            }
        }
    }
    best
}

/// A search in breadth. A place is a node, whether the last edge was a read's, and whether time was used.
struct Search {
    /// By place: in which search it was reached, from where, and by which edge.
    reached: Vec<(u32, u32, Option<Edge>)>,
    number: u32,
}

impl Search {
    fn new(nodes: usize) -> Search {
        Search { reached: vec![(0, 0, None); nodes * 4], number: 0 }
    }

    #[allow(clippy::too_many_arguments, reason = "what a search is about, and nothing else")]
    fn back(
        &mut self,
        graph: &Graph,
        part: &[u32],
        from: u32,
        to: u32,
        way: Way,
        most: usize,
        left: &mut u64,
    ) -> Option<Vec<(u32, Edge)>> {
        self.number += 1;
        let begin = from * 4 + u32::from(way.apart);
        self.reached[begin as usize] = (self.number, begin, None);
        let mut queue = VecDeque::from([(begin, 1_usize)]);
        while let Some((place, length)) = queue.pop_front() {
            let (node, was_read, timed) = (place / 4, place & 1, place & 2);
            // The first edge of the cycle is a read's, and so may the last not be.
            if node == to && !(way.apart && was_read != 0) && !(way.needs_time && timed == 0) {
                return Some(self.path(place));
            }
            if length + 1 >= most {
                continue;
            }
            for edge in &graph.edges[node as usize] {
                let bit = edge.why.bit();
                let is_read = u32::from(way.apart && bit == RW);
                if bit & way.kinds == 0 || part[edge.to as usize] != part[to as usize] || is_read & was_read != 0 {
                    continue;
                }
                *left = left.saturating_sub(1);
                let time = if bit == TIME && way.needs_time { 2 } else { timed };
                let next = edge.to * 4 + is_read + time;
                if self.reached[next as usize].0 != self.number {
                    self.reached[next as usize] = (self.number, place, Some(*edge));
                    queue.push_back((next, length + 1));
                }
            }
            if *left == 0 {
                return None;
            }
        }
        None
    }

    fn path(&self, mut place: u32) -> Vec<(u32, Edge)> {
        let mut out = Vec::new();
        while let (_, before, Some(edge)) = self.reached[place as usize] {
            out.push((before / 4, edge));
            place = before;
        }
        out.reverse();
        out
    }
}
