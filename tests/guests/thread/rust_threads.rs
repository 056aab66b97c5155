// Rust's threads: channels, scopes, parking, condition variables, barriers, once.
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{mpsc, Arc, Barrier, Condvar, Mutex, OnceLock, RwLock};
use std::thread;
use std::time::{Duration, Instant};

fn main() {
    let (sender, receiver) = mpsc::sync_channel(4);
    for worker in 0..4u64 {
        let sender = sender.clone();
        thread::spawn(move || (0..250).for_each(|n| sender.send(worker * 250 + n).unwrap()));
    }
    drop(sender);
    assert_eq!(receiver.iter().sum::<u64>(), 499_500);
    let (_keep, silent) = mpsc::channel::<()>();
    let begun = Instant::now();
    assert!(silent.recv_timeout(Duration::from_millis(20)).is_err());
    assert!(begun.elapsed() >= Duration::from_millis(20));

    let counter = AtomicUsize::new(0);
    let mut numbers = vec![1; 1000];
    thread::scope(|scope| {
        for part in numbers.chunks_mut(100) {
            scope.spawn(|| {
                part.iter_mut().for_each(|n| *n += 1);
                counter.fetch_add(part.len(), Ordering::SeqCst);
            });
        }
    });
    assert_eq!(counter.into_inner(), 1000);
    assert_eq!(numbers.iter().sum::<i32>(), 2000);

    let parked = thread::spawn(|| {
        thread::park();
        thread::park_timeout(Duration::from_millis(10));
        7
    });
    parked.thread().unpark();
    assert_eq!(parked.join().unwrap(), 7);

    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let other = Arc::clone(&pair);
    let waiter = thread::spawn(move || {
        let guard = other.1.wait_while(other.0.lock().unwrap(), |ready| !*ready).unwrap();
        assert!(*guard);
    });
    *pair.0.lock().unwrap() = true;
    pair.1.notify_all();
    waiter.join().unwrap();

    let (barrier, leaders, shared) = (Barrier::new(5), AtomicUsize::new(0), RwLock::new(0));
    static ONCE: OnceLock<u32> = OnceLock::new();
    thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| {
                *shared.write().unwrap() += 1;
                if barrier.wait().is_leader() {
                    leaders.fetch_add(1, Ordering::SeqCst);
                }
                assert_eq!(*shared.read().unwrap(), 5);
                assert_eq!(*ONCE.get_or_init(|| 3), 3);
            });
        }
    });
    assert_eq!(leaders.into_inner(), 1);
    let panicked = thread::Builder::new().name("falls".into()).spawn(|| std::panic::resume_unwind(Box::new(5))).unwrap();
    assert_eq!(*panicked.join().unwrap_err().downcast::<i32>().unwrap(), 5);
}
