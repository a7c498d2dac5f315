//! What a workspace is called in the shared folder, and names that tell of another program.
//!
//! All machines must use one name, though each may see the folder under another: whoever first
//! writes there settles it, and the others read it (see `space`).

/// Bytes of a plain name.
const NAME_BYTES_MAX: usize = 64;

/// True for a name that is the same file on every system and leads nowhere else.
pub(super) fn is_plain(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && name.bytes().all(plain)
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !is_device(name)
}

/// Names that Windows takes for devices, whatever their ending.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let stem = stem.to_ascii_uppercase();
    match stem.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" => true,
        _ => {
            let numbered = stem.strip_prefix("COM").or(stem.strip_prefix("LPT"));
            numbered.is_some_and(|n| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit()))
        }
    }
}

/// The name of a workspace as a file's: its folder's, where that is plain, else one made of it.
pub(super) fn stored(folder_name: &str) -> String {
    match is_plain(folder_name) {
        true => folder_name.to_owned(),
        false => format!("x-{}", &blake3::hash(folder_name.as_bytes()).to_hex()[..16]),
    }
}

/// True for a name that a sync program gives to the second of two versions of `wanted`.
pub(super) fn is_conflict_copy(name: &str, wanted: &str) -> bool {
    let lower = name.to_lowercase();
    if [
        "(conflicted copy",
        ".sync-conflict-",
        "(conflict",
        "'s conflicted copy",
    ]
    .iter()
    .any(|mark| lower.contains(mark))
    {
        return true;
    }
    // `claims-HOST.parquet` and `claims (1).parquet` beside `claims.parquet`.
    let (stem, ending) = wanted.rsplit_once('.').unwrap_or((wanted, ""));
    let Some(rest) = name.strip_prefix(stem) else {
        return false;
    };
    let middle = match ending {
        "" => Some(rest),
        ending => rest
            .strip_suffix(ending)
            .and_then(|rest| rest.strip_suffix('.')),
    };
    middle.is_some_and(|middle| {
        let numbered = middle
            .trim_start()
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(')'))
            .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        numbered || middle.len() > 1 && middle.starts_with('-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_are_the_same_everywhere_are_plain() {
        for name in ["claims", "a.b-c_d", "x", "Console", "com10", "lpt"] {
            assert!(is_plain(name), "{name}");
        }
        for name in [
            "", ".", "..", "a/b", "a\\b", "a\0", "a b", "ü", "a.", ".a", "con", "Nul.txt", "com1",
        ] {
            assert!(!is_plain(name), "{name}");
        }
        assert!(!is_plain(&"x".repeat(65)));
    }

    #[test]
    fn a_name_that_is_not_plain_gets_a_plain_one_of_its_own() {
        assert_eq!(stored("claims"), "claims");
        let (a, b) = (stored("my workspace"), stored("my Workspace"));
        assert!(is_plain(&a) && a != b, "{a} {b}");
    }

    #[test]
    fn copies_of_sync_programs_are_told_by_their_names() {
        for (name, wanted) in [
            (
                "claims (wsB's conflicted copy 2026-11-21).parquet",
                "claims.parquet",
            ),
            (
                "claims.sync-conflict-20261121-101112-ABCDEFG.parquet",
                "claims.parquet",
            ),
            ("claims (Conflict).parquet", "claims.parquet"),
            ("claims-WSB.parquet", "claims.parquet"),
            ("claims (1).parquet", "claims.parquet"),
            ("000000000042 (1)", "000000000042"),
            ("000000000042-wsB", "000000000042"),
        ] {
            assert!(is_conflict_copy(name, wanted), "{name}");
        }
        for (name, wanted) in [
            ("claims.parquet", "claims.parquet"),
            ("claims2.parquet", "claims.parquet"),
            ("other-wsB.parquet", "claims.parquet"),
            ("claims.parquet.tmp", "claims.parquet"),
            ("000000000043", "000000000042"),
        ] {
            assert!(!is_conflict_copy(name, wanted), "{name}");
        }
    }
}
