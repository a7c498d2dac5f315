//! The rows of a log, and where the searched text is in it.

use std::sync::Arc;

use crate::model::LogTail;

/// Rows and hits of the log shown, worked out once per change of log, width or search.
#[derive(Default)]
pub struct Cache {
    key: Option<(usize, usize, usize, String)>,
    /// First row of each line, and the number of rows at the end.
    pub(super) first_row: Vec<usize>,
    /// Lines that hold the searched text.
    pub(super) hits: Vec<usize>,
}

impl Cache {
    /// `columns` is 0 when lines are not wrapped.
    pub(super) fn refresh(&mut self, log: &Arc<LogTail>, columns: usize, find: &str) {
        let key = (
            Arc::as_ptr(log) as usize,
            log.lines.len(),
            columns,
            find.to_owned(),
        );
        if self.key.as_ref() == Some(&key) {
            return;
        }
        self.first_row.clear();
        let mut row = 0;
        for line in &log.lines {
            self.first_row.push(row);
            // The face is monospace, so characters tell the rows.
            row += match columns {
                0 => 1,
                n => line.text.chars().count().div_ceil(n).max(1),
            };
        }
        self.first_row.push(row);
        let find = find.to_lowercase();
        self.hits.clear();
        if !find.is_empty() {
            let lines = log.lines.iter().enumerate();
            self.hits.extend(
                lines
                    .filter(|(_, line)| line.text.to_lowercase().contains(&find))
                    .map(|(at, _)| at),
            );
        }
        self.key = Some(key);
    }

    pub(super) fn n_rows(&self) -> usize {
        self.first_row.last().copied().unwrap_or(0)
    }

    /// The line that a row belongs to.
    pub(super) fn line_at(&self, row: usize) -> usize {
        self.first_row
            .partition_point(|first| *first <= row)
            .saturating_sub(1)
    }
}

/// The text broken after `columns` characters, as the rows were counted.
pub(super) fn wrapped(text: &str, columns: usize) -> String {
    if columns == 0 || text.len() <= columns {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + text.len() / columns);
    for (at, c) in text.chars().enumerate() {
        if at > 0 && at % columns == 0 {
            out.push('\n');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LogLine, Stream};

    fn log(lines: &[&str]) -> Arc<LogTail> {
        let lines = lines.iter().map(|text| LogLine {
            at: None,
            stream: Stream::Out,
            node: "a".into(),
            text: (*text).into(),
        });
        Arc::new(LogTail {
            lines: lines.collect(),
            ..LogTail::default()
        })
    }

    #[test]
    fn a_wrapped_line_takes_as_many_rows_as_it_is_broken_into() {
        let log = log(&["", "12345", "1234567890x", "äöüäöü"]);
        let mut cache = Cache::default();
        cache.refresh(&log, 5, "");
        assert_eq!(cache.first_row, [0, 1, 2, 5, 7]);
        for (at, line) in log.lines.iter().enumerate() {
            let n = wrapped(&line.text, 5).split('\n').count();
            assert_eq!(
                n,
                cache.first_row[at + 1] - cache.first_row[at],
                "{}",
                line.text
            );
        }
        let lines: Vec<usize> = (0..7).map(|row| cache.line_at(row)).collect();
        assert_eq!(lines, [0, 1, 2, 2, 2, 3, 3]);
    }

    #[test]
    fn hits_are_found_whatever_their_case() {
        let mut cache = Cache::default();
        cache.refresh(&log(&["Warn: x", "fine", "a WARNING"]), 0, "warn");
        assert_eq!(cache.hits, [0, 2]);
    }
}
