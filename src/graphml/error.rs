//! Why a workfile cannot be read or written: each says where, and what to do.

/// Why nothing could be read, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what the variant is")]
pub enum ReadError {
    #[error("empty file; restore it from a backup, or delete it and make a new one")]
    Empty,
    #[error("larger than 64 MiB; take logs and other results out of the file")]
    TooLarge,
    #[error("this is a {0} file; unpack it first")]
    Archive(&'static str),
    #[error("NUL byte on line {line}; save the file as UTF-8 text")]
    Nul { line: usize },
    #[error("not UTF-8 at byte {byte}; save the file as UTF-8, or declare its encoding")]
    NotUtf8 { byte: usize },
    #[error("encoding {0} is not supported; save the file as UTF-8")]
    UnknownEncoding(String),
    #[error("the bytes are not {0}, as the file declares; save it as UTF-8")]
    NotEncoded(String),
    #[error("git conflict markers on line {line}; settle the conflict first")]
    Conflict { line: usize },
    #[error("DOCTYPE with entities is not allowed (line {line}); take it out")]
    Doctype { line: usize },
    #[error("not XML: it begins with {found}; choose a GraphML file")]
    NotXml { found: String },
    #[error("not well-formed XML on line {line}: {why}; mend that line")]
    Broken { line: usize, why: String },
    #[error("not GraphML: the outermost element is {root} on line {line}; choose a GraphML file")]
    NotGraphml { line: usize, root: String },
    #[error("no <graph> before line {line}; restore the file from a backup")]
    NoGraph { line: usize },
    #[error("nested deeper than 64 elements on line {line}; this is no workfile")]
    TooDeep { line: usize },
    #[error("more than 256 attributes on one element on line {line}; this is no workfile")]
    TooManyAttributes { line: usize },
    #[error("attribute longer than 1 MiB on line {line}; shorten it")]
    AttributeTooLong { line: usize },
    #[error("text longer than 16 MiB on line {line}; take logs out of the file")]
    TextTooLong { line: usize },
    #[error("more than 200 000 nodes (line {line}); split the flow")]
    TooManyNodes { line: usize },
    #[error("more than 1 000 000 edges (line {line}); split the flow")]
    TooManyEdges { line: usize },
    #[error("node id {id} stands at lines {first} and {second}; rename one")]
    DuplicateNode {
        id: String,
        first: usize,
        second: usize,
    },
    #[error("key id {id} stands at lines {first} and {second}; rename one")]
    DuplicateKey {
        id: String,
        first: usize,
        second: usize,
    },
}

/// Why a flow cannot be written; what it was read from is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what the variant is")]
pub enum WriteError {
    #[error(
        "the {what} holds the control character U+{code:04X}, which XML cannot hold; take it out"
    )]
    Character { what: String, code: u32 },
    #[error("the {what} is longer than 16 MiB; shorten it")]
    TooLong { what: String },
    #[error("the {what} has a name or value that is not one line of NAME=value; mend it")]
    Env { what: String },
    #[error("more than 200 000 nodes or 1 000 000 edges; split the flow")]
    TooMany,
    #[error("the workfile would be larger than 64 MiB; take logs and other results out of it")]
    TooLarge,
    #[error("the workfile is damaged, and saving would make that final; save as a new file")]
    Damaged,
    #[error("the form of a new file cannot be read: {0}")]
    Form(ReadError),
}
