//! Data of the graph itself to the fields of the flow; what is out of range is told and left out.

use std::borrow::Cow;

use super::element::Layout;
use super::frames::read_frames;
use super::keys::{Domain, Field};
use super::limits::{JOBS_MAX, PASSES_MAX};
use super::meaning::wrapper_of;
use super::number::count;
use super::warning::{Warnings, shown};
use crate::model::{Env, Flow, Trigger, Wrapper};

/// Reads what stands on the graph itself.
pub(super) struct FlowReader<'t, 'w> {
    text: &'t str,
    warnings: &'w mut Warnings<'t>,
}

impl<'t, 'w> FlowReader<'t, 'w> {
    pub(super) fn new(text: &'t str, warnings: &'w mut Warnings<'t>) -> Self {
        Self { text, warnings }
    }

    pub(super) fn read(mut self, layout: &Layout) -> Flow {
        let mut flow = Flow::default();
        let (mut wrapper, mut prefix, mut suffix) = (None, String::new(), String::new());
        let mut values: Vec<(Field, Cow<'_, str>, usize)> = Vec::new();
        for (field, default) in layout.defaults(Domain::Graph) {
            values.push((field, Cow::Borrowed(default), 0));
        }
        for data in layout.graph_data.iter().filter(|d| d.closed) {
            if let Some(field) = data.field {
                let at = data.element.span.start as usize;
                values.push((field, data.value(self.text), at));
            }
        }
        for (field, value, at) in values {
            match field {
                Field::FlowTitle => flow.title = value.into_owned(),
                Field::Group => flow.group = value.into_owned(),
                Field::Trigger => flow.trigger = self.trigger(&value, at),
                Field::Wrapper => wrapper = Some(value.into_owned()),
                Field::Prefix => prefix = value.into_owned(),
                Field::Suffix => suffix = value.into_owned(),
                Field::Shell => flow.shell = value.into_owned(),
                Field::FlowCwd => flow.cwd = value.into_owned(),
                Field::FlowEnv => flow.env = read_env(&value, at, self.warnings),
                Field::MaxPasses => flow.max_passes = self.limit(field, &value, at, PASSES_MAX),
                Field::JobsMax => flow.jobs_max = self.limit(field, &value, at, JOBS_MAX),
                Field::Frames => {
                    let (frames, bad) = read_frames(&value);
                    flow.frames = frames;
                    if let Some(first) = bad.first() {
                        self.warnings.at(at, || {
                            format!(
                                "{} lines of frames cannot be read, the first is {}",
                                bad.len(),
                                shown(first)
                            )
                        });
                    }
                }
                _ => {}
            }
        }
        flow.wrapper = match wrapper {
            Some(template) => wrapper_of(&template),
            None => legacy_wrapper(&prefix, &suffix),
        };
        flow
    }

    fn trigger(&mut self, value: &str, at: usize) -> Trigger {
        let read = Trigger::from_word(value);
        if read.is_none() && !value.trim().is_empty() {
            self.warnings.at(at, || {
                format!(
                    "trigger {} must be manual, poll or schedule; read as manual",
                    shown(value)
                )
            });
        }
        read.unwrap_or_default()
    }

    fn limit(&mut self, field: Field, value: &str, at: usize, max: u32) -> Option<u32> {
        let read = count(value, max);
        if read.is_none() && !value.trim().is_empty() {
            self.warnings.at(at, || {
                format!(
                    "{} {} must be 0…{max}; left out",
                    field.name(),
                    shown(value)
                )
            });
        }
        read.filter(|n| *n > 0)
    }
}

/// The wrapper that the seed's older two fields mean. A word before the command is parted from it;
/// an open quote is not.
fn legacy_wrapper(prefix: &str, suffix: &str) -> Option<Wrapper> {
    if prefix.is_empty() && suffix.is_empty() {
        return None;
    }
    let open_quote = prefix.chars().fold(None, |open, c| match (open, c) {
        (None, '\'' | '"') => Some(c),
        (Some(quote), c) if quote == c => None,
        _ => open,
    });
    let before =
        prefix.is_empty() || open_quote.is_some() || prefix.ends_with([' ', '\t', '\n', '(']);
    let after = suffix.is_empty()
        || open_quote.is_some()
        || suffix.starts_with([' ', '\t', '\n', ')', ';']);
    let gap = |none: bool| if none { "" } else { " " };
    wrapper_of(&format!(
        "{prefix}{}{{}}{}{suffix}",
        gap(before),
        gap(after)
    ))
}

/// The settings of a value; a line that is none is told.
pub(super) fn read_env(value: &str, at: usize, warnings: &mut Warnings<'_>) -> Env {
    let (env, bad) = Env::parse(value);
    if let Some(first) = bad.first() {
        warnings.at(at, || {
            format!("env {} is not NAME=value; left out", shown(first))
        });
    }
    env
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_and_suffix_become_a_wrapper() {
        for (prefix, suffix, template) in [
            ("bash -c '", "'", Some("bash -c '{}'")),
            ("bash -c", "", Some("bash -c {}")),
            (
                "export test='one'\nbash -c",
                "",
                Some("export test='one'\nbash -c {}"),
            ),
            ("", "| tee log", Some("{} | tee log")),
            ("nice ", " 2>&1", Some("nice {} 2>&1")),
            ("ssh host \"", " ; true\"", Some("ssh host \"{} ; true\"")),
            ("", "", None),
        ] {
            let wrapper = legacy_wrapper(prefix, suffix);
            assert_eq!(
                wrapper.as_ref().map(Wrapper::template),
                template,
                "{prefix}"
            );
        }
    }
}
