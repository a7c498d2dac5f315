//! Items 36 to 38: what is made for a new workspace.

use super::*;

#[test]
fn item_36_provisioning_makes_what_is_missing_and_changes_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let root = dir.path().join("mill/claims");
    put(&root.join("flow_modules/mine.graphml"), "mine");
    put(&root.join(".vscode/settings.json"), "{ \"mine\": 1 }");
    put(&root.join("config/mine.toml"), "mine = 1");
    let before = tree(&root);
    let done = json(&handmill(
        dir.path(),
        &["provision", "mill/claims", "--json"],
    ));
    let below = |list: &serde_json::Value| -> Vec<String> {
        let base = dir.path().canonicalize().expect("real").join("mill");
        let paths = list.as_array().expect("a list").iter();
        let mut paths: Vec<String> = paths
            .map(|path| Path::new(path.as_str().expect("text")))
            .map(|path| {
                path.strip_prefix(&base)
                    .expect("below")
                    .display()
                    .to_string()
            })
            .collect();
        paths.sort();
        paths
    };
    assert_eq!(
        below(&done["created"]),
        [
            ".vscode/settings.json",
            "claims/databases",
            "claims/flow_modules/flow_helpers"
        ]
    );
    assert_eq!(
        below(&done["kept"]),
        [
            "claims",
            "claims/.vscode/settings.json",
            "claims/config",
            "claims/flow_modules"
        ]
    );
    let after = tree(&root);
    for was in &before {
        assert!(after.contains(was), "{:?} was changed", was.0);
    }
    // A second time there is nothing to make.
    let again = json(&handmill(
        dir.path(),
        &["provision", "mill/claims", "--json"],
    ));
    assert_eq!(again["created"], serde_json::json!([]));
    assert_eq!(tree(&root), after);
}

#[test]
fn item_37_both_editor_settings_have_the_keys_for_three_systems() {
    let terminals = ["linux", "osx", "windows"].map(|os| format!("terminal.integrated.env.{os}"));
    let keys = |value: &serde_json::Value| -> Vec<String> {
        let fields = value.as_object().expect("an object").keys();
        let mut keys: Vec<String> = fields.cloned().collect();
        keys.sort();
        keys
    };
    let [(_, workspace), (_, collection)] = provisioned();
    let mut wanted = [
        "files.exclude",
        "python.defaultInterpreterPath",
        "search.exclude",
    ]
    .map(str::to_owned)
    .to_vec();
    wanted.extend(terminals.clone());
    for settings in [&workspace, &collection] {
        assert_eq!(keys(settings), wanted);
        assert_eq!(
            settings["python.defaultInterpreterPath"],
            "${workspaceFolder}/.venv"
        );
    }
    for key in ["files.exclude", "search.exclude"] {
        let hidden = |name: &str| serde_json::json!({ name: true });
        assert_eq!(workspace[key], hidden(".workspace_state"));
        assert_eq!(collection[key], hidden("**/.workspace_state"));
    }
    for terminal in &terminals {
        assert_eq!(
            workspace[terminal],
            serde_json::json!({
                "DATA_ENGINE_WORKSPACE_ID": "claims",
                "DATA_ENGINE_WORKSPACE_ROOT": "${workspaceFolder}",
                "HANDMILL_COLLECTION": "${workspaceFolder}",
                "HANDMILL_CONFIG": "${workspaceFolder}/config",
                "HANDMILL_DATABASES": "${workspaceFolder}/databases",
                "HANDMILL_WORKSPACE": "${workspaceFolder}",
            }),
            "{terminal}"
        );
        assert_eq!(
            collection[terminal],
            serde_json::json!({
                "DATA_ENGINE_WORKSPACE_COLLECTION_ROOT": "${workspaceFolder}",
                "HANDMILL_COLLECTION": "${workspaceFolder}",
            }),
            "{terminal}"
        );
    }
}

#[test]
fn item_38_no_shared_setting_holds_a_path_of_this_machine() {
    fn texts(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::String(text) => found.push(text.clone()),
            serde_json::Value::Object(fields) => {
                for (name, value) in fields {
                    found.push(name.clone());
                    texts(value, found);
                }
            }
            serde_json::Value::Array(all) => all.iter().for_each(|value| texts(value, found)),
            _ => {}
        }
    }
    for (file, settings) in provisioned() {
        let mut found = Vec::new();
        texts(&settings, &mut found);
        for text in found {
            let relative = text.starts_with("${workspaceFolder}") || !text.contains(['/', '\\']);
            assert!(relative || text == "**/.workspace_state", "{file}: {text}");
            assert!(!text.contains(':'), "{file}: {text}");
        }
    }
}

/// The editor settings of a fresh workspace and of its collection.
fn provisioned() -> [(String, serde_json::Value); 2] {
    let dir = tempfile::tempdir().expect("a folder");
    let done = store::provision(&dir.path().join("claims"), Some(dir.path())).expect("provision");
    assert!(done.kept.is_empty(), "{:?}", done.kept);
    ["claims/.vscode/settings.json", ".vscode/settings.json"].map(|file| {
        let text = fs::read_to_string(dir.path().join(file)).expect("made");
        (file.to_owned(), serde_json::from_str(&text).expect("JSON"))
    })
}
