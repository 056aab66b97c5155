//! Makes the assertion that its argument names, with the SDK as crates.io has it.

use antithesis_sdk::{
    antithesis_init, assert_always, assert_always_or_unreachable, assert_reachable, assert_sometimes, assert_unreachable,
    lifecycle, random,
};
use serde_json::json;

fn main() {
    antithesis_init();
    let what = std::env::args().nth(1).unwrap_or_default();
    lifecycle::setup_complete(&json!({"program": "asserts"}));
    lifecycle::send_event("begun", &json!({"what": what}));
    for turn in 0..3 {
        assert_always!(what != "always" || turn < 2, "turns are right", &json!({"turn": turn}));
        assert_sometimes!(what != "sometimes" && turn == 1, "a turn is the second", &json!({"turn": turn}));
    }
    if what != "reachable" {
        assert_reachable!("the end is reached", &json!({}));
    }
    if what == "unreachable" {
        assert_unreachable!("nobody comes here", &json!({"who": "rust"}));
    }
    if what == "never" {
        assert_always_or_unreachable!(false, "nobody asks", &json!({}));
    }
    let numbers = [random::get_random(), random::get_random()];
    println!("random {}", numbers[0] != numbers[1] && numbers[0] != 0);
    println!("choice {}", random::random_choice(&["a", "b", "c"]).is_some());
    println!("done {what}");
}
