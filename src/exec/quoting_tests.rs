//! Wrapped commands through real shells: what the inner program gets is the command, byte for byte,
//! and nothing of it runs on the way.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::model::{Wrapper, seeds};

const ARGS_PER_SHELL: usize = 2_000;

fn shells() -> Vec<PathBuf> {
    ["sh", "bash", "dash", "zsh", "ksh"]
        .iter()
        .filter_map(|name| {
            ["/bin", "/usr/bin"]
                .iter()
                .map(|dir| Path::new(dir).join(name))
                .find(|path| path.exists())
        })
        .collect()
}

fn run(shell: &Path, dir: &Path, script: &str) -> Output {
    let file = dir.join("script");
    fs::write(&file, script).expect("written");
    Command::new(shell)
        .arg(&file)
        .current_dir(dir)
        .stdin(Stdio::null())
        .output()
        .expect("run")
}

/// Text that is likely to break quoting: the shell's own signs, and ways to make a canary sing.
fn nasty(rng: &mut fastrand::Rng) -> String {
    const PIECES: [&str; 44] = [
        "'",
        "\"",
        "\\",
        "`",
        "$",
        "\n",
        " ",
        "\t",
        ";",
        "&",
        "|",
        "(",
        ")",
        "{",
        "}",
        "<",
        ">",
        "#",
        "*",
        "?",
        "[",
        "]",
        "~",
        "!",
        "%",
        "=",
        "-",
        "a",
        "x1",
        "é",
        "\u{1f600}",
        "\r",
        "\u{7}",
        "\u{1b}[m",
        "$(touch canary)",
        "`touch canary`",
        "'; touch canary; '",
        "\"; touch canary; \"",
        "${x}",
        "$x",
        "\\\n",
        "'\\''",
        "$'",
        "EOF",
    ];
    (0..rng.usize(1..9))
        .map(|_| {
            if rng.u8(..8) == 0 {
                rng.char('\u{1}'..).to_string()
            } else {
                PIECES[rng.usize(..PIECES.len())].to_owned()
            }
        })
        .collect()
}

#[test]
fn a_quoted_command_reaches_the_program_byte_for_byte() {
    // Each prints its argument and a NUL; `<`, `>` stand round the command where it is part of more.
    let templates = [
        ("printf '%s\\0' '{}'", "", ""),
        ("printf '%s\\0' \"{}\"", "", ""),
        ("printf '%s\\0' {}", "", ""),
        ("printf '%s\\0' 'a{}b'", "a", "b"),
        ("printf '%s\\0' a{}b", "a", "b"),
        ("printf '%s\\0' \"a{}b\"", "a", "b"),
        ("printf '%s\\0' \"$v{}\"", "V", ""),
        ("printf '%s\\0' $v{}", "V", ""),
        ("printf '%s\\0' \"${v}{}$v\"", "V", "V"),
        ("printf '%s\\0' \\{}", "", ""),
        ("printf '%s\\0' \"\\{}\"", "\\", ""),
        ("printf '%s\\0' \"${}\"", "$", ""),
        ("printf '%s\\0' ${}", "$", ""),
        ("sh -c 'printf %s\\\\0 \"$1\"' sh {}", "", ""),
        ("printf '%s\\0' \"$(printf '%s.' {})\"", "", "."),
        ("printf '%s\\0' \"$(printf '%s.' '{}')\"", "", "."),
        ("printf '%s\\0' \"$(printf '%s.' \"{}\")\"", "", "."),
        ("x=`printf '%s.' {}`; printf '%s\\0' \"$x\"", "", "."),
        ("x=`printf '%s.' '{}'`; printf '%s\\0' \"$x\"", "", "."),
        ("x={}; printf '%s\\0' \"$x\"", "", ""),
        ("true && printf '%s\\0' {} # {}", "", ""),
        ("for f in {}; do printf '%s\\0' \"$f\"; done", "", ""),
        ("case x in x) printf '%s\\0' {};; esac", "", ""),
        ("printf '%s\\0' {} 2>&1 | cat", "", ""),
    ];
    let dir = tempfile::tempdir().expect("a folder");
    // Each shell is given the same.
    seeds::each(seeds::drawn(1), |rng| {
        for shell in shells() {
            let mut rng = rng.clone();
            let mut script = "v=V\n".to_owned();
            let mut expected = Vec::new();
            for at in 0..ARGS_PER_SHELL {
                // Those that start processes of their own are taken less often.
                let template = if at % 10 == 0 {
                    templates[rng.usize(13..templates.len())]
                } else {
                    templates[rng.usize(..13)]
                };
                let command = nasty(&mut rng);
                script.push_str(&Wrapper::new(template.0).line(&command));
                script.push('\n');
                expected.push((format!("{}{command}{}", template.1, template.2), template.0));
            }
            let output = run(&shell, dir.path(), &script);
            let mut seen = output.stdout.split(|byte| *byte == 0);
            for (text, template) in &expected {
                assert_eq!(
                    seen.next().map(String::from_utf8_lossy).as_deref(),
                    Some(text.as_str()),
                    "{}, {template}: {}",
                    shell.display(),
                    String::from_utf8_lossy(&output.stderr)
                );
            }
            assert!(!dir.path().join("canary").exists());
        }
    });
}

#[test]
fn an_inner_shell_runs_what_the_command_says() {
    let commands = [
        "echo one",
        "echo \"it's $((1 + 2))\" # note",
        "false; echo \"$?\"",
        "cat <<EOF\nhere $((4 * 2))\nEOF",
        "x='a  b'; printf '%s|' \"$x\" $x \\\\ '\\' `echo y`",
        "if true; then\n  echo yes\nfi",
        "echo 'end \\' \\\\",
        "# only a note",
        "(exit 3) || echo \"$?\" | cat",
    ];
    type Seen = fn(&str) -> String;
    let direct: Vec<(&str, Seen)> = vec![
        ("sh -c '{}'", str::to_owned),
        ("sh -c \"{}\"", str::to_owned),
        ("sh -c {}", str::to_owned),
        ("sh -c", str::to_owned),
        (". ./env.sh && {}", str::to_owned),
        ("{} | cat", str::to_owned),
        ("{} > log; cat log", str::to_owned),
        ("{}>log; cat log", str::to_owned),
        ("X=1 {}", str::to_owned),
        ("if true; then {}; fi", str::to_owned),
        ("({})", str::to_owned),
        ("printf '%s\\n' \"$({})\"", |out| {
            format!("{}\n", out.trim_end_matches('\n'))
        }),
        ("x=`{}`; printf '%s\\n' \"$x\"", |out| {
            format!("{}\n", out.trim_end_matches('\n'))
        }),
        ("sh -s <<'STOP'\n{}\nSTOP", str::to_owned),
        ("sh -s <<STOP\n{}\nSTOP", str::to_owned),
        ("{} & wait", str::to_owned),
        ("{ {}; } 2>&1", str::to_owned),
    ];
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("env.sh"), "A=1\n").expect("written");
    for shell in shells() {
        for command in commands {
            let plain = run(&shell, dir.path(), command);
            let plain = String::from_utf8_lossy(&plain.stdout).into_owned();
            for (template, seen) in &direct {
                let line = Wrapper::new(*template).line(command);
                let output = run(&shell, dir.path(), &line);
                assert_eq!(
                    String::from_utf8_lossy(&output.stdout),
                    seen(&plain),
                    "{} runs\n{line}\n{}",
                    shell.display(),
                    String::from_utf8_lossy(&output.stderr)
                );
            }
        }
    }
}
