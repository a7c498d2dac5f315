//! Files made to do harm: refused in a sentence, or read and shown inert.

use handmill::graphml::{limits, read, same_meaning, write};

use super::files::must_read;

fn refusal(bytes: &[u8]) -> String {
    match read(bytes) {
        Err(why) => why.to_string(),
        Ok(reading) => panic!("read as {} nodes", reading.flow.graph.n_nodes()),
    }
}

fn graphml(inside: &str) -> String {
    format!("<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n{inside}</graphml>")
}

#[test]
fn hostile_files_are_refused_in_one_clear_sentence() {
    let lol = "<?xml version='1.0'?>\n<!DOCTYPE lolz [<!ENTITY a 'lol'><!ENTITY b '&a;&a;&a;'>]>\n<graphml/>";
    let passwd = "<!DOCTYPE g [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><graphml>&x;</graphml>";
    let deep = graphml(&"<a>".repeat(1_000_000));
    let attribute = graphml(&format!(
        "<graph id='{}'/>",
        "x".repeat(limits::ATTRIBUTE_BYTES_MAX + 1)
    ));
    let many: String = (0..100_000).map(|i| format!(" a{i}=''")).collect();
    let attributes = graphml(&format!("<graph{many}/>"));
    let nodes: String = (0..=limits::NODES_MAX)
        .map(|i| format!("<node id='{i}'/>"))
        .collect();
    let nodes = graphml(&format!("<graph>{nodes}</graph>"));
    let twice = graphml("<graph>\n<node id='a'/>\n<node id='b'/>\n<node id='a'/></graph>");
    let keys = graphml("<key id='k' for='node'/>\n<key id='k'/><graph/>");
    let text = graphml(&format!(
        "<graph><data key='k'>{}</data></graph>",
        "x".repeat(limits::TEXT_BYTES_MAX + 1)
    ));
    let conflict = "<graphml>\n<graph>\n<<<<<<< ours\n<node id='a'/>\n=======\n>>>>>>> theirs\n</graph></graphml>";
    for (bytes, says) in [
        (
            lol.as_bytes(),
            "DOCTYPE with entities is not allowed (line 2)",
        ),
        (
            passwd.as_bytes(),
            "DOCTYPE with entities is not allowed (line 1)",
        ),
        (deep.as_bytes(), "nested deeper than 64"),
        (attribute.as_bytes(), "attribute longer than 1 MiB"),
        (attributes.as_bytes(), "more than 256 attributes"),
        (nodes.as_bytes(), "more than 200 000 nodes"),
        (
            twice.as_bytes(),
            "node id ‘a’ stands at lines 3 and 5; rename one",
        ),
        (
            keys.as_bytes(),
            "key id ‘k’ stands at lines 2 and 3; rename one",
        ),
        (text.as_bytes(), "text longer than 16 MiB"),
        (b"<graphml>\xff</graphml>", "not UTF-8 at byte 9"),
        (
            b"<?xml version='1.0' encoding='UTF-7'?><graphml/>",
            "encoding utf-7 is not supported",
        ),
        (b"<graphml>\n\0</graphml>", "NUL byte on line 2"),
        (b"", "empty file"),
        (conflict.as_bytes(), "git conflict markers on line 3"),
        (b"\x1f\x8b\x08\0\0", "this is a gzip file"),
        (b"PK\x03\x04", "this is a zip file"),
        (b"#!/bin/sh\necho", "not XML: it begins with ‘#!/bin/sh"),
        (b"   \n", "not XML"),
        (
            b"<svg>\n</svg>",
            "not GraphML: the outermost element is ‘svg’ on line 1",
        ),
        (b"<graphml>", "no <graph>"),
        (b"<graphml", "not well-formed XML on line 1"),
    ] {
        let why = refusal(bytes);
        assert!(why.contains(says), "{why}\nis not: {says}");
        assert!(why.len() < 200 && !why.contains('\n'), "{why}");
    }
    let huge = vec![b' '; limits::FILE_BYTES_MAX + 1];
    assert!(refusal(&huge).starts_with("larger than 64 MiB"));
}

#[test]
fn hostile_names_are_read_and_shown_inert() {
    let long = "x".repeat(10_000);
    let ids = [
        "../../etc/cron.d/x",
        "CON",
        "nul.txt",
        "a.",
        "a\u{202e}b\u{200b}",
        "$(rm -rf ~)",
        &long,
    ];
    let nodes: String = ids
        .iter()
        .map(|id| format!("<node id='{id}'/><edge source='{id}' target='no'/>"))
        .collect();
    let text = graphml(&format!("<graph>{nodes}</graph>"));
    let reading = must_read("names", text.as_bytes());
    for id in ids {
        assert!(reading.flow.graph.contains(&id.into()), "{id}");
    }
    for warning in &reading.warnings {
        let shown = warning.to_string();
        assert!(
            shown.len() < 300 && !shown.contains(['\u{202e}', '\u{200b}']),
            "{shown}"
        );
    }
    // Self-edges and cycles are for the scheduler to judge; other namespaces are told.
    let text = "<graphml xmlns='http://example.org'><graph><node id='a'/><edge source='a' target='a'/></graph></graphml>";
    let reading = must_read("namespace", text.as_bytes());
    assert_eq!(reading.flow.graph.n_edges(), 1);
    assert!(
        reading.warnings[0].text.contains("namespace"),
        "{:?}",
        reading.warnings
    );
}

#[test]
fn what_grows_with_the_square_elsewhere_does_not_here() {
    // Each of these takes minutes when one part of reading or writing is quadratic.
    let parallel = format!(
        "<node id='a'/><node id='b'/>{}",
        "<edge source='a' target='b'/>".repeat(20_000)
    );
    let missing = "<edge source='x' target='y' id='e'/>".repeat(20_000);
    let ampersands = format!("<data key='k'>{}</data>", "&#".repeat(500_000));
    let data = format!(
        "<node id='a'>{}</node>",
        "<data key='k'>&lt;</data>".repeat(20_000)
    );
    let keys: String = (0..20_000)
        .map(|i| format!("<key id='k{i}' for='node' attr.name='title'><default>x</default></key>"))
        .collect();
    let nodes: String = (0..20_000).map(|i| format!("<node id='{i}'/>")).collect();
    for inside in [
        parallel,
        missing,
        ampersands,
        data,
        format!("{keys}{nodes}"),
    ] {
        let text = graphml(&format!("<graph>{inside}</graph>"));
        let reading = must_read(&inside[..40], text.as_bytes());
        let mut flow = reading.flow.clone();
        flow.title = "T".to_owned();
        if let Some((_, _, edge)) = reading.flow.graph.edges().next() {
            flow.graph.remove_edge(&edge.id).expect("there");
        }
        let written = write(&flow, Some(&reading.source)).expect("writes");
        assert!(same_meaning(&must_read("again", &written).flow, &flow));
    }
}
