//! Workfiles, text in and text out: plain ones, those of other programs, and odd ones at random.

mod odd;

use std::time::Duration;

use super::*;
use crate::model::{
    Edge, EdgeKind, EdgeSpec, Env, Flow, Frame, FrameId, Node, NodeId, Point, Rect, Trigger,
    Wrapper, parse_resources,
};

const HEAD: &str = "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">";

/// A file with this inside `<graphml>`.
fn file(inside: &str) -> String {
    format!("{HEAD}{inside}</graphml>")
}

const KEYS: &str = "<key id=\"l\" for=\"node\" attr.name=\"label\" attr.type=\"string\"/>\
    <key id=\"x\" for=\"node\" attr.name=\"x\" attr.type=\"string\"/>\
    <key id=\"y\" for=\"node\" attr.name=\"y\" attr.type=\"string\"/>\
    <key id=\"t\" for=\"edge\" attr.name=\"edge_type\" attr.type=\"string\"/>";

fn graph(inside: &str) -> String {
    file(&format!(
        "{KEYS}<graph edgedefault=\"directed\">{inside}</graph>"
    ))
}

fn must_read(text: &str) -> Reading {
    match read(text.as_bytes()) {
        Ok(reading) => reading,
        Err(why) => panic!("{why}\n{text}"),
    }
}

fn warnings(reading: &Reading) -> Vec<String> {
    reading.warnings.iter().map(ToString::to_string).collect()
}

fn written(flow: &Flow, base: Option<&Source>) -> String {
    let bytes = write(flow, base).expect("writes");
    let again = read(&bytes).expect("what is written can be read");
    let text = String::from_utf8(bytes.clone()).expect("UTF-8");
    assert!(
        same_meaning(&again.flow, flow),
        "{text}\n{:#?}\n{flow:#?}",
        again.flow
    );
    let twice = write(&again.flow, Some(&again.source)).expect("writes again");
    assert_eq!(twice, bytes, "the second write changes nothing");
    text
}

fn edge(id: &str, source: &str, target: &str, kind: EdgeKind) -> EdgeSpec {
    EdgeSpec {
        edge: Edge {
            id: id.into(),
            kind,
        },
        source: source.into(),
        target: target.into(),
    }
}

fn sample() -> Flow {
    let mut flow = Flow::default();
    for (id, command, x) in [("a", "echo a", 0.0), ("b", "echo <b> &&\necho", 10.256)] {
        let node = Node::new(id, command, Point { x, y: -1.5 });
        flow.graph.add_node(node).expect("fresh");
    }
    flow.graph
        .add_edge(edge("e1", "a", "b", EdgeKind::NonBlocking))
        .expect("fresh");
    flow
}

#[test]
fn a_new_file_is_in_canonical_style() {
    let text = written(&sample(), None);
    expect_test::expect![[r#"
        <?xml version='1.0' encoding='utf-8'?>
        <graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">
          <key id="d0" for="node" attr.name="label" attr.type="string" />
          <key id="d1" for="node" attr.name="x" attr.type="double" />
          <key id="d2" for="node" attr.name="y" attr.type="double" />
          <key id="d3" for="edge" attr.name="edge_type" attr.type="string" />
          <graph edgedefault="directed">
            <node id="a">
              <data key="d0">echo a</data>
              <data key="d1">0</data>
              <data key="d2">-1.5</data>
            </node>
            <node id="b">
              <data key="d0">echo &lt;b&gt; &amp;&amp;
        echo</data>
              <data key="d1">10.26</data>
              <data key="d2">-1.5</data>
            </node>
            <edge source="a" target="b" id="e1">
              <data key="d3">non-blocking</data>
            </edge>
          </graph>
        </graphml>
    "#]]
    .assert_eq(&text);
    assert_eq!(subgraph_text(&sample(), &["a".into(), "b".into()]), text);
}

#[test]
fn an_empty_flow_is_a_file_too() {
    let text = written(&Flow::default(), None);
    assert!(
        text.contains("  <graph edgedefault=\"directed\" />\n"),
        "{text}"
    );
}

fn full() -> Flow {
    let mut flow = sample();
    flow.title = "Nightly \"load\"".into();
    flow.group = "Imports".into();
    flow.trigger = Trigger::Poll;
    flow.wrapper = Some(Wrapper::new("bash -c '. env.sh && {}'"));
    flow.shell = "zsh".into();
    flow.cwd = "sub dir".into();
    flow.env = Env(vec![("A".into(), "1".into()), ("B".into(), " x=y".into())]);
    flow.max_passes = Some(3);
    flow.jobs_max = Some(2);
    flow.frames = vec![Frame {
        id: FrameId("f".into()),
        rect: Rect {
            x: -1.0,
            y: 2.5,
            w: 3.0,
            h: 4.0,
        },
        title: "T".into(),
        text: "one\ntwo".into(),
    }];
    let node = flow.graph.node_mut(&"a".into()).expect("there");
    node.title = "First".into();
    node.disabled = true;
    node.cwd = "/tmp".into();
    node.env = Env(vec![("C".into(), "3".into())]);
    node.timeout = Some(Duration::from_millis(1_500));
    node.retries = 2;
    node.retry_delay = Duration::from_secs(10);
    node.resources = parse_resources("DB_URL TOKEN").0;
    flow
}

#[test]
fn every_attribute_is_written_and_read_back() {
    let text = written(&full(), None);
    assert_eq!(text.matches("<key ").count(), 22, "{text}");
    let reading = must_read(&text);
    assert_eq!(warnings(&reading), [""; 0]);
    // And taken out again, down to a file that says none of them.
    let plain = written(&sample(), Some(&reading.source));
    assert_eq!(plain.matches("<data").count(), 8, "{plain}");
}

#[test]
fn a_trigger_is_read_by_its_word_and_one_that_is_unknown_is_told_and_kept() {
    let with = |word: &str| {
        let key = "<key id=\"t\" for=\"graph\" attr.name=\"trigger\" attr.type=\"string\"/>";
        graph(&format!("<data key=\"t\">{word}</data>")).replacen(
            "<graph ",
            &format!("{key}<graph "),
            1,
        )
    };
    for (word, means) in [
        ("poll", Trigger::Poll),
        (" Schedule\n", Trigger::Schedule),
        ("", Trigger::Manual),
    ] {
        let reading = must_read(&with(word));
        assert_eq!(reading.flow.trigger, means, "{word:?}");
        assert_eq!(warnings(&reading), [""; 0], "{word:?}");
    }
    let text = with("full moon");
    let reading = must_read(&text);
    assert_eq!(reading.flow.trigger, Trigger::Manual);
    assert!(
        warnings(&reading)[0].contains("full moon"),
        "{:?}",
        warnings(&reading)
    );
    assert_eq!(written(&reading.flow, Some(&reading.source)), text);
}

#[test]
fn attributes_added_to_a_foreign_file_take_its_style() {
    let text = graph(
        "<data key=\"z\"/><node id=\"a\"/>\r\n<node id='b'><data key='l'>x</data></node>\r\n<!-- c -->",
    );
    let mut flow = must_read(&text).flow;
    flow.title = "T".into();
    flow.graph.node_mut(&"a".into()).expect("there").title = "A".into();
    flow.graph.node_mut(&"b".into()).expect("there").command = "x\ny".into();
    let base = must_read(&text).source;
    let new = written(&flow, Some(&base));
    let wanted = text
        .replace(
            "string\"/><graph",
            "string\"/>\
            <key id=\"d0\" for=\"graph\" attr.name=\"title\" attr.type=\"string\"/>\
            <key id=\"d1\" for=\"node\" attr.name=\"title\" attr.type=\"string\"/><graph",
        )
        .replace(
            "<data key=\"z\"/>",
            "<data key=\"z\"/>\r\n<data key=\"d0\">T</data>",
        )
        .replace(
            "<node id=\"a\"/>",
            "<node id=\"a\"><data key=\"d1\">A</data></node>",
        )
        .replace(">x</data>", ">x\r\ny</data>");
    assert_eq!(new, wanted);
}

#[test]
fn a_move_changes_two_lines_and_a_removal_takes_whole_lines() {
    let text = written(&full(), None);
    let reading = must_read(&text);
    let mut flow = reading.flow.clone();
    flow.graph.node_mut(&"b".into()).expect("there").pos = Point { x: 7.0, y: 8.125 };
    let moved = written(&flow, Some(&reading.source));
    let differing = text
        .lines()
        .zip(moved.lines())
        .filter(|(a, b)| a != b)
        .count();
    assert_eq!(
        (differing, text.lines().count()),
        (2, moved.lines().count())
    );

    let mut flow = reading.flow.clone();
    flow.graph.remove_node(&"b".into()).expect("there");
    let less = written(&flow, Some(&reading.source));
    let kept: Vec<&str> = less.lines().collect();
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines.len() == kept.len() + 9 && kept.iter().all(|l| lines.contains(l)),
        "{less}"
    );
}

#[test]
fn nodes_without_places_are_pinned_when_the_graph_changes() {
    let text = graph("<node id='a'/><node id='b'/><edge source='a' target='b'/>");
    let reading = must_read(&text);
    assert_eq!(warnings(&reading), [""; 0]);
    let mut flow = reading.flow.clone();
    assert!(flow.graph.node(&"b".into()).expect("there").pos.y > 0.0);
    // A command does not move anything.
    flow.graph.node_mut(&"a".into()).expect("there").command = "true".into();
    assert!(!written(&flow, Some(&reading.source)).contains("key=\"x\""));
    flow.graph.remove_node(&"a".into()).expect("there");
    let new = written(&flow, Some(&reading.source));
    assert!(
        new.contains("<node id='b'><data key=\"x\">0</data><data key=\"y\">120</data></node>"),
        "{new}"
    );
}

#[test]
fn a_key_whose_type_is_too_narrow_is_widened() {
    let text = graph("<node id='a'><data key='x'>1</data><data key='y'>2</data></node>").replace(
        "attr.name=\"x\" attr.type=\"string\"",
        "attr.name=\"x\" attr.type=\"long\"",
    );
    let reading = must_read(&text);
    let mut flow = reading.flow.clone();
    flow.graph.node_mut(&"a".into()).expect("there").pos.x = 5.0;
    assert!(written(&flow, Some(&reading.source)).contains("attr.name=\"x\" attr.type=\"long\""));
    flow.graph.node_mut(&"a".into()).expect("there").pos.x = 5.5;
    assert!(written(&flow, Some(&reading.source)).contains("attr.name=\"x\" attr.type=\"double\""));
}

#[test]
fn defaults_of_keys_count_and_are_overruled_only_where_changed() {
    let text = file(
        "<graph edgedefault=\"directed\"><node id=\"a\"/><node id=\"b\"><data key=\"r\">1</data></node>\
         <edge source=\"a\" target=\"b\"/></graph>\
         <key id=\"r\" for=\"all\" attr.name=\"retries\" attr.type=\"int\"><default>3</default></key>\
         <key id=\"t\" attr.name=\"edge_type\" attr.type=\"string\"><default>non_blocking</default></key>",
    );
    let reading = must_read(&text);
    let retries =
        |flow: &Flow, id: &str| flow.graph.node(&NodeId::from(id)).expect("there").retries;
    assert_eq!(
        (retries(&reading.flow, "a"), retries(&reading.flow, "b")),
        (3, 1)
    );
    let mut flow = reading.flow.clone();
    for id in ["a", "b"] {
        flow.graph.node_mut(&id.into()).expect("there").retries = 0;
    }
    flow.graph
        .set_edge_kind(&"a->b".into(), EdgeKind::Blocking)
        .expect("there");
    let new = written(&flow, Some(&reading.source));
    assert_eq!(new.matches("<data key=\"r\">0</data>").count(), 2, "{new}");
    assert!(new.contains("<data key=\"t\">blocking</data>"), "{new}");
}

#[test]
fn a_default_begins_where_its_start_tag_ends() {
    let keys =
        "<key id=\"l\" for=\"node\" attr.name=\"label\"><default note='a>b'>echo</default></key>";
    let text = file(&format!("{keys}<graph><node id='a'/></graph>"));
    let reading = must_read(&text);
    let node = reading.flow.graph.node(&"a".into()).expect("there");
    assert_eq!(node.command, "echo");
}

#[test]
fn an_undirected_file_becomes_directed_when_its_edges_change() {
    let text = graph(
        "\n<node id='a'/>\n<node id='b'/>\n<edge source='a' target='b'/>\n<edge source='b' target='b' directed='true'/>\n",
    )
    .replace("\"directed\"", "\"undirected\"");
    let reading = must_read(&text);
    assert_eq!(reading.flow.graph.n_edges(), 3);
    let same = write(&reading.flow, Some(&reading.source)).expect("writes");
    assert_eq!(same, text.as_bytes());
    let mut flow = reading.flow.clone();
    flow.graph
        .set_edge_kind(&"b->a".into(), EdgeKind::NonBlocking)
        .expect("there");
    let new = written(&flow, Some(&reading.source));
    assert!(new.contains("edgedefault=\"directed\""), "{new}");
    assert!(
        new.contains("<edge source=\"b\" target=\"a\" id=\"b-&gt;a\">"),
        "{new}"
    );
    flow.graph.remove_edge(&"a->b".into()).expect("there");
    flow.graph.remove_edge(&"b->a".into()).expect("there");
    written(&flow, Some(&reading.source));
}

#[test]
fn parallel_edges_keep_their_names_when_one_goes() {
    let text = graph(
        "<node id='a'/><node id='b'/><edge source='a' target='b'/><edge source='a' target='b'/><edge source='a' target='b' id='a->b'/>",
    );
    let reading = must_read(&text);
    for gone in ["a->b", "a->b#2", "a->b#3"] {
        let mut flow = reading.flow.clone();
        flow.graph.remove_edge(&gone.into()).expect("there");
        written(&flow, Some(&reading.source));
    }
}

#[test]
fn an_edge_to_a_missing_node_is_kept_in_the_file_only() {
    let text = graph("<node id='a'/>\n<edge id='e7' source='a' target='zz'/>");
    let reading = must_read(&text);
    assert_eq!(
        warnings(&reading),
        ["line 2: edge ‘e7’: no node ‘zz’; the edge is left out and stays in the file"]
    );
    let mut flow = reading.flow.clone();
    flow.title = "T".into();
    assert!(written(&flow, Some(&reading.source)).contains("e7"));
    // Were the node made, the edge would come back unseen.
    flow.graph
        .add_node(Node::new("zz", "", Point::default()))
        .expect("fresh");
    assert!(!written(&flow, Some(&reading.source)).contains("e7"));
}

#[test]
fn odd_values_are_told_and_left_as_they_are() {
    let keys = [
        "retries",
        "timeout",
        "retry_delay",
        "disabled",
        "status",
        "env",
    ]
    .map(|name| {
        format!("<key id=\"{name}\" for=\"node\" attr.name=\"{name}\" attr.type=\"string\"/>")
    })
    .concat();
    let text = graph(
        "\n<node id='a'><data key='retries'>-1</data><data key='timeout'>1e999</data></node>\
         \n<node id='b'><data key='x'>nan</data><data key='y'>1e999</data><data key='status'>bogus</data></node>\
         \n<node id='c'><data key='x'>1</data><data key='y'>2</data><data key='disabled'>perhaps</data><data key='env'>=</data></node>\
         \n<node id='A'><data key='status'>running</data></node>\
         \n<edge source='a' target='b'><data key='t'>weird</data></edge>",
    )
    .replace("<graph ", &format!("{keys}<graph "));
    let reading = must_read(&text);
    expect_test::expect![[r#"
        line 5: node ids ‘a’ and ‘A’ differ only by case
        line 2: retries ‘-1’ of node ‘a’ must be 0…10 000; read as 0
        line 2: timeout ‘1e999’ of node ‘a’ must be seconds from 0 to a year; left out
        line 3: status ‘bogus’ of node ‘b’ is not known; read as idle
        line 4: disabled ‘perhaps’ of node ‘c’ must be true or false; read as false
        line 4: env ‘=’ is not NAME=value; left out
        nodes marked as running by another program (1) are read as idle
        line 2: nodes without a usable position (3, the first here) are placed automatically
        line 6: edge type ‘weird’ is not known; read as blocking"#]]
    .assert_eq(&warnings(&reading).join("\n"));
    let same = write(&reading.flow, Some(&reading.source)).expect("writes");
    assert_eq!(same, text.as_bytes());
}

#[test]
fn a_cut_file_gives_what_stands_before_and_is_never_saved_over() {
    let text = written(&sample(), None);
    let mut n_damaged = 0;
    for cut in (0..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
        let Ok(reading) = read(&text.as_bytes()[..cut]) else {
            continue;
        };
        if !reading.damaged {
            // Only what follows the document may be missing.
            assert!(text[cut..].trim().is_empty(), "cut at {cut}");
            continue;
        }
        n_damaged += 1;
        assert!(
            warnings(&reading).iter().any(|w| w.contains("ends inside")),
            "{cut}: {:?}",
            reading.warnings
        );
        let mut flow = reading.flow.clone();
        for node in flow.graph.nodes() {
            let whole = sample();
            let command = &whole.graph.node(&node.id).expect("one of these").command;
            assert!(
                node.command.is_empty() || node.command == *command,
                "half a command"
            );
        }
        assert_eq!(
            write(&flow, Some(&reading.source)).expect("same"),
            &text.as_bytes()[..cut]
        );
        flow.title = "T".into();
        assert_eq!(
            write(&flow, Some(&reading.source)),
            Err(WriteError::Damaged)
        );
    }
    assert!(n_damaged > 300, "{n_damaged}");
    let cut = text.find("echo</data>").expect("there");
    let reading = must_read(&text[..cut]);
    assert!(
        warnings(&reading)
            .iter()
            .any(|w| w.contains("the file ends inside <node id=‘b’>"))
    );
}

#[test]
fn broken_in_the_middle_is_damaged_too() {
    let text = graph("<node id='a'/>\n<node id='b'></edge><node id='c'/>");
    let reading = must_read(&text);
    assert!(reading.damaged);
    assert_eq!(reading.flow.graph.n_nodes(), 2);
    assert!(
        warnings(&reading)[0].starts_with("line 2: the file is broken here, inside <node id=‘b’>"),
        "{:?}",
        reading.warnings
    );
}

#[test]
fn characters_that_xml_cannot_hold_are_healed_by_the_next_change() {
    let text = graph("<node id='a'><data key='l'>x\u{1b}[0m &#7;</data></node>");
    let reading = must_read(&text);
    assert_eq!(reading.warnings.len(), 1, "{:?}", reading.warnings);
    assert_eq!(
        reading.flow.graph.node(&"a".into()).expect("there").command,
        "x␛[0m ␇"
    );
    let same = write(&reading.flow, Some(&reading.source)).expect("writes");
    assert_eq!(same, text.as_bytes());
    let mut flow = reading.flow.clone();
    flow.title = "T".into();
    assert!(written(&flow, Some(&reading.source)).contains("x␛[0m ␇"));
    flow.graph.node_mut(&"a".into()).expect("there").command = "\u{1b}".into();
    let why = write(&flow, Some(&reading.source))
        .expect_err("refused")
        .to_string();
    assert_eq!(
        why,
        "the command of node ‘a’ holds the control character U+001B, which XML cannot hold; take it out"
    );
    assert!(subgraph_text(&flow, &["a".into()]).contains('␛'));
}

#[test]
fn an_env_that_would_not_read_back_is_refused() {
    let mut flow = sample();
    for env in [("A", "x\nB=y"), ("A=B", "x"), ("", "x")] {
        flow.env = Env(vec![(env.0.into(), env.1.into())]);
        let why = write(&flow, None).expect_err("refused");
        assert!(matches!(why, WriteError::Env { .. }), "{why}");
    }
}

#[test]
fn a_character_beyond_the_encoding_switches_the_declaration() {
    let text = format!(
        "<?xml version='1.0' encoding='iso-8859-1'?>\n{}",
        graph("<node id='a'><data key='l'>hä</data></node>")
    );
    let bytes: Vec<u8> = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).expect("latin"))
        .collect();
    let reading = read(&bytes).expect("reads");
    let mut flow = reading.flow.clone();
    flow.graph.node_mut(&"a".into()).expect("there").command = "hö".into();
    let latin = write(&flow, Some(&reading.source)).expect("writes");
    assert_eq!(latin.len(), bytes.len());
    flow.graph.node_mut(&"a".into()).expect("there").command = "→".into();
    let utf8 =
        String::from_utf8(write(&flow, Some(&reading.source)).expect("writes")).expect("UTF-8");
    assert_eq!(utf8, text.replace("iso-8859-1", "utf-8").replace("hä", "→"));
}

#[test]
fn prefixed_elements_and_foreign_ones_are_told_apart() {
    let text = "<g:graphml xmlns:g=\"http://graphml.graphdrawing.org/xmlns\" xmlns:y=\"u\">\
        <g:key id=\"l\" for=\"node\" attr.name=\"label\" attr.type=\"string\"/>\
        <g:graph edgedefault=\"directed\"><g:node id=\"a\"><g:data key=\"l\">x<y:node id=\"no\">no</y:node></g:data></g:node>\
        <y:node id=\"a\"/></g:graph></g:graphml>";
    let reading = must_read(text);
    assert_eq!(warnings(&reading), [""; 0]);
    assert_eq!(
        reading.flow.graph.node(&"a".into()).expect("there").command,
        "x"
    );
    let mut flow = reading.flow.clone();
    flow.graph
        .add_node(Node::new("b", "y", Point::default()))
        .expect("fresh");
    assert!(
        written(&flow, Some(&reading.source))
            .contains("<g:node id=\"b\"><g:data key=\"l\">y</g:data>")
    );
}

#[test]
fn ids_that_look_alike_are_told() {
    let file = |a: &str, b: &str| {
        format!("<graphml><graph><node id=\"{a}\"/><node id=\"{b}\"/></graph></graphml>")
    };
    for (a, b, says) in [
        ("Build", "build", Some("only by case")),
        ("caf\u{e9}", "cafe\u{301}", Some("Unicode normal form")),
        ("\u{fb01}t", "fit", Some("Unicode normal form")),
        ("\u{c9}", "\u{e9}", Some("only by case")),
        ("a", "b", None),
    ] {
        let reading = read(file(a, b).as_bytes()).expect("reads");
        let told = reading.warnings.iter().map(|warning| warning.text.as_str());
        let alike: Vec<&str> = told.filter(|text| text.contains("differ only")).collect();
        assert_eq!(alike.len(), usize::from(says.is_some()), "{alike:?}");
        assert!(
            alike.iter().all(|text| text.contains(says.unwrap_or("?"))),
            "{alike:?}"
        );
    }
}

#[test]
fn conflict_markers_left_in_a_command_are_told_with_node_and_line() {
    let file = |command: &str| {
        format!(
            "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n\
             <key id=\"c\" for=\"node\" attr.name=\"label\" attr.type=\"string\"/>\n\
             <graph edgedefault=\"directed\">\n<node id=\"a\"><data key=\"c\">{command}</data></node>\n\
             </graph></graphml>"
        )
    };
    let left = "make\n&lt;&lt;&lt;&lt;&lt;&lt;&lt; HEAD\nmake a\n=======\nmake b\n>>>>>>> other\n";
    let reading = read(file(left).as_bytes()).expect("a workfile");
    assert!(!reading.damaged);
    let [warning] = &reading.warnings[..] else {
        panic!("{:?}", reading.warnings);
    };
    assert_eq!(warning.line, Some(4));
    assert!(
        warning.text.contains("‘a’ holds git's conflict markers"),
        "{warning}"
    );
    for fine in [
        "cat &lt;&lt;&lt;&lt;&lt;&lt;&lt; x",
        "=======",
        "a\n>>>>>>> b",
    ] {
        let reading = read(file(fine).as_bytes()).expect("a workfile");
        assert!(reading.warnings.is_empty(), "{:?}", reading.warnings);
    }
}

#[test]
fn what_stands_in_a_comment_or_in_cdata_is_no_conflict_and_no_reference() {
    let inside = "<!-- &#7; -->\n<node id='a'><data key='l'><![CDATA[cat <<END\n<<<<<<< ours &#7;\nEND]]></data></node>";
    let text = graph(inside);
    let reading = must_read(&text);
    assert_eq!(warnings(&reading), Vec::<String>::new());
    let mut flow = reading.flow.clone();
    flow.graph.node_mut(&"a".into()).expect("there").title = "T".to_owned();
    let after = written(&flow, Some(&reading.source));
    assert!(after.contains("<!-- &#7; -->") && after.contains("<<<<<<< ours &#7;\nEND]]>"));
}
