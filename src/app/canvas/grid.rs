//! A uniform grid over rectangles: which of them may touch a view. Pure.
//!
//! Items are kept cell by cell in one array (compressed sparse rows). A rectangle that spans many
//! cells, as a long edge does, is kept aside and always tested, so one edge across the whole flow
//! costs one test and not ten thousand cells.

use crate::model::Rect;

/// Side of a cell in canvas units, unless the flow is so large that cells must grow.
const CELL: f64 = 512.0;
/// Cells one item may be written into.
const SPAN_MAX: usize = 64;

/// Rectangles by place.
#[derive(Clone, Debug, Default)]
pub struct Grid {
    cell: f64,
    x: f64,
    y: f64,
    n_x: usize,
    n_y: usize,
    /// Items of cell `c` are `items[start[c]..start[c + 1]]`.
    start: Vec<u32>,
    items: Vec<u32>,
    long: Vec<u32>,
}

/// Memory a query reuses from frame to frame.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    stamp: u32,
    seen: Vec<u32>,
}

impl Grid {
    /// A grid over `rects`, whose corners must be finite.
    pub fn new(rects: &[Rect]) -> Self {
        let Some(bounds) = Rect::bounds(rects.iter().copied()) else {
            return Self::default();
        };
        // A lone node far away must not make millions of empty cells.
        let cells_max = (4 * rects.len() + 64) as f64;
        let mut cell = CELL;
        while (bounds.w / cell + 1.0) * (bounds.h / cell + 1.0) > cells_max {
            cell *= 2.0;
        }
        let mut grid = Self {
            cell,
            x: bounds.x,
            y: bounds.y,
            n_x: (bounds.w / cell) as usize + 1,
            n_y: (bounds.h / cell) as usize + 1,
            ..Self::default()
        };
        let mut count = vec![0u32; grid.n_x * grid.n_y + 1];
        for (at, rect) in rects.iter().enumerate() {
            let (x0, y0, x1, y1) = grid.cells(*rect);
            if (x1 - x0 + 1) * (y1 - y0 + 1) > SPAN_MAX {
                grid.long.push(at as u32);
                continue;
            }
            for y in y0..=y1 {
                for x in x0..=x1 {
                    count[y * grid.n_x + x + 1] += 1;
                }
            }
        }
        for c in 1..count.len() {
            count[c] += count[c - 1];
        }
        grid.start.clone_from(&count);
        grid.items = vec![0; *count.last().unwrap_or(&0) as usize];
        for (at, rect) in rects.iter().enumerate() {
            let (x0, y0, x1, y1) = grid.cells(*rect);
            if (x1 - x0 + 1) * (y1 - y0 + 1) > SPAN_MAX {
                continue;
            }
            for y in y0..=y1 {
                for x in x0..=x1 {
                    let place = &mut count[y * grid.n_x + x];
                    grid.items[*place as usize] = at as u32;
                    *place += 1;
                }
            }
        }
        grid
    }

    /// First and last cell, inclusive, that a rectangle touches.
    fn cells(&self, rect: Rect) -> (usize, usize, usize, usize) {
        let at = |value: f64, n: usize| ((value / self.cell).max(0.0) as usize).min(n - 1);
        (
            at(rect.x - self.x, self.n_x),
            at(rect.y - self.y, self.n_y),
            at(rect.x + rect.w - self.x, self.n_x),
            at(rect.y + rect.h - self.y, self.n_y),
        )
    }

    /// Puts into `out` every item of `rects` (those the grid was made from) that touches `view`,
    /// in ascending order.
    pub fn query(&self, rects: &[Rect], view: Rect, scratch: &mut Scratch, out: &mut Vec<u32>) {
        out.clear();
        if self.n_x == 0 {
            return;
        }
        let (x0, y0, x1, y1) = self.cells(view);
        if (x1 - x0 + 1) * (y1 - y0 + 1) * 2 > self.n_x * self.n_y {
            // Most of it is in view: a plain pass is quicker than cells and a sort.
            out.extend((0..rects.len() as u32).filter(|&at| rects[at as usize].touches(&view)));
            return;
        }
        scratch.seen.resize(rects.len(), 0);
        scratch.stamp = scratch.stamp.wrapping_add(1);
        if scratch.stamp == 0 {
            scratch.seen.fill(0);
            scratch.stamp = 1;
        }
        for y in y0..=y1 {
            let row = y * self.n_x;
            let items = self.start[row + x0] as usize..self.start[row + x1 + 1] as usize;
            for &at in &self.items[items] {
                let seen = &mut scratch.seen[at as usize];
                if *seen != scratch.stamp && rects[at as usize].touches(&view) {
                    *seen = scratch.stamp;
                    out.push(at);
                }
            }
        }
        out.extend(
            self.long
                .iter()
                .filter(|&&at| rects[at as usize].touches(&view)),
        );
        out.sort_unstable();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_gives_what_a_plain_pass_gives() {
        for seed in 0..40 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut scratch = Scratch::default();
            let spread = [100.0, 5_000.0, 200_000.0][random.usize(..3)];
            let mut rect = |longest: f64| Rect {
                x: (random.f64() - 0.5) * spread,
                y: (random.f64() - 0.5) * spread,
                w: random.f64() * longest,
                h: random.f64() * longest,
            };
            let mut rects: Vec<Rect> = (0..400).map(|_| rect(300.0)).collect();
            rects.extend((0..10).map(|_| rect(spread)));
            let grid = Grid::new(&rects);
            let mut out = Vec::new();
            for _ in 0..50 {
                let view = rect(3_000.0);
                grid.query(&rects, view, &mut scratch, &mut out);
                let plain: Vec<u32> = (0..rects.len() as u32)
                    .filter(|&at| rects[at as usize].touches(&view))
                    .collect();
                assert_eq!(out, plain, "seed {seed}");
            }
        }
    }

    #[test]
    fn a_lone_node_far_away_does_not_cost_memory() {
        let mut rects = vec![Rect::default(); 100];
        rects[7].x = 1e15;
        let grid = Grid::new(&rects);
        assert!(grid.start.len() < 1_000, "{} cells", grid.start.len());
    }

    #[test]
    fn an_empty_grid_answers_nothing() {
        let mut out = vec![1];
        Grid::new(&[]).query(&[], Rect::default(), &mut Scratch::default(), &mut out);
        assert!(out.is_empty());
    }
}
