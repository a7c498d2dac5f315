//! The model's nouns as the bytes that another process is sent: the model itself knows no serde.
//!
//! Each stands behind a `#[serde(with = …)]` of what is sent: see `sitter/message.rs`.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{Exit, FlowRef, Level, NodeIdx, NodeRunId, Notice, RunId, Stream, WorkspaceId};

/// A noun that is a text: a run, a workspace, a sentence.
pub mod text {
    use std::borrow::Borrow;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(text: &impl Borrow<str>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(text.borrow())
    }

    pub fn deserialize<'de, D: Deserializer<'de>, T: for<'a> From<&'a str>>(
        from: D,
    ) -> Result<T, D::Error> {
        Ok(T::from(&String::deserialize(from)?))
    }
}

/// A path, with whatever bytes it has.
pub mod path {
    use std::ffi::OsString;
    use std::path::{Path, PathBuf};

    use serde::{Deserialize, Deserializer, Serialize as _, Serializer};

    pub fn serialize<S: Serializer>(path: &impl AsRef<Path>, to: S) -> Result<S::Ok, S::Error> {
        path.as_ref().as_os_str().serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>, T: From<PathBuf>>(
        from: D,
    ) -> Result<T, D::Error> {
        Ok(T::from(PathBuf::from(OsString::deserialize(from)?)))
    }
}

/// Secrets. They pass the socket, which only this user reaches.
pub mod secrets {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};
    use zeroize::Zeroizing;

    use crate::model::{ResourceName, Secret, Secrets};

    pub fn serialize<S: Serializer>(secrets: &Secrets, to: S) -> Result<S::Ok, S::Error> {
        let pairs: Vec<(&str, &str)> = secrets
            .iter()
            .map(|(name, secret)| (name.as_str(), secret.reveal()))
            .collect();
        to.collect_seq(pairs)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Secrets, D::Error> {
        let mut secrets = Secrets::default();
        for (name, value) in Vec::<(String, Zeroizing<String>)>::deserialize(from)? {
            let name = ResourceName::new(&name).map_err(D::Error::custom)?;
            secrets.insert(name, Secret::new(value).map_err(D::Error::custom)?);
        }
        Ok(secrets)
    }
}

/// Several attempts.
pub mod attempts {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::model::NodeRunId;

    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct One(#[serde(with = "super::Attempt")] NodeRunId);

    pub fn serialize<S: Serializer>(ids: &[NodeRunId], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(ids.iter().cloned().map(One))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<NodeRunId>, D::Error> {
        let ids = Vec::<One>::deserialize(from)?;
        Ok(ids.into_iter().map(|One(id)| id).collect())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "NodeIdx")]
struct Place(u32);

#[derive(Serialize, Deserialize)]
#[serde(remote = "NodeRunId")]
pub struct Attempt {
    #[serde(with = "text")]
    run: RunId,
    #[serde(with = "Place")]
    node: NodeIdx,
    pass: u32,
    attempt: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "FlowRef")]
pub struct Flow {
    #[serde(with = "text")]
    workspace: WorkspaceId,
    #[serde(with = "path")]
    root: Arc<Path>,
    #[serde(with = "text")]
    file: Arc<str>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Exit")]
pub enum End {
    Code(i32),
    Signal(i32),
    TimedOut,
    NotStarted(#[serde(with = "text")] Arc<str>),
    MaxPasses,
    Unknown,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Stream")]
pub enum Log {
    Out,
    Err,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Level")]
enum Weight {
    Info,
    Warning,
    Error,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Notice")]
pub struct Words {
    #[serde(with = "Weight")]
    level: Level,
    #[serde(with = "text")]
    what: Arc<str>,
    #[serde(with = "text")]
    hint: Arc<str>,
}
