//! The paths that a source names, in full.

use std::collections::HashMap;

use super::tokens::Token;

/// A path as written somewhere, from its crate on.
pub struct Seen {
    pub path: Vec<String>,
    pub line: usize,
    pub in_test: bool,
}

/// Every path of a file, in `use` trees and elsewhere, with renames, `self` and `super` resolved.
pub fn paths(tokens: &[Token], file_module: &[String]) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut imported: HashMap<String, Vec<String>> = HashMap::new();
    // Inline modules we are in: how deep their brace is, and whether they are tests.
    let mut inline: Vec<(String, usize, bool)> = Vec::new();
    let mut depth = 0;
    let mut test_attribute = false;
    let mut at = 0;
    while at < tokens.len() {
        let token = &tokens[at];
        let in_test = inline.iter().any(|(_, _, test)| *test);
        let here: Vec<String> = file_module
            .iter()
            .cloned()
            .chain(inline.iter().map(|(name, _, _)| name.clone()))
            .collect();
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                inline.retain(|(_, opened, _)| *opened <= depth);
            }
            "#" if texts(tokens, at, &["#", "[", "cfg", "(", "test", ")", "]"]) => {
                test_attribute = true;
                at += 7;
                continue;
            }
            ";" => test_attribute = false,
            "mod" if tokens.get(at + 2).is_some_and(|next| next.text == "{") => {
                depth += 1;
                inline.push((tokens[at + 1].text.clone(), depth, test_attribute));
                test_attribute = false;
                at += 3;
                continue;
            }
            "use" => {
                let mut next = at + 1;
                let mut leaves = Vec::new();
                use_tree(tokens, &mut next, &[], &mut leaves);
                for (path, name) in leaves {
                    let path = resolve(path, &here, &imported);
                    if name != "_" {
                        imported.insert(name, path.clone());
                    }
                    let line = token.line;
                    seen.push(Seen {
                        path,
                        line,
                        in_test: in_test || test_attribute,
                    });
                }
                test_attribute = false;
                at = next;
                continue;
            }
            // Reading a clock through the value it gave earlier.
            "." if texts(tokens, at, &[".", "elapsed", "("]) => {
                let path = ["std", "time", "Instant", "now"]
                    .map(str::to_owned)
                    .to_vec();
                seen.push(Seen {
                    path,
                    line: token.line,
                    in_test,
                });
            }
            _ if token.is_name() && !follows_colons(tokens, at) => {
                let mut path = vec![token.text.clone()];
                while texts(tokens, at + 1, &["::"])
                    && tokens.get(at + 2).is_some_and(Token::is_name)
                {
                    path.push(tokens[at + 2].text.clone());
                    at += 2;
                }
                if path.len() > 1 {
                    let path = resolve(path, &here, &imported);
                    seen.push(Seen {
                        path,
                        line: token.line,
                        in_test,
                    });
                }
            }
            _ => {}
        }
        at += 1;
    }
    seen
}

/// True when the name at `at` continues a path that began with something else, such as `<T>::name`.
pub fn follows_colons(tokens: &[Token], at: usize) -> bool {
    // A leading `::` before a crate's name is the beginning of a path, not its middle.
    at > 1
        && tokens[at - 1].text == "::"
        && (tokens[at - 2].is_name() || tokens[at - 2].text == ">")
}

/// Reads one branch of a `use` tree at `*at`; leaves get their full path and the name they are known by here.
pub fn use_tree(
    tokens: &[Token],
    at: &mut usize,
    before: &[String],
    leaves: &mut Vec<(Vec<String>, String)>,
) {
    let mut path = before.to_vec();
    loop {
        let Some(token) = tokens.get(*at) else { return };
        match token.text.as_str() {
            "::" => *at += 1,
            "{" => {
                *at += 1;
                while tokens.get(*at).is_some_and(|t| t.text != "}") {
                    use_tree(tokens, at, &path, leaves);
                    if texts(tokens, *at, &[","]) {
                        *at += 1;
                    }
                }
                *at += 1;
                return;
            }
            "as" => {
                let name = tokens
                    .get(*at + 1)
                    .map_or_else(String::new, |t| t.text.clone());
                *at += 2;
                leaves.push((path, name));
                return;
            }
            "self" if !path.is_empty() => *at += 1,
            "*" => {
                path.push("*".to_owned());
                *at += 1;
            }
            _ if token.is_name() => {
                path.push(token.text.clone());
                *at += 1;
            }
            _ => {
                let name = path.last().cloned().unwrap_or_default();
                leaves.push((path, name));
                // A semicolon belongs to the statement; a comma or brace to the tree above.
                if token.text == ";" {
                    *at += 1;
                }
                return;
            }
        }
    }
}

/// A path from its crate on: `self` and `super` by where we stand, the first name by what was imported.
pub fn resolve(
    path: Vec<String>,
    here: &[String],
    imported: &HashMap<String, Vec<String>>,
) -> Vec<String> {
    let mut module = here.to_vec();
    let mut rest = path.as_slice();
    let mut is_relative = false;
    while let Some(first) = rest.first() {
        match first.as_str() {
            "self" => {}
            "super" => {
                module.pop();
            }
            _ => break,
        }
        is_relative = true;
        rest = &rest[1..];
    }
    if is_relative {
        let root = std::iter::once("crate".to_owned());
        return root.chain(module).chain(rest.iter().cloned()).collect();
    }
    match path.first().and_then(|first| imported.get(first)) {
        // A name imported as itself (`use egui;`) would go round for ever.
        Some(full) if full.first() != path.first() => {
            full.iter().chain(&path[1..]).cloned().collect()
        }
        _ => path,
    }
}

/// True when the tokens from `at` on read so.
pub fn texts(tokens: &[Token], at: usize, expected: &[&str]) -> bool {
    expected
        .iter()
        .enumerate()
        .all(|(n, text)| tokens.get(at + n).is_some_and(|token| token.text == *text))
}
