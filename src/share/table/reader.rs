//! Reading a file that others wrote, in a process that may die of it.
//!
//! The Parquet library may panic, run for ever or ask for any amount of memory on bytes made for
//! that. So the same binary is started as `handmill __read-table`: it gives itself little memory
//! and time, gets the bytes through a pipe, opens no file, and answers in our own format. What it
//! does not answer is told as one sentence, and the last good picture stays.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use bytes::Bytes;

use super::decode::{Damage, Decoded, decode};
use super::schema::Table;
use super::wire;

/// The argument that makes of Handmill a reader.
const ARGUMENT: &str = "__read-table";
/// What a reader may take.
const MEMORY_MAX: u64 = 1 << 30;
/// How long a reader may work.
const TIME_MAX: Duration = Duration::from_secs(5);
/// The longest answer that is taken.
const ANSWER_BYTES_MAX: u64 = 320 << 20;

/// Reads tables that others wrote.
#[derive(Clone, Debug)]
pub struct TableReader {
    /// The program that is started as the reader; `None` reads in place, which only unit tests may.
    program: Option<OsString>,
}

/// Why a table was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file is no table of that kind.
    #[error(transparent)]
    Damage(#[from] Damage),
    /// The reader gave no answer: it was stopped by its limits.
    #[error("it could not be parsed within {} s and {} MiB", TIME_MAX.as_secs(), MEMORY_MAX >> 20)]
    TooMuch,
    /// The reader could not be started.
    #[error("the reader could not be started: {0}")]
    NoReader(io::Error),
}

impl Default for TableReader {
    /// Starts this very program.
    fn default() -> Self {
        // Stays right when the file is replaced by an update while we run.
        let program = match cfg!(target_os = "linux") {
            true => Ok("/proc/self/exe".into()),
            false => std::env::current_exe(),
        };
        Self {
            program: Some(program.map_or_else(|_| "handmill".into(), Into::into)),
        }
    }
}

impl TableReader {
    /// Starts `program` (a Handmill) as the reader.
    pub fn of_program(program: impl Into<OsString>) -> Self {
        Self {
            program: Some(program.into()),
        }
    }

    /// Reads in this process: unit tests have no Handmill to start.
    #[cfg(test)]
    pub(crate) fn in_place() -> Self {
        Self { program: None }
    }

    /// Decodes a file, without the rows of the groups in `known`. Waits for at most five seconds.
    pub fn read(
        &self,
        table: Table,
        file: Bytes,
        known: &HashSet<[u8; 32]>,
    ) -> Result<Decoded, ReadError> {
        let Some(program) = &self.program else {
            return Ok(decode_any(table, &file, known)?);
        };
        let mut command = Command::new(program);
        // Lists of processes show the name, and not the way to the file.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::arg0(&mut command, "handmill");
        let mut child = command
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(ReadError::NoReader)?;
        let question = wire::question(table, known);
        let answers = converse(&mut child, question, file)?;
        let answer = answers.recv_timeout(TIME_MAX);
        // Also when it has answered: it has nothing more to say.
        child.kill().ok();
        child.wait().ok();
        match answer
            .ok()
            .and_then(|bytes| wire::read_answer(table, &bytes))
        {
            Some(result) => Ok(result?),
            None => Err(ReadError::TooMuch),
        }
    }
}

/// Gives the child its question and brings its answer, on a thread that is left behind should the
/// child neither read nor write nor die.
fn converse(
    child: &mut Child,
    question: Vec<u8>,
    file: Bytes,
) -> Result<mpsc::Receiver<Vec<u8>>, ReadError> {
    let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(ReadError::NoReader(io::ErrorKind::BrokenPipe.into()));
    };
    let (sender, answers) = mpsc::sync_channel(1);
    std::thread::Builder::new()
        .name("table reader".to_owned())
        .spawn(move || {
            // A child that died early is told by its answer, which is then none.
            if input.write_all(&question).is_ok() {
                input.write_all(&file).ok();
            }
            drop(input);
            let mut answer = Vec::new();
            output.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).ok();
            sender.send(answer).ok();
        })
        .map_err(ReadError::NoReader)?;
    Ok(answers)
}

/// The whole life of a reader; `None` when this process was not started as one. `main` asks first.
pub fn read_table_main() -> Option<ExitCode> {
    (std::env::args_os().nth(1)? == ARGUMENT).then(|| match answer_one() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    })
}

/// Decodes a file, or says that it is damaged, also where the library gives up with a panic: it trusts what a page says
/// of itself, such as how many words its dictionary has.
fn decode_any(table: Table, file: &Bytes, known: &HashSet<[u8; 32]>) -> Result<Decoded, Damage> {
    let done = catch_unwind(AssertUnwindSafe(|| decode(table, file, known)));
    done.unwrap_or_else(|_| {
        Err(Damage(
            "it is damaged (its pages contradict themselves)".to_owned(),
        ))
    })
}

fn answer_one() -> io::Result<()> {
    limit_self();
    let mut asked = Vec::new();
    io::stdin().lock().read_to_end(&mut asked)?;
    let asked = Bytes::from(asked);
    let Some(question) = wire::read_question(&asked) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let result = decode_any(question.table, &question.file, &question.known);
    let mut out = io::stdout().lock();
    out.write_all(&wire::answer(&result))?;
    out.flush()
}

#[cfg(unix)]
fn limit_self() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let at_most = |most| Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    // Where a limit cannot be set, the parent's clock still ends a reader that loses its way.
    setrlimit(Resource::As, at_most(MEMORY_MAX)).ok();
    setrlimit(Resource::Cpu, at_most(TIME_MAX.as_secs())).ok();
    setrlimit(Resource::Core, at_most(0)).ok();
}

#[cfg(not(unix))]
fn limit_self() {}
