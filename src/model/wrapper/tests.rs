use super::*;

#[test]
fn the_command_is_written_for_where_it_stands() {
    let it = r#"echo "it's $HOME""#;
    let cases = [
        ("", it, it.to_owned()),
        ("{}", it, it.to_owned()),
        (
            "bash -c '{}'",
            it,
            r#"bash -c 'echo "it'\''s $HOME"'"#.to_owned(),
        ),
        (
            "bash -c \"{}\"",
            it,
            r#"bash -c "echo \"it's \$HOME\"""#.to_owned(),
        ),
        (
            "ssh host {}",
            it,
            r#"ssh host 'echo "it'\''s $HOME"'"#.to_owned(),
        ),
        ("ssh host {}", "uptime", "ssh host uptime".to_owned()),
        ("nice -n 10", "echo a b", "nice -n 10 echo a b".to_owned()),
        ("bash -c", "echo a b", "bash -c 'echo a b'".to_owned()),
        ("echo {}-{}", "x", "echo x-x".to_owned()),
        ("echo {}-{}", "a b", "echo 'a b'-'a b'".to_owned()),
        ("{} >> log", "echo a", "echo a >> log".to_owned()),
        ("{} >> log", "a; b", "{ a; b\n} >> log".to_owned()),
        ("{}>log", "echo 2", "echo 2 >log".to_owned()),
        (
            ". env.sh && {}",
            "make -j",
            ". env.sh && make -j".to_owned(),
        ),
        (
            ". env.sh && {}",
            "a; b # c",
            ". env.sh && { a; b # c\n}".to_owned(),
        ),
        (". env.sh; {}", "a; b", ". env.sh; a; b".to_owned()),
        ("{} | tee x", "a && b", "{ a && b\n} | tee x".to_owned()),
        ("time {}", "a; b", "time { a; b\n}".to_owned()),
        ("X=1 {}", "echo a", "X=1 echo a".to_owned()),
        ("X=1 {}", "a; b", "X=1 eval 'a; b'".to_owned()),
        ("({})", "a; b", "({ a; b\n})".to_owned()),
        (
            "x=$({}); echo $x",
            "a; b",
            "x=$({ a; b\n}); echo $x".to_owned(),
        ),
        (
            "if true; then {}; fi",
            "a | b",
            "if true; then { a | b\n}; fi".to_owned(),
        ),
        ("{ {}; } 2>&1", "a | b", "{ { a | b\n}; } 2>&1".to_owned()),
        ("2>/dev/null {}", "a", "2>/dev/null a".to_owned()),
        ("echo hi > {}", "a b", "echo hi > 'a b'".to_owned()),
        ("./{}", "a b", "./'a b'".to_owned()),
        ("true # {}", "a\nb", "true # a b".to_owned()),
        (
            "for f in {}; do echo $f; done",
            "a b",
            "for f in 'a b'; do echo $f; done".to_owned(),
        ),
        ("echo \"$x{}\"", "y", "echo \"$x\"\"y\"".to_owned()),
        ("echo $x{}", "y", "echo $x'y'".to_owned()),
        ("echo \"\\{}\"", "$x", "echo \"\\\\\\$x\"".to_owned()),
        ("echo \"${}\"", "(date)", "echo \"\\$(date)\"".to_owned()),
        ("echo \\{}", "a'b", "echo 'a'\\''b'".to_owned()),
        (
            "echo `printf %s {}`",
            "a`b",
            "echo `printf %s 'a\\`b'`".to_owned(),
        ),
        (
            "bash -s <<'EOF'\n{}\nEOF",
            "echo $x",
            "bash -s <<'EOF'\necho $x\nEOF".to_owned(),
        ),
        (
            "bash -s <<EOF\n{}\nEOF\n",
            "echo $x",
            "bash -s <<EOF\necho \\$x\nEOF\n".to_owned(),
        ),
        ("{} --flag", "a; b", "a; b --flag".to_owned()),
        ("{} &", "a; b", "{ a; b\n} &".to_owned()),
        ("{} 2> err", "a; b", "{ a; b\n} 2> err".to_owned()),
        (
            "{} | x",
            "# only a note",
            "{ :\n# only a note\n} | x".to_owned(),
        ),
        // bash and dash differ in what a last backslash is; here it is a backslash.
        ("{} | x", "echo a \\", "{ echo a \\\\\n} | x".to_owned()),
        ("{} | x", "echo a \\\\", "{ echo a \\\\\n} | x".to_owned()),
    ];
    for (template, command, line) in cases {
        assert_eq!(
            Wrapper::new(template).line(command),
            line,
            "{template} with {command}"
        );
    }
}

#[test]
fn a_template_nested_by_the_thousand_is_read_in_one_pass() {
    // Takes hours where each character looks through all that is open round it.
    const DEEP: usize = 200_000;
    for (open, close) in [("${", "}"), ("$((", "))"), ("\"$(", ")\""), ("`\"", "\"`")] {
        let [opened, closed] = [open, close].map(|part| part.repeat(DEEP));
        let template = format!("{opened}{}{{}}{closed}", "x".repeat(DEEP));
        let line = Wrapper::new(template).line("echo");
        assert!(line.contains("echo"), "{open}");
    }
}

#[test]
fn only_blank_and_bare_templates_are_plain() {
    for (template, plain) in [
        ("", true),
        (" ", true),
        ("{}", true),
        (" {} ", true),
        ("'{}'", false),
        ("x", false),
    ] {
        assert_eq!(Wrapper::new(template).is_plain(), plain, "{template:?}");
    }
}
