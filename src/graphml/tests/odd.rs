//! Odd files at random: laid out as no program would, cut and mixed up. Each failure prints its seed.

use std::ops::Range;

use fastrand::Rng;

use super::*;
use crate::model::{NodeId, seeds};

/// A workfile that is well-formed and odd in every other respect.
struct Odd {
    text: String,
    /// Where each node's element stands.
    nodes: Vec<(NodeId, Range<usize>)>,
}

fn one_of<'a>(rng: &mut Rng, of: &[&'a str]) -> &'a str {
    of[rng.usize(..of.len())]
}

/// What may stand between two elements.
const BETWEEN: [&str; 9] = [
    "",
    "\n",
    "  ",
    "\n\t ",
    "<!-- <node id='no'/> & &#7; -- >-->",
    "<?keep <data key='l'>?>",
    "<y:Shape xmlns:y='http://y' w=\"1\"><node id='no'/></y:Shape>",
    "<desc>a]]&gt; <![CDATA[<node id=\"no\">]]></desc>",
    "stray &amp; text &#x1F642;",
];

/// Commands as they stand in a file.
const COMMANDS: [&str; 12] = [
    "",
    "echo &lt;a&gt; &amp;&amp; b",
    "<![CDATA[a < b && c]]>",
    "<![CDATA[]]]]><![CDATA[>]]>",
    "a<!-- not this -->b",
    "a<?nor this?>b",
    "a<b c='>'>nor this</b>d",
    "line one\nline two\n",
    "&#65;&#x10FFFF;&#10;&#13;&#9;",
    "&nbsp; &unknown; & &; &#; &#xZZ; &#0;",
    "häß → 日本語 \u{2028}\u{85}\u{a0}",
    "]] > ' \" \\ {} ",
];

/// An element with its attributes in any order, in either quotes, with any blanks.
fn tag(rng: &mut Rng, prefix: &str, name: &str, attributes: &[(&str, &str)]) -> String {
    let mut attributes: Vec<_> = attributes.to_vec();
    rng.shuffle(&mut attributes);
    let mut out = format!("<{prefix}{name}");
    for (name, value) in attributes {
        let quote = one_of(rng, &["'", "\""]);
        let (blank, equals) = (
            one_of(rng, &[" ", "\n  ", "\t"]),
            one_of(rng, &["=", " = "]),
        );
        out.push_str(&format!("{blank}{name}{equals}{quote}{value}{quote}"));
    }
    out.push_str(one_of(rng, &["", " ", "\n"]));
    out
}

fn odd(rng: &mut Rng) -> Odd {
    let prefix = one_of(rng, &["", "", "g:"]);
    let xmlns = if prefix.is_empty() {
        "xmlns"
    } else {
        "xmlns:g"
    };
    let namespace = (xmlns, "http://graphml.graphdrawing.org/xmlns");
    let mut text = String::new();
    text.push_str(one_of(
        rng,
        &[
            "",
            "<?xml version='1.0'?>",
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone='yes'?>\n",
        ],
    ));
    text.push_str(one_of(
        rng,
        &["", "\n\n", "<!-- head -->", "<!DOCTYPE graphml>\n"],
    ));
    text.push_str(&tag(
        rng,
        prefix,
        "graphml",
        &[namespace, ("id", "&quot;>")],
    ));
    text.push('>');
    let mut keys = String::new();
    for (id, domain, name) in [
        ("l", "node", "label"),
        ("x", "node", "x"),
        ("y", "node", "y"),
        ("k&lt;", "node", "unknown"),
        ("t", "edge", "edge_type"),
    ] {
        let kind = ("attr.type", "string");
        keys.push_str(&tag(
            rng,
            prefix,
            "key",
            &[("id", id), ("for", domain), ("attr.name", name), kind],
        ));
        let default = name == "unknown" && rng.bool();
        if default {
            keys.push_str(&format!(
                "><{prefix}default>a&#10;b</{prefix}default></{prefix}key>"
            ));
        } else {
            keys.push_str("/>");
        }
        keys.push_str(one_of(rng, &BETWEEN));
    }
    let keys_last = rng.bool();
    if !keys_last {
        text.push_str(&keys);
    }
    text.push_str(&tag(
        rng,
        prefix,
        "graph",
        &[("edgedefault", "directed"), ("id", "G")],
    ));
    text.push('>');
    let mut nodes = Vec::new();
    let ids = ["a", "b&amp;", "ü ö", "&#x1F642;", "-&gt;", "e\u{301}"];
    for id in ids.iter().take(rng.usize(1..=ids.len())) {
        text.push_str(one_of(rng, &BETWEEN));
        let start = text.len();
        text.push_str(&tag(
            rng,
            prefix,
            "node",
            &[("id", id), ("extra", "&lt;1&gt;")],
        ));
        text.push('>');
        for (key, value) in [
            ("k&lt;", "kept &amp; <i>all</i>"),
            ("l", one_of(rng, &COMMANDS)),
            ("x", " 10.50 "),
            ("y", "-1e2"),
        ] {
            text.push_str(one_of(rng, &BETWEEN));
            text.push_str(&tag(rng, prefix, "data", &[("key", key)]));
            if value.is_empty() && rng.bool() {
                text.push_str("/>");
            } else {
                text.push_str(&format!(">{value}</{prefix}data >"));
            }
        }
        text.push_str(one_of(rng, &BETWEEN));
        text.push_str(&format!("</{prefix}node>"));
        let id = super::super::escape::attribute_value(id).into_owned();
        nodes.push((NodeId::new(id), start..text.len()));
    }
    for _ in 0..rng.usize(..4) {
        text.push_str(one_of(rng, &BETWEEN));
        let (source, target) = (one_of(rng, &ids), one_of(rng, &["a", "gone"]));
        text.push_str(&tag(
            rng,
            prefix,
            "edge",
            &[("source", source), ("target", target)],
        ));
        text.push_str("/>");
    }
    text.push_str(&format!("</{prefix}graph>"));
    if keys_last {
        text.push_str(&keys);
    }
    text.push_str(&format!("</{prefix}graphml>"));
    text.push_str(one_of(rng, &["", "\n", "\n<!-- tail -->\n\n"]));
    if rng.bool() {
        // As a Windows editor saves it; places move, so they are found again.
        let crlf = |part: &str| part.replace('\n', "\r\n");
        for (_, range) in &mut nodes {
            let (start, end) = (
                crlf(&text[..range.start]).len(),
                crlf(&text[..range.end]).len(),
            );
            *range = start..end;
        }
        text = crlf(&text);
    }
    Odd { text, nodes }
}

/// The bytes of `before` that `after` replaces.
fn changed(before: &str, after: &str) -> Range<usize> {
    let same =
        |pairs: &mut dyn Iterator<Item = (u8, u8)>| pairs.take_while(|(a, b)| a == b).count();
    let start = same(&mut before.bytes().zip(after.bytes()));
    let rest = before.len().min(after.len()) - start;
    let end = same(&mut before.bytes().rev().zip(after.bytes().rev()).take(rest));
    start..before.len() - end
}

const SEEDS: u64 = 600;

#[test]
fn an_odd_file_that_nobody_edits_keeps_every_byte_and_an_edit_changes_its_own_element_alone() {
    seeds::each(seeds::fixed(SEEDS), |rng| {
        let Odd { text, nodes } = odd(rng);
        let reading = must_read(&text);
        assert!(!reading.damaged, "{:?}\n{text}", reading.warnings);
        assert_eq!(reading.flow.graph.n_nodes(), nodes.len(), "{text}");
        assert_eq!(written(&reading.flow, Some(&reading.source)), text);
        for (id, range) in &nodes {
            let mut flow = reading.flow.clone();
            let node = flow.graph.node_mut(id).expect("every node was read");
            if rng.bool() {
                node.command =
                    super::super::escape::text_value(one_of(rng, &COMMANDS)).into_owned();
            } else {
                node.pos.x += 1.25;
            }
            let after = written(&flow, Some(&reading.source));
            let changed = changed(&text, &after);
            assert!(
                changed.is_empty() || range.start < changed.start && changed.end < range.end,
                "{changed:?} is outside of {range:?}\n{text}\n{after}"
            );
        }
    });
}

#[test]
fn a_mixed_up_file_is_read_or_refused_and_what_is_read_can_be_saved() {
    let mut n_read = 0;
    seeds::each(seeds::fixed(4 * SEEDS), |rng| {
        let mut text = odd(rng).text;
        let place = |rng: &mut Rng, text: &str| {
            let at = rng.usize(..=text.len());
            (0..=at)
                .rev()
                .find(|at| text.is_char_boundary(*at))
                .unwrap_or(0)
        };
        for _ in 0..rng.usize(1..4) {
            let (a, b) = (place(rng, &text), place(rng, &text));
            let (a, b) = (a.min(b), a.max(b).min(a.min(b) + 40));
            let b = (b..=text.len())
                .find(|b| text.is_char_boundary(*b))
                .unwrap_or(text.len());
            match rng.u32(..4) {
                0 => text.replace_range(a..b, ""),
                1 => text.insert_str(a, one_of(rng, &BETWEEN)),
                2 => text.insert_str(
                    a,
                    one_of(
                        rng,
                        &[
                            "<",
                            ">",
                            "&",
                            "\"",
                            "'",
                            "/",
                            "é",
                            "]]>",
                            "<!--",
                            "</",
                            "<![CDATA[",
                            "\u{1b}",
                        ],
                    ),
                ),
                _ => {
                    let part = text[a..b].to_owned();
                    let to = place(rng, &text);
                    text.insert_str(to, &part);
                }
            }
        }
        let Ok(reading) = read(text.as_bytes()) else {
            return;
        };
        n_read += 1;
        let same = write(&reading.flow, Some(&reading.source)).expect("nothing was edited");
        assert!(same == text.as_bytes(), "{text}");
        let mut flow = reading.flow.clone();
        flow.title = "T".to_owned();
        let first = flow.graph.nodes().next().map(|node| node.id.clone());
        if let Some(node) = first {
            flow.graph.node_mut(&node).expect("there").command = "new".to_owned();
        }
        match write(&flow, Some(&reading.source)) {
            Ok(bytes) => {
                let again = read(&bytes);
                let Ok(again) = again else {
                    panic!("{again:?}\n{text}\n{}", String::from_utf8_lossy(&bytes))
                };
                assert!(
                    !again.damaged && same_meaning(&again.flow, &flow),
                    "{:?}\n{text}\n{}\n{flow:#?}\n{:#?}",
                    again.warnings,
                    String::from_utf8_lossy(&bytes),
                    again.flow
                );
            }
            Err(why) => assert!(reading.damaged, "{why}\n{text}"),
        }
    });
    assert!(seeds::are_told() || n_read > 100, "only {n_read} were read");
}
