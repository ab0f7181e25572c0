//! Parameters after the question mark, read with every fault at once.

use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use axum::extract::Query as AxumQuery;
use axum::http::Uri;
use fundcycle_core::rejection::Fault;

use super::operation::{Operation, Place};
use crate::problem::{Code, Problem};

/// The parameters of one request; only declared ones.
#[derive(Debug, Default)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    faults: Mutex<Vec<Fault>>,
}

impl Query {
    /// Reads the query of `uri`.
    ///
    /// # Errors
    ///
    /// 400 where it cannot be decoded or has a parameter that the operation does not.
    pub(crate) fn read(uri: &Uri, operation: &Operation) -> Result<Self, Problem> {
        let AxumQuery(pairs) =
            AxumQuery::<Vec<(String, String)>>::try_from_uri(uri).map_err(|error| {
                Problem::malformed(
                    "",
                    "malformed_query",
                    format!("The query cannot be read: {error}."),
                    "查询参数无法解析。",
                )
            })?;
        let declared = |name: &str| {
            operation
                .parameters
                .iter()
                .any(|one| one.place == Place::Query && one.name == name)
        };
        let mut faults: Vec<Fault> = pairs
            .iter()
            .filter(|(name, _)| !declared(name))
            .map(|(name, _)| {
                Fault::new(
                    format!("/{name}"),
                    "unknown_parameter",
                    format!("There is no parameter `{name}` here."),
                    format!("此处没有参数“{name}”。"),
                )
            })
            .collect();
        faults.extend(
            pairs
                .iter()
                .filter(|(_, value)| value.contains('\0'))
                .map(|(name, _)| {
                    Fault::new(
                        format!("/{name}"),
                        "nul",
                        "Text has no NUL characters.",
                        "文本不得包含空字符。",
                    )
                }),
        );
        let query = Self {
            pairs,
            faults: Mutex::new(faults),
        };
        query.done()?;
        Ok(query)
    }

    /// The text of a parameter.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(one, _)| one == name)
            .map(|(_, value)| value.as_str())
    }

    /// The texts of a parameter that may be repeated or hold several with commas.
    pub(crate) fn texts(&self, name: &str) -> Vec<&str> {
        let values = self
            .pairs
            .iter()
            .filter(|(one, _)| one == name)
            .flat_map(|(_, value)| value.split(','));
        values
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .collect()
    }

    /// The value of a parameter; a fault is noted where it is not of that type.
    pub(crate) fn value<T: FromStr>(&self, name: &str, wanted: &str) -> Option<T> {
        let value = self.text(name)?.parse().ok();
        if value.is_none() {
            self.fault(
                name,
                format!("This has to be {wanted}."),
                format!("此参数应为:{wanted}。"),
            );
        }
        value
    }

    /// Whether a switch is on.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        match self.text(name) {
            None | Some("false" | "0") => false,
            Some("" | "true" | "1") => true,
            Some(_) => {
                self.fault(
                    name,
                    "This has to be true or false.",
                    "此参数应为 true 或 false。",
                );
                false
            }
        }
    }

    /// Notes a fault.
    pub(crate) fn fault(&self, name: &str, en: impl Into<String>, zh: impl Into<String>) {
        let fault = Fault::new(format!("/{name}"), "parameter", en, zh);
        self.faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(fault);
    }

    /// Refuses the request if any fault was noted.
    ///
    /// # Errors
    ///
    /// 400 with all of them.
    pub(crate) fn done(&self) -> Result<(), Problem> {
        let faults =
            std::mem::take(&mut *self.faults.lock().unwrap_or_else(PoisonError::into_inner));
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Problem::new(Code::Malformed).with_faults(faults))
        }
    }
}
