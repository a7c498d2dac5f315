//! Files to begin with.

use handmill::graphml::{Reading, read, write};
use handmill::model::Flow;

use crate::shared::shared_dir;

/// Name and bytes of every workfile among the fixtures.
pub(super) fn fixtures() -> Vec<(String, Vec<u8>)> {
    let Some(shared) = shared_dir() else {
        return Vec::new();
    };
    let dir = shared.join("fixtures/workforce");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&dir).expect("the fixtures are there") {
        let path = entry.expect("readable").path();
        let name = path
            .file_name()
            .expect("named")
            .to_string_lossy()
            .into_owned();
        if name.ends_with(".graphml") || name.ends_with(".wf") {
            files.push((name, std::fs::read(&path).expect("readable")));
        }
    }
    files.sort();
    assert!(files.len() >= 21, "only {} fixtures", files.len());
    files
}

pub(super) fn must_read(name: &str, bytes: &[u8]) -> Reading {
    match read(bytes) {
        Ok(reading) => reading,
        Err(why) => panic!("{name}: {why}"),
    }
}

/// Bytes to begin with: the fixtures, some of them laid out otherwise, and a new file.
pub(super) fn beginnings() -> Vec<(String, Vec<u8>)> {
    let mut all = fixtures();
    let crlf: Vec<_> = (all.iter())
        .filter(|(name, bytes)| bytes.len() < 5_000 && !name.contains("latin1"))
        .map(|(name, bytes)| {
            let text = String::from_utf8_lossy(bytes).replace('\n', "\r\n");
            (format!("{name} with CRLF"), text.into_bytes())
        })
        .collect();
    all.extend(crlf);
    all.retain(|(_, bytes)| bytes.len() < 20_000);
    all.push((
        "new".to_owned(),
        write(&Flow::default(), None).expect("writes"),
    ));
    all
}
