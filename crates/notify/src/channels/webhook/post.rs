//! One POST to one address: resolved once, checked, connected to that very address, without proxies
//! and without following anywhere.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use super::WebhookSettings;
use super::address::{Target, is_public, target};

/// How long a receiver may take, from the first packet to its status.
const TIMEOUT: Duration = Duration::from_secs(15);

/// What a receiver answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// It has it.
    Taken,
    /// It wants no more.
    Gone,
}

/// Sends.
pub(super) struct Post {
    allow_private: bool,
    tls: TlsConnector,
}

impl Post {
    pub(super) fn new(settings: &WebhookSettings) -> Result<Self, String> {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        for certificate in settings
            .authority
            .iter()
            .flat_map(|pem| CertificateDer::pem_slice_iter(pem))
        {
            let certificate = certificate.map_err(|error| error.to_string())?;
            roots.add(certificate).map_err(|error| error.to_string())?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            allow_private: settings.allow_private,
            tls: TlsConnector::from(Arc::new(config)),
        })
    }

    /// Sends `body`; an error says why it has to be tried again.
    pub(super) async fn send(
        &self,
        url: &str,
        headers: [(&'static str, String); 3],
        body: String,
    ) -> Result<Sent, String> {
        let status = tokio::time::timeout(TIMEOUT, self.exchange(url, headers, body))
            .await
            .map_err(|_| "the receiver did not answer in time".to_owned())??;
        match status {
            StatusCode::GONE => Ok(Sent::Gone),
            status if status.is_success() => Ok(Sent::Taken),
            // Redirects too: whoever moves says so to the administrator.
            status => Err(format!("the receiver answered {}", status.as_u16())),
        }
    }

    async fn exchange(
        &self,
        url: &str,
        headers: [(&'static str, String); 3],
        body: String,
    ) -> Result<StatusCode, String> {
        let to = target(url, self.allow_private).map_err(|error| error.to_string())?;
        let stream = self.connect(&to).await?;
        let mut request = Request::post(&to.path)
            .header(header::HOST, host(&to))
            .header(header::CONTENT_TYPE, "application/json")
            .header(
                header::USER_AGENT,
                concat!("fundcycle/", env!("CARGO_PKG_VERSION")),
            );
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| error.to_string())?;
        if !to.secure {
            return answered(stream, request).await;
        }
        let name = ServerName::try_from(to.host.clone()).map_err(|error| error.to_string())?;
        let secure = self.tls.connect(name, stream).await;
        answered(secure.map_err(|error| format!("TLS: {error}"))?, request).await
    }

    async fn connect(&self, to: &Target) -> Result<TcpStream, String> {
        let failed = |error: std::io::Error| format!("it cannot be reached: {error}");
        let addresses: Vec<SocketAddr> = tokio::net::lookup_host((to.host.as_str(), to.port))
            .await
            .map_err(failed)?
            .collect();
        // One address inside is enough to refuse them all: a name that has both is up to something.
        if !self.allow_private && !addresses.iter().all(|address| is_public(address.ip())) {
            return Err("its name leads to a private, link-local or loopback address".to_owned());
        }
        TcpStream::connect(addresses.as_slice())
            .await
            .map_err(failed)
    }
}

/// The host as the request names it.
fn host(to: &Target) -> String {
    let host = if to.host.contains(':') {
        format!("[{}]", to.host)
    } else {
        to.host.clone()
    };
    let usual = if to.secure { 443 } else { 80 };
    if to.port == usual {
        host
    } else {
        format!("{host}:{}", to.port)
    }
}

/// The status; what else is answered is not read.
async fn answered(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<StatusCode, String> {
    let failed = |error: hyper::Error| format!("it broke off: {error}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(failed)?;
    // Ends with this future, whichever way that ends.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let answer = sender.send_request(request).await.map_err(failed)?;
    Ok(answer.status())
}
