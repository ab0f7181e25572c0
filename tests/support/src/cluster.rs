//! A private PostgreSQL server per test process.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A running server that ends with this process.
#[derive(Debug)]
pub struct Cluster {
    binaries: PathBuf,
    socket: PathBuf,
    identity: Option<Identity>,
    /// Holds the pipe whose end tells the watching shell to stop the server. A process that dies,
    /// by whatever signal, closes it too.
    _watch: Child,
}

/// An account that may run a server, which root may not.
#[derive(Clone, Copy, Debug)]
struct Identity {
    user: u32,
    group: u32,
}

/// Starts the server, waits until our end of the pipe is closed, stops the server, cleans up.
const WATCH: &str = r#"
"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c max_connections=200 -c log_min_messages=fatal >"$2/log" 2>&1 &
server=$!
read -r _
while kill -QUIT $server; do sleep 0.1; done
rm -rf "$2"
"#;

/// The server of this process, started on first use.
pub(crate) fn postgres() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::of_its_own).as_ref()
}

/// Where the server's binaries are: on the path, or where Debian puts them (the newest).
fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut debian: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    debian.sort();
    std::env::split_paths(&path)
        // Only some of the programs may be linked into the path: follow one to where all of them are.
        .filter_map(|folder| {
            Some(
                folder
                    .join("initdb")
                    .canonicalize()
                    .ok()?
                    .parent()?
                    .to_owned(),
            )
        })
        .chain(debian.into_iter().rev())
        .find(|folder| {
            ["initdb", "postgres", "createdb", "pg_isready"]
                .iter()
                .all(|name| folder.join(name).exists())
        })
}

impl Cluster {
    /// A server for one test, which may do to it what others would not bear; none where none is installed, which
    /// is an error under `CI=true`.
    pub fn of_its_own() -> Option<Self> {
        let found = binaries();
        if found.is_none() {
            let message = "PostgreSQL is not installed (package postgresql)";
            assert!(
                std::env::var("CI").as_deref() != Ok("true"),
                "{message}, and CI=true"
            );
            // Past the capture of test output: the line must be seen when the test passes.
            std::io::stderr()
                .write_all(format!("SKIPPED: {message}\n").as_bytes())
                .unwrap();
        }
        found.map(Self::start)
    }

    fn start(binaries: PathBuf) -> Self {
        // Not under the target folder: the path of a socket may not be longer than 107 bytes.
        let folder = tempfile::Builder::new()
            .prefix("fundcycle-pg-")
            .tempdir()
            .unwrap()
            .keep();
        let identity = Identity::needed(&folder);
        if let Some(Identity { user, group }) = identity {
            chown(&folder, Some(user), Some(group)).unwrap();
        }
        let made = command(&binaries.join("initdb"), identity, &folder)
            .args([
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "--pgdata",
            ])
            .arg(folder.join("data"))
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        let watch = command(Path::new("/bin/sh"), identity, &folder)
            .args(["-c", WATCH, "watch"])
            .args([&binaries, &folder])
            .stdin(Stdio::piped())
            // Nor may it keep open what a caller of the tests reads to its end.
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let cluster = Self {
            binaries,
            socket: folder,
            identity,
            _watch: watch,
        };
        cluster.wait_until_ready();
        cluster
    }

    fn wait_until_ready(&self) {
        let end = Instant::now() + Duration::from_mins(1);
        while !self
            .client("pg_isready")
            .arg("--quiet")
            .status()
            .unwrap()
            .success()
        {
            let log = fs::read_to_string(self.socket.join("log")).unwrap_or_default();
            assert!(Instant::now() < end, "PostgreSQL did not start: {log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Creates an empty database.
    pub fn create_database(&self, name: &str) {
        let made = self.client("createdb").arg(name).output().unwrap();
        assert!(
            made.status.success(),
            "createdb {name}: {}",
            String::from_utf8_lossy(&made.stderr)
        );
    }

    /// How a client names database `name`.
    pub fn url(&self, name: &str) -> String {
        format!(
            "postgres:///{name}?host={}&user=postgres",
            self.socket.display()
        )
    }

    /// The server loses a process by SIGKILL: it drops every connection and recovers from its log, as after
    /// a crash. Comes back once it has begun.
    pub fn falls_over(&self) {
        let walwriter = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'";
        let found = self
            .client("psql")
            .args(["--no-psqlrc", "-Atc", walwriter, "postgres"])
            .output()
            .unwrap();
        let process = String::from_utf8(found.stdout).unwrap();
        // The shell's own: not every system has a program of that name.
        let killed = Command::new("/bin/sh")
            .args(["-c", "kill -KILL \"$1\"", "kill", process.trim()])
            .status();
        assert!(killed.unwrap().success(), "no process {process:?}");
    }

    /// A client program of the same version, pointed at this server.
    pub fn client(&self, program: &str) -> Command {
        let mut client = command(&self.binaries.join(program), self.identity, &self.socket);
        client
            .arg("--host")
            .arg(&self.socket)
            .arg("--username=postgres");
        client
    }
}

impl Identity {
    /// Whom to become: nobody else, unless we are root.
    fn needed(owned_by_us: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        if fs::metadata(owned_by_us).unwrap().uid() != 0 {
            return None;
        }
        let accounts = fs::read_to_string("/etc/passwd").unwrap();
        let find = |name: &str| {
            let line = accounts
                .lines()
                .find(|line| line.split(':').next() == Some(name))?;
            let mut fields = line.split(':').skip(2);
            Some(Self {
                user: fields.next()?.parse().ok()?,
                group: fields.next()?.parse().ok()?,
            })
        };
        Some(
            find("postgres")
                .or_else(|| find("nobody"))
                .expect("an account named postgres or nobody"),
        )
    }
}

fn command(program: &Path, identity: Option<Identity>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env("LC_ALL", "C");
    if let Some(Identity { user, group }) = identity {
        command.gid(group).uid(user);
    }
    command
}
