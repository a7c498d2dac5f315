//! What a folder's surroundings tell of it: the kind of its file system, and the signs that sync
//! programs leave.

use std::path::Path;

use super::note::shown;

/// True for file systems that lie on another machine.
pub(super) fn is_network(kind: &str) -> bool {
    let kind = kind.strip_prefix("fuse.").unwrap_or(kind);
    [
        "nfs",
        "nfs4",
        "cifs",
        "smb",
        "smb2",
        "smb3",
        "smbfs",
        "sshfs",
        "9p",
        "ceph",
        "afs",
        "glusterfs",
        "vboxsf",
        "virtiofs",
        "davfs",
        "lustre",
        "afpfs",
        "webdav",
    ]
    .contains(&kind)
}

/// The sync program that keeps the folder, by the signs it leaves.
pub(super) fn synced_by(workspace: &Path, kind: &str) -> Option<String> {
    let mounts = [
        ("fuse.rclone", "rclone"),
        ("fuse.gcsfuse", "gcsfuse"),
        ("fuse.s3fs", "s3fs"),
        ("fuse.goofys", "goofys"),
        ("fuse.onedriver", "onedriver"),
        ("fuse.google-drive-ocamlfuse", "Google Drive"),
        ("fuse.dbxfs", "Dropbox"),
    ];
    if let Some((_, by)) = mounts.iter().find(|(name, _)| *name == kind) {
        return Some((*by).to_owned());
    }
    let marks = [
        (".dropbox", "Dropbox"),
        (".dropbox.cache", "Dropbox"),
        (".stfolder", "Syncthing"),
        (".owncloudsync.log", "ownCloud"),
        (".nextcloudsync.log", "Nextcloud"),
        (".tmp.drivedownload", "Google Drive"),
        (".tmp.driveupload", "Google Drive"),
        (".849C9593-D756-4E56-8D6E-42412F2A707B", "OneDrive"),
        (".insync-trash", "Insync"),
        (".seafile-data", "Seafile"),
    ];
    let workspace = std::fs::canonicalize(workspace).unwrap_or_else(|_| workspace.to_owned());
    for above in workspace.ancestors() {
        let has = |mark: &str| std::fs::symlink_metadata(above.join(mark)).is_ok();
        if let Some((_, by)) = marks.iter().find(|(mark, _)| has(mark)) {
            return Some((*by).to_owned());
        }
        let name = above.file_name().unwrap_or_default().to_string_lossy();
        let by = match &*name {
            "Dropbox" | "Google Drive" | "GoogleDrive" | "OneDrive" | "Nextcloud"
            | "pCloudDrive" => &*name,
            "Mobile Documents" | "iCloud Drive" | "iCloudDrive" => "iCloud",
            "CloudStorage" => "a sync program",
            name if name.starts_with("OneDrive - ") => "OneDrive",
            _ => continue,
        };
        return Some(by.to_owned());
    }
    None
}

/// What the system calls the file system of a path.
#[cfg(target_os = "linux")]
pub(super) fn kind_of(path: &Path) -> String {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    kind_in(&mounts, &path)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn kind_of(_: &Path) -> String {
    String::new()
}

/// The kind of the last mount that holds the path, in the words of `mountinfo`.
#[cfg(any(target_os = "linux", test))]
fn kind_in(mounts: &str, path: &Path) -> String {
    let mut best: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let Some((left, right)) = line.split_once(" - ") else {
            continue;
        };
        let (Some(at), Some(kind)) = (left.split(' ').nth(4), right.split(' ').next()) else {
            continue;
        };
        let at = at
            .replace("\\040", " ")
            .replace("\\011", "\t")
            .replace("\\134", "\\");
        // A later mount at the same place covers the earlier one.
        if path.starts_with(&at) && best.is_none_or(|(len, _)| at.len() >= len) {
            best = Some((at.len(), kind));
        }
    }
    best.map(|(_, kind)| shown(kind)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_that_of_the_innermost_mount() {
        let mounts = "22 1 0:1 / / rw,relatime shared:1 - ext4 /dev/vda rw\n\
                      30 22 0:26 / /mnt/the\\040share rw shared:2 - nfs4 server:/x rw\n\
                      31 22 0:27 / /mnt/the rw - fuse.rclone remote: rw\n";
        for (path, kind) in [
            ("/home", "ext4"),
            ("/mnt/the share/ws", "nfs4"),
            ("/mnt/the/ws", "fuse.rclone"),
            ("/mnt/theory", "ext4"),
        ] {
            assert_eq!(kind_in(mounts, Path::new(path)), kind, "{path}");
        }
        assert!(is_network("nfs4") && is_network("fuse.sshfs") && !is_network("ext4"));
    }
}
