//! One after the other, among the things that a function does at the same time.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// Who may send: one alert at a time is between its sending and its being marked as sent. A function that is killed has left
/// no more than that one to be sent twice.
#[derive(Debug, Default)]
pub struct Turns {
    taken: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub struct Turn<'t>(&'t Turns);

impl Turns {
    /// Waits for a turn.
    pub async fn turn(&self) -> Turn<'_> {
        poll_fn(|context| {
            if self.taken.replace(true) {
                self.waiting.borrow_mut().push(context.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
        Turn(self)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.taken.set(false);
        // All of them: one that was woken alone may be gone by then.
        self.0.waiting.take().into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::Context;

    use super::*;

    #[test]
    fn there_is_one_turn_at_a_time_and_the_next_comes_when_it_ends() {
        let turns = Turns::default();
        let mut context = Context::from_waker(Waker::noop());
        let (mut first, mut second) = (pin!(turns.turn()), pin!(turns.turn()));
        let Poll::Ready(turn) = first.as_mut().poll(&mut context) else { panic!("nobody else has it") };
        assert!(second.as_mut().poll(&mut context).is_pending());
        drop(turn);
        assert!(second.as_mut().poll(&mut context).is_ready());
        assert!(turns.waiting.borrow().is_empty());
    }
}
