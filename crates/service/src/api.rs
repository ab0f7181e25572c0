//! The HTTP API. Every operation is declared once: the router and the OpenAPI document are both
//! made from the declarations, so neither can say what the other does not.

mod archive;
mod attachments;
pub(crate) mod board;
mod body;
mod bulk;
mod call;
mod command;
mod disposition;
mod documents;
mod factor;
mod interests;
mod journal;
mod kinds;
mod me;
mod messages;
pub(crate) mod operation;
pub(crate) mod outbox;
mod password;
mod preferences;
mod query;
mod read;
mod receipt;
mod record;
mod router;
mod schema;
pub(crate) mod session;
mod system;
mod tokens;
mod verification;
mod webhooks;
mod work;

#[cfg(test)]
pub(crate) use body::BodySchema;
pub(crate) use operation::Operation;
pub(crate) use router::router;
pub(crate) use schema::{Schemas, reference};

/// Every operation there is.
pub(crate) fn operations(schemas: &Schemas) -> Vec<Operation> {
    [
        session::operations(schemas),
        me::operations(),
        password::operations(schemas),
        tokens::operations(schemas),
        factor::operations(schemas),
        preferences::operations(schemas),
        messages::operations(schemas),
        kinds::operations(schemas),
        attachments::operations(),
        documents::operations(),
        archive::operations(),
        board::operations(),
        interests::operations(),
        work::operations(),
        journal::operations(),
        outbox::operations(schemas),
        webhooks::operations(schemas),
        receipt::operations(),
        system::operations(schemas),
        verification::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
