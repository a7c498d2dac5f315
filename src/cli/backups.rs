//! `backups`: earlier versions of a workfile, what taking one back would change, and taking it back.

use crate::model::changes;
use crate::store::{self, Backup, Home, MergeError, Writer};

use super::ExitCode;
use super::args::BackupsArgs;
use super::exit::Refused;
use super::print;

/// Carries out `backups`.
pub fn backups(home: &Home, args: &BackupsArgs) -> Result<ExitCode, Refused> {
    let path = store::locate(&args.file)?.path();
    let all = store::backups(home, &path)?;
    if let Some(n) = args.show.or(args.restore) {
        let Some(backup) = n.checked_sub(1).and_then(|at| all.get(at)) else {
            let what = format!("there is no version {n} of {}", path.display());
            return Err(Refused::new(
                what,
                "`handmill backups FILE` lists what there is.",
            ));
        };
        return match args.show {
            Some(_) => show(&path, backup),
            None => restore(home, &path, backup),
        };
    }
    if all.is_empty() {
        print::line("No earlier version is kept. The first one is when a save replaces the file.");
    }
    for (at, backup) in all.iter().enumerate() {
        let about = match store::load_backup(&path, backup) {
            Ok(loaded) => print::count(loaded.flow.graph.n_nodes(), "node"),
            Err(why) => format!("cannot be read: {why}"),
        };
        print::line(&format!(
            "{:>3}  {}  {:>9} bytes  {about}",
            at + 1,
            when(backup),
            backup.len
        ));
    }
    Ok(ExitCode::Done)
}

fn when(backup: &Backup) -> String {
    let at = jiff::Timestamp::from_microsecond(backup.written.0).unwrap_or_default();
    let at = at.to_zoned(jiff::tz::TimeZone::system());
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn show(path: &std::path::Path, backup: &Backup) -> Result<ExitCode, Refused> {
    let then = store::load_backup(path, backup)?;
    let now = store::load(path)?;
    let list = changes(&now.flow, &then.flow);
    if list.is_empty() {
        print::line("Taking it back would change nothing.");
    }
    for change in list {
        let value = |value: &Option<String>| print::one_line(value.as_deref().unwrap_or_default());
        print::line(&format!(
            "{}  {} → {}",
            print::one_line(&change.to_string()),
            value(&change.before),
            value(&change.after)
        ));
    }
    Ok(ExitCode::Done)
}

fn restore(home: &Home, path: &std::path::Path, backup: &Backup) -> Result<ExitCode, Refused> {
    let writer = Writer { keep: Some(home) };
    let saved = writer.restore(path, backup).map_err(|why| match why {
        MergeError::Read(why) => Refused::from(why),
        MergeError::Write(why) => Refused::new(format!("failed to {why}"), why.hint()),
    })?;
    print::line(&format!(
        "{} is as it was at {}. What it held before is kept as version 1.",
        path.display(),
        when(backup)
    ));
    if let Some(remark) = saved.remark {
        print::line(&format!("warning: {}. {}", remark.what, remark.hint));
    }
    Ok(ExitCode::Done)
}
