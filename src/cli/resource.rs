//! `resource`: names of resources and their values in the keyring. A value is read from a terminal without being
//! shown, or from standard input; it is never an argument, which every process of the machine could read.

use std::io::{IsTerminal as _, Read as _, stdin};

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::model::{Notice, ResourceName, SECRET_MAX, Secret};
use crate::runtime::resources::{Keep, KeyringState, ResourceView, Resources, Standing};
use crate::store::Home;

use super::ExitCode;
use super::args::{ResourceListArgs, ResourceNames, ResourceSetArgs, ResourceVerb};
use super::exit::Refused;
use super::print;
use super::prompt;

/// Carries out `resource`.
pub fn resource(home: &Home, verb: ResourceVerb) -> Result<ExitCode, Refused> {
    let resources = Resources::new(home);
    match verb {
        ResourceVerb::List(args) => list(&resources, &args),
        ResourceVerb::Set(args) => set(&resources, &args),
        ResourceVerb::Remove(args) => remove(&resources, &args),
        ResourceVerb::Require(args) => require(&resources, &args),
    }
}

fn list(resources: &Resources, args: &ResourceListArgs) -> Result<ExitCode, Refused> {
    let view = resources.look().map_err(refused)?;
    if args.json {
        print::line(&as_json(&view).to_string());
        return Ok(ExitCode::Done);
    }
    if view.rows.is_empty() {
        print::line("No resources are listed. `handmill resource set NAME` adds one.");
    }
    let width = view.rows.iter().map(|row| row.name.as_str().len()).max();
    let width = width.unwrap_or_default();
    for row in &view.rows {
        let name = row.name.as_str();
        print::line(&format!(
            "{name:<width$}  {:<11}  {}",
            row.source.word(),
            row.standing.words()
        ));
    }
    if view.keyring != KeyringState::Ready {
        print::line(&format!("{}.", view.keyring.text().trim_end_matches('.')));
        print::line(view.keyring.remedy());
    }
    Ok(ExitCode::Done)
}

fn as_json(view: &ResourceView) -> Value {
    let rows: Vec<Value> = view
        .rows
        .iter()
        .map(|row| {
            let from = match row.standing {
                Standing::There(source) => Value::from(source.word()),
                _ => Value::Null,
            };
            json!({
                "name": row.name.as_str(), "source": row.source.word(),
                "available": matches!(row.standing, Standing::There(_)), "from": from,
                "text": row.standing.words(),
            })
        })
        .collect();
    let keyring = json!({
        "state": view.keyring.word(), "text": view.keyring.text(), "remedy": view.keyring.remedy(),
    });
    json!({ "keyring": keyring, "resources": rows })
}

fn set(resources: &Resources, args: &ResourceSetArgs) -> Result<ExitCode, Refused> {
    let name = name_of(&args.name)?;
    if args.environment {
        resources.keep(&name, Keep::Environment).map_err(refused)?;
        print::line(&format!(
            "Listed {name}: its value comes from the environment."
        ));
        return Ok(ExitCode::Done);
    }
    let Some(secret) = read_value(&name)? else {
        return Ok(ExitCode::Stopped);
    };
    resources
        .keep(&name, Keep::Value(secret))
        .map_err(refused)?;
    print::line(&format!("Kept {name} in the keyring."));
    Ok(ExitCode::Done)
}

fn remove(resources: &Resources, args: &ResourceNames) -> Result<ExitCode, Refused> {
    let names = names_of(&args.names)?;
    for name in &names {
        if !resources.remove(name).map_err(refused)? {
            return Err(Refused::new(
                format!("no resource {name} is listed"),
                "`handmill resource list` shows those that are.",
            ));
        }
        print::line(&format!("Removed {name}."));
    }
    Ok(ExitCode::Done)
}

/// Says of each that cannot be had why; nothing of those that can.
fn require(resources: &Resources, args: &ResourceNames) -> Result<ExitCode, Refused> {
    let names = names_of(&args.names)?;
    let mut code = ExitCode::Done;
    for name in &names {
        if let Err(why) = resources.find(name) {
            print::refused(&refused(why));
            code = ExitCode::Failed;
        }
    }
    Ok(code)
}

/// A value from the terminal, or all of standard input without its last line's end; `None` when the person gave up.
pub fn read_value(name: &ResourceName) -> Result<Option<Secret>, Refused> {
    let unread = |why: std::io::Error| Refused::new(format!("failed to read the value: {why}"), "");
    let bytes = if stdin().is_terminal() {
        match prompt::hidden_line(&format!("Value of {name} (not shown): ")).map_err(unread)? {
            Some(line) => line,
            None => return Ok(None),
        }
    } else {
        // Room for all of it from the start: growing would leave copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(SECRET_MAX + 4));
        let most = stdin().lock().take(SECRET_MAX as u64 + 3);
        { most }.read_to_end(&mut bytes).map_err(unread)?;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        }
        bytes
    };
    let mut bytes = bytes;
    let secret = Secret::from_bytes(std::mem::take(&mut *bytes));
    secret.map(Some).map_err(|why| {
        Refused::new(
            why,
            format!("Pipe it in, such as `pass show db | handmill resource set {name}`."),
        )
    })
}

/// The name that a person wrote.
pub fn name_of(text: &str) -> Result<ResourceName, Refused> {
    ResourceName::new(text).map_err(|why| {
        let shown = print::one_line(text);
        Refused::new(format!("‘{shown}’ names no resource. {why}"), "")
    })
}

fn names_of(texts: &[String]) -> Result<Vec<ResourceName>, Refused> {
    texts.iter().map(|text| name_of(text)).collect()
}

fn refused(why: Notice) -> Refused {
    Refused::new(why.what.as_ref(), why.hint.as_ref())
}
