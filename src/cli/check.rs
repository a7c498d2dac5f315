//! `check`: reads a workfile and says what is odd about it.

use serde_json::json;

use crate::model::EdgeKind;
use crate::store;

use super::ExitCode;
use super::args::CheckArgs;
use super::exit::Refused;
use super::print;

/// Carries out `check`. A file that can be read is fine, warnings or not.
pub fn check(args: &CheckArgs) -> Result<ExitCode, Refused> {
    // JSON is UTF-8, a path need not be.
    let file = args.file.to_string_lossy();
    let loaded = match store::load(&args.file) {
        Ok(loaded) => loaded,
        Err(why) if args.json => {
            let Refused { what, hint } = why.into();
            print::line(&json!({"file": file, "error": what, "hint": hint}).to_string());
            return Ok(ExitCode::Refused);
        }
        Err(why) => return Err(why.into()),
    };
    let graph = &loaded.flow.graph;
    let n_non_blocking = graph
        .edges()
        .filter(|(_, _, edge)| edge.kind == EdgeKind::NonBlocking)
        .count();
    if args.json {
        let object = json!({
            "file": file, "title": loaded.flow.title, "nodes": graph.n_nodes(), "edges": graph.n_edges(),
            "blocking": graph.n_edges() - n_non_blocking, "non_blocking": n_non_blocking,
            "wrapper": loaded.flow.wrapper.as_ref().map(|wrapper| wrapper.template()),
            "damaged": loaded.damaged, "warnings": loaded.warnings,
        });
        print::line(&object.to_string());
    } else {
        print::line(&format!(
            "{}: {}, {}",
            args.file.display(),
            print::count(graph.n_nodes(), "node"),
            print::count(graph.n_edges(), "edge")
        ));
        for warning in &loaded.warnings {
            print::line(&format!("warning: {warning}"));
        }
        if loaded.damaged {
            print::line(
                "The file is damaged; Handmill will not save over it. Save a copy instead.",
            );
        }
    }
    Ok(ExitCode::Done)
}
