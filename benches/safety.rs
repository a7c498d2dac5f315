//! What safety costs on a workfile of 10 000 nodes and 20 000 edges: load, save, merge, and the journal's part of an
//! edit. Prints a line each; `cargo bench --bench safety`.
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench prints its figures, and ends at the first surprise"
)]

use std::sync::Arc;
use std::time::Instant;

use handmill::editor::{Arrival, DiskState, Document, Reaction, Seen, Version, react};
use handmill::graphml;
use handmill::model::{
    Edge, EdgeKind, EdgeSpec, Edit, Flow, Node, NodeField, Point, Timestamp, merge,
};
use handmill::store::{self, Home, Writer};

const NODES: usize = 10_000;

fn main() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("large.graphml");
    let home = Home::at(dir.path().join("home"));
    let base = flow();
    store::save(&path, &base, None).expect("saved");
    let loaded = timed("load", 9, || store::load(&path).expect("loaded"));

    let (mut n, mut stamp) = (0, loaded.stamp.clone());
    let writer = Writer { keep: Some(&home) };
    timed(
        "save, with its syncs and the version before kept",
        9,
        || {
            n += 1;
            let mut flow = loaded.flow.clone();
            command(&mut flow, n, "changed");
            let saved = writer.save(&path, &flow, Some(&stamp)).expect("saved");
            stamp = saved.stamp;
        },
    );
    let source = graphml::write(&base, None).expect("written");
    timed("of which writing and reading back, no disk", 9, || {
        let read = graphml::read(&source).expect("read");
        graphml::write(&loaded.flow, Some(&read.source)).expect("written");
    });

    let (mut ours, mut theirs) = (base.clone(), base.clone());
    for at in 0..NODES {
        match at % 3 {
            0 => command(&mut ours, at, "ours"),
            1 => command(&mut theirs, at, "theirs"),
            _ => {}
        }
    }
    timed("merge of two versions, a third changed by each", 9, || {
        assert!(merge::merge(&base, &ours, &theirs).conflicts.is_empty());
    });
    let flow_ref = store::locate(&path).expect("located");
    let on_disk = DiskState::InStep(loaded.stamp.clone());
    let mut doc = Document::new(flow_ref.clone(), Arc::new(base.clone()), on_disk);
    doc.apply(edit(0)).expect("applies");
    let version = Version {
        flow: Arc::new(theirs.clone()),
        results: Arc::default(),
        warnings: Arc::default(),
        damaged: false,
        stamp: loaded.stamp.clone(),
        is_trusted: true,
    };
    let arrival = timed(
        "the saver's part when another program changed it",
        9,
        || Arrival::new(doc.standing(), version.clone()),
    );
    let mut copies: Vec<_> = (0..9)
        .map(|_| (doc.clone(), Box::new(arrival.clone())))
        .collect();
    timed("the window's part, with its note to the journal", 9, || {
        let (mut doc, arrival) = copies.pop().expect("one per try");
        let reaction = react(&mut doc, Seen::Changed(arrival));
        let note = doc.journal(0, Timestamp(0)).expect("a note");
        assert!(matches!(reaction, Reaction::Merged(..)));
        (doc, note)
    });
    let on_disk = DiskState::InStep(loaded.stamp.clone());
    let mut doc = Document::new(flow_ref, Arc::new(base), on_disk);
    let mut n = 0;
    timed("an edit and its note to the journal", 1_000, || {
        n = (n + 1) % NODES;
        doc.apply(edit(n)).expect("applies");
        doc.journal(0, Timestamp(0)).expect("a note");
    });
}

fn flow() -> Flow {
    let mut flow = Flow::default();
    for n in 0..NODES {
        let at = Point {
            x: (n % 100) as f64 * 240.0,
            y: (n / 100) as f64 * 96.0,
        };
        let command = format!("make part-{n}.o && echo done");
        let node = Node::new(format!("node-{n}").as_str(), command, at);
        flow.graph.add_node(node).expect("names differ");
    }
    for n in 0..2 * NODES {
        let spec = EdgeSpec {
            edge: Edge {
                id: format!("edge-{n}").as_str().into(),
                kind: EdgeKind::Blocking,
            },
            source: format!("node-{}", n % NODES).as_str().into(),
            target: format!("node-{}", (n % NODES + 1 + n / NODES * 98).min(NODES - 1))
                .as_str()
                .into(),
        };
        flow.graph.add_edge(spec).expect("ends are there");
    }
    flow
}

fn command(flow: &mut Flow, n: usize, what: &str) {
    let id = format!("node-{n}");
    let node = flow.graph.node_mut(&id.as_str().into()).expect("there");
    node.command = format!("echo {what} {n}");
}

fn edit(n: usize) -> Edit {
    Edit::SetNode {
        id: format!("node-{n}").as_str().into(),
        field: NodeField::Command(format!("echo mine {n}")),
    }
}

/// What a person waits for: the median and the worst of so many tries.
fn timed<T>(what: &str, times: usize, mut work: impl FnMut() -> T) -> T {
    let mut all = Vec::with_capacity(times);
    let mut last = None;
    for _ in 0..times {
        let begun = Instant::now();
        last = Some(work());
        all.push(begun.elapsed());
    }
    all.sort_unstable();
    let ms = |at: usize| all[at].as_secs_f64() * 1e3;
    println!(
        "{what}: {:.2} ms median, {:.2} ms worst of {times}",
        ms(times / 2),
        ms(times - 1)
    );
    last.expect("at least once")
}
