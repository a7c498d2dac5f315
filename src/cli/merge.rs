//! `merge`: git's merge driver for workfiles, and its two lines of configuration.

use std::path::Path;

use crate::store::{self, MergeError};

use super::ExitCode;
use super::args::MergeArgs;
use super::exit::Refused;
use super::print;

/// Carries out `merge`. Exit 0: merged; 1: something is to be chosen, and the file holds our choice; 2: one of the
/// three cannot be read, and the file is as it was. Git takes both for a conflict.
pub fn merge(args: &MergeArgs) -> Result<ExitCode, Refused> {
    if args.install {
        return install(args.global);
    }
    let (Some(base), Some(ours), Some(theirs)) = (&args.base, &args.ours, &args.theirs) else {
        return Err(Refused::new(
            "three files are needed: the common ancestor, ours and theirs",
            "As a merge driver git gives them; `handmill merge --install` sets it up.",
        ));
    };
    let merged = store::merge_files(base, ours, theirs).map_err(|why| match why {
        MergeError::Read(why) => Refused::from(why),
        MergeError::Write(why) => Refused::new(format!("failed to {why}"), why.hint()),
    })?;
    let name = args.name.as_deref().unwrap_or(ours);
    let n = merged.conflicts.len();
    for conflict in &merged.conflicts {
        let value = |value: &Option<String>| match value.as_deref() {
            None => "removed".to_owned(),
            Some("") => "(none)".to_owned(),
            Some(text) => print::one_line(text),
        };
        let what = match conflict.field {
            "" => conflict.subject.to_string(),
            field => format!("{}: {field}", conflict.subject),
        };
        let pick = match conflict.pick {
            store::Side::Ours => "ours",
            store::Side::Theirs => "theirs",
        };
        print::line(&format!(
            "conflict: {}: ours {} | theirs {} | {pick} is in the file",
            print::one_line(&what),
            value(&conflict.ours),
            value(&conflict.theirs)
        ));
    }
    for line in &merged.left_out {
        print::line(&format!(
            "left out: {} (both sides changed what other programs keep in the file; theirs is in it)",
            print::one_line(line)
        ));
    }
    if n == 0 && merged.left_out.is_empty() {
        return Ok(ExitCode::Done);
    }
    print::line(&format!(
        "{}: {} to be chosen. Open it in Handmill and choose “Merge both sides”, or edit it, then `git add` it.",
        name.display(),
        print::count(n + merged.left_out.len(), "thing")
    ));
    Ok(ExitCode::Failed)
}

fn install(global: bool) -> Result<ExitCode, Refused> {
    let program = std::env::current_exe()
        .ok()
        .and_then(|path| path.to_str().map(quoted))
        .unwrap_or_else(|| "handmill".to_owned());
    let lines = [
        (
            "merge.handmill.name".to_owned(),
            "Handmill workfiles".to_owned(),
        ),
        (
            "merge.handmill.driver".to_owned(),
            format!("{program} merge %O %A %B %P"),
        ),
    ];
    let dir = (!global).then_some(Path::new("."));
    store::set_merge_driver(dir, &lines)?;
    for (name, value) in &lines {
        print::line(&format!("{name} = {value}"));
    }
    print::line("Git uses it where .gitattributes says so; add these lines to it and commit it:");
    for pattern in ["*.graphml", "*.wf", "Workfile"] {
        print::line(&format!("{pattern} merge=handmill"));
    }
    Ok(ExitCode::Done)
}

/// For the shell that git starts a driver with.
fn quoted(path: &str) -> String {
    format!("'{}'", path.replace('\'', r"'\''"))
}
