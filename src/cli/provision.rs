//! `provision`: makes what a folder lacks of a workspace.

use serde_json::json;

use crate::store::{self, Collection, Home, Settings};

use super::ExitCode;
use super::args::ProvisionArgs;
use super::exit::Refused;
use super::print;

/// Carries out `provision`.
pub fn provision(home: &Home, args: &ProvisionArgs) -> Result<ExitCode, Refused> {
    let settings = Settings::look(home).settings;
    let configured = Collection::of_process(args.collection.as_deref(), &settings);
    let root = configured
        .as_ref()
        .map(|collection| collection.root.as_path());
    let done = store::provision(&args.path, root)?;
    if args.json {
        let texts = |paths: &[std::path::PathBuf]| -> Vec<String> {
            paths
                .iter()
                .map(|path| path.to_string_lossy().into_owned())
                .collect()
        };
        let object = json!({
            "workspace": done.workspace.to_string_lossy(),
            "collection": done.collection.as_ref().map(|path| path.to_string_lossy()),
            "created": texts(&done.created), "kept": texts(&done.kept),
        });
        print::line(&object.to_string());
        return Ok(ExitCode::Done);
    }
    for (word, paths) in [("made", &done.created), ("kept", &done.kept)] {
        for path in paths {
            print::line(&format!("{word}  {}", path.display()));
        }
    }
    Ok(ExitCode::Done)
}
