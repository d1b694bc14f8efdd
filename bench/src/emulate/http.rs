//! As much HTTP/1.1 as the Runtime API and AWS SDKs need: keep-alive, bodies of a known length.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;

/// A request.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// A header's value, by its name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A client's connection.
#[derive(Debug)]
pub(super) struct Connection<S> {
    stream: BufReader<S>,
    line: String,
}

impl Connection<TcpStream> {
    /// One that was accepted.
    pub(super) fn accepted(stream: TcpStream) -> io::Result<Self> {
        // An answer is one write, which must not wait for the client to acknowledge the one before.
        stream.set_nodelay(true)?;
        Ok(Self::new(stream))
    }
}

impl<S: Read + Write> Connection<S> {
    fn new(stream: S) -> Self {
        Self { stream: BufReader::with_capacity(1 << 16, stream), line: String::new() }
    }

    /// The next request; `None` when there will be none.
    pub(super) fn request(&mut self) -> io::Result<Option<Request>> {
        if !self.line()? {
            return Ok(None);
        }
        let mut words = self.line.split(' ');
        let mut word = || words.next().unwrap_or_default().to_owned();
        let mut request = Request { method: word(), path: word(), ..Request::default() };
        let mut length = 0;
        while self.line()? && !self.line.is_empty() {
            let Some((name, value)) = self.line.split_once(':') else { return Err(invalid("a header")) };
            let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
            match name.as_str() {
                "content-length" => length = value.parse().map_err(|_| invalid("a length"))?,
                "transfer-encoding" => return Err(invalid("a body of unknown length")),
                _ => {}
            }
            request.headers.push((name, value));
        }
        request.body.resize(length, 0);
        self.stream.read_exact(&mut request.body)?;
        Ok(Some(request))
    }

    /// Answers it: the head's lines without status, and the body.
    pub(super) fn answer(&mut self, status: &str, head: &str, body: &[u8]) -> io::Result<()> {
        let mut text =
            format!("HTTP/1.1 {status}\r\n{head}content-length: {}\r\n\r\n", body.len()).into_bytes();
        text.extend_from_slice(body);
        self.stream.get_mut().write_all(&text)
    }

    /// Reads a line, without its end, and says whether there was one.
    fn line(&mut self) -> io::Result<bool> {
        self.line.clear();
        let read = self.stream.read_line(&mut self.line)?;
        self.line.truncate(self.line.trim_end().len());
        Ok(read > 0)
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("{what} that this server can't read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was sent, and what was answered.
    struct Both(&'static [u8], Vec<u8>);

    impl Read for Both {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0.read(into)
        }
    }

    impl Write for Both {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn requests_follow_each_other() {
        let sent = b"POST /a HTTP/1.1\r\nContent-Length: 2\r\nX-Y: z\r\n\r\n{}GET /b HTTP/1.1\r\n\r\n";
        let mut connection = Connection::new(Both(sent, Vec::new()));
        let first = connection.request().unwrap().unwrap();
        assert_eq!((first.method.as_str(), first.path.as_str()), ("POST", "/a"));
        assert_eq!((first.header("x-y"), first.body.as_slice()), (Some("z"), b"{}".as_slice()));
        let second = connection.request().unwrap().unwrap();
        assert_eq!((second.method.as_str(), second.path.as_str()), ("GET", "/b"));
        assert!(connection.request().unwrap().is_none());
    }

    #[test]
    fn an_answer_says_its_length() {
        let mut connection = Connection::new(Both(b"", Vec::new()));
        connection.answer("200 OK", "a: b\r\n", b"xyz").unwrap();
        let answered = String::from_utf8(connection.stream.get_ref().1.clone()).unwrap();
        assert_eq!(answered, "HTTP/1.1 200 OK\r\na: b\r\ncontent-length: 3\r\n\r\nxyz");
    }

    #[test]
    fn what_it_cannot_read_is_an_error() {
        for sent in [
            &b"GET / HTTP/1.1\r\nno header\r\n\r\n"[..],
            b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        ] {
            let mut connection = Connection::new(Both(sent, Vec::new()));
            assert_eq!(connection.request().unwrap_err().kind(), ErrorKind::InvalidData);
        }
    }
}
