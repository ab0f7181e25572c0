//! A port that can be shut and opened again while a test runs.

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What is done with each connection, on a thread of its own.
type Serve = Arc<dyn Fn(TcpStream) + Send + Sync>;

/// A port of 127.0.0.1.
pub(crate) struct Port {
    address: SocketAddr,
    open: Arc<Mutex<Open>>,
    serve: Serve,
}

struct Open {
    up: bool,
    connections: Vec<TcpStream>,
}

impl std::fmt::Debug for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Port")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Port {
    /// A free one, open.
    pub(crate) fn open(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = Self {
            address: listener.local_addr().unwrap(),
            open: Arc::new(Mutex::new(Open {
                up: true,
                connections: Vec::new(),
            })),
            serve: Arc::new(serve),
        };
        port.listen(listener);
        port
    }

    /// Its number.
    pub(crate) fn number(&self) -> u16 {
        self.address.port()
    }

    /// Connections break, and new ones are refused.
    pub(crate) fn shut(&self) {
        let connections = {
            let mut open = self.open.lock().unwrap();
            open.up = false;
            std::mem::take(&mut open.connections)
        };
        for connection in connections {
            // It may be gone already.
            drop(connection.shutdown(Shutdown::Both));
        }
        // The one that waits for connections sees it with the next.
        while TcpStream::connect(self.address).is_ok() {}
    }

    /// Connections are taken again.
    pub(crate) fn open_again(&self) {
        self.open.lock().unwrap().up = true;
        self.listen(TcpListener::bind(self.address).unwrap());
    }

    fn listen(&self, listener: TcpListener) {
        let (open, serve) = (Arc::clone(&self.open), Arc::clone(&self.serve));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let mut open = open.lock().unwrap();
                if !open.up {
                    return;
                }
                open.connections.push(stream.try_clone().unwrap());
                let serve = Arc::clone(&serve);
                std::thread::spawn(move || serve(stream));
            }
        });
    }
}
