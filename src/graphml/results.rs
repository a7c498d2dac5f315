//! Results of nodes in a workfile, for those who share it with programs that look for them there.

use std::collections::HashMap;

use super::change::Change;
use super::element::Layout;
use super::error::WriteError;
use super::keys::Field;
use super::source::Source;
use super::write::write_node_data;
use crate::model::{FileResult, NodeId, NodeStatus};

/// The text of the base with these results in it: status and exit code, and no output of an older
/// run beside them. Nodes that `results` does not name stay as they are, and so does everything
/// else. A node that is idle says so by having no status. What the file says already changes no byte.
pub fn write_results(
    base: &Source,
    results: &HashMap<NodeId, FileResult>,
) -> Result<Vec<u8>, WriteError> {
    let (layout, text) = (&base.0.layout, &base.0.text);
    let mut nodes = Vec::new();
    for (place, element) in layout.nodes.iter().enumerate() {
        let Some(result) = results.get(&element.id) else {
            continue;
        };
        let data = layout.data_of(element.data);
        let differs = |(field, value): &Change| match (Layout::find(data, *field), value) {
            (None, None) => false,
            (Some(there), Some(value)) => there.element.inner.of(text).trim() != value,
            (Some(_), None) | (None, Some(_)) => true,
        };
        let changes: Vec<Change> = changes(result).into_iter().filter(differs).collect();
        if !changes.is_empty() {
            nodes.push((place, changes));
        }
    }
    write_node_data(base, nodes)
}

/// The data by which a node says how its last run went, as other programs read it.
fn changes(result: &FileResult) -> [Change; 5] {
    let status = match result.status {
        NodeStatus::Ran => Some("ran".to_owned()),
        NodeStatus::Failed => Some("fail".to_owned()),
        _ => None,
    };
    [
        (Field::Status, status),
        (Field::ErrorCode, result.exit.map(|exit| exit.to_string())),
        (Field::Stdout, None),
        (Field::Stderr, None),
        (Field::Log, None),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphml::{read_text, same_meaning};

    const FILE: &str = "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n\
        <key id=\"l\" for=\"node\" attr.name=\"label\" attr.type=\"string\"/>\n\
        <key id=\"o\" for=\"node\" attr.name=\"stdout\" attr.type=\"string\"/>\n\
        <key id=\"u\" for=\"node\" attr.name=\"mine\" attr.type=\"string\"/>\n\
        <graph edgedefault=\"directed\"><!-- kept -->\n\
        <node id=\"a\"><data key=\"l\">true</data><data key=\"o\">old</data></node>\n\
        <node id=\"b\"><data key=\"l\">false</data><data key=\"u\">x</data></node>\n\
        <node id=\"c\"><data key=\"l\">: c</data><data key=\"o\">not of this run</data></node>\n\
        </graph>\n</graphml>\n";

    fn results(text: &str) -> HashMap<NodeId, FileResult> {
        let one = |word: &str| {
            let (id, status) = word.split_once('=').expect("a status");
            let status = NodeStatus::from_word(status);
            let exit = (status == NodeStatus::Failed).then_some(7);
            let result = FileResult {
                status,
                exit,
                ..FileResult::default()
            };
            (NodeId::new(id), result)
        };
        text.split_whitespace().map(one).collect()
    }

    fn written(text: &str, with: &str) -> String {
        let base = read_text(text).expect("a workfile").source;
        let bytes = write_results(&base, &results(with)).expect("written");
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn results_are_read_back_and_nothing_else_changes() {
        let text = written(FILE, "a=ran b=failed");
        let (was, is) = (read_text(FILE), read_text(&text));
        let (was, is) = (was.expect("a workfile"), is.expect("a workfile"));
        assert!(same_meaning(&was.flow, &is.flow));
        let status = |id: &str| is.results.nodes.get(&NodeId::new(id)).cloned();
        let b = status("b").expect("a result");
        assert_eq!((b.status, b.exit), (NodeStatus::Failed, Some(7)));
        let a = status("a").expect("a result");
        assert_eq!(
            (a.status, a.stdout.as_str()),
            (NodeStatus::Ran, ""),
            "an older run's output"
        );
        assert!(text.contains("not of this run") && text.contains("<!-- kept -->"));
        assert!(text.contains("<data key=\"u\">x</data>"), "{text}");
    }

    #[test]
    fn the_same_results_change_no_byte_and_idle_takes_them_out() {
        let once = written(FILE, "a=ran b=failed");
        assert_eq!(written(&once, "a=ran b=failed"), once);
        assert_eq!(
            written(&once, "x=ran"),
            once,
            "a node that the file has no more"
        );
        let cleared = written(&once, "a=idle b=idle");
        let read = read_text(&cleared).expect("a workfile");
        let told = read
            .results
            .nodes
            .keys()
            .map(NodeId::as_str)
            .collect::<Vec<_>>();
        assert_eq!(told, ["c"], "{cleared}");
    }
}
