//! What kind of file system a folder lies on: whether its changes are told, whether its locks and
//! times can be believed.

use std::path::Path;

use super::DiskError;

/// The file system under a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSystem {
    /// Its name as people know it: `ext4`, `NFS`.
    pub name: String,
    /// Who else may change it.
    pub reach: Reach,
}

/// Who may change what lies on a file system, and so whether this machine hears of every change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// This machine alone; every change is told.
    Local,
    /// This machine alone, and all is gone when it is switched off.
    Memory,
    /// Other machines too; their changes are not told here.
    Network,
    /// A program behind it decides (FUSE); changes may come from anywhere.
    Program,
}

impl FileSystem {
    /// True when a watch hears of every change.
    pub fn tells_changes(&self) -> bool {
        matches!(self.reach, Reach::Local | Reach::Memory)
    }
}

/// The file system that `path` lies on. On a network folder whose server is gone this may wait for
/// very long.
#[cfg(target_os = "linux")]
pub fn file_system(path: &Path) -> Result<FileSystem, DiskError> {
    let told = rustix::fs::statfs(path)
        .map_err(|errno| DiskError::io("look at the file system", path, errno.into()))?;
    // The kernel's numbers have 32 bits; the field is wider on some machines.
    let (name, reach) = of_magic(told.f_type as u32);
    Ok(FileSystem {
        name: name.to_owned(),
        reach,
    })
}

/// Elsewhere it is not looked at, and taken for local.
#[cfg(not(target_os = "linux"))]
pub fn file_system(path: &Path) -> Result<FileSystem, DiskError> {
    std::fs::metadata(path)
        .map_err(|cause| DiskError::io("look at the file system", path, cause))?;
    Ok(FileSystem {
        name: "not known".to_owned(),
        reach: Reach::Local,
    })
}

/// The numbers of statfs(2) and of the kernel's `magic.h`.
#[cfg(target_os = "linux")]
fn of_magic(magic: u32) -> (&'static str, Reach) {
    match magic {
        0xEF53 => ("ext4", Reach::Local),
        0x5846_5342 => ("XFS", Reach::Local),
        0x9123_683E => ("Btrfs", Reach::Local),
        0x2FC1_2FC1 => ("ZFS", Reach::Local),
        0xCA45_1A4E => ("bcachefs", Reach::Local),
        0xF2F5_2010 => ("F2FS", Reach::Local),
        0x794C_7630 => ("overlay", Reach::Local),
        0x4D44 => ("FAT", Reach::Local),
        0x2011_BAB0 => ("exFAT", Reach::Local),
        0x7366_746E | 0x5346_544E => ("NTFS", Reach::Local),
        0xF15F => ("eCryptfs", Reach::Local),
        0x0102_1994 => ("tmpfs", Reach::Memory),
        0x8584_58F6 => ("ramfs", Reach::Memory),
        0x6969 => ("NFS", Reach::Network),
        0x517B | 0xFE53_4D42 | 0xFF53_4D42 => ("SMB", Reach::Network),
        0x0102_1997 => ("9p", Reach::Network),
        0x00C3_6400 => ("CephFS", Reach::Network),
        0x5346_414F | 0x6B41_4653 => ("AFS", Reach::Network),
        0x7375_7245 => ("Coda", Reach::Network),
        0x0BD0_0BD0 => ("Lustre", Reach::Network),
        0x4750_4653 => ("GPFS", Reach::Network),
        0x0116_1970 => ("GFS2", Reach::Network),
        0x7461_636F => ("OCFS2", Reach::Network),
        0x786F_4256 => ("VirtualBox folder", Reach::Network),
        0xBACB_ACBC => ("VMware folder", Reach::Network),
        0x6573_5546 => ("FUSE", Reach::Program),
        _ => ("not known", Reach::Local),
    }
}

/// The service that copies this folder to other machines, as far as its place tells; such services
/// keep both versions of a file that two machines wrote, under other names.
pub fn sync_service(path: &Path) -> Option<&'static str> {
    const NAMES: [(&str, &str); 7] = [
        ("Dropbox", "Dropbox"),
        ("OneDrive", "OneDrive"),
        ("Google Drive", "Google Drive"),
        ("GoogleDrive", "Google Drive"),
        ("Nextcloud", "Nextcloud"),
        ("ownCloud", "ownCloud"),
        ("Mobile Documents", "iCloud Drive"),
    ];
    path.ancestors().find_map(|at| {
        let name = at.file_name()?.to_string_lossy();
        let known = NAMES.iter().find(|(start, _)| {
            // `Dropbox (Work)` and `OneDrive - Mill` are theirs too; `Dropboxes` is not.
            let rest = name.strip_prefix(start);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '-', '(']))
        });
        match known {
            Some((_, service)) => Some(*service),
            None => at.join(".stfolder").exists().then_some("Syncthing"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_folder_tells_no_changes_and_a_disk_does() {
        let kind = |name: &str, reach| FileSystem {
            name: name.to_owned(),
            reach,
        };
        assert!(!kind("NFS", Reach::Network).tells_changes());
        assert!(!kind("FUSE", Reach::Program).tells_changes());
        assert!(kind("ext4", Reach::Local).tells_changes());
        assert!(file_system(Path::new("/")).is_ok());
        let told = file_system(Path::new("/nowhere/at/all")).expect_err("missing");
        assert!(told.to_string().contains("/nowhere/at/all"), "{told}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn numbers_of_the_kernel_are_known_by_name() {
        assert_eq!(of_magic(0x6969), ("NFS", Reach::Network));
        assert_eq!(of_magic(0xFF53_4D42), ("SMB", Reach::Network));
        let proc = file_system(Path::new("/proc")).expect("mounted");
        assert_eq!(proc.name, "not known");
    }

    #[test]
    fn a_folder_that_is_copied_elsewhere_is_known_by_its_place() {
        let dir = tempfile::tempdir().expect("temp dir");
        for (sub, service) in [
            ("Dropbox (Work)/mill", Some("Dropbox")),
            ("OneDrive - Mill/a/b", Some("OneDrive")),
            ("Dropboxes/a", None),
            ("plain", None),
        ] {
            assert_eq!(sync_service(&dir.path().join(sub)), service, "{sub}");
        }
        std::fs::create_dir_all(dir.path().join("sync/.stfolder")).expect("mkdir");
        assert_eq!(
            sync_service(&dir.path().join("sync/a/b")),
            Some("Syncthing")
        );
    }
}
