//! A server that violates HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A step of the response to a request.
#[derive(Clone, Debug)]
pub enum Step {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes one by one, with that pause before each.
    Drip(Vec<u8>, Duration),
    /// Sends these bytes again and again.
    Flood(Vec<u8>),
    /// Waits for that long.
    Wait(Duration),
    /// Waits for the client to leave.
    Hang,
    /// Closes the connection.
    Close,
}

/// A server that responds to each request with the steps that a function returns for its number and path.
pub struct Wire {
    pub url: String,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Wire {
    /// Starts a server.
    pub async fn start(answer: impl Fn(usize, &str) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let (connections, requests) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (opened, received) = (Arc::clone(&connections), Arc::clone(&requests));
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                opened.fetch_add(1, Ordering::Relaxed);
                let (answer, received) = (Arc::clone(&answer), Arc::clone(&received));
                tokio::spawn(async move {
                    // The client may leave at any moment.
                    let _ = converse(stream, &*answer, &received).await;
                });
            }
        });
        Self { url, connections, requests }
    }

    /// Starts a server that does the same for every request.
    pub async fn always(steps: Vec<Step>) -> Self {
        Self::start(move |_, _| steps.clone()).await
    }

    /// Returns how many connections were opened.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Returns how many requests came.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

/// Responds to the requests of a connection with the steps that `answer` returns for their number and path.
///
/// # Errors
/// If the client leaves.
pub async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: &(impl Fn(usize, &str) -> Vec<Step> + Send + Sync),
    requests: &AtomicUsize,
) -> std::io::Result<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        let head = String::from_utf8_lossy(&head);
        let path = head.split(' ').nth(1).unwrap_or_default();
        for step in answer(requests.fetch_add(1, Ordering::Relaxed), path) {
            match step {
                Step::Send(bytes) => stream.write_all(&bytes).await?,
                Step::Drip(bytes, pause) => {
                    for byte in bytes {
                        tokio::time::sleep(pause).await;
                        stream.write_all(&[byte]).await?;
                    }
                }
                Step::Flood(bytes) => loop {
                    stream.write_all(&bytes).await?;
                },
                Step::Wait(pause) => tokio::time::sleep(pause).await,
                Step::Hang => {
                    stream.read_u8().await?;
                }
                Step::Close => return Ok(()),
            }
        }
    }
}

/// Returns a complete answer with that body and those further header lines.
pub fn answer(body: &[u8], headers: &str) -> Step {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    Step::Send([head.as_bytes(), body].concat())
}

/// A load balancer in front of a server that can die.
pub struct Relay {
    pub port: u16,
    /// How many connections are dead, of those that were opened first.
    dead: Arc<AtomicUsize>,
    opened: Arc<AtomicUsize>,
    closed: Arc<AtomicUsize>,
}

impl Relay {
    /// Starts a relay to the server at `address`. When a connection is dead, the relay ends it at the next byte of the
    /// client, or else goes on to acknowledge bytes though nobody reads them.
    pub async fn start(address: String, ends: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let [dead, opened, closed] = std::array::from_fn(|_| Arc::<AtomicUsize>::default());
        let relay =
            Self { port, dead: Arc::clone(&dead), opened: Arc::clone(&opened), closed: Arc::clone(&closed) };
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let number = opened.fetch_add(1, Ordering::Relaxed);
                let mut server = TcpStream::connect(&address).await.unwrap();
                let (dead, closed) = (Arc::clone(&dead), Arc::clone(&closed));
                tokio::spawn(async move {
                    let (mut up, mut down) = ([0; 4096], [0; 4096]);
                    loop {
                        let is_dead = || number < dead.load(Ordering::Relaxed);
                        tokio::select! {
                            read = client.read(&mut up) => match read {
                                Ok(length @ 1..) if !is_dead() => server.write_all(&up[..length]).await.unwrap(),
                                Ok(1..) if !ends => {}
                                _ => break,
                            },
                            read = server.read(&mut down), if !is_dead() => {
                                let length = read.unwrap();
                                client.write_all(&down[..length]).await.unwrap();
                            }
                        }
                    }
                    closed.fetch_add(1, Ordering::Relaxed);
                });
            }
        });
        relay
    }

    /// Lets the servers of all open connections die.
    pub fn kill(&self) {
        self.dead.store(self.opened(), Ordering::Relaxed);
    }

    /// Returns how many connections were opened.
    pub fn opened(&self) -> usize {
        self.opened.load(Ordering::Relaxed)
    }

    /// Returns how many connections are closed.
    pub fn closed(&self) -> usize {
        self.closed.load(Ordering::Relaxed)
    }
}
