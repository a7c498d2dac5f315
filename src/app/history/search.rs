//! The line by which past runs are looked for: text, and when they began. Pure.
//!
//! `since:` and `until:` take what `handmill history` takes: a span back from now (`90m`, `12h`, `7d`, `2w`), `today`,
//! `yesterday`, or a date with or without a time. A time alone means that day, or as long as the span. What stands in
//! quotes is text.

use jiff::tz::TimeZone;

use crate::model::{Timestamp, day_after, parse_when};

/// What a line asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Search {
    /// Text in the run or its nodes.
    pub text: String,
    /// Only runs that began then or later.
    pub since: Option<Timestamp>,
    /// Only runs that began before then.
    pub until: Option<Timestamp>,
}

/// Times that can be chosen instead of typed: how the choice is called, and the word for it.
pub(super) const CHOICES: [(&str, &str); 5] = [
    ("Any time", ""),
    ("Today", "today"),
    ("Yesterday", "yesterday"),
    ("Last 7 days", "7d"),
    ("Last 30 days", "30d"),
];

impl Search {
    /// Reads a line; the error is a sentence about the word that makes no sense.
    pub fn read(line: &str, now: Timestamp, zone: &TimeZone) -> Result<Self, String> {
        let mut search = Self::default();
        let mut text: Vec<&str> = Vec::new();
        for word in words(line) {
            match What::of(word, now, zone)? {
                What::Text(word) => text.push(word),
                What::Since(at) => search.since = at,
                What::Until(at) => search.until = at,
                What::Within(since, until) => {
                    search.since = Some(since);
                    search.until = until;
                }
            }
        }
        search.text = text.join(" ");
        Ok(search)
    }
}

/// The choice that a line has in it; the first when it has none, and none when it has other times.
pub(super) fn chosen(line: &str, now: Timestamp, zone: &TimeZone) -> Option<usize> {
    let mut times = words(line).filter(|word| is_time(word, now, zone));
    match (times.next(), times.next()) {
        (None, _) => Some(0),
        (Some(word), None) => CHOICES.iter().position(|(_, known)| *known == word),
        _ => None,
    }
}

/// The line with this time in the place of those it has.
pub(super) fn with_time(line: &str, time: &str, now: Timestamp, zone: &TimeZone) -> String {
    let text = words(line).filter(|word| !is_time(word, now, zone));
    let time = Some(time).filter(|time| !time.is_empty());
    text.chain(time).collect::<Vec<_>>().join(" ")
}

enum What<'a> {
    Text(&'a str),
    Since(Option<Timestamp>),
    Until(Option<Timestamp>),
    Within(Timestamp, Option<Timestamp>),
}

impl<'a> What<'a> {
    fn of(word: &'a str, now: Timestamp, zone: &TimeZone) -> Result<Self, String> {
        // Nothing behind the colon is a word that is still being typed.
        let moment = |text: &str| match text {
            "" => Ok(None),
            text => match parse_when(text, now, zone) {
                Some(at) => Ok(Some(at)),
                None => Err(format!(
                    "‘{text}’ is no time. Give 90m, 12h, 7d, today, or a date such as 2026-11-21."
                )),
            },
        };
        if let Some(text) = word.strip_prefix('"') {
            return Ok(Self::Text(text.strip_suffix('"').unwrap_or(text)));
        }
        if let Some(text) = word.strip_prefix("since:") {
            return moment(text).map(Self::Since);
        }
        if let Some(text) = word.strip_prefix("until:") {
            return moment(text).map(Self::Until);
        }
        Ok(match parse_when(word, now, zone) {
            Some(since) => Self::Within(since, day_after(word, since, zone)),
            None => Self::Text(word),
        })
    }
}

fn is_time(word: &str, now: Timestamp, zone: &TimeZone) -> bool {
    !matches!(What::of(word, now, zone), Ok(What::Text(_)))
}

/// Words between spaces; one that begins with a quote goes on to the next.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let end = match rest.strip_prefix('"') {
            Some(quoted) => quoted.find('"').map(|at| at + 2),
            None => rest.find(char::is_whitespace),
        };
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        (!word.is_empty()).then_some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21 10:41:00 UTC, a Saturday.
    const NOW: Timestamp = Timestamp(1_795_257_660_000_000);

    /// The line as text, then since and until in hours before now.
    fn told(line: &str) -> String {
        match Search::read(line, NOW, &TimeZone::UTC) {
            Err(flaw) => flaw,
            Ok(search) => {
                let hours = |at: Option<Timestamp>| match at {
                    None => "-".to_owned(),
                    Some(at) => format!("{:.1}", (NOW.0 - at.0) as f64 / 3.6e9),
                };
                let (since, until) = (hours(search.since), hours(search.until));
                format!("[{}] {since} {until}", search.text)
            }
        }
    }

    #[test]
    fn text_and_times_stand_in_one_line() {
        for (line, wanted) in [
            ("", "[] - -"),
            ("  mail  price ", "[mail price] - -"),
            ("7d", "[] 168.0 -"),
            ("mail today", "[mail] 10.7 -13.3"),
            ("yesterday", "[] 34.7 10.7"),
            ("2026-11-20 mail", "[mail] 34.7 10.7"),
            ("2026-11-20T10:41", "[] 24.0 -"),
            ("since:2026-11-20", "[] 34.7 -"),
            ("since:7d until:today x", "[x] 168.0 10.7"),
            ("since: x", "[x] - -"),
            ("\"today\" \"7d x\" y", "[today 7d x y] - -"),
            ("\"unended", "[unended] - -"),
            ("7days", "[7days] - -"),
        ] {
            assert_eq!(told(line), wanted, "{line}");
        }
    }

    #[test]
    fn a_time_that_makes_no_sense_is_named() {
        assert_eq!(
            told("since:monday x"),
            "‘monday’ is no time. Give 90m, 12h, 7d, today, or a date such as 2026-11-21."
        );
    }

    #[test]
    fn a_choice_takes_the_place_of_what_was_typed() {
        let with = |line: &str, time| with_time(line, time, NOW, &TimeZone::UTC);
        assert_eq!(with("mail since:3d price", "today"), "mail price today");
        assert_eq!(with("mail 7d", ""), "mail");
        assert_eq!(with("\"7d\" until:x", "30d"), "\"7d\" 30d");
        let choice = |line: &str| chosen(line, NOW, &TimeZone::UTC).map(|at| CHOICES[at].0);
        assert_eq!(choice("mail"), Some("Any time"));
        assert_eq!(choice("7d mail"), Some("Last 7 days"));
        assert_eq!(choice("since:7d"), None);
        assert_eq!(choice("5d"), None);
    }
}
