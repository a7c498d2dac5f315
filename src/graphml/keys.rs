//! The attributes this program knows: their names in the file, where they stand, how they are typed.

/// What a key may be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Domain {
    Graph,
    Node,
    Edge,
}

/// One attribute we read. The order is that of a new file's keys and data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Field {
    FlowTitle,
    Group,
    Trigger,
    Wrapper,
    /// Before `wrapper`: text before the command.
    Prefix,
    /// Before `wrapper`: text after the command.
    Suffix,
    Shell,
    FlowCwd,
    FlowEnv,
    MaxPasses,
    JobsMax,
    Frames,
    /// The command. Workforce's own key `command` holds the wrapped line of its last run.
    Label,
    X,
    Y,
    Title,
    Disabled,
    Cwd,
    Env,
    Timeout,
    Retries,
    RetryDelay,
    /// Names, one per line.
    Resources,
    Status,
    Stdout,
    Stderr,
    /// Before `stdout` and `stderr`: both in one text.
    Log,
    ErrorCode,
    /// The edge's id where it is data and not an XML attribute.
    EdgeId,
    EdgeType,
    EdgeStatus,
}

const TABLE: [(Field, Domain, &str, &str); 31] = [
    (Field::FlowTitle, Domain::Graph, "title", "string"),
    (Field::Group, Domain::Graph, "group", "string"),
    (Field::Trigger, Domain::Graph, "trigger", "string"),
    (Field::Wrapper, Domain::Graph, "wrapper", "string"),
    (Field::Prefix, Domain::Graph, "prefix", "string"),
    (Field::Suffix, Domain::Graph, "suffix", "string"),
    (Field::Shell, Domain::Graph, "shell", "string"),
    (Field::FlowCwd, Domain::Graph, "cwd", "string"),
    (Field::FlowEnv, Domain::Graph, "env", "string"),
    (Field::MaxPasses, Domain::Graph, "max_passes", "int"),
    (Field::JobsMax, Domain::Graph, "jobs_max", "int"),
    (Field::Frames, Domain::Graph, "frames", "string"),
    (Field::Label, Domain::Node, "label", "string"),
    (Field::X, Domain::Node, "x", "double"),
    (Field::Y, Domain::Node, "y", "double"),
    (Field::Title, Domain::Node, "title", "string"),
    (Field::Disabled, Domain::Node, "disabled", "boolean"),
    (Field::Cwd, Domain::Node, "cwd", "string"),
    (Field::Env, Domain::Node, "env", "string"),
    (Field::Timeout, Domain::Node, "timeout", "double"),
    (Field::Retries, Domain::Node, "retries", "int"),
    (Field::RetryDelay, Domain::Node, "retry_delay", "double"),
    (Field::Resources, Domain::Node, "resources", "string"),
    (Field::Status, Domain::Node, "status", "string"),
    (Field::Stdout, Domain::Node, "stdout", "string"),
    (Field::Stderr, Domain::Node, "stderr", "string"),
    (Field::Log, Domain::Node, "log", "string"),
    (Field::ErrorCode, Domain::Node, "error_code", "string"),
    (Field::EdgeId, Domain::Edge, "id", "string"),
    (Field::EdgeType, Domain::Edge, "edge_type", "string"),
    (Field::EdgeStatus, Domain::Edge, "status", "string"),
];

impl Field {
    /// The field that an `attr.name` means on elements of `domain`.
    pub(super) fn find(domain: Domain, name: &str) -> Option<Self> {
        TABLE
            .iter()
            .find(|row| row.1 == domain && row.2 == name)
            .map(|row| row.0)
    }

    fn row(self) -> &'static (Self, Domain, &'static str, &'static str) {
        &TABLE[self as usize]
    }

    /// Its `attr.name`.
    pub(super) fn name(self) -> &'static str {
        self.row().2
    }

    /// Its `attr.type` where we declare it.
    pub(super) fn kind(self) -> &'static str {
        self.row().3
    }

    /// Where it stands.
    pub(super) fn domain(self) -> Domain {
        self.row().1
    }

    /// The text that says "nothing" where leaving the data out would mean something else.
    pub(super) fn nothing(self) -> &'static str {
        match self {
            Self::Wrapper => "{}",
            Self::Disabled => "false",
            Self::MaxPasses | Self::JobsMax | Self::Timeout | Self::Retries | Self::RetryDelay => {
                "0"
            }
            _ => "",
        }
    }
}

impl Domain {
    /// Its word in the `for` attribute.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Graph => "graph",
            Self::Node => "node",
            Self::Edge => "edge",
        }
    }

    /// The domains that a `for` attribute means; one of none of ours means none.
    pub(super) fn of_word(word: Option<&str>) -> &'static [Self] {
        match word {
            None | Some("all" | "") => &[Self::Graph, Self::Node, Self::Edge],
            Some("graph") => &[Self::Graph],
            Some("node") => &[Self::Node],
            Some("edge") => &[Self::Edge],
            Some(_) => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stands_in_the_order_of_the_fields() {
        for (i, row) in TABLE.iter().enumerate() {
            assert_eq!(row.0 as usize, i, "{:?}", row.0);
            assert_eq!(Field::find(row.1, row.2), Some(row.0));
        }
    }
}
