//! Places for connections and requests. If none is free, the connection that has waited for its client the longest is
//! closed: clients that are idle, or do not read, take no place from others.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::Response;
use hyper::body::{Frame, SizeHint};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::metrics::telemetry::Telemetry;

/// Maximum number of requests that are handled or whose responses are being sent.
const REQUESTS: usize = 128;

/// Maximum size of all responses that wait for their clients, in bytes; one is allowed whatever its size.
const UNREAD: usize = 48 << 20;

/// Size of a response without its snapshot, in bytes: the buffers of its connection, and of gzip.
const RESPONSE: usize = 3 << 19;

/// The connections of a server.
#[derive(Debug)]
pub(super) struct Clients {
    most: usize,
    telemetry: Arc<Telemetry>,
    connections: Mutex<BTreeMap<u64, Connection>>,
    next_id: AtomicU64,
    /// Tells that a place may be free.
    freed: Notify,
}

#[derive(Debug)]
struct Connection {
    close: CancellationToken,
    idle_since: Instant,
    requests: BTreeMap<u64, Progress>,
}

/// How far a request is.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    state: State,
    /// Size of the response in memory, in bytes.
    size: usize,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// Its password waits for a check, which is limited elsewhere: it takes no place of others.
    Checked,
    #[default]
    Handled,
    /// Its response waits for the client since then.
    Sent(Instant),
}

/// Response extension: what the rest of the body keeps in memory, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept(pub(super) usize);

/// The place of a connection.
#[derive(Debug)]
pub(super) struct Client {
    clients: Arc<Clients>,
    id: u64,
    /// Cancelled when another connection needs the place.
    pub(super) close: CancellationToken,
}

/// The place of a request, until its response has been sent.
#[derive(Debug)]
pub(super) struct Request {
    client: Arc<Client>,
    id: u64,
}

/// The time during which the password of a request is checked.
#[derive(Debug)]
pub(super) struct Check<'a>(&'a Request);

/// What a connection waits for.
pub(super) enum Wait {
    /// The handling of a request.
    Handling,
    /// The client, since then, to read a response.
    Reader(Instant),
    /// The client, since then, to send a request.
    Idle(Instant),
}

impl Clients {
    pub(super) fn new(most: usize, telemetry: Arc<Telemetry>) -> Arc<Self> {
        let (connections, next_id) = (Mutex::default(), AtomicU64::default());
        Arc::new(Self { most, telemetry, connections, next_id, freed: Notify::new() })
    }

    /// Returns a place for a new connection. Waits only if all connections handle requests.
    pub(super) async fn connect(self: &Arc<Self>) -> Client {
        loop {
            if let Some(client) = self.try_connect() {
                return client;
            }
            self.freed.notified().await;
        }
    }

    fn try_connect(self: &Arc<Self>) -> Option<Client> {
        let mut connections = self.connections();
        if connections.len() >= self.most {
            self.telemetry.web_limit("connections");
            let waits =
                connections.iter().filter_map(|(id, connection)| Some((connection.wait().since()?, *id)));
            let (_, longest) = waits.min()?;
            close(&mut connections, longest);
        }
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let close = CancellationToken::new();
        let connection =
            Connection { close: close.clone(), idle_since: Instant::now(), requests: BTreeMap::new() };
        connections.insert(id, connection);
        Some(Client { clients: Arc::clone(self), id, close })
    }

    fn connections(&self) -> MutexGuard<'_, BTreeMap<u64, Connection>> {
        self.connections.lock()
    }
}

impl Client {
    /// Returns a place for a request; `None` if there is none, and no response waits for its client. A probe always gets
    /// one.
    pub(super) fn request(self: &Arc<Self>, is_probe: bool) -> Option<Request> {
        let mut connections = self.clients.connections();
        let requests = connections.values().flat_map(|connection| connection.requests.values());
        if requests.filter(|progress| !matches!(progress.state, State::Checked)).count() >= REQUESTS {
            self.clients.telemetry.web_limit("requests");
            match unread(&connections).longest {
                Some(longest) => close(&mut connections, longest),
                None if is_probe => {}
                None => return None,
            }
        }
        // None if this connection is being closed.
        let connection = connections.get_mut(&self.id)?;
        let id = self.clients.next_id.fetch_add(1, Ordering::Relaxed);
        connection.requests.insert(id, Progress::default());
        Some(Request { client: Arc::clone(self), id })
    }

    /// Returns what the connection waits for.
    pub(super) fn wait(&self) -> Wait {
        self.clients.connections().get(&self.id).map_or(Wait::Handling, Connection::wait)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.clients.connections().remove(&self.id);
        self.clients.freed.notify_one();
    }
}

impl Request {
    /// Records the size of the response.
    fn handled(&self, kept: usize) {
        if let Some(connection) = self.client.clients.connections().get_mut(&self.client.id) {
            let progress = Progress { state: State::Handled, size: RESPONSE + kept };
            connection.requests.insert(self.id, progress);
        }
    }

    /// Records that the client was given something to read. If too much waits for clients, the connections that have waited
    /// the longest are closed.
    fn sent(&self) {
        let clients = &self.client.clients;
        let mut connections = clients.connections();
        self.set(&mut connections, State::Sent(Instant::now()));
        while let Unread { responses: 2.., size: UNREAD.., longest: Some(longest) } = unread(&connections) {
            clients.telemetry.web_limit("responses");
            close(&mut connections, longest);
        }
        clients.freed.notify_one();
    }

    /// Counts a request that is refused because too many passwords wait for a check.
    pub(super) fn has_too_many_checks(&self) {
        self.client.clients.telemetry.web_limit("passwords");
    }

    /// Frees the place while the password is checked, until the result is dropped.
    pub(super) fn check(&self) -> Check<'_> {
        self.set(&mut self.client.clients.connections(), State::Checked);
        Check(self)
    }

    fn set(&self, connections: &mut BTreeMap<u64, Connection>, state: State) {
        let connection = connections.get_mut(&self.client.id);
        if let Some(progress) = connection.and_then(|connection| connection.requests.get_mut(&self.id)) {
            progress.state = state;
        }
    }
}

impl Drop for Check<'_> {
    fn drop(&mut self) {
        self.0.set(&mut self.0.client.clients.connections(), State::Handled);
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if let Some(connection) = self.client.clients.connections().get_mut(&self.client.id) {
            connection.requests.remove(&self.id);
            connection.idle_since = Instant::now();
        }
        self.client.clients.freed.notify_one();
    }
}

impl Connection {
    fn wait(&self) -> Wait {
        if !self.requests.values().all(|progress| progress.sent().is_some()) {
            return Wait::Handling;
        }
        self.requests
            .values()
            .filter_map(Progress::sent)
            .max()
            .map_or(Wait::Idle(self.idle_since), Wait::Reader)
    }
}

impl Progress {
    const fn sent(&self) -> Option<Instant> {
        if let State::Sent(since) = self.state { Some(since) } else { None }
    }
}

impl Wait {
    const fn since(&self) -> Option<Instant> {
        match self {
            Self::Handling => None,
            Self::Reader(since) | Self::Idle(since) => Some(*since),
        }
    }
}

/// The responses that wait for their clients.
struct Unread {
    responses: usize,
    /// Their size in memory, in bytes.
    size: usize,
    /// The connection of the one that waits the longest.
    longest: Option<u64>,
}

fn unread(connections: &BTreeMap<u64, Connection>) -> Unread {
    let waits = connections.iter().flat_map(|(id, connection)| {
        let requests = connection.requests.values();
        requests.filter_map(|progress| Some((progress.sent()?, *id, progress.size)))
    });
    Unread {
        responses: waits.clone().count(),
        size: waits.clone().map(|(.., size)| size).sum(),
        longest: waits.min().map(|(_, id, _)| id),
    }
}

fn close(connections: &mut BTreeMap<u64, Connection>, id: u64) {
    if let Some(connection) = connections.remove(&id) {
        connection.close.cancel();
    }
}

/// The body of a response, which holds the place of its request.
pub(super) struct Sending {
    body: Body,
    request: Option<Arc<Request>>,
}

impl Sending {
    /// Returns the response, which the client is given now.
    pub(super) fn response(response: Response<Body>, request: Option<Arc<Request>>) -> Response<Self> {
        let kept = response.extensions().get().map_or(0, |Kept(bytes)| *bytes);
        if let Some(request) = &request {
            request.handled(kept);
            request.sent();
        }
        response.map(|body| Self { body, request })
    }
}

impl hyper::body::Body for Sending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if frame.is_ready()
            && let Some(request) = &self.request
        {
            request.sent();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
