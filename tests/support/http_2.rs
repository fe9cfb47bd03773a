//! A server that violates HTTP/2, frame by frame.

use std::io::Result;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

/// Of SETTINGS and PING.
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `:status: 200`, of HPACK's static table.
const OK: &[u8] = b"\x88";

/// Number of kinds of [`response`].
pub const RESPONSES: usize = 14;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Returns the header of a response whose status is not in HPACK's static table.
fn status(status: &str) -> Vec<u8> {
    [b"\x08\x03", status.as_bytes()].concat()
}

/// Returns frames with a complete body.
fn body(stream: u32, body: &[u8]) -> Vec<u8> {
    let frames = body.chunks(16 * 1024).map(|part| frame(DATA, 0, stream, part));
    frames.chain([frame(DATA, END_STREAM, stream, b"")]).flatten().collect()
}

/// Returns the frames of a response, by the number of its kind: the first half of the kinds has `right` as the body.
fn response(number: usize, stream: u32, right: &[u8]) -> Vec<u8> {
    let headers = |flags, block: &[u8]| frame(HEADERS, flags | END_HEADERS, stream, block);
    let interim = || headers(0, &status("103"));
    // Not in the API's words: a list that the API refuses is not asked for again for ten minutes.
    let refusal = b"<html>No</html>";
    match number {
        0..3 => [headers(0, OK), body(stream, right)].concat(),
        3 => [interim().repeat(1000), headers(0, OK), body(stream, right)].concat(),
        4 => [headers(0, &status("403")), body(stream, refusal)].concat(),
        5 => headers(END_STREAM, &status("302")),
        6 => frame(RST_STREAM, 0, stream, &[0, 0, 0, 2]),
        7 => [headers(0, OK), frame(DATA, 0, stream, &right[..right.len() / 2])].concat(),
        8 => [interim().repeat(1000), frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat(),
        // Headers that never end.
        9 => [frame(HEADERS, 0, stream, OK), frame(CONTINUATION, 0, stream, &[0; 16384]).repeat(100)].concat(),
        // More than the client's window.
        10 => [headers(0, OK), frame(DATA, 0, stream, &[b' '; 16384]).repeat(400)].concat(),
        11 => frame(PUSH_PROMISE, END_HEADERS, stream, &[0, 0, 0, 2, 0x82]),
        12 => frame(DATA, 0, stream, right),
        _ => frame(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 2]),
    }
}

/// Begins a connection.
async fn begin(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Result<()> {
    stream.write_all(&frame(SETTINGS, 0, 0, b"")).await?;
    stream.read_exact(&mut [0; b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len()]).await.map(drop)
}

/// Reads frames up to the header of a request, and returns the id of its stream.
async fn request(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Result<u32> {
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let [length @ .., kind, flags, a, b, c, d] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, length[0], length[1], length[2]]) as usize];
        stream.read_exact(&mut payload).await?;
        let answer = match kind {
            HEADERS => return Ok(u32::from_be_bytes([a, b, c, d])),
            SETTINGS if flags & ACK == 0 => frame(SETTINGS, ACK, 0, b""),
            PING if flags & ACK == 0 => frame(PING, ACK, 0, &payload),
            _ => continue,
        };
        stream.write_all(&answer).await?;
    }
}

/// Responds to the requests of a connection with the kind of response that `next` returns, until the client leaves.
///
/// # Errors
/// If the client leaves.
pub async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    next: impl Fn() -> (usize, Vec<u8>),
) -> Result<()> {
    begin(&mut stream).await?;
    loop {
        let id = request(&mut stream).await?;
        let (number, right) = next();
        stream.write_all(&response(number, id, &right)).await?;
    }
}

/// Responds to the first request of a connection and refuses those after it, as a server without keep-alive does.
///
/// # Errors
/// If the client leaves.
pub async fn converse_once(mut stream: impl AsyncRead + AsyncWrite + Unpin, right: &[u8]) -> Result<()> {
    begin(&mut stream).await?;
    let id = request(&mut stream).await?;
    // Other requests are sent meanwhile.
    tokio::time::sleep(Duration::from_millis(20)).await;
    let last = frame(GOAWAY, 0, 0, &[&id.to_be_bytes()[..], &[0; 4]].concat());
    stream.write_all(&[last, response(0, id, right)].concat()).await?;
    stream.read_to_end(&mut Vec::new()).await.map(drop)
}
