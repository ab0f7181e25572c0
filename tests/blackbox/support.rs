//! Running the binary and talking to it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// The binary with arguments, in `folder`, with nothing of this machine's configuration.
pub(crate) fn fundcycle(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fundcycle"));
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FUNDCYCLE_")) {
        command.env_remove(name);
    }
    command
}

/// The server of `database` on a free port.
fn serve(folder: &Path, database: &str, more: &[&str]) -> Command {
    let mut arguments = vec![
        "serve",
        "--database",
        database,
        "--listen",
        "127.0.0.1:0",
        "--log",
        "error",
    ];
    arguments.extend(more);
    fundcycle(folder, &arguments)
}

/// What the binary answers.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Output {
    fundcycle(folder, arguments).output().unwrap()
}

/// Standard output as text.
pub(crate) fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Standard error as text.
pub(crate) fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A running server; it ends with the test.
pub(crate) struct Server {
    process: Child,
    /// Where it answers, such as `http://127.0.0.1:40000`.
    pub(crate) address: String,
}

impl Server {
    /// Serves `database` on a free port; returns once it says that it answers.
    pub(crate) fn start(folder: &Path, database: &str, more: &[&str]) -> Self {
        Self::spawn(serve(folder, database, more))
    }

    /// Serves `database` with these variables in its environment.
    pub(crate) fn start_with<'a>(
        folder: &Path,
        database: &str,
        more: &[&str],
        variables: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut command = serve(folder, database, more);
        command.envs(variables);
        Self::spawn(command)
    }

    /// Serves with a full log that nobody reads.
    pub(crate) fn start_unheard(folder: &Path, database: &str) -> Self {
        let arguments = ["serve", "--database", database, "--listen", "127.0.0.1:0"];
        let mut command = fundcycle(folder, &arguments);
        command.env("FUNDCYCLE_LOG", "debug").stderr(Stdio::piped());
        let mut server = Self::spawn(command);
        drop(server.process.stderr.take());
        server
    }

    /// Ends it by SIGKILL, as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn spawn(mut command: Command) -> Self {
        // One address asks everything here, as fast as it can. A flag of the test wins over these.
        for rate in ["RATE_PER_ADDRESS", "RATE_PER_ACCOUNT", "SIGN_IN_RATE"] {
            command.env(format!("FUNDCYCLE_{rate}"), "0");
        }
        // Nobody here has a telephone, but for the test that is about it.
        command.env("FUNDCYCLE_SECOND_FACTOR", "optional");
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line
            .split_whitespace()
            .find(|word| word.starts_with("http://"))
            .unwrap_or_default();
        assert!(!address.is_empty(), "the server said {line:?}");
        Self {
            address: address.to_owned(),
            process,
        }
    }

    /// Asks; gives status, headers and JSON body.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> (u16, Value) {
        let (status, _, body) = self.ask_with(method, path, token, body, &[]).await;
        (status, body)
    }

    /// Asks with headers; gives status, entity tag and JSON body.
    pub(crate) async fn ask_with(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> (u16, Option<String>, Value) {
        let mut request = reqwest::Client::new()
            .request(method.parse().unwrap(), format!("{}{path}", self.address));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let tag = response
            .headers()
            .get("etag")
            .map(|tag| tag.to_str().unwrap().to_owned());
        let text = response.text().await.unwrap();
        (
            status,
            tag,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }

    /// Asks for bytes; gives status, headers and body.
    pub(crate) async fn fetch(
        &self,
        path: &str,
        token: Option<&str>,
        headers: &[(&str, &str)],
    ) -> (u16, reqwest::header::HeaderMap, Vec<u8>) {
        let mut request = reqwest::Client::new().get(format!("{}{path}", self.address));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        (status, headers, response.bytes().await.unwrap().to_vec())
    }

    /// Signs in and gives the token.
    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> String {
        let (status, body) = self
            .ask(
                "POST",
                "/v1/sign-in",
                None,
                Some(serde_json::json!({ "email": email, "password": password })),
            )
            .await;
        assert_eq!(status, 200, "{body}");
        body["token"].as_str().unwrap().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _: std::io::Result<()> = self.process.kill();
        let _: std::io::Result<std::process::ExitStatus> = self.process.wait();
    }
}
