//! Key declarations: those a write finds in the file, and those it has to add or to widen.

use std::collections::{HashMap, HashSet};

use super::keys::{Domain, Field};
use super::patch::Patches;
use super::plan::Plan;
use super::source::Inner;
use super::style::Style;

/// Keys of the base and those it lacks.
pub(super) struct KeyPlan {
    ids: HashMap<Field, (String, bool)>,
    new: Vec<(Field, String)>,
    /// Keys whose declared type does not admit a new value: place in the layout, wider type.
    widened: Vec<(usize, &'static str)>,
}

impl KeyPlan {
    pub(super) fn new(base: &Inner, plan: &Plan<'_>) -> Self {
        let layout = &base.layout;
        let mut keys = Self {
            ids: HashMap::new(),
            new: Vec::new(),
            widened: Vec::new(),
        };
        let mut places: HashMap<Field, Vec<usize>> = HashMap::new();
        for domain in [Domain::Graph, Domain::Node, Domain::Edge] {
            let defaults = layout.defaults(domain);
            for (place, key) in layout.keys.iter().enumerate() {
                if let Some(field) = key.field(domain) {
                    places.entry(field).or_default().push(place);
                    let has_default = defaults.iter().any(|d| d.0 == field);
                    keys.ids
                        .entry(field)
                        .or_insert_with(|| (key.id.clone(), has_default));
                }
            }
        }
        let mut missing: Vec<Field> = Vec::new();
        let mut kinds: HashMap<usize, &'static str> = HashMap::new();
        for (field, value) in plan.changes() {
            let Some(value) = value else { continue };
            if !keys.ids.contains_key(field) {
                missing.push(*field);
                keys.ids.insert(*field, (String::new(), false));
                continue;
            }
            for &place in places.get(field).map_or(&[][..], Vec::as_slice) {
                let Some((kind, _)) = &layout.keys[place].kind else {
                    continue;
                };
                let kind = kinds.get(&place).copied().unwrap_or(kind);
                if let Some(wider) = wider_type(kind, value) {
                    kinds.insert(place, wider);
                }
            }
        }
        keys.widened = kinds.into_iter().collect();
        keys.widened.sort_unstable();
        missing.sort_unstable();
        let taken: HashSet<&str> = layout.keys.iter().map(|k| k.id.as_str()).collect();
        let mut n = 0_u32;
        for field in missing {
            let id = loop {
                let id = format!("d{n}");
                n += 1;
                if !taken.contains(id.as_str()) {
                    break id;
                }
            };
            keys.ids.insert(field, (id.clone(), false));
            keys.new.push((field, id));
        }
        keys
    }

    /// The id of the key that means `field`, and whether it has a default.
    pub(super) fn of(&self, field: Field) -> (String, bool) {
        self.ids.get(&field).cloned().unwrap_or_default()
    }

    /// Declares what is new and widens what is too narrow.
    pub(super) fn declare(&self, base: &Inner, style: &Style, patches: &mut Patches<'_>) {
        let layout = &base.layout;
        for (place, wider) in &self.widened {
            if let Some((_, span)) = &layout.keys[*place].kind {
                patches.replace(*span, *wider);
            }
        }
        let mut new = String::new();
        for (field, id) in &self.new {
            new.push_str(&style.key_lead);
            new.push_str(&style.key(id, *field));
        }
        if !new.is_empty() {
            let last = layout.keys.last().map(|k| k.element.span);
            patches.add_child(&layout.root, last, &new, &style.graph, "graphml");
        }
    }
}

/// The type a key must have to admit `value`, when its own does not: NetworkX fails on a file that
/// declares `long` and says `1.5`.
fn wider_type(kind: &str, value: &str) -> Option<&'static str> {
    let value = value.trim();
    let is_float = value.parse::<f64>().is_ok();
    match kind {
        "int" | "integer" | "long" if value.parse::<i64>().is_ok() => None,
        "int" | "integer" | "long" if is_float => Some("double"),
        "float" | "double" if is_float => None,
        "boolean" if matches!(value, "true" | "false" | "0" | "1") => None,
        "int" | "integer" | "long" | "float" | "double" | "boolean" => Some("string"),
        _ => None,
    }
}
