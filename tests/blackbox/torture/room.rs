//! A disk with little room.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use fundcycle_test_support::{Database, TempDir, temp_dir};

/// What the disk holds, in MiB.
const SIZE: usize = 24;

/// A file system in memory of its own.
pub(super) struct SmallDisk(TempDir);

impl SmallDisk {
    /// None where we may not mount one.
    pub(super) fn mounted() -> Option<Self> {
        let folder = temp_dir();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={SIZE}m"), "tmpfs"])
            .arg(folder.path())
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        let line = "SKIPPED: a full disk; to mount a small one needs root\n";
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        None
    }

    /// A database on it.
    pub(super) fn database(&self) -> Database {
        Database {
            url: format!("sqlite:{}", self.0.path().join("fundcycle.db").display()),
            folder: temp_dir(),
        }
    }

    fn filler(&self) -> PathBuf {
        self.0.path().join("filler")
    }

    /// Takes all the room that is left.
    pub(super) fn is_filled(&self) {
        let mut filler = fs::File::create(self.filler()).unwrap();
        while filler.write_all(&[0; 1 << 10]).is_ok() {}
    }

    /// Gives it back.
    pub(super) fn has_room(&self) {
        fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // The folder below it is removed after it.
        let _: std::io::Result<_> = Command::new("umount")
            .args(["-l"])
            .arg(self.0.path())
            .status();
    }
}
