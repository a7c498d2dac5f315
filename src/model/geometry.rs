//! Points and rectangles on the canvas, in canvas units. Knows no screen.

/// A place on the canvas, in canvas units (one unit is one point at zoom 1).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Rightwards.
    pub x: f64,
    /// Downwards.
    pub y: f64,
}

/// A rectangle on the canvas by its top left corner.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width, never negative.
    pub w: f64,
    /// Height, never negative.
    pub h: f64,
}

impl Point {
    /// The point moved.
    pub fn plus(self, by: Self) -> Self {
        Self {
            x: self.x + by.x,
            y: self.y + by.y,
        }
    }
}

impl Rect {
    /// The rectangle between two corners.
    pub fn between(a: Point, b: Point) -> Self {
        Self {
            x: a.x.min(b.x),
            y: a.y.min(b.y),
            w: (a.x - b.x).abs(),
            h: (a.y - b.y).abs(),
        }
    }

    /// A square round a point, as far as `reach` to each side.
    pub fn around(point: Point, reach: f64) -> Self {
        Self {
            x: point.x - reach,
            y: point.y - reach,
            w: 2.0 * reach,
            h: 2.0 * reach,
        }
    }

    /// The smallest rectangle round all of them; `None` for none.
    pub fn bounds(rects: impl IntoIterator<Item = Self>) -> Option<Self> {
        rects.into_iter().reduce(|a, b| {
            let (x, y) = (a.x.min(b.x), a.y.min(b.y));
            Self {
                x,
                y,
                w: (a.x + a.w).max(b.x + b.w) - x,
                h: (a.y + a.h).max(b.y + b.h) - y,
            }
        })
    }

    /// Its top left corner.
    pub fn corner(&self) -> Point {
        Point {
            x: self.x,
            y: self.y,
        }
    }

    /// Its middle.
    pub fn center(&self) -> Point {
        Point {
            x: self.x + self.w / 2.0,
            y: self.y + self.h / 2.0,
        }
    }

    /// The rectangle moved.
    pub fn shifted(self, by: Point) -> Self {
        Self {
            x: self.x + by.x,
            y: self.y + by.y,
            ..self
        }
    }

    /// True when `point` lies inside or on the border.
    pub fn contains(&self, point: Point) -> bool {
        (self.x..=self.x + self.w).contains(&point.x)
            && (self.y..=self.y + self.h).contains(&point.y)
    }

    /// True when `inner` lies inside, borders included.
    pub fn encloses(&self, inner: &Self) -> bool {
        inner.x >= self.x
            && inner.y >= self.y
            && inner.x + inner.w <= self.x + self.w
            && inner.y + inner.h <= self.y + self.h
    }

    /// True when two rectangles overlap or touch.
    pub fn touches(&self, other: &Self) -> bool {
        self.x <= other.x + other.w
            && other.x <= self.x + self.w
            && self.y <= other.y + other.h
            && other.y <= self.y + self.h
    }
}
