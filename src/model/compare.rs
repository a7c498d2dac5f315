//! What differs between two runs of a flow. Pure; what is known of each run is read elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use super::{Exit, NodeId, NodeStatus, RunSummary};

/// Times differ when one is longer by this share and by [`TIME_MIN`]: no two runs take the same.
const TIME_SHARE: f64 = 0.25;
const TIME_MIN: Duration = Duration::from_millis(500);

/// Longer commands are shown as replaced, not compared word by word.
const DIFF_BYTES_MAX: usize = 64 << 10;

/// One node in one run, all its passes and attempts together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeInRun {
    /// Which node.
    pub node: NodeId,
    /// How it stood at the end.
    pub status: NodeStatus,
    /// It was kept from the run that this one resumes; nothing else is known of it here.
    pub kept: bool,
    /// How long its processes ran together; `None` when that is not known.
    pub time: Option<Duration>,
    /// Passes begun.
    pub passes: u32,
    /// Attempts of all passes.
    pub attempts: u32,
    /// How the newest attempt ended.
    pub exit: Option<Exit>,
    /// The command of the newest attempt, as it was run; empty when it ran none.
    pub command: Arc<str>,
}

/// One run with its nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunInDetail {
    /// The run.
    pub summary: RunSummary,
    /// Each node once.
    pub nodes: Vec<NodeInRun>,
}

/// What differs about a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// It is in one of the two runs only.
    pub presence: bool,
    /// How it stood at the end.
    pub status: bool,
    /// How its newest attempt ended.
    pub exit: bool,
    /// What was run.
    pub command: bool,
    /// How many passes or attempts it took.
    pub attempts: bool,
    /// How long it took, by more than runs differ anyway.
    pub time: bool,
}

impl Changed {
    /// True when something differs.
    pub fn any(&self) -> bool {
        *self != Self::default()
    }

    /// What differs most stands first.
    fn rank(&self) -> u8 {
        let parts = [
            self.status,
            self.presence,
            self.exit,
            self.command,
            self.attempts,
            self.time,
        ];
        let place = parts.iter().position(|part| *part).unwrap_or(parts.len());
        u8::try_from(place).unwrap_or(u8::MAX)
    }
}

/// One node in both runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePair {
    /// Which node.
    pub node: NodeId,
    /// In the first run; `None` when that one did not have it.
    pub a: Option<NodeInRun>,
    /// In the second.
    pub b: Option<NodeInRun>,
    /// What differs.
    pub changed: Changed,
}

/// Two runs beside each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunComparison {
    /// The first run.
    pub a: RunSummary,
    /// The second run.
    pub b: RunSummary,
    /// Every node of either: those that differ first, what differs most at the top.
    pub nodes: Vec<NodePair>,
    /// How many of them differ.
    pub n_changed: usize,
}

/// Puts two runs beside each other.
pub fn compare(a: RunInDetail, b: RunInDetail) -> RunComparison {
    let mut pairs: BTreeMap<NodeId, (Option<NodeInRun>, Option<NodeInRun>)> = BTreeMap::new();
    for node in a.nodes {
        let id = node.node.clone();
        pairs.entry(id).or_default().0 = Some(node);
    }
    for node in b.nodes {
        let id = node.node.clone();
        pairs.entry(id).or_default().1 = Some(node);
    }
    let mut nodes: Vec<NodePair> = pairs
        .into_iter()
        .map(|(node, (a, b))| NodePair {
            changed: changed(a.as_ref(), b.as_ref()),
            node,
            a,
            b,
        })
        .collect();
    // Stable, so that nodes of one rank stay in the order of their ids.
    nodes.sort_by_key(|pair| pair.changed.rank());
    RunComparison {
        a: a.summary,
        b: b.summary,
        n_changed: nodes.iter().filter(|pair| pair.changed.any()).count(),
        nodes,
    }
}

fn changed(a: Option<&NodeInRun>, b: Option<&NodeInRun>) -> Changed {
    let (Some(a), Some(b)) = (a, b) else {
        return Changed {
            presence: true,
            ..Changed::default()
        };
    };
    // Of a node that was kept, or did not run, nothing but its status says anything.
    let both_ran = !a.kept && !b.kept && a.attempts > 0 && b.attempts > 0;
    Changed {
        presence: false,
        status: a.status != b.status,
        exit: both_ran && a.exit != b.exit,
        command: both_ran && a.command != b.command,
        attempts: both_ran && (a.passes, a.attempts) != (b.passes, b.attempts),
        time: both_ran && a.time.zip(b.time).is_some_and(|(a, b)| times_differ(a, b)),
    }
}

fn times_differ(a: Duration, b: Duration) -> bool {
    let (short, long) = (a.min(b), a.max(b));
    long - short >= TIME_MIN && long.as_secs_f64() >= short.as_secs_f64() * (1.0 + TIME_SHARE)
}

/// Which of two texts a line is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiffSide {
    /// Both.
    Both,
    /// The first only.
    First,
    /// The second only.
    Second,
}

/// One line of two texts put beside each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffLine {
    /// Whose.
    pub side: DiffSide,
    /// Its text in parts, each with whether that part is what differs from its counterpart.
    pub parts: Vec<(bool, String)>,
}

/// How the second command differs from the first, line by line and word by word.
pub fn command_diff(a: &str, b: &str) -> Vec<DiffLine> {
    if a.len().max(b.len()) > DIFF_BYTES_MAX {
        let lines = |side, text: &str| {
            let line = move |line: &str| DiffLine {
                side,
                parts: vec![(false, line.to_owned())],
            };
            text.lines().map(line).collect::<Vec<_>>()
        };
        let mut all = lines(DiffSide::First, a);
        all.extend(lines(DiffSide::Second, b));
        return all;
    }
    let diff = TextDiff::from_lines(a, b);
    let mut lines = Vec::new();
    for op in diff.ops() {
        for change in diff.iter_inline_changes(op) {
            let side = match change.tag() {
                ChangeTag::Equal => DiffSide::Both,
                ChangeTag::Delete => DiffSide::First,
                ChangeTag::Insert => DiffSide::Second,
            };
            let mut parts: Vec<(bool, String)> = change
                .iter_strings_lossy()
                .map(|(strong, text)| (strong, text.into_owned()))
                .collect();
            if let Some((_, last)) = parts.last_mut() {
                last.truncate(last.trim_end_matches(['\n', '\r']).len());
            }
            parts.retain(|(_, text)| !text.is_empty());
            // A line that is new as a whole has no counterpart to differ from.
            if parts.iter().all(|(strong, _)| *strong) {
                parts.iter_mut().for_each(|(strong, _)| *strong = false);
            }
            lines.push(DiffLine { side, parts });
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Counts, RunId, Timestamp};

    fn summary(id: &str) -> RunSummary {
        RunSummary {
            id: RunId::new(id),
            choice: "full".into(),
            resumes: None,
            started: Timestamp(0),
            ended: None,
            outcome: None,
            counts: Counts::default(),
            ran_on: None,
        }
    }

    /// A run as text: `node status ms attempts exit command`; `kept` and `skipped` ran nothing.
    fn run(id: &str, text: &str) -> RunInDetail {
        let node = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let ran = words.len() > 2;
            let number = |at: usize| {
                words
                    .get(at)
                    .map_or(0, |word| word.parse().expect("number"))
            };
            NodeInRun {
                node: words[0].into(),
                kept: words[1] == "kept",
                status: match words[1] {
                    "kept" => NodeStatus::Ran,
                    word => NodeStatus::from_word(word),
                },
                time: ran.then(|| Duration::from_millis(number(2))),
                passes: u32::from(ran),
                attempts: u32::try_from(number(3)).expect("few"),
                exit: ran.then(|| Exit::Code(i32::try_from(number(4)).expect("small"))),
                command: words.get(5..).unwrap_or_default().join(" ").into(),
            }
        };
        RunInDetail {
            summary: summary(id),
            nodes: text.trim().lines().map(node).collect(),
        }
    }

    fn told(a: &str, b: &str) -> String {
        let words = |changed: Changed| {
            let all = [
                (changed.presence, "presence"),
                (changed.status, "status"),
                (changed.exit, "exit"),
                (changed.command, "command"),
                (changed.attempts, "attempts"),
                (changed.time, "time"),
            ];
            let some: Vec<&str> = all.iter().filter(|(on, _)| *on).map(|(_, w)| *w).collect();
            some.join("+")
        };
        let comparison = compare(run("a", a), run("b", b));
        let lines = comparison.nodes.iter().map(|pair| {
            format!("{} {}", pair.node, words(pair.changed))
                .trim()
                .to_owned()
        });
        let lines: Vec<String> = lines.collect();
        assert_eq!(
            comparison.n_changed,
            lines.iter().filter(|l| l.contains(' ')).count()
        );
        lines.join(", ")
    }

    #[test]
    fn what_differs_most_stands_first() {
        let a = "a ran 100 1 0 x
                 b ran 100 1 0 x
                 c failed 100 1 3 x
                 d ran 100 1 0 old
                 e ran 100 1 0 x
                 f ran 100 1 0 x";
        let b = "a ran 120 1 0 x
                 b ran 9000 1 0 x
                 c ran 100 1 0 x
                 d ran 100 1 0 new
                 e ran 100 3 0 x
                 g ran 100 1 0 x";
        let expected = "c status+exit, f presence, g presence, d command, e attempts, b time, a";
        assert_eq!(told(a, b), expected);
    }

    #[test]
    fn a_kept_node_differs_by_its_status_alone() {
        assert_eq!(told("a ran 100 1 0 x", "a kept"), "a");
        assert_eq!(told("a failed 100 1 3 x", "a kept"), "a status");
        assert_eq!(told("a ran 100 1 0 x", "a skipped"), "a status");
    }

    #[test]
    fn times_differ_when_a_person_would_notice() {
        for (a, b, differ) in [(100, 590, false), (100, 600, true), (10_000, 12_000, false)] {
            let ms = Duration::from_millis;
            assert_eq!(times_differ(ms(a), ms(b)), differ, "{a} {b}");
            assert_eq!(times_differ(ms(b), ms(a)), differ, "{b} {a}");
        }
    }

    fn drawn(a: &str, b: &str) -> String {
        let lines = command_diff(a, b).into_iter().map(|line| {
            let sign = match line.side {
                DiffSide::Both => ' ',
                DiffSide::First => '-',
                DiffSide::Second => '+',
            };
            let part = |(strong, text): (bool, String)| match strong {
                true => format!("[{text}]"),
                false => text,
            };
            let text: String = line.parts.into_iter().map(part).collect();
            format!("{sign}{text}")
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_command_shows_the_words_that_differ() {
        assert_eq!(
            drawn(
                "set -e\nmake blu cover",
                "set -e\nmake blue cover\necho done"
            ),
            " set -e\n-make [blu] cover\n+make [blue] cover\n+echo done"
        );
        assert_eq!(drawn("same", "same"), " same");
        assert_eq!(drawn("", "a"), "+a");
    }

    #[test]
    fn a_huge_command_is_replaced_without_a_search() {
        let long = "x\n".repeat(DIFF_BYTES_MAX);
        let lines = command_diff(&long, "y");
        assert_eq!(lines.len(), DIFF_BYTES_MAX + 1);
    }
}
