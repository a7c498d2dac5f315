//! What an edit changes in a file, and that all of it is read back.

use fastrand::Rng;
use handmill::graphml::{same_meaning, write};
use handmill::model::{Edit, NodeField, Point};

use super::files::{beginnings, fixtures, must_read};
use super::random_edit::random_edit;
use crate::shared::shared_dir;

#[test]
fn open_and_save_changes_no_byte() {
    for (name, bytes) in fixtures() {
        let reading = must_read(&name, &bytes);
        let same = write(&reading.flow, Some(&reading.source)).expect("writes");
        assert!(same == bytes, "{name}");
        // The same with a byte order mark, with CRLF, and in UTF-16.
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        let utf16 = std::iter::once(0xfeff).chain(text.encode_utf16());
        let variants = [
            format!("\u{feff}{text}").into_bytes(),
            text.replace('\n', "\r\n").into_bytes(),
            utf16.flat_map(u16::to_le_bytes).collect(),
        ];
        for (i, bytes) in variants.into_iter().enumerate() {
            let reading = must_read(&name, &bytes);
            let same = write(&reading.flow, Some(&reading.source)).expect("writes");
            assert!(same == bytes, "{name}, variant {i}");
        }
    }
}

/// Lines that differ, when nothing else was added or taken out.
fn differing_lines(before: &[u8], after: &[u8]) -> Vec<String> {
    let lines = |bytes: &[u8]| -> Vec<String> {
        bytes
            .split(|b| *b == b'\n')
            .map(|l| String::from_utf8_lossy(l).into_owned())
            .collect()
    };
    let (before, after) = (lines(before), lines(after));
    assert_eq!(before.len(), after.len(), "lines were added or taken out");
    let pairs = after.into_iter().zip(before);
    pairs.filter(|(a, b)| a != b).map(|(a, _)| a).collect()
}

#[test]
fn a_drag_changes_two_lines_and_a_command_one() {
    let mut n_checked = 0;
    for (name, bytes) in fixtures() {
        let reading = must_read(&name, &bytes);
        let has_lines = bytes.iter().filter(|b| **b == b'\n').count() > 10;
        let has_places = !name.starts_with("nx-multi") && !name.starts_with("nx-undirected");
        if !has_lines || !has_places || name.starts_with("broken") {
            continue;
        }
        for node in reading.flow.graph.nodes().take(20) {
            let mut flow = reading.flow.clone();
            let to = Point {
                x: node.pos.x + 33.0,
                y: node.pos.y - 7.25,
            };
            Edit::Move(vec![(node.id.clone(), to)])
                .apply(&mut flow)
                .expect("applies");
            let moved = write(&flow, Some(&reading.source)).expect("writes");
            let lines = differing_lines(&bytes, &moved);
            // A key that was typed for whole numbers may have to admit a fraction, once.
            let n_keys = lines.iter().filter(|l| l.contains("<key ")).count();
            assert_eq!(lines.len() - n_keys, 2, "{name}: {lines:?}");
            assert!(n_keys == 0 || name.contains("long-xy"), "{name}: {lines:?}");

            if node.command.contains('\n') {
                continue;
            }
            let mut flow = reading.flow.clone();
            let field = NodeField::Command("echo <changed>".to_owned());
            Edit::SetNode {
                id: node.id.clone(),
                field,
            }
            .apply(&mut flow)
            .expect("applies");
            let edited = write(&flow, Some(&reading.source)).expect("writes");
            let lines = differing_lines(&bytes, &edited);
            assert_eq!(lines.len(), 1, "{name}: {lines:?}");
            n_checked += 1;
        }
    }
    assert!(n_checked > 50 || shared_dir().is_none(), "{n_checked}");
}

#[test]
fn random_edits_are_read_back_and_a_second_write_changes_nothing() {
    for (name, bytes) in beginnings() {
        for seed in 0..12 {
            let mut rng = Rng::with_seed(seed);
            let mut reading = must_read(&name, &bytes);
            for _ in 0..4 {
                let mut flow = reading.flow.clone();
                for _ in 0..rng.usize(1..8) {
                    if let Some(edit) = random_edit(&flow, &mut rng) {
                        // Refused when it repeats an id; then nothing was edited.
                        drop(edit.apply(&mut flow));
                    }
                }
                let written = match write(&flow, Some(&reading.source)) {
                    Ok(written) => written,
                    Err(why) => panic!("{name}, seed {seed}: {why}"),
                };
                let again = must_read(&format!("{name}, seed {seed}"), &written);
                let shown = String::from_utf8_lossy(&written);
                assert!(
                    !again.damaged,
                    "{name}, seed {seed}: {:?}\n{shown}",
                    again.warnings
                );
                assert!(
                    same_meaning(&again.flow, &flow),
                    "{name}, seed {seed}\n{flow:#?}\n{:#?}\n{shown}",
                    again.flow
                );
                let twice = write(&again.flow, Some(&again.source)).expect("writes");
                assert!(twice == written, "{name}, seed {seed}");
                // As a new file, too.
                let new = must_read(&name, &write(&flow, None).expect("writes"));
                assert!(same_meaning(&new.flow, &flow), "{name}, seed {seed}, new");
                reading = again;
            }
        }
    }
}

#[test]
fn results_in_the_file_survive_edits() {
    for (name, bytes) in fixtures() {
        let reading = must_read(&name, &bytes);
        let mut flow = reading.flow.clone();
        flow.title = "Edited".to_owned();
        let written = write(&flow, Some(&reading.source)).expect("writes");
        let again = must_read(&name, &written);
        if !name.starts_with("broken") {
            assert_eq!(again.results, reading.results, "{name}");
        }
    }
}
