//! Connections: how many there may be, and how long one may keep the service waiting.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt as _;

/// Connections at once; whoever comes then waits to be taken.
const AT_ONCE: usize = 4_096;
/// Bytes of the head of a request.
const HEAD: usize = 64 * 1024;
/// Requests at once on one connection.
const STREAMS: u32 = 100;
/// How long to wait where no connection can be taken, as with too many files open.
const PAUSE: Duration = Duration::from_millis(200);

/// How long a client may keep the service waiting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Until the head of a request is there whole; so long a connection may also be idle.
    pub head: Duration,
    /// While it takes nothing of its answer.
    pub taking: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(15),
            taking: Duration::from_secs(30),
        }
    }
}

/// Takes connections until `ended`, then lets what is under way finish.
pub(super) async fn serve(
    listener: TcpListener,
    routes: Router,
    patience: Patience,
    ended: impl Future<Output = ()>,
) {
    let graceful = GracefulShutdown::new();
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let builder = builder(patience);
    let taking = async {
        loop {
            let Ok(turn) = Arc::clone(&turns).acquire_owned().await else {
                return;
            };
            let (stream, peer) = match listener.accept().await {
                Ok(taken) => taken,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let service = routes.clone();
            let service = hyper::service::service_fn(move |request: Request<Incoming>| {
                let mut request = request.map(Body::new);
                request.extensions_mut().insert(ConnectInfo(peer));
                answer(service.clone(), request)
            });
            let connection = builder
                .serve_connection(TokioIo::new(patient(stream, patience.taking)), service)
                .into_owned();
            let watched = graceful.watch(connection);
            tokio::spawn(async move {
                if let Err(error) = watched.await {
                    tracing::debug!(%error, "a connection ended early");
                }
                drop(turn);
            });
        }
    };
    tokio::select! {
        () = taking => {}
        () = ended => {}
    }
    drop(listener);
    graceful.shutdown().await;
}

fn builder(patience: Patience) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_buf_size(HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(patience.head)
        .keep_alive_timeout(patience.head)
        .max_header_list_size(u32::try_from(HEAD).unwrap_or(u32::MAX))
        .max_concurrent_streams(STREAMS);
    builder
}

/// The stream, ended where its reader takes nothing.
fn patient(stream: TcpStream, taking: Duration) -> std::pin::Pin<Box<TimeoutStream<TcpStream>>> {
    // Answers are written whole: waiting for more to send only delays them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection cannot be told not to wait");
    }
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(taking));
    Box::pin(stream)
}

async fn answer(
    routes: Router,
    request: Request<Body>,
) -> Result<axum::response::Response, Infallible> {
    routes.oneshot(request).await
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::future::pending;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::oneshot;

    use super::*;

    /// Longer than anything here takes; only a failure waits for it.
    const LONG: Duration = Duration::from_secs(30);

    async fn listening() -> (TcpListener, std::net::SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    #[tokio::test]
    async fn who_does_not_finish_asking_is_cut_off() {
        let (listener, address) = listening().await;
        let patience = Patience {
            head: Duration::from_millis(50),
            taking: LONG,
        };
        let routes = Router::new().route("/", get(|| async { "here" }));
        tokio::spawn(serve(listener, routes, patience, pending()));
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ")
            .await
            .unwrap();
        let mut said = Vec::new();
        let ended = tokio::time::timeout(LONG, slow.read_to_end(&mut said)).await;
        assert!(ended.is_ok(), "still waited for");
        let said = String::from_utf8_lossy(&said);
        assert!(
            said.is_empty() || said.starts_with("HTTP/1.1 408"),
            "{said}"
        );
    }

    #[tokio::test]
    async fn who_does_not_take_the_answer_is_cut_off() {
        let (listener, address) = listening().await;
        let patience = Patience {
            head: LONG,
            taking: Duration::from_millis(50),
        };
        // More than fits between two sockets.
        let large = bytes::Bytes::from(vec![b'x'; 64 << 20]);
        let routes = Router::new().route("/", get(move || async move { large }));
        let (end, ended) = oneshot::channel::<()>();
        let serving = tokio::spawn(serve(listener, routes, patience, async {
            ended.await.unwrap();
        }));
        let mut deaf = TcpStream::connect(address).await.unwrap();
        deaf.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        // It is being answered, and has to be let finish, unless it never does.
        deaf.readable().await.unwrap();
        end.send(()).unwrap();
        let ended = tokio::time::timeout(LONG, serving).await;
        assert!(ended.is_ok(), "still waited for");
    }
}
