//! A certificate for 127.0.0.1 and the authority behind it; neither protects anything.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The authority, for whoever is to trust it.
pub const AUTHORITY: &str = include_str!("tls/ca.pem");
const CERTIFICATE: &str = include_str!("tls/server.pem");
const KEY: &str = include_str!("tls/server.key");

/// What a server on 127.0.0.1 speaks TLS with.
pub fn server() -> Arc<ServerConfig> {
    let certificates: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(CERTIFICATE.as_bytes())
            .map(Result::unwrap)
            .collect();
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .unwrap();
    Arc::new(config)
}

/// Writes the authority into a file of `folder`; gives its path.
pub fn authority_in(folder: &Path) -> String {
    let path = folder.join("authority.pem");
    std::fs::write(&path, AUTHORITY).unwrap();
    path.display().to_string()
}
