//! `doctor`: how this machine and its folders are, and what to do.

use serde_json::json;

use crate::runtime::health::{self, Row, State};
use crate::store::Home;

use super::ExitCode;
use super::args::DoctorArgs;
use super::print;

/// Carries out `doctor`. What only may surprise is told, and is no failure.
pub fn doctor(home: &Home, args: &DoctorArgs) -> ExitCode {
    let rows = health::look(home, args.collection.as_deref());
    let worst = health::worst(&rows);
    if args.json {
        let all: Vec<_> = rows
            .iter()
            .map(|row| {
                json!({
                    "what": row.what, "state": row.state.word(), "text": row.text,
                    "remedy": row.remedy,
                })
            })
            .collect();
        let object = json!({ "state": worst.word(), "rows": all });
        print::line(&object.to_string());
    } else {
        as_text(&rows, worst);
    }
    match worst {
        State::Ok | State::Warn => ExitCode::Done,
        State::Bad => ExitCode::Failed,
    }
}

fn as_text(rows: &[Row], worst: State) {
    let width = rows.iter().map(|row| row.what.chars().count()).max();
    let width = width.unwrap_or_default().min(32);
    for row in rows {
        let what = print::shown_in_full(&row.what);
        let text = print::shown_in_full(&row.text);
        print::line(&format!("{:<5} {what:<width$}  {text}", row.state.word()));
        if row.state != State::Ok && !row.remedy.is_empty() {
            let gap = " ".repeat(width + 8);
            print::line(&format!("{gap}{}", print::shown_in_full(&row.remedy)));
        }
    }
    let n = |state| rows.iter().filter(|row| row.state == state).count();
    print::line("");
    print::line(&match worst {
        State::Ok => "All is well.".to_owned(),
        State::Warn => format!(
            "All works; {} may surprise.",
            print::count(n(State::Warn), "thing")
        ),
        State::Bad => format!(
            "{} not well.",
            match n(State::Bad) {
                1 => "1 thing is".to_owned(),
                n => format!("{n} things are"),
            }
        ),
    });
}
