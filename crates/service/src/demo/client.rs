//! A caller of the server's own API: the play knows nothing that an outsider would not.

use indicatif::ProgressBar;
use reqwest::Method;
use serde_json::Value;

/// Why the play stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    /// The server could not be reached.
    #[error("the server could not be reached: {0}")]
    Unreachable(#[from] reqwest::Error),
    /// The server refused what the script asks for.
    #[error("{method} {path} was answered {status}: {answer}")]
    Refused {
        /// How it was asked.
        method: String,
        /// What was asked.
        path: String,
        /// The status.
        status: u16,
        /// The problem, as answered.
        answer: String,
    },
    /// An answer lacks what the script needs.
    #[error("the answer has no `{0}`")]
    Lacks(String),
    /// The cast cannot be made.
    #[error(transparent)]
    Cast(#[from] super::cast::CastError),
    /// The policy cannot be read.
    #[error("the example policy cannot be read: {0}")]
    Policy(String),
}

/// Somebody who has signed in.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// How they are called.
    pub name: String,
    /// With what they sign in.
    pub email: String,
    /// Their account.
    pub account: String,
    token: String,
}

/// An answer with its entity tag.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// The body.
    pub body: Value,
    /// The entity tag, where the answer is one record.
    pub entity_tag: Option<String>,
}

impl Reply {
    /// The text at `name`.
    pub(crate) fn text(&self, name: &str) -> Result<String, DemoError> {
        text(&self.body, name)
    }
}

/// The text at `name` of a JSON object.
pub(crate) fn text(body: &Value, name: &str) -> Result<String, DemoError> {
    body.get(name)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| DemoError::Lacks(name.to_owned()))
}

/// The text at a JSON Pointer, empty where there is none.
pub(crate) fn at(body: &Value, pointer: &str) -> String {
    body.pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// The items of a list.
pub(crate) fn items(body: &Value) -> Vec<Value> {
    body.get("items")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default()
}

/// A caller of one server.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    bar: Option<ProgressBar>,
}

impl Client {
    /// A caller of the server at `base`, such as `http://127.0.0.1:8080`.
    pub(crate) fn new(base: String) -> Self {
        Self {
            http: reqwest::Client::new(),
            base,
            bar: None,
        }
    }

    /// The same, counting its requests on `bar`.
    pub(crate) fn counting(&self, bar: ProgressBar) -> Self {
        Self {
            bar: Some(bar),
            ..self.clone()
        }
    }

    /// Signs in.
    pub(crate) async fn sign_in(
        &self,
        name: &str,
        email: &str,
        password: &str,
    ) -> Result<Person, DemoError> {
        let body = serde_json::json!({ "email": email, "password": password });
        let reply = self
            .send(Method::POST, "/v1/sign-in", None, Some(&body), None)
            .await?;
        let account = text(&reply.body, "account")?;
        Ok(Person {
            name: name.to_owned(),
            email: email.to_owned(),
            account,
            token: reply.text("token")?,
        })
    }

    /// Reads.
    pub(crate) async fn get(&self, who: &Person, path: &str) -> Result<Reply, DemoError> {
        self.send(Method::GET, path, Some(who), None, None).await
    }

    /// Reads without signing in.
    pub(crate) async fn get_as_public(&self, path: &str) -> Result<Reply, DemoError> {
        self.send(Method::GET, path, None, None, None).await
    }

    /// Asks for a move, or creates.
    pub(crate) async fn post(
        &self,
        who: &Person,
        path: &str,
        body: Value,
    ) -> Result<Reply, DemoError> {
        self.send(Method::POST, path, Some(who), Some(&body), None)
            .await
    }

    /// Asks for a move without signing in.
    pub(crate) async fn post_as_public(&self, path: &str, body: Value) -> Result<Reply, DemoError> {
        self.send(Method::POST, path, None, Some(&body), None).await
    }

    /// Replaces a text: reads what is there, and writes only if it is still that.
    pub(crate) async fn replace(
        &self,
        who: &Person,
        record: &str,
        verb: &str,
        body: Value,
    ) -> Result<Reply, DemoError> {
        let seen = self.get(who, record).await?;
        let path = format!("{record}/{verb}");
        self.send(
            Method::POST,
            &path,
            Some(who),
            Some(&body),
            seen.entity_tag.as_deref(),
        )
        .await
    }

    /// Sets the server's clock.
    pub(crate) async fn put_clock(&self, who: &Person, now: &str) -> Result<(), DemoError> {
        let body = serde_json::json!({ "now": now });
        self.send(Method::PUT, "/v1/clock", Some(who), Some(&body), None)
            .await
            .map(drop)
    }

    /// Sends a file.
    pub(crate) async fn upload(
        &self,
        who: &Person,
        path: &str,
        bytes: &'static [u8],
    ) -> Result<(), DemoError> {
        let request = self
            .http
            .post(format!("{}{path}", self.base))
            .bearer_auth(&who.token)
            .body(bytes);
        let request = request.header("content-type", "application/octet-stream");
        self.answer(Method::POST, path, request).await.map(drop)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        who: Option<&Person>,
        body: Option<&Value>,
        if_match: Option<&str>,
    ) -> Result<Reply, DemoError> {
        let mut request = self
            .http
            .request(method.clone(), format!("{}{path}", self.base));
        if let Some(person) = who {
            request = request.bearer_auth(&person.token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        if let Some(tag) = if_match {
            request = request.header("if-match", tag);
        }
        self.answer(method, path, request).await
    }

    async fn answer(
        &self,
        method: Method,
        path: &str,
        request: reqwest::RequestBuilder,
    ) -> Result<Reply, DemoError> {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
        let response = request.send().await?;
        let status = response.status();
        let entity_tag = response
            .headers()
            .get("etag")
            .and_then(|tag| tag.to_str().ok())
            .map(str::to_owned);
        let answer = response.text().await?;
        if !status.is_success() {
            return Err(DemoError::Refused {
                method: method.to_string(),
                path: path.to_owned(),
                status: status.as_u16(),
                answer,
            });
        }
        let body = if answer.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&answer).unwrap_or(Value::Null)
        };
        Ok(Reply { body, entity_tag })
    }
}
