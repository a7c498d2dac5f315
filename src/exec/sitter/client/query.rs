//! One question to the sitter of a place, whoever its clients are.

use std::io::{self, Write as _};
use std::path::Path;

use super::link::{ANSWER_WITHIN, hello, is_nobody};
use crate::exec::sitter::message::{self, Ask, HeldRun, Scope, Tell};
use crate::exec::sitter::place::Place;

/// The runs that the sitter of a place holds; empty when there is none. The error says that one
/// is there and does not answer: then nothing may be said of any run. Waits for the answer.
pub fn held(place: &Place) -> Result<Vec<HeldRun>, String> {
    match query(place, &Ask::Runs { ticket: 0 }) {
        Ok(Some(Tell::Runs { runs, .. })) => Ok(runs),
        Ok(_) => Ok(Vec::new()),
        Err(why) => Err(format!("ask the process that holds running nodes: {why}")),
    }
}

/// Has the sitter of a place use the kill switch, whatever its clients do; gives how many attempts
/// are being ended. Waits for the answer.
pub fn kill(place: &Place, scope: &Scope) -> Result<u64, String> {
    let (ticket, scope) = (0, scope.clone());
    match query(place, &Ask::Kill { ticket, scope }) {
        Ok(Some(Tell::Killing { n, .. })) => Ok(n),
        Ok(_) => Ok(0),
        Err(why) => Err(format!("reach the process that holds running nodes: {why}")),
    }
}

/// The answer; `None` when nobody is there.
fn query(place: &Place, ask: &Ask) -> io::Result<Option<Tell>> {
    if !place.has_socket() {
        return Ok(None);
    }
    let answered = (|| {
        let mut stream = place.connect()?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        stream.set_write_timeout(Some(ANSWER_WITHIN))?;
        let said = [message::frame(&hello(Path::new(""))), message::frame(ask)];
        stream.write_all(&said.concat())?;
        let _: Tell = message::read(&mut stream)?;
        message::read(&mut stream)
    })();
    match answered {
        Ok(tell) => Ok(Some(tell)),
        // What a dead one left, or one that was just ending: it holds nothing.
        Err(err) if is_nobody(&err) => Ok(None),
        Err(err) => Err(err),
    }
}
