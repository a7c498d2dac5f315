//! What a person does with a workfile, and what the window remembers.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use handmill::editor::{Base, Journal, News, Note, Since};
use handmill::model::{Edit, FlowField, Timestamp};
use handmill::store::{self, JournalFile, Settings, Theme, Trust, Writer};

use super::{Scenario, file, flow, home, told};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "save over",
        sticky: true,
        without: &[],
        prepare: |dir| drop(store::save(&file(dir), &flow("old"), None).expect("prepared")),
        act: |dir| {
            let loaded = store::load(&file(dir)).map_err(told)?;
            let home = home(dir);
            let writer = Writer { keep: Some(&home) };
            let saved = writer.save(&file(dir), &flow("new"), Some(&loaded.stamp));
            match saved.map_err(told)?.remark {
                None => Ok(()),
                Some(remark) => Err(vec![remark.what.to_string()]),
            }
        },
        check: |dir, was_told| {
            let now = command(dir);
            assert!(now == "old" || now == "new", "{now}");
            if !was_told {
                assert_eq!(now, "new");
                let kept = store::backups(&home(dir), &file(dir)).expect("listed");
                assert_eq!(kept.len(), 1, "what was replaced is kept");
            }
        },
    },
    Scenario {
        name: "save new",
        sticky: true,
        without: &[],
        prepare: |_| {},
        act: |dir| {
            store::save(&file(dir), &flow("new"), None)
                .map(drop)
                .map_err(told)
        },
        check: |dir, was_told| {
            if file(dir).exists() {
                assert_eq!(command(dir), "new", "whole");
            } else {
                assert!(was_told);
            }
        },
    },
    Scenario {
        name: "put an older version back",
        sticky: true,
        without: &[],
        prepare: |dir| {
            let home = home(dir);
            let writer = Writer { keep: Some(&home) };
            let first = writer
                .save(&file(dir), &flow("old"), None)
                .expect("prepared");
            let second = writer.save(&file(dir), &flow("new"), Some(&first.stamp));
            second.expect("prepared");
        },
        act: |dir| {
            let home = home(dir);
            let all = store::backups(&home, &file(dir)).map_err(told)?;
            let writer = Writer { keep: Some(&home) };
            let Some(newest) = all.first() else {
                return Err(told(format!("no version of {}", file(dir).display())));
            };
            let saved = writer.restore(&file(dir), newest).map_err(told)?;
            match saved.remark {
                None => Ok(()),
                Some(remark) => Err(vec![remark.what.to_string()]),
            }
        },
        check: |dir, was_told| {
            let now = command(dir);
            assert!(now == "old" || was_told && now == "new", "{now}");
        },
    },
    Scenario {
        name: "crash journal",
        sticky: true,
        without: &[2],
        prepare: |_| {},
        act: |dir| {
            let mut journal = Journal::start(home(dir), || {}).expect("threads");
            journal.send(Note::Begin {
                ticket: 1,
                base: Base {
                    path: None,
                    title: String::new(),
                    flow: Arc::new(flow("base")),
                    hash: None,
                    replaces: None,
                },
                since: Since::Edits(vec![title("one")]),
                typed: None,
                n_steps: 1,
                at: Timestamp(0),
            });
            for (n, text) in ["two", "three"].into_iter().enumerate() {
                let at = Timestamp(3_000_000 * (n as i64 + 1));
                journal.send(Note::Edits {
                    ticket: 1,
                    edits: vec![title(text)],
                    typed: None,
                    at,
                });
            }
            journal.finish();
            let lost: Vec<String> = journal
                .drain()
                .filter_map(|news| match news {
                    News::Lost(_, notice) => Some(notice.what.to_string()),
                    News::Grown(_) => None,
                })
                .collect();
            if lost.is_empty() { Ok(()) } else { Err(lost) }
        },
        check: |dir, was_told| {
            let files = fs::read_dir(dir.join("home/journals"))
                .into_iter()
                .flatten();
            let texts = files.map(|file| fs::read(file.expect("an entry").path()).expect("read"));
            let whole = texts
                .filter(|text| String::from_utf8_lossy(text).contains("three"))
                .count();
            assert!(whole == 1 || was_told, "edits are lost and nobody was told");
        },
    },
    Scenario {
        name: "what a crash left",
        sticky: true,
        without: &[],
        prepare: |dir| {
            let mut left = JournalFile::begin(&home(dir), 1, None, "", None, &[]).expect("begun");
            left.append(b"").expect("appended");
        },
        act: |dir| {
            store::left_journals(&home(dir), None)
                .map(drop)
                .map_err(told)
        },
        check: |dir, _| {
            let n = fs::read_dir(dir.join("home/journals"))
                .expect("there")
                .count();
            assert_eq!(n, 1, "a failed look removes nothing");
        },
    },
    Scenario {
        name: "settings",
        sticky: true,
        without: &[],
        prepare: |dir| Settings::default().save(&home(dir)).expect("prepared"),
        act: |dir| {
            let loading = Settings::load(&home(dir));
            if !loading.warnings.is_empty() {
                // Rightly not saved over what could not be read.
                return Err(loading.warnings);
            }
            let mut settings = loading.settings;
            settings.theme = Theme::Light;
            settings.save(&home(dir)).map_err(told)
        },
        check: |dir, was_told| {
            let loading = Settings::load(&home(dir));
            assert!(loading.warnings.is_empty(), "{:?}", loading.warnings);
            assert!(was_told || loading.settings.theme == Theme::Light);
        },
    },
    Scenario {
        name: "trust",
        sticky: true,
        without: &[2],
        prepare: |dir| {
            let other = dir.join("other.graphml");
            store::trust_file(&home(dir), &other, &flow("x")).expect("prepared");
        },
        act: |dir| store::trust_file(&home(dir), &file(dir), &flow("x")).map_err(told),
        check: |dir, was_told| {
            let list = Trust::load(&home(dir));
            assert!(was_told || list.holds(&file(dir), &flow("x")));
            assert!(list.holds(&dir.join("other.graphml"), &flow("x")), "kept");
        },
    },
];

fn command(dir: &Path) -> String {
    let loaded = store::load(&file(dir)).expect("whole");
    assert!(!loaded.damaged);
    let node = loaded.flow.graph.nodes().next().cloned();
    node.expect("one node").command
}

fn title(text: &str) -> Edit {
    Edit::SetFlow(FlowField::Title(text.into()))
}
