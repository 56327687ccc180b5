//! Finds many strings in one pass (Aho and Corasick, 1975), passing over line ends.
//!
//! Our own because two things are asked of it that libraries do not give: to look through line ends, and to say how much
//! of a string may have begun. Shallow states, where text that holds no secret stays, have a whole row of
//! successors; the deep ones, of which there are as many as secrets have letters, only the one or two they have, and
//! where to go otherwise.

pub const ROOT: u32 = 0;
/// States of this depth and below have a row.
const ROW_DEPTH: u32 = 2;

pub struct Automaton {
    /// Of each byte; bytes in none of the strings share class 0.
    classes: [u8; 256],
    width: usize,
    /// The states that have a row come first, in rows of `width`.
    rows: Vec<u32>,
    /// Of the others, in order.
    deep: Vec<Deep>,
    edges: Vec<(u8, u32)>,
    /// Of every state, how long the longest string is that ends there; 0: none does.
    ends: Vec<u16>,
    depths: Vec<u16>,
}

struct Deep {
    edges: u32,
    count: u16,
    fail: u32,
}

struct Node {
    edges: Vec<(u8, u32)>,
    fail: u32,
    depth: u32,
    end: u32,
}

impl Automaton {
    /// Line ends in the strings do not count; at least one string has something else.
    pub fn new(strings: &[Vec<u8>]) -> Self {
        let (classes, width) = classes(strings);
        let nodes = linked(tree(strings, &classes));
        let rows_of = nodes.iter().take_while(|n| n.depth <= ROW_DEPTH).count();
        let mut rows: Vec<u32> = Vec::with_capacity(rows_of * width);
        for node in &nodes[..rows_of] {
            let from = rows.len();
            let fail = node.fail as usize * width;
            match node.depth {
                0 => rows.extend(std::iter::repeat_n(ROOT, width)),
                // Shallower, so its row is there.
                _ => rows.extend_from_within(fail..fail + width),
            }
            for (class, next) in &node.edges {
                rows[from + usize::from(*class)] = *next;
            }
        }
        let (mut deep, mut edges) = (Vec::new(), Vec::new());
        for node in &nodes[rows_of..] {
            deep.push(Deep { edges: edges.len() as u32, count: node.edges.len() as u16, fail: node.fail });
            edges.extend_from_slice(&node.edges);
        }
        let short = |n: u32| u16::try_from(n).unwrap_or(u16::MAX);
        let ends = nodes.iter().map(|n| short(n.end)).collect();
        let depths = nodes.iter().map(|n| short(n.depth)).collect();
        Self { classes, width, rows, deep, edges, ends, depths }
    }

    pub fn weight(&self) -> usize {
        size_of_val(&*self.rows)
            + size_of_val(&*self.deep)
            + size_of_val(&*self.edges)
            + size_of_val(&*self.ends)
            + size_of_val(&*self.depths)
    }

    /// Tells where strings end, and the length of the longest that does. Returns the state, and how many of the last
    /// bytes (line ends not counted) may be the beginning of one.
    pub fn run(&self, from: u32, bytes: &[u8], mut found: impl FnMut(usize, usize)) -> (u32, usize) {
        let mut state = from;
        let shallow = (self.rows.len() / self.width) as u32;
        for (at, byte) in bytes.iter().enumerate() {
            if super::is_line_end(*byte) {
                continue;
            }
            let class = self.classes[usize::from(*byte)];
            state = if state < shallow {
                self.rows[state as usize * self.width + usize::from(class)]
            } else {
                self.step(state, class, shallow)
            };
            let end = self.ends[state as usize];
            if end != 0 {
                found(at + 1, usize::from(end));
            }
        }
        (state, usize::from(self.depths[state as usize]))
    }

    fn step(&self, mut state: u32, class: u8, shallow: u32) -> u32 {
        while state >= shallow {
            let deep = &self.deep[(state - shallow) as usize];
            let edges = &self.edges[deep.edges as usize..][..usize::from(deep.count)];
            if let Some((_, next)) = edges.iter().find(|(c, _)| *c == class) {
                return *next;
            }
            state = deep.fail;
        }
        self.rows[state as usize * self.width + usize::from(class)]
    }
}

fn letters(string: &[u8]) -> impl Iterator<Item = u8> {
    string.iter().copied().filter(|b| !super::is_line_end(*b))
}

fn classes(strings: &[Vec<u8>]) -> ([u8; 256], usize) {
    let mut classes = [0; 256];
    let mut width = 1;
    for byte in strings.iter().flat_map(|s| letters(s)) {
        let class = &mut classes[usize::from(byte)];
        // Line ends have no class, so there are at most 254 and the one of all others.
        if *class == 0 {
            *class = width as u8;
            width += 1;
        }
    }
    (classes, width)
}

fn tree(strings: &[Vec<u8>], classes: &[u8; 256]) -> Vec<Node> {
    let node = |depth| Node { edges: Vec::new(), fail: ROOT, depth, end: 0 };
    let mut nodes = vec![node(0)];
    for string in strings {
        let mut at = 0;
        for byte in letters(string) {
            let class = classes[usize::from(byte)];
            at = match nodes[at].edges.iter().find(|(c, _)| *c == class) {
                Some((_, next)) => *next as usize,
                None => {
                    let (next, depth) = (nodes.len(), nodes[at].depth + 1);
                    nodes[at].edges.push((class, next as u32));
                    nodes.push(node(depth));
                    next
                }
            };
        }
        nodes[at].end = nodes[at].depth;
    }
    nodes
}

/// In order of depth, each with the state of its longest proper end that begins a string.
fn linked(tree: Vec<Node>) -> Vec<Node> {
    let mut order = vec![0];
    let mut seen = 0;
    while seen < order.len() {
        let children: Vec<usize> = tree[order[seen]].edges.iter().map(|(_, next)| *next as usize).collect();
        order.extend(children);
        seen += 1;
    }
    let mut place = vec![0; tree.len()];
    order.iter().enumerate().for_each(|(new, old)| place[*old] = new as u32);
    let mut sorted: Vec<Option<Node>> = tree.into_iter().map(Some).collect();
    let mut nodes: Vec<Node> = order.iter().filter_map(|old| sorted[*old].take()).collect();
    nodes.iter_mut().flat_map(|n| &mut n.edges).for_each(|(_, next)| *next = place[*next as usize]);
    for at in 0..nodes.len() {
        for (class, next) in nodes[at].edges.clone() {
            let fail = if at == 0 { ROOT } else { follow(&nodes, nodes[at].fail, class) };
            let inherited = nodes[fail as usize].end;
            let child = &mut nodes[next as usize];
            child.fail = fail;
            if child.end == 0 {
                child.end = inherited;
            }
        }
    }
    nodes
}

fn follow(nodes: &[Node], mut state: u32, class: u8) -> u32 {
    loop {
        let node = &nodes[state as usize];
        match node.edges.iter().find(|(c, _)| *c == class) {
            Some((_, next)) => return *next,
            None if state == ROOT => return ROOT,
            None => state = node.fail,
        }
    }
}
