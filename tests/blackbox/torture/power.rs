//! A disk whose power can be cut: a library between the service and the system that notes what was synced.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use fundcycle_test_support::{Database, TempDir, temp_dir};

use super::crowd::Environment;

/// A disk, its library and what it kept.
pub(super) struct Power {
    folder: TempDir,
    forgets: Option<&'static str>,
}

impl Power {
    /// A disk that keeps all that was synced, and nothing else.
    pub(super) fn all() -> Self {
        Self::made(None)
    }

    /// A disk that keeps no files that end so, synced or not.
    pub(super) fn forgets(suffix: &'static str) -> Self {
        Self::made(Some(suffix))
    }

    fn made(forgets: Option<&'static str>) -> Self {
        let power = Self {
            folder: temp_dir(),
            forgets,
        };
        fs::create_dir(power.disk()).unwrap();
        fs::create_dir(power.kept()).unwrap();
        fs::write(power.counter(), [0; 8]).unwrap();
        let source = power.folder.path().join("power.c");
        fs::write(&source, include_str!("power.c")).unwrap();
        let made = Command::new("cc")
            .args(["-O2", "-shared", "-fPIC", "-pthread", "-o"])
            .args([power.library(), source])
            .arg("-ldl")
            .status()
            .unwrap();
        assert!(made.success(), "no C compiler");
        power
    }

    fn library(&self) -> PathBuf {
        self.folder.path().join("power.so")
    }

    fn disk(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    fn kept(&self) -> PathBuf {
        self.folder.path().join("kept")
    }

    fn counter(&self) -> PathBuf {
        self.folder.path().join("syncs")
    }

    fn failing(&self) -> PathBuf {
        self.folder.path().join("failing")
    }

    /// A database on this disk.
    pub(super) fn database(&self) -> Database {
        Database {
            url: format!("sqlite:{}", self.disk().join("fundcycle.db").display()),
            folder: temp_dir(),
        }
    }

    /// What the service has to be started with.
    pub(super) fn environment(&self) -> Environment {
        let path = |path: PathBuf| path.to_str().unwrap().to_owned();
        let mut environment = vec![
            ("LD_PRELOAD", path(self.library())),
            ("PC_ROOT", path(self.disk())),
            ("PC_SHADOW", path(self.kept())),
            ("PC_COUNT", path(self.counter())),
            ("PC_FAILS", path(self.failing())),
        ];
        environment.extend(self.forgets.map(|suffix| ("PC_FORGETS", suffix.to_owned())));
        environment
    }

    /// All that is on the disk now was synced.
    pub(super) fn all_is_synced(&self) {
        copy(&self.disk(), &self.kept());
    }

    /// The power goes and comes back; nobody is at work.
    pub(super) fn is_cut(&self) {
        fs::remove_dir_all(self.disk()).unwrap();
        fs::create_dir(self.disk()).unwrap();
        copy(&self.kept(), &self.disk());
    }

    /// How often the service has synced something.
    pub(super) fn syncs(&self) -> u64 {
        u64::from_ne_bytes(fs::read(self.counter()).unwrap().try_into().unwrap())
    }

    /// From now on no sync succeeds, or each does.
    pub(super) fn fails(&self, fails: bool) {
        if fails {
            fs::write(self.failing(), "").unwrap();
        } else {
            fs::remove_file(self.failing()).unwrap();
        }
    }
}

/// Files by their names; what was half copied when the process died is no file yet.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let is_whole = entry.path().extension().is_none_or(|end| end != "new");
        if is_whole && entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
