//! What listens on loopback.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::thread;

use super::http::Connection;
use crate::error::Error;

/// Listens on loopback, and on nothing else.
pub(super) fn listen(port: u16) -> Result<TcpListener, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|source| Error::Network { source })
}

/// A thread for each connection. One that breaks is over; who needed it will be late.
pub(super) fn on_each_connection<F>(listener: TcpListener, converse: F)
where
    F: Fn(Connection<std::net::TcpStream>) -> io::Result<()> + Clone + Send + 'static,
{
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let converse = converse.clone();
            thread::spawn(move || {
                let talked = Connection::accepted(stream).and_then(converse);
                if let Err(error) = talked.as_ref().map_err(io::Error::kind) {
                    // A function that is ended in the middle is no news.
                    if error == io::ErrorKind::InvalidData {
                        eprintln!("emulator: {talked:?}");
                    }
                }
            });
        }
    });
}
