//! Nobody remembers and nobody is asked: the ports that a measured window does not use.

use handmill::app::Remembered;
use handmill::app::ports::{Ask, Desktop, Memory, Picked, ResourceDesk};
use handmill::model::{Notice, ResourceName};
use handmill::runtime::resources::{Keep, ResourceView};

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

impl ResourceDesk for Nobody {
    fn look(&self) -> Result<ResourceView, Notice> {
        Err(nothing())
    }
    fn keep(&self, _name: &ResourceName, _keep: Keep) -> Result<(), Notice> {
        Err(nothing())
    }
    fn remove(&self, _name: &ResourceName) -> Result<(), Notice> {
        Err(nothing())
    }
}

fn nothing() -> Notice {
    Notice::error("Nobody keeps resources here.", "")
}
