//! How values of the model look in a row, and rows that are given out.

use std::sync::Arc;

use rusqlite::types::{ToSqlOutput, Value, ValueRef};

use crate::model::{Exit, NodeId, NodeRunId, NodeStatus, Stream, Timestamp};

/// One attempt of a node as lists show it. Its [`NodeRunId`] also names its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRunRow {
    /// Which attempt.
    pub id: NodeRunId,
    /// Which node.
    pub node: NodeId,
    /// How it stands or ended.
    pub status: NodeStatus,
    /// How its process ended.
    pub exit: Option<Exit>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended; absent while it runs and when that is not known.
    pub ended: Option<Timestamp>,
    /// Its process and group id.
    pub pid: Option<u32>,
    /// Start time of that process as the system counts it.
    pub birth: Option<u64>,
    /// The command as it was then.
    pub command: Arc<str>,
}

/// The two columns of an exit: a word for its kind, and its number or reason.
pub(super) fn exit_columns(exit: &Exit) -> (&'static str, ToSqlOutput<'_>) {
    let none = ToSqlOutput::Owned(Value::Null);
    match exit {
        Exit::Code(code) => ("code", ToSqlOutput::from(*code)),
        Exit::Signal(signal) => ("signal", ToSqlOutput::from(*signal)),
        Exit::TimedOut => ("timed out", none),
        Exit::NotStarted(why) => ("not started", ToSqlOutput::from(&**why)),
        Exit::MaxPasses => ("max passes", none),
        Exit::Unknown => ("unknown", none),
    }
}

/// The exit of two columns; a word of a later release is an exit that is not known.
pub(super) fn exit_of(kind: ValueRef<'_>, value: ValueRef<'_>) -> Option<Exit> {
    let number = || i32::try_from(value.as_i64().unwrap_or_default()).unwrap_or_default();
    Some(match kind.as_str_or_null().ok().flatten()? {
        "code" => Exit::Code(number()),
        "signal" => Exit::Signal(number()),
        "timed out" => Exit::TimedOut,
        "not started" => Exit::NotStarted(value.as_str().unwrap_or_default().into()),
        "max passes" => Exit::MaxPasses,
        _ => Exit::Unknown,
    })
}

/// The status of a column; null is idle.
pub(super) fn status_of(word: ValueRef<'_>) -> NodeStatus {
    word.as_str_or_null()
        .ok()
        .flatten()
        .map_or(NodeStatus::Idle, NodeStatus::from_word)
}

pub(super) fn stream_number(stream: Stream) -> i64 {
    match stream {
        Stream::Out => 1,
        Stream::Err => 2,
    }
}

/// A set of node keys as a blob: ascending, each as its distance to the one before, seven bits to
/// a byte. A subset of 10 000 neighbours is 10 000 bytes, and one write.
pub(super) fn set_to_blob(mut keys: Vec<i64>) -> Vec<u8> {
    keys.sort_unstable();
    keys.dedup();
    let mut blob = Vec::with_capacity(keys.len() + 8);
    let mut before = 0;
    for key in keys {
        let mut rest = (key - before).cast_unsigned();
        before = key;
        while rest >= 0x80 {
            blob.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        blob.push(rest as u8);
    }
    blob
}

/// The node keys of a blob. A damaged blob gives the keys before the damage.
pub(super) fn set_from_blob(blob: &[u8]) -> Vec<i64> {
    let mut keys = Vec::with_capacity(blob.len());
    let (mut key, mut step, mut shift) = (0i64, 0u64, 0u32);
    for byte in blob {
        if shift > 56 {
            break;
        }
        step |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            key = key.saturating_add(step.cast_signed());
            keys.push(key);
            (step, shift) = (0, 0);
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_keys_survives_its_blob() {
        for keys in [
            vec![],
            vec![1],
            vec![127, 128, 129, 16_384, 1 << 40],
            (1..10_000).collect(),
        ] {
            assert_eq!(set_from_blob(&set_to_blob(keys.clone())), keys);
        }
        assert_eq!(set_from_blob(&set_to_blob(vec![9, 3, 9])), [3, 9]);
    }

    #[test]
    fn a_damaged_set_is_cut_and_never_panics() {
        assert_eq!(set_from_blob(&[5, 0x80]), [5]);
        assert_eq!(
            set_from_blob(&[5, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]),
            [5]
        );
    }

    #[test]
    fn every_exit_survives_its_columns() {
        for exit in [
            Exit::Code(0),
            Exit::Code(-1),
            Exit::Signal(9),
            Exit::TimedOut,
            Exit::NotStarted("no such file".into()),
            Exit::MaxPasses,
            Exit::Unknown,
        ] {
            let (kind, value) = exit_columns(&exit);
            let value = match &value {
                ToSqlOutput::Borrowed(value) => *value,
                ToSqlOutput::Owned(value) => ValueRef::from(value),
                other => panic!("unexpected column {other:?}"),
            };
            assert_eq!(exit_of(ValueRef::Text(kind.as_bytes()), value), Some(exit));
        }
        assert_eq!(exit_of(ValueRef::Null, ValueRef::Null), None);
    }
}
