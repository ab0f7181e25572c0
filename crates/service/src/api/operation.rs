//! One operation of the API, declared: what the router serves and what the document says.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use axum::response::Response;
use fundcycle_core::actor::Role;
use fundcycle_core::rejection::Text;
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::body::BodySchema;
use super::call::Call;
use crate::problem::{Code, Problem};

/// What a handler gives.
pub(crate) type Answered = Result<Response, Problem>;

/// What answers an operation.
pub(crate) type Handler = Arc<dyn Fn(Call) -> BoxFuture<'static, Answered> + Send + Sync>;

/// Time within which an operation is answered, unless it says otherwise.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the path.
    Path,
    /// After the question mark.
    Query,
    /// In a header.
    Header,
}

/// A parameter.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Where it stands.
    pub place: Place,
    /// Whether it has to be there.
    pub required: bool,
    /// What it may be.
    pub schema: Value,
    /// What it does.
    pub summary: &'static str,
}

/// What is sent with a request.
#[derive(Clone, Debug)]
pub(crate) enum Carries {
    /// Nothing.
    Nothing,
    /// JSON of this schema.
    Json(Arc<BodySchema>),
    /// A file.
    File,
}

/// What is sent back when all goes well.
#[derive(Clone, Debug)]
pub(crate) struct Gives {
    /// With which status.
    pub status: StatusCode,
    /// What it is.
    pub summary: &'static str,
    /// In which media type.
    pub media_type: &'static str,
    /// In which other media types it can be had.
    pub also: Vec<&'static str>,
    /// Of which schema; none where there is no body.
    pub schema: Option<Value>,
}

/// A declared operation.
#[derive(Clone)]
pub(crate) struct Operation {
    /// How it is asked.
    pub method: Method,
    /// Where, with parameters in braces.
    pub path: String,
    /// Its unique name.
    pub id: String,
    /// The group it is shown in.
    pub tag: String,
    /// What it does, in English and in Chinese.
    pub summary: Text,
    /// Who may ask; towards records, the flow and the visibility of the kind decide.
    pub roles: Vec<Role>,
    /// Parameters, those of the path included.
    pub parameters: Vec<Parameter>,
    /// What is sent.
    pub carries: Carries,
    /// What is answered.
    pub gives: Gives,
    /// The problems it may answer, beside those that every operation may.
    pub problems: Vec<Code>,
    /// Within which time it is answered.
    pub within: Duration,
    /// Whether a token for a program is not enough, whatever it is for.
    pub by_session: bool,
    /// Whether it may be asked before the second factor that is asked for is there.
    pub before_factor: bool,
    /// Whether a password comes with it: hashing one is dear, and guessing is to be slow.
    pub takes_password: bool,
    /// What answers it.
    pub handler: Handler,
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operation")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Operation {
    /// An operation that sends nothing and answers JSON. It is for nobody until its roles are said.
    pub(crate) fn new<F>(
        method: Method,
        path: impl Into<String>,
        id: impl Into<String>,
        summary: Text,
        handler: impl Fn(Call) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Answered> + Send + 'static,
    {
        Self {
            method,
            path: path.into(),
            id: id.into(),
            tag: "service".to_owned(),
            summary,
            roles: Vec::new(),
            parameters: Vec::new(),
            carries: Carries::Nothing,
            gives: Gives {
                status: StatusCode::OK,
                summary: "As asked.",
                media_type: "application/json",
                also: Vec::new(),
                schema: None,
            },
            problems: Vec::new(),
            within: ANSWERED_WITHIN,
            by_session: false,
            before_factor: false,
            takes_password: false,
            handler: Arc::new(move |call| Box::pin(handler(call))),
        }
    }

    /// Whether it is answered without signing in.
    pub(crate) fn is_public(&self) -> bool {
        self.roles.contains(&Role::Public)
    }

    /// The same, only for whoever signed in.
    pub(crate) fn by_session(mut self) -> Self {
        self.by_session = true;
        self
    }

    /// The same, also for who still lacks a second factor.
    pub(crate) fn before_factor(mut self) -> Self {
        self.before_factor = true;
        self
    }

    /// The same, with a password.
    pub(crate) fn takes_password(mut self) -> Self {
        self.takes_password = true;
        self
    }

    /// The same in this group.
    pub(crate) fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tag = tag.into();
        self
    }

    /// The same for these roles; one that declares none is for nobody, and a test asks for them.
    pub(crate) fn roles(mut self, roles: impl IntoIterator<Item = Role>) -> Self {
        self.roles = roles.into_iter().collect();
        self
    }

    /// The same with these parameters too.
    pub(crate) fn parameters(mut self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    /// The same with a JSON body.
    pub(crate) fn takes(mut self, schema: Arc<BodySchema>) -> Self {
        self.carries = Carries::Json(schema);
        self.problems
            .extend([Code::TooLarge, Code::UnsupportedMediaType, Code::Invalid]);
        self
    }

    /// The same answering this.
    pub(crate) fn gives(
        mut self,
        status: StatusCode,
        summary: &'static str,
        schema: impl Into<Option<Value>>,
    ) -> Self {
        self.gives = Gives {
            status,
            summary,
            schema: schema.into(),
            ..self.gives
        };
        self
    }

    /// The same answering these problems too.
    pub(crate) fn problems(mut self, problems: impl IntoIterator<Item = Code>) -> Self {
        self.problems.extend(problems);
        self
    }
}
