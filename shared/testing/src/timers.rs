//! A clock that only goes on when everybody waits for it: hours of calls are tried in a moment, and always the same.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// An invocation's time.
#[derive(Debug)]
pub struct Timers {
    /// How long each call takes.
    pub latency: Duration,
    /// When Lambda ends the invocation.
    pub deadline: Duration,
    now: Cell<Duration>,
    count: Cell<usize>,
    waiting: RefCell<BTreeMap<(Duration, usize), Waker>>,
}

impl Timers {
    /// The beginning of an invocation that may last so long, with calls that take so long.
    pub fn new(deadline: Duration, latency: Duration) -> Self {
        let (now, count, waiting) = (Cell::default(), Cell::default(), RefCell::default());
        Self { latency, deadline, now, count, waiting }
    }

    /// How much time has gone by.
    pub fn now(&self) -> Duration {
        self.now.get()
    }

    /// How long the invocation may still run.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_sub(self.now())
    }

    /// Waits for so long.
    pub async fn wait(&self, time: Duration) {
        self.count.set(self.count.get() + 1);
        let key = (self.now().saturating_add(time), self.count.get());
        poll_fn(|context| {
            if self.now() >= key.0 {
                return Poll::Ready(());
            }
            self.waiting.borrow_mut().insert(key, context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Runs a function to its end, or until Lambda ends it: `None`. As it may be waiting for nothing that ever comes,
    /// nothing but the end may be left to wait for.
    pub fn run<T>(&self, function: impl Future<Output = T>) -> Option<T> {
        self.run_ticking(function, || ())
    }

    /// The same, with something to do whenever time has gone on.
    pub fn run_ticking<T>(&self, function: impl Future<Output = T>, tick: impl Fn()) -> Option<T> {
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&flag));
        let mut function = pin!(function);
        loop {
            while flag.0.swap(false, Ordering::SeqCst) {
                if let Poll::Ready(answer) = function.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return Some(answer);
                }
            }
            let next = self.waiting.borrow_mut().pop_first();
            let ((at, _), waker) = next.filter(|((at, _), _)| *at <= self.deadline)?;
            self.now.set(self.now().max(at));
            tick();
            waker.wake();
        }
    }
}

/// Whether there is something to look at.
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}
