//! Sets, queues, counters, banks and monotonic reads: each anomaly by itself, and histories without any.

use snowglobe_check::Verdict;

use super::{Dice, expect, judge, short};

#[test]
fn sets() {
    expect("set", "0 add 1; 0!; 1 add 2; 1!; 0 read; 0! [1,2]", &[]);
    expect("set", "0 add 1; 0!; 1 add 2; 1!; 0 read; 0! [2]", &["lost"]);
    // It was read before it was lost, though its outcome was unknown.
    expect("set", "0 add 1; 0?; 1 read; 1! [1]; 1 read; 1! []", &["lost"]);
    expect("set", "0 add 1; 0!; 0 read; 0! [1,1]", &["duplicated"]);
    expect("set", "0 add 1; 0!; 0 read; 0! [1,7]", &["unexpected"]);
    expect("set", "0 add 1; 0-; 0 read; 0! [1]", &["unexpected"]);
    // Recovered, and never there: both are allowed.
    expect("set", "0 add 1; 0?; 1 add 2; 1?; 2 read; 2! [1]", &[]);
    // The read began before the add had ended.
    expect("set", "0 add 1; 1 read; 0!; 1! []; 1 read; 1! [1]", &[]);
    let stale = "0 add 1; 0!; 1 read; 1! []; 1 read; 1! [1]";
    expect("set", stale, &[]);
    expect("set stale=forbid", stale, &["stale"]);
    expect("set-full", stale, &["stale"]);
    assert_eq!(judge("set", &short("0 add 1; 0!")).verdict(), Verdict::Unknown);
}

#[test]
fn queues() {
    expect("queue", "0 enqueue 1; 0!; 1 dequeue; 1! 1; 1 dequeue; 1! null", &[]);
    expect("queue", "0 enqueue 1; 0!; 1 dequeue; 1! null", &["lost"]);
    expect("queue", "0 enqueue 1; 0!; 0 enqueue 2; 0!; 1 drain; 1! [1]", &["lost"]);
    expect("queue", "0 enqueue 1; 0!; 1 dequeue; 1! 1; 1 dequeue; 1! 1; 1 drain; 1! []", &["duplicated"]);
    expect("queue duplicates=allow", "0 enqueue 1; 0!; 1 dequeue; 1! 1; 1 dequeue; 1! 1; 1 drain; 1! []", &[]);
    expect("queue", "1 dequeue; 1! 9", &["unexpected"]);
    expect("queue", "0 enqueue 9; 0-; 1 dequeue; 1! 9", &["unexpected"]);
    expect("queue", "0 enqueue 1; 0?; 1 dequeue; 1! 1", &[]);
    // A dequeue of unknown outcome may have taken it.
    expect("queue", "0 enqueue 1; 0!; 1 dequeue; 1?; 2 dequeue; 2! null", &[]);
    assert_eq!(judge("queue", &short("0 enqueue 1; 0!")).verdict(), Verdict::Unknown);
}

#[test]
fn counters() {
    expect("counter", "0 add 1; 1 read; 1! 0; 0!; 1 read; 1! 1", &[]);
    expect("counter", "0 add 1; 1 read; 1! 1; 0!", &[]);
    expect("counter", "0 add 1; 0!; 1 read; 1! 0", &["too-low"]);
    expect("counter", "0 add 1; 0!; 1 read; 1! 2", &["too-high"]);
    expect("counter", "0 add 1; 0?; 1 read; 1! 0; 1 read; 1! 1", &[]);
    expect("counter", "0 add 1; 0-; 1 read; 1! 1", &["too-high"]);
    expect("counter", "0 add 5; 0!; 0 add -3; 1 read; 1! 2; 0!; 1 read; 1! 2", &[]);
    expect("counter", "0 add 5; 0!; 0 dec 3; 0!; 1 read; 1! 5", &["too-high"]);
    expect("counter initial=10", "1 read; 1! 10", &[]);
}

#[test]
fn banks() {
    expect("bank", "0 read; 0! {\"a\":5,\"b\":5}; 0 transfer {}; 0!; 0 read; 0! {\"a\":4,\"b\":6}", &[]);
    expect("bank", "0 read; 0! [5,5]; 0 read; 0! [4,5]; 0 read; 0! [5,5]", &["total"]);
    expect("bank total=9", "0 read; 0! [[0,4],[1,5]]", &[]);
    expect("bank total=9", "0 read; 0! [[0,4],[1,6]]", &["total"]);
    expect("bank", "0 read; 0! [11,-1]", &["negative"]);
    expect("bank negative=allow", "0 read; 0! [11,-1]", &[]);
    assert_eq!(judge("bank", &short("0 transfer {}; 0!")).verdict(), Verdict::Unknown);
}

#[test]
fn monotonic_reads() {
    expect("monotonic", "0 read; 0! 1; 0 read; 0! 2; 0 read; 0! 2", &[]);
    expect("monotonic", "0 read; 0! 3; 0 read; 0! 2", &["went-back"]);
    let others = "0 read; 0! 3; 1 read; 1! 2";
    expect("monotonic", others, &[]);
    expect("monotonic scope=global", others, &["went-back"]);
    expect("monotonic scope=global", "0 read; 1 read; 0! 3; 1! 2", &[]);
}

#[test]
fn cut_and_hostile_histories_never_pass() {
    let whole = short("0 add 1; 0!; 0 read; 0! [1]");
    assert_eq!(judge("set", &whole).verdict(), Verdict::Passed);
    for end in 1..whole.len() {
        let cut = judge("set", &whole[..end]);
        // Cut at the end of a line, it looks like a shorter history.
        let at_line = whole.as_bytes()[end - 1] == b'\n' || whole.as_bytes()[end] == b'\n';
        assert!(cut.findings.is_empty());
        if !at_line {
            assert_eq!(cut.verdict(), Verdict::Unknown, "{end}");
        }
    }
    let mut dice = Dice(5);
    for model in ["set", "register", "queue", "counter", "bank", "append", "monotonic"] {
        assert_ne!(judge(model, "").verdict(), Verdict::Passed);
        for _ in 0..200 {
            let mut bytes =
                short("0 add 1; 0!; 1 txn [[\"r\",1,[2]]]; 1!; 0 read; 0! [1]; 2 cas [1,2]; 2!").into_bytes();
            for _ in 0..1 + dice.below(4) {
                let at = dice.below(bytes.len() as u64) as usize;
                bytes[at] = dice.below(128) as u8;
            }
            // Whatever it says, it says something.
            let _ = judge(model, &String::from_utf8_lossy(&bytes));
        }
    }
    let odd = "0 add 1e400; 0!; 0 read; 0! {}; 1 read; 1! 18446744073709551615";
    for model in ["set", "counter", "monotonic", "bank", "append", "queue"] {
        let _ = judge(model, &short(odd));
    }
}
