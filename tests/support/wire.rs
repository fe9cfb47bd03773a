//! A server that violates HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A step of the response to a request.
#[derive(Clone, Debug)]
pub enum Step {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes one by one, with that pause before each.
    Drip(Vec<u8>, Duration),
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

async fn converse(
    mut stream: TcpStream,
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
