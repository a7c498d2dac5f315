//! Nobody remembers and nobody is asked: the ports that a measured window does not use.

use handmill::app::Remembered;
use handmill::app::ports::{Ask, Desktop, Memory, Picked};

/// Keeps nothing and answers nothing.
pub struct Nobody;

impl Memory for Nobody {
    fn load(&self) -> Remembered {
        Remembered::default()
    }
    fn save(&self, _remembered: &Remembered) {}
}

impl Desktop for Nobody {
    fn ask(&self, _ask: Ask, _reply: Box<dyn FnOnce(Picked) + Send>) {}
}
